//! Finds the commits that set the tags which a plan replaces. Reads the history only when it is first needed.

use crate::history::HistoryStart;
use crate::landing::{self, ProvenCommit, Provenance, Tip, TipSnapshot};
use crate::plan::{ChangedReference, Request};

pub(super) struct WriterLookup<'a> {
    search: WriterSearch<'a>,
    available: Option<Vec<Provenance>>,
    deepened: Option<Vec<Provenance>>,
}

/// What is searched for, and where.
pub(super) struct WriterSearch<'a> {
    pub snapshot: TipSnapshot<'a>,
    /// The tip of the branch that the plan is for: the snapshot's own, or the other one's.
    pub tip: &'a Tip,
    /// The path of the root below the repository's top level.
    pub prefix: &'a str,
    pub request: &'a Request,
    pub changes: &'a [ChangedReference],
}

impl<'a> WriterLookup<'a> {
    pub fn new(search: WriterSearch<'a>) -> Self {
        WriterLookup { search, available: None, deepened: None }
    }

    pub fn snapshot(&self) -> TipSnapshot<'a> {
        self.search.snapshot
    }

    pub fn change(&self, nth: usize) -> &'a ChangedReference {
        &self.search.changes[nth]
    }

    /// In the available history.
    pub fn available(&mut self, nth: usize) -> &Provenance {
        &self.available.get_or_insert_with(|| self.search.find(false))[nth]
    }

    /// In the available history, and in more of it from the server.
    pub fn deepened(&mut self, nth: usize) -> &Provenance {
        &self.deepened.get_or_insert_with(|| self.search.find(true))[nth]
    }

    /// The commits that are found without asking the server.
    pub fn available_writers(&mut self) -> Vec<(ChangedReference, ProvenCommit)> {
        let changes = self.search.changes;
        let writer = |(nth, change): (usize, &ChangedReference)| {
            Some((change.clone(), self.available(nth).written()?.clone()))
        };
        changes.iter().enumerate().filter_map(writer).collect()
    }
}

impl WriterSearch<'_> {
    /// History that can't be read counts as cut off.
    fn find(&self, deepens: bool) -> Vec<Provenance> {
        let unknown = || vec![Provenance::Cut { claimed: Vec::new() }; self.changes.len()];
        let commits = self.snapshot.history.recent(self.snapshot.deadline, deepens);
        let start = HistoryStart { commits: &*commits, tip: self.tip.commit, prefix: self.prefix };
        let found = landing::provenance(start, self.request, self.changes);
        found.unwrap_or_else(|_| unknown())
    }
}
