//! The job summary, as Markdown: what changed, the diff, and where the change is now.

use crate::markdown::{code_block, code_span};
use crate::output::{Outcome, Report, SkipReason, diff};

/// A step may write 1 MiB; GitHub drops a longer summary entirely.
const MAX_DIFF: usize = 500_000;
const MAX_ROWS: usize = 500;

/// The summary of a bump.
pub fn of_report(report: &Report) -> String {
    if let Some(failure) = &report.failure {
        let (message, hint) = (failure.message.to_string(), failure.hint.to_string());
        return format!("### tagbump: failed\n\n{}\n\n{}\n", code_block(&message, ""), code_block(&hint, ""));
    }
    if let Outcome::Already | Outcome::Superseded | Outcome::Held = report.outcome {
        let images: Vec<_> = report.images.iter().map(|image| code(&image.name)).collect();
        let outcome_text = match report.outcome {
            Outcome::Already => "nothing to do",
            Outcome::Held => "held",
            _ => "superseded by a newer build",
        };
        return format!("### tagbump: {outcome_text}\n\n{}\n{}", images.join(", "), held(report));
    }
    let parts = [headline(report) + "\n\n", table(report), held(report), folded_diff(report)];
    format!("### tagbump: {}", parts.concat())
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

/// The references that are held, and why.
fn held(report: &Report) -> String {
    let held: Vec<_> = report.skipped.iter().filter(|skipped| skipped.reason == SkipReason::Held).collect();
    if held.is_empty() {
        return String::new();
    }
    let rows = held.iter().take(MAX_ROWS).map(|skipped| {
        let place = code(&format!("{}:{}", skipped.file, skipped.line));
        format!("| {place} | {} | {} |\n", code(&skipped.image), code(&skipped.detail))
    });
    let more = held.len().saturating_sub(MAX_ROWS);
    let rest = if more > 0 { format!("\nand {more} more\n") } else { String::new() };
    format!("\n| file | image | held |\n|---|---|---|\n{}{rest}", rows.collect::<String>())
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

    #[test]
    fn text_from_elsewhere_stays_text() {
        assert_eq!(code("a|b`c``d"), "```a\\|b`c``d```");
        let mut report = Report::new(Vec::new());
        report.failure = Some(crate::error::Failure::other("a\n```\n@acme").hinted("b"));
        assert_eq!(of_report(&report), "### tagbump: failed\n\n````\na\n```\n@acme\n````\n\n```\nb\n```\n");
    }
}
