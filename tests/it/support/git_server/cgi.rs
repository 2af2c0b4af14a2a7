//! Hands one request to `git http-backend`, as a web server's CGI would.

use super::http::{Headers, Request, Response};
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

/// Repositories of any owner are served, and no housekeeping outlives a push.
const SETTINGS: [(&str, &str); 10] = [
    ("GATEWAY_INTERFACE", "CGI/1.1"),
    ("REMOTE_ADDR", "127.0.0.1"),
    ("GIT_HTTP_EXPORT_ALL", "1"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("LC_ALL", "C"),
    ("GIT_CONFIG_COUNT", "2"),
    ("GIT_CONFIG_KEY_0", "safe.directory"),
    ("GIT_CONFIG_VALUE_0", "*"),
    ("GIT_CONFIG_KEY_1", "receive.autogc"),
    ("GIT_CONFIG_VALUE_1", "false"),
];

pub struct Backend {
    program: PathBuf,
    root: PathBuf,
}

/// Where git's own programs are.
fn exec_path() -> &'static Path {
    static EXEC_PATH: OnceLock<PathBuf> = OnceLock::new();
    EXEC_PATH.get_or_init(|| {
        let output = Command::new("git").arg("--exec-path").output().expect("git starts");
        let path = String::from_utf8(output.stdout).expect("git's exec path is UTF-8");
        PathBuf::from(path.trim_end())
    })
}

impl Backend {
    pub fn new(root: &Path) -> Self {
        Self {
            program: exec_path().join("git-http-backend"),
            root: root.canonicalize().expect("the served folder exists"),
        }
    }

    /// Runs the backend to its end. Its stderr goes to the test's captured output.
    pub fn run(&self, request: &Request, user: Option<&str>) -> Response {
        let mut child = self.command(request, user).spawn().expect("git http-backend starts");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let output = thread::scope(|scope| {
            // A backend that refuses the request leaves its body unread: not an error here.
            scope.spawn(move || stdin.write_all(&request.body));
            child.wait_with_output().expect("git http-backend ends")
        });
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        parse(&output.stdout)
    }

    fn command(&self, request: &Request, user: Option<&str>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.root)
            .env("GIT_PROJECT_ROOT", &self.root)
            .envs(SETTINGS)
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", &request.path)
            .env("QUERY_STRING", &request.query)
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .envs(user.map(|user| ("REMOTE_USER", user)))
            .envs(request.header("Content-Type").map(|v| ("CONTENT_TYPE", v)))
            .envs(request.header("Content-Encoding").map(|v| ("HTTP_CONTENT_ENCODING", v)))
            .envs(request.header("Git-Protocol").map(|v| ("GIT_PROTOCOL", v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn parse(output: &[u8]) -> Response {
    let Some(end) = output.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Response::empty(500, Headers::new());
    };
    let mut response = Response { body: output[end + 4..].to_vec(), ..Response::empty(200, vec![]) };
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").expect("a CGI header");
        match name {
            "Status" => response.status = value[..3].parse().expect("a CGI status"),
            "Content-Length" => {} // sent for every response anyway
            _ => response.headers.push((name.to_owned(), value.to_owned())),
        }
    }
    response
}
