//! The order guard: a build that ends late does not put its older image over a newer one.
//!
//! A reference is left alone where what it says on the tip was built from a commit that comes after ours.
//! Where that can't be told it is written, and a notice says so.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::time::Instant;

use super::Bump;
use super::rollback::RollbackBase;
use super::wording::same_repository;
use crate::build_info;
use crate::cli::IfOlder;
use crate::config::Config;
use crate::error::{Result, inline};
use crate::forge::github::{self, GitHub};
use crate::history::ObjectId;
use crate::image::{same_tag, split_tag};
use crate::landing::{self, BuildOrder, ProvenCommit, Provenance, RolledBack, Tip, TipSnapshot};
use crate::plan::{self, ChangedReference, Plan, Request, SkipReference};
use crate::resolve_targets;
use crate::tag::Source;
use crate::template::Template;

/// What is known of a reference's place in time.
enum Freshness {
    Current,
    /// What is there comes after ours, and why.
    Older(String),
    Unknown(String),
}

/// A build that is to be written, and what is in its place.
struct BuildUnderTest<'a> {
    ours: &'a Source,
    from: &'a str,
    template: &'a Template,
}

/// How many characters of an author's name a notice shows.
const MAX_AUTHOR: usize = 60;

/// Names the commit and author of a claim: readers can judge it.
fn signed(written: &ProvenCommit) -> String {
    let commit = written.commit.to_string();
    let author: String = written.author.chars().take(MAX_AUTHOR).collect();
    format!("commit {} by {}", commit.get(..10).unwrap_or(&commit), inline(&author))
}

fn rolled_back(bad: &RolledBack, by: &ProvenCommit) -> Freshness {
    let why = "and this build is not newer";
    Freshness::Older(format!("as {} was rolled back, {why} ({})", inline(&bad.tag), signed(by)))
}

/// Which commits set the tags that a plan replaces. Looked up when first needed.
struct Origins<'a> {
    seen: TipSnapshot<'a>,
    tip: &'a Tip,
    prefix: &'a str,
    request: &'a Request,
    changes: &'a [ChangedReference],
    at_hand: OnceCell<Vec<Provenance>>,
    deepened: OnceCell<Vec<Provenance>>,
}

impl<'a> Origins<'a> {
    /// In the available history.
    fn at_hand(&self, nth: usize) -> &Provenance {
        &self.at_hand.get_or_init(|| self.find(false))[nth]
    }

    /// In the available history, and in more of it from the server.
    fn deepened(&self, nth: usize) -> &Provenance {
        &self.deepened.get_or_init(|| self.find(true))[nth]
    }

    /// History that can't be read counts as cut off.
    fn find(&self, deepens: bool) -> Vec<Provenance> {
        let unknown = || vec![Provenance::Cut { claimed: Vec::new() }; self.changes.len()];
        let Some(tip) = ObjectId::parse(&self.tip.commit) else { return unknown() };
        let commits = self.seen.history.recent(self.seen.deadline, deepens);
        let found = landing::provenance(&*commits, tip, self.prefix, self.request, self.changes);
        found.unwrap_or_else(|_| unknown())
    }
}

/// A plan may have many thousand changes, each of which may need a look at the history.
fn check_time(seen: TipSnapshot<'_>) -> Result<()> {
    if Instant::now() < seen.deadline { Ok(()) } else { Err(plan::PlanError::Cancelled.into()) }
}

impl Bump<'_> {
    /// The plan for what is seen, without the references that say something newer already.
    pub(super) fn guarded(&self, seen: TipSnapshot<'_>, config: &Config) -> Result<Plan> {
        let request = self.request(config, RollbackBase::of(seen))?;
        let plan = self.plan(seen.files, &request)?;
        if self.settings.back.is_some() || (plan.is_empty() && seen.beside.is_none()) {
            return Ok(plan);
        }
        let origins = self.origins(seen, seen.tip, &request, &plan.changes)?;
        if self.settings.delivery.landing.if_older == IfOlder::Write {
            let at_hand = |(nth, change)| Some((change, origins.at_hand(nth).written()?));
            self.keep_away(seen, config, &plan, plan.changes.iter().enumerate().filter_map(at_hand));
            return Ok(plan);
        }
        let mut judged = GuardVerdicts::default();
        for (nth, change) in plan.changes.iter().enumerate() {
            check_time(seen)?;
            judged.take(change, self.standing(&origins, nth, config, &plan), true);
        }
        if let Some((tip, files)) = seen.beside {
            // what can't be planned there can't be newer there
            let there = self.plan(files, &request).unwrap_or_default();
            let origins = self.origins(seen, tip, &request, &there.changes)?;
            for (nth, change) in there.changes.iter().enumerate() {
                check_time(seen)?;
                judged.take(change, self.standing(&origins, nth, config, &there), false);
            }
        }
        // also without any to leave: the last plan is the one that is told of
        let plan = if judged.leave.is_empty() && seen.beside.is_none() {
            plan
        } else {
            let request = Request { skip: judged.leave.clone(), ..request.clone() };
            self.plan(seen.files, &request)?
        };
        self.keep_away(seen, config, &plan, judged.written.iter().map(|(change, written)| (change, written)));
        // a pull request with something newer stays, also where the base lacks nothing of ours
        let left = plan.left.max(if plan.is_empty() { judged.leave.len() } else { 0 });
        Ok(judged.told(Plan { left, ..plan }))
    }

    fn origins<'a>(
        &'a self,
        seen: TipSnapshot<'a>,
        tip: &'a Tip,
        request: &'a Request,
        changes: &'a [ChangedReference],
    ) -> Result<Origins<'a>> {
        let prefix = self.checkout()?.prefix();
        let (at_hand, deepened) = (OnceCell::new(), OnceCell::new());
        Ok(Origins { seen, tip, prefix, request, changes, at_hand, deepened })
    }

    /// Where a change stands in time, and the commit that wrote what is in its place, where that is known.
    fn standing(
        &self,
        origins: &Origins<'_>,
        nth: usize,
        config: &Config,
        plan: &Plan,
    ) -> (Freshness, Option<ProvenCommit>) {
        let (seen, change) = (origins.seen, &origins.changes[nth]);
        let Some(target) = plan.targets.get(change.target).filter(|_| !change.from.is_empty()) else {
            return (Freshness::Current, None);
        };
        let ours = self.source_of(config, Some(target)).ok().flatten();
        let template = resolve_targets::tag_template(self.settings, config, target.service.as_deref());
        let built = ours.as_ref().map(|ours| BuildUnderTest { ours, from: &change.from, template });
        let at_hand = origins.at_hand(nth);
        let may_tell_more = match at_hand {
            Provenance::Known(written) => !written.unproven.is_empty(),
            Provenance::Cut { claimed } => match &ours {
                Some(ours) => seen.history.may_lack_newer(&ours.sha),
                None => claimed.iter().any(|bad| same_tag(&bad.tag, &change.to)),
            },
            Provenance::TooFar => false,
        };
        // the commit that set it may have rolled back something newer
        let found = if may_tell_more { origins.deepened(nth) } else { at_hand };
        let same = self.same_again(seen, ours.as_ref(), change, found.written());
        let standing = same.unwrap_or_else(|| match &built {
            Some(built) => self.judged(seen, built, found.written()),
            None => Freshness::Unknown("which commit was built is not known (--source says it)".to_owned()),
        });
        let may_be_late = built.is_some() && !matches!(standing, Freshness::Older(_));
        let is_open = may_be_late && (may_tell_more || *found == Provenance::TooFar);
        let standing = match open_question(found, change).filter(|_| is_open) {
            Some(why) => Freshness::Unknown(why),
            None => standing,
        };
        (standing, found.written().cloned())
    }

    /// Whether a change writes what was rolled back, whatever is known of its commit. A version that was made anew
    /// of a newer commit is another build; what an event says may be a later run.
    fn same_again(
        &self,
        seen: TipSnapshot<'_>,
        ours: Option<&Source>,
        change: &ChangedReference,
        written: Option<&ProvenCommit>,
    ) -> Option<Freshness> {
        let said = ours.filter(|_| self.settings.place.source.is_some());
        let is_newer = |bad: &RolledBack| {
            let pair = said.zip(bad.source.as_ref());
            pair.is_some_and(|(ours, bad)| self.order(seen, ours, bad) == BuildOrder::After)
        };
        let written = written?;
        let mut bad = written.rolled_back.iter();
        let bad = bad.find(|bad| same_tag(&bad.tag, &change.to) && !is_newer(bad))?;
        Some(rolled_back(bad, written))
    }

    /// Against what is there, and what was rolled back: what comes before that is late, and so is it itself; what
    /// stands beside it, as a fix of what is there does, is not.
    fn judged(
        &self,
        seen: TipSnapshot<'_>,
        built: &BuildUnderTest<'_>,
        written: Option<&ProvenCommit>,
    ) -> Freshness {
        let by_trailer = written.and_then(|written| Some((written.source.clone()?, signed(written))));
        let (by_trailer, signed) = by_trailer.unzip();
        let signed = signed.map(|by| format!(" ({by})")).unwrap_or_default();
        let theirs = by_trailer.or_else(|| self.source_in(built.from, built.template));
        let there = theirs.as_ref().map(|theirs| self.order_of(seen, built.ours, theirs, built.from));
        let mut untold = None;
        let taken = written.map(|by| by.rolled_back.iter().map(move |bad| (bad, by)));
        for (bad, by) in taken.into_iter().flatten() {
            let source = bad.source.clone().or_else(|| self.source_in(&bad.tag, built.template));
            let order = source.map(|source| self.order_of(seen, built.ours, &source, &bad.tag));
            let why = match order {
                Some(BuildOrder::Before | BuildOrder::Same) if there != Some(BuildOrder::Same) => {
                    return rolled_back(bad, by);
                }
                Some(BuildOrder::Unknown(why)) => why,
                None => format!("{} was rolled back, and names no commit", bad.tag),
                Some(_) => continue,
            };
            untold.get_or_insert(why);
        }
        let sha = theirs.map(|theirs| theirs.sha).unwrap_or_default();
        match (there, untold) {
            (Some(order), _) if order.is_late() => {
                Freshness::Older(format!("built from {sha}, which is newer{signed}"))
            }
            (_, Some(why)) => Freshness::Unknown(why),
            (Some(BuildOrder::Unknown(why)), None) => Freshness::Unknown(format!("{why}{signed}")),
            (None, None) => Freshness::Unknown(format!("tag {} names no commit", inline(built.from))),
            (Some(_), None) => Freshness::Current,
        }
    }

    /// The commit that a tag names.
    pub(super) fn source_in(&self, tag: &str, template: &Template) -> Option<Source> {
        build_info::commit_named(split_tag(tag).0, template, self.checkout.as_ref())
    }

    pub(super) fn order_of(
        &self,
        seen: TipSnapshot<'_>,
        ours: &Source,
        theirs: &Source,
        tag: &str,
    ) -> BuildOrder {
        let (one, other) = (ours.repository.as_deref(), theirs.repository.as_deref());
        if one.is_some() && other.is_some() && !same_repository(one, other) {
            return BuildOrder::Unknown(format!("{} was built from another repository", inline(tag)));
        }
        self.order(seen, ours, theirs)
    }

    /// Asked once for each pair, however often the bump is made anew.
    fn order(&self, seen: TipSnapshot<'_>, ours: &Source, theirs: &Source) -> BuildOrder {
        let pair = (ours.sha.clone(), theirs.sha.clone());
        if let Some(known) = self.orders.borrow().get(&pair) {
            return known.clone();
        }
        let order = if self.is_landed_in(ours) {
            seen.history.order(&ours.sha, &theirs.sha, seen.deadline)
        } else {
            self.order_via_forge(seen, ours, theirs)
        };
        if !matches!(order, BuildOrder::Unknown(_)) {
            self.orders.borrow_mut().insert(pair, order.clone());
        }
        order
    }

    /// Whether the built commit is in the repository that is landed in.
    fn is_landed_in(&self, ours: &Source) -> bool {
        let Some(repository) = ours.repository.as_deref() else { return true };
        let remote =
            self.checkout().and_then(|checkout| Ok(checkout.remote(&self.settings.delivery.landing.remote)?));
        remote.is_ok_and(|(_, push)| same_repository(Some(repository), push.slug().as_deref()))
    }

    /// GitHub is asked with the token that may read there.
    fn order_via_forge(&self, seen: TipSnapshot<'_>, ours: &Source, theirs: &Source) -> BuildOrder {
        let repository = ours.repository.as_deref().unwrap_or_default();
        let mut why = format!("there is no token to ask GitHub of {repository} with");
        for (api, token) in self.askable(repository) {
            let http = self.checkout().and_then(|checkout| Ok(checkout.http()?));
            let hub =
                http.and_then(|http| GitHub::new(&http, &api, &token)).map_err(|failure| failure.message);
            let order =
                hub.and_then(|hub| github::order(&hub, seen.deadline, repository, &ours.sha, &theirs.sha));
            match order {
                Ok(order) => return order,
                Err(told) => why = told,
            }
        }
        BuildOrder::Unknown(why)
    }

    /// APIs and tokens for a repository: the runner's own for its own, else those of the remote's host.
    fn askable(&self, repository: &str) -> Vec<(String, String)> {
        let (run, environment) = (&self.settings.place.run, &self.settings.place.environment);
        let token = |names: &[&str]| {
            names.iter().find_map(|name| environment.get(name)).map(|token| token.trim().to_owned())
        };
        let server = run.server(environment);
        let own = same_repository(Some(repository), run.repository.as_deref());
        let runners = own.then(|| run.apis(environment, server)).flatten();
        let runners = runners.zip(token(&["GITHUB_TOKEN", "GH_TOKEN"]));
        let page = self.own_token_page();
        let page = page.filter(|page| run.is_github(environment, page));
        let remotes = page.and_then(|page| run.apis(environment, &page)).zip(token(&["TAGBUMP_TOKEN"]));
        runners.into_iter().chain(remotes).map(|(apis, token)| (apis.rest, token)).collect()
    }

    /// The page of the remote, if `TAGBUMP_TOKEN` may be sent to its host.
    fn own_token_page(&self) -> Option<String> {
        let name = &self.settings.delivery.landing.remote;
        let checkout = self.checkout().ok()?;
        let (_, push) = checkout.remote(name).ok()?;
        checkout.url_origin(name).objection(&push).is_none().then(|| push.page())?
    }
}

/// The question that the history leaves open, if any.
fn open_question(found: &Provenance, change: &ChangedReference) -> Option<String> {
    match found {
        Provenance::Known(written) => written.unproven.first().map(|bad| {
            format!(
                "whether {} was rolled back is not in the last 1,000 commits ({})",
                bad.tag,
                signed(written)
            )
        }),
        Provenance::Cut { .. } | Provenance::TooFar => {
            Some(format!("who wrote {} is not among the last 1,000 commits", inline(&change.from)))
        }
    }
}

/// What the guard found out.
#[derive(Default)]
struct GuardVerdicts {
    leave: Vec<SkipReference>,
    late: BTreeSet<String>,
    untold: BTreeSet<String>,
    /// The commits that wrote what is where the bump is made.
    written: Vec<(ChangedReference, ProvenCommit)>,
}

impl GuardVerdicts {
    /// `here` is where the bump is made; elsewhere what a reference says now is another thing.
    fn take(
        &mut self,
        change: &ChangedReference,
        (standing, written): (Freshness, Option<ProvenCommit>),
        here: bool,
    ) {
        self.written.extend(written.filter(|_| here).map(|written| (change.clone(), written)));
        let ChangedReference { file, line, target, .. } = change;
        let (image, now) = (inline(&change.image), inline(&change.from));
        match standing {
            Freshness::Current => {}
            Freshness::Older(why) => {
                let from = here.then(|| change.from.clone());
                self.leave.push(SkipReference { target: *target, file: file.clone(), from });
                let file = inline(file);
                self.late.insert(format!("{file}:{line}: {image} stays at {now}, {why}"));
            }
            Freshness::Unknown(why) => {
                self.untold.insert(format!("{image}: whether {now} is newer can't be told: {why}"));
            }
        }
    }

    fn told(self, plan: Plan) -> Plan {
        let Plan { notices, .. } = plan;
        let written = self.untold.into_iter().filter(|_| !plan.edits.is_empty());
        let notices = notices.into_iter().chain(self.late).chain(written).collect();
        Plan { notices, ..plan }
    }
}
