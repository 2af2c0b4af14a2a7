//! Errors in `tagbump.yaml`.

use super::worktree;
use crate::config::ConfigError;
use crate::error::Failure;
use crate::hint::{Hint, hint};

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
        ConfigError::UnknownKey { key, known, .. } => {
            let likeness = |known: &&&str| (strsim::jaro_winkler(known, key) * 1000.0) as u32;
            let nearest = known.iter().max_by_key(likeness);
            let near = nearest.map(|key| format!("did you mean {key}? ")).unwrap_or_default();
            hint(format!("{near}the keys are {}", known.join(", ")))
        }
        _ => hint(
            "the keys are tag, message and services; a service has image, files, fields, tag and message",
        ),
    }
}
