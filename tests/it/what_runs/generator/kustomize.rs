//! Kustomizations: bases, overlays, components, and everything in them that sets an image.

use super::maker::Maker;
use super::workloads::{Workload, container_yaml, custom, workload};
use super::yaml::{Yaml, list, map, text};

/// A kustomization that others can include.
#[derive(Clone)]
pub struct Layer {
    pub folder: String,
    pub workloads: Vec<Workload>,
}

/// What a kustomization says, list by list.
#[derive(Default)]
pub struct Fields {
    pub lists: Vec<(&'static str, Vec<Yaml>)>,
    pub others: Vec<(&'static str, Yaml)>,
}

impl Fields {
    pub fn add(&mut self, key: &'static str, item: Yaml) {
        match self.lists.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => self.lists.push((key, vec![item])),
        }
    }

    fn write(mut self, maker: &mut Maker, folder: &str, is_component: bool) {
        if maker.chance(30) {
            maker.rng.shuffle(&mut self.lists);
        }
        let (version, kind) =
            if is_component { ("v1alpha1", "Component") } else { ("v1beta1", "Kustomization") };
        let mut pairs = Vec::new();
        if is_component || maker.chance(70) {
            pairs.push(("apiVersion", text(format!("kustomize.config.k8s.io/{version}"))));
            pairs.push(("kind", text(kind)));
        }
        pairs.extend(self.lists.into_iter().map(|(key, items)| (key, list(items))));
        pairs.extend(self.others);
        let name = *maker.pick(&[&"kustomization.yaml", &"kustomization.yaml", &"kustomization.yml"]);
        maker.write(&below(folder, name), &map(pairs));
    }
}

pub fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A path from one folder to another.
pub fn relative(from: &str, to: &str) -> String {
    let parts =
        |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = vec!["..".to_owned(); from.len() - same];
    let path = [up, to[same..].to_vec()].concat().join("/");
    if path.is_empty() { ".".to_owned() } else { path }
}

/// A kustomization with its own workloads.
pub fn base(maker: &mut Maker, folder: &str, prefix: &str) -> Layer {
    let mut fields = Fields::default();
    let mut layer = Layer { folder: folder.to_owned(), workloads: Vec::new() };
    for index in 0..maker.rng.usize(1..3) {
        let name = format!("{prefix}{index}");
        let (workload, object) = workload(maker, &name);
        maker.write(&below(folder, &format!("{name}.yaml")), &object);
        fields.add("resources", text(format!("{name}.yaml")));
        layer.workloads.push(workload);
    }
    if maker.chance(15) {
        let object = custom(maker, &format!("{prefix}custom"));
        maker.write(&below(folder, "custom.yaml"), &object);
        fields.add("resources", text("custom.yaml"));
    }
    if maker.chance(50) {
        settings(maker, &mut fields, &mut layer);
    }
    fields.write(maker, folder, false);
    layer
}

/// A kustomization on top of others.
pub fn overlay(maker: &mut Maker, folder: &str, bases: &[&Layer]) -> Layer {
    let mut fields = Fields::default();
    let workloads = bases.iter().flat_map(|layer| layer.workloads.clone()).collect();
    let mut layer = Layer { folder: folder.to_owned(), workloads };
    for base in bases {
        let key = if maker.chance(8) { "bases" } else { "resources" };
        fields.add(key, text(relative(folder, &base.folder)));
    }
    if maker.chance(25) {
        component(maker, &mut layer, &below(folder, "component"));
        fields.add("components", text("component"));
    }
    for _ in 0..maker.rng.usize(0..4) {
        settings(maker, &mut fields, &mut layer);
    }
    if maker.chance(8) {
        fields.others.push(("namePrefix", text("x-")));
    }
    if maker.chance(6) {
        inflated_chart(maker, folder, &mut fields);
    }
    fields.write(maker, folder, false);
    layer
}

/// A component for a kustomization.
pub fn component(maker: &mut Maker, layer: &mut Layer, folder: &str) {
    let mut fields = Fields::default();
    let mut inner = Layer { folder: folder.to_owned(), workloads: layer.workloads.clone() };
    for _ in 0..maker.rng.usize(1..3) {
        settings(maker, &mut fields, &mut inner);
    }
    layer.workloads = inner.workloads;
    fields.write(maker, folder, true);
}

/// A chart that kustomize inflates, with values of all kinds.
fn inflated_chart(maker: &mut Maker, folder: &str, fields: &mut Fields) {
    let chart = super::helm::chart(maker, &below(folder, "charts/inner"), "inner");
    let mut entry = map([("name", text("inner")), ("releaseName", text("inner"))]);
    if maker.chance(40) {
        let own = super::helm::values(maker, &chart, 60);
        maker.write(&below(folder, "inner.yaml"), &own);
        entry = entry.with("valuesFile", text("inner.yaml"));
    }
    if maker.chance(60) {
        let own = super::helm::values(maker, &chart, 60);
        entry = entry.with("valuesInline", own);
        if maker.chance(30) {
            let how = *maker.pick(&[&"merge", &"override", &"replace"]);
            entry = entry.with("valuesMerge", text(how));
        }
    }
    if maker.chance(40) {
        let own = super::helm::values(maker, &chart, 60);
        maker.write(&below(folder, "more.yaml"), &own);
        entry = entry.with("additionalValuesFiles", list([text("more.yaml")]));
    }
    fields.add("helmCharts", entry);
}

/// Adds one thing to a kustomization that sets an image.
pub fn settings(maker: &mut Maker, fields: &mut Fields, layer: &mut Layer) {
    let which = maker.rng.usize(0..layer.workloads.len());
    let container = maker.rng.usize(0..layer.workloads[which].containers.len());
    match maker.rng.u8(0..12) {
        0..4 => entry(maker, fields, layer, which, container),
        4..7 => strategic(maker, fields, layer, which, container),
        7..10 => json6902(maker, fields, layer, which, container),
        _ => replacement(maker, fields, layer, which, container),
    }
}

/// The name that a patch or an entry gives a container: most likely the one that it has.
fn new_name(maker: &mut Maker, now: &str) -> String {
    if maker.chance(80) { now.to_owned() } else { maker.name() }
}

fn entry(maker: &mut Maker, fields: &mut Fields, layer: &mut Layer, which: usize, container: usize) {
    let now = layer.workloads[which].containers[container].image.clone();
    let fits = maker.chance(88);
    let name = if fits { now.clone() } else { maker.name() };
    let entry = map([("name", text(name.clone()))]);
    let tag = maker.tag();
    let (entry, renamed) = match maker.rng.u8(0..10) {
        0..7 => (entry.with("newTag", text(tag)), None),
        7 => {
            let to = rename(maker);
            (entry.with("newName", text(to.clone())).with("newTag", text(tag)), Some(to))
        }
        8 => {
            let to = rename(maker);
            (entry.with("newName", text(to.clone())), Some(to))
        }
        _ => {
            let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
            (entry.with("newTag", text(tag)).with("digest", text(digest)), None)
        }
    };
    if let Some(to) = renamed {
        let containers = layer
            .workloads
            .iter_mut()
            .filter(|workload| workload.is_built_in())
            .flat_map(|workload| &mut workload.containers);
        containers
            .filter(|container| container.image == name)
            .for_each(|container| container.image.clone_from(&to));
    }
    let key = if maker.chance(6) { "imageTags" } else { "images" };
    fields.add(key, entry);
}

fn rename(maker: &mut Maker) -> String {
    let name = maker.name();
    if maker.chance(50) { name } else { format!("mirror.local/{}", name.replace(':', "-")) }
}

fn strategic(maker: &mut Maker, fields: &mut Fields, layer: &mut Layer, which: usize, container: usize) {
    let workload = layer.workloads[which].clone();
    let patched: Vec<usize> = match workload.is_built_in() {
        true => vec![container],
        // kustomize replaces the whole list
        false => (0..workload.containers.len()).collect(),
    };
    let mut written = Vec::new();
    for index in patched {
        let now = &workload.containers[index];
        let name = new_name(maker, &now.image);
        let image = maker.image(&name);
        written.push(container_yaml(maker, &now.name, image));
        layer.workloads[which].containers[index].image = name;
    }
    let patch = workload.patch(maker, written);
    let file = format!("patch-{which}-{}.yaml", maker.rng.u16(..));
    match maker.rng.u8(0..5) {
        0 => {
            let patch = maker.block(&patch);
            fields.add("patchesStrategicMerge", patch);
        }
        1 => {
            maker.write(&below(&layer.folder, &file), &patch);
            fields.add("patchesStrategicMerge", text(file));
        }
        2 => {
            let patch = maker.block(&patch);
            fields.add("patches", map([("patch", patch)]));
        }
        3 => {
            maker.write(&below(&layer.folder, &file), &patch);
            fields.add("patches", map([("path", text(file)), ("target", target(maker, &workload))]));
        }
        _ => {
            maker.write(&below(&layer.folder, &file), &patch);
            fields.add("patches", map([("path", text(file))]));
        }
    }
}

fn target(maker: &mut Maker, workload: &Workload) -> Yaml {
    let kind = ("kind", text(workload.kind));
    match maker.rng.u8(0..4) {
        // the name alone: it is a regular expression, and anchored
        0 => map([kind, ("name", text(format!("{}.*", &workload.name[..1])))]),
        1 => map([("name", text(workload.name.clone()))]),
        _ => map([kind, ("name", text(workload.name.clone()))]),
    }
}

/// The operations of a JSON patch on one container.
fn operations(maker: &mut Maker, workload: &mut Workload, container: usize) -> Yaml {
    let now = workload.containers[container].clone();
    let name = new_name(maker, &now.image);
    let image = maker.image(&name);
    let pointer = workload.pointer(container);
    let above = pointer.trim_end_matches("/image").to_owned();
    let operation =
        |op: &str, path: String, value: Yaml| map([("op", text(op)), ("path", text(path)), ("value", value)]);
    workload.containers[container].image = name;
    match maker.rng.u8(0..8) {
        0..4 => list([operation("replace", pointer, text(image))]),
        4 => list([operation("add", pointer, text(image))]),
        5 => {
            let value = container_yaml(maker, &now.name, image);
            list([operation("replace", above, value)])
        }
        6 => {
            let remove = map([("op", text("remove")), ("path", text(pointer.clone()))]);
            list([remove, operation("add", pointer, text(image))])
        }
        _ => {
            workload.containers[container].image = now.image;
            let end = format!("/{}/-", workload.path.join("/"));
            let value = container_yaml(maker, "sidecar", image);
            list([operation("add", end, value)])
        }
    }
}

/// A JSON patch and the object that it is for.
pub fn json_patch(maker: &mut Maker, layer: &mut Layer) -> (Yaml, Yaml) {
    let which = maker.rng.usize(0..layer.workloads.len());
    let container = maker.rng.usize(0..layer.workloads[which].containers.len());
    let operations = operations(maker, &mut layer.workloads[which], container);
    let target = exact_target(&layer.workloads[which]);
    (operations, target)
}

fn exact_target(workload: &Workload) -> Yaml {
    map([("kind", text(workload.kind)), ("name", text(workload.name.clone()))])
}

fn json6902(maker: &mut Maker, fields: &mut Fields, layer: &mut Layer, which: usize, container: usize) {
    let workload = layer.workloads[which].clone();
    let operations = operations(maker, &mut layer.workloads[which], container);
    let file = format!("ops-{which}-{}", maker.rng.u16(..));
    let target = exact_target(&workload);
    match maker.rng.u8(0..5) {
        0 | 1 => {
            let patch = maker.block(&operations);
            fields.add("patches", map([("target", target), ("patch", patch)]));
        }
        2 => {
            let path = below(&layer.folder, &format!("{file}.yaml"));
            maker.write(&path, &operations);
            fields.add("patches", map([("path", text(format!("{file}.yaml"))), ("target", target)]));
        }
        3 => {
            let path = below(&layer.folder, &format!("{file}.json"));
            maker.write_json(&path, &operations);
            fields.add("patches", map([("target", target), ("path", text(format!("{file}.json")))]));
        }
        _ => {
            let (group, version) = workload.version.split_once('/').unwrap_or(("", workload.version));
            let target = map([("group", text(group)), ("version", text(version))]).over(target);
            let path = below(&layer.folder, &format!("{file}.json"));
            maker.write_json(&path, &operations);
            fields.add("patchesJson6902", map([("target", target), ("path", text(format!("{file}.json")))]));
        }
    }
}

/// The image, or its tag, from a ConfigMap beside the kustomization.
fn replacement(maker: &mut Maker, fields: &mut Fields, layer: &mut Layer, which: usize, container: usize) {
    let workload = layer.workloads[which].clone();
    let now = workload.containers[container].clone();
    let id = maker.rng.u16(..);
    let whole = maker.chance(50);
    let value = if whole { maker.image(&now.image) } else { maker.tag() };
    let config = format!("vars-{id}");
    let object = maker.object("v1", "ConfigMap", None, &config).with("data", map([("value", text(value))]));
    maker.write(&below(&layer.folder, &format!("{config}.yaml")), &object);
    fields.add("resources", text(format!("{config}.yaml")));
    let path = format!("{}.[name={}].image", workload.path.join("."), now.name);
    let mut goal = map([("select", exact_target(&workload)), ("fieldPaths", list([text(path)]))]);
    if !whole {
        // a port before the tag is a part of its own
        let index = now.image.matches(':').count() + 1;
        let options = map([("delimiter", text(":")), ("index", super::yaml::bare(index.to_string()))]);
        goal = goal.with("options", options);
    }
    let source =
        map([("kind", text("ConfigMap")), ("name", text(config)), ("fieldPath", text("data.value"))]);
    fields.add("replacements", map([("source", source), ("targets", list([goal]))]));
}

/// A few kustomizations; those that nothing includes.
pub fn tree(maker: &mut Maker, root: &str) -> Vec<Layer> {
    let at = |path: &str| below(root, path);
    match maker.rng.u8(0..6) {
        0 => vec![base(maker, &at("deploy"), "app")],
        1 | 2 => {
            let base = base(maker, &at("base"), "app");
            let folders = [at("envs/staging"), at("envs/prod")];
            folders.iter().map(|folder| overlay(maker, folder, &[&base])).collect()
        }
        3 | 4 => {
            let base = base(maker, &at("base"), "app");
            let region = overlay(maker, &at("regions/eu"), &[&base]);
            let folders = [at("clusters-eu/staging"), at("clusters-eu/prod")];
            let mut layers: Vec<_> =
                folders.iter().map(|folder| overlay(maker, folder, &[&region])).collect();
            if maker.chance(40) {
                layers.push(overlay(maker, &at("regions/us"), &[&base]));
            }
            layers
        }
        _ => {
            let bases = [base(maker, &at("apps/one"), "one"), base(maker, &at("apps/two"), "two")];
            let both = overlay(maker, &at("envs/prod"), &[&bases[0], &bases[1]]);
            let only = overlay(maker, &at("envs/dev"), &[&bases[1]]);
            vec![both, only]
        }
    }
}

/// An object that no kustomization includes.
pub fn loose(maker: &mut Maker) {
    let object = if maker.chance(50) { workload(maker, "loose").1 } else { custom(maker, "loose") };
    let other = maker.chance(30).then(|| workload(maker, "second").1);
    let objects: Vec<_> = std::iter::once(object).chain(other).collect();
    maker.write_all("jobs/loose.yaml", &objects);
}

/// A list of Flux's or Argo CD's own, for a kustomization.
pub fn entries(maker: &mut Maker, layer: &Layer) -> Vec<(String, Option<String>)> {
    let images = layer.workloads.iter().flat_map(|workload| &workload.containers);
    let mut names: Vec<String> = images.map(|container| container.image.clone()).collect();
    names.dedup();
    let mut entries = Vec::new();
    for name in names {
        if maker.chance(50) {
            let to = maker.chance(15).then(|| rename(maker));
            entries.push((name, to));
        }
    }
    entries
}

/// Writes an ordinary kustomization.
pub fn write(fields: Fields, maker: &mut Maker, folder: &str) {
    fields.write(maker, folder, false);
}
