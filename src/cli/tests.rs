use clap::{Command, CommandFactory};

use super::Cli;
use super::headings::{COMMIT, DESTINATION, FILES, IMAGE_AND_TAG, ORDER_AND_RETRIES, OUTPUT, PULL_REQUEST};

const HEADINGS: [&str; 7] =
    [IMAGE_AND_TAG, FILES, DESTINATION, COMMIT, PULL_REQUEST, ORDER_AND_RETRIES, OUTPUT];

/// A command with everything that clap adds before it parses.
fn command(name: &str) -> Command {
    let mut cli = Cli::command();
    cli.build();
    cli.find_subcommand(name).unwrap().clone()
}

/// The commands of tagbump, without clap's `help`.
fn commands() -> Vec<Command> {
    let mut cli = Cli::command();
    cli.build();
    cli.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect()
}

fn short_help(name: &str) -> String {
    command(name).render_help().to_string()
}

/// The lines of a help text that are headings of flags, without the colon.
fn headings_in(help: &str) -> Vec<&str> {
    let lines = help.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.strip_suffix(':'));
    lines.filter(|line| !["Arguments", "Examples", "Exit codes"].contains(line)).collect()
}

/// The list of commands has only what each says before its arguments are built.
#[test]
fn commands_are_described_before_their_arguments_are_built() {
    let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap();
    let unbuilt = Cli::command();
    for built in commands() {
        let unbuilt = unbuilt.find_subcommand(built.get_name()).unwrap();
        assert_eq!(about(unbuilt), about(&built), "{}", built.get_name());
    }
    assert_eq!(unbuilt.find_subcommand("bump").unwrap().get_arguments().count(), 0);
}

#[test]
fn every_flag_has_a_variable() {
    for command in commands() {
        let flags = command.get_arguments().filter(|arg| !arg.is_positional());
        let flags = flags.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
        let wrong: Vec<_> = flags
            .filter(|flag| {
                let variable = format!("TAGBUMP_{}", flag.get_long().unwrap_or_default()).to_uppercase();
                flag.get_env().is_none_or(|env| env != variable.replace('-', "_").as_str())
            })
            .map(|flag| flag.get_id().as_str())
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", command.get_name());
    }
}

#[test]
fn every_flag_of_bump_and_rollback_has_a_heading() {
    for name in ["bump", "rollback"] {
        let command = command(name);
        let flags = command.get_arguments().filter(|arg| !arg.is_positional());
        let headings = flags.map(|flag| (flag.get_id().as_str(), flag.get_help_heading()));
        let stray: Vec<_> = headings
            .filter(|(_, heading)| heading.is_none_or(|heading| !HEADINGS.contains(&heading)))
            .collect();
        assert!(stray.is_empty(), "{name}: {stray:?}");
    }
}

#[test]
fn headings_are_printed_in_order() {
    for name in ["bump", "rollback"] {
        assert_eq!(headings_in(&short_help(name)), HEADINGS, "{name}");
        assert_eq!(headings_in(&command(name).render_long_help().to_string()), HEADINGS, "{name}");
    }
}

#[test]
fn short_help_fits_on_a_page() {
    for command in &mut commands() {
        let help = command.render_help().to_string();
        assert!(help.lines().count() <= 76, "{}\n{help}", command.get_name());
        let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 120).collect();
        assert!(wide.is_empty(), "{}: {wide:?}", command.get_name());
    }
}

#[test]
fn short_help_has_one_line_for_each_flag() {
    for command in &mut commands() {
        let help = command.render_help().to_string();
        let groups =
            help.split("\n\n").filter(|group| group.contains("\n  -") || group.contains("\n      --"));
        let rows: Vec<_> = groups.flat_map(|group| group.lines().skip(1)).collect();
        let flags = command.get_arguments().filter(|arg| !arg.is_positional());
        let texts: Vec<_> = flags.map(|flag| flag.get_help().unwrap().to_string()).collect();
        assert_eq!(rows.len(), texts.len(), "{help}");
        for text in texts {
            assert!(rows.iter().any(|row| row.contains(&text)), "{text:?} is not on one line:\n{help}");
        }
    }
}

/// The release binary doesn't wrap help, so lines are broken by hand: at 100 columns, 10 of which are indentation.
#[test]
fn long_help_fits_in_100_columns() {
    for command in &commands() {
        let texts = command.get_arguments().filter_map(|arg| arg.get_long_help().or(arg.get_help()));
        let indented = texts.map(|text| (text.to_string(), 90));
        let about = command.get_long_about().or(command.get_about()).map(|text| (text.to_string(), 100));
        for (text, width) in indented.chain(about) {
            let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > width).collect();
            assert!(wide.is_empty(), "{}: {wide:?}", command.get_name());
        }
    }
}

#[test]
fn long_help_says_more_than_short_help() {
    for name in ["bump", "rollback"] {
        let mut command = command(name);
        let lines = |help: String| help.lines().count();
        let (short, long) =
            (lines(command.render_help().to_string()), lines(command.render_long_help().to_string()));
        assert!(long > short * 2, "{name}: {short}, {long}");
    }
}

#[test]
fn help_and_version_work_on_every_command() {
    for command in commands() {
        for flag in ["-h", "--help", "-V", "--version"] {
            let name = command.get_name();
            let error = Cli::command().try_get_matches_from(["tagbump", name, flag]).unwrap_err();
            assert_eq!(error.exit_code(), 0, "{name} {flag}: {error}");
        }
    }
}

#[test]
fn usage_errors_point_to_help() {
    for command in commands() {
        let name = command.get_name();
        let error = Cli::command().try_get_matches_from(["tagbump", name, "--no-such-flag"]).unwrap_err();
        assert!(error.to_string().contains("try '--help'"), "{name}: {error}");
    }
}
