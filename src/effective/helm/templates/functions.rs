//! The functions of Go's templates, of Sprig and of Helm that charts commonly put images together with.

use super::evaluation::{EvaluatedPiece, Evaluation, as_text};
use super::expression::Term;
use super::truth::{is_filled, is_surely_text, joined};

/// What a function is called with.
pub(super) struct Arguments<'a, 'v> {
    pub evaluation: &'a mut Evaluation<'v>,
    pub terms: &'a [Term],
}

impl<'v> Arguments<'_, 'v> {
    /// What a function gives; `None` if it isn't known here, or an argument isn't.
    pub fn call(&mut self, function: &str) -> Option<Vec<EvaluatedPiece<'v>>> {
        match (function, self.terms.len()) {
            ("quote" | "squote" | "toString" | "trim", 1) => self.get(0).map(as_text),
            ("default", 2) => self.first_filled(1..2, Some(0)),
            ("or", count @ 1..) => self.first_filled(0..count, Some(count - 1)),
            ("coalesce", count) => self.first_filled(0..count, None),
            ("required", 2) => self.get(1),
            ("empty" | "not", 1) => Some(truth_as_text(!self.holds(0)?)),
            // no tag has any of that in it
            ("tpl", 2) => self.without("{{", 0),
            ("replace", 3) if self.terms.first() == Some(&Term::Text("+".to_owned())) => self.without("+", 2),
            ("ternary", 3) => {
                let is_first = self.holds(2)?;
                self.evaluation.skip_branch();
                self.get(usize::from(!is_first))
            }
            ("hasKey", 2) => Some(truth_as_text(self.has_key()?)),
            ("hasPrefix", 2) => self.compared(|text, prefix| text.starts_with(prefix)),
            ("hasSuffix", 2) => self.compared(|text, suffix| text.ends_with(suffix)),
            ("contains", 2) => self.compared(|text, part| text.contains(part)),
            ("kindIs" | "typeIs", 2) => self.is_of_kind(),
            ("printf", _) => self.formatted(),
            ("print", _) => self.printed(),
            ("join", 2) => self.joined(),
            ("include" | "template", 2) => self.included(),
            ("index" | "get", 2..) => self.indexed(),
            _ => None,
        }
    }

    /// An argument, if it doesn't hold a text.
    fn without(&mut self, text: &str, nth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        let pieces = self.get(nth)?;
        (!pieces.iter().any(|piece| piece.text.contains(text))).then_some(pieces)
    }

    fn get(&mut self, nth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        self.evaluation.term(self.terms.get(nth)?)
    }

    /// Whether an argument counts as true.
    fn holds(&mut self, nth: usize) -> Option<bool> {
        self.evaluation.truth_of_term(self.terms.get(nth)?)
    }

    /// Compares the second text with the first one.
    fn compared(&mut self, holds: impl Fn(&str, &str) -> bool) -> Option<Vec<EvaluatedPiece<'v>>> {
        let (part, text) = (self.get(0)?, self.get(1)?);
        let are_texts = part.iter().chain(&text).all(is_surely_text);
        are_texts.then(|| truth_as_text(holds(&joined(&text), &joined(&part))))
    }

    /// `kindIs "string" .Values.tag`
    fn is_of_kind(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
        let [Term::Text(kind), value] = self.terms else { return None };
        Some(truth_as_text(self.evaluation.kind(value)? == kind))
    }

    /// `hasKey .Values.image "tag"`
    fn has_key(&mut self) -> Option<bool> {
        let [map, Term::Text(key)] = self.terms else { return None };
        let Term::Word(map) = self.evaluation.reduced(map)? else { return None };
        let mut path: Vec<&str> = values_path(&map)?;
        path.push(key);
        Some(self.evaluation.known(&path)?.is_some())
    }

    /// The first argument that isn't empty, else the one at `otherwise`.
    fn first_filled(
        &mut self,
        order: impl Iterator<Item = usize>,
        otherwise: Option<usize>,
    ) -> Option<Vec<EvaluatedPiece<'v>>> {
        for nth in order {
            let value = self.get(nth)?;
            if value.iter().any(is_filled) {
                return Some(value);
            }
        }
        otherwise.map_or(Some(Vec::new()), |nth| self.get(nth))
    }

    /// `printf "%s/%s:%s" …`
    fn formatted(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
        let Some(Term::Text(format)) = self.terms.first() else { return None };
        let mut parts = format.split('%');
        let mut pieces = vec![EvaluatedPiece::literal(parts.next()?)];
        let mut used = 1;
        for part in parts {
            pieces.extend(as_text(self.get(used)?));
            pieces.push(EvaluatedPiece::literal(part.strip_prefix(['s', 'v'])?));
            used += 1;
        }
        (used == self.terms.len()).then_some(pieces)
    }

    /// `print .registry "/" .repository`. Go puts a blank between two arguments if neither is a text.
    fn printed(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
        let (mut pieces, mut was_text) = (Vec::new(), true);
        for nth in 0..self.terms.len() {
            let argument = self.get(nth)?;
            let is_text = argument.iter().all(is_surely_text);
            (was_text || is_text).then_some(())?;
            was_text = is_text;
            pieces.extend(as_text(argument));
        }
        Some(pieces)
    }

    /// `join "/" (list .registry .repository)`
    fn joined(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
        let separator = self.get(0)?;
        let mut pieces = Vec::new();
        for (nth, item) in self.evaluation.items(self.terms.get(1)?)?.iter().enumerate() {
            if nth > 0 {
                pieces.extend(separator.iter().cloned());
            }
            pieces.extend(as_text(self.evaluation.term(item)?));
        }
        Some(pieces)
    }

    /// `include "chart.image" .`
    fn included(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
        let [Term::Text(name), context] = self.terms else { return None };
        self.evaluation.included(name, context)
    }

    /// `index .Values "a" "b"`
    fn indexed(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
        if let Some(term) = self.evaluation.element(self.terms.first()?, &self.terms[1..]) {
            return self.evaluation.term(&term);
        }
        // a key can have `.` in it
        let (Term::Word(start), keys) = self.terms.split_first()? else { return None };
        let mut path = values_path(start)?;
        for key in keys {
            let Term::Text(key) = key else { return None };
            path.push(key);
        }
        self.evaluation.value(&path)
    }
}

/// The keys behind `.Values`.
fn values_path(word: &str) -> Option<Vec<&str>> {
    let keys = word.trim_start_matches('$').strip_prefix(".Values")?;
    (keys.is_empty() || keys.starts_with('.')).then(|| keys.split('.').skip(1).collect())
}

fn truth_as_text<'v>(truth: bool) -> Vec<EvaluatedPiece<'v>> {
    truth.then(|| EvaluatedPiece::literal("true")).into_iter().collect()
}
