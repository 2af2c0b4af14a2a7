//! A running program that speaks git's protocol: `git upload-pack` and `git receive-pack` on this machine, or ssh,
//! which runs them on another.
//!
//! No wait here exceeds the time limit, or lasts much longer than the program: ssh may leave a process behind that
//! holds its pipes open (`ControlPersist`), and so may a hook.

use std::io::{ErrorKind, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use git2::transport::Service;

use super::quiet::without_progress;
use super::{Endpoint, TransportError};
use crate::git::answers::limits::{PUSH_ANSWER_BYTES, TEXT_BYTES};
use crate::git::answers::{FetchMeter, server_text};
use crate::git::process::{Capture, Interruption, TimedChild};

/// How many bytes of the program's error output are kept; the extra byte shows that the text continues.
const MAX_WORDS: usize = TEXT_BYTES + 1;

/// How much is read at once, and how many chunks may be queued.
const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 8;

/// How often to check whether the program has ended while it prints nothing.
const LOOK: Duration = Duration::from_millis(20);

/// How long to keep reading the pipes of a program that has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long a program may take to end after the conversation.
const GOODBYE: Duration = Duration::from_secs(5);

/// How much of an answer is read after the conversation. A program that prints more is killed.
const MAX_REST: usize = PUSH_ANSWER_BYTES as usize;

/// Turns the error output of a program that ended early into an error; `None` if it isn't recognised.
pub type ExitClassifier = Box<dyn Fn(&str) -> Option<TransportError> + Send>;

/// A program and its pipes.
pub struct Pipe {
    /// `None` only while dropping.
    child: Option<TimedChild>,
    stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    /// The last chunk received; the first `used` bytes of it were read.
    chunk: Vec<u8>,
    used: usize,
    /// `None` in a push, whose answers are limited where they are parsed.
    meter: Option<FetchMeter>,
    output: Option<Capture>,
    meaning: ExitClassifier,
    endpoint: Arc<Endpoint>,
}

impl Pipe {
    /// Starts the program.
    ///
    /// # Errors
    /// Fails if it can't be started.
    pub fn start(
        mut command: Command,
        service: Service,
        meaning: ExitClassifier,
        endpoint: &Arc<Endpoint>,
    ) -> std::io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (pipes, child) = TimedChild::start(command, endpoint.time_left(), Interruption::EndsIt)?;
        let missing = || std::io::Error::other("a pipe is missing");
        let stdout = pipes.stdout.ok_or_else(missing)?;
        let stderr = pipes.stderr.ok_or_else(missing)?;
        let meter = match service {
            Service::UploadPackLs | Service::UploadPack => Some(FetchMeter::of_both()),
            Service::ReceivePackLs | Service::ReceivePack => None,
        };
        Ok(Pipe {
            child: Some(child),
            stdin: pipes.stdin,
            stdout: chunks(stdout),
            chunk: Vec::new(),
            used: 0,
            meter,
            output: Some(Capture::start(stderr, MAX_WORDS)),
            meaning,
            endpoint: Arc::clone(endpoint),
        })
    }

    /// The program's next output; `None` at its end, or when the time is up.
    fn next_chunk(&self) -> Option<Vec<u8>> {
        let mut last = None;
        loop {
            match self.stdout.recv_timeout(LOOK) {
                Ok(chunk) => return Some(chunk),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if self.endpoint.time_left().is_zero() => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.child.as_ref().is_none_or(TimedChild::has_ended)
                && Instant::now() >= *last.get_or_insert(Instant::now() + LAST_WORDS)
            {
                return None;
            }
        }
    }

    /// The error for an early end. The program's error output gives the reason.
    fn broken(&mut self, why: &str) -> std::io::Error {
        self.stdin.take();
        if self.endpoint.time_left().is_zero() {
            return self.endpoint.stop(TransportError::TimedOut);
        }
        let output = self.output.take().map(|output| output.finish(Instant::now() + LAST_WORDS));
        let output = output.map(|output| server_text(&output.bytes));
        let output = output.unwrap_or_default();
        let error = (self.meaning)(&output).unwrap_or_else(|| match output.as_str() {
            "" => TransportError::Broken(why.to_owned()),
            output => TransportError::Broken(format!("{why}: {output}")),
        });
        self.endpoint.stop(error)
    }
}

/// Reads in a thread: a blocking read can't be interrupted, but waiting for a message can.
fn chunks(mut from: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(CHUNKS);
    std::thread::spawn(move || {
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(read) => read,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            if read == 0 || sender.send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.used == self.chunk.len() {
            let next = self.next_chunk().ok_or_else(|| self.broken("the other side ended early"))?;
            (self.chunk, self.used) = (next, 0);
        }
        let read = (&self.chunk[self.used..]).read(buffer)?;
        self.used += read;
        if let Some(meter) = &mut self.meter {
            meter.count(&buffer[..read]).map_err(|e| self.endpoint.refuse(e))?;
        }
        Ok(read)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let meter = self.meter.as_ref().filter(|meter| meter.offers_no_progress());
        let written = match (&mut self.stdin, meter.and_then(|_| without_progress(bytes))) {
            (Some(stdin), Some(request)) => stdin.write_all(&request).map(|()| bytes.len()),
            (Some(stdin), None) => stdin.write(bytes),
            (None, _) => Err(std::io::Error::other("it ended")),
        };
        written.map_err(|e| self.broken(&e.to_string()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Pipe {
    /// The program ends when its input does. Wait for it, so that it isn't left running, and read, so that it doesn't
    /// block.
    fn drop(&mut self) {
        self.stdin.take();
        let Some(child) = self.child.take() else { return };
        let deadline = Instant::now() + GOODBYE;
        let mut rest = MAX_REST;
        while !child.has_ended() && Instant::now() < deadline {
            match self.stdout.recv_timeout(LOOK) {
                Ok(chunk) if chunk.len() > rest => return child.end_by(Instant::now()),
                Ok(chunk) => rest -= chunk.len(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        child.end_by(deadline);
    }
}
