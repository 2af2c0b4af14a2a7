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
    /// Maps that lie over each other: the first one with a value that isn't empty gives it. (Sprig's `merge`, by mergo.)
    maps: Vec<ContextMap>,
    /// Those of a list.
    items: Vec<Term>,
}

#[derive(Clone)]
enum ContextMap {
    /// One of the chart's values: its path, or `.` for what the chart's templates get.
    At(String),
    /// One that is made in place.
    Of(Vec<(String, Term)>),
    /// A key that is set, also to nothing.
    Set(String, Term),
}

impl IncludeContext {
    /// What the chart's own templates get.
    pub fn of_chart() -> Self {
        IncludeContext::of_maps(&Term::word("."), vec![ContextMap::At(".".to_owned())])
    }

    fn of_maps(whole: &Term, maps: Vec<ContextMap>) -> Self {
        IncludeContext { whole: whole.clone(), maps, items: Vec::new() }
    }

    fn of_items(whole: &Term, items: Vec<Term>) -> Self {
        IncludeContext { whole: whole.clone(), maps: Vec::new(), items }
    }

    fn is_of_chart(&self) -> bool {
        matches!(self.maps.as_slice(), [ContextMap::At(path)] if path == ".")
    }

    /// What is at a path such as `.image.tag`. Nothing is at a path that doesn't exist.
    fn field(&self, path: &str) -> Option<Term> {
        let keys = path.strip_prefix('.')?;
        let (first, behind) = keys.split_at(keys.find('.').unwrap_or(keys.len()));
        let mut found = Vec::new();
        for map in &self.maps {
            match map {
                ContextMap::At(at) if at != "." => found.push(Term::Word(format!("{at}{path}"))),
                ContextMap::At(_) if self.maps.len() > 1 && !OF_CHART.contains(&first) => {}
                ContextMap::At(_) => found.push(Term::word(path)),
                ContextMap::Of(pairs) => {
                    if let Some((_, term)) = pairs.iter().find(|(key, _)| key == first) {
                        match behind_term(term, behind) {
                            Some(term) => found.push(term),
                            None if found.is_empty() => return None,
                            None => break,
                        }
                    }
                }
                ContextMap::Set(key, term) if key == first => {
                    found.push(behind_term(term, behind)?);
                    break;
                }
                ContextMap::Set(..) => {}
            }
        }
        Some(match found.as_slice() {
            [] => Term::word("nil"),
            [only] => only.clone(),
            _ => Term::Expression(Expression([vec![Term::word("coalesce")], found].concat())),
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
                    let at = vec![ContextMap::At(path.to_owned())];
                    IncludeContext::of_maps(&Term::word(path), at)
                })
            }
            Term::Word(word) if word == "nil" => Some(IncludeContext::of_maps(term, Vec::new())),
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
                let pairs = pairs.chunks(2).map(pair).collect::<Option<_>>()?;
                Some(IncludeContext::of_maps(whole, vec![ContextMap::Of(pairs)]))
            }
            ("list" | "tuple", items) => Some(IncludeContext::of_items(whole, items.to_vec())),
            ("compact", [list]) => {
                let mut items = self.context(list)?.items;
                let truths: Option<Vec<bool>> = items.iter().map(|item| self.truth_of_term(item)).collect();
                let mut truths = truths?.into_iter();
                items.retain(|_| truths.next() == Some(true));
                Some(IncludeContext::of_items(whole, items))
            }
            ("set", [map, Term::Text(key), value]) => {
                let set = vec![ContextMap::Set(key.clone(), value.clone())];
                Some(IncludeContext::of_maps(whole, [set, self.context(map)?.maps].concat()))
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

    /// Maps of which the first ones win.
    fn merged<'t>(&mut self, whole: &Term, maps: impl Iterator<Item = &'t Term>) -> Option<IncludeContext> {
        let mut all = Vec::new();
        for map in maps {
            all.extend(self.context(map)?.maps);
        }
        Some(IncludeContext::of_maps(whole, all))
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
        self.context(list).filter(|context| context.maps.is_empty()).map(|list| list.items)
    }
}

/// A key and its value.
fn pair(pair: &[Term]) -> Option<(String, Term)> {
    match pair {
        [Term::Text(key), value] => Some((key.clone(), value.clone())),
        _ => None,
    }
}
