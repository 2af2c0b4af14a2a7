//! Bumps a repository, deploys it before and after, and says whether what runs is what must run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::containers::{Containers, Image, normal, take};
use super::deploy::{Deployed, deploy};
use super::files::{Files, documents, list, name_of};
use super::generator::Repository;
use super::marks;
use crate::deployments::tools::Tools;
use crate::support::cli::{Run, tagbump};
use crate::support::files::{snapshot, write};

/// Tags that are only a default where they stand in a chart's values.
const FLOATING: [&str; 9] =
    ["latest", "main", "master", "dev", "develop", "edge", "nightly", "stable", "HEAD"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Whatever ran the image runs the new tag, and nothing else is different.
    Right,
    /// Some still run the old tag, and a warning names each of them.
    Warned,
    /// Some still run the old tag, a warning names them, and nothing stood in the way.
    WarnedWithoutReason,
    /// Nothing was written, and it may be so.
    Refused,
    /// Nothing was written, and nothing stood in the way.
    RefusedWithoutReason,
    /// The old tag still runs, and nobody says so.
    Silent,
    /// An image that nobody meant runs another tag, or something else is different.
    OtherChanged,
    /// Different tags run, and were all set.
    DifferentTagsSet,
    /// A place was set that another one overrides everywhere.
    WeakerPlaceSet,
    /// It ended as it never must, or the result can't be deployed.
    Broken,
    /// The tools can't deploy the repository as it is.
    NoRepository,
}

impl Outcome {
    /// What must never happen: an old image runs and nothing says so, or something else changed.
    pub fn is_grave(self) -> bool {
        matches!(self, Outcome::Silent | Outcome::OtherChanged | Outcome::WeakerPlaceSet)
    }

    pub fn is_failure(self) -> bool {
        !matches!(self, Outcome::Right | Outcome::Warned | Outcome::Refused | Outcome::NoRepository)
    }
}

#[derive(Clone, Debug)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Where it is wrong: a container and its root, or a line.
    pub at: String,
    pub why: String,
    pub printed: String,
}

/// A container, in its root.
type Place = (String, String);

struct Runs {
    /// What a container runs, as it is written.
    images: BTreeMap<Place, String>,
    /// Everything else in a root.
    rest: BTreeMap<String, Vec<Value>>,
}

impl Runs {
    fn of(deployed: Deployed) -> Runs {
        let mut runs = Runs { images: BTreeMap::new(), rest: BTreeMap::new() };
        for (root, mut objects) in deployed {
            let found: Containers = take(&mut objects);
            runs.images.extend(found.into_iter().map(|(place, image)| ((root.clone(), place), image)));
            runs.rest.insert(root, objects);
        }
        runs
    }
}

/// What is known before the bump.
struct Case<'a> {
    repository: &'a Repository,
    before: Runs,
    /// The place that each container's tag is written at, by number.
    origins: BTreeMap<Place, Option<usize>>,
    /// What each container runs if every tag is its number.
    numbered: BTreeMap<Place, String>,
    /// The file that a number is in.
    files: BTreeMap<usize, String>,
    /// Containers that must run the new tag.
    targets: BTreeSet<Place>,
    /// Containers that may run the new tag: they run a chart's floating default.
    optional: BTreeSet<Place>,
}

/// How it is known what runs before the bump.
#[derive(Clone, Copy)]
enum Before {
    /// From the same files with numbers for tags. Rendering takes longest, and tags rarely make another difference.
    OfNumbers,
    Rendered,
}

pub fn judge(repository: &Repository, tools: &Tools) -> Verdict {
    let verdict = judge_by(Before::OfNumbers, repository, tools);
    if verdict.outcome.is_failure() { judge_by(Before::Rendered, repository, tools) } else { verdict }
}

fn judge_by(before: Before, repository: &Repository, tools: &Tools) -> Verdict {
    let case = match Case::new(before, repository, tools) {
        Ok(case) => case,
        Err(why) => {
            return Verdict {
                outcome: Outcome::NoRepository,
                at: String::new(),
                why,
                printed: String::new(),
            };
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let plain = plain(&repository.files);
    plain.iter().for_each(|(path, text)| write(folder.path(), path, text));
    let arguments = repository.arguments();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--format", "json"]);
    let run = tagbump(folder.path(), &arguments);
    let after: Files = snapshot(folder.path())
        .into_iter()
        .map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()))
        .collect();
    let (outcome, at, why) = match run.exit {
        0 => case.set(&run, &after, tools),
        3 | 6 if after != plain => broken(format!("exit {}, and files were written", run.exit)),
        3 | 6 => case.refused(&run),
        exit => broken(format!("exit {exit}")),
    };
    Verdict { outcome, at, why, printed: format!("exit {}\n{}", run.exit, run.output()) }
}

/// An outcome, where, and why.
type Found = (Outcome, String, String);

fn broken(why: String) -> Found {
    (Outcome::Broken, String::new(), why)
}

fn shown((root, place): &Place) -> String {
    format!("{root}: {place}")
}

/// What was rendered of numbered tags, with the tags themselves.
fn with_tags(numbered: &Deployed, files: &Files) -> Deployed {
    let tags: BTreeMap<String, String> = files.values().flat_map(|text| marks::tags(text)).collect();
    let with_tags = |object: &Value| {
        let text = marks::with_tags(&object.to_string(), &tags);
        serde_json::from_str(&text).expect("tags have no quotes")
    };
    let objects = |objects: &Vec<Value>| objects.iter().map(with_tags).collect();
    numbered.iter().map(|(root, all)| (root.clone(), objects(all))).collect()
}

pub fn plain(files: &Files) -> Files {
    files.iter().map(|(path, text)| (path.clone(), marks::plain(text))).collect()
}

impl<'a> Case<'a> {
    fn new(how: Before, repository: &'a Repository, tools: &Tools) -> Result<Self, String> {
        let numbered = repository.files.iter().map(|(path, text)| (path.clone(), marks::numbered(text)));
        let numbered = deploy(&numbered.collect(), tools)?;
        let before = Runs::of(match how {
            Before::OfNumbers => with_tags(&numbered, &repository.files),
            Before::Rendered => deploy(&plain(&repository.files), tools)?,
        });
        let numbered = Runs::of(numbered);
        // a delimiter of kustomize's may cut a digest in two
        let is_none =
            |image: &&String| image.ends_with(':') || name_of(&Image::parse(image).name).contains(':');
        if let Some(image) = before.images.values().find(is_none) {
            return Err(format!("{image} is no image"));
        }
        if before.images.keys().ne(numbered.images.keys()) {
            return Err("its containers depend on its tags".to_owned());
        }
        let origins =
            numbered.images.iter().map(|(place, image)| (place.clone(), marks::number(image))).collect();
        let numbers = |(path, text): (&String, &String)| {
            marks::numbers(text).into_iter().map(|number| (number, path.clone())).collect::<Vec<_>>()
        };
        let files = repository.files.iter().flat_map(numbers).collect();
        let mut case = Case {
            repository,
            before,
            origins,
            numbered: numbered.images,
            files,
            targets: BTreeSet::new(),
            optional: BTreeSet::new(),
        };
        case.find_targets();
        Ok(case)
    }

    fn find_targets(&mut self) {
        let runs_it: Vec<Place> = self
            .before
            .images
            .iter()
            .filter(|(_, image)| self.is_bumped(image))
            .map(|(place, _)| place.clone())
            .collect();
        for place in runs_it {
            if self.is_only_a_default(&place) {
                self.optional.insert(place);
            } else if self.is_in_given_files(&place) {
                self.targets.insert(place);
            } else if self.origin(&place).is_none() {
                self.optional.insert(place);
            }
        }
    }

    fn is_bumped(&self, image: &str) -> bool {
        Image::parse(image).name == normal(&self.repository.name)
    }

    fn origin(&self, place: &Place) -> Option<usize> {
        self.origins.get(place).copied().flatten()
    }

    fn file(&self, place: &Place) -> Option<&str> {
        self.files.get(&self.origin(place)?).map(String::as_str)
    }

    fn is_in_given_files(&self, place: &Place) -> bool {
        self.is_given(self.file(place).unwrap_or_default())
    }

    fn is_given(&self, file: &str) -> bool {
        let Some(glob) = &self.repository.only else { return true };
        match glob.strip_suffix("**") {
            Some(folder) => file.starts_with(folder),
            None => file == glob,
        }
    }

    /// A chart's floating tag that every values file, or whatever deploys the chart, sets.
    fn is_only_a_default(&self, place: &Place) -> bool {
        let Some(chart) = place.0.strip_prefix("helm template release ") else { return false };
        let tag = Image::parse(&self.before.images[place]).tag;
        let in_values = self.file(place).is_none_or(|file| name_of(file) == "values.yaml");
        if !in_values || !(FLOATING.contains(&tag.as_str()) || self.origin(place).is_none()) {
            return false;
        }
        let (chart, is_default) = chart.split_once(' ').map_or((chart, true), |(chart, _)| (chart, false));
        let root = format!("helm template release {chart}");
        let is_used = !self.before.rest.contains_key(&root);
        let mut by_files =
            self.origins.iter().filter(|((other, _), _)| other.starts_with(&format!("{root} ")));
        let mut same = by_files.by_ref().filter(|((_, at), _)| *at == place.1).peekable();
        let has_files = same.peek().is_some();
        let all_set = has_files && same.all(|(_, origin)| *origin != self.origin(place));
        is_used || (is_default && all_set)
    }

    /// Containers of other names that a place feeds too.
    fn shares(&self, place: &Place) -> Option<&Place> {
        let origin = self.origin(place)?;
        let fed = self.origins.iter().filter(|(_, other)| **other == Some(origin)).map(|(other, _)| other);
        fed.into_iter().find(|other| !self.is_bumped(&self.before.images[*other]))
    }

    /// Whether the new tag fits every container that a place feeds, and none of them has another name.
    fn can_be_set(&self, place: &Place) -> bool {
        let origin = self.origin(place);
        let fed = self.origins.iter().filter(|(_, other)| origin.is_some() && **other == origin);
        origin.is_some()
            && fed.into_iter().all(|(place, _)| self.has_room(place))
            && self.shares(place).is_none()
    }

    /// Whether a tag is written somewhere, alone, or beside text that the new tag has too.
    fn has_room(&self, place: &Place) -> bool {
        let Some(number) = self.origin(place) else { return false };
        let tag = Image::parse(&self.numbered[place]).tag;
        let tag = tag.split('@').next().unwrap_or_default();
        let (before, after) = tag.split_once(&format!("zq{number}qz")).unwrap_or_default();
        self.repository.tag.starts_with(before) && self.repository.tag.ends_with(after)
    }

    /// What the targets run is different without any doubt: two tags that are written somewhere.
    fn has_different_tags(&self) -> bool {
        // whoever gives files means all that is in them
        if self.repository.only.is_some() {
            return false;
        }
        let written = self.targets.iter().filter(|place| self.origin(place).is_some());
        let tags = written.map(|place| Image::parse(&self.before.images[place]).tag);
        let tags: BTreeSet<_> =
            tags.map(|tag| tag.split('@').next().unwrap_or_default().to_owned()).collect();
        tags.len() > 1
    }

    /// As above, but no tag, or the same tag with a digest, may count as another one too. Where files are given, so does
    /// what the same roots take from elsewhere.
    fn may_have_different_tags(&self) -> bool {
        let roots: BTreeSet<_> = self.targets.iter().map(|(root, _)| root).collect();
        let beside = |place: &&Place| self.repository.only.is_some() && roots.contains(&place.0);
        let all = self.before.images.keys().filter(|place| self.targets.contains(*place) || beside(place));
        let named = all.map(|place| &self.before.images[place]).filter(|image| self.is_bumped(image));
        named.map(|image| Image::parse(image).tag).collect::<BTreeSet<_>>().len() > 1
    }

    fn refused(&self, run: &Run) -> Found {
        let settable =
            self.targets.iter().find(|place| self.can_be_set(place) && !self.is_left_rightly(place, run));
        let only = self.repository.only.is_some();
        let differ = self.may_have_different_tags() && !self.repository.all;
        // a placeholder without a value is in no file, but a given file names it
        let mut named = self.targets.iter().chain(&self.optional);
        // the place that names it would change what runs under another name
        let feeds_other = run.output().contains("also sets the tag of");
        let why = match (run.exit, settable) {
            (6, None) if self.targets.is_empty() && self.is_only_in_template(run) => {
                "an entry that no workload uses has a placeholder for its tag"
            }
            (3, None) => "nothing that could be set runs it",
            (6, None) if !self.targets.is_empty() || only || feeds_other => {
                "each place also feeds another image, or can't be set"
            }
            (3, Some(_)) if differ => "different tags run",
            (6, Some(_)) if differ && named.any(|place| !self.can_be_set(place)) => {
                "different tags, and a place that is shared or filled in by another tool"
            }
            (_, Some(place)) => {
                let (image, file) = (&self.before.images[place], self.file(place).unwrap_or("no file"));
                let why = format!("runs {image}, set in {file}");
                return (Outcome::RefusedWithoutReason, shown(place), why);
            }
            (_, None) => {
                let why = "nothing runs it, which is exit 3".to_owned();
                return (Outcome::RefusedWithoutReason, String::new(), why);
            }
        };
        (Outcome::Refused, String::new(), why.to_owned())
    }

    /// Whether tagbump leaves a place because of a digest that decides what runs (behind a variable, or in a file that wasn't
    /// given), or because the values of a release would get a number. (A chart that kustomize renders puts it behind a
    /// name, as text.)
    fn is_left_rightly(&self, place: &Place, run: &Run) -> bool {
        let output = run.output();
        let has_digest = self.before.images[place].contains("@sha256:");
        let is_pinned = output.contains("the tag is a variable, and the digest after it decides what runs")
            || self.is_digest_in_other_file(&output)
            || (output.contains("its digest, in ") && output.contains(" is also that of "));
        let is_rendered_by_kustomize = self.repository.files.values().any(|text| text.contains("helmCharts"));
        let is_misread = output.contains("as something other than text here");
        (has_digest && is_pinned) || (is_misread && !is_rendered_by_kustomize)
    }

    /// Whether the output blames a digest in a file that wasn't given.
    fn is_digest_in_other_file(&self, output: &str) -> bool {
        let blamed = output.split("the digest in ").skip(1);
        let files =
            blamed.filter_map(|rest| Some(rest.split_once(" decides what runs")?.0.rsplit_once(':')?.0));
        files.into_iter().any(|file| !self.is_given(file))
    }

    /// Whether the error is about an entry in a template, or one with a variable, which stays a reference although no
    /// workload uses it.
    fn is_only_in_template(&self, run: &Run) -> bool {
        let is_templated = |line: &str| line.contains(&self.repository.name) && line.contains("{{");
        let is_entry = |entry: &Value| {
            let tag = entry["newTag"].as_str().unwrap_or_default();
            entry["name"].as_str().is_some_and(|name| normal(name) == normal(&self.repository.name))
                && tag.contains("${")
        };
        let mut files = self.repository.files.iter().filter(|(path, _)| run.output().contains(path.as_str()));
        let has_entry = |text: &str| {
            text.lines().any(is_templated)
                || documents(&marks::plain(text))
                    .iter()
                    .any(|document| list(&document["images"]).any(is_entry))
        };
        run.output().contains("is a placeholder") && files.any(|(_, text)| has_entry(text))
    }

    fn set(&self, run: &Run, after: &Files, tools: &Tools) -> Found {
        let is = match deploy(after, tools) {
            Ok(deployed) => Runs::of(deployed),
            Err(why) => return broken(why),
        };
        let is = if run.output().contains(" as a number here") { self.with_numbers_as_text(is) } else { is };
        if let Some((at, why)) = self.changed_more(&is) {
            return (Outcome::OtherChanged, at, why);
        }
        let set = self.targets.iter().filter(|place| is.images[*place] != self.before.images[*place]).count();
        if set > 0 && self.has_different_tags() && !self.repository.all {
            return (Outcome::DifferentTagsSet, String::new(), format!("{:?}", self.tags()));
        }
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        let warnings = report["warnings"].to_string();
        let left: Vec<_> = self.targets.iter().filter(|place| !self.is_new(&is.images[*place])).collect();
        let said =
            if left.iter().all(|place| self.origin(place).is_none()) { report.to_string() } else { warnings };
        if let Some(place) =
            left.iter().find(|place| !self.is_named(place, &said) && !self.is_refused_by_name(place, run))
        {
            let file = self.file(place).unwrap_or("no file");
            let why = format!("still runs {}, set in {file}", is.images[*place]);
            return (Outcome::Silent, shown(place), why);
        }
        // files that are named are set, and a warning says what wins
        let is_told = self.repository.only.is_some()
            && report["warnings"].as_array().is_some_and(|list| !list.is_empty());
        if let Some((at, why)) = self.weaker_place(&report, after).filter(|_| !is_told) {
            return (Outcome::WeakerPlaceSet, at, why);
        }
        match left.iter().find(|place| self.can_be_set(place) && !self.is_left_rightly(place, run)) {
            Some(place) => {
                let (image, file) = (&is.images[*place], self.file(place).unwrap_or("no file"));
                (Outcome::WarnedWithoutReason, shown(place), format!("still runs {image}, set in {file}"))
            }
            None if left.is_empty() => (Outcome::Right, String::new(), String::new()),
            None => (Outcome::Warned, String::new(), String::new()),
        }
    }

    fn tags(&self) -> Vec<(&Place, &String)> {
        self.targets.iter().map(|place| (place, &self.before.images[place])).collect()
    }

    fn is_new(&self, image: &str) -> bool {
        let image = Image::parse(image);
        image.name == normal(&self.repository.name) && image.tag == self.repository.tag
    }

    /// What runs if charts turn a number into text again. tagbump warns that this one doesn't: `printf "%s"`.
    fn with_numbers_as_text(&self, mut is: Runs) -> Runs {
        let tag = &self.repository.tag;
        for image in is.images.values_mut() {
            *image = image.replace(&format!("%!s(int64={tag})"), tag);
        }
        is
    }

    /// Whatever differs and must not.
    fn changed_more(&self, is: &Runs) -> Option<(String, String)> {
        for (root, rest) in &self.before.rest {
            if is.rest.get(root) != Some(rest) {
                return Some((root.clone(), "more than images changed".to_owned()));
            }
        }
        if is.rest.len() != self.before.rest.len() || is.images.len() != self.before.images.len() {
            return Some((String::new(), "there are more roots or containers".to_owned()));
        }
        let may_change = |place: &Place| self.targets.contains(place) || self.optional.contains(place);
        for (place, was) in &self.before.images {
            let Some(now) = is.images.get(place) else { return Some((shown(place), "is gone".to_owned())) };
            let is_default =
                self.optional.contains(place) && !self.repository.all && !self.feeds_target(place);
            if was != now && (is_default || !(may_change(place) && self.is_new(now))) {
                return Some((shown(place), format!("was {was} and is {now}")));
            }
        }
        None
    }

    /// Whether a place has its tag from where a target has it.
    fn feeds_target(&self, place: &Place) -> bool {
        let origin = self.origin(place);
        origin.is_none() || self.targets.iter().any(|target| self.origin(target) == origin)
    }

    /// Whether a message names a container's place or its root.
    fn is_named(&self, place: &Place, said: &str) -> bool {
        let root = place.0.rsplit(' ').next().unwrap_or_default();
        let named = self.file(place).is_some_and(|file| said.contains(file));
        // `Kustomization/flux-system/apps from …` is the Flux Kustomization apps
        let object = place.0.split(" from ").next().unwrap_or_default();
        let object = object.split_once('/').map(|(kind, rest)| format!("{kind} {}", name_of(rest)));
        let by_object = object.is_some_and(|object| said.contains(&object));
        // a chart with a values file
        let by_values_file = place.0.contains(" -f ") && said.contains(&format!("with {}", name_of(root)));
        named || by_object || by_values_file || (root != "." && said.contains(root))
    }

    /// Whether a warning says that a file with the container's image was skipped: the image has no tag, or an entry without one
    /// would have got the new tag.
    fn is_refused_by_name(&self, place: &Place, run: &Run) -> bool {
        let files = self.repository.files.iter().filter(|(_, text)| text.contains(&self.repository.name));
        let mut skipped = run.stderr.lines().filter(|line| line.contains(": skipped: "));
        let is_meant =
            |line: &str| self.origin(place).is_none() || line.contains(": skipped: also sets the tag of ");
        skipped.any(|line| is_meant(line) && files.clone().any(|(path, _)| line.contains(path.as_str())))
    }

    /// A changed line whose tag no container runs. An entry of a kustomization may be set for what isn't visible.
    fn weaker_place(&self, report: &Value, after: &Files) -> Option<(String, String)> {
        // where nothing runs it, whatever names it is set
        if self.targets.is_empty() {
            return None;
        }
        let used: BTreeSet<usize> = self.origins.values().filter_map(|origin| *origin).collect();
        for change in report["changes"].as_array().into_iter().flatten() {
            let (file, line) = (change["file"].as_str()?, change["line"].as_u64()? as usize);
            let text = self.repository.files.get(file)?.lines().nth(line.checked_sub(1)?)?;
            let numbers = marks::numbers(text);
            // a digest beside a tag can be all that changes
            let is = after.get(file)?.lines().nth(line - 1).unwrap_or_default();
            let is_list =
                text.contains("newTag") || file.contains("kustomization") || file.contains("argocd");
            let is_default = self.repository.all
                && name_of(file) == "values.yaml"
                && FLOATING.iter().any(|tag| text.contains(tag));
            // one line can hold several images, and only tags have numbers
            let had_tag = change["from"].as_str().is_some_and(|from| !from.is_empty());
            if !numbers.is_empty()
                && is.contains(&self.repository.tag)
                && had_tag
                && !is_list
                && !is_default
                && !numbers.iter().any(|number| used.contains(number))
            {
                return Some((
                    file.to_owned(),
                    format!("line {line} was set: {}", marks::plain(text).trim()),
                ));
            }
        }
        None
    }
}

/// The judge, judged: by bumps that set just the right places, or not all of them, or others too.
mod tests {
    use super::*;
    use crate::what_runs::generator::repository;

    impl Case<'_> {
        /// What it says about a bump that sets these places and tells nothing.
        fn outcome_of(&self, numbers: &BTreeSet<usize>, tools: &Tools) -> (Outcome, String) {
            let tag = &self.repository.tag;
            let files = self.repository.files.iter();
            let after = files.map(|(path, text)| (path.clone(), marks::with_tag(text, numbers, tag)));
            let run = Run { exit: 0, stdout: "{\"warnings\":[]}".to_owned(), stderr: String::new() };
            let (outcome, at, why) = self.set(&run, &after.collect(), tools);
            (outcome, format!("{at}: {why}"))
        }
    }

    #[test]
    fn judge_finds_place_that_was_left_out_and_place_that_was_set_too() {
        let tools = Tools::all().swap_remove(0);
        let (mut right, mut left, mut others) = (0, 0, 0);
        for seed in 7_000_000..7_000_030 {
            let repository = Repository { all: true, tag: "v2".to_owned(), ..repository(seed) };
            let Ok(case) = Case::new(Before::Rendered, &repository, &tools) else { continue };
            // a digest would stay behind the new tag
            let can_be_set =
                |place: &Place| case.can_be_set(place) && !case.before.images[place].contains('@');
            if case.targets.is_empty() || !case.targets.iter().all(can_be_set) {
                continue;
            }
            let winning: BTreeSet<usize> =
                case.targets.iter().filter_map(|place| case.origin(place)).collect();
            let (outcome, why) = case.outcome_of(&winning, &tools);
            assert_eq!(outcome, Outcome::Right, "seed {seed}: {why}");
            right += 1;
            let less = winning.iter().skip(1).copied().collect();
            let (outcome, why) = case.outcome_of(&less, &tools);
            assert_eq!(outcome, Outcome::Silent, "seed {seed}: {why}");
            left += 1;
            let other = case.origins.iter().find(|(place, _)| !case.is_bumped(&case.before.images[*place]));
            let Some(other) = other.and_then(|(_, origin)| *origin) else { continue };
            let more = winning.iter().copied().chain([other]).collect();
            let (outcome, why) = case.outcome_of(&more, &tools);
            assert_eq!(outcome, Outcome::OtherChanged, "seed {seed}: {why}");
            others += 1;
        }
        assert!(right > 8 && left > 8 && others > 4, "{right}, {left}, {others}");
    }
}
