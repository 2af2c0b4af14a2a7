//! `--pr`: the bump on a branch of its own, and the pull request that carries it.
//!
//! A branch that holds only tagbump's commits is made anew on the base; on any other the bump goes on top.
//! A pull request whose change is on the base already is closed.

use std::cell::RefCell;

use super::ground::{Ground, no_token};
use super::landing::land_on;
use super::{Bump, tell};
use crate::config::Config;
use crate::error::{Failure, Result};
use crate::git::{Identity, RemoteUrl, Target, is_branch_name};
use crate::github::{self, GitHub, PullRequest, Wish};
use crate::image::{Part, short_name};
use crate::land::{Landing, Pace, Proposal, SystemClock};
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
        let api = self.rest_api(&push)?;
        let base = self.branch(checkout, &fetch)?;
        let head = self.head_branch(base.as_deref())?;
        let target = Target {
            fetch,
            push,
            branch: base,
            head: Some(head.clone()),
            author,
            committer: committer.clone(),
        };
        let mut ground = self.ground(checkout, target)?;
        let mut pace = Pace::new(&clock, landing.timeout, fastrand::Rng::new());
        if self.settings.dry_run {
            return self.dry_landing(&mut ground, &pace, report);
        }
        let said = RefCell::new(Said::default());
        let landed = land_on(&mut ground, &mut pace, report, &mut |shelf| {
            let (proposal, words) = self.proposed(shelf, &committer)?;
            *said.borrow_mut() = words;
            Ok(proposal)
        })?;
        report.branch = Some(head.clone());
        let said = said.into_inner();
        let repository = ground.git().slug().unwrap_or_default();
        let wish = Wish {
            repository: &repository,
            head: &head,
            base: ground.git().branch().unwrap_or_default(),
            title: &said.title,
            body: &said.body,
            labels: &self.settings.pull.labels,
            draft: self.settings.pull.draft,
        };
        self.keep_pull_request(&ground, &api, &mut pace, &wish, landed, report)
    }

    /// Opens, updates or closes the pull request of a branch as it is now.
    fn keep_pull_request(
        &self,
        ground: &Ground,
        api: &str,
        pace: &mut Pace<'_>,
        wish: &Wish<'_>,
        landed: Landing,
        report: &mut Report,
    ) -> Result<()> {
        let Landing { plan, commit, .. } = landed;
        let place = ground.git();
        let Some(commit) = commit else {
            if place.has_head() {
                self.settle(ground, api, pace, wish, report)?;
            }
            tell(report, plan, Outcome::Already);
            return Ok(());
        };
        let hub = GitHub::new(place.http(), api, &place.api_token().ok_or_else(no_token)?)?;
        report.pull_request = Some(told(github::propose(&hub, pace, wish)?));
        ground.note_verification(&commit, pace, report);
        report.commit_url = place.commit_url(&commit);
        report.commit = Some(commit);
        tell(report, plan, Outcome::Proposed);
        Ok(())
    }

    /// There is nothing to propose: a pull request of ours has nothing left in it.
    fn settle(
        &self,
        ground: &Ground,
        api: &str,
        pace: &mut Pace<'_>,
        wish: &Wish<'_>,
        report: &mut Report,
    ) -> Result<()> {
        let place = ground.git();
        let hub = GitHub::new(place.http(), api, &place.api_token().ok_or_else(no_token)?)?;
        if !place.has_own_head() {
            report.pull_request = github::find(&hub, pace, wish)?.map(told);
            return Ok(());
        }
        let closed = github::close(&hub, pace, wish)?;
        let note =
            |pull: &PullRequest| format!("{} was closed: its change is on {} already", pull.url, wish.base);
        report.notices.extend(closed.iter().map(note));
        report.pull_request = closed.map(told);
        Ok(())
    }

    fn rest_api(&self, push: &RemoteUrl) -> Result<String> {
        let place = &self.settings.place;
        let apis = push.page().and_then(|page| place.run.apis(&place.environment, &page));
        apis.map(|apis| apis.rest).ok_or_else(|| {
            Failure::usage(format!("{push}: pull requests need a remote on GitHub, over http or https"))
                .hinted("name the remote with --remote, or land with --push")
        })
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
