//! Errors raised by the commands themselves.

use std::fmt::Display;

use super::plan;
use crate::error::{Exit, Failure};
use crate::hint::{flag, hint, in_action, setting};
use crate::location::Location;
use crate::plan::NestedRepository;
use crate::tag::TagError;
use crate::visible::inline;

/// What to do about the markers of several CI systems.
pub(super) const UNSET_MARKER: &str = "unset the one whose system doesn't run this job";

/// Why a command has nothing to work on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("{folder}: is not inside a git repository")]
    NoRepository { folder: String },
    /// `tag` was given a repository's URL.
    #[error("a tag is computed in a folder, not at a URL")]
    TagWithoutFolder,
    /// `init` found no image references in the repository.
    #[error("no image references found in {}{}", file_count(*.files), lines(.nested))]
    NoReferences { files: usize, nested: Vec<NestedRepository> },
    #[error("none of the references found in {} can be edited\n  {at}: {}", file_count(*.files), inline(.reason))]
    NoneEditable { files: usize, at: Location, reason: String },
    /// A template needs a variable of a CI system, but no system's variables count.
    #[error("{error}\n{} are set, so tagbump reads the variables of none of them", .markers.join(" and "))]
    SeveralSystems { error: TagError, markers: Vec<&'static str> },
}

pub(super) fn describe(error: &CommandError) -> Failure {
    let message = error.to_string();
    match error {
        CommandError::NoRepository { .. } => {
            let checkout = in_action("run actions/checkout in a step before this one, or ");
            Failure::usage(message).hinted(checkout + "name one with " + flag("repo"))
        }
        CommandError::TagWithoutFolder => Failure::usage(message).hinted(hint("remove ") + flag("repo")),
        CommandError::NoReferences { nested, .. } if !nested.is_empty() => {
            Failure::new(Exit::NoMatch, message).hinted(plan::into_nested(nested))
        }
        CommandError::NoReferences { .. } => {
            let advice = hint("tagbump scan lists what it finds; ") + setting("file", "'**/values*.yaml'");
            Failure::new(Exit::NoMatch, message).hinted(advice + " also reads Helm values without a chart")
        }
        CommandError::NoneEditable { .. } => {
            let advice =
                hint("tagbump scan lists them, each with the reason; to read Helm values without a chart, ");
            Failure::new(Exit::NotEditable, message).hinted(advice + "name the file with " + flag("file"))
        }
        CommandError::SeveralSystems { .. } => Failure::usage(message).hinted(UNSET_MARKER),
    }
}

/// More lines of a message.
pub(super) fn lines(texts: &[impl Display]) -> String {
    texts.iter().map(|text| format!("\n  {text}")).collect()
}

fn file_count(n: usize) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{n} files") }
}
