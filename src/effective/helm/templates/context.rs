//! What `.` is in a named template: what it's included with. Charts hand over all values (`.`), a map of them (`.Values.image`),
//! or a map or list that they make in place: `include "image" (dict "image" .Values.image "root" .)`.

use super::evaluation::Evaluation;
use super::expression::{Expression, Term};
use super::truth::{is_surely_text, joined};

/// What is longer isn't followed.
const MAX_SIZE: usize = 200;

/// So many terms are as much work as another step.
const TERMS_PER_STEP: usize = 16;

/// What the chart's own templates get.
pub(super) const OF_CHART: [&str; 7] =
    ["Values", "Chart", "Release", "Capabilities", "Files", "Subcharts", "Template"];

/// What a named template is included with.
#[derive(Clone)]
pub(super) struct IncludeContext {
    /// All of it, in terms of what the chart's templates get.
    whole: Term,
    /// Where it is, if it wasn't made in place: `.`, or a path. What isn't among the keys is there.
    base: Option<String>,
    keys: Vec<(String, Term)>,
    /// Those of a list.
    items: Vec<Term>,
}

impl IncludeContext {
    /// What the chart's own templates get.
    pub fn of_chart() -> Self {
        IncludeContext::at(Term::word("."), ".")
    }

    fn at(whole: Term, base: &str) -> Self {
        IncludeContext { whole, base: Some(base.to_owned()), keys: Vec::new(), items: Vec::new() }
    }

    fn of_keys(whole: &Term, keys: Vec<(String, Term)>) -> Self {
        IncludeContext { whole: whole.clone(), base: None, keys, items: Vec::new() }
    }

    fn of_items(whole: &Term, items: Vec<Term>) -> Self {
        IncludeContext { whole: whole.clone(), base: None, keys: Vec::new(), items }
    }

    fn is_of_chart(&self) -> bool {
        self.base.as_deref() == Some(".") && self.keys.is_empty()
    }

    /// What is at a path such as `.image.tag`. Nothing is at a path that doesn't exist.
    fn field(&self, path: &str) -> Option<Term> {
        let keys = path.strip_prefix('.')?;
        let (first, behind) = keys.split_at(keys.find('.').unwrap_or(keys.len()));
        if let Some((_, term)) = self.keys.iter().find(|(key, _)| key == first) {
            return behind_term(term, behind);
        }
        Some(match self.base.as_deref() {
            Some(".") => Term::word(path),
            Some(base) => Term::Word(format!("{base}{path}")),
            None => Term::word("nil"),
        })
    }

    /// An expression of the named template in terms of what the chart's templates get.
    fn rooted(&self, expression: &Expression) -> Option<Expression> {
        let terms = expression.0.iter().map(|term| match term {
            Term::Word(word) if word.starts_with(['.', '$']) => {
                let path = word.trim_start_matches('$');
                if ["", "."].contains(&path) { Some(self.whole.clone()) } else { self.field(path) }
            }
            Term::Expression(inner) => Some(Term::Expression(self.rooted(inner)?)),
            Term::Field(inner, path) => Some(Term::Field(self.rooted(inner)?, path.clone())),
            other => Some(other.clone()),
        });
        terms.collect::<Option<_>>().map(Expression)
    }
}

/// What is at a path behind a term.
fn behind_term(term: &Term, path: &str) -> Option<Term> {
    if path.is_empty() {
        return Some(term.clone());
    }
    match term {
        Term::Word(word) if word.trim_start_matches('$').trim_matches('.').is_empty() => {
            Some(Term::word(path))
        }
        Term::Word(word) if word.starts_with(['.', '$']) => Some(Term::Word(format!("{word}{path}"))),
        Term::Word(word) if word == "nil" => Some(term.clone()),
        Term::Expression(inner) => Some(Term::Field(inner.clone(), path.to_owned())),
        Term::Field(inner, before) => Some(Term::Field(inner.clone(), format!("{before}{path}"))),
        Term::Word(_) | Term::Text(_) => None,
    }
}

impl Evaluation<'_> {
    /// An expression of a named template in terms of what the chart's templates get.
    pub(super) fn rooted(&mut self, expression: Expression, context: &IncludeContext) -> Option<Expression> {
        if context.is_of_chart() {
            return Some(expression);
        }
        let rooted = context.rooted(&expression)?;
        self.spend(rooted.size() / TERMS_PER_STEP)?;
        Some(rooted)
    }

    /// What a term hands over to a named template; `None` if it isn't a map or list that is known.
    pub(super) fn context(&mut self, term: &Term) -> Option<IncludeContext> {
        self.spend(1)?;
        (term.size() <= MAX_SIZE).then(|| self.nested(|evaluation| evaluation.nested_context(term)))?
    }

    fn nested_context(&mut self, term: &Term) -> Option<IncludeContext> {
        match term {
            Term::Word(word) if word.starts_with(['.', '$']) => {
                let path = word.trim_start_matches('$');
                Some(if ["", "."].contains(&path) {
                    IncludeContext::of_chart()
                } else {
                    IncludeContext::at(Term::word(path), path)
                })
            }
            Term::Word(word) if word == "nil" => Some(IncludeContext::of_keys(term, Vec::new())),
            Term::Word(_) | Term::Text(_) => None,
            Term::Field(inner, path) => {
                let term = self.context(&Term::Expression(inner.clone()))?.field(path)?;
                self.context(&term)
            }
            Term::Expression(inner) => self.made_in_place(term, inner),
        }
    }

    fn made_in_place(&mut self, whole: &Term, expression: &Expression) -> Option<IncludeContext> {
        let (first, terms) = expression.0.split_first()?;
        let Term::Word(function) = first else {
            return if terms.is_empty() { self.context(first) } else { None };
        };
        match (function.as_str(), terms) {
            ("dict", pairs) => {
                Some(IncludeContext::of_keys(whole, pairs.chunks(2).map(pair).collect::<Option<_>>()?))
            }
            ("list" | "tuple", items) => Some(IncludeContext::of_items(whole, items.to_vec())),
            ("compact", [list]) => {
                let mut items = self.context(list)?.items;
                let truths: Option<Vec<bool>> = items.iter().map(|item| self.truth_of_term(item)).collect();
                let mut truths = truths?.into_iter();
                items.retain(|_| truths.next() == Some(true));
                Some(IncludeContext::of_items(whole, items))
            }
            ("set", [map, key, value]) => {
                let mut context = self.context(map)?;
                context.keys.retain(|(known, _)| Term::Text(known.clone()) != *key);
                context.keys.push(pair(&[key.clone(), value.clone()])?);
                Some(IncludeContext { whole: whole.clone(), ..context })
            }
            ("merge" | "mustMerge", maps) => self.merged(whole, maps.iter()),
            ("mergeOverwrite" | "mustMergeOverwrite", maps) => self.merged(whole, maps.iter().rev()),
            ("deepCopy" | "mustDeepCopy", [map]) => self.context(map),
            (path, []) if path.starts_with(['.', '$']) => self.context(first),
            _ => {
                let term = self.chosen(function, terms)?;
                self.context(&term)
            }
        }
    }

    /// Maps of which the first ones win. Which keys a map of the values has isn't known, so such a map can only be the last one.
    fn merged<'t>(&mut self, whole: &Term, maps: impl Iterator<Item = &'t Term>) -> Option<IncludeContext> {
        let mut merged = IncludeContext::of_keys(whole, Vec::new());
        for map in maps {
            let mut context = self.context(map)?;
            match (merged.base.as_deref(), &context.base) {
                (None, _) => merged.base = context.base,
                (Some("."), None) => context.keys.retain(|(key, _)| !OF_CHART.contains(&key.as_str())),
                _ => return None,
            }
            merged.keys.extend(context.keys);
        }
        Some(merged)
    }

    /// The argument that a function gives; `None` if it gives something else.
    fn chosen(&mut self, function: &str, terms: &[Term]) -> Option<Term> {
        match (function, terms) {
            ("index" | "get", [start, keys @ ..]) => self.element(start, keys),
            ("first", [list]) => self.context(list)?.items.first().cloned(),
            ("ternary", [one, other, condition]) => {
                let holds = self.truth_of_term(condition)?;
                self.skip_branch();
                Some(if holds { one } else { other }.clone())
            }
            ("default", [otherwise, value]) => self.first_true([value, otherwise].into_iter()),
            ("or" | "coalesce", terms) => self.first_true(terms.iter()),
            _ => None,
        }
    }

    /// The first that counts as true, else the last.
    fn first_true<'t>(&mut self, terms: impl ExactSizeIterator<Item = &'t Term>) -> Option<Term> {
        let last = terms.len().checked_sub(1)?;
        for (nth, term) in terms.enumerate() {
            if nth == last || self.truth_of_term(term)? {
                return Some(term.clone());
            }
        }
        None
    }

    /// `index .Values.images .component`, `index . 0`
    pub(super) fn element(&mut self, start: &Term, keys: &[Term]) -> Option<Term> {
        let mut found = start.clone();
        for key in keys {
            let context = self.context(&found)?;
            found = match key {
                Term::Word(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    context.items.get(number.parse::<usize>().ok()?)?.clone()
                }
                key => {
                    let pieces = self.term(key)?;
                    let key = Some(joined(&pieces)).filter(|_| pieces.iter().all(is_surely_text))?;
                    let is_one = !key.is_empty() && !key.contains('.');
                    is_one.then(|| context.field(&format!(".{key}")))??
                }
            };
        }
        Some(found)
    }

    /// The path or the text that a term comes down to, if it takes something out of a map or list.
    pub(super) fn reduced(&mut self, term: &Term) -> Option<Term> {
        self.spend(1)?;
        let reduced = match term {
            Term::Field(inner, path) => self.context(&Term::Expression(inner.clone()))?.field(path)?,
            Term::Expression(Expression(terms)) => match terms.as_slice() {
                [inner] => inner.clone(),
                [Term::Word(function), terms @ ..]
                    if ["index", "get", "first"].contains(&function.as_str()) =>
                {
                    self.chosen(function, terms)?
                }
                _ => return Some(term.clone()),
            },
            Term::Text(_) | Term::Word(_) => return Some(term.clone()),
        };
        self.nested(|evaluation| evaluation.reduced(&reduced))
    }

    /// The items of a list that is made in place.
    pub(super) fn items(&mut self, list: &Term) -> Option<Vec<Term>> {
        self.context(list)
            .filter(|context| context.base.is_none() && context.keys.is_empty())
            .map(|list| list.items)
    }
}

/// A key and its value.
fn pair(pair: &[Term]) -> Option<(String, Term)> {
    match pair {
        [Term::Text(key), value] => Some((key.clone(), value.clone())),
        _ => None,
    }
}
