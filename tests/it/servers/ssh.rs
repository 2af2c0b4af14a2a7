//! Landings over ssh, by OpenSSH's client and server.

use std::path::{Path, PathBuf};

use super::sshd::Sshd;
use crate::support::cli::Run;
use crate::support::keys::Agent;
use crate::support::repo::{World, ended, failed, push, run};

/// A repository, an sshd that serves it, and a checkout.
struct Ground {
    world: World,
    sshd: Sshd,
    folder: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let (world, sshd) = (World::new(), Sshd::start());
        let folder = world.clone_of(&sshd.url(&world.bare), "w", &["--depth", "1"]);
        Ground { world, sshd, folder }
    }

    /// A push by a client with this configuration.
    fn land(&self, lines: &[String], variables: &[(&str, &Path)]) -> Run {
        let mut command = push(&self.folder, &format!("v{}", self.world.commits()), &["-v"]);
        run(command.env("GIT_SSH_COMMAND", self.sshd.client(lines)).envs(variables.iter().copied()))
    }

    /// Settings of a client that knows the host and has this key.
    fn settings(&self, key: &Path) -> Vec<String> {
        vec![identity(key), known(&self.sshd.known_hosts(None))]
    }
}

fn identity(key: &Path) -> String {
    format!("IdentityFile {}", key.display())
}

fn known(file: &Path) -> String {
    format!("UserKnownHostsFile {}\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes", file.display())
}

#[test]
fn bump_lands_through_sshd_with_key() {
    let ground = Ground::new();
    let key = ground.sshd.key("id", "");
    ground.sshd.allow(&key, "");
    ground.world.rival("README.md", "newer\n");
    let told = ended(&ground.land(&ground.settings(&key), &[]), 0, "landed");
    assert_eq!(told["commit"], ground.world.tip().as_str());
    assert_eq!(ground.world.commits(), 4);
    let logins = ground.sshd.stop().0.matches("Accepted publickey").count();
    assert_eq!(logins, 2, "one connection to fetch, one to push");
}

#[test]
fn bump_lands_through_sshd_with_agent() {
    let ground = Ground::new();
    let key = ground.sshd.key("id", "");
    ground.sshd.allow(&key, "");
    let agent = Agent::with(&key);
    std::fs::remove_file(&key).unwrap();
    let public = key.with_extension("pub");
    let run = ground.land(&ground.settings(&public), &[("SSH_AUTH_SOCK", &agent.socket())]);
    ended(&run, 0, "landed");
    assert_eq!(ground.world.commits(), 3);
}

#[test]
fn run_fails_when_sshd_rejects_key() {
    let ground = Ground::new();
    let (key, other) = (ground.sshd.key("id", ""), ground.sshd.key("other", ""));
    ground.sshd.allow(&other, "");
    let said = failed(&ground.land(&ground.settings(&key), &[]), 5);
    assert!(said.contains("Permission denied (publickey)") && said.contains("GIT_SSH_COMMAND"), "{said}");
    // a key that needs a passphrase, and nobody to ask for it
    let locked = ground.sshd.key("locked", "secret");
    ground.sshd.allow(&locked, "");
    let said = failed(&ground.land(&ground.settings(&locked), &[]), 5);
    assert!(said.contains("Permission denied (publickey)"), "{said}");
    assert_eq!(ground.world.commits(), 2);
}

#[test]
fn run_fails_when_key_of_host_is_unknown_or_another() {
    let ground = Ground::new();
    let key = ground.sshd.key("id", "");
    ground.sshd.allow(&key, "");
    let unknown = vec![identity(&key), known(Path::new("/dev/null"))];
    let said = failed(&ground.land(&unknown, &[]), 5);
    assert!(said.contains("not known") && said.contains("ssh-keyscan"), "{said}");
    let other = ground.sshd.key("other", "");
    let changed = vec![identity(&key), known(&ground.sshd.known_hosts(Some(&other)))];
    let said = failed(&ground.land(&changed, &[]), 5);
    assert!(said.contains("the host's key has changed") && said.contains("ssh-keygen -R"), "{said}");
    assert_eq!(ground.world.commits(), 2);
}

#[test]
fn run_fails_when_repository_is_not_on_host() {
    let ground = Ground::new();
    let key = ground.sshd.key("id", "");
    ground.sshd.allow(&key, "");
    let url = ground.sshd.url(&ground.world.path().join("missing.git"));
    let mut command = push(&ground.folder, "v1", &["--remote", &url, "--branch", "main"]);
    let client = ground.sshd.client(&ground.settings(&key));
    let said = failed(&run(command.env("GIT_SSH_COMMAND", client)), 5);
    assert!(said.contains("not appear to be a git repository"), "{said}");
}

/// As hosts restrict a deploy key: one that reads, and does not write.
#[test]
fn run_fails_when_key_may_only_read() {
    let ground = Ground::new();
    let key = ground.sshd.key("id", "");
    let script = "case \\\"$SSH_ORIGINAL_COMMAND\\\" in git-upload-pack*) eval \\\"$SSH_ORIGINAL_COMMAND\\\";; \
                  *) echo 'ERROR: The key you are authenticating with has been marked as read only.' >&2; exit 1;; esac";
    ground.sshd.allow(&key, &format!("restrict,command=\"{script}\" "));
    let said = failed(&ground.land(&ground.settings(&key), &[]), 5);
    assert!(said.contains("read only") && said.contains("write"), "{said}");
    assert_eq!(ground.world.commits(), 2);
}

#[test]
fn run_fails_when_sshd_is_gone() {
    let ground = Ground::new();
    let key = ground.sshd.key("id", "");
    let client = ground.sshd.client(&ground.settings(&key));
    let mut command = push(&ground.folder, "v1", &["--timeout", "20s"]);
    command.env("GIT_SSH_COMMAND", client);
    let Ground { world, sshd, folder: _ } = ground;
    let (_, files) = sshd.stop();
    let said = failed(&run(&mut command), 4);
    assert!(said.contains("Connection refused"), "{said}");
    assert_eq!(world.commits(), 2);
    drop(files);
}
