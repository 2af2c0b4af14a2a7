//! What is deployed together: by a kustomization, a Flux Kustomization, an Application, or as a file on its own.
//!
//! Flux Kustomizations and Applications can be among what another deployment deploys, patched by it. So this goes from
//! one deployment to those that are in it.

use std::collections::BTreeSet;

use super::super::argo::{
    ApplicationSource, DeployedChart, ImpliedApplication, PatchedKustomization, Renders, application_sources,
    implied_applications,
};
use super::super::entry_files::EntryFiles;
use super::super::files::{Files, join};
use super::super::flux::{self, BuildSource};
use super::super::folder_pattern::FolderPattern;
use super::super::helm::{Around, Objects, UsedCharts};
use super::super::images::object_images;
use super::super::kustomize::{Additions, Build, InflatedChart, build, build_elsewhere, kustomization_file};
use super::super::place::FileId;
use super::super::root::{Doubt, Root};
use super::super::setting::EffectiveImage;
use super::super::value::Value;
use super::Deployment;
use super::config_maps::{ConfigMaps, NamedConfigMaps};
use super::found_pointers::{
    FoundPointer, GIT_REPOSITORY, build_source, is_any_kind, is_argo, is_flux, is_kind, pointers_in,
};
use super::kustomizations::Kustomizations;
use super::pointers::{Pointer, RenderedPointer, RenderedPointers, included_files};
use super::scene::{KUSTOMIZATION_FILES, Scene, documents};

/// More deployments than this aren't followed.
const MAX_DEPLOYMENTS: usize = 20_000;

/// ConfigMaps that are generated with variables of others are followed this far.
const MAX_ROUNDS: usize = 16;

/// What variables and values are taken from.
const SOURCES: [&str; 2] = ["ConfigMap", "Secret"];

/// The kinds of the objects that count wherever they are written: those, and those that make a tool render something.
const LOOKED_AT: [&str; 6] =
    [SOURCES[0], SOURCES[1], GIT_REPOSITORY, "Kustomization", "Application", "ApplicationSet"];

/// Everything that is deployed around an image.
#[derive(Default)]
pub(super) struct Deployments {
    pub all: Vec<Deployment>,
    /// Applications that render a chart.
    pub charts: Vec<Root>,
    pub used: UsedCharts,
    /// What other files refer to by name.
    pub declared: Vec<Value>,
}

impl Deployments {
    pub fn around(files: &mut Files<'_>, scene: &Scene<'_>) -> Self {
        let reached = scene.reached.iter();
        let written: Vec<Value> =
            reached.flat_map(|path| scene.objects_of_kinds(files, path, &LOOKED_AT)).collect();
        let declared = scene.declared_objects(files);
        let repositories = declared.iter().chain(&written).filter(|object| is_kind(object, GIT_REPOSITORY));
        let repositories = Objects::new(repositories);
        let around = Around { root: &Objects::default(), repository: &repositories, url: scene.url };
        let here = written.iter().filter(|object| build_source(object, &around) == BuildSource::Here);
        let mut targets = Targets::default();
        here.for_each(|object| targets.add(files, object, scene.url));
        let implied = implied_applications(files, scene.reached, &targets.files);
        implied.iter().for_each(|implied| targets.add(files, &implied.application, scene.url));
        let kustomizations = Kustomizations::among(files, scene);
        let folders: Vec<&String> = kustomizations.alone(&targets.folders).collect();
        let mut found = Deployments::default();
        folders.into_iter().for_each(|folder| found.add_kustomization(files, folder));
        let included: BTreeSet<_> =
            found.all.iter().flat_map(|deployment| deployment.root.files.iter().copied()).collect();
        found.all.extend(scene.files_alone(files, &included));
        found.all.extend(implied.into_iter().map(|implied| deployment_of(files, implied)));
        let sources = declared.iter().chain(&written).filter(|object| is_any_kind(object, &SOURCES));
        found.follow(files, scene, (&Objects::new(sources), &repositories));
        found.declared = declared;
        found
    }

    fn add(&mut self, (name, entry): (String, EntryFiles), build: Build) {
        let Build {
            objects, unmatched, files, charts, chart_images, fed, tested, unknown, uncertain, ..
        } = build;
        for InflatedChart { chart, values_files, .. } in charts {
            self.used.charts.extend(chart);
            self.used.values_files.extend(values_files);
        }
        let images = objects.iter().flat_map(|object| object_images(&object.value));
        let images = images.chain(chart_images).collect();
        let root = Root {
            name,
            entry,
            images,
            unmatched,
            files,
            fed,
            tested,
            unknown,
            uncertain,
            ..Root::default()
        };
        let objects = objects.into_iter().map(|object| object.value).collect();
        self.all.push(Deployment { root, objects, ..Deployment::default() });
    }

    /// Renders the Flux Kustomizations and Applications in every deployment, also in those that this adds.
    fn follow(
        &mut self,
        files: &mut Files<'_>,
        scene: &Scene<'_>,
        (declared, repositories): (&Objects<'_>, &Objects<'_>),
    ) {
        let (mut rendered, mut config_maps) = (RenderedPointers::default(), ConfigMaps::new(declared));
        let (mut next, mut waiting, mut has_followed, mut rounds) = (0, Vec::new(), true, 0);
        while !files.is_exhausted() && self.all.len() < MAX_DEPLOYMENTS {
            let (pointers, is_new) = match self.all.get(next) {
                Some(deployment) => (pointers_in(deployment, next, scene, repositories), true),
                // what they wait for may have been built since
                None if !waiting.is_empty() => {
                    rounds += 1;
                    (std::mem::take(&mut waiting), false)
                }
                None => break,
            };
            let may_go_on_waiting = std::mem::take(&mut has_followed) && rounds < MAX_ROUNDS;
            for found in pointers {
                config_maps.see(&self.all);
                if is_new && config_maps.may_be_built_later(&found.object, found.deployer) {
                    waiting.push(found);
                    continue;
                }
                let named =
                    config_maps.named_by(&found.object, found.deployer, (&self.all, &rendered), files);
                if !is_new && named.is_incomplete && may_go_on_waiting {
                    waiting.push(found);
                } else {
                    has_followed = true;
                    self.follow_pointer(files, scene, found, named, &mut rendered);
                }
            }
            next += usize::from(is_new);
            has_followed |= is_new;
        }
        self.drop_superseded(files, scene, &rendered);
    }

    fn follow_pointer(
        &mut self,
        files: &mut Files<'_>,
        scene: &Scene<'_>,
        FoundPointer { object, deployer, source, doubts }: FoundPointer,
        named: NamedConfigMaps,
        rendered: &mut RenderedPointers,
    ) {
        let deployed_by = self.all[deployer].root.entry.clone();
        if let Some(known) = rendered.deployed_again(&object, &named.found, deployer) {
            self.deploy_again(known, &deployed_by);
            return;
        }
        let written_in = object.place().map(|place| files.file(place.file).path.clone());
        let implied_by = self.all[deployer].implied_by;
        let pointer = Pointer { deployed_by, written_in, implied_by, source };
        let ambiguous = named.is_ambiguous.then(|| ambiguous_config_maps(&object));
        let mut new = RenderedPointer::new(object, named.found, deployer);
        self.render(files, scene, &pointer, &mut new);
        for root in self.roots_of(&new) {
            root.uncertain.extend(doubts.iter().cloned());
            // which ConfigMap it is matters only to what takes a variable
            root.uncertain.extend(ambiguous.clone().filter(|_| !root.fed.is_empty()));
        }
        rendered.push(new);
    }

    /// Adds what an object makes a tool render, and notes in `new` what that is.
    fn render(
        &mut self,
        files: &mut Files<'_>,
        scene: &Scene<'_>,
        pointer: &Pointer,
        new: &mut RenderedPointer,
    ) {
        let (deployments, charts) = (self.all.len(), self.charts.len());
        let before = std::mem::take(&mut self.used);
        let object = &new.object;
        if is_kind(object, "Kustomization") {
            let built = flux::render(files, object, pointer.source, &Objects::new(&new.config_maps));
            let name = object.text_at(&["metadata", "name"]).unwrap_or("without a name");
            let folder = flux::folder(object).filter(|_| pointer.source == BuildSource::Here);
            let entry =
                pointer.entry(&folder.map(|folder| entry_of(files, &folder)).into_iter().collect::<Vec<_>>());
            let name = (format!("Flux Kustomization {name}"), entry);
            match built {
                Some(built) => self.add(name, built),
                None => self.charts.extend(unbuilt(object, name)),
            }
        } else {
            let sources = application_sources(files, object, scene.url);
            sources.into_iter().for_each(|source| self.add_application(files, source, pointer));
        }
        new.deployments = deployments..self.all.len();
        new.charts = charts..self.charts.len();
        new.used = std::mem::replace(&mut self.used, before);
    }

    /// What an object renders.
    fn roots_of(&mut self, rendered: &RenderedPointer) -> impl Iterator<Item = &mut Root> {
        let deployments = self.all[rendered.deployments.clone()].iter_mut();
        deployments.map(|deployment| &mut deployment.root).chain(&mut self.charts[rendered.charts.clone()])
    }

    /// Notes that something else deploys what an object renders.
    fn deploy_again(&mut self, known: &RenderedPointer, deployed_by: &EntryFiles) {
        self.roots_of(known).for_each(|root| root.entry.deployed_by(deployed_by));
    }

    fn add_application(&mut self, files: &mut Files<'_>, source: ApplicationSource, pointer: &Pointer) {
        let entry = pointer.entry(&entry_files(files, &source.renders));
        let entry = entry.or_file(own_values(&source.renders).as_deref());
        let root = Root {
            name: source.name.clone(),
            entry: entry.clone(),
            discarded: source.discarded,
            files: source.files,
            unknown: source.unknown,
            uncertain: source.uncertain,
            may_render: source.may_render.into_iter().collect(),
            ..Root::default()
        };
        match source.renders {
            Renders::Chart(DeployedChart { images, .. }) if pointer.implied_by.is_some() => {
                let images: Vec<_> = images.into_iter().filter(|image| pointer.sets(image)).collect();
                self.used.overridden.extend(images.iter().flat_map(EffectiveImage::places));
                self.charts.push(Root { images, ..root });
            }
            Renders::Chart(DeployedChart { images, chart, values_files }) => {
                self.used.charts.extend(chart);
                self.used.values_files.extend(values_files);
                self.charts.push(Root { images, ..root });
            }
            Renders::Kustomization(PatchedKustomization { folder, components, patches, images }) => {
                let additions = Additions { components, patches, overrides: images, ..Additions::default() };
                let mut built = match folder {
                    Some(folder) => build(files, &folder, &additions),
                    None => build_elsewhere(files, &additions),
                };
                built.uncertain.extend(root.uncertain.iter().cloned());
                self.add((source.name, entry), built);
                self.charts.push(root);
            }
            Renders::Manifests(paths) => {
                let objects: Vec<Value> = paths.iter().flat_map(|path| documents(files, path)).collect();
                let images = objects.iter().flat_map(object_images).collect();
                let read = paths.iter().filter_map(|path| files.load(path)).collect();
                let root = Root { images, files: read, ..root };
                self.all.push(Deployment { root, objects, ..Deployment::default() });
            }
            Renders::Unknown => self.charts.push(root),
        }
    }

    /// Drops what a deployment found later includes, and what is deployed in another form. A kustomization that only the dropped
    /// form points to is one that nothing includes.
    fn drop_superseded(&mut self, files: &mut Files<'_>, scene: &Scene<'_>, rendered: &RenderedPointers) {
        let superseded = rendered.superseded(&self.all, &self.charts);
        remove(&mut self.all, &superseded.deployments);
        remove(&mut self.charts, &superseded.charts);
        self.used.extend(superseded.used);
        let mut targets = Targets::default();
        superseded.objects.iter().for_each(|object| targets.add(files, object, scene.url));
        for folder in targets.folders {
            let Some(file) = kustomization_file(files, &folder) else { continue };
            if !self.all.iter().any(|deployment| deployment.root.files.contains(&file)) {
                self.add_kustomization(files, &folder);
            }
        }
        let included = included_files(&self.all, &BTreeSet::new());
        remove(&mut self.all, &included);
    }

    /// Renders a kustomization that nothing includes or points to.
    fn add_kustomization(&mut self, files: &mut Files<'_>, folder: &str) {
        let built = build(files, folder, &Additions::default());
        let entry = EntryFiles::of_file(&entry_of(files, folder));
        self.add((format!("kustomization {}", shown(folder)), entry), built);
    }
}

/// The files that a source of an Application starts from.
fn entry_files(files: &mut Files<'_>, renders: &Renders) -> Vec<String> {
    match renders {
        Renders::Chart(chart) => chart.values_files.iter().rev().cloned().collect(),
        Renders::Kustomization(PatchedKustomization { folder, .. }) => {
            folder.iter().map(|folder| entry_of(files, folder)).collect()
        }
        Renders::Manifests(paths) => paths.iter().take(1).cloned().collect(),
        Renders::Unknown => Vec::new(),
    }
}

/// The chart's own values, if a source gives it none. Other Applications can use them too, so they tell least.
fn own_values(renders: &Renders) -> Option<String> {
    let Renders::Chart(DeployedChart { values_files, chart, .. }) = renders else { return None };
    chart.as_deref().filter(|_| values_files.is_empty()).and_then(|folder| join(folder, "values.yaml"))
}

/// The doubt about an object whose variables come from one of several ConfigMaps.
fn ambiguous_config_maps(object: &Value) -> Doubt {
    Doubt {
        at: object.at(&["spec", "postBuild", "substituteFrom"]).and_then(Value::place),
        what: "takes variables from a ConfigMap, and there are several with this name".to_owned(),
    }
}

/// Removes the items at some positions.
fn remove<T>(items: &mut Vec<T>, positions: &BTreeSet<usize>) {
    let mut nth = 0..;
    items.retain(|_| nth.next().is_none_or(|nth| !positions.contains(&nth)));
}

/// The kustomization in a folder; where one would be if there is none.
fn entry_of(files: &mut Files<'_>, folder: &str) -> String {
    match kustomization_file(files, folder) {
        Some(file) => files.file(file).path.clone(),
        None => join(folder, KUSTOMIZATION_FILES[0]).unwrap_or_default(),
    }
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// A Flux Kustomization that changes what it builds, but with a variable in its path.
fn unbuilt(kustomization: &Value, (name, entry): (String, EntryFiles)) -> Option<Root> {
    let path = kustomization.at(&["spec", "path"]).filter(|_| !flux::additions(kustomization).is_empty())?;
    let doubt = Doubt { at: path.place(), what: "has a path with a variable".to_owned() };
    let may_render = FolderPattern::new(path.text()?).into_iter().collect();
    Some(Root { name, entry, uncertain: vec![doubt], may_render, ..Root::default() })
}

/// What objects make a tool render.
#[derive(Default)]
struct Targets {
    /// The folders of kustomizations.
    folders: BTreeSet<String>,
    /// The files that Applications are made from.
    files: BTreeSet<FileId>,
}

impl Targets {
    fn add(&mut self, files: &mut Files<'_>, object: &Value, url: Option<&str>) {
        if is_flux(object) {
            self.folders.extend(flux::folder(object));
        }
        let sources = if is_argo(object) { application_sources(files, object, url) } else { Vec::new() };
        for source in sources {
            self.files.extend(source.files);
            if let Renders::Kustomization(kustomization) = source.renders {
                self.folders.extend(kustomization.folder);
            }
        }
    }
}

/// An Application of which this repository has only a file beside its source, as an object of that file.
fn deployment_of(files: &mut Files<'_>, implied: ImpliedApplication) -> Deployment {
    let ImpliedApplication { path, application } = implied;
    let implied_by = files.load(&path);
    let root = Root { entry: EntryFiles::of_file(&path), name: path, ..Root::default() };
    Deployment { root, objects: vec![application], is_file: true, implied_by }
}
