//! Planning errors.

use super::{selection, worktree};
use crate::error::{Exit, Failure};
use crate::hint::{Hint, flag, hint, quoted, setting, switch, switch_of_bump};
use crate::location::Location;
use crate::manifest::RefusalReason;
use crate::plan::{
    EnvironmentLimit, Instead, NestedRepository, NoMatch, OtherPlace, PlanError, RefusedReference,
    ReplacedImage, SharedPlace, SourceError, UnsetPlace, WiderPattern, WithoutEffect,
};
use crate::visible::inline;

pub(super) fn describe(error: &PlanError) -> Failure {
    let (exit, hint) = match error {
        PlanError::Selection(error) => return selection::describe(error),
        PlanError::Source(error) => return worktree::describe_source(error),
        PlanError::ServiceFileMissing { error, wider, .. } => {
            (Exit::NoMatch, how_to_correct_path(error, wider.as_deref()))
        }
        PlanError::NotFoundHere { wider, .. } => (Exit::NoMatch, wider_files(wider)),
        PlanError::MatchedTwice { .. } => {
            let advice = "name each image once; services of the same image need different files";
            (Exit::Usage, hint(advice))
        }
        PlanError::FieldNotFound { path, .. } => (Exit::NoMatch, how_to_write(path)),
        PlanError::NoMatch(no_match) => (Exit::NoMatch, where_to_look(no_match)),
        PlanError::NotEditable(refused) => (Exit::NotEditable, how_to_edit(refused)),
        PlanError::NotVerified { .. } => {
            (Exit::NotEditable, hint("edit the file by hand, and please report its layout as a bug"))
        }
        PlanError::NoneOfItsFiles { image, .. } => (Exit::NoMatch, other_files_than_its_own(image)),
        PlanError::WrongCount { .. } => {
            (Exit::NoMatch, hint("narrow the search with ") + flag("file") + ", or correct " + flag("expect"))
        }
        PlanError::DifferentTags { .. } => (Exit::NoMatch, which_places()),
        PlanError::OnlyWeaker { places, .. } => (Exit::NoMatch, how_to_set_what_wins(places)),
        PlanError::Replaced { image, tag, places } => {
            (Exit::NoMatch, replacing_name(image, tag.as_deref(), places))
        }
        PlanError::InTwoEnvironments(_) => {
            (Exit::Usage, hint("a root can be in one environment only; narrow the files of one of them"))
        }
        PlanError::OtherEnvironments { service, limit, places, .. } => {
            (Exit::NoMatch, which_environment(service.is_some(), limit, places))
        }
        PlanError::SharedEnvironments(places) => (Exit::NotEditable, how_to_part(places)),
        PlanError::TooMuchWork { .. } => {
            (Exit::NotEditable, hint("split the file, or leave it out with ") + flag("file"))
        }
        PlanError::Cancelled => (Exit::NotLanded, more_time()),
        PlanError::NotYaml { is_template, .. } => (Exit::Other, how_to_parse(*is_template)),
    };
    Failure { place: error.location().map(Box::new), ..Failure::new(exit, error.to_string()).hinted(hint) }
}

fn how_to_write(path: &str) -> Hint {
    let advice = "paths start at the top of a document: spec.values.image.tag, list[0].tag";
    let respelled = respelled(path).map(|path| hint("write it as ") + setting("field", inline(&path)));
    respelled.unwrap_or_else(|| hint(advice))
}

fn other_files_than_its_own(image: &str) -> Hint {
    let other = "picks among a service's files; for other files, name its image";
    flag("file") + hint(format!(" {other}, {}", inline(image)))
}

fn more_time() -> Hint {
    let longer = hint("run again, allow more time with ") + flag("timeout");
    longer + ", or name the files with " + flag("file")
}

/// The name that replaces the one that was looked for.
fn replacing_name(image: &str, tag: Option<&str>, places: &[ReplacedImage]) -> Hint {
    let first = places.first();
    let other = first.map(|place| inline(&place.image)).unwrap_or_default();
    let (image, tag) = (inline(image), tag.unwrap_or("TAG"));
    // only an entry is found by the name that it replaces
    let by_entry = first.filter(|place| place.is_by_entry).map(|_| format!(", or {image}=*:{tag}"));
    hint(format!("bump {other}{}", by_entry.unwrap_or_default()))
}

fn how_to_parse(is_template: bool) -> Hint {
    if is_template {
        return hint("it is a template; set the value that it is filled from");
    }
    let advice = hint("fix the file; if it were not named with ") + flag("file");
    advice + ", it would only be skipped with a warning"
}

/// A path in the syntax of jq, yq or JSONPath, as tagbump spells it: `$.a.0.b[name==c]` is `a[0].b[name=c]`.
fn respelled(path: &str) -> Option<String> {
    let from_top = path.strip_prefix('$').unwrap_or(path).trim_start_matches('.');
    let steps = from_top.split('.').enumerate().map(|(nth, step)| match step.parse::<usize>() {
        // within brackets, or behind a backslash, a dot separates nothing
        Ok(item) if !path.contains(['[', '\\']) => format!("[{item}]"),
        _ if nth == 0 => step.to_owned(),
        _ => format!(".{step}"),
    });
    let respelled = steps.collect::<String>().replace("==", "=");
    (respelled != path).then_some(respelled)
}

/// How to work on the files of repositories below the root.
pub(super) fn into_nested<'a>(nested: impl IntoIterator<Item = &'a NestedRepository>) -> Hint {
    let ways = nested.into_iter().map(|nested| match nested.is_submodule {
        true => worktree::into_submodule(&nested.path),
        false => {
            let path = inline(&nested.path);
            hint(format!("{path} is a repository of its own: run with ")) + setting("repo", path)
        }
    });
    ways.take(3).reduce(|one, other| one + "\n" + other).unwrap_or_else(which_places)
}

fn wider_files(wider: &WiderPattern) -> Hint {
    setting("file", format!("'{}'", inline(&wider.pattern))) + " would match " + hint(files_of(wider))
}

fn files_of(wider: &WiderPattern) -> String {
    if wider.files == 1 { "1 file".to_owned() } else { format!("{} files", wider.files) }
}

/// How to correct a path in `tagbump.yaml`.
fn how_to_correct_path(error: &SourceError, wider: Option<&WiderPattern>) -> Hint {
    let advice = "correct the path there: it is relative to the root";
    let more = match (error, wider) {
        (_, Some(wider)) => format!("; '{}' would match {}", inline(&wider.pattern), files_of(wider)),
        (SourceError::NotCommitted { .. }, None) => "; only committed files count".to_owned(),
        _ => String::new(),
    };
    hint(format!("{advice}{more}"))
}

fn where_to_look(no_match: &NoMatch) -> Hint {
    if no_match.files == 0 && !no_match.nested.is_empty() {
        return into_nested(&no_match.nested);
    }
    if let Some(wider) = &no_match.wider {
        return wider_files(wider);
    }
    if no_match.files == 0 {
        let why = match no_match.selected_by.is_empty() {
            true => "found no YAML files; check ",
            false => "paths and patterns are relative to the root; check ",
        };
        return hint(why) + flag("repo") + " and " + flag("file");
    }
    let advice = no_match.images.iter().find_map(|image| match &image.instead {
        Instead::WithoutTag { .. } => Some(switch_of_bump("add") + " adds the tag"),
        Instead::OnlyDigest { .. } => Some(switch_of_bump("add") + " adds the tag and empties the digest"),
        Instead::HelmValues { places } => {
            let file = inline(&places.first()?.file);
            Some(setting("file", file) + " makes tagbump read the file as Helm values")
        }
        Instead::Elsewhere { places } => {
            let whole = places.iter().find(|place| !names_repository(place));
            Some(by_its_field(whole.or(places.first())?))
        }
        Instead::Others { .. } => None,
    });
    let nameless = no_match.images.iter().find_map(|image| match &image.instead {
        Instead::Others { nameless, .. } => nameless.first(),
        _ => None,
    });
    advice.unwrap_or_else(|| {
        let spelling = hint("names are compared as a whole; check the spelling, ");
        let spelling = spelling + flag("repo") + " and " + flag("file");
        match nameless {
            Some(tag) => {
                let file = setting("file", inline(&tag.at.file));
                spelling
                    + "; to set a tag without a name: "
                    + file
                    + " and "
                    + setting("field", inline(&tag.field))
            }
            None => spelling,
        }
    })
}

/// How to set the places that win, for which others were found.
fn how_to_set_what_wins(places: &[(Location, WithoutEffect)]) -> Hint {
    let has = |wanted: fn(&WithoutEffect) -> bool| places.iter().any(|(_, why)| wanted(why));
    if has(|why| matches!(why, WithoutEffect::Empty)) {
        return switch_of_bump("add") + " adds the tag";
    }
    if has(|why| matches!(why, WithoutEffect::NotSearched { can_add: true })) {
        let name = hint("name that file with ")
            + flag("file")
            + ", or add an entry to a kustomization among the files with ";
        return name + switch_of_bump("add");
    }
    if has(|why| matches!(why, WithoutEffect::NotSearched { .. })) {
        return hint("name that file with ") + flag("file");
    }
    if has(|why| matches!(why, WithoutEffect::OverriddenBy(_))) {
        return hint("add the files that override it with ") + flag("file");
    }
    if has(|why| matches!(why, WithoutEffect::ReplacedValue)) {
        return hint("bump what runs there instead, which tagbump scan lists");
    }
    hint("set the defaults of charts too with ") + switch("all")
}

/// Whether the key of a place says that it holds a name without a tag.
pub(super) fn names_repository(place: &UnsetPlace) -> bool {
    let key = place.field.as_deref().and_then(|field| field.rsplit('.').next()).unwrap_or_default();
    let key = key.to_ascii_lowercase();
    key.ends_with("repository") || key.ends_with("repo")
}

fn by_its_field(place: &UnsetPlace) -> Hint {
    let file = || setting("file", inline(&place.at.file));
    match &place.field {
        Some(_) if names_repository(place) => {
            hint("that is the name without a tag; set the field that holds the tag with ")
                + flag("file")
                + " and "
                + flag("field")
        }
        Some(field) => file() + " and " + setting("field", inline(field)) + " set it",
        None => hint("edit it by hand, or move the tag into a value that tagbump can set"),
    }
}

/// What changes a value that only sops can change.
fn sops_command(refused: &RefusedReference) -> Option<String> {
    let is_of_sops = matches!(refused.reason, RefusalReason::Encrypted | RefusalReason::HasMac);
    let path = refused.sops_path.as_deref().filter(|_| is_of_sops)?;
    let (file, path) = (quoted(&inline(&refused.at.file)), quoted(&inline(path)));
    Some(format!("change it with sops: sops set {file} {path} '\"TAG\"'"))
}

fn how_to_edit(refused: &[RefusedReference]) -> Hint {
    let by_field = || setting("file", "FILE") + " and " + setting("field", "PATH");
    if let Some(command) = refused.first().and_then(sops_command) {
        return hint(command);
    }
    match refused.first().map(|refused| &refused.reason) {
        Some(RefusalReason::PartOfBlock) => {
            hint("bump the joined name, or set its tag or digest with ") + by_field()
        }
        Some(RefusalReason::NoImage) => hint("set the tag with ") + by_field(),
        Some(reason) => reason.advice().into(),
        None => hint("edit it by hand"),
    }
}

fn which_environment(is_service: bool, limit: &EnvironmentLimit, places: &[OtherPlace]) -> Hint {
    let named = places.iter().find_map(|place| place.environment.as_deref());
    match (limit, named) {
        (EnvironmentLimit::Only(_), _) if is_service => {
            hint("name the service whose files are in it, or the image itself")
        }
        (EnvironmentLimit::Only(name), None) => {
            hint(format!("add the entry file of what runs it to environments.{}.files", inline(name)))
        }
        (EnvironmentLimit::Only(_), Some(other)) => {
            let other = inline(other);
            hint(format!("environment {other} runs it; name that one"))
        }
        (_, named) => {
            let name = named.map(inline).unwrap_or_else(|| "ENV".to_owned());
            hint(format!("use tagbump promote {name}, or set it with ")) + setting("env", name)
        }
    }
}

fn how_to_part(places: &[SharedPlace]) -> Hint {
    match places.iter().all(|place| place.can_add) {
        true => {
            switch_of_bump("add")
                + " gives the environment an images entry of its own, in its outermost kustomization"
        }
        false => {
            let own = hint("give the environment a value of its own, for example in a patch; ")
                + switch_of_bump("add");
            own + " can add one only to a kustomization"
        }
    }
}

fn which_places() -> Hint {
    let files = hint("choose files with ") + flag("file") + ", or use ";
    files + switch("all") + " (every place) or " + setting("expect", "N") + " (exactly N places)"
}

#[cfg(test)]
mod tests {
    use super::respelled;

    #[test]
    fn path_of_another_tool_is_respelled() {
        for (path, right) in
            [("$.a.b", "a.b"), (".a.b", "a.b"), ("a.0.b", "a[0].b"), ("l[name==g].t", "l[name=g].t")]
        {
            assert_eq!(respelled(path).as_deref(), Some(right), "{path}");
        }
        for fine in ["a.b", "l[0].t", "l[name=g].t", "[0].a", r"a\.0", "l[v=1.5.2].t"] {
            assert_eq!(respelled(fine), None, "{fine}");
        }
    }
}
