//! Placeholders in a text, as Flux replaces them after the build: `${VAR}`, `${VAR:-default}` and so on
//! (`github.com/fluxcd/pkg/envsubst`, `parse/parse.go`).

use std::ops::Range;

/// Placeholders in defaults are followed this deep.
const MAX_DEPTH: usize = 16;

/// A part of a template. Ranges are in bytes of the template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Placeholder {
    /// Stands for itself.
    Text(Range<usize>),
    /// `$$`, which gives `$`.
    Dollar(Range<usize>),
    /// Its value, or the default if it has none or an empty one.
    Variable { name: String, default: Vec<Placeholder> },
    /// Its value is cut, or its case or parts of it changed.
    Changed { name: String },
}

/// The parts of a template; `None` if Flux refuses it.
pub(super) fn parse(template: &str) -> Option<Vec<Placeholder>> {
    Parser { template, at: 0 }.parts(0)
}

struct Parser<'t> {
    template: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.template[self.at..]
    }

    /// Parts up to the end of the template, or, inside a placeholder, up to its closing brace.
    fn parts(&mut self, depth: usize) -> Option<Vec<Placeholder>> {
        let mut parts = Vec::new();
        let mut start = self.at;
        loop {
            let text = start..self.at;
            let rest = self.rest();
            if rest.is_empty() || (depth > 0 && rest.starts_with('}')) {
                push_text(&mut parts, text);
                return Some(parts);
            }
            if rest.starts_with("${") {
                push_text(&mut parts, text);
                self.at += 2;
                parts.push(self.placeholder(depth + 1)?);
                start = self.at;
            } else if depth == 0 && rest.starts_with("$$") {
                push_text(&mut parts, text);
                parts.push(Placeholder::Dollar(self.at..self.at + 2));
                self.at += 2;
                start = self.at;
            } else {
                self.at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
    }

    /// What follows `${`, with the closing brace (`Tree.parseFunc`).
    fn placeholder(&mut self, depth: usize) -> Option<Placeholder> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.rest().starts_with('#') {
            self.at += 1;
            let name = self.name()?;
            return self.rest().starts_with('}').then(|| self.close(Placeholder::Changed { name }));
        }
        let name = self.name()?;
        let operator = [":=", ":-", ":?", ":+", "="].into_iter().find(|sign| self.rest().starts_with(sign));
        if let Some(operator) = operator {
            self.at += operator.len();
            let default = self.parts(depth)?;
            let is_closed = self.rest().starts_with('}');
            return is_closed.then(|| self.close(Placeholder::Variable { name, default }));
        }
        match self.rest().chars().next()? {
            '}' => Some(self.close(Placeholder::Variable { name, default: Vec::new() })),
            ':' | ',' | '^' | '/' | '#' | '%' => {
                self.parts(depth)?;
                self.rest().starts_with('}').then(|| self.close(Placeholder::Changed { name }))
            }
            _ => None,
        }
    }

    fn close(&mut self, placeholder: Placeholder) -> Placeholder {
        self.at += 1;
        placeholder
    }

    fn name(&mut self) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let name = self.rest()[..length].to_owned();
        self.at += length;
        (!name.is_empty()).then_some(name)
    }
}

fn push_text(parts: &mut Vec<Placeholder>, text: Range<usize>) {
    if !text.is_empty() {
        parts.push(Placeholder::Text(text));
    }
}
