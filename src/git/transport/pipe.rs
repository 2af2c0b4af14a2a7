//! A running program that speaks git's protocol: `git upload-pack` and `git receive-pack` here, or ssh, which
//! runs them elsewhere.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use git2::transport::Service;

use super::{Endpoint, Fault};
use crate::git::answers::limits::{PUSH_ANSWER_BYTES, TEXT_BYTES};
use crate::git::answers::{FetchMeter, server_text};
use crate::git::process::Watched;

/// How much of the program's own words is kept; one byte more shows that the text goes on.
const MAX_WORDS: u64 = TEXT_BYTES as u64 + 1;

/// How much of an answer that nobody reads any more is waited for.
const MAX_REST: u64 = PUSH_ANSWER_BYTES;

/// What the words of a program that ended early mean; empty where it said nothing.
pub type Meaning = Box<dyn Fn(&str) -> Option<Fault> + Send>;

/// A program, with its ends.
pub struct Pipe {
    /// Ends it when the time is up.
    _watched: Watched,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    /// Nothing in a push, whose answers are bounded where they are read.
    meter: Option<FetchMeter>,
    words: Option<JoinHandle<String>>,
    meaning: Meaning,
    endpoint: Arc<Endpoint>,
}

impl Pipe {
    /// # Errors
    /// Where the program can't be started.
    pub fn start(
        mut command: Command,
        service: Service,
        meaning: Meaning,
        endpoint: &Arc<Endpoint>,
    ) -> std::io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (ends, watched) = Watched::start(command, endpoint.time_left())?;
        let missing = || std::io::Error::other("a pipe is missing");
        let stdout = ends.stdout.ok_or_else(missing)?;
        let stderr = ends.stderr.ok_or_else(missing)?;
        let words = std::thread::spawn(move || {
            let mut kept = Vec::new();
            // what can't be read is not told
            let mut limited = stderr.take(MAX_WORDS);
            let _ = limited.read_to_end(&mut kept);
            let _ = std::io::copy(&mut limited.into_inner(), &mut std::io::sink());
            server_text(&kept)
        });
        let endpoint = Arc::clone(endpoint);
        let meter = match service {
            Service::UploadPackLs | Service::UploadPack => Some(FetchMeter::of_both()),
            Service::ReceivePackLs | Service::ReceivePack => None,
        };
        let (stdin, stdout, words) = (ends.stdin, Some(stdout), Some(words));
        Ok(Pipe { _watched: watched, stdin, stdout, meter, words, meaning, endpoint })
    }

    /// The end came too early: what the program said is the reason.
    fn broken(&mut self, why: &str) -> std::io::Error {
        self.stdin.take();
        if self.endpoint.time_left().is_zero() {
            return self.endpoint.stop(Fault::TimedOut);
        }
        let words = self.words.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let fault = (self.meaning)(&words).unwrap_or_else(|| match words.as_str() {
            "" => Fault::Broken(why.to_owned()),
            words => Fault::Broken(format!("{why}: {words}")),
        });
        self.endpoint.stop(fault)
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = match self.stdout.as_mut().map_or(Ok(0), |stdout| stdout.read(buffer)) {
            Ok(0) => return Err(self.broken("the other side ended early")),
            Ok(count) => count,
            Err(e) => return Err(self.broken(&e.to_string())),
        };
        if let Some(meter) = &mut self.meter {
            meter.count(&buffer[..count]).map_err(|e| self.endpoint.refuse(e))?;
        }
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = match &mut self.stdin {
            Some(stdin) => stdin.write(bytes),
            None => Err(std::io::Error::other("it ended")),
        };
        written.map_err(|e| self.broken(&e.to_string()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Pipe {
    /// It ends when its input does, and waiting keeps it from staying behind. One that goes on and on is ended by
    /// closing its output too.
    fn drop(&mut self) {
        self.stdin.take();
        if let Some(stdout) = self.stdout.take() {
            let _ = std::io::copy(&mut stdout.take(MAX_REST), &mut std::io::sink());
        }
    }
}
