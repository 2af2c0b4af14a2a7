//! The notice about places that no rule covers, with what sets them.

use super::plan::names_repository;
use crate::hint::{Audience, Hint, hint, setting};
use crate::plan::{PlacesElsewhere, UnsetPlace};
use crate::visible::inline;

/// The places of an image that a bump leaves as they are.
pub fn places_elsewhere(found: &PlacesElsewhere, audience: Audience) -> String {
    let PlacesElsewhere { image, places, more } = found;
    let image = inline(image);
    let start =
        hint(format!("{image} is also in places that tagbump doesn't recognise, which stay unchanged: "));
    let separated = |text: Hint, (nth, place)| text + if nth == 0 { "" } else { "; " } + with_setting(place);
    let text = places.iter().enumerate().fold(start, separated);
    let more = if *more > 0 { format!("; and {more} more") } else { String::new() };
    (text + more.as_str()).for_audience(audience)
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
