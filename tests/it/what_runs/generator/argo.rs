//! Argo CD: Applications of charts and of kustomizations.

use super::helm::{Chart, chart, values, values_files};
use super::kustomize::{below, component, entries, json_patch, tree};
use super::maker::Maker;
use super::yaml::{Yaml, list, map, text};

pub fn applications(maker: &mut Maker) {
    match maker.rng.u8(0..10) {
        0..4 => of_charts(maker),
        4..6 => set(maker),
        _ => of_kustomizations(maker),
    }
}

/// An ApplicationSet, with a list of environments.
fn set(maker: &mut Maker) {
    let layers = tree(maker, "deploy");
    let name = maker.name();
    let dot = if maker.chance(50) { "." } else { "" };
    let mut elements = Vec::new();
    for layer in &layers {
        let tag = maker.tag();
        elements.push(map([
            ("folder", text(layer.folder.clone())),
            ("tag", text(tag)),
            ("app", text(layer.folder.replace('/', "-"))),
        ]));
    }
    let mut source = source(&format!("{{{{{dot}folder}}}}"));
    if maker.chance(70) {
        let image = format!("{name}:{{{{{dot}tag}}}}");
        source = source.with("kustomize", map([("images", list([text(image)]))]));
    }
    let about = map([("name", text(format!("{{{{{dot}app}}}}")))]);
    let template =
        map([("metadata", about), ("spec", map([("project", text("default")), ("source", source)]))]);
    let mut spec = map([("generators", list([map([("list", map([("elements", list(elements))]))])]))]);
    if !dot.is_empty() {
        spec = spec.with("goTemplate", super::yaml::bare("true"));
    }
    let object = maker.object("argoproj.io/v1alpha1", "ApplicationSet", Some("argocd"), "shop");
    maker.write("argocd/shop.yaml", &object.with("spec", spec.with("template", template)));
}

fn application(maker: &mut Maker, name: &str, source: Yaml) {
    let object = maker.object("argoproj.io/v1alpha1", "Application", Some("argocd"), name);
    let spec = map([("project", text("default")), ("source", source)]);
    maker.write(&format!("argocd/{name}.yaml"), &object.with("spec", spec));
}

fn source(path: &str) -> Yaml {
    map([
        ("repoURL", text("https://github.com/acme/shop")),
        ("targetRevision", text("HEAD")),
        ("path", text(path)),
    ])
}

fn of_charts(maker: &mut Maker) {
    let chart = chart(maker, "charts/shop", "shop");
    let files = values_files(maker, &chart);
    let names = ["shop-prod", "shop-staging"];
    for name in &names[..maker.rng.usize(1..3)] {
        let helm = helm(maker, &chart, &files);
        if maker.chance(25) {
            two_sources(maker, name, &chart, helm);
        } else {
            application(maker, name, source(&chart.folder).with("helm", helm));
        }
    }
}

/// A chart, and values from a folder that another source names.
fn two_sources(maker: &mut Maker, name: &str, chart: &Chart, helm: Yaml) {
    let own = values(maker, chart, 80);
    maker.write(&format!("envs/{name}.yaml"), &own);
    let helm = helm.over(map([("valueFiles", list([text(format!("$values/envs/{name}.yaml"))]))]));
    let values = map([("repoURL", text("https://github.com/acme/shop")), ("ref", text("values"))]);
    let spec = map([("sources", list([source(&chart.folder).with("helm", helm), values]))]);
    let object = maker.object("argoproj.io/v1alpha1", "Application", Some("argocd"), name);
    maker.write(&format!("argocd/{name}.yaml"), &object.with("spec", spec));
}

fn helm(maker: &mut Maker, chart: &Chart, files: &[String]) -> Yaml {
    let mut helm = map([("releaseName", text("shop"))]);
    if let Some(file) = files.first().filter(|_| maker.chance(60)) {
        let name = file.rsplit('/').next().unwrap_or_default();
        helm = helm.with("valueFiles", list([text("values.yaml"), text(name)]));
    }
    if maker.chance(30) {
        let own = values(maker, chart, 70);
        helm = helm.with("valuesObject", own);
    } else if maker.chance(40) {
        let own = values(maker, chart, 70);
        let own = maker.block(&own);
        helm = helm.with("values", own);
    }
    if maker.chance(40) {
        let block = chart.images[maker.rng.usize(0..chart.images.len())].clone();
        let tag = maker.tag();
        let value = block.text_of(&tag);
        helm =
            helm.with("parameters", list([map([("name", text(block.tag_path())), ("value", text(value))])]));
    }
    helm
}

fn of_kustomizations(maker: &mut Maker) {
    for mut layer in tree(maker, "deploy") {
        let name = layer.folder.replace('/', "-");
        let mut source = source(&layer.folder);
        let images = images(maker, &layer);
        let mut options = map::<String>([]);
        if !images.is_empty() && maker.chance(60) {
            options = options.with("images", list(images));
        }
        if maker.chance(20) {
            let (operations, target) = json_patch(maker, &mut layer);
            let patch = maker.block(&operations);
            options = options.with("patches", list([map([("target", target), ("patch", patch)])]));
        }
        if maker.chance(10) {
            let folder = below(&layer.folder, "argo-component");
            component(maker, &mut layer, &folder);
            options = options.with("components", list([text("argo-component")]));
        }
        if !matches!(&options, Yaml::Map(pairs) if pairs.is_empty()) {
            source = source.with("kustomize", options);
        }
        if maker.chance(25) {
            let images = self::images(maker, &layer);
            let file = if maker.chance(50) {
                ".argocd-source.yaml".to_owned()
            } else {
                format!(".argocd-source-{name}.yaml")
            };
            maker.write(&below(&layer.folder, &file), &map([("kustomize", map([("images", list(images))]))]));
        }
        application(maker, &name, source);
    }
}

fn images(maker: &mut Maker, layer: &super::kustomize::Layer) -> Vec<Yaml> {
    let mut images = Vec::new();
    for (name, to) in entries(maker, layer) {
        let tag = maker.tag();
        images.push(text(match to {
            Some(to) => format!("{name}={to}:{tag}"),
            None => format!("{name}:{tag}"),
        }));
    }
    images
}
