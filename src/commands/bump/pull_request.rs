//! `--pr`: the bump on a branch of its own, and the pull request that carries it.
//!
//! A branch that holds only tagbump's commits is made anew on the base; on any other the bump goes on top.
//! A pull request whose change is on the base already is closed.

use std::cell::RefCell;
use std::sync::Arc;

use super::Bump;
use super::ground::{Ground, no_token};
use super::landing::land_on;
use super::rollback::RollbackBase;
use crate::config::Config;
use crate::error::{Exit, Failure, Result};
use crate::forge::github::{self, GitHub, PullRequest, PullRequestSpec};
use crate::git::{GitRemoteBranch, Identity, LandingTarget, RemoteUrl, is_branch_name};
use crate::image::{Field, same_image, short_name};
use crate::landing::{
    Backoff, CommitProposal, FetchError, Landing, RemoteBranch as _, SystemClock, TipSnapshot,
};
use crate::markdown::cut_line;
use crate::output::{Outcome, PullRequestInfo, Report};
use crate::plan::{Plan, UpdateTarget};

/// What a pull request says.
#[derive(Clone, Debug, Default)]
struct PrText {
    title: String,
    body: String,
}

/// What a pull request is made with, besides the commit.
struct PrContext<'a> {
    /// The address of the REST API.
    api: &'a str,
    head: &'a str,
    said: PrText,
}

impl Bump<'_> {
    pub(super) fn propose_pull_request(&self, report: &mut Report) -> Result<()> {
        let clock = SystemClock;
        let checkout = self.checkout()?;
        let landing = &self.settings.delivery.landing;
        let (author, committer) = self.identities()?;
        let (fetch, push) = checkout.remote(&landing.remote)?;
        let origin = checkout.url_origin(&landing.remote);
        let api = self.rest_api(&push)?;
        let mut backoff = Backoff::new(&clock, landing.timeout, fastrand::Rng::new());
        let branch = self.branch(checkout, &fetch)?;
        let signer = self.signer(&committer)?.map(Arc::new);
        let committer_ = committer.clone();
        let mut target = LandingTarget {
            fetch,
            push,
            origin,
            branch,
            head: None,
            carry: None,
            author,
            committer: committer_,
            signer,
        };
        let base = match &target.branch {
            Some(base) => base.clone(),
            None => self.default_branch(target.clone(), &mut backoff)?,
        };
        let head = self.head_branch(&base)?;
        (target.branch, target.head) = (Some(base), Some(head.clone()));
        let mut ground = self.ground(checkout, target)?;
        report.warnings.extend(ground.git().withheld());
        if self.settings.delivery.dry_run {
            let planned = self.dry_landing(&mut ground, &backoff, report);
            report.branch = Some(head);
            return planned;
        }
        let said = RefCell::new(PrText::default());
        let landed = land_on(&mut ground, &mut backoff, report, &mut |seen| {
            let (proposal, words) = self.proposed(seen, &committer)?;
            *said.borrow_mut() = words;
            Ok(proposal)
        });
        report.branch = Some(head.clone());
        let words = PrContext { api: &api, head: &head, said: said.into_inner() };
        let done =
            landed.and_then(|landed| self.tell_proposal(&mut ground, &mut backoff, landed, &words, report));
        ground.keep_secrets(done, report)
    }

    /// Opens, updates or closes the pull request of a branch as it is now.
    fn tell_proposal(
        &self,
        ground: &mut Ground,
        backoff: &mut Backoff<'_>,
        landed: Landing,
        words: &PrContext<'_>,
        report: &mut Report,
    ) -> Result<()> {
        let Landing { plan, commit, .. } = landed;
        let repository = ground.git().slug().unwrap_or_default();
        let base = ground.git().branch().unwrap_or_default().to_owned();
        let page = ground.git().page().unwrap_or_default();
        let wish = PullRequestSpec {
            repository: &repository,
            page: &page,
            head: words.head,
            base: &base,
            title: &words.said.title,
            body: &words.said.body,
            labels: &self.settings.delivery.pull.labels,
            draft: self.settings.delivery.pull.draft,
        };
        let place = ground.git();
        let hub = || GitHub::new(place.http(), words.api, &place.api_token().ok_or_else(|| no_token(place))?);
        let done = match commit {
            Some(commit) => {
                let (hub, deadline) = (hub()?, backoff.deadline());
                let place = ground.place();
                let mut still =
                    || place.tip(deadline).map_or(true, |tip| tip.published.as_deref() == Some(&*commit));
                report.pull_request =
                    Some(pull_request_info(github::propose(&hub, backoff, &wish, &mut still)?));
                ground.note_verification(&commit, backoff, report);
                report.commit_url = ground.git().commit_url(&commit);
                report.commit = Some(commit);
                Outcome::Proposed
            }
            None if plan.left > 0 || !place.has_head() => self.outcome(&plan, Outcome::Proposed),
            None if place.has_own_head() && proposes_others(place, &plan) => {
                let head = words.head;
                report
                    .notices
                    .push(format!("{head} proposes other images too, so its pull request stays open"));
                Outcome::Already
            }
            None if place.has_own_head() => close(&hub()?, backoff, &wish, report)?,
            None => keep_existing_pr(&hub()?, backoff, &wish, report)?,
        };
        self.ended(plan, done, report)
    }

    fn rest_api(&self, push: &RemoteUrl) -> Result<String> {
        let place = &self.settings.place;
        let apis = push.page().and_then(|page| place.run.apis(&place.environment, &page));
        apis.map(|apis| apis.rest).ok_or_else(|| {
            Failure::usage(format!("{push}: pull requests need a remote on GitHub, over http or https"))
                .hinted("name the remote with --remote, or land with --push")
        })
    }

    fn proposed(&self, seen: TipSnapshot<'_>, committer: &Identity) -> Result<(CommitProposal, PrText)> {
        let config = Config::load(seen.files)?;
        let plan = self.guarded(seen, &config)?;
        let on_branch = seen.tip.published.as_ref() == Some(&seen.tip.commit);
        let message = |plan: &Plan| match plan.is_empty() {
            true => Ok(String::new()),
            false => self.message(committer, &config, plan),
        };
        let said = match seen.beside.filter(|_| plan.is_empty() && on_branch) {
            // what the branch has already is still to be told where its base lacks it
            Some((_, base)) => {
                let brought = self.plan(base, &self.request(&config, RollbackBase::of(seen))?)?;
                self.said(&message(&brought)?, committer, &config, &brought)?
            }
            None => self.said(&message(&plan)?, committer, &config, &plan)?,
        };
        let message = message(&plan)?;
        Ok((CommitProposal { plan, message }, said))
    }

    /// Title and text: the commit's, or what the templates make. The text ends with the trailers, since a
    /// squash merge keeps nothing else.
    fn said(&self, message: &str, committer: &Identity, config: &Config, plan: &Plan) -> Result<PrText> {
        if plan.is_empty() {
            return Ok(PrText::default());
        }
        let pull = &self.settings.delivery.pull;
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let worded = |flag: &str, template| {
            // it is worded as a commit is, and what is wrong with it is told so
            let told = |text: &str| text.replacen("--message", flag, 1);
            let words = self.unmarked(template, committer, config, plan);
            words.map_err(|failure| failure.map_texts(told))
        };
        let title = match &pull.title {
            Some(template) => worded("--pr-title", template)?.lines().next().unwrap_or_default().to_owned(),
            None => subject.to_owned(),
        };
        let body = match &pull.body {
            Some(template) => worded("--pr-body", template)?,
            None => body.to_owned(),
        };
        Ok(PrText { title: cut_line(&title, MAX_TITLE).to_owned(), body: cut(body.trim()) })
    }

    /// The remote's default branch: the pull request's own is named after its base, and must be another.
    fn default_branch(&self, target: LandingTarget, backoff: &mut Backoff<'_>) -> Result<String> {
        let mut place =
            GitRemoteBranch::new(self.checkout()?, target, &self.settings.delivery.landing.tokens)?;
        loop {
            let (what, retry_after) = match place.tip(backoff.deadline()) {
                Ok(_) => return Ok(place.branch().unwrap_or_default().to_owned()),
                Err(FetchError::Permanent(failure)) => return Err(failure),
                Err(FetchError::Transient { what, retry_after }) => (what, retry_after),
                Err(FetchError::Unreachable { what }) => (what, None),
            };
            if !backoff.wait(retry_after) {
                return Err(Failure::new(Exit::NotLanded, what)
                    .hinted("check the network, then run again, or give it longer with --timeout"));
            }
        }
    }

    /// The pull request's branch, by its template.
    fn head_branch(&self, base: &str) -> Result<String> {
        let template = &self.settings.delivery.pull.branch;
        let names: Vec<_> = self
            .settings
            .images
            .iter()
            .map(|image| match &image.new_name {
                Field::Set(new) => short_name(new),
                Field::Unspecified | Field::Keep => short_name(&image.name),
            })
            .collect();
        let filled = template.fill(|variable| match variable.name.as_str() {
            "base" => Ok(base.to_owned()),
            "name" => Ok(names.join("-")),
            _ => self.facts().value(variable),
        });
        let filled =
            filled.map_err(|e| Failure::usage(format!("--pr-branch: {e}")).hinted("change --pr-branch"))?;
        let branch: String = filled.chars().map(|c| if is_unfit(c) { '-' } else { c }).collect();
        if !is_branch_name(&branch) || branch.starts_with('-') || branch == base {
            return Err(Failure::usage(format!(
                "--pr-branch makes {branch}, which is no branch for a pull request"
            ))
            .hinted("git check-ref-format --branch says what is a name; it must not be the base"));
        }
        Ok(branch)
    }
}

/// As many characters as GitHub takes.
const MAX_TITLE: usize = 256;
const MAX_BODY: usize = 65_536;

/// A text that is too long loses its middle: the trailers at its end are what a squash merge keeps.
fn cut(body: &str) -> String {
    if body.chars().count() <= MAX_BODY {
        return body.to_owned();
    }
    let trailers = body.rsplit("\n\n").next().filter(|last| last.chars().count() < MAX_BODY / 2);
    let end = format!("\n…\n\n{}", trailers.unwrap_or_default());
    let most = MAX_BODY - end.chars().count();
    let start: String = body.chars().take(most).collect();
    let whole = start.rsplit_once('\n').map_or_else(|| cut_line(body, most), |(lines, _)| lines);
    format!("{whole}{end}")
}

/// Whether the branch brings images that were not asked for now.
fn proposes_others(place: &GitRemoteBranch, plan: &Plan) -> bool {
    let ours: Vec<&str> = plan.targets.iter().map(UpdateTarget::effective_name).collect();
    place.proposed_images().iter().any(|image| !ours.iter().any(|our| same_image(our, image)))
}

/// There is nothing to propose: a pull request of ours has nothing left in it.
fn close(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
    report: &mut Report,
) -> Result<Outcome> {
    let closed = github::close(hub, backoff, wish)?;
    let note =
        |pull: &PullRequest| format!("{} was closed: its change is on {} already", pull.url, wish.base);
    report.notices.extend(closed.iter().map(note));
    report.pull_request = closed.map(pull_request_info);
    Ok(Outcome::Already)
}

/// The tag is on a branch of others already. Where the base lacks it, it stays proposed.
fn keep_existing_pr(
    hub: &GitHub,
    backoff: &mut Backoff<'_>,
    wish: &PullRequestSpec<'_>,
    report: &mut Report,
) -> Result<Outcome> {
    let lacks = !wish.title.is_empty();
    let pull = match github::find(hub, backoff, wish)? {
        None if lacks => Some(github::propose(hub, backoff, wish, &mut || true)?),
        found => found,
    };
    report.pull_request = pull.map(pull_request_info);
    Ok(if lacks { Outcome::Proposed } else { Outcome::Already })
}

/// What git takes in no branch's name, and `:`, `*` of image names.
fn is_unfit(c: char) -> bool {
    c.is_whitespace() || c.is_control() || ":*?[\\^~@{}".contains(c)
}

fn pull_request_info(pull: PullRequest) -> PullRequestInfo {
    PullRequestInfo { number: pull.number, url: pull.url }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_trailers() {
        let line = "ghcr.io/acme/äpi: v1 -> v2 (k8s/kustomization.yaml)\n";
        let body = format!("{}\n\nTagbump-Image: a:v2\nTagbump-Source: a/b@1", line.repeat(3000).trim_end());
        let short = cut(&body);
        assert!(short.chars().count() <= MAX_BODY && short.chars().count() > MAX_BODY - 100);
        assert!(
            short.ends_with(".yaml)\n…\n\nTagbump-Image: a:v2\nTagbump-Source: a/b@1"),
            "{}",
            &short[short.len() - 200..]
        );
        assert_eq!(cut("short"), "short");
    }
}
