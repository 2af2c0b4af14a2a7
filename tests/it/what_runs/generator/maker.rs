//! What all random repositories are made of: image names, marked tags, files.

use fastrand::Rng;

use super::yaml::{Style, Yaml, text};
use crate::what_runs::files::Files;
use crate::what_runs::marks;

const NAMES: [&str; 8] = [
    "ghcr.io/acme/api",
    "ghcr.io/acme/api-worker",
    "ghcr.io/acme/web",
    "localhost:5000/shop/cart",
    "nginx",
    "acme/proxy",
    "quay.io/acme/job",
    "registry.example.com/team/db",
];
const TAGS: [&str; 5] = ["v1", "v1.4.0", "main-1a2b3c4", "sha-77c0ffe", "stable"];

pub struct Maker {
    pub rng: Rng,
    /// With marked tags.
    pub files: Files,
    /// The images that it uses; the first one is likely to be bumped.
    pub names: Vec<String>,
    same_tags: bool,
    tag: &'static str,
    next: usize,
}

impl Maker {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        rng.shuffle(&mut names);
        names.truncate(3);
        let (same_tags, tag) = (rng.u8(0..10) < 8, TAGS[rng.usize(0..TAGS.len())]);
        Maker { rng, files: Files::new(), names, same_tags, tag, next: 0 }
    }

    /// Whether something of this probability happens, in percent.
    pub fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(0..100) < percent
    }

    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.rng.usize(0..items.len())]
    }

    /// One of the images, most likely the first.
    pub fn name(&mut self) -> String {
        let index = if self.chance(60) { 0 } else { self.rng.usize(0..self.names.len()) };
        self.names[index].clone()
    }

    /// A tag that is likely to be the one that runs.
    pub fn tag(&mut self) -> String {
        let tag = if self.same_tags { self.tag } else { TAGS[self.rng.usize(0..TAGS.len())] };
        self.mark(tag)
    }

    /// A tag that something stronger is likely to replace.
    pub fn weak_tag(&mut self) -> String {
        match self.rng.u8(0..4) {
            0 => self.mark("v0"),
            1 => self.mark("latest"),
            _ => self.tag(),
        }
    }

    pub fn mark(&mut self, tag: &str) -> String {
        self.next += 1;
        marks::mark(self.next, tag)
    }

    /// `NAME:TAG`.
    pub fn image(&mut self, name: &str) -> String {
        format!("{name}:{}", self.tag())
    }

    pub fn weak_image(&mut self, name: &str) -> String {
        match self.rng.u8(0..8) {
            0 => name.to_owned(),
            1..4 => format!("{name}:{}", self.weak_tag()),
            _ => self.image(name),
        }
    }

    /// Writes a file in some style.
    pub fn write(&mut self, path: &str, value: &Yaml) {
        let text = Style::new(&mut self.rng).document(value);
        self.files.insert(path.to_owned(), text);
    }

    pub fn write_json(&mut self, path: &str, value: &Yaml) {
        self.files.insert(path.to_owned(), format!("{}\n", value.json()));
    }

    /// Several documents in one file.
    pub fn write_all(&mut self, path: &str, values: &[Yaml]) {
        let mut style = Style::new(&mut self.rng);
        let documents: Vec<_> = values.iter().map(|value| style.document(value)).collect();
        self.files.insert(path.to_owned(), documents.join("---\n"));
    }

    /// A value as text in some style, for a literal block.
    pub fn block(&mut self, value: &Yaml) -> Yaml {
        Yaml::Block(Style::new(&mut self.rng).document(value))
    }

    /// An object.
    pub fn object(&mut self, version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Yaml {
        let mut about = vec![("name", text(name))];
        about.extend(namespace.map(|namespace| ("namespace", text(namespace))));
        super::yaml::map([
            ("apiVersion", text(version)),
            ("kind", text(kind)),
            ("metadata", super::yaml::map(about)),
        ])
    }
}
