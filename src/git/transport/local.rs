//! Repositories on this machine, through `git upload-pack` and `git receive-pack`, as git itself does it:
//! with their compare-and-swap, and with hooks.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use git2::transport::{Service, SmartSubtransportStream};

use super::{Endpoint, Fault, program};
use crate::error::Failure;
use crate::git::process::{self, Watched};

/// How much of git's own words is kept.
const MAX_WORDS: u64 = 64 * 1024;

pub struct LocalServer {
    path: PathBuf,
}

impl LocalServer {
    pub fn new(path: PathBuf) -> Self {
        LocalServer { path }
    }

    pub(super) fn open(
        &self,
        endpoint: &Arc<Endpoint>,
        service: Service,
    ) -> std::io::Result<Box<dyn SmartSubtransportStream>> {
        let stream = Pipe::start(&self.path, program(service), Arc::clone(endpoint));
        stream.map(|pipe| Box::new(pipe) as _).map_err(|e| {
            let failure = if e.kind() == std::io::ErrorKind::NotFound {
                Failure::other("git was not found, and a repository on this machine needs it")
                    .hinted("install git, or use an https remote")
            } else {
                Failure::other(format!("git can't be started: {e}"))
            };
            endpoint.stop(Fault::Final(failure))
        })
    }
}

/// A running git, with its ends.
struct Pipe {
    /// Ends git when the time is up.
    _watched: Watched,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    words: Option<JoinHandle<String>>,
    path: PathBuf,
    endpoint: Arc<Endpoint>,
}

impl Pipe {
    fn start(path: &Path, program: &str, endpoint: Arc<Endpoint>) -> std::io::Result<Self> {
        let mut child = process::git(None)
            .arg(program)
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || std::io::Error::other("a pipe is missing");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let watched = Watched::new(child, endpoint.time_left());
        let words = std::thread::spawn(move || {
            let mut kept = Vec::new();
            // what can't be read is not told
            let mut limited = stderr.take(MAX_WORDS);
            let _ = limited.read_to_end(&mut kept);
            let _ = std::io::copy(&mut limited.into_inner(), &mut std::io::sink());
            String::from_utf8_lossy(&kept).trim().to_owned()
        });
        Ok(Pipe { _watched: watched, stdin, stdout, words: Some(words), path: path.to_owned(), endpoint })
    }

    /// The end came too early: what git said is the reason.
    fn broken(&mut self, why: &str) -> std::io::Error {
        if self.endpoint.time_left().is_zero() {
            return self.endpoint.stop(Fault::TimedOut);
        }
        let words = self.words.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let place = self.path.display();
        let fault = if words.contains("does not appear to be a git repository") {
            Fault::Final(
                Failure::usage(format!("{place} is no git repository")).hinted("mend the remote's path"),
            )
        } else if words.contains("dubious ownership") {
            Fault::Final(
                Failure::other(format!("{place}: the repository belongs to somebody else"))
                    .hinted(format!("if that is right: git config --global --add safe.directory {place}")),
            )
        } else if words.is_empty() {
            Fault::Broken(format!("{place}: {why}"))
        } else {
            Fault::Broken(format!("{place}: {why}: {words}"))
        };
        self.endpoint.stop(fault)
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.stdout.read(buffer) {
            Ok(0) => {
                self.stdin.take();
                Err(self.broken("git ended early"))
            }
            Ok(n) => Ok(n),
            Err(e) => Err(self.broken(&e.to_string())),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = match &mut self.stdin {
            Some(stdin) => stdin.write(bytes),
            None => Err(std::io::Error::other("git ended")),
        };
        written.map_err(|e| self.broken(&e.to_string()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Pipe {
    /// git ends when its input does; waiting keeps it from staying behind.
    fn drop(&mut self) {
        self.stdin.take();
        let _ = std::io::copy(&mut self.stdout, &mut std::io::sink());
    }
}
