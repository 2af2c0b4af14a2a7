//! Runs git, where libgit2 can't do what git does, and the programs that git would run.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::interrupt::{self, AtSignal};

/// How much of what a program says is kept.
const MAX_SAID: u64 = 1024 * 1024;

/// How long the pipes of a program that has ended are read: what it started may hold them open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Variables that would point git at another repository than the one it is told to work on, or make it speak
/// another protocol than libgit2 does (most of `git rev-parse --local-env-vars`, and `GIT_PROTOCOL`).
const LOCAL_VARIABLES: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_PROTOCOL",
];

/// A git command that asks nobody at a terminal, and takes no bare repository that it was not pointed at.
pub fn git(folder: Option<&Path>) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "safe.bareRepository=explicit"]).env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    away_from_here(&mut command);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command
}

/// Takes what points at a repository here, and our own token, out of a command's environment, and has it speak
/// English.
pub fn away_from_here(command: &mut Command) {
    for name in LOCAL_VARIABLES {
        command.env_remove(name);
    }
    command.env_remove("TAGBUMP_TOKEN");
    command.env("LC_ALL", "C");
}

/// What a command answers to a question; nothing where it can't be started, fails, or takes too long.
pub fn answer(mut command: Command, question: &str, time: Duration) -> Option<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let watched = Watched::new(child, time);
    // who does not listen does not answer either
    let _ = stdin?.write_all(question.as_bytes());
    let mut answer = String::new();
    let read = stdout?.read_to_string(&mut answer);
    (watched.end() && read.is_ok()).then_some(answer)
}

/// What a command prints; else its last words, or why there are none. The terminal's Ctrl-C is not for it: who
/// runs it decides when to stop.
pub fn output(mut command: Command, time: Duration) -> Result<String, String> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|_| "git was not found".to_owned())?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let watched = Watched::new(child, time);
    let words = std::thread::spawn(move || text(stderr));
    let printed = text(stdout);
    let words = words.join().unwrap_or_default();
    match (watched.end(), words.trim()) {
        (true, _) => Ok(printed),
        (false, "") => Err("failed without a word, or took too long".to_owned()),
        (false, words) => Err(words.to_owned()),
    }
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Ran {
    /// Whether it says that all went well.
    pub good: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Why a program did not run to its end.
#[derive(Debug)]
pub enum NotRun {
    Missing,
    Unstartable(std::io::Error),
    /// It took longer than it may.
    Late,
}

/// Runs a program of the user's, which reads `input`. It ends with us when a signal says so.
pub fn converse(mut command: Command, input: &[u8], time: Duration) -> Result<Ran, NotRun> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let (Ends { stdin, stdout, stderr }, watched) =
        Watched::start(command, time).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => NotRun::Missing,
            _ => NotRun::Unstartable(e),
        })?;
    let (stdout, stderr, input) = (kept(stdout), kept(stderr), input.to_vec());
    // who does not listen says so in another way
    std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let good = watched.end();
    if !good && started.elapsed() >= time {
        return Err(NotRun::Late);
    }
    let said = |from: Receiver<Vec<u8>>| {
        let bytes = from.recv_timeout(LAST_WORDS).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Ran { good, stdout: said(stdout), stderr: said(stderr) })
}

/// What is read from a pipe, once it is at its end.
fn kept(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            let mut limited = from.take(MAX_SAID);
            // what can't be read is not told
            let _ = limited.read_to_end(&mut bytes);
            let _ = std::io::copy(&mut limited.into_inner(), &mut std::io::sink());
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn text(from: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    // what can't be read is not told
    let _ = from.map(|mut from| from.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A process that is ended when its time is up.
pub struct Watched {
    child: Arc<Mutex<Child>>,
    over: Arc<(Mutex<bool>, Condvar)>,
    watch: Option<JoinHandle<()>>,
    /// Ends it when we are ended.
    _interrupt: Option<AtSignal>,
}

/// The ends of a process that are pipes.
pub struct Ends {
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
}

impl Watched {
    pub fn new(child: Child, time: Duration) -> Self {
        Watched::of(child, time, Reach::Process)
    }

    /// Starts a command that may be a shell's line, and so may start others: all are ended when the time is
    /// up, or when we are told to end.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn start(mut command: Command, time: Duration) -> std::io::Result<(Ends, Self)> {
        // at a terminal it stays in our group: it may have to ask for a passphrase there, and Ctrl-C reaches it
        let reach = if std::io::stdin().is_terminal() { Reach::Process } else { Reach::Group };
        #[cfg(unix)]
        if reach == Reach::Group {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        // a signal in between would leave it behind
        interrupt::together(|| Watched::started(command, time, reach))
    }

    fn started(mut command: Command, time: Duration, reach: Reach) -> std::io::Result<(Ends, Self)> {
        let mut child = command.spawn()?;
        let ends =
            Ends { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() };
        let mut watched = Watched::of(child, time, reach);
        let child = Arc::clone(&watched.child);
        watched._interrupt = Some(interrupt::at_signal(move || kill(&child, reach)));
        Ok((ends, watched))
    }

    fn of(child: Child, time: Duration, reach: Reach) -> Self {
        let child = Arc::new(Mutex::new(child));
        let over = Arc::new((Mutex::new(false), Condvar::new()));
        let (watched, ended) = (Arc::clone(&child), Arc::clone(&over));
        let watch = std::thread::spawn(move || {
            let (over, told) = &*ended;
            let waited = told.wait_timeout_while(lock(over), time, |over| !*over);
            if waited.is_ok_and(|(over, _)| !*over) {
                kill(&watched, reach);
            }
        });
        Watched { child, over, watch: Some(watch), _interrupt: None }
    }

    /// Waits for the end; whether it was a good one.
    pub fn end(mut self) -> bool {
        self.wait()
    }

    fn wait(&mut self) -> bool {
        // polling is what std offers for a process that another thread may have to kill
        let status = loop {
            match lock(&self.child).try_wait() {
                Ok(Some(status)) => break status.success(),
                Ok(None) => {}
                Err(_) => break false,
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        *lock(&self.over.0) = true;
        self.over.1.notify_all();
        if let Some(watch) = self.watch.take() {
            let _ = watch.join();
        }
        status
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.watch.is_some() {
            self.wait();
        }
    }
}

/// Whom an end is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Process,
    /// The process, and what it has started.
    Group,
}

fn kill(child: &Mutex<Child>, reach: Reach) {
    let mut child = lock(child);
    #[cfg(unix)]
    if reach == Reach::Group
        && let Some(group) = rustix::process::Pid::from_raw(child.id().cast_signed())
    {
        // who has ended already needs no ending
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn what_a_program_says_of_its_input() {
        let ran = converse(shell("cat; echo no >&2; exit 3"), b"text", LONG).unwrap();
        assert_eq!((ran.good, ran.stdout.as_str(), ran.stderr.as_str()), (false, "text", "no\n"));
    }

    #[test]
    fn one_that_does_not_listen() {
        let ran = converse(shell("exec <&-; echo done"), &vec![b'x'; 1 << 20], LONG).unwrap();
        assert!(ran.good && ran.stdout == "done\n", "{ran:?}");
    }

    #[test]
    fn one_that_says_too_much() {
        let ran = converse(shell("head -c 3000000 /dev/zero"), b"", LONG).unwrap();
        assert_eq!((ran.good, ran.stdout.len()), (true, 1024 * 1024));
    }

    #[test]
    fn one_that_never_ends() {
        let ended = converse(shell("exec tail -f /dev/null"), b"", Duration::ZERO);
        assert!(matches!(ended, Err(NotRun::Late)), "{ended:?}");
    }

    #[test]
    fn one_that_is_not_there() {
        let ended = converse(Command::new("/nowhere/signer"), b"", LONG);
        assert!(matches!(ended, Err(NotRun::Missing)), "{ended:?}");
    }
}
