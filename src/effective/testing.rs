//! Helpers of tests: small repositories, and what they show.

use std::collections::BTreeSet;

use super::files::Files;
use super::place::Place;
use super::root::Doubt;
use super::setting::EffectiveImage;
use crate::yaml::Cancellation;

/// Calls `check` with a repository that holds these files.
pub fn with_files<T>(files: &[(&str, &str)], check: impl FnOnce(&mut Files<'_>) -> T) -> T {
    let paths: BTreeSet<String> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let read = |path: &str| {
        files.iter().find(|(own, _)| *own == path).map(|(_, content)| content.as_bytes().to_vec())
    };
    check(&mut Files::new(&paths, &read, Cancellation::default()).with_other(&paths))
}

/// `file:line` of a place.
pub fn location(files: &Files<'_>, place: Place) -> String {
    let location = files.location(place);
    format!("{}:{}", location.file, location.line)
}

/// Each image as `name:tag winning-place < weaker places`, strongest first. An image whose chart gives the tag shows
/// `appVersion`.
pub fn shown(files: &Files<'_>, images: &[EffectiveImage]) -> Vec<String> {
    let mut lines: Vec<String> = images.iter().map(|image| line(files, image)).collect();
    lines.sort();
    lines
}

fn line(files: &Files<'_>, image: &EffectiveImage) -> String {
    let EffectiveImage { name, tag, .. } = image;
    let tag = tag.as_deref().unwrap_or_default();
    let place = image.winning().and_then(|setting| setting.place());
    let winning = match (place, &image.app_version) {
        (Some(place), _) => location(files, place),
        (None, Some(version)) => {
            format!("appVersion {}", version.text.as_deref().unwrap_or_default())
        }
        (None, None) => "nowhere".to_owned(),
    };
    let mut weaker: Vec<Place> = image.weaker().collect();
    weaker.reverse();
    let weaker = weaker.into_iter().map(|place| format!(" > {}", location(files, place)));
    format!("{name}:{tag} {winning}{}", weaker.collect::<String>())
}

/// Each doubt as `file:line rest of the sentence`.
pub fn doubts(files: &Files<'_>, doubts: &[Doubt]) -> Vec<String> {
    let at = |place| location(files, place);
    doubts.iter().map(|doubt| format!("{} {}", doubt.at.map(at).unwrap_or_default(), doubt.what)).collect()
}
