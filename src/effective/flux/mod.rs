//! Flux's Kustomization: the kustomization at its path with its own lists added, then variables.
//!
//! Follows `github.com/fluxcd/pkg/kustomize`: `Generator.WriteFile`, then `SubstituteVariables`.

mod envsubst;
mod substitution;
#[cfg(test)]
mod tests;

use super::files::{Files, join};
use super::helm::{Around, Objects};
use super::kustomize::{Additions, Build, build, build_all, build_elsewhere, kustomization_file};
use super::repository_url::are_different;
use super::root::Doubt;
use super::second_reader::SecondReader;
use super::unfilled::{UNFILLED, has_unquoted, is_unfilled, may_patch_image, may_set_image};
use super::value::Value;

/// The folder that a Flux Kustomization builds; `None` if its path is not plain text, or leaves the repository.
pub fn folder(kustomization: &Value) -> Option<String> {
    let path = kustomization.text_at(&["spec", "path"]).unwrap_or_default();
    join("", path.trim_start_matches('/')).filter(|folder| !folder.contains('$'))
}

/// Where the files are that a Flux Kustomization builds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BuildSource {
    /// In this repository, as far as its URL is known.
    Here,
    /// Surely not here: its GitRepository is another one, or it builds the root of an artifact.
    Elsewhere,
    /// A piece of one, such as a patch, builds nothing.
    Nowhere,
}

pub fn build_source(kustomization: &Value, around: &Around<'_>) -> BuildSource {
    match kustomization.at(&["spec", "sourceRef"]) {
        Some(source) if is_elsewhere(kustomization, source, around) => BuildSource::Elsewhere,
        None if kustomization.at(&["spec", "path"]).is_none() => BuildSource::Nowhere,
        _ => BuildSource::Here,
    }
}

fn is_elsewhere(kustomization: &Value, source: &Value, around: &Around<'_>) -> bool {
    let kind = source.text_at(&["kind"]).unwrap_or("GitRepository");
    if kind != "GitRepository" {
        return folder(kustomization).is_none_or(|folder| folder.is_empty());
    }
    let namespace =
        source.text_at(&["namespace"]).or_else(|| kustomization.text_at(&["metadata", "namespace"]));
    let repository = source.text_at(&["name"]).and_then(|name| around.find(kind, name, namespace));
    let url = repository.and_then(|repository| repository.text_at(&["spec", "url"]));
    match (url.filter(|url| !url.contains('$')), around.url) {
        (Some(declared), Some(own)) => are_different(declared, own),
        _ => false,
    }
}

/// Renders a Flux Kustomization. `None` if its folder isn't known, or if it is elsewhere and nothing is added to it. Variables
/// come from the ConfigMaps among the objects.
pub fn render(
    files: &mut Files<'_>,
    kustomization: &Value,
    source: BuildSource,
    objects: &Objects<'_>,
) -> Option<Build> {
    let mut built = match source {
        BuildSource::Here => build_folder(files, kustomization, &folder(kustomization)?),
        BuildSource::Elsewhere => {
            build_elsewhere(files, &Some(additions(kustomization)).filter(|additions| !additions.is_empty())?)
        }
        BuildSource::Nowhere => return None,
    };
    for place in substitution::apply(&mut built, kustomization, objects) {
        files.note_second_reader(place, SecondReader::PostBuild);
    }
    if may_be_filled(kustomization) {
        built.uncertain.push(Doubt {
            at: kustomization.at(&["spec"]).and_then(Value::place),
            what: UNFILLED.to_owned(),
        });
    }
    Some(built)
}

fn build_folder(files: &mut Files<'_>, kustomization: &Value, folder: &str) -> Build {
    let mut additions = additions(kustomization);
    if kustomization.text_at(&["spec", "ignoreMissingComponents"]) == Some("true") {
        let exists = |component: &Value| {
            let folder = component.text().and_then(|path| join(folder, path));
            folder.is_some_and(|folder| kustomization_file(files, &folder).is_some())
        };
        additions.components = additions.components.into_iter().filter(exists).collect();
    }
    match kustomization_file(files, folder) {
        Some(_) => build(files, folder, &additions),
        None if files.below(folder).next().is_none() => build_elsewhere(files, &additions),
        None => build_all(files, folder, &additions),
    }
}

/// Whether placeholders may change the images, as in a chart's template.
fn may_be_filled(kustomization: &Value) -> bool {
    let is_at = |key, test: fn(&Value) -> bool| kustomization.at(&["spec", key]).is_some_and(test);
    is_at("images", |images| is_unfilled(images) || has_unquoted(images))
        || is_at("patches", may_patch_image)
        || is_at("postBuild", |variables| variables.pairs().iter().any(|(_, value)| is_unfilled(value)))
        || is_at("postBuild", |variables| is_unfilled(variables) || may_set_image(variables))
}

/// What a Flux Kustomization adds to the kustomization at its path.
pub fn additions(kustomization: &Value) -> Additions {
    let list = |key| kustomization.at(&["spec", key]).map_or(&[][..], Value::items).to_vec();
    Additions {
        components: list("components"),
        patches: list("patches"),
        strategic_merges: list("patchesStrategicMerge"),
        json_patches: list("patchesJson6902"),
        images: list("images"),
        overrides: Vec::new(),
    }
}
