//! Finds the references that a request matches, checks that changing them is safe, and makes the edits.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::files::ScannedFiles;
use super::held;
use super::indexes::{FieldPosition, FileIndex};
use super::matched::{Match, MatchOwner};
use super::parsed_file::ParsedFile;
use super::unparsed::stopped_at;
use super::{
    ChangedReference, FieldTarget, FileEdit, MatchedValue, Plan, PlanError, RefusedReference, Request,
    SharedPlace, TargetIndex, UpdateTarget, shared,
};
use crate::dotenv;
use crate::file_selection::MatchLevel;
use crate::image::{Field, same_image};
use crate::manifest::{Reference, ReferenceSyntax, Refusal, RefusalReason, Rewrite, is_override};
use crate::yaml::{Change, EditBlocker, EditError, FieldPath, NodeId, apply};

/// Every reference that matches, in the order of files and text. For `A=B`: if an A is found, any B is a
/// different image; if none is found, the image is already renamed to B.
pub(super) fn find(scanned: &ScannedFiles, request: &Request) -> Result<Vec<Match>, PlanError> {
    let matches = by_rules_and_fields(scanned, request);
    check_matched_once(scanned, request, &matches)?;
    Ok(settled(scanned, request, matches))
}

/// As [`find`], for a request that changes nothing: one place can then be of several targets, such as a variable that gives two
/// images their tags.
pub(super) fn find_to_read(scanned: &ScannedFiles, request: &Request) -> Vec<Match> {
    settled(scanned, request, by_rules_and_fields(scanned, request))
}

fn settled(scanned: &ScannedFiles, request: &Request, mut matches: Vec<Match>) -> Vec<Match> {
    let by_old: HashSet<TargetIndex> = matches.iter().filter(|m| !m.by_new_name).map(|m| m.target).collect();
    matches.retain(|m| !m.by_new_name || !by_old.contains(&m.target));
    for of_one_file in matches.chunk_by_mut(|a, b| a.file == b.file) {
        if let Some(file) = of_one_file.first().map(|m| m.file) {
            let same = |one, other| one == other || sets_same_text(request, one, other);
            shared::resolve_shared_values(&scanned.files[file], of_one_file, &same);
        }
    }
    matches
}

/// Whether two targets set a value that both use to the same text.
fn sets_same_text(request: &Request, one: TargetIndex, other: TargetIndex) -> bool {
    let [one, other] = [one, other].map(|target| &request.targets[target]);
    let is_renamed = one.new_name != Field::Unspecified || other.new_name != Field::Unspecified;
    one.tag.is_some() && one.tag == other.tag && one.digest == other.digest && !is_renamed
}

fn by_rules_and_fields(scanned: &ScannedFiles, request: &Request) -> Vec<Match> {
    let mut matches = Vec::new();
    for (file, parsed) in FileIndex::each(&scanned.files) {
        let fields = by_fields(file, parsed, request);
        let parts: HashSet<_> = fields.iter().filter(|m| m.is_part()).flat_map(Match::scalars).collect();
        // a rule reads the text as a whole
        let rules = by_rules(file, parsed, request).into_iter();
        matches.extend(rules.filter(|m| !m.scalars().any(|scalar| parts.contains(&scalar))));
        matches.extend(fields);
    }
    matches.sort_by_key(|m| (m.file, m.at));
    matches
}

fn by_rules(file: FileIndex, parsed: &ParsedFile, request: &Request) -> Vec<Match> {
    let targets = TargetIndex::each(&request.targets);
    let selecting = targets.filter_map(|(target, w)| Some((target, w, w.scope.match_level(&parsed.path)?)));
    let each = selecting.flat_map(|(target, w, match_level)| {
        let found = parsed.references(match_level).iter().filter(|r| request.add || !is_untagged(r));
        let matching = found.filter(|r| r.matches(&w.name, &w.new_name));
        let owner = MatchOwner { file, target, match_level };
        matching.map(move |reference| match_of(parsed, owner, reference, w))
    });
    each.collect()
}

/// The fields that the user named, unless a rule already finds the same place for the same target.
fn by_fields(file: FileIndex, parsed: &ParsedFile, request: &Request) -> Vec<Match> {
    let targets: HashSet<TargetIndex> = parsed.fields.iter().map(|places| places.field.target).collect();
    let rules = targets.iter().flat_map(|&target| {
        let nodes = nodes_by_rule(parsed, &request.targets[target]).into_iter();
        nodes.map(move |node| (target, node))
    });
    let by_rule: HashSet<(TargetIndex, NodeId)> = rules.collect();
    let all =
        parsed.fields.iter().flat_map(|places| places.references.iter().map(move |r| (places.field, r)));
    let is_new = |(field, r): &(FieldPosition, &Reference)| {
        let is_part = matches!(r.syntax, ReferenceSyntax::Part { .. });
        is_part || !r.slots().iter().any(|slot| by_rule.contains(&(field.target, slot.node)))
    };
    all.filter(is_new)
        .map(|(FieldPosition { target, nth }, reference)| {
            let owner = MatchOwner { file, target, match_level: MatchLevel::Explicit };
            let wanted = &request.targets[target];
            let field = wanted.scope.fields.get(nth).map(FieldTarget::place_path);
            Match { field, ..match_of(parsed, owner, reference, wanted) }
        })
        .collect()
}

/// Every node that a rule finds for a target.
fn nodes_by_rule(parsed: &ParsedFile, target: &UpdateTarget) -> Vec<NodeId> {
    let Some(match_level) = target.scope.match_level(&parsed.path) else { return Vec::new() };
    let found = parsed.references(match_level).iter().filter(|r| r.matches(&target.name, &target.new_name));
    found.flat_map(Reference::slots).map(|slot| slot.node).collect()
}

/// Rejects a place that two targets match, since each would set it to a different value.
fn check_matched_once(scanned: &ScannedFiles, request: &Request, matches: &[Match]) -> Result<(), PlanError> {
    let mut places: HashMap<(FileIndex, Vec<NodeId>), TargetIndex> = HashMap::new();
    for m in matches {
        let set = m.result.iter().flat_map(|rewrite| &rewrite.changes).map(Change::path);
        for path in set.chain([m.path()]) {
            let other = *places.entry((m.file, path)).or_insert(m.target);
            if other != m.target {
                let label = |target: TargetIndex| request.targets[target].label().to_owned();
                let at = scanned.files[m.file].place_of(m);
                return Err(PlanError::MatchedTwice { one: label(other), other: label(m.target), at });
            }
        }
    }
    Ok(())
}

fn is_untagged(reference: &Reference) -> bool {
    matches!(reference.syntax, ReferenceSyntax::BlockWithoutTag { .. })
}

/// A reference as a match of a target, with the edit that brings it up to date.
pub(super) fn match_of(
    parsed: &ParsedFile,
    owner: MatchOwner,
    reference: &Reference,
    wanted: &UpdateTarget,
) -> Match {
    Match {
        nodes: reference.places(),
        added: is_untagged(reference),
        overrides: is_override(reference),
        report_only: parsed.is_report_only(reference),
        follows: matches!(reference.syntax, ReferenceSyntax::Digest(_)),
        by_new_name: reference.kustomize_name.is_none() && !same_image(&reference.image, &wanted.name),
        ..Match::of_reference(parsed, owner, reference, parsed.rewrite(reference, &wanted.desired()))
    }
}

/// Checks that every field that the user named exists.
pub(super) fn check_fields(scanned: &ScannedFiles, request: &Request) -> Result<(), PlanError> {
    for (target, wanted) in TargetIndex::each(&request.targets) {
        // a field outside the files given with -f doesn't have to exist
        let asked = |nth: usize| {
            let everywhere = wanted.scope.within.is_none() && wanted.scope.only.is_none();
            everywhere || scanned.looked_for.contains(&FieldPosition { target, nth })
        };
        let missing = |(nth, _): &(usize, &FieldTarget)| {
            asked(*nth) && !scanned.fields.contains(&FieldPosition { target, nth: *nth })
        };
        if let Some((_, field)) = wanted.scope.fields.iter().enumerate().find(missing) {
            let (files, path) = (field.files.to_string(), field.path.as_str().to_owned());
            return Err(PlanError::FieldNotFound { files, path });
        }
    }
    Ok(())
}

/// Refuses every edit in a file whose MAC it would break.
pub(super) fn refuse_broken_macs(scanned: &ScannedFiles, matches: &mut [Match]) {
    for m in matches.iter_mut().filter(|m| scanned.files[m.file].has_mac()) {
        if m.result.as_ref().is_ok_and(Rewrite::is_edit) {
            m.result = Err(Refusal::new(m.at, RefusalReason::HasMac));
        }
    }
}

/// The targets that match nothing.
pub(super) fn missing(request: &Request, matches: &[Match]) -> Vec<TargetIndex> {
    let targets = TargetIndex::each(&request.targets).map(|(target, _)| target);
    targets.filter(|target| !matches.iter().any(|m| m.target == *target)).collect()
}

/// Checks that the matches can be edited, that their number is the expected one, and that the target is
/// unambiguous.
pub(super) fn check(scanned: &ScannedFiles, request: &Request, matches: &[Match]) -> Result<(), PlanError> {
    check_environments(scanned, request, matches)?;
    check_editable(scanned, request, matches)?;
    match request.expect {
        Some(expected) => check_count(scanned, matches, expected),
        None => check_unambiguous(scanned, request, matches),
    }
}

/// Fails if none of a target's matches can be edited, or one in a file that was named.
fn check_editable(scanned: &ScannedFiles, request: &Request, matches: &[Match]) -> Result<(), PlanError> {
    for (target, _) in TargetIndex::each(&request.targets) {
        let of_target = || matches.iter().filter(move |m| m.target == target && !request.keeps(m));
        let refused: Vec<_> = of_target().filter(|m| m.result.is_err()).collect();
        let named = refused.iter().any(|m| m.match_level == MatchLevel::Explicit);
        if !refused.is_empty() && (named || refused.len() == of_target().count()) {
            let refused = refused
                .iter()
                .filter_map(|m| Some(refused_reference(&scanned.files[m.file], m.result.as_ref().err()?)));
            return Err(PlanError::NotEditable(refused.collect()));
        }
    }
    Ok(())
}

fn check_count(scanned: &ScannedFiles, matches: &[Match], expected: usize) -> Result<(), PlanError> {
    let is_own = |m: &&Match| m.result.is_ok() && !m.follows;
    if matches.iter().filter(is_own).filter(|m| !m.report_only).count() == expected {
        return Ok(());
    }
    let found = matches.iter().filter(is_own).map(|m| value(scanned, m)).collect();
    Err(PlanError::WrongCount { expected, found })
}

/// Fails if the matches of a target have different tags, unless the user chose them, or wants all of them.
fn check_unambiguous(scanned: &ScannedFiles, request: &Request, matches: &[Match]) -> Result<(), PlanError> {
    let may_be_ambiguous = |target: &UpdateTarget| !request.all && !target.scope.is_chosen();
    for (target, wanted) in TargetIndex::each(&request.targets).filter(|(_, w)| may_be_ambiguous(w)) {
        let counts = |m: &&Match| {
            let counts = !m.added && !m.report_only && !m.follows;
            m.target == target && counts && m.has_known_tag() && !request.keeps(m)
        };
        let mut places: Vec<_> = matches.iter().filter(counts).collect();
        // what no container uses says nothing about what runs, unless there is nothing else
        if places.iter().any(|m| !m.unused) {
            places.retain(|m| !m.unused);
        }
        // what can't be edited may lag behind a bump that is done
        let is_done = !places.iter().any(|m| m.result.as_ref().is_ok_and(Rewrite::is_edit));
        let counted = places.iter().filter(|m| m.result.is_ok() || !is_done);
        let tags: HashSet<_> = counted.flat_map(|m| m.all_versions()).collect();
        if tags.len() > 1 {
            let found = places.iter().flat_map(|m| values(scanned, m)).collect();
            return Err(PlanError::DifferentTags { image: wanted.name.clone(), found });
        }
    }
    Ok(())
}

/// Checks that no match sets what runs in other environments.
fn check_environments(scanned: &ScannedFiles, request: &Request, matches: &[Match]) -> Result<(), PlanError> {
    let shared = matches.iter().filter(|m| !m.outside.is_empty()).map(|m| SharedPlace {
        at: scanned.files[m.file].place_of(m),
        image: request.targets[m.target].name.clone(),
        others: m.outside.clone(),
        can_add: m.is_of_kustomization(),
    });
    let shared: Vec<SharedPlace> = shared.collect();
    if shared.is_empty() { Ok(()) } else { Err(PlanError::SharedEnvironments(shared)) }
}

/// Makes the edits, all edits of a file at once.
pub(super) fn write(
    scanned: &ScannedFiles,
    request: &Request,
    matches: Vec<Match>,
) -> Result<Plan, PlanError> {
    let mut plan = Plan { targets: request.targets.clone(), ..Plan::default() };
    let skips: HashSet<_> =
        request.skip.iter().map(|skip| (skip.target, skip.file.as_str(), skip.from.as_deref())).collect();
    let mut by_file: BTreeMap<FileIndex, Vec<(Match, Rewrite)>> = BTreeMap::new();
    for mut m in matches {
        match std::mem::replace(&mut m.result, Ok(Rewrite::default())) {
            Ok(rewrite) if is_skipped(scanned, &skips, &m, &rewrite) => plan.left += 1,
            Ok(rewrite) if request.keeps(&m) => held::note(scanned, &m, &rewrite, &mut plan),
            Ok(rewrite) => {
                held::note(scanned, &m, &rewrite, &mut plan);
                by_file.entry(m.file).or_default().push((m, rewrite));
            }
            Err(_) if request.keeps(&m) => {}
            Err(refusal) => {
                let refused =
                    refused_reference(&scanned.files[m.file], &Refusal { written_at: None, ..refusal });
                plan.warnings.push(skipped(&refused));
            }
        }
    }
    for (file, matches) in by_file {
        edit(&scanned.files[file], request, matches, &mut plan)?;
    }
    Ok(plan)
}

/// Target, file, and the current tag and digest; `None` skips a reference whatever it has now.
type SkippedReferences<'a> = HashSet<(TargetIndex, &'a str, Option<&'a str>)>;

/// Whether to skip a reference that would change.
fn is_skipped(scanned: &ScannedFiles, skips: &SkippedReferences<'_>, m: &Match, rewrite: &Rewrite) -> bool {
    let path = scanned.files[m.file].path.as_str();
    let is_listed = |from: Option<&str>| skips.contains(&(m.target, path, from));
    rewrite.is_edit() && (is_listed(Some(&rewrite.from)) || is_listed(None))
}

fn edit(
    parsed: &ParsedFile,
    request: &Request,
    matches: Vec<(Match, Rewrite)>,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let mut seen = HashSet::new();
    let all = matches.iter().flat_map(|(_, rewrite)| &rewrite.changes);
    let changes: Vec<Change> = all.filter(|change| seen.insert(*change)).cloned().collect();
    if !matches.iter().any(|(_, rewrite)| rewrite.is_edit()) {
        return Ok(());
    }
    let after = match parsed.is_assignments() {
        true => assign(parsed, &changes)?,
        false => apply(&parsed.bytes, &parsed.yaml, &changes).map_err(|e| edit_error(parsed, &e))?,
    };
    for (m, rewrite) in matches.into_iter().filter(|(_, rewrite)| rewrite.is_edit()) {
        let place = parsed.place_of(&m);
        let image = renamed(&request.targets[m.target], &m.image);
        let renamed = !same_image(&image, &m.image) && !m.added;
        plan.warnings.extend(rewrite.warning.map(|warning| format!("{place}: {warning}")));
        plan.changes.push(ChangedReference {
            file: parsed.path.clone(),
            line: m.line,
            kind: m.kind,
            target: m.target,
            field: m.field,
            renamed_from: renamed.then_some(m.image),
            image,
            from: rewrite.from,
            to: rewrite.to,
            dropped_digest: rewrite.dropped_digest,
            left_out_digest: rewrite.left_out_digest,
        });
    }
    plan.edits.push(FileEdit { path: parsed.path.clone(), before: parsed.bytes.clone(), after });
    Ok(())
}

/// Sets the values of a file of assignments, whose nodes are numbered as they are.
fn assign(parsed: &ParsedFile, changes: &[Change]) -> Result<Vec<u8>, PlanError> {
    changes.iter().try_fold(parsed.bytes.clone(), |bytes, change| {
        let Change::SetPart { node, range, value } = change else { return Ok(bytes) };
        dotenv::set(&bytes, *node, range.clone(), value).map_err(|error| {
            let reason = RefusalReason::Fixed { reason: format!("the value {error}") };
            PlanError::NotEditable(vec![refused_reference(parsed, &Refusal::new(*node, reason))])
        })
    })
}

fn renamed(target: &UpdateTarget, image: &str) -> String {
    match &target.new_name {
        Field::Set(new) => new.clone(),
        Field::Unspecified | Field::Keep => image.to_owned(),
    }
}

fn edit_error(parsed: &ParsedFile, error: &EditError) -> PlanError {
    let refused = |refusal: Refusal| PlanError::NotEditable(vec![refused_reference(parsed, &refusal)]);
    match error {
        EditError::Refused { node, obstacle } => refused(Refusal::blocked(*node, "the value", *obstacle)),
        EditError::Overlap { node } => {
            let part = "two changes meet here; this place";
            refused(Refusal::blocked(*node, part, EditBlocker::Unplaced))
        }
        EditError::VerificationFailed => match parsed.yaml.check() {
            Err(stopped) => stopped_at(&parsed.path, stopped),
            Ok(()) => PlanError::NotVerified { file: parsed.path.clone() },
        },
    }
}

fn refused_reference(parsed: &ParsedFile, refusal: &Refusal) -> RefusedReference {
    RefusedReference {
        at: parsed.exact_place(refusal.at),
        written_at: refusal.written_at.map(|node| parsed.exact_place(node)),
        reason: refusal.reason.clone(),
        sops_path: FieldPath::for_sops(&parsed.yaml, refusal.at),
    }
}

/// A warning about a reference that the bump can do without.
fn skipped(refused: &RefusedReference) -> String {
    format!("{}: skipped: {}; {}", refused.at, refused.reason, refused.reason.advice())
}

/// Each version that a match runs.
fn values<'a>(scanned: &'a ScannedFiles, m: &'a Match) -> impl Iterator<Item = MatchedValue> + 'a {
    m.all_versions()
        .into_iter()
        .map(|version| MatchedValue { version: version.map(str::to_owned), ..value(scanned, m) })
}

fn value(scanned: &ScannedFiles, m: &Match) -> MatchedValue {
    let at = scanned.files[m.file].place_of(m);
    MatchedValue { at, image: m.image.clone(), version: m.version().map(str::to_owned) }
}
