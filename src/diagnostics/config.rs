//! Errors in `tagbump.yaml`.

use super::{selection, settings, tag, worktree};
use crate::config::{ConfigError, ValueProblem};
use crate::error::Failure;
use crate::hint::{Hint, hint};
use crate::tag::{MESSAGE_VARIABLES, VariableError, variables};

pub(super) fn describe(error: &ConfigError) -> Failure {
    match error {
        ConfigError::Source(error) => worktree::describe_source(error),
        _ => Failure {
            place: error.location().map(Box::new),
            ..Failure::usage(error.to_string()).hinted(advice(error))
        },
    }
}

fn advice(error: &ConfigError) -> Hint {
    match error {
        ConfigError::TwoFiles | ConfigError::DuplicateKey { .. } => hint("keep one of them"),
        ConfigError::TooLarge { .. } => hint("a configuration is never that large"),
        ConfigError::UnknownKey { key, .. } if key == "<<" => {
            hint("merge keys aren't supported here; write out what it would merge")
        }
        ConfigError::UnknownKey { key, known, .. } => {
            let near = nearest(key, known).map(|key| format!("did you mean {key}? ")).unwrap_or_default();
            hint(format!("{near}the keys are {}", known.join(", ")))
        }
        ConfigError::Value { key, problem, .. } => match &**problem {
            ValueProblem::Variable(VariableError::Unknown { .. }) if is_message(key) => {
                tag::known_variables(MESSAGE_VARIABLES.into_iter().chain(variables()))
            }
            ValueProblem::Variable(VariableError::Unknown { .. }) => tag::known_variables(variables()),
            ValueProblem::Template(_) => {
                hint("variables are {name} or {name:argument}; {{ and }} stand for single braces")
            }
            ValueProblem::UnknownEnvironment { known, .. } => {
                hint(format!("the environments are {}", known.join(", ")))
            }
            ValueProblem::CircularFrom { .. } => {
                hint("the first environment takes its tags from builds, and has no from")
            }
            ValueProblem::Image(error) => settings::image_advice(error),
            ValueProblem::Selection(error) => selection::advice(error),
            ValueProblem::NotBareName => {
                hint("the tag comes from the command line, or from the tag's template")
            }
            ValueProblem::ServiceName | ValueProblem::EnvironmentName | ValueProblem::EmptyName { .. } => {
                hint("write a short name, such as api or prod-eu")
            }
            ValueProblem::EmptyPath => hint("write the path of a file, or remove the line"),
            ValueProblem::NameOfEnvironment => hint("rename one of them; promote takes both names"),
            ValueProblem::NoFiles => hint("list the entry files of what runs there, such as envs/prod/**"),
            ValueProblem::Duration { .. } => hint("write it as 30m, 12h or 7d"),
            ValueProblem::SoakWithoutFrom => hint("remove it, or name the environment before with from"),
            _ => keys(),
        },
        _ => keys(),
    }
}

/// The key that was most likely meant, unless none is like it.
fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let likeness = |known: &str| {
        let typos = strsim::normalized_damerau_levenshtein(known, key);
        // a beginning, such as env
        typos.max(strsim::jaro_winkler(known, key) - 0.2)
    };
    let scored = known.iter().map(|known| (likeness(known), *known));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= 0.6).then_some(best.1)
}

/// Whether a key is that of a message's template: `message`, or a service's.
fn is_message(key: &str) -> bool {
    key == "message" || key.ends_with(".message")
}

fn keys() -> Hint {
    hint(
        "the keys are tag, message, verify, services and environments; a service has image, files, fields, tag, message \
         and digest; an environment has files, from and soak",
    )
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_a_key_that_is_like_it_is_suggested() {
        let known = ["tag", "message", "verify", "services", "environments"];
        for (key, wanted) in [
            ("tga", Some("tag")),
            ("tags", Some("tag")),
            ("servces", Some("services")),
            ("env", Some("environments")),
            ("push", None),
            ("branch", None),
            ("x", None),
        ] {
            assert_eq!(nearest(key, &known), wanted, "{key}");
        }
    }
}
