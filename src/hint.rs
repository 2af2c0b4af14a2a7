//! Hints: what to do about an error. A hint names flags, worded for the reader, and so may a message.
//!
//! At a terminal, the user types `--add`; in a workflow, the same choice is the input `add: true`.

use std::fmt;
use std::ops::Add;

/// Who reads a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    #[default]
    CommandLine,
    /// The GitHub action, whose inputs have the same names as the flags.
    Action,
}

/// Flags that have no input in the action.
const WITHOUT_INPUT: [&str; 4] = ["fetch", "limit", "since", "yes"];

/// Flags that take a value only with `=`, because they need none.
const OPTIONAL_VALUE: [&str; 2] = ["auto-merge", "verify"];

/// Flags that people know by their short form.
const SHORT: [(&str, &str); 4] = [("file", "-f"), ("repo", "-C"), ("dry-run", "-n"), ("verbose", "-v")];

/// Text that names flags, before they are worded for a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint(Vec<HintPart>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum HintPart {
    Text(String),
    /// Text for users of the action only.
    InAction(&'static str),
    /// A flag, by name only.
    Flag(&'static str),
    /// A flag that takes no value.
    Switch(&'static str),
    /// The same, of `tagbump bump` alone.
    SwitchOfBump(&'static str),
    Setting(&'static str, String),
}

/// Starts a hint.
pub fn hint(text: impl Into<String>) -> Hint {
    Hint(vec![HintPart::Text(text.into())])
}

/// Text for users of the action only.
pub fn in_action(text: &'static str) -> Hint {
    Hint(vec![HintPart::InAction(text)])
}

/// A flag that takes a value, by its name: `--expect`, or the input "expect".
pub fn flag(name: &'static str) -> Hint {
    Hint(vec![HintPart::Flag(name)])
}

/// A flag without a value: `--add`, or `add: true`.
pub fn switch(name: &'static str) -> Hint {
    Hint(vec![HintPart::Switch(name)])
}

/// A flag without a value that only a bump has: `tagbump bump --add`, or `add: true`. For errors of other commands too.
pub fn switch_of_bump(name: &'static str) -> Hint {
    Hint(vec![HintPart::SwitchOfBump(name)])
}

/// A flag with a value: `--to TAG`, or `to: TAG`.
pub fn setting(name: &'static str, value: impl Into<String>) -> Hint {
    Hint(vec![HintPart::Setting(name, value.into())])
}

impl Hint {
    /// Words the hint for `audience`.
    pub fn for_audience(&self, audience: Audience) -> String {
        self.0.iter().map(|part| part.text(audience)).collect()
    }

    /// Whether it has no text.
    pub fn is_empty(&self) -> bool {
        self.to_string().trim().is_empty()
    }

    /// The flags that the hint names.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter_map(|part| match part {
            HintPart::Text(_) | HintPart::InAction(_) => None,
            HintPart::Flag(name)
            | HintPart::Switch(name)
            | HintPart::SwitchOfBump(name)
            | HintPart::Setting(name, _) => Some(*name),
        })
    }

    /// Applies `change` to every text in the hint, for example to remove secrets.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&str) -> String) -> Self {
        let changed = self.0.into_iter().map(|part| match part {
            HintPart::Text(text) => HintPart::Text(change(&text)),
            HintPart::Setting(name, value) => HintPart::Setting(name, change(&value)),
            part => part,
        });
        Hint(changed.collect())
    }
}

impl HintPart {
    fn text(&self, audience: Audience) -> String {
        match self {
            HintPart::Text(text) => text.clone(),
            HintPart::InAction(text) if audience == Audience::Action => (*text).to_owned(),
            HintPart::InAction(_) => String::new(),
            HintPart::Flag(name) if has_input(audience, name) => format!("the input \"{name}\""),
            HintPart::Switch(name) | HintPart::SwitchOfBump(name) if has_input(audience, name) => {
                format!("{name}: true")
            }
            HintPart::Setting(name, value) if has_input(audience, name) => format!("{name}: {value}"),
            HintPart::Flag(name) | HintPart::Switch(name) => typed(name),
            HintPart::SwitchOfBump(name) => format!("tagbump bump IMAGE:TAG {}", typed(name)),
            HintPart::Setting(name, value) if OPTIONAL_VALUE.contains(name) => {
                format!("{}={value}", typed(name))
            }
            HintPart::Setting(name, value) => format!("{} {}", typed(name), quoted(value)),
        }
    }
}

/// Whether a flag is an input for `audience`.
pub(crate) fn has_input(audience: Audience, name: &str) -> bool {
    audience == Audience::Action && !WITHOUT_INPUT.contains(&name)
}

fn typed(name: &str) -> String {
    let short = SHORT.iter().find(|(long, _)| *long == name);
    short.map_or_else(|| format!("--{name}"), |(_, short)| (*short).to_owned())
}

/// A value as a shell reads it, unless it is quoted already.
pub fn quoted(value: &str) -> String {
    let is_special = |c: char| c.is_whitespace() || "\\'\"$`*?;&|<>()!#~".contains(c);
    match value.contains(is_special) && !value.starts_with('\'') {
        true => format!("'{}'", value.replace('\'', r"'\''")),
        false => value.to_owned(),
    }
}

/// Words flags as on the command line.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.for_audience(Audience::CommandLine))
    }
}

impl<T: Into<String>> From<T> for Hint {
    fn from(text: T) -> Self {
        hint(text)
    }
}

impl Add for Hint {
    type Output = Hint;

    fn add(mut self, more: Hint) -> Hint {
        self.0.extend(more.0);
        self
    }
}

impl Add<&str> for Hint {
    type Output = Hint;

    fn add(self, more: &str) -> Hint {
        self + hint(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_inputs_in_the_action() {
        let hint = hint("use ") + switch("add") + ", " + setting("to", "TAG") + " or " + flag("file");
        assert_eq!(hint.to_string(), "use --add, --to TAG or -f");
        let in_action = "use add: true, to: TAG or the input \"file\"";
        assert_eq!(hint.for_audience(Audience::Action), in_action);
        assert_eq!(hint.flags().collect::<Vec<_>>(), ["add", "to", "file"]);
        let step = super::in_action("run actions/checkout, or ") + "name a checkout";
        assert_eq!(step.to_string(), "name a checkout");
        assert_eq!(step.for_audience(Audience::Action), "run actions/checkout, or name a checkout");
    }

    #[test]
    fn flag_with_optional_value_takes_it_with_an_equals_sign() {
        assert_eq!(setting("verify", "off").to_string(), "--verify=off");
        assert_eq!(setting("verify", "off").for_audience(Audience::Action), "verify: off");
        assert_eq!(switch_of_bump("add").to_string(), "tagbump bump IMAGE:TAG --add");
    }

    #[test]
    fn value_is_quoted_for_the_shell() {
        for (value, typed) in [
            (r"foo.app\.kubernetes\.io/image", r"--field 'foo.app\.kubernetes\.io/image'"),
            ("it's", r"--field 'it'\''s'"),
            ("a b", "--field 'a b'"),
            ("list[0].tag", "--field list[0].tag"),
            ("'**/prod'", "--field '**/prod'"),
        ] {
            assert_eq!(setting("field", value).to_string(), typed);
        }
        assert_eq!(setting("field", "a b").for_audience(Audience::Action), "field: a b");
    }

    #[test]
    fn flag_without_input_stays_a_flag() {
        assert_eq!(setting("since", "36h").for_audience(Audience::Action), "--since 36h");
    }
}
