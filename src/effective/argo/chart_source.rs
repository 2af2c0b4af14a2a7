//! A source that is a chart.

use std::collections::HashMap;

use super::super::files::Files;
use super::super::helm::maps::{embedded_map, load_map};
use super::super::helm::merge::{overlay, parse_path, set_path};
use super::super::helm::{Chart, Trail};
use super::super::images::values_images;
use super::super::second_reader::SecondReader;
use super::super::setting::{Fixed, Setting};
use super::super::unfilled::{has_placeholder, has_unquoted};
use super::super::value::{Scalar, Value};
use super::DeployedChart;
use super::template::{placeholders, substitute};
use super::value_files::ValueFiles;

/// The last keys of parameters that can set an image.
const IMAGE_KEYS: [&str; 6] = ["image", "repository", "registry", "tag", "digest", "imageTag"];

/// A chart, and where its values come from.
pub struct ChartSource<'a> {
    /// `None` if the chart is not in this repository.
    pub folder: Option<&'a str>,
    pub helm: Option<&'a Value>,
    /// The Application's name.
    pub application: &'a str,
    /// See [`ValueFiles::references`].
    pub references: &'a HashMap<String, bool>,
    /// What a generator fills in.
    pub parameters: &'a Value,
}

impl ChartSource<'_> {
    /// Renders the chart: its own values, then `valueFiles`, then `valuesObject` or else `values`, then `parameters`.
    /// (Argo CD, `repository.helmTemplate`.)
    pub fn deploy(&self, files: &mut Files<'_>, trail: &mut Trail) -> DeployedChart {
        let ChartSource { folder, application, references, .. } = *self;
        let mut user = Value::default();
        let listed = self.list("valueFiles");
        let is_set = |key: &str| self.helm.and_then(|helm| helm.text_at(&[key])) == Some("true");
        let ignore_missing = is_set("ignoreMissingValueFiles");
        let value_files = ValueFiles { folder, application, references, ignore_missing };
        let values_files = value_files.resolve(files, listed, trail);
        for path in &values_files {
            overlay(&mut user, load_map(files, path, trail).unwrap_or_default());
        }
        overlay(&mut user, self.inline(files, trail));
        self.set_parameters(&mut user, files, trail);
        let chart = folder.and_then(|folder| Chart::load(files, folder, trail));
        let cost = chart.as_ref().map_or_else(|| user.size(), |chart| chart.cost(&user));
        if !files.spend(cost) {
            trail.uncertain(None, "is too large");
            return DeployedChart::default();
        }
        let images = match &chart {
            Some(chart) => chart.images(user, &mut trail.uncertain),
            None => values_images(&user),
        };
        DeployedChart { images, chart: chart.map(|chart| chart.folder), values_files }
    }

    fn list(&self, key: &str) -> &[Value] {
        self.helm.and_then(|helm| helm.get(key)).map(Value::items).unwrap_or_default()
    }

    /// `valuesObject` if it is there, even if it is empty; else `values`. (Argo CD, `ApplicationSourceHelm.ValuesYAML`.)
    fn inline(&self, files: &mut Files<'_>, trail: &mut Trail) -> Value {
        let get = |key: &str| self.helm.and_then(|helm| helm.get(key)).filter(|value| !value.is_null());
        if let Some(object) = get("valuesObject") {
            return object.clone();
        }
        let Some(text) = get("values").and_then(Value::scalar).filter(|text| !text.text.is_empty()) else {
            return Value::default();
        };
        let Some(map) = embedded_map(files, text, trail) else {
            trail.uncertain(text.place, "holds values that can't be read");
            return Value::default();
        };
        // a placeholder without quotes is a map for YAML, but not for Argo CD, which fills it in first
        if has_unquoted(&map) || placeholders(&map) != written_placeholders(files, text) {
            trail.uncertain(text.place, "has values that nothing here fills in");
        }
        substitute(&map, self.parameters)
    }

    /// `--set` comes before `--set-string`. (Argo CD, `helm.Cmd.template`; Helm, `values.Options.MergeValues`.)
    fn set_parameters(&self, user: &mut Value, files: &mut Files<'_>, trail: &mut Trail) {
        let parameters = self.list("parameters");
        let is_forced = |item: &&Value| item.text_at(&["forceString"]) == Some("true");
        let (forced, plain): (Vec<_>, Vec<_>) = parameters.iter().partition(is_forced);
        for place in plain.iter().filter_map(|item| item.get("value")?.scalar()?.place) {
            files.note_second_reader(place, SecondReader::HelmSet);
        }
        for item in plain.into_iter().chain(forced) {
            let Some(name) = item.text_at(&["name"]) else { continue };
            let Some(path) = parse_path(name) else {
                trail.uncertain(item.place(), "has a name that Helm can't read");
                continue;
            };
            let value = match item.get("value") {
                Some(Value::Scalar(value)) if value.text.contains("$ARGOCD_") => {
                    Scalar::generated(value.text.as_str())
                }
                Some(Value::Scalar(value)) => value.clone(),
                // a placeholder without quotes
                Some(_) => {
                    let mut value = Scalar { place: item.place(), ..Scalar::default() };
                    let setting = Setting::Fixed { at: item.place(), reason: Fixed::Generated };
                    value.set_image(setting, "{{ }}".to_owned());
                    value
                }
                None => Scalar::default(),
            };
            set_path(files, user, &path, Value::Scalar(value));
        }
        for item in self.list("fileParameters") {
            let name = item.text_at(&["name"]).unwrap_or_default();
            if IMAGE_KEYS.iter().any(|key| name.ends_with(key)) {
                trail.uncertain(item.place(), format!("takes {name} from a file"));
            }
        }
    }
}

/// The placeholders in a text as it is written, before any is filled in.
fn written_placeholders(files: &Files<'_>, text: &Scalar) -> usize {
    let yaml = text.place.and_then(|place| Some((place, files.file(place.file).yaml.as_ref()?)));
    let written = yaml.and_then(|(place, yaml)| yaml.text(place.node)).unwrap_or_default();
    if has_placeholder(written) { written.matches("{{").count() } else { 0 }
}
