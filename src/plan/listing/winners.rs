//! Winning places of a listing that no rule finds under the name of the image that they set: a tag alone, a value of
//! a patch, a variable.

use std::collections::HashSet;

use super::super::what_runs::FilePlace;
use super::places::ListedWinner;
use super::{ListedReference, Listing};
use crate::file_selection::Selection;
use crate::image::{full_name, same_image};
use crate::location::Location;

/// The winning places that no reference covers, by scalar and image.
pub(super) fn unlisted(
    winning: Vec<ListedWinner>,
    named: &HashSet<(FilePlace, String)>,
) -> Vec<ListedReference> {
    let is_listed = |winner: &ListedWinner| {
        let image = full_name(&winner.image);
        winner.nodes.iter().any(|place| named.contains(&(place.clone(), image.clone())))
    };
    let new = winning.into_iter().filter(|winner| !is_listed(winner));
    let mut listed: Vec<_> = new.map(ListedWinner::reference).collect();
    listed.sort_by(|a, b| (&a.file, a.line, &a.image).cmp(&(&b.file, b.line, &b.image)));
    listed
}

impl ListedWinner {
    fn reference(self) -> ListedReference {
        let Location { file, line, column } = self.at;
        ListedReference {
            file,
            line,
            column: column.unwrap_or(1),
            kind: self.kind,
            image: self.image,
            tag: self.tag.filter(|tag| !tag.is_empty()),
            digest: self.digest,
            reason: self.fixed.or(self.fixed_digest),
            wins: true,
            digest_files: self.digest_files,
            entries: self.entries,
            ..ListedReference::default()
        }
    }
}

impl Listing {
    /// The listing with these winning places among its references, as far as they are in the selected files and set
    /// one of `images`, or any image if none is given. A reference without a name gives way to the place that it is.
    #[must_use]
    pub fn with_winning(mut self, selection: &Selection, images: &[String]) -> Self {
        let is_meant = |r: &ListedReference| {
            let is_named = images.is_empty() || images.iter().any(|image| same_image(image, &r.image));
            is_named && selection.match_level_of_any(&r.file).is_some()
        };
        let winning: Vec<_> = std::mem::take(&mut self.winning).into_iter().filter(is_meant).collect();
        let lines: HashSet<(&str, usize)> = winning.iter().map(|r| (r.file.as_str(), r.line)).collect();
        self.references.retain(|r| !(r.image.is_empty() && lines.contains(&(r.file.as_str(), r.line))));
        self.references.extend(winning);
        self.references.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        self
    }
}
