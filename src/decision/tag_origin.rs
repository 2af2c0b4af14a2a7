//! Where the tag of an image comes from.

use crate::config::{Config, Service};
use crate::image::{Field, ImageArg, Tag};
use crate::settings::{BumpSettings, Operation};
use crate::template::Template;

use super::targets::tag_template;

/// Where the tag of an image comes from.
///
/// A new source of tags is one more case here and one more arm in `targets`, which turns it into a tag. A tag that depends on the
/// files is looked up after the other targets are known, and on the files that the decision is made on: see
/// [`TagOrigin::Previous`] and [`TagOrigin::Promoted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagOrigin<'a> {
    /// It was typed: `IMAGE:TAG` or `--tag`.
    Explicit(&'a Tag),
    /// It is computed by the template of the service, or of the run.
    Template(&'a Template),
    /// A rollback finds it in the history; `--to` names the one to look for.
    Previous { named: Option<&'a Tag> },
    /// A promotion takes it from the environment before.
    Promoted,
    /// The reference keeps its tag: only its digest or its name changes.
    Unchanged,
}

impl<'a> TagOrigin<'a> {
    pub fn of(
        image: &'a ImageArg,
        service: Option<&'a Service>,
        settings: &'a BumpSettings,
        config: &'a Config,
    ) -> Self {
        let typed = match &image.tag {
            Field::Set(tag) => Some(tag),
            Field::Keep => return TagOrigin::Unchanged,
            Field::Unspecified => settings.tag.as_ref(),
        };
        match (&settings.operation, typed) {
            (Operation::Promotion(_), _) => TagOrigin::Promoted,
            (Operation::Rollback(_), named) => TagOrigin::Previous { named },
            (_, Some(tag)) => TagOrigin::Explicit(tag),
            (_, None) if is_computed(image, settings) => {
                let service = service.map(|_| image.name.as_str());
                TagOrigin::Template(tag_template(settings, config, service))
            }
            (_, None) => TagOrigin::Unchanged,
        }
    }
}

/// A bare IMAGE gets a computed tag; `A=B` and `A@DIGEST` only get one if the user asked for a template.
fn is_computed(image: &ImageArg, settings: &BumpSettings) -> bool {
    let is_bare =
        image.new_name == Field::Unspecified && (image.digest == Field::Unspecified || image.digest_beside);
    is_bare || settings.template.is_some()
}
