//! `replacements`: values of one object that are copied into others (kustomize's `filters/replacement`).

use super::super::composed::{own_piece, piece_of, set_pieces};
use super::super::files::join;
use super::super::setting::{Holds, Link, Setting, TextPart};
use super::super::value::{Scalar, Value};
use super::builder::{Builder, Gathered, Level};
use super::field_paths::value_at;
use super::json_patch::{MAX_PATH, depth};
use super::merge::inherit;
use super::selector::{ObjectSelector, cost_of_patterns};
use super::value_paths::{PathPart, create, lookup, matches, parts};
use super::{Object, ResourceId};

/// Larger values are not copied. Otherwise, a value that is copied into itself over and over could fill the memory.
const MAX_COPIED: usize = 10_000;

/// What is copied: a value, or a part of a scalar's text.
struct Copied {
    value: Value,
    /// In bytes of the scalar's text.
    part: Option<std::ops::Range<usize>>,
}

impl Builder<'_, '_> {
    pub(super) fn replacements(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        for item in level.list("replacements") {
            let Some(path) = item.get("path") else {
                self.replacement(item, gathered);
                continue;
            };
            let local = path.text().and_then(|path| join(level.folder, path));
            let Some(file) = local.and_then(|local| self.files.load(&local)) else {
                self.note_uncertain(path.place(), "reads a file that isn't in this repository");
                continue;
            };
            self.build.files.insert(file);
            for document in self.files.documents(file) {
                match &document {
                    Value::List(items) => items.iter().for_each(|item| self.replacement(item, gathered)),
                    item => self.replacement(item, gathered),
                }
            }
        }
    }

    fn replacement(&mut self, item: &Value, gathered: &mut Gathered) {
        let targets = item.get("targets").map_or(&[][..], Value::items);
        if !self.can_afford(gathered.objects.len().saturating_mul(targets.len() + 1)) {
            return;
        }
        let Some(copied) = source(item, &gathered.objects) else {
            if targets.iter().any(may_set_image) {
                self.note_uncertain(item.place(), "replaces values, and their source can't be found");
            }
            return;
        };
        if copied.value.size() > MAX_COPIED {
            return self.note_uncertain(item.place(), "copies a value that is too large to evaluate");
        }
        for target in targets {
            let Some(paths) = self.target_paths(target) else { return };
            let Some(selector) = target.get("select").and_then(ObjectSelector::read) else {
                self.note_uncertain(target.place(), "has a target that can't be evaluated");
                continue;
            };
            let rejected = target.get("reject").map_or(&[][..], Value::items);
            let rejected: Vec<_> = rejected.iter().filter_map(ObjectSelector::read).collect();
            let mut is_seen = false;
            for object in &mut gathered.objects {
                let is_target = selector.selects_any_id(object)
                    && !rejected.iter().any(|reject| reject.selects_any_id(object));
                is_seen |= is_target;
                let size = (copied.value.size() + object.value.size()).saturating_mul(1 + paths.len());
                if is_target && self.can_afford(size) {
                    copy_into(&mut object.value, &copied, target, &paths);
                }
            }
            if !is_seen && gathered.has_unknown && may_set_image(target) {
                self.note_uncertain(target.place(), "replaces values of an object that tagbump can't see");
            }
        }
    }
}

impl Builder<'_, '_> {
    /// The paths of a target. `None` if reading its patterns would cost too much.
    fn target_paths(&mut self, target: &Value) -> Option<Vec<TargetPath>> {
        let listed = target.get("fieldPaths").map_or(&[][..], Value::items).iter().filter_map(Value::text);
        let mut paths: Vec<Vec<String>> = listed.map(parts).collect();
        if paths.is_empty() {
            paths.push(parts("metadata.name"));
        }
        let select = target.get("select").into_iter();
        let selectors = select.chain(target.get("reject").map_or(&[][..], Value::items));
        let in_paths: usize = paths.iter().flatten().map(|part| PathPart::cost(part)).sum();
        self.can_afford(in_paths + selectors.map(cost_of_patterns).sum::<usize>())
            .then(|| paths.into_iter().map(TargetPath::read).collect())
    }
}

/// One of `fieldPaths`, with its patterns.
struct TargetPath {
    parts: Vec<String>,
    patterns: Vec<PathPart>,
}

impl TargetPath {
    fn read(parts: Vec<String>) -> Self {
        TargetPath { patterns: parts.iter().map(|part| PathPart::read(part)).collect(), parts }
    }
}

/// `getReplacement`
fn source(item: &Value, objects: &[Object]) -> Option<Copied> {
    if let Some(value) = item.get("sourceValue") {
        return Some(Copied { value: value.clone(), part: None });
    }
    let source = item.get("source")?;
    let mut found = objects.iter().filter(|object| object.ids().any(|id| is_selected(&id, source)));
    let object = found.next().filter(|_| found.next().is_none())?;
    let path = source.text_at(&["fieldPath"]).filter(|path| !path.is_empty()).unwrap_or("metadata.name");
    let value = lookup(&object.value, &parts(path))?;
    let part = match delimiter(source) {
        Some((delimiter, index)) => {
            let text = value.text()?;
            Some(part_ranges(text, delimiter).nth(usize::try_from(index).ok()?)?)
        }
        None => None,
    };
    Some(Copied { value: value.clone(), part })
}

/// `ResId.IsSelectedBy`: what isn't given fits everything.
fn is_selected(id: &ResourceId, selector: &Value) -> bool {
    let fits = |key, actual: &str| {
        selector.text_at(&[key]).is_none_or(|wanted| wanted.is_empty() || wanted == actual)
    };
    let namespace = selector.text_at(&["namespace"]).unwrap_or_default();
    let wanted = ResourceId { namespace: namespace.to_owned(), ..id.clone() };
    fits("group", &id.group)
        && fits("version", &id.version)
        && fits("kind", &id.kind)
        && fits("name", &id.name)
        && (namespace.is_empty() || wanted.effective_namespace() == id.effective_namespace())
}

/// `copyValueToTarget`
fn copy_into(object: &mut Value, copied: &Copied, target: &Value, paths: &[TargetPath]) {
    let creates = target.text_at(&["options", "create"]) == Some("true");
    for path in paths {
        if creates {
            create(object, &path.parts);
        }
        let mut found = Vec::new();
        matches(object, &path.patterns, &mut Vec::new(), &mut found);
        for steps in found {
            if let Some(field) = value_at(object, &steps) {
                set_field(field, copied, delimiter(target), steps.len());
            }
        }
    }
}

/// `setFieldValue`
fn set_field(field: &mut Value, copied: &Copied, delimiter: Option<(&str, isize)>, at_depth: usize) {
    match (field, &copied.value, delimiter) {
        (Value::Scalar(field), Value::Scalar(source), Some((delimiter, index))) => {
            set_part(field, source, copied, delimiter, index);
        }
        (Value::Scalar(field), Value::Scalar(source), None) => set_whole(field, source, copied),
        (_, value, _) if at_depth + depth(value) > MAX_PATH => {}
        (field, value, _) => {
            let mut new = value.clone();
            inherit(&mut new, field);
            *field = new;
        }
    }
}

fn set_whole(field: &mut Scalar, source: &Scalar, copied: &Copied) {
    let part = match (&copied.part, source.links.last().map(|link| &link.setting), source.place) {
        (Some(range), None, Some(place)) => Some((place, range.clone())),
        (range, Some(Setting::Part(part)), _) => {
            let start = part.range.start;
            let within = range.clone().unwrap_or(0..source.text.len());
            Some((part.place, start + within.start..start + within.end))
        }
        _ => None,
    };
    let mut new = source.clone();
    if let Some(range) = &copied.part {
        new.text = source.text[range.clone()].to_owned();
        new.links = vec![Link::new(Setting::generated(), &new.text)];
    }
    if let Some((place, range)) = part {
        let setting = Setting::Part(TextPart { place, range, holds: Holds::Image });
        new.links = vec![Link::new(setting, &new.text)];
    }
    new.override_scalar(field);
    (new.plain, new.null) = (field.plain && !field.null, false);
    *field = new;
}

/// Replaces one of the parts between delimiters, or adds one.
fn set_part(field: &mut Scalar, source: &Scalar, copied: &Copied, delimiter: &str, index: isize) {
    let range = copied.part.clone().unwrap_or(0..source.text.len());
    let new = piece_of(source, range, "replacement");
    let all = own_piece(field, 0..field.text.len());
    let between = || {
        let mut piece = own_piece(field, 0..0);
        (piece.text, piece.shown) = (delimiter.to_owned(), delimiter.to_owned());
        piece
    };
    let ranges: Vec<_> = part_ranges(&field.text, delimiter).collect();
    let pieces = match usize::try_from(index) {
        Err(_) => vec![new, between(), all],
        Ok(index) => match ranges.get(index) {
            Some(old) => {
                let (before, after) = (0..old.start, old.end..field.text.len());
                vec![own_piece(field, before), new, own_piece(field, after)]
            }
            None => vec![all, between(), new],
        },
    };
    set_pieces(field, pieces.into_iter().filter(|piece| !piece.text.is_empty()).collect());
}

/// The delimiter of `options`, and which part is meant.
fn delimiter(value: &Value) -> Option<(&str, isize)> {
    let delimiter = value.text_at(&["options", "delimiter"]).filter(|delimiter| !delimiter.is_empty())?;
    let index = value.text_at(&["options", "index"]).and_then(|index| index.parse().ok());
    Some((delimiter, index.unwrap_or(0)))
}

/// Where the parts of a text between delimiters are.
fn part_ranges<'t>(text: &'t str, delimiter: &'t str) -> impl Iterator<Item = std::ops::Range<usize>> + 't {
    let mut start = 0;
    text.split(delimiter).map(move |part| {
        let range = start..start + part.len();
        start = range.end + delimiter.len();
        range
    })
}

/// Whether a target can be an image, or something that an image is made from.
fn may_set_image(target: &Value) -> bool {
    let paths = target.get("fieldPaths").map_or(&[][..], Value::items).iter().filter_map(Value::text);
    paths.into_iter().any(may_be_image)
}

/// Whether what a path leads to may be an image, or have one in it.
pub(super) fn may_be_image(path: &str) -> bool {
    let words = ["image", "Image", "ontainers", "tag", "Tag", "values", "template"];
    words.iter().any(|word| path.contains(word)) || path == "spec"
}
