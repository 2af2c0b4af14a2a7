//! Keys to sign commits with, made by the tools that git uses; and what git says of a signature.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::git::git;

/// Whose keys they are.
pub const ADA: &str = "Ada <ada@example.com>";

/// Runs a tool that the tests can't do without.
#[track_caller]
fn tool(package: &str, command: &mut Command) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|e| panic!("{name}: {e}; install it, package {package}"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// SSH keys in a folder, and the file that says whose they are.
pub struct SshKeys(TempDir);

impl SshKeys {
    pub fn new() -> Self {
        SshKeys(tempfile::tempdir().unwrap())
    }

    /// A new key pair of a kind, as `ecdsa-384`, that is Ada's. Gives the private key's file.
    #[track_caller]
    pub fn make(&self, kind: &str, passphrase: &str) -> PathBuf {
        let path = self.0.path().join(format!("id-{kind}-{}", passphrase.len()));
        let (name, bits) = kind.split_once('-').unwrap_or((kind, ""));
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", name, "-N", passphrase, "-C", "ada", "-f"]).arg(&path);
        if !bits.is_empty() {
            command.args(["-b", bits]);
        }
        tool("openssh-client", &mut command);
        let known = std::fs::read_to_string(self.known()).unwrap_or_default();
        std::fs::write(self.known(), format!("{known}ada@example.com {}\n", public(&path))).unwrap();
        path
    }

    fn known(&self) -> PathBuf {
        self.0.path().join("known")
    }

    /// Checks that git takes a commit's signature for Ada's.
    #[track_caller]
    pub fn verify(&self, repository: &Path, commit: &str) {
        let known = format!("gpg.ssh.allowedSignersFile={}", self.known().display());
        git(repository, &["-c", &known, "verify-commit", commit]);
        let who = git(repository, &["-c", &known, "log", "-1", "--format=%G? %GS", commit]);
        assert_eq!(who, "G ada@example.com");
    }
}

/// The public part of a key.
pub fn public(private: &Path) -> String {
    let mut path = private.as_os_str().to_owned();
    path.push(".pub");
    std::fs::read_to_string(path).unwrap().trim_end().to_owned()
}

/// An ssh-agent, until it is dropped.
pub struct Agent {
    folder: TempDir,
    pid: String,
}

impl Agent {
    /// With a key in it, which has no passphrase.
    #[track_caller]
    pub fn with(key: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let started =
            tool("openssh-client", Command::new("ssh-agent").args(["-s", "-a"]).arg(folder.path().join("s")));
        let said = String::from_utf8(started.stdout).unwrap();
        let pid = said.split_once("SSH_AGENT_PID=").unwrap().1.split(';').next().unwrap().to_owned();
        let agent = Agent { folder, pid };
        tool(
            "openssh-client",
            Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", agent.socket()),
        );
        agent
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = Command::new("ssh-agent").arg("-k").env("SSH_AGENT_PID", &self.pid).output();
    }
}

/// A home of GnuPG's with Ada's key in it, until it is dropped.
pub struct GpgHome(TempDir);

impl GpgHome {
    #[track_caller]
    pub fn new() -> Self {
        let home = GpgHome(tempfile::tempdir().unwrap());
        home.make(ADA, "");
        home
    }

    #[track_caller]
    pub fn make(&self, who: &str, passphrase: &str) {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.path()).args(["--batch", "--quiet", "--pinentry-mode", "loopback"]);
        command.args(["--passphrase", passphrase, "--quick-gen-key", who, "ed25519", "sign", "never"]);
        tool("gnupg", &mut command);
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Forgets every passphrase.
    pub fn forget(&self) {
        tool("gnupg", Command::new("gpgconf").args(["--kill", "gpg-agent"]).env("GNUPGHOME", self.path()));
    }

    /// Checks that git takes a commit's signature for Ada's.
    #[track_caller]
    pub fn verify(&self, repository: &Path, commit: &str) {
        let mut command = super::git::command(repository);
        command.args(["log", "-1", "--format=%G? %GS", commit]).env("GNUPGHOME", self.path());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("G {ADA}"));
    }
}

impl Drop for GpgHome {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.path()).output();
    }
}
