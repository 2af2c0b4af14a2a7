//! `--verify` and `--digest auto` against Docker's registry, with TLS and a password. skopeo pushes what is looked up, and
//! says which digest it has.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::openssl::OpenSsl;
use crate::support::cli::{Run, command};
use crate::support::daemon::{Daemon, program};

const PASSWORD: &str = "pass-word-1";
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
        Layout::new(&layout).index(tag, labels);
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
        let pair = BASE64_STANDARD.encode(format!("ada:{PASSWORD}"));
        let mut command = command(folder);
        command.args(["bump", "--format", "json"]).args(arguments);
        command.env("DOCKER_AUTH_CONFIG", json!({"auths": {self.host(): {"auth": pair}}}).to_string());
        if let Some(tls) = &self.tls {
            command.env("SSL_CERT_FILE", tls.file("server.pem"));
        }
        command
    }
}

/// A folder in OCI's image layout.
struct Layout<'a>(&'a Path);

impl<'a> Layout<'a> {
    fn new(folder: &'a Path) -> Self {
        std::fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        Layout(folder)
    }

    fn blob(&self, kind: &str, content: &[u8]) -> Value {
        let hash = ring::digest::digest(&ring::digest::SHA256, content);
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(self.0.join("blobs/sha256").join(&hex), content).unwrap();
        json!({"mediaType": kind, "digest": format!("sha256:{hex}"), "size": content.len()})
    }

    fn json(&self, kind: &str, content: &Value) -> Value {
        self.blob(kind, content.to_string().as_bytes())
    }

    fn index(&self, tag: &str, labels: &Value) {
        let oci = |kind: &str| format!("application/vnd.oci.image.{kind}.v1+json");
        let platforms = ["amd64", "arm64"].map(|architecture| {
            // an empty tar archive
            let layer = self.blob("application/vnd.oci.image.layer.v1.tar", &[0; 1024]);
            let config = json!({
                "architecture": architecture, "os": "linux", "config": {"Labels": labels},
                "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
            });
            let config = self.json(&oci("config"), &config);
            let manifest = json!({
                "schemaVersion": 2, "mediaType": oci("manifest"), "config": config, "layers": [layer],
            });
            let mut entry = self.json(&oci("manifest"), &manifest);
            entry["platform"] = json!({"architecture": architecture, "os": "linux"});
            entry
        });
        let index = json!({"schemaVersion": 2, "mediaType": oci("index"), "manifests": platforms});
        let mut index = self.json(&oci("index"), &index);
        index["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        let top = json!({"schemaVersion": 2, "manifests": [index]});
        std::fs::write(self.0.join("index.json"), top.to_string()).unwrap();
    }
}

fn kustomization(image: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("images:\n- name: app\n  newName: {image}\n  newTag: v1\n");
    std::fs::write(folder.path().join("kustomization.yaml"), text).unwrap();
    folder
}

fn run(mut command: Command) -> (Run, Value) {
    let run = Run::of(&command.output().unwrap());
    let json = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    (run, json)
}

#[test]
fn digest_is_that_of_the_index() {
    for registry in [Registry::open(), Registry::closed()] {
        registry.push("v2", &Value::Null);
        let folder = kustomization(&registry.image());
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
    let (folder, image) = (kustomization(&registry.image()), format!("{}:v1.2.4", registry.image()));
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

#[test]
fn tag_that_is_pushed_while_tagbump_waits_is_found() {
    let registry = Registry::open();
    let (folder, image) = (kustomization(&registry.image()), format!("{}:v2", registry.image()));
    let waiting = registry.bump(folder.path(), &[&image, "--verify", "--verify-timeout", "60s"]);
    let waiting = std::thread::spawn(move || run(waiting));
    registry.push("v2", &Value::Null);
    let (done, json) = waiting.join().unwrap();
    assert_eq!((done.exit, &json["outcome"]), (0, &"edited".into()), "{done:?}");
}

#[test]
fn untrusted_certificate_is_an_error() {
    let registry = Registry::closed();
    registry.push("v2", &Value::Null);
    let folder = kustomization(&registry.image());
    let mut command = registry.bump(folder.path(), &[&format!("{}:v2", registry.image()), "--verify"]);
    command.env_remove("SSL_CERT_FILE");
    let (refused, json) = run(command);
    assert_ne!(refused.exit, 0, "{refused:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("isn't trusted"), "{refused:?}");
}
