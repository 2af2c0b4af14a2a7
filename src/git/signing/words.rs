//! Splits command lines, and formats the output of other programs.

/// How many characters of a program's output go into a message.
const MAX_MESSAGE: usize = 600;

/// A program's messages for the user, on one line.
pub fn message_of(stderr: &str) -> String {
    let lines =
        stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("[GNUPG:]"));
    let text = lines.collect::<Vec<_>>().join("; ");
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "it does not say why".to_owned(),
        None => text,
    }
}

/// Splits a command line into words at spaces, except inside quotes and after a backslash. No shell is involved, as
/// in git (`split_cmdline` in git's `alias.c`). `None` if a quote is not closed, or if there are no words.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = line.trim().chars();
    while let Some(c) = rest.next() {
        match (c, quote) {
            (c, None) if c.is_ascii_whitespace() => words.extend(word.take()),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(rest.next()?),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (quote.is_none() && !words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        for (line, wanted) in [
            ("ssh-add -L", vec!["ssh-add", "-L"]),
            (" a  b\t'c d'\"e \\\" f\"g\\ h ", vec!["a", "b", "c de \" fg h"]),
            (r"'a\b' ''", vec![r"a\b", ""]),
            ("a;b $c |d", vec!["a;b", "$c", "|d"]),
        ] {
            assert_eq!(split(line).unwrap(), wanted, "{line}");
        }
        for wrong in ["", "  ", "'a", "a \"", "a\\"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn words_of_a_program() {
        assert_eq!(
            message_of("[GNUPG:] KEY_CONSIDERED X 0\ngpg: skipped\n\ngpg: failed\n"),
            "gpg: skipped; gpg: failed"
        );
        assert_eq!(message_of(" \n"), "it does not say why");
        assert_eq!(message_of(&"ü".repeat(1000)).chars().count(), 601);
    }
}
