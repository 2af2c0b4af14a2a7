//! The outcome as one JSON object. Fields are only ever added, never changed or removed.

use serde::Serialize;

use super::{ChangeOrigin, PromotedFrom, PullRequestInfo, Report, SkippedReference, WaitInfo};
use crate::plan::ChangedReference;
use crate::visible::is_hidden;

pub(super) const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct ReportJson<'a> {
    schema: u32,
    outcome: &'a str,
    changed: bool,
    tag: Option<&'a str>,
    images: Vec<ImageJson<'a>>,
    changes: Vec<ChangeJson<'a>>,
    skipped: &'a [SkippedReference],
    promoted_from: Option<&'a PromotedFrom>,
    commit: Option<String>,
    branch: Option<&'a str>,
    attempts: u32,
    pull_request: Option<&'a PullRequestInfo>,
    wait: Option<&'a WaitInfo>,
    warnings: &'a [String],
    notices: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorJson>,
}

#[derive(Serialize)]
struct ImageJson<'a> {
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    verified: Option<bool>,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    file: &'a str,
    line: usize,
    kind: &'a str,
    image: &'a str,
    from: &'a str,
    to: &'a str,
    source: Option<&'a str>,
    compare: Option<&'a str>,
    commits: Vec<CommitJson<'a>>,
}

#[derive(Serialize)]
struct CommitJson<'a> {
    sha: &'a str,
    subject: &'a str,
}

#[derive(Serialize)]
struct ErrorJson {
    exit: u8,
    message: String,
    hint: String,
}

/// One line of JSON, with a line break.
pub fn json(report: &Report) -> String {
    let shown = ReportJson {
        schema: SCHEMA,
        outcome: report.outcome.as_str(),
        changed: report.changed(),
        tag: report.tag(),
        images: report
            .images
            .iter()
            .map(|i| ImageJson {
                name: &i.name,
                tag: i.tag.as_deref(),
                digest: i.digest.as_deref(),
                verified: i.verified,
            })
            .collect(),
        changes: report
            .changes
            .iter()
            .enumerate()
            .map(|(nth, change)| change_json(change, report.origins.get(nth)))
            .collect(),
        skipped: &report.skipped,
        promoted_from: report.promotion.as_ref().map(|promotion| &promotion.from),
        commit: report.commit.map(|commit| commit.to_string()),
        branch: report.branch.as_deref(),
        attempts: report.attempts,
        pull_request: report.pull_request.as_ref(),
        wait: report.wait.as_ref(),
        warnings: &report.warnings,
        notices: &report.notices,
        error: report.failure.as_ref().map(|f| ErrorJson {
            exit: f.exit as u8,
            message: f.message.to_string(),
            hint: f.hint.to_string(),
        }),
    };
    one_line(&shown)
}

fn change_json<'a>(change: &'a ChangedReference, origin: Option<&'a ChangeOrigin>) -> ChangeJson<'a> {
    let comparison = origin.and_then(|origin| origin.comparison.as_deref());
    let range = comparison.and_then(|comparison| comparison.range.as_ref());
    let commits = range.map(|range| range.commits.as_slice()).unwrap_or_default();
    ChangeJson {
        file: &change.file,
        line: change.line,
        kind: change.kind,
        image: &change.image,
        from: &change.from,
        to: &change.to,
        source: origin.and_then(|origin| origin.source.as_deref()),
        compare: comparison.map(|comparison| comparison.url.as_str()),
        commits: commits.iter().map(|c| CommitJson { sha: &c.commit, subject: &c.subject }).collect(),
    }
}

/// Serializes a value as one line.
pub(super) fn one_line(shown: &impl Serialize) -> String {
    // serializing a struct of strings and numbers can't fail
    let text = serde_json::to_string(shown).unwrap_or_default();
    // CI systems run `##[` and the like as commands anywhere in a line, so use an escape, which means the same
    // in JSON
    let text = text.replace("##", "#\\u0023");
    text.chars().map(escaped).chain(["\n".to_owned()]).collect()
}

/// Escapes a character of JSON if a reader couldn't see it or a terminal would interpret it. The value stays
/// the same.
fn escaped(c: char) -> String {
    if !is_hidden(c) {
        return c.to_string();
    }
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}
