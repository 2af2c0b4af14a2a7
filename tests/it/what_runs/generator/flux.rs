//! Flux: Kustomizations that point at folders, and HelmReleases with overlays.

use super::helm::{Block, Chart, chart, values, values_files};
use super::kustomize::{self, Fields, Layer, below, entries, json_patch, tree};
use super::maker::Maker;
use super::yaml::{Yaml, list, map, nested, text};

/// A Flux Kustomization for each of some folders.
pub fn kustomizations(maker: &mut Maker) {
    for mut layer in tree(maker, "apps") {
        if maker.chance(80) {
            point_at(maker, &mut layer, Vec::new());
        }
    }
}

/// A Flux Kustomization with patches of its own.
fn point_at(maker: &mut Maker, layer: &mut Layer, mut patches: Vec<Yaml>) {
    let environment = layer.folder.rsplit('/').next().unwrap_or_default().to_owned();
    let mut spec = map([
        ("interval", text("10m")),
        ("path", text(format!("./{}", layer.folder))),
        ("sourceRef", map([("kind", text("GitRepository")), ("name", text("flux-system"))])),
    ]);
    if maker.chance(25) && !layer.workloads.is_empty() {
        let (operations, target) = json_patch(maker, layer);
        let patch = maker.block(&operations);
        patches.push(map([("patch", patch), ("target", target)]));
    }
    if !patches.is_empty() {
        spec = spec.with("patches", list(patches));
    }
    if maker.chance(15) && !layer.workloads.is_empty() {
        let folder = below(&layer.folder, "flux-component");
        kustomize::component(maker, layer, &folder);
        spec = spec.with("components", list([text("flux-component")]));
    }
    if maker.chance(25) {
        let items: Vec<_> =
            entries(maker, layer).into_iter().map(|(name, to)| entry(maker, name, to)).collect();
        if !items.is_empty() {
            spec = spec.with("images", list(items));
        }
    }
    if maker.chance(25) {
        let vars = variables(maker, layer);
        spec = spec.with("postBuild", post_build(maker, vars, &environment));
    }
    let flux = maker.object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", Some("flux-system"), "apps");
    maker.write(&format!("clusters/{environment}/apps.yaml"), &flux.with("spec", spec));
}

/// Variables in the spec, or in a ConfigMap beside it.
fn post_build(maker: &mut Maker, vars: Yaml, environment: &str) -> Yaml {
    if maker.chance(60) {
        return map([("substitute", vars)]);
    }
    let name = format!("vars-{environment}");
    let object = maker.object("v1", "ConfigMap", Some("flux-system"), &name).with("data", vars);
    maker.write(&format!("clusters/{environment}/vars.yaml"), &object);
    map([("substituteFrom", list([map([("kind", text("ConfigMap")), ("name", text(name))])]))])
}

fn entry(maker: &mut Maker, name: String, to: Option<String>) -> Yaml {
    let entry = map([("name", text(name))]);
    match to {
        Some(to) => entry.with("newName", text(to)).with("newTag", text(maker.tag())),
        None => entry.with("newTag", text(maker.tag())),
    }
}

/// Replaces some tags in a folder by variables.
fn variables(maker: &mut Maker, layer: &Layer) -> Yaml {
    let mut vars = map([("zone", text("eu"))]);
    let in_folder = format!("{}/", layer.folder);
    let paths: Vec<_> = maker.files.keys().filter(|path| path.starts_with(&in_folder)).cloned().collect();
    for path in paths {
        let text_of = maker.files[&path].clone();
        let Some((start, end)) = crate::what_runs::marks::first(&text_of) else { continue };
        if !may_be_variable(&text_of[..start]) || !maker.chance(60) {
            continue;
        }
        let name = format!("tag_{}", maker.rng.u16(..));
        let default = if maker.chance(30) { format!(":={}", maker.weak_tag()) } else { String::new() };
        let used = format!("{}${{{name}{default}}}{}", &text_of[..start], &text_of[end..]);
        vars = vars.with(&name, text(text_of[start..end].to_owned()));
        maker.files.insert(path, used);
    }
    vars
}

/// Whether a variable can stand behind a text: after an image's name, or as a tag by itself. In a map in braces, its
/// own braces would end the map.
fn may_be_variable(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    before.ends_with(':') || (line.to_lowercase().ends_with("tag: ") && !line.contains('{'))
}

/// HelmReleases: a base, and an overlay for each environment.
pub fn releases(maker: &mut Maker) {
    let local = maker.chance(60);
    let made = if local {
        chart(maker, "charts/api", "api")
    } else {
        // only its values are known
        let image = maker.name();
        let form = super::helm::Form::RepositoryAndTag;
        let blocks = vec![Block { path: vec!["image".into()], form, image }];
        Chart { folder: String::new(), name: "podinfo".into(), images: blocks }
    };
    let files = if local && maker.chance(40) { values_files(maker, &made) } else { Vec::new() };
    let release = release(maker, &made, local, &files);
    match maker.rng.u8(0..4) {
        0 => maker.write("releases/api.yaml", &release),
        _ => overlays(maker, &made, &release),
    }
}

fn release(maker: &mut Maker, chart: &Chart, local: bool, files: &[String]) -> Yaml {
    let object = maker.object("helm.toolkit.fluxcd.io/v2", "HelmRelease", Some("default"), "api");
    let kind = if local { "GitRepository" } else { "HelmRepository" };
    let path = if local { format!("./{}", chart.folder) } else { chart.name.clone() };
    let source = map([("kind", text(kind)), ("name", text(if local { "flux-system" } else { "charts" }))]);
    let mut about = map([("chart", text(path)), ("sourceRef", source)]);
    if let Some(file) = files.first().filter(|_| maker.chance(60)) {
        let files = list([text(format!("./{}/values.yaml", chart.folder)), text(format!("./{file}"))]);
        about = about.with("valuesFiles", files);
        if maker.chance(50) {
            about = about.with("reconcileStrategy", text("Revision"));
        }
    }
    let mut spec = map([("interval", text("10m")), ("chart", map([("spec", about)]))]);
    let (from, maps) = values_from(maker, chart);
    if !from.is_empty() {
        spec = spec.with("valuesFrom", list(from));
    }
    if !local || maker.chance(75) {
        let mut own = values(maker, chart, 70);
        if !local {
            own = own.over(chart.images[0].whole(&maker.tag()));
        }
        spec = spec.with("values", own);
    }
    if maker.chance(15) {
        spec = spec.with("postRenderers", list([post_renderer(maker, chart)]));
    }
    for (path, object) in maps {
        maker.write(&path, &object);
    }
    object.with("spec", spec)
}

fn post_renderer(maker: &mut Maker, chart: &Chart) -> Yaml {
    let image = chart.images[0].image.clone();
    // a chart in another repository has names that nobody knows
    if !chart.folder.is_empty() && maker.chance(40) {
        let image = maker.image(&image);
        let path = text("/spec/template/spec/containers/0/image");
        let operation = map([("op", text("replace")), ("path", path), ("value", text(image))]);
        let patch = maker.block(&list([operation]));
        let target = map([("kind", text("Deployment")), ("name", text("api-api"))]);
        return map([("kustomize", map([("patches", list([map([("target", target), ("patch", patch)])]))]))]);
    }
    let entry = map([("name", text(image)), ("newTag", text(maker.tag()))]);
    map([("kustomize", map([("images", list([entry]))]))])
}

/// Entries for `valuesFrom`, and their ConfigMaps, which lie beside the release.
fn values_from(maker: &mut Maker, chart: &Chart) -> (Vec<Yaml>, Vec<(String, Yaml)>) {
    let (mut from, mut maps) = (Vec::new(), Vec::new());
    if !maker.chance(30) {
        return (from, maps);
    }
    let block = chart.images[0].clone();
    let object = maker.object("v1", "ConfigMap", Some("default"), "api-values");
    let (key, value, path) = match maker.chance(50) {
        true => {
            let path = block.tag_path();
            let tag = maker.tag();
            let value = block.text_of(&tag);
            ("tag", text(value), Some(path))
        }
        false => {
            let inner = block.tag_alone(&maker.tag());
            ("values.yaml", maker.block(&inner), None)
        }
    };
    maps.push(("releases/api-values.yaml".to_owned(), object.with("data", map([(key, value)]))));
    let mut entry = map([("kind", text("ConfigMap")), ("name", text("api-values"))]);
    if let Some(path) = path {
        entry = entry.with("valuesKey", text(key)).with("targetPath", text(path));
    }
    from.push(entry);
    (from, maps)
}

fn overlays(maker: &mut Maker, chart: &Chart, release: &Yaml) {
    maker.write("releases/release.yaml", release);
    let mut fields = Fields::default();
    fields.add("resources", text("release.yaml"));
    let generated = maker.files.contains_key("releases/api-values.yaml") && maker.chance(40);
    if generated {
        generate_values(maker, chart, &mut fields, "releases", None);
    } else if maker.files.contains_key("releases/api-values.yaml") {
        fields.add("resources", text("api-values.yaml"));
    }
    kustomize::write(fields, maker, "releases");
    for environment in ["staging", "prod"] {
        let folder = format!("envs/{environment}");
        let mut fields = Fields::default();
        fields.add("resources", text("../../releases"));
        if maker.chance(75) {
            patch(maker, chart, release, &folder, &mut fields);
        }
        if generated && maker.chance(30) {
            let how = *maker.pick(&[&"merge", &"replace"]);
            generate_values(maker, chart, &mut fields, &folder, Some(how));
        }
        kustomize::write(fields, maker, &folder);
        if maker.chance(60) {
            let mut layer = Layer { folder, workloads: Vec::new() };
            let patches =
                if maker.chance(20) { vec![json_patch_of_values(maker, chart)] } else { Vec::new() };
            point_at(maker, &mut layer, patches);
        }
    }
}

/// The ConfigMap of a release's values, made by a generator of a file.
fn generate_values(maker: &mut Maker, chart: &Chart, fields: &mut Fields, folder: &str, how: Option<&str>) {
    let block = chart.images[0].clone();
    let mut generator = map([("name", text("api-values")), ("namespace", text("default"))]);
    if let Some(how) = how {
        generator = generator.with("behavior", text(how));
    }
    let values = block.tag_alone(&maker.tag());
    let tag = maker.tag();
    let tag = block.text_of(&tag);
    maker.files.remove(&below(folder, "api-values.yaml"));
    maker.write(&below(folder, "generated.yaml"), &values);
    generator = generator
        .with("files", list([text("values.yaml=generated.yaml")]))
        .with("literals", list([text(format!("tag={tag}"))]));
    fields.add("configMapGenerator", generator);
    fields.others.push(("generatorOptions", map([("disableNameSuffixHash", super::yaml::bare("true"))])));
}

/// A patch of a Flux Kustomization, for the release.
fn json_patch_of_values(maker: &mut Maker, chart: &Chart) -> Yaml {
    let block = chart.images[0].clone();
    let object = maker.object("helm.toolkit.fluxcd.io/v2", "HelmRelease", Some("default"), "api");
    let patch = object.with("spec", nested(&["values"], block.tag_alone(&maker.tag())));
    let patch = maker.block(&patch);
    map([("target", map([("kind", text("HelmRelease"))])), ("patch", patch)])
}

/// An environment's patch of the release's values.
fn patch(maker: &mut Maker, chart: &Chart, release: &Yaml, folder: &str, fields: &mut Fields) {
    let block = chart.images[maker.rng.usize(0..chart.images.len())].clone();
    let tag = maker.tag();
    let target = map([("kind", text("HelmRelease")), ("name", text("api"))]);
    let path = block.tag_path();
    let keys: Vec<&str> = ["spec", "values"].into_iter().chain(path.split('.')).collect();
    // a JSON patch adds no map on the way
    if !release.has(&keys[..keys.len() - 1]) || maker.chance(70) {
        let object = maker.object("helm.toolkit.fluxcd.io/v2", "HelmRelease", Some("default"), "api");
        let set = if maker.chance(30) { block.whole(&tag) } else { block.tag_alone(&tag) };
        let patch = object.with("spec", nested(&["values"], set));
        if maker.chance(50) {
            maker.write(&below(folder, "values-patch.yaml"), &patch);
            fields.add("patches", map([("path", text("values-patch.yaml")), ("target", target)]));
        } else {
            let patch = maker.block(&patch);
            fields.add("patches", map([("patch", patch)]));
        }
        return;
    }
    let value = block.text_of(&tag);
    let path = format!("/spec/values/{}", path.replace('.', "/"));
    let operation = map([("op", text("add")), ("path", text(path)), ("value", text(value))]);
    let patch = maker.block(&list([operation]));
    fields.add("patches", map([("target", target), ("patch", patch)]));
}
