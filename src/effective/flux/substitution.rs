//! `postBuild`: variables in what a Flux Kustomization builds.

use std::collections::HashMap;
use std::ops::Range;

use super::super::compose::{Interpolated, Origin, Piece, ServiceImage};
use super::super::helm::Objects;
use super::super::kustomize::Build;
use super::super::root::Doubt;
use super::super::setting::{Fixed, Holds, Setting, TextPart};
use super::super::value::{Scalar, Value};
use super::envsubst::{Placeholder, parse};
use crate::image::ParsedReference;

/// Objects with this label or annotation stay as they are.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Longer texts hold no image.
const MAX_LENGTH: usize = 4096;

/// The variables of a Flux Kustomization.
#[derive(Default)]
struct Substitutes {
    values: HashMap<String, Scalar>,
    /// Those that something can override which isn't in the repository.
    unsure: bool,
    /// The variables that nothing else can override.
    sure: Vec<String>,
}

/// Replaces the variables in all objects.
pub(super) fn apply(build: &mut Build, kustomization: &Value, objects: &Objects<'_>) {
    let Some(post_build) = kustomization.at(&["spec", "postBuild"]) else { return };
    let namespace = kustomization.text_at(&["metadata", "namespace"]);
    let variables = Substitutes::read(post_build, namespace, objects);
    if variables.values.is_empty() && !variables.unsure {
        return;
    }
    let mut doubts = Vec::new();
    for object in build.objects.iter_mut().filter(|object| !is_switched_off(&object.value)) {
        walk(&mut object.value, &variables, &mut doubts);
    }
    doubts.retain(|doubt| !build.uncertain.contains(doubt));
    build.uncertain.append(&mut doubts);
}

impl Substitutes {
    /// `LoadVariables`: later sources override earlier ones, and `substitute` overrides all.
    fn read(post_build: &Value, namespace: Option<&str>, objects: &Objects<'_>) -> Self {
        let mut variables = Substitutes::default();
        for source in post_build.get("substituteFrom").map_or(&[][..], Value::items) {
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
            let Some(scalar) = value.scalar() else { continue };
            let mut scalar = scalar.clone();
            if let Some(weaker) = self.values.get(name) {
                scalar.override_scalar(weaker);
            }
            self.values.insert(name.clone(), scalar);
            self.sure.push(name.clone());
        }
    }

    fn may_change(&self, name: &str) -> bool {
        self.unsure && !self.sure.iter().any(|sure| sure == name)
    }
}

fn is_switched_off(object: &Value) -> bool {
    let has = |key| object.text_at(&["metadata", key, SWITCH]) == Some("disabled");
    has("labels") || has("annotations")
}

fn walk(value: &mut Value, variables: &Substitutes, doubts: &mut Vec<Doubt>) {
    match value {
        Value::Map(pairs) => pairs.iter_mut().for_each(|(_, value)| walk(value, variables, doubts)),
        Value::List(items) => items.iter_mut().for_each(|item| walk(item, variables, doubts)),
        Value::Scalar(scalar) => substitute(scalar, variables, doubts),
    }
}

fn substitute(scalar: &mut Scalar, variables: &Substitutes, doubts: &mut Vec<Doubt>) {
    if !scalar.text.contains("$") || scalar.text.len() > MAX_LENGTH {
        return;
    }
    let mut doubt = |what: String| doubts.push(Doubt { at: scalar.place, what });
    let Some(parts) = parse(&scalar.text) else {
        return doubt("has a placeholder that Flux refuses".to_owned());
    };
    if let ([Placeholder::Variable { name, default }], []) = (parts.as_slice(), scalar.links.as_slice()) {
        let value = variables.values.get(name).filter(|value| default.is_empty() || !value.text.is_empty());
        if let Some(value) = value {
            if variables.may_change(name) {
                doubt(format!("uses {name}, which an object outside of this repository may set"));
            }
            let mut value = value.clone();
            value.text.retain(|c| c != '\n');
            value.overridden.splice(0..0, std::mem::take(&mut scalar.overridden));
            *scalar = value;
            return;
        }
    }
    let mut pieces = Pieces { scalar, variables, found: Vec::new(), unsure: None };
    pieces.add(&parts);
    let Pieces { found, unsure, .. } = pieces;
    if let Some(name) = unsure {
        doubt(format!("uses {name}, which an object outside of this repository may set"));
    }
    let interpolated = Interpolated { pieces: found, overridden: Vec::new() };
    let text = interpolated.text();
    let setting = match (scalar.links.is_empty(), scalar.place) {
        (true, Some(place)) => ServiceImage::new(place, &interpolated).image.winning().cloned(),
        // the placeholder was put there by another step, for example by an entry's newTag
        _ => variable_of(&interpolated).map(|piece| part_setting(piece, &scalar.text)),
    };
    match setting {
        Some(setting) => scalar.set_image(setting, text),
        None => scalar.text = text,
    }
}

/// The pieces of a text after its placeholders are replaced.
struct Pieces<'p> {
    scalar: &'p Scalar,
    variables: &'p Substitutes,
    found: Vec<Piece>,
    unsure: Option<String>,
}

impl Pieces<'_> {
    fn add(&mut self, parts: &[Placeholder]) {
        for part in parts {
            match part {
                Placeholder::Text(range) => self.add_text(range.clone()),
                Placeholder::Dollar(range) => self.add_text(range.start + 1..range.end),
                Placeholder::Variable { name, default } => self.add_variable(name, default),
                Placeholder::Changed { name } => {
                    let text = self.variables.values.get(name).map_or("", |value| value.text.as_str());
                    let (text, name) = (text.to_owned(), name.clone());
                    self.add_fixed(text, Fixed::SeveralParts, name);
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
            Some(value) => {
                let text: String = value.text.chars().filter(|&c| c != '\n').collect();
                let origin = match (&value.links[..], value.place) {
                    ([], Some(place)) => Origin::Written(place, 0..text.len()),
                    ([.., link], _) => match &link.setting {
                        Setting::Part(part) => Origin::Written(part.place, part.range.clone()),
                        _ => Origin::Fixed(Fixed::SeveralParts),
                    },
                    _ => Origin::Fixed(Fixed::Generated),
                };
                self.push(text, origin, name);
            }
            None if default.is_empty() => {
                let reason = Fixed::NoDefault { name: name.to_owned() };
                self.add_fixed(String::new(), reason, name.to_owned());
            }
            None => self.add(default),
        }
    }

    fn add_text(&mut self, range: Range<usize>) {
        let text = self.scalar.text.get(range.clone()).unwrap_or_default().to_owned();
        let origin = match self.scalar.place {
            Some(place) => Origin::Written(place, range),
            None => Origin::Fixed(Fixed::Generated),
        };
        self.found.push(Piece { shown: text.clone(), text, origin, variables: Vec::new() });
    }

    fn add_fixed(&mut self, text: String, reason: Fixed, name: String) {
        self.push(text, Origin::Fixed(reason), &name);
    }

    fn push(&mut self, text: String, origin: Origin, name: &str) {
        self.found.push(Piece { shown: text.clone(), text, origin, variables: vec![name.to_owned()] });
    }
}

/// The only piece that comes from a variable.
fn variable_of(text: &Interpolated) -> Option<&Piece> {
    let mut variables = text.pieces.iter().filter(|piece| !piece.variables.is_empty());
    variables.next().filter(|_| variables.next().is_none())
}

/// A variable in a tag that an earlier step put there.
fn part_setting(piece: &Piece, before: &str) -> Setting {
    let (at, range) = match &piece.origin {
        Origin::Written(place, range) => (*place, range.clone()),
        Origin::Fixed(reason) => return Setting::Fixed { at: None, reason: reason.clone() },
    };
    let tag = ParsedReference::parse(before).tag.unwrap_or_default();
    match tag.split_once("${").and_then(|(prefix, rest)| Some((prefix, rest.rsplit_once('}')?.1))) {
        Some((prefix, suffix)) => {
            let holds = Holds::Tag { prefix: prefix.to_owned(), suffix: suffix.to_owned() };
            Setting::Part(TextPart { place: at, range, holds })
        }
        None => Setting::Fixed { at: Some(at), reason: Fixed::SeveralParts },
    }
}
