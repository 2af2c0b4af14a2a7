//! The tags that an image has had, as text and as JSON.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;

use super::json::{SCHEMA, one_line};
use super::listing::shown_tag;
use crate::history::{Extent, TagEntry};
use crate::visible::inline;

const DIM: Style = Style::new().dimmed();
const TAG: Style = AnsiColor::Green.on_default();

/// The tags of one image, newest first.
#[derive(Clone, Debug)]
pub struct HistoryReport {
    pub image: String,
    pub entries: Vec<HistoryEntry>,
    pub reach: Extent,
    pub origin: HistoryOrigin,
    /// Seconds since the epoch.
    pub now: i64,
    /// Where other places set the tag before.
    pub notices: Vec<String>,
}

/// The place that a history was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryOrigin {
    /// From the checkout.
    Here,
    /// From the server. If it didn't provide as much as requested, the reason.
    Fetched(Option<String>),
}

/// One tag, the commit that it was built from, if known, and what it took away.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    pub entry: TagEntry,
    /// `[REPOSITORY@]SHA`.
    pub source: Option<String>,
    /// The tags that the commit rolled back.
    pub rolled_back: Vec<String>,
}

impl HistoryReport {
    /// Whether more than one file sets the image's tag.
    pub(super) fn has_several_files(&self) -> bool {
        let mut files = self.entries.iter().map(|item| &item.entry.file);
        files.next().is_some_and(|first| files.any(|file| file != first))
    }

    /// The notice about a history that is cut off.
    pub fn cut(&self) -> Option<String> {
        let Extent::Truncated { commit, time } = self.reach else { return None };
        let edge = format!("{} of {}", commit.short(), moment(time));
        Some(match &self.origin {
            HistoryOrigin::Here => {
                format!("the local history goes back only to {edge}; --fetch reads more")
            }
            HistoryOrigin::Fetched(None) => format!("the history was read only back to {edge}"),
            HistoryOrigin::Fetched(Some(why)) => format!("the history was read only back to {edge}: {why}"),
        })
    }
}

impl HistoryEntry {
    /// Tag and digest as one text, or a dash if there is neither.
    pub(super) fn tag(&self) -> String {
        shown_tag(self.entry.tag.as_deref(), self.entry.digest.as_deref())
    }

    /// `rolled back v2`, if the commit did that.
    fn mark(&self) -> String {
        if self.rolled_back.is_empty() {
            return String::new();
        }
        let tags: Vec<_> = self.rolled_back.iter().map(|tag| inline(tag)).collect();
        format!("rolled back {}", tags.join(", "))
    }

    /// How long the tag was there, in seconds; `None` if its beginning isn't known.
    fn seconds(&self, now: i64) -> Option<i64> {
        let since = self.entry.written.as_ref()?.time;
        Some((self.entry.until.unwrap_or(now) - since).max(0))
    }
}

/// One line per tag: the tag, since when and for how long, commit, author, source, the file if there are several, and
/// what it rolled back.
pub fn timeline_text(timeline: &HistoryReport) -> String {
    let several = timeline.has_several_files();
    let rows: Vec<Vec<String>> = timeline.entries.iter().map(|item| row(item, timeline, several)).collect();
    let width = |column: usize| {
        let widths = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let style = match column {
                0 => TAG,
                2 | 4 => DIM,
                _ => Style::new(),
            };
            format!("{style}{cell:width$}{style:#}")
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn row(item: &HistoryEntry, timeline: &HistoryReport, several: bool) -> Vec<String> {
    let TagEntry { written, file, .. } = &item.entry;
    let since = match written {
        Some(written) => format!("since {}", moment(written.time)),
        None => "since earlier".to_owned(),
    };
    let author = written.as_ref().map_or("-".to_owned(), |written| inline(&written.message.author));
    let mut cells = vec![
        item.tag(),
        since,
        lasted(item, timeline),
        written.as_ref().map_or("-".to_owned(), |written| written.commit.short()),
        author,
        item.source.as_deref().map_or("-".to_owned(), |source| format!("from {}", inline(source))),
    ];
    if several {
        cells.push(inline(file));
    }
    cells.push(item.mark());
    cells
}

/// `for 2d 6h`, with `over` if the beginning isn't known, and `so far` if the tag is still there.
fn lasted(item: &HistoryEntry, timeline: &HistoryReport) -> String {
    let so_far = if item.entry.until.is_some() { "" } else { " so far" };
    let (more, seconds) = match (item.seconds(timeline.now), timeline.reach) {
        (Some(seconds), _) => ("", seconds),
        (None, Extent::Truncated { time, .. }) => ("over ", item.entry.until.unwrap_or(timeline.now) - time),
        (None, Extent::Complete) => ("over ", 0),
    };
    format!("for {more}{}{so_far}", lasting(seconds.max(0)))
}

/// In UTC, to the second.
pub(super) fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// The two largest units: `3d 4h`.
pub(super) fn lasting(seconds: i64) -> String {
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let mut left = seconds;
    let mut parts = Vec::new();
    for (size, unit) in units.iter().skip(first).take(2) {
        parts.push(format!("{}{unit}", left / size));
        left %= size;
    }
    if parts.len() > 1 && parts[1].starts_with('0') {
        parts.pop();
    }
    parts.join(" ")
}

#[derive(Serialize)]
struct HistoryJson<'a> {
    schema: u32,
    image: &'a str,
    entries: Vec<HistoryEntryJson<'a>>,
    /// Whether the full history was available, or as much of it as was requested.
    complete: bool,
    notices: Vec<String>,
}

#[derive(Serialize)]
struct HistoryEntryJson<'a> {
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    /// In UTC. `None` if the tag is older than the available history.
    since: Option<String>,
    /// In UTC. `None` if the tag is still there.
    until: Option<String>,
    seconds: Option<i64>,
    commit: Option<String>,
    author: Option<&'a str>,
    email: Option<&'a str>,
    /// The first line of the commit message.
    subject: Option<&'a str>,
    source: Option<&'a str>,
    /// The tags that the commit rolled back.
    rolled_back: &'a [String],
    file: &'a str,
    line: usize,
}

/// One line of JSON, with a line break.
pub fn timeline_json(timeline: &HistoryReport) -> String {
    let shown = |item| shown(item, timeline.now);
    one_line(&HistoryJson {
        schema: SCHEMA,
        image: &timeline.image,
        entries: timeline.entries.iter().map(shown).collect(),
        complete: timeline.reach == Extent::Complete,
        notices: timeline.cut().into_iter().chain(timeline.notices.clone()).collect(),
    })
}

fn shown(item: &HistoryEntry, now: i64) -> HistoryEntryJson<'_> {
    let TagEntry { tag, digest, written, until, file, line, .. } = &item.entry;
    let writer = written.as_ref().map(|written| &written.message);
    HistoryEntryJson {
        tag: tag.as_deref(),
        digest: digest.as_deref(),
        since: written.as_ref().map(|written| moment(written.time)),
        until: until.map(moment),
        seconds: item.seconds(now),
        commit: written.as_ref().map(|written| written.commit.to_string()),
        author: writer.map(|writer| writer.author.as_str()),
        email: writer.map(|writer| writer.email.as_str()),
        subject: writer.map(|writer| writer.text.lines().next().unwrap_or_default()),
        source: item.source.as_deref(),
        rolled_back: &item.rolled_back,
        file,
        line: *line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_at_most() {
        let texts = [0, 59, 60, 3600 + 120 + 3, 86_400, 90_000, 800 * 86_400].map(lasting);
        assert_eq!(texts, ["0s", "59s", "1m", "1h 2m", "1d", "1d 1h", "800d"]);
    }
}
