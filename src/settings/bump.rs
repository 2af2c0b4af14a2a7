//! Validates the arguments of `bump` and `rollback`.

use super::parse::{branch, count, duration, fields, listed, non_empty, parse_template, told};
use super::{
    BumpSettings, CommitSettings, DEFAULT_PR_BRANCH, DEFAULT_REMOTE, DEFAULT_TIMEOUT, Delivery, Destination,
    LandingSettings, PullSettings, ReferenceSelection, RollbackOptions, WorkLocation, place,
};
use crate::actions::ActionsRun;
use crate::cli::{BumpArgs, DeliveryArgs, IfOlder, RollbackArgs, TargetArgs, Via};
use crate::environment::Environment;
use crate::error::{Failure, Result};
use crate::file_selection::Selection;
use crate::git::{Identity, Tokens};
use crate::image::{Digest, Field, ImageArg, Tag};
use crate::tag::DEFAULT_TEMPLATE;

/// Validates the arguments of `bump`.
///
/// # Errors
/// Exit 2, with the flag and the values that it takes.
pub fn bump(args: BumpArgs, environment: Environment, now: i64) -> Result<BumpSettings> {
    // `tag` takes several templates; only the first one is for the tag to deploy
    let template = args.tag_template.iter().flat_map(|text| text.lines()).find(|line| !line.is_empty());
    let if_older = match args.if_older {
        IfOlder::Auto if ActionsRun::read(&environment).active => IfOlder::Skip,
        IfOlder::Auto => IfOlder::Fail,
        said => said,
    };
    let settings = BumpSettings {
        images: with_digest(images(&args.images)?, non_empty(args.digest.as_deref()))?,
        tag: non_empty(args.tag.as_deref()).map(Tag::parse).transpose().map_err(told)?,
        template: template.map(|text| parse_template("--tag-template", text)).transpose()?,
        default_template: parse_template("--tag-template", DEFAULT_TEMPLATE)?,
        places: places(args.places)?,
        add: args.add,
        back: None,
        delivery: delivery(args.deliver, if_older, &environment)?,
        place: place(&args.common, args.source.as_deref(), environment, now)?,
    };
    settings.check()?;
    Ok(settings)
}

/// Validates the arguments of `rollback`: a bump to an earlier tag, which a newer build doesn't block.
///
/// # Errors
/// Exit 2, with the flag and the values that it takes.
pub fn rollback(args: RollbackArgs, environment: Environment, now: i64) -> Result<BumpSettings> {
    let images = images(&args.images)?;
    let is_plain = |image: &&ImageArg| {
        image.new_name == Field::Unspecified && image.digest == Field::Unspecified && image.tag != Field::Keep
    };
    if let Some(image) = images.iter().find(|image| !is_plain(image)) {
        return Err(Failure::usage(format!("IMAGE {}: a rollback takes NAME[:TAG]", image.name))
            .hinted("the digest comes back with its tag"));
    }
    let settings = BumpSettings {
        images,
        tag: non_empty(args.to.as_deref()).map(Tag::parse).transpose().map_err(told)?,
        template: None,
        default_template: parse_template("--tag-template", DEFAULT_TEMPLATE)?,
        places: places(args.places)?,
        add: false,
        back: Some(RollbackOptions { force: args.force }),
        delivery: delivery(args.deliver, IfOlder::Write, &environment)?,
        place: place(&args.common, None, environment, now)?,
    };
    settings.check()?;
    Ok(settings)
}

fn images(typed: &[String]) -> Result<Vec<ImageArg>> {
    let images = typed.iter().filter(|image| !image.is_empty());
    images.map(|image| ImageArg::parse(image).map_err(told)).collect()
}

fn places(args: TargetArgs) -> Result<ReferenceSelection> {
    Ok(ReferenceSelection {
        selection: Selection::new(&listed(args.files.files))?,
        fields: fields(&listed(args.fields))?,
        all: args.all,
        expect: non_empty(args.expect.as_deref()).map(|text| count("--expect", text)).transpose()?,
    })
}

fn delivery(args: DeliveryArgs, if_older: IfOlder, environment: &Environment) -> Result<Delivery> {
    let template = |flag: &str, text: &Option<String>| {
        non_empty(text.as_deref()).map(|text| parse_template(flag, text)).transpose()
    };
    Ok(Delivery {
        destination: match (args.pr, args.push, args.commit) {
            (true, _, _) => Destination::PullRequest,
            (false, true, _) => Destination::Push,
            (false, false, true) => Destination::LocalCommit,
            (false, false, false) => Destination::WorkTree,
        },
        dry_run: args.dry_run,
        exit_code: args.exit_code,
        commit: CommitSettings {
            message: template("--message", &args.message)?,
            skip_ci: match (args.skip_ci, args.no_skip_ci) {
                (_, true) => Some(false),
                (true, false) => Some(true),
                // a skip mark on its head commit would leave a pull request's required checks pending forever
                (false, false) => args.pr.then_some(false),
            },
            author: non_empty(args.author.as_deref()).map(Identity::parse).transpose()?,
            signoff: args.signoff,
            sign: args.sign,
        },
        landing: LandingSettings {
            branch: non_empty(args.branch.as_deref()).map(branch).transpose()?,
            remote: non_empty(args.remote.as_deref()).unwrap_or(DEFAULT_REMOTE).to_owned(),
            via: args.via,
            if_older,
            carry: args.carry,
            sync: !args.no_sync,
            timeout: non_empty(args.timeout.as_deref()).map(duration).transpose()?.unwrap_or(DEFAULT_TIMEOUT),
            tokens: Tokens::read(environment),
        },
        pull: PullSettings {
            branch: match template("--pr-branch", &args.pr_branch)? {
                Some(branch) => branch,
                None => parse_template("--pr-branch", DEFAULT_PR_BRANCH)?,
            },
            title: template("--pr-title", &args.pr_title)?,
            body: template("--pr-body", &args.pr_body)?,
            labels: listed(args.labels),
            draft: args.draft,
        },
    })
}

impl BumpSettings {
    fn check(&self) -> Result<()> {
        let usage = |message: &str, hint: &str| Err(Failure::usage(message).hinted(hint));
        let by_api = self.delivery.landing.via == Via::Api;
        let lands = matches!(self.delivery.destination, Destination::Push | Destination::PullRequest);
        if matches!(self.place.root, WorkLocation::Url(_)) && !lands && !self.delivery.dry_run {
            return usage(
                "-C with a URL has no files to edit here",
                "land it with --push or --pr, or look with -n",
            );
        }
        if by_api && self.delivery.destination == Destination::LocalCommit {
            return usage("--via api makes no local commit", "leave one of --via api and --commit out");
        }
        if by_api && self.delivery.commit.author.is_some() {
            return usage(
                "--author does not go with --via api: GitHub takes the token's owner",
                "leave --author out, or land with --via git",
            );
        }
        if by_api && self.delivery.commit.sign {
            return usage(
                "--sign does not go with --via api: GitHub makes the commit, and signs it itself",
                "leave --sign out, or land with --via git",
            );
        }
        if self.delivery.landing.carry && (by_api || self.delivery.destination == Destination::PullRequest) {
            return usage(
                "--carry goes with --push and git alone",
                "leave --carry out, or --via api and --pr",
            );
        }
        if self.images.is_empty() {
            return usage("no IMAGE was given", "name one, as ghcr.io/acme/api");
        }
        if !self.places.fields.is_empty() && self.places.selection.is_everything() {
            return usage("--field needs -f", "name the files whose field is to be set");
        }
        if !self.places.fields.is_empty() && self.images.len() != 1 {
            return usage("--field needs exactly one IMAGE", "bump the images one by one");
        }
        Ok(())
    }
}

fn with_digest(mut images: Vec<ImageArg>, digest: Option<&str>) -> Result<Vec<ImageArg>> {
    let Some(digest) = digest else { return Ok(images) };
    let digest = Digest::parse(digest).map_err(|e| Failure::usage(format!("--digest: {e}")))?;
    match images.as_mut_slice() {
        [image] if image.digest == Field::Unspecified => {
            image.digest = Field::Set(digest);
            image.digest_beside = true;
            Ok(images)
        }
        [_] => Err(Failure::usage("--digest and IMAGE both give a digest").hinted("give it once")),
        _ => Err(Failure::usage("--digest needs exactly one IMAGE").hinted("write IMAGE@DIGEST for each")),
    }
}
