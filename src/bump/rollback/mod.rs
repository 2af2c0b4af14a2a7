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
use crate::image::{Digest, Part, Tag, same_tag};
use crate::land::{History, RolledBack, Seen, Tip};
use crate::plan::{self, Cancellation, Mention, Request, Scope, Shelf, Want};
use crate::settings::Back;
use crate::tag::Source;
use crate::timeline::{self, Commits, Entry, Id, Reach};
use crate::{facts, request};
use search::{Said, Search};

/// How many tags a message lists.
const LISTED: usize = 10;

/// Files, and what came before them.
#[derive(Clone, Copy)]
pub(super) struct Basis<'a> {
    shelf: &'a dyn Shelf,
    before: Before<'a>,
}

#[derive(Clone, Copy)]
enum Before<'a> {
    Head,
    Tip { tip: &'a Tip, history: &'a dyn History, until: Instant },
}

impl<'a> Basis<'a> {
    /// Files that are on top of `HEAD`.
    pub fn of_head(shelf: &'a dyn Shelf) -> Self {
        Basis { shelf, before: Before::Head }
    }

    /// A tip; of a pull request's branch that is built on, what it is to be merged into: on the branch itself
    /// the rollback may have been made already.
    pub fn of(seen: Seen<'a>) -> Self {
        let on_branch = seen.tip.published.as_ref() == Some(&seen.tip.commit);
        let (tip, shelf) = seen.beside.filter(|_| on_branch).unwrap_or((seen.tip, seen.files));
        Basis { shelf, before: Before::Tip { tip, history: seen.history, until: seen.until } }
    }

    /// A plan that comes too late to be landed is not wanted.
    pub fn cancellation(&self) -> Cancellation {
        match self.before {
            Before::Head => Cancellation::default(),
            Before::Tip { until, .. } => Cancellation::when(move || Instant::now() >= until),
        }
    }
}

/// What goes back to what.
#[derive(Clone, Debug, Default)]
pub(super) struct Backward {
    wants: Vec<Want>,
    /// What is taken away, by the wants.
    pub rolled_back: Vec<(usize, RolledBack)>,
    /// The same, to look one up.
    is_taken: HashSet<(usize, RolledBack)>,
    /// What comes back was built from this, where it is one and known.
    pub source: Option<Source>,
    /// What each file said when this was found out.
    began: Vec<Began>,
}

#[derive(Clone, Debug)]
struct Began {
    want: usize,
    file: String,
    from: Vec<Said>,
    to: Said,
}

impl Bump<'_> {
    /// The request of a rollback, from one for what was typed.
    pub(super) fn backward(
        &self,
        back: Back,
        typed: Request,
        config: &Config,
        basis: Basis<'_>,
    ) -> Result<Request> {
        let wants = typed.wants.iter().map(|want| Want { tag: None, ..want.clone() }).collect();
        let mut plain = Request { wants, ..typed.clone() };
        let known = self.backward.borrow().clone();
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
                self.backward.borrow_mut().insert(found).clone()
            }
        };
        // which places are meant is settled
        Ok(Request { wants: backward.wants, all: true, expect: None, ..typed })
    }

    fn find_backward(
        &self,
        back: Back,
        typed: &Request,
        plain: &Request,
        now: &[Mention],
        config: &Config,
        basis: Basis<'_>,
    ) -> Result<Backward> {
        let mut searches = searches(typed, now)?;
        let reach = self.search((plain, now), &mut searches, back, basis)?;
        let mut backward = Backward::default();
        let mut sources = BTreeSet::new();
        for search in &searches {
            let others = searches.iter().filter(|other| other.want == search.want);
            let want = &typed.wants[search.want];
            if let Some((one, other)) = search.differing().filter(|_| want.tag.is_none()) {
                return Err(two_tags_before(search, one, other));
            }
            let to = target(search, others, want, back)
                .ok_or_else(|| nowhere(search, want.tag.as_ref(), reach, basis))?;
            let service = want.service.as_deref();
            let template = request::tag_template(self.settings, config, service);
            let source = |entry: &Entry| {
                let source = facts::source_of_entry(entry, &want.name, template, self.checkout.as_ref())?;
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
            backward.add(search, want, to, bad)?;
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
        asked: (&Request, &[Mention]),
        searches: &mut [Search],
        back: Back,
        basis: Basis<'_>,
    ) -> Result<Reach> {
        let (past, tip) = match self.past(basis) {
            Ok(past) => past,
            // a tag that needs not have been there can be put where nobody knows what was
            Err(_) if back.force && asked.0.wants.len() == self.named_count() => return Ok(Reach::Enough),
            Err(failure) => return Err(failure),
        };
        let prefix = self.checkout.as_ref().map(|checkout| checkout.prefix()).unwrap_or_default();
        let cancellation = basis.cancellation();
        let reach = timeline::tell(&*past, tip, asked, prefix, &mut |entry| {
            searches.iter_mut().for_each(|search| search.take(&entry));
            !searches.iter().all(Search::is_done) && !cancellation.is_cancelled()
        })?;
        if cancellation.is_cancelled() { Err(plan::out_of_time()) } else { Ok(reach) }
    }

    fn past<'a>(&'a self, basis: Basis<'a>) -> Result<(Box<dyn Commits + 'a>, Id)> {
        let Before::Tip { tip, history, until } = basis.before else {
            let checkout = self.checkout.as_ref().ok_or_else(|| {
                self.unopened.clone().unwrap_or_else(|| {
                    Failure::usage("this is no git repository, so nobody knows what was there before")
                        .hinted("name the tag with --to TAG --force, or a checkout with -C")
                })
            })?;
            let (past, head) = checkout.past()?;
            return Ok((Box::new(past), head));
        };
        let commit = Id::parse(&tip.commit);
        Ok((
            history.past(until),
            commit.ok_or_else(|| Failure::other(format!("{} is no commit", tip.commit)))?,
        ))
    }

    /// How many images have a tag that they are to go back to.
    fn named_count(&self) -> usize {
        let named = |tag: &Part<Tag>| matches!(tag, Part::Set(_)) || self.settings.tag.is_some();
        self.settings.images.iter().filter(|image| named(&image.tag)).count()
    }
}

/// One for each file of each image.
fn searches(typed: &Request, now: &[Mention]) -> Result<Vec<Search>> {
    let mut searches: Vec<Search> = Vec::new();
    let mut places: HashMap<(usize, &str), usize> = HashMap::new();
    for mention in now {
        let (want, said) = (&typed.wants[mention.want], Said::now(mention));
        let place = places.entry((mention.want, &mention.file));
        let nth = *place.or_insert(searches.len());
        let Some(there) = searches.get_mut(nth) else {
            searches.push(Search::new(mention, &want.name, want.tag.clone()));
            continue;
        };
        if want.tag.is_none() && !there.says(&said) {
            return Err(two_tags(there, mention));
        }
        there.add(said);
    }
    Ok(searches)
}

fn two_tags_before(search: &Search, one: &Said, other: &Said) -> Failure {
    let Search { image, file, now, .. } = search;
    let (now, one, other) = (joined(now), one.joined(), other.joined());
    let message = format!("{file}: before {now} {image} had two tags there, {one} and {other}");
    Failure::new(Exit::NoMatch, message).hinted("name the tag to go back to with --to")
}

fn two_tags(search: &Search, mention: &Mention) -> Failure {
    let Search { image, file, line, now, .. } = search;
    let (one, other) = (joined(now), Said::now(mention).joined());
    let lines = format!("{one} in line {line} and {other} in line {}", mention.line);
    Failure::new(Exit::NoMatch, format!("{file}: {image} has two tags there, {lines}"))
        .hinted("name the tag to go back to with --to")
}

fn joined(said: &[Said]) -> String {
    said.iter().map(Said::joined).collect::<Vec<_>>().join(", ")
}

/// What a file goes back to. A named tag that another file had is as good.
fn target<'s>(
    search: &'s Search,
    mut others: impl Iterator<Item = &'s Search>,
    want: &Want,
    back: Back,
) -> Option<Said> {
    let own = search.found();
    let found = own.or_else(|| others.find_map(Search::found).filter(|_| want.tag.is_some()));
    match (found, &want.tag) {
        (Some((said, _)), _) => Some(said.clone()),
        (None, Some(named)) if back.force => Some(Said { tag: Some(named.to_string()), digest: None }),
        (None, _) => None,
    }
}

fn nowhere(search: &Search, named: Option<&Tag>, reach: Reach, basis: Basis<'_>) -> Failure {
    let Search { image, file, line, now, seen, .. } = search;
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
        (Reach::Cut { .. }, Before::Head) => (
            format!("{message}, as far as the history here goes"),
            "git fetch --deepen 1000 brings more of it; --push reads it from the server",
        ),
        (Reach::Cut { .. }, Before::Tip { .. }) => (
            format!("{message}, as far as the server has given the history"),
            "run again, or from a full clone; --to TAG --force takes any tag",
        ),
        (Reach::Enough, _) => {
            (message, "tagbump history lists what there was; --to TAG --force takes any tag")
        }
    };
    Failure::new(Exit::NoMatch, message).hinted(hint)
}

impl Backward {
    fn add(&mut self, search: &Search, asked: &Want, to: Said, bad: Vec<RolledBack>) -> Result<()> {
        let wrong = |e: crate::image::ImageError| {
            let Search { image, file, .. } = search;
            Failure::new(Exit::Unsafe, format!("{file}: {image} can't go back to {}: {e}", to.joined()))
                .hinted("name another tag with --to")
        };
        let tag = to.tag.as_deref().map(Tag::parse).transpose().map_err(wrong)?;
        let digest = to.digest.as_deref().map(Digest::parse).transpose().map_err(wrong)?;
        let digest = digest.map_or(Part::Unsaid, Part::Set);
        let same = |want: &Want| {
            let (one, other) = ((&want.name, &want.service), (&asked.name, &asked.service));
            one == other && (&want.tag, &want.digest) == (&tag, &digest)
        };
        let at = self.wants.iter().position(same).unwrap_or_else(|| {
            let scope = Scope { only: Some(BTreeSet::new()), ..asked.scope.clone() };
            self.wants.push(Want { tag, digest, scope, ..asked.clone() });
            self.wants.len() - 1
        });
        if let Some(only) = &mut self.wants[at].scope.only {
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
        self.began.push(Began { want: search.want, file, from, to });
        Ok(())
    }
}

/// Whether every file says what it said when this began, or what it is to say.
fn still_there(backward: &Backward, now: &[Mention], plain: &Request) -> Result<()> {
    let expected = backward.began.iter().flat_map(|began| {
        let said = began.from.iter().chain([&began.to]);
        said.map(|said| (began.want, began.file.as_str(), said))
    });
    let expected: HashSet<_> = expected.collect();
    for mention in now {
        let Mention { want, file, line, .. } = mention;
        let said = Said::now(mention);
        let image = &plain.wants[*want].name;
        if !expected.contains(&(*want, file, &said)) {
            let mut began = backward.began.iter().filter(|began| began.want == *want && began.file == *file);
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
