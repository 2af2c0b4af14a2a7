use clap::CommandFactory;

use super::*;
use crate::cli::Cli;
use crate::hint::has_input;
use crate::settings::{BadCombination, SettingsError};

/// Every long flag of any command.
fn flags() -> Vec<String> {
    let command = Cli::command();
    let all = std::iter::once(&command).chain(command.get_subcommands());
    all.flat_map(|command| command.get_arguments().filter_map(|flag| flag.get_long()).map(str::to_owned))
        .collect()
}

/// The names under `inputs:` in `action.yml`.
fn inputs() -> Vec<String> {
    let action: serde_yaml::Value = serde_yaml::from_str(include_str!("../../action.yml")).unwrap();
    let inputs = action["inputs"].as_mapping().unwrap();
    inputs.keys().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn flag_has_input_where_action_has_one() {
    let (flags, inputs) = (flags(), inputs());
    assert!(flags.len() > 40 && inputs.len() > 40, "{flags:?} {inputs:?}");
    for flag in flags.iter().filter(|flag| !["help", "version"].contains(&flag.as_str())) {
        assert_eq!(has_input(Speaker::Action, flag), inputs.contains(flag), "{flag}");
    }
}

#[test]
fn message_about_flags_names_inputs_in_action() {
    let error = || Error::Settings(SettingsError::Combination(BadCombination::ApiWithSign));
    let typed = diagnose(error(), Speaker::CommandLine);
    assert!(typed.to_string().starts_with("--sign can't be used with --via api"), "{typed}");
    assert_eq!(typed.hint.unwrap().to_string(), "remove --sign, or land with --via git");
    let action = diagnose(error(), Speaker::Action);
    assert!(action.to_string().starts_with("sign: true can't be used with via: api"), "{action}");
    assert_eq!(action.hint.unwrap().to_string(), "remove sign: true, or land with via: git");
}
