//! Text with `{variables}`, for tags and commit messages.
//!
//! Pure. A template is read once and checked; what the variables stand for is the caller's.

/// A template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(Variable),
}

/// `{name}` or `{name:argument}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub argument: Option<String>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {template:?}: {problem}")]
pub struct TemplateError {
    pub template: String,
    pub problem: TemplateProblem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    #[error("unmatched {0}")]
    LoneBrace(char),
    #[error("a variable without a name")]
    NamelessVariable,
}

impl Template {
    /// Parses a template. `{{` and `}}` are literal braces.
    ///
    /// # Errors
    /// An unmatched brace, or a variable without a name.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let error = |problem| TemplateError { template: text.to_owned(), problem };
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let behind = &rest[at + 1..];
            if behind.starts_with(brace) {
                plain.push_str(brace);
                rest = &behind[1..];
                continue;
            }
            let variable = (brace == "{").then(|| behind.split_once('}')).flatten();
            let lone = if brace == "{" { '{' } else { '}' };
            let (inside, after) = variable.ok_or_else(|| error(TemplateProblem::LoneBrace(lone)))?;
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Variable(Variable::parse(inside).map_err(error)?));
            rest = after;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Template { text: text.to_owned(), pieces })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Variable(variable) => Some(variable),
        })
    }

    /// Fills in the variables. `value` returns the value of a variable, or the reason why it has none.
    ///
    /// # Errors
    /// The first error that `value` returns.
    pub fn fill<E>(&self, value: impl Fn(&Variable) -> Result<String, E>) -> Result<String, E> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Variable(variable) => text.push_str(&value(variable)?),
            }
        }
        Ok(text)
    }

    /// A regular expression that matches the results of the template. Variables for which `group` returns an
    /// expression become groups.
    pub fn pattern(&self, group: impl Fn(&Variable) -> Option<String>) -> String {
        let parts = self.pieces.iter().map(|piece| match piece {
            Piece::Text(plain) => regex::escape(plain),
            Piece::Variable(variable) => group(variable).map_or(".+?".to_owned(), |g| format!("({g})")),
        });
        format!("^{}$", parts.collect::<String>())
    }
}

impl Variable {
    fn parse(inside: &str) -> Result<Self, TemplateProblem> {
        let (name, argument) = match inside.split_once(':') {
            Some((name, argument)) => (name, Some(argument.to_owned())),
            None => (inside, None),
        };
        if name.is_empty() {
            return Err(TemplateProblem::NamelessVariable);
        }
        Ok(Variable { name: name.to_owned(), argument })
    }
}

/// The known word that is most similar to this one, if any is similar enough.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|k| (strsim::jaro_winkler(word, k), k));
    scored.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_arguments_and_braces() {
        let template = Template::parse("a-{x}-{y:%H:%M}{{}}").unwrap();
        let filled =
            template.fill(|v| Ok::<_, TemplateProblem>(format!("<{}|{:?}>", v.name, v.argument))).unwrap();
        assert_eq!(filled, r#"a-<x|None>-<y|Some("%H:%M")>{}"#);
    }

    #[test]
    fn wrong_templates_are_rejected() {
        for wrong in ["{", "a}", "{}", "{:x}", "{a"] {
            assert!(Template::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn near_words() {
        assert_eq!(nearest("brnch", ["branch", "sha"]), Some("branch"));
        assert_eq!(nearest("xyz", ["branch", "sha"]), None);
    }
}
