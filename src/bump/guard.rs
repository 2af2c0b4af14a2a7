//! The order guard: a build that ends late does not put its older image over a newer one.
//!
//! A reference is left alone where what it says on the tip was built from a commit that comes after ours.
//! Where that can't be told it is written, and a notice says so.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::Bump;
use super::rollback::Basis;
use super::wording::same_repository;
use crate::cli::IfOlder;
use crate::config::Config;
use crate::error::{Result, inline};
use crate::facts;
use crate::git::Checkout;
use crate::github::{self, GitHub};
use crate::image::{same_tag, split_tag};
use crate::land::{Order, RolledBack, Seen, There, Tip, Written};
use crate::plan::{self, ChangedReference, Leave, Plan};
use crate::request;
use crate::tag::Source;
use crate::template::Template;

/// A reference's place in time, and the commit that wrote what is there, where that is known.
type Judgement = (Standing, Option<Written>);

/// What is known of a reference's place in time.
#[derive(Clone)]
enum Standing {
    InTime,
    /// What is there comes after ours, and why.
    Late(String),
    Untold(String),
}

/// A build that is to be written, and what is in its place.
struct Built<'a> {
    ours: &'a Source,
    from: &'a str,
    template: &'a Template,
}

/// What a change takes the place of.
fn there<'a>(tip: &'a Tip, change: &'a ChangedReference) -> There<'a> {
    let image = change.renamed_from.as_ref().unwrap_or(&change.image);
    There { tip, file: &change.file, image, tag: &change.from }
}

fn rolled_back(bad: &RolledBack) -> Standing {
    Standing::Late(format!("as {} was rolled back, and this build is not newer", bad.tag))
}

impl Bump<'_> {
    /// The plan for what is seen, without the references that say something newer already.
    pub(super) fn guarded(&self, seen: Seen<'_>, config: &Config) -> Result<Plan> {
        let mut request = self.request(config, Basis::of(seen))?;
        let plan = self.plan(seen.files, &request)?;
        if self.settings.back.is_some() || (plan.is_empty() && seen.beside.is_none()) {
            return Ok(plan);
        }
        if self.settings.delivery.landing.if_older == IfOlder::Write {
            let mut known = HashMap::new();
            let mut at_hand = |change: &ChangedReference| {
                let place = ChangedReference { line: 0, ..change.clone() };
                let written =
                    known.entry(place).or_insert_with(|| seen.history.written(there(seen.tip, change), None));
                written.clone().map(|written| (change.clone(), written))
            };
            let written: Vec<_> = plan.changes.iter().filter_map(&mut at_hand).collect();
            self.keep_away(seen, config, &plan, written.iter().map(|(change, written)| (change, written)));
            return Ok(plan);
        }
        let mut judged = Judged::default();
        for (change, standing) in self.standings(seen, seen.tip, config, &plan)? {
            judged.take(change, standing, true);
        }
        if let Some((tip, files)) = seen.beside {
            // what can't be planned there can't be newer there
            let there = self.plan(files, &request).unwrap_or_default();
            for (change, standing) in self.standings(seen, tip, config, &there)? {
                judged.take(change, standing, false);
            }
        }
        // also without any to leave: the last plan is the one that is told of
        let plan = if judged.leave.is_empty() && seen.beside.is_none() {
            plan
        } else {
            request.leave.clone_from(&judged.leave);
            self.plan(seen.files, &request)?
        };
        self.keep_away(seen, config, &plan, judged.written.iter().map(|(change, written)| (change, written)));
        // a pull request with something newer stays, also where the base lacks nothing of ours
        let left = plan.left.max(if plan.is_empty() { judged.leave.len() } else { 0 });
        Ok(judged.told(Plan { left, ..plan }))
    }

    /// Where each change stands in time. References of one file that say the same stand in the same place: looking through
    /// the history for each of them would take forever.
    fn standings<'p>(
        &self,
        seen: Seen<'_>,
        tip: &Tip,
        config: &Config,
        plan: &'p Plan,
    ) -> Result<Vec<(&'p ChangedReference, Judgement)>> {
        let mut known = HashMap::new();
        let mut standings = Vec::with_capacity(plan.changes.len());
        for change in &plan.changes {
            if Instant::now() >= seen.until {
                return Err(plan::out_of_time());
            }
            let place = ChangedReference { line: 0, ..change.clone() };
            let standing =
                known.entry(place).or_insert_with(|| self.standing(seen, tip, config, plan, change));
            standings.push((change, standing.clone()));
        }
        Ok(standings)
    }

    /// Where a change stands in time, and the commit that wrote what is in its place, where that is known.
    fn standing(
        &self,
        seen: Seen<'_>,
        tip: &Tip,
        config: &Config,
        plan: &Plan,
        change: &ChangedReference,
    ) -> Judgement {
        let Some(want) = plan.wants.get(change.want).filter(|_| !change.from.is_empty()) else {
            return (Standing::InTime, None);
        };
        let at_hand = seen.history.written(there(tip, change), None);
        let ours = self.source_of(config, Some(want)).ok().flatten();
        if let Some(same) = self.same_again(seen, ours.as_ref(), change, at_hand.as_ref()) {
            return (same, None);
        }
        let Some(ours) = ours else {
            let why = "which commit was built is not known (--source says it)".to_owned();
            return (Standing::Untold(why), at_hand);
        };
        let template = request::tag_template(self.settings, config, want.service.as_deref());
        let built = Built { ours: &ours, from: &change.from, template };
        let is_known = at_hand.as_ref().is_some_and(|written| written.in_file);
        let may_be_hidden = !is_known && seen.history.may_lack_newer(&ours.sha);
        let standing = self.judged(seen, &built, at_hand.as_ref());
        if is_known || matches!(standing, Standing::Late(_)) {
            return (standing, at_hand);
        }
        // who wrote it may have put it in the place of something newer
        let deeper = may_be_hidden.then(|| seen.history.written(there(tip, change), Some(seen.until)));
        if let Some(written) = deeper.flatten() {
            let same = self.same_again(seen, Some(&ours), change, Some(&written));
            let standing = same.unwrap_or_else(|| self.judged(seen, &built, Some(&written)));
            return (standing, Some(written));
        }
        let is_beyond = || seen.history.may_lack_newer(&ours.sha) || seen.history.goes_further(tip);
        if at_hand.is_none() && matches!(standing, Standing::InTime) && is_beyond() {
            let why = format!("who wrote {} is not among the last 1,000 commits", change.from);
            return (Standing::Untold(why), None);
        }
        (standing, at_hand)
    }

    /// Whether a change writes what was rolled back, whatever is known of its commit. A version that was made anew
    /// of a newer commit is another build; what an event says may be a later run.
    fn same_again(
        &self,
        seen: Seen<'_>,
        ours: Option<&Source>,
        change: &ChangedReference,
        written: Option<&Written>,
    ) -> Option<Standing> {
        let said = ours.filter(|_| self.settings.place.source.is_some());
        let is_newer = |bad: &RolledBack| {
            let pair = said.zip(bad.source.as_ref());
            pair.is_some_and(|(ours, bad)| self.order(seen, ours, bad) == Order::After)
        };
        let mut bad = written.into_iter().flat_map(|written| &written.rolled_back);
        bad.find(|bad| same_tag(&bad.tag, &change.to) && !is_newer(bad)).map(rolled_back)
    }

    /// Against what is there, and what was rolled back: what comes before that is late, and so is it itself; what
    /// stands beside it, as a fix of what is there does, is not.
    fn judged(&self, seen: Seen<'_>, built: &Built<'_>, written: Option<&Written>) -> Standing {
        let by_trailer = written.and_then(|written| written.source.clone());
        let theirs = by_trailer.or_else(|| self.source_in(built.from, built.template));
        let there = theirs.as_ref().map(|theirs| self.order_of(seen, built.ours, theirs, built.from));
        let mut untold = None;
        for bad in written.into_iter().flat_map(|written| &written.rolled_back) {
            let source = bad.source.clone().or_else(|| self.source_in(&bad.tag, built.template));
            let order = source.map(|source| self.order_of(seen, built.ours, &source, &bad.tag));
            let why = match order {
                Some(Order::Before | Order::Same) if there != Some(Order::Same) => return rolled_back(bad),
                Some(Order::Unknown(why)) => why,
                None => format!("{} was rolled back, and names no commit", bad.tag),
                Some(_) => continue,
            };
            untold.get_or_insert(why);
        }
        let sha = theirs.map(|theirs| theirs.sha).unwrap_or_default();
        match (there, untold) {
            (Some(order), _) if order.is_late() => {
                Standing::Late(format!("built from {sha}, which is newer"))
            }
            (_, Some(why)) | (Some(Order::Unknown(why)), None) => Standing::Untold(why),
            (None, None) => Standing::Untold(format!("tag {} names no commit", built.from)),
            (Some(_), None) => Standing::InTime,
        }
    }

    /// The commit that a tag names.
    pub(super) fn source_in(&self, tag: &str, template: &Template) -> Option<Source> {
        facts::commit_named(split_tag(tag).0, template, self.checkout.as_ref())
    }

    pub(super) fn order_of(&self, seen: Seen<'_>, ours: &Source, theirs: &Source, tag: &str) -> Order {
        let (one, other) = (ours.repository.as_deref(), theirs.repository.as_deref());
        if one.is_some() && other.is_some() && !same_repository(one, other) {
            return Order::Unknown(format!("{tag} was built from another repository"));
        }
        self.order(seen, ours, theirs)
    }

    /// Asked once for each pair, however often the bump is made anew.
    fn order(&self, seen: Seen<'_>, ours: &Source, theirs: &Source) -> Order {
        let pair = (ours.sha.clone(), theirs.sha.clone());
        if let Some(known) = self.orders.borrow().get(&pair) {
            return known.clone();
        }
        let order = if self.is_landed_in(ours) {
            seen.history.order(&ours.sha, &theirs.sha, seen.until)
        } else {
            self.order_elsewhere(seen, ours, theirs)
        };
        if !matches!(order, Order::Unknown(_)) {
            self.orders.borrow_mut().insert(pair, order.clone());
        }
        order
    }

    /// Whether the built commit is in the repository that is landed in.
    fn is_landed_in(&self, ours: &Source) -> bool {
        let Some(repository) = ours.repository.as_deref() else { return true };
        let remote =
            self.checkout().and_then(|checkout| checkout.remote(&self.settings.delivery.landing.remote));
        remote.is_ok_and(|(_, push)| same_repository(Some(repository), push.slug().as_deref()))
    }

    /// GitHub is asked with the token that may read there.
    fn order_elsewhere(&self, seen: Seen<'_>, ours: &Source, theirs: &Source) -> Order {
        let repository = ours.repository.as_deref().unwrap_or_default();
        let mut why = format!("there is no token to ask GitHub of {repository} with");
        for (api, token) in self.askable(repository) {
            let http = self.checkout().and_then(Checkout::http);
            let hub =
                http.and_then(|http| GitHub::new(&http, &api, &token)).map_err(|failure| failure.message);
            let order =
                hub.and_then(|hub| github::order(&hub, seen.until, repository, &ours.sha, &theirs.sha));
            match order {
                Ok(order) => return order,
                Err(told) => why = told,
            }
        }
        Order::Unknown(why)
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
        let remote =
            self.checkout().and_then(|checkout| checkout.remote(&self.settings.delivery.landing.remote));
        let page = remote.ok().and_then(|(_, push)| push.page());
        let page = page.filter(|page| run.is_github(environment, page));
        let remotes = page.and_then(|page| run.apis(environment, &page)).zip(token(&["TAGBUMP_TOKEN"]));
        runners.into_iter().chain(remotes).map(|(apis, token)| (apis.rest, token)).collect()
    }
}

/// What the guard found out.
#[derive(Default)]
struct Judged {
    leave: Vec<Leave>,
    late: BTreeSet<String>,
    untold: BTreeSet<String>,
    /// The commits that wrote what is where the bump is made.
    written: Vec<(ChangedReference, Written)>,
}

impl Judged {
    /// `here` is where the bump is made; elsewhere what a reference says now is another thing.
    fn take(&mut self, change: &ChangedReference, (standing, written): Judgement, here: bool) {
        self.written.extend(written.filter(|_| here).map(|written| (change.clone(), written)));
        let ChangedReference { file, line, image, from, want, .. } = change;
        match standing {
            Standing::InTime => {}
            Standing::Late(why) => {
                let from = here.then(|| from.clone());
                self.leave.push(Leave { want: *want, file: file.clone(), from });
                let now = &change.from;
                let place = format!("{}:{line}", inline(file));
                self.late.insert(format!("{place}: {} stays at {}, {why}", inline(image), inline(now)));
            }
            Standing::Untold(why) => {
                self.untold.insert(format!("{image}: whether {from} is newer can't be told: {why}"));
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
