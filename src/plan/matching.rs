//! Which references a request means, whether that is safe to act on, and the edits that follow.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::files::Survey;
use super::matched::Match;
use super::parsed::Parsed;
use super::unparsed::stopped_at;
use super::{ChangedReference, Field, FileEdit, Plan, Request, Want, messages, shared};
use crate::error::Result;
use crate::image::{Part, same_image};
use crate::manifest::{Form, Reference, Refusal, Rewrite, Wanted, is_override, rewrite};
use crate::select::Standing;
use crate::yaml::{Change, EditError, NodeId, Obstacle, apply};

/// Every reference that is meant, in the order of files and text. Where `A=B` finds an A, a B is another
/// image; where it finds none, the renaming has been done.
pub(super) fn find(survey: &Survey, request: &Request) -> Result<Vec<Match>> {
    let mut matches = meant(survey, request)?;
    let by_old: HashSet<usize> = matches.iter().filter(|m| !m.by_new_name).map(|m| m.want).collect();
    matches.retain(|m| !m.by_new_name || !by_old.contains(&m.want));
    for of_one_file in matches.chunk_by_mut(|a, b| a.file == b.file) {
        let file = of_one_file.first().map_or(0, |m| m.file);
        shared::settle(&survey.files[file], of_one_file);
    }
    Ok(matches)
}

fn meant(survey: &Survey, request: &Request) -> Result<Vec<Match>> {
    let mut matches = Vec::new();
    for (file, parsed) in survey.files.iter().enumerate() {
        matches.extend(by_rules(file, parsed, request));
        matches.extend(by_fields(file, parsed, request));
    }
    matches.sort_by_key(|m| (m.file, m.at));
    check_meant_once(survey, request, &matches)?;
    Ok(matches)
}

fn by_rules(file: usize, parsed: &Parsed, request: &Request) -> Vec<Match> {
    let wants = request.wants.iter().enumerate();
    let standing = wants.filter_map(|(want, w)| Some((want, w, w.scope.standing(&parsed.path)?)));
    let each = standing.flat_map(|(want, w, standing)| {
        let found = parsed.references(standing).iter().filter(|r| request.add || !is_untagged(r));
        let meant = found.filter(|r| r.is_meant_by(&w.name, &w.new_name));
        meant.map(move |reference| one(parsed, Meant { file, want, standing, reference }, w))
    });
    each.collect()
}

/// The fields that were named, unless a rule finds the same place for the same want.
fn by_fields(file: usize, parsed: &Parsed, request: &Request) -> Vec<Match> {
    let wants: HashSet<usize> = parsed.fields.iter().map(|places| places.want).collect();
    let rules = wants.iter().flat_map(|&want| {
        let nodes = nodes_by_rule(parsed, &request.wants[want]).into_iter();
        nodes.map(move |node| (want, node))
    });
    let by_rule: HashSet<(usize, NodeId)> = rules.collect();
    let all = parsed.fields.iter().flat_map(|places| places.references.iter().map(move |r| (places.want, r)));
    all.filter(|(want, r)| !r.slots().iter().any(|slot| by_rule.contains(&(*want, slot.node))))
        .map(|(want, reference)| {
            let meant = Meant { file, want, standing: Standing::Named, reference };
            one(parsed, meant, &request.wants[want])
        })
        .collect()
}

/// Every node that a rule finds for a want.
fn nodes_by_rule(parsed: &Parsed, want: &Want) -> Vec<NodeId> {
    let Some(standing) = want.scope.standing(&parsed.path) else { return Vec::new() };
    let found = parsed.references(standing).iter().filter(|r| r.is_meant_by(&want.name, &want.new_name));
    found.flat_map(Reference::slots).map(|slot| slot.node).collect()
}

/// One place can't be two wants': each would set it to something of its own.
fn check_meant_once(survey: &Survey, request: &Request, matches: &[Match]) -> Result<()> {
    let mut places: HashMap<(usize, NodeId), usize> = HashMap::new();
    for m in matches {
        let set = m.result.iter().flat_map(|rewrite| &rewrite.changes).map(Change::node);
        for node in set.chain([m.at]) {
            let other = *places.entry((m.file, node)).or_insert(m.want);
            if other != m.want {
                let place = survey.files[m.file].place(m.at);
                return Err(messages::meant_twice(&request.wants[other], &request.wants[m.want], &place));
            }
        }
    }
    Ok(())
}

fn is_untagged(reference: &Reference) -> bool {
    matches!(reference.form, Form::Untagged { .. })
}

/// A reference that a want means.
struct Meant<'a> {
    file: usize,
    want: usize,
    standing: Standing,
    reference: &'a Reference,
}

fn one(parsed: &Parsed, meant: Meant<'_>, wanted: &Want) -> Match {
    let Meant { file, want, standing, reference } = meant;
    let wish = Wanted {
        name: &wanted.name,
        new_name: &wanted.new_name,
        tag: wanted.tag.as_ref(),
        digest: &wanted.digest,
    };
    Match {
        file,
        want,
        standing,
        at: reference.at,
        kind: reference.kind,
        image: reference.image.clone(),
        tag: reference.tag.clone(),
        digest: reference.digest.clone(),
        added: is_untagged(reference),
        overrides: is_override(reference),
        only_told: matches!(reference.form, Form::Embedded { .. }),
        by_new_name: reference.original.is_none() && !same_image(&reference.image, &wanted.name),
        result: rewrite(&parsed.tape, reference, &wish),
    }
}

/// Whether every field that was named is there.
pub(super) fn check_fields(survey: &Survey, request: &Request) -> Result<()> {
    for (want, wanted) in request.wants.iter().enumerate() {
        // a field that the typed -f leaves out is not asked for
        let asked = |nth: usize, field: &Field| {
            let everywhere = field.within.is_none() && wanted.scope.only.is_none();
            everywhere || survey.looked_for.contains(&(want, nth))
        };
        let missing =
            |(nth, field): &(usize, &Field)| asked(*nth, field) && !survey.fields.contains(&(want, *nth));
        if let Some((_, field)) = wanted.scope.fields.iter().enumerate().find(missing) {
            return Err(messages::no_field(field));
        }
    }
    Ok(())
}

/// The wants that nothing matches.
pub(super) fn missing(request: &Request, matches: &[Match]) -> Vec<usize> {
    (0..request.wants.len()).filter(|&want| !matches.iter().any(|m| m.want == want)).collect()
}

/// Whether the matches are what the user can have meant.
pub(super) fn check(survey: &Survey, request: &Request, matches: &[Match]) -> Result<()> {
    for want in 0..request.wants.len() {
        let of_want = || matches.iter().filter(move |m| m.want == want);
        let refused: Vec<_> = of_want().filter(|m| m.result.is_err()).collect();
        let named = refused.iter().any(|m| m.standing == Standing::Named);
        if !refused.is_empty() && (named || refused.len() == of_want().count()) {
            return Err(messages::refused(survey, &refused));
        }
    }
    let live = || matches.iter().filter(|m| m.result.is_ok() && !m.only_told);
    if let Some(expected) = request.expect {
        let count = live().count();
        return if count == expected { Ok(()) } else { Err(messages::unexpected(survey, matches, expected)) };
    }
    let ambiguous = |want: &Want| !request.all && !want.scope.is_chosen();
    for (want, wanted) in request.wants.iter().enumerate().filter(|(_, w)| ambiguous(w)) {
        let places: Vec<_> = live().filter(|m| m.want == want && !m.added).collect();
        let tags: HashSet<_> = places.iter().map(|m| m.tag.as_deref()).collect();
        if tags.len() > 1 {
            return Err(messages::different_tags(survey, wanted, &places));
        }
    }
    Ok(())
}

/// Makes the edits, each file's at once.
pub(super) fn write(survey: &Survey, request: &Request, matches: Vec<Match>) -> Result<Plan> {
    let mut plan = Plan { wants: request.wants.clone(), ..Plan::default() };
    let leaves: HashSet<_> =
        request.leave.iter().map(|l| (l.want, l.file.as_str(), l.from.as_deref())).collect();
    let mut by_file: BTreeMap<usize, Vec<(Match, Rewrite)>> = BTreeMap::new();
    for mut m in matches {
        match std::mem::replace(&mut m.result, Ok(Rewrite::default())) {
            Ok(rewrite) if is_left(survey, &leaves, &m, &rewrite) => plan.left += 1,
            Ok(rewrite) => by_file.entry(m.file).or_default().push((m, rewrite)),
            Err(refusal) => plan.warnings.push(messages::left_alone(&survey.files[m.file], &refusal)),
        }
    }
    for (file, matches) in by_file {
        edit(&survey.files[file], request, matches, &mut plan)?;
    }
    Ok(plan)
}

/// Want, file, and what references there say now: nothing stands for whatever they say.
type Leaves<'a> = HashSet<(usize, &'a str, Option<&'a str>)>;

/// Whether a reference that would change is to be left alone.
fn is_left(survey: &Survey, leaves: &Leaves<'_>, m: &Match, rewrite: &Rewrite) -> bool {
    let path = survey.files[m.file].path.as_str();
    let is_meant = |from: Option<&str>| leaves.contains(&(m.want, path, from));
    !rewrite.changes.is_empty() && (is_meant(Some(&rewrite.from)) || is_meant(None))
}

fn edit(parsed: &Parsed, request: &Request, matches: Vec<(Match, Rewrite)>, plan: &mut Plan) -> Result<()> {
    let mut seen = HashSet::new();
    let all = matches.iter().flat_map(|(_, rewrite)| &rewrite.changes);
    let changes: Vec<Change> = all.filter(|change| seen.insert(*change)).cloned().collect();
    if changes.is_empty() {
        return Ok(());
    }
    let after = apply(&parsed.bytes, &parsed.tape, &changes).map_err(|e| edit_failure(parsed, &e))?;
    for (m, rewrite) in matches.into_iter().filter(|(_, rewrite)| !rewrite.changes.is_empty()) {
        let place = parsed.place(m.at);
        let image = renamed(&request.wants[m.want], &m.image);
        let renamed = !same_image(&image, &m.image) && !m.added;
        plan.warnings.extend(rewrite.warning.map(|warning| format!("{place}: {warning}")));
        plan.changes.push(ChangedReference {
            file: parsed.path.clone(),
            line: parsed.tape.node(m.at).line,
            kind: m.kind,
            want: m.want,
            renamed_from: renamed.then_some(m.image),
            image,
            from: rewrite.from,
            to: rewrite.to,
            dropped_digest: rewrite.dropped_digest,
        });
    }
    plan.edits.push(FileEdit { path: parsed.path.clone(), before: parsed.bytes.clone(), after });
    Ok(())
}

fn renamed(want: &Want, image: &str) -> String {
    match &want.new_name {
        Part::Set(new) => new.clone(),
        Part::Unsaid | Part::Keep => image.to_owned(),
    }
}

fn edit_failure(parsed: &Parsed, error: &EditError) -> crate::error::Failure {
    match error {
        EditError::Refused { node, obstacle } => {
            messages::refusal(parsed, &Refusal::new(*node, "the value", *obstacle))
        }
        EditError::Overlap { node } => messages::refusal(
            parsed,
            &Refusal::new(*node, "two changes meet here; this place", Obstacle::Unplaced),
        ),
        EditError::Unproved => match parsed.tape.check() {
            Err(stopped) => stopped_at(&parsed.path, stopped),
            Ok(()) => messages::unproved(parsed),
        },
    }
}
