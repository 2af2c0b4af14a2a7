//! The binary: parses the arguments, runs a command, prints its outcome, and exits.

#![warn(clippy::unwrap_used, clippy::expect_used)]

mod console;
mod progress;
mod prompt;

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use console::Console;
use progress::{FileCount, Waiting};
use tagbump::cli::{self, Command, HistoryArgs, InitArgs, ScanArgs, TagArgs};
use tagbump::commands::{bump, history, init, scan, tag, wait};
use tagbump::diagnostics::Error;
use tagbump::environment::Environment;
use tagbump::landing::SystemClock;
use tagbump::settings::{BumpSettings, WaitSettings};
use tagbump::{crash, extras, settings, signals};

/// The system's own is slower with many small values, and musl's is slow with anything.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    crash::exit_on_panic();
    let variables =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let environment = Environment::new(variables);
    let code = match cli::parse() {
        Ok(cli) => {
            let console = Console::new(&cli.command, &environment);
            run(cli.command, environment, &console).unwrap_or_else(|error| console.error(error))
        }
        Err(error) => console::wrong_usage(error, &environment, cli::wants_json()),
    };
    end(code)
}

/// Exits without freeing memory, because that would take longer than many commands do.
fn end(code: u8) -> ! {
    // the reader may have closed the pipe
    let _ = std::io::stdout().flush();
    #[cfg(unix)]
    signal_hook::low_level::exit(code.into());
    #[cfg(not(unix))]
    std::process::exit(code.into())
}

fn run(command: Command, environment: Environment, console: &Console) -> Result<u8, Error> {
    match command {
        Command::Bump(args) => Ok(run_bump(&settings::bump(*args, environment, now()?)?, console)),
        Command::Rollback(args) => Ok(run_bump(&settings::rollback(*args, environment, now()?)?, console)),
        Command::Promote(args) => Ok(run_bump(&settings::promote(*args, environment, now()?)?, console)),
        Command::Hold(args) => Ok(run_bump(&settings::hold(*args, environment, now()?)?, console)),
        Command::Unhold(args) => Ok(run_bump(&settings::unhold(*args, environment, now()?)?, console)),
        Command::Tag(args) => run_tag(args, environment, console),
        Command::Scan(args) => run_scan(args, console),
        Command::History(args) => run_history(args, environment, console),
        Command::Init(args) => run_init(args, console),
        Command::Wait(args) => Ok(run_wait(&settings::wait(args, environment, now()?)?, console)),
        Command::Completions { shell } => Ok(console.print_trusted(&extras::completions(shell))),
        Command::Man { folder } => {
            extras::man(&folder)?;
            Ok(0)
        }
    }
}

fn run_bump(settings: &BumpSettings, console: &Console) -> u8 {
    signals::clean_up_on_signals();
    let waiting = Waiting::start(console.is_interactive());
    let report = bump::run(settings, &|what| waiting.set(what));
    drop(waiting);
    console.report(&report, report.exit_code(settings.delivery.exit_code))
}

/// On a terminal, one line says what is still missing; a log gets a line whenever that changes.
fn run_wait(settings: &WaitSettings, console: &Console) -> u8 {
    signals::clean_up_on_signals();
    let is_interactive = console.is_interactive();
    let (waiting, mut shown) = (Waiting::start(is_interactive), String::new());
    let report = wait::run(settings, &SystemClock, &mut |text| {
        if shown != text {
            shown = text.to_owned();
            waiting.set(Some(text));
            if !is_interactive {
                console.progress(text);
            }
        }
    });
    drop(waiting);
    console.report(&report, report.exit_code(false))
}

fn run_tag(args: TagArgs, environment: Environment, console: &Console) -> Result<u8, Error> {
    let output = tag::run(&settings::tag(args, environment, now()?)?)?;
    Ok(console.tags(&output))
}

fn run_scan(args: ScanArgs, console: &Console) -> Result<u8, Error> {
    let progress = FileCount::start(console.is_interactive());
    let listing = scan::run(&settings::scan(args)?, now()?, &|| progress.step())?;
    drop(progress);
    Ok(console.listing(&listing))
}

fn run_history(args: HistoryArgs, environment: Environment, console: &Console) -> Result<u8, Error> {
    signals::clean_up_on_signals();
    let format = args.format;
    let timeline = history::run(&settings::history(args, environment, now()?)?)?;
    Ok(console.timeline(&timeline, format))
}

fn run_init(args: InitArgs, console: &Console) -> Result<u8, Error> {
    signals::clean_up_on_signals();
    let settings = settings::init(args)?;
    let progress = FileCount::start(console.is_interactive());
    let proposal = init::propose(&settings, &|| progress.step())?;
    drop(progress);
    console.proposal(&proposal, settings.yes);
    let answer = if settings.yes || proposal.files.is_empty() { Some(true) } else { prompt::write_files() };
    if answer != Some(true) {
        let how = if answer.is_none() { "; --yes writes these files" } else { "" };
        console.notices(&[format!("nothing was written{how}")]);
        return Ok(0);
    }
    for file in &proposal.files {
        console.notices(&[init::write(&settings, file)?]);
    }
    console.notices(&proposal.next);
    Ok(0)
}

/// Seconds since the epoch. Reproducible builds set them with `SOURCE_DATE_EPOCH` (reproducible-builds.org).
fn now() -> anyhow::Result<i64> {
    if let Some(text) = std::env::var("SOURCE_DATE_EPOCH").ok().filter(|text| !text.is_empty()) {
        return text.parse().with_context(|| format!("SOURCE_DATE_EPOCH {text:?} isn't a number of seconds"));
    }
    let since =
        SystemTime::now().duration_since(UNIX_EPOCH).context("this machine's clock is set before 1970")?;
    Ok(i64::try_from(since.as_secs())?)
}
