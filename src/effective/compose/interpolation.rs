//! Replaces the placeholders of a text, and remembers where each piece of the result is written.

use std::ops::Range;

use super::super::place::Place;
use super::super::setting::Fixed;
use super::template::{Operator, Token, tokens};
use super::variables::{FoundVariable, VariableLayer, Variables};
use crate::dotenv::Quotes;

/// Longer texts hold no image.
const MAX_LENGTH: usize = 4096;
/// Variables that lead to variables are followed this deep.
const MAX_DEPTH: usize = 32;
/// The most pieces that one text is put together from.
const MAX_PIECES: usize = 256;

/// A part of a text after its placeholders are replaced.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct TextPiece {
    /// What compose puts there.
    pub text: String,
    /// What reports show: if no file has a value, the placeholder itself.
    pub shown: String,
    pub origin: Origin,
    /// The variables that lead there. If one of them is exported, the piece doesn't count.
    pub variables: Vec<String>,
}

/// Where a piece comes from.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Origin {
    /// A range of the text that is written at a place.
    Written(Place, Range<usize>),
    Fixed(Fixed),
}

/// A text after its placeholders are replaced.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Interpolated {
    pub pieces: Vec<TextPiece>,
    /// Defaults that a file of variables replaces.
    pub overridden: Vec<Place>,
}

impl Interpolated {
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// Replaces the placeholders of a text that sees the variables of a scope.
pub(super) fn interpolate(
    text: &str,
    place: Place,
    scope: VariableLayer,
    variables: &Variables,
) -> Interpolated {
    let mut expansion = Expansion { variables, made: 0, overridden: Vec::new() };
    let template = WrittenTemplate { text, place, range: 0..text.len(), scope };
    let pieces = expansion.pieces(&template, &[]);
    Interpolated { pieces, overridden: expansion.overridden }
}

/// A range of a written text that may hold placeholders.
struct WrittenTemplate<'t> {
    text: &'t str,
    place: Place,
    range: Range<usize>,
    /// Which variables it sees.
    scope: VariableLayer,
}

struct Expansion<'v> {
    variables: &'v Variables,
    made: usize,
    overridden: Vec<Place>,
}

impl Expansion<'_> {
    /// The pieces of a template; one at least. `through` are the variables that lead to it.
    fn pieces(&mut self, template: &WrittenTemplate<'_>, through: &[String]) -> Vec<TextPiece> {
        let text = &template.text[template.range.clone()];
        let found = if text.len() > MAX_LENGTH { Vec::new() } else { tokens(text) };
        self.made += found.len().max(1);
        if text.len() > MAX_LENGTH || through.len() > MAX_DEPTH || self.made > MAX_PIECES {
            return vec![unknown(text.get(..MAX_LENGTH).unwrap_or_default(), Fixed::SeveralParts, through)];
        }
        let mut pieces = Vec::new();
        for token in found {
            match token {
                Token::Text(range) => pieces.push(template.written(range, through)),
                Token::Dollar(range) => {
                    pieces.push(TextPiece { text: "$".to_owned(), ..template.written(range, through) });
                }
                Token::Variable { range, name, operator } => {
                    let operand = operator.map(|(operator, operand)| (operator, template.part(operand)));
                    let raw = &text[range];
                    pieces.extend(self.variable(template, &text[name], operand, raw, through));
                }
            }
        }
        if pieces.is_empty() {
            pieces.push(template.written(0..0, through));
        }
        pieces
    }

    /// The pieces that a placeholder is replaced by. (compose-go, `withDefaultWhenAbsence` and its neighbours)
    fn variable(
        &mut self,
        template: &WrittenTemplate<'_>,
        name: &str,
        operand: Option<(Operator, WrittenTemplate<'_>)>,
        raw: &str,
        through: &[String],
    ) -> Vec<TextPiece> {
        let through: Vec<String> = through.iter().cloned().chain([name.to_owned()]).collect();
        let value = self.variables.find(name, template.scope).map(|found| self.value(&found, &through));
        let filled = value.as_ref().is_some_and(|pieces| pieces.iter().any(|piece| !piece.text.is_empty()));
        let counts = |unless_empty: bool| if unless_empty { filled } else { value.is_some() };
        match operand {
            Some((Operator::Default { unless_empty }, default)) if !counts(unless_empty) => {
                self.pieces(&default, &through)
            }
            Some((Operator::Alternative { unless_empty }, alternative)) => {
                let used =
                    if counts(unless_empty) { Some(self.pieces(&alternative, &through)) } else { value };
                let text = used.into_iter().flatten().map(|piece| piece.text).collect();
                let origin = Origin::Fixed(Fixed::Alternative { name: name.to_owned() });
                vec![TextPiece { text, shown: raw.to_owned(), origin, variables: through }]
            }
            Some((Operator::Required { not_empty }, _)) if !counts(not_empty) => {
                vec![unknown(raw, Fixed::NoDefault { name: name.to_owned() }, &through)]
            }
            Some((Operator::Default { .. }, default)) => {
                self.overridden.extend((!default.range.is_empty()).then_some(default.place));
                value.unwrap_or_default()
            }
            Some((Operator::Required { .. }, _)) | None => value
                .unwrap_or_else(|| vec![unknown(raw, Fixed::NoDefault { name: name.to_owned() }, &through)]),
        }
    }

    /// The pieces of a variable's value.
    fn value(&mut self, found: &FoundVariable<'_>, through: &[String]) -> Vec<TextPiece> {
        let text = &found.assignment.value;
        let template = WrittenTemplate { text, place: found.place, range: 0..text.len(), scope: found.scope };
        if found.assignment.quotes == Quotes::Single {
            return vec![template.written(0..text.len(), through)];
        }
        self.pieces(&template, through)
    }
}

impl<'t> WrittenTemplate<'t> {
    /// A part of the template, by its range in it.
    fn part(&self, range: Range<usize>) -> WrittenTemplate<'t> {
        WrittenTemplate { range: self.moved(range), ..*self }
    }

    fn moved(&self, range: Range<usize>) -> Range<usize> {
        self.range.start + range.start..self.range.start + range.end
    }

    /// A part that stands for itself.
    fn written(&self, range: Range<usize>, through: &[String]) -> TextPiece {
        let range = self.moved(range);
        let text = &self.text[range.clone()];
        let origin = Origin::Written(self.place, range);
        TextPiece { text: text.to_owned(), shown: text.to_owned(), origin, variables: through.to_vec() }
    }
}

/// A piece whose text no file gives: compose replaces it with nothing.
fn unknown(raw: &str, reason: Fixed, through: &[String]) -> TextPiece {
    TextPiece {
        text: String::new(),
        shown: raw.to_owned(),
        origin: Origin::Fixed(reason),
        variables: through.to_vec(),
    }
}
