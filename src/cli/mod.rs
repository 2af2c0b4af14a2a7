//! The command line. `settings` checks what the arguments mean.

mod bump;
mod deliver;
mod headings;
mod hold;
mod init;
mod promote;
mod read_only;
mod switch;
#[cfg(test)]
mod tests;
mod verify;
mod wait;

use std::ffi::OsStr;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use headings::{FILES, OUTPUT};
use switch::switch;

pub use bump::{BumpArgs, RollbackArgs, TargetArgs};
pub use deliver::DeliveryArgs;
pub use hold::{HeldArgs, HoldArgs, IfHeld, UnholdArgs};
pub use init::InitArgs;
pub use promote::PromoteArgs;
pub use read_only::{HistoryArgs, HistoryFormat, ScanArgs, TagArgs};
pub use verify::VerifyArgs;
pub use wait::WaitArgs;

/// Write the tag of a freshly built container image into GitOps YAML, and land the commit
#[derive(Debug, Parser)]
#[command(name = "tagbump", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the process's arguments and environment.
///
/// # Errors
/// Wrong usage, or an empty value on the command line: most likely an unset shell variable. In the environment,
/// an empty value counts as unset.
pub fn parse() -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Some((name, inner)) = matches.subcommand() {
        let own = command.find_subcommand_mut(name).unwrap_or(&mut Cli::command()).clone();
        if let Some((argument, is)) = empty_argument(inner) {
            let message =
                format!("the value of {} is {is}; most likely a variable is unset", shown(&own, argument));
            return Err(own.bin_name(format!("tagbump {name}")).error(ErrorKind::InvalidValue, message));
        }
        cli.command.overrule_environment(inner);
    }
    Ok(cli)
}

/// Whether the user asked for JSON. Also works if the other arguments are invalid.
pub fn wants_json() -> bool {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let typed = arguments.windows(2).any(|pair| pair == ["--format", "json"]);
    let joined = arguments.iter().any(|argument| argument == "--format=json");
    typed || joined || std::env::var("TAGBUMP_FORMAT").is_ok_and(|format| format == "json")
}

/// The name that the user knows an argument by.
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

/// The first argument that was typed without a visible value, and whether that is empty or blank.
fn empty_argument(matches: &ArgMatches) -> Option<(&str, &'static str)> {
    let absence = |id: &clap::Id, value: &OsStr| match value.to_str() {
        Some("") => Some("empty"),
        // a page may be waited for until it has a blank
        Some(text) if id != "contains" && text.trim().is_empty() => Some("blank"),
        _ => None,
    };
    let mut typed = matches.ids().filter(|id| is_typed(matches, id.as_str()));
    typed.find_map(|id| {
        let mut values = matches.try_get_raw(id.as_str()).ok().flatten()?;
        Some((id.as_str(), values.find_map(|value| absence(id, value))?))
    })
}

/// The name of a flag's argument, and whether the flag is set.
type FlagState<'a> = (&'static str, &'a mut bool);

/// Of two flags that exclude each other, unsets one from the environment if the other one was typed.
fn let_typed_win(
    matches: &ArgMatches,
    (first_name, first): FlagState<'_>,
    (second_name, second): FlagState<'_>,
) {
    match (is_typed(matches, first_name), is_typed(matches, second_name)) {
        (true, false) => *second = false,
        (false, true) => *first = false,
        (true, true) | (false, false) => {}
    }
}

/// The flags that only a pull request uses: the arguments' names, and how they are typed.
const PULL_REQUEST_FLAGS: [(&str, &str); 8] = [
    ("pr_branch", "pr-branch"),
    ("pr_title", "pr-title"),
    ("pr_body", "pr-body"),
    ("labels", "label"),
    ("draft", "draft"),
    ("reviewers", "reviewer"),
    ("assignees", "assignee"),
    ("auto_merge", "auto-merge"),
];

impl DeliveryArgs {
    fn overrule_environment(&mut self, matches: &ArgMatches) {
        let typed = PULL_REQUEST_FLAGS.iter().filter(|(id, _)| is_typed(matches, id));
        self.typed = typed.map(|(_, name)| *name).collect();
        let_typed_win(matches, ("commit", &mut self.commit), ("push", &mut self.push));
        let_typed_win(matches, ("commit", &mut self.commit), ("pr", &mut self.pr));
        let_typed_win(matches, ("push", &mut self.push), ("pr", &mut self.pr));
        let_typed_win(matches, ("skip_ci", &mut self.skip_ci), ("no_skip_ci", &mut self.no_skip_ci));
    }
}

impl Command {
    /// The flags that all commands share which work in a repository.
    pub fn common(&self) -> Option<&CommonArgs> {
        match self {
            Command::Bump(args) => Some(&args.common),
            Command::Rollback(args) => Some(&args.common),
            Command::Promote(args) => Some(&args.common),
            Command::Hold(args) => Some(&args.common),
            Command::Unhold(args) => Some(&args.common),
            Command::Tag(args) => Some(&args.common),
            Command::Scan(args) => Some(&args.common),
            Command::History(args) => Some(&args.common),
            Command::Init(args) => Some(&args.common),
            Command::Wait(args) => Some(&args.common),
            Command::Completions { .. } | Command::Man { .. } => None,
        }
    }

    /// How its report or error is printed. A history that is printed as a diagram has errors as text.
    pub fn output_format(&self) -> Format {
        match self {
            Command::Bump(args) => args.deliver.format,
            Command::Rollback(args) => args.deliver.format,
            Command::Promote(args) => args.deliver.format,
            Command::Hold(args) => args.deliver.format,
            Command::Unhold(args) => args.deliver.format,
            Command::Scan(args) => args.format,
            Command::Wait(args) => args.format,
            Command::History(args) => match args.format {
                HistoryFormat::Json => Format::Json,
                HistoryFormat::Text | HistoryFormat::Mermaid => Format::Text,
            },
            Command::Tag(_) | Command::Init(_) | Command::Completions { .. } | Command::Man { .. } => {
                Format::Text
            }
        }
    }

    /// Lets what was typed win over what the environment says, where both can't count.
    fn overrule_environment(&mut self, matches: &ArgMatches) {
        let common = match self {
            Command::Bump(args) => {
                // a typed template wins over a tag from the environment
                if is_typed(matches, "tag_template") && !is_typed(matches, "tag") {
                    args.tag = None;
                }
                args.deliver.overrule_environment(matches);
                &mut args.common
            }
            Command::Rollback(args) => {
                args.deliver.overrule_environment(matches);
                &mut args.common
            }
            Command::Promote(args) => {
                args.deliver.overrule_environment(matches);
                &mut args.common
            }
            Command::Hold(args) => {
                args.deliver.overrule_environment(matches);
                &mut args.common
            }
            Command::Unhold(args) => {
                args.deliver.overrule_environment(matches);
                &mut args.common
            }
            Command::Tag(args) => &mut args.common,
            Command::Scan(args) => &mut args.common,
            Command::Init(args) => &mut args.common,
            Command::Wait(args) => &mut args.common,
            Command::History(args) => &mut args.common,
            Command::Completions { .. } | Command::Man { .. } => return,
        };
        let_typed_win(matches, ("quiet", &mut common.quiet), ("verbose", &mut common.verbose));
    }
}

// Only the arguments of the command that was typed are built (`defer`), so each command says here, too, what it is for.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Set image references to a tag: edit files, commit, or land the commit on the remote branch
    Bump(Box<BumpArgs>),
    /// Print the tag for the current commit; the build step should push this tag
    Tag(TagArgs),
    /// List every reference found: file:line, kind, image, tag, digest, or why it can't be edited
    Scan(ScanArgs),
    /// List the tags that an image has had, newest first: when, by which commit, for how long
    History(HistoryArgs),
    /// Set images back to their previous tags, or to the tag given with --to
    Rollback(Box<RollbackArgs>),
    /// Set an environment to the tags and digests that the environment before it runs
    Promote(Box<PromoteArgs>),
    /// Block bumps and rollbacks of images for a while
    Hold(Box<HoldArgs>),
    /// Allow bumps of held images again
    Unhold(Box<UnholdArgs>),
    /// Wait until commit statuses or a web page show that a landed change is live
    Wait(WaitArgs),
    /// Propose a tagbump.yaml and a workflow, based on the references found; never overwrites
    Init(InitArgs),
    /// Print shell completions
    Completions { shell: clap_complete::Shell },
    /// Write the man pages into a folder
    #[command(hide = true)]
    Man { folder: std::path::PathBuf },
}

/// Flags of every command. They include `-h` and `-V`, because clap would list its own separately, under
/// "Options".
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, arg = help_flag(), arg = version_flag())]
pub struct CommonArgs {
    /// Where to work: a folder, or a URL for --push, --pr and history [default: .]
    ///
    /// With a URL, tagbump fetches, edits and lands without a checkout. wait takes a URL too, but
    /// tag, scan and init need a folder.
    #[arg(
        short = 'C',
        long = "repo",
        value_name = "DIR|URL",
        env = "TAGBUMP_REPO",
        hide_env = true,
        help_heading = FILES,
        display_order = 0,
        verbatim_doc_comment
    )]
    pub repo: Option<String>,

    /// Print errors only
    #[arg(
        short,
        long,
        env = "TAGBUMP_QUIET",
        hide_env = true,
        value_parser = switch,
        help_heading = OUTPUT
    )]
    pub quiet: bool,

    /// Print more details
    #[arg(
        short,
        long,
        env = "TAGBUMP_VERBOSE",
        hide_env = true,
        value_parser = switch,
        help_heading = OUTPUT
    )]
    pub verbose: bool,

    /// When to use colours
    ///
    /// NO_COLOR wins.
    #[arg(
        long,
        value_name = "WHEN",
        env = "TAGBUMP_COLOR",
        hide_env = true,
        default_value = "auto",
        help_heading = OUTPUT
    )]
    pub color: Color,
}

fn help_flag() -> Arg {
    Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help)
        .help("Print this help; --help prints more")
        .long_help("Print this help; -h prints a summary")
        .help_heading(OUTPUT)
}

fn version_flag() -> Arg {
    Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version)
        .help("Print the version")
        .help_heading(OUTPUT)
}

/// Selects the files to search.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// Use only these files: paths, folders or patterns; repeatable
    ///
    /// Relative to the root, such as envs/prod or 'k8s/**'. The default is every YAML file that
    /// git does not ignore. TAGBUMP_FILE takes one per line.
    #[arg(
        short,
        long = "file",
        value_name = "GLOB",
        env = "TAGBUMP_FILE",
        hide_env = true,
        value_delimiter = '\n',
        help_heading = FILES,
        verbatim_doc_comment
    )]
    pub files: Vec<String>,
}

/// Selects an environment.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// Only this environment of tagbump.yaml
    #[arg(long = "env", value_name = "ENV", env = "TAGBUMP_ENV", hide_env = true, help_heading = FILES)]
    pub env: Option<String>,
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

/// What to do with a build that is older than the one on the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IfOlder {
    /// Skip in Actions, unless a person started the workflow; else fail.
    #[value(hide = true, alias = "")]
    Auto,
    /// Skip the reference.
    Skip,
    /// Skip the reference, and fail.
    Fail,
    /// Write the reference anyway.
    Write,
}

/// The forge that hosts the remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForgeArg {
    /// Detected from the host, the CI system's variables, or the server's answers.
    #[value(hide = true, alias = "")]
    Auto,
    Github,
    /// Also Forgejo.
    Gitea,
    Gitlab,
}

/// How to merge a pull request once its base branch's rules are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AutoMerge {
    #[value(name = "false", hide = true, alias = "")]
    Off,
    /// With the repository's default method.
    #[value(name = "true", hide = true)]
    On,
    Squash,
    Merge,
    Rebase,
}

/// How to describe the commits that a bump includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Changes {
    /// A link, and the commits that are known without a request.
    #[value(alias = "")]
    Auto,
    /// A link alone.
    Link,
    /// A link, and the commits that the forge lists.
    List,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Via {
    #[value(alias = "")]
    Git,
    Api,
}
