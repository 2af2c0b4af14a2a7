//! `--field` paths: `spec.values.images.api.tag`, `images[name=api].newTag`, `list[0].tag`.

use std::collections::HashSet;

use super::document::{FoundValue, NodeId, ParsedYaml};

/// A valid path to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    Where { key: String, value: String },
}

/// Fields that are nested deeper have no path.
const MAX_STEPS: usize = 32;

/// The error for an invalid path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason} at character {at}")]
pub struct FieldError {
    path: String,
    reason: &'static str,
    /// 1-based.
    at: usize,
}

impl FieldPath {
    /// Parses a path: keys separated by dots, `[N]` for an item (from 0), `[key=value]` for all items with that
    /// value. A `\` takes the next character literally.
    ///
    /// # Errors
    /// An empty key, an unclosed bracket, or text after a bracket without a dot.
    pub fn parse(path: &str) -> Result<Self, FieldError> {
        let chars: Vec<char> = path.chars().collect();
        let mut reader = PathReader { chars: &chars, at: 0 };
        let steps = reader.steps().map_err(|reason| FieldError {
            path: path.to_owned(),
            reason,
            at: reader.at + 1,
        })?;
        Ok(FieldPath { text: path.to_owned(), steps })
    }

    /// The path that leads to a node from the top of its document, as text; `None` if it is nested too deeply.
    pub fn to_node(yaml: &ParsedYaml, id: NodeId) -> Option<String> {
        let path = steps_to(yaml, id, |key| format!(".{}", escaped(key)))?;
        Some(path.trim_start_matches('.').to_owned())
    }

    /// The same as sops takes it: `["image"]["tag"]`.
    pub fn for_sops(yaml: &ParsedYaml, id: NodeId) -> Option<String> {
        steps_to(yaml, id, |key| format!("[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\"")))
    }

    /// The path as it was typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Every value below `root` that the path leads to.
    pub fn find(&self, yaml: &ParsedYaml, root: NodeId) -> Vec<FoundValue> {
        let mut places = vec![FoundValue { key: root, node: root, shared_by: None }];
        for step in &self.steps {
            // aliases can lead to the same place in exponentially many ways
            let mut seen = HashSet::new();
            let next = places.iter().take_while(|_| yaml.budget().spend(1));
            let next = next.flat_map(|place| step.from(yaml, place)).filter(|place| seen.insert(*place));
            places = next.collect();
        }
        places
    }
}

/// The keys, as `of_key` writes them, and positions that lead to a node.
fn steps_to(yaml: &ParsedYaml, id: NodeId, of_key: impl Fn(&str) -> String) -> Option<String> {
    let mut steps = Vec::new();
    let mut node = id;
    while let Some(parent) = yaml.node(node).parent {
        if steps.len() >= MAX_STEPS {
            return None;
        }
        steps.push(match yaml.key_text(node) {
            Some(key) => of_key(key),
            None => format!("[{}]", yaml.items(parent).position(|item| item == node)?),
        });
        node = parent;
    }
    steps.reverse();
    Some(steps.concat())
}

impl Step {
    fn from(&self, yaml: &ParsedYaml, place: &FoundValue) -> Vec<FoundValue> {
        match self {
            Step::Key(key) => yaml
                .get(place.node, key)
                .map(|found| FoundValue { shared_by: found.shared_by.or(place.shared_by), ..found })
                .into_iter()
                .collect(),
            Step::Index(n) => {
                let item = yaml.items(place.node).nth(*n);
                item.map(|i| through(yaml, place, i)).into_iter().collect()
            }
            Step::Where { key, value } => yaml
                .items(place.node)
                .filter(|&i| yaml.get(i, key).and_then(|f| yaml.text(f.node)) == Some(value))
                .map(|i| through(yaml, place, i))
                .collect(),
        }
    }
}

/// A key as a path spells it.
fn escaped(key: &str) -> String {
    let mut text = String::new();
    for c in key.chars() {
        text.extend(['.', '[', '\\'].contains(&c).then_some('\\'));
        text.push(c);
    }
    text
}

fn through(yaml: &ParsedYaml, place: &FoundValue, item: NodeId) -> FoundValue {
    let node = yaml.resolve(item);
    let shared_by = (node != item).then_some(item).or(place.shared_by);
    FoundValue { key: place.key, node, shared_by }
}

struct PathReader<'a> {
    chars: &'a [char],
    at: usize,
}

impl PathReader<'_> {
    fn steps(&mut self) -> Result<Vec<Step>, &'static str> {
        let mut steps = Vec::new();
        loop {
            if self.peek() != Some('[') || !steps.is_empty() {
                let key = self.read_until(&['.', '['])?;
                steps.push(Step::Key(key));
            }
            while self.peek() == Some('[') {
                self.at += 1;
                steps.push(self.bracket()?);
            }
            match self.peek() {
                None => return Ok(steps),
                Some('.') => self.at += 1,
                Some(_) => return Err("expected a dot"),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// The text up to one of these characters, or to the end.
    fn read_until(&mut self, stops: &[char]) -> Result<String, &'static str> {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| !stops.contains(c)) {
            self.at += 1;
            let taken = if c == '\\' { self.peek().ok_or("nothing follows the backslash")? } else { c };
            if c == '\\' {
                self.at += 1;
            }
            text.push(taken);
        }
        if text.is_empty() { Err("empty key") } else { Ok(text) }
    }

    fn bracket(&mut self) -> Result<Step, &'static str> {
        let head = self.read_until(&[']', '='])?;
        let step = match self.peek() {
            Some('=') => {
                self.at += 1;
                Step::Where { key: head, value: self.read_until(&[']'])? }
            }
            _ => Step::Index(head.parse().map_err(|_| "expected a number or key=value")?),
        };
        if self.peek() != Some(']') {
            return Err("missing ]");
        }
        self.at += 1;
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::scan;

    fn values(yaml: &str, path: &str) -> Vec<String> {
        let yaml = scan(yaml.as_bytes()).unwrap();
        let found = FieldPath::parse(path).unwrap().find(&yaml, 0);
        found.iter().map(|f| yaml.text(f.node).unwrap().to_owned()).collect()
    }

    #[test]
    fn keys_indices_and_conditions() {
        assert_eq!(values("a: {b: {c: x}}", "a.b.c"), ["x"]);
        assert_eq!(values("l: [{tag: x}, {tag: y}]", "l[1].tag"), ["y"]);
        assert_eq!(values("i: [{name: ghcr.io/a, t: 1}, {name: b, t: 2}]", "i[name=ghcr.io/a].t"), ["1"]);
        assert_eq!(values("- {n: b, t: 2}", "[0].t"), ["2"]);
        assert_eq!(values("a.b: {c: x}", r"a\.b.c"), ["x"]);
        assert_eq!(values("a: [[p, q]]", "a[0][1]"), ["q"]);
        assert!(values("a: {b: 1}", "a.c").is_empty());
    }

    #[test]
    fn an_alias_on_the_way_is_told() {
        let yaml = scan(b"x: &x {tag: v1}\ny: *x\n").unwrap();
        let found = FieldPath::parse("y.tag").unwrap().find(&yaml, 0);
        assert!(found[0].shared_by.is_some());
    }

    #[test]
    fn path_to_a_node_leads_back_to_it() {
        let text = "a.b: {'c[0]': [x, {d: [y]}]}\nz: {'\\': w}\n";
        let yaml = scan(text.as_bytes()).unwrap();
        let mut found = Vec::new();
        for id in (0..yaml.len()).filter(|&id| yaml.node(id).key.is_some()) {
            let path = FieldPath::to_node(&yaml, id).unwrap();
            assert_eq!(FieldPath::parse(&path).unwrap().find(&yaml, 0)[0].node, id, "{path}");
            found.push(path);
        }
        assert_eq!(found, [r"a\.b", r"a\.b.c\[0]", r"a\.b.c\[0][1].d", "z", r"z.\\"]);
    }

    #[test]
    fn wrong_paths_say_where() {
        let error = |p: &str| FieldPath::parse(p).unwrap_err().to_string();
        assert_eq!(error("a..b"), "a..b: empty key at character 3");
        assert_eq!(error("a[0"), "a[0: missing ] at character 4");
        assert_eq!(error("a[x].b"), "a[x].b: expected a number or key=value at character 4");
        assert_eq!(error(""), ": empty key at character 1");
        assert_eq!(error("a[0]b"), "a[0]b: expected a dot at character 5");
    }
}
