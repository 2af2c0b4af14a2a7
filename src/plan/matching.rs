//! Which references a request means, whether that is safe to act on, and the edits that follow.

use std::collections::{BTreeMap, HashSet};

use super::files::{Parsed, Survey};
use super::matched::Match;
use super::{ChangedReference, FileEdit, Plan, Request, Want, messages, shared};
use crate::error::Result;
use crate::image::{Part, same_image};
use crate::manifest::{Form, Reference, Refusal, Rewrite, Wanted, rewrite};
use crate::select::Standing;
use crate::yaml::{Change, EditError, Obstacle, apply};

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
    for (file, parsed) in survey.files.iter().enumerate().filter(|(_, f)| f.standing != Standing::Context) {
        for reference in parsed.references.iter().filter(|r| request.add || !is_untagged(r)) {
            let mut wants = request.wants.iter().enumerate();
            let meant = wants.by_ref().find(|(_, w)| reference.is_meant_by(&w.name, &w.new_name));
            let Some((want, wanted)) = meant else { continue };
            if let Some((_, other)) = wants.find(|(_, w)| reference.is_meant_by(&w.name, &w.new_name)) {
                return Err(messages::meant_twice(wanted, other, &parsed.place(reference.at)));
            }
            matches.push(one(parsed, file, reference, want, wanted));
        }
    }
    Ok(matches)
}

fn is_untagged(reference: &Reference) -> bool {
    matches!(reference.form, Form::Untagged { .. })
}

fn one(parsed: &Parsed, file: usize, reference: &Reference, want: usize, wanted: &Want) -> Match {
    let wish = Wanted {
        name: &wanted.name,
        new_name: &wanted.new_name,
        tag: wanted.tag.as_ref(),
        digest: &wanted.digest,
    };
    Match {
        file,
        want,
        at: reference.at,
        kind: reference.kind,
        image: reference.image.clone(),
        tag: reference.tag.clone(),
        added: is_untagged(reference),
        by_new_name: reference.original.is_none() && !same_image(&reference.image, &wanted.name),
        result: rewrite(&parsed.tape, reference, &wish),
    }
}

/// Whether the matches are what the user can have meant.
pub(super) fn check(survey: &Survey, request: &Request, matches: &[Match]) -> Result<()> {
    if let Some(nth) = survey.fields.iter().position(|has| !has) {
        return Err(messages::no_field(&request.fields[nth]));
    }
    let of = |want: usize| matches.iter().filter(move |m| m.want == want);
    let missing: Vec<_> = (0..request.wants.len()).filter(|&want| of(want).next().is_none()).collect();
    if !missing.is_empty() {
        return Err(messages::nothing(survey, request, &missing));
    }
    for want in 0..request.wants.len() {
        let refused: Vec<_> = of(want).filter(|m| m.result.is_err()).collect();
        let named =
            |m: &&Match| survey.files[m.file].standing == Standing::Named || !request.fields.is_empty();
        let all_refused = refused.len() == of(want).count();
        if all_refused || refused.iter().any(named) {
            return Err(messages::refused(survey, &refused));
        }
    }
    let live = || matches.iter().filter(|m| m.result.is_ok());
    if let Some(expected) = request.expect {
        let count = live().count();
        return if count == expected { Ok(()) } else { Err(messages::unexpected(survey, matches, expected)) };
    }
    if request.all || request.selected {
        return Ok(());
    }
    for (want, wanted) in request.wants.iter().enumerate() {
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
    let mut plan = Plan::default();
    let mut by_file: BTreeMap<usize, Vec<(Match, Rewrite)>> = BTreeMap::new();
    for mut m in matches {
        match std::mem::replace(&mut m.result, Ok(Rewrite::default())) {
            Ok(rewrite) => by_file.entry(m.file).or_default().push((m, rewrite)),
            Err(refusal) => plan.warnings.push(messages::left_alone(&survey.files[m.file], &refusal)),
        }
    }
    for (file, matches) in by_file {
        edit(&survey.files[file], request, matches, &mut plan)?;
    }
    Ok(plan)
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
        EditError::Unproved => messages::unproved(parsed),
    }
}
