//! The history of the references in some files, commit by commit.

use std::collections::{BTreeSet, HashSet};

use super::walk::{TracedFile, Walk};
use super::{Extent, HistoryError, HistoryStart, ReferenceNumber, TagEntry};
use crate::file_selection::{MatchLevel, folder, in_folder};
use crate::manifest::CHART;
use crate::plan::{CurrentReference, Request};

/// The history of the references in some files, commit by commit, newest first.
pub struct FileHistory<'a> {
    walk: Walk<'a>,
    present: Vec<(ReferenceNumber, CurrentReference)>,
    /// How many more commits to read.
    left: usize,
}

/// How a walk through a history ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkEnd {
    /// At the beginning of every file.
    Beginning,
    /// At the point where the history is cut off, as in a shallow clone.
    Cut,
    /// At the limit on the number of commits.
    Limit,
}

impl<'a> FileHistory<'a> {
    /// Follows the files at these paths, each below the start's prefix, and reads at most `limit` commits.
    ///
    /// # Errors
    /// The tip can't be read.
    pub fn new(
        start: HistoryStart<'a>,
        request: &'a Request,
        paths: &BTreeSet<&str>,
        limit: usize,
    ) -> Result<Self, HistoryError> {
        let files = files_at(start, request, paths)?;
        let mut walk = Walk::new(start.commits, request, files);
        let present = walk.begin(start.tip, start.prefix)?;
        Ok(FileHistory { walk, present, left: limit })
    }

    /// The references at the tip, each with its number in [`TagEntry::references`].
    pub fn present(&self) -> &[(ReferenceNumber, CurrentReference)] {
        &self.present
    }

    /// The changes of the next commit, one entry per reference; `None` at the end.
    ///
    /// # Errors
    /// The commit can't be read.
    pub fn next_commit(&mut self) -> Result<Option<Vec<TagEntry>>, HistoryError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let next = self.walk.next();
        next.map(|(commit, stop)| self.walk.step(commit, stop)).transpose()
    }

    /// How the walk ended. Valid once there is no next commit.
    pub fn end(&self) -> WalkEnd {
        match self.walk.reach() {
            _ if !self.walk.is_over() => WalkEnd::Limit,
            Extent::Truncated { .. } => WalkEnd::Cut,
            Extent::Complete => WalkEnd::Beginning,
        }
    }
}

fn files_at(
    HistoryStart { commits, tip, prefix }: HistoryStart<'_>,
    request: &Request,
    paths: &BTreeSet<&str>,
) -> Result<Vec<TracedFile>, HistoryError> {
    let Some(links) = commits.links(tip)? else { return Ok(Vec::new()) };
    let selection = request.selection()?;
    let file = |path: &&str| {
        let chart = in_folder(folder(path), CHART);
        let has_chart = commits.file(links.tree, &in_folder(prefix, &chart))?.is_some();
        let match_level = selection.match_level(path).unwrap_or(MatchLevel::Discovered);
        Ok(TracedFile {
            path: (*path).to_owned(),
            has_chart,
            match_level,
            followed: None,
            left_out: HashSet::new(),
        })
    };
    paths.iter().map(file).collect()
}
