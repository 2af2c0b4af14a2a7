//! Makes foreign text safe for the log of a CI system that runs commands found there.
//!
//! The runner of GitHub Actions (and those of Gitea and Forgejo) runs a line that starts with `::` after any
//! blanks as a command, and also one with `##[` anywhere; Azure Pipelines runs `##vso[` and TeamCity
//! `##teamcity[`. In such text, one character is replaced by an escape, so that it can't be a command, no
//! matter what else is in the log.
//!
//! GitHub's own mechanism, `stop-commands`, isn't reliable: the runner reads both streams line by line, in no
//! order between them, and knows only one token at a time. A token on one stream would stop tagbump's own
//! commands on the other, and the end of a block on one stream would make commands in the other's text work
//! again.

use std::borrow::Cow;

use crate::environment::Environment;

/// Text that starts a command anywhere in a line.
const ANYWHERE: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// Whether a CI system reads the log and runs commands in it.
pub fn log_has_commands(environment: &Environment) -> bool {
    let is_true = |name| environment.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    is_true("GITHUB_ACTIONS") || is_true("TF_BUILD") || environment.get("TEAMCITY_VERSION").is_some()
}

/// Makes every command in the text harmless. The text may contain colours.
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

/// Makes the commands harmless that work anywhere in a line.
pub(super) fn without_marks(text: &str) -> String {
    let written_out =
        |text: String, command: &str| text.replace(command, &command.replacen('#', r"\u{23}", 1));
    ANYWHERE.into_iter().fold(text.to_owned(), written_out)
}

/// The end of the blanks and colours at the start of a line.
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
