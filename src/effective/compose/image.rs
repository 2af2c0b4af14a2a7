//! The image of a service: what its text says, and which part of which text sets the version.

use std::ops::Range;

use super::super::place::Place;
use super::super::setting::{EffectiveImage, Fixed, Holds, Link, Setting, TextPart};
use super::interpolation::{Interpolated, Origin, TextPiece};
use crate::image::ParsedReference;

/// The image of a service.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct ServiceImage {
    pub image: EffectiveImage,
    /// The variables that would replace the winning place if they were exported.
    pub variables: Vec<String>,
    /// The scalar of the service's `image`, which a variable can fill in.
    pub written: Place,
}

impl ServiceImage {
    /// Reads the image that is written at `place`, after its placeholders are replaced.
    pub fn new(place: Place, text: &Interpolated) -> Self {
        let pieces = Located::all(&text.pieces);
        let shown: String = text.pieces.iter().map(|piece| piece.shown.as_str()).collect();
        let ParsedReference { name, tag, digest } = ParsedReference::parse(&shown);
        let version = version_range(&shown);
        let name = pieces.iter().map(|piece| piece.text_before(name.len())).collect();
        let (tag, digest) = (tag.map(str::to_owned), digest.map(str::to_owned));
        let VersionSource { setting, variables } = winner(place, &shown, version, &pieces, tag.is_none());
        let winning = setting.place();
        let overridden = text.overridden.iter().copied().filter(|&place| Some(place) != winning).collect();
        let link = Link { setting, name, tag, digest, as_tag: None };
        let Link { name, tag, digest, .. } = link.clone();
        let image = EffectiveImage {
            name,
            tag,
            digest,
            chain: vec![link],
            overridden,
            named_at: None,
            digest_at: None,
            app_version: None,
            other_name: None,
        };
        ServiceImage { image, variables, written: place }
    }

    /// Puts a stronger image over a weaker one.
    pub fn over(mut self, weaker: Option<ServiceImage>) -> Self {
        let Some(weaker) = weaker else { return self };
        // where the name is another one, nothing else stands for the place that has the old name
        let named = (weaker.image.name != self.image.name).then_some(weaker.written);
        let winning = weaker.image.winning().and_then(Setting::place);
        let named = named.filter(|place| Some(*place) != winning);
        let places = weaker.image.overridden.into_iter().chain(named).chain(winning);
        let own = self.image.winning().and_then(Setting::place);
        self.image.overridden.splice(0..0, places.filter(|&place| Some(place) != own));
        self
    }
}

struct VersionSource {
    setting: Setting,
    variables: Vec<String>,
}

impl VersionSource {
    fn fixed(place: Place, reason: Fixed) -> Self {
        VersionSource { setting: Setting::Fixed { at: Some(place), reason }, variables: Vec::new() }
    }
}

/// The bytes of the tag and the digest, without the mark before them; `None` if there is neither.
fn version_range(shown: &str) -> Option<Range<usize>> {
    let ParsedReference { name, tag, digest } = ParsedReference::parse(shown);
    (tag.is_some() || digest.is_some()).then(|| name.len() + 1..shown.len())
}

/// What sets the version of an image.
fn winner(
    place: Place,
    shown: &str,
    version: Option<Range<usize>>,
    pieces: &[Located<'_>],
    no_tag: bool,
) -> VersionSource {
    // a tag that is there but empty comes from one of the other pieces
    let is_empty = version.as_ref().is_some_and(Range::is_empty) && pieces.len() > 1;
    if let Some(whole) = whole(place, shown, pieces).filter(|_| !is_empty) {
        return whole;
    }
    let Some(version) = version else { return behind_name(place, pieces) };
    let touched: Vec<_> = pieces.iter().filter(|piece| piece.touches(&version)).collect();
    let fixed = touched.iter().find_map(|piece| match &piece.piece.origin {
        Origin::Fixed(reason) => Some(reason.clone()),
        Origin::Written(..) => None,
    });
    if let Some(reason) = fixed {
        return VersionSource::fixed(place, reason);
    }
    let Some(chosen) = only_one(&touched) else { return VersionSource::fixed(place, Fixed::SeveralParts) };
    let within = chosen.start.max(version.start)..chosen.end().min(version.end);
    let Some((at, range)) = chosen.written(within.clone()) else {
        return VersionSource::fixed(place, Fixed::SeveralParts);
    };
    let text = |range: Range<usize>| shown[range].to_owned();
    let (prefix, suffix) = (text(version.start..within.start), text(within.end..version.end));
    let holds = match no_tag && prefix.is_empty() && suffix.is_empty() {
        true => Holds::Digest,
        false => Holds::Tag { prefix, suffix },
    };
    let setting = Setting::Part(TextPart { place: at, range, holds });
    VersionSource { setting, variables: chosen.piece.variables.clone() }
}

/// If one piece holds the whole image: the scalar itself, or a part that leads to it.
fn whole(place: Place, shown: &str, pieces: &[Located<'_>]) -> Option<VersionSource> {
    let mut filled = pieces.iter().filter(|piece| !piece.piece.shown.is_empty());
    let only = filled.next().filter(|_| filled.next().is_none())?;
    let (at, range) = only.written(0..shown.len())?;
    let setting = match pieces {
        [_] if at == place && only.piece.variables.is_empty() => Setting::Image(place),
        _ => Setting::Part(TextPart { place: at, range, holds: Holds::Image }),
    };
    Some(VersionSource { setting, variables: only.piece.variables.clone() })
}

/// An image without a tag and digest: the tag goes to the end of its last piece.
fn behind_name(place: Place, pieces: &[Located<'_>]) -> VersionSource {
    let last = pieces.iter().rev().find(|piece| !piece.piece.shown.is_empty());
    let end = last.and_then(|last| Some((last, last.written(last.end()..last.end())?)));
    match end {
        Some((last, (at, range))) => VersionSource {
            setting: Setting::Part(TextPart { place: at, range, holds: Holds::NoTag }),
            variables: last.piece.variables.clone(),
        },
        None => VersionSource::fixed(place, Fixed::SeveralParts),
    }
}

/// The one piece that holds the version. Text beside a variable doesn't count, nor do empty values.
fn only_one<'p, 'a>(touched: &[&'p Located<'a>]) -> Option<&'p Located<'a>> {
    let only = |pieces: Vec<&'p Located<'a>>| match pieces.as_slice() {
        [piece] => Some(*piece),
        _ => None,
    };
    let filled = || touched.iter().copied().filter(|piece| !piece.piece.shown.is_empty());
    let variable: Vec<_> = filled().filter(|piece| !piece.piece.variables.is_empty()).collect();
    if !variable.is_empty() {
        return only(variable);
    }
    if filled().next().is_some() { only(filled().collect()) } else { only(touched.to_vec()) }
}

/// A piece, and where it starts in the text that is shown.
struct Located<'a> {
    piece: &'a TextPiece,
    start: usize,
}

impl<'a> Located<'a> {
    fn all(pieces: &'a [TextPiece]) -> Vec<Self> {
        let mut start = 0;
        let locate = |piece: &'a TextPiece| {
            let located = Located { piece, start };
            start += piece.shown.len();
            located
        };
        pieces.iter().map(locate).collect()
    }

    fn end(&self) -> usize {
        self.start + self.piece.shown.len()
    }

    /// Whether it has a part in a range; an empty piece has one if it is inside.
    fn touches(&self, range: &Range<usize>) -> bool {
        let is_empty = self.piece.shown.is_empty();
        (is_empty && self.start >= range.start) || (self.start < range.end && self.end() > range.start)
    }

    /// What compose puts there, as far as it is before an offset of the text that is shown.
    fn text_before(&self, offset: usize) -> &'a str {
        let text = self.piece.text.as_str();
        match (&self.piece.origin, offset.saturating_sub(self.start)) {
            (_, 0) => "",
            (Origin::Fixed(_), _) => text,
            (Origin::Written(..), length) => text.get(..length).unwrap_or(text),
        }
    }

    /// Where a range of the text that is shown is written.
    fn written(&self, range: Range<usize>) -> Option<(Place, Range<usize>)> {
        let Origin::Written(place, written) = &self.piece.origin else { return None };
        // `$$` stands for one character
        if written.len() != self.piece.text.len() {
            return None;
        }
        let from = |offset: usize| Some(written.start + offset.checked_sub(self.start)?);
        let range = from(range.start)?..from(range.end)?;
        (range.end <= written.end).then_some((*place, range))
    }
}
