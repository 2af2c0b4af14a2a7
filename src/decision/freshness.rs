//! Compares the build that a bump would set with the one that a reference runs now.

use super::build_orders::BuildOrders;
use super::target_sources::TargetSources;
use super::targets;
use super::writers::WriterLookup;
use crate::image::{same_tag, split_tag};
use crate::landing::{BuildOrder, ProvenCommit, Provenance, RolledBack, SEARCHED_COMMITS};
use crate::plan::{ChangedReference, Plan};
use crate::tag::Source;
use crate::template::Template;
use crate::visible::inline;

/// How our build compares with the one that a reference runs now.
pub(super) enum Freshness {
    /// Ours is newer, or there is nothing to compare.
    Current,
    /// Both were built from this commit, under different tags.
    SameCommit(String),
    /// Theirs is newer, or ours was rolled back; and why.
    Older(String),
    /// The order is unknown, and why.
    Unknown(String),
}

pub(super) struct FreshnessCheck<'a, 'm> {
    pub sources: TargetSources<'a>,
    pub orders: BuildOrders<'a, 'm>,
}

/// The commit that our image was built from, its tag, and the one that it would replace.
struct BuildUnderTest<'a> {
    ours: &'a Source,
    from: &'a str,
    to: &'a str,
    template: &'a Template,
}

impl BuildUnderTest<'_> {
    /// Whether the tags differ, and not only the digests.
    fn swaps_tags(&self) -> bool {
        let (from, to) = (split_tag(self.from).0, split_tag(self.to).0);
        !from.is_empty() && !to.is_empty() && from != to
    }
}

impl FreshnessCheck<'_, '_> {
    /// Compares the nth change of a plan. Also gives the commit that set the current tag, if that is known.
    pub fn freshness(
        &mut self,
        writers: &mut WriterLookup<'_>,
        nth: usize,
        plan: &Plan,
    ) -> (Freshness, Option<ProvenCommit>) {
        let (history, change) = (writers.snapshot().history, writers.change(nth));
        let Some(target) = change.target.of(&plan.targets).filter(|_| !change.from.is_empty()) else {
            return (Freshness::Current, None);
        };
        let ours = self.sources.of(change.target, &plan.targets).ok().flatten();
        let TargetSources { context, config, .. } = self.sources;
        let template = targets::tag_template(context.settings, config, target.service.as_deref());
        let build =
            ours.as_ref().map(|ours| BuildUnderTest { ours, from: &change.from, to: &change.to, template });
        let server_knows_more = match writers.available(nth) {
            Provenance::Known(writer) => !writer.unproven.is_empty(),
            Provenance::Cut { claimed } => match &ours {
                Some(ours) => history.may_lack_newer(&ours.sha),
                None => claimed.iter().any(|bad| same_tag(&bad.tag, &change.to)),
            },
            Provenance::TooFar => false,
        };
        // the commit that set the tag may have rolled back something newer
        let found = if server_knows_more { writers.deepened(nth) } else { writers.available(nth) };
        let writer = found.written();
        let freshness = match (self.rolled_back_again(ours.as_ref(), change, writer), &build) {
            (Some(older), _) => older,
            (None, Some(build)) => self.compare(build, writer),
            (None, None) => Freshness::Unknown("the source commit of this build is unknown".to_owned()),
        };
        let may_be_older = build.is_some() && !matches!(freshness, Freshness::Older(_));
        let is_open = may_be_older && (server_knows_more || *found == Provenance::TooFar);
        let freshness = match open_question(found, change).filter(|_| is_open) {
            Some(why) => Freshness::Unknown(why),
            None => freshness,
        };
        (freshness, writer.cloned())
    }

    /// Whether a change sets a tag that was rolled back. With `--source`, a newer commit makes the same tag another build; an
    /// event's commit may only be a later run of the same one.
    fn rolled_back_again(
        &mut self,
        ours: Option<&Source>,
        change: &ChangedReference,
        writer: Option<&ProvenCommit>,
    ) -> Option<Freshness> {
        let named = ours.filter(|_| self.sources.context.settings.run_context.source.is_some());
        let mut is_newer = |bad: &RolledBack| {
            let pair = named.zip(bad.source.as_ref());
            pair.is_some_and(|(ours, bad)| self.orders.order(ours, bad) == BuildOrder::After)
        };
        let writer = writer?;
        let mut rolled_back = writer.rolled_back.iter();
        let bad = rolled_back.find(|bad| same_tag(&bad.tag, &change.to) && !is_newer(bad))?;
        Some(older_than_rollback(bad, writer))
    }

    /// Compares with the current build, and with the ones that were rolled back. A build that comes before one of those is
    /// older. A build that diverged from it, such as a fix of the current one, is not.
    fn compare(&mut self, build: &BuildUnderTest<'_>, writer: Option<&ProvenCommit>) -> Freshness {
        let by_trailer = writer.and_then(|writer| Some((writer.source.clone()?, commit_and_author(writer))));
        let (by_trailer, claimant) = by_trailer.unzip();
        let claimant = claimant.map(|by| format!(" ({by})")).unwrap_or_default();
        let theirs = by_trailer.or_else(|| self.sources.context.source_in_tag(build.from, build.template));
        let order = theirs.as_ref().map(|theirs| self.orders.order_of_tag(build.ours, theirs, build.from));
        let rollbacks = match self.compare_with_rollbacks(build, writer, order.as_ref()) {
            Some(Freshness::Older(why)) => return Freshness::Older(why),
            other => other,
        };
        let sha = theirs.map(|theirs| theirs.sha).unwrap_or_default();
        match (order, rollbacks) {
            (Some(order), _) if order.is_late() => {
                Freshness::Older(format!("built from {sha}, which is newer{claimant}"))
            }
            (_, Some(unknown)) => unknown,
            (Some(BuildOrder::Unknown(why)), None) => Freshness::Unknown(format!("{why}{claimant}")),
            (None, None) => {
                Freshness::Unknown(format!("tag {} doesn't contain a commit", inline(build.from)))
            }
            (Some(BuildOrder::Same), None) if build.swaps_tags() => Freshness::SameCommit(sha),
            (Some(_), None) => Freshness::Current,
        }
    }

    /// Older if ours isn't newer than a build that was rolled back, unknown if that can't be determined, otherwise nothing.
    fn compare_with_rollbacks(
        &mut self,
        build: &BuildUnderTest<'_>,
        writer: Option<&ProvenCommit>,
        current: Option<&BuildOrder>,
    ) -> Option<Freshness> {
        let writer = writer?;
        let mut unknown = None;
        for bad in &writer.rolled_back {
            let source =
                bad.source.clone().or_else(|| self.sources.context.source_in_tag(&bad.tag, build.template));
            let order = source.map(|source| self.orders.order_of_tag(build.ours, &source, &bad.tag));
            let why = match order {
                Some(BuildOrder::Before | BuildOrder::Same) if current != Some(&BuildOrder::Same) => {
                    return Some(older_than_rollback(bad, writer));
                }
                Some(BuildOrder::Unknown(why)) => why,
                None => format!("{} was rolled back, and doesn't contain a commit", bad.tag),
                Some(_) => continue,
            };
            unknown.get_or_insert(why);
        }
        unknown.map(Freshness::Unknown)
    }
}

/// How many characters of an author's name a notice shows.
const MAX_AUTHOR: usize = 60;

/// Names the commit and author of a claim, so that readers can judge it.
fn commit_and_author(writer: &ProvenCommit) -> String {
    let author: String = writer.author.chars().take(MAX_AUTHOR).collect();
    format!("commit {} by {}", writer.commit.short(), inline(&author))
}

fn older_than_rollback(bad: &RolledBack, by: &ProvenCommit) -> Freshness {
    let why = "and this build is not newer";
    Freshness::Older(format!(
        "because {} was rolled back, {why} ({})",
        inline(&bad.tag),
        commit_and_author(by)
    ))
}

/// The question that the history leaves open, if any.
fn open_question(found: &Provenance, change: &ChangedReference) -> Option<String> {
    match found {
        Provenance::Known(writer) => writer.unproven.first().map(|bad| {
            format!(
                "{SEARCHED_COMMITS} don't show whether {} was rolled back ({})",
                bad.tag,
                commit_and_author(writer)
            )
        }),
        Provenance::Cut { .. } | Provenance::TooFar => {
            Some(format!("the commit that set {} is not among {SEARCHED_COMMITS}", inline(&change.from)))
        }
    }
}
