//! What the programs that deploy make of a repository.

use std::collections::BTreeMap;
use std::path::Path;

use super::flux;
use super::system::System;
use super::tools::{Printed, Tools};

/// Each rendering of a system by its name: what was printed, or why nothing was.
pub type Rendered = BTreeMap<String, Printed>;

/// Those renderings of a work tree that are wanted.
pub fn render(system: &System, tree: &Path, tools: &Tools, wanted: impl Fn(&str) -> bool) -> Rendered {
    let each = system.renderings.iter().filter(|(name, _)| wanted(name));
    each.map(|(name, command)| (name.clone(), one(tree, command, tools))).collect()
}

fn one(tree: &Path, command: &str, tools: &Tools) -> Printed {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words[..] {
        ["kustomize", "build", folder] => tools.kustomize(tree, folder),
        ["helm", "template", release, chart, ref more @ ..] => template(tree, release, chart, more, tools),
        ["docker-compose", ref arguments @ ..] => tools.compose(tree, arguments),
        ["flux", file] => flux::reconcile(tree, file, tools),
        _ => panic!("no rendering: {command}"),
    }
}

/// `helm template`, with the chart's dependencies where they are folders of the same repository.
pub fn template(tree: &Path, release: &str, chart: &str, more: &[&str], tools: &Tools) -> Printed {
    let file = tree.join(chart).join("Chart.yaml");
    let about = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    if about.contains("file://") {
        tools.helm(tree, &["dependency", "update", chart])?;
    }
    tools.helm(tree, &[&["template", release, chart], more].concat())
}

/// The documents of a stream.
pub fn documents(stream: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in stream.lines() {
        match (line, documents.last_mut()) {
            ("---", _) => documents.push(String::new()),
            (_, Some(last)) => last.extend([line, "\n"]),
            (_, None) => {}
        }
    }
    documents.retain(|document| !document.trim().is_empty());
    documents
}
