//! A file, parsed, with what is found in it.

use super::SourceFile;
use crate::file_selection::MatchLevel;
use crate::location::Location;
use crate::manifest::{ManifestFile, Reference, VALUES, is_values_file, looks_like_values, references};
use crate::yaml::ParsedYaml;

/// A file with the references in it.
pub(super) struct ParsedFile {
    pub path: String,
    pub bytes: Vec<u8>,
    pub yaml: ParsedYaml,
    /// What the rules find, unless it holds Helm values.
    plain: Vec<Reference>,
    /// What they find if it does; nothing where nobody takes it for values.
    as_values: Option<Vec<Reference>>,
    /// A chart is beside it.
    has_chart: bool,
    /// What the fields of each want lead to.
    pub fields: Vec<FieldPlaces>,
}

/// Where one field of one want leads to in a file.
pub(super) struct FieldPlaces {
    pub target: usize,
    /// Which of the want's fields.
    pub nth: usize,
    pub references: Vec<Reference>,
}

/// What it costs to report a reference, besides its path.
const STEPS_TO_REPORT: usize = 16;

impl ParsedFile {
    pub fn of(file: &SourceFile<'_>, yaml: ParsedYaml) -> Self {
        // what was parsed is UTF-8
        let text = std::str::from_utf8(file.bytes).unwrap_or_default();
        let found = |is_values| references(&ManifestFile { path: file.path, text, yaml: &yaml, is_values });
        let may_be_values = file.match_level == MatchLevel::Explicit || looks_like_values(file.path);
        let (plain, as_values) = (found(false), may_be_values.then(|| found(true)));
        // every reference is reported with the file's path
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

    /// Says, once it is known, whether a chart is beside the file.
    pub fn settle_chart(&mut self, has_chart: bool) {
        self.has_chart = has_chart;
    }

    pub fn has_chart(&self) -> bool {
        self.has_chart
    }

    /// What the rules find for somebody to whom the file stands so.
    pub fn references(&self, standing: MatchLevel) -> &[Reference] {
        let is_values = self.is_values(standing);
        self.as_values.as_ref().filter(|_| is_values).unwrap_or(&self.plain)
    }

    /// Whether the file is taken for Helm values: where it is named, or by its name where it is chosen or a
    /// chart is beside it.
    pub fn is_values(&self, standing: MatchLevel) -> bool {
        match standing {
            MatchLevel::Explicit => true,
            MatchLevel::Pattern => looks_like_values(&self.path),
            MatchLevel::Discovered | MatchLevel::ContextOnly => self.has_chart && is_values_file(&self.path),
        }
    }

    /// What would be found if the file were taken for Helm values.
    pub fn would_be_values(&self, standing: MatchLevel) -> impl Iterator<Item = &Reference> {
        let values = self.as_values.iter().flatten().filter(|r| r.kind == VALUES);
        values.filter(move |_| !self.is_values(standing))
    }

    /// Every reference that anybody may find.
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
