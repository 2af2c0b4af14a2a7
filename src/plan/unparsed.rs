//! Files that could not be parsed, because they aren't YAML or would take too much work.

use std::collections::HashSet;

use super::{PlanError, Request, SourceFile, TargetIndex};
use crate::location::Location;
use crate::manifest::{NamingLine, unparsed_places};
use crate::visible::inline;
use crate::yaml::{ParseAborted, ReadError};

/// A file that could not be parsed, and why.
pub(super) struct Unparsed {
    pub path: String,
    pub error: ReadError,
    /// Named by `-f` without a wildcard.
    pub named: bool,
    /// What the text says, if it was read.
    pub text: UnparsedText,
}

/// What text says that isn't valid YAML.
#[derive(Default)]
pub(super) struct UnparsedText {
    pub is_template: bool,
    /// The lines that name an image: each with its target.
    pub places: Vec<(TargetIndex, NamingLine)>,
}

impl UnparsedText {
    pub fn read(file: &SourceFile<'_>, request: &Request) -> Self {
        let text = String::from_utf8_lossy(file.bytes);
        let targets = TargetIndex::each(&request.targets);
        let searched = targets.filter(|(_, target)| target.scope.match_level(file.path).is_some());
        let places = searched.flat_map(|(target, wanted)| {
            unparsed_places(file.path, &text, &wanted.name).into_iter().map(move |line| (target, line))
        });
        UnparsedText { is_template: text.contains("{{"), places: places.collect() }
    }
}

/// A line of a file that could not be parsed, which names the image of a target.
pub(super) struct UnparsedPlace {
    pub target: TargetIndex,
    pub at: Location,
    /// What a container gets, if a chart's template gives it as it is written there: `name[:tag][@digest]`.
    pub runs: Option<String>,
}

/// The reports about files that could not be parsed.
#[derive(Default)]
pub(super) struct UnparsedReport {
    /// Files that aren't valid YAML, with position and reason.
    pub not_yaml: Vec<String>,
    /// A warning for each file that takes too much work.
    pub too_costly: Vec<String>,
    /// The folders of charts, whose templates aren't meant to be YAML.
    charts: HashSet<String>,
}

impl UnparsedReport {
    /// A report that leaves out the templates of charts in these folders.
    pub fn without_templates(charts: &HashSet<String>) -> Self {
        UnparsedReport { charts: charts.clone(), ..UnparsedReport::default() }
    }

    fn is_template(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let mut templates = folders.filter_map(|folder| match folder {
            "templates" => Some(""),
            folder => folder.strip_suffix("/templates"),
        });
        templates.any(|chart| self.charts.contains(chart))
    }

    /// The lines of a file that name images.
    pub fn places(&self, Unparsed { path, text, .. }: &Unparsed) -> Vec<UnparsedPlace> {
        let is_template = self.is_template(path);
        let place = |(target, NamingLine { line, image }): &(TargetIndex, NamingLine)| UnparsedPlace {
            target: *target,
            at: Location { file: path.clone(), line: *line, column: None },
            runs: image.clone().filter(|_| is_template),
        };
        text.places.iter().map(place).collect()
    }

    /// # Errors
    /// The file was named by the user, or the work was cancelled.
    pub fn add(&mut self, Unparsed { path, error, named, text }: Unparsed) -> Result<(), PlanError> {
        match error {
            ReadError::Stopped(stopped @ ParseAborted::Cancelled) => return Err(stopped_at(&path, stopped)),
            ReadError::Stopped(stopped) if named => return Err(stopped_at(&path, stopped)),
            ReadError::Syntax(error) if named => {
                return Err(PlanError::NotYaml { file: path, error, is_template: text.is_template });
            }
            ReadError::Stopped(stopped) => {
                self.too_costly.push(format!("{}: skipped: it {stopped}", inline(&path)))
            }
            ReadError::Syntax(_) if self.is_template(&path) => {}
            ReadError::Syntax(error) => self.not_yaml.push(format!("{}:{error}", inline(&path))),
        }
        Ok(())
    }
}

/// The error for a file that was given up and can't be skipped.
pub(super) fn stopped_at(path: &str, reason: ParseAborted) -> PlanError {
    match reason {
        ParseAborted::Cancelled => PlanError::Cancelled,
        ParseAborted::Values(_) | ParseAborted::Steps(_) => {
            PlanError::TooMuchWork { file: path.to_owned(), reason }
        }
    }
}
