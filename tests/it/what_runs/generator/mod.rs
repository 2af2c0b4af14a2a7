//! Random repositories, as people lay them out. The same seed makes the same repository.

mod argo;
mod compose;
mod flux;
mod helm;
mod helmfile;
mod kustomize;
mod maker;
mod workloads;
mod yaml;

use self::maker::Maker;
use super::files::Files;

/// A repository and a bump.
#[derive(Clone)]
pub struct Repository {
    /// With marked tags.
    pub files: Files,
    pub name: String,
    pub tag: String,
    pub all: bool,
    /// `-f`.
    pub only: Option<String>,
}

impl Repository {
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["bump".to_owned(), format!("{}:{}", self.name, self.tag)];
        arguments.extend(self.all.then(|| "--all".to_owned()));
        arguments.extend(self.only.iter().flat_map(|glob| ["-f".to_owned(), glob.clone()]));
        arguments
    }
}

pub fn repository(seed: u64) -> Repository {
    let mut maker = Maker::new(seed);
    match maker.rng.u8(0..13) {
        0..4 => drop(kustomize::tree(&mut maker, "")),
        4 | 5 => flux::kustomizations(&mut maker),
        6 | 7 => flux::releases(&mut maker),
        8 => charts(&mut maker),
        9 => argo::applications(&mut maker),
        10 => helmfile::releases(&mut maker),
        _ => compose::project(&mut maker, ""),
    }
    if maker.chance(15) {
        kustomize::loose(&mut maker);
    }
    if maker.chance(6) {
        compose::project(&mut maker, "local");
    }
    let name = bumped(&mut maker);
    let tag = if maker.chance(85) { "v2" } else { ["1019584", "2994e02", "1.10"][maker.rng.usize(0..3)] };
    let all = maker.chance(30);
    // an entry with only a new name gets its tag where no tag is written
    let renames = maker.files.values().any(|text| text.contains("newName"));
    let only = (!renames && maker.chance(12)).then(|| some_file(&mut maker, &name));
    Repository { files: maker.files, name, tag: tag.to_owned(), all, only }
}

fn charts(maker: &mut Maker) {
    let chart = helm::chart(maker, "chart", "api");
    helm::values_files(maker, &chart);
}

/// A name that is in the files, the first one if possible.
fn bumped(maker: &mut Maker) -> String {
    let renamed = |name: &String| format!("mirror.local/{}", name.replace(':', "-"));
    let candidates: Vec<String> =
        maker.names.iter().cloned().chain(maker.names.iter().map(renamed)).collect();
    let whole = |text: &str, name: &str| {
        let is_end = |c: char| !c.is_alphanumeric() && c != '-' && c != '/';
        text.match_indices(name).any(|(at, _)| text[at + name.len()..].chars().next().is_none_or(is_end))
    };
    let is_there = |name: &&String| maker.files.values().any(|text| whole(text, name));
    let there: Vec<String> = candidates.iter().filter(is_there).cloned().collect();
    match there.as_slice() {
        [] => maker.names[0].clone(),
        [first, ..] if maker.chance(60) => first.clone(),
        all => all[maker.rng.usize(0..all.len())].clone(),
    }
}

/// A folder, or a file, most likely one that names the image.
fn some_file(maker: &mut Maker, name: &str) -> String {
    let any = maker.chance(30);
    let with_tags =
        maker.files.iter().filter(|(_, text)| text.contains('\u{2}') && (any || text.contains(name)));
    let paths: Vec<_> = with_tags.map(|(path, _)| path.clone()).collect();
    let Some(path) = paths.get(maker.rng.usize(0..paths.len().max(1))) else { return "**".to_owned() };
    match path.rsplit_once('/') {
        Some((folder, _)) if maker.chance(50) => format!("{folder}/**"),
        _ => path.clone(),
    }
}
