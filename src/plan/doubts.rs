//! Warnings about roots that run one of a request's images, and that tagbump can't follow or can't set everywhere.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::what_runs::Summary;
use crate::effective::{EffectiveImage, Place, Root, Setting, StaleChart};
use crate::visible::inline;

/// A repository whose bases include each other in so many ways that tagbump gives up.
const TOO_LARGE: &str =
    "the repository is too large to work out everything that runs; check what the roots run";

/// How many places that tagbump can't follow get a warning of their own.
const DOUBTS: usize = 10;

/// How many roots such a warning names.
const ROOTS: usize = 5;

impl Summary<'_> {
    /// A warning for each root that runs one of the images and does something that tagbump can't follow.
    pub fn warnings(&self) -> Vec<String> {
        let runs = |root: &&Root| root.images.iter().any(|image| self.is_wanted(image));
        let doubts = self
            .roots
            .roots
            .iter()
            .filter(runs)
            .flat_map(|root| root.uncertain.iter().map(move |d| (root, d)));
        let mut by_doubt: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (root, doubt) in doubts {
            let at = doubt.at.map(|place| format!("{}: ", self.roots.files.location(place)));
            let what = format!("{}{}", at.unwrap_or_default(), doubt.what);
            by_doubt.entry(what).or_default().insert(&root.name);
        }
        let more = by_doubt.len().saturating_sub(DOUBTS);
        let mut warnings: Vec<_> =
            by_doubt.iter().take(DOUBTS).map(|(what, roots)| doubt(what, roots)).collect();
        if more > 0 {
            let roots: BTreeSet<&str> = by_doubt.values().skip(DOUBTS).flatten().copied().collect();
            warnings.push(doubt(&format!("{more} more places of this kind"), &roots));
        }
        warnings.extend(self.stale());
        warnings.extend(self.unset());
        warnings.extend(self.roots.files.is_exhausted().then(|| TOO_LARGE.to_owned()));
        warnings.sort();
        warnings.dedup();
        warnings
    }

    /// A warning for each root that runs one of the images, and in which no place sets its tag.
    fn unset(&self) -> impl Iterator<Item = String> {
        // an anchored name is used where a tag is beside it
        let tagged = self.roots.images().filter(|(_, image)| image.winning().is_some());
        let tagged: HashSet<Place> = tagged.filter_map(|(_, image)| image.named_at).collect();
        let images = self.roots.images().filter(|(_, image)| self.is_wanted(image));
        images.filter_map(move |(root, image)| {
            let at = image.named_at.map(|place| format!("{}: ", self.roots.files.location(place)));
            let (at, name, root) = (at.unwrap_or_default(), inline(&image.name), inline(&root.name));
            match (image.winning(), &image.app_version) {
                (None, _) if image.named_at.is_some_and(|place| tagged.contains(&place)) => None,
                // what the limit on its work left of the file says nothing
                (None, _) if image.named_at.is_some_and(|place| !self.roots.files.is_whole(place.file)) => {
                    None
                }
                (None, Some(version)) if version.empty_tag.is_none() => Some(format!(
                    "{at}{root} runs {name} with the appVersion of its chart as the tag; add a tag to set it"
                )),
                (Some(setting), _) if setting.place().is_none() => Some(format!(
                    "{at}{root} runs {name}, and a generator or plugin writes its tag; change it there"
                )),
                _ => None,
            }
        })
    }

    /// A warning for each place of a request's image in a chart that Flux doesn't pack again by itself.
    fn stale(&self) -> impl Iterator<Item = String> {
        let runs = |place: Place, root: &Root| {
            let at_place = |image: &&EffectiveImage| image.winning().and_then(Setting::place) == Some(place);
            root.images.iter().filter(at_place).any(|image| self.is_wanted(image))
        };
        let stale =
            self.roots.roots.iter().flat_map(|root| root.stale.iter().map(move |stale| (root, stale)));
        stale.filter(move |(root, stale)| runs(stale.place, root)).map(|(_, StaleChart { place, chart })| {
            let at = self.roots.files.location(*place);
            format!(
                "{at}: Flux ignores this until the version in {chart}/Chart.yaml changes; change that too, or set \
                 reconcileStrategy: Revision"
            )
        })
    }
}

fn doubt(what: &str, roots: &BTreeSet<&str>) -> String {
    let named: Vec<String> = roots.iter().take(ROOTS).map(|root| inline(root)).collect();
    let more = match roots.len().saturating_sub(ROOTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what}; tagbump can't follow that, so check what runs in {}{more}", named.join(", "))
}
