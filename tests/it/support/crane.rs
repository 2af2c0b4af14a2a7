//! crane, the tool of go-containerregistry, which is also a registry. `.ci/crane` builds it.

use std::process::Command;

use tempfile::TempDir;

pub struct Crane {
    /// Holds the credentials.
    home: TempDir,
}

impl Crane {
    pub fn new() -> Self {
        Crane { home: tempfile::tempdir().unwrap() }
    }

    /// With the credentials of docker's `config.json`.
    pub fn with_credentials(config: &str) -> Self {
        let crane = Crane::new();
        std::fs::write(crane.home.path().join("config.json"), config).unwrap();
        crane
    }

    pub fn command(&self) -> Command {
        let program = std::env::var_os("TEST_CRANE");
        let mut command =
            Command::new(program.expect("TEST_CRANE names crane; .ci/crane builds it and sets it"));
        command.env_clear().env("HOME", self.home.path()).env("DOCKER_CONFIG", self.home.path());
        command
    }

    /// What it prints.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        let done = self.command().args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}
