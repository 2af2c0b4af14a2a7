//! Asks a question on the terminal, if there is a person to answer it.

use std::io::{BufRead, IsTerminal, Write};

/// More than the longest possible answer.
const LONGEST: u64 = 1000;

/// Asks whether to write the files; `None` if there is nobody to ask.
pub fn write_files() -> Option<bool> {
    let (answers, mut screen) = (std::io::stdin(), std::io::stderr());
    let can_ask = answers.is_terminal() && screen.is_terminal();
    can_ask.then(|| is_confirmed("Write these files? [y/N] ", answers.lock(), &mut screen))
}

/// Anything but a yes counts as no, including a closed terminal.
fn is_confirmed(question: &str, answers: impl BufRead, screen: &mut impl Write) -> bool {
    let asked = screen.write_all(question.as_bytes()).and_then(|()| screen.flush());
    let mut line = String::new();
    let read = asked.and_then(|()| answers.take(LONGEST).read_line(&mut line));
    read.is_ok() && ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (answer, wanted) in [
            ("y\n", true),
            ("Yes\r\n", true),
            (" y \n", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("yep\n", false),
            ("\u{1b}[A\n", false),
        ] {
            let mut screen = Vec::new();
            assert_eq!(is_confirmed("sure? ", answer.as_bytes(), &mut screen), wanted, "{answer:?}");
            assert_eq!(screen, b"sure? ");
        }
        assert!(!is_confirmed("sure? ", &b"\xff\n"[..], &mut Vec::new()));
    }
}
