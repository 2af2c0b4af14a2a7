//! Which commit set the tag of a reference, and which claims of its message count.
//!
//! Pure. Messages are contributors' input. A claim about a tag counts only in the commit in which this image's reference
//! in this file became that tag. A rollback counts only if that commit replaced the bad tag, or if the commit before it,
//! whose tag it replaced, had a rollback that counts: later bumps repeat the trailer.

use std::collections::{BTreeSet, HashMap};

use super::trailers::{Claims, MessageClaims, RolledBack, claims};
use crate::history::{CommitId, FileHistory, HistoryError, HistoryStart, ReferenceNumber, TagEntry, WalkEnd};
use crate::image::{join_tag, same_tag};
use crate::plan::{ChangedReference, Request, TargetIndex};
use crate::tag::Source;

/// How many commits are searched.
pub const MAX_SEARCHED_COMMITS: usize = 1000;
/// The same, for messages.
pub const SEARCHED_COMMITS: &str = "the last 1,000 commits";

/// Which commit set the tag of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    Known(Box<ProvenCommit>),
    /// The available history does not reach back to it. `claimed` are the rollbacks that the oldest available commit
    /// claims: not a fact, but a reason to fetch more.
    Cut {
        claimed: Vec<RolledBack>,
    },
    /// It is older than the commits that are searched.
    TooFar,
}

/// The commit that set the tag of a reference, with those of its claims that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenCommit {
    pub commit: CommitId,
    pub author: String,
    /// The commit that the image was built from.
    pub source: Option<Source>,
    /// Tags that were really rolled back.
    pub rolled_back: Vec<RolledBack>,
    /// Rollbacks that it claims; the history does not reach back far enough to check them.
    pub unproven: Vec<RolledBack>,
}

impl Provenance {
    pub fn written(&self) -> Option<&ProvenCommit> {
        match self {
            Provenance::Known(written) => Some(written),
            Provenance::Cut { .. } | Provenance::TooFar => None,
        }
    }
}

/// Finds which commit set each tag that a plan's changes replace. This is one walk, over the history of their files.
///
/// # Errors
/// If the history can't be read.
pub fn provenance(
    start: HistoryStart<'_>,
    request: &Request,
    changes: &[ChangedReference],
) -> Result<Vec<Provenance>, HistoryError> {
    let paths: BTreeSet<&str> = changes.iter().map(|change| change.file.as_str()).collect();
    let request = &request.following(
        changes
            .iter()
            .filter_map(|change| Some((change.target, change.file.as_str(), change.field.as_ref()?))),
    );
    let mut history = FileHistory::new(start, request, &paths, MAX_SEARCHED_COMMITS)?;
    let numbers = numbers(&history);
    let mut traces: Vec<_> = changes.iter().map(|change| Trace::new(change, &numbers)).collect();
    let by_number = by_number(&traces);
    while traces.iter().any(|trace| !trace.is_settled()) {
        let Some(entries) = history.next_commit()? else { break };
        // all of one commit
        let message =
            entries.iter().find_map(|entry| entry.written.as_ref()).map(|by| by.message.text.as_str());
        let claims = MessageClaims::read(message.unwrap_or_default());
        for entry in &entries {
            let meant = entry.references.iter().filter_map(|number| by_number.get(number)).flatten();
            meant.for_each(|&trace| traces[trace].take(entry, &claims));
        }
    }
    let end = history.end();
    Ok(traces.into_iter().map(|trace| trace.provenance(end)).collect())
}

/// File, line, target and version of a reference at the tip.
type PresentReference<'a> = (&'a str, usize, TargetIndex, String);

/// The number of each reference in the history; of several that look the same, the first one's.
fn numbers<'a>(history: &'a FileHistory<'_>) -> HashMap<PresentReference<'a>, ReferenceNumber> {
    let mut numbers = HashMap::new();
    for (number, reference) in history.present() {
        let version = join_tag(reference.tag.as_deref(), reference.digest.as_deref());
        let key = (reference.file.as_str(), reference.line, reference.target, version);
        numbers.entry(key).or_insert(*number);
    }
    numbers
}

/// The traces that follow each reference.
fn by_number(traces: &[Trace]) -> HashMap<ReferenceNumber, Vec<usize>> {
    let mut by_number: HashMap<ReferenceNumber, Vec<usize>> = HashMap::new();
    for (nth, trace) in traces.iter().enumerate() {
        trace.number.into_iter().for_each(|number| by_number.entry(number).or_default().push(nth));
    }
    by_number
}

/// One reference, followed back in time.
struct Trace {
    image: String,
    /// Its tag and digest at the tip.
    version: String,
    /// Its number in the history; `None` if the history doesn't have it.
    number: Option<ReferenceNumber>,
    written: Option<ProvenCommit>,
    proof: RollbackProof,
    is_cut: bool,
    /// The rollbacks that the oldest available commit claims.
    claimed: Vec<RolledBack>,
}

impl Trace {
    fn new(change: &ChangedReference, numbers: &HashMap<PresentReference<'_>, ReferenceNumber>) -> Self {
        let ChangedReference { file, line, target, from, .. } = change;
        let number = numbers.get(&(file.as_str(), *line, *target, from.clone())).copied();
        let image = change.renamed_from.as_ref().unwrap_or(&change.image).clone();
        Trace {
            image,
            version: from.clone(),
            number,
            written: None,
            proof: RollbackProof::default(),
            is_cut: number.is_none(),
            claimed: Vec::new(),
        }
    }

    fn is_settled(&self) -> bool {
        self.is_cut || (self.written.is_some() && self.proof.is_settled())
    }

    fn take(&mut self, entry: &TagEntry, claims: &MessageClaims<'_>) {
        if self.is_settled() {
            return;
        }
        // after a merge, both branches are followed: the other one may have had another tag
        let version = join_tag(entry.tag.as_deref(), entry.digest.as_deref());
        if self.written.is_none() && version != self.version {
            return;
        }
        let Some(by) = &entry.written else { return };
        let claims = claims.of(&self.image, &version).unwrap_or_default();
        if !by.has_all_parents {
            self.is_cut = true;
            self.claimed = claims.rolled_back;
            return;
        }
        self.proof.take(&claims, &entry.replaced);
        self.written.get_or_insert_with(|| ProvenCommit {
            commit: by.commit,
            author: by.message.author.clone(),
            source: claims.source,
            rolled_back: Vec::new(),
            unproven: Vec::new(),
        });
    }

    fn provenance(self, end: WalkEnd) -> Provenance {
        let Some(written) = self.written else {
            let is_too_far = end == WalkEnd::Limit && !self.is_cut;
            let cut = Provenance::Cut { claimed: self.claimed };
            return if is_too_far { Provenance::TooFar } else { cut };
        };
        let is_whole = end == WalkEnd::Beginning && !self.is_cut;
        let unproven = if is_whole { Vec::new() } else { self.proof.open.unwrap_or_default() };
        Provenance::Known(Box::new(ProvenCommit { rolled_back: self.proof.proven, unproven, ..written }))
    }
}

/// The claims of an entry's commit about the entry's tag; none if it is uncertain that this commit set it.
pub fn claims_of(entry: &TagEntry, image: &str) -> Claims {
    let version = join_tag(entry.tag.as_deref(), entry.digest.as_deref());
    let by = entry.written.as_ref().filter(|by| by.has_all_parents);
    by.and_then(|by| claims(&by.message.text, image, &version)).unwrap_or_default()
}

/// The tags that an entry's commit rolled back: those that it claims and really replaced.
pub fn rolled_back_by(entry: &TagEntry, image: &str) -> Vec<String> {
    let was_there = |bad: &RolledBack| entry.replaced.iter().any(|old| same_tag(old, &bad.tag));
    let claimed = claims_of(entry, image).rolled_back.into_iter();
    claimed.filter(was_there).map(|bad| bad.tag).collect()
}

/// Checks the rollbacks that the newest commit of a reference claims, from commit to older commit.
#[derive(Clone, Debug, Default)]
pub struct RollbackProof {
    /// Not proven so far; `None` before the first commit.
    open: Option<Vec<RolledBack>>,
    pub proven: Vec<RolledBack>,
}

impl RollbackProof {
    /// Takes the next older commit of the reference: its claims, and the tags that it replaced.
    pub fn take(&mut self, claims: &Claims, replaced: &[String]) {
        let open = self.open.take().unwrap_or_else(|| claims.rolled_back.clone());
        let is_repeated =
            |bad: &RolledBack| claims.rolled_back.iter().any(|other| same_tag(&other.tag, &bad.tag));
        let is_proven = |bad: &RolledBack| replaced.iter().any(|old| same_tag(old, &bad.tag));
        let (proven, open): (Vec<_>, Vec<_>) = open.into_iter().filter(is_repeated).partition(is_proven);
        self.proven.extend(proven);
        self.open = Some(open);
    }

    /// Whether nothing is left to prove.
    pub fn is_settled(&self) -> bool {
        self.open.as_ref().is_some_and(Vec::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fake::{FakeCommits, id, request};

    const IMAGE: &str = "acme/api";

    /// A change of the reference in this line of `a.yaml`, from this tag.
    fn change(line: usize, from: &str) -> ChangedReference {
        ChangedReference {
            file: "a.yaml".into(),
            line,
            kind: "string",
            image: IMAGE.into(),
            renamed_from: None,
            target: TargetIndex::new(0),
            from: from.into(),
            to: "v9".into(),
            dropped_digest: false,
            left_out_digest: false,
            field: None,
        }
    }

    fn found(fake: &FakeCommits, tip: usize, change: ChangedReference) -> Provenance {
        provenance(HistoryStart { commits: fake, tip: id(tip), prefix: "" }, &request(), &[change])
            .unwrap()
            .remove(0)
    }

    /// The commit's number, its source, proven and unproven rollbacks.
    fn summary(fake: &FakeCommits, tip: usize, change: ChangedReference) -> String {
        let by = match found(fake, tip, change) {
            Provenance::Known(by) => by,
            Provenance::TooFar => return "too far".to_owned(),
            Provenance::Cut { claimed } => {
                let tags: Vec<_> = claimed.into_iter().map(|bad| bad.tag).collect();
                return format!("cut, {}", tags.join(" "));
            }
        };
        let tags = |bad: &[RolledBack]| bad.iter().map(|bad| bad.tag.clone()).collect::<Vec<_>>().join(" ");
        let source = by.source.map(|source| source.sha).unwrap_or_default();
        let number = (1..99).find(|number| id(*number) == by.commit).unwrap();
        format!("{number} {source}-{}-{}", tags(&by.rolled_back), tags(&by.unproven))
    }

    fn message(tag: &str, source: &str, bad: &[&str]) -> String {
        let bad = bad.iter().map(|bad| format!("Tagbump-Rollback: {IMAGE}:{bad}\n")).collect::<String>();
        format!("x\n\nTagbump-Image: {IMAGE}:{tag}\nTagbump-Source: o/r@{source}\n{bad}")
    }

    /// v1, v2 with a source, and commits above it that say what they like.
    fn fake() -> FakeCommits {
        let fake = FakeCommits::default();
        fake.commit(1, &[], &[("a.yaml", "v1")]);
        fake.commit(2, &[1], &[("a.yaml", "v2")]);
        fake.says(2, &message("v2", "2222222", &[]));
        fake.commit(3, &[2], &[("a.yaml", "v2 ")]);
        fake.commit(4, &[3], &[("a.yaml", "v2 "), ("b.yaml", "v2")]);
        for forger in [3, 4] {
            fake.says(forger, &message("v2", "6666666", &["v1", "v3"]));
        }
        fake
    }

    #[test]
    fn commit_that_wrote_the_tag_is_believed_alone() {
        assert_eq!(summary(&fake(), 4, change(6, "v2")), "2 2222222--");
    }

    #[test]
    fn tag_set_by_hand_has_no_source() {
        let fake = fake();
        fake.commit(5, &[4], &[("a.yaml", "v3")]);
        fake.says(5, "by hand");
        fake.commit(6, &[5], &[("a.yaml", "v3 ")]);
        fake.says(6, &message("v3", "6666666", &["v2"]));
        assert_eq!(summary(&fake, 6, change(6, "v3")), "5 --");
    }

    #[test]
    fn rollback_is_proven_where_the_tag_was_taken_away() {
        let fake = fake();
        fake.commit(5, &[4], &[("a.yaml", "v1")]);
        fake.says(5, &message("v1", "1111111", &["v2", "v7"]));
        assert_eq!(summary(&fake, 5, change(6, "v1")), "5 1111111-v2-", "v7 was never there");
        fake.commit(6, &[5], &[("a.yaml", "v5")]);
        fake.says(6, &message("v5", "5555555", &["v2", "v1"]));
        assert_eq!(summary(&fake, 6, change(6, "v5")), "6 5555555-v1 v2-", "it repeats the one before");
        fake.commit(7, &[6], &[("a.yaml", "v6")]);
        fake.says(7, &message("v6", "6666666", &["v2"]));
        assert_eq!(summary(&fake, 7, change(6, "v6")), "7 6666666-v2-");
        fake.commit(8, &[7], &[("a.yaml", "v8")]);
        fake.commit(9, &[8], &[("a.yaml", "v9")]);
        fake.says(9, &message("v9", "9999999", &["v2"]));
        assert_eq!(summary(&fake, 9, change(6, "v9")), "9 9999999--", "the one before did not repeat it");
    }

    #[test]
    fn each_reference_of_a_file_has_its_own_commit() {
        let fake = FakeCommits::default();
        fake.commit(1, &[], &[("a.yaml", "v1 v1")]);
        fake.commit(2, &[1], &[("a.yaml", "v2 v1")]);
        fake.says(2, &message("v2", "2222222", &[]));
        fake.commit(3, &[2], &[("a.yaml", "v2 v2")]);
        fake.says(3, &message("v2", "3333333", &["v1"]));
        assert_eq!(summary(&fake, 3, change(6, "v2")), "2 2222222--");
        assert_eq!(summary(&fake, 3, change(13, "v2")), "3 3333333-v1-");
        // there is no such reference
        assert_eq!(summary(&fake, 3, change(7, "v2")), "cut, ");
    }

    #[test]
    fn history_that_is_cut_off_proves_nothing() {
        let fake = fake();
        fake.commits.borrow_mut().remove(&id(1));
        // its parent is missing, so it may not have set the tag
        assert_eq!(summary(&fake, 4, change(6, "v2")), "cut, ");
        fake.says(2, &message("v2", "2222222", &["v3"]));
        assert_eq!(summary(&fake, 4, change(6, "v2")), "cut, v3");
        fake.commit(5, &[4], &[("a.yaml", "v5")]);
        fake.says(5, &message("v5", "5555555", &["v2", "v4"]));
        assert_eq!(summary(&fake, 5, change(6, "v5")), "5 5555555-v2-v4");
    }

    #[test]
    fn messages_say_how_many_commits_are_searched() {
        assert!(SEARCHED_COMMITS.replace(',', "").contains(&format!(" {MAX_SEARCHED_COMMITS} ")));
    }

    #[test]
    fn history_is_looked_through_for_a_thousand_commits() {
        let fake = fake();
        for number in 5..(MAX_SEARCHED_COMMITS + 3) {
            fake.commit(number, &[number - 1], &[("a.yaml", "v2 ")]);
        }
        let last = MAX_SEARCHED_COMMITS + 1;
        assert_eq!(summary(&fake, last, change(6, "v2")), "2 2222222--");
        assert_eq!(summary(&fake, last + 1, change(6, "v2")), "too far");
    }

    #[test]
    fn digest_is_part_of_what_it_says() {
        let digest = |digit: &str| format!("@sha256:{}", digit.repeat(64));
        let fake = FakeCommits::default();
        fake.commit(1, &[], &[("a.yaml", "v1")]);
        fake.commit(2, &[1], &[("a.yaml", "v2")]);
        fake.says(2, &message(&format!("v2{}", digest("0")), "2222222", &[&format!("v1{}", digest("1"))]));
        assert_eq!(summary(&fake, 2, change(6, "v2")), format!("2 2222222-v1{}-", digest("1")));
    }
}
