//! A file, parsed, with what is found in it.

use super::SourceFile;
use crate::error::inline;
use crate::manifest::{ManifestFile, Reference, is_values_file, references};
use crate::select::Standing;
use crate::yaml::Tape;

/// A file with the references in it.
pub(super) struct Parsed {
    pub path: String,
    pub bytes: Vec<u8>,
    pub tape: Tape,
    /// What the rules find.
    pub references: Vec<Reference>,
    /// What they find where no chart is beside it, if that is something else.
    without_chart: Option<Vec<Reference>>,
    /// It holds Helm values, if it is nothing else.
    pub is_values: bool,
    /// What the fields of each want lead to.
    pub fields: Vec<FieldPlaces>,
}

/// Where one field of one want leads to in a file.
pub(super) struct FieldPlaces {
    pub want: usize,
    /// Which of the want's fields.
    pub nth: usize,
    pub references: Vec<Reference>,
}

/// Whether a file may hold Helm values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    No,
    /// The user points at it.
    Chosen,
    /// By its name, if a chart is beside it.
    ByName,
}

impl Values {
    fn of(file: &SourceFile<'_>) -> Self {
        match file.standing {
            Standing::Named | Standing::Chosen => Values::Chosen,
            Standing::Found | Standing::Context if is_values_file(file.path) => Values::ByName,
            Standing::Found | Standing::Context => Values::No,
        }
    }
}

impl Parsed {
    pub fn of(file: &SourceFile<'_>, tape: Tape) -> Self {
        // what was parsed is UTF-8
        let text = std::str::from_utf8(file.bytes).unwrap_or_default();
        let found = |is_values| references(&ManifestFile { path: file.path, text, tape: &tape, is_values });
        let values = Values::of(file);
        Parsed {
            path: file.path.to_owned(),
            bytes: file.bytes.to_vec(),
            references: found(values != Values::No),
            without_chart: (values == Values::ByName).then(|| found(false)),
            is_values: values != Values::No,
            fields: Vec::new(),
            tape,
        }
    }

    /// Settles, once it is known, whether a chart is beside the file.
    pub fn settle_chart(&mut self, has_chart: bool) {
        if let Some(references) = self.without_chart.take().filter(|_| !has_chart) {
            self.references = references;
            self.is_values = false;
        }
    }

    /// `file:line`.
    pub fn place(&self, node: usize) -> String {
        format!("{}:{}", inline(&self.path), self.tape.node(node).line)
    }

    /// `file:line:column`.
    pub fn exact_place(&self, node: usize) -> String {
        format!("{}:{}", self.place(node), self.tape.node(node).column)
    }
}
