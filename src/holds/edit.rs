//! Adds and removes entries in place: every other line of the file stays as it is.
//!
//! The result is read again, and thrown away unless it has exactly the wanted entries.

use std::ops::Range;

use super::{Hold, HoldsFile, list_of};
use crate::file_selection::HOLDS_PATH;
use crate::image::same_image;
use crate::location::Location;
use crate::yaml::{NodeId, NodeKind, ParsedYaml, ScalarStyle, render, span};

/// How a new file starts.
const HEADER: &str =
    "# Images whose tags stay as they are for now. `tagbump hold` and `tagbump unhold` edit this file.\n";

/// How far a list is indented that is not there yet.
const INDENT: &str = "  ";

/// What to do with the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldsChange {
    /// Adds these, or replaces those about the same references.
    Add(Vec<Hold>),
    /// Removes those of these images. With an environment or files, only those that name exactly these.
    Remove(Vec<HoldQuery>),
}

/// Which entries to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldQuery {
    pub image: String,
    pub env: Option<String>,
    /// Empty for all.
    pub files: Vec<String>,
}

impl HoldQuery {
    fn selects(&self, hold: &Hold) -> bool {
        let is_file = |file: &String| self.files.contains(file);
        same_image(&self.image, &hold.image)
            && self.env.as_ref().is_none_or(|env| hold.env.as_ref() == Some(env))
            && (self.files.is_empty() || (!hold.files.is_empty() && hold.files.iter().all(is_file)))
    }
}

/// Why the file can't be edited. A person can, at this place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: the entry can't be changed in place")]
pub struct HoldsEditError {
    pub at: Location,
}

/// The file after a change; `None` if the change changes nothing. Entries that are over are removed along the way.
///
/// # Errors
/// If the layout of the file doesn't allow changing an entry alone.
pub fn edited(file: &HoldsFile, change: &HoldsChange, now: i64) -> Result<Option<Vec<u8>>, HoldsEditError> {
    let bytes = file.bytes.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| file.blocked(None))?;
    let layout = Layout { file, text };
    let steps = HoldsSteps::new(file, change, now);
    if !steps.changes {
        return Ok(None);
    }
    let after = layout.apply(&steps)?;
    let read = HoldsFile::parse(after.clone().into_bytes()).ok();
    let is_right = read.is_some_and(|read| read.holds.iter().map(|placed| &placed.hold).eq(&steps.wanted));
    if is_right { Ok(Some(after.into_bytes())) } else { Err(file.blocked(None)) }
}

impl HoldsFile {
    fn blocked(&self, item: Option<NodeId>) -> HoldsEditError {
        let node = item.map(|item| self.yaml.node(item));
        let (line, column) = node.map_or((1, 1), |node| (node.line, node.column));
        HoldsEditError { at: Location { file: HOLDS_PATH.to_owned(), line, column: Some(column) } }
    }
}

/// What becomes of each entry, and what is new.
#[derive(Default)]
struct HoldsSteps {
    /// The entries to remove or replace, by their number.
    replaced: Vec<(usize, Option<Hold>)>,
    added: Vec<Hold>,
    /// The entries of the result.
    wanted: Vec<Hold>,
    /// Whether the change itself does something.
    changes: bool,
}

impl HoldsSteps {
    fn new(file: &HoldsFile, change: &HoldsChange, now: i64) -> Self {
        let mut steps = HoldsSteps::default();
        let (mut new, gone) = match change {
            HoldsChange::Add(new) => (new.clone(), &[][..]),
            HoldsChange::Remove(gone) => (Vec::new(), gone.as_slice()),
        };
        for (nth, placed) in file.holds.iter().enumerate() {
            let hold = &placed.hold;
            let same = new.iter().position(|other| other.covers_the_same(hold)).map(|at| new.remove(at));
            match same {
                Some(other) if other.reason == hold.reason && other.until == hold.until => {
                    steps.wanted.push(hold.clone());
                }
                Some(other) => {
                    steps.changes = true;
                    steps.wanted.push(other.clone());
                    steps.replaced.push((nth, Some(other)));
                }
                None if gone.iter().any(|gone| gone.selects(hold)) => {
                    steps.changes = true;
                    steps.replaced.push((nth, None));
                }
                None if hold.is_over(now) => steps.replaced.push((nth, None)),
                None => steps.wanted.push(hold.clone()),
            }
        }
        steps.changes |= !new.is_empty();
        steps.wanted.extend(new.iter().cloned());
        steps.added = new;
        steps
    }
}

/// The file, and where its entries are in it.
struct Layout<'a> {
    file: &'a HoldsFile,
    text: &'a str,
}

impl Layout<'_> {
    fn yaml(&self) -> &ParsedYaml {
        &self.file.yaml
    }

    fn apply(&self, steps: &HoldsSteps) -> Result<String, HoldsEditError> {
        let mut splices = Vec::new();
        for (nth, replacement) in &steps.replaced {
            let item = self.file.holds[*nth].item;
            let (range, indent) = self.lines_of(item).ok_or_else(|| self.file.blocked(Some(item)))?;
            let text = replacement.as_ref().map(|hold| self.item(hold, &indent)).unwrap_or_default();
            splices.push((range, text));
        }
        if !steps.added.is_empty() {
            splices.push(self.addition(&steps.added)?);
        } else if steps.wanted.is_empty() {
            splices.push(self.emptied()?);
        }
        Ok(self.spliced(splices))
    }

    fn spliced(&self, mut splices: Vec<(Range<usize>, String)>) -> String {
        splices.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut after, mut done) = (String::new(), 0);
        for (range, new) in splices {
            after.push_str(self.text.get(done..range.start).unwrap_or_default());
            after.push_str(&new);
            done = done.max(range.end);
        }
        after + self.text.get(done..).unwrap_or_default()
    }

    /// The whole lines of an entry, and how far its dash is indented. `None` if it shares a line with something else.
    fn lines_of(&self, item: NodeId) -> Option<(Range<usize>, String)> {
        let yaml = self.yaml();
        let is_block = yaml.is_map(item) && !yaml.node(item).flow;
        let start = yaml.node(if is_block { item + 1 } else { item }).start;
        let line = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let (indent, gap) = self.text[line..start].split_once('-')?;
        let is_blank = |text: &str| text.bytes().all(|b| b == b' ');
        let last = span(self.text, yaml, yaml.node(item).end - 1).ok()?;
        let end = self.text[last.end..].find('\n').map_or(self.text.len(), |at| last.end + at + 1);
        (is_blank(indent) && is_blank(gap) && !gap.is_empty()).then(|| (line..end, indent.to_owned()))
    }

    /// Where new entries go, and their text.
    fn addition(&self, new: &[Hold]) -> Result<(Range<usize>, String), HoldsEditError> {
        let yaml = self.yaml();
        let items = |indent: &str| new.iter().map(|hold| self.item(hold, indent)).collect::<String>();
        let Some(list) = list_of(yaml) else {
            let end = self.text.len();
            let header = if self.file.bytes.is_none() { HEADER } else { self.missing_break() };
            // a file of comments, or none
            let is_empty = yaml.roots().iter().all(|&root| {
                yaml.node(root).is_null() && self.text[yaml.node(root).start..].trim().is_empty()
            });
            return match is_empty {
                true => Ok((end..end, format!("{header}holds:{}{}", self.eol(), items(INDENT)))),
                false => Err(self.file.blocked(None)),
            };
        };
        let blocked = || self.file.blocked(Some(list));
        if let Some(last) = yaml.items(list).last() {
            let (range, indent) = self.lines_of(last).ok_or_else(blocked)?;
            return Ok((range.end..range.end, format!("{}{}", self.missing_break(), items(&indent))));
        }
        let node = yaml.node(list);
        let end = match &node.kind {
            NodeKind::Scalar { missing: true, .. } => node.start,
            NodeKind::Seq if self.text[node.start..].starts_with("[]") => node.start + 2,
            _ => return Err(blocked()),
        };
        let start = self.text[..node.start].trim_end_matches(' ').len();
        let rest = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at + 1);
        let comment = self.text[end..rest].trim_end_matches(['\r', '\n']);
        Ok((start..rest, format!("{comment}{}{}", self.eol(), items(INDENT))))
    }

    /// The list without entries.
    fn emptied(&self) -> Result<(Range<usize>, String), HoldsEditError> {
        let yaml = self.yaml();
        let list = list_of(yaml).ok_or_else(|| self.file.blocked(None))?;
        let key = yaml.node(list).key.and_then(|key| span(self.text, yaml, key).ok());
        let colon = key.and_then(|key| Some(key.end + self.text[key.end..].find(':')? + 1));
        let at = colon.ok_or_else(|| self.file.blocked(Some(list)))?;
        Ok((at..at, " []".to_owned()))
    }

    fn item(&self, hold: &Hold, indent: &str) -> String {
        let plain = |text: &str| render(text, ScalarStyle::Plain, false);
        let files = hold.files.iter().map(|file| render(file, ScalarStyle::Plain, true));
        let files = files.collect::<Vec<_>>().join(", ");
        let pairs = [
            Some(("image", plain(&hold.image))),
            hold.env.as_ref().map(|env| ("env", plain(env))),
            (!hold.files.is_empty()).then(|| ("files", format!("[{files}]"))),
            Some(("reason", plain(&hold.reason))),
            hold.until.map(|until| ("until", plain(&until.to_string()))),
            Some(("by", plain(&hold.by))),
        ];
        let lines = pairs.into_iter().flatten().enumerate().map(|(nth, (key, value))| {
            let dash = if nth == 0 { "-" } else { " " };
            format!("{indent}{dash} {key}: {value}{}", self.eol())
        });
        lines.collect()
    }

    fn eol(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// The line break that the file's last line lacks.
    fn missing_break(&self) -> &'static str {
        if self.text.is_empty() || self.text.ends_with('\n') { "" } else { self.eol() }
    }
}
