//! What can be wrong with a `tagbump.yaml`.

use crate::file_selection::{CONFIG_PATHS, SelectionError};
use crate::image::ImageError;
use crate::location::Location;
use crate::plan::SourceError;
use crate::tag::VariableError;
use crate::template::TemplateError;
use crate::visible::inline;
use crate::yaml::{FieldError, ParseAborted, YamlError};

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there are both {} and {}", CONFIG_PATHS[0], CONFIG_PATHS[1])]
    TwoFiles,
    #[error("{file}: is over 1 MB")]
    TooLarge { file: String },
    #[error("{file}:{error} (not valid YAML)")]
    NotYaml { file: String, error: YamlError },
    #[error("{file}: {reason}")]
    TooMuchWork { file: String, reason: ParseAborted },
    #[error("{at}: the key {} already exists", inline(.key))]
    DuplicateKey { at: Location, key: String },
    #[error("{at}: {}unknown key {}", in_map(.map), inline(.key))]
    UnknownKey {
        at: Location,
        /// The keys that lead to the map; empty at the top.
        map: String,
        key: String,
        known: &'static [&'static str],
    },
    #[error("{}: {}: {problem}", place(.file, .position), inline(.key))]
    Value {
        file: String,
        /// Line and column.
        position: Option<(usize, usize)>,
        key: String,
        problem: Box<ValueProblem>,
    },
    /// It doesn't have the right types.
    #[error("{}: {}", place(.file, .position), inline(.reason))]
    Types { file: String, position: Option<(usize, usize)>, reason: String },
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueProblem {
    #[error("a service's name may contain only letters, digits and . _ -")]
    ServiceName,
    #[error("an environment's name may contain only letters, digits and . _ -")]
    EnvironmentName,
    #[error("an environment needs files")]
    NoFiles,
    #[error("there is no environment {}", inline(.name))]
    UnknownEnvironment { name: String, known: Vec<String> },
    #[error("{of} has an empty name")]
    EmptyName { of: &'static str },
    #[error("{}", circle(.names))]
    CircularFrom {
        /// The first one is also the last.
        names: Vec<String>,
    },
    #[error("an environment already has this name")]
    NameOfEnvironment,
    #[error("{} is not a duration", inline(.text))]
    Duration { text: String },
    #[error("soak needs from: only a promotion waits for it")]
    SoakWithoutFrom,
    #[error("give the name alone, without tag or digest")]
    NotBareName,
    #[error("a path is empty")]
    EmptyPath,
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Variable(#[from] VariableError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl ConfigError {
    /// The place that it is about.
    pub fn location(&self) -> Option<Location> {
        let location =
            |file: &str, line, column| Location { file: file.to_owned(), line, column: Some(column) };
        match self {
            ConfigError::DuplicateKey { at, .. } | ConfigError::UnknownKey { at, .. } => Some(at.clone()),
            ConfigError::NotYaml { file, error } => Some(location(file, error.line, error.column)),
            ConfigError::Value { file, position, .. } | ConfigError::Types { file, position, .. } => {
                position.map(|(line, column)| location(file, line, column))
            }
            _ => None,
        }
    }
}

fn circle(names: &[String]) -> String {
    let takes = |(nth, pair): (usize, &[String])| {
        let takes = if nth == 0 { " takes its tags" } else { "" };
        format!("{}{takes} from {}", inline(&pair[0]), inline(&pair[1]))
    };
    let mut links: Vec<String> = names.windows(2).enumerate().map(takes).collect();
    match (links.pop(), links.is_empty()) {
        (Some(last), false) => format!("the environments form a circle: {}, and {last}", links.join(", ")),
        _ => "the environment takes its tags from itself".to_owned(),
    }
}

fn place(file: &str, position: &Option<(usize, usize)>) -> String {
    position.map_or_else(|| file.to_owned(), |(line, column)| format!("{file}:{line}:{column}"))
}

fn in_map(map: &str) -> String {
    if map.is_empty() { String::new() } else { format!("{}: ", inline(map)) }
}
