//! The flags of `bump` and `rollback` for the commit, the pull request and landing.

use clap::Args;

use super::headings::{COMMIT, DESTINATION, ORDER_AND_RETRIES, OUTPUT, PULL_REQUEST};
use super::switch::switch;
use super::{AutoMerge, Changes, ForgeArg, Format, Via};

/// Where to put a change, and how to report it.
#[derive(Debug, Args)]
pub struct DeliveryArgs {
    /// Show the diff, change nothing
    #[arg(
        short = 'n',
        long,
        env = "TAGBUMP_DRY_RUN",
        hide_env = true,
        value_parser = switch,
        help_heading = DESTINATION
    )]
    pub dry_run: bool,

    /// With --dry-run: exit with 10 if there are changes to make
    #[arg(
        long,
        env = "TAGBUMP_EXIT_CODE",
        hide_env = true,
        value_parser = switch,
        help_heading = DESTINATION
    )]
    pub exit_code: bool,

    /// Commit in the local repository
    ///
    /// Only the change itself is committed; other uncommitted changes stay uncommitted.
    #[arg(
        long,
        env = "TAGBUMP_COMMIT",
        hide_env = true,
        value_parser = switch,
        help_heading = DESTINATION
    )]
    pub commit: bool,

    /// Land the commit on the remote branch
    ///
    /// Fetches the tip of the branch, makes the edit on it, and pushes the commit without force.
    /// If another push gets there first, tagbump re-applies the edit to the new tip.
    #[arg(
        long,
        env = "TAGBUMP_PUSH",
        hide_env = true,
        value_parser = switch,
        help_heading = DESTINATION,
        verbatim_doc_comment
    )]
    pub push: bool,

    /// Land on a separate branch, and open or update a pull request
    #[arg(
        long,
        env = "TAGBUMP_PR",
        hide_env = true,
        value_parser = switch,
        help_heading = DESTINATION
    )]
    pub pr: bool,

    /// Branch to land on, or the pull request's base [default: the one of HEAD]
    ///
    /// With a detached HEAD, the default is the branch that the CI system names. For a git tag,
    /// for a repository that isn't being built, and without CI, it is the remote's default
    /// branch.
    #[arg(
        long,
        value_name = "B",
        env = "TAGBUMP_BRANCH",
        hide_env = true,
        help_heading = DESTINATION,
        verbatim_doc_comment
    )]
    pub branch: Option<String>,

    /// Remote to land on [default: origin]
    #[arg(
        long,
        value_name = "R",
        env = "TAGBUMP_REMOTE",
        hide_env = true,
        help_heading = DESTINATION
    )]
    pub remote: Option<String>,

    /// Push with git, or use GitHub's API
    ///
    /// With api, GitHub creates the commit, signs it and shows it as verified. The author is the
    /// owner of the token.
    #[arg(
        long,
        env = "TAGBUMP_VIA",
        hide_env = true,
        default_value = "git",
        help_heading = DESTINATION,
        verbatim_doc_comment
    )]
    pub via: Via,

    /// Also land the local commits that the branch lacks, underneath the bump
    #[arg(
        long,
        env = "TAGBUMP_CARRY",
        hide_env = true,
        value_parser = switch,
        help_heading = DESTINATION
    )]
    pub carry: bool,

    /// Leave the checkout unchanged after landing
    ///
    /// By default, tagbump fast-forwards a clean checkout of the branch.
    #[arg(
        long,
        env = "TAGBUMP_NO_SYNC",
        hide_env = true,
        value_parser = switch,
        help_heading = DESTINATION
    )]
    pub no_sync: bool,

    /// Commit message, replacing subject and body; a template
    ///
    /// Variables: {name} {image} {tag} {old_tag} {images} {files}, and those of --tag-template.
    #[arg(
        short,
        long,
        value_name = "T",
        env = "TAGBUMP_MESSAGE",
        hide_env = true,
        help_heading = COMMIT
    )]
    pub message: Option<String>,

    /// Add [skip ci] to the subject [default: if the target repository was built]
    ///
    /// The default is on if the target is the repository that was built, and off with --pr.
    #[arg(
        long,
        env = "TAGBUMP_SKIP_CI",
        hide_env = true,
        value_parser = switch,
        help_heading = COMMIT
    )]
    pub skip_ci: bool,

    /// Leave [skip ci] out
    #[arg(
        long,
        env = "TAGBUMP_NO_SKIP_CI",
        hide_env = true,
        value_parser = switch,
        help_heading = COMMIT
    )]
    pub no_skip_ci: bool,

    /// Author of the commit [default: git's user.name and user.email]
    ///
    /// In GitHub Actions, if git has neither, the author is github-actions[bot].
    #[arg(
        long,
        value_name = "N <E>",
        env = "TAGBUMP_AUTHOR",
        hide_env = true,
        help_heading = COMMIT
    )]
    pub author: Option<String>,

    /// Add a Signed-off-by trailer
    #[arg(
        long,
        env = "TAGBUMP_SIGNOFF",
        hide_env = true,
        value_parser = switch,
        help_heading = COMMIT
    )]
    pub signoff: bool,

    /// Sign with git's gpg.format and user.signingkey [default: commit.gpgsign]
    #[arg(
        long,
        env = "TAGBUMP_SIGN",
        hide_env = true,
        value_parser = switch,
        help_heading = COMMIT
    )]
    pub sign: bool,

    /// Show which commits the bump includes: auto, link, list or off [default: auto]
    ///
    /// link adds a compare link for the old and the new source, in the commit, the job summary
    /// and the pull request. auto also lists the commits in the last two, if the target's
    /// history has them. list asks the forge, even about another repository; more people may
    /// then be able to read the subjects of its commits.
    #[arg(
        long,
        value_name = "WHAT",
        env = "TAGBUMP_CHANGES",
        hide_env = true,
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = COMMIT,
        verbatim_doc_comment
    )]
    pub changes: Changes,

    /// Branch of the pull request; a template [default: tagbump/{base}/{name}]
    #[arg(
        long,
        value_name = "T",
        env = "TAGBUMP_PR_BRANCH",
        hide_env = true,
        help_heading = PULL_REQUEST
    )]
    pub pr_branch: Option<String>,

    /// Title of the pull request; a template [default: the commit's subject]
    #[arg(
        long,
        value_name = "T",
        env = "TAGBUMP_PR_TITLE",
        hide_env = true,
        help_heading = PULL_REQUEST
    )]
    pub pr_title: Option<String>,

    /// Text of the pull request; a template [default: the commit's body]
    #[arg(
        long,
        value_name = "T",
        env = "TAGBUMP_PR_BODY",
        hide_env = true,
        help_heading = PULL_REQUEST
    )]
    pub pr_body: Option<String>,

    /// Label for the pull request; repeatable
    #[arg(
        long = "label",
        value_name = "L",
        env = "TAGBUMP_LABEL",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = PULL_REQUEST
    )]
    pub labels: Vec<String>,

    /// Open the pull request as a draft
    #[arg(
        long,
        env = "TAGBUMP_DRAFT",
        hide_env = true,
        value_parser = switch,
        help_heading = PULL_REQUEST
    )]
    pub draft: bool,

    /// Request a review from NAME, or from a team as ORG/TEAM; repeatable
    ///
    /// Reviews are requested only when the pull request is opened.
    #[arg(
        long = "reviewer",
        value_name = "NAME",
        env = "TAGBUMP_REVIEWER",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = PULL_REQUEST
    )]
    pub reviewers: Vec<String>,

    /// Assign the new pull request to NAME; repeatable
    #[arg(
        long = "assignee",
        value_name = "NAME",
        env = "TAGBUMP_ASSIGNEE",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = PULL_REQUEST
    )]
    pub assignees: Vec<String>,

    /// Merge the pull request once the base branch's rules are met: squash, merge or rebase
    ///
    /// Without a method, the repository's default. If the base requires neither a check nor a
    /// review, the pull request stays open, and a warning says so.
    #[arg(
        long,
        value_name = "HOW",
        env = "TAGBUMP_AUTO_MERGE",
        hide_env = true,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = PULL_REQUEST,
        verbatim_doc_comment
    )]
    pub auto_merge: AutoMerge,

    /// Forge that hosts the remote: github, gitea or gitlab [default: detected]
    ///
    /// It is used for pull requests, for compare links, and to order builds of other
    /// repositories; gitea also means Forgejo. By default, tagbump recognises it by the host and
    /// the CI system's variables, or asks the server.
    #[arg(
        long,
        value_name = "F",
        env = "TAGBUMP_FORGE",
        hide_env = true,
        default_value = "",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = PULL_REQUEST,
        verbatim_doc_comment
    )]
    pub forge: ForgeArg,

    /// Time budget for landing, such as 90s or 2m [default: 120s]
    #[arg(
        long,
        value_name = "DUR",
        env = "TAGBUMP_TIMEOUT",
        hide_env = true,
        help_heading = ORDER_AND_RETRIES
    )]
    pub timeout: Option<String>,

    /// Output format
    ///
    /// json prints one object on stdout.
    #[arg(
        long,
        env = "TAGBUMP_FORMAT",
        hide_env = true,
        default_value = "text",
        help_heading = OUTPUT
    )]
    pub format: Format,

    /// The flags for a pull request that were typed, by their names.
    #[arg(skip)]
    pub typed: Vec<&'static str>,
}
