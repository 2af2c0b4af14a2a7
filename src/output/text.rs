//! The outcome as text for people: one line per change, and a summary.

use anstyle::{AnsiColor, Style};

use super::promotion::promotion_table;
use super::{BumpedImage, Outcome, Report, diff};
use crate::error::Failure;
use crate::image::same_image;
use crate::object_id::CommitId;
use crate::visible::{inline, lines};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const HEADING: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();

/// The text for stdout: the diff in a dry run, otherwise the changes and where they went.
pub fn text(report: &Report) -> String {
    match report.outcome {
        Outcome::Planned => match table(report) {
            table if table.is_empty() => diff(&report.edits),
            table => format!("{table}\n{}", diff(&report.edits)),
        },
        Outcome::Failed => String::new(),
        Outcome::Already | Outcome::Superseded | Outcome::Held | Outcome::Live => {
            let images = report
                .images
                .iter()
                .map(|i| format!("{}  {}\n", outcome_of(report, i).as_str(), full_name(i)));
            [table(report)].into_iter().chain(images).collect()
        }
        Outcome::Edited | Outcome::Committed | Outcome::Landed | Outcome::Proposed => {
            format!("{}{}", changes(report), last_line(report))
        }
    }
}

/// What became of one of the images: if others keep their tags, it has its own already.
fn outcome_of(report: &Report, image: &BumpedImage) -> Outcome {
    let is_skipped = || report.skipped.iter().any(|skipped| same_image(&skipped.image, &image.name));
    let may_be_done =
        matches!(report.outcome, Outcome::Superseded | Outcome::Held) && !report.skipped.is_empty();
    if may_be_done && !is_skipped() { Outcome::Already } else { report.outcome }
}

fn table(report: &Report) -> String {
    report.promotion.as_ref().map(promotion_table).unwrap_or_default()
}

fn full_name(image: &BumpedImage) -> String {
    let tag = image.tag.as_ref().map(|t| format!(":{t}")).unwrap_or_default();
    let digest = image.digest.as_ref().map(|d| format!("@{d}")).unwrap_or_default();
    inline(&format!("{}{tag}{digest}", image.name))
}

fn changes(report: &Report) -> String {
    let line = |c: &crate::plan::ChangedReference| {
        let old = c.renamed_from.as_ref().map(|name| format!("{name}:")).unwrap_or_default();
        let from = if c.from.is_empty() { "(none)" } else { &c.from };
        let from = &format!("{old}{from}");
        let dropped = if c.dropped_digest { "  (the old digest was dropped)" } else { "" };
        let (file, image, from, to) = (inline(&c.file), inline(&c.image), inline(from), inline(&c.to));
        format!("{file}:{}  {image}  {from} -> {GREEN}{to}{GREEN:#}{dropped}\n", c.line)
    };
    report.changes.iter().map(line).collect()
}

fn last_line(report: &Report) -> String {
    let short = report.commit.map(CommitId::short).unwrap_or_default();
    let branch = report.branch.as_deref().map(|b| format!(" on {}", inline(b))).unwrap_or_default();
    let tries = if report.attempts > 1 { format!(" ({} tries)", report.attempts) } else { String::new() };
    match report.outcome {
        Outcome::Landed => format!("landed {short}{branch}{tries}\n"),
        Outcome::Committed => format!("committed {short}{branch}\n"),
        Outcome::Proposed => {
            let url = report.pull_request.as_ref().map(|pull| inline(&pull.url)).unwrap_or_default();
            format!("proposed {short}{branch}{tries}: {url}\n")
        }
        _ => {
            let files = report.edits.len();
            format!("edited {files} {}\n", if files == 1 { "file" } else { "files" })
        }
    }
}

/// An error with its hint.
pub fn failure(failure: &Failure) -> String {
    let (message, hint) = (failure.message.to_string(), failure.hint.to_string());
    format!("{ERROR}error:{ERROR:#} {}\n{HINT}hint:{HINT:#} {}\n", lines(&message), lines(&hint))
}

/// A file that doesn't exist yet: its name and its whole text.
pub fn new_file(path: &str, text: &str) -> String {
    format!("{HEADING}# ---- {path} ----{HEADING:#}\n{}\n", lines(text))
}
