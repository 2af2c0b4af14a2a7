//! Which commits on a pull request's branch count as tagbump's own: only those are ever replaced.

use crate::support::git::{self, git};
use crate::support::hub::{HEAD, Hub, Via, each_way};
use crate::support::repo::{self, API, FILE, ended, kustomization, write};

/// Name and address of a committer.
type Who = (&'static str, &'static str);

const PERSON: Who = ("Grace", "grace@example.com");
/// The committer in the checkouts of these tests.
const OURS: Who = ("Ada", "ada@example.com");
/// The committer of edits on GitHub's website.
const FORGE: Who = ("GitHub", "noreply@github.com");

/// A commit on the branch, with the message of the last one there. Returns its ID.
fn commits(hub: &Hub, who: Who, path: &str, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let bare = hub.world.bare.to_str().unwrap();
    git(folder.path(), &["clone", "--quiet", "--branch", HEAD, bare, "theirs"]);
    let theirs = folder.path().join("theirs");
    write(&theirs, path, text);
    git(&theirs, &["add", "--all"]);
    let mut commit = git::command(&theirs);
    commit.args(["commit", "--quiet", "--message", &hub.message(HEAD)]);
    commit.env("GIT_COMMITTER_NAME", who.0).env("GIT_COMMITTER_EMAIL", who.1);
    assert!(commit.status().unwrap().success());
    git(&theirs, &["push", "--quiet", "origin", &format!("HEAD:{HEAD}")]);
    git(&theirs, &["rev-parse", "HEAD"])
}

/// The commit stays, and the next bump goes on top of it.
#[track_caller]
fn stays(hub: &Hub, theirs: &str) {
    hub.propose("v2", &[]);
    let parent = git(&hub.world.bare, &["rev-parse", &format!("refs/heads/{HEAD}^")]);
    assert_eq!(parent, theirs);
    assert!(hub.file(HEAD).contains("newTag: v2"));
}

#[test]
fn commit_stays_when_its_message_is_reused() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let theirs = commits(&hub, PERSON, "docs/note.md", "an hour of work\n");
        stays(&hub, &theirs);
        assert!(hub.ahead(HEAD).len() == 3, "{:?}", hub.ahead(HEAD));
    });
}

#[test]
fn commit_stays_when_a_person_made_it() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let text = kustomization(&[API.into()]).replace("v0", "v1.1");
        let theirs = commits(&hub, PERSON, FILE, &text);
        stays(&hub, &theirs);
    });
}

#[test]
fn commit_stays_when_it_changes_more_than_image_values() {
    for who in [OURS, FORGE] {
        each_way(|hub| {
            hub.propose("v1", &[]);
            let theirs = commits(&hub, who, "docs/note.md", "an hour of work\n");
            stays(&hub, &theirs);
        });
        each_way(|hub| {
            hub.propose("v1", &[]);
            let theirs = commits(&hub, who, FILE, &hub.file(HEAD).replace("# by CI", "# by hand"));
            stays(&hub, &theirs);
        });
    }
}

#[test]
fn commit_stays_when_its_tag_differs_from_its_message() {
    for who in [OURS, FORGE] {
        each_way(|hub| {
            hub.propose("v1", &[]);
            let theirs = commits(&hub, who, FILE, &format!("{}\n", hub.file(HEAD).replace("v1 ", "v1.1 ")));
            stays(&hub, &theirs);
        });
    }
}

#[test]
fn request_with_work_of_others_is_not_closed() {
    each_way(|hub| {
        hub.propose("v1", &[]);
        let theirs = commits(&hub, PERSON, "docs/note.md", "an hour of work\n");
        hub.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", "v1"));
        ended(&hub.run("v1", &[]), 0, "already");
        assert_eq!(hub.pull().head_sha, theirs);
    });
}

/// Name, files, arguments.
type Shape = (&'static str, Vec<(&'static str, String)>, Vec<&'static str>);

/// Whatever the edit looks like, the next bump replaces the previous one.
#[test]
fn bump_of_any_shape_is_replaced() {
    let digest = format!("sha256:{:064x}", 7);
    let with_digest = format!("{}    digest: {digest}\n", kustomization(&[API.into()]));
    let without_tag = kustomization(&[API.into()]).replace("    newTag: v0 # by CI\n", "");
    let empty = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [d.yaml]\n";
    let workload =
        format!("kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - image: {API}\n");
    let field = "a:\n  b: v0\n".to_owned();
    let shapes: [Shape; 5] = [
        ("dropped digest", vec![(FILE, with_digest)], vec![]),
        ("missing key", vec![(FILE, without_tag)], vec![]),
        ("new entry", vec![(FILE, empty.to_owned()), ("k8s/d.yaml", workload)], vec!["--add"]),
        ("field", vec![("a.yaml", field)], vec!["-f", "a.yaml", "--field", "a.b"]),
        ("old number", vec![(FILE, kustomization(&[API.into()]).replace("v0 #", "1234567 #"))], vec![]),
    ];
    for (shape, files, more) in shapes {
        for via in [Via::Git, Via::Api] {
            let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
            let hub = Hub::with(via, &files);
            for tag in ["v1", "v2"] {
                hub.propose(tag, &more);
                assert_eq!(hub.ahead(HEAD), [format!("chore: update api image to {tag}")], "{shape} {via:?}");
            }
        }
    }
}

#[test]
fn conflict_of_others_work_with_base_is_a_warning() {
    for full in [false, true] {
        each_way(|hub| {
            hub.full.set(full);
            hub.propose("v1", &[]);
            commits(&hub, PERSON, "README.md", "theirs\n");
            let told = hub.propose("v1.5", &[]);
            assert!(!told["warnings"].to_string().contains("conflict"), "nothing conflicts yet: {told}");
            hub.world.rival("README.md", "newer\n");
            let told = hub.propose("v2", &[]);
            let warnings = told["warnings"].to_string();
            for word in [HEAD, "conflict", "main", "README.md"] {
                assert!(warnings.contains(word), "{word}: {warnings}");
            }
            assert!(!warnings.contains(FILE), "{warnings}");
        });
    }
}

/// Another committer's bump isn't ours to remove: the next one goes on top.
#[test]
fn bump_of_another_committer_is_built_on() {
    let hub = Hub::new(Via::Git);
    hub.propose("v1", &[]);
    let folder = hub.checkout();
    git(&folder, &["config", "user.email", "another@example.com"]);
    let run = repo::run(&mut hub.command_in(&folder, &[&format!("{API}:v2")], &[]));
    ended(&run, 0, "proposed");
    assert_eq!(hub.ahead(HEAD), ["chore: update api image to v2", "chore: update api image to v1"]);
}
