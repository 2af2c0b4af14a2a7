//! Drops large values without anyone waiting for it.

/// Drops a value on another thread, because freeing the data of ten thousand files takes longer than writing the edits. If the
/// process ends first, nothing is lost.
pub fn drop_in_background(large: impl Send + 'static) {
    // without another thread, it is dropped here
    let _ = std::thread::Builder::new().spawn(move || drop(large));
}
