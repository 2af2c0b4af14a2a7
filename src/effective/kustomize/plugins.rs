//! What can change or add objects in ways that only kustomize itself can follow, and settings of transformers.

use super::super::files::join;
use super::super::helm::inflated;
use super::super::value::Value;
use super::InflatedChart;
use super::builder::{Builder, Gathered, Level, add_paths};
use super::field_paths::FieldSpec;
use super::replacements::may_be_image;
use super::resources::{self, Included};
use crate::file_selection::in_folder;

/// Transformers that are part of kustomize and don't touch images, unless a path of theirs leads to one.
const HARMLESS: [&str; 9] = [
    "AnnotationsTransformer",
    "HashTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplicaCountTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Renders a chart, with the fields that an item of `helmCharts` has.
const CHART_GENERATOR: &str = "HelmChartInflationGenerator";

impl Builder<'_, '_> {
    /// `configurations` can name more places with images (`builtinconfig.MakeTransformerConfig`).
    pub(super) fn configurations(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        for item in level.list("configurations") {
            let local = item.text().and_then(|path| join(level.folder, path));
            let Some(file) = local.and_then(|local| self.files.load(&local)) else {
                self.note_uncertain(item.place(), "reads a file that isn't in this repository");
                continue;
            };
            self.build.files.insert(file);
            gathered.has_unknown = true;
            for document in self.files.documents(file) {
                let images = document.get("images").map_or(&[][..], Value::items);
                add_paths(&mut gathered.image_paths, images.iter().filter_map(FieldSpec::read));
                let variables = document.get("varReference").map_or(&[][..], Value::items);
                add_paths(&mut gathered.variable_paths, variables.iter().filter_map(FieldSpec::read));
            }
        }
        if level.fields.at(&["openapi", "path"]).is_some() {
            let at = level.fields.get("openapi").and_then(Value::place);
            self.note_uncertain(at, "sets its own OpenAPI schema, which decides how patches are merged");
        }
    }

    /// Plugins, and charts that kustomize inflates.
    pub(super) fn generators(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        for item in level.list("helmChartInflationGenerator") {
            gathered.has_unknown = true;
            self.note_unknown(item.place(), "inflates a Helm chart");
        }
        for item in level.list("generators") {
            let documents = self.plugin(level, item).unwrap_or_default();
            if documents.is_empty()
                || !documents.iter().all(|document| is_builtin(document, &[CHART_GENERATOR]))
            {
                gathered.has_unknown = true;
                self.note_unknown(item.place(), "runs a generator");
                continue;
            }
            documents.iter().for_each(|document| self.inflate(level, document, gathered));
        }
        for item in level.list("helmCharts") {
            self.inflate(level, item, gathered);
        }
    }

    /// A chart that kustomize renders: an item of `helmCharts`, or a generator of its own.
    fn inflate(&mut self, level: &Level<'_>, item: &Value, gathered: &mut Gathered) {
        gathered.has_unknown = true;
        let chart = self.local_chart(level, item);
        if chart.is_none() {
            self.note_unknown(item.place(), "inflates a Helm chart that isn't in this repository");
        }
        let rendered = inflated(self.files, level.folder, chart.as_deref(), item);
        gathered.chart_images.extend(rendered.images);
        self.build.files.extend(rendered.files);
        self.build.unknown.extend(rendered.unknown);
        self.build.uncertain.extend(rendered.uncertain);
        let (folder, values_files) = (level.folder.to_owned(), rendered.values_files);
        self.build.charts.push(InflatedChart { folder, chart, item: item.clone(), values_files });
    }

    /// The folder of a chart, if it is in the repository (`HelmChartInflationGeneratorPlugin.chartExistsLocally`).
    fn local_chart(&mut self, level: &Level<'_>, item: &Value) -> Option<String> {
        let name = item.text_at(&["name"])?;
        let home = item.text_at(&["chartHome"]);
        let home = home.or_else(|| level.fields.text_at(&["helmGlobals", "chartHome"])).unwrap_or("charts");
        let home = join(level.folder, home)?;
        let versioned = item.text_at(&["version"]).map(|version| format!("{name}-{version}/{name}"));
        let folders = [Some(name.to_owned()), versioned].into_iter().flatten();
        let mut charts = folders.filter_map(|folder| join(&home, &folder));
        charts.find(|folder| self.files.load(&in_folder(folder, "Chart.yaml")).is_some())
    }

    pub(super) fn transformers(&mut self, level: &Level<'_>) {
        for item in level.list("transformers") {
            if !self.is_harmless(level, item) {
                self.note_uncertain(item.place(), "runs a transformer");
            }
        }
    }

    fn is_harmless(&mut self, level: &Level<'_>, item: &Value) -> bool {
        let documents = self.plugin(level, item);
        documents.is_some_and(|documents| {
            documents.iter().all(|document| is_builtin(document, &HARMLESS) && !leads_to_image(document))
        })
    }

    /// The documents of a generator or transformer: in a file, or in the kustomization itself.
    fn plugin(&mut self, level: &Level<'_>, item: &Value) -> Option<Vec<Value>> {
        let text = item.text()?;
        let file = if text.contains('\n') {
            item.place().and_then(|place| self.files.load_embedded(place))
        } else {
            match resources::follow(self.files, level.folder, text) {
                Included::File(file) => Some(file),
                Included::Folder(_) | Included::Remote | Included::Missing => None,
            }
        };
        let file = file?;
        if !text.contains('\n') {
            self.build.files.insert(file);
        }
        Some(self.files.documents(file).to_vec())
    }
}

/// Whether a path that a transformer writes to may lead to an image. (kustomize, `types.FieldSpec` and `TargetSelector`.)
fn leads_to_image(transformer: &Value) -> bool {
    let list = |key: &str| transformer.get(key).map_or(&[][..], Value::items).iter();
    let specs = list("fieldSpecs").filter_map(|spec| spec.text_at(&["path"]));
    let targets = list("targets").filter_map(|target| target.text_at(&["fieldPath"]));
    let is_name = |part: &&str| part.parse::<usize>().is_err();
    // what is on the way, such as `template`, stays as it is
    specs.chain(targets).filter_map(|path| path.split(['/', '.']).rfind(is_name)).any(may_be_image)
}

fn is_builtin(document: &Value, kinds: &[&str]) -> bool {
    document.text_at(&["apiVersion"]) == Some("builtin")
        && document.text_at(&["kind"]).is_some_and(|kind| kinds.contains(&kind))
}
