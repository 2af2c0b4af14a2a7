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

/// Set when a write would exceed the limit on the size of files. Nothing reads it: the write fails as well, and that is handled.
#[cfg(unix)]
static FILE_TOO_LARGE: AtomicBool = AtomicBool::new(false);

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

/// From now on, SIGINT, SIGTERM and SIGHUP end the process with exit code 130, 143 or 129, after the clean-up. A write beyond a
/// limit on the size of files fails, and doesn't end the process.
#[cfg(unix)]
pub fn clean_up_on_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    // without a handler, signals still end the process, but leave temporary files behind
    let _ = flag::register(SIGXFSZ, &FILE_TOO_LARGE);
    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    let ending: Vec<_> = [SIGINT, SIGTERM].into_iter().chain(hangup).collect();
    let Ok(mut signals) = Signals::new(&ending) else { return };
    for signal in ending {
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

/// Whether a signal was ignored when the process started, as SIGHUP is under `nohup`. Known on Linux only. (proc_pid_status(5), `SigIgn`)
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal - 1)) != 0
}

#[cfg(not(unix))]
pub fn clean_up_on_signals() {}
