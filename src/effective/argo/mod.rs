//! Argo CD: what the sources of an Application or an ApplicationSet render.
//!
//! A source is a chart, a kustomization or a folder of manifests. This module renders charts. For the others, it says
//! what to build.

mod application_set;
mod chart_source;
mod overrides;
mod source_files;
mod template;
#[cfg(test)]
mod tests;
mod unfilled_source;
mod value_files;

use std::collections::{BTreeSet, HashMap};

use super::files::{Files, join};
use super::folder_pattern::FolderPattern;
use super::helm::Trail;
use super::place::{FileId, Place};
use super::repository_url::{same_name, same_repository};
use super::root::Doubt;
use super::setting::EffectiveImage;
use super::unfilled::{UNFILLED, has_placeholder};
use super::value::Value;

use unfilled_source::may_change_images;

pub use source_files::{ImpliedApplication, implied_applications};

/// A source of an Application.
#[derive(Clone, Debug, Default)]
pub struct ApplicationSource {
    /// As messages call it: `Application api`.
    pub name: String,
    /// Where the source is written.
    pub at: Option<Place>,
    pub renders: Renders,
    /// Images in lists of the Application that a file beside the source replaces.
    pub discarded: Vec<EffectiveImage>,
    /// Every file that was read, without the one of the Application.
    pub files: BTreeSet<FileId>,
    pub unknown: Vec<Doubt>,
    pub uncertain: Vec<Doubt>,
    /// The folders that it may render in a way that tagbump can't follow.
    pub may_render: Option<FolderPattern>,
}

/// What a source renders.
#[derive(Clone, Debug, Default)]
pub enum Renders {
    Chart(DeployedChart),
    Kustomization(PatchedKustomization),
    /// These files, as they are.
    Manifests(Vec<String>),
    /// Something that is not in this repository.
    #[default]
    Unknown,
}

/// A chart with the values that an Application gives it.
#[derive(Clone, Debug, Default)]
pub struct DeployedChart {
    pub images: Vec<EffectiveImage>,
    /// Its folder, if it is in this repository.
    pub chart: Option<String>,
    /// The values files that it uses.
    pub values_files: Vec<String>,
}

/// A kustomization, and what Argo CD adds to it.
#[derive(Clone, Debug, Default)]
pub struct PatchedKustomization {
    /// `None` if it isn't in this repository.
    pub folder: Option<String>,
    /// Appended to `components`.
    pub components: Vec<Value>,
    /// Appended to `patches`.
    pub patches: Vec<Value>,
    /// `name[=newName][:tag][@digest]`: each replaces the entry of that name as a whole (`kustomize edit set image`).
    pub images: Vec<Value>,
}

/// The sources of an Application, or of each Application that an ApplicationSet makes. `url` is this repository's,
/// if it is known.
pub fn application_sources(
    files: &mut Files<'_>,
    object: &Value,
    url: Option<&str>,
) -> Vec<ApplicationSource> {
    let is_argo = object.text_at(&["apiVersion"]).is_some_and(|version| version.starts_with("argoproj.io/"));
    match object.text_at(&["kind"]).filter(|_| is_argo) {
        Some("Application") => {
            let mut application = Application::new(object, Value::default());
            let unfilled = application.sources.iter().filter(|source| may_change_images(source));
            let doubt = |source: &Value| Doubt { at: source.place(), what: UNFILLED.to_owned() };
            application.doubts = unfilled.map(doubt).collect();
            application.sources(files, url)
        }
        Some("ApplicationSet") => {
            let made = application_set::applications(files, object, url);
            made.iter().flat_map(|application| application.sources(files, url)).collect()
        }
        _ => Vec::new(),
    }
}

/// An Application, perhaps one that an ApplicationSet makes.
#[derive(Clone, Debug)]
struct Application {
    name: String,
    namespace: Option<String>,
    sources: Vec<Value>,
    /// What a generator fills in.
    parameters: Value,
    doubts: Vec<Doubt>,
}

impl Application {
    /// `sources` count instead of `source` if there are any. What a source hydrator reads comes before both. (Argo CD,
    /// `ApplicationSpec.GetSources`, `SourceHydrator.GetDrySource`.)
    fn new(object: &Value, parameters: Value) -> Self {
        let text = |key| object.text_at(&["metadata", key]).map(str::to_owned);
        let dry = object.at(&["spec", "sourceHydrator", "drySource"]);
        let several = object.at(&["spec", "sources"]).filter(|_| dry.is_none());
        let several = several.map(Value::items).unwrap_or_default();
        let single = dry.or_else(|| object.at(&["spec", "source"]).filter(|_| several.is_empty()));
        Application {
            name: text("name").unwrap_or_default(),
            namespace: text("namespace"),
            sources: several.iter().chain(single).cloned().collect(),
            parameters,
            doubts: Vec::new(),
        }
    }

    fn sources(&self, files: &mut Files<'_>, url: Option<&str>) -> Vec<ApplicationSource> {
        let references = self.references(url);
        let is_more_than_reference = |source: &&Value| source.get("path").or(source.get("chart")).is_some();
        let rendered: Vec<&Value> = self.sources.iter().filter(is_more_than_reference).collect();
        let several = rendered.len() > 1;
        let name = |at: usize| match several {
            true => format!("Application {}, source {}", self.name, at + 1),
            false => format!("Application {}", self.name),
        };
        let render = |(at, source)| {
            SourceRenderer { application: self, references: &references, url }.render(files, source, name(at))
        };
        rendered.into_iter().enumerate().map(render).collect()
    }

    /// The names that `$name/…` in `valueFiles` can use, and whether they mean this repository.
    fn references(&self, url: Option<&str>) -> HashMap<String, bool> {
        let named = self.sources.iter().filter_map(|source| Some((source.text_at(&["ref"])?, source)));
        named.map(|(name, source)| (format!("${name}"), may_be_here(source, url))).collect()
    }
}

/// Whether a source's `repoURL` is this repository's, as far as that is known.
fn may_be_here(source: &Value, url: Option<&str>) -> bool {
    match (source.text_at(&["repoURL"]), url) {
        (Some(declared), Some(own)) if !has_placeholder(declared) => {
            same_repository(declared, own) || same_name(declared, own)
        }
        _ => true,
    }
}

/// Renders the sources of one Application.
struct SourceRenderer<'a> {
    application: &'a Application,
    references: &'a HashMap<String, bool>,
    url: Option<&'a str>,
}

impl SourceRenderer<'_> {
    fn render(&self, files: &mut Files<'_>, source: &Value, name: String) -> ApplicationSource {
        let mut trail = Trail { uncertain: self.application.doubts.clone(), ..Trail::default() };
        let mut source = source.clone();
        let at = source.place();
        let folder = self.folder(files, &source);
        let mut discarded = Vec::new();
        let renders = match &folder {
            Some(folder) => {
                discarded = overrides::merge(files, folder, self.application, &mut source, &mut trail);
                self.local(files, folder, &source, &mut trail)
            }
            None => self.elsewhere(files, &source, &mut trail),
        };
        let may_render = self.may_render(&source);
        let Trail { files, unknown, uncertain } = trail;
        ApplicationSource { name, at, renders, discarded, files, unknown, uncertain, may_render }
    }

    /// The source's folder, if it is in this repository. A clone from a mirror or a fork has another URL, but the same
    /// name and the same paths.
    fn folder(&self, files: &Files<'_>, source: &Value) -> Option<String> {
        if source.get("chart").is_some_and(|chart| !chart.is_null()) || !may_be_here(source, self.url) {
            return None;
        }
        let folder = join("", source.text_at(&["path"])?.trim_start_matches('/'))?;
        files.below(&folder).next()?;
        Some(folder)
    }

    /// The folders that a source may render, if it isn't known which, or how, and if it changes what is in them.
    fn may_render(&self, source: &Value) -> Option<FolderPattern> {
        let has = |key: &&str| source.get(key).is_some_and(|value| !value.is_null());
        let path = source.text_at(&["path"])?;
        let is_unknown = has(&"plugin") || has_placeholder(path) && ["helm", "kustomize"].iter().any(has);
        (is_unknown && may_be_here(source, self.url)).then(|| FolderPattern::new(path)).flatten()
    }

    /// (Argo CD, `ApplicationSource.ExplicitType` and `discovery.AppType`.)
    fn local(&self, files: &mut Files<'_>, folder: &str, source: &Value, trail: &mut Trail) -> Renders {
        let has = |key: &str| source.get(key).is_some_and(|value| !value.is_null());
        let mut is_there = |name: &str| join(folder, name).is_some_and(|path| files.load(&path).is_some());
        let kustomization = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        if has("plugin") {
            trail.uncertain(source.get("plugin").and_then(Value::place), "is rendered by a plugin");
            Renders::Unknown
        } else if has("helm") {
            self.chart(files, Some(folder), source, trail)
        } else if has("kustomize") {
            kustomized(files, Some(folder), source)
        } else if has("directory") {
            self.manifests(files, folder, source, trail)
        } else if is_there("Chart.yaml") {
            self.chart(files, Some(folder), source, trail)
        } else if kustomization.into_iter().any(is_there) {
            kustomized(files, Some(folder), source)
        } else {
            self.manifests(files, folder, source, trail)
        }
    }

    /// What a source elsewhere gets from this repository: values, or patches and entries for images.
    fn elsewhere(&self, files: &mut Files<'_>, source: &Value, trail: &mut Trail) -> Renders {
        let path = source.text_at(&["path"]).unwrap_or_default();
        if has_placeholder(path) {
            let at = source.get("path").and_then(Value::place);
            // a doubt about the whole source says enough
            if self.application.doubts.is_empty() {
                trail.uncertain(at, "has a path that nothing here fills in");
            }
        } else {
            trail.unknown(source.place(), "is a source that is not in this repository");
        }
        if source.get("chart").or(source.get("helm")).is_some() {
            return self.chart(files, None, source, trail);
        }
        match source.get("kustomize").filter(|kustomize| !kustomize.is_null()) {
            Some(_) => kustomized(files, None, source),
            None => Renders::Unknown,
        }
    }

    fn chart(
        &self,
        files: &mut Files<'_>,
        folder: Option<&str>,
        source: &Value,
        trail: &mut Trail,
    ) -> Renders {
        let values = chart_source::ChartSource {
            folder,
            helm: source.get("helm"),
            application: &self.application.name,
            references: self.references,
            parameters: &self.application.parameters,
        };
        Renders::Chart(values.deploy(files, trail))
    }

    /// (Argo CD, `repository.getPotentiallyValidManifests`.)
    fn manifests(&self, files: &mut Files<'_>, folder: &str, source: &Value, trail: &mut Trail) -> Renders {
        let directory = source.get("directory");
        let text = |key: &str| directory.and_then(|directory| directory.text_at(&[key]));
        let globs = (value_files::any_of(text("include")), value_files::any_of(text("exclude")));
        if text("include").or(text("exclude")).is_some() && globs.0.is_none() && globs.1.is_none() {
            trail.uncertain(directory.and_then(Value::place), "has patterns that can't be read");
        }
        let is_deep = text("recurse") == Some("true");
        let is_wanted = |path: &&str| {
            let inside = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
            (is_deep || !inside.contains('/'))
                && globs.0.as_ref().is_none_or(|include| include.is_match(inside))
                && globs.1.as_ref().is_none_or(|exclude| !exclude.is_match(inside))
        };
        Renders::Manifests(files.below(folder).filter(is_wanted).map(str::to_owned).collect())
    }
}

fn kustomized(files: &Files<'_>, folder: Option<&str>, source: &Value) -> Renders {
    let list = |key: &str| source.at(&["kustomize", key]).map(Value::items).unwrap_or_default().to_vec();
    let ignore_missing = source.text_at(&["kustomize", "ignoreMissingComponents"]) == Some("true");
    let is_there = |component: &Value| {
        let folder = folder.and_then(|folder| join(folder, component.text()?));
        folder.is_some_and(|folder| files.below(&folder).next().is_some())
    };
    let mut components = list("components");
    components.retain(|component| !ignore_missing || is_there(component));
    Renders::Kustomization(PatchedKustomization {
        folder: folder.map(str::to_owned),
        components,
        patches: list("patches"),
        images: list("images"),
    })
}
