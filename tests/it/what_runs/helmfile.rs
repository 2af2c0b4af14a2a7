//! What Helmfile installs: each release's chart, with its values in their order, then what it sets. (helmfile,
//! `pkg/state/state.go`.)

use serde_json::Value;

use super::deploy::Run;
use super::files::{Files, documents, folder_of, join, list, name_of, shown, texts};
use super::release::REMOTE_CHART;

/// The releases of all helmfiles, each with the path of its helmfile.
pub fn releases(files: &Files) -> Vec<(String, Value)> {
    let is_helmfile =
        |path: &str| name_of(path).starts_with("helmfile") || name_of(folder_of(path)) == "helmfile.d";
    let helmfiles = files.iter().filter(|(path, _)| is_helmfile(path));
    let releases = helmfiles.flat_map(|(path, text)| {
        let releases =
            documents(text).into_iter().flat_map(|part| list(&part["releases"]).cloned().collect::<Vec<_>>());
        releases.map(|release| (path.clone(), release)).collect::<Vec<_>>()
    });
    releases.filter(|(_, release)| release["installed"] != false).collect()
}

/// The folder that a release names as its chart.
pub fn chart(path: &str, release: &Value) -> String {
    join(folder_of(path), release["chart"].as_str().unwrap_or_default())
}

/// The values files that it names.
pub fn values_files<'a>(path: &'a str, release: &'a Value) -> impl Iterator<Item = String> + 'a {
    texts(&release["values"]).map(|file| join(folder_of(path), file))
}

pub fn install(run: &Run, path: &str, release: &Value) -> Result<Vec<Value>, String> {
    let chart = Some(chart(path, release)).filter(|chart| run.layout.charts.contains(chart));
    let chart = chart.as_deref().map_or(REMOTE_CHART, shown).to_owned();
    let mut arguments = vec!["template".to_owned(), text(release, "name"), chart];
    for (nth, item) in list(&release["values"]).enumerate() {
        let file = match item.as_str() {
            Some(file) => join(folder_of(path), file),
            None => {
                let file = format!(".values-{nth}.json");
                std::fs::write(run.path().join(&file), item.to_string()).unwrap();
                file
            }
        };
        arguments.extend(["-f".to_owned(), file]);
    }
    for (key, flag) in [("set", "--set"), ("setString", "--set-string")] {
        for item in list(&release[key]) {
            arguments.extend([flag.to_owned(), format!("{}={}", text(item, "name"), text(item, "value"))]);
        }
    }
    run.helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
