//! nginx, which speaks TLS in front of the git server.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::daemon::{Daemon, program};
use crate::support::repo::World;

pub struct Nginx {
    daemon: Daemon,
    _folder: TempDir,
}

impl Nginx {
    /// With this certificate and its key; `lines` is more configuration.
    #[track_caller]
    pub fn before(world: &World, (certificate, key): (&Path, &Path), lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) = (folder.path().join("nginx.conf"), program("nginx", "nginx-light"));
        let here = folder.path().display();
        let parts = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = parts.map(|part| format!("{part}_temp_path {here}/{part};\n")).concat();
        let (certificate, key, server) = (certificate.display(), key.display(), world.server_address());
        let daemon = Daemon::start("nginx-light", "using the", |port| {
            let text = format!(
                "daemon off;\nmaster_process off;\npid {here}/pid;\nerror_log stderr notice;\nevents {{}}\n\
                 http {{\naccess_log off;\n{temporary}server {{\nlisten 127.0.0.1:{port} ssl;\n\
                 ssl_certificate {certificate};\nssl_certificate_key {key};\n{lines}\n\
                 location / {{ proxy_pass http://{server}; }}\n}}\n}}\n"
            );
            std::fs::write(&file, text).unwrap();
            let mut command = Command::new(&program);
            command.arg("-p").arg(folder.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
            command
        });
        Nginx { daemon, _folder: folder }
    }

    /// The repository's URL, with user and password.
    pub fn url(&self, world: &World) -> String {
        let here = format!("127.0.0.1:{}", self.daemon.port);
        world.url_over(&here).replace("http://", "https://")
    }
}
