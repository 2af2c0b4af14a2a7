//! OpenSSH's sshd on loopback. It runs as the user who runs the tests, and lets that user in.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::daemon::{Daemon, program};
use crate::support::keys::public;

pub struct Sshd {
    daemon: Daemon,
    folder: TempDir,
    pub user: String,
}

impl Sshd {
    /// With a host key of its own, and nobody's key yet.
    #[track_caller]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        keygen(&folder.path().join("host"), "");
        let program = program("sshd", "openssh-server");
        let (here, file) = (folder.path().display(), folder.path().join("sshd_config"));
        let daemon = Daemon::start("openssh-server", "Server listening", |port| {
            let text = format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {here}/host\nPidFile none\nUsePAM no\n\
                 StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 PermitRootLogin prohibit-password\nAuthorizedKeysFile {here}/authorized_keys\n"
            );
            std::fs::write(&file, text).unwrap();
            let mut command = Command::new(&program);
            command.args(["-D", "-e", "-f"]).arg(&file);
            command
        });
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap().trim().to_owned();
        Sshd { daemon, folder, user }
    }

    /// A new key. It isn't let in yet.
    #[track_caller]
    pub fn key(&self, name: &str, passphrase: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        keygen(&path, passphrase);
        path
    }

    /// Lets a key in; `options` as in `authorized_keys`.
    pub fn allow(&self, key: &Path, options: &str) {
        std::fs::write(self.folder.path().join("authorized_keys"), format!("{options}{}\n", public(key)))
            .unwrap();
    }

    /// A file of `known_hosts` with this host's key, or with the one in `key`.
    pub fn known_hosts(&self, key: Option<&Path>) -> PathBuf {
        let key = public(key.unwrap_or(&self.folder.path().join("host")));
        let path = self.folder.path().join("known_hosts");
        std::fs::write(&path, format!("[127.0.0.1]:{} {key}\n", self.daemon.port)).unwrap();
        path
    }

    /// A configuration of ssh with these lines, and nothing of the machine's.
    pub fn client(&self, lines: &[String]) -> String {
        let path = self.folder.path().join("ssh_config");
        let text = format!("IdentitiesOnly yes\n{}\n", lines.join("\n"));
        std::fs::write(&path, text).unwrap();
        format!("ssh -F {}", path.display())
    }

    pub fn url(&self, repository: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.daemon.port, repository.display())
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.daemon.port)
    }

    /// Ends it. Gives what it printed, and its folder, which has the client's files.
    pub fn stop(self) -> (String, TempDir) {
        (self.daemon.stop(), self.folder)
    }
}

#[track_caller]
fn keygen(path: &Path, passphrase: &str) {
    let mut command = Command::new("ssh-keygen");
    let made = command.args(["-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f"]).arg(path).status();
    assert!(made.expect("ssh-keygen starts: package openssh-client").success());
}
