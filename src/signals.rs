//! Handles Ctrl-C and other signals, so that nothing is left half done and no temporary files are left behind; also
//! when a bug ends the process.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::mutex::lock;

/// Held while several steps must happen together or not at all.
static TOGETHER: Mutex<()> = Mutex::new(());

/// Set when a signal has arrived and waits for `TOGETHER`.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Files and folders to remove when a signal ends the process.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Functions to call when a signal ends the process, for example to end child processes.
static CALLS: Mutex<Vec<(u64, Cleanup)>> = Mutex::new(Vec::new());

type Cleanup = Box<dyn Fn() + Send>;

/// Unregisters the call when it is dropped.
pub struct CleanupGuard(u64);

/// Calls a function if a signal ends the process while the guard is alive.
pub fn at_signal(call: impl Fn() + Send + 'static) -> CleanupGuard {
    let mut calls = lock(&CALLS);
    let id = calls.last().map_or(0, |(id, _)| id + 1);
    calls.push((id, Box::new(call)));
    CleanupGuard(id)
}

impl Drop for CleanupGuard {
    fn drop(&mut self) {
        lock(&CALLS).retain(|(id, _)| *id != self.0);
    }
}

/// Registers a temporary file or folder for removal. Without a signal, its owner removes it.
pub fn remember(path: &Path) {
    lock(&TEMPORARY).push(path.to_owned());
}

/// Runs work that signals must not interrupt.
pub fn uninterrupted<T>(work: impl FnOnce() -> T) -> T {
    let held = lock(&TOGETHER);
    let done = work();
    drop(held);
    // the signal thread ends the process; if this thread went on, it could exit first, as if there had been no
    // signal
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
    done
}

/// Removes temporary files and ends child processes, unless another thread is doing so already. For a thread that
/// panicked, which may itself hold one of the locks.
pub fn clean_up_after_panic() {
    if let Ok(calls) = CALLS.try_lock() {
        calls.iter().for_each(|(_, call)| call());
    }
    if let Ok(mut temporary) = TEMPORARY.try_lock() {
        remove(&mut temporary);
    }
}

fn remove(temporary: &mut Vec<PathBuf>) {
    for path in temporary.drain(..) {
        let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
}

/// From now on, SIGINT and SIGTERM end the process with exit code 130 or 143, after the clean-up.
#[cfg(unix)]
pub fn clean_up_on_signals() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    // without a handler, signals still end the process, but leave temporary files behind
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    for signal in [SIGINT, SIGTERM] {
        // the handler sets it, because on a busy machine the thread below may only run when `uninterrupted` is over; if
        // this can't be set up, the thread does it
        let _ = flag::register(signal, &ENDING);
    }
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            ENDING.store(true, Ordering::SeqCst);
            let _held = lock(&TOGETHER);
            // keep this lock until the process exits: a thread that waits for a child process must not see it
            // end and go on
            let calls = lock(&CALLS);
            for (_, call) in calls.iter() {
                call();
            }
            remove(&mut lock(&TEMPORARY));
            std::process::exit(128 + signal);
        }
    });
}

#[cfg(not(unix))]
pub fn clean_up_on_signals() {}
