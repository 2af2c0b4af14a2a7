//! Errors in computed tags and in update targets.

use super::selection;
use crate::decision::TargetError;
use crate::error::Failure;
use crate::hint::{Hint, flag, hint};
use crate::tag::{TagError, VariableError, variables};

pub(super) fn describe(error: &TagError) -> Failure {
    Failure::usage(error.to_string()).hinted(advice(error))
}

fn advice(error: &TagError) -> Hint {
    match error {
        TagError::Variable { error: VariableError::Unknown { .. }, .. } => known_variables(variables()),
        TagError::Variable { error: VariableError::UnreadEvent, .. } => {
            hint("in a container, mount that file too; or name the commit that was built with ")
                + flag("source")
        }
        TagError::Variable { error: VariableError::NoValue { name, .. }, .. } => {
            let other = match *name {
                "sha" => hint("name a checkout with ") + flag("repo") + ", or use another ",
                _ => hint("use another "),
            };
            other + flag("tag-template") + "; for a bump, " + flag("tag") + " sets the tag itself"
        }
        TagError::Variable { .. } | TagError::NotATag { .. } => hint("change ") + flag("tag-template"),
    }
}

/// What may stand between braces, and how to write a brace.
pub(super) fn known_variables(names: impl Iterator<Item = &'static str>) -> Hint {
    let names: Vec<_> = names.map(|name| format!("{{{name}}}")).collect();
    hint(format!("the variables are {}; {{{{ and }}}} stand for single braces", names.join(" ")))
}

pub(super) fn describe_target(error: &TargetError) -> Failure {
    match error {
        TargetError::Selection(error) => selection::describe(error),
        TargetError::UnknownEnvironment { known, .. } => {
            Failure::usage(error.to_string()).hinted(match known.len() {
                0 => "add it to environments in tagbump.yaml; if another folder has that file, run there"
                    .to_owned(),
                _ => format!("the environments of tagbump.yaml are {}", known.join(", ")),
            })
        }
        TargetError::NoChange { .. } => {
            Failure::usage(error.to_string()).hinted("give a tag, a digest or a new name")
        }
    }
}
