//! Scalars that a tool puts together from several places: text around variables, or parts of other scalars.

use std::ops::Range;

use super::compose::{Interpolated, Origin, ServiceImage, TextPiece};
use super::place::Place;
use super::setting::{Fixed, Link, Setting};
use super::value::Scalar;

/// Longer texts hold no image, and stay as they are: otherwise, texts that contain each other could fill the memory.
pub(super) const MAX_LENGTH: usize = 4096;

/// A part of a scalar's own text, as it is written.
pub(super) fn own_piece(scalar: &Scalar, range: Range<usize>) -> TextPiece {
    let text = scalar.text.get(range.clone()).unwrap_or_default().to_owned();
    let origin = match scalar.place {
        Some(place) => Origin::Written(place, range),
        None => Origin::Fixed(Fixed::Generated),
    };
    TextPiece { shown: text.clone(), text, origin, variables: Vec::new() }
}

/// A part of another scalar's text, which `name` stands for.
pub(super) fn piece_of(source: &Scalar, range: Range<usize>, name: &str) -> TextPiece {
    let text = source.text.get(range.clone()).unwrap_or_default().to_owned();
    let origin = match (source.links.as_slice(), source.place) {
        ([], Some(place)) => Origin::Written(place, range),
        ([.., link], _) => match &link.setting {
            Setting::Part(part) => {
                Origin::Written(part.place, part.range.start + range.start..part.range.start + range.end)
            }
            _ => Origin::Fixed(Fixed::SeveralParts),
        },
        ([], None) => Origin::Fixed(Fixed::Generated),
    };
    named(text, origin, name)
}

/// A text that no place can change.
pub(super) fn fixed_piece(text: String, reason: Fixed, name: &str) -> TextPiece {
    named(text, Origin::Fixed(reason), name)
}

fn named(text: String, origin: Origin, name: &str) -> TextPiece {
    TextPiece { shown: text.clone(), text, origin, variables: vec![name.to_owned()] }
}

/// Gives a scalar the text of these pieces, and, in case it is an image, the piece that sets its version.
pub(super) fn set_pieces(scalar: &mut Scalar, pieces: Vec<TextPiece>) {
    if pieces.iter().map(|piece| piece.text.len()).sum::<usize>() > MAX_LENGTH {
        return;
    }
    let pieces = Interpolated { pieces, overridden: Vec::new() };
    let text = pieces.text();
    let Some(place) = scalar.place else {
        return scalar.set_image(Setting::generated(), text);
    };
    let last = scalar.links.last();
    let setting = winning(place, &pieces, last.map(|link| link.setting.clone()));
    let as_tag = winning(place, &behind_name(pieces), last.map(Link::tag_setting));
    scalar.set_image(setting, text);
    if let Some(link) = scalar.links.last_mut() {
        link.as_tag = Some(as_tag);
    }
}

/// The piece that sets the version of an image. `last` is the last step that changed the scalar.
fn winning(place: Place, pieces: &Interpolated, last: Option<Setting>) -> Setting {
    let winning = ServiceImage::new(place, pieces).image.winning().cloned();
    match (winning, last) {
        // the version is in the scalar's own text, and another step put it there
        (Some(setting), Some(last)) if setting.place() == Some(place) => last,
        (setting, _) => setting.unwrap_or_else(Setting::generated),
    }
}

/// The pieces of a tag, as if they were in an image.
fn behind_name(Interpolated { mut pieces, overridden }: Interpolated) -> Interpolated {
    let text = "image:".to_owned();
    let origin = Origin::Fixed(Fixed::SeveralParts);
    pieces.insert(0, TextPiece { shown: text.clone(), text, origin, variables: Vec::new() });
    Interpolated { pieces, overridden }
}
