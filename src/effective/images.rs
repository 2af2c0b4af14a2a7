//! The images in a rendered object or in merged values. [`crate::manifest`] knows where they are.

use super::place::Place;
use super::setting::{DigestAt, EffectiveImage, Link, Setting};
use super::value::{Rendered, Scalar, Value};
use crate::manifest::{ManifestFile, Reference, ReferenceSyntax, ValueLocation, references};

/// The images of a rendered object: containers, image volumes, and whatever else names an image by its place.
/// Empty for objects that make a tool render something else: what that runs is a root of its own.
pub fn object_images(object: &Value) -> Vec<EffectiveImage> {
    let kind = object.text_at(&["kind"]).unwrap_or_default();
    let is_other = ["HelmRelease", "Application", "ApplicationSet", "Kustomization"].contains(&kind);
    if is_other || !has_image_key(object) {
        return Vec::new();
    }
    images(object, false)
}

/// Whether a key has the word `image` in it, as each place of an image in an object does. Most objects have no such key,
/// and needn't be searched.
fn has_image_key(value: &Value) -> bool {
    match value {
        Value::Map(pairs) => pairs.iter().any(|(key, value)| key.contains("mage") || has_image_key(value)),
        Value::List(items) => items.iter().any(has_image_key),
        Value::Scalar(_) => false,
    }
}

/// The images in a chart's merged values.
pub fn values_images(values: &Value) -> Vec<EffectiveImage> {
    images(values, true)
}

/// Whether a value under this key can decide which image runs. One that can't be seen anywhere else, such as a host
/// name, needs no warning. (If the path of a deployment has a variable, the folders are deployments of their own.)
pub(super) fn may_decide_image(key: &str) -> bool {
    let words = words(key);
    // where restic keeps backups
    let is_of_backup = words.iter().any(|word| word == "restic");
    !is_of_backup && words.iter().any(|word| is_of_image(word))
        || ["chart", "hub", "version"].contains(&key.to_lowercase().as_str())
}

/// Whether a value under this key can be the tag of an image whose name is elsewhere.
pub(super) fn is_key_of_tag(key: &str) -> bool {
    words(key).last().is_some_and(|word| word.ends_with("tag") || word == "version")
}

/// Whether a word means a part of an image, perhaps behind another word and with a number: `apptag`, `reponame`, `tag1`.
fn is_of_image(word: &str) -> bool {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let word = word.strip_suffix("name").unwrap_or(word);
    let parts =
        ["tag", "repo", "repository", "registry", "digest", "tags", "repos", "repositories", "registries"];
    word.contains("image") || parts.iter().any(|part| word.ends_with(part))
}

/// The words of a key in lower case: `newTag`, `new_tag` and `new-tag` have two.
fn words(key: &str) -> Vec<String> {
    let (mut words, mut before_is_lower) = (vec![String::new()], false);
    for c in key.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && before_is_lower {
            words.push(String::new());
        }
        before_is_lower = c.is_lowercase();
        let word = words.last_mut().into_iter();
        word.for_each(|word| word.extend(c.to_lowercase().filter(|c| c.is_alphanumeric())));
    }
    words
}

fn images(value: &Value, is_values: bool) -> Vec<EffectiveImage> {
    let rendered = Rendered::new(value);
    let file = ManifestFile { path: "", text: "", yaml: &rendered.yaml, is_values };
    references(&file).iter().filter_map(|reference| effective(&rendered, reference)).collect()
}

fn effective(rendered: &Rendered<'_>, reference: &Reference) -> Option<EffectiveImage> {
    let scalar = |slot: ValueLocation| rendered.scalar(slot.node);
    let place = |slot: Option<ValueLocation>| slot.and_then(scalar).and_then(|scalar| scalar.place);
    match &reference.syntax {
        ReferenceSyntax::Text(slot) => Some(from_text(scalar(*slot)?)),
        ReferenceSyntax::Block { repository, tag, digest, .. } => {
            let scalar = scalar(*tag)?;
            let repository = place(Some(*repository));
            let digest_at = digest_at(rendered, *digest);
            let setting = match scalar.place {
                Some(tag) => Setting::Parts { repository, tag, digest: place(*digest) },
                None => Setting::generated(),
            };
            Some(EffectiveImage { named_at: repository, digest_at, ..from_parts(reference, setting, scalar) })
        }
        ReferenceSyntax::BlockWithoutTag { repository, digest, .. } => Some(EffectiveImage {
            name: reference.image.clone(),
            tag: None,
            digest: reference.digest.clone(),
            chain: Vec::new(),
            overridden: Vec::new(),
            named_at: place(Some(*repository)),
            digest_at: digest_at(rendered, *digest),
            app_version: None,
            other_name: None,
        }),
        _ => None,
    }
}

/// Where a digest key gets its value.
fn digest_at(rendered: &Rendered<'_>, key: Option<ValueLocation>) -> Option<DigestAt> {
    let scalar = rendered.scalar(key?.node)?;
    if scalar.links.last().is_some_and(|link| matches!(link.setting, Setting::Fixed { .. })) {
        return Some(DigestAt::Unplaced);
    }
    (!scalar.text.is_empty()).then(|| scalar.place.map_or(DigestAt::Unplaced, DigestAt::Place))
}

/// The image as one text: `name[:tag][@digest]`.
pub(super) fn image_text(image: &EffectiveImage) -> String {
    let EffectiveImage { name, tag, digest, .. } = image;
    let (name, tag, digest) = (name.clone(), tag.clone(), digest.clone());
    Link { setting: Setting::generated(), name, tag, digest, as_tag: None }.text()
}

impl EffectiveImage {
    /// Changes the image as if it were the scalar of a container. What changes it becomes a part of the chain.
    pub fn change_text(&mut self, change: impl FnOnce(&mut Scalar)) {
        let mut scalar = Scalar { links: self.chain.clone(), ..Scalar::generated(image_text(self)) };
        change(&mut scalar);
        let chain = &self.chain;
        if scalar.links.len() == chain.len() {
            return;
        }
        let Some(Link { setting, name, tag, digest, .. }) = scalar.links.last().cloned() else { return };
        // an image that only has a name has no chain, but the first change makes a link for what was there
        let had_none = usize::from(chain.is_empty());
        self.chain = scalar.links.into_iter().skip(had_none).collect();
        self.overridden.extend(self.app_version.take().and_then(|version| version.empty_tag()));
        // what sets a tag or a digest behind a name leaves nothing of the digest before
        let is_rename = matches!(setting, Setting::Entry { new_tag: None, digest: None, .. });
        self.digest_at =
            self.digest_at.filter(|_| is_rename || self.digest == digest && setting.is_of_values());
        (self.name, self.tag, self.digest) = (name, tag, digest);
    }

    /// Changes the scalars that the image is made from, before anything else changes it.
    pub fn change_scalars(&mut self, mut change: impl FnMut(&mut Scalar)) {
        let mut name = Scalar { place: self.named_at, ..Scalar::generated(self.name.clone()) };
        match self.chain.last().map(|link| (link.setting.clone(), link.tag.clone())) {
            None => change(&mut name),
            Some((Setting::Parts { repository, tag, digest }, Some(text))) => {
                change(&mut name);
                let mut scalar = Scalar { place: Some(tag), ..Scalar::generated(text) };
                change(&mut scalar);
                self.set_tag(&scalar, |tag| Setting::Parts { repository, tag, digest });
            }
            Some((setting, _)) => {
                return self.change_text(|scalar| {
                    scalar.place = setting.place();
                    change(scalar);
                });
            }
        }
        self.name = name.text;
    }

    /// Takes over a tag that was changed; `whole` is the setting if one scalar holds all of it.
    fn set_tag(&mut self, tag: &Scalar, whole: impl Fn(Place) -> Setting) {
        let Some(was) = self.chain.last() else { return };
        let setting = match (tag.links.last(), tag.place) {
            (Some(link), _) => link.tag_setting(),
            (None, Some(place)) => whole(place),
            (None, None) => Setting::generated(),
        };
        if setting != was.setting {
            self.chain.push(Link { setting, tag: Some(tag.text.clone()), as_tag: None, ..was.clone() });
        }
        self.overridden.extend(&tag.overridden);
        self.tag = Some(tag.text.clone());
    }
}

/// A scalar with `name[:tag][@digest]`, after all that changed it.
fn from_text(scalar: &Scalar) -> EffectiveImage {
    let own = Link::new(scalar.place.map_or_else(Setting::generated, Setting::Image), &scalar.text);
    let Link { name, tag, digest, .. } = own.clone();
    let chain = match scalar.links.as_slice() {
        [] => vec![own],
        [only] if tag.is_none() && only.setting.holds_tag() => vec![own],
        links => links.to_vec(),
    };
    let (overridden, named_at) = (scalar.overridden.clone(), scalar.place);
    EffectiveImage {
        name,
        tag,
        digest,
        chain,
        overridden,
        named_at,
        digest_at: None,
        app_version: None,
        other_name: None,
    }
}

fn from_parts(reference: &Reference, setting: Setting, tag: &Scalar) -> EffectiveImage {
    let Reference { image, tag: text, digest, .. } = reference;
    let link = |setting: Setting, tag: Option<String>| {
        let (name, digest) = (image.clone(), digest.clone());
        Link { setting, name, tag, digest, as_tag: None }
    };
    // what changed the tag's scalar; the first link is the scalar itself
    let changed = |change: &Link| match &change.setting {
        Setting::Image(_) => link(setting.clone(), Some(change.text())),
        _ => link(change.tag_setting(), Some(change.text())),
    };
    let chain = match tag.links.as_slice() {
        [] => vec![link(setting, text.clone())],
        links => links.iter().map(changed).collect(),
    };
    EffectiveImage {
        name: image.clone(),
        tag: text.clone(),
        digest: digest.clone(),
        chain,
        overridden: tag.overridden.clone(),
        named_at: None,
        digest_at: None,
        app_version: None,
        other_name: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_with_such_a_word_may_decide_the_image() {
        for key in
            ["image", "newTag", "imageTag", "IMAGE_TAG", "image-repository", "tag", "sidecarimage", "version"]
                .into_iter()
                .chain([
                    "apptag",
                    "dockertag",
                    "tagname",
                    "tag1",
                    "repositories",
                    "reponame",
                    "gitrepo",
                    "registries",
                ])
        {
            assert!(may_decide_image(key), "{key}");
        }
        for key in [
            "stage",
            "percentage",
            "advantage",
            "RESTIC_REPOSITORY",
            "SERVER_URL",
            "apiVersion",
            "tagged",
            "host",
            "",
        ] {
            assert!(!may_decide_image(key), "{key}");
        }
    }
}
