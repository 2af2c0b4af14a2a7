//! Ctrl-C and its like: nothing half done, nothing left behind.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while several things must happen together or not at all.
static TOGETHER: Mutex<()> = Mutex::new(());

/// A signal has come, and waits for what must happen together.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What is removed when the process is told to end.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What is called then: processes of ours are ended.
static CALLS: Mutex<Vec<(u64, Cleanup)>> = Mutex::new(Vec::new());

type Cleanup = Box<dyn Fn() + Send>;

/// Forgets the call when it is dropped.
pub struct CleanupGuard(u64);

/// Has something called when the process is told to end, while the answer lives.
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

/// Remembers a temporary file or folder, which its owner removes if all goes well.
pub fn remember(path: &Path) {
    lock(&TEMPORARY).push(path.to_owned());
}

/// Does something that a signal waits for.
pub fn together<T>(work: impl FnOnce() -> T) -> T {
    let held = lock(&TOGETHER);
    let done = work();
    drop(held);
    // the process ends in the signal's thread; going on here could end it first, as if there had been no signal
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
    done
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on SIGINT and SIGTERM end the process with 130 and 143, cleaned up.
#[cfg(unix)]
pub fn clean_up_on_signals() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // without a handler the process ends all the same, and leaves temporary files
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            ENDING.store(true, Ordering::SeqCst);
            let _held = lock(&TOGETHER);
            // held to the end: who waits for a process of ours must not take its end for an answer
            let calls = lock(&CALLS);
            for (_, call) in calls.iter() {
                call();
            }
            for path in lock(&TEMPORARY).drain(..) {
                let _ =
                    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            }
            std::process::exit(128 + signal);
        }
    });
}

#[cfg(not(unix))]
pub fn clean_up_on_signals() {}
