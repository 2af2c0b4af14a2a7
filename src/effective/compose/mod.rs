//! Compose projects: which files make one, and the image of each service (compose-go, version 2).
//!
//! `file` reads one file, `project` merges files, `template`, `variables` and `interpolation` replace the placeholders,
//! and `image` says which part of which text sets the version. `env_file` and `.env.*` don't matter: compose gives
//! them to containers, not to its own files.

mod file;
mod image;
mod interpolation;
mod project;
mod template;
mod variables;

#[cfg(test)]
mod tests;

pub(super) use image::ServiceImage;
pub(super) use interpolation::{Interpolated, Origin, TextPiece};

use super::entry_files::EntryFiles;
use super::files::{Files, folder_of, join};
use super::place::{FileId, Place};
use super::root::{Doubt, Root};
use super::setting::{EffectiveImage, Setting};
use crate::file_selection::file_name;
use crate::manifest::is_stack;
use crate::yaml::NodeId;
use interpolation::interpolate;
use project::{Context, Loader, ReadFiles};
use variables::Variables;

/// The names of the default file. (compose-go, `cli.DefaultFileNames`)
const DEFAULT_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// The names of the file that is put over the default one. (compose-go, `cli.DefaultOverrideFileNames`)
const OVERRIDE_FILES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// A compose project.
pub struct Project {
    pub root: Root,
    /// The scalars of `image` that the root's images are written in, in the same order.
    pub written: Vec<Place>,
}

/// The compose projects of a folder; `names` are the compose files in it. Each project is a root: the one that
/// `docker compose up` starts, and one for each other file, with the default file below it unless that is a stack's file.
pub fn projects(files: &mut Files<'_>, folder: &str, names: &[&str]) -> Vec<Project> {
    let first = |candidates: &[&'static str]| candidates.iter().copied().find(|name| names.contains(name));
    let (default, over) = (first(&DEFAULT_FILES), first(&OVERRIDE_FILES));
    let path = |name: &str| join(folder, name).unwrap_or_default();
    let own = default.map(|default| [Some(default), over].into_iter().flatten().map(path).collect());
    let (chosen, outside) = chosen_files(files, folder);
    let main: Vec<String> = chosen.or(own).unwrap_or_default();
    let mut lists = vec![(true, main.clone())];
    for name in names.iter().map(|name| path(name)).filter(|name| !main.contains(name)) {
        let below = default.map(path).filter(|default| *default != name && !is_stack(file_name(&name)));
        lists.push((false, below.into_iter().chain([name]).collect()));
    }
    let mut read = ReadFiles::new();
    let of_files = lists.into_iter().filter(|(_, paths)| !paths.is_empty());
    let mut projects: Vec<_> =
        of_files.map(|(main, paths)| project(files, &mut read, folder, (main, &paths))).collect();
    if let Some(first) = projects.first_mut() {
        first.root.uncertain.extend(outside);
    }
    projects
}

/// The image of a text with placeholders if no variable has a value; `None` unless a part of the text, such as a
/// default, sets its version.
pub fn default_image(text: &str, node: NodeId) -> Option<EffectiveImage> {
    let place = Place { file: FileId::new(0), node };
    let variables = Variables::default();
    let ServiceImage { image, .. } =
        ServiceImage::new(place, &interpolate(text, place, variables.scope(), &variables));
    matches!(image.winning(), Some(Setting::Part(_))).then_some(image)
}

/// `main` is the project that `docker compose up` starts: its first file makes it one. Another project is made one by its
/// last file.
fn project(
    files: &mut Files<'_>,
    read: &mut ReadFiles,
    folder: &str,
    (main, paths): (bool, &[String]),
) -> Project {
    let entry = if main { paths.first() } else { paths.last() };
    let entry = entry.map(|path| EntryFiles::of_file(path)).unwrap_or_default();
    let mut loader = Loader::new(files, read, Root { name: name(paths), entry, ..Root::default() });
    let project = paths.first().map_or(folder, |first| folder_of(first));
    let mut variables = Variables::default();
    for folder in [folder, project].iter().take(if folder == project { 1 } else { 2 }) {
        variables = loader.add_variables(&variables, &join(folder, ".env").into_iter().collect::<Vec<_>>());
    }
    let mut project = loader.project(paths, &Context { folder: project.to_owned(), variables });
    if paths.iter().any(|path| is_stack(file_name(path))) {
        let doubts = variables_of_files(files, &project.root);
        project.root.uncertain.extend(doubts);
    }
    project
}

/// The doubts about what a stack takes from `.env`, which has to be exported first. (moby/moby, issue 29133)
fn variables_of_files(files: &Files<'_>, root: &Root) -> Vec<Doubt> {
    let what = "counts only if it is exported, because docker stack deploy doesn't read the file";
    let places = root.variables.iter().map(|(_, place)| *place);
    let in_env = places.filter(|place| files.file(place.file).assignments.is_some());
    in_env.map(|place| Doubt { at: Some(place), what: what.to_owned() }).collect()
}

/// The files that `COMPOSE_FILE` in `.env` names, and what it names outside of the repository.
/// (compose-go, `cli.WithConfigFileEnv`)
fn chosen_files(files: &mut Files<'_>, folder: &str) -> (Option<Vec<String>>, Vec<Doubt>) {
    let env: Vec<_> = join(folder, ".env").into_iter().collect();
    let (variables, ..) = Variables::default().with_files(files, &env);
    let value = |name: &str| variables.value(name).filter(|value| !value.is_empty());
    let Some(listed) = value("COMPOSE_FILE") else { return (None, Vec::new()) };
    let separator = value("COMPOSE_PATH_SEPARATOR").unwrap_or_else(|| ":".to_owned());
    let (mut paths, mut outside) = (Vec::new(), Vec::new());
    for path in listed.split(&separator) {
        match join(folder, path) {
            Some(path) => paths.push(path),
            None => outside.push(Doubt {
                at: variables.place("COMPOSE_FILE"),
                what: format!("COMPOSE_FILE names {path}, which isn't in the repository"),
            }),
        }
    }
    (Some(paths).filter(|paths| !paths.is_empty()), outside)
}

/// `compose project deploy/compose.yaml with compose.prod.yaml`.
fn name(paths: &[String]) -> String {
    let Some((first, more)) = paths.split_first() else { return "compose project".to_owned() };
    let folder = folder_of(first);
    let short = |path: &String| match path.rsplit_once('/') {
        Some((of, name)) if of == folder => name.to_owned(),
        _ => path.clone(),
    };
    match more.iter().map(short).collect::<Vec<_>>().join(", ") {
        more if more.is_empty() => format!("compose project {first}"),
        more => format!("compose project {first} with {more}"),
    }
}
