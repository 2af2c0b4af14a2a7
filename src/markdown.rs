//! Makes text from files and servers safe to show in Markdown.
//!
//! Pure. Forges render commit messages, pull requests and job summaries as Markdown: `@name` notifies people,
//! `fixes #1` closes an issue, `<img>` loads an image. In a code span ("Code spans" in the CommonMark
//! specification), all of these are plain text.

use crate::visible::inline;

/// How many characters a code span shows.
const MAX_SPAN: usize = 100;
/// Longer text is never plain. Image names have at most 512 characters.
const MAX_PLAIN: usize = 512;

/// The text as a code span on one line, which no character inside can end. Long text is cut.
pub fn code_span(text: &str) -> String {
    let mut shown = inline(&text.chars().take(MAX_SPAN).collect::<String>());
    if text.chars().nth(MAX_SPAN).is_some() {
        shown.push('…');
    }
    let fence = "`".repeat(longest_run(&shown) + 1);
    // a Markdown renderer strips one space from each side
    let needs_space = shown.is_empty() || shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']);
    let space = if needs_space { " " } else { "" };
    format!("{fence}{space}{shown}{space}{fence}")
}

/// The first `max` characters of a line. It never cuts a code span in two, because the text of its first half
/// could then take effect.
pub fn cut_line(line: &str, max: usize) -> &str {
    let Some((end, _)) = line.char_indices().nth(max) else { return line };
    let mut at = 0;
    while let Some(open) = line[at..].find('`').map(|found| at + found) {
        let run = line[open..].bytes().take_while(|b| *b == b'`').count();
        // a run without a partner is plain text
        at = closing(line, open + run, run).unwrap_or(open + run);
        if at > open + run && (open + 1..at).contains(&end) {
            return line[..open].trim_end();
        }
    }
    &line[..end]
}

/// Finds the end of the run of `run` backticks that closes a code span.
fn closing(line: &str, from: usize, run: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let start = at + line[at..].find('`')?;
        let length = line[start..].bytes().take_while(|b| *b == b'`').count();
        at = start + length;
        if length == run {
            return Some(at);
        }
    }
}

/// The text as a fenced code block, which nothing inside can end.
pub fn code_block(text: &str, language: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let line = |line: &str| line.split('\t').map(inline).collect::<Vec<_>>().join("\t");
    let lines: Vec<_> = text.trim_end().split('\n').map(line).collect();
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// Whether a text may appear outside of a code span: it has only characters of tags, image names and ordinary
/// paths, and isn't a link or a reference to an issue.
pub fn is_plain(text: &str) -> bool {
    let is_harmless = |b: u8| b.is_ascii_alphanumeric() || b"._-+=/:".contains(&b);
    let lower = text.to_ascii_lowercase();
    let links = ["www.", "://", "gh-"].iter().any(|start| lower.contains(start));
    !text.is_empty() && text.len() <= MAX_PLAIN && text.bytes().all(is_harmless) && !links
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_span_can_not_be_left() {
        assert_eq!(code_span("v1 fixes #1 @acme/everyone <img>"), "`v1 fixes #1 @acme/everyone <img>`");
        assert_eq!(code_span("a`b``c"), "```a`b``c```");
        assert_eq!(code_span("`x\n"), "`` `x\\n ``");
        assert_eq!(code_span(""), "`  `");
        assert_eq!(code_span(&"é".repeat(101)), format!("`{}…`", "é".repeat(100)));
    }

    #[test]
    fn cut_line_leaves_no_half_of_a_code_span() {
        let line = "update `a @b` to ``c`d`` now";
        for (max, cut) in [
            (3, "upd"),
            (7, "update "),
            (8, "update"),
            (12, "update"),
            (13, "update `a @b`"),
            (20, "update `a @b` to"),
            (24, "update `a @b` to ``c`d``"),
            (99, line),
        ] {
            assert_eq!(cut_line(line, max), cut, "{max}");
        }
        assert_eq!(cut_line("a ` b `` c", 5), "a ` b");
    }

    #[test]
    fn code_block_can_not_be_left() {
        assert_eq!(code_block("a\n```\n\u{1b}[2Jb\tc\n", ""), "````\na\n```\n\\u{1b}[2Jb\tc\n````");
    }

    #[test]
    fn names_and_paths_stay_as_they_are() {
        for plain in ["v1.2.3", "ghcr.io/acme/api", "localhost:5000/x", "envs/prod_eu/kustomization.yaml"] {
            assert!(is_plain(plain), "{plain}");
        }
        for active in
            ["@acme", "a b", "#1", "x/GH-1", "www.example.org", "http://x", "<b>", "é", "[skip", "a\\"]
        {
            assert!(!is_plain(active), "{active}");
        }
    }
}
