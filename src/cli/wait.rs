//! The arguments of `wait`.

use clap::Args;

use super::headings::{IMAGE_AND_TAG, OUTPUT, REMOTE_BRANCH, WHAT_IS_LIVE};
use super::{CommonArgs, EnvArgs, FileArgs, ForgeArg, Format};

const EXAMPLES: &str = "\
Examples:
  tagbump wait ghcr.io/acme/api --status 'kustomization/*'      Flux reports to the forge
  tagbump wait api --url https://api.example.com/version        the service answers with its tag
  tagbump wait api --rev \"$SHA\" --status argocd/prod --wait-timeout 20m";

const EXIT_CODES: &str = "\
Exit codes:
  0         live, or superseded
  2         wrong usage
  3         nothing matched
  4         not known: the branch or the statuses can't be read
  5         refused by the server
  7         not live: a status failed, or the time ran out
  130, 143  interrupted";

/// Wait until commit statuses or a web page show that a landed change is live
///
/// The change is the commit of the branch that set the images' references, or --rev. It is live
/// if every status that matches succeeded, on that commit or on one of the next 20 that still
/// have its tags, and if every URL answered with the tag or the source commit, three times in a
/// row. The outcome is live, or superseded if the branch has another tag by then.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}")
)]
pub struct WaitArgs {
    /// Images, or services from tagbump.yaml [default: those of --rev, else all services]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// The commit that landed the change [default: the one that set the tags]
    #[arg(long, value_name = "SHA", env = "TAGBUMP_REV", hide_env = true, help_heading = IMAGE_AND_TAG)]
    pub rev: Option<String>,

    /// Statuses and check runs that must succeed; repeatable
    ///
    /// A pattern, in which * stands for any text. At least one status must match, and the newest
    /// of each matching name must have succeeded. This run's own checks don't count. A failure
    /// counts only after it has lasted 30 seconds, because controllers retry.
    #[arg(
        long = "status",
        value_name = "GLOB",
        env = "TAGBUMP_STATUS",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = WHAT_IS_LIVE,
        verbatim_doc_comment
    )]
    pub statuses: Vec<String>,

    /// Page that must show the tag or the source commit; repeatable
    ///
    /// The answer must be 200 and contain the tag, or the full ID of the source commit, as a
    /// separate word, three times in a row. No credentials are sent, and no other host is
    /// contacted.
    #[arg(
        long = "url",
        value_name = "URL",
        env = "TAGBUMP_URL",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = WHAT_IS_LIVE,
        verbatim_doc_comment
    )]
    pub urls: Vec<String>,

    /// With --url: text that the page must contain instead
    #[arg(
        long,
        value_name = "TEXT",
        env = "TAGBUMP_CONTAINS",
        hide_env = true,
        help_heading = WHAT_IS_LIVE
    )]
    pub contains: Option<String>,

    /// How long to wait, such as 90s or 20m [default: 10m]
    #[arg(
        long,
        value_name = "DUR",
        env = "TAGBUMP_WAIT_TIMEOUT",
        hide_env = true,
        help_heading = WHAT_IS_LIVE
    )]
    pub wait_timeout: Option<String>,

    #[command(flatten)]
    pub files: FileArgs,

    #[command(flatten)]
    pub env: EnvArgs,

    /// Branch to watch [default: the one that a push would land on]
    #[arg(long, value_name = "B", env = "TAGBUMP_BRANCH", hide_env = true, help_heading = REMOTE_BRANCH)]
    pub branch: Option<String>,

    /// Remote to watch [default: origin]
    #[arg(long, value_name = "R", env = "TAGBUMP_REMOTE", hide_env = true, help_heading = REMOTE_BRANCH)]
    pub remote: Option<String>,

    /// Forge that hosts the remote: github, gitea or gitlab [default: detected]
    #[arg(
        long,
        value_name = "F",
        env = "TAGBUMP_FORGE",
        hide_env = true,
        default_value = "",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = REMOTE_BRANCH
    )]
    pub forge: ForgeArg,

    /// Output format
    #[arg(long, env = "TAGBUMP_FORMAT", hide_env = true, default_value = "text", help_heading = OUTPUT)]
    pub format: Format,

    #[command(flatten)]
    pub common: CommonArgs,
}
