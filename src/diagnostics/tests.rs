mod every_kind;

use clap::CommandFactory;

use super::*;
use crate::cli::Cli;
use crate::forge::{ForgeError, ForgeKind};
use crate::hint::has_input;
use crate::location::Location;
use crate::plan::{PlanError, ReplacedImage};
use crate::settings::{BadCombination, SettingsError};

/// Every long flag of any command.
fn flags() -> Vec<String> {
    let mut command = Cli::command();
    command.build();
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
        assert_eq!(has_input(Audience::Action, flag), inputs.contains(flag), "{flag}");
    }
}

#[test]
fn message_about_flags_names_inputs_in_action() {
    let error = || Error::Settings(SettingsError::Combination(BadCombination::ApiWithSign));
    let typed = diagnose(error(), Audience::CommandLine);
    assert!(typed.to_string().starts_with("--sign can't be used with --via api"), "{typed}");
    assert_eq!(typed.hint.to_string(), "remove --sign, or land with --via git");
    let action = diagnose(error(), Audience::Action);
    assert!(action.to_string().starts_with("sign: true can't be used with via: api"), "{action}");
    assert_eq!(action.hint.to_string(), "remove sign: true, or land with via: git");
}

#[test]
fn message_about_pr_branch_names_input_in_action() {
    let error = || Error::Bump(BumpError::BadHeadBranch { branch: "main".to_owned() });
    let rest = "gives main, which can't be the branch of a pull request";
    assert_eq!(diagnose(error(), Audience::CommandLine).to_string(), format!("--pr-branch {rest}"));
    assert_eq!(diagnose(error(), Audience::Action).to_string(), format!("the input \"pr-branch\" {rest}"));
}

#[test]
fn refusal_and_missing_branch_are_explained_by_fork() {
    let refused = ForgeError::NoToken {
        forge: ForgeKind::GitHub,
        withheld: vec!["GITHUB_TOKEN is for another host".to_owned()],
    };
    let refused = diagnose_in_fork(refused.into(), Audience::CommandLine);
    assert_eq!(
        refused.to_string(),
        "no token for GitHub's API\nGITHUB_TOKEN is for another host\npull requests from forks can't push"
    );
    assert!(refused.hint.to_string().starts_with("bump after the merge"));
    let no_branch = BumpError::NoBranch { event: "pull_request".to_owned() };
    let no_branch = diagnose_in_fork(no_branch.into(), Audience::Action);
    assert_eq!(
        no_branch.to_string(),
        "pull_request events have no branch to land on\npull requests from forks can't push"
    );
    assert!(no_branch.hint.to_string().starts_with("bump after the merge"));
    let other = diagnose_in_fork(
        BumpError::NoAuthor { who: "commit author", unread: Vec::new() }.into(),
        Audience::CommandLine,
    );
    assert_eq!(other.to_string(), "no commit author: set user.name and user.email");
}

/// Only an entry of `images` is found by the name that it replaces.
#[test]
fn hint_names_the_old_name_only_if_an_entry_replaces_it() {
    let hint = |is_by_entry| {
        let at = Location { file: "a.yaml".to_owned(), line: 1, column: None };
        let (by, root) = (Some(at.clone()), "kustomization .".to_owned());
        let (name, image) = ("app".to_owned(), "acme/api".to_owned());
        let places = vec![ReplacedImage { name, at, by, is_by_entry, image, root }];
        let (image, tag) = ("app".to_owned(), Some("v2".to_owned()));
        let error = PlanError::Replaced { image, tag, places };
        diagnose(Error::Plan(error), Audience::CommandLine).hint.to_string()
    };
    assert_eq!(hint(true), "bump acme/api, or app=*:v2");
    assert_eq!(hint(false), "bump acme/api");
}
