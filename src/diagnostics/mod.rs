//! Turns an error into what the user sees: the exit code, the message, and what to do about it.
//!
//! Lower modules report what happened as data. Only this module maps those errors to exit codes and flags; each kind
//! of error has its own file. Hints name flags for someone at a terminal, and inputs in the action.

mod bump;
mod command;
mod config;
mod decision;
mod elsewhere;
mod error;
mod forge;
mod git;
mod history;
mod holds;
mod http;
mod landing;
mod plan;
mod registry;
mod selection;
mod settings;
mod signing;
mod tag;
mod wait;
mod worktree;

use crate::actions::ActionsRun;
use crate::environment::Environment;
use crate::error::{Exit, Failure};
use crate::hint::Audience;

pub use bump::BumpError;
pub use command::CommandError;
pub use elsewhere::{image_in_templates, places_elsewhere, values_above};
pub use error::Error;
pub use wait::{UnreadPart, WaitError};

/// Describes an error, worded for `audience`.
pub fn diagnose(error: Error, audience: Audience) -> Failure {
    describe(error).worded_for(audience)
}

/// As [`diagnose`], for a bump in a job for a fork's pull request.
pub fn diagnose_in_fork(error: Error, audience: Audience) -> Failure {
    let has_no_branch = matches!(error, Error::Bump(BumpError::NoBranch { .. }));
    let failure = describe(error);
    match has_no_branch || failure.exit == Exit::Refused {
        true => bump::explain_fork(failure).worded_for(audience),
        false => failure.worded_for(audience),
    }
}

fn describe(error: Error) -> Failure {
    match error {
        Error::Bump(error) => bump::describe(&error),
        Error::Command(error) => command::describe(&error),
        Error::Config(error) => config::describe(&error),
        Error::Decision(error) => decision::describe(&error),
        Error::Plan(error) => plan::describe(&error),
        Error::Settings(error) => settings::describe(&error),
        Error::Source(error) => worktree::describe_source(&error),
        Error::Tag(error) => tag::describe(&error),
        Error::Target(error) => tag::describe_target(&error),
        Error::Wait(error) => wait::describe(&error),
        Error::Worktree(error) => worktree::describe(&error),
        Error::Forge(error) => forge::describe(&error),
        Error::Git(error) => git::describe(&error),
        Error::Landing(error) => Failure::from(*error),
        Error::Http(error) => http::describe(&error),
        Error::History(error) => history::describe(&error),
        Error::Remote(error) => landing::describe_remote(&error),
        Error::Man(error) => {
            Failure::other(error.to_string()).hinted("name a folder that exists and can be written")
        }
        Error::RunnerFile(error) => Failure::other(error.to_string())
            .hinted("the runner sets this variable; outside of a runner, unset GITHUB_ACTIONS"),
        Error::Scaffold(error) => Failure::other(error.to_string())
            .hinted("write the file by hand, and please report this as a bug"),
        Error::Binary(error) => Failure::usage(format!("{error:#}"))
            .hinted("set SOURCE_DATE_EPOCH to the seconds since 1970, or unset it and set the clock"),
        Error::Failure(failure) => failure,
    }
}

/// Who reads the messages.
pub fn audience(environment: &Environment) -> Audience {
    if ActionsRun::is_by_action(environment) { Audience::Action } else { Audience::CommandLine }
}

#[cfg(test)]
mod tests;
