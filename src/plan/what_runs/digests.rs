//! Digests in scalars of their own, perhaps in another file than the tag, such as a weaker values file. A digest decides what
//! runs, so it changes with the tag, or else the tag must not change.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::super::matched::Match;
use super::super::{Request, TargetIndex, UpdateTarget};
use super::judge::Judge;
use super::winning_place::WinningPlace;
use super::{DigestPlace, FilePlace, Winner, some_images, some_of};
use crate::file_selection::MatchLevel;
use crate::image::Field;
use crate::location::Location;
use crate::manifest::{Refusal, RefusalReason, Rewrite};
use crate::visible::inline;
use crate::yaml::{Change, NodeId};

impl Winner {
    /// What its tag should become, without the digest if that goes elsewhere.
    pub(super) fn target_of_tag<'a>(&self, target: &'a UpdateTarget) -> Cow<'a, UpdateTarget> {
        let is_apart = self.digest_beside.is_none() && self.digests_apart().next().is_some();
        if !is_apart || target.digest == Field::Unspecified {
            return Cow::Borrowed(target);
        }
        Cow::Owned(UpdateTarget { digest: Field::Unspecified, ..target.clone() })
    }

    fn location_of(&self, digest: &DigestPlace) -> Location {
        Location { file: digest.place.path.clone(), line: digest.line, column: None }
    }
}

/// A digest of a winning place, with the edit that changes it.
struct OwnDigest<'a> {
    winner: &'a Winner,
    digest: &'a DigestPlace,
    edit: Match,
}

impl Judge<'_> {
    /// The digests that change with the tags of some matches. A tag is refused if its digest stays as it is, since the old
    /// image would still run, or if the digest is also that of a tag that stays.
    pub(super) fn digests(&self, request: &Request, kept: &mut [Match]) -> Vec<Match> {
        let changed: HashSet<FilePlace> = kept.iter().flat_map(|m| self.changed(m)).collect();
        let tags = self.tags(kept);
        let mut found = BTreeMap::new();
        for m in kept.iter_mut().filter(|m| m.result.is_ok()) {
            let own = match self.digests_of(request, m, &changed, &tags) {
                Ok(own) => own,
                Err(reason) => {
                    m.result = Err(Refusal::new(m.at, reason));
                    continue;
                }
            };
            for OwnDigest { winner, digest, edit } in own {
                for other in self.users(winner, digest) {
                    m.also_sets(&other.outside, other.environments.iter());
                }
                if !changed.contains(&digest.place) {
                    let known = found.entry((m.target, edit.file, edit.at, edit.inner_at)).or_insert(edit);
                    known.also_sets(&m.outside, m.environments.iter().flatten());
                }
            }
        }
        found.into_values().collect()
    }

    /// The digests that must change with a tag, or why one of them can't.
    fn digests_of(
        &self,
        request: &Request,
        m: &Match,
        changed: &HashSet<FilePlace>,
        tags: &HashSet<(TargetIndex, FilePlace)>,
    ) -> Result<Vec<OwnDigest<'_>>, RefusalReason> {
        if let Some(at) = self.digest_of_added(m) {
            return Err(RefusalReason::DigestElsewhere { at, why: None });
        }
        let Some(winner) = self.winner(m) else { return Ok(Vec::new()) };
        if winner.has_unplaced_digest && m.result.as_ref().is_ok_and(Rewrite::is_edit) {
            return Err(RefusalReason::DigestUnplaced);
        }
        let mut own = Vec::new();
        for digest in &winner.digests {
            match self.digest(request, winner, digest) {
                Ok(None) => {}
                Ok(Some(edit)) => match self.users(winner, digest).find_map(|other| left_behind(other, tags))
                {
                    None => own.push(OwnDigest { winner, digest, edit }),
                    Some(others) => {
                        return Err(RefusalReason::SharedDigest { at: winner.location_of(digest), others });
                    }
                },
                // another match changes it
                Err(_) if changed.contains(&digest.place) && digest.feeds.is_empty() => {}
                Err(reason) => return Err(reason),
            }
        }
        Ok(own)
    }

    /// A digest as a match, if it must change; or why it can't.
    fn digest(
        &self,
        request: &Request,
        winner: &Winner,
        digest: &DigestPlace,
    ) -> Result<Option<Match>, RefusalReason> {
        let target = &request.targets[winner.target];
        let path = &digest.place.path;
        let level = target.scope.match_level_of_digest(path);
        let found = self.file_at(path).filter(|_| digest.place.node != NodeId::MAX).and_then(|file| {
            let (parsed, match_level) = (&self.scanned.files[file], level.unwrap_or(MatchLevel::ContextOnly));
            WinningPlace { parsed, file, match_level, winner, target }.digest(digest)
        });
        if found.as_ref().is_some_and(|m| m.result.as_ref().is_ok_and(|rewrite| !rewrite.is_edit())) {
            return Ok(None);
        }
        let at = winner.location_of(digest);
        if !digest.feeds.is_empty() {
            return Err(RefusalReason::SharedDigest { at, others: some_images(&digest.feeds) });
        }
        let Some(found) = found.filter(|_| level.is_some()) else {
            return Err(RefusalReason::DigestElsewhere { at, why: None });
        };
        let why = match &found.result {
            Err(refusal) => Some(refusal.reason.clone()),
            Ok(_) => self.scanned.files[found.file].has_mac().then_some(RefusalReason::HasMac),
        };
        match why {
            Some(why) => Err(RefusalReason::DigestElsewhere { at, why: Some(Box::new(why)) }),
            None => Ok(Some(found)),
        }
    }

    /// Where the digest of an image is that gets its first tag, if that is another place.
    fn digest_of_added(&self, m: &Match) -> Option<Location> {
        let places: Vec<FilePlace> = self.places(m).collect();
        let pinned = self.what_runs.pinned.iter().filter(|_| m.added);
        let mut elsewhere =
            pinned.filter(|(name, digest, _)| places.contains(name) && !places.contains(digest));
        elsewhere.next().map(|(_, _, at)| at.clone())
    }

    /// Other winning places whose roots have the same digest.
    fn users<'s>(&'s self, winner: &'s Winner, digest: &'s DigestPlace) -> impl Iterator<Item = &'s Winner> {
        let all = self.what_runs.winners.iter().chain(&self.what_runs.outside);
        let others = all.filter(|other| other.target == winner.target && !std::ptr::eq(*other, winner));
        others.filter(|other| has(other, &digest.place))
    }

    /// The scalars of the tags that are set.
    fn tags(&self, kept: &[Match]) -> HashSet<(TargetIndex, FilePlace)> {
        let set = kept.iter().filter(|m| m.result.is_ok());
        set.flat_map(|m| self.places(m).map(|place| (m.target, place))).collect()
    }

    /// The scalars that a match changes.
    fn changed(&self, m: &Match) -> Vec<FilePlace> {
        let path = &self.scanned.files[m.file].path;
        let place = |inside: Option<NodeId>, change: &Change| FilePlace {
            path: path.clone(),
            inside,
            node: change.node(),
        };
        let changes = m.result.iter().flat_map(|rewrite| &rewrite.changes);
        let places = changes.map(|change| match change {
            Change::Inside { block, change } => place(Some(*block), change),
            change => place(None, change),
        });
        places.collect()
    }

    /// Warnings about what runs an image that is renamed, and that the rename doesn't reach.
    pub(super) fn left_by_rename(&self, kept: &[Match]) -> Vec<String> {
        let tags = self.tags(kept);
        let has_match = |winner: &&Winner| kept.iter().any(|m| m.target == winner.target);
        let mut left = Vec::new();
        for winner in self.what_runs.of_renamed.iter().filter(has_match) {
            let is_set = winner.own_nodes().any(|place| tags.contains(&(winner.target, place.clone())));
            let stay =
                winner.digests.iter().filter(|digest| !tags.contains(&(winner.target, digest.place.clone())));
            let at = match is_set {
                false => Some(winner.location()),
                true => stay.map(|digest| winner.location_of(digest)).next(),
            };
            let roots = inline(&some_of(&winner.roots));
            left.extend(at.map(|at| {
                format!(
                    "{at}: decides what runs in {roots}, and the rename doesn't change it; change it by hand"
                )
            }));
        }
        left
    }
}

/// Whether a digest belongs to a winning place.
fn has(winner: &Winner, place: &FilePlace) -> bool {
    winner.digests.iter().any(|digest| digest.place == *place)
}

/// The image and roots of a winning place whose tag stays.
fn left_behind(other: &Winner, tags: &HashSet<(TargetIndex, FilePlace)>) -> Option<String> {
    let is_set = other.own_nodes().any(|place| tags.contains(&(other.target, place.clone())));
    let tag = other.tag.as_deref().unwrap_or_default();
    (!other.roots.is_empty() && !is_set)
        .then(|| format!("{} in {}, whose tag stays", inline(tag), inline(&some_of(&other.roots))))
}
