//! Warnings about symlinks beside the files that are set. What they lead to may override it, and tagbump doesn't follow them.

use std::collections::BTreeMap;

use memchr::memmem::{find, find_iter};

use super::edits::FileEdit;
use super::files::ScannedFiles;
use super::what_runs::some_of;
use crate::dotenv::is_dotenv;
use crate::effective::join;
use crate::file_selection::{file_name, folder};
use crate::manifest::{is_compose, is_kustomization_file};
use crate::visible::inline;

/// How many of them get a warning of their own.
const LISTED: usize = 5;

/// A warning for each symlink in a folder of these edits that may override one of them.
pub(super) fn warnings(scanned: &ScannedFiles, edits: &[FileEdit]) -> Vec<String> {
    let mut by_folder: BTreeMap<&str, Vec<&FileEdit>> = BTreeMap::new();
    edits.iter().for_each(|edit| by_folder.entry(folder(&edit.path)).or_default().push(edit));
    let beside = scanned.symlinks.iter().filter_map(|(path, target)| {
        let edits = by_folder.get(folder(path)).filter(|edits| may_override(scanned, edits, path, target))?;
        Some((path, edits))
    });
    let mut warnings: Vec<String> = beside
        .map(|(path, edits)| {
            let set: Vec<String> = edits.iter().map(|edit| inline(&edit.path)).collect();
            let what = format!("check whether it overrides {}", some_of(&set));
            format!("{}: is a symlink, which tagbump doesn't follow; {what}", inline(path))
        })
        .collect();
    let more = warnings.len().saturating_sub(LISTED);
    warnings.truncate(LISTED);
    warnings.extend(match more {
        0 => None,
        1 => Some("1 more symlink beside them isn't followed".to_owned()),
        more => Some(format!("{more} more symlinks beside them aren't followed")),
    });
    warnings
}

/// Whether a symlink can decide what runs where its folder has these edits. `target` is what it leads to, as written there.
fn may_override(scanned: &ScannedFiles, edits: &[&FileEdit], path: &str, target: &str) -> bool {
    let name = file_name(path);
    if !is_dotenv(name) {
        let target = join(folder(path), target).filter(|target| scanned.around.paths.contains(target));
        let is_same = |target: &String| folder(target) == folder(path) && role(target) == role(path);
        return role(path).is_none() || !target.is_some_and(|target| is_same(&target));
    }
    // it holds variables, and may name the project's files
    let is_of_project = |edit: &&FileEdit| is_compose(file_name(&edit.path));
    name == ".env" && edits.iter().any(is_of_project) || is_read_as_variables(scanned, name)
}

/// Whether a file takes its variables from a file with this name, perhaps. A service of compose hands them on to its
/// containers only.
fn is_read_as_variables(scanned: &ScannedFiles, name: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let names_it =
        |bytes: &[u8]| find_iter(bytes, name.as_bytes()).any(|at| !bytes[..at].last().is_some_and(is_part));
    let reads_it =
        |path: &str, bytes: &[u8]| !is_compose(file_name(path)) || find(bytes, b"include:").is_some();
    let structural = scanned.around.structural.iter().map(|(path, file)| (path, file.bytes.as_slice()));
    let mut readers = structural.filter(|(path, bytes)| reads_it(path, bytes));
    readers.any(|(_, bytes)| names_it(bytes))
}

/// What a file is by its name. A file and a symlink to it that are the same count once, or twice without a difference.
#[derive(PartialEq, Eq)]
enum Role {
    Kustomization,
    Compose,
    ComposeOverride,
    Values,
}

/// `None` if a file counts by who names it, which can be the symlink alone.
fn role(path: &str) -> Option<Role> {
    let name = file_name(path);
    match name {
        "values.yaml" | "values.yml" => Some(Role::Values),
        _ if is_kustomization_file(name) => Some(Role::Kustomization),
        _ if is_compose(name) && name.contains("override") => Some(Role::ComposeOverride),
        _ if is_compose(name) => Some(Role::Compose),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effective::StructuralFile;

    /// The warnings about a symlink if one file of a repository is edited.
    fn about(link: (&str, &str), files: &[(&str, &str)], edited: &str) -> Vec<String> {
        let mut scanned = ScannedFiles::default();
        scanned.symlinks.insert(link.0.to_owned(), link.1.to_owned());
        for (path, text) in files {
            let file = StructuralFile::new(path, text.as_bytes());
            scanned.around.paths.insert((*path).to_owned());
            scanned.around.structural.insert((*path).to_owned(), file);
        }
        let text = files.iter().find(|(path, _)| *path == edited).map(|(_, text)| text.as_bytes().to_vec());
        let edit = FileEdit { path: edited.to_owned(), before: text.unwrap_or_default(), after: Vec::new() };
        warnings(&scanned, &[edit])
    }

    #[test]
    fn symlink_names_what_it_may_override() {
        let warning = "k/kustomization.yaml: is a symlink, which tagbump doesn't follow; check whether it overrides k/d.yaml";
        let files = [("k/d.yaml", ""), ("other/kustomization.yaml", "")];
        assert_eq!(
            about(("k/kustomization.yaml", "../other/kustomization.yaml"), &files, "k/d.yaml"),
            [warning]
        );
        assert_eq!(about(("k/kustomization.yaml", "/elsewhere"), &files, "k/d.yaml"), [warning]);
        assert!(about(("k/kustomization.yaml", "/elsewhere"), &files, "other/d.yaml").is_empty());
    }

    #[test]
    fn symlink_to_a_file_beside_it_that_counts_in_the_same_way_causes_no_warning() {
        for (link, target, is_warned_of) in [
            ("docker-compose.yml", "compose.yaml", false),
            ("docker-compose.yml", "./compose.yaml", false),
            ("docker-compose.yml", "gone.yaml", true),
            ("compose.override.yaml", "dev.docker-compose.yaml", true),
            ("values-prod.yaml", "prod.yaml", true),
            ("values-prod.yaml", "prod.values.yaml", true),
            ("values.yml", "values.yaml", false),
            ("resource.yaml", "prod.yaml", true),
            ("kustomization.yml", "kustomization.yaml", false),
        ] {
            let names = [
                "compose.yaml",
                "dev.docker-compose.yaml",
                "prod.yaml",
                "prod.values.yaml",
                "values.yaml",
                "kustomization.yaml",
            ];
            let files = names.map(|name| (name, ""));
            assert_eq!(!about((link, target), &files, "compose.yaml").is_empty(), is_warned_of, "{link}");
        }
    }

    #[test]
    fn symlink_to_variables_matters_only_if_something_reads_them() {
        for (link, text, is_warned_of) in [
            (".env", "image: acme/api:${TAG:-v1}", true),
            (".env", "image: acme/api:v1", true),
            ("x.env", "image: acme/api:${TAG:-v1}", false),
            ("x.env", "env_file: x.env\nimage: acme/api:v1", false),
            ("x.env", "include: [{path: a.yaml, env_file: x.env}]", true),
        ] {
            let found = about((link, "elsewhere.env"), &[("compose.yaml", text)], "compose.yaml");
            assert_eq!(!found.is_empty(), is_warned_of, "{link}: {text}");
        }
        let kustomization = ("kustomization.yaml", "configMapGenerator: [{name: a, envs: [x.env]}]");
        assert_eq!(about(("x.env", "y.env"), &[kustomization, ("d.yaml", "")], "d.yaml").len(), 1);
        assert!(about((".env", "y.env"), &[kustomization, ("d.yaml", "")], "d.yaml").is_empty());
    }
}
