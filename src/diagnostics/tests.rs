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

/// Hints are written as calls of these functions, with the flag's name as a literal.
#[test]
fn flag_in_hint_exists() {
    let flags = flags();
    let mut named = Vec::new();
    for (file, text) in sources() {
        for call in ["flag(\"", "switch(\"", "setting(\"", "flag: \""] {
            for rest in text.split(call).skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(flags.iter().any(|flag| flag == name), "{file}: {call}{name}");
                named.push(name.to_owned());
            }
        }
    }
    assert!(named.iter().any(|name| name == "add") && named.len() > 30, "{named:?}");
}

fn sources() -> Vec<(String, String)> {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("hint.rs") && !path.ends_with("tests.rs") {
                files.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

#[test]
fn message_about_flags_names_inputs_in_action() {
    let error = || Error::Settings(SettingsError::Combination(BadCombination::ApiWithSign));
    let typed = diagnose(error(), Speaker::CommandLine);
    assert!(typed.message.starts_with("--sign can't be used with --via api"), "{typed}");
    assert_eq!(typed.hint.unwrap().to_string(), "remove --sign, or land with --via git");
    let action = diagnose(error(), Speaker::Action);
    assert!(action.message.starts_with("sign: true can't be used with via: api"), "{action}");
    assert_eq!(action.hint.unwrap().to_string(), "remove sign: true, or land with via: git");
}
