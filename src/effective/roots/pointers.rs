//! Objects that make a tool render something: Flux Kustomizations and Applications, and what came out of them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::super::entry_files::EntryFiles;
use super::super::flux::BuildSource;
use super::super::helm::UsedCharts;
use super::super::place::{FileId, Place};
use super::super::root::Root;
use super::super::setting::EffectiveImage;
use super::super::value::Value;
use super::Deployment;

/// Where an object comes from that makes a tool render something.
pub(super) struct Pointer {
    pub deployed_by: EntryFiles,
    pub written_in: Option<String>,
    /// The file that tells of an Application that isn't written here.
    pub implied_by: Option<FileId>,
    /// Where the files are that it renders.
    pub source: BuildSource,
}

/// An object that was rendered, and what came out: positions in the lists of deployments and charts.
pub(super) struct RenderedPointer {
    pub object: Value,
    /// The ConfigMaps that it takes variables from.
    pub config_maps: Vec<Value>,
    /// The deployments that it is among.
    pub deployers: BTreeSet<usize>,
    pub deployments: Range<usize>,
    pub charts: Range<usize>,
    pub used: UsedCharts,
}

/// What was rendered, in the order in which it was found.
#[derive(Default)]
pub(super) struct RenderedPointers {
    all: Vec<RenderedPointer>,
    /// Equal objects are written at the same place.
    by_place: HashMap<Option<Place>, Vec<usize>>,
    /// Deployments, each with one that its object is rendered from.
    made_by: HashSet<(usize, usize)>,
}

/// What runs only in another form.
#[derive(Default)]
pub(super) struct Superseded {
    /// Positions in the lists of deployments and charts.
    pub deployments: BTreeSet<usize>,
    pub charts: BTreeSet<usize>,
    /// The objects in the form that doesn't run.
    pub objects: Vec<Value>,
    /// The charts that all others use.
    pub used: UsedCharts,
}

impl Pointer {
    /// The entry files of what it renders.
    pub fn entry(&self, rendered: &[String]) -> EntryFiles {
        EntryFiles::of_pointer(rendered, &self.deployed_by, self.written_in.as_deref())
    }

    /// Whether the file that tells of it sets an image. It says nothing about others: the values files of an Application
    /// that isn't written here are unknown.
    pub fn sets(&self, image: &EffectiveImage) -> bool {
        image.places().any(|place| Some(place.file) == self.implied_by)
    }
}

impl RenderedPointer {
    /// An object of the deployment at `deployer`, from which nothing has come out yet.
    pub fn new(object: Value, config_maps: Vec<Value>, deployer: usize) -> Self {
        RenderedPointer {
            object,
            config_maps,
            deployers: BTreeSet::from([deployer]),
            deployments: 0..0,
            charts: 0..0,
            used: UsedCharts::default(),
        }
    }

    /// Whether another object is the same one, perhaps patched.
    fn is_named_as(&self, other: &RenderedPointer) -> bool {
        let is_equal = |path: &[&str]| self.object.text_at(path) == other.object.text_at(path);
        is_equal(&["kind"]) && is_equal(&["metadata", "name"])
    }

    /// The file that tells of an Application that isn't written here.
    fn implied_by(&self, deployments: &[Deployment]) -> Option<FileId> {
        self.deployers.iter().find_map(|nth| deployments[*nth].implied_by)
    }

    /// Whether it is a Flux Kustomization of the whole repository.
    fn has_no_path(&self) -> bool {
        self.object.text_at(&["kind"]) == Some("Kustomization") && self.object.at(&["spec", "path"]).is_none()
    }

    /// Whether this is the form in which another one runs: a deployment has it that includes the other one's file, and
    /// nothing deploys the other one but what is gone. If the other one is without a path, which this one has, it is only a
    /// part to be patched.
    fn replaces(&self, other: &RenderedPointer, deployments: &[Deployment], gone: &BTreeSet<usize>) -> bool {
        let Some(file) = other.object.place().map(|place| place.file) else { return false };
        let includes = |nth: &usize| deployments[*nth].root.files.contains(&file);
        let is_part = other.has_no_path() && !self.has_no_path();
        (is_part || other.deployers.is_subset(gone)) && self.deployers.difference(gone).any(includes)
    }
}

impl RenderedPointers {
    /// An equal object that was rendered before, with the same variables. It is among another deployment too, then.
    pub fn deployed_again(
        &mut self,
        object: &Value,
        config_maps: &[Value],
        deployer: usize,
    ) -> Option<&RenderedPointer> {
        let same_place = self.by_place.get(&object.place())?;
        let is_same = |known: &RenderedPointer| known.object == *object && known.config_maps == config_maps;
        let known = same_place.iter().copied().find(|&nth| is_same(&self.all[nth]))?;
        let known = self.all.get_mut(known)?;
        known.deployers.insert(deployer);
        self.made_by.extend(known.deployments.clone().map(|made| (deployer, made)));
        Some(known)
    }

    /// Whether a deployment is what an object of another one renders.
    pub fn is_made_by(&self, deployer: usize, made: usize) -> bool {
        self.made_by.contains(&(deployer, made))
    }

    pub fn push(&mut self, pointer: RenderedPointer) {
        let made = |deployer: &usize| {
            let deployer = *deployer;
            pointer.deployments.clone().map(move |made| (deployer, made))
        };
        self.made_by.extend(pointer.deployers.iter().flat_map(made));
        self.by_place.entry(pointer.object.place()).or_default().push(self.all.len());
        self.all.push(pointer);
    }

    /// Finds the files on their own that a deployment includes, and what their objects render if that deployment patches
    /// them: they run only in the patched form. What such an object renders can hold others, which come later in the list.
    pub fn superseded(&self, deployments: &[Deployment], charts: &[Root]) -> Superseded {
        let mut gone = Superseded {
            deployments: included_files(deployments, &BTreeSet::new()),
            ..Superseded::default()
        };
        let mut by_name: HashMap<Option<&str>, Vec<&RenderedPointer>> = HashMap::new();
        for pointer in &self.all {
            by_name.entry(pointer.object.text_at(&["metadata", "name"])).or_default().push(pointer);
        }
        let mut dropped = BTreeSet::new();
        for (nth, pointer) in self.all.iter().enumerate() {
            let others = &by_name[&pointer.object.text_at(&["metadata", "name"])];
            let mut others = others.iter().filter(|other| other.is_named_as(pointer));
            if others.any(|other| other.replaces(pointer, deployments, &gone.deployments)) {
                gone.deployments.extend(pointer.deployments.clone());
                gone.charts.extend(pointer.charts.clone());
                dropped.insert(nth);
            }
        }
        for nth in self.counted_twice(deployments, charts, &dropped) {
            gone.deployments.extend(self.all[nth].deployments.clone());
            gone.charts.extend(self.all[nth].charts.clone());
            dropped.insert(nth);
        }
        // a file that only a dropped deployment included is on its own again
        gone.deployments.retain(|nth| !deployments[*nth].is_file);
        gone.deployments.extend(included_files(deployments, &gone.deployments));
        let (lost, live): (Vec<_>, Vec<_>) =
            self.all.iter().enumerate().partition(|(nth, _)| dropped.contains(nth));
        gone.objects = lost.into_iter().map(|(_, pointer)| pointer.object.clone()).collect();
        live.into_iter().for_each(|(_, pointer)| gone.used.extend(pointer.used.clone()));
        gone
    }

    /// The Applications that a file tells of although one that is written here reads that file: its name may be known only
    /// after it is patched.
    fn counted_twice(
        &self,
        deployments: &[Deployment],
        charts: &[Root],
        dropped: &BTreeSet<usize>,
    ) -> Vec<usize> {
        let live = || self.all.iter().enumerate().filter(|(nth, _)| !dropped.contains(nth));
        let (implied, written): (Vec<_>, Vec<_>) =
            live().partition(|(_, pointer)| pointer.implied_by(deployments).is_some());
        let roots = written.iter().flat_map(|(_, pointer)| &charts[pointer.charts.clone()]);
        let read: BTreeSet<FileId> = roots.flat_map(|root| root.files.iter().copied()).collect();
        let is_read = |pointer: &RenderedPointer| {
            pointer.implied_by(deployments).is_some_and(|file| read.contains(&file))
        };
        implied.into_iter().filter(|(_, pointer)| is_read(pointer)).map(|(nth, _)| nth).collect()
    }
}

/// The files on their own that another deployment includes, as far as that isn't dropped.
pub(super) fn included_files(deployments: &[Deployment], dropped: &BTreeSet<usize>) -> BTreeSet<usize> {
    let included: BTreeSet<FileId> = deployments
        .iter()
        .enumerate()
        .filter(|(nth, deployment)| !deployment.is_file && !dropped.contains(nth))
        .flat_map(|(_, deployment)| deployment.root.files.iter().copied())
        .collect();
    let is_included =
        |deployment: &Deployment| deployment.is_file && !deployment.root.files.is_disjoint(&included);
    deployments
        .iter()
        .enumerate()
        .filter(|(_, deployment)| is_included(deployment))
        .map(|(nth, _)| nth)
        .collect()
}
