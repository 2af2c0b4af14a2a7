//! Text from elsewhere in the log of a CI system that looks for commands there.
//!
//! The runner of GitHub Actions (and those of Gitea and Forgejo) takes a line that starts with `::`, blanks aside, for a
//! command, and one with `##[` anywhere; Azure Pipelines obeys `##vso[` and TeamCity `##teamcity[`. Such text gets one of its
//! characters written out, so that it is no command, whatever else is in the log.
//!
//! GitHub's own way, `stop-commands`, can't be relied on: the runner reads both streams line by line, in no order between
//! them, and knows one word at a time. A word on one stream would stop our own commands on the other, or the end of a block
//! on one stream would let the text of the other be obeyed.

use std::borrow::Cow;

use crate::environment::Environment;

/// What is a command wherever it stands in a line.
const ANYWHERE: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// Whether the log is read by a system that looks for commands.
pub fn log_has_commands(environment: &Environment) -> bool {
    let is_true = |name| environment.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    is_true("GITHUB_ACTIONS") || is_true("TF_BUILD") || environment.get("TEAMCITY_VERSION").is_some()
}

/// The text, with nothing in it that is a command. Colours may be in it.
pub fn as_text(text: &str) -> String {
    text.split_inclusive(['\n', '\r']).map(line).collect()
}

fn line(line: &str) -> Cow<'_, str> {
    let start = start_of_text(line);
    let at_start = line[start..].starts_with("::");
    if !at_start && !ANYWHERE.iter().any(|command| line.contains(command)) {
        return Cow::Borrowed(line);
    }
    let (blanks, rest) = line.split_at(start);
    let rest = if at_start { rest.replacen(':', r"\u{3a}", 1) } else { rest.to_owned() };
    Cow::Owned(format!("{blanks}{}", without_marks(&rest)))
}

/// The text, with nothing in it that is a command wherever it stands.
pub(super) fn without_marks(text: &str) -> String {
    let written_out =
        |text: String, command: &str| text.replace(command, &command.replacen('#', r"\u{23}", 1));
    ANYWHERE.into_iter().fold(text.to_owned(), written_out)
}

/// Where the blanks and colours at the start of a line end.
fn start_of_text(line: &str) -> usize {
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start();
        let after_color = trimmed.strip_prefix("\u{1b}[").and_then(|codes| {
            let end = codes.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            codes[end..].strip_prefix('m')
        });
        match after_color {
            Some(after) => rest = after,
            None => return line.len() - trimmed.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_text() {
        for (command, text) in [
            ("::error::x\n", "\\u{3a}:error::x\n"),
            ("a\n \t::add-mask::x", "a\n \t\\u{3a}:add-mask::x"),
            ("\u{a0}\u{2003}::x::", "\u{a0}\u{2003}\\u{3a}:x::"),
            ("a\r::x::", "a\r\\u{3a}:x::"),
            ("\u{1b}[31m ::x::\u{1b}[0m", "\u{1b}[31m \\u{3a}:x::\u{1b}[0m"),
            ("a ##[set-env name=x]y", "a \\u{23}#[set-env name=x]y"),
            ("###[x]##[y]", "#\\u{23}#[x]\\u{23}#[y]"),
            ("##vso[task.setvariable variable=x]y", "\\u{23}#vso[task.setvariable variable=x]y"),
            ("##teamcity[x]", "\\u{23}#teamcity[x]"),
        ] {
            assert_eq!(as_text(command), text);
            assert_eq!(as_text(text), text);
        }
    }

    #[test]
    fn other_text_stays() {
        for text in ["", "a ::b::\n", "-::x::\n", "# [x]\n", "## x\n", ":x::\n", "\u{1b}[31m-a\u{1b}[0m\n"] {
            assert_eq!(as_text(text), text);
        }
    }

    #[test]
    fn systems_are_known_by_their_own_variables() {
        let has =
            |name: &str, value: &str| log_has_commands(&Environment::new([(name.into(), value.into())]));
        assert!(
            has("GITHUB_ACTIONS", "true") && has("TF_BUILD", "True") && has("TEAMCITY_VERSION", "2025.03")
        );
        assert!(!has("GITHUB_ACTIONS", "") && !has("CI", "true") && !has("TF_BUILD", "False"));
    }
}
