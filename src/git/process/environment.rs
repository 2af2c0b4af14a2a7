//! Decides which environment variables a program gets.
//!
//! A program passes its environment on to whatever it runs: hooks, filters, helpers. So variables that hold a token
//! are removed. All others stay: `PATH`, agents, proxies, and the user's own variables, such as `GIT_SSH_COMMAND` or
//! `GIT_EDITOR`. This file lists the names that CI systems give their tokens. A secret in a variable that the user
//! named stays, because a hook or a signing program may need it.

use crate::environment::Environment;
use crate::git::env_config;

/// Why a program is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// git works in the checkout.
    Checkout,
    /// Objects come from a remote, or go to one.
    Transfer,
    /// A commit is signed.
    Signing,
    /// git asks the credential helpers that the user configured. `gh auth git-credential`, `buildkite-agent` and many
    /// shell functions answer with a job's token, which they read from its variable.
    UserHelpers,
    /// git asks credential helpers, and the repository's own configuration, which may have come with it, names one of
    /// them.
    RepositoryHelpers,
    /// A helper of docker's is asked for a registry's credentials.
    RegistryHelper,
}

impl Purpose {
    fn asks_helpers(self) -> bool {
        matches!(self, Purpose::UserHelpers | Purpose::RepositoryHelpers)
    }
}

/// Variables that point git at another repository, or change how it reads this one (`git rev-parse --local-env-vars`,
/// and a few more). `GIT_PROTOCOL` would make the other side of a transfer speak a version that tagbump doesn't.
const REPOSITORY: [&str; 18] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_ATTR_SOURCE",
    "GIT_CONFIG",
    "GIT_PROTOCOL",
];

/// Suffixes of the variables that name a runner's files, through which a step sets variables, `PATH` and outputs for
/// later steps.
const RUNNER_FILES: [&str; 5] = ["ENV", "PATH", "OUTPUT", "STATE", "STEP_SUMMARY"];

/// Prefixes of the variables of CI systems and their tools.
const CI_PREFIXES: [&str; 21] = [
    "APPVEYOR_",
    "AZURE_DEVOPS_",
    "BITBUCKET_",
    "BUILDKITE_",
    "CI_",
    "CIRCLE_",
    "CIRCLECI_",
    "CIRRUS_",
    "DRONE_",
    "ENDPOINT_AUTH_",
    "FORGEJO_",
    "GH_",
    "GITEA_",
    "GITHUB_",
    "GITLAB_",
    "GL_",
    "JENKINS_",
    "SEMAPHORE_",
    "SYSTEM_",
    "TRAVIS_",
    "WOODPECKER_",
];

/// Words in the names of CI variables that hold secrets.
const SECRET_WORDS: [&str; 7] = ["ACCESSTOKEN", "AUTH", "JWT", "PASSWORD", "PAT", "SECRET", "TOKEN"];

/// Variables with secrets that the words above don't match. `CI_REPOSITORY_URL` contains a token.
const OTHER_TOKENS: [&str; 5] =
    ["CI_REPOSITORY_URL", "DOCKER_AUTH_CONFIG", "GIT_PASSWORD", "GIT_TOKEN", "VSS_NUGET_ACCESSTOKEN"];

/// How a program's environment differs from ours: variables to set, and those to remove (without a value).
pub fn changes(purpose: Purpose, environment: &Environment) -> Vec<(String, Option<String>)> {
    // remove these even if empty: `Environment` doesn't list empty variables, but git doesn't ignore them
    let always = REPOSITORY.into_iter().map(|name| (name.to_owned(), None));
    let secret = environment.names().filter(|name| is_withheld(name, purpose));
    let mut changes: Vec<_> = always.chain(secret.map(|name| (name.to_owned(), None))).collect();
    changes.extend(git_config(purpose, environment));
    if purpose != Purpose::Signing {
        // tagbump reads their messages
        changes.push(("LC_ALL".to_owned(), Some("C".to_owned())));
    }
    changes
}

fn is_withheld(name: &str, purpose: Purpose) -> bool {
    is_ours_or_the_runners(name)
        || is_trace(name)
        || (is_job_token(name) && purpose != Purpose::UserHelpers)
        || (purpose == Purpose::Transfer && is_git_config(name))
}

/// Whether only tagbump and the runner may see the variable.
fn is_ours_or_the_runners(name: &str) -> bool {
    let is_file = |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| RUNNER_FILES.contains(&rest));
    ["TAGBUMP_", "ACTIONS_", "INPUT_"].iter().any(|prefix| name.starts_with(prefix))
        || ["GITHUB_", "GITEA_", "FORGEJO_"].into_iter().any(is_file)
}

/// Whether the variable holds a job's token: the CI system's own, or one for a tool that talks to it.
pub fn is_job_token(name: &str) -> bool {
    let is_ci = CI_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    OTHER_TOKENS.contains(&name) || (is_ci && name.split('_').any(|word| SECRET_WORDS.contains(&word)))
}

/// Whether the variable makes git write a trace, which contains command lines and variables.
fn is_trace(name: &str) -> bool {
    name.starts_with("GIT_TRACE") || name == "GIT_CURL_VERBOSE"
}

fn is_git_config(name: &str) -> bool {
    ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"].contains(&name)
        || ["GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Passes on git configuration in variables, without credentials. The other side of a transfer gets none, as with git
/// itself.
fn git_config(purpose: Purpose, environment: &Environment) -> Vec<(String, Option<String>)> {
    let withholds = |(key, value): &env_config::ConfigItem| {
        let value = value.as_deref().unwrap_or_default();
        purpose != Purpose::UserHelpers
            && (is_credential(key, value) || (!purpose.asks_helpers() && is_inline_helper(key, value)))
    };
    // malformed variables were refused when the repository was opened
    let items = env_config::items(environment).unwrap_or_default();
    if purpose == Purpose::Transfer || !items.iter().any(withholds) {
        return Vec::new();
    }
    let names = environment.names().filter(|name| is_git_config(name));
    let mut changes: Vec<_> = names.map(|name| (name.to_owned(), None)).collect();
    let kept: Vec<_> = items.iter().filter(|item| !withholds(item)).collect();
    changes.push(("GIT_CONFIG_COUNT".to_owned(), Some(kept.len().to_string())));
    for (nth, (key, value)) in kept.into_iter().enumerate() {
        // a key without a value means true
        let value = value.clone().unwrap_or_else(|| "true".to_owned());
        changes.push((format!("GIT_CONFIG_KEY_{nth}"), Some(key.clone())));
        changes.push((format!("GIT_CONFIG_VALUE_{nth}"), Some(value)));
    }
    changes
}

/// Whether a setting is a header, or contains a URL with a password or token. In `url.<base>.insteadOf`, the URL is in the
/// key; in that of a helper, it only says for whom the helper is.
fn is_credential(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let value = value.to_ascii_lowercase();
    let is_for_a_user = key.starts_with("credential.") && !users(&key).any(|user| user.contains(':'));
    let is_header = key.starts_with("http.") && key.ends_with(".extraheader");
    is_header || users(&value).next().is_some() || (users(&key).next().is_some() && !is_for_a_user)
}

/// Whether a setting is a helper written as a shell command, which may contain the password that it prints.
fn is_inline_helper(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("credential.") && key.ends_with(".helper") && value.starts_with('!')
}

/// The secrets in the URLs of a text, in lower case: the user with the password, and over HTTP, where it can be a token, the
/// user alone.
fn users(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("://").filter_map(|(at, separator)| {
        let authority = text[at + separator.len()..].split('/').next()?;
        let (user, _) = authority.rsplit_once('@')?;
        let is_http = text[..at].ends_with("http") || text[..at].ends_with("https");
        (is_http || user.contains(':')).then_some(user)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    /// The variables that a program gets, if these are set.
    fn handed_on(purpose: Purpose, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut kept: std::collections::BTreeMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in changes(purpose, &environment(variables)) {
            match value {
                Some(value) => kept.insert(name, value),
                None => kept.remove(&name),
            };
        }
        kept.remove("LC_ALL");
        kept.into_iter().collect()
    }

    fn gets(purpose: Purpose, name: &str) -> bool {
        !handed_on(purpose, &[(name, "x")]).is_empty()
    }

    const ALL: [Purpose; 5] = [
        Purpose::Checkout,
        Purpose::Transfer,
        Purpose::Signing,
        Purpose::UserHelpers,
        Purpose::RepositoryHelpers,
    ];

    #[test]
    fn job_tokens_reach_only_the_users_helpers() {
        for name in [
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "GH_ENTERPRISE_TOKEN",
            "GITHUB_ENTERPRISE_TOKEN",
            "GITHUB_PAT",
            "GITLAB_TOKEN",
            "GL_TOKEN",
            "CI_JOB_TOKEN",
            "CI_JOB_JWT",
            "CI_JOB_JWT_V2",
            "CI_REGISTRY_PASSWORD",
            "CI_DEPLOY_PASSWORD",
            "CI_REPOSITORY_URL",
            "CI_NETRC_PASSWORD",
            "DRONE_NETRC_PASSWORD",
            "WOODPECKER_TOKEN",
            "SYSTEM_ACCESSTOKEN",
            "ENDPOINT_AUTH_SYSTEMVSSCONNECTION",
            "AZURE_DEVOPS_EXT_PAT",
            "VSS_NUGET_ACCESSTOKEN",
            "GITEA_TOKEN",
            "FORGEJO_TOKEN",
            "BITBUCKET_STEP_OIDC_TOKEN",
            "BITBUCKET_APP_PASSWORD",
            "BUILDKITE_AGENT_ACCESS_TOKEN",
            "CIRCLE_OIDC_TOKEN_V2",
            "SEMAPHORE_OIDC_TOKEN",
            "DOCKER_AUTH_CONFIG",
        ] {
            for purpose in ALL {
                assert_eq!(gets(purpose, name), purpose == Purpose::UserHelpers, "{name}, {purpose:?}");
            }
        }
    }

    #[test]
    fn variables_of_tagbump_and_the_runner_reach_no_program() {
        for name in [
            "TAGBUMP_TOKEN",
            "TAGBUMP_INPUT_TOKEN",
            "TAGBUMP_PUSH",
            "INPUT_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "GITHUB_ENV",
            "GITHUB_PATH",
            "GITHUB_OUTPUT",
            "GITHUB_STATE",
            "GITHUB_STEP_SUMMARY",
            "FORGEJO_ENV",
            "GIT_DIR",
            "GIT_TRACE",
            "GIT_TRACE2_EVENT",
            "GIT_TRACE_CURL",
            "GIT_CURL_VERBOSE",
        ] {
            for purpose in ALL {
                assert!(!gets(purpose, name), "{name}, {purpose:?}");
            }
        }
    }

    #[test]
    fn other_variables_are_passed_on() {
        for name in [
            "PATH",
            "HOME",
            "SSH_AUTH_SOCK",
            "GNUPGHOME",
            "GIT_SSH_COMMAND",
            "GIT_ASKPASS",
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_NOSYSTEM",
            "GIT_EDITOR",
            "GITHUB_ACTIONS",
            "GITHUB_ACTION_PATH",
            "GITHUB_REPOSITORY",
            "CI_COMMIT_SHA",
            "https_proxy",
            "MY_TOKEN",
        ] {
            for purpose in ALL {
                assert!(gets(purpose, name), "{name}, {purpose:?}");
            }
        }
    }

    #[test]
    fn setting_with_a_token_in_a_url_is_a_credential() {
        for (key, value) in [
            ("url.https://ghp_token@github.com/.insteadOf", "https://github.com/"),
            ("url.https://h/.insteadOf", "HTTPS://token@h/"),
            ("remote.o.url", "https://u:p@h/x"),
            ("a.b", "see https://h/x, then ssh://u:p@h/x"),
            ("credential.https://u:p@h.helper", "store"),
        ] {
            assert!(is_credential(key, value), "{key}={value}");
        }
        for (key, value) in [
            ("url.ssh://git@github.com/.insteadOf", "https://github.com/"),
            ("credential.https://me@h.helper", "store"),
            ("user.email", "me@h"),
        ] {
            assert!(!is_credential(key, value), "{key}={value}");
        }
    }

    const SETTINGS: [(&str, &str); 13] = [
        ("GIT_CONFIG_COUNT", "5"),
        ("GIT_CONFIG_KEY_0", "http.https://h/.extraHeader"),
        ("GIT_CONFIG_VALUE_0", "Authorization: Basic x"),
        ("GIT_CONFIG_KEY_1", "core.autocrlf"),
        ("GIT_CONFIG_VALUE_1", "input"),
        ("GIT_CONFIG_KEY_2", "url.https://u:p@h/.insteadOf"),
        ("GIT_CONFIG_VALUE_2", "https://h/"),
        ("GIT_CONFIG_KEY_3", "credential.https://h.helper"),
        ("GIT_CONFIG_VALUE_3", "!echo password=x"),
        ("GIT_CONFIG_KEY_4", "credential.helper"),
        ("GIT_CONFIG_VALUE_4", "store"),
        ("GIT_CONFIG_PARAMETERS", "'a.b' 'remote.o.url'='https://u:p@h/x'"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ];

    fn settings(purpose: Purpose) -> Vec<(String, String)> {
        let kept: std::collections::HashMap<_, _> = handed_on(purpose, &SETTINGS).into_iter().collect();
        assert_eq!(kept["GIT_CONFIG_NOSYSTEM"], "1");
        assert!(!kept.contains_key("GIT_CONFIG_PARAMETERS"));
        let count: usize = kept.get("GIT_CONFIG_COUNT").map_or(0, |count| count.parse().unwrap());
        assert_eq!(kept.len(), 1 + if count == 0 { 0 } else { 1 + 2 * count }, "{kept:?}");
        let of = |kind: &str, nth: usize| kept[&format!("GIT_CONFIG_{kind}_{nth}")].clone();
        (0..count).map(|nth| (of("KEY", nth), of("VALUE", nth))).collect()
    }

    #[test]
    fn git_config_variables_lose_their_credentials() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let plain = [pair("core.autocrlf", "input"), pair("credential.helper", "store"), pair("a.b", "true")];
        assert_eq!(settings(Purpose::Checkout), plain);
        assert_eq!(settings(Purpose::Signing), plain);
        assert_eq!(settings(Purpose::Transfer), []);
        let with_helper = [
            plain[0].clone(),
            pair("credential.https://h.helper", "!echo password=x"),
            plain[1].clone(),
            plain[2].clone(),
        ];
        assert_eq!(settings(Purpose::RepositoryHelpers), with_helper);
        let all = handed_on(Purpose::UserHelpers, &SETTINGS);
        assert_eq!(all.len(), SETTINGS.len());
    }
}
