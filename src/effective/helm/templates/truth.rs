//! Whether the conditions of templates hold. (Go, `template.IsTrue`.)

use super::super::super::value::{Scalar, Value};
use super::evaluation::{EvaluatedPiece, Evaluation};
use super::expression::{Expression, Term};

/// What every template has.
const ALWAYS_THERE: [&str; 5] = ["", ".", ".Chart", ".Release", ".Capabilities"];

impl<'v> Evaluation<'v> {
    /// Whether a condition holds; `None` if that can't be evaluated.
    pub fn truth(&mut self, expression: &Expression) -> Option<bool> {
        self.spend(1)?;
        let (first, terms) = expression.0.split_first()?;
        let Term::Word(function) = first else {
            return if terms.is_empty() { self.truth_of_term(first) } else { None };
        };
        match (function.as_str(), terms) {
            (_, []) => self.truth_of_term(first),
            ("not" | "empty", [term]) => Some(!self.truth_of_term(term)?),
            ("and", terms) => self.truths(terms, false),
            ("or" | "coalesce", terms) => self.truths(terms, true),
            ("default", [one, other]) => self.truths(&[other.clone(), one.clone()], true),
            ("eq", [one, other]) => self.is_equal(one, other),
            ("ne", [one, other]) => Some(!self.is_equal(one, other)?),
            ("dict" | "list" | "tuple", _) => Some(true),
            ("index" | "get" | "first", _) => {
                let term = self.reduced(&Term::Expression(expression.clone()))?;
                self.truth_of_term(&term)
            }
            _ => self.is_text_filled(&Term::Expression(expression.clone())),
        }
    }

    pub(super) fn truth_of_term(&mut self, term: &Term) -> Option<bool> {
        match term {
            Term::Word(word) if word.starts_with(['.', '$']) => self.is_true(word),
            Term::Word(word) if word == "nil" => Some(false),
            Term::Expression(inner) => self.nested(|evaluation| evaluation.truth(inner)),
            Term::Field(..) => {
                let term = self.reduced(term)?;
                self.nested(|evaluation| evaluation.truth_of_term(&term))
            }
            _ => self.is_text_filled(term),
        }
    }

    fn is_text_filled(&mut self, term: &Term) -> Option<bool> {
        Some(self.term(term)?.iter().any(is_filled))
    }

    /// Whether one of the terms is `wanted`; if so, the others don't matter.
    fn truths(&mut self, terms: &[Term], wanted: bool) -> Option<bool> {
        let truths: Vec<Option<bool>> = terms.iter().map(|term| self.truth_of_term(term)).collect();
        if truths.contains(&Some(wanted)) {
            return Some(wanted);
        }
        (!truths.contains(&None)).then_some(!wanted)
    }

    /// Whether two texts are equal. Numbers and booleans can be written in several ways.
    fn is_equal(&mut self, one: &Term, other: &Term) -> Option<bool> {
        let mut text = |term: &Term| -> Option<String> {
            if let Term::Word(word) = term
                && ["true", "false", "nil"].contains(&word.as_str())
            {
                return None;
            }
            let pieces = self.term(term)?;
            pieces.iter().all(is_surely_text).then(|| joined(&pieces))
        };
        Some(text(one)? == text(other)?)
    }

    /// Whether the value at a path counts as true: a map or list that isn't empty does.
    fn is_true(&mut self, word: &str) -> Option<bool> {
        let path = word.trim_start_matches('$');
        if ALWAYS_THERE.contains(&path) {
            return Some(true);
        }
        let Some(keys) = path.strip_prefix(".Values") else { return self.is_text_filled(&Term::word(word)) };
        let value = self.known(&keys.split('.').skip(1).collect::<Vec<_>>())?;
        Some(match value {
            None => false,
            Some(Value::Scalar(value)) => !value.text.is_empty() && !is_zero(value),
            Some(Value::Map(pairs)) => !pairs.is_empty(),
            Some(Value::List(items)) => !items.is_empty(),
        })
    }

    /// What Go calls the kind of a value, as far as it is sure.
    pub(super) fn kind(&mut self, term: &Term) -> Option<&'static str> {
        let term = self.reduced(term)?;
        if let Term::Word(word) = &term
            && let Some(keys) = word.trim_start_matches('$').strip_prefix(".Values.")
        {
            return match self.known(&keys.split('.').collect::<Vec<_>>())? {
                None => Some("invalid"),
                Some(Value::Map(_)) => Some("map"),
                Some(Value::List(_)) => Some("slice"),
                Some(Value::Scalar(value)) => kind_of(value),
            };
        }
        match self.term(&term)?.as_slice() {
            [EvaluatedPiece { value: Some(value), .. }] => kind_of(value),
            _ => Some("string"),
        }
    }
}

fn kind_of(value: &Scalar) -> Option<&'static str> {
    let number: Result<f64, _> = value.text.parse();
    match value.text.as_str() {
        _ if !value.plain || is_name(&value.text) => Some("string"),
        "true" | "false" => Some("bool"),
        text if number.is_ok() && text.starts_with(|c: char| c.is_ascii_digit()) => Some("float64"),
        text if text.matches('.').count() > 1 => Some("string"),
        _ => None,
    }
}

/// Whether a piece is a text, and not a number or a boolean.
pub(super) fn is_surely_text(piece: &EvaluatedPiece<'_>) -> bool {
    piece.value.is_none_or(|value| !value.plain || is_name(&value.text))
}

/// Pieces as one text.
pub(super) fn joined(pieces: &[EvaluatedPiece<'_>]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
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

/// Whether a value is `false` or zero, as YAML 1.1 reads it too.
fn is_zero(value: &Scalar) -> bool {
    let text = value.text.to_lowercase();
    let digits = text.trim_start_matches(['-', '+']);
    let is_zero = digits.starts_with('0') && digits.bytes().all(|byte| b"0xoe._".contains(&byte));
    value.plain && (is_zero || ["false", "no", "n", "off"].contains(&text.as_str()))
}
