//! Reads a git repository's commits for `history`.

mod commit_links;
mod commit_walk;
mod fast_reads;
mod renames;

pub use commit_walk::{CommitWalk, Deepen};
