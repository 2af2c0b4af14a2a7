//! `--pr`: the bump on a branch of its own, and the pull request that carries it.
//!
//! A branch that holds only tagbump's commits is made anew on the base; on any other the bump goes on top.
//! A pull request whose change is on the base already is closed.

use std::cell::RefCell;

use super::{Bump, tell};
use crate::config::Config;
use crate::error::{Exit, Failure, Result};
use crate::git::{GitPlace, Identity, Target, is_branch_name};
use crate::github::{self, GitHub, PullRequest, Wish};
use crate::image::{Part, short_name};
use crate::land::{self, Clock as _, Landing, NotLanded, Pace, Proposal, SystemClock};
use crate::plan::{Plan, Shelf};
use crate::report::{Outcome, Report, ToldPullRequest};

/// What a pull request says.
#[derive(Clone, Debug, Default)]
struct Said {
    title: String,
    body: String,
}

impl Bump<'_> {
    pub(super) fn propose_pull_request(&self, report: &mut Report) -> Result<()> {
        let clock = SystemClock;
        let checkout = self.checkout()?;
        let landing = &self.settings.landing;
        let (author, committer) = self.identities()?;
        let (fetch, push) = checkout.remote(&landing.remote)?;
        let api =
            self.settings.place.run.api(&self.settings.place.environment, &push.page().unwrap_or_default());
        let api = api.ok_or_else(|| no_api(&push.to_string()))?;
        let base = self.base(&fetch)?;
        let head = self.head_branch(base.as_deref())?;
        let target = Target {
            fetch,
            push,
            branch: base,
            head: Some(head.clone()),
            author,
            committer: committer.clone(),
        };
        let mut place = GitPlace::new(checkout, target, &landing.tokens)?;
        let mut pace = Pace::new(&clock, landing.timeout, fastrand::Rng::new());
        if self.settings.dry_run {
            return self.dry_landing(&mut place, &pace, report);
        }
        let said = RefCell::new(Said::default());
        let started = clock.now();
        let landed = land::land(&mut place, &mut pace, &mut |shelf| {
            let (proposal, words) = self.proposed(shelf, &committer)?;
            *said.borrow_mut() = words;
            Ok(proposal)
        });
        report.elapsed = Some(clock.now() - started);
        report.branch = Some(head.clone());
        let Landing { plan, commit, attempts, log } =
            landed.map_err(|NotLanded { failure, attempts, log }| {
                report.attempts = attempts;
                report.details.extend(log);
                failure
            })?;
        report.attempts = attempts;
        report.details.extend(log);
        let said = said.into_inner();
        let repository = place.slug().unwrap_or_default();
        let wish = Wish {
            repository: &repository,
            head: &head,
            base: place.branch().unwrap_or_default(),
            title: &said.title,
            body: &said.body,
            labels: &self.settings.pull.labels,
            draft: self.settings.pull.draft,
        };
        self.carry(&place, &api, &mut pace, &wish, commit, plan, report)
    }

    #[expect(clippy::too_many_arguments, reason = "what landing gave, and where it goes")]
    fn carry(
        &self,
        place: &GitPlace,
        api: &str,
        pace: &mut Pace<'_>,
        wish: &Wish<'_>,
        commit: Option<String>,
        plan: Plan,
        report: &mut Report,
    ) -> Result<()> {
        if commit.is_none() && !place.has_head() {
            tell(report, plan, Outcome::Already);
            return Ok(());
        }
        let token = place.api_token().ok_or_else(no_token)?;
        let hub = GitHub::new(api, &token)?;
        if commit.is_none() && place.has_own_head() {
            let closed = github::close(&hub, pace, wish)?;
            report.notices.extend(
                closed
                    .iter()
                    .map(|pull| format!("{} was closed: its change is on {} already", pull.url, wish.base)),
            );
            report.pull_request = closed.map(told);
            tell(report, plan, Outcome::Already);
            return Ok(());
        }
        report.pull_request = Some(told(github::propose(&hub, pace, wish)?));
        report.commit_url = commit.as_deref().and_then(|commit| place.commit_url(commit));
        report.commit = commit;
        tell(report, plan, Outcome::Proposed);
        Ok(())
    }

    fn proposed(&self, shelf: &dyn Shelf, committer: &Identity) -> Result<(Proposal, Said)> {
        let config = Config::load(shelf)?;
        let plan = self.plan(shelf, &config)?;
        let message = if plan.is_empty() { String::new() } else { self.message(committer, &config, &plan)? };
        let said = self.said(&message, committer, &config, &plan)?;
        Ok((Proposal { plan, message }, said))
    }

    /// Title and text: the commit's, or what the templates make. The text ends with the trailers, since a
    /// squash merge keeps nothing else.
    fn said(&self, message: &str, committer: &Identity, config: &Config, plan: &Plan) -> Result<Said> {
        if plan.is_empty() {
            return Ok(Said::default());
        }
        let pull = &self.settings.pull;
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let worded = |template| self.worded(Some(template), committer, config, plan);
        let title = match &pull.title {
            Some(template) => worded(template)?.lines().next().unwrap_or_default().to_owned(),
            None => subject.to_owned(),
        };
        let body = match &pull.body {
            Some(template) => worded(template)?,
            None => body.to_owned(),
        };
        Ok(Said { title, body: body.trim().to_owned() })
    }

    /// The branch that the pull request goes to.
    fn base(&self, fetch: &crate::git::RemoteUrl) -> Result<Option<String>> {
        self.branch(self.checkout()?, fetch)
    }

    /// The pull request's branch, by its template.
    fn head_branch(&self, base: Option<&str>) -> Result<String> {
        let template = &self.settings.pull.branch;
        let names: Vec<_> = self
            .settings
            .images
            .iter()
            .map(|image| match &image.new_name {
                Part::Set(new) => short_name(new),
                Part::Unsaid | Part::Keep => short_name(&image.name),
            })
            .collect();
        let filled = template.fill(|variable| match variable.name.as_str() {
            "base" => Ok(base.unwrap_or("default").to_owned()),
            "name" => Ok(names.join("-")),
            _ => self.facts().value(variable),
        });
        let filled =
            filled.map_err(|e| Failure::usage(format!("--pr-branch: {e}")).hinted("change --pr-branch"))?;
        let branch: String = filled.chars().map(|c| if is_unfit(c) { '-' } else { c }).collect();
        if !is_branch_name(&branch) || branch.starts_with('-') || Some(branch.as_str()) == base {
            return Err(Failure::usage(format!(
                "--pr-branch makes {branch}, which is no branch for a pull request"
            ))
            .hinted("git check-ref-format --branch says what is a name; it must not be the base"));
        }
        Ok(branch)
    }
}

/// What git takes in no branch's name, and `:`, `*` of image names.
fn is_unfit(c: char) -> bool {
    c.is_whitespace() || c.is_control() || ":*?[\\^~@{}".contains(c)
}

fn told(pull: PullRequest) -> ToldPullRequest {
    ToldPullRequest { number: pull.number, url: pull.url }
}

fn no_api(url: &str) -> Failure {
    Failure::usage(format!("{url}: pull requests need a remote on GitHub, over http or https"))
        .hinted("name the remote with --remote, or land with --push")
}

fn no_token() -> Failure {
    Failure::new(Exit::Refused, "there is no token for the pull request")
        .hinted("set TAGBUMP_TOKEN, or GITHUB_TOKEN with contents: write and pull-requests: write")
}
