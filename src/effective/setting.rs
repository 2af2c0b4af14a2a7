//! What a container's image comes from, place by place.

use std::ops::Range;

use super::place::Place;
use crate::image::{ParsedReference, same_image};
pub use crate::manifest::Holds;

/// An image that a root runs, and every place that it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveImage {
    pub name: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// What sets the image, weakest first. The last one wins. Empty if only the name is known, for example if a
    /// chart sets the tag.
    pub chain: Vec<Link>,
    /// Places of other values that a stronger one replaced.
    pub overridden: Vec<Place>,
    /// Where the name is written, if one scalar holds it.
    pub named_at: Option<Place>,
    /// Where the digest is, if a scalar holds nothing else. It decides what runs, whatever the tag is.
    pub digest_at: Option<DigestAt>,
    /// Set if a chart's values give no tag. The chain is then empty.
    pub app_version: Option<AppVersion>,
    /// The name in the values, if a chart's template makes another one of it. Either one means this image.
    pub other_name: Option<String>,
}

/// Where the digest of a chart's values is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestAt {
    Place(Place),
    /// A generator writes it, or a variable without a value in this repository.
    Unplaced,
}

/// The `appVersion` of a chart, which is the tag of images without one.
#[derive(Clone, Debug, PartialEq)]
pub struct AppVersion {
    pub text: Option<String>,
    /// In Chart.yaml.
    pub place: Option<Place>,
    /// What sets an empty tag, or deletes the tag, if the values have that key.
    pub emptied_by: Option<Setting>,
}

impl AppVersion {
    /// Where the tag is empty.
    pub fn empty_tag(&self) -> Option<Place> {
        self.emptied_by.as_ref()?.place()
    }
}

/// One step of a chain: the image as it is after this step, and what sets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub setting: Setting,
    pub name: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// What sets the text if it is a tag by itself, as in a chart's values; `None` if that makes no difference.
    pub as_tag: Option<Setting>,
}

impl Link {
    /// A step after which the image is `text`, as `name[:tag][@digest]`.
    pub fn new(setting: Setting, text: &str) -> Self {
        let ParsedReference { name, tag, digest } = ParsedReference::parse(text);
        let owned = |part: Option<&str>| part.map(str::to_owned);
        Link { setting, name: name.to_owned(), tag: owned(tag), digest: owned(digest), as_tag: None }
    }

    /// What sets the text, which is a tag by itself.
    pub fn tag_setting(&self) -> Setting {
        let own = self.as_tag.clone().unwrap_or_else(|| self.setting.clone());
        match own {
            Setting::Part(part) if part.holds == Holds::Image => {
                Setting::Part(TextPart { holds: Holds::whole_tag(), ..part })
            }
            other => other,
        }
    }

    /// The image after this step: `name[:tag][@digest]`.
    pub fn text(&self) -> String {
        let part = |sign: &str, text: &Option<String>| text.as_ref().map(|text| format!("{sign}{text}"));
        let [tag, digest] = [part(":", &self.tag), part("@", &self.digest)].map(Option::unwrap_or_default);
        format!("{}{tag}{digest}", self.name)
    }
}

/// How a place sets an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// One scalar with `name[:tag][@digest]`.
    Image(Place),
    /// Helm values: name, tag and digest in scalars of their own, perhaps in several files.
    Parts { repository: Option<Place>, tag: Place, digest: Option<Place> },
    /// An entry of kustomize's `images`. `name` is the scalar that identifies the entry.
    Entry { name: Place, new_tag: Option<Place>, digest: Option<Place> },
    /// `name[=newName][:tag][@digest]`, as in Argo CD's `kustomize.images`.
    Override(Place),
    /// A part of a scalar, such as the default in `${TAG:-v1}`, or a variable's value.
    Part(TextPart),
    /// A place that wins and can't be edited, and why.
    Fixed { at: Option<Place>, reason: Fixed },
}

/// A part of a scalar that holds an image, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct TextPart {
    pub place: Place,
    /// In bytes of the scalar's text.
    pub range: Range<usize>,
    pub holds: Holds,
}

/// Why tagbump can't edit the winning place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fixed {
    #[error("is written by a generator or plugin")]
    Generated,
    #[error("comes from the variable {name}, which has no value in this repository")]
    NoDefault { name: String },
    #[error("{name} is used with `:+`, so its value never appears")]
    Alternative { name: String },
    #[error("is put together from several variables, so no single place holds it")]
    SeveralParts,
    #[error("is in folded or quoted text, which can't be edited line by line")]
    FoldedText,
    #[error("the entry has a tagSuffix and no newTag, so the tag is the workload's")]
    TagSuffix,
    #[error("is encrypted")]
    Encrypted,
    /// Something that can't be read here has the value.
    #[error("{what}")]
    Unread { what: String },
}

impl Setting {
    /// Whether it says more of an image than its name.
    fn sets_version(&self) -> bool {
        !matches!(self, Setting::Entry { new_tag: None, digest: None, .. })
    }

    /// Where reports point.
    pub fn place(&self) -> Option<Place> {
        match self {
            Setting::Image(place) | Setting::Override(place) => Some(*place),
            Setting::Parts { tag, .. } => Some(*tag),
            Setting::Entry { name, new_tag, digest } => new_tag.or(*digest).or(Some(*name)),
            Setting::Part(part) => Some(part.place),
            Setting::Fixed { at, .. } => *at,
        }
    }

    /// Whether it sets a tag that may have its digest elsewhere.
    pub fn is_of_values(&self) -> bool {
        matches!(self, Setting::Parts { .. } | Setting::Part(_))
    }

    /// The scalar with the name of a kustomization's entry.
    pub fn entry_name(&self) -> Option<Place> {
        match self {
            Setting::Entry { name, .. } => Some(*name),
            _ => None,
        }
    }

    /// The scalars that an edit of the version is about: all but the name of an image in values.
    pub fn version_places(&self) -> Vec<Place> {
        match self {
            Setting::Parts { tag, digest, .. } => digest.iter().copied().chain([*tag]).collect(),
            _ => self.places(),
        }
    }

    /// Whether an edit of both writes the same text, if they are at the same place. A variable can be all of one tag
    /// and a part of another.
    pub fn sets_same_text(&self, other: &Setting) -> bool {
        match (self, other) {
            (Setting::Part(one), Setting::Part(other)) => one == other,
            (Setting::Part(part), whole) | (whole, Setting::Part(part)) => match whole {
                Setting::Parts { .. } => part.holds == Holds::whole_tag(),
                Setting::Image(_) => part.holds == Holds::Image,
                _ => false,
            },
            _ => true,
        }
    }

    /// Whether it is a part of a text that holds nothing but a tag.
    pub fn holds_tag(&self) -> bool {
        matches!(self, Setting::Part(TextPart { holds: Holds::Tag { .. }, .. }))
    }

    /// Every scalar that is part of it.
    pub fn places(&self) -> Vec<Place> {
        let places = match self {
            Setting::Image(place) | Setting::Override(place) => [Some(*place), None, None],
            Setting::Parts { repository, tag, digest } => [*repository, Some(*tag), *digest],
            Setting::Entry { name, new_tag, digest } => [Some(*name), *new_tag, *digest],
            Setting::Part(part) => [Some(part.place), None, None],
            Setting::Fixed { at, .. } => [*at, None, None],
        };
        places.into_iter().flatten().collect()
    }
}

impl EffectiveImage {
    /// Whether a name means this image.
    pub fn is_named(&self, name: &str) -> bool {
        let other = self.other_name.as_deref();
        same_image(&self.name, name) || other.is_some_and(|other| same_image(other, name))
    }

    /// The strongest place that sets the image.
    pub fn winning(&self) -> Option<&Setting> {
        self.chain.last().map(|link| &link.setting)
    }

    /// What leaves the image without a tag, so that the chart's `appVersion` runs.
    pub fn emptied_by(&self) -> Option<&Setting> {
        self.app_version.as_ref()?.emptied_by.as_ref()
    }

    /// The place that decides which version runs: the one that wins, or the one that empties the tag.
    pub fn deciding_place(&self) -> Option<Place> {
        self.winning().or_else(|| self.emptied_by())?.place()
    }

    /// Where its digest is, if it has one in a scalar of its own.
    pub fn digest_place(&self) -> Option<Place> {
        match self.digest_at.filter(|_| self.digest.is_some())? {
            DigestAt::Place(place) => Some(place),
            DigestAt::Unplaced => None,
        }
    }

    /// The place that the tag and digest come from. It differs from the winning place if that changes only the name.
    pub fn feeder(&self) -> Option<&Setting> {
        self.chain.iter().rev().map(|link| &link.setting).find(|setting| setting.sets_version())
    }

    /// The entries without a version that are stronger than that place. Each would give the image its tag if it got one.
    pub fn entries_without_version(&self) -> impl Iterator<Item = &Setting> {
        self.chain.iter().rev().map(|link| &link.setting).take_while(|setting| !setting.sets_version())
    }

    /// Every place that has to do with it.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let app_version =
            self.app_version.iter().flat_map(|version| version.place.into_iter().chain(version.empty_tag()));
        let linked = self.chain.iter().flat_map(|link| link.setting.places());
        let own = self.named_at.into_iter().chain(self.digest_place()).chain(self.overridden.iter().copied());
        own.chain(linked).chain(app_version)
    }

    /// The places that a stronger one overrides, weakest first. The same file can be merged twice, so the winning
    /// place can be among what was overridden.
    pub fn weaker(&self) -> impl Iterator<Item = Place> + '_ {
        let winning = self.deciding_place();
        let links = self.chain.len().saturating_sub(1);
        let linked = self.chain.iter().take(links).filter_map(|link| link.setting.place());
        self.overridden.iter().copied().chain(linked).filter(move |place| Some(*place) != winning)
    }
}

impl Setting {
    /// The setting of a value that no file holds.
    pub(super) fn generated() -> Self {
        Setting::Fixed { at: None, reason: Fixed::Generated }
    }
}
