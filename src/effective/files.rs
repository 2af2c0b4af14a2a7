//! The repository's files as the model reads them: by path, each parsed once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::helm::ChartTemplates;
use super::place::{FileId, Place};
use super::second_reader::SecondReader;
use super::value::Value;
use crate::dotenv::{Assignment, DotenvError, parse};
use crate::location::Location;
use crate::memory::drop_in_background;
use crate::yaml::{Budget, Cancellation, ParseAborted, ParsedYaml, scan_until};

pub use crate::file_selection::folder as folder_of;

/// The most values that a run puts together from all files. Bases can include each other in so many ways that the
/// result is far larger than the files.
const MAX_VALUES: u64 = 8_000_000;

/// This many steps of reading a file count as one value.
const STEPS_OF_A_VALUE: usize = 100;

/// Gives the content of a file, `None` if there is none. The path is relative to the root, with `/`.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// A file that was parsed before.
pub struct ParsedContent {
    pub bytes: Vec<u8>,
    pub yaml: ParsedYaml,
}

/// The files of a repository.
pub struct Files<'a> {
    read: ReadFile<'a>,
    /// Files that needn't be read and parsed again, by path.
    parsed: HashMap<String, ParsedContent>,
    /// Every YAML file.
    paths: &'a BTreeSet<String>,
    /// Every JSON file, and every `.tpl` file.
    other: Option<&'a BTreeSet<String>>,
    loaded: Vec<LoadedFile>,
    by_path: HashMap<String, Option<FileId>>,
    /// Files of assignments.
    dotenv: HashMap<String, Option<FileId>>,
    /// YAML inside block scalars, by the scalar.
    embedded: HashMap<Place, Option<FileId>>,
    /// Scalars that are read a second time.
    read_again: HashMap<Place, SecondReader>,
    budget: Budget,
    /// What the templates of charts say, by the folder of the chart.
    pub(super) templates: HashMap<String, Arc<ChartTemplates>>,
}

/// A file that was read.
pub struct LoadedFile {
    pub path: String,
    pub bytes: Vec<u8>,
    /// `None` if the file isn't valid YAML.
    pub yaml: Option<ParsedYaml>,
    /// `None` unless it was read as a file of `NAME=VALUE` lines.
    pub assignments: Option<Result<Vec<Assignment>, DotenvError>>,
    /// The block scalar that holds this text, if it isn't a file of its own.
    pub inside: Option<Place>,
}

impl<'a> Files<'a> {
    pub fn new(paths: &'a BTreeSet<String>, read: ReadFile<'a>, cancellation: Cancellation) -> Self {
        Files {
            read,
            parsed: HashMap::new(),
            paths,
            other: None,
            loaded: Vec::new(),
            by_path: HashMap::new(),
            dotenv: HashMap::new(),
            embedded: HashMap::new(),
            read_again: HashMap::new(),
            budget: Budget::of_steps(MAX_VALUES, cancellation),
            templates: HashMap::new(),
        }
    }

    /// Adds files that were parsed before.
    #[must_use]
    pub fn with_parsed(self, parsed: HashMap<String, ParsedContent>) -> Self {
        Files { parsed, ..self }
    }

    /// Adds the JSON files and the named templates of charts.
    #[must_use]
    pub fn with_other(self, other: &'a BTreeSet<String>) -> Self {
        Files { other: Some(other), ..self }
    }

    /// Frees the parsed files without anyone waiting for it.
    pub fn drop_in_background(self) {
        drop_in_background(self.loaded.len() + self.parsed.len(), (self.loaded, self.parsed));
    }

    /// Reads a file; `None` if there is none.
    pub fn load(&mut self, path: &str) -> Option<FileId> {
        if let Some(known) = self.by_path.get(path) {
            return *known;
        }
        let id = match self.parsed.remove(path) {
            Some(ParsedContent { bytes, yaml }) => {
                let (path, yaml) = (path.to_owned(), Some(yaml));
                Some(self.push(LoadedFile { path, bytes, yaml, assignments: None, inside: None }))
            }
            None => (self.read)(path).map(|bytes| self.add(path.to_owned(), bytes, None)),
        };
        self.by_path.insert(path.to_owned(), id);
        id
    }

    /// Reads a file as text, whether it is YAML or not. `None` if it isn't there, or isn't UTF-8.
    pub fn text(&self, path: &str) -> Option<String> {
        let loaded = self.by_path.get(path).copied().flatten().map(|id| &self.file(id).bytes);
        let known = loaded.or_else(|| self.parsed.get(path).map(|content| &content.bytes));
        String::from_utf8(known.cloned().or_else(|| (self.read)(path))?).ok()
    }

    /// Reads a file of `NAME=VALUE` lines, as compose reads its `.env`; `None` if there is none.
    pub fn load_dotenv(&mut self, path: &str) -> Option<FileId> {
        if let Some(known) = self.dotenv.get(path) {
            return *known;
        }
        let id = (self.read)(path).map(|bytes| {
            let assignments = Some(parse(&bytes));
            self.push(LoadedFile { path: path.to_owned(), bytes, yaml: None, assignments, inside: None })
        });
        self.dotenv.insert(path.to_owned(), id);
        id
    }

    /// The text of a literal block scalar as a file of its own; `None` if `place` isn't one, or isn't YAML.
    pub fn load_embedded(&mut self, place: Place) -> Option<FileId> {
        if let Some(known) = self.embedded.get(&place) {
            return *known;
        }
        let outer = self.file(place.file);
        let text = outer.yaml.as_ref().and_then(|yaml| yaml.text(place.node)).map(str::to_owned);
        let path = outer.path.clone();
        let id = text.map(|text| self.add(path, text.into_bytes(), Some(place)));
        self.embedded.insert(place, id);
        id
    }

    fn add(&mut self, path: String, bytes: Vec<u8>, inside: Option<Place>) -> FileId {
        let yaml = scan_until(&bytes, self.budget.cancellation()).ok();
        self.push(LoadedFile { path, bytes, yaml, assignments: None, inside })
    }

    fn push(&mut self, file: LoadedFile) -> FileId {
        self.loaded.push(file);
        FileId::new(self.loaded.len() - 1)
    }

    pub fn file(&self, id: FileId) -> &LoadedFile {
        &self.loaded[id.index()]
    }

    /// Every file that was read so far.
    pub fn all(&self) -> impl Iterator<Item = &LoadedFile> {
        self.loaded.iter()
    }

    /// Whether the repository has this YAML file.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The YAML files below a folder (`""` is the root), with all folders below it, sorted.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        below(self.paths, folder)
    }

    /// The JSON files below a folder, likewise.
    pub fn json_below(&self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.other_below(folder).filter(|path| path.ends_with(".json"))
    }

    /// The `.tpl` files below a folder, likewise.
    pub fn tpl_below(&self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.other_below(folder).filter(|path| path.ends_with(".tpl"))
    }

    fn other_below(&self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let folder = folder.to_owned();
        self.other.into_iter().flat_map(move |other| below(other, &folder))
    }

    /// Every document of a YAML file, each a value. Null documents are left out.
    pub fn documents(&mut self, id: FileId) -> Vec<Value> {
        if self.is_exhausted() {
            return Vec::new();
        }
        let Some(yaml) = &self.loaded[id.index()].yaml else { return Vec::new() };
        // a file may be part of any number of roots, and each time it is read as a whole
        yaml.budget().renew();
        let documents: Vec<_> = yaml.roots().iter().map(|&root| Value::read(yaml, root, id)).collect();
        let steps = usize::try_from(yaml.budget().spent()).unwrap_or(usize::MAX);
        self.budget.spend(documents.iter().map(Value::size).sum::<usize>() + steps / STEPS_OF_A_VALUE);
        documents.into_iter().filter(|value| !value.is_null()).collect()
    }

    /// The documents of a text that was made from a file. Their places mean nothing.
    pub fn documents_of(&mut self, text: &[u8], file: FileId) -> Vec<Value> {
        let Ok(yaml) = scan_until(text, self.budget.cancellation()) else { return Vec::new() };
        let documents: Vec<_> = yaml.roots().iter().map(|&root| Value::read(&yaml, root, file)).collect();
        if self.spend(documents.iter().map(Value::size).sum()) { documents } else { Vec::new() }
    }

    /// The kinds of the objects in a YAML file.
    pub fn kinds(&self, id: FileId) -> impl Iterator<Item = &str> {
        let yaml = self.file(id).yaml.iter();
        yaml.flat_map(|yaml| yaml.roots().iter().filter_map(|&root| yaml.text(yaml.at(root, &["kind"])?)))
    }

    /// Whether a YAML file holds Kubernetes objects.
    pub fn holds_objects(&self, id: FileId) -> bool {
        let has = |yaml: &ParsedYaml, root, key| {
            yaml.at(root, &[key]).is_some_and(|node| yaml.text(node).is_some())
        };
        let is_object = |yaml: &ParsedYaml, root| has(yaml, root, "apiVersion") && has(yaml, root, "kind");
        let yaml = self.file(id).yaml.as_ref();
        yaml.is_some_and(|yaml| yaml.roots().iter().any(|&root| is_object(yaml, root)))
    }

    /// Notes that a scalar is read a second time.
    pub fn note_second_reader(&mut self, scalar: Place, reader: SecondReader) {
        self.read_again.insert(scalar, reader);
    }

    /// Who reads a scalar a second time.
    pub fn second_reader(&self, scalar: Place) -> Option<SecondReader> {
        self.read_again.get(&scalar).copied()
    }

    /// Counts values that a build makes. Once this gives `false`, the build must end.
    pub fn spend(&mut self, values: usize) -> bool {
        self.budget.spend(values)
    }

    /// Whether all values of a file could be read. Aliases and merge keys can multiply them beyond what is allowed.
    pub fn is_whole(&self, file: FileId) -> bool {
        self.file(file).yaml.as_ref().is_none_or(|yaml| yaml.check().is_ok())
    }

    /// The files whose values couldn't all be read, each with the reason. What is in the rest may run, too.
    pub fn cut_off(&self) -> impl Iterator<Item = (&str, ParseAborted)> {
        let stopped = |file: &LoadedFile| file.yaml.as_ref().and_then(|yaml| yaml.check().err());
        self.loaded.iter().filter_map(move |file| Some((file.path.as_str(), stopped(file)?)))
    }

    /// Whether a build ended because it would have made too many values.
    pub fn is_exhausted(&self) -> bool {
        self.budget.check().is_err()
    }

    /// A place as `file:line`. A place inside a block scalar gets the line of the file.
    pub fn location(&self, place: Place) -> Location {
        let file = self.file(place.file);
        let assignment = file.assignments.iter().flatten().flatten().nth(place.node);
        let in_yaml = || file.yaml.as_ref().map(|yaml| yaml.node(place.node).line);
        let line = assignment.map(|assignment| assignment.line).or_else(in_yaml).unwrap_or(place.node + 1);
        match file.inside {
            None => Location { file: file.path.clone(), line, column: None },
            Some(outer) => {
                let start = self.location(outer);
                // a block scalar is reported at its first line that isn't empty
                let empty = file.bytes.iter().take_while(|&&byte| byte == b'\n').count();
                Location { line: (start.line + line - 1).saturating_sub(empty), ..start }
            }
        }
    }
}

/// The paths below a folder, sorted.
fn below<'a>(paths: &'a BTreeSet<String>, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let start = prefix.clone();
    paths.range(start..).map(String::as_str).take_while(move |path| path.starts_with(&prefix))
}

/// The folders that a path is in, innermost first; the root is empty.
pub fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder_of(path)), |folder| (!folder.is_empty()).then(|| folder_of(folder)))
}

/// A path relative to a folder, without `.` and `..`; `None` if it leaves the root or is absolute.
pub fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_can_be_part_of_many_roots() {
        let read = |_: &str| Some(b"a: &a {b: c, d: [1, 2, 3]}\ne: *a\n".to_vec());
        let (paths, never) = (BTreeSet::new(), Cancellation::default());
        let mut files = Files::new(&paths, &read, never);
        let file = files.load("a.yaml").unwrap();
        let first = files.documents(file);
        for _ in 0..20_000 {
            assert_eq!(files.documents(file).len(), 1);
        }
        assert_eq!(files.documents(file), first);
        assert!(files.is_whole(file) && !files.is_exhausted());
    }
}
