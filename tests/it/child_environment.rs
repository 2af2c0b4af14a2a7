//! Which variables the programs get that tagbump starts: no token, unless fetching a token is their purpose.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::git;
use crate::support::repo::{
    API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run, script_at,
};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Every secret contains this.
const SECRET: &str = "s3cret";

/// Variables that hold a token, or name a file that the runner takes commands from.
const RUNNER_SECRETS: [&str; 20] = [
    "TAGBUMP_TOKEN",
    "TAGBUMP_INPUT_TOKEN",
    "TAGBUMP_ACTION_GITHUB_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_CACHE_URL",
    "INPUT_TOKEN",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT_V2",
    "CI_REPOSITORY_URL",
    "SYSTEM_ACCESSTOKEN",
    "GITEA_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
];

/// Sets every secret, and one variable that has nothing to do with tagbump.
fn with_secrets(command: &mut Command) -> &mut Command {
    for name in RUNNER_SECRETS {
        command.env(name, format!("{SECRET}-{name}"));
    }
    command.env("MY_OWN", "kept")
}

/// A script that writes its environment to a file, then runs more commands.
struct Recorder {
    script: PathBuf,
    file: PathBuf,
}

impl Recorder {
    fn new(world: &World, name: &str, then: &str) -> Self {
        Recorder::at(world, &world.path().join(name), then)
    }

    fn at(world: &World, script: &Path, then: &str) -> Self {
        let name = script.file_name().unwrap().to_str().unwrap();
        let file = world.path().join(format!("{name}.environment"));
        script_at(script, &format!("env >> '{}'\n{then}", file.display()));
        Recorder { script: script.to_owned(), file }
    }

    fn path(&self) -> &str {
        self.script.to_str().unwrap()
    }

    /// The lines of the environment that contain a secret.
    fn secrets(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_else(|e| panic!("{}: {e}", self.path()));
        assert!(text.contains("MY_OWN=kept"), "the user's own variables stay: {text}");
        text.lines().filter(|line| line.contains(SECRET)).map(str::to_owned).collect()
    }
}

#[track_caller]
fn got_no_secret(recorders: &[Recorder]) {
    for recorder in recorders {
        assert_eq!(recorder.secrets(), Vec::<String>::new(), "{}", recorder.path());
    }
}

/// The checkout's content can define hooks (`core.hooksPath`) and filters.
#[test]
fn hooks_and_filters_of_checkout_get_no_token() {
    let files = [(FILE, &*kustomization(&[API.into()])), (".gitattributes", "*.yaml filter=recorded\n")];
    let world = World::with(|server| server, &files);
    let folder = world.clone_of(&world.server.url(REPO), "w", &[]);
    let hooks = folder.join(".git/hooks");
    let recorders = [
        Recorder::at(&world, &hooks.join("post-merge"), ""),
        Recorder::at(&world, &hooks.join("reference-transaction"), ""),
        Recorder::new(&world, "monitor", "exit 1"),
        Recorder::new(&world, "smudge", "cat"),
    ];
    git(&folder, &["config", "core.fsmonitor", recorders[2].path()]);
    git(&folder, &["config", "filter.recorded.smudge", recorders[3].path()]);
    ended(&run(with_secrets(&mut push(&folder, "v1", &[]))), 0, "landed");
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), world.tip(), "it followed");
    got_no_secret(&recorders);
}

/// A header or a password in `GIT_CONFIG_*` is for the server, not for what git runs in the checkout.
#[test]
fn hooks_of_checkout_get_no_credential_from_git_config_variables() {
    let world = World::new();
    let folder = world.clone_of(&world.server.url(REPO), "w", &[]);
    let encoded = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let recorder = Recorder::at(&world, &folder.join(".git/hooks/post-merge"), "git config --get-all a.b");
    let mut command = push(&folder, "v1", &[]);
    let base = world.server.url("");
    let pairs = [
        ("a.b", "plain"),
        (&format!("http.{base}.extraheader"), &format!("Authorization: Basic {encoded}")),
        (
            &format!("url.{}.insteadOf", world.server.url_with(USER, "s3cret-url", "")),
            "http://elsewhere.example/",
        ),
        ("credential.helper", "!echo username=x; echo password=s3cret-inline"),
    ];
    command.env("MY_OWN", "kept").env("GIT_CONFIG_COUNT", pairs.len().to_string());
    for (nth, (key, value)) in pairs.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{nth}"), key).env(format!("GIT_CONFIG_VALUE_{nth}"), value);
    }
    command.env("GIT_CONFIG_PARAMETERS", "'c.d'='e' 'http.extraheader'='X-Key: s3cret-parameter'");
    ended(&run(&mut command), 0, "landed");
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), world.tip(), "it followed");
    let text = std::fs::read_to_string(&recorder.file).unwrap();
    assert!(!text.contains(&encoded), "{text}");
    assert!(
        text.contains("=a.b") && text.contains("=plain") && text.contains("=c.d"),
        "the rest stays: {text}"
    );
    got_no_secret(&[recorder]);
}

/// A remote on this machine can belong to another user.
#[test]
fn hooks_of_local_remote_get_no_token() {
    let world = World::new();
    let recorders = ["pre-receive", "update", "post-receive"]
        .map(|name| Recorder::at(&world, &world.bare.join("hooks").join(name), ""));
    let folder = world.clone_of(world.bare.to_str().unwrap(), "w", &[]);
    let mut command = push(&folder, "v1", &[]);
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "http.extraheader");
    command.env("GIT_CONFIG_VALUE_0", "X-Key: s3cret-value");
    ended(&run(with_secrets(&mut command)), 0, "landed");
    got_no_secret(&recorders);
}

/// ssh can be configured to send variables to the server (`SendEnv`).
#[test]
fn ssh_gets_no_token() {
    let world = World::new();
    let folder = world.clone_of("git@h.example:acme/gitops.git", "w", &["--depth", "1"]);
    let srv = world.path().join("srv");
    let serve = format!("for last; do :; done; cd '{}' && eval \"$last\"", srv.display());
    let recorder = Recorder::new(&world, "ssh", &serve);
    let mut command = push(&folder, "v1", &[]);
    command.env("GIT_SSH_COMMAND", recorder.path());
    ended(&run(with_secrets(&mut command)), 0, "landed");
    got_no_secret(&[recorder]);
}

#[test]
fn signing_programs_get_no_token() {
    let world = World::with(|server| server, &[(FILE, &*kustomization(&[API.into()]))]);
    let folder = world.shallow("w");
    let sign = "cat > /dev/null; echo; echo '[GNUPG:] SIG_CREATED ' >&2; echo signature";
    let recorder = Recorder::new(&world, "gpg", sign);
    git(&folder, &["config", "gpg.program", recorder.path()]);
    ended(&run(with_secrets(&mut push(&folder, "v1", &["--sign"]))), 0, "landed");
    got_no_secret(&[recorder]);
}

/// A credential helper that answers with a variable's value, written as a shell function in git's configuration.
const PRINTS_JOB_TOKEN: &str = "!f() { echo username=x-access-token; echo \"password=$GITHUB_TOKEN\"; }; f";

const JOB_TOKEN: &str = "s3cret-job-token";

/// After the job's token, on a host that isn't the runner's GitHub: tagbump doesn't send the token on its own.
fn behind_job_token() -> World {
    let files = [(FILE, &*kustomization(&[API.into()]))];
    World::with(|server| server.basic_auth("x-access-token", JOB_TOKEN), &files)
}

fn home_with_helper(world: &World, helper: &str) -> PathBuf {
    let home = world.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let file = home.join(".gitconfig");
    git(world.path(), &["config", "--file", file.to_str().unwrap(), "credential.helper", helper]);
    home
}

#[test]
fn helper_of_user_gets_token_of_job() {
    let world = behind_job_token();
    let folder = world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"]);
    let home = home_with_helper(&world, PRINTS_JOB_TOKEN);
    let mut command = push(&folder, "v1", &[]);
    ended(&run(command.env("HOME", home).env("GITHUB_TOKEN", JOB_TOKEN)), 0, "landed");
}

#[test]
fn helper_of_user_gets_neither_own_token_nor_runner_token() {
    let world = World::new();
    let folder = world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"]);
    let recorder =
        Recorder::new(&world, "helper", &format!("echo username={USER}; echo password={PASSWORD}"));
    let home = home_with_helper(&world, recorder.path());
    let mut command = push(&folder, "v1", &[]);
    with_secrets(&mut command).env("HOME", home).env_remove("TAGBUMP_TOKEN");
    command.env("TAGBUMP_OTHER_TOKEN", "s3cret-other");
    ended(&run(&mut command), 0, "landed");
    let mut names: Vec<_> =
        recorder.secrets().iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    let wanted = [
        "BUILDKITE_AGENT_ACCESS_TOKEN",
        "CI_JOB_JWT_V2",
        "CI_JOB_TOKEN",
        "CI_REPOSITORY_URL",
        "GH_ENTERPRISE_TOKEN",
        "GH_TOKEN",
        "GITEA_TOKEN",
        "GITHUB_ENTERPRISE_TOKEN",
        "GITHUB_TOKEN",
        "SYSTEM_ACCESSTOKEN",
    ];
    assert_eq!(names, wanted, "the job's tokens alone");
}

/// The repository's own configuration may have been delivered with the repository.
#[test]
fn helper_of_repository_gets_no_token() {
    let world = behind_job_token();
    let folder = world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"]);
    git(&folder, &["config", "credential.helper", PRINTS_JOB_TOKEN]);
    let land = |tag: &str| run(push(&folder, tag, &[]).env("GITHUB_TOKEN", JOB_TOKEN));
    let said = failed(&land("v1"), 5);
    assert!(said.contains("credential helper") && said.contains("GITHUB_TOKEN"), "it says why: {said}");
    // a file of the work tree that the configuration includes belongs to the repository as well
    git(&folder, &["config", "--unset", "credential.helper"]);
    git(&folder, &["config", "--file", "included", "credential.helper", PRINTS_JOB_TOKEN]);
    git(&folder, &["config", "include.path", "../included"]);
    failed(&land("v2"), 5);
}

/// CI agents keep their helper in a file next to the checkout, which the repository's configuration includes.
#[test]
fn helper_of_included_file_outside_of_repository_gets_token_of_job() {
    let world = behind_job_token();
    let folder = world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"]);
    let file = world.path().join("agent.config");
    git(world.path(), &["config", "--file", file.to_str().unwrap(), "credential.helper", PRINTS_JOB_TOKEN]);
    git(&folder, &["config", "include.path", file.to_str().unwrap()]);
    ended(&run(push(&folder, "v1", &[]).env("GITHUB_TOKEN", JOB_TOKEN)), 0, "landed");
}

/// git's trace contains the command lines of everything it runs, and a helper may have its password there.
#[test]
fn git_trace_is_not_written() {
    let world = World::new();
    let folder = world.clone_of(&world.server.url(REPO), "w", &["--depth", "1"]);
    let home = home_with_helper(&world, &format!("!echo username={USER}; echo password={PASSWORD}; true"));
    let trace = world.path().join("trace");
    let mut command = push(&folder, "v1", &[]);
    command.env("HOME", home);
    for name in ["GIT_TRACE", "GIT_TRACE2", "GIT_TRACE2_EVENT", "GIT_TRACE_SETUP"] {
        command.env(name, &trace);
    }
    ended(&run(&mut command), 0, "landed");
    assert!(!trace.exists(), "{}", std::fs::read_to_string(&trace).unwrap());
}
