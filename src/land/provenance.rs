//! Who gave a reference the tag that it has, and which claims of commit messages count.
//!
//! Pure. Messages are contributors' input. What one claims of a tag counts only in the commit in which this
//! image's reference in this file became that tag. A rollback counts only if that commit took the reference away
//! from the bad tag, or if the commit whose tag it replaced had a rollback that counts: later bumps repeat it.

use std::collections::BTreeSet;

use super::trailers::{Claims, RolledBack, claims};
use crate::error::Result;
use crate::image::{join_tag, same_tag};
use crate::plan::{ChangedReference, Request};
use crate::tag::Source;
use crate::timeline::{Commits, Entry, FileHistory, Id, WalkEnd};

/// How many commits are looked through.
pub const FAR: usize = 1000;

/// Who gave a reference the tag that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    Known(Box<Written>),
    /// The history at hand does not reach back to it.
    Cut,
    /// It is further back than is looked.
    TooFar,
}

/// A commit that gave a reference its tag, and those of its claims that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub commit: Id,
    pub author: String,
    /// What the image was built from.
    pub source: Option<Source>,
    /// What was there before, and was rolled back.
    pub rolled_back: Vec<RolledBack>,
    /// What it claims was rolled back, where the history does not reach back to the commit that did it.
    pub unproven: Vec<RolledBack>,
}

impl Provenance {
    pub fn written(&self) -> Option<&Written> {
        match self {
            Provenance::Known(written) => Some(written),
            Provenance::Cut | Provenance::TooFar => None,
        }
    }
}

/// Where each of a plan's changes has from what it replaces. One walk, over the history of their files alone.
///
/// # Errors
/// Where the history can't be read.
pub fn provenance(
    commits: &dyn Commits,
    tip: Id,
    prefix: &str,
    request: &Request,
    changes: &[ChangedReference],
) -> Result<Vec<Provenance>> {
    let paths: BTreeSet<&str> = changes.iter().map(|change| change.file.as_str()).collect();
    let mut history = FileHistory::new(commits, tip, request, &paths, prefix, FAR)?;
    let mut traces: Vec<_> = changes.iter().map(|change| Trace::new(change, &history)).collect();
    while traces.iter().any(|trace| !trace.is_settled()) {
        let Some(entries) = history.next_commit()? else { break };
        for entry in &entries {
            traces.iter_mut().filter(|trace| !trace.is_settled()).for_each(|trace| trace.take(entry));
        }
    }
    let end = history.end();
    Ok(traces.into_iter().map(|trace| trace.provenance(end)).collect())
}

/// One reference on its way back.
struct Trace {
    image: String,
    /// Its number in the history; nothing where the history does not know it.
    number: Option<usize>,
    written: Option<Written>,
    proof: Proof,
    is_cut: bool,
}

impl Trace {
    fn new(change: &ChangedReference, history: &FileHistory<'_>) -> Self {
        let ChangedReference { file, line, want, from, .. } = change;
        let mut present = history.present().iter().filter(|(_, mention)| {
            let version = join_tag(mention.tag.as_deref(), mention.digest.as_deref());
            (&mention.file, mention.line, mention.want) == (file, *line, *want) && version == *from
        });
        let number = present.next().map(|(number, _)| *number);
        let image = change.renamed_from.as_ref().unwrap_or(&change.image).clone();
        Trace { image, number, written: None, proof: Proof::default(), is_cut: number.is_none() }
    }

    fn is_settled(&self) -> bool {
        self.is_cut || (self.written.is_some() && self.proof.is_settled())
    }

    fn take(&mut self, entry: &Entry) {
        if !self.number.is_some_and(|number| entry.references.contains(&number)) {
            return;
        }
        let Some(by) = entry.written.as_ref().filter(|by| by.has_all_parents) else {
            self.is_cut = true;
            return;
        };
        let claims = claims_of(entry, &self.image);
        self.proof.take(&claims, &entry.replaced);
        self.written.get_or_insert_with(|| Written {
            commit: by.commit,
            author: by.words.author.clone(),
            source: claims.source,
            rolled_back: Vec::new(),
            unproven: Vec::new(),
        });
    }

    fn provenance(self, end: WalkEnd) -> Provenance {
        let Some(written) = self.written else {
            return if end == WalkEnd::Limit { Provenance::TooFar } else { Provenance::Cut };
        };
        let is_whole = end == WalkEnd::Beginning && !self.is_cut;
        let unproven = if is_whole { Vec::new() } else { self.proof.open.unwrap_or_default() };
        Provenance::Known(Box::new(Written { rolled_back: self.proof.proven, unproven, ..written }))
    }
}

/// The claims of the commit that wrote an entry, of what the entry says.
pub fn claims_of(entry: &Entry, image: &str) -> Claims {
    let version = join_tag(entry.tag.as_deref(), entry.digest.as_deref());
    let by = entry.written.as_ref().filter(|by| by.has_all_parents);
    by.and_then(|by| claims(&by.words.message, image, &version)).unwrap_or_default()
}

/// The rollbacks that the latest commit of a reference claims, on the way back to the commits that made them.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Those without a proof so far; nothing before the first commit.
    open: Option<Vec<RolledBack>>,
    pub proven: Vec<RolledBack>,
}

impl Proof {
    /// The next older commit of the reference: what it claims, and what was replaced by it.
    pub fn take(&mut self, claims: &Claims, replaced: &[String]) {
        let open = self.open.take().unwrap_or_else(|| claims.rolled_back.clone());
        let is_repeated =
            |bad: &RolledBack| claims.rolled_back.iter().any(|other| same_tag(&other.tag, &bad.tag));
        let is_proven = |bad: &RolledBack| replaced.iter().any(|old| same_tag(old, &bad.tag));
        let (proven, open): (Vec<_>, Vec<_>) = open.into_iter().filter(is_repeated).partition(is_proven);
        self.proven.extend(proven);
        self.open = Some(open);
    }

    /// Whether nothing is left to be proven.
    pub fn is_settled(&self) -> bool {
        self.open.as_ref().is_some_and(Vec::is_empty)
    }
}
