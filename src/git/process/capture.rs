//! Captures a program's output in a separate thread.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::mutex::lock;

/// Captures the output on one of a program's pipes.
pub struct Capture {
    shared: Arc<(Mutex<CapturedOutput>, Condvar)>,
}

/// The output so far.
#[derive(Debug, Default)]
pub struct CapturedOutput {
    pub bytes: Vec<u8>,
    /// Whether the pipe has reached its end.
    pub complete: bool,
}

impl Capture {
    /// Starts reading. Keeps `limit` bytes and discards the rest, so that the program never blocks.
    pub fn start(mut from: impl Read + Send + 'static, limit: usize) -> Self {
        let shared = Arc::<(Mutex<CapturedOutput>, Condvar)>::default();
        let capture = Capture { shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            let (captured, changed) = &*shared;
            let mut buffer = [0; 8 * 1024];
            loop {
                let read = match from.read(&mut buffer) {
                    Ok(read) => read,
                    Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                    Err(_) => 0,
                };
                let mut captured = lock(captured);
                let room = limit.saturating_sub(captured.bytes.len());
                captured.bytes.extend_from_slice(&buffer[..read.min(room)]);
                if read == 0 {
                    captured.complete = true;
                    changed.notify_all();
                    return;
                }
            }
        });
        capture
    }

    /// Waits for the end of the pipe, but not beyond the deadline: a process that the program left behind may hold
    /// the pipe open.
    pub fn finish(self, deadline: Instant) -> CapturedOutput {
        let (captured, changed) = &*self.shared;
        let captured = lock(captured);
        let time = deadline.saturating_duration_since(Instant::now());
        let waited = changed.wait_timeout_while(captured, time, |captured| !captured.complete);
        let (mut captured, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let complete = captured.complete;
        CapturedOutput { bytes: std::mem::take(&mut captured.bytes), complete }
    }
}
