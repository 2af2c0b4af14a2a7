//! tinyproxy: forwards plain http, and opens tunnels to port 443 only.

use std::process::Command;

use tempfile::TempDir;

use crate::support::daemon::{Daemon, program};

pub struct TinyProxy {
    pub daemon: Daemon,
    _folder: TempDir,
}

impl TinyProxy {
    /// With more lines of configuration.
    #[track_caller]
    pub fn with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tinyproxy.conf");
        let program = program("tinyproxy", "tinyproxy");
        let daemon = Daemon::start("tinyproxy", "Accepting connections", |port| {
            let text =
                format!("Port {port}\nListen 127.0.0.1\nLogLevel Info\nMaxClients 20\nConnectPort 443\n");
            std::fs::write(&file, format!("{text}{lines}")).unwrap();
            let mut command = Command::new(&program);
            command.arg("-d").arg("-c").arg(&file);
            command
        });
        TinyProxy { daemon, _folder: folder }
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.daemon.port)
    }
}
