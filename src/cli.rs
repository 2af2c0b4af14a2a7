//! The command line as it is typed. What it means is checked in `settings`.

mod init;

use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use init::InitArgs;

/// Put the tag of a freshly built container image into GitOps YAML, and land the commit.
#[derive(Debug, Parser)]
#[command(name = "tagbump", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the process's arguments and environment.
///
/// # Errors
/// Wrong usage; also an empty value on the command line, which is most likely a shell variable that is not
/// set. In the environment an empty value means nothing.
pub fn parse() -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Some((name, inner)) = matches.subcommand() {
        let own = command.find_subcommand_mut(name).unwrap_or(&mut Cli::command()).clone();
        if let Some(empty) = empty_argument(inner) {
            let said = format!("the value of {} is empty; is a variable not set?", shown(&own, empty));
            return Err(own.bin_name(format!("tagbump {name}")).error(ErrorKind::InvalidValue, said));
        }
        cli.command.prefer_typed(inner);
    }
    Ok(cli)
}

/// Whether JSON was asked for, also where the arguments can't be read.
pub fn wants_json() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let typed = arguments.windows(2).any(|pair| pair == ["--format", "json"]);
    let joined = arguments.iter().any(|argument| argument == "--format=json");
    typed || joined || std::env::var("TAGBUMP_FORMAT").is_ok_and(|format| format == "json")
}

/// An argument as the user knows it.
fn shown(command: &clap::Command, id: &str) -> String {
    let argument = command.get_arguments().find(|argument| argument.get_id() == id);
    match argument.and_then(clap::Arg::get_long) {
        Some(long) => format!("--{long}"),
        None => "IMAGE".to_owned(),
    }
}

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

fn empty_argument(matches: &ArgMatches) -> Option<&str> {
    let is_empty = |id: &&clap::Id| {
        let raw = matches.try_get_raw(id.as_str()).ok().flatten();
        raw.is_some_and(|mut values| values.any(std::ffi::OsStr::is_empty))
    };
    matches.ids().filter(|id| is_typed(matches, id.as_str())).find(is_empty).map(clap::Id::as_str)
}

impl Command {
    /// Of flags that exclude each other, a typed one wins over one from the environment.
    fn prefer_typed(&mut self, matches: &ArgMatches) {
        let prefer = |one: (&str, &mut bool), other: (&str, &mut bool)| {
            let (one_typed, other_typed) = (is_typed(matches, one.0), is_typed(matches, other.0));
            *one.1 &= one_typed || !other_typed;
            *other.1 &= other_typed || !one_typed;
        };
        let common = match self {
            Command::Bump(args) => {
                // a typed template is for a tag that nobody typed
                if is_typed(matches, "tag_template") && !is_typed(matches, "tag") {
                    args.tag = None;
                }
                prefer(("commit", &mut args.commit), ("push", &mut args.push));
                prefer(("skip_ci", &mut args.skip_ci), ("no_skip_ci", &mut args.no_skip_ci));
                &mut args.common
            }
            Command::Tag(args) => &mut args.common,
            Command::Scan(args) => &mut args.common,
            Command::Init(args) => &mut args.common,
            Command::Completions { .. } | Command::Man { .. } => return,
        };
        prefer(("quiet", &mut common.quiet), ("verbose", &mut common.verbose));
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Bump(Box<BumpArgs>),
    Tag(TagArgs),
    Scan(ScanArgs),
    Init(InitArgs),
    /// Print shell completions
    Completions {
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    #[command(hide = true)]
    Man {
        folder: std::path::PathBuf,
    },
}

/// Flags that every command has.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// Where to work: a folder, or for bump --push and --pr a URL [default: .]
    #[arg(short = 'C', long = "repo", value_name = "DIR|URL", env = "TAGBUMP_REPO", hide_env = true)]
    pub repo: Option<String>,

    /// Say less: only errors
    #[arg(short, long, env = "TAGBUMP_QUIET", hide_env = true, value_parser = FalseyValueParser::new())]
    pub quiet: bool,

    /// Say more
    #[arg(short, long, env = "TAGBUMP_VERBOSE", hide_env = true, value_parser = FalseyValueParser::new())]
    pub verbose: bool,

    /// When to use colours; NO_COLOR wins
    #[arg(long, value_name = "WHEN", env = "TAGBUMP_COLOR", hide_env = true, default_value = "auto")]
    pub color: Color,
}

/// Which files are looked at.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// Only these files: paths, folders or patterns below the root; repeatable (in the environment one a line)
    #[arg(
        short,
        long = "file",
        value_name = "GLOB",
        env = "TAGBUMP_FILE",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub files: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[value(alias = "")]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[value(alias = "")]
    Text,
    Json,
}

/// What becomes of a build that ends late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IfOlder {
    /// It is left out; the run fails where it is not in Actions.
    #[value(hide = true, alias = "")]
    Auto,
    /// It is left out.
    Skip,
    /// It is left out, and the run fails.
    Fail,
    /// It is written all the same.
    Write,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Via {
    #[value(alias = "")]
    Git,
    Api,
}

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

    /// Give a kustomization that lacks the image an entry, and a block without a tag the key
    #[arg(long, env = "TAGBUMP_ADD", hide_env = true, value_parser = FalseyValueParser::new())]
    pub add: bool,

    /// Fail unless exactly N references match
    #[arg(long, value_name = "N", env = "TAGBUMP_EXPECT", hide_env = true)]
    pub expect: Option<String>,

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

/// Print the tag of the current commit: what the build step should push
///
/// Templates are text with {sha} {sha:N} {branch} {ref} {pr} {version} {semver} {run} {date:%Y%m%d}.
#[derive(Debug, Args)]
pub struct TagArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    /// The built commit [default: the one in an explicit tag, else the event's]
    #[arg(long, value_name = "[REPO@]SHA", env = "TAGBUMP_SOURCE", hide_env = true)]
    pub source: Option<String>,

    /// How to compute the tag; repeatable, the first is the one to deploy [default: {sha:7}]
    #[arg(
        short = 'T',
        long = "tag-template",
        value_name = "T",
        env = "TAGBUMP_TAG_TEMPLATE",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub templates: Vec<String>,

    /// Print full names of this image; repeatable
    #[arg(
        long = "image",
        value_name = "NAME",
        env = "TAGBUMP_IMAGE",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub images: Vec<String>,
}

/// List every reference that is found: file:line, kind, image, tag, digest, or why it can't be edited
#[derive(Debug, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    pub common: CommonArgs,

    /// Only references to this image; repeatable
    #[arg(
        long = "image",
        value_name = "NAME",
        env = "TAGBUMP_IMAGE",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub images: Vec<String>,

    #[command(flatten)]
    pub files: FileArgs,

    /// What is written to stdout
    #[arg(long, env = "TAGBUMP_FORMAT", hide_env = true, default_value = "text")]
    pub format: Format,
}
