//! `--verify` and `--digest auto` against Docker's registry, with TLS and a password, where skopeo pushes what is looked up
//! and says which digest it has; and against the registry of go-containerregistry.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::openssl::OpenSsl;
use crate::support::crane::Crane;
use crate::support::daemon::{Daemon, program};
use crate::support::image_layout::ImageLayout;
use crate::support::pty::Terminal;
use crate::support::verify::{self, PASSWORD, auth, folder, run};

/// A line of htpasswd's for `ada` with the password above, by bcrypt.
const HTPASSWD: &str = "ada:$2b$05$abcdefghijklmnopqrstuupSO9sO3ASIekd.qADcbb/jgkLKkQBR2\n";

struct Registry {
    daemon: Daemon,
    folder: TempDir,
    tls: Option<OpenSsl>,
}

impl Registry {
    /// Over plain http, for everyone.
    fn open() -> Self {
        Registry::start(None)
    }

    /// Over https, with a password.
    fn closed() -> Self {
        Registry::start(Some(OpenSsl::new()))
    }

    fn start(tls: Option<OpenSsl>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) =
            (folder.path().join("config.yml"), program("docker-registry", "docker-registry"));
        std::fs::write(folder.path().join("htpasswd"), HTPASSWD).unwrap();
        let here = folder.path().display();
        let access = tls.as_ref().map(|tls| {
            let (certificate, key) = tls.self_signed();
            let (certificate, key) = (certificate.display(), key.display());
            format!("  tls:\n    certificate: {certificate}\n    key: {key}\nauth:\n  htpasswd: {{realm: r, path: {here}/htpasswd}}\n")
        });
        let access = access.unwrap_or_default();
        let daemon = Daemon::start("docker-registry", "listening on", |port| {
            let text = format!(
                "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {here}/data}}\n\
                 http:\n  addr: 127.0.0.1:{port}\n  secret: x\n{access}"
            );
            std::fs::write(&file, text).unwrap();
            let mut command = Command::new(&program);
            command.arg("serve").arg(&file);
            command
        });
        Registry { daemon, folder, tls }
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.daemon.port)
    }

    fn image(&self) -> String {
        format!("{}/acme/api", self.host())
    }

    /// skopeo, which is told not to ask for certificates.
    #[track_caller]
    fn skopeo(&self, action: &str, arguments: &[&str]) -> String {
        let (verify, credentials) = match action {
            "copy" => ("--dest-tls-verify=false", "--dest-creds"),
            _ => ("--tls-verify=false", "--creds"),
        };
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", action, verify]).args(arguments);
        if self.tls.is_some() {
            skopeo.args([credentials, &format!("ada:{PASSWORD}")]);
        }
        let done = skopeo.env("HOME", self.folder.path()).output();
        let done = done.unwrap_or_else(|e| panic!("skopeo: {e}; install it, package skopeo"));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Pushes an index of two platforms with these labels.
    #[track_caller]
    fn push(&self, tag: &str, labels: &Value) {
        let layout = self.folder.path().join(format!("layout-{tag}"));
        ImageLayout::new(&layout).index(tag, labels);
        let (from, to) =
            (format!("oci:{}:{tag}", layout.display()), format!("docker://{}:{tag}", self.image()));
        self.skopeo("copy", &["--all", &from, &to]);
    }

    /// The digest of a tag, as skopeo computes it.
    #[track_caller]
    fn digest(&self, tag: &str) -> String {
        let raw = self.skopeo("inspect", &["--raw", &format!("docker://{}:{tag}", self.image())]);
        let file = self.folder.path().join("raw");
        std::fs::write(&file, raw).unwrap();
        let done = Command::new("skopeo").arg("manifest-digest").arg(&file).output().unwrap();
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// A bump of the image in a folder. It has the password, unless that is replaced.
    fn bump(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = verify::bump(folder, arguments);
        command.env("DOCKER_AUTH_CONFIG", auth(&self.host(), PASSWORD));
        if let Some(tls) = &self.tls {
            command.env("SSL_CERT_FILE", tls.file("server.pem"));
        }
        command
    }
}

#[test]
fn digest_is_that_of_the_index() {
    for registry in [Registry::open(), Registry::closed()] {
        registry.push("v2", &Value::Null);
        let folder = folder(&registry.image());
        let (done, json) =
            run(registry.bump(folder.path(), &[&format!("{}:v2", registry.image()), "--digest", "auto"]));
        assert_eq!(done.exit, 0, "{done:?}");
        let digest = registry.digest("v2");
        let image = &json["images"][0];
        assert_eq!((&image["digest"], &image["verified"]), (&Value::from(digest.as_str()), &true.into()));
        let text = std::fs::read_to_string(folder.path().join("kustomization.yaml")).unwrap();
        assert!(text.ends_with(&format!("newTag: v2\n  digest: {digest}\n")), "{text}");
        // what was written is what runs
        registry.skopeo("inspect", &["--raw", &format!("docker://{}@{digest}", registry.image())]);
    }
}

#[test]
fn missing_tag_is_exit_3_and_wrong_password_exit_5() {
    let registry = Registry::closed();
    registry.push("v1.2.3", &Value::Null);
    let (folder, image) = (folder(&registry.image()), format!("{}:v1.2.4", registry.image()));
    let arguments = [&*image, "--verify", "--verify-timeout", "5s"];
    let (missing, json) = run(registry.bump(folder.path(), &arguments));
    assert_eq!(missing.exit, 3, "{missing:?}");
    assert!(json["error"]["hint"].as_str().unwrap().contains("v1.2.3"), "{missing:?}");
    let mut command = registry.bump(folder.path(), &arguments);
    let wrong = BASE64_STANDARD.encode("ada:wrong-word-2");
    command.env("DOCKER_AUTH_CONFIG", json!({"auths": {registry.host(): {"auth": wrong}}}).to_string());
    let (refused, _) = run(command);
    assert_eq!(refused.exit, 5, "{refused:?}");
    assert!(!refused.output().contains("wrong-word-2") && !refused.output().contains(&wrong), "{refused:?}");
    let mut command = registry.bump(folder.path(), &arguments);
    command.env_remove("DOCKER_AUTH_CONFIG");
    assert_eq!(run(command).0.exit, 5);
}

/// The registry lags by five seconds, as a person at a terminal sees it.
#[test]
fn tag_that_is_pushed_five_seconds_later_is_found_and_the_wait_is_reported() {
    let registry = Registry::open();
    let (folder, image) = (folder(&registry.image()), format!("{}:v2", registry.image()));
    let (mut terminal, theirs) = Terminal::open();
    let mut waiting = registry.bump(folder.path(), &[&image, "--verify"]);
    waiting.env("TERM", "xterm").stdout(Stdio::piped()).stderr(theirs);
    let child = waiting.spawn().unwrap();
    drop(waiting); // with its end of the terminal
    terminal.read_until(&format!("looking for {image} in its registry (5 s)"));
    registry.push("v2", &Value::Null);
    terminal.read_to_end();
    let done = child.wait_with_output().unwrap();
    let json: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((done.status.code(), &json["outcome"]), (Some(0), &"edited".into()), "{json}");
    let notice = json["notices"][0].as_str().unwrap();
    let seconds = notice.strip_prefix("waited ").and_then(|rest| rest.split(' ').next());
    assert!(seconds.unwrap().parse::<u64>().unwrap() >= 5, "{notice}");
}

/// The registry of go-containerregistry keeps images in memory. Its crane pushes them, and computes their digests.
#[test]
fn registry_of_go_containerregistry_is_understood() {
    let crane = Crane::new();
    let registry = Daemon::start(".ci/crane", "serving on port", |port| {
        let mut command = crane.command();
        command.args(["registry", "serve", "--address", &format!("127.0.0.1:{port}")]);
        command
    });
    let image = format!("127.0.0.1:{}/acme/api", registry.port);
    let layout = tempfile::tempdir().unwrap();
    ImageLayout::new(layout.path()).index("v2", &Value::Null);
    crane.run(&["push", layout.path().to_str().unwrap(), &format!("{image}:v2")]);
    let digest = crane.run(&["digest", &format!("{image}:v2")]);
    let folder = folder(&image);
    let (done, json) = run(verify::bump(folder.path(), &[&format!("{image}:v2"), "--digest", "auto"]));
    assert_eq!((done.exit, &json["images"][0]["digest"]), (0, &digest.as_str().into()), "{done:?}");
    assert!(verify::content(&folder).ends_with(&format!("newTag: v2\n  digest: {digest}\n")));
    let index: Value = serde_json::from_str(&crane.run(&["manifest", &format!("{image}@{digest}")])).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2, "{index}");
    let arguments = [&*format!("{image}:v3"), "--verify", "--verify-timeout", "1s"];
    assert_eq!(run(verify::bump(folder.path(), &arguments)).0.exit, 3);
}

#[test]
fn untrusted_certificate_is_an_error() {
    let registry = Registry::closed();
    registry.push("v2", &Value::Null);
    let folder = folder(&registry.image());
    let mut command = registry.bump(folder.path(), &[&format!("{}:v2", registry.image()), "--verify"]);
    command.env_remove("SSL_CERT_FILE");
    let (refused, json) = run(command);
    assert_ne!(refused.exit, 0, "{refused:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("isn't trusted"), "{refused:?}");
}
