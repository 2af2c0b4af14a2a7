//! Digests of images that have their tag elsewhere, as in a weaker values file. A digest decides what runs, so it changes
//! with the tag, or else the tag must not change.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::matched::Match;
use super::super::{Request, UpdateTarget};
use super::winning::Judge;
use super::winning_place::WinningPlace;
use super::{DigestApart, FilePlace, Winner, some_of};
use crate::image::Field;
use crate::location::Location;
use crate::manifest::{Refusal, RefusalReason};
use crate::yaml::{Change, NodeId};

impl Winner {
    /// What its tag should become, without the digest if that goes elsewhere.
    pub(super) fn target_of_tag<'a>(&self, target: &'a UpdateTarget) -> Cow<'a, UpdateTarget> {
        if self.digests_apart.is_empty() || target.digest == Field::Unspecified {
            return Cow::Borrowed(target);
        }
        Cow::Owned(UpdateTarget { digest: Field::Unspecified, ..target.clone() })
    }
}

impl Judge<'_> {
    /// The digests that change with the tags of some matches. A tag is refused if its digest stays as it is: the old image
    /// would still run.
    pub(super) fn digests_apart(&self, request: &Request, kept: &mut [Match]) -> Vec<Match> {
        let mut changed: HashSet<FilePlace> = kept.iter().flat_map(|m| self.changed(m)).collect();
        let mut found = Vec::new();
        for m in kept.iter_mut().filter(|m| m.result.is_ok()) {
            let Some(winner) = self.winner(m) else { continue };
            for digest in &winner.digests_apart {
                match self.digest(request, winner, digest) {
                    Ok(one) if one.result.as_ref().is_ok_and(|rewrite| rewrite.is_edit()) => {
                        found.extend(changed.insert(digest.place.clone()).then_some(one));
                    }
                    Ok(_) => {}
                    Err(reason) if changed.contains(&digest.place) => drop(reason),
                    Err(reason) => m.result = Err(Refusal::new(m.at, reason)),
                }
            }
        }
        found
    }

    /// A digest as a match, or why it must stay as it is.
    fn digest(
        &self,
        request: &Request,
        winner: &Winner,
        digest: &DigestApart,
    ) -> Result<Match, RefusalReason> {
        if !digest.feeds.is_empty() {
            return Err(RefusalReason::SetsOthers { others: some_of(&digest.feeds), runs_itself: true });
        }
        let target = &request.targets[winner.target];
        let path = &digest.place.path;
        let found =
            self.file_at(path).zip(target.scope.standing_of_any(path)).and_then(|(file, match_level)| {
                let parsed = &self.survey.files[file];
                WinningPlace { parsed, file, match_level, winner, target }.digest(digest)
            });
        let at = Location { file: path.clone(), line: digest.line, column: None };
        let found = found
            .filter(|m| m.result.is_ok() && digest.place.node != NodeId::MAX)
            .ok_or(RefusalReason::DigestElsewhere { at })?;
        let outside = self.what_runs.outside.iter().filter(|other| other.nodes.contains(&digest.place));
        Ok(Match { outside: outside.flat_map(|other| other.outside.clone()).collect(), ..found })
    }

    /// The scalars that a match changes.
    fn changed(&self, m: &Match) -> Vec<FilePlace> {
        let path = &self.survey.files[m.file].path;
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
}
