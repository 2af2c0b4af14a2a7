//! Shows progress on the terminal, for work that takes longer than half a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::ProgressBar;

const SHOWN_AFTER: Duration = Duration::from_millis(500);
const REFRESH: Duration = Duration::from_millis(100);

/// Counts files. The display disappears when this is dropped.
pub struct Progress {
    files: Arc<AtomicUsize>,
    watcher: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to count. Shows nothing unless `watched`.
    pub fn start(watched: bool) -> Self {
        let files = Arc::new(AtomicUsize::new(0));
        let watcher = watched.then(|| {
            let (done, is_done) = mpsc::channel();
            let count = Arc::clone(&files);
            (done, std::thread::spawn(move || show(&count, &is_done)))
        });
        Progress { files, watcher }
    }

    /// Counts one more file.
    pub fn step(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, watcher)) = self.watcher.take() {
            drop(done);
            // if this thread panicked, only the progress display failed
            let _ = watcher.join();
        }
    }
}

fn show(files: &AtomicUsize, is_done: &Receiver<()>) {
    if is_done.recv_timeout(SHOWN_AFTER) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let bar = ProgressBar::new_spinner();
    while is_done.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
        bar.set_message(format!("{} files", files.load(Ordering::Relaxed)));
        bar.tick();
    }
    bar.finish_and_clear();
}
