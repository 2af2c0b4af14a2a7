//! Evaluates the texts of a chart's templates, as far as charts commonly put images together: values, defaults, `printf`
//! and named templates.

use std::collections::{HashMap, HashSet};

use super::super::super::place::Place;
use super::super::super::value::{Scalar, Value};
use super::expression::{Expression, Term};
use super::functions::Arguments;
use super::syntax::next_action;
use super::text::NamedTemplate;

/// Named templates that include each other deeper are left out.
const MAX_DEPTH: usize = 16;

/// Longer texts hold no image.
const MAX_LENGTH: usize = 4096;

/// The rest of a chart is left out after so many steps. Named templates can include each other in many ways.
const MAX_STEPS: usize = 20_000;

/// To look for a key among so many is as much work as another step.
const KEYS_PER_STEP: usize = 64;

/// A part of a text that a template gives.
#[derive(Clone)]
pub(super) struct EvaluatedPiece<'v> {
    pub text: String,
    /// The value that it is.
    pub value: Option<&'v Scalar>,
    /// The keys that lead to it, with `.` between them.
    pub path: String,
    /// A function has made a text of it: also of zero or `false`.
    is_text: bool,
}

impl EvaluatedPiece<'_> {
    pub(super) fn literal(text: &str) -> Self {
        EvaluatedPiece { text: text.to_owned(), value: None, path: String::new(), is_text: true }
    }
}

/// Evaluates the texts of one chart.
pub(super) struct Evaluation<'v> {
    values: &'v Value,
    /// The named templates, by name.
    named: &'v HashMap<&'v str, &'v NamedTemplate>,
    app_version: Option<&'v str>,
    /// How much was done so far.
    steps: usize,
    /// A branch wasn't rendered.
    has_skipped: bool,
    /// Values that count as empty.
    emptied: HashSet<Place>,
}

/// An `if` whose `end` is still to come.
struct OpenIf {
    /// One of its branches was rendered, or none of them is.
    is_done: bool,
    /// The branch that is being read is rendered.
    is_rendered: bool,
}

impl<'v> Evaluation<'v> {
    pub fn new(
        values: &'v Value,
        named: &'v HashMap<&'v str, &'v NamedTemplate>,
        app_version: Option<&'v str>,
    ) -> Self {
        Evaluation { values, named, app_version, steps: 0, has_skipped: false, emptied: HashSet::new() }
    }

    /// From here on, these values count as empty.
    pub fn empty(&mut self, values: HashSet<Place>) {
        self.emptied = values;
    }

    /// A text with actions, and whether some of it isn't rendered with these values; `None` if one of the actions can't be
    /// evaluated.
    pub fn text(&mut self, text: &str) -> Option<(Vec<EvaluatedPiece<'v>>, bool)> {
        self.has_skipped = false;
        let pieces = self.text_at_depth(text, 0)?;
        Some((pieces, self.has_skipped))
    }

    /// What a text without control flow begins with, up to the first action that can't be evaluated.
    pub fn beginning(&mut self, text: &str) -> Vec<EvaluatedPiece<'v>> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, action, behind)) = next_action(rest).filter(|_| text.len() <= MAX_LENGTH) {
            pieces.push(EvaluatedPiece::literal(before));
            let expression = self.spend(1).and_then(|()| Expression::parse(action));
            let value = expression.and_then(|expression| self.expression(&expression, 0));
            let Some(value) = value else { break };
            pieces.extend(value);
            rest = behind;
        }
        pieces
    }

    pub(super) fn text_at_depth(&mut self, text: &str, depth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        if depth > MAX_DEPTH || text.len() > MAX_LENGTH {
            return None;
        }
        self.spend(1)?;
        let (mut pieces, mut rest, mut open) = (Vec::new(), text, Vec::new());
        let is_rendered = |open: &[OpenIf]| open.iter().all(|branches| branches.is_rendered);
        while let Some((before, action, behind)) = next_action(rest) {
            if is_rendered(&open) {
                pieces.push(EvaluatedPiece::literal(before));
            }
            if !self.branch(action, &mut open, depth)? && is_rendered(&open) {
                pieces.extend(self.expression(&Expression::parse(action)?, depth)?);
            }
            rest = behind;
        }
        pieces.push(EvaluatedPiece::literal(rest));
        let length: usize = pieces.iter().map(|piece| piece.text.len()).sum();
        (length <= MAX_LENGTH && open.is_empty()).then_some(pieces)
    }

    /// Follows an `if`, `else` or `end`. Returns whether it is one.
    fn branch(&mut self, action: &str, open: &mut Vec<OpenIf>, depth: usize) -> Option<bool> {
        let (keyword, rest) = action.split_once(' ').unwrap_or((action, ""));
        let is_rendered = open.iter().all(|branches| branches.is_rendered);
        match keyword {
            "if" => {
                let holds = is_rendered && self.truth_at(&Expression::parse(rest)?, depth)?;
                open.push(OpenIf { is_done: holds || !is_rendered, is_rendered: holds });
                self.has_skipped |= is_rendered && !holds;
            }
            "else" => {
                let mut branches = open.pop()?;
                let condition = rest.trim_start().strip_prefix("if ");
                branches.is_rendered = !branches.is_done
                    && match condition {
                        Some(condition) => self.truth_at(&Expression::parse(condition)?, depth)?,
                        None => rest.trim().is_empty().then_some(true)?,
                    };
                branches.is_done |= branches.is_rendered;
                self.has_skipped |= !branches.is_rendered;
                open.push(branches);
            }
            "end" => {
                open.pop()?;
            }
            "with" | "range" | "block" | "define" => return None,
            _ => return Some(false),
        }
        Some(true)
    }

    /// Whether a condition holds; `None` if that can't be evaluated. (Go, `template.IsTrue`.)
    pub fn truth(&mut self, expression: &Expression) -> Option<bool> {
        self.truth_at(expression, 0)
    }

    fn truth_at(&mut self, expression: &Expression, depth: usize) -> Option<bool> {
        self.spend(1)?;
        let [command] = expression.0.as_slice() else {
            return Some(self.expression(expression, depth)?.iter().any(is_filled));
        };
        match command.as_slice() {
            [Term::Word(word)] if word.contains(".Values.") => self.is_true(word),
            [Term::Expression(inner)] => self.truth_at(inner, depth),
            [Term::Word(not), term] if not == "not" => Some(!self.truth_of_term(term, depth)?),
            [Term::Word(and), terms @ ..] if and == "and" => self.truths(terms, false, depth),
            [Term::Word(or), terms @ ..] if or == "or" => self.truths(terms, true, depth),
            [Term::Word(eq), one, other] if eq == "eq" => self.is_equal(one, other, depth),
            [Term::Word(ne), one, other] if ne == "ne" => Some(!self.is_equal(one, other, depth)?),
            _ => Some(self.expression(expression, depth)?.iter().any(is_filled)),
        }
    }

    pub(super) fn truth_of_term(&mut self, term: &Term, depth: usize) -> Option<bool> {
        self.truth_at(&Expression(vec![vec![term.clone()]]), depth)
    }

    /// Whether one of the terms is `wanted`; if so, the others don't matter.
    fn truths(&mut self, terms: &[Term], wanted: bool, depth: usize) -> Option<bool> {
        let truths: Vec<Option<bool>> = terms.iter().map(|term| self.truth_of_term(term, depth)).collect();
        if truths.contains(&Some(wanted)) {
            return Some(wanted);
        }
        (!truths.contains(&None)).then_some(!wanted)
    }

    /// Whether two texts are equal. Numbers and booleans can be written in several ways.
    fn is_equal(&mut self, one: &Term, other: &Term, depth: usize) -> Option<bool> {
        let mut text = |term: &Term| -> Option<String> {
            if let Term::Word(word) = term
                && ["true", "false"].contains(&word.as_str())
            {
                return None;
            }
            let pieces = self.term(term, depth)?;
            let is_text = |piece: &EvaluatedPiece<'_>| {
                piece.value.is_none_or(|value| !value.plain || is_name(&value.text))
            };
            pieces.iter().all(is_text).then(|| pieces.iter().map(|piece| piece.text.as_str()).collect())
        };
        Some(text(one)? == text(other)?)
    }

    /// Whether the value at a path counts as true: a map or list that isn't empty does.
    fn is_true(&mut self, word: &str) -> Option<bool> {
        let path = word.trim_start_matches('$').strip_prefix(".Values.")?;
        let value = self.find(&path.split('.').collect::<Vec<_>>())?;
        Some(match value {
            None => false,
            Some(Value::Scalar(value)) => !value.text.is_empty() && !is_zero(value),
            Some(Value::Map(pairs)) => !pairs.is_empty(),
            Some(Value::List(items)) => !items.is_empty(),
        })
    }

    /// Notes that a branch wasn't rendered.
    pub(super) fn skip_branch(&mut self) {
        self.has_skipped = true;
    }

    /// What a named template gives; `None` if it isn't known, or can't be evaluated.
    pub(super) fn included(&mut self, name: &str, depth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        let body = self.named.get(name)?.body.as_deref()?;
        self.text_at_depth(body, depth + 1).map(as_text)
    }

    fn spend(&mut self, steps: usize) -> Option<()> {
        self.steps += steps;
        (self.steps <= MAX_STEPS).then_some(())
    }

    fn expression(&mut self, expression: &Expression, depth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        let mut result = None;
        for command in &expression.0 {
            result = Some(self.command(command, result, depth)?);
        }
        result
    }

    fn command(
        &mut self,
        terms: &[Term],
        piped: Option<Vec<EvaluatedPiece<'v>>>,
        depth: usize,
    ) -> Option<Vec<EvaluatedPiece<'v>>> {
        let (first, terms) = terms.split_first()?;
        match first {
            Term::Word(function) if !function.starts_with(['.', '$']) => {
                Arguments { evaluation: self, terms, piped, depth }.call(function)
            }
            term if terms.is_empty() && piped.is_none() => self.term(term, depth),
            _ => None,
        }
    }

    pub(super) fn term(&mut self, term: &Term, depth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        match term {
            Term::Text(text) => Some(vec![EvaluatedPiece::literal(text)]),
            Term::Expression(expression) => self.expression(expression, depth),
            Term::Word(word) => match word.trim_start_matches('$') {
                ".Chart.AppVersion" => {
                    Some(vec![EvaluatedPiece::literal(self.app_version.unwrap_or_default())])
                }
                "true" => Some(vec![EvaluatedPiece::literal("true")]),
                "false" => Some(Vec::new()),
                path => self.value(&path.strip_prefix(".Values.")?.split('.').collect::<Vec<_>>()),
            },
        }
    }

    /// A value that is a text. One that isn't there is empty.
    pub(super) fn value(&mut self, path: &[&str]) -> Option<Vec<EvaluatedPiece<'v>>> {
        match self.find(path)? {
            None => Some(Vec::new()),
            Some(Value::Scalar(value)) if value.text.len() <= MAX_LENGTH => {
                let (text, value) = (value.text.clone(), Some(value));
                Some(vec![EvaluatedPiece { text, value, path: path.join("."), is_text: false }])
            }
            Some(_) => None,
        }
    }

    /// The value at a path. `None` if that takes too many steps.
    pub fn find(&mut self, path: &[&str]) -> Option<Option<&'v Value>> {
        let mut value = Some(self.values);
        for key in path {
            self.spend(1 + value.map_or(0, |value| value.pairs().len()) / KEYS_PER_STEP)?;
            value = value.and_then(|value| value.get(key));
        }
        let is_emptied = |value: &&Value| value.place().is_some_and(|place| self.emptied.contains(&place));
        Some(value.filter(|value| self.emptied.is_empty() || !is_emptied(value)))
    }
}

/// Whether a plain scalar is surely a text.
fn is_name(text: &str) -> bool {
    let other = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && !other.contains(&text.to_lowercase().as_str())
}

/// Whether `default` leaves a value.
pub(super) fn is_filled(piece: &EvaluatedPiece<'_>) -> bool {
    !piece.text.is_empty() && (piece.is_text || !piece.value.is_some_and(is_zero))
}

pub(super) fn as_text(pieces: Vec<EvaluatedPiece<'_>>) -> Vec<EvaluatedPiece<'_>> {
    pieces.into_iter().map(|piece| EvaluatedPiece { is_text: true, ..piece }).collect()
}

/// Whether a value is `false` or zero, as YAML 1.1 reads it too.
fn is_zero(value: &Scalar) -> bool {
    let text = value.text.to_lowercase();
    let digits = text.trim_start_matches(['-', '+']);
    let is_zero = digits.starts_with('0') && digits.bytes().all(|byte| b"0xoe._".contains(&byte));
    value.plain && (is_zero || ["false", "no", "n", "off"].contains(&text.as_str()))
}
