//! A system: the repository that it is deployed from, how that is rendered, and what its builds bump.
//!
//! Each is a folder below `systems`: the repository in `repo`, and the description `system.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The tags that every bump is tried with: a plain one, and those that some reader takes for no string.
pub const TAGS: [&str; 7] = ["main-1a2b3c4", "1019584", "2994e02", "31e8618", "1.10", "0123456", "on"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    #[serde(skip)]
    folder: PathBuf,
    /// The command that renders each part: of helm, kustomize or docker-compose, or `flux FILE` for what Flux makes
    /// of the Flux Kustomizations in a file.
    pub renderings: BTreeMap<String, String>,
    /// Bumps that are pushed at the same moment, by the build of each.
    rounds: BTreeMap<String, Vec<Bump>>,
    /// Edits of other images than those that are bumped, which must be noticed.
    pub slips: Vec<Slip>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bump {
    /// The arguments of `tagbump bump`, `{tag}` for the tag.
    pub push: String,
    pub change: Vec<Change>,
}

/// An image as it is rendered, before and after.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub from: String,
    pub to: String,
    /// The containers that run it, as `containers` names them, in each rendering.
    #[serde(rename = "in")]
    pub places: BTreeMap<String, Vec<String>>,
}

/// A text of a file, and another one in its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    pub file: String,
    pub from: String,
    pub to: String,
}

impl System {
    pub fn read(name: &str) -> System {
        let folder = systems().join(name);
        let file = folder.join("system.yaml");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut system: System =
            serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        system.folder = folder;
        system
    }

    pub fn repo(&self) -> PathBuf {
        self.folder.join("repo")
    }

    /// Every round, as often as there are tags: so every bump meets every tag, and each other's with another one.
    pub fn tries(&self) -> Vec<(String, Vec<Bump>)> {
        let turns = self.rounds.iter().flat_map(|round| (0..TAGS.len()).map(move |turn| (round, turn)));
        let with_tags = turns.map(|((name, bumps), turn)| {
            let tags = TAGS.iter().cycle().skip(turn);
            let title = format!("{name}, from {}", TAGS[turn]);
            (title, bumps.iter().zip(tags).map(|(bump, tag)| bump.with(tag)).collect())
        });
        with_tags.collect()
    }

    /// Every bump of every round with one tag, each alone.
    pub fn alone(&self, tag: &str) -> Vec<Bump> {
        self.rounds.values().flatten().map(|bump| bump.with(tag)).collect()
    }
}

impl Bump {
    fn with(&self, tag: &str) -> Bump {
        let change =
            self.change.iter().map(|change| Change { to: change.to.replace("{tag}", tag), ..change.clone() });
        Bump { push: self.push.replace("{tag}", tag), change: change.collect() }
    }
}

/// All changes of bumps that are made together.
pub fn changes(bumps: &[Bump]) -> Vec<Change> {
    bumps.iter().flat_map(|bump| bump.change.clone()).collect()
}

/// The folder of all systems.
pub fn systems() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/deployments/systems")
}
