//! Gitea's own registry, whose token server asks for a password or a token (Bearer).

use serde_json::Value;

use super::people::{API, GitOps};
use crate::support::crane::Crane;
use crate::support::image_layout::ImageLayout;
use crate::support::repo::{self, ended, failed};
use crate::support::verify::auth_of;

/// A repository, and an image of two platforms in the owner's packages.
struct Packages {
    gitops: GitOps,
    /// Without a tag.
    image: String,
    host: String,
    crane: Crane,
}

impl Packages {
    fn new(owner: &str) -> Self {
        let gitops = GitOps::new(owner);
        let host = gitops.server.url().replace("http://", "");
        let crane = Crane::with_credentials(&auth_of(&host, owner, &gitops.owner.token));
        let image = format!("{host}/{owner}/api");
        let layout = tempfile::tempdir().unwrap();
        ImageLayout::new(layout.path()).index("v1.2.3", &Value::Null);
        crane.run(&["push", layout.path().to_str().unwrap(), &format!("{image}:v1.2.3")]);
        Packages { gitops, image, host, crane }
    }

    /// Lands the image under a tag, in place of another one.
    fn deploy(&self, tag: &str, more: &[&str], password: Option<&str>) -> crate::support::cli::Run {
        let change = format!("{API}={}:{tag}", self.image);
        let mut command = self.gitops.command(&change, &[&["--push"], more].concat());
        if let Some(password) = password {
            command.env("DOCKER_AUTH_CONFIG", auth_of(&self.host, &self.gitops.owner.name, password));
        }
        repo::run(&mut command)
    }
}

#[test]
fn digest_of_an_index_is_pinned_and_landed() {
    let packages = Packages::new("packages");
    let digest = packages.crane.run(&["digest", &format!("{}:v1.2.3", packages.image)]);
    let done = packages.deploy("v1.2.3", &["--digest", "auto"], Some(&packages.gitops.owner.token));
    let json = ended(&done, 0, "landed");
    let image = &json["images"][0];
    assert_eq!((&image["digest"], &image["verified"]), (&digest.as_str().into(), &true.into()), "{json}");
    let file = packages.gitops.file("main");
    assert!(file.contains(&format!("newName: {}\n", packages.image)), "{file}");
    assert!(file.contains(&format!("digest: {digest}\n")), "{file}");
    // what was written is what runs: the index
    let written = format!("{}@{digest}", packages.image);
    let index: Value = serde_json::from_str(&packages.crane.run(&["manifest", &written])).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2, "{index}");
    assert!(!done.output().contains(&packages.gitops.owner.token), "{done:?}");
}

#[test]
fn missing_tag_is_exit_3_and_wrong_password_exit_5() {
    let packages = Packages::new("no-packages");
    let more = ["--verify", "--verify-timeout", "2s"];
    let missing = packages.deploy("v1.2.4", &more, Some(&packages.gitops.owner.token));
    failed(&missing, 3);
    assert!(missing.output().contains("the registry has v1.2.3"), "{missing:?}");
    let refused = packages.deploy("v1.2.3", &more, Some("wrong-word-2"));
    failed(&refused, 5);
    assert!(!refused.output().contains("wrong-word-2"), "{refused:?}");
    assert_eq!(packages.gitops.commits(), 1, "nothing landed");
}
