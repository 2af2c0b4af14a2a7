//! Title and body of a pull request: those of the commit message, or what the templates make. The body ends with the trailers,
//! because a squash merge keeps nothing else.

use super::Decision;
use super::base::{DecisionBase, is_on_pr_branch};
use super::change_origins::OriginSearch;
use super::error::DecisionError;
use super::plan_facts::PlanFacts;
use super::wording::Wording;
use crate::markdown::cut_line;
use crate::output::ChangeOrigin;
use crate::plan::Plan;
use crate::settings::Destination;

/// Title and body of a pull request. Empty if it would propose nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrText {
    pub title: String,
    pub body: String,
}

impl Wording<'_> {
    /// The text of the pull request for a decision.
    pub fn pull_request(
        &self,
        base: DecisionBase<'_>,
        decision: &Decision,
        search: &mut OriginSearch<'_>,
        facts: &mut PlanFacts,
    ) -> Result<PrText, DecisionError> {
        let DecisionBase::Tip(tip) = base else { return Ok(PrText::default()) };
        if self.sources.context.settings.delivery.destination != Destination::PullRequest {
            return Ok(PrText::default());
        }
        match tip.other_branch.filter(|_| decision.plan.is_empty() && is_on_pr_branch(&tip)) {
            // the branch has the bump already; the text describes it as long as the base lacks it
            Some((_, base)) => {
                let proposed = facts.plan(base, &decision.request)?;
                self.pr_text(&proposed, &search.of_plan(&proposed))
            }
            None => self.pr_text(&decision.plan, &decision.origins),
        }
    }

    fn pr_text(&self, plan: &Plan, origins: &[ChangeOrigin]) -> Result<PrText, DecisionError> {
        if plan.is_empty() {
            return Ok(PrText::default());
        }
        let pull = &self.sources.context.settings.delivery.pull;
        let message = self.detailed_message(plan, origins)?;
        let (subject, body) = message.split_once('\n').unwrap_or((&message, ""));
        let title = match &pull.title {
            Some(template) => self.filled("pr-title", template, plan)?,
            None => subject.to_owned(),
        };
        let title = title.lines().next().unwrap_or_default();
        let body = match &pull.body {
            Some(template) => self.filled("pr-body", template, plan)?,
            None => body.to_owned(),
        };
        Ok(PrText { title: cut_line(title, MAX_TITLE).to_owned(), body: cut_body(body.trim()) })
    }
}

/// How many characters GitHub accepts.
const MAX_TITLE: usize = 256;
const MAX_BODY: usize = 65_536;

/// A body that is too long loses its middle: a squash merge keeps the trailers at its end.
fn cut_body(body: &str) -> String {
    if body.chars().count() <= MAX_BODY {
        return body.to_owned();
    }
    let end = format!("\n…\n\n{}", trailers_of(body));
    let most = MAX_BODY - end.chars().count();
    let start: String = body.chars().take(most).collect();
    let whole = start.rsplit_once('\n').map_or_else(|| cut_line(body, most), |(lines, _)| lines);
    format!("{whole}{end}")
}

/// The last paragraphs, as far as they are trailers: the last one, and those of other images before it.
fn trailers_of(body: &str) -> &str {
    let is_ours = |paragraph: &str| paragraph.starts_with("Tagbump-");
    let fits = |start: usize| body[start..].chars().count() < MAX_BODY / 2;
    let mut start = body.rfind("\n\n").map_or(0, |at| at + 2);
    while let Some(before) = body[..start].trim_end().rfind("\n\n").map(|at| at + 2) {
        if !is_ours(&body[before..]) || !fits(before) {
            break;
        }
        start = before;
    }
    if fits(start) { &body[start..] } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_that_is_too_long_keeps_its_trailers() {
        let line = "ghcr.io/acme/äpi: v1 -> v2 (k8s/kustomization.yaml)\n";
        let body = format!("{}\n\nTagbump-Image: a:v2\nTagbump-Source: a/b@1", line.repeat(3000).trim_end());
        let short = cut_body(&body);
        assert!(short.chars().count() <= MAX_BODY && short.chars().count() > MAX_BODY - 100);
        assert!(
            short.ends_with(".yaml)\n…\n\nTagbump-Image: a:v2\nTagbump-Source: a/b@1"),
            "{}",
            &short[short.len() - 200..]
        );
        let two = body.replace("\n\nTagbump-", "\n\nTagbump-Image: b:v1\nTagbump-Source: b/c@2\n\nTagbump-");
        let end = ".yaml)\n…\n\nTagbump-Image: b:v1\nTagbump-Source: b/c@2\n\nTagbump-Image: a:v2\nTagbump-Source: a/b@1";
        assert!(cut_body(&two).ends_with(end), "the paragraphs of all images");
        assert_eq!(cut_body("short"), "short");
    }
}
