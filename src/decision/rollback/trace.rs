//! The tags that the references of one image in one file had, newest first, and which of them they go back to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::reverts::Reverts;
use crate::decision::tag_and_digest::TagAndDigest;
use crate::history::{CommitId, CommitStore, ReferenceNumber, TagEntry};
use crate::image::{Tag, same_tag};
use crate::landing::{RollbackProof, RolledBack, claims_of};
use crate::plan::{CurrentReference, TargetIndex};

/// The references of one image in one file.
pub struct ReferenceTrace {
    /// Which of the request's targets.
    pub target: TargetIndex,
    pub image: String,
    pub file: String,
    pub line: usize,
    /// The current tags: a single one, unless the user named a tag.
    pub now: Vec<TagAndDigest>,
    /// The same, by tag.
    now_by_tag: HashMap<String, HashSet<TagAndDigest>>,
    /// The tag that was named.
    named: Option<Tag>,
    /// The tags that rollbacks took away, the latest first.
    bad: Vec<String>,
    reverts: Reverts,
    writers: Vec<TraceWriter>,
    /// The position of each current tag's writer.
    writer_of: HashMap<TagAndDigest, usize>,
    /// How many references there are.
    count: usize,
    /// What each reference had before, as far as it is found.
    own: BTreeMap<ReferenceNumber, Option<EarlierVersion>>,
    /// How many of them aren't found yet.
    missing: usize,
    /// What references had that no longer exist, or didn't exist for a while.
    gone: Option<EarlierVersion>,
    /// All tags, the newest first, without repetition.
    pub tags: Vec<String>,
    known_tags: HashSet<String>,
    /// The commit of the oldest entry.
    oldest: Option<CommitId>,
    /// The files that set the tag before this one did.
    earlier: BTreeSet<String>,
}

/// The newest entry of a current tag.
struct TraceWriter {
    entry: TagEntry,
    /// Checks of the rollbacks that it claims, by reference.
    proofs: BTreeMap<ReferenceNumber, RollbackProof>,
}

/// What a reference had before, and the entry that says so.
pub struct EarlierVersion {
    pub version: TagAndDigest,
    pub entry: TagEntry,
    /// Whether the entry's commit may be a merge that brought the tag, so that another commit set it.
    is_by_merge: bool,
}

impl EarlierVersion {
    fn of(version: TagAndDigest, entry: TagEntry) -> Self {
        EarlierVersion { version, entry, is_by_merge: false }
    }
}

impl ReferenceTrace {
    pub fn new(reference: &CurrentReference, image: &str, named: Option<Tag>) -> Self {
        let mut search = ReferenceTrace {
            target: reference.target,
            image: image.to_owned(),
            file: reference.file.clone(),
            line: reference.line,
            now: Vec::new(),
            now_by_tag: HashMap::new(),
            named,
            bad: Vec::new(),
            reverts: Reverts::default(),
            writers: Vec::new(),
            writer_of: HashMap::new(),
            count: 0,
            own: BTreeMap::new(),
            missing: 0,
            gone: None,
            tags: Vec::new(),
            known_tags: HashSet::new(),
            oldest: None,
            earlier: BTreeSet::new(),
        };
        search.add(TagAndDigest::of_reference(reference));
        search
    }

    /// Whether no older entry is needed.
    pub fn is_done(&self) -> bool {
        let all = self.own.len() >= self.count && self.missing == 0;
        let is_named = self.named.is_some() && (self.own.len() > self.missing || self.gone.is_some());
        let is_proven = self.proofs().all(RollbackProof::is_settled);
        (all || is_named) && self.writers.len() == self.now.len() && is_proven
    }

    /// Adds another reference of the file.
    pub fn add(&mut self, version: TagAndDigest) {
        self.count += 1;
        let same_tag = self.now_by_tag.entry(version.tag.clone().unwrap_or_default()).or_default();
        if same_tag.insert(version.clone()) {
            self.now.push(version);
        }
    }

    /// Whether one of them has this tag now.
    pub fn has_now(&self, version: &TagAndDigest) -> bool {
        self.of_same_tag(version).any(|now| now == version)
    }

    fn of_same_tag(&self, version: &TagAndDigest) -> impl Iterator<Item = &TagAndDigest> {
        self.now_by_tag.get(version.tag.as_deref().unwrap_or_default()).into_iter().flatten()
    }

    /// The newest entry of a current tag.
    pub fn writer(&self, now: &TagAndDigest) -> Option<&TagEntry> {
        self.writer_of.get(now).and_then(|nth| self.writers.get(*nth)).map(|writer| &writer.entry)
    }

    /// The tag before the current one.
    pub fn found(&self) -> Option<&EarlierVersion> {
        self.own
            .values()
            .flatten()
            .max_by_key(|earlier| earlier.entry.until.unwrap_or(i64::MAX))
            .or(self.gone.as_ref())
    }

    /// Skips the tags that rollbacks took away in another history of the same references.
    pub fn skip_bad_of(&mut self, other: &ReferenceTrace) {
        self.bad.extend(other.bad.iter().cloned());
        self.reverts.extend(&other.reverts);
    }

    /// Takes what the branch itself had, unless it is the same. Returns whether it did.
    pub fn prefer(&mut self, own: ReferenceTrace) -> bool {
        let version = |trace: &ReferenceTrace| trace.found().map(|earlier| earlier.version.clone());
        let is_missing = self.found().is_none();
        let is_better =
            own.found().is_some() && version(&own) != version(self) && (self.named.is_none() || is_missing);
        if is_better {
            (self.own, self.gone) = (own.own, own.gone);
            self.earlier_versions().for_each(|earlier| earlier.is_by_merge = true);
        }
        is_better
    }

    /// Whether the branch itself may have had another tag before.
    pub fn may_differ_on_branch(&self) -> bool {
        self.named.is_none() || self.found().is_none()
    }

    fn earlier_versions(&mut self) -> impl Iterator<Item = &mut EarlierVersion> {
        self.own.values_mut().flatten().chain(&mut self.gone)
    }

    /// Takes the commit that set an earlier tag, before a merge brought it to the branch: it names the source.
    pub fn take_writer(&mut self, entry: &TagEntry) {
        if entry.target != self.target || entry.file != self.file {
            return;
        }
        let version = TagAndDigest::of_entry(entry);
        let time = |entry: &TagEntry| entry.written.as_ref().map(|by| by.time);
        let is_it = |earlier: &&mut EarlierVersion| {
            earlier.is_by_merge && earlier.version == version && time(entry) <= time(&earlier.entry)
        };
        for earlier in self.earlier_versions().filter(is_it) {
            earlier.entry.written.clone_from(&entry.written);
            earlier.is_by_merge = false;
        }
    }

    /// Whether the commit that set an earlier tag isn't found yet.
    pub fn lacks_writer(&self) -> bool {
        self.own.values().flatten().chain(&self.gone).any(|earlier| earlier.is_by_merge)
    }

    /// Two tags that references of the file had before, if they differ.
    pub fn differing(&self) -> Option<(&TagAndDigest, &TagAndDigest)> {
        let mut had = self.own.values().flatten().map(|earlier| &earlier.version);
        let first = had.next()?;
        had.find(|version| *version != first).map(|other| (first, other))
    }

    /// Takes the next older entry. `commits` tell what a revert took away.
    pub fn take(&mut self, entry: &TagEntry, commits: &dyn CommitStore) {
        if entry.target != self.target || entry.file != self.file {
            return;
        }
        self.oldest = entry.written.as_ref().map(|by| by.commit);
        let version = TagAndDigest::of_entry(entry);
        if self.has_now(&version) && self.writer(&version).is_none() {
            self.writer_of.insert(version.clone(), self.writers.len());
            let proofs = entry.references.iter().map(|number| (*number, RollbackProof::default())).collect();
            self.writers.push(TraceWriter { entry: entry.clone(), proofs });
        }
        self.note_rollback(entry);
        let is_reverted = self.oldest.is_some_and(|by| self.reverts.contains(by, commits));
        let Some(is_it) = self.see(&version).map(|is_it| is_it && (!is_reverted || self.named.is_some()))
        else {
            return;
        };
        for number in &entry.references {
            if entry.until.is_none() && !self.own.contains_key(number) {
                self.own.insert(*number, None);
                self.missing += 1;
            }
            let (place, is_own) = match self.own.get_mut(number) {
                Some(own) => (own, true),
                None => (&mut self.gone, false),
            };
            if is_it && place.is_none() {
                *place = Some(EarlierVersion::of(version.clone(), entry.clone()));
                self.missing -= usize::from(is_own);
            }
        }
    }

    /// Notes a tag. Returns whether it is one to go back to; `None` for no tag.
    fn see(&mut self, version: &TagAndDigest) -> Option<bool> {
        let joined = version.joined();
        if joined.is_empty() {
            return None;
        }
        if self.known_tags.insert(joined.clone()) {
            self.tags.push(joined.clone());
        }
        Some(match &self.named {
            Some(named) => version.tag.as_deref() == Some(named.as_str()),
            None => {
                !self.of_same_tag(version).any(|now| same_tag(&now.joined(), &joined))
                    && !self.bad.iter().any(|bad| same_tag(bad, &joined))
            }
        })
    }

    /// The commit that added the references, if they had no earlier tag.
    pub fn added_by(&self) -> Option<CommitId> {
        self.oldest.filter(|_| self.found().is_none())
    }

    /// Goes on with the files that set the tag before this one did.
    pub fn go_on_in(&mut self, files: impl Iterator<Item = String>) {
        self.oldest = None;
        self.earlier.extend(files);
    }

    /// Takes the next older entry of a place that set the tag before, which was replaced at a time.
    pub fn take_earlier(&mut self, entry: &TagEntry, replaced: i64) {
        if entry.target != self.target || !self.earlier.contains(&entry.file) {
            return;
        }
        self.oldest = entry.written.as_ref().map(|by| by.commit);
        let version = TagAndDigest::of_entry(entry);
        if self.see(&version) == Some(true) && self.gone.is_none() {
            let entry = TagEntry { until: entry.until.or(Some(replaced)), ..entry.clone() };
            self.gone = Some(EarlierVersion::of(version, entry));
        }
    }

    /// The tags that were taken away by the rollbacks that set the current tags: they stay blocked.
    pub fn taken_away(&self) -> Vec<RolledBack> {
        self.proofs().flat_map(|proof| proof.proven.clone()).collect()
    }

    fn proofs(&self) -> impl Iterator<Item = &RollbackProof> {
        self.writers.iter().flat_map(|writer| writer.proofs.values())
    }

    /// The next rollback skips a tag that was rolled back, unless it was set again since. Later bumps repeat the trailer;
    /// only the commit that replaced the tag counts.
    fn note_rollback(&mut self, entry: &TagEntry) {
        if let Some(by) = &entry.written {
            self.reverts.note(&by.message.text);
        }
        let claims = claims_of(entry, &self.image);
        for TraceWriter { proofs, .. } in &mut self.writers {
            for number in &entry.references {
                if let Some(proof) = proofs.get_mut(number) {
                    proof.take(&claims, &entry.replaced);
                }
            }
        }
        let was_there = |bad: &String| entry.replaced.iter().any(|old| same_tag(old, bad));
        let was_put_back = |bad: &String| self.tags.iter().any(|tag| same_tag(tag, bad));
        let taken = claims.rolled_back.into_iter().map(|bad| bad.tag);
        self.bad.extend(taken.filter(|bad| was_there(bad) && !was_put_back(bad)));
    }
}

/// Several tags, for a message.
pub fn joined(versions: &[TagAndDigest]) -> String {
    versions.iter().map(TagAndDigest::joined).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::history::fake::FakeCommits;
    use crate::history::{CommitMessage, ObjectId, WritingCommit};

    /// A tag, the message of the commit that set it, and the tag that it replaced.
    fn entry(tag: &str, message: &str, replaced: &str) -> TagEntry {
        let message = CommitMessage { author: String::new(), email: String::new(), text: message.to_owned() };
        let written =
            WritingCommit { commit: ObjectId([0; 20]).into(), time: 0, message, has_all_parents: true };
        TagEntry {
            target: TargetIndex::new(0),
            file: "f".into(),
            line: 1,
            tag: Some(tag.to_owned()),
            digest: None,
            written: Some(Rc::new(written)),
            replaced: [replaced.to_owned()].into(),
            until: None,
            references: vec![ReferenceNumber::default()],
        }
    }

    fn bump(tag: &str, replaced: &str) -> TagEntry {
        entry(tag, "", replaced)
    }

    fn rollback(tag: &str, bad: &str) -> TagEntry {
        entry(tag, &format!("x\n\nTagbump-Image: a:{tag}\nTagbump-Rollback: a:{bad}\n"), bad)
    }

    /// The tag found in a history, newest entry first.
    fn found(entries: &[TagEntry], named: Option<&str>) -> Option<String> {
        let reference = CurrentReference {
            target: TargetIndex::new(0),
            file: "f".into(),
            has_chart: false,
            place: 0,
            line: 1,
            tag: entries[0].tag.clone(),
            digest: None,
            field: None,
        };
        let mut search = ReferenceTrace::new(&reference, "a", named.map(|tag| Tag::parse(tag).unwrap()));
        entries.iter().for_each(|entry| search.take(entry, &FakeCommits::default()));
        search.found().map(|earlier| earlier.version.joined())
    }

    #[test]
    fn the_one_before_that_differs() {
        let two = [bump("v2", "v2"), bump("v2", "v1"), bump("v1", "")];
        assert_eq!(found(&two, None).as_deref(), Some("v1"));
        assert_eq!(found(&[bump("v2", "")], None), None);
        let three = [bump("v3", "v2"), bump("v2", "v1"), bump("v1", "")];
        assert_eq!(found(&three, Some("v1")).as_deref(), Some("v1"));
        assert_eq!(found(&three, Some("v9")), None);
    }

    #[test]
    fn once_more_goes_further_back_and_not_forth() {
        let one = [rollback("v2", "v3"), bump("v3", "v2"), bump("v2", "v1"), bump("v1", "v0")];
        assert_eq!(found(&one, None).as_deref(), Some("v1"));
        let mut two = vec![rollback("v1", "v2")];
        two.extend(one);
        two.push(bump("v0", ""));
        assert_eq!(found(&two, None).as_deref(), Some("v0"));
        let mut on = vec![bump("v4", "v1")];
        on.extend(two);
        assert_eq!(found(&on, None).as_deref(), Some("v1"));
    }

    #[test]
    fn claimed_rollback_of_what_was_not_replaced_does_not_count() {
        let claim = "x\n\nTagbump-Image: a:v3\nTagbump-Rollback: a:v2\n";
        let forged = [entry("v3", claim, "v2.1"), bump("v2.1", "v2"), bump("v2", "v1"), bump("v1", "")];
        assert_eq!(found(&forged, None).as_deref(), Some("v2.1"));
        let older = [bump("v4", "v3"), entry("v3", claim, "v2.1"), bump("v2.1", "v2"), bump("v2", "")];
        assert_eq!(found(&older, Some("v2")).as_deref(), Some("v2"));
    }
}
