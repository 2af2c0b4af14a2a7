//! What the last plan of a decision looked at. The report shows it even if the decision fails.

use crate::image::{Digest, Field, Tag};
use crate::output::BumpedImage;
use crate::plan::{self, FileSource, Plan, PlanError, PlanOutcome, Request, UpdateTarget};

/// Of the last plan.
#[derive(Clone, Debug, Default)]
pub struct PlanFacts {
    /// The requested images. `None` if there was no plan.
    pub images: Option<Vec<BumpedImage>>,
    pub warnings: Vec<String>,
    /// The files that aren't valid YAML.
    pub unparsable: Vec<String>,
}

impl PlanFacts {
    /// Plans, and notes what the plan found.
    pub(super) fn plan(&mut self, files: &dyn FileSource, request: &Request) -> Result<Plan, PlanError> {
        let PlanOutcome { plan, warnings, unparsable } = plan::plan(files, request);
        *self = PlanFacts { images: Some(bumped_images(&request.targets)), warnings, unparsable };
        plan
    }
}

fn bumped_images(targets: &[UpdateTarget]) -> Vec<BumpedImage> {
    let image = |target: &UpdateTarget| BumpedImage {
        name: target.effective_name().to_owned(),
        tag: target.tag.as_ref().map(Tag::to_string),
        digest: digest_text(&target.digest),
        verified: None,
    };
    targets.iter().map(image).collect()
}

fn digest_text(digest: &Field<Digest>) -> Option<String> {
    match digest {
        Field::Set(digest) => Some(digest.to_string()),
        Field::Unspecified | Field::Keep => None,
    }
}
