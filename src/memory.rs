//! Drops large values without anyone waiting for it.

/// Starting a thread takes as long as work on about this many files.
pub const MANY_FILES: usize = 500;

/// Drops what belongs to this many files. If they are many, it happens on another thread, because freeing the data of ten thousand files
/// takes longer than writing the edits. If the process ends first, nothing is lost.
pub fn drop_in_background(files: usize, large: impl Send + 'static) {
    if files < MANY_FILES {
        return;
    }
    // without another thread, it is dropped here
    let _ = std::thread::Builder::new().spawn(move || drop(large));
}
