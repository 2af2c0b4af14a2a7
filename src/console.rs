//! The terminal: prints reports to stdout, everything else to stderr, and no secrets to either.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::error::{ContextKind, ContextValue};
use tagbump::actions::{Channels, as_text, commands, log_has_commands, outputs};
use tagbump::cli::{Color, Command, CommonArgs, Format, HistoryFormat};
use tagbump::commands::init::InitProposal;
use tagbump::commands::tag::TagOutput;
use tagbump::diagnostics::{self, Error};
use tagbump::environment::Environment;
use tagbump::error::Failure;
use tagbump::git::Tokens;
use tagbump::hint::Audience;
use tagbump::output::{
    HistoryReport, Outcome, Report, json, listing_json, listing_text, new_file, text, timeline_json,
    timeline_mermaid, timeline_text, unparsable_warning,
};
use tagbump::plan::Listing;
use tagbump::visible::{inline, lines};

const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTICE: Style = AnsiColor::Blue.on_default();

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    Warning,
    Notice,
    Detail,
}

impl Severity {
    fn style(self) -> Style {
        match self {
            Severity::Warning => WARNING,
            Severity::Notice => NOTICE,
            Severity::Detail => Style::new(),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Notice => "notice",
            Severity::Detail => "detail",
        }
    }
}

/// How much to print, and how.
pub struct Console {
    format: Format,
    quiet: bool,
    verbose: bool,
    color: ColorChoice,
    tokens: Tokens,
    audience: Audience,
    /// The GitHub Actions runner, if the process runs in one.
    runner: Option<Channels>,
    /// Whether a CI system runs commands that it finds in the log.
    log_has_commands: bool,
}

impl Console {
    pub fn new(command: &Command, environment: &Environment) -> Self {
        let common = command.common();
        Console {
            format: command.output_format(),
            quiet: common.is_some_and(|c| c.quiet),
            verbose: common.is_some_and(|c| c.verbose),
            color: choice(common, environment),
            tokens: Tokens::read(environment),
            audience: diagnostics::audience(environment),
            runner: Channels::read(environment, root(common)),
            log_has_commands: log_has_commands(environment),
        }
    }

    /// Prints the outcome of a bump, and returns the exit code: `code`, or 1 if it is 0 and the outcome couldn't be printed.
    pub fn report(&self, report: &Report, code: u8) -> u8 {
        if let Some(runner) = &self.runner {
            self.tell_runner(runner, report);
        }
        for warning in &report.warnings {
            self.line(Severity::Warning, warning);
        }
        self.notices(&report.notices);
        if self.verbose && !self.quiet && !report.details.is_empty() {
            self.details(&report.details);
        }
        if let Some(failure) = &report.failure {
            self.failure_text(failure);
        }
        let quiet = self.quiet && report.outcome != Outcome::Planned;
        let printed = match self.format {
            Format::Json => self.out(&json(report)),
            Format::Text if quiet => Ok(()),
            Format::Text => self.out(&text(report)),
        };
        if code == 0 { ended(printed) } else { code }
    }

    /// Prints details, in a folded group of a runner's log.
    fn details(&self, details: &[String]) {
        let in_runner = |command: String| {
            if self.runner.is_some() {
                self.command(&command);
            }
        };
        in_runner(commands::group("details"));
        details.iter().for_each(|detail| self.line(Severity::Detail, detail));
        in_runner(commands::end_group());
    }

    /// Gives the runner what it shows outside of the log: annotations, outputs and the summary.
    fn tell_runner(&self, runner: &Channels, report: &Report) {
        for secret in &report.secrets {
            // the only output that contains a secret: the runner hides it from here on
            let _ = std::io::stderr().write_all(commands::mask(secret).as_bytes());
        }
        if report.outcome != Outcome::Planned {
            for change in commands::changes(&report.changes, &runner.prefix) {
                self.command(&change);
            }
        }
        if let Err(error) = runner.report(report, &|text| self.tokens.scrub(text)) {
            self.line(Severity::Warning, &error.to_string());
        }
    }

    /// Prints tags, and sets them as outputs of the step.
    pub fn tags(&self, output: &TagOutput) -> u8 {
        self.notices(&output.notices);
        if let Some(runner) = &self.runner {
            let outputs = outputs::of_tags(&output.first, &output.lines);
            if let Err(error) = runner.outputs(outputs, &|text| self.tokens.scrub(text)) {
                return self.error(error.into());
            }
        }
        self.print_untrusted(&output.lines)
    }

    /// Prints the references that a scan found.
    pub fn listing(&self, listing: &Listing) -> u8 {
        for warning in listing.warnings.iter().chain(&unparsable_warning(listing.unparsable.len())) {
            self.line(Severity::Warning, warning);
        }
        for file in listing.unparsable.iter().filter(|_| self.verbose) {
            self.line(Severity::Detail, &format!("not valid YAML: {file}"));
        }
        if listing.references.is_empty() {
            let files = if listing.files == 1 { "file" } else { "files" };
            self.notices(&[format!("no image references found in {} {files}", listing.files)]);
        }
        ended(match self.format {
            Format::Json => self.out(&listing_json(listing)),
            Format::Text => self.out(&listing_text(listing)),
        })
    }

    /// Prints the tags that an image has had.
    pub fn timeline(&self, timeline: &HistoryReport, format: HistoryFormat) -> u8 {
        self.notices(&Vec::from_iter(timeline.cut()));
        self.notices(&timeline.notices);
        if timeline.entries.is_empty() {
            self.notices(&[format!("no tag of {} was set in that time", timeline.image)]);
        }
        self.print_untrusted(&match format {
            HistoryFormat::Text => timeline_text(timeline),
            HistoryFormat::Json => timeline_json(timeline),
            HistoryFormat::Mermaid => timeline_mermaid(timeline),
        })
    }

    /// Prints the files that `init` would write. With `--quiet`, skips them if they are written without asking.
    pub fn proposal(&self, proposal: &InitProposal, is_written_unasked: bool) {
        for warning in proposal.warnings.iter().chain(&unparsable_warning(proposal.unparsable)) {
            self.line(Severity::Warning, warning);
        }
        self.notices(&proposal.notices);
        for file in proposal.files.iter().filter(|_| !(self.quiet && is_written_unasked)) {
            // if this fails, the question that follows can't be read either
            let _ = self.out(&new_file(file.path, &file.text));
        }
    }

    /// Whether to show progress.
    pub fn is_interactive(&self) -> bool {
        !self.quiet && self.runner.is_none() && std::io::stderr().is_terminal()
    }

    pub fn notices(&self, notices: &[String]) {
        for notice in notices {
            self.line(Severity::Notice, notice);
        }
    }

    /// Prints how far something has come, to a log.
    pub fn progress(&self, text: &str) {
        if !self.quiet {
            self.err(&format!("{}\n", lines(text)));
        }
    }

    /// Prints foreign text, for a person or another program.
    pub fn print_untrusted(&self, text: &str) -> u8 {
        ended(self.out(text))
    }

    /// Prints tagbump's own text unchanged.
    pub fn print_trusted(&self, text: &str) -> u8 {
        ended(print(&mut std::io::stdout(), text))
    }

    /// Prints an error, and returns its exit code.
    pub fn error(&self, error: Error) -> u8 {
        self.failure(&diagnostics::diagnose(error, self.audience))
    }

    fn failure(&self, failure: &Failure) -> u8 {
        if self.format == Format::Json || self.runner.is_some() {
            return self.report(&Report::new(Vec::new()).failed(failure.clone()), failure.exit as u8);
        }
        self.failure_text(failure);
        failure.exit as u8
    }

    fn failure_text(&self, failure: &Failure) {
        match &self.runner {
            Some(runner) => self.command(&commands::error(failure, &runner.prefix)),
            None => self.err(&tagbump::output::failure(failure)),
        }
    }

    /// Sends a command to the runner.
    fn command(&self, command: &str) {
        let _ = std::io::stderr().write_all(self.tokens.scrub(command).as_bytes());
    }

    fn line(&self, severity: Severity, text: &str) {
        if self.quiet {
            return;
        }
        match severity {
            Severity::Warning if self.runner.is_some() => self.command(&commands::warning(text)),
            Severity::Notice if self.runner.is_some() => self.command(&commands::notice(text)),
            Severity::Warning | Severity::Notice | Severity::Detail => {
                let (style, label) = (severity.style(), severity.label());
                self.err(&format!("{style}{label}:{style:#} {}\n", lines(text)));
            }
        }
    }

    fn out(&self, text: &str) -> std::io::Result<()> {
        let mut stream = AutoStream::new(std::io::stdout(), self.color);
        let harmless = self.sanitize(text, stream.current_choice());
        print(&mut stream, &harmless)
    }

    // errors are ignored: there's nowhere else to report them
    fn err(&self, text: &str) {
        let mut stream = AutoStream::new(std::io::stderr(), self.color);
        let harmless = self.sanitize(text, stream.current_choice());
        let _ = stream.write_all(harmless.as_bytes());
    }

    /// Removes secrets; and if a CI system reads the log, also commands to it, which may come from a server or
    /// a file. Hidden characters are escaped earlier, where the text is created.
    fn sanitize(&self, text: &str, color: ColorChoice) -> String {
        let text = self.tokens.scrub(text);
        let text = if color == ColorChoice::Never { strip_str(&text).to_string() } else { text };
        if self.log_has_commands { as_text(&text) } else { text }
    }
}

/// Writes all of a text, also what is buffered.
fn print(stream: &mut dyn Write, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// The exit code after something was printed: 1 if it is lost, such as on a full disk. If the reader closed the pipe, it has
/// read enough.
fn ended(printed: std::io::Result<()>) -> u8 {
    match printed {
        Ok(()) => 0,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            let text = format!(
                "error: can't write to the standard output: {error}\nhint: free some space, then run again\n"
            );
            let _ = std::io::stderr().write_all(text.as_bytes());
            1
        }
    }
}

/// Prints clap's message about invalid arguments, or its help.
pub fn wrong_usage(error: clap::Error, environment: &Environment, json_wanted: bool) -> u8 {
    let error = visible(error);
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    let runner = Channels::read(environment, Path::new(".")).filter(|_| error.use_stderr());
    let text = error.render().to_string();
    if runner.is_none() {
        print_usage(&error, &text, environment);
    }
    if !error.use_stderr() {
        return code;
    }
    let message = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
    let report = Report::new(Vec::new()).failed(Failure::usage(message).hinted("tagbump --help"));
    let tokens = Tokens::read(environment);
    if let Some((runner, failure)) = runner.zip(report.failure.as_ref()) {
        let command = tokens.scrub(&commands::error(failure, &runner.prefix));
        let _ = std::io::stderr().write_all(command.as_bytes());
        // the arguments are invalid anyway, and there is no place left to report that the outputs can't be
        // written
        let _ = runner.report(&report, &|text| tokens.scrub(text));
    }
    if json_wanted {
        let _ = std::io::stdout().write_all(tokens.scrub(&json(&report)).as_bytes());
    }
    code
}

/// Escapes hidden characters in the arguments, since they may be foreign text too.
fn visible(mut error: clap::Error) -> clap::Error {
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        let shown = match &value {
            ContextValue::String(text) => ContextValue::String(inline(text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| inline(text)).collect())
            }
            _ => continue,
        };
        if shown != value {
            error.insert(kind, shown);
            // it repeats the argument, in colours
            error.remove(ContextKind::Suggested);
        }
    }
    error
}

/// Prints in colour, unless a CI system would take something in the text for a command.
fn print_usage(error: &clap::Error, text: &str, environment: &Environment) {
    let harmless = if log_has_commands(environment) { as_text(text) } else { text.to_owned() };
    // the reader may have closed the pipe
    let _ = match harmless == text || !error.use_stderr() {
        true => error.print(),
        false => std::io::stderr().write_all(harmless.as_bytes()),
    };
}

fn root(common: Option<&CommonArgs>) -> &Path {
    let typed = common.and_then(|common| common.repo.as_deref()).filter(|root| !root.is_empty());
    Path::new(typed.unwrap_or("."))
}

/// `NO_COLOR` wins (no-color.org), then the flag, then the abilities of the terminal.
fn choice(common: Option<&CommonArgs>, environment: &Environment) -> ColorChoice {
    if environment.get("NO_COLOR").is_some() {
        return ColorChoice::Never;
    }
    match common.map(|c| c.color) {
        Some(Color::Always) => ColorChoice::Always,
        Some(Color::Never) => ColorChoice::Never,
        Some(Color::Auto) | None => ColorChoice::Auto,
    }
}
