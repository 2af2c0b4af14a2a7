//! A server's process on a port of this machine, until it is dropped.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

/// Another program can take the port first.
const TRIES: usize = 5;

pub struct Daemon {
    child: Child,
    pub port: u16,
    /// Reads what it prints until the end, and gives that.
    log: Option<JoinHandle<String>>,
}

impl Daemon {
    /// Starts what `command` gives for a port, and waits until it prints `ready`. It stays in the foreground.
    #[track_caller]
    pub fn start(package: &str, ready: &str, command: impl Fn(u16) -> Command) -> Self {
        let mut problems = Vec::new();
        for _ in 0..TRIES {
            let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            match Daemon::on(port, command(port), package, ready) {
                Ok(daemon) => return daemon,
                Err(said) => problems.push(said),
            }
        }
        panic!("{package} ended before it was ready:\n{}", problems.join("\n"));
    }

    fn on(port: u16, mut command: Command, package: &str, ready: &str) -> Result<Self, String> {
        let (out, log) = std::io::pipe().unwrap();
        let streams = (log.try_clone().unwrap(), log);
        let started = command.stdin(Stdio::null()).stdout(streams.0).stderr(streams.1).spawn();
        let name = command.get_program().to_string_lossy().into_owned();
        let child = started.unwrap_or_else(|e| panic!("{name}: {e}; install it, package {package}"));
        drop(command); // with its ends of the pipe
        let mut daemon = Daemon { child, port, log: None };
        let mut out = BufReader::new(out);
        let mut said = String::new();
        while !said.contains(ready) {
            if out.read_line(&mut said).unwrap() == 0 {
                daemon.child.wait().unwrap();
                return Err(said);
            }
        }
        daemon.log = Some(thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = out.read_to_end(&mut rest);
            said + &String::from_utf8_lossy(&rest)
        }));
        Ok(daemon)
    }

    /// Ends it. Gives all that it printed.
    pub fn stop(mut self) -> String {
        self.end();
        self.log.take().unwrap().join().unwrap()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
    }
}

/// A program's path. Those of administrators are in folders that are not in everyone's `PATH`.
#[track_caller]
pub fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed: package {package}"))
}
