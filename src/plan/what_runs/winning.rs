//! Applies what runs to the matches: keeps those that win, drops weaker ones with a notice, and adds winning places
//! that no rule finds by itself, such as a values file with nothing but the tag.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use super::super::files::ScannedFiles;
use super::super::matched::Match;
use super::super::parsed_file::ParsedFile;
use super::super::{
    FileContent, FileSource, OtherPlace, PlanError, Request, SourceFile, TargetIndex, matching,
};
use super::judge::{Judge, Membership, Verdict};
use super::reports::{Reports, WeakerPlace};
use super::winning_place::set_version;
use super::{MAX_FILE, WhatRuns, Winner, some_images};
use crate::dotenv;
use crate::file_selection::MatchLevel;
use crate::location::Location;
use crate::manifest::{Refusal, RefusalReason};
use crate::visible::inline;
use crate::yaml::scan_until;

/// The matches that set what runs, and those that no root covers.
///
/// # Errors
/// As [`matching::find`], and what the file source reports.
pub fn find(
    source: &dyn FileSource,
    request: &Request,
    scanned: &mut ScannedFiles,
) -> Result<(Vec<Match>, Reports), PlanError> {
    if !source.is_whole() {
        return Ok((matching::find(scanned, request)?, Reports::default()));
    }
    let what_runs = WhatRuns::new(source, request, scanned);
    // what runs is computed only in part then
    if request.cancellation.is_cancelled() {
        return Err(PlanError::Cancelled);
    }
    read_files(source, request, &what_runs, scanned)?;
    scanned.known_places.clone_from(&what_runs.setting);
    if let Some(conflict) = what_runs.conflict {
        return Err(PlanError::InTwoEnvironments(Box::new(conflict)));
    }
    let mut matches = matching::find(scanned, request)?;
    let reports = keep_winners(scanned, request, what_runs, &mut matches);
    Ok((matches, reports))
}

/// Reads the files of winning places, and of their digests, that don't name an image themselves.
fn read_files(
    source: &dyn FileSource,
    request: &Request,
    what_runs: &WhatRuns,
    scanned: &mut ScannedFiles,
) -> Result<(), PlanError> {
    // places in a file count by how it was read
    let winning = winning_paths(what_runs);
    let is_misread = |file: &ParsedFile| what_runs.assigning.contains(&file.path) != file.is_assignments();
    scanned.files.retain(|file| !winning.contains(file.path.as_str()) || !is_misread(file));
    let known: HashSet<&str> = scanned.files.iter().map(|file| file.path.as_str()).collect();
    let paths = winning.into_iter();
    let missing: BTreeSet<String> = paths.filter(|path| !known.contains(path)).map(str::to_owned).collect();
    let selection = request.selection()?;
    for path in missing {
        let Some(FileContent::Bytes(bytes)) = source.read(&path, MAX_FILE)? else { continue };
        let match_level = selection.match_level(&path).unwrap_or(MatchLevel::ContextOnly);
        if what_runs.assigning.contains(&path) {
            let assignments = dotenv::parse(&bytes).unwrap_or_default();
            scanned.files.push(ParsedFile::of_assignments(&path, bytes, &assignments));
        } else if let Ok(yaml) = scan_until(&bytes, &request.cancellation) {
            let file = SourceFile { path: &path, bytes: &bytes, match_level };
            scanned.files.push(ParsedFile::of(&file, yaml));
        }
    }
    scanned.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}

/// The files of winning places, and of their digests.
fn winning_paths(what_runs: &WhatRuns) -> BTreeSet<&str> {
    let paths = what_runs.winners.iter().flat_map(|winner| {
        let digests = winner.digests.iter().map(|digest| digest.place.path.as_str());
        digests.chain([winner.path.as_str()])
    });
    paths.collect()
}

/// Leaves the matches that set what runs, and those that no root covers.
fn keep_winners(
    scanned: &ScannedFiles,
    request: &Request,
    what_runs: WhatRuns,
    matches: &mut Vec<Match>,
) -> Reports {
    let judge = Judge::new(scanned, request, &what_runs);
    let mut sorter = Sorter::new(&judge, request);
    std::mem::take(matches).into_iter().for_each(|m| sorter.take(m));
    let Sorter { mut kept, weaker, replaced, entries, elsewhere, .. } = sorter;
    let (added, unread): (Vec<_>, Vec<_>) =
        judge.new_winners(&kept).partition(|winner| judge.file_of(winner).is_some());
    kept.extend(added.into_iter().filter_map(|winner| judge.addition(request, winner)).collect::<Vec<_>>());
    let digests = judge.digests(request, &mut kept);
    kept.extend(digests);
    kept.sort_by_key(|m| (m.file, m.at));
    let unchanged = judge.left_by_rename(&kept);
    let misread = judge.check_second_readers(request, &mut kept);
    *matches = kept;
    let unread: Vec<String> = unread.into_iter().map(unread_file).collect();
    let reports = Reports::new(request, scanned, what_runs, weaker, entries, matches);
    reports
        .with_warnings(unread)
        .with_warnings(misread)
        .with_warnings(unchanged)
        .with_replaced_values(replaced, matches)
        .with_other_environments(request, elsewhere, matches)
}

/// Sorts matches by what becomes of them.
struct Sorter<'a> {
    judge: &'a Judge<'a>,
    request: &'a Request,
    kept: Vec<Match>,
    /// Those that a stronger place overrides, and where they are.
    weaker: Vec<WeakerPlace>,
    /// Those in values that stronger ones replace.
    replaced: Vec<(TargetIndex, Location)>,
    /// Notices about entries of kustomizations.
    entries: Vec<String>,
    /// Those of other environments.
    elsewhere: Vec<(TargetIndex, OtherPlace)>,
}

impl<'a> Sorter<'a> {
    fn new(judge: &'a Judge<'a>, request: &'a Request) -> Self {
        let elsewhere = judge.what_runs.outside.iter().map(Winner::other_place).collect();
        let (kept, weaker, replaced, entries) = Default::default();
        Sorter { judge, request, kept, weaker, replaced, entries, elsewhere }
    }

    fn take(&mut self, mut m: Match) {
        let winner = self.judge.winner(&m);
        if self.judge.is_replaced_by_part(&m, winner) || self.judge.is_in_known_text(&m) {
            return;
        }
        let verdict = self.judge.verdict(&m, winner.is_some(), &self.request.targets[m.target]);
        if winner.is_none() && verdict.keeps() && !self.is_of_environment(&mut m) {
            return;
        }
        match verdict {
            Verdict::Keep => match winner {
                Some(winner) => self.keep_winner(m, winner),
                None => self.keep(Match { unused: self.judge.is_unmatched(&m), ..m }),
            },
            Verdict::KeepUnused(notice) => {
                self.entries.push(notice);
                self.keep(Match { unused: true, ..m });
            }
            Verdict::SetsOthers(others) => {
                // no container runs it under this name
                let reason = RefusalReason::SetsOthers { others: some_images(&others), runs_itself: false };
                let result = Err(Refusal::new(m.at, reason));
                self.keep(Match { result, unused: true, ..m });
            }
            Verdict::Unused(notice) => self.entries.push(notice),
            Verdict::EmptyTag => {}
            Verdict::ReplacedValue => {
                self.replaced.push((m.target, self.judge.scanned.files[m.file].place_of(&m)));
            }
            Verdict::Weaker(overridden) => {
                self.weaker.push((m.target, self.judge.scanned.files[m.file].place_of(&m), overridden));
            }
        }
    }

    /// Whether a match that isn't a winning place belongs to the request's environments. Notes roots of others that it sets too.
    fn is_of_environment(&mut self, m: &mut Match) -> bool {
        match self.judge.membership(m, self.request) {
            Membership::Counts { outside } => {
                m.outside = outside;
                true
            }
            Membership::Outside { environment } => {
                let at = self.judge.scanned.files[m.file].place_of(m);
                self.elsewhere.push((m.target, OtherPlace { at, environment }));
                false
            }
            Membership::WinsOutside => false,
        }
    }

    fn keep_winner(&mut self, mut m: Match, winner: &Winner) {
        if matches!(winner.target_of_tag(&self.request.targets[m.target]), Cow::Owned(_)) {
            m = self.judge.addition(self.request, winner).unwrap_or(m);
        }
        set_version(&mut m, winner);
        m.environments = Some(winner.environments.clone());
        self.keep(m);
    }

    fn keep(&mut self, m: Match) {
        self.kept.push(m);
    }
}

fn unread_file(winner: &Winner) -> String {
    let Winner { path, line, roots, .. } = winner;
    let (path, roots) = (inline(path), inline(&roots.join(", ")));
    format!("{path}:{line}: sets what runs in {roots}, and the file can't be read; change it by hand")
}
