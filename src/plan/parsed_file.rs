//! A parsed file with its references.

use super::SourceFile;
use super::indexes::FieldPosition;
use crate::file_selection::MatchLevel;
use crate::location::Location;
use crate::manifest::{ManifestFile, Reference, VALUES, is_values_file, looks_like_values, references};
use crate::yaml::ParsedYaml;

/// A parsed file with its references.
pub(super) struct ParsedFile {
    pub path: String,
    pub bytes: Vec<u8>,
    pub yaml: ParsedYaml,
    /// The references if the file isn't read as Helm values.
    plain: Vec<Reference>,
    /// The references if it is; `None` if no target can read it that way.
    as_values: Option<Vec<Reference>>,
    /// Whether there is a chart next to the file.
    has_chart: bool,
    /// The references that the targets' fields lead to.
    pub fields: Vec<FieldPlaces>,
}

/// The references in a file that one field of one target leads to.
pub(super) struct FieldPlaces {
    pub field: FieldPosition,
    pub references: Vec<Reference>,
}

/// The cost of reporting a reference, not counting its path.
const STEPS_TO_REPORT: usize = 16;

impl ParsedFile {
    pub fn of(file: &SourceFile<'_>, yaml: ParsedYaml) -> Self {
        // the text was parsed, so it is valid UTF-8
        let text = std::str::from_utf8(file.bytes).unwrap_or_default();
        let found = |is_values| references(&ManifestFile { path: file.path, text, yaml: &yaml, is_values });
        let may_be_values = file.match_level == MatchLevel::Explicit || looks_like_values(file.path);
        let (plain, as_values) = (found(false), may_be_values.then(|| found(true)));
        // every reference is reported together with the file's path
        let count = plain.len() + as_values.as_ref().map_or(0, Vec::len);
        yaml.budget().spend(count * (file.path.len() + STEPS_TO_REPORT));
        ParsedFile {
            path: file.path.to_owned(),
            bytes: file.bytes.to_vec(),
            plain,
            as_values,
            has_chart: false,
            fields: Vec::new(),
            yaml,
        }
    }

    /// Sets whether there is a chart next to the file. This is known only after all files were visited.
    pub fn settle_chart(&mut self, has_chart: bool) {
        self.has_chart = has_chart;
    }

    pub fn has_chart(&self) -> bool {
        self.has_chart
    }

    /// The references that the rules find at a match level.
    pub fn references(&self, standing: MatchLevel) -> &[Reference] {
        let is_values = self.is_values(standing);
        self.as_values.as_ref().filter(|_| is_values).unwrap_or(&self.plain)
    }

    /// Whether to read the file as Helm values: if its path was given, or if its name fits and either a pattern
    /// selected it or there is a chart next to it.
    pub fn is_values(&self, standing: MatchLevel) -> bool {
        match standing {
            MatchLevel::Explicit => true,
            MatchLevel::Pattern => looks_like_values(&self.path),
            MatchLevel::Discovered | MatchLevel::ContextOnly => self.has_chart && is_values_file(&self.path),
        }
    }

    /// The references that the file would have if it were read as Helm values.
    pub fn would_be_values(&self, standing: MatchLevel) -> impl Iterator<Item = &Reference> {
        let values = self.as_values.iter().flatten().filter(|r| r.kind == VALUES);
        values.filter(move |_| !self.is_values(standing))
    }

    /// Every reference that some target may find.
    pub fn all_references(&self) -> impl Iterator<Item = &Reference> {
        self.plain.iter().chain(self.as_values.iter().flatten())
    }

    /// `file:line`.
    pub fn place(&self, node: usize) -> Location {
        Location { file: self.path.clone(), line: self.yaml.node(node).line, column: None }
    }

    /// `file:line:column`.
    pub fn exact_place(&self, node: usize) -> Location {
        Location { column: Some(self.yaml.node(node).column), ..self.place(node) }
    }
}
