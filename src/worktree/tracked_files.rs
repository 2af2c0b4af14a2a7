//! What git tracks, found out only when it is needed.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// What git tracks. A search finds it out in a thread of its own: in a large repository that takes long.
#[derive(Clone)]
pub struct TrackedFiles(Arc<LazyPaths>);

/// Paths relative to the root of the work tree.
#[derive(Debug, Default)]
pub struct TrackedPaths {
    pub files: Vec<String>,
    /// Also those that are still empty folders. If the root itself is one of these, `.`.
    pub submodules: Vec<String>,
}

struct LazyPaths {
    find: Box<dyn Fn() -> TrackedPaths + Send + Sync>,
    found: OnceLock<TrackedPaths>,
}

impl TrackedFiles {
    /// `find` is called once, if at all.
    pub fn new(find: impl Fn() -> TrackedPaths + Send + Sync + 'static) -> Self {
        TrackedFiles(Arc::new(LazyPaths { find: Box::new(find), found: OnceLock::new() }))
    }

    pub(super) fn paths(&self) -> &TrackedPaths {
        self.0.found.get_or_init(|| (self.0.find)())
    }
}

impl fmt::Debug for TrackedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackedFiles").field(&self.0.found.get()).finish()
    }
}
