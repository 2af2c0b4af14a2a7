//! The files that git tracks, found out only when they are needed.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// The files that git tracks. A search finds them out in a thread of its own: in a large repository that takes long.
#[derive(Clone)]
pub struct TrackedFiles(Arc<LazyFiles>);

struct LazyFiles {
    find: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    found: OnceLock<Vec<String>>,
}

impl TrackedFiles {
    /// `find` gives their paths, relative to the root of the work tree. It is called once, if at all.
    pub fn new(find: impl Fn() -> Vec<String> + Send + Sync + 'static) -> Self {
        TrackedFiles(Arc::new(LazyFiles { find: Box::new(find), found: OnceLock::new() }))
    }

    pub(super) fn paths(&self) -> &[String] {
        self.0.found.get_or_init(|| (self.0.find)())
    }
}

impl fmt::Debug for TrackedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackedFiles").field(&self.0.found.get()).finish()
    }
}
