//! Gitea with a database of its own, on a port of this machine, until the last test that uses it ends.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use tagbump::mutex::lock;
use tempfile::TempDir;

use super::client::Client;
use crate::support::daemon::Daemon;

pub const PASSWORD: &str = "correct-horse-battery";
const ADMIN: &str = "keeper";

/// A running Gitea.
pub struct Server {
    daemon: Daemon,
    /// The administrator's.
    admin: String,
    _folder: TempDir,
}

static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());

impl Server {
    /// The server of the tests that run at the moment; the first of them starts it.
    pub fn shared() -> Arc<Self> {
        let mut running = lock(&RUNNING);
        running.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start());
            *running = Arc::downgrade(&server);
            server
        })
    }

    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("app.ini");
        let gitea = |port: u16, arguments: &[&str]| {
            std::fs::write(&config, settings(folder.path(), port)).unwrap();
            let mut command = Command::new(given().join("gitea"));
            command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
            command.env("HOME", folder.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("USER", user());
            // each push starts it three times more, for git's hooks; to collect garbage would only take time
            command.env("GOGC", "off").env("GOMEMLIMIT", "1GiB");
            command.arg("--config").arg(&config).args(arguments);
            command
        };
        finished(&mut gitea(1, &["migrate"]));
        let account = ["--username", ADMIN, "--password", PASSWORD, "--email", "keeper@example.com"];
        let token = ["--admin", "--access-token", "--access-token-name", "t", "--access-token-scopes", "all"];
        let created =
            finished(&mut gitea(1, &[&["admin", "user", "create"], &account[..], &token[..]].concat()));
        let admin = created.split_whitespace().find(|word| word.len() == 40).map(str::to_owned);
        let admin = admin.unwrap_or_else(|| panic!("no token in:\n{created}"));
        let daemon =
            Daemon::start(".ci/forge builds it", "Starting new Web server", |port| gitea(port, &["web"]));
        let server = Server { daemon, admin, _folder: folder };
        server.admin().until_it_answers("/version");
        server
    }

    /// Without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.daemon.port)
    }

    pub fn admin(&self) -> Client {
        Client::new(&self.url(), &format!("token {}", self.admin))
    }
}

/// The folder with Gitea and the files that it reads.
fn given() -> PathBuf {
    let folder = std::env::var_os("TEST_FORGE");
    PathBuf::from(folder.expect("TEST_FORGE names the folder with Gitea; .ci/forge makes one and sets it"))
}

fn user() -> String {
    finished(Command::new("id").arg("-un")).trim().to_owned()
}

#[track_caller]
fn finished(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}\n{printed}");
    printed
}

/// What isn't needed here is off: indexes, mail, jobs, avatars of other servers. Passwords are hashed quickly.
fn settings(folder: &Path, port: u16) -> String {
    let (folder, files) = (folder.display(), given().join("static"));
    let files = files.display();
    format!(
        "WORK_PATH = {folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
RUN_USER = {user}
RUN_MODE = prod

[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {files}
DISABLE_SSH = true
OFFLINE_MODE = true

[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
SQLITE_JOURNAL_MODE = WAL
SQLITE_TIMEOUT = 20000

[security]
INSTALL_LOCK = true
SECRET_KEY = for-tests-only
PASSWORD_HASH_ALGO = pbkdf2$1$50

[indexer]
ISSUE_INDEXER_TYPE = db

[cron]
ENABLED = false

[api]
MAX_RESPONSE_ITEMS = 5

[actions]
ENABLED = false

[packages]
ENABLED = true

[log]
MODE = console
LEVEL = Info
",
        user = user()
    )
}
