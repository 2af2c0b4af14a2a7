//! What kustomize builds.

use super::super::files::Files;
use super::{Deployment, Scene};

pub(super) fn deployments(_files: &mut Files<'_>, _scene: &Scene<'_>) -> Vec<Deployment> {
    Vec::new()
}
