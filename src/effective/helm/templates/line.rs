//! The image that a line of a template gives, and what sets its tag.

use std::ops::Range;

use super::super::super::images::is_key_of_tag;
use super::super::super::place::Place;
use super::super::super::setting::{EffectiveImage, Fixed, Holds, Setting, TextPart};
use super::super::super::value::Scalar;
use super::evaluation::{APP_VERSION, EvaluatedPiece};
use super::text::{ImageLine, TemplatePlace};
use crate::image::ParsedReference;

fn comes_from(at: &TemplatePlace) -> String {
    format!("the tag comes from the template in {at}, not from the values")
}

/// Keys of a name. A `version` beside one may be that of something else too.
const NAMES: [&str; 4] = ["repository", "repo", "image", "name"];

/// The image in a line.
pub(super) struct TemplateImage {
    pub(super) at: TemplatePlace,
    pub(super) name: String,
    /// What holds the name, or parts of it.
    pub(super) named_at: Vec<Place>,
    /// Its text is the image, without any action in it.
    pub(super) is_literal: bool,
    /// What holds all of the name.
    pub(super) whole_name: Option<Place>,
    pub(super) tag: Option<String>,
    /// What sets the tag; `None` if no value does.
    pub(super) setting: Option<Setting>,
    /// Why no bump changes its tag if no value sets it: the rest of a sentence.
    pub(super) without_setting: String,
    /// Why no bump changes its tag, although a value may set it: the rest of a sentence.
    pub(super) fixed: Option<String>,
    /// With other values, the template gives something else: it may use a digest then.
    pub(super) is_partial: bool,
}

impl TemplateImage {
    /// `None` if tagbump can't tell what sets the tag.
    pub(super) fn of(line: &ImageLine, pieces: &[EvaluatedPiece<'_>], is_partial: bool) -> Option<Self> {
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let ParsedReference { name, tag, digest } = ParsedReference::parse(&text);
        if digest.is_some() || text.contains(|c: char| c == '@' || c.is_whitespace()) {
            return None;
        }
        let (mut named_at, mut tagged, mut of_tag_keys, mut start) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let (mut whole_name, mut of_name, mut fixed, mut has_app_version) = (None, Vec::new(), None, false);
        for piece in pieces {
            let range = start..start + piece.text.len();
            start = range.end;
            has_app_version |= piece.path == APP_VERSION && range.end > name.len() + 1;
            let Some(value) = piece.value.filter(|_| !range.is_empty()) else { continue };
            if range.start < name.len() {
                named_at.extend(value.place);
                of_name.extend(split_key(&piece.path).filter(|(_, key)| NAMES.contains(key)));
            }
            if range.start == 0 && range.end >= name.len() {
                whole_name = value.place;
            }
            if range == (0..text.len()) {
                tagged = vec![(value, range)];
                break;
            }
            if range.end > name.len() + 1 {
                tagged.push((value, range));
                of_tag_keys.push(format!(".Values.{}", piece.path));
                let map = split_key(&piece.path).filter(|(_, key)| *key == "version").map(|(map, _)| map);
                let is_beside = map.is_some_and(|map| of_name.iter().any(|(of_name, _)| *of_name == map));
                if is_beside {
                    fixed = Some(format!("its tag is .Values.{}, which no bump sets by itself", piece.path));
                }
            }
        }
        let of_tag = tag.map(|_| name.len() + 1..text.len());
        if tagged.len() > 1 {
            match the_tag(&tagged, &of_tag_keys) {
                // the other values are text around it, as if the template had it
                Some(tag) => tagged = vec![tag],
                None => {
                    fixed
                        .get_or_insert(format!("its tag is put together from {}", of_tag_keys.join(" and ")));
                }
            }
        }
        let setting = match (tagged.as_slice(), of_tag) {
            ([(value, range)], _) if *range == (0..text.len()) => Some(whole(value)?),
            ([], _) | (_, None) => None,
            _ if fixed.is_some() => None,
            ([(value, range)], Some(of_tag)) => {
                let inside = range.start.max(of_tag.start)..range.end;
                let around = |range: Range<usize>| text[range].to_owned();
                let (prefix, suffix) = (around(of_tag.start..inside.start), around(inside.end..of_tag.end));
                let own = inside.start - range.start..range.len();
                Some(setting(value, own, Holds::Tag { prefix, suffix })?)
            }
            _ => return None,
        };
        let (at, name, tag) = (line.at.clone(), name.to_owned(), tag.map(str::to_owned));
        let is_literal = !line.text.contains("{{");
        let without_setting = if has_app_version {
            "its tag is the appVersion of its chart".to_owned()
        } else {
            comes_from(&at)
        };
        Some(TemplateImage {
            at,
            name,
            named_at,
            whole_name,
            tag,
            setting,
            without_setting,
            fixed,
            is_partial,
            is_literal,
        })
    }

    /// Whether it is found by its text, in a file that is searched for names.
    pub(super) fn is_found_by_its_text(&self) -> bool {
        self.is_literal && self.at.is_in_yaml_file()
    }

    /// Whether it is the image's own tag without other text around it, or the `appVersion` of an image without a tag.
    pub(super) fn is_that_of(&self, image: &EffectiveImage) -> bool {
        let own = image.winning().and_then(Setting::place);
        match &self.setting {
            None if self.fixed.is_some() => false,
            None => own.is_none() || image.tag.as_deref().is_none_or(str::is_empty),
            Some(Setting::Part(part)) => Some(part.place) == own && part.holds == Holds::whole_tag(),
            Some(other) => other.place() == own,
        }
    }

    /// What sets the tag, or why nothing can.
    pub(super) fn setting_at(&self, name: Option<Place>) -> Setting {
        if let Some(what) = self.fixed.clone() {
            return Setting::Fixed { at: None, reason: Fixed::Unread { what } };
        }
        let fixed =
            || Setting::Fixed { at: name, reason: Fixed::Unread { what: self.without_setting.clone() } };
        self.setting.clone().unwrap_or_else(fixed)
    }

    /// An image of which only the name can be read.
    pub(super) fn with_unknown_tag(line: &ImageLine, pieces: &[EvaluatedPiece<'_>]) -> Option<Self> {
        let named = Self::of(line, pieces, true)?;
        let is_sure = pieces.last().is_some_and(|piece| piece.text.ends_with(':'))
            && named.tag.as_deref().is_none_or(str::is_empty);
        let name = named.name.trim_end_matches(':').to_owned();
        let fixed = Some(comes_from(&line.at));
        is_sure.then_some(TemplateImage { name, tag: None, setting: None, fixed, ..named })
    }

    /// The value that is all of an image, and holds no tag.
    pub(super) fn whole_without_tag(&self) -> Option<Place> {
        match self.setting {
            Some(Setting::Image(place)) if self.tag.is_none() => Some(place),
            _ => None,
        }
    }

    /// Leaves the value as it is: elsewhere, it is only the name of an image.
    pub(super) fn leave_untagged(&mut self) {
        self.setting = None;
        self.fixed = Some(format!("the template in {} leaves its tag out", self.at));
    }
}

/// The only one of several values whose key says that it is a tag.
fn the_tag<'v>(
    values: &[(&'v Scalar, Range<usize>)],
    paths: &[String],
) -> Option<(&'v Scalar, Range<usize>)> {
    let is_tag = |path: &String| is_key_of_tag(path.rsplit('.').next().unwrap_or_default());
    let mut tags = values.iter().zip(paths).filter(|(_, path)| is_tag(path));
    let (tag, _) = tags.next().filter(|_| tags.next().is_none())?;
    Some(tag.clone())
}

/// The last key of a path, and those before it.
fn split_key(path: &str) -> Option<(&str, &str)> {
    (!path.is_empty()).then(|| path.rsplit_once('.').unwrap_or(("", path)))
}

/// What sets an image that is all of a value.
fn whole(value: &Scalar) -> Option<Setting> {
    match value.links.last() {
        None => Some(Setting::Image(value.place?)),
        Some(link) => Some(link.setting.clone()),
    }
}

/// What sets a tag that is in a range of a value; `None` if something else has changed the value.
fn setting(value: &Scalar, range: Range<usize>, holds: Holds) -> Option<Setting> {
    match value.links.last() {
        None => Some(Setting::Part(TextPart { place: value.place?, range, holds })),
        Some(link) => (holds == Holds::whole_tag()).then(|| link.tag_setting()),
    }
}
