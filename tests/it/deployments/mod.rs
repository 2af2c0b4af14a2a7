//! Systems as they are deployed: their repositories are bumped and landed, then rendered by helm, kustomize and
//! docker-compose. The new image must run where the old one ran, and nothing else may be different.
//!
//!     .ci/run deployments
//!
//! which installs the programs. A system more is a folder below `systems` and its name at the end of this file.

mod check;
mod containers;
mod digest_label;
mod flux;
mod landing;
mod readers;
mod render;
mod system;
pub(crate) mod tools;

use std::path::Path;

use tempfile::TempDir;

use self::check::differences;
use self::readers::mistyped;
use self::render::{Rendered, render};
use self::system::{Bump, System, changes};
use self::tools::Tools;

/// A system with what every set of programs makes of it before any bump.
struct Deployed {
    system: System,
    before: Vec<(Tools, Rendered)>,
}

impl Deployed {
    fn new(name: &str, tools: Vec<Tools>) -> Deployed {
        let system = System::read(name);
        // charts get their dependencies written beside them: not in the sources
        let folder = tempfile::tempdir().unwrap();
        crate::support::files::copy(&system.repo(), folder.path());
        let rendered = |tools: Tools| {
            let rendered = render(&system, folder.path(), &tools, |_| true);
            (tools, rendered)
        };
        Deployed { before: tools.into_iter().map(rendered).collect(), system }
    }

    /// What each of these trees has that is no string to a reader.
    fn mistyped(&self, trees: &[&Path]) -> Vec<Vec<String>> {
        mistyped(&self.system.repo(), trees, &self.before[0].0)
    }

    fn rendered_wrong(&self, tree: &Path, bumps: &[Bump], wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let by_each = self.before.iter().flat_map(|(tools, before)| {
            let after = render(&self.system, tree, tools, &wanted);
            let told = differences(before, &after, &changes(bumps));
            told.into_iter().map(|what| format!("{what}\n(by {})", tools.label()))
        });
        by_each.collect()
    }
}

fn landed_image_is_deployed(name: &str) {
    let deployed = Deployed::new(name, Tools::all());
    let tries = deployed.system.tries();
    let landed: Vec<_> =
        tries.iter().map(|(_, bumps)| landing::land(&deployed.system.repo(), bumps)).collect();
    let trees: Vec<&Path> = landed.iter().map(|(_, tree)| tree.as_path()).collect();
    let mut failed = Vec::new();
    for (((title, bumps), tree), mut wrong) in tries.iter().zip(&trees).zip(deployed.mistyped(&trees)) {
        wrong.extend(deployed.rendered_wrong(tree, bumps, |_| true));
        failed.extend(wrong.into_iter().map(|what| format!("{title}: {what}")));
    }
    assert!(failed.is_empty(), "{name}: {} differences\n\n{}", failed.len(), failed.join("\n\n"));
}

/// Takes the quotes off as `sed` would: the readers must tell, or the check above says nothing. So must what is
/// rendered, but for the tags of which Go's readers, or kustomize on the way to Helm, make the same string.
fn check_fails_when_tag_loses_its_quotes(name: &str) {
    let deployed = Deployed::new(name, vec![Tools::all().swap_remove(0)]);
    let lost: Vec<_> =
        system::TAGS[1..].iter().flat_map(|tag| without_quotes(&deployed.system, tag)).collect();
    assert!(!lost.is_empty(), "no bump of {name} writes quotes");
    let trees: Vec<&Path> = lost.iter().map(|(_, _, tree)| tree.path()).collect();
    for ((tag, bumps, tree), read) in lost.iter().zip(deployed.mistyped(&trees)) {
        assert!(!read.is_empty(), "{}: read the same without its quotes", bumps[0].push);
        let may_be_same = ["31e8618", "on"].contains(tag);
        let named = |name: &str| changes(bumps).iter().any(|change| change.places.contains_key(name));
        let rendered = may_be_same || !deployed.rendered_wrong(tree.path(), bumps, named).is_empty();
        assert!(rendered, "{}: rendered the same without its quotes", bumps[0].push);
    }
}

/// Every bump with a tag, alone, and the tree that it and such a `sed` give; those that write no quotes are left out.
fn without_quotes<'a>(system: &System, tag: &'a str) -> Vec<(&'a str, [Bump; 1], TempDir)> {
    let edited = system.alone(tag).into_iter().map(|bump| {
        let (bumps, folder) = ([bump], tempfile::tempdir().unwrap());
        landing::edit(&system.repo(), &bumps, folder.path());
        (tag, bumps, folder)
    });
    edited.filter(|(_, _, folder)| unquote(folder.path(), tag)).collect()
}

/// Takes the quotes off a tag everywhere; false where it has none.
fn unquote(folder: &Path, tag: &str) -> bool {
    let mut any = false;
    for (path, bytes) in crate::support::files::snapshot(folder) {
        let text = String::from_utf8(bytes).unwrap();
        let bare = ['"', '\'']
            .iter()
            .fold(text.clone(), |text, quote| text.replace(&format!("{quote}{tag}{quote}"), tag));
        if bare != text {
            crate::support::files::write(folder, &path, &bare);
            any = true;
        }
    }
    any
}

fn check_fails_when_another_image_changes(name: &str) {
    let deployed = Deployed::new(name, vec![Tools::all().swap_remove(0)]);
    assert!(!deployed.system.slips.is_empty(), "{name} has no slips");
    for (_, bumps) in deployed.system.tries().into_iter().step_by(system::TAGS.len()) {
        for slip in &deployed.system.slips {
            let folder = tempfile::tempdir().unwrap();
            landing::edit(&deployed.system.repo(), &bumps, folder.path());
            let text = std::fs::read_to_string(folder.path().join(&slip.file)).unwrap();
            assert!(text.contains(&slip.from), "{}: no {:?}", slip.file, slip.from);
            crate::support::files::write(folder.path(), &slip.file, &text.replacen(&slip.from, &slip.to, 1));
            let told = deployed.rendered_wrong(folder.path(), &bumps, |_| true);
            assert!(!told.is_empty(), "{}: {:?} goes unnoticed", slip.file, slip.to);
        }
    }
}

macro_rules! systems {
    ($($name:ident)*) => {
        $(mod $name {
            #[test]
            fn landed_image_is_deployed() {
                super::landed_image_is_deployed(stringify!($name));
            }

            #[test]
            fn check_fails_when_tag_loses_its_quotes() {
                super::check_fails_when_tag_loses_its_quotes(stringify!($name));
            }

            #[test]
            fn check_fails_when_another_image_changes() {
                super::check_fails_when_another_image_changes(stringify!($name));
            }
        })*

        const SYSTEMS: &[&str] = &[$(stringify!($name)),*];
    };
}

systems! { aichatwar anytrade homecraft integr8scode mirai }

#[test]
fn every_system_is_deployed() {
    let folders = std::fs::read_dir(system::systems()).unwrap();
    let mut names: Vec<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, SYSTEMS);
}
