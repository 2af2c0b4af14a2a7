//! Deploys a repository as its tools do: every root by its name, with the objects that it puts into a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::containers::title;
use super::files::{Files, documents, folder_of, join, name_of, shown};
use super::layout::{Layout, applications, is_argo, is_below, is_flux, is_release};
use super::{argo, flux, helmfile, release};
use crate::deployments::tools::Tools;
use crate::support::files::write;

/// The objects of each root.
pub type Deployed = BTreeMap<String, Vec<Value>>;

/// A base in another repository, as a kustomization names it. The folder beside this file stands in for it.
const REMOTE_BASE: &str = "https://github.com/acme/api//deploy?ref=v3";

/// Everything that is deployed from a repository; why not, if a tool fails.
pub fn deploy(files: &Files, tools: &Tools) -> Result<Deployed, String> {
    let mut run = Run::new(files, tools);
    run.kustomizations()?;
    run.plain_files()?;
    run.objects_that_deploy_themselves()?;
    run.helmfiles()?;
    run.charts()?;
    run.projects()?;
    Ok(run.deployed)
}

/// A repository in a folder, and what was deployed from it so far.
pub struct Run<'a> {
    pub files: &'a Files,
    pub tools: &'a Tools,
    pub layout: Layout,
    folder: TempDir,
    deployed: Deployed,
    seen: BTreeSet<String>,
}

impl<'a> Run<'a> {
    fn new(files: &'a Files, tools: &'a Tools) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let up = "../".repeat(path.matches('/').count());
            write(folder.path(), path, &text.replace(REMOTE_BASE, &format!("{up}.remote-base")));
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/what_runs/remote-base");
        if files.values().any(|text| text.contains(REMOTE_BASE)) {
            crate::support::files::copy(&here, &folder.path().join(".remote-base"));
        }
        let layout = Layout::of(files);
        Run { files, tools, layout, folder, deployed: Deployed::new(), seen: BTreeSet::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Kustomizations that nothing else deploys.
    fn kustomizations(&mut self) -> Result<(), String> {
        let of_their_own = |(folder, (_, document)): (&String, &(String, Value))| {
            let is_root = document["kind"] != "Component" && !self.layout.included.contains(folder);
            is_root.then(|| folder.clone())
        };
        let roots: Vec<_> = self.layout.kustomizations.iter().filter_map(of_their_own).collect();
        for folder in roots {
            let objects = self.build(&folder)?;
            self.place(format!("kustomize build {}", shown(&folder)), objects)?;
        }
        Ok(())
    }

    /// Files that nothing includes.
    fn plain_files(&mut self) -> Result<(), String> {
        let objects = self.layout.objects.clone();
        for (file, objects) in objects.into_iter().filter(|(_, objects)| !objects.is_empty()) {
            if !self.layout.parts.contains(&file) {
                self.place(format!("apply {file}"), objects)?;
            }
        }
        Ok(())
    }

    /// A Flux Kustomization that includes itself, as `flux bootstrap` writes it.
    fn objects_that_deploy_themselves(&mut self) -> Result<(), String> {
        let objects: Vec<_> = self.layout.objects.clone().into_iter().collect();
        for (file, objects) in objects {
            for object in objects.iter().filter(|object| is_flux(object) || is_argo(object)) {
                if !self.seen.contains(&title(object)) {
                    self.follow(object, &file)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the objects of a root, in the form that the cluster gets.
    fn place(&mut self, name: String, objects: Vec<Value>) -> Result<(), String> {
        let mut placed = Vec::new();
        for object in &objects {
            if is_flux(object) || is_argo(object) {
                self.follow(object, &name)?;
            } else if is_release(object) {
                placed.extend(release::install(self, object, &objects)?);
            } else if !is_source_of_values(object) {
                placed.push(object.clone());
            }
        }
        if !placed.is_empty() {
            self.deployed.insert(name, placed);
        }
        Ok(())
    }

    /// What a Flux Kustomization or an Application deploys.
    fn follow(&mut self, object: &Value, from: &str) -> Result<(), String> {
        let name = title(object);
        self.seen.insert(name.clone());
        if from.contains(&format!("{name} from")) {
            return Ok(());
        }
        if is_flux(object) {
            let objects = flux::build(self, object)?;
            return self.place(format!("{name} from {from}"), objects);
        }
        for application in applications(object) {
            let objects = argo::render(self, &application)?;
            self.place(format!("{} from {from}", title(&application)), objects)?;
        }
        Ok(())
    }

    fn helmfiles(&mut self) -> Result<(), String> {
        for (path, release) in helmfile::releases(self.files) {
            let objects = helmfile::install(self, &path, &release)?;
            self.place(
                format!("release {} of {path}", release["name"].as_str().unwrap_or_default()),
                objects,
            )?;
        }
        Ok(())
    }

    fn charts(&mut self) -> Result<(), String> {
        let charts = self.layout.charts.clone();
        for chart in charts {
            let is_part = self.layout.charts.iter().any(|other| is_below(&chart, &join(other, "charts")));
            if is_part {
                continue;
            }
            let is_of_its_own =
                |path: &&String| is_values_file(path, &chart) && !self.layout.used_values.contains(*path);
            let values: Vec<_> = self.files.keys().filter(is_of_its_own).cloned().collect();
            for file in values {
                self.chart(&chart, Some(&file))?;
            }
            if !self.layout.used_charts.contains(&chart) {
                self.chart(&chart, None)?;
            }
        }
        Ok(())
    }

    fn chart(&mut self, chart: &str, values: Option<&str>) -> Result<(), String> {
        let mut arguments = vec!["template", "release", shown(chart)];
        arguments.extend(values.into_iter().flat_map(|file| ["-f", file]));
        let name = format!("helm {}", arguments.join(" "));
        let objects = self.helm(&arguments)?;
        self.place(name, objects)
    }

    fn projects(&mut self) -> Result<(), String> {
        let projects = self.layout.projects.clone();
        for (folder, file) in projects {
            self.project(&folder, &[])?;
            let env = self.files.get(&join(&folder, ".env")).map_or("", String::as_str);
            let listed = env.lines().find_map(|line| line.strip_prefix("COMPOSE_FILE=")).unwrap_or_default();
            let others = self.files.keys().filter(|path| is_other_compose_file(path, &folder));
            let others =
                others.map(|path| name_of(path)).filter(|name| !listed.split(':').any(|file| file == *name));
            let others: Vec<_> = others.map(str::to_owned).collect();
            for other in others {
                self.project(&folder, &["-f", name_of(&file), "-f", &other])?;
            }
        }
        Ok(())
    }

    fn project(&mut self, folder: &str, files: &[&str]) -> Result<(), String> {
        let arguments = [&["--project-name", "project", "--profile", "*"], files, &["config"]].concat();
        let printed = self.tools.compose(&self.path().join(folder), &arguments)?;
        let name = [&["compose", shown(folder)], files].concat().join(" ");
        let mut project = documents(&printed);
        // extensions are printed too, and run nothing
        project
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(|map| map.retain(|key, _| !key.starts_with("x-")));
        self.deployed.insert(name, project);
        Ok(())
    }

    /// The objects of a kustomization.
    pub fn build(&self, folder: &str) -> Result<Vec<Value>, String> {
        self.build_text(folder).map(|text| documents(&text))
    }

    pub fn build_text(&self, folder: &str) -> Result<String, String> {
        self.tools.kustomize(self.path(), shown(folder))
    }

    pub fn helm(&self, arguments: &[&str]) -> Result<Vec<Value>, String> {
        self.tools.helm(self.path(), arguments).map(|text| documents(&text))
    }

    /// Builds a kustomization that is written over another one, or into an empty folder, for this time only.
    pub fn build_with(&self, folder: &str, file: &str, kustomization: &Value) -> Result<String, String> {
        let path = join(folder, file);
        write(self.path(), &path, &kustomization.to_string());
        let built = self.build_text(folder);
        match self.files.get(&path) {
            Some(text) => write(self.path(), &path, text),
            None => std::fs::remove_file(self.path().join(&path)).unwrap(),
        }
        built
    }
}

/// ConfigMaps that hold a release's values or a Flux Kustomization's variables: what is in them runs elsewhere.
fn is_source_of_values(object: &Value) -> bool {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    object["kind"] == "ConfigMap" && (name.contains("values") || name.contains("vars"))
}

fn is_values_file(path: &str, chart: &str) -> bool {
    let name = name_of(path);
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    let is_named = |stem: &str| {
        ["values-", "values.", "values_"].iter().any(|start| stem.starts_with(start))
            || stem.ends_with("-values")
    };
    folder_of(path) == chart && stem.is_some_and(is_named)
}

fn is_other_compose_file(path: &str, folder: &str) -> bool {
    let name = name_of(path);
    let rest =
        name.strip_prefix("docker-compose").or_else(|| name.strip_prefix("compose")).unwrap_or_default();
    let ends = [".yaml", ".yml"].iter().find_map(|end| rest.strip_suffix(end));
    let is_other = ends.is_some_and(|middle| middle.starts_with(['.', '-']) && middle != ".override");
    folder_of(path) == folder && is_other
}
