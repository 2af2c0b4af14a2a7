//! `--pr`: the bump on a branch of its own, and the pull request that carries it.
//!
//! A branch that holds only tagbump's commits is made anew on the base; on any other the bump goes on top.
//! A pull request whose change is on the base already is closed.

use std::cell::RefCell;

use super::ground::{Ground, no_token};
use super::landing::land_on;
use super::{Bump, tell};
use crate::config::Config;
use crate::error::{Exit, Failure, Result};
use crate::git::{GitPlace, Identity, RemoteUrl, Target, is_branch_name};
use crate::github::{self, GitHub, PullRequest, Wish};
use crate::image::{Part, short_name};
use crate::land::{Landing, Pace, Place as _, Proposal, SystemClock, Tip, Trouble};
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
        let mut pace = Pace::new(&clock, landing.timeout, fastrand::Rng::new());
        let branch = self.branch(checkout, &fetch)?;
        let mut target = Target { fetch, push, branch, head: None, author, committer: committer.clone() };
        let base = match &target.branch {
            Some(base) => base.clone(),
            None => self.default_branch(target.clone(), &mut pace)?,
        };
        let head = self.head_branch(&base)?;
        (target.branch, target.head) = (Some(base), Some(head.clone()));
        let base = Target { head: None, ..target.clone() };
        let mut ground = self.ground(checkout, target)?;
        if self.settings.dry_run {
            let planned = self.dry_landing(&mut ground, &pace, report);
            report.branch = Some(head);
            return planned;
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
        if landed.commit.is_none() && ground.git().has_head() && !ground.git().has_own_head() {
            return self.stand_by(base, &ground, &api, &mut pace, &wish, landed.plan, report);
        }
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
            if place.has_own_head() {
                self.settle(ground, api, pace, wish, report)?;
            }
            tell(report, plan, Outcome::Already);
            return Ok(());
        };
        let hub = GitHub::new(api, &place.api_token().ok_or_else(no_token)?)?;
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
        let hub = GitHub::new(api, &place.api_token().ok_or_else(no_token)?)?;
        let closed = github::close(&hub, pace, wish)?;
        let note =
            |pull: &PullRequest| format!("{} was closed: its change is on {} already", pull.url, wish.base);
        report.notices.extend(closed.iter().map(note));
        report.pull_request = closed.map(told);
        Ok(())
    }

    /// The tag is on a branch of others already. Where the base lacks it, it stays proposed.
    #[expect(clippy::too_many_arguments, reason = "what landing gave, and where it goes")]
    fn stand_by(
        &self,
        base: Target,
        ground: &Ground,
        api: &str,
        pace: &mut Pace<'_>,
        wish: &Wish<'_>,
        plan: Plan,
        report: &mut Report,
    ) -> Result<()> {
        let committer = base.committer.clone();
        let (place, tip) = self.on_base(base, pace)?;
        let (brought, said) = self.proposed(&*place.files(&tip)?, &committer)?;
        let hub = GitHub::new(api, &ground.git().api_token().ok_or_else(no_token)?)?;
        let mut pull = github::find(&hub, pace, wish)?;
        let lacks = !brought.plan.is_empty();
        if pull.is_none() && lacks {
            let wish = Wish { title: &said.title, body: &said.body, ..wish.clone() };
            pull = Some(github::propose(&hub, pace, &wish)?);
        }
        report.pull_request = pull.map(told);
        tell(report, plan, if lacks { Outcome::Proposed } else { Outcome::Already });
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
        let worded = |flag: &str, template| {
            // it is worded as a commit is, and what is wrong with it is told so
            let told = |text: &str| text.replacen("--message", flag, 1);
            let words = self.worded(Some(template), committer, config, plan);
            words.map_err(|failure| Failure {
                message: told(&failure.message),
                hint: failure.hint.as_deref().map(told),
                ..failure
            })
        };
        let title = match &pull.title {
            Some(template) => worded("--pr-title", template)?.lines().next().unwrap_or_default().to_owned(),
            None => subject.to_owned(),
        };
        let body = match &pull.body {
            Some(template) => worded("--pr-body", template)?,
            None => body.to_owned(),
        };
        Ok(Said { title, body: body.trim().to_owned() })
    }

    /// The remote's default branch: the pull request's own is named after its base, and must be another.
    fn default_branch(&self, target: Target, pace: &mut Pace<'_>) -> Result<String> {
        let (place, _) = self.on_base(target, pace)?;
        Ok(place.branch().unwrap_or_default().to_owned())
    }

    /// The base alone, and its tip.
    fn on_base(&self, target: Target, pace: &mut Pace<'_>) -> Result<(GitPlace, Tip)> {
        let mut place = GitPlace::new(self.checkout()?, target, &self.settings.landing.tokens)?;
        loop {
            let (what, retry_after) = match place.tip(pace.deadline()) {
                Ok(tip) => return Ok((place, tip)),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing { what, retry_after }) => (what, retry_after),
                Err(Trouble::Unreachable { what }) => (what, None),
            };
            if !pace.wait(retry_after) {
                return Err(Failure::new(Exit::NotLanded, what)
                    .hinted("check the network, then run again, or give it longer with --timeout"));
            }
        }
    }

    /// The pull request's branch, by its template.
    fn head_branch(&self, base: &str) -> Result<String> {
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

/// What git takes in no branch's name, and `:`, `*` of image names.
fn is_unfit(c: char) -> bool {
    c.is_whitespace() || c.is_control() || ":*?[\\^~@{}".contains(c)
}

fn told(pull: PullRequest) -> ToldPullRequest {
    ToldPullRequest { number: pull.number, url: pull.url }
}
