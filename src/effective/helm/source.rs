//! Where a HelmRelease gets its chart from.

use std::collections::HashMap;

use super::super::files::{Files, join};
use super::super::place::Place;
use super::super::repository_url::same_repository;
use super::super::value::Value;

/// Objects by kind and name.
#[derive(Debug, Default)]
pub struct Objects<'a> {
    by_name: HashMap<(&'a str, &'a str), Vec<&'a Value>>,
}

impl<'a> Objects<'a> {
    pub fn new(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for object in objects {
            let name = object.text_at(&["metadata", "name"]);
            if let (Some(kind), Some(name)) = (object.text_at(&["kind"]), name) {
                by_name.entry((kind, name)).or_default().push(object);
            }
        }
        Objects { by_name }
    }

    /// The objects that a name in a namespace can mean. A namespace that isn't written can be any.
    pub fn named(&self, kind: &str, name: &str, namespace: Option<&str>) -> Vec<&'a Value> {
        let fits = |object: &&Value| {
            let own = object.text_at(&["metadata", "namespace"]);
            own.is_none() || namespace.is_none() || own == namespace
        };
        self.by_name.get(&(kind, name)).into_iter().flatten().copied().filter(fits).collect()
    }

    /// The first object that a name in a namespace can mean.
    pub fn find(&self, kind: &str, name: &str, namespace: Option<&str>) -> Option<&'a Value> {
        self.named(kind, name, namespace).first().copied()
    }
}

/// What a HelmRelease can refer to.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The objects of its root, as its patches left them.
    pub root: &'a Objects<'a>,
    /// Those of the whole repository.
    pub repository: &'a Objects<'a>,
    /// The repository's URL, if it is known.
    pub url: Option<&'a str>,
}

impl<'a> Around<'a> {
    pub fn find(&self, kind: &str, name: &str, namespace: Option<&str>) -> Option<&'a Value> {
        self.root.find(kind, name, namespace).or_else(|| self.repository.find(kind, name, namespace))
    }
}

/// A chart in this repository, and how Flux packs it.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalChart {
    pub folder: String,
    /// Used instead of values.yaml, in this order. Relative to the repository's root.
    pub values_files: Vec<(String, Option<Place>)>,
    pub ignore_missing: bool,
    /// Flux packs the chart at each commit, not only when its version changes.
    pub each_revision: bool,
}

/// Where a release says which chart it uses, if that may be in this repository: its GitRepository has this repository's URL,
/// or isn't declared here.
pub fn local_spec<'a>(release: &'a Value, around: &Around<'a>) -> Option<&'a Value> {
    let own = release.text_at(&["metadata", "namespace"]);
    let (spec, namespace) = match release.at(&["spec", "chartRef"]) {
        Some(chart_ref) => referenced(chart_ref, own, around)?,
        None => (release.at(&["spec", "chart", "spec"])?, own),
    };
    let source = spec.get("sourceRef")?;
    if source.text_at(&["kind"]) != Some("GitRepository") {
        return None;
    }
    let namespace = source.text_at(&["namespace"]).or(namespace);
    let name = source.text_at(&["name"]);
    let repository = name.and_then(|name| around.find("GitRepository", name, namespace));
    let url = repository.and_then(|repository| repository.text_at(&["spec", "url"]));
    if let (Some(declared), Some(own)) = (url.filter(|url| !url.contains('$')), around.url)
        && !same_repository(declared, own)
    {
        return None;
    }
    Some(spec)
}

/// The chart that a [`local_spec`] names, if its path holds a Chart.yaml.
pub fn local_chart(files: &mut Files<'_>, spec: &Value) -> Option<LocalChart> {
    let folder = inside_root(spec.text_at(&["chart"])?)?;
    files.load(&join(&folder, "Chart.yaml")?)?;
    Some(LocalChart {
        folder,
        values_files: values_files(spec),
        ignore_missing: spec.text_at(&["ignoreMissingValuesFiles"]) == Some("true"),
        each_revision: spec.text_at(&["reconcileStrategy"]) == Some("Revision"),
    })
}

/// The spec of the HelmChart that `chartRef` names, and its namespace.
fn referenced<'a>(
    chart_ref: &'a Value,
    own: Option<&'a str>,
    around: &Around<'a>,
) -> Option<(&'a Value, Option<&'a str>)> {
    let namespace = chart_ref.text_at(&["namespace"]).or(own);
    let kind = chart_ref.text_at(&["kind"]).filter(|kind| *kind == "HelmChart")?;
    let chart = around.find(kind, chart_ref.text_at(&["name"])?, namespace)?;
    Some((chart.get("spec")?, namespace))
}

/// `valuesFile` is older, and comes before `valuesFiles`. (Flux, `HelmChartSpec.GetValuesFiles`.)
fn values_files(spec: &Value) -> Vec<(String, Option<Place>)> {
    let old = spec.get("valuesFile").into_iter();
    let all = old.chain(spec.get("valuesFiles").map(Value::items).unwrap_or_default());
    all.filter_map(|item| Some((inside_root(item.text().filter(|text| !text.is_empty())?)?, item.place())))
        .collect()
}

/// A path from the repository's root. Flux reads `/charts/api` and `./charts/api` alike. (`securejoin.SecureJoin`.)
fn inside_root(path: &str) -> Option<String> {
    join("", path.trim_start_matches('/'))
}
