//! `tagbump rollback`: a bump to what was there before, told from the history.
//!
//! What goes back to what is found out once, on the first tip that is seen: where somebody is faster, and puts
//! something else there, it is not their bump that is rolled back.

mod kept;
mod search;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use super::Bump;
use crate::config::Config;
use crate::error::{Exit, Failure, Result};
use crate::history::{self, CommitStore, Extent, ObjectId, TagEntry};
use crate::image::{Digest, Field, Tag, same_tag};
use crate::landing::{History, RolledBack, Tip, TipSnapshot};
use crate::plan::{self, Cancellation, CurrentReference, FileSource, Request, Scope, UpdateTarget};
use crate::settings::RollbackOptions;
use crate::tag::Source;
use crate::{build_info, resolve_targets};
use search::{ReferenceTrace, TagAndDigest};

/// How many tags a message lists.
const LISTED: usize = 10;

/// Files, and what came before them.
#[derive(Clone, Copy)]
pub(super) struct RollbackBase<'a> {
    shelf: &'a dyn FileSource,
    before: BaseHistory<'a>,
}

#[derive(Clone, Copy)]
enum BaseHistory<'a> {
    Head,
    Tip { tip: &'a Tip, history: &'a dyn History, deadline: Instant },
}

impl<'a> RollbackBase<'a> {
    /// Files that are on top of `HEAD`.
    pub fn of_head(shelf: &'a dyn FileSource) -> Self {
        RollbackBase { shelf, before: BaseHistory::Head }
    }

    /// A tip; of a pull request's branch that is built on, what it is to be merged into: on the branch itself
    /// the rollback may have been made already.
    pub fn of(seen: TipSnapshot<'a>) -> Self {
        let on_branch = seen.tip.published.as_ref() == Some(&seen.tip.commit);
        let (tip, shelf) = seen.beside.filter(|_| on_branch).unwrap_or((seen.tip, seen.files));
        RollbackBase {
            shelf,
            before: BaseHistory::Tip { tip, history: seen.history, deadline: seen.deadline },
        }
    }

    /// A plan that comes too late to be landed is not wanted.
    pub fn cancellation(&self) -> Cancellation {
        match self.before {
            BaseHistory::Head => Cancellation::default(),
            BaseHistory::Tip { deadline, .. } => Cancellation::when(move || Instant::now() >= deadline),
        }
    }
}

/// What goes back to what.
#[derive(Clone, Debug, Default)]
pub(super) struct RollbackPlan {
    targets: Vec<UpdateTarget>,
    /// What is taken away, by the wants.
    pub rolled_back: Vec<(usize, RolledBack)>,
    /// The same, to look one up.
    is_taken: HashSet<(usize, RolledBack)>,
    /// What comes back was built from this, where it is one and known.
    pub source: Option<Source>,
    /// What each file said when this was found out.
    began: Vec<RollbackStart>,
}

#[derive(Clone, Debug)]
struct RollbackStart {
    target: usize,
    file: String,
    from: Vec<TagAndDigest>,
    to: TagAndDigest,
}

impl Bump<'_> {
    /// The request of a rollback, from one for what was typed.
    pub(super) fn backward(
        &self,
        back: RollbackOptions,
        typed: Request,
        config: &Config,
        basis: RollbackBase<'_>,
    ) -> Result<Request> {
        let targets =
            typed.targets.iter().map(|target| UpdateTarget { tag: None, ..target.clone() }).collect();
        let mut plain = Request { targets, ..typed.clone() };
        let known = self.rollback_plan.borrow().clone();
        if known.is_some() {
            // which places are meant was settled when this began
            (plain.all, plain.expect) = (true, None);
        }
        let now = plan::changeable_mentions(basis.shelf, &plain)?;
        let backward = match known {
            Some(backward) => {
                still_there(&backward, &now, &plain)?;
                backward
            }
            None => {
                let found = self.find_backward(back, &typed, &plain, &now, config, basis)?;
                self.rollback_plan.borrow_mut().insert(found).clone()
            }
        };
        // which places are meant is settled
        Ok(Request { targets: backward.targets, all: true, expect: None, ..typed })
    }

    fn find_backward(
        &self,
        back: RollbackOptions,
        typed: &Request,
        plain: &Request,
        now: &[CurrentReference],
        config: &Config,
        basis: RollbackBase<'_>,
    ) -> Result<RollbackPlan> {
        let mut searches = searches(typed, now)?;
        let reach = self.search((plain, now), &mut searches, back, basis)?;
        let mut backward = RollbackPlan::default();
        let mut sources = BTreeSet::new();
        for search in &searches {
            let others = searches.iter().filter(|other| other.target == search.target);
            let target = &typed.targets[search.target];
            if let Some((one, other)) = search.differing().filter(|_| target.tag.is_none()) {
                return Err(two_tags_before(search, one, other));
            }
            let to = goal(search, others, target, back)
                .ok_or_else(|| nowhere(search, target.tag.as_ref(), reach, basis))?;
            let service = target.service.as_deref();
            let template = resolve_targets::tag_template(self.settings, config, service);
            let source = |entry: &TagEntry| {
                let source =
                    build_info::source_of_entry(entry, &target.name, template, self.checkout.as_ref())?;
                Some(self.placed(source.clone()).unwrap_or(source))
            };
            let taken = search.taken_away();
            // what is left for something that was rolled back was not bad
            let is_forth = taken.iter().any(|bad| same_tag(&bad.tag, &to.joined()));
            let left = search.now.iter().filter(|now| **now != to && !is_forth);
            let left =
                left.map(|now| RolledBack { tag: now.joined(), source: search.writer(now).and_then(source) });
            let bad = left.chain(taken).collect();
            sources.insert(search.found().and_then(|(_, entry)| source(entry)).map(|s| s.to_string()));
            backward.add(search, target, to, bad)?;
        }
        backward.source = match sources.into_iter().collect::<Vec<_>>().as_slice() {
            [Some(only)] => Source::parse(only),
            _ => None,
        };
        Ok(backward)
    }

    /// Goes back as far as it takes.
    fn search(
        &self,
        asked: (&Request, &[CurrentReference]),
        searches: &mut [ReferenceTrace],
        back: RollbackOptions,
        basis: RollbackBase<'_>,
    ) -> Result<Extent> {
        let (past, tip) = match self.past(basis) {
            Ok(past) => past,
            // a tag that needs not have been there can be put where nobody knows what was
            Err(_) if back.force && asked.0.targets.len() == self.named_count() => {
                return Ok(Extent::Complete);
            }
            Err(failure) => return Err(failure),
        };
        let prefix = self.checkout.as_ref().map(|checkout| checkout.prefix()).unwrap_or_default();
        let cancellation = basis.cancellation();
        let reach = history::walk_history(&*past, tip, asked, prefix, &mut |entry| {
            searches.iter_mut().for_each(|search| search.take(&entry));
            !searches.iter().all(ReferenceTrace::is_done) && !cancellation.is_cancelled()
        })?;
        if cancellation.is_cancelled() { Err(plan::PlanError::Cancelled.into()) } else { Ok(reach) }
    }

    fn past<'a>(&'a self, basis: RollbackBase<'a>) -> Result<(Box<dyn CommitStore + 'a>, ObjectId)> {
        let BaseHistory::Tip { tip, history, deadline } = basis.before else {
            let checkout = self.checkout.as_ref().ok_or_else(|| {
                self.unopened.clone().unwrap_or_else(|| {
                    Failure::usage("this is no git repository, so nobody knows what was there before")
                        .hinted("name the tag with --to TAG --force, or a checkout with -C")
                })
            })?;
            let (past, head) = checkout.past()?;
            return Ok((Box::new(past), head));
        };
        let commit = ObjectId::parse(&tip.commit);
        Ok((
            history.past(deadline),
            commit.ok_or_else(|| Failure::other(format!("{} is no commit", tip.commit)))?,
        ))
    }

    /// How many images have a tag that they are to go back to.
    fn named_count(&self) -> usize {
        let named = |tag: &Field<Tag>| matches!(tag, Field::Set(_)) || self.settings.tag.is_some();
        self.settings.images.iter().filter(|image| named(&image.tag)).count()
    }
}

/// One for each file of each image.
fn searches(typed: &Request, now: &[CurrentReference]) -> Result<Vec<ReferenceTrace>> {
    let mut searches: Vec<ReferenceTrace> = Vec::new();
    let mut places: HashMap<(usize, &str), usize> = HashMap::new();
    for mention in now {
        let (target, said) = (&typed.targets[mention.target], TagAndDigest::now(mention));
        let place = places.entry((mention.target, &mention.file));
        let nth = *place.or_insert(searches.len());
        let Some(there) = searches.get_mut(nth) else {
            searches.push(ReferenceTrace::new(mention, &target.name, target.tag.clone()));
            continue;
        };
        if target.tag.is_none() && !there.says(&said) {
            return Err(two_tags(there, mention));
        }
        there.add(said);
    }
    Ok(searches)
}

fn two_tags_before(search: &ReferenceTrace, one: &TagAndDigest, other: &TagAndDigest) -> Failure {
    let ReferenceTrace { image, file, now, .. } = search;
    let (now, one, other) = (joined(now), one.joined(), other.joined());
    let message = format!("{file}: before {now} {image} had two tags there, {one} and {other}");
    Failure::new(Exit::NoMatch, message).hinted("name the tag to go back to with --to")
}

fn two_tags(search: &ReferenceTrace, mention: &CurrentReference) -> Failure {
    let ReferenceTrace { image, file, line, now, .. } = search;
    let (one, other) = (joined(now), TagAndDigest::now(mention).joined());
    let lines = format!("{one} in line {line} and {other} in line {}", mention.line);
    Failure::new(Exit::NoMatch, format!("{file}: {image} has two tags there, {lines}"))
        .hinted("name the tag to go back to with --to")
}

fn joined(said: &[TagAndDigest]) -> String {
    said.iter().map(TagAndDigest::joined).collect::<Vec<_>>().join(", ")
}

/// What a file goes back to. A named tag that another file had is as good.
fn goal<'s>(
    search: &'s ReferenceTrace,
    mut others: impl Iterator<Item = &'s ReferenceTrace>,
    target: &UpdateTarget,
    back: RollbackOptions,
) -> Option<TagAndDigest> {
    let own = search.found();
    let found = own.or_else(|| others.find_map(ReferenceTrace::found).filter(|_| target.tag.is_some()));
    match (found, &target.tag) {
        (Some((said, _)), _) => Some(said.clone()),
        (None, Some(named)) if back.force => {
            Some(TagAndDigest { tag: Some(named.to_string()), digest: None })
        }
        (None, _) => None,
    }
}

fn nowhere(search: &ReferenceTrace, named: Option<&Tag>, reach: Extent, basis: RollbackBase<'_>) -> Failure {
    let ReferenceTrace { image, file, line, now, seen, .. } = search;
    let message = match named {
        Some(named) => {
            let had: Vec<&str> = seen.iter().take(LISTED).map(String::as_str).collect();
            format!("{file}:{line}: {image} never had tag {named}; it had {}", had.join(", "))
        }
        None => {
            let passed: Vec<&str> = seen.iter().skip(1).take(LISTED).map(String::as_str).collect();
            let but = if passed.is_empty() { String::new() } else { format!(" but {}", passed.join(", ")) };
            let why = if passed.is_empty() { "" } else { ", which was rolled back" };
            format!("{file}:{line}: {image} had no other tag before {}{but}{why}", joined(now))
        }
    };
    let (message, hint) = match (reach, basis.before) {
        (Extent::Truncated { .. }, BaseHistory::Head) => (
            format!("{message}, as far as the history here goes"),
            "git fetch --deepen 1000 brings more of it; --push reads it from the server",
        ),
        (Extent::Truncated { .. }, BaseHistory::Tip { .. }) => (
            format!("{message}, as far as the server has given the history"),
            "run again, or from a full clone; --to TAG --force takes any tag",
        ),
        (Extent::Complete, _) => {
            (message, "tagbump history lists what there was; --to TAG --force takes any tag")
        }
    };
    Failure::new(Exit::NoMatch, message).hinted(hint)
}

impl RollbackPlan {
    fn add(
        &mut self,
        search: &ReferenceTrace,
        asked: &UpdateTarget,
        to: TagAndDigest,
        bad: Vec<RolledBack>,
    ) -> Result<()> {
        let wrong = |e: crate::image::ImageError| {
            let ReferenceTrace { image, file, .. } = search;
            Failure::new(Exit::NotEditable, format!("{file}: {image} can't go back to {}: {e}", to.joined()))
                .hinted("name another tag with --to")
        };
        let tag = to.tag.as_deref().map(Tag::parse).transpose().map_err(wrong)?;
        let digest = to.digest.as_deref().map(Digest::parse).transpose().map_err(wrong)?;
        let digest = digest.map_or(Field::Unspecified, Field::Set);
        let same = |target: &UpdateTarget| {
            let (one, other) = ((&target.name, &target.service), (&asked.name, &asked.service));
            one == other && (&target.tag, &target.digest) == (&tag, &digest)
        };
        let at = self.targets.iter().position(same).unwrap_or_else(|| {
            let scope = Scope { only: Some(BTreeSet::new()), ..asked.scope.clone() };
            self.targets.push(UpdateTarget { tag, digest, scope, ..asked.clone() });
            self.targets.len() - 1
        });
        if let Some(only) = &mut self.targets[at].scope.only {
            only.insert(search.file.clone());
        }
        for bad in bad.into_iter().map(|bad| (at, bad)) {
            // what is gone to on purpose is not bad any more
            let mut is_new = || self.is_taken.insert(bad.clone());
            if !same_tag(&bad.1.tag, &to.joined()) && is_new() {
                self.rolled_back.push(bad);
            }
        }
        let (file, from) = (search.file.clone(), search.now.clone());
        self.began.push(RollbackStart { target: search.target, file, from, to });
        Ok(())
    }
}

/// Whether every file says what it said when this began, or what it is to say.
fn still_there(backward: &RollbackPlan, now: &[CurrentReference], plain: &Request) -> Result<()> {
    let expected = backward.began.iter().flat_map(|began| {
        let said = began.from.iter().chain([&began.to]);
        said.map(|said| (began.target, began.file.as_str(), said))
    });
    let expected: HashSet<_> = expected.collect();
    for mention in now {
        let CurrentReference { target, file, line, .. } = mention;
        let said = TagAndDigest::now(mention);
        let image = &plain.targets[*target].name;
        if !expected.contains(&(*target, file, &said)) {
            let mut began =
                backward.began.iter().filter(|began| began.target == *target && began.file == *file);
            let was = began.next().map_or("nothing".to_owned(), |began| joined(&began.from));
            let message = format!(
                "not rolled back: {file}:{line}: {image} says {} now, and said {was} when this began",
                said.joined()
            );
            return Err(Failure::new(Exit::NotLanded, message).hinted(
                "somebody was faster; look with tagbump history, and run again if it is to go back still",
            ));
        }
    }
    Ok(())
}
