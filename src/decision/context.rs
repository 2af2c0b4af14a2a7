//! Everything that a decision depends on besides the files, and what is known about the commit that was built.

use std::sync::Arc;

use crate::build_info;
use crate::cli::ForgeArg;
use crate::config::Config;
use crate::forge::ForgeKind;
use crate::git::{Checkout, GitError, Identity};
use crate::image::{Tag, split_tag};
use crate::plan::UpdateTarget;
use crate::settings::{BumpSettings, Destination};
use crate::tag::{self, BuildInfo, Source};
use crate::template::Template;

use super::error::DecisionError;
use super::registry_check::LabelSources;
use super::targets;

/// The same for every decision of a run.
pub struct DecisionContext<'a> {
    pub settings: &'a BumpSettings,
    pub checkout: Option<&'a Checkout>,
    /// Why there is a repository, but no checkout.
    pub unopened: Option<Arc<GitError>>,
    pub build: &'a BuildInfo,
    /// Who commits. `None` if no commit is made, or can be made, so that no message is needed.
    pub committer: Option<Identity>,
    /// Is called with what a decision waits for, and with `None` when it goes on.
    pub on_wait: &'a dyn Fn(Option<&str>),
}

impl DecisionContext<'_> {
    pub(super) fn checkout(&self) -> Result<&Checkout, DecisionError> {
        self.checkout.ok_or(DecisionError::NoRepository)
    }

    /// The URL of the repository that the bump is for, without the way of access.
    pub(super) fn repository_url(&self) -> Option<String> {
        self.checkout?.repository_url(&self.settings.delivery.landing.remote)
    }

    /// The repository that the bump is pushed to, as its host names it.
    pub(super) fn target_repository(&self) -> Option<String> {
        let (_, push) = self.checkout?.remote(&self.settings.delivery.landing.remote).ok()?;
        push.repository()
    }

    pub(super) fn computed_tag(&self, template: &Template) -> Result<Tag, DecisionError> {
        match &self.unopened {
            Some(error) => Err(DecisionError::Unopened(error.clone())),
            None => Ok(tag::compute(template, self.build)?),
        }
    }

    /// The commit that a target's image was built from. Without a target, it comes from `--source` or the event.
    pub(super) fn source_of_target(
        &self,
        config: &Config,
        target: Option<&UpdateTarget>,
        by_labels: &LabelSources,
    ) -> Result<Option<Source>, DecisionError> {
        let checkout = self.checkout()?;
        let tag = target.and_then(|target| target.tag.as_ref()).map(Tag::as_str);
        let service = target.and_then(|target| target.service.as_deref());
        let template = targets::tag_template(self.settings, config, service);
        let labelled = target.and_then(|target| by_labels.of(target));
        let source = build_info::source(&self.settings.run_context, Some(checkout), tag, template, labelled);
        source.map(|source| self.with_repository(source)).transpose()
    }

    /// The commit that a tag names.
    pub(super) fn source_in_tag(&self, tag: &str, template: &Template) -> Option<Source> {
        build_info::commit_named(split_tag(tag).0, template, self.checkout)
    }

    /// Whether CI would only build the same again. Without a source, the checkout was built. A repository can have another name
    /// than the one in its URL, as after it was renamed: then the commits tell.
    pub(super) fn is_pushed_where_it_was_built(
        &self,
        source: Option<&Source>,
    ) -> Result<bool, DecisionError> {
        let settings = self.settings;
        let built = source.and_then(|s| s.repository.as_deref());
        let Some(built) = built.or(settings.run_context.ci.repository()) else { return Ok(true) };
        let checkout = self.checkout()?;
        let remote = &settings.delivery.landing.remote;
        if settings.delivery.destination == Destination::LocalCommit && !checkout.has_remote(remote) {
            return Ok(true);
        }
        let (fetch, target) = checkout.remote(remote)?;
        let (fetched, target) = (fetch.repository(), target.repository());
        Ok(same_repository(Some(built), target.as_deref())
            || fetched == target && self.is_on_target_branch(checkout, source))
    }

    /// Whether the branch that CI builds, as the remote has it, contains the commit that was built.
    fn is_on_target_branch(&self, checkout: &Checkout, source: Option<&Source>) -> bool {
        let Some(pipeline) = self.settings.run_context.ci.pipeline() else { return false };
        let commit = source.map_or(pipeline.commit, |source| checkout.resolve(&source.sha));
        let remote = &self.settings.delivery.landing.remote;
        let branch = pipeline.branch.as_ref().zip(commit);
        branch.is_some_and(|(branch, commit)| checkout.is_on(remote, branch, commit))
    }

    /// The author who is named for a commit, also if none is made, or the committer, or else the machine's user.
    pub(super) fn user_name(&self) -> Option<String> {
        let environment = &self.settings.run_context.environment;
        let variable =
            |names: &[&str]| names.iter().find_map(|name| environment.get(name)).map(str::to_owned);
        let named = self.settings.delivery.commit.author.as_ref().map(|author| author.name.clone());
        let committer = || self.committer.as_ref().map(|who| who.name.clone());
        let configured = || self.checkout.and_then(|checkout| checkout.identity("author").ok()?.0);
        named
            .or_else(committer)
            .or_else(|| variable(&["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"]))
            .or_else(configured)
            .or_else(|| variable(&["USER", "USERNAME"]))
    }

    /// A commit without a repository belongs to the checkout's, if that has it.
    pub(super) fn with_repository(&self, mut source: Source) -> Result<Source, DecisionError> {
        let checkout = self.checkout()?;
        if source.repository.is_none() && checkout.resolve(&source.sha).is_some() {
            let remote = checkout.remote(&self.settings.delivery.landing.remote).ok();
            source.repository = remote.and_then(|(fetch, _)| fetch.repository());
        }
        Ok(source)
    }
}

/// The forge that the user names.
pub fn forge_kind(named: ForgeArg) -> Option<ForgeKind> {
    match named {
        ForgeArg::Auto => None,
        ForgeArg::Github => Some(ForgeKind::GitHub),
        ForgeArg::Gitea => Some(ForgeKind::Gitea),
        ForgeArg::Gitlab => Some(ForgeKind::GitLab),
    }
}

/// Whether both are known, and mean one repository.
pub fn same_repository(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| tag::same_repository(one, other))
}
