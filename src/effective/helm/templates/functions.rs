//! The functions of Go's templates, of Sprig and of Helm that charts commonly put images together with.

use super::evaluation::{EvaluatedPiece, Evaluation, as_text, is_filled};
use super::expression::Term;

/// What a function is called with.
pub(super) struct Arguments<'a, 'v> {
    pub evaluation: &'a mut Evaluation<'v>,
    pub terms: &'a [Term],
    /// The last argument, if it comes from the command before.
    pub piped: Option<Vec<EvaluatedPiece<'v>>>,
    pub depth: usize,
}

impl<'v> Arguments<'_, 'v> {
    /// What a function gives; `None` if it isn't known here, or an argument isn't.
    pub fn call(&mut self, function: &str) -> Option<Vec<EvaluatedPiece<'v>>> {
        match (function, self.count()) {
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
            ("printf", _) => self.formatted(),
            ("include" | "template", 2) => self.included(),
            ("index", 2..) | ("get", 2) => self.indexed(),
            _ => None,
        }
    }

    /// An argument, if it doesn't hold a text.
    fn without(&mut self, text: &str, nth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        let pieces = self.get(nth)?;
        (!pieces.iter().any(|piece| piece.text.contains(text))).then_some(pieces)
    }

    fn count(&self) -> usize {
        self.terms.len() + usize::from(self.piped.is_some())
    }

    fn get(&mut self, nth: usize) -> Option<Vec<EvaluatedPiece<'v>>> {
        match self.terms.get(nth) {
            Some(term) => self.evaluation.term(term, self.depth),
            None => self.piped.clone().filter(|_| nth == self.terms.len()),
        }
    }

    /// Whether an argument counts as true.
    fn holds(&mut self, nth: usize) -> Option<bool> {
        match self.terms.get(nth) {
            Some(term) => self.evaluation.truth_of_term(term, self.depth),
            None => Some(self.get(nth)?.iter().any(is_filled)),
        }
    }

    /// `hasKey .Values.image "tag"`
    fn has_key(&mut self) -> Option<bool> {
        let [Term::Word(map), Term::Text(key)] = self.terms else { return None };
        let mut path: Vec<&str> = values_path(map)?;
        path.push(key);
        Some(self.evaluation.find(&path)?.is_some())
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
        (used == self.count()).then_some(pieces)
    }

    /// `include "chart.image" .`: a named template that sees the same values.
    fn included(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
        let [Term::Text(name), Term::Word(context)] = self.terms else { return None };
        [".", "$"].contains(&context.as_str()).then(|| self.evaluation.included(name, self.depth))?
    }

    /// `index .Values "a" "b"`
    fn indexed(&mut self) -> Option<Vec<EvaluatedPiece<'v>>> {
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
