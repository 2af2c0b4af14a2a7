//! What a chart's templates show without being rendered: the objects whose names can be determined, and which of their
//! containers has its image from which values.
//!
//! Control flow isn't followed: a line that is nothing but an action is left out. So what this gives is a good guess.

use std::collections::HashMap;

use super::super::super::files::{Files, join};
use super::super::super::images::image_text;
use super::super::super::kustomize::Object;
use super::super::super::place::{FileId, Place};
use super::super::super::setting::EffectiveImage;
use super::super::super::value::{Scalar, Value};
use super::super::chart::Chart;

/// What stands for an action (`{{ … }}`): its number between two characters that no text has.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// What reading a template costs, in bytes for each value.
const BYTES_PER_VALUE: usize = 64;

/// Deeper objects are left out.
const MAX_DEPTH: usize = 64;

/// The objects in the templates of a chart and of all that it contains. In their containers, an image is the scalar
/// that one of `images` is named at; others have none.
pub fn objects(
    files: &mut Files<'_>,
    chart: &Chart,
    user: Value,
    images: &[EffectiveImage],
    release: &str,
) -> Vec<Object> {
    let named = images.iter().filter_map(|image| Some((image.named_at?, image)));
    let images: HashMap<Place, &EffectiveImage> = named.collect();
    let mut objects = Vec::new();
    for (chart, values) in chart.with_values(user) {
        let Some(folder) = join(&chart.folder, "templates") else { continue };
        let paths: Vec<&str> = files.below(&folder).collect();
        for path in paths {
            let Some(file) = files.load(path) else { continue };
            let Ok(text) = String::from_utf8(files.file(file).bytes.clone()) else { continue };
            if !files.spend(text.len() / BYTES_PER_VALUE) {
                return objects;
            }
            let (text, actions) = without_actions(&text);
            let template =
                ChartTemplate { actions, chart: &chart.key, release, values: &values, images: &images };
            let documents = files.documents_of(text.as_bytes(), file);
            objects.extend(documents.into_iter().filter_map(|value| template.object(value, file)));
        }
    }
    objects
}

/// A template as YAML, and its actions.
fn without_actions(text: &str) -> (String, Vec<String>) {
    let (mut yaml, mut actions) = (String::new(), Vec::new());
    for line in text.lines() {
        let trimmed = line.trim();
        let is_action = trimmed.starts_with("{{") && trimmed.find("}}") == Some(trimmed.len() - 2);
        if is_action {
            continue;
        }
        let mut parts = line.split("{{");
        yaml.extend(parts.next());
        for part in parts {
            let (action, rest) = part.split_once("}}").unwrap_or((part, ""));
            yaml.push_str(&format!("{OPEN}{}{CLOSE}{rest}", actions.len()));
            actions.push(action.trim_matches(['-', ' ']).to_owned());
        }
        yaml.push('\n');
    }
    (yaml, actions)
}

/// A template of a chart, and what its actions can refer to.
struct ChartTemplate<'t> {
    actions: Vec<String>,
    chart: &'t str,
    release: &'t str,
    values: &'t Value,
    /// By the scalar with their name.
    images: &'t HashMap<Place, &'t EffectiveImage>,
}

impl ChartTemplate<'_> {
    /// `None` if the object's name can't be determined.
    fn object(&self, mut value: Value, file: FileId) -> Option<Object> {
        value.text_at(&["kind"])?;
        let name = value.text_at(&["metadata", "name"])?;
        if self.evaluated(name)?.is_empty() {
            return None;
        }
        self.fill(&mut value, 0)?;
        Some(Object { value, file: Some(file), is_partial: true, ..Object::default() })
    }

    /// Evaluates the texts. Images become those of the values, or go.
    fn fill(&self, value: &mut Value, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match value {
            Value::Scalar(scalar) => {
                let text = self.evaluated(&scalar.text).unwrap_or_else(|| scalar.text.clone());
                *scalar = Scalar { plain: scalar.plain, null: scalar.null, ..Scalar::generated(text) };
            }
            Value::List(items) => {
                items.iter_mut().try_for_each(|item| self.fill(item, depth + 1))?;
            }
            Value::Map(pairs) => {
                pairs.retain(|(key, value)| !is_image(key, value) || self.image(value).is_some());
                for (key, value) in pairs {
                    match self.image(value).filter(|_| is_image(key, value)) {
                        Some(image) => *value = Value::Scalar(image),
                        None => self.fill(value, depth + 1)?,
                    }
                }
            }
        }
        Some(())
    }

    /// The first image of the values that a text uses.
    fn image(&self, text: &Value) -> Option<Scalar> {
        let values = self.actions_in(text.text()?).flat_map(values_in);
        let mut places = values.filter_map(|path| self.values.at(&path)).flat_map(own_places);
        places.find_map(|place| {
            let image = self.images.get(&place)?;
            Some(Scalar { place: Some(place), ..Scalar::generated(image_text(image)) })
        })
    }

    fn actions_in<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let numbers = text.split(OPEN).skip(1).filter_map(|part| part.split(CLOSE).next()?.parse().ok());
        numbers.filter_map(|number: usize| self.actions.get(number)).map(String::as_str)
    }

    /// A text with the values of its actions; `None` if one of them can't be determined.
    fn evaluated(&self, text: &str) -> Option<String> {
        let mut parts = text.split(OPEN);
        let mut evaluated = parts.next()?.to_owned();
        for part in parts {
            let (number, rest) = part.split_once(CLOSE)?;
            evaluated.push_str(self.value(self.actions.get(number.parse::<usize>().ok()?)?)?);
            evaluated.push_str(rest);
        }
        Some(evaluated)
    }

    fn value(&self, action: &str) -> Option<&str> {
        let (term, filter) = action.split_once('|').unwrap_or((action, "quote"));
        if !["quote", "squote"].contains(&filter.trim()) {
            return None;
        }
        match term.trim().trim_start_matches('$') {
            ".Release.Name" => Some(self.release),
            ".Chart.Name" => Some(self.chart),
            term => {
                let path: Vec<&str> = term.strip_prefix(".Values.")?.split('.').collect();
                self.values.text_at(&path)
            }
        }
    }
}

fn is_image(key: &str, value: &Value) -> bool {
    key == "image" && value.scalar().is_some()
}

/// Where a value is, or what is in a map: named templates get all of an image's values.
fn own_places(value: &Value) -> impl Iterator<Item = Place> + '_ {
    let inside = value.pairs().iter().filter_map(|(_, value)| value.scalar()?.place);
    value.scalar().and_then(|value| value.place).into_iter().chain(inside)
}

/// The paths of the values that an action names.
fn values_in(action: &str) -> impl Iterator<Item = Vec<&str>> {
    let is_part = |c: char| c.is_alphanumeric() || ['_', '-', '.'].contains(&c);
    action.split(".Values.").skip(1).map(move |rest| {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        rest[..end].split('.').collect()
    })
}
