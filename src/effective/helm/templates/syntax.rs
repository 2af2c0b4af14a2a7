//! The surface of a template: its actions, and the lines that give an image.

use std::borrow::Cow;

/// What is behind `image:` if the image is in the next line.
pub(super) const KEYS_ALONE: [&str; 5] = ["", ">-", ">", "|-", "|"];

/// A text without `{{/* … */}}`, in which each action is in one line; with as many lines.
pub(super) fn in_lines(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        kept.push_str(before);
        let is_comment = behind.trim_start_matches('-').trim_start().starts_with("/*");
        let end = if is_comment {
            behind.find("*/").and_then(|at| Some(at + behind[at..].find("}}")?))
        } else {
            behind.find("}}")
        };
        let Some(end) = end else {
            rest = if is_comment { "" } else { behind };
            if !is_comment {
                kept.push_str("{{");
            }
            break;
        };
        let (action, next) = (&behind[..end], &behind[end + 2..]);
        if !is_comment {
            kept.push_str(&format!("{{{{{}}}}}", action.replace('\n', " ")));
        }
        kept.extend(action.matches('\n'));
        rest = next;
    }
    kept.push_str(rest);
    kept
}

/// The text before the next action, the action, and the text behind it. A `-` at its start or end takes away the blanks
/// there.
pub(super) fn next_action(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (action, behind) = rest.split_once("}}")?;
    let before = if action.starts_with('-') { before.trim_end() } else { before };
    let behind = if action.ends_with('-') { behind.trim_start() } else { behind };
    Some((before, action.trim_matches('-').trim(), behind))
}

/// An `if` or `with`, also behind `else`, as an `if` without a variable. Where `.` has been replaced, that is the same.
pub(super) fn as_if(action: &str) -> Cow<'_, str> {
    let (before, branch) = match action.strip_prefix("else ") {
        Some(branch) => ("else ", branch.trim_start()),
        None => ("", action),
    };
    match branch.split_once(' ') {
        Some(("if" | "with", pipeline)) => {
            let value = pipeline.rsplit_once(":=").map_or(pipeline, |(_, value)| value);
            format!("{before}if {}", value.trim()).into()
        }
        _ => action.into(),
    }
}

/// Whether a line that isn't `image:` may make an image: its key has such a word in it, or it isn't a key with its value.
pub(super) fn may_make_image(line: &str) -> bool {
    if !line.contains("{{") && !line.contains(".Values") {
        return false;
    }
    let text = line.trim_start().trim_start_matches("- ").trim_start();
    let is_part = |c: char| c.is_alphanumeric() || "_-./\"'".contains(c);
    let key = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let is_pair = key > 0 && text[key..].starts_with(": ");
    !is_pair || text[..key].contains("mage")
}

/// The image in a line below such a key; in a block scalar, quotes are a part of it.
pub(super) fn below<'l>(key: &str, line: &'l str) -> Option<&'l str> {
    let text = line.trim();
    let is_image = !key.is_empty() || text.starts_with(['"', '\'']) || text.starts_with("{{");
    is_image.then(|| if key.is_empty() { unquoted(text) } else { Some(text) })?
}

/// What is behind `image:` in a line, without quotes around it.
pub(super) fn behind_image(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    let value = ["image:", "\"image\":", "'image':"].iter().find_map(|key| line.strip_prefix(key))?.trim();
    unquoted(value)
}

fn unquoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|quote| ['"', '\''].contains(quote));
    let Some(quote) = quote else { return value.split(" #").next().map(str::trim) };
    // a quote inside an action ends nothing
    let end = value.rfind(quote).filter(|end| *end > 0)?;
    Some(&value[1..end])
}
