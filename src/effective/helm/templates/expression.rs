//! The actions of Go's templates, as far as charts use them to put an image together.
//!
//! (`text/template/parse`: a pipeline is commands between `|`, each with the result of the one before as its last argument.
//! Here, what is before a `|` is an argument like the others.)

/// Deeper parentheses are left out.
const MAX_DEPTH: usize = 16;

/// Longer pipelines are left out.
const MAX_PIPES: usize = 32;

/// Longer actions hold no image.
const MAX_TERMS: usize = 200;

/// A command: what it calls, and the arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(pub Vec<Term>);

/// A part of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A text in quotes.
    Text(String),
    /// A function, a number, or a path such as `.Values.image.tag`.
    Word(String),
    Expression(Expression),
    /// A path behind parentheses: `(index .Values "a").tag`, with its `.` at the start.
    Field(Expression, String),
}

impl Term {
    /// A command without arguments, from its text: `nil`.
    pub fn word(text: &str) -> Self {
        Term::Word(text.to_owned())
    }

    /// How many terms it consists of.
    pub fn size(&self) -> usize {
        match self {
            Term::Text(_) | Term::Word(_) => 1,
            Term::Expression(inner) | Term::Field(inner, _) => 1 + inner.size(),
        }
    }
}

impl Expression {
    /// Reads what is between `{{` and `}}`. `None` if it can't be read, and for more than one expression, such as
    /// `$x := 1`.
    pub fn parse(action: &str) -> Option<Self> {
        let mut parser = ExpressionParser { rest: action.trim_matches('-').trim(), terms: 0, pipes: 0 };
        let expression = parser.expression(0)?;
        parser.rest.is_empty().then_some(expression)
    }

    /// How many terms it consists of.
    pub fn size(&self) -> usize {
        self.0.iter().map(Term::size).sum()
    }
}

struct ExpressionParser<'t> {
    rest: &'t str,
    terms: usize,
    pipes: usize,
}

impl<'t> ExpressionParser<'t> {
    fn expression(&mut self, depth: usize) -> Option<Expression> {
        let mut before = None;
        loop {
            let mut command = self.command(depth)?;
            command.extend(before.take().map(Term::Expression));
            let Some(behind) = self.rest.strip_prefix('|') else { return Some(Expression(command)) };
            self.rest = behind;
            self.pipes += 1;
            before = Some(Expression(command)).filter(|_| self.pipes <= MAX_PIPES);
            before.as_ref()?;
        }
    }

    /// What is before the next `|`, or before the end.
    fn command(&mut self, depth: usize) -> Option<Vec<Term>> {
        let mut command = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with([')', '|']) {
                return Some(command).filter(|command| !command.is_empty());
            }
            command.push(self.term(depth)?);
        }
    }

    fn term(&mut self, depth: usize) -> Option<Term> {
        self.terms += 1;
        if self.terms > MAX_TERMS || depth > MAX_DEPTH {
            return None;
        }
        let rest = self.rest;
        match rest.chars().next()? {
            '(' => {
                self.rest = &rest[1..];
                let inner = self.expression(depth + 1)?;
                self.rest = self.rest.strip_prefix(')')?;
                self.behind_parenthesis(inner)
            }
            quote @ ('"' | '`') => {
                let (text, behind) = rest[1..].split_once(quote)?;
                self.rest = behind;
                // an escaped character is in no image
                (!text.contains('\\')).then(|| Term::Text(text.to_owned()))
            }
            _ => Some(Term::Word(self.word()?.to_owned())),
        }
    }

    /// `(.Values.global).tag` gives the same as `.Values.global.tag`, but Helm accepts it where `global` is missing.
    fn behind_parenthesis(&mut self, inner: Expression) -> Option<Term> {
        if !self.rest.starts_with('.') {
            return Some(Term::Expression(inner));
        }
        let behind = self.word()?;
        Some(match inner.0.as_slice() {
            [Term::Word(path)] if path.starts_with(['.', '$']) => Term::Word(format!("{path}{behind}")),
            _ => Term::Field(inner, behind.to_owned()),
        })
    }

    fn word(&mut self) -> Option<&'t str> {
        let is_part = |c: char| c.is_alphanumeric() || "_.$-".contains(c);
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, behind) = self.rest.split_at(end);
        self.rest = behind;
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<Term> {
        texts.map(|text| Term::Text(text.to_owned())).to_vec()
    }

    #[test]
    fn action_is_read_as_commands() {
        let read =
            Expression::parse("- .Values.global.tag | default (index .Values \"a-b\" `tag`) -").unwrap();
        let index = [vec![Term::word("index"), Term::word(".Values")], texts(["a-b", "tag"])].concat();
        let piped = Expression(vec![Term::word(".Values.global.tag")]);
        let default =
            vec![Term::word("default"), Term::Expression(Expression(index)), Term::Expression(piped)];
        assert_eq!(read, Expression(default));
        assert_eq!(read.size(), 8);
    }

    #[test]
    fn path_goes_on_behind_a_parenthesis() {
        let read = Expression::parse("((.Values.global).image).tag");
        assert_eq!(read, Some(Expression(vec![Term::word(".Values.global.image.tag")])));
        let read = Expression::parse("(index .Values \"a\").image.tag");
        let index = [vec![Term::word("index"), Term::word(".Values")], texts(["a"])].concat();
        assert_eq!(read, Some(Expression(vec![Term::Field(Expression(index), ".image.tag".to_owned())])));
    }

    #[test]
    fn other_actions_are_not_read() {
        let deep = format!("{}.a{}", "(".repeat(100), ")".repeat(100));
        let long = ".a ".repeat(1000);
        let pipes = format!(".a{}", " | quote".repeat(MAX_PIPES + 1));
        for action in [
            "",
            "$x := .a",
            ".a |",
            "| .a",
            ".a | | quote",
            "(.a",
            ".a)",
            "(.a .b)..c(",
            "\"a",
            "printf \"\\n\"",
            &deep,
            &long,
            &pipes,
            "é\u{e000}",
        ] {
            assert_eq!(Expression::parse(action), None, "{action}");
        }
    }
}
