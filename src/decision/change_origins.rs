//! Which commits a bump includes: those that the old and the new image of each change were built from, the page that
//! compares them, and the commits between them.
//!
//! Trailers are contributors' input, so a repository that only a trailer names is never linked: it must be the one that is being
//! built, or the one that the bump is landed in. Its name in the link is the one that is known from there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use url::Url;

use super::context::{DecisionContext, forge_kind, same_repository};
use super::source_forges::SourceForges;
use super::target_sources::TargetSources;
use super::targets;
use crate::cli::Changes;
use crate::forge::{self, ForgeSite};
use crate::history::CommitRange;
use crate::landing::{BuildOrder, ProvenCommit, TipSnapshot};
use crate::output::{ChangeOrigin, Comparison};
use crate::plan::{ChangedReference, Plan, TargetIndex};
use crate::tag::Source;
use crate::visible::inline;

/// How many digits of a commit's ID a link has.
const LINK_DIGITS: usize = 12;

/// What is known about commits from one decision to the next.
#[derive(Debug, Default)]
pub(super) struct KnownRanges(HashMap<(String, String), Result<CommitRange, String>>);

/// Finds the origins of a decision's changes.
pub(super) struct OriginSearch<'a> {
    pub sources: TargetSources<'a>,
    /// `None` if the bump isn't made on a remote branch.
    pub tip: Option<TipSnapshot<'a>>,
    /// The commits that set the tags which are replaced.
    pub writers: &'a [(ChangedReference, ProvenCommit)],
    pub orders: &'a HashMap<(String, String), BuildOrder>,
    pub ranges: &'a mut KnownRanges,
    /// Why commits that were asked for are not listed.
    pub notices: BTreeSet<String>,
}

/// A repository, and the page that shows it.
struct KnownRepository {
    name: String,
    page: String,
    site: ForgeSite,
    /// Whether the bump is landed in it.
    is_target: bool,
}

impl<'a> OriginSearch<'a> {
    fn context(&self) -> &'a DecisionContext<'a> {
        self.sources.context
    }

    /// The origin of each change of a plan, in the plan's order.
    pub fn of_plan(&mut self, plan: &Plan) -> Vec<ChangeOrigin> {
        let writers: HashMap<&ChangedReference, &ProvenCommit> =
            self.writers.iter().map(|(change, writer)| (change, writer)).collect();
        let mut sources: HashMap<TargetIndex, Option<Source>> = HashMap::new();
        let mut compared: HashMap<(Source, Source), Option<Arc<Comparison>>> = HashMap::new();
        let mut origins = Vec::with_capacity(plan.changes.len());
        for change in &plan.changes {
            let new =
                sources.entry(change.target).or_insert_with(|| self.new_source(plan, change.target)).clone();
            let old = self.old_source(plan, change, writers.get(change).copied());
            let comparison = old.zip(new.clone()).and_then(|pair| {
                compared.entry(pair.clone()).or_insert_with(|| self.compare(&pair).map(Arc::new)).clone()
            });
            origins.push(ChangeOrigin { source: new.map(|source| source.to_string()), comparison });
        }
        origins
    }

    pub(super) fn new_source(&self, plan: &Plan, target: TargetIndex) -> Option<Source> {
        self.sources.of(target, &plan.targets).ok().flatten()
    }

    /// By the trailer of the commit that set the tag, else by the tag.
    pub(super) fn old_source(
        &self,
        plan: &Plan,
        change: &ChangedReference,
        writer: Option<&ProvenCommit>,
    ) -> Option<Source> {
        let by_trailer = match self.sources.origin.rollback() {
            Some(rollback) => rollback.source_of(change.target, &change.from),
            None => writer.and_then(|writer| writer.source.clone()),
        };
        let by_tag = || {
            let service = change.target.of(&plan.targets)?.service.as_deref();
            let template = targets::tag_template(self.context().settings, self.sources.config, service);
            self.context().source_in_tag(&change.from, template)
        };
        let source = by_trailer.or_else(by_tag)?;
        Some(self.context().with_repository(source.clone()).unwrap_or(source))
    }

    fn compare(&mut self, (old, new): &(Source, Source)) -> Option<Comparison> {
        let wanted = self.context().settings.delivery.changes;
        if wanted == Changes::Off || !is_full(&old.sha) || !is_full(&new.sha) || old.sha == new.sha {
            return None;
        }
        if !same_repository(old.repository.as_deref(), new.repository.as_deref()) {
            return None;
        }
        let repository = self.known_repository(new.repository.as_deref()?)?;
        let pair = (new.sha.clone(), old.sha.clone());
        let is_rollback = self.sources.origin.rollback().is_some();
        let goes_back = is_rollback || self.orders.get(&pair) == Some(&BuildOrder::Before);
        let (from, to) = if goes_back { (&new.sha, &old.sha) } else { (&old.sha, &new.sha) };
        let short = |sha: &str| sha[..LINK_DIGITS].to_owned();
        let url = repository.site.compare_url(&repository.page, &short(from), &short(to))?;
        Some(Comparison { url, goes_back, range: self.range(&repository, from, to) })
    }

    fn range(&mut self, repository: &KnownRepository, from: &str, to: &str) -> Option<CommitRange> {
        let wanted = self.context().settings.delivery.changes;
        if wanted == Changes::Link {
            return None;
        }
        let history = self.tip.filter(|_| repository.is_target).map(|tip| tip.history);
        if let Some(range) = history.and_then(|history| history.range(from, to)) {
            return Some(range);
        }
        let deadline = self.tip.filter(|_| wanted == Changes::List)?.deadline;
        let forges = SourceForges { context: self.context() };
        let known = self.ranges.0.entry((from.to_owned(), to.to_owned())).or_insert_with(|| {
            forges.ask(&repository.name, |forge| forge.range(deadline, &repository.name, from, to))
        });
        if let Err(why) = known {
            let why = inline(why);
            self.notices.insert(format!("the commits of {} aren't listed: {why}", repository.name));
        }
        known.clone().ok()
    }

    /// The repository that is being built, or the one that the bump is landed in, if this is its name.
    fn known_repository(&self, name: &str) -> Option<KnownRepository> {
        let run_context = &self.context().settings.run_context;
        let given = run_context.source.as_ref().and_then(|source| source.repository.clone());
        let event = run_context.ci.source().and_then(|source| source.repository);
        let built = [given, event, run_context.ci.repository().map(str::to_owned)].into_iter().flatten();
        let remote = &self.context().settings.delivery.landing.remote;
        let urls = self.context().checkout.and_then(|checkout| checkout.remote(remote).ok());
        let target = urls.as_ref().and_then(|(_, push)| push.repository());
        let is = |known: &String| same_repository(Some(known), Some(name));
        let is_target = target.as_ref().is_some_and(is);
        let known = built.chain(target).find(is)?;
        let (page, site) = match self.job_server() {
            Some((server, site)) if is_path(&known) => (format!("{server}/{known}"), site),
            Some(_) => return None,
            None => {
                let page = urls.filter(|_| is_target).and_then(|(_, push)| push.page())?;
                let asked = forge_kind(self.context().settings.delivery.landing.forge);
                let site = forge::choose(&run_context.run, &run_context.environment, &page, asked)?;
                (page, site)
            }
        };
        Some(KnownRepository { name: known, page, site, is_target })
    }

    /// The server of the job that runs this, without a slash at its end.
    fn job_server(&self) -> Option<(String, ForgeSite)> {
        let run_context = &self.context().settings.run_context;
        let environment = &run_context.environment;
        let server = match run_context.run.active {
            true => run_context.run.server(environment),
            false => {
                environment.get("CI_SERVER_URL").filter(|_| environment.get("GITLAB_CI") == Some("true"))?
            }
        };
        let url = Url::parse(server).ok()?;
        let is_plain = ["https", "http"].contains(&url.scheme())
            && url.username().is_empty()
            && url.password().is_none();
        let server = is_plain.then(|| url.as_str().trim_end_matches('/').to_owned())?;
        let site = match run_context.run.active {
            true => forge::choose_server(&run_context.run, environment, &server, None)?,
            false => forge::choose(&run_context.run, environment, &format!("{server}/x/y"), None)?,
        };
        Some((server, site))
    }
}

/// Whether this is a commit's whole ID, by SHA-1 or SHA-256.
fn is_full(sha: &str) -> bool {
    [40, 64].contains(&sha.len())
}

/// Whether a repository's name is a path that goes down only.
fn is_path(name: &str) -> bool {
    name.split('/').all(|part| !["", ".", ".."].contains(&part))
}
