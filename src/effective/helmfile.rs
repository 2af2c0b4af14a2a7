//! Helmfile: releases of charts, each with values files and values of its own.
//!
//! A helmfile can be a template too: what only its environment fills in can't be followed.

use super::files::{Files, folder_of, join};
use super::folder_pattern::FolderPattern;
use super::helm::maps::load_map;
use super::helm::merge::{overlay, parse_path, set_path};
use super::helm::{Chart, Trail};
use super::images::{may_decide_image, values_images};
use super::second_reader::SecondReader;
use super::setting::EffectiveImage;
use super::unfilled::{UNFILLED, has_placeholder, may_set_image};
use super::value::Value;
use crate::file_selection::{file_name, in_folder, is_yaml};

/// Keys of a release with values that a template of the helmfile makes.
const TEMPLATES: [&str; 3] = ["inherit", "valuesTemplate", "setTemplate"];

/// Keys of a release that change what its chart makes.
const PATCHES: [&str; 4] = ["strategicMergePatches", "jsonPatches", "transformers", "postRenderer"];

/// What Helmfile does about a values file that isn't there, if not fail.
const GOES_ON: [&str; 3] = ["Warn", "Info", "Debug"];

/// A release of a helmfile, rendered.
#[derive(Default)]
pub struct HelmfileRelease {
    pub name: String,
    pub images: Vec<EffectiveImage>,
    /// The folder of its chart, if that is in this repository.
    pub chart: Option<String>,
    pub values_files: Vec<String>,
    pub trail: Trail,
    /// The folders of charts that it may use, if its chart's path has a placeholder.
    pub may_render: Option<FolderPattern>,
}

/// Whether Helmfile reads a file by itself: `helmfile.yaml`, also with more words, and what is in `helmfile.d`.
pub fn is_helmfile(path: &str) -> bool {
    let is_in_folder = file_name(folder_of(path)) == "helmfile.d";
    (is_in_folder || file_name(path).starts_with("helmfile")) && is_yaml(path)
}

/// Renders the releases of a helmfile that are installed.
pub fn releases(files: &mut Files<'_>, path: &str) -> Vec<HelmfileRelease> {
    let documents = files.load(path).map(|id| files.documents(id)).unwrap_or_default();
    let releases = documents.iter().filter_map(|document| document.get("releases")).flat_map(Value::items);
    let installed = releases.filter(|release| release.text_at(&["installed"]) != Some("false"));
    installed.map(|release| ReleaseReader { files, folder: folder_of(path), release }.render()).collect()
}

/// The folders of the charts that a helmfile names, if it is a template and so isn't YAML.
pub fn charts_of_template(text: &str, path: &str) -> Vec<FolderPattern> {
    let charts = text.lines().filter_map(|line| {
        let chart = line.trim_start().trim_start_matches("- ").strip_prefix("chart:")?;
        let chart = chart.split(" #").next().unwrap_or_default();
        FolderPattern::new(&in_folder(folder_of(path), chart.trim().trim_matches(['"', '\''])))
    });
    charts.collect()
}

/// Reads one release.
struct ReleaseReader<'r, 'f> {
    files: &'r mut Files<'f>,
    /// The helmfile's.
    folder: &'r str,
    release: &'r Value,
}

impl<'r> ReleaseReader<'r, '_> {
    /// The chart's values, then `values` in their order, then `set`. (Helmfile, `HelmState.namespaceAndValuesFlags`: it passes them
    /// to Helm as `--values` and `--set`.)
    fn render(&mut self) -> HelmfileRelease {
        let mut found = HelmfileRelease {
            name: self.release.text_at(&["name"]).unwrap_or("without a name").to_owned(),
            ..HelmfileRelease::default()
        };
        found.trail.files.extend(self.release.place().map(|place| place.file));
        self.doubt(&mut found.trail);
        let chart = self.chart(&mut found);
        let mut user = Value::default();
        for item in self.list("values") {
            self.add_values(item, &mut user, &mut found);
        }
        self.set(&mut user, &mut found.trail);
        let cost = chart.as_ref().map_or_else(|| user.size(), |chart| chart.cost(&user));
        if !self.files.spend(cost) {
            found.trail.uncertain(self.release.place(), "is too large");
            return found;
        }
        found.images = match &chart {
            Some(chart) => chart.images(user, &mut found.trail.uncertain),
            None => values_images(&user),
        };
        found.chart = chart.map(|chart| chart.folder);
        found
    }

    fn list(&self, key: &str) -> &'r [Value] {
        self.release.get(key).map(Value::items).unwrap_or_default()
    }

    fn doubt(&self, trail: &mut Trail) {
        let used = |keys: &[&str]| keys.iter().find_map(|key| self.release.get(key)).and_then(Value::place);
        for (keys, what) in [
            (&TEMPLATES[..], "takes values from a template of the helmfile"),
            (&PATCHES[..], "changes what the chart makes"),
        ] {
            if let Some(at) = used(keys) {
                trail.uncertain(Some(at), what);
            }
        }
    }

    fn chart(&mut self, found: &mut HelmfileRelease) -> Option<Chart> {
        let chart = self.release.get("chart")?;
        // a placeholder without quotes is a map
        let text = chart.text().unwrap_or("{{ }}");
        if has_placeholder(text) {
            found.trail.uncertain(chart.place(), "has a path with a variable");
            found.may_render = FolderPattern::new(&in_folder(self.folder, text));
            return None;
        }
        let local = join(self.folder, text);
        let loaded = local.and_then(|folder| Chart::load(self.files, &folder, &mut found.trail));
        if loaded.is_none() {
            found.trail.unknown(chart.place(), "uses a chart that is not in this repository");
        }
        loaded
    }

    /// Adds an item of `values`: a path, or values as they are.
    fn add_values(&mut self, item: &Value, user: &mut Value, found: &mut HelmfileRelease) {
        // each item is put on top of all before it
        if self.files.is_exhausted() || !self.files.spend(user.size()) {
            return found.trail.uncertain(item.place(), "is too large");
        }
        let Some(text) = item.text() else {
            if may_set_image(item) {
                found.trail.uncertain(item.place(), UNFILLED);
            }
            return overlay(user, item.clone());
        };
        match self.values_file(text, &mut found.trail) {
            Err(why) => found.trail.uncertain(item.place(), why),
            Ok(None) => {}
            Ok(Some((path, values))) => {
                overlay(user, values);
                found.values_files.push(path);
            }
        }
    }

    /// The values file with this path, or why it can't be read. `None` if Helmfile goes on without it.
    fn values_file(
        &mut self,
        text: &str,
        trail: &mut Trail,
    ) -> Result<Option<(String, Value)>, &'static str> {
        const OUTSIDE: &str = "names a values file outside of this repository";
        if has_placeholder(text) {
            return Err("names a values file with a variable");
        }
        if text.ends_with(".gotmpl") {
            return Err("names a values file that is a template");
        }
        if text.contains("://") {
            return Err(OUTSIDE);
        }
        let path = join(self.folder, text).ok_or(OUTSIDE)?;
        let handler = self.release.text_at(&["missingFileHandler"]).unwrap_or_default();
        match load_map(self.files, &path, trail) {
            None if !GOES_ON.contains(&handler) => Err("names a values file that does not exist"),
            found => Ok(found.map(|values| (path, values))),
        }
    }

    /// `set` comes before `setString`, as Helm has it. Values that aren't written here matter if they may be an image's.
    fn set(&mut self, user: &mut Value, trail: &mut Trail) {
        for (key, is_text) in [("set", false), ("setString", true)] {
            for item in self.list(key) {
                let name = item.text_at(&["name"]).unwrap_or_default();
                match (parse_path(name), item.get("value")) {
                    (Some(path), Some(Value::Scalar(value))) => {
                        if let Some(place) = value.place.filter(|_| !is_text) {
                            self.files.note_second_reader(place, SecondReader::HelmSet);
                        }
                        set_path(self.files, user, &path, Value::Scalar(value.clone()));
                    }
                    _ if name.split('.').any(may_decide_image) => {
                        trail.uncertain(item.place(), format!("takes {name} from a file or a list"));
                    }
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{doubts, with_files};
    use super::*;

    #[test]
    fn helmfiles_are_found_by_their_name_or_folder() {
        for yes in ["helmfile.yaml", "deploy/helmfile.yml", "helmfile-prod.yaml", "helmfile.d/10-api.yaml"] {
            assert!(is_helmfile(yes), "{yes}");
        }
        for no in ["helmfile.yaml.gotmpl", "my-helmfile.yaml", "helmfile.d/values/api.yaml", "helmfile.md"] {
            assert!(!is_helmfile(no), "{no}");
        }
    }

    #[test]
    fn what_is_not_written_in_the_helmfile_is_a_doubt() {
        let doubts_of = |keys: &str| {
            let text = format!("releases:\n- name: api\n  chart: ./api\n{keys}");
            let chart = ("api/Chart.yaml", "name: api\nversion: 1.0.0\n");
            with_files(&[("helmfile.yaml", &text), chart], |files| {
                let found = releases(files, "helmfile.yaml");
                found.iter().flat_map(|release| doubts(files, &release.trail.uncertain)).collect::<Vec<_>>()
            })
        };
        for (keys, doubt) in [
            ("  inherit: [{template: a}]\n", "takes values from a template of the helmfile"),
            ("  jsonPatches: [{target: {name: x}}]\n", "changes what the chart makes"),
            ("  values: [a.yaml.gotmpl]\n", "names a values file that is a template"),
            ("  values: ['{{ .a }}.yaml']\n", "names a values file with a variable"),
            ("  values: [a.yaml]\n", "names a values file that does not exist"),
            ("  values: [/etc/a.yaml]\n", "names a values file outside of this repository"),
            ("  set: [{name: image.tag, file: TAG}]\n", "takes image.tag from a file or a list"),
        ] {
            assert_eq!(doubts_of(keys), [format!("helmfile.yaml:4 {doubt}")], "{keys}");
        }
        for keys in
            ["", "  missingFileHandler: Warn\n  values: [a.yaml]\n", "  set: [{name: host, file: HOST}]\n"]
        {
            assert!(doubts_of(keys).is_empty(), "{keys}");
        }
        assert!(doubts_of("  installed: false\n  values: [a.yaml]\n").is_empty());
    }

    #[test]
    fn charts_of_a_template_are_found_in_its_lines() {
        let text = "releases:\n{{ range .all }}\n- chart: \"./charts/{{ . }}\" # ours\n  name: a\n- name: b\n  chart: acme/app\n{{ end }}\n";
        let found = charts_of_template(text, "deploy/helmfile.yaml");
        let holds = |path: &str| found.iter().any(|folders| folders.holds(path));
        assert!(holds("deploy/charts/api/values.yaml") && holds("deploy/acme/app/values.yaml"));
        assert!(!holds("charts/api/values.yaml") && !holds("deploy/values/api.yaml"));
    }
}
