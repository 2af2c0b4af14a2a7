//! The images that a commit changes, as its message names them.

use super::shown::{shown, shown_version};
use crate::image::{Field, same_image, short_name, split_tag};
use crate::plan::{TargetIndex, UpdateTarget};

/// An image that a commit changes, as it is after it.
pub(super) struct ChangedImage<'a> {
    pub index: TargetIndex,
    pub target: &'a UpdateTarget,
    pub image: &'a str,
    /// `TAG@DIGEST`, or only one of both.
    pub version: &'a str,
}

/// How many hex digits of a digest a subject shows.
const SHORT_DIGEST: usize = "sha256:".len() + 12;

impl ChangedImage<'_> {
    /// The service, or the last part of the image's name.
    pub fn name(&self) -> &str {
        self.target.service.as_deref().unwrap_or_else(|| short_name(self.image))
    }

    /// The tag, or the shortened digest if only that was requested.
    pub fn short_version(&self) -> String {
        match (&self.target.tag, &self.target.digest) {
            (None, Field::Set(digest)) => {
                let digest = digest.as_str();
                digest.get(..SHORT_DIGEST).unwrap_or(digest).to_owned()
            }
            _ => shown_version(split_tag(self.version).0),
        }
    }

    /// `NAME:TAG@DIGEST`; tag or digest may be missing.
    pub fn full_reference(&self) -> String {
        let colon = if self.version.is_empty() || self.version.starts_with('@') { "" } else { ":" };
        format!("{}{colon}{}", shown(self.image), shown_version(self.version))
    }
}

pub(super) fn updated(targets: &[ChangedImage<'_>]) -> String {
    match targets {
        [target] => format!("{} image to {}", shown(target.name()), target.short_version()),
        _ => format!("{} images", targets.len()),
    }
}

/// A rollback can set the places of one image to different tags.
pub(super) fn rolled_back(targets: &[ChangedImage<'_>]) -> String {
    match targets {
        [first, rest @ ..] if rest.iter().all(|other| same_image(other.image, first.image)) => {
            let tags = joined(targets.iter().map(ChangedImage::short_version));
            format!("{} image to {tags}", shown(first.name()))
        }
        _ => updated(targets),
    }
}

pub(super) fn joined(values: impl Iterator<Item = String>) -> String {
    let mut values: Vec<_> = values.collect();
    values.dedup();
    values.join(", ")
}
