//! The commands that change tags, as they are typed.

use clap::Args;
use clap::builder::FalseyValueParser;

use super::{CommonArgs, FileArgs, Format, IfOlder, Via};

/// Set image references to a tag: edit files, or commit, or land the commit on the remote branch
///
/// IMAGE is NAME[=NEWNAME][:TAG][@DIGEST], kustomize's grammar; * keeps a part. Names are compared whole.
///
/// Every flag can be set by an environment variable too: --tag-template is TAGBUMP_TAG_TEMPLATE. The token
/// comes from the environment alone: TAGBUMP_TOKEN.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tagbump bump ghcr.io/acme/api:main-1a2b3c4              edit the working tree
  tagbump bump ghcr.io/acme/api --tag main-1a2b3c4 -n     show the diff, write nothing
  tagbump bump ghcr.io/acme/api -f 'k8s/**' --push        tag computed from the commit; lands

Exit codes:
  0 done, or nothing to do    1 other    2 wrong usage    3 nothing matched    4 not landed
  5 the server refuses    6 not safe to edit    10 something to do (--exit-code)    130, 143 interrupted")]
pub struct BumpArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    /// The built commit [default: the one in an explicit tag, else the event's]
    #[arg(long, value_name = "[REPO@]SHA", env = "TAGBUMP_SOURCE", hide_env = true)]
    pub source: Option<String>,

    /// Images to bump: NAME[=NEWNAME][:TAG][@DIGEST]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// Tag for the IMAGEs that name none [default: computed by --tag-template]
    #[arg(short, long, env = "TAGBUMP_TAG", hide_env = true)]
    pub tag: Option<String>,

    /// How to compute a tag from the commit [default: {sha:7}]
    #[arg(long, value_name = "T", env = "TAGBUMP_TAG_TEMPLATE", hide_env = true)]
    pub tag_template: Option<String>,

    /// Set the digest too (with one IMAGE)
    #[arg(long, value_name = "sha256:…", env = "TAGBUMP_DIGEST", hide_env = true)]
    pub digest: Option<String>,

    #[command(flatten)]
    pub places: PlaceArgs,

    /// Give a kustomization that lacks the image an entry, and a block without a tag the key
    #[arg(long, env = "TAGBUMP_ADD", hide_env = true, value_parser = FalseyValueParser::new())]
    pub add: bool,

    /// What to do where the tip has a newer build already [default: skip in Actions, else fail]
    #[arg(
        long,
        value_name = "WHAT",
        env = "TAGBUMP_IF_OLDER",
        hide_env = true,
        default_value = "",
        hide_default_value = true
    )]
    pub if_older: IfOlder,

    #[command(flatten)]
    pub deliver: DeliverArgs,
}

/// Put images back to the tags that they had before: a bump like any other
///
/// The tag before the present one, from the commits that changed it, or the one that --to names; digest and all.
/// Builds of commits up to the one that is rolled back don't come back by themselves; newer ones do.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tagbump rollback ghcr.io/acme/api -n                     show what would be put back
  tagbump rollback ghcr.io/acme/api --push                 the tag before; lands
  tagbump rollback api worker --to v1.4.2 -f prod --push   a tag that was there once")]
pub struct RollbackArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    /// Images or services to put back: NAME[:TAG]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// The tag to go back to, for the IMAGEs that name none [default: the one before]
    #[arg(long, value_name = "TAG", env = "TAGBUMP_TO", hide_env = true)]
    pub to: Option<String>,

    /// Also to a tag that was never there
    #[arg(long, env = "TAGBUMP_FORCE", hide_env = true, value_parser = FalseyValueParser::new())]
    pub force: bool,

    #[command(flatten)]
    pub places: PlaceArgs,

    #[command(flatten)]
    pub deliver: DeliverArgs,
}

/// Which references are meant.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    pub files: FileArgs,

    /// Several places with different tags are all meant
    #[arg(long, env = "TAGBUMP_ALL", hide_env = true, value_parser = FalseyValueParser::new())]
    pub all: bool,

    /// Set this field, and only it, in the -f files; repeatable
    #[arg(
        long = "field",
        value_name = "PATH",
        env = "TAGBUMP_FIELD",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub fields: Vec<String>,

    /// Fail unless exactly N references match
    #[arg(long, value_name = "N", env = "TAGBUMP_EXPECT", hide_env = true)]
    pub expect: Option<String>,
}

/// How far a change goes, and how it is told.
#[derive(Debug, Args)]
pub struct DeliverArgs {
    /// Show the diff, touch nothing
    #[arg(short = 'n', long, env = "TAGBUMP_DRY_RUN", hide_env = true, value_parser = FalseyValueParser::new())]
    pub dry_run: bool,

    /// With --dry-run: exit 10 if there is something to do
    #[arg(long, env = "TAGBUMP_EXIT_CODE", hide_env = true, value_parser = FalseyValueParser::new())]
    pub exit_code: bool,

    /// Commit in the local repository
    #[arg(long, env = "TAGBUMP_COMMIT", hide_env = true, value_parser = FalseyValueParser::new())]
    pub commit: bool,

    /// Land on the remote branch
    #[arg(long, env = "TAGBUMP_PUSH", hide_env = true, value_parser = FalseyValueParser::new())]
    pub push: bool,

    /// Land on a branch of its own, and open or update a pull request to the branch
    #[arg(long, env = "TAGBUMP_PR", hide_env = true, value_parser = FalseyValueParser::new())]
    pub pr: bool,

    /// The pull request's branch; a template [default: tagbump/{base}/{name}]
    #[arg(long, value_name = "T", env = "TAGBUMP_PR_BRANCH", hide_env = true)]
    pub pr_branch: Option<String>,

    /// The pull request's title; a template [default: the commit's subject]
    #[arg(long, value_name = "T", env = "TAGBUMP_PR_TITLE", hide_env = true)]
    pub pr_title: Option<String>,

    /// The pull request's text; a template [default: the commit's body]
    #[arg(long, value_name = "T", env = "TAGBUMP_PR_BODY", hide_env = true)]
    pub pr_body: Option<String>,

    /// Label of the pull request; repeatable
    #[arg(long = "label", value_name = "L", env = "TAGBUMP_LABEL", hide_env = true, value_delimiter = '\n')]
    pub labels: Vec<String>,

    /// Open the pull request as a draft
    #[arg(long, env = "TAGBUMP_DRAFT", hide_env = true, value_parser = FalseyValueParser::new())]
    pub draft: bool,

    /// The branch to land on [default: the one of HEAD]
    #[arg(long, value_name = "B", env = "TAGBUMP_BRANCH", hide_env = true)]
    pub branch: Option<String>,

    /// The remote to land on [default: origin]
    #[arg(long, value_name = "R", env = "TAGBUMP_REMOTE", hide_env = true)]
    pub remote: Option<String>,

    /// Land the local commits that the target lacks too, under the bump
    #[arg(long, env = "TAGBUMP_CARRY", hide_env = true, value_parser = FalseyValueParser::new())]
    pub carry: bool,

    /// Push the commit with git, or have GitHub's API make it, which signs it as verified
    #[arg(long, env = "TAGBUMP_VIA", hide_env = true, default_value = "git")]
    pub via: Via,

    /// Commit message, in the place of subject and body; a template
    #[arg(short, long, value_name = "T", env = "TAGBUMP_MESSAGE", hide_env = true)]
    pub message: Option<String>,

    /// Put [skip ci] in the subject [default: where the target is the repository that was built]
    #[arg(long, env = "TAGBUMP_SKIP_CI", hide_env = true, value_parser = FalseyValueParser::new())]
    pub skip_ci: bool,

    /// Leave [skip ci] out
    #[arg(long, env = "TAGBUMP_NO_SKIP_CI", hide_env = true, value_parser = FalseyValueParser::new())]
    pub no_skip_ci: bool,

    /// Author of the commit [default: git's user.name and user.email]
    #[arg(long, value_name = "N <E>", env = "TAGBUMP_AUTHOR", hide_env = true)]
    pub author: Option<String>,

    /// Add a Signed-off-by trailer
    #[arg(long, env = "TAGBUMP_SIGNOFF", hide_env = true, value_parser = FalseyValueParser::new())]
    pub signoff: bool,

    /// Sign with git's gpg.format and user.signingkey [default: as commit.gpgsign says]
    #[arg(long, env = "TAGBUMP_SIGN", hide_env = true, value_parser = FalseyValueParser::new())]
    pub sign: bool,

    /// Leave the checkout as it is after landing
    #[arg(long, env = "TAGBUMP_NO_SYNC", hide_env = true, value_parser = FalseyValueParser::new())]
    pub no_sync: bool,

    /// How long landing may take [default: 120s]
    #[arg(long, value_name = "DUR", env = "TAGBUMP_TIMEOUT", hide_env = true)]
    pub timeout: Option<String>,

    /// What is written to stdout
    #[arg(long, env = "TAGBUMP_FORMAT", hide_env = true, default_value = "text")]
    pub format: Format,
}
