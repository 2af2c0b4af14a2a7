//! The arguments of `bump` and `rollback`.

use clap::Args;

use super::deliver::DeliveryArgs;
use super::headings::{FILES, IMAGE_AND_TAG, ORDER_AND_RETRIES};
use super::switch::switch;
use super::{CommonArgs, EnvArgs, FileArgs, HeldArgs, IfOlder, VerifyArgs};

const BUMP_EXAMPLES: &str = "\
Examples:
  tagbump bump ghcr.io/acme/api:main-1a2b3c4              edit the working tree
  tagbump bump ghcr.io/acme/api --tag main-1a2b3c4 -n     show the diff, write nothing
  tagbump bump ghcr.io/acme/api -f 'k8s/**' --push        compute the tag from the commit; lands";

const EXIT_CODES: &str = "\
Exit codes:
  0         done, or nothing to do
  1         any other error
  2         wrong usage
  3         nothing matched
  4         not landed
  5         refused by the server
  6         not safe to edit
  10        there are changes to make (--exit-code)
  130, 143  interrupted";

const ROLLBACK_EXAMPLES: &str = "\
Examples:
  tagbump rollback ghcr.io/acme/api -n                          show which tag would come back
  tagbump rollback ghcr.io/acme/api --push                      go back to the previous tag, and land
  tagbump rollback api worker --to v1.4.2 -f envs/prod --push   go back to an earlier tag";

/// Set image references to a tag: edit files, commit, or land the commit on the remote branch
///
/// IMAGE is NAME[=NEWNAME][:TAG][@DIGEST], which is kustomize's grammar (* keeps a part), or a service
/// from tagbump.yaml. Names match only as a whole.
///
/// You can also set every flag with an environment variable: --tag-template is TAGBUMP_TAG_TEMPLATE.
/// The token comes only from the environment: TAGBUMP_TOKEN.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = BUMP_EXAMPLES,
    after_long_help = format!("{BUMP_EXAMPLES}\n\n{EXIT_CODES}")
)]
pub struct BumpArgs {
    /// Images to bump: NAME[=NEWNAME][:TAG][@DIGEST], or services from tagbump.yaml
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// Tag for every IMAGE without one [default: from --tag-template]
    #[arg(short, long, env = "TAGBUMP_TAG", hide_env = true, help_heading = IMAGE_AND_TAG)]
    pub tag: Option<String>,

    /// How to compute the tag from the commit [default: {sha:7}]
    ///
    /// A template is text with variables: {sha} {sha:N} {branch} {ref} {pr} {version} {semver}
    /// {run} {date:%Y%m%d}. Write {{ and }} for braces.
    #[arg(
        long,
        value_name = "T",
        env = "TAGBUMP_TAG_TEMPLATE",
        hide_env = true,
        help_heading = IMAGE_AND_TAG,
        verbatim_doc_comment
    )]
    pub tag_template: Option<String>,

    /// Also set a digest: sha256:…, or auto for the registry's
    ///
    /// With auto, each image's digest comes from its registry, and the image must be there. For
    /// several images, you can also write IMAGE@DIGEST for each.
    #[arg(
        long,
        value_name = "DIGEST",
        env = "TAGBUMP_DIGEST",
        hide_env = true,
        help_heading = IMAGE_AND_TAG,
        verbatim_doc_comment
    )]
    pub digest: Option<String>,

    /// The commit that was built [default: from the tag, else the event's]
    ///
    /// The order guard compares it with the commit behind the current tag, and a trailer of the
    /// new commit records it.
    #[arg(
        long,
        value_name = "[REPO@]SHA",
        env = "TAGBUMP_SOURCE",
        hide_env = true,
        help_heading = IMAGE_AND_TAG,
        verbatim_doc_comment
    )]
    pub source: Option<String>,

    #[command(flatten)]
    pub verify: VerifyArgs,

    #[command(flatten)]
    pub places: TargetArgs,

    /// Add a missing `images:` entry or `tag` key
    ///
    /// Adds an `images:` entry to a kustomization that lacks the image, and the tag key to a
    /// block that has `repository` but no `tag`.
    #[arg(
        long,
        env = "TAGBUMP_ADD",
        hide_env = true,
        value_parser = switch,
        help_heading = FILES,
        verbatim_doc_comment
    )]
    pub add: bool,

    #[command(flatten)]
    pub deliver: DeliveryArgs,

    /// On a newer build: skip, fail or write [default: skip in Actions, else fail]
    ///
    /// What to do if the branch already has a newer build, one whose commit comes after ours in
    /// the history: skip the reference, skip it and fail, or write it anyway. If the order can't
    /// be determined, the reference is written and a notice says why. In Actions, the default is
    /// skip, but fail on workflow_dispatch: a person chose what to deploy.
    #[arg(
        long,
        value_name = "WHAT",
        env = "TAGBUMP_IF_OLDER",
        hide_env = true,
        default_value = "",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = ORDER_AND_RETRIES,
        verbatim_doc_comment
    )]
    pub if_older: IfOlder,

    #[command(flatten)]
    pub held: HeldArgs,

    #[command(flatten)]
    pub common: CommonArgs,
}

/// Set images back to their previous tags, or to the tag given with --to
///
/// The previous tag and its digest come from the commits that changed the reference. Otherwise a
/// rollback is an ordinary bump. It stays in effect: a build of the commit that was rolled back,
/// or of an older one, is superseded; a newer build lands.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = ROLLBACK_EXAMPLES)]
pub struct RollbackArgs {
    /// Images or services to roll back: NAME[:TAG]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// Tag to go back to, for every IMAGE without one [default: the previous]
    #[arg(
        long,
        value_name = "TAG",
        env = "TAGBUMP_TO",
        hide_env = true,
        help_heading = IMAGE_AND_TAG
    )]
    pub to: Option<String>,

    /// Allow a tag that the reference never had
    #[arg(
        long,
        env = "TAGBUMP_FORCE",
        hide_env = true,
        value_parser = switch,
        help_heading = IMAGE_AND_TAG
    )]
    pub force: bool,

    #[command(flatten)]
    pub verify: VerifyArgs,

    #[command(flatten)]
    pub places: TargetArgs,

    #[command(flatten)]
    pub deliver: DeliveryArgs,

    #[command(flatten)]
    pub held: HeldArgs,

    #[command(flatten)]
    pub common: CommonArgs,
}

/// Selects the references to update.
#[derive(Debug, Args)]
#[command(next_help_heading = FILES)]
pub struct TargetArgs {
    #[command(flatten)]
    pub env: EnvArgs,

    #[command(flatten)]
    pub files: FileArgs,

    /// Update every match, even if the tags differ
    ///
    /// Without it, different tags are an error, because they most likely mean dev and prod.
    #[arg(long, env = "TAGBUMP_ALL", hide_env = true, value_parser = switch)]
    pub all: bool,

    /// Set this field, and only it, in the -f files; repeatable
    ///
    /// For fields that tagbump doesn't recognise. Keys are separated by dots; \. is a dot in a
    /// key: spec.values.images.api.tag, images[name=api].newTag, list[0].tag.
    #[arg(
        long = "field",
        value_name = "PATH",
        env = "TAGBUMP_FIELD",
        hide_env = true,
        value_delimiter = '\n',
        verbatim_doc_comment
    )]
    pub fields: Vec<String>,

    /// Fail, writing nothing, unless exactly N references match
    #[arg(long, value_name = "N", env = "TAGBUMP_EXPECT", hide_env = true)]
    pub expect: Option<String>,
}
