//! YAML in the styles that people write: quotes, comments, flow style, lists with and without indentation.

use fastrand::Rng;

/// A value to be written.
#[derive(Clone, Debug)]
pub enum Yaml {
    Map(Vec<(String, Yaml)>),
    List(Vec<Yaml>),
    Text(String),
    /// Written without quotes in any case: numbers, aliases.
    Bare(String),
    /// A literal block.
    Block(String),
    /// `&NAME`, and then the value.
    Anchored(String, Box<Yaml>),
}

pub fn map<K: Into<String>>(pairs: impl IntoIterator<Item = (K, Yaml)>) -> Yaml {
    Yaml::Map(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

pub fn list(items: impl IntoIterator<Item = Yaml>) -> Yaml {
    Yaml::List(items.into_iter().collect())
}

pub fn text(text: impl Into<String>) -> Yaml {
    Yaml::Text(text.into())
}

pub fn bare(text: impl Into<String>) -> Yaml {
    Yaml::Bare(text.into())
}

/// A map in a map, and so on: `image.tag` as keys.
pub fn nested(path: &[&str], value: Yaml) -> Yaml {
    path.iter().rev().fold(value, |value, key| map([(*key, value)]))
}

impl Yaml {
    /// Adds a pair to a map.
    pub fn with(mut self, key: &str, value: Yaml) -> Yaml {
        if let Yaml::Map(pairs) = &mut self {
            pairs.push((key.to_owned(), value));
        }
        self
    }

    /// Puts the keys of one map over those of another, at any depth.
    pub fn over(self, stronger: Yaml) -> Yaml {
        let (mut pairs, over) = match (self, stronger) {
            (Yaml::Map(pairs), Yaml::Map(over)) => (pairs, over),
            (_, stronger) => return stronger,
        };
        for (key, value) in over {
            match pairs.iter().position(|(known, _)| *known == key) {
                Some(at) => pairs[at].1 = pairs[at].1.clone().over(value),
                None => pairs.push((key, value)),
            }
        }
        Yaml::Map(pairs)
    }

    /// Changes the value at a path of keys, if there is one.
    pub fn changed(self, path: &[&str], change: &dyn Fn(Yaml) -> Yaml) -> Yaml {
        match (self, path) {
            (value, []) => change(value),
            (Yaml::Map(pairs), [key, rest @ ..]) => {
                let pairs = pairs.into_iter().map(|(known, value)| match known == *key {
                    true => (known, value.changed(rest, change)),
                    false => (known, value),
                });
                Yaml::Map(pairs.collect())
            }
            (other, _) => other,
        }
    }

    /// Whether a map has this path of keys.
    pub fn has(&self, path: &[&str]) -> bool {
        match (self, path) {
            (_, []) => true,
            (Yaml::Map(pairs), [key, rest @ ..]) => {
                pairs.iter().any(|(known, value)| known == key && value.has(rest))
            }
            _ => false,
        }
    }

    pub fn json(&self) -> String {
        let all = |items: Vec<String>, open, close| format!("{open}{}{close}", items.join(", "));
        match self {
            Yaml::Map(pairs) => {
                all(pairs.iter().map(|(key, value)| format!("{key:?}: {}", value.json())).collect(), '{', '}')
            }
            Yaml::List(items) => all(items.iter().map(Yaml::json).collect(), '[', ']'),
            Yaml::Text(text) | Yaml::Block(text) => format!("\"{}\"", text.replace('\n', "\\n")),
            Yaml::Bare(text) => text.clone(),
            Yaml::Anchored(_, value) => value.json(),
        }
    }
}

/// How a file is written.
pub struct Style<'a> {
    pub rng: &'a mut Rng,
    /// Lists are indented below their key.
    indent_lists: bool,
    comments: bool,
    flow: bool,
}

impl<'a> Style<'a> {
    pub fn new(rng: &'a mut Rng) -> Self {
        let (indent_lists, comments, flow) = (rng.bool(), rng.u8(0..4) == 0, rng.u8(0..6) == 0);
        Style { rng, indent_lists, comments, flow }
    }

    pub fn document(&mut self, value: &Yaml) -> String {
        let mut out = String::new();
        if self.comments && self.rng.bool() {
            out.push_str("# Ask the platform team before you change this: tag, image and all.\n");
        }
        self.block(value, 0, &mut out);
        out
    }

    fn block(&mut self, value: &Yaml, indent: usize, out: &mut String) {
        match value {
            Yaml::Map(pairs) => {
                for (key, value) in pairs {
                    out.push_str(&" ".repeat(indent));
                    self.pair(key, value, indent, out);
                }
            }
            Yaml::List(items) => {
                for item in items {
                    out.push_str(&" ".repeat(indent));
                    self.item(item, indent, out);
                }
            }
            other => {
                out.push_str(&" ".repeat(indent));
                self.inline(other, indent, out);
            }
        }
    }

    /// A key and its value, where the indentation is already written.
    fn pair(&mut self, key: &str, value: &Yaml, indent: usize, out: &mut String) {
        out.push_str(key);
        out.push(':');
        let (anchor, value) = match value {
            Yaml::Anchored(name, value) => (format!(" &{name}"), &**value),
            value => (String::new(), value),
        };
        out.push_str(&anchor);
        let is_empty = matches!(value, Yaml::Map(pairs) if pairs.is_empty())
            || matches!(value, Yaml::List(items) if items.is_empty());
        let nested = matches!(value, Yaml::Map(_) | Yaml::List(_)) && !is_empty;
        if !nested || (self.flow && anchor.is_empty() && self.fits(value)) {
            out.push(' ');
            return self.inline(value, indent, out);
        }
        self.comment(out);
        out.push('\n');
        let is_list = matches!(value, Yaml::List(_));
        let deeper = if is_list && !self.indent_lists { 0 } else { 2 };
        self.block(value, indent + deeper, out);
    }

    fn item(&mut self, item: &Yaml, indent: usize, out: &mut String) {
        out.push_str("- ");
        match item {
            Yaml::Map(pairs) if !pairs.is_empty() && (!self.flow || !self.fits(item)) => {
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        out.push_str(&" ".repeat(indent + 2));
                    }
                    self.pair(key, value, indent + 2, out);
                }
            }
            other => self.inline(other, indent, out),
        }
    }

    fn fits(&mut self, value: &Yaml) -> bool {
        /// The number of scalars; far too many if there is one that flow style can't hold.
        fn size(value: &Yaml) -> usize {
            match value {
                Yaml::Map(pairs) => pairs.iter().map(|(_, value)| size(value)).sum(),
                Yaml::List(items) => items.iter().map(size).sum(),
                Yaml::Text(text) if !text.contains('$') => 1,
                Yaml::Bare(_) => 1,
                Yaml::Text(_) | Yaml::Block(_) | Yaml::Anchored(..) => 100,
            }
        }
        size(value) < 6 && self.rng.bool()
    }

    fn inline(&mut self, value: &Yaml, indent: usize, out: &mut String) {
        match value {
            Yaml::Map(_) | Yaml::List(_) => out.push_str(&self.flow_text(value)),
            Yaml::Block(text) => {
                out.push_str(["|", "|-", "|+"][self.rng.usize(0..3)]);
                out.push('\n');
                for line in text.lines() {
                    let spaces = if line.is_empty() { 0 } else { indent + 2 };
                    out.push_str(&format!("{}{line}\n", " ".repeat(spaces)));
                }
                return;
            }
            Yaml::Text(text) => out.push_str(&self.scalar(text)),
            Yaml::Bare(text) => out.push_str(text),
            Yaml::Anchored(name, value) => {
                out.push_str(&format!("&{name} "));
                return self.inline(value, indent, out);
            }
        }
        self.comment(out);
        out.push('\n');
    }

    fn flow_text(&mut self, value: &Yaml) -> String {
        match value {
            Yaml::Map(pairs) if pairs.is_empty() => "{}".to_owned(),
            Yaml::Map(pairs) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(key, value)| format!("{key}: {}", self.flow_text(value))).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
            Yaml::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.flow_text(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Yaml::Text(text) => self.scalar(text),
            other => other.json(),
        }
    }

    fn scalar(&mut self, text: &str) -> String {
        let risky = text.is_empty()
            || text == ":"
            || text.starts_with(['*', '&', '!', '{', '[', '#', '%', '@', '`', '"', '\'', '-', '?'])
            || text.contains(": ")
            || text.contains(" #")
            || text.parse::<f64>().is_ok()
            || ["true", "false", "null", "yes", "no", "on", "off"].contains(&text)
            || (self.flow && text.contains(['{', '}', '[', ']', ',']));
        match self.rng.u8(0..5) {
            0 => format!("\"{text}\""),
            1 => format!("'{text}'"),
            _ if risky => format!("\"{text}\""),
            _ => text.to_owned(),
        }
    }

    fn comment(&mut self, out: &mut String) {
        if self.comments && self.rng.u8(0..5) == 0 {
            out.push_str([" # see the runbook", "  # set by CI", " # tag: v0"][self.rng.usize(0..3)]);
        }
    }
}
