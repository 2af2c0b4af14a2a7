//! Tags that a chart's templates take from elsewhere than beside the name, as in
//! `{{ .Values.global.tag | default .Values.image.tag }}`.
//!
//! By convention, an image has its name and its tag in one block of the values. Where the values hold another tag too,
//! this evaluates the lines of the templates that give an image. Nothing is rendered and control flow isn't followed, so a
//! line that uses more than [`Evaluation`] knows says nothing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::super::super::files::{Files, join};
use super::super::super::images::is_key_of_tag;
use super::super::super::place::Place;
use super::super::super::setting::{EffectiveImage, Holds, Link, Setting, TextPart};
use super::super::super::value::{Scalar, Value};
use super::evaluation::{EvaluatedPiece, Evaluation, next_action};
use super::objects::values_in;
use crate::image::ParsedReference;

/// What reading a template costs, in bytes for each value.
const BYTES_PER_VALUE: usize = 64;

/// So many lines with an image are looked at in a chart.
const MAX_LINES: usize = 1000;

/// What begins, divides or ends control flow.
const CONTROL: [&str; 7] = ["if", "else", "end", "with", "range", "define", "block"];

/// Whether values hold a tag that none of these images has: templates may prefer it.
pub fn has_other_tag(values: &Value, images: &[EffectiveImage]) -> bool {
    let known: HashSet<Place> = images.iter().flat_map(EffectiveImage::places).collect();
    let (mut rest, mut is_found) = (vec![values], false);
    while let Some(value) = rest.pop().filter(|_| !is_found) {
        for (key, value) in value.pairs() {
            let scalar = value.scalar().filter(|scalar| !scalar.text.is_empty() && is_key_of_tag(key));
            is_found |=
                scalar.is_some_and(|scalar| !scalar.place.is_some_and(|place| known.contains(&place)));
            rest.push(value);
        }
    }
    is_found
}

/// What the templates of charts say about images.
pub struct ImageTemplates {
    /// What is behind `image:`, by the folder of the chart.
    lines: HashMap<String, Vec<String>>,
    /// The named templates of all the charts, which all of them can include.
    named: HashMap<String, String>,
}

/// A tag as a line of a template gives it.
struct TemplateTag {
    /// What holds the name, or parts of it.
    named_at: Vec<Place>,
    text: String,
    /// `None` if no value holds it.
    setting: Option<Setting>,
}

impl TemplateTag {
    /// The tag in an image; `None` if it can't be told what sets it.
    fn of(pieces: &[EvaluatedPiece<'_>]) -> Option<Self> {
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let ParsedReference { name, tag, digest } = ParsedReference::parse(&text);
        if digest.is_some() || text.contains(char::is_whitespace) {
            return None;
        }
        let (mut named_at, mut tagged, mut start) = (Vec::new(), Vec::new(), 0);
        for piece in pieces {
            let range = start..start + piece.text.len();
            start = range.end;
            let Some(value) = piece.value.filter(|_| !range.is_empty()) else { continue };
            if range.start < name.len() {
                named_at.extend(value.place);
            }
            if range.end > name.len() + 1 {
                tagged.push((value, range));
            }
        }
        let version = tag.map(|_| name.len() + 1..text.len());
        let setting = match (tagged.as_slice(), version) {
            ([], _) | (_, None) => None,
            ([(value, range)], Some(version)) => {
                let inside = range.start.max(version.start)..range.end;
                let around = |range: Range<usize>| text[range].to_owned();
                let (prefix, suffix) = (around(version.start..inside.start), around(inside.end..version.end));
                let own = inside.start - range.start..range.len();
                Some(setting(value, own, Holds::Tag { prefix, suffix })?)
            }
            _ => return None,
        };
        Some(TemplateTag { named_at, text: tag.unwrap_or_default().to_owned(), setting })
    }
}

impl ImageTemplates {
    pub fn read<'c>(files: &mut Files<'_>, folders: impl Iterator<Item = &'c str>) -> Self {
        let mut templates = ImageTemplates { lines: HashMap::new(), named: HashMap::new() };
        let folders: BTreeSet<&str> = folders.collect();
        folders.into_iter().for_each(|folder| templates.add(files, folder));
        templates
    }

    fn add(&mut self, files: &mut Files<'_>, chart: &str) {
        let Some(folder) = join(chart, "templates") else { return };
        let helpers = join(&folder, "_helpers.tpl");
        let mut lines = Vec::new();
        for path in files.below(&folder).map(str::to_owned).chain(helpers) {
            let Some(file) = files.load(&path) else { continue };
            if !files.spend(files.file(file).bytes.len() / BYTES_PER_VALUE) {
                break;
            }
            let Ok(text) = std::str::from_utf8(&files.file(file).bytes) else { continue };
            lines.extend(text.lines().filter_map(behind_image).map(str::to_owned));
            self.named.extend(named_templates(text));
        }
        lines.truncate(MAX_LINES);
        self.lines.insert(chart.to_owned(), lines);
    }

    /// The images of a chart's values, with the tags that its templates give them. An image that gets several is there as
    /// often.
    pub fn tagged(
        &self,
        chart: &str,
        values: &Value,
        app_version: Option<&str>,
        images: Vec<EffectiveImage>,
    ) -> Vec<EffectiveImage> {
        let mut evaluation = Evaluation::new(values, &self.named, app_version);
        let (mut tags, mut unknown) = (Vec::new(), UnknownLines::default());
        for line in self.lines.get(chart).into_iter().flatten() {
            match evaluation.text(line).and_then(|pieces| TemplateTag::of(&pieces)) {
                Some(tag) => tags.push(tag),
                None => unknown.add(line, values),
            }
        }
        images.into_iter().flat_map(|image| with_tags(image, &tags, &unknown)).collect()
    }
}

/// The lines with an image that can't be evaluated.
#[derive(Default)]
struct UnknownLines {
    /// The values that they use.
    uses: HashSet<Place>,
    /// One of them doesn't say which values it uses.
    may_use_any: bool,
}

impl UnknownLines {
    fn add(&mut self, line: &str, values: &Value) {
        let mut paths = values_in(line).peekable();
        self.may_use_any |= paths.peek().is_none();
        let mut rest: Vec<&Value> = paths.filter_map(|path| values.at(&path)).collect();
        while let Some(value) = rest.pop() {
            self.uses.extend(value.place());
            rest.extend(value.pairs().iter().map(|(_, value)| value));
        }
    }

    fn may_use(&self, name: Option<Place>) -> bool {
        self.may_use_any || name.is_some_and(|name| self.uses.contains(&name))
    }
}

/// What is behind `image:` in a line, without quotes around it.
fn behind_image(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    let value = line.strip_prefix("image:")?.trim();
    let quote = value.chars().next().filter(|quote| ['"', '\''].contains(quote));
    let Some(quote) = quote else { return value.split(" #").next().map(str::trim) };
    // a quote inside an action ends nothing
    let end = value.rfind(quote).filter(|end| *end > 0)?;
    Some(&value[1..end])
}

/// The named templates of a text that hold no control flow, each with its body.
fn named_templates(text: &str) -> Vec<(String, String)> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((_, action, behind)) = next_action(rest) {
        rest = behind;
        let name =
            action.strip_prefix("define").and_then(|name| name.trim().strip_prefix('"')?.strip_suffix('"'));
        if let (Some(name), Some(body)) = (name, body(behind)) {
            found.push((name.to_owned(), body.trim().to_owned()));
        }
    }
    found
}

/// The text until the `end` of a named template; `None` if other control flow comes before.
fn body(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let (before, action, behind) = next_action(rest)?;
        if is_control(action) {
            let length = text.len() - rest.len() + before.len();
            return (action == "end").then(|| &text[..length]);
        }
        rest = behind;
    }
}

fn is_control(action: &str) -> bool {
    action.split_whitespace().next().is_some_and(|word| CONTROL.contains(&word))
}

/// What sets a tag that is in a range of a value; `None` if something else has changed the value.
fn setting(value: &Scalar, range: Range<usize>, holds: Holds) -> Option<Setting> {
    match value.links.last() {
        None => Some(Setting::Part(TextPart { place: value.place?, range, holds })),
        Some(link) => (holds == Holds::whole_tag()).then(|| link.tag_setting()),
    }
}

/// An image with each of the tags that templates give it. As it is, too, if a template may use it so.
fn with_tags(image: EffectiveImage, tags: &[TemplateTag], unknown: &UnknownLines) -> Vec<EffectiveImage> {
    let own = image.winning().and_then(Setting::place);
    let is_of_image = |tag: &&TemplateTag| {
        image.digest.is_none() && image.named_at.is_some_and(|name| tag.named_at.contains(&name))
    };
    let place = |tag: &TemplateTag| tag.setting.as_ref().and_then(Setting::place);
    let (same, others): (Vec<_>, Vec<_>) =
        tags.iter().filter(is_of_image).partition(|tag| tag.setting.is_none() || place(tag) == own);
    let mut seen = HashSet::new();
    let others: Vec<_> = others.into_iter().filter(|tag| seen.insert(place(tag))).collect();
    let mut tagged: Vec<EffectiveImage> =
        others.into_iter().filter_map(|tag| with_tag(&image, tag)).collect();
    if tagged.is_empty() || !same.is_empty() || unknown.may_use(image.named_at) {
        tagged.insert(0, image);
    }
    tagged
}

fn with_tag(image: &EffectiveImage, tag: &TemplateTag) -> Option<EffectiveImage> {
    let (name, text) = (image.name.clone(), Some(tag.text.clone()));
    let link = Link { setting: tag.setting.clone()?, name, tag: text.clone(), digest: None, as_tag: None };
    let mut tagged = EffectiveImage { tag: text, ..image.clone() };
    tagged.overridden.extend(tagged.app_version.take().and_then(|version| version.empty_tag()));
    tagged.chain.push(link);
    Some(tagged)
}
