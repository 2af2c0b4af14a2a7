//! Frees large values without anyone waiting for it.

/// Frees a value on another thread: for what ten thousand files become, that takes longer than writing the edits. If the
/// process ends first, nothing is lost.
pub fn free_beside(large: impl Send + 'static) {
    // without another thread, it is freed here
    let _ = std::thread::Builder::new().spawn(move || drop(large));
}
