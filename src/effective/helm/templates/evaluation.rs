//! Evaluates the texts of a chart's templates, as far as charts commonly put images together: values, defaults, `printf`
//! and named templates.

use std::collections::HashSet;

use super::super::super::place::Place;
use super::super::super::value::{Scalar, Value};
use super::context::{IncludeContext, OF_CHART};
use super::expression::{Expression, Term};
use super::functions::Arguments;
use super::named::AllNamed;
use super::syntax::next_action;

/// Named templates that include each other deeper, and deeper expressions, are left out.
const MAX_NESTING: usize = 100;

/// Longer texts hold no image.
const MAX_LENGTH: usize = 4096;

/// The rest of a chart is left out after so many steps. Named templates can include each other in many ways.
const MAX_STEPS: usize = 20_000;

/// To look for a key among so many is as much work as another step.
const KEYS_PER_STEP: usize = 64;

/// Where templates have the version in Chart.yaml.
pub(super) const APP_VERSION: &str = ".Chart.AppVersion";

/// A part of a text that a template gives.
#[derive(Clone)]
pub(super) struct EvaluatedPiece<'v> {
    pub text: String,
    /// The value that it is.
    pub value: Option<&'v Scalar>,
    /// The keys that lead to the value, with `.` between them, or [`APP_VERSION`].
    pub path: String,
    /// A function has made a text of it: also of zero or `false`.
    pub(super) is_text: bool,
}

impl EvaluatedPiece<'_> {
    pub(super) fn literal(text: &str) -> Self {
        EvaluatedPiece { text: text.to_owned(), value: None, path: String::new(), is_text: true }
    }
}

/// Evaluates the texts of one chart.
pub(super) struct Evaluation<'v> {
    values: &'v Value,
    named: &'v AllNamed<'v>,
    app_version: Option<&'v str>,
    /// How much was done so far.
    steps: usize,
    /// How many expressions and named templates are around what is being evaluated.
    nesting: usize,
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
    pub fn new(values: &'v Value, named: &'v AllNamed<'v>, app_version: Option<&'v str>) -> Self {
        Evaluation {
            values,
            named,
            app_version,
            steps: 0,
            nesting: 0,
            has_skipped: false,
            emptied: HashSet::new(),
        }
    }

    /// From here on, these values count as empty.
    pub fn empty(&mut self, values: HashSet<Place>) {
        self.emptied = values;
    }

    /// A text with actions, and whether some of it isn't rendered with these values; `None` if one of the actions can't be
    /// evaluated.
    pub fn text(&mut self, text: &str) -> Option<(Vec<EvaluatedPiece<'v>>, bool)> {
        self.has_skipped = false;
        let pieces = self.rendered(text, &IncludeContext::of_chart())?;
        Some((pieces, self.has_skipped))
    }

    /// What a text without control flow begins with, up to the first action that can't be evaluated.
    pub fn beginning(&mut self, text: &str) -> Vec<EvaluatedPiece<'v>> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, action, behind)) = next_action(rest).filter(|_| text.len() <= MAX_LENGTH) {
            pieces.push(EvaluatedPiece::literal(before));
            let expression = self.spend(1).and_then(|()| Expression::parse(action));
            let value = expression.and_then(|expression| self.expression(&expression));
            let Some(value) = value else { break };
            pieces.extend(value);
            rest = behind;
        }
        pieces
    }

    /// A text, where `.` is `context`.
    fn rendered(&mut self, text: &str, context: &IncludeContext) -> Option<Vec<EvaluatedPiece<'v>>> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        self.spend(1)?;
        let (mut pieces, mut rest, mut open) = (Vec::new(), text, Vec::new());
        let is_rendered = |open: &[OpenIf]| open.iter().all(|branches| branches.is_rendered);
        while let Some((before, action, behind)) = next_action(rest) {
            if is_rendered(&open) {
                pieces.push(EvaluatedPiece::literal(before));
            }
            if !self.branch(action, context, &mut open)? && is_rendered(&open) {
                let expression = self.rooted(Expression::parse(action)?, context)?;
                pieces.extend(self.expression(&expression)?);
            }
            rest = behind;
        }
        pieces.push(EvaluatedPiece::literal(rest));
        let length: usize = pieces.iter().map(|piece| piece.text.len()).sum();
        (length <= MAX_LENGTH && open.is_empty()).then_some(pieces)
    }

    /// Follows an `if`, `else` or `end`. Returns whether it is one.
    fn branch(&mut self, action: &str, context: &IncludeContext, open: &mut Vec<OpenIf>) -> Option<bool> {
        let (keyword, rest) = action.split_once(' ').unwrap_or((action, ""));
        let is_rendered = open.iter().all(|branches| branches.is_rendered);
        match keyword {
            "if" => {
                let holds = is_rendered && self.condition(rest, context)?;
                open.push(OpenIf { is_done: holds || !is_rendered, is_rendered: holds });
                self.has_skipped |= is_rendered && !holds;
            }
            "else" => {
                let mut branches = open.pop()?;
                let condition = rest.trim_start().strip_prefix("if ");
                branches.is_rendered = !branches.is_done
                    && match condition {
                        Some(condition) => self.condition(condition, context)?,
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

    fn condition(&mut self, condition: &str, context: &IncludeContext) -> Option<bool> {
        let condition = self.rooted(Expression::parse(condition)?, context)?;
        self.truth(&condition)
    }

    /// Notes that a branch wasn't rendered.
    pub(super) fn skip_branch(&mut self) {
        self.has_skipped = true;
    }

    /// What a named template gives; `None` if it isn't known, or can't be evaluated.
    pub(super) fn included(&mut self, name: &str, context: &Term) -> Option<Vec<EvaluatedPiece<'v>>> {
        let body = self.named.templates.get(name)?.body.as_deref()?;
        let context = self.context(context)?;
        self.nested(|evaluation| evaluation.rendered(body, &context)).map(as_text)
    }

    /// Evaluates what is inside something else; `None` if that is too deep.
    pub(super) fn nested<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.nesting >= MAX_NESTING {
            return None;
        }
        self.nesting += 1;
        let result = evaluate(self);
        self.nesting -= 1;
        result
    }

    pub(super) fn spend(&mut self, steps: usize) -> Option<()> {
        self.steps += steps;
        (self.steps <= MAX_STEPS).then_some(())
    }

    fn expression(&mut self, expression: &Expression) -> Option<Vec<EvaluatedPiece<'v>>> {
        let (first, terms) = expression.0.split_first()?;
        match first {
            Term::Word(function) if !function.starts_with(['.', '$']) && !terms.is_empty() => {
                self.nested(|evaluation| Arguments { evaluation, terms }.call(function))
            }
            term if terms.is_empty() => self.term(term),
            _ => None,
        }
    }

    pub(super) fn term(&mut self, term: &Term) -> Option<Vec<EvaluatedPiece<'v>>> {
        match term {
            Term::Text(text) => Some(vec![EvaluatedPiece::literal(text)]),
            Term::Expression(expression) => self.nested(|evaluation| evaluation.expression(expression)),
            Term::Field(..) => {
                let term = self.reduced(term)?;
                self.nested(|evaluation| evaluation.term(&term))
            }
            Term::Word(word) => match word.trim_start_matches('$') {
                APP_VERSION => {
                    let version = EvaluatedPiece::literal(self.app_version.unwrap_or_default());
                    Some(vec![EvaluatedPiece { path: APP_VERSION.to_owned(), ..version }])
                }
                "true" => Some(vec![EvaluatedPiece::literal("true")]),
                "false" | "nil" => Some(Vec::new()),
                path => match path.strip_prefix(".Values.") {
                    Some(keys) => self.value(&keys.split('.').collect::<Vec<_>>()),
                    None => self.is_nowhere(path).then(Vec::new),
                },
            },
        }
    }

    /// Whether an action sets a value, or a part of it.
    fn is_set(&self, path: &[&str]) -> bool {
        self.named.set_paths.iter().any(|set| {
            let mut keys = set.split('.');
            keys.next() == Some("Values") && keys.zip(path).all(|(set, key)| set == *key)
        })
    }

    /// Whether a path leads to nothing that a chart's templates get.
    fn is_nowhere(&self, path: &str) -> bool {
        let first = path.strip_prefix('.').and_then(|keys| keys.split('.').next());
        first.is_some_and(|key| {
            !key.is_empty() && !OF_CHART.contains(&key) && !self.named.set_paths.contains(key)
        })
    }

    /// A value that is a text. One that isn't there is empty.
    pub(super) fn value(&mut self, path: &[&str]) -> Option<Vec<EvaluatedPiece<'v>>> {
        match self.known(path)? {
            None => Some(Vec::new()),
            Some(Value::Scalar(value)) if value.text.len() <= MAX_LENGTH => {
                let (text, value) = (value.text.clone(), Some(value));
                Some(vec![EvaluatedPiece { text, value, path: path.join("."), is_text: false }])
            }
            Some(_) => None,
        }
    }

    /// The value that templates get at a path. `None` if an action may set another one, and if that takes too many steps.
    pub(super) fn known(&mut self, path: &[&str]) -> Option<Option<&'v Value>> {
        self.spend(self.named.set_paths.len() / KEYS_PER_STEP)?;
        if self.is_set(path) { None } else { self.find(path) }
    }

    /// The value at a path, as the values have it. `None` if that takes too many steps.
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

pub(super) fn as_text(pieces: Vec<EvaluatedPiece<'_>>) -> Vec<EvaluatedPiece<'_>> {
    pieces.into_iter().map(|piece| EvaluatedPiece { is_text: true, ..piece }).collect()
}
