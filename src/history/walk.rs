//! Walks from a tip back in time, over the commits that matter to some files.

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use super::align::align;
use super::versions::{FileTrace, OldVersion, OldVersions, TracedIndex, is_same};
use super::{
    CommitId, CommitLinks, CommitStore, Extent, HistoryError, HistoryReach, HistoryStart, ObjectId,
    ReferenceNumber, TagEntry, WritingCommit,
};
use crate::file_selection::{MatchLevel, in_folder};
use crate::plan::{CurrentReference, Request, SingleFile, TargetIndex, current_references};

/// References that a history follows.
#[derive(Clone, Copy)]
pub struct FollowedReferences<'a> {
    pub request: &'a Request,
    /// The references that the request matches at the tip.
    pub now: &'a [CurrentReference],
}

/// Passes every tag that the references have had to `take`, newest first, until `take` returns false.
///
/// # Errors
/// Commits can't be read.
pub fn walk_history(
    start: HistoryStart<'_>,
    references: FollowedReferences<'_>,
    take: &mut dyn FnMut(TagEntry) -> bool,
) -> Result<HistoryReach, HistoryError> {
    let FollowedReferences { request, now } = references;
    let request = &request.following(now.iter().filter_map(|reference| {
        Some((reference.target, reference.file.as_str(), reference.field.as_ref()?))
    }));
    let mut walk = Walk::new(start.commits, request, files(request, now)?);
    walk.begin(start.tip, start.prefix)?;
    while let Some((commit, stop)) = walk.next() {
        let mut entries = walk.step(commit, stop)?;
        for entry in &mut entries {
            entry.written.take_if(|by| !by.has_all_parents);
        }
        entries.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        // report containers of one file that change together only once
        entries.dedup_by(absorb_references);
        if !entries.into_iter().all(&mut *take) {
            return Ok(HistoryReach { extent: Extent::Complete, has_merges: walk.has_merges });
        }
    }
    Ok(HistoryReach { extent: walk.reach, has_merges: walk.has_merges })
}

/// A file whose history is read.
pub(super) struct TracedFile {
    /// Its path at the tip, relative to the root.
    pub path: String,
    pub has_chart: bool,
    pub match_level: MatchLevel,
    /// The references to follow at the tip, by target, place and line; `None` if every reference counts.
    pub followed: Option<HashSet<(TargetIndex, u64, usize)>>,
    /// The places of references that aren't followed.
    pub left_out: HashSet<(TargetIndex, u64)>,
}

fn files(request: &Request, now: &[CurrentReference]) -> Result<Vec<TracedFile>, HistoryError> {
    let selection = request.selection()?;
    let match_level = |path: &str| selection.match_level(path).unwrap_or(MatchLevel::Discovered);
    let files: BTreeMap<&str, bool> = now.iter().map(|m| (m.file.as_str(), m.has_chart)).collect();
    let files = files.into_iter();
    Ok(files
        .map(|(path, has_chart)| TracedFile {
            path: path.to_owned(),
            has_chart,
            match_level: match_level(path),
            followed: Some(followed(now, path)),
            left_out: HashSet::new(),
        })
        .collect())
}

fn followed(now: &[CurrentReference], path: &str) -> HashSet<(TargetIndex, u64, usize)> {
    now.iter().filter(|m| m.file == path).map(|m| (m.target, m.place, m.line)).collect()
}

impl TracedFile {
    /// Leaves out the references at the tip that aren't followed, because a stronger place overrides them.
    fn leave_out(&mut self, at_tip: &[CurrentReference]) {
        let Some(followed) = self.followed.take() else { return };
        let is_followed =
            |m: &&CurrentReference| m.field.is_some() || followed.contains(&(m.target, m.place, m.line));
        let (kept, others): (Vec<_>, Vec<_>) = at_tip.iter().partition(is_followed);
        let kept: HashSet<_> = kept.into_iter().map(|m| (m.target, m.place)).collect();
        let others = others.into_iter().map(|m| (m.target, m.place));
        self.left_out = others.filter(|place| !kept.contains(place)).collect();
    }
}

/// A commit that the walk has yet to visit.
pub(super) struct QueuedCommit {
    links: CommitLinks,
    tracks: Vec<FileTrace>,
}

/// A commit, and its parents up to the first one that isn't available.
#[derive(Clone, Copy)]
struct CommitContext<'a> {
    commit: CommitId,
    links: &'a CommitLinks,
    parents: &'a [(CommitId, CommitLinks)],
}

pub(super) struct Walk<'a> {
    commits: &'a dyn CommitStore,
    request: &'a Request,
    files: Vec<TracedFile>,
    /// By time, newest first.
    queue: BinaryHeap<(i64, CommitId)>,
    waiting: BTreeMap<CommitId, QueuedCommit>,
    /// The commits visited per file while others were waiting. With wrong clocks, the walk can reach such a commit twice.
    done: HashSet<(CommitId, TracedIndex)>,
    /// When a reference got another tag, by the reference's number.
    until: HashMap<ReferenceNumber, i64>,
    last_number: ReferenceNumber,
    reach: Extent,
    has_merges: bool,
}

impl<'a> Walk<'a> {
    pub fn new(commits: &'a dyn CommitStore, request: &'a Request, files: Vec<TracedFile>) -> Self {
        Walk {
            commits,
            request,
            files,
            queue: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            done: HashSet::new(),
            until: HashMap::new(),
            last_number: ReferenceNumber::default(),
            reach: Extent::Complete,
            has_merges: false,
        }
    }

    /// Starts the walk, and returns the references at the tip.
    pub fn begin(
        &mut self,
        tip: CommitId,
        prefix: &str,
    ) -> Result<Vec<(ReferenceNumber, CurrentReference)>, HistoryError> {
        let mut present = Vec::new();
        let Some(links) = self.commits.links(tip)? else { return Ok(present) };
        for file in (0..self.files.len()).map(TracedIndex) {
            let name: Rc<str> = in_folder(prefix, &self.files[file.0].path).into();
            let Some(blob) = self.commits.file(links.tree, &name)? else { continue };
            let all = self.read(file, blob)?.unwrap_or_default();
            self.files[file.0].leave_out(&all);
            let says = self.read(file, blob)?.unwrap_or_default();
            let numbers: Rc<[ReferenceNumber]> = says.iter().map(|_| self.number()).collect();
            present.extend(numbers.iter().copied().zip(says.iter().cloned()));
            self.follow((tip, &links), FileTrace { file, name, blob, says: Some(says), numbers });
        }
        Ok(present)
    }

    pub fn next(&mut self) -> Option<(CommitId, QueuedCommit)> {
        let (_, commit) = self.queue.pop()?;
        Some((commit, self.waiting.remove(&commit)?))
    }

    pub fn is_over(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn reach(&self) -> Extent {
        self.reach
    }

    fn follow(&mut self, (commit, links): (CommitId, &CommitLinks), track: FileTrace) {
        let stop = self.waiting.entry(commit).or_insert_with(|| {
            self.queue.push((links.time, commit));
            QueuedCommit { links: links.clone(), tracks: Vec::new() }
        });
        if stop.tracks.iter().all(|other| other.file != track.file) {
            stop.tracks.push(track);
        }
    }

    /// The tags that a commit set. Continues with the files in its parents.
    pub fn step(&mut self, commit: CommitId, stop: QueuedCommit) -> Result<Vec<TagEntry>, HistoryError> {
        let QueuedCommit { links, tracks } = stop;
        self.has_merges |= links.parents.len() > 1;
        let parents = self.parents(&links)?;
        let mut entries = Vec::new();
        // all that follows comes before this commit, so it isn't reached again
        let is_alone = self.queue.is_empty();
        for track in tracks {
            let visit = (commit, track.file);
            let is_first = if is_alone { !self.done.contains(&visit) } else { self.done.insert(visit) };
            if is_first {
                self.trace(CommitContext { commit, links: &links, parents: &parents }, track, &mut entries)?;
            }
        }
        Ok(entries)
    }

    /// The parents up to the first missing one, after deepening. Later parents don't count, since the missing
    /// one comes first.
    fn parents(&self, links: &CommitLinks) -> Result<Vec<(CommitId, CommitLinks)>, HistoryError> {
        loop {
            let mut here = Vec::with_capacity(links.parents.len());
            for &parent in &links.parents {
                let Some(links) = self.commits.links(parent)? else { break };
                here.push((parent, links));
            }
            if here.len() == links.parents.len() || !self.commits.deepen() {
                return Ok(here);
            }
        }
    }

    fn trace(
        &mut self,
        here: CommitContext<'_>,
        mut track: FileTrace,
        entries: &mut Vec<TagEntry>,
    ) -> Result<(), HistoryError> {
        let CommitContext { commit, links, parents } = here;
        let mut read: Option<Rc<[CurrentReference]>> = track.says.take();
        let mut before = Vec::new();
        // in order: if two parents have the same tag, it was there before the merge, so the first parent
        // decides
        for (parent, its) in parents {
            if self.commits.file(its.tree, &track.name)? == Some(track.blob) {
                self.follow((*parent, its), FileTrace { says: read, ..track });
                return Ok(());
            }
            let says = match read.take() {
                Some(says) => says,
                None => self.read(track.file, track.blob)?.unwrap_or_default(),
            };
            let says = read.insert(says);
            let Some(old) = self.before((links.tree, its.tree), &track, says)? else { continue };
            if is_same(&old, says, &track.numbers) {
                self.follow((*parent, its), old);
                return Ok(());
            }
            before.push(((*parent, its), old));
        }
        let says = match read {
            Some(says) => says,
            None => self.read(track.file, track.blob)?.unwrap_or_default(),
        };
        let has_all_parents = parents.len() == links.parents.len();
        let version = OldVersion { track: &track, says: &says };
        if !has_all_parents {
            self.reach = Extent::Truncated { commit, time: links.time };
        }
        let message = self.commits.message(commit)?;
        let written = Rc::new(WritingCommit { commit, time: links.time, message, has_all_parents });
        let olds = OldVersions::new(before.iter().map(|(_, old)| old));
        entries.extend(self.entries(&version, &olds, &written));
        self.note_ends(&version, &olds, links.time);
        for (parent, old) in before {
            self.follow(parent, old);
        }
        Ok(())
    }

    /// The file in a parent, perhaps under another name; `None` if it doesn't exist there.
    fn before(
        &mut self,
        (tree, older): (ObjectId, ObjectId),
        track: &FileTrace,
        says: &[CurrentReference],
    ) -> Result<Option<FileTrace>, HistoryError> {
        let mut name = Rc::clone(&track.name);
        let mut blob = self.commits.file(older, &name)?;
        if blob.is_none()
            && let Some(old) = self.commits.old_name(tree, older, &name)?
        {
            blob = self.commits.file(older, &old)?;
            name = old.into();
        }
        let Some(blob) = blob else { return Ok(None) };
        let Some(references) = self.read(track.file, blob)? else {
            // a version that isn't valid YAML changes no tags, neither when it appears nor when it is fixed
            let (says, numbers) = (Some(says.into()), Rc::clone(&track.numbers));
            return Ok(Some(FileTrace { file: track.file, name, blob, says, numbers }));
        };
        let became = align(&references, says);
        let numbers =
            became.into_iter().map(|n| n.map_or_else(|| self.number(), |n| track.numbers[n])).collect();
        Ok(Some(FileTrace { file: track.file, name, blob, says: Some(references), numbers }))
    }

    /// The tags of a version that none of the earlier versions has.
    fn entries(
        &self,
        version: &OldVersion<'_>,
        olds: &OldVersions<'_>,
        written: &Rc<WritingCommit>,
    ) -> Vec<TagEntry> {
        let mut replaced: HashMap<TargetIndex, Rc<[String]>> = HashMap::new();
        let new = version.pairs().filter(|(mention, number)| !olds.say(*number, mention));
        let entry = |(mention, number): (&CurrentReference, ReferenceNumber)| TagEntry {
            target: mention.target,
            file: self.files[version.track.file.0].path.clone(),
            line: mention.line,
            tag: mention.tag.clone(),
            digest: mention.digest.clone(),
            written: Some(Rc::clone(written)),
            replaced: Rc::clone(
                replaced.entry(mention.target).or_insert_with(|| version.replaced(olds, mention.target)),
            ),
            until: self.until.get(&number).copied(),
            references: vec![number],
        };
        new.map(entry).collect()
    }

    /// Records when references ended: those that are gone, or that differ from all earlier versions, ended with
    /// this commit.
    fn note_ends(&mut self, version: &OldVersion<'_>, olds: &OldVersions<'_>, time: i64) {
        let now = version.index();
        for number in olds.numbers() {
            if !now.get(&number).is_some_and(|now| olds.say(number, now)) {
                self.until.insert(number, time);
            }
        }
    }

    fn number(&mut self) -> ReferenceNumber {
        self.last_number = self.last_number.next();
        self.last_number
    }

    /// The references of a version; `None` if it isn't valid YAML.
    fn read(
        &self,
        file: TracedIndex,
        blob: ObjectId,
    ) -> Result<Option<Rc<[CurrentReference]>>, HistoryError> {
        let bytes = self.commits.read(blob)?;
        let TracedFile { path, has_chart, match_level, left_out, .. } = &self.files[file.0];
        let source = SingleFile { path, bytes: &bytes, match_level: *match_level, has_chart: *has_chart };
        let found = current_references(&source, self.request)?;
        let followed = |all: Vec<CurrentReference>| {
            all.into_iter().filter(|m| !left_out.contains(&(m.target, m.place))).collect()
        };
        Ok(found.map(followed))
    }
}

/// Whether two entries differ only in their references. If so, `other` takes over those of `entry`.
fn absorb_references(entry: &mut TagEntry, other: &mut TagEntry) -> bool {
    let same = (entry.target, entry.until) == (other.target, other.until)
        && (&entry.file, &entry.tag, &entry.digest) == (&other.file, &other.tag, &other.digest)
        && entry.written == other.written;
    if same {
        other.references.append(&mut entry.references);
    }
    same
}
