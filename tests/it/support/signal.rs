//! Signals for processes.

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// Sends a signal to a process that was not waited for yet.
#[track_caller]
pub fn send(signal: Signal, id: u32) {
    let pid = Pid::from_raw(id.try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
