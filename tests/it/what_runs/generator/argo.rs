//! Argo CD: Applications of charts and of kustomizations.

use super::helm::{Chart, chart, values, values_files};
use super::kustomize::{below, entries, tree};
use super::maker::Maker;
use super::yaml::{Yaml, list, map, text};

pub fn applications(maker: &mut Maker) {
    if maker.chance(50) {
        of_charts(maker);
    } else {
        of_kustomizations(maker);
    }
}

fn application(maker: &mut Maker, name: &str, source: Yaml) {
    let object = maker.object("argoproj.io/v1alpha1", "Application", Some("argocd"), name);
    let spec = map([("project", text("default")), ("source", source)]);
    maker.write(&format!("argocd/{name}.yaml"), &object.with("spec", spec));
}

fn source(path: &str) -> Yaml {
    map([("repoURL", text("https://github.com/acme/shop")), ("targetRevision", text("HEAD")), ("path", text(path))])
}

fn of_charts(maker: &mut Maker) {
    let chart = chart(maker, "charts/shop", "shop");
    let files = values_files(maker, &chart);
    let names = ["shop-prod", "shop-staging"];
    for name in &names[..maker.rng.usize(1..3)] {
        let helm = helm(maker, &chart, &files);
        application(maker, name, source(&chart.folder).with("helm", helm));
    }
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
        let value = if block.tag_path().ends_with("tag") { tag } else { format!("{}:{tag}", block.image) };
        helm = helm.with("parameters", list([map([("name", text(block.tag_path())), ("value", text(value))])]));
    }
    helm
}

fn of_kustomizations(maker: &mut Maker) {
    for layer in tree(maker, "deploy") {
        let name = layer.folder.replace('/', "-");
        let mut source = source(&layer.folder);
        let images = images(maker, &layer);
        if !images.is_empty() && maker.chance(60) {
            source = source.with("kustomize", map([("images", list(images.clone()))]));
        }
        if maker.chance(25) {
            let images = self::images(maker, &layer);
            let file = if maker.chance(50) { ".argocd-source.yaml".to_owned() } else { format!(".argocd-source-{name}.yaml") };
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
