//! Validates the arguments of `bump` and `rollback`.

use super::parse::{branch, count, duration, fields, listed, non_empty, parse_template};
use super::{
    BadCombination, BumpSettings, CommitSettings, DEFAULT_PR_BRANCH, DEFAULT_REMOTE, DEFAULT_TIMEOUT,
    DEFAULT_VERIFY_TIMEOUT, Delivery, Destination, ExpectedValue, LandingSettings, Operation, PullSettings,
    ReferenceSelection, RegistrySettings, RollbackOptions, SettingsError, WorkLocation, run_context,
};
use crate::actions::ActionsRun;
use crate::cli::{
    AutoMerge, BumpArgs, DeliveryArgs, IfHeld, IfOlder, RollbackArgs, TargetArgs, VerifyArgs, Via,
};
use crate::environment::Environment;
use crate::file_selection::Selection;
use crate::git::{Identity, Tokens};
use crate::image::{Digest, Field, ImageArg, Tag};
use crate::tag::DEFAULT_TEMPLATE;
use crate::template::Template;
use crate::verify::Verify;

/// Checks a `bump`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn bump(args: BumpArgs, environment: Environment, now: i64) -> Result<BumpSettings, SettingsError> {
    // `tag` takes several templates; only the first one is for the tag to deploy
    let template = args.tag_template.iter().flat_map(|text| text.lines()).find(|line| !line.is_empty());
    let if_held = if_held(args.held.if_held, &environment);
    let delivery = delivery(args.deliver, if_older(args.if_older, &environment), &environment)?;
    let pins_digests = args.digest.as_deref() == Some("auto");
    let settings = BumpSettings {
        operation: Operation::Bump,
        images: match pins_digests {
            true => images(&args.images)?,
            false => with_digest(images(&args.images)?, non_empty(args.digest.as_deref()))?,
        },
        tag: non_empty(args.tag.as_deref()).map(Tag::parse).transpose()?,
        template: template.map(|text| parse_template("tag-template", text)).transpose()?,
        default_template: parse_template("tag-template", DEFAULT_TEMPLATE)?,
        references: references(args.places)?,
        add: args.add,
        registry: registry(&args.verify, pins_digests)?,
        if_held,
        run_context: run_context(
            &args.common,
            args.source.as_deref(),
            &delivery.landing.remote,
            environment,
            now,
        )?,
        delivery,
    };
    settings.check()?;
    Ok(settings)
}

/// Checks a `rollback`: a bump to an earlier tag, which newer builds don't prevent.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn rollback(
    args: RollbackArgs,
    environment: Environment,
    now: i64,
) -> Result<BumpSettings, SettingsError> {
    let images = images(&args.images)?;
    let is_plain = |image: &&ImageArg| {
        image.new_name == Field::Unspecified && image.digest == Field::Unspecified && image.tag != Field::Keep
    };
    if let Some(image) = images.iter().find(|image| !is_plain(image)) {
        return Err(SettingsError::NotARollback { image: image.name.clone() });
    }
    let delivery = delivery(args.deliver, IfOlder::Write, &environment)?;
    let settings = BumpSettings {
        operation: Operation::Rollback(RollbackOptions { force: args.force }),
        images,
        tag: non_empty(args.to.as_deref()).map(Tag::parse).transpose()?,
        template: None,
        default_template: parse_template("tag-template", DEFAULT_TEMPLATE)?,
        references: references(args.places)?,
        add: false,
        registry: registry(&args.verify, false)?,
        // in an incident, an error is better than a rollback that does nothing
        if_held: if args.held.if_held == IfHeld::Auto { IfHeld::Fail } else { args.held.if_held },
        run_context: run_context(&args.common, None, &delivery.landing.remote, environment, now)?,
        delivery,
    };
    settings.check()?;
    Ok(settings)
}

/// What to do with an older build, if nothing is typed. In a workflow that a person started, a green run must not mean
/// that nothing was deployed.
pub(super) fn if_older(typed: IfOlder, environment: &Environment) -> IfOlder {
    let run = ActionsRun::read(environment);
    match typed {
        IfOlder::Auto if run.active && !run.is_started_by_hand() => IfOlder::Skip,
        IfOlder::Auto => IfOlder::Fail,
        chosen => chosen,
    }
}

/// What to do with what is held, if nothing is typed.
pub(super) fn if_held(typed: IfHeld, environment: &Environment) -> IfHeld {
    match typed {
        IfHeld::Auto if ActionsRun::read(environment).active => IfHeld::Skip,
        IfHeld::Auto => IfHeld::Fail,
        chosen => chosen,
    }
}

pub(super) fn registry(args: &VerifyArgs, pins_digests: bool) -> Result<RegistrySettings, SettingsError> {
    let verify = non_empty(args.verify.as_deref()).map(|text| {
        let (flag, value, expected) = ("verify", text.to_owned(), ExpectedValue::Verify);
        Verify::parse(text).ok_or(SettingsError::Value { flag, value, expected })
    });
    let timeout = non_empty(args.verify_timeout.as_deref()).map(|text| duration("verify-timeout", text));
    Ok(RegistrySettings {
        verify: verify.transpose()?,
        timeout: timeout.transpose()?.unwrap_or(DEFAULT_VERIFY_TIMEOUT),
        pins_digests,
    })
}

fn images(typed: &[String]) -> Result<Vec<ImageArg>, SettingsError> {
    let images = typed.iter().filter(|image| !image.is_empty());
    images.map(|image| Ok(ImageArg::parse(image)?)).collect()
}

fn references(args: TargetArgs) -> Result<ReferenceSelection, SettingsError> {
    Ok(ReferenceSelection {
        env: non_empty(args.env.env.as_deref()).map(str::to_owned),
        selection: Selection::new(&listed(args.files.files))?,
        fields: fields(&listed(args.fields))?,
        all: args.all,
        expect: non_empty(args.expect.as_deref()).map(|text| count("expect", text)).transpose()?,
    })
}

pub(super) fn delivery(
    args: DeliveryArgs,
    if_older: IfOlder,
    environment: &Environment,
) -> Result<Delivery, SettingsError> {
    Ok(Delivery {
        without_effect: without_effect(&args, environment),
        destination: match (args.pr, args.push, args.commit) {
            (true, _, _) => Destination::PullRequest,
            (false, true, _) => Destination::Push,
            (false, false, true) => Destination::LocalCommit,
            (false, false, false) => Destination::WorkTree,
        },
        dry_run: args.dry_run,
        exit_code: args.exit_code,
        changes: args.changes,
        commit: commit_settings(&args)?,
        landing: landing_settings(&args, if_older, environment)?,
        pull: pull_settings(args)?,
    })
}

fn commit_settings(args: &DeliveryArgs) -> Result<CommitSettings, SettingsError> {
    Ok(CommitSettings {
        message: typed_template("message", args.message.as_deref())?,
        skip_ci: match (args.skip_ci, args.no_skip_ci) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            // a skip mark on its head commit would leave a pull request's required checks pending forever
            (false, false) => args.pr.then_some(false),
        },
        author: non_empty(args.author.as_deref()).map(Identity::parse).transpose()?,
        signoff: args.signoff,
        sign: args.sign,
    })
}

fn landing_settings(
    args: &DeliveryArgs,
    if_older: IfOlder,
    environment: &Environment,
) -> Result<LandingSettings, SettingsError> {
    let timeout = non_empty(args.timeout.as_deref()).map(|text| duration("timeout", text));
    Ok(LandingSettings {
        branch: non_empty(args.branch.as_deref()).map(branch).transpose()?,
        remote: non_empty(args.remote.as_deref()).unwrap_or(DEFAULT_REMOTE).to_owned(),
        via: args.via,
        forge: args.forge,
        if_older,
        carry: args.carry,
        sync: !args.no_sync,
        timeout: timeout.transpose()?.unwrap_or(DEFAULT_TIMEOUT),
        tokens: Tokens::read(environment),
    })
}

fn pull_settings(args: DeliveryArgs) -> Result<PullSettings, SettingsError> {
    Ok(PullSettings {
        branch: match typed_template("pr-branch", args.pr_branch.as_deref())? {
            Some(branch) => branch,
            None => parse_template("pr-branch", DEFAULT_PR_BRANCH)?,
        },
        title: typed_template("pr-title", args.pr_title.as_deref())?,
        body: typed_template("pr-body", args.pr_body.as_deref())?,
        labels: listed(args.labels),
        reviewers: people(args.reviewers),
        assignees: people(args.assignees),
        draft: args.draft,
        auto_merge: args.auto_merge,
    })
}

fn typed_template(flag: &'static str, text: Option<&str>) -> Result<Option<Template>, SettingsError> {
    non_empty(text).map(|text| parse_template(flag, text)).transpose()
}

/// The flags for a pull request that have no effect, because none is made. Outside the action, variables of the
/// environment don't count: they may be meant for other runs.
fn without_effect(args: &DeliveryArgs, environment: &Environment) -> Vec<&'static str> {
    let is_set = |text: &Option<String>| non_empty(text.as_deref()).is_some();
    let lists = |values: &[String]| values.iter().any(|value| !value.trim().is_empty());
    let set = [
        ("pr-branch", is_set(&args.pr_branch)),
        ("pr-title", is_set(&args.pr_title)),
        ("pr-body", is_set(&args.pr_body)),
        ("label", lists(&args.labels)),
        ("draft", args.draft),
        ("reviewer", lists(&args.reviewers)),
        ("assignee", lists(&args.assignees)),
        ("auto-merge", args.auto_merge != AutoMerge::Off),
    ];
    // the inputs come as variables
    let are_inputs = ActionsRun::is_by_action(environment);
    let is_meant = |name: &str| are_inputs || args.typed.contains(&name);
    set.into_iter()
        .filter(|(name, is_set)| !args.pr && *is_set && is_meant(name))
        .map(|(name, _)| name)
        .collect()
}

/// Names of people and teams, which some write with an `@`.
fn people(typed: Vec<String>) -> Vec<String> {
    let plain = |name: &String| name.trim().trim_start_matches('@').to_owned();
    listed(typed).iter().map(plain).filter(|name| !name.is_empty()).collect()
}

impl BumpSettings {
    pub(super) fn check(&self) -> Result<(), BadCombination> {
        let by_api = self.delivery.landing.via == Via::Api;
        let lands = matches!(self.delivery.destination, Destination::Push | Destination::PullRequest);
        if matches!(self.run_context.root, WorkLocation::Url(_)) && !lands && !self.delivery.dry_run {
            return Err(BadCombination::UrlWithoutLanding);
        }
        if by_api && self.delivery.destination == Destination::LocalCommit {
            return Err(BadCombination::ApiWithCommit);
        }
        if by_api && self.delivery.commit.author.is_some() {
            return Err(BadCombination::ApiWithAuthor);
        }
        if by_api && self.delivery.commit.sign {
            return Err(BadCombination::ApiWithSign);
        }
        if self.delivery.landing.carry && (by_api || self.delivery.destination == Destination::PullRequest) {
            return Err(BadCombination::CarryWithoutPush);
        }
        if self.delivery.pull.draft && self.delivery.pull.auto_merge != AutoMerge::Off {
            return Err(BadCombination::DraftWithAutoMerge);
        }
        if self.images.is_empty() && !self.operation.is_promotion() {
            return Err(BadCombination::NoImage);
        }
        if !self.references.fields.is_empty() && self.references.selection.is_everything() {
            return Err(BadCombination::FieldWithoutFile);
        }
        if !self.references.fields.is_empty() && self.images.len() != 1 {
            return Err(BadCombination::FieldForSeveralImages);
        }
        Ok(())
    }
}

fn with_digest(mut images: Vec<ImageArg>, digest: Option<&str>) -> Result<Vec<ImageArg>, SettingsError> {
    let Some(digest) = digest else { return Ok(images) };
    let digest = Digest::parse(digest).map_err(SettingsError::Digest)?;
    match images.as_mut_slice() {
        [image] if image.digest == Field::Unspecified => {
            image.digest = Field::Set(digest);
            image.digest_beside = true;
            Ok(images)
        }
        [_] => Err(BadCombination::TwoDigests.into()),
        _ => Err(BadCombination::DigestForSeveralImages.into()),
    }
}
