//! Helmfile: releases of a chart, each with values files and values of its own.

use super::helm::{Chart, chart, values, values_files};
use super::maker::Maker;
use super::yaml::{Yaml, list, map, text};

pub fn releases(maker: &mut Maker) {
    let chart = chart(maker, "charts/shop", "shop");
    let files = values_files(maker, &chart);
    let names = ["shop-prod", "shop-staging"];
    let mut releases = Vec::new();
    for name in &names[..maker.rng.usize(1..3)] {
        releases.push(release(maker, name, &chart, &files));
    }
    let path = if maker.chance(80) { "helmfile.yaml" } else { "helmfile-prod.yaml" };
    maker.write(path, &map([("releases", list(releases))]));
}

fn release(maker: &mut Maker, name: &str, chart: &Chart, files: &[String]) -> Yaml {
    let mut all = Vec::new();
    if let Some(file) = files.first().filter(|_| maker.chance(50)) {
        all.push(text(file.clone()));
    }
    if maker.chance(60) {
        let (own, path) = (values(maker, chart, 70), format!("values/{name}.yaml"));
        maker.write(&path, &own);
        all.push(text(path));
    }
    if maker.chance(30) {
        all.push(values(maker, chart, 70));
    }
    let folder = if maker.chance(50) { format!("./{}", chart.folder) } else { chart.folder.clone() };
    let mut release = map([("name", text(name)), ("chart", text(folder)), ("values", list(all))]);
    if maker.chance(30) {
        let block = chart.images[maker.rng.usize(0..chart.images.len())].clone();
        let tag = maker.tag();
        let value = block.text_of(&tag);
        let key = if maker.chance(50) { "set" } else { "setString" };
        release = release.with(key, list([map([("name", text(block.tag_path())), ("value", text(value))])]));
    }
    release
}
