//! What `.` and the variables of a template stand for: `with` gives `.` another meaning, and `$tag := …` declares a variable.
//! Both are replaced by what they stand for, so that a line says by itself which values it uses.
//!
//! (`text/template`: a variable counts until the end of the block in which it is declared, or of the template; `$` is what the
//! template was called with.)

use std::borrow::Cow;

use super::syntax::as_if;

/// A variable for a longer expression isn't followed.
const MAX_LENGTH: usize = 1000;

/// Once a text has become longer by this, nothing more is replaced in it.
const MAX_GROWTH: usize = 4096;

/// In deeper blocks, `.` isn't followed.
const MAX_DEPTH: usize = 100;

/// Further variables aren't followed.
const MAX_VARIABLES: usize = 100;

/// A variable that is changed under more conditions isn't followed.
const MAX_CONDITIONS: usize = 8;

/// Marks what isn't known; no expression with it can be read.
const UNKNOWN: char = '?';

/// What `.` and variables stand for where a template is read.
#[derive(Clone, Default)]
pub(super) struct Bindings {
    blocks: Vec<OpenBlock>,
    variables: Vec<TemplateVariable>,
}

/// A block that is open.
#[derive(Clone)]
struct OpenBlock {
    dot: Dot,
    /// How many variables there were before.
    variables: usize,
    /// What must hold for it to be rendered; `None` if that isn't known.
    conditions: Option<Vec<String>>,
}

#[derive(Clone)]
enum Dot {
    /// What the template was called with.
    Root,
    /// A path such as `$.Values.image`, or an expression in parentheses.
    Path(String),
    Unknown,
}

#[derive(Clone)]
struct TemplateVariable {
    name: String,
    /// What it stands for. With [`UNKNOWN`] in it, it is what it may stand for.
    expression: String,
    /// How many blocks were open where it was declared.
    depth: usize,
}

impl Bindings {
    /// Follows a word that begins a block or ends one, with what is behind it. Returns whether it is a `with` that only gives
    /// another meaning to `.`, and a known one.
    pub fn follow(&mut self, keyword: &str, pipeline: &str) -> bool {
        match keyword {
            "if" => self.open_if(pipeline),
            "block" => self.push(self.dot().clone(), None),
            "with" => return self.open_with(pipeline),
            "range" => self.open_range(pipeline),
            "else" => return self.follow_else(pipeline),
            "end" => self.close(),
            _ => {}
        }
        false
    }

    fn open_if(&mut self, pipeline: &str) {
        self.push(self.dot().clone(), Some(vec![self.condition(pipeline)]));
        self.assign(pipeline);
    }

    fn open_with(&mut self, pipeline: &str) -> bool {
        self.push(self.dot().clone(), Some(vec![self.condition(pipeline)]));
        self.set_dot(pipeline)
    }

    /// What an `if` or `with` depends on.
    fn condition(&self, pipeline: &str) -> String {
        format!("({})", self.value(pipeline.rsplit_once(":=").map_or(pipeline, |(_, value)| value)))
    }

    /// Gives the innermost block the `.` of a `with`.
    fn set_dot(&mut self, pipeline: &str) -> bool {
        let dot = if self.blocks.len() <= MAX_DEPTH { self.dot_of(pipeline) } else { Dot::Unknown };
        let is_known = !matches!(dot, Dot::Unknown);
        self.assign(pipeline);
        if let Some(block) = self.blocks.last_mut() {
            block.dot = dot;
        }
        is_known
    }

    /// Here, `.` and the variables before `:=` are each of several values.
    fn open_range(&mut self, pipeline: &str) {
        self.push(Dot::Unknown, None);
        let names = pipeline.split_once(":=").map_or("", |(names, _)| names);
        names.split(',').for_each(|name| self.add(name.trim(), UNKNOWN.to_string()));
    }

    /// An `else`: the block goes on with the `.` and the variables from before it.
    pub fn turn(&mut self) {
        let mut conditions = self.blocks.last_mut().and_then(|block| block.conditions.take());
        if let Some(last) = conditions.as_mut().and_then(|all| all.last_mut()) {
            *last = format!("(not {last})");
        }
        self.close();
        self.push(self.dot().clone(), conditions);
    }

    /// What is behind an `else`, such as `if .x`.
    fn follow_else(&mut self, pipeline: &str) -> bool {
        let (with, of_if) = (pipeline.strip_prefix("with "), pipeline.strip_prefix("if "));
        let condition = with.or(of_if).map(|pipeline| self.condition(pipeline));
        if let (Some(block), Some(condition)) = (self.blocks.last_mut(), condition) {
            block.conditions = block.conditions.take().filter(|all| all.len() < MAX_CONDITIONS);
            block.conditions.iter_mut().for_each(|all| all.push(condition.clone()));
        }
        if let Some(pipeline) = with {
            return self.set_dot(pipeline);
        }
        self.assign(of_if.unwrap_or(pipeline));
        false
    }

    fn push(&mut self, dot: Dot, conditions: Option<Vec<String>>) {
        let dot = if self.blocks.len() < MAX_DEPTH { dot } else { Dot::Unknown };
        self.blocks.push(OpenBlock { dot, variables: self.variables.len(), conditions });
    }

    fn close(&mut self) {
        if let Some(block) = self.blocks.pop() {
            self.variables.truncate(block.variables);
        }
    }

    /// Follows `$name := expression` and `$name = expression`. Returns whether the variable is known from here on; `None` if it is
    /// something else.
    pub fn assign(&mut self, action: &str) -> Option<bool> {
        let (name, expression) = action.split_once('=')?;
        let declared = name.strip_suffix(':');
        let name = declared.unwrap_or(name).trim();
        if !is_variable(name) {
            return None;
        }
        let mut expression = self.value(expression);
        if declared.is_none() {
            let nth = self.variables.iter().rposition(|variable| variable.name == name)?;
            let inside = &self.blocks[self.variables[nth].depth..];
            if !inside.is_empty() {
                let before = &self.variables[nth].expression;
                expression = short(match all_hold(inside) {
                    Some(condition) => format!("ternary ({expression}) ({before}) ({condition})"),
                    None => format!("{UNKNOWN} {before} {expression}"),
                });
            }
            self.variables[nth].expression.clone_from(&expression);
        }
        let is_known = !expression.contains(UNKNOWN);
        if declared.is_some() {
            self.add(name, expression);
        }
        Some(is_known)
    }

    fn add(&mut self, name: &str, expression: String) {
        if !is_variable(name) {
            return;
        }
        if self.variables.len() >= MAX_VARIABLES {
            let same_name = self.variables.iter_mut().filter(|variable| variable.name == name);
            same_name.for_each(|variable| variable.expression = UNKNOWN.to_string());
            return;
        }
        let depth = self.blocks.len();
        self.variables.push(TemplateVariable { name: name.to_owned(), expression, depth });
    }

    /// What an expression gives, as a variable keeps it: nothing is left in it to be replaced.
    fn value(&self, expression: &str) -> String {
        let value = self.resolve(expression.trim());
        short(if value == "." { "$".to_owned() } else { value.into_owned() })
    }

    fn dot(&self) -> &Dot {
        self.blocks.last().map_or(&Dot::Root, |block| &block.dot)
    }

    fn dot_of(&self, pipeline: &str) -> Dot {
        let value = pipeline.rsplit_once(":=").map_or(pipeline, |(_, value)| value);
        match self.value(value).as_str() {
            "$" => Dot::Root,
            path if is_path(path) => Dot::Path(format!("${}", path.trim_start_matches('$'))),
            expression if expression.contains(UNKNOWN) => Dot::Unknown,
            expression => Dot::Path(format!("({expression})")),
        }
    }

    /// A text of a template, with each action in it resolved.
    pub fn resolve_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.may_replace(text) {
            true => in_actions(text, |action| self.resolve(action).into_owned()).into(),
            false => text.into(),
        }
    }

    /// The same, where the text has its own control flow; with `if` for `with`.
    pub fn resolve_with_blocks<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains("with ") {
            return self.resolve_text(text);
        }
        let mut inside = self.clone();
        let resolve = |written: &str| {
            let action = written.trim_matches(['-', ' ']);
            if action.starts_with("else") {
                inside.turn();
            }
            let resolved = written.replacen(action, &as_if(&inside.resolve(action)), 1);
            let (keyword, pipeline) = action.split_once(' ').unwrap_or((action, ""));
            inside.follow(keyword, pipeline.trim());
            resolved
        };
        in_actions(text, resolve).into()
    }

    /// An action, with what `.` and variables stand for in their places.
    pub fn resolve<'t>(&self, action: &'t str) -> Cow<'t, str> {
        if !self.may_replace(action) {
            return action.into();
        }
        let (mut resolved, mut rest, mut previous) = (String::new(), action, ' ');
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' | '`' | '\'' => quoted(rest, first),
                '.' | '$' if !is_part(previous) && previous != ')' => {
                    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                    let has_room = resolved.len() < action.len() + MAX_GROWTH;
                    match self.replaced(&rest[..length]).filter(|_| has_room) {
                        Some(text) => resolved.push_str(&text),
                        None => resolved.extend([UNKNOWN.to_string().as_str(), &rest[..length]]),
                    }
                    previous = 'a';
                    rest = &rest[length..];
                    continue;
                }
                _ => first.len_utf8(),
            };
            resolved.push_str(&rest[..length]);
            previous = rest[..length].chars().next_back().unwrap_or(' ');
            rest = &rest[length..];
        }
        resolved.into()
    }

    fn may_replace(&self, text: &str) -> bool {
        !matches!(self.dot(), Dot::Root) && text.contains('.') || text.contains('$')
    }

    /// What a word such as `.tag`, `$image.tag` or `$.Values` stands for; `None` if that isn't known.
    fn replaced(&self, word: &str) -> Option<String> {
        let Some(name) = word.strip_prefix('$') else {
            return match self.dot() {
                Dot::Root => Some(word.to_owned()),
                Dot::Path(path) if word == "." => Some(path.clone()),
                Dot::Path(path) => Some(format!("{path}{word}")),
                Dot::Unknown => None,
            };
        };
        let behind = name.find('.').unwrap_or(name.len());
        let (name, behind) = name.split_at(behind);
        if name.is_empty() {
            return Some(word.to_owned());
        }
        let variable = self.variables.iter().rfind(|variable| variable.name[1..] == *name)?;
        let expression = &variable.expression;
        match is_path(expression) {
            true => Some(format!("{expression}{behind}")),
            false => Some(format!("({expression}){behind}")),
        }
    }
}

/// A text with something else in each action.
fn in_actions(text: &str, mut replace: impl FnMut(&str) -> String) -> String {
    let (mut replaced, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        let end = behind.find("}}").unwrap_or(behind.len());
        replaced.push_str(before);
        replaced.push_str("{{");
        replaced.push_str(&replace(&behind[..end]));
        rest = &behind[end..];
    }
    replaced.push_str(rest);
    replaced
}

/// What must hold for all of these blocks to be rendered; `None` if that isn't known.
fn all_hold(blocks: &[OpenBlock]) -> Option<String> {
    if blocks.len() > MAX_CONDITIONS {
        return None;
    }
    let conditions: Option<Vec<_>> = blocks.iter().map(|block| block.conditions.as_deref()).collect();
    Some(format!("and {}", conditions?.concat().join(" ")))
}

/// An expression that can be kept.
fn short(expression: String) -> String {
    if expression.len() <= MAX_LENGTH { expression } else { UNKNOWN.to_string() }
}

/// The length of what is in quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = quote == '`';
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\\' if quote != '`' && !is_escaped => is_escaped = true,
            c if c == quote && (quote == '`' || !is_escaped) => return at + c.len_utf8(),
            _ => is_escaped = quote == '`',
        }
    }
    text.len()
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || "_.$-".contains(c)
}

/// Whether a text is `$` and a name.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix('$').filter(|name| !name.is_empty());
    name.is_some_and(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// Whether an expression is a path alone.
fn is_path(expression: &str) -> bool {
    expression.starts_with(['.', '$']) && expression.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_by_what_they_stand_for() {
        let mut bindings = Bindings::default();
        assert_eq!(bindings.assign("$root := ."), Some(true));
        assert_eq!(bindings.assign("$image := $root.Values.image"), Some(true));
        assert_eq!(bindings.assign("$tag := $.Values.tag | default $image.tag"), Some(true));
        assert_eq!(bindings.assign("eq $tag \"=\""), None);
        let resolved = bindings.resolve("printf \"$tag.%s\" $tag `.x` $image.name (.a).b $other -");
        let tag = "($.Values.tag | default $.Values.image.tag)";
        assert_eq!(resolved, format!("printf \"$tag.%s\" {tag} `.x` $.Values.image.name (.a).b ?$other -"));
        assert_eq!(bindings.resolve_text("$image {{ $image.tag }}"), "$image {{ $.Values.image.tag }}");
    }

    #[test]
    fn variable_counts_until_its_block_ends() {
        let mut bindings = Bindings::default();
        bindings.assign("$a := .x");
        bindings.follow("if", ".c");
        bindings.assign("$a := .y");
        assert_eq!(bindings.resolve("$a"), ".y");
        bindings.follow("end", "");
        assert_eq!(bindings.resolve("$a"), ".x");
        assert_eq!(bindings.assign("$a = .z"), Some(true));
        assert_eq!(bindings.resolve("$a"), ".z");
        bindings.follow("if", "$a := .c");
        assert_eq!(bindings.resolve("$a"), ".c");
        bindings.turn();
        bindings.follow("else", "if .d");
        assert_eq!(bindings.assign("$a = .y"), Some(true), "it depends on the block");
        bindings.follow("end", "");
        assert_eq!(bindings.resolve("$a"), "(ternary (.y) (.z) (and (not (.c)) (.d)))");
        bindings.follow("range", ".list");
        assert_eq!(bindings.assign("$a = .w"), Some(false), "it depends on the list");
        bindings.follow("end", "");
        assert!(bindings.resolve("$a").starts_with("(? ternary"));
    }

    #[test]
    fn variable_that_is_one_too_many_is_unknown() {
        let mut bindings = Bindings::default();
        for nth in 0..=MAX_VARIABLES {
            bindings.assign(&format!("$v{nth} := .x"));
        }
        bindings.assign("$v0 := .y");
        assert_eq!(bindings.resolve("$v0 $v1 $v100"), "(?) .x ?$v100");
    }

    #[test]
    fn variable_that_depends_on_too_much_is_unknown() {
        for is_deep in [true, false] {
            for count in [MAX_CONDITIONS, MAX_CONDITIONS + 1] {
                let mut bindings = Bindings::default();
                bindings.assign("$a := .x");
                bindings.follow("if", ".c");
                for _ in 1..count {
                    if is_deep {
                        bindings.follow("if", ".c");
                    } else {
                        bindings.turn();
                        bindings.follow("else", "if .c");
                    }
                }
                assert_eq!(bindings.assign("$a = .y"), Some(count == MAX_CONDITIONS), "{count} {is_deep}");
            }
        }
    }

    #[test]
    fn dot_is_what_with_is_about() {
        let mut bindings = Bindings::default();
        assert!(bindings.follow("with", ".Values.image"));
        assert_eq!(
            bindings.resolve(".tag | default $.x | f ."),
            "$.Values.image.tag | default $.x | f $.Values.image"
        );
        bindings.follow("with", "$i := .inner");
        assert_eq!(bindings.resolve(".a $i.b"), "$.Values.image.inner.a $.Values.image.inner.b");
        bindings.turn();
        assert_eq!(bindings.resolve(".a"), "$.Values.image.a");
        bindings.follow("end", "");
        bindings.follow("range", "$key, $value := .list");
        assert_eq!(bindings.resolve(".a $key $value.b $.c"), "?.a (?) (?).b $.c");
        bindings.follow("end", "");
        bindings.follow("end", "");
        assert!(bindings.follow("with", "index . \"x\""));
        assert_eq!(bindings.resolve(".a | f ."), "(index . \"x\").a | f (index . \"x\")");
        bindings.turn();
        bindings.follow("end", "");
        assert!(!bindings.follow("with", "$y"));
        assert_eq!(bindings.resolve(".a"), "?.a");
        bindings.turn();
        assert!(bindings.follow("else", "with .y"));
        assert_eq!(bindings.resolve(".a"), "$.y.a");
    }

    #[test]
    fn text_stays_short() {
        let mut bindings = Bindings::default();
        bindings.assign("$a := f .x .x .x .x .x .x");
        for _ in 0..20 {
            bindings.assign("$a := f $a $a $a");
        }
        let long = "$a ".repeat(100_000);
        assert!(bindings.resolve(&long).len() < 3 * long.len());
        let quotes = ["\"a\\\"b\" .x", "`\\` .x", "'\"' .x", "\"é .x", ""];
        bindings.follow("range", "$x := .");
        assert_eq!(quotes.map(|text| bindings.resolve(text).matches('?').count()), [1, 1, 1, 0, 0]);
    }
}
