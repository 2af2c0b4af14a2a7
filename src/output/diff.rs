//! Unified diffs. `git apply` accepts them if every character of the lines is visible; hidden ones are shown as
//! escapes.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, DiffableStr, group_diff_ops};

use crate::edit_script::edit_script;
use crate::plan::FileEdit;
use crate::visible::{self, inline};

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// The number of unchanged lines to show around a change.
const CONTEXT: usize = 3;

/// The diff of some files, with colours. The caller may strip them when printing.
pub fn diff(edits: &[FileEdit]) -> String {
    edits.iter().map(file_diff).collect()
}

fn file_diff(edit: &FileEdit) -> String {
    let (before, after) = (String::from_utf8_lossy(&edit.before), String::from_utf8_lossy(&edit.after));
    let (old, new) = (before.tokenize_lines(), after.tokenize_lines());
    let path = inline(&edit.path);
    let old_path = if edit.before.is_empty() { "/dev/null".to_owned() } else { format!("a/{path}") };
    let mut text = format!("{BOLD}--- {old_path}{BOLD:#}\n{BOLD}+++ b/{path}{BOLD:#}\n");
    for hunk in group_diff_ops(edit_script(&old, &new), CONTEXT) {
        // writing to a string can't fail
        let _ = writeln!(text, "{CYAN}{}{CYAN:#}", UnifiedHunkHeader::new(&hunk));
        for change in hunk.iter().flat_map(|part| part.iter_changes(&old, &new)) {
            let line = change.value();
            let (body, is_last) = shown(line);
            let _ = match change.tag() {
                ChangeTag::Delete => writeln!(text, "{RED}-{body}{RED:#}"),
                ChangeTag::Insert => writeln!(text, "{GREEN}+{body}{GREEN:#}"),
                ChangeTag::Equal => writeln!(text, " {body}"),
            };
            if is_last {
                text.push_str("\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// A line as the diff shows it, and whether it lacks a line break. Shows a carriage return at the end as git
/// does.
fn shown(line: &str) -> (String, bool) {
    let body = line.strip_suffix('\n').unwrap_or(line);
    let without_return = body.strip_suffix('\r').unwrap_or(body);
    let mark = if without_return.len() < body.len() { "^M" } else { "" };
    (format!("{}{mark}", visible::line(without_return)), !line.ends_with(['\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_changes() {
        let edit = FileEdit {
            path: "k/x.yaml".into(),
            before: b"a: 1\r\nb: 2".to_vec(),
            after: b"a: 1\r\nb: 3".to_vec(),
        };
        let plain = anstream::adapter::strip_str(&diff(&[edit])).to_string();
        let expected = "--- a/k/x.yaml\n+++ b/k/x.yaml\n@@ -1,2 +1,2 @@\n a: 1^M\n\
                        -b: 2\n\\ No newline at end of file\n+b: 3\n\\ No newline at end of file\n";
        assert_eq!(plain, expected);
    }
}
