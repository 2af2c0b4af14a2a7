//! Shows progress on the terminal, for work that takes longer than half a second.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use tagbump::mutex::lock;

const SHOWN_AFTER: Duration = Duration::from_millis(500);
const REFRESH: Duration = Duration::from_millis(100);

/// Counts files. The display disappears when this is dropped.
pub struct FileCount {
    files: Arc<AtomicUsize>,
    _display: Display,
}

impl FileCount {
    /// Starts to count. Shows nothing unless `watched`.
    pub fn start(watched: bool) -> Self {
        let files = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&files);
        let line = move || Some(format!("{} files", count.load(Ordering::Relaxed)));
        FileCount { files, _display: Display::start(watched, line) }
    }

    /// Counts one more file.
    pub fn step(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a run waits for, and since when.
type Wait = Arc<Mutex<Option<(String, Instant)>>>;

/// Shows what a run waits for, and for how long. The display disappears when this is dropped.
pub struct Waiting {
    wait: Wait,
    _display: Display,
}

impl Waiting {
    /// Shows nothing unless `watched`.
    pub fn start(watched: bool) -> Self {
        let wait = Wait::default();
        let shown = Arc::clone(&wait);
        Waiting { wait, _display: Display::start(watched, move || line(&shown)) }
    }

    /// Sets what the run waits for.
    pub fn set(&self, what: Option<&str>) {
        let wait = what.map(|what| (what.to_owned(), Instant::now()));
        *lock(&self.wait) = wait;
    }
}

fn line(wait: &Wait) -> Option<String> {
    let wait = lock(wait);
    let (what, since) = wait.as_ref()?;
    let passed = since.elapsed();
    (passed >= SHOWN_AFTER).then(|| format!("{what} ({} s)", passed.as_secs()))
}

/// A line on the terminal, while there is one to show.
struct Display {
    watcher: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Display {
    fn start(watched: bool, line: impl Fn() -> Option<String> + Send + 'static) -> Self {
        let watcher = watched.then(|| {
            let (done, is_done) = mpsc::channel();
            (done, std::thread::spawn(move || show(&line, &is_done)))
        });
        Display { watcher }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some((done, watcher)) = self.watcher.take() {
            drop(done);
            // if this thread panicked, only the progress display failed
            let _ = watcher.join();
        }
    }
}

fn show(line: &dyn Fn() -> Option<String>, is_done: &Receiver<()>) {
    if is_done.recv_timeout(SHOWN_AFTER) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let mut bar: Option<ProgressBar> = None;
    while is_done.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
        match (line(), bar.take()) {
            (Some(text), shown) => {
                let shown = shown.unwrap_or_else(ProgressBar::new_spinner);
                shown.set_message(text);
                shown.tick();
                bar = Some(shown);
            }
            (None, Some(shown)) => shown.finish_and_clear(),
            (None, None) => {}
        }
    }
    if let Some(shown) = bar {
        shown.finish_and_clear();
    }
}
