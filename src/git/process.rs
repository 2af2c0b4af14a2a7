//! Runs git, where libgit2 can't do what git does.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

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
    command.args(["-c", "safe.bareRepository=explicit"]);
    for name in LOCAL_VARIABLES {
        command.env_remove(name);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").stdin(Stdio::null());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command
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
}

impl Watched {
    pub fn new(child: Child, time: Duration) -> Self {
        let child = Arc::new(Mutex::new(child));
        let over = Arc::new((Mutex::new(false), Condvar::new()));
        let (watched, ended) = (Arc::clone(&child), Arc::clone(&over));
        let watch = std::thread::spawn(move || {
            let (over, told) = &*ended;
            let waited = told.wait_timeout_while(lock(over), time, |over| !*over);
            if waited.is_ok_and(|(over, _)| !*over) {
                // one that has ended already needs no ending
                let _ = lock(&watched).kill();
            }
        });
        Watched { child, over, watch: Some(watch) }
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
