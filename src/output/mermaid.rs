//! The tags that an image has had, as a Mermaid Gantt diagram in a Markdown code block, with a section for each
//! file. For the syntax, see "Gantt diagrams" in Mermaid's documentation.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::timeline::{HistoryEntry, HistoryReport, lasting};
use crate::history::Extent;

/// Words that Mermaid's grammar recognises at the start of a line, in lower case.
const WORDS: [&str; 18] = [
    "accdescr",
    "acctitle",
    "axisformat",
    "call",
    "click",
    "dateformat",
    "excludes",
    "gantt",
    "href",
    "includes",
    "inclusiveenddates",
    "section",
    "tickinterval",
    "title",
    "todaymarker",
    "topaxis",
    "weekday",
    "weekend",
];

/// A fenced code block for Markdown.
pub fn timeline_mermaid(timeline: &HistoryReport) -> String {
    let mut lines = vec![
        "```mermaid".to_owned(),
        "gantt".to_owned(),
        format!("    title {}", plain(&timeline.image)),
        "    dateFormat YYYY-MM-DDTHH:mm:ss".to_owned(),
        format!("    axisFormat {}", axis(timeline)),
    ];
    for (file, entries) in by_file(timeline) {
        lines.push(format!("    section {}", plain(file)));
        lines.extend(entries.into_iter().map(|item| bar(item, timeline)));
    }
    lines.push("```\n".to_owned());
    lines.join("\n")
}

/// The entries of each file, oldest first.
fn by_file(timeline: &HistoryReport) -> BTreeMap<&str, Vec<&HistoryEntry>> {
    let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for item in timeline.entries.iter().rev() {
        files.entry(item.entry.file.as_str()).or_default().push(item);
    }
    files
}

fn bar(item: &HistoryEntry, timeline: &HistoryReport) -> String {
    let edge = match timeline.reach {
        Extent::Truncated { time, .. } => time,
        Extent::Complete => timeline.now,
    };
    let since = item.entry.written.as_ref().map_or(edge, |written| written.time);
    let until = item.entry.until.unwrap_or(timeline.now).max(since);
    let state = if item.entry.until.is_none() { "active, " } else { "" };
    let lasted = lasting(until - since);
    let mark = if item.rolled_back.is_empty() { "" } else { "rollback, " };
    format!("    {} ({mark}{lasted}) :{state}{}, {}", name(&item.tag()), clock(since), clock(until))
}

/// A bar's name: the tag, prefixed if it looks like a date or a word of the grammar.
fn name(tag: &str) -> String {
    let name = plain(tag);
    let lower = name.to_ascii_lowercase();
    let is_word = WORDS.iter().any(|word| lower.starts_with(word));
    let shape = name.chars().take(10).map(|c| if c.is_ascii_digit() { '0' } else { c });
    if is_word || shape.eq("0000-00-00".chars()) { format!("tag {name}") } else { name }
}

/// The format of the time axis: days, or hours if the history is shorter than three days.
fn axis(timeline: &HistoryReport) -> &'static str {
    let times = timeline.entries.iter().filter_map(|item| Some(item.entry.written.as_ref()?.time));
    let first = times.min().unwrap_or(timeline.now);
    if timeline.now - first < 3 * 86_400 { "%d %b %H:%M" } else { "%Y-%m-%d" }
}

/// A time in the format of `dateFormat`, in UTC.
fn clock(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Replaces characters that mean something to Mermaid or Markdown.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-/@ ".contains(c) { c } else { '_' }).collect()
}
