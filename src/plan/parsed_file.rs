//! A parsed file with its references.

use std::collections::BTreeMap;

use super::indexes::FieldPosition;
use super::matched::Match;
use super::what_runs::FilePlace;
use super::{FieldTarget, SourceFile};
use crate::dotenv::{self, Assignment};
use crate::effective::compose::default_image;
use crate::effective::{EffectiveImage, ParsedContent, Setting, TextPart};
use crate::file_selection::MatchLevel;
use crate::image::{Field, is_name};
use crate::location::Location;
use crate::manifest::{
    COMPOSE, DesiredImage, EmbeddedText, ManifestFile, PartOfText, Reference, ReferenceSyntax, Refusal,
    Rewrite, UnknownPlace, VALUES, WantedImage, assignment_reference, embedded_reference, field_references,
    has_mac, is_values_file, looks_like_values, references, rewrite, unknown_places,
};
use crate::yaml::{Change, EditBlocker, FieldPath, NodeId, ParsedYaml, SyntheticDocument, check};

/// A parsed file with its references.
pub(super) struct ParsedFile {
    pub path: String,
    pub bytes: Vec<u8>,
    pub yaml: ParsedYaml,
    /// The references if the file isn't read as Helm values.
    plain: Vec<Reference>,
    /// The references if it is; `None` if no target can read it that way.
    as_values: Option<Vec<Reference>>,
    /// The YAML in block scalars that references are in, by the scalar.
    embedded: BTreeMap<NodeId, EmbeddedText>,
    /// Whether there is a chart next to the file.
    has_chart: bool,
    /// Any edit breaks the MAC that sops keeps in the file.
    has_mac: bool,
    /// The references that the targets' fields lead to.
    pub fields: Vec<FieldPlaces>,
    /// The names of the variables, if the file holds `NAME=VALUE` lines instead of YAML.
    variables: Option<Vec<String>>,
}

/// The references in a file that one field of one target leads to.
pub(super) struct FieldPlaces {
    pub field: FieldPosition,
    pub references: Vec<Reference>,
}

/// The cost of reporting a reference, not counting its path.
const STEPS_TO_REPORT: usize = 16;

/// A compose file's image with placeholders as it is if no variable has a value.
fn with_default(yaml: &ParsedYaml, reference: Reference) -> Reference {
    let ReferenceSyntax::Text(slot) = reference.syntax else { return reference };
    let text = yaml.text(slot.node).filter(|text| reference.kind == COMPOSE && text.contains('$'));
    let Some(image) = text.and_then(|text| default_image(text, slot.node)) else { return reference };
    let Some(Setting::Part(TextPart { range, holds, .. })) = image.winning().cloned() else {
        return reference;
    };
    let EffectiveImage { name, tag, digest, .. } = image;
    // if a variable in a name has no value, no image is called that
    let image = Some(name).filter(|name| is_name(name)).unwrap_or_default();
    Reference { image, tag, digest, syntax: ReferenceSyntax::Part { slot, range, holds }, ..reference }
}

fn embedded_texts<'r>(
    text: &str,
    yaml: &ParsedYaml,
    references: impl Iterator<Item = &'r Reference>,
) -> BTreeMap<NodeId, EmbeddedText> {
    let mut texts = BTreeMap::new();
    for block in references.filter(|r| r.inner_at().is_some()).map(|r| r.at) {
        if !texts.contains_key(&block) {
            texts.extend(EmbeddedText::read(text, yaml, block).map(|text| (block, text)));
        }
    }
    texts
}

impl ParsedFile {
    pub fn of(file: &SourceFile<'_>, yaml: ParsedYaml) -> Self {
        // the text was parsed, so it is valid UTF-8
        let text = std::str::from_utf8(file.bytes).unwrap_or_default();
        let found = |is_values| {
            let found = references(&ManifestFile { path: file.path, text, yaml: &yaml, is_values });
            found.into_iter().map(|reference| with_default(&yaml, reference)).collect::<Vec<_>>()
        };
        let may_be_values = file.match_level == MatchLevel::Explicit || looks_like_values(file.path);
        let (plain, as_values) = (found(false), may_be_values.then(|| found(true)));
        // every reference is reported together with the file's path
        let count = plain.len() + as_values.as_ref().map_or(0, Vec::len);
        yaml.budget().spend(count * (file.path.len() + STEPS_TO_REPORT));
        let embedded = embedded_texts(text, &yaml, plain.iter().chain(as_values.iter().flatten()));
        ParsedFile {
            path: file.path.to_owned(),
            bytes: file.bytes.to_vec(),
            plain,
            as_values,
            embedded,
            has_chart: false,
            has_mac: has_mac(&yaml),
            fields: Vec::new(),
            variables: None,
            yaml,
        }
    }

    /// A file of `NAME=VALUE` lines: each assignment is a node, in order. It has no references of its own.
    pub fn of_assignments(path: &str, bytes: Vec<u8>, assignments: &[Assignment]) -> Self {
        let mut document = SyntheticDocument::default();
        for Assignment { value, line, .. } in assignments {
            document.scalar_in_line(value, *line);
        }
        ParsedFile {
            path: path.to_owned(),
            bytes,
            yaml: document.finish(),
            plain: Vec::new(),
            as_values: None,
            embedded: BTreeMap::new(),
            has_chart: false,
            has_mac: dotenv::has_mac(assignments),
            fields: Vec::new(),
            variables: Some(assignments.iter().map(|assignment| assignment.name.clone()).collect()),
        }
    }

    /// Whether the file holds `NAME=VALUE` lines instead of YAML.
    pub fn is_assignments(&self) -> bool {
        self.variables.is_some()
    }

    /// The file as it was parsed, unless that took too much work.
    pub fn content(&self) -> Option<ParsedContent> {
        let is_whole = !self.is_assignments() && self.yaml.check().is_ok();
        is_whole.then(|| ParsedContent { bytes: self.bytes.clone(), yaml: self.yaml.clone() })
    }

    /// The name of the variable that a node of such a file is the value of.
    pub fn variable(&self, node: NodeId) -> Option<&str> {
        self.variables.as_ref()?.get(node).map(String::as_str)
    }

    /// The value of a variable as a reference to `image`.
    pub fn variable_reference(&self, field: &FieldTarget, image: &str) -> Option<Reference> {
        let node = self.variables.as_ref()?.iter().rposition(|other| other == field.path.as_str())?;
        assignment_reference(&self.yaml, node, field.part.as_ref(), image)
    }

    /// The reference that a rule finds at the place of a field, if there is a digest beside it, which decides what runs, or a variable
    /// without a value that leaves no name before its tag; else the field itself.
    pub fn as_a_rule_finds(&self, field: Reference) -> Reference {
        let is_meant = |known: &&Reference| match known.syntax {
            ReferenceSyntax::Part { .. } => known.image.is_empty() && known.at == field.at,
            _ => {
                let is_named = known.matches(&field.image, &Field::Unspecified);
                is_named && known.digest.is_some() && known.tag_place() == Some(field.at)
            }
        };
        match self.all_references().find(is_meant).cloned() {
            Some(known) if known.image.is_empty() => Reference { kind: "field", image: field.image, ..known },
            Some(known) => Reference { kind: "field", ..known },
            None => field,
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
    pub fn references(&self, match_level: MatchLevel) -> &[Reference] {
        let is_values = self.is_values(match_level);
        self.as_values.as_ref().filter(|_| is_values).unwrap_or(&self.plain)
    }

    /// Whether to read the file as Helm values: if its path was given, or if its name fits and either a pattern
    /// selected it or there is a chart next to it.
    pub fn is_values(&self, match_level: MatchLevel) -> bool {
        match match_level {
            MatchLevel::Explicit => true,
            MatchLevel::Pattern => looks_like_values(&self.path),
            MatchLevel::Discovered | MatchLevel::ContextOnly => self.has_chart && is_values_file(&self.path),
        }
    }

    /// Whether its path says so, or the user named it.
    pub fn may_be_values(&self) -> bool {
        self.as_values.is_some()
    }

    /// The references that the file would have if it were read as Helm values.
    pub fn would_be_values(&self, match_level: MatchLevel) -> impl Iterator<Item = &Reference> {
        let values = self.as_values.iter().flatten().filter(|r| r.kind == VALUES);
        values.filter(move |_| !self.is_values(match_level))
    }

    /// The places that name a wanted image, and that neither a rule nor a field of the request covers.
    pub fn unknown_places(&self, match_level: MatchLevel, wanted: WantedImage<'_>) -> Vec<UnknownPlace> {
        // the text was parsed, so it is valid UTF-8
        let text = std::str::from_utf8(&self.bytes).unwrap_or_default();
        let is_values = self.is_values(match_level);
        let file = ManifestFile { path: &self.path, text, yaml: &self.yaml, is_values };
        let fields = self.fields.iter().flat_map(|places| &places.references);
        unknown_places(&file, self.references(match_level).iter().chain(fields), wanted)
    }

    /// Whether any edit breaks the MAC that sops keeps in the file.
    pub fn has_mac(&self) -> bool {
        self.has_mac
    }

    /// Every reference that some target may find.
    pub fn all_references(&self) -> impl Iterator<Item = &Reference> {
        self.plain.iter().chain(self.as_values.iter().flatten())
    }

    /// The YAML in a block scalar that a reference is in.
    pub fn embedded(&self, block: NodeId) -> Option<&EmbeddedText> {
        self.embedded.get(&block)
    }

    /// The fields of the YAML in a block scalar that a path leads to, as references to `image`.
    pub fn references_inside(
        &mut self,
        block: NodeId,
        path: &FieldPath,
        part: Option<&PartOfText>,
        image: &str,
    ) -> Vec<Reference> {
        let Some(embedded) = self.read_embedded(block) else { return Vec::new() };
        let text = std::str::from_utf8(&self.bytes).unwrap_or_default();
        let file = ManifestFile { path: &self.path, text, yaml: &self.yaml, is_values: false };
        let found = field_references(&embedded.yaml, path, part, image).into_iter();
        let found = found.map(|inner| embedded_reference(&file, block, &embedded.yaml, inner)).collect();
        self.embedded.entry(block).or_insert(embedded);
        found
    }

    /// The YAML in any block scalar.
    pub fn read_embedded(&self, block: NodeId) -> Option<EmbeddedText> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        EmbeddedText::read(text, &self.yaml, block)
    }

    /// Plans the changes to a reference of this file.
    ///
    /// # Errors
    /// Why the reference can't be edited safely.
    pub fn rewrite(&self, reference: &Reference, wanted: &DesiredImage<'_>) -> Result<Rewrite, Refusal> {
        match (&reference.syntax, self.embedded(reference.at)) {
            (ReferenceSyntax::Embedded { line, inner, .. }, Some(text)) => text.rewrite(*line, inner, wanted),
            _ => rewrite(&self.yaml, reference, wanted),
        }
    }

    /// Whether a change can be made, without making it.
    ///
    /// # Errors
    /// What prevents the edit.
    pub fn check(&self, change: &Change) -> Result<(), EditBlocker> {
        let text = std::str::from_utf8(&self.bytes).unwrap_or_default();
        match change {
            Change::Inside { block, change } if self.embedded.contains_key(block) => {
                self.embedded.get(block).map_or(Ok(()), |text| text.check(change))
            }
            _ => check(text, &self.yaml, change),
        }
    }

    /// Whether a reference is in text whose lines can't be edited.
    pub fn is_report_only(&self, reference: &Reference) -> bool {
        let is_embedded = matches!(reference.syntax, ReferenceSyntax::Embedded { .. });
        is_embedded && !self.embedded(reference.at).is_some_and(EmbeddedText::is_editable)
    }

    /// `file:line` of a match.
    pub fn place_of(&self, m: &Match) -> Location {
        Location { file: self.path.clone(), line: m.line, column: None }
    }

    /// The scalars of a match.
    pub fn places_of<'m>(&'m self, m: &'m Match) -> impl Iterator<Item = FilePlace> + 'm {
        m.nodes.iter().map(|node| FilePlace::new(&self.path, *node))
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
