//! A program that is ended when its time is up, with all that it has started.

use std::io::{self, IsTerminal};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::interrupt::{self, AtSignal};

/// How long a program may take to clean up behind it once it was asked to end; git removes its lock files then.
const CLEAN_UP: Duration = Duration::from_secs(2);

/// How often to look whether a program has ended: polling is what std offers for one that another thread may end.
const POLL: Duration = Duration::from_millis(2);

/// What becomes of a program when the user interrupts us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// It ends as well. At a terminal it stays in our process group: it may have to ask for a passphrase there, and
    /// a process in the background can't read.
    EndsIt,
    /// It goes on: the caller holds signals off (`interrupt::together`) until it has ended.
    HeldOff,
}

/// The ends of a program's pipes.
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
    /// It took longer than it may.
    TimedOut,
}

/// A running program with a time limit.
pub struct TimedChild {
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
    /// Ends it when we are ended.
    _interrupt: Option<AtSignal>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    child: Child,
    /// Whether it leads a process group, which all that it starts belongs to.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no process groups"))]
    has_group: bool,
    timed_out: bool,
    /// Whether it succeeded, once it has ended. From then on its number may be another process's.
    succeeded: Option<bool>,
}

impl TimedChild {
    /// Starts a program.
    ///
    /// # Errors
    /// Where it can't be started.
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
            // a signal in between would leave it behind
            Interruption::EndsIt => interrupt::together(|| {
                let (pipes, mut child) = spawn()?;
                let shared = Arc::clone(&child.shared);
                child._interrupt = Some(interrupt::at_signal(move || shared.state().end(Signal::Kill)));
                Ok((pipes, child))
            }),
        }
    }

    fn spawn(command: &mut Command, time: Duration, has_group: bool) -> io::Result<(Pipes, Self)> {
        let mut child = command.spawn()?;
        let pipes =
            Pipes { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() };
        let state = State { child, has_group, timed_out: false, succeeded: None };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let watched = Arc::clone(&shared);
        let watch = std::thread::spawn(move || watched.end_after(time));
        Ok((pipes, TimedChild { shared, watch: Some(watch), _interrupt: None }))
    }

    /// Waits for the end, which comes within the time limit.
    pub fn wait(mut self) -> ChildExit {
        self.join()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }

    /// Gives it until the deadline to end by itself, then ends it.
    pub fn end_by(self, deadline: Instant) {
        while !self.has_ended() {
            if Instant::now() >= deadline {
                self.shared.state().end(Signal::Kill);
            }
            std::thread::sleep(POLL);
        }
    }

    fn join(&mut self) -> ChildExit {
        while !self.shared.has_ended() {
            std::thread::sleep(POLL);
        }
        if let Some(watch) = self.watch.take() {
            // it has no result
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

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Ends the program when its time is up: with a word first, then by force.
    fn end_after(&self, time: Duration) {
        for (time, signal) in [(time, Signal::Terminate), (CLEAN_UP, Signal::Kill)] {
            let running = |state: &mut State| state.succeeded.is_none();
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

impl State {
    /// Ends what still runs. Processes that an ended program left behind are let be: they may be meant to stay, as
    /// an agent is.
    #[cfg(unix)]
    fn end(&mut self, signal: Signal) {
        use rustix::process::{self, Pid};
        let signal = match signal {
            Signal::Terminate => process::Signal::TERM,
            Signal::Kill => process::Signal::KILL,
        };
        let id = Pid::from_raw(self.child.id().cast_signed()).filter(|_| self.succeeded.is_none());
        if let Some(id) = id {
            // one that has ended in between needs no ending
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

/// Whether a program may have to ask something at the terminal that we run at.
fn is_at_terminal() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}
