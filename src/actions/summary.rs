//! The job summary, as Markdown: what changed, the diff, and where the change is now.

use crate::markdown::{code_block, code_span};
use crate::output::{BumpedImage, Comparison, Outcome, Report, WaitInfo, diff};

/// A step may write 1 MiB; GitHub drops a longer summary entirely.
const MAX_DIFF: usize = 500_000;
const MAX_ROWS: usize = 500;
const MAX_COMPARISONS: usize = 20;
const MAX_IMAGES: usize = 20;

/// The summary of a bump.
pub fn of_report(report: &Report) -> String {
    if let Some(failure) = &report.failure {
        let (message, hint) = (failure.message.to_string(), failure.hint.to_string());
        return format!("### tagbump: failed\n\n{}\n\n{}\n", code_block(&message, ""), code_block(&hint, ""));
    }
    if let Some(info) = &report.wait {
        return waited(report, info);
    }
    if let Outcome::Already | Outcome::Superseded | Outcome::Held = report.outcome {
        let images: Vec<_> = report.images.iter().map(|image| code(&image.name)).collect();
        let outcome_text = match report.outcome {
            Outcome::Already => "nothing to do",
            Outcome::Held => "held",
            _ => "superseded by a newer build",
        };
        let rest = promotion(report) + &skipped(report);
        return format!("### tagbump: {outcome_text}\n\n{}\n{rest}", images.join(", "));
    }
    let parts = [
        headline(report) + "\n\n",
        table(report),
        promotion(report),
        skipped(report),
        comparisons(report),
        folded_diff(report),
    ];
    format!("### tagbump: {}", parts.concat())
}

/// How waiting ended.
fn waited(report: &Report, info: &WaitInfo) -> String {
    let images: Vec<String> = report.images.iter().take(MAX_IMAGES).map(image_with_tag).collect();
    let rows: String = info
        .statuses
        .iter()
        .take(MAX_ROWS)
        .map(|status| format!("| {} | {} |\n", code(&status.name), status.state))
        .collect();
    let table =
        if rows.is_empty() { String::new() } else { format!("\n| status | state |\n|---|---|\n{rows}") };
    format!("### tagbump: {} after {} s\n\n{}\n{table}", headline(report), info.seconds, images.join(", "))
}

fn image_with_tag(image: &BumpedImage) -> String {
    let tag = image.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
    code_span(&format!("{}{tag}", image.name))
}

fn headline(report: &Report) -> String {
    let outcome = report.outcome.as_str();
    let commit = report.commit.map(|commit| {
        let short = code(&commit.short());
        report.commit_url.as_ref().map_or(format!(" {short}"), |url| format!(" [{short}]({url})"))
    });
    let branch = report.branch.as_deref().map(|branch| format!(" on {}", code(branch)));
    let race = report
        .elapsed
        .filter(|_| report.attempts > 1)
        .map(|elapsed| format!(" ({} tries, {:.1} s)", report.attempts, elapsed.as_secs_f64()));
    let pull = report.pull_request.as_ref().map(|pull| format!(" in [#{}]({})", pull.number, pull.url));
    let parts = [commit, branch, pull, race].into_iter().flatten();
    parts.fold(outcome.to_owned(), |line, part| line + &part)
}

fn table(report: &Report) -> String {
    if report.changes.is_empty() {
        return String::new();
    }
    let rows = report.changes.iter().take(MAX_ROWS).map(|c| {
        let from = if c.from.is_empty() { "-".to_owned() } else { code(&c.from) };
        format!(
            "| {} | {} | {from} | {} |\n",
            code(&format!("{}:{}", c.file, c.line)),
            code(&c.image),
            code(&c.to)
        )
    });
    let more = report.changes.len().saturating_sub(MAX_ROWS);
    let rest = if more > 0 { format!("\nand {more} more\n") } else { String::new() };
    format!("| file | image | from | to |\n|---|---|---|---|\n{}{rest}", rows.collect::<String>())
}

/// What a promotion compares.
fn promotion(report: &Report) -> String {
    let Some(promotion) = &report.promotion else { return String::new() };
    let heading: Vec<String> = promotion.heading().iter().map(|text| text.replace('|', "\\|")).collect();
    let rows = promotion.rows.iter().take(MAX_ROWS).map(|row| {
        let cells = row.columns().map(|text| text.map_or_else(|| "-".to_owned(), |text| code(&text)));
        format!("| {} |\n", cells.join(" | "))
    });
    format!("\n| {} |\n|---|---|---|---|---|\n{}", heading.join(" | "), rows.collect::<String>())
}

/// The references that keep their tags, and why.
fn skipped(report: &Report) -> String {
    if report.skipped.is_empty() {
        return String::new();
    }
    let rows = report.skipped.iter().take(MAX_ROWS).map(|skipped| {
        let place = code(&format!("{}:{}", skipped.file, skipped.line));
        format!("| {place} | {} | {} |\n", code(&skipped.image), code(&skipped.detail))
    });
    format!("\n| skipped | image | why |\n|---|---|---|\n{}", rows.collect::<String>())
}

/// The commits that the changes include, one line for each page that compares them.
fn comparisons(report: &Report) -> String {
    let mut shown: Vec<(&Comparison, Vec<&str>)> = Vec::new();
    for (change, origin) in report.changes.iter().zip(&report.origins).take(MAX_ROWS) {
        let Some(comparison) = origin.comparison.as_deref() else { continue };
        match shown.iter_mut().find(|(known, _)| known.url == comparison.url) {
            Some((_, images)) if images.contains(&change.image.as_str()) => {}
            Some((_, images)) => images.push(&change.image),
            None => shown.push((comparison, vec![&change.image])),
        }
    }
    shown.iter().take(MAX_COMPARISONS).map(|(comparison, images)| paragraph(comparison, images)).collect()
}

fn paragraph(comparison: &Comparison, images: &[&str]) -> String {
    let go = if images.len() == 1 { "goes" } else { "go" };
    let images: Vec<String> = images.iter().take(MAX_IMAGES).map(|image| code_span(image)).collect();
    let (images, url) = (images.join(", "), &comparison.url);
    let pair = url.rsplit('/').next().unwrap_or(url);
    let line = match comparison.goes_back {
        true => format!("\n{images} {go} back: [{pair}]({url})\n"),
        false => format!("\nChanges in {images}: [{pair}]({url})\n"),
    };
    line + &list(comparison)
}

fn list(comparison: &Comparison) -> String {
    let listed = comparison.range.as_ref().filter(|range| !range.commits.is_empty());
    let Some(range) = listed else { return String::new() };
    let mut text: String =
        range.commits.iter().map(|commit| format!("- {}\n", code_span(&commit.subject))).collect();
    if range.more() > 0 {
        text += &format!("- and {} more\n", range.more());
    }
    format!("\n{text}")
}

fn folded_diff(report: &Report) -> String {
    let plain = anstream::adapter::strip_str(&diff(&report.edits)).to_string();
    if plain.is_empty() || plain.len() > MAX_DIFF {
        return String::new();
    }
    let block = code_block(&plain, "diff");
    format!("\n<details><summary>diff</summary>\n\n{block}\n\n</details>\n")
}

/// A code span for a table, where `|` ends a cell even in code.
fn code(text: &str) -> String {
    code_span(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{SkipReason, SkippedReference};

    #[test]
    fn one_image_goes_back_and_several_go_back() {
        let comparison = Comparison { url: "https://h/a...b".to_owned(), goes_back: true, range: None };
        assert_eq!(paragraph(&comparison, &["a"]), "\n`a` goes back: [a...b](https://h/a...b)\n");
        assert_eq!(paragraph(&comparison, &["a", "b"]), "\n`a`, `b` go back: [a...b](https://h/a...b)\n");
    }

    #[test]
    fn text_from_elsewhere_stays_text() {
        assert_eq!(code("a|b`c``d"), "```a\\|b`c``d```");
        let mut report = Report::new(Vec::new());
        report.outcome = Outcome::Held;
        report.skipped.push(SkippedReference {
            file: "a|b.yaml".to_owned(),
            line: 3,
            image: "acme/api".to_owned(),
            reason: SkipReason::Held,
            detail: "is held by @acme".to_owned(),
        });
        let row = "| `a\\|b.yaml:3` | `acme/api` | `is held by @acme` |\n";
        let shown = of_report(&report);
        assert!(shown.starts_with("### tagbump: held\n") && shown.ends_with(row), "{shown}");
        report.failure = Some(crate::error::Failure::other("a\n```\n@acme").hinted("b"));
        assert_eq!(of_report(&report), "### tagbump: failed\n\n````\na\n```\n@acme\n````\n\n```\nb\n```\n");
    }
}
