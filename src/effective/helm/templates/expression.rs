//! The actions of Go's templates, as far as charts use them to put an image together.
//!
//! (`text/template/parse`: a pipeline is commands between `|`, each with the result of the one before as its last
//! argument.)

/// Deeper parentheses are left out.
const MAX_DEPTH: usize = 16;

/// Longer actions hold no image.
const MAX_TERMS: usize = 200;

/// The commands of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(pub Vec<Vec<Term>>);

/// A part of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A text in quotes.
    Text(String),
    /// A function, a number, or a path such as `.Values.image.tag`.
    Word(String),
    Expression(Expression),
}

impl Expression {
    /// Reads what is between `{{` and `}}`. `None` if it can't be read, and for more than one expression, such as
    /// `$x := 1`.
    pub fn parse(action: &str) -> Option<Self> {
        let mut parser = ExpressionParser { rest: action.trim_matches('-').trim(), terms: 0 };
        let expression = parser.expression(0)?;
        parser.rest.is_empty().then_some(expression)
    }
}

struct ExpressionParser<'t> {
    rest: &'t str,
    terms: usize,
}

impl<'t> ExpressionParser<'t> {
    fn expression(&mut self, depth: usize) -> Option<Expression> {
        let mut commands = vec![Vec::new()];
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.chars().next() {
                None | Some(')') => break,
                Some('|') => {
                    self.rest = &self.rest[1..];
                    commands.push(Vec::new());
                }
                Some(_) => {
                    let term = self.term(depth)?;
                    commands.last_mut()?.push(term);
                }
            }
        }
        commands.iter().all(|command| !command.is_empty()).then_some(Expression(commands))
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
        match inner.0.as_slice() {
            [command] => match command.as_slice() {
                [Term::Word(path)] => Some(Term::Word(format!("{path}{behind}"))),
                _ => None,
            },
            _ => None,
        }
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

    fn word(text: &str) -> Term {
        Term::Word(text.to_owned())
    }

    #[test]
    fn action_is_read_as_commands() {
        let read =
            Expression::parse("- .Values.global.tag | default (index .Values \"a-b\" `tag`) -").unwrap();
        let texts = ["a-b", "tag"].map(|text| Term::Text(text.to_owned()));
        let index = [vec![word("index"), word(".Values")], texts.to_vec()].concat();
        let default = vec![word("default"), Term::Expression(Expression(vec![index]))];
        assert_eq!(read, Expression(vec![vec![word(".Values.global.tag")], default]));
    }

    #[test]
    fn path_goes_on_behind_a_parenthesis() {
        let read = Expression::parse("((.Values.global).image).tag");
        assert_eq!(read, Some(Expression(vec![vec![word(".Values.global.image.tag")]])));
    }

    #[test]
    fn other_actions_are_not_read() {
        let deep = format!("{}.a{}", "(".repeat(100), ")".repeat(100));
        let long = ".a ".repeat(1000);
        for action in [
            "",
            "$x := .a",
            ".a |",
            "(.a",
            ".a)",
            "\"a",
            "printf \"\\n\"",
            "(.a .b).c",
            &deep,
            &long,
            "é\u{e000}",
        ] {
            assert_eq!(Expression::parse(action), None, "{action}");
        }
    }
}
