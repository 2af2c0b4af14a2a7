//! Creates services: one for each image, or for each environment of an image.

use std::collections::BTreeSet;

use super::environment::DeployEnvironment;
use super::names::{self, TakenNames};
use super::sorting::{DeployedImage, place};
use crate::image::short_name;
use crate::manifest::COMPOSE;
use crate::plan::ListedReference;

/// How many tags a remark lists.
const LISTED: usize = 3;

/// A service to propose.
pub struct ProposedService {
    pub name: String,
    pub image: String,
    /// Sorted paths.
    pub files: Vec<String>,
    /// Comments about what to know before using it.
    pub remarks: Vec<String>,
}

/// The services for these images, grouped by image. Their names differ from those in `taken`, and are added to
/// it.
pub fn of(images: &[&DeployedImage<'_>], taken: &mut TakenNames) -> Vec<Vec<ProposedService>> {
    let names: Vec<&str> = images.iter().map(|image| image.image).collect();
    let names = names::of_images(&names, taken);
    let mut groups: Vec<_> = names.into_iter().zip(images).collect();
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    groups.into_iter().map(|(name, image)| of_image(image, &name, taken)).collect()
}

fn of_image(image: &DeployedImage<'_>, stem: &str, taken: &mut TakenNames) -> Vec<ProposedService> {
    let several = image.places.len() > 1;
    let service = |(environment, places): (&Option<DeployEnvironment>, &Vec<&ListedReference>)| {
        let ending = match environment {
            Some(environment) => Some(spelt(*environment, image, places)),
            // the plain name must not mean what deploys nothing
            None => is_compose(places).then(|| COMPOSE.to_owned()),
        };
        let ending = ending.filter(|_| several).map(|word| format!("-{word}"));
        let name = taken.take(format!("{stem}{}", ending.unwrap_or_default()));
        let files: BTreeSet<&String> =
            places.iter().flat_map(|r| r.digest_files.iter().chain([&r.file])).collect();
        let remarks = remarks(image, places, &files);
        let files = files.into_iter().cloned().collect();
        ProposedService { name, image: image.image.to_owned(), files, remarks }
    };
    let mut services: Vec<_> = image.places.iter().map(service).collect();
    if several && image.places.get(&None).is_some_and(|places| is_compose(places)) {
        // the first one is the workflow's default
        services.rotate_left(1);
    }
    services
}

/// Whether only compose files have these places: most often those that a developer runs.
fn is_compose(places: &[&ListedReference]) -> bool {
    places.iter().all(|place| place.kind == COMPOSE)
}

/// The environment's name as its paths spell it, if they agree, or else its standard name.
fn spelt(environment: DeployEnvironment, image: &DeployedImage<'_>, places: &[&ListedReference]) -> String {
    let spellings = places.iter().filter_map(|r| DeployEnvironment::of(&r.file, short_name(image.image)));
    let spellings: BTreeSet<String> = spellings.map(|(_, word)| word).collect();
    let mut spellings = spellings.into_iter();
    match (spellings.next(), spellings.next()) {
        (Some(word), None) => word,
        _ => environment.name(),
    }
}

fn remarks(image: &DeployedImage<'_>, places: &[&ListedReference], files: &BTreeSet<&String>) -> Vec<String> {
    let mut remarks = Vec::new();
    let tags: BTreeSet<&str> = places.iter().map(|r| r.tag.as_deref().unwrap_or("none")).collect();
    if tags.len() > 1 {
        let mut listed: Vec<String> = tags.iter().take(LISTED).map(|tag| (*tag).to_owned()).collect();
        listed.extend((tags.len() > LISTED).then(|| format!("{} more", tags.len() - LISTED)));
        remarks.push(format!("It has different tags now ({}); a bump sets all of them.", listed.join(", ")));
    }
    if let Some(refused) = image.refused.iter().find(|r| files.contains(&r.file)) {
        remarks.push(format!("A bump stops at {}, which can't be edited; see below.", place(refused)));
    }
    remarks
}
