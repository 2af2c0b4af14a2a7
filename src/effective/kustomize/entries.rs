//! Entries of `images`, and what they do to the text of an image (kustomize's `filters/imagetag`).

use std::collections::HashMap;

use super::super::place::Place;
use super::super::root::UnmatchedEntry;
use super::super::setting::{Fixed, Setting};
use super::super::value::{Scalar, Value};
use super::name_pattern::NamePattern;

/// In an override, stands for what is there.
const KEEP: &str = "*";

/// kustomize's `types.Image`, and where it is written. An empty text stands for a missing one.
#[derive(Clone, Debug)]
pub(super) struct ImageEntry {
    pub name: String,
    new_name: String,
    new_tag: String,
    digest: String,
    tag_suffix: String,
    /// The scalar that identifies the entry.
    pub place: Option<Place>,
    setting: Setting,
    /// `None` if the name is no valid pattern: then it matches nothing.
    pattern: Option<NamePattern>,
    /// The entries that this one replaces as a whole, weakest first.
    weaker: Vec<ImageEntry>,
    /// Where the entry was written that this one replaced before it came here.
    overridden: Vec<Place>,
}

impl ImageEntry {
    /// `None` if the item has no name.
    pub fn read(item: &Value) -> Option<Self> {
        let text = |key| item.text_at(&[key]).unwrap_or_default().to_owned();
        let place = |key| item.get(key).and_then(Value::scalar).and_then(|scalar| scalar.place);
        let name = text("name");
        let (new_tag, digest, tag_suffix) = (text("newTag"), text("digest"), text("tagSuffix"));
        let setting = match place("name") {
            at if !tag_suffix.is_empty() && new_tag.is_empty() && digest.is_empty() => {
                Setting::Fixed { at, reason: Fixed::TagSuffix }
            }
            Some(name) => Setting::Entry { name, new_tag: place("newTag"), digest: place("digest") },
            None => Setting::generated(),
        };
        (!name.is_empty()).then(|| ImageEntry {
            pattern: NamePattern::read(&name),
            name,
            new_name: text("newName"),
            new_tag,
            digest,
            tag_suffix,
            place: place("name"),
            setting,
            weaker: Vec::new(),
            overridden: Vec::new(),
        })
    }

    /// Reads `name[=newName][:tag][@digest]`, as `kustomize edit set image` does. A `*` keeps what the entry has that
    /// this one replaces.
    pub fn read_override(item: &Value) -> Option<Self> {
        let scalar = item.scalar().filter(|scalar| !scalar.null)?;
        let (key, image) = match scalar.text.split_once('=') {
            Some((key, image)) => (Some(key), image),
            None => (None, scalar.text.as_str()),
        };
        let [image, new_tag, digest] = split_image(image).map(str::to_owned);
        let (name, new_name) = match key {
            Some(key) => (key.to_owned(), image),
            None => (image, String::new()),
        };
        let own = scalar.place.map_or_else(Setting::generated, Setting::Override);
        // a generator can fill in the tag
        let filled = scalar.links.last().filter(|_| !new_tag.is_empty()).map(|link| link.setting.clone());
        (!name.is_empty()).then(|| ImageEntry {
            pattern: NamePattern::read(&name),
            name,
            new_name,
            new_tag,
            digest,
            tag_suffix: String::new(),
            place: scalar.place,
            setting: filled.unwrap_or(own),
            weaker: Vec::new(),
            overridden: scalar.overridden.clone(),
        })
    }

    /// Takes the place of another entry, of the same name.
    fn replacing(mut self, mut other: ImageEntry) -> Self {
        let kept = [(&mut self.new_tag, &other.new_tag), (&mut self.digest, &other.digest)];
        let keeps_version = kept.into_iter().fold(false, |keeps, (own, other)| keep(own, other) || keeps);
        keep(&mut self.new_name, &other.new_name);
        if keeps_version {
            self.setting = other.setting.clone();
        }
        let mut weaker = std::mem::take(&mut other.weaker);
        weaker.push(other);
        self.weaker.splice(0..0, weaker);
        self
    }

    /// Takes the place of another entry of the same name, and keeps what it doesn't set itself. Tag and digest are one
    /// (fluxcd/pkg, `kustomize_generator.go`).
    fn merged_with(mut self, other: ImageEntry) -> Self {
        if self.new_name.is_empty() {
            self.new_name.clone_from(&other.new_name);
        }
        if !self.sets_version() {
            let ImageEntry { new_tag, digest, tag_suffix, setting, weaker, .. } = other;
            return ImageEntry { new_tag, digest, tag_suffix, setting, weaker, ..self };
        }
        self.replacing(other)
    }

    fn sets_version(&self) -> bool {
        !self.new_tag.is_empty() || !self.digest.is_empty()
    }

    /// Whether it has no version of its own, and lacks something that the other entry sets.
    fn depends_on(&self, other: &ImageEntry) -> bool {
        let lacks_name = self.new_name.is_empty() && !other.new_name.is_empty();
        !self.sets_version() && (lacks_name || other.sets_version())
    }

    /// Without an entry to replace, there is nothing to keep.
    fn alone(mut self) -> Self {
        for part in [&mut self.new_name, &mut self.new_tag, &mut self.digest] {
            keep(part, "");
        }
        self
    }

    pub fn matches(&self, text: &str) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.matches(text))
    }

    /// Changes an image that the entry matches; `false` if it doesn't match.
    pub fn apply(&self, image: &mut Scalar) -> bool {
        if !self.matches(&image.text) {
            return false;
        }
        let text = self.result(&image.text);
        for weaker in &self.weaker {
            let text = weaker.result(&image.text);
            image.set_image(weaker.setting.clone(), text);
        }
        image.set_image(self.setting.clone(), text);
        image.overridden.extend(&self.overridden);
        true
    }

    /// `imageTagUpdater.SetImageValue`
    fn result(&self, image: &str) -> String {
        let [name, old_tag, old_digest] = split_image(image);
        let name = if self.new_name.is_empty() { name } else { &self.new_name };
        let (tag, digest) = match (self.new_tag.as_str(), self.digest.as_str()) {
            ("", "") if !self.tag_suffix.is_empty() => (format!("{old_tag}{}", self.tag_suffix), ""),
            ("", "") => (old_tag.to_owned(), old_digest),
            (tag, digest) => (tag.to_owned(), digest),
        };
        let part =
            |sign: &str, text: &str| if text.is_empty() { String::new() } else { format!("{sign}{text}") };
        format!("{name}{}{}", part(":", &tag), part("@", digest))
    }

    /// The weaker entry that renamed an image away from this one.
    pub fn renamed_by(&self, image: &Scalar) -> Option<Place> {
        let named = image.links.windows(2).find(|links| {
            let matches = |at: usize| self.matches(&links[at].text());
            matches(0) && !matches(1)
        })?;
        match &named[1].setting {
            Setting::Entry { name, .. } => Some(*name),
            setting => setting.place(),
        }
    }
}

/// The entries of a kustomization, and what they have matched so far.
pub(super) struct AppliedEntries(Vec<AppliedEntry>);

struct AppliedEntry {
    entry: ImageEntry,
    has_matched: bool,
    /// The weaker entry that renamed an image away from this one.
    renamed_by: Option<Place>,
}

impl AppliedEntries {
    pub fn new(entries: Vec<ImageEntry>) -> Self {
        let applied = |entry| AppliedEntry { entry, has_matched: false, renamed_by: None };
        AppliedEntries(entries.into_iter().map(applied).collect())
    }

    /// What it costs to try all of them on an image.
    pub fn cost(&self) -> usize {
        // each one that matches adds a link
        self.0.len().saturating_mul(8)
    }

    /// Applies each of them to an image, one after the other.
    pub fn apply(&mut self, image: &mut Scalar) {
        for applied in &mut self.0 {
            let has_matched = applied.entry.apply(image);
            applied.has_matched |= has_matched;
            if !has_matched && applied.renamed_by.is_none() {
                applied.renamed_by = applied.entry.renamed_by(image);
            }
        }
    }

    pub fn unmatched(self, may_match: bool) -> impl Iterator<Item = UnmatchedEntry> {
        let unmatched = self.0.into_iter().filter(|applied| !applied.has_matched);
        unmatched.filter_map(move |AppliedEntry { entry, renamed_by, .. }| {
            Some(UnmatchedEntry { name: entry.place?, may_match, renamed_by })
        })
    }
}

/// Merges entries with those of the same name, or appends them (Flux, `Generator.WriteFile`). Gives the places of those
/// whose effect depends on Flux's release: until July 2026, an entry replaced the other one as a whole.
pub(super) fn merge_by_name(
    entries: &mut Vec<ImageEntry>,
    new: impl Iterator<Item = ImageEntry>,
) -> Vec<Option<Place>> {
    let mut dependent = Vec::new();
    combine_by_name(entries, new, |entry, other| {
        if entry.depends_on(&other) {
            dependent.push(entry.place);
        }
        entry.merged_with(other)
    });
    dependent
}

/// Puts entries in place of those with the same name, or appends them.
pub(super) fn replace_by_name(entries: &mut Vec<ImageEntry>, new: impl Iterator<Item = ImageEntry>) {
    combine_by_name(entries, new, ImageEntry::replacing);
}

fn combine_by_name(
    entries: &mut Vec<ImageEntry>,
    new: impl Iterator<Item = ImageEntry>,
    mut combine: impl FnMut(ImageEntry, ImageEntry) -> ImageEntry,
) {
    let mut positions = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        positions.entry(entry.name.clone()).or_insert(at);
    }
    for entry in new {
        match positions.get(&entry.name) {
            Some(&at) => entries[at] = combine(entry, entries[at].clone()),
            None => {
                positions.insert(entry.name.clone(), entries.len());
                entries.push(entry.alone());
            }
        }
    }
}

/// As `kustomize edit set image` writes the list: one entry per name, the last one, in the order of the names.
pub(super) fn one_per_name(entries: Vec<ImageEntry>) -> Vec<ImageEntry> {
    let mut kept = Vec::new();
    replace_by_name(&mut kept, entries.into_iter());
    kept.sort_by(|one, other| one.name.cmp(&other.name));
    kept
}

/// `replaceNewTag` of `kustomize edit set image`
fn keep(own: &mut String, other: &str) -> bool {
    let is_kept = own == KEEP;
    if is_kept {
        other.clone_into(own);
    }
    is_kept
}

/// Name, tag and digest (`image.Split`). A missing part is empty.
fn split_image(image: &str) -> [&str; 3] {
    let path = image.find('/').unwrap_or(0);
    let (rest, digest) = match image[path..].find('@') {
        Some(at) => (&image[..path + at], &image[path + at + 1..]),
        None => (image, ""),
    };
    match rest[path..].find(':') {
        Some(at) => [&rest[..path + at], &rest[path + at + 1..], digest],
        None => [rest, "", digest],
    }
}
