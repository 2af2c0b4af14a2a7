//! `postBuild`: variables in what a Flux Kustomization builds.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::compose::{Origin, TextPiece};
use super::super::composed::{MAX_LENGTH, fixed_piece, own_piece, piece_of, set_pieces};
use super::super::helm::Objects;
use super::super::images::may_decide_image;
use super::super::kustomize::Build;
use super::super::place::Place;
use super::super::root::{Doubt, FedPlace};
use super::super::setting::Fixed;
use super::super::value::{Scalar, Value};
use super::envsubst::{Placeholder, parse};

/// Objects with this label or annotation stay as they are.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// A text that is put together from more pieces is no image.
const MAX_PIECES: usize = 256;

/// The variables of a Flux Kustomization.
#[derive(Default)]
struct Substitutes {
    values: HashMap<String, Scalar>,
    /// Those that something can override which isn't in the repository.
    unsure: bool,
    /// The variables that nothing else can override.
    sure: HashSet<String>,
}

/// Replaces the variables in all objects. Gives the places of those that are a whole value.
pub(super) fn apply(build: &mut Build, kustomization: &Value, objects: &Objects<'_>) -> Vec<Place> {
    let Some(post_build) = kustomization.at(&["spec", "postBuild"]) else { return Vec::new() };
    let namespace = kustomization.text_at(&["metadata", "namespace"]);
    let variables = Substitutes::read(post_build, namespace, objects);
    if variables.values.is_empty() && !variables.unsure {
        return Vec::new();
    }
    let mut noted = Noted::default();
    for object in build.objects.iter_mut().filter(|object| !is_switched_off(&object.value)) {
        walk(&mut object.value, "", &variables, &mut noted);
    }
    for image in &mut build.chart_images {
        // the values of a chart that kustomize renders can hold variables too; they are replaced in what the chart
        // renders, where the tag stands behind a name
        let mut found = Noted::default();
        image.change_scalars(|scalar| substitute(scalar, &variables, &mut found));
        noted.doubts.append(&mut found.doubts);
    }
    noted.doubts.retain(|doubt| !build.uncertain.contains(doubt));
    build.uncertain.append(&mut noted.doubts);
    build.fed.append(&mut noted.fed);
    noted.whole
}

/// What the replacement of variables has found.
#[derive(Default)]
struct Noted {
    doubts: Vec<Doubt>,
    /// Variables that are a whole value.
    whole: Vec<Place>,
    /// The places that take variables.
    fed: Vec<FedPlace>,
}

impl Substitutes {
    /// `LoadVariables`: later sources override earlier ones, and `substitute` overrides all.
    fn read(post_build: &Value, namespace: Option<&str>, objects: &Objects<'_>) -> Self {
        let mut variables = Substitutes::default();
        let sources = post_build.get("substituteFrom").map_or(&[][..], Value::items);
        let key = |source: &'_ Value| {
            let text = |key: &str| source.text_at(&[key]).unwrap_or_default().to_owned();
            (text("kind"), text("name"))
        };
        // of a source that is named twice, the last one counts
        let last: HashMap<_, usize> =
            sources.iter().enumerate().map(|(nth, source)| (key(source), nth)).collect();
        let last: BTreeSet<usize> = last.into_values().collect();
        for source in last.into_iter().map(|nth| &sources[nth]) {
            let name = source.text_at(&["name"]).unwrap_or_default();
            let is_config_map = source.text_at(&["kind"]) == Some("ConfigMap");
            let found = objects.find("ConfigMap", name, namespace).filter(|_| is_config_map);
            match found.and_then(|object| object.get("data")) {
                Some(data) => variables.set_all(data),
                None => {
                    variables.unsure = true;
                    variables.sure.clear();
                }
            }
        }
        if let Some(substitute) = post_build.get("substitute") {
            variables.set_all(substitute);
        }
        variables
    }

    fn set_all(&mut self, data: &Value) {
        for (name, value) in data.pairs() {
            let Some(scalar) = value.scalar().filter(|scalar| scalar.text.len() <= MAX_LENGTH) else {
                continue;
            };
            let mut scalar = scalar.clone();
            scalar.text.retain(|c| c != '\n');
            if let Some(weaker) = self.values.get(name) {
                scalar.override_scalar(weaker);
            }
            self.values.insert(name.clone(), scalar);
            self.sure.insert(name.clone());
        }
    }

    fn may_change(&self, name: &str) -> bool {
        self.unsure && !self.sure.contains(name)
    }
}

fn is_switched_off(object: &Value) -> bool {
    let has = |key| object.text_at(&["metadata", key, SWITCH]) == Some("disabled");
    has("labels") || has("annotations")
}

/// Whether a key holds labels or annotations.
fn is_about_object(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.ends_with("labels") || key.ends_with("annotations")
}

fn walk(value: &mut Value, key: &str, variables: &Substitutes, noted: &mut Noted) {
    match value {
        Value::Map(pairs) => {
            for (key, value) in pairs {
                let (fed, doubts) = (noted.fed.len(), noted.doubts.len());
                walk(value, key, variables, noted);
                // labels are meant to follow, and what is handed on to another Flux Kustomization counts where that uses it
                if is_about_object(key) || key == "substitute" {
                    noted.fed.truncate(fed);
                }
                // no image is there
                if is_about_object(key) {
                    noted.doubts.truncate(doubts);
                }
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| walk(item, key, variables, noted)),
        Value::Scalar(scalar) => {
            let mut found = Noted::default();
            substitute(scalar, variables, &mut found);
            // a URL isn't an image
            if may_decide_image(key) && !scalar.text.contains("://") {
                noted.doubts.append(&mut found.doubts);
                noted.whole.append(&mut found.whole);
                noted.fed.append(&mut found.fed);
            }
        }
    }
}

fn substitute(scalar: &mut Scalar, variables: &Substitutes, noted: &mut Noted) {
    if !scalar.text.contains("$") || scalar.text.len() > MAX_LENGTH {
        return;
    }
    let mut doubt = |what: String| noted.doubts.push(Doubt { at: scalar.place, what });
    let Some(parts) = parse(&scalar.text) else {
        return doubt("has a placeholder that Flux refuses".to_owned());
    };
    if let ([Placeholder::Variable { name, default }], []) = (parts.as_slice(), scalar.links.as_slice()) {
        let value = variables.values.get(name).filter(|value| default.is_empty() || !value.text.is_empty());
        if let Some(value) = value {
            if variables.may_change(name) {
                doubt(format!("uses {name}, which an object outside of this repository may set"));
            }
            noted.whole.extend(value.place);
            noted.fed.extend(fed(name, value.place, scalar));
            let mut value = value.clone();
            value.override_scalar(scalar);
            *scalar = value;
            return;
        }
    }
    // its default can be the value
    noted.whole.extend(scalar.place.filter(|_| matches!(parts.as_slice(), [Placeholder::Variable { .. }])));
    let mut pieces = Pieces { scalar, variables, found: Vec::new(), unsure: None };
    pieces.add(&parts, None);
    let Pieces { found, unsure, .. } = pieces;
    if let Some(name) = unsure {
        doubt(format!("uses {name}, which an object outside of this repository may set"));
    }
    if found.len() <= MAX_PIECES {
        noted.fed.extend(found.iter().flat_map(|piece| match &piece.origin {
            Origin::Written(place, _) => {
                fed(piece.variables.first().map_or("", String::as_str), Some(*place), scalar)
            }
            _ => None,
        }));
        set_pieces(scalar, found);
    }
}

/// A scalar that takes a variable which is written somewhere else.
fn fed(name: &str, variable: Option<Place>, scalar: &Scalar) -> Option<FedPlace> {
    let (variable, at) = (variable?, scalar.place?);
    (variable != at).then(|| FedPlace { variable, name: name.to_owned(), at })
}

/// The pieces of a text after its placeholders are replaced.
struct Pieces<'p> {
    scalar: &'p Scalar,
    variables: &'p Substitutes,
    found: Vec<TextPiece>,
    unsure: Option<String>,
}

impl Pieces<'_> {
    /// `variable` is the one whose default this is.
    fn add(&mut self, parts: &[Placeholder], variable: Option<&str>) {
        for part in parts {
            if self.found.len() > MAX_PIECES {
                return;
            }
            match part {
                Placeholder::Text(range) => {
                    let mut piece = own_piece(self.scalar, range.clone());
                    piece.variables.extend(variable.map(str::to_owned));
                    self.found.push(piece);
                }
                Placeholder::Dollar(range) => {
                    self.found.push(own_piece(self.scalar, range.start + 1..range.end));
                }
                Placeholder::Variable { name, default } => self.add_variable(name, default),
                Placeholder::Changed { name } => {
                    let text = self.variables.values.get(name).map_or("", |value| value.text.as_str());
                    self.found.push(fixed_piece(text.to_owned(), Fixed::SeveralParts, name));
                }
            }
        }
    }

    fn add_variable(&mut self, name: &str, default: &[Placeholder]) {
        if self.variables.may_change(name) {
            self.unsure = Some(name.to_owned());
        }
        let value = self.variables.values.get(name);
        match value.filter(|value| default.is_empty() || !value.text.is_empty()) {
            Some(value) => self.found.push(piece_of(value, 0..value.text.len(), name)),
            None if default.is_empty() => {
                let reason = Fixed::NoDefault { name: name.to_owned() };
                self.found.push(fixed_piece(String::new(), reason, name));
            }
            None => self.add(default, Some(name)),
        }
    }
}
