//! Certificates and keys as people make them with OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The files that it makes.
pub struct OpenSsl(TempDir);

impl OpenSsl {
    pub fn new() -> Self {
        OpenSsl(tempfile::tempdir().unwrap())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs openssl in the folder.
    #[track_caller]
    pub fn run(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.0.path())
            .output()
            .unwrap_or_else(|e| panic!("openssl: {e}; install it, package openssl"));
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The certificate that the manual of many servers tells to make: `server.pem` with `server.key`, for 127.0.0.1.
    #[track_caller]
    pub fn self_signed(&self) -> (PathBuf, PathBuf) {
        self.run(
            "req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -days 2 -subj /CN=git.example \
             -addext subjectAltName=IP:127.0.0.1",
        );
        (self.file("server.pem"), self.file("server.key"))
    }

    /// An authority for clients, `ca.pem`.
    #[track_caller]
    pub fn client_authority(&self) -> PathBuf {
        self.run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=clients");
        self.file("ca.pem")
    }

    /// A certificate of the authority for this key.
    #[track_caller]
    pub fn client(&self, key: &Path) -> PathBuf {
        let key = key.file_name().unwrap().to_str().unwrap();
        self.run(&format!("req -new -key {key} -passin pass:secret -out {key}.csr -subj /CN=deployer"));
        self.run(&format!(
            "x509 -req -in {key}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {key}.pem -days 2 -extfile /dev/null"
        ));
        self.file(&format!("{key}.pem"))
    }
}
