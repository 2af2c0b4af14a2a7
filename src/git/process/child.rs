//! A running program with a time limit. When the time is up, tagbump ends the program and everything that it started.

use std::io::{self, IsTerminal};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::mutex::lock;
use crate::signals::{self, CleanupGuard};

/// How long a program may take to clean up after SIGTERM; git removes its lock files then.
const CLEAN_UP: Duration = Duration::from_secs(2);

/// How often to check whether a program has ended, where it's not possible to wait for it.
const POLL: Duration = Duration::from_millis(2);

/// What happens to a program when the user interrupts tagbump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// It ends too. At a terminal it stays in tagbump's process group, because it may have to ask for a passphrase,
    /// and a background process can't read from the terminal.
    EndsIt,
    /// It continues: the caller must hold off signals (`signals::uninterrupted`) until it has ended.
    HeldOff,
}

/// The pipes connected to a program.
pub struct Pipes {
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildExit {
    Success,
    Failure,
    /// It exceeded its time limit.
    TimedOut,
}

/// A running program with a time limit.
pub struct TimedChild {
    shared: Arc<SharedChild>,
    watch: Option<JoinHandle<()>>,
    /// Ends the program when a signal ends tagbump.
    _interrupt: Option<CleanupGuard>,
}

struct SharedChild {
    state: Mutex<ChildState>,
    changed: Condvar,
}

struct ChildState {
    child: Child,
    /// Whether the program leads a process group of its own, which includes everything that it starts.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no process groups"))]
    has_group: bool,
    timed_out: bool,
    /// Whether it succeeded, once it has ended. After that, another process may have its ID.
    succeeded: Option<bool>,
}

impl TimedChild {
    /// Starts a program that may run for `time`.
    ///
    /// # Errors
    /// Fails if it can't be started.
    pub fn start(
        mut command: Command,
        time: Duration,
        interruption: Interruption,
    ) -> io::Result<(Pipes, Self)> {
        let has_group = interruption == Interruption::HeldOff || !is_at_terminal();
        #[cfg(unix)]
        if has_group {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let mut spawn = || TimedChild::spawn(&mut command, time, has_group);
        match interruption {
            Interruption::HeldOff => spawn(),
            // a signal between start and registration would leave the program running
            Interruption::EndsIt => signals::uninterrupted(|| {
                let (pipes, mut child) = spawn()?;
                let shared = Arc::clone(&child.shared);
                child._interrupt = Some(signals::at_signal(move || shared.state().end(Signal::Kill)));
                Ok((pipes, child))
            }),
        }
    }

    fn spawn(command: &mut Command, time: Duration, has_group: bool) -> io::Result<(Pipes, Self)> {
        let mut child = command.spawn()?;
        let pipes =
            Pipes { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() };
        let state = ChildState { child, has_group, timed_out: false, succeeded: None };
        let shared = Arc::new(SharedChild { state: Mutex::new(state), changed: Condvar::new() });
        let watched = Arc::clone(&shared);
        let watch = std::thread::spawn(move || watched.end_after(time));
        Ok((pipes, TimedChild { shared, watch: Some(watch), _interrupt: None }))
    }

    /// Waits until the program has ended, by itself or at its time limit.
    pub fn wait(mut self) -> ChildExit {
        self.join()
    }

    /// Whether the program has ended.
    pub fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }

    /// Lets the program end by itself until the deadline, then kills it.
    pub fn end_by(self, deadline: Instant) {
        while !self.has_ended() {
            if Instant::now() >= deadline {
                self.shared.state().end(Signal::Kill);
            }
            std::thread::sleep(POLL);
        }
    }

    fn join(&mut self) -> ChildExit {
        let id = self.shared.state().child.id();
        while !self.shared.has_ended() {
            wait_for_end(id);
        }
        if let Some(watch) = self.watch.take() {
            // the thread returns nothing
            let _ = watch.join();
        }
        let state = self.shared.state();
        match state.succeeded {
            _ if state.timed_out => ChildExit::TimedOut,
            Some(true) => ChildExit::Success,
            _ => ChildExit::Failure,
        }
    }
}

impl Drop for TimedChild {
    fn drop(&mut self) {
        if self.watch.is_some() {
            self.join();
        }
    }
}

impl SharedChild {
    fn state(&self) -> MutexGuard<'_, ChildState> {
        lock(&self.state)
    }

    fn has_ended(&self) -> bool {
        let mut state = self.state();
        if state.succeeded.is_none() {
            state.succeeded = match state.child.try_wait() {
                Ok(status) => status.map(|status| status.success()),
                Err(_) => Some(false),
            };
            if state.succeeded.is_some() {
                self.changed.notify_all();
            }
        }
        state.succeeded.is_some()
    }

    /// Ends the program when its time is up: first with SIGTERM, then with SIGKILL.
    fn end_after(&self, time: Duration) {
        for (time, signal) in [(time, Signal::Terminate), (CLEAN_UP, Signal::Kill)] {
            let running = |state: &mut ChildState| state.succeeded.is_none();
            let waited = self.changed.wait_timeout_while(self.state(), time, running);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.succeeded.is_some() {
                return;
            }
            state.timed_out = true;
            state.end(signal);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Terminate,
    Kill,
}

impl ChildState {
    /// Ends the program and its group, if it is still running. Processes that a finished program left behind keep
    /// running: they may be meant to, like gpg-agent.
    #[cfg(unix)]
    fn end(&mut self, signal: Signal) {
        use rustix::process::{self, Pid};
        let signal = match signal {
            Signal::Terminate => process::Signal::TERM,
            Signal::Kill => process::Signal::KILL,
        };
        let id = Pid::from_raw(self.child.id().cast_signed()).filter(|_| self.succeeded.is_none());
        if let Some(id) = id {
            // it may have ended in the meantime
            let _ = match self.has_group {
                true => process::kill_process_group(id, signal),
                false => process::kill_process(id, signal),
            };
        }
    }

    #[cfg(not(unix))]
    fn end(&mut self, _: Signal) {
        let _ = self.child.kill();
    }
}

/// Waits until a program has ended, or for a moment. Its ID stays in use until [`SharedChild::has_ended`] takes its exit
/// status under the lock, so no other process can get a signal that was meant for it. std can't wait like this.
#[cfg(unix)]
fn wait_for_end(id: u32) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let Some(id) = Pid::from_raw(id.cast_signed()) else { return };
    if waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).is_err() {
        std::thread::sleep(POLL);
    }
}

#[cfg(not(unix))]
fn wait_for_end(_: u32) {
    std::thread::sleep(POLL);
}

/// Whether we run at a terminal, where a program may need to ask something.
fn is_at_terminal() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}
