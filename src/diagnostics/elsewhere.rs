//! What a bump leaves unchanged beside what it sets: places that no rule covers, and values that may be used on top.

use super::plan::names_repository;
use crate::hint::{Audience, Hint, hint, setting};
use crate::plan::{ImageInTemplates, PlacesElsewhere, UnsetPlace, ValuesAbove};
use crate::visible::inline;

/// The places of an image that a bump leaves as they are.
pub fn places_elsewhere(found: &PlacesElsewhere, audience: Audience) -> String {
    let PlacesElsewhere { image, places, more } = found;
    let image = inline(image);
    let start =
        hint(format!("{image} is also in places that tagbump doesn't recognise, which stay unchanged: "));
    listed(start, places, *more).for_audience(audience)
}

/// The warning about templates that give containers another tag.
pub fn image_in_templates(found: &ImageInTemplates) -> String {
    let ImageInTemplates { places, more, .. } = found;
    let places: Vec<_> = places.iter().map(|(at, image)| format!("{at} ({})", inline(image))).collect();
    let more = if *more > 0 { format!(", and {more} more") } else { String::new() };
    let lines = if places.len() == 1 && more.is_empty() { "this line" } else { "these lines" };
    format!(
        "{} is written in a chart's templates, which tagbump doesn't edit; edit {lines} by hand: {}{more}",
        inline(&found.image),
        places.join(", ")
    )
}

/// The warning about values that may be used on top of those that a bump sets.
pub fn values_above(found: &ValuesAbove, audience: Audience) -> String {
    let ValuesAbove { image, below, places, more } = found;
    let image = inline(image);
    let start = match places.len() + more {
        1 => format!(
            "{below}: another values file keeps {image} at another tag if it's used on top of this one: "
        ),
        _ => format!(
            "{below}: other values files keep {image} at another tag if they're used on top of this one: "
        ),
    };
    listed(hint(start), places, *more).for_audience(audience)
}

/// Places, each with the flags that set it, and how many more there are.
fn listed(start: Hint, places: &[UnsetPlace], more: usize) -> Hint {
    let separated = |text: Hint, (nth, place)| text + if nth == 0 { "" } else { "; " } + with_setting(place);
    let text = places.iter().enumerate().fold(start, separated);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    text + more.as_str()
}

/// A place, and the flags that set it.
fn with_setting(place: &UnsetPlace) -> Hint {
    let UnsetPlace { at, object, field } = place;
    let Some(field) = field.as_deref().filter(|_| !names_repository(place)) else {
        return hint(place.to_string());
    };
    let object = object.as_deref().map(|kind| format!("{}, ", inline(kind))).unwrap_or_default();
    let flags = setting("field", inline(field)) + " " + setting("file", inline(&at.file));
    hint(format!("{at}: {object}")) + flags
}
