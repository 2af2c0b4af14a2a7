//! The story of a bump: read, plan, then write, commit or land.

use std::cell::RefCell;

use crate::actions::Source;
use crate::error::{Failure, Result};
use crate::facts;
use crate::git::{self, Checkout, CommitRequest, GitPlace, Identity, Synced, Target};
use crate::image::{Part, Tag};
use crate::land::message::Words;
use crate::land::{self, Landing, NotLanded, Pace, Place as _, SystemClock, Trouble};
use crate::plan::{Files, Plan, Request, Survey, Want};
use crate::report::{BumpedImage, Outcome, Report};
use crate::settings::{BumpSettings, Reach};
use crate::tag::{self, TagFacts};
use crate::worktree::Worktree;

/// Does what was asked for. A failure is in the report too.
pub fn run(settings: &BumpSettings) -> Report {
    let mut report = Report::new(asked_for(settings));
    match bump(settings, &mut report) {
        Ok(()) => report,
        Err(failure) => report.failed(failure),
    }
}

/// The images as far as they are known before anything is computed.
fn asked_for(settings: &BumpSettings) -> Vec<BumpedImage> {
    let wants = settings.wants(|| Err(Failure::other("not computed yet")));
    wants.map(|wants| told(&wants)).unwrap_or_default()
}

fn told(wants: &[Want]) -> Vec<BumpedImage> {
    let one = |want: &Want| BumpedImage {
        name: want.effective_name().to_owned(),
        tag: want.tag.as_ref().map(Tag::to_string),
        digest: match &want.digest {
            Part::Set(digest) => Some(digest.to_string()),
            Part::Unsaid | Part::Keep => None,
        },
    };
    wants.iter().map(one).collect()
}

fn bump(settings: &BumpSettings, report: &mut Report) -> Result<()> {
    let worktree = Worktree::open(&settings.place.root)?;
    let bump = Bump::prepare(settings)?;
    report.images = told(&bump.request.wants);
    let done = match settings.reach {
        Reach::Edit => bump.edit(&worktree, report),
        Reach::Commit => bump.commit(&worktree, report),
        Reach::Land => bump.land(report),
    };
    tell_left_out(report, bump.left_out.into_inner());
    done
}

/// A bump with all that is known before files are read.
struct Bump<'a> {
    settings: &'a BumpSettings,
    request: Request,
    checkout: Option<Checkout>,
    facts: TagFacts,
    /// Of the last plan, told whatever comes of it.
    left_out: RefCell<LeftOut>,
}

/// Files that were not looked at, and those that are no YAML.
#[derive(Debug, Default)]
struct LeftOut {
    warnings: Vec<String>,
    unread: Vec<String>,
}

impl<'a> Bump<'a> {
    fn prepare(settings: &'a BumpSettings) -> Result<Self> {
        let needs_git = settings.reach != Reach::Edit;
        let mut checkout = if needs_git { Checkout::open(&settings.place.root)? } else { None };
        if needs_git && checkout.is_none() {
            let root = settings.place.root.display();
            return Err(Failure::usage(format!("{root}: is in no git repository")).hinted(
                "name a checkout with -C (a bare repository is none), or leave --commit and --push out",
            ));
        }
        let mut facts = None;
        let wants = settings.wants(|| {
            if checkout.is_none() {
                checkout = Checkout::open(&settings.place.root)?;
            }
            let known = facts::tag_facts(&settings.place, checkout.as_ref());
            let computed = tag::compute(&settings.template, &known);
            facts = Some(known);
            computed
        })?;
        Ok(Bump {
            request: Request {
                wants,
                fields: settings.fields.clone(),
                add: settings.add,
                all: settings.all,
                selected: !settings.selection.is_everything(),
                expect: settings.expect,
            },
            facts: facts.unwrap_or_else(|| facts::tag_facts(&settings.place, checkout.as_ref())),
            checkout,
            left_out: RefCell::default(),
            settings,
        })
    }

    fn plan(&self, files: Files) -> Result<Plan> {
        *self.left_out.borrow_mut() = LeftOut { warnings: files.warnings, unread: Vec::new() };
        let survey = Survey::of(files.files, &self.request)?;
        self.left_out.borrow_mut().unread = survey.unread().to_vec();
        survey.plan(&self.request)
    }

    fn edit(&self, worktree: &Worktree, report: &mut Report) -> Result<()> {
        // what git itself can't open is no reason not to edit files
        let checkout = Checkout::open(&self.settings.place.root).ok().flatten();
        let tracked = checkout.map(|checkout| checkout.tracked()).unwrap_or_default();
        let planned = self.plan(worktree.read(&self.settings.selection, self.request.add, &tracked)?)?;
        let outcome = self.outcome(&planned, Outcome::Edited);
        if outcome == Outcome::Edited {
            worktree.replace(&planned.edits)?;
        }
        tell(report, planned, outcome);
        Ok(())
    }

    fn outcome(&self, planned: &Plan, done: Outcome) -> Outcome {
        match (planned.is_empty(), self.settings.dry_run) {
            (true, _) => Outcome::Already,
            (false, true) => Outcome::Planned,
            (false, false) => done,
        }
    }

    fn checkout(&self) -> Result<&Checkout> {
        self.checkout.as_ref().ok_or_else(|| Failure::usage("no git repository"))
    }

    fn commit(&self, worktree: &Worktree, report: &mut Report) -> Result<()> {
        let checkout = self.checkout()?;
        let planned = self.plan(checkout.head_files(&self.settings.selection, self.request.add)?)?;
        let outcome = self.outcome(&planned, Outcome::Committed);
        let replan = |path: &str, bytes: &[u8]| self.replan(checkout, path, bytes);
        if outcome == Outcome::Planned {
            git::rehearse(checkout, &planned, worktree, &replan)?;
        }
        if outcome == Outcome::Committed {
            let (author, committer) = self.identities()?;
            let request = CommitRequest {
                message: &self.words(&committer)?.message(&planned)?,
                plan: &planned,
                author: &author,
                committer: &committer,
                worktree,
                replan: &replan,
            };
            report.commit = Some(git::commit(checkout, &request)?);
            report.branch = checkout.branch();
            self.note_signing(report);
        }
        tell(report, planned, outcome);
        Ok(())
    }

    /// The same bump on `HEAD`, with other bytes in one file.
    fn replan(&self, checkout: &Checkout, path: &str, bytes: &[u8]) -> Result<Plan> {
        let mut files = checkout.head_files(&self.settings.selection, self.request.add)?.files;
        for file in files.iter_mut().filter(|file| file.path == path) {
            file.bytes = bytes.to_vec();
        }
        Survey::of(files, &self.request)?.plan(&self.request)
    }

    fn land(&self, report: &mut Report) -> Result<()> {
        let clock = SystemClock;
        let checkout = self.checkout()?;
        let landing = &self.settings.landing;
        let (author, committer) = self.identities()?;
        let (fetch, push) = checkout.remote(&landing.remote)?;
        let branch = self.branch(checkout, &fetch)?;
        let mut pace = Pace::new(&clock, landing.timeout, fastrand::Rng::new());
        let words = self.words(&committer)?;
        let target = Target { fetch, push, branch, author, committer };
        let selection = self.settings.selection.clone();
        let mut place = GitPlace::new(checkout, target, &landing.tokens, selection, self.request.add)?;
        if self.settings.dry_run {
            return self.dry_landing(&mut place, &pace, report);
        }
        let landed =
            land::land(&mut place, &mut pace, &mut |files| self.plan(files), &|plan| words.message(plan));
        report.branch = place.branch().map(str::to_owned);
        report.details.extend(place.credential_label().map(|label| format!("credential: {label}")));
        match landed {
            Ok(landed) => self.tell_landing(checkout, &place, landed, report),
            Err(NotLanded { failure, attempts, log }) => {
                report.attempts = attempts;
                report.details.extend(log);
                return Err(failure);
            }
        }
        Ok(())
    }

    /// What would be landed on the tip as it is now.
    fn dry_landing(&self, place: &mut GitPlace, pace: &Pace<'_>, report: &mut Report) -> Result<()> {
        let tip = place.tip(pace.deadline()).map_err(|trouble| match trouble {
            Trouble::Final(failure) => failure,
            Trouble::Passing { what, .. } | Trouble::Unreachable { what } => {
                Failure::other(what).hinted("check the network and run again")
            }
        })?;
        let planned = self.plan(place.files(&tip)?)?;
        report.branch = place.branch().map(str::to_owned);
        let outcome = self.outcome(&planned, Outcome::Planned);
        tell(report, planned, outcome);
        Ok(())
    }

    fn tell_landing(&self, checkout: &Checkout, place: &GitPlace, landed: Landing, report: &mut Report) {
        let Landing { plan, commit, attempts, log } = landed;
        report.attempts = attempts;
        report.details.extend(log);
        let outcome = if commit.is_some() { Outcome::Landed } else { Outcome::Already };
        self.note_own_commits(checkout, place.branch(), report);
        if let Some(commit) = &commit {
            let dirty = checkout.uncommitted(plan.edits.iter().map(|edit| edit.path.as_str()));
            report.warnings.extend(
                dirty
                    .iter()
                    .map(|path| format!("{path}: has uncommitted changes here, which were not landed")),
            );
            self.sync(checkout, place, commit, report);
            self.note_signing(report);
        }
        report.commit = commit;
        tell(report, plan, outcome);
    }

    fn sync(&self, checkout: &Checkout, place: &GitPlace, commit: &str, report: &mut Report) {
        let landing = &self.settings.landing;
        if !landing.sync {
            return;
        }
        match git::sync(checkout, place, &landing.remote, commit) {
            Synced::Forwarded => report.details.push("the checkout was fast-forwarded".to_owned()),
            Synced::Left(why) => report.notices.push(format!("the checkout was left as it was: {why}")),
        }
    }

    fn note_own_commits(&self, checkout: &Checkout, branch: Option<&str>, report: &mut Report) {
        let base = self.settings.place.run.checked_out();
        let own = branch.is_some_and(|b| checkout.has_own_commits(&self.settings.landing.remote, b, base));
        if own {
            report.notices.push("commits of the checkout that are not on the remote stay local".to_owned());
        }
    }

    fn note_signing(&self, report: &mut Report) {
        if self.checkout.as_ref().is_some_and(Checkout::signs) {
            report.warnings.push("commit.gpgsign is set, but commits are not signed yet".to_owned());
        }
    }

    /// The branch to land on; nothing for the remote's default one.
    fn branch(&self, checkout: &Checkout, remote: &git::RemoteUrl) -> Result<Option<String>> {
        let run = &self.settings.place.run;
        if let Some(branch) = &self.settings.landing.branch {
            return Ok(Some(branch.clone()));
        }
        if run.has_no_branch_of_its_own() {
            let event = run.event_name();
            return Err(Failure::usage(format!("{event} events have no branch to land on"))
                .hinted("name the branch to land on with --branch"));
        }
        if let Some(branch) = checkout.branch() {
            return Ok(Some(branch));
        }
        let here = same_repository(run.repository.as_deref(), remote.slug().as_deref());
        Ok(run.branch().filter(|_| here).map(str::to_owned))
    }

    /// Author and committer: flags, environment, git's configuration, in Actions the bot.
    fn identities(&self) -> Result<(Identity, Identity)> {
        let checkout = self.checkout()?;
        let environment = &self.settings.place.environment;
        let identity = |role: &str, variable: &str| -> Result<Option<Identity>> {
            let var = |what: &str| environment.get(&format!("GIT_{variable}_{what}")).map(str::to_owned);
            let (name, email) = checkout.identity(role)?;
            Ok(Identity::configured(var("NAME").or(name), var("EMAIL").or(email)))
        };
        let bot = self.settings.place.run.active.then(|| Identity {
            name: "github-actions[bot]".to_owned(),
            email: "41898282+github-actions[bot]@users.noreply.github.com".to_owned(),
        });
        let given = self.settings.commit.author.clone();
        let committer = identity("committer", "COMMITTER")?.or(bot.clone()).or_else(|| given.clone());
        let author = match given {
            Some(given) => Some(given),
            None => identity("author", "AUTHOR")?.or(bot),
        };
        author.zip(committer).ok_or_else(|| {
            Failure::usage("git does not know who makes the commit").hinted(
                "git config user.name NAME and git config user.email EMAIL, or --author 'NAME <EMAIL>'",
            )
        })
    }

    fn words(&self, committer: &Identity) -> Result<Words<'_>> {
        let source = self.source()?;
        let commit = &self.settings.commit;
        Ok(Words {
            wants: &self.request.wants,
            template: commit.message.as_ref(),
            facts: &self.facts,
            skip_ci: match commit.skip_ci {
                Some(asked) => asked,
                None => self.target_is_what_was_built(source.as_ref())?,
            },
            source: source.and_then(|s| Some(format!("{}@{}", s.repository?, s.sha))),
            signoff: commit.signoff.then(|| format!("{} <{}>", committer.name, committer.email)),
            prefix: self.checkout()?.prefix(),
        })
    }

    /// The commit that was built. Where nobody says in which repository: in the checkout's, if it is there.
    fn source(&self) -> Result<Option<Source>> {
        let checkout = self.checkout()?;
        let tag = self.request.wants.iter().find_map(|want| want.tag.as_ref()).map(Tag::as_str);
        let source = facts::source(&self.settings.place, Some(checkout), tag, &self.settings.template);
        Ok(source.map(|mut source| {
            if source.repository.is_none() && checkout.resolve(&source.sha).is_some() {
                let remote = checkout.remote(&self.settings.landing.remote).ok();
                source.repository = remote.and_then(|(fetch, _)| fetch.slug());
            }
            source
        }))
    }

    /// CI would build the same again. Where nobody says what was built, it was the checkout.
    fn target_is_what_was_built(&self, source: Option<&Source>) -> Result<bool> {
        let run = &self.settings.place.run;
        let built = source.and_then(|s| s.repository.as_deref()).or(run.repository.as_deref());
        let Some(built) = built else { return Ok(true) };
        let checkout = self.checkout()?;
        let remote = &self.settings.landing.remote;
        if self.settings.reach == Reach::Commit && !checkout.has_remote(remote) {
            return Ok(true);
        }
        let (_, target) = checkout.remote(remote)?;
        Ok(same_repository(Some(built), target.slug().as_deref()))
    }
}

/// Hosts take `owner/name` in any case.
fn same_repository(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
}

fn tell(report: &mut Report, planned: Plan, outcome: Outcome) {
    report.outcome = outcome;
    report.warnings.splice(0..0, planned.warnings);
    report.changes = planned.changes;
    report.edits = planned.edits;
}

fn tell_left_out(report: &mut Report, left_out: LeftOut) {
    report.warnings.splice(0..0, left_out.warnings);
    match left_out.unread.len() {
        0 => {}
        1 => report.warnings.push("1 file was left out: it is no YAML (-v names it)".to_owned()),
        n => report.warnings.push(format!("{n} files were left out: they are no YAML (-v names them)")),
    }
    report.details.extend(left_out.unread.iter().map(|file| format!("no YAML: {file}")));
}
