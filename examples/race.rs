//! Many builds land on one branch at the same moment: with tagbump, and with the shell loop that people write today.
//!
//!     cargo run --release --example race -- 32
//!
//! The server is a real git server (`git http-backend`) on this machine. Each of the N builds has its own shallow
//! clone, as actions/checkout makes it, and bumps its own image, all at once. The clones are made before the clock
//! starts. With `--push-takes 1`, a hook on the server waits one second before the branch moves. "× in turn" is the wall-clock time as a multiple of the same N landings one after the other, by the same
//! program in the same run. Compare these ratios; the seconds are only those of one machine.

#![allow(clippy::unwrap_used, reason = "an example: it ends at the first error")]

#[path = "../tests/it/support/git_server.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use the rest")]
mod git_server;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use git_server::GitServer;
use tempfile::TempDir;

#[derive(Parser)]
struct Options {
    /// Number of builds; each number is one race
    #[arg(default_values_t = [8, 16, 32])]
    writers: Vec<usize>,
    /// Put all images in one file, instead of one file each
    #[arg(long)]
    same_file: bool,
    /// How many seconds each push takes on the server, before it compares the branch with the tip
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    push_takes: f64,
    /// Run only this tool
    #[arg(long)]
    only: Option<Tool>,
    /// Number of times to run each race; each prints a line
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// The tagbump binary [default: build it]
    #[arg(long, value_name = "PATH")]
    tagbump: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    Tagbump,
    Shell,
}

impl Display for Tool {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.pad(match self {
            Tool::Tagbump => "tagbump",
            Tool::Shell => "shell loop",
        })
    }
}

/// The loop that people write: edit, commit, then pull and push up to three times.
const LOOP: &str = r#"
sed -i "\|name: $IMAGE\$|{n;s/newTag: .*/newTag: $TAG/;}" "$FILE"
git commit --quiet --all --message "chore: update $IMAGE to $TAG"
for i in 1 2 3; do
    echo try
    git pull --quiet --rebase origin main && git push --quiet origin main && exit
    sleep 5
done
exit 1
"#;

const TAG: &str = "main-1a2b3c4";

fn main() -> ExitCode {
    let options = Options::parse();
    let tagbump = options.tagbump.clone().unwrap_or_else(built);
    let mut truthful = true;
    for &writers in &options.writers {
        let files = if options.same_file { "all in one file" } else { "each in its own file" };
        println!("{writers} builds, {files}");
        println!(
            "{:12} {:>7} {:>8} {:>9} {:>15} {:>7} {:>7} {:>9}",
            "", "landed", "wall", "× in turn", "tries per build", "max", "pushes", "requests"
        );
        for _ in 0..options.rounds {
            for tool in [Tool::Tagbump, Tool::Shell] {
                if options.only.is_none_or(|only| only == tool) {
                    let race = Race { tool, tagbump: &tagbump, writers, options: &options };
                    truthful &= race.run_and_print();
                }
            }
        }
        println!();
    }
    if truthful { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The binary of the same profile as this example, which cargo puts beside it.
fn built() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--bin", "tagbump", "--manifest-path"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    assert!(command.status().unwrap().success(), "could not build tagbump");
    let example = std::env::current_exe().unwrap();
    example.parent().unwrap().with_file_name("tagbump")
}

struct Race<'a> {
    tool: Tool,
    tagbump: &'a Path,
    writers: usize,
    options: &'a Options,
}

/// The result of N builds.
struct Score {
    /// Tags that are on the branch.
    landed: usize,
    /// Builds that exited with 0.
    claimed: usize,
    wall: Duration,
    tries: Vec<u64>,
    /// What the server got from each build on average: pushes, and requests of any kind.
    pushes: f64,
    requests: f64,
}

impl Race<'_> {
    /// False if a build reported that it landed but did not, or the other way round.
    fn run_and_print(&self) -> bool {
        let in_turn = self.score(false);
        let at_once = self.score(true);
        let sum: u64 = at_once.tries.iter().sum();
        println!(
            "{:12} {:>7} {:>8} {:>9.2} {:>15.1} {:>7} {:>7.1} {:>9.1}",
            self.tool,
            format!("{}/{}", at_once.landed, self.writers),
            format!("{:.1} s", at_once.wall.as_secs_f64()),
            at_once.wall.as_secs_f64() / in_turn.wall.as_secs_f64(),
            sum as f64 / self.writers as f64,
            at_once.tries.iter().max().unwrap(),
            at_once.pushes,
            at_once.requests,
        );
        let truthful = [in_turn, at_once].iter().all(|score| score.landed == score.claimed);
        if !truthful {
            println!("{}: the builds' exit codes don't match the branch", self.tool);
        }
        truthful
    }

    /// Lands every build, all at once or in turn, in a new repository.
    fn score(&self, at_once: bool) -> Score {
        let arena = Arena::new(self);
        let clones: Vec<_> = (0..self.writers).map(|nth| arena.clone(nth)).collect();
        let commands = clones.iter().enumerate().map(|(nth, folder)| self.command(folder, nth));
        let start = |mut command: Command| {
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let cloning = arena.server.requests().len();
        let started = Instant::now();
        let ended: Vec<Output> = if at_once {
            let running: Vec<_> = commands.map(start).collect();
            running.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
        } else {
            commands.map(|command| start(command).wait_with_output().unwrap()).collect()
        };
        let wall = started.elapsed();
        let requests = arena.server.requests().split_off(cloning);
        let pushes = requests.iter().filter(|asked| asked.method == "POST" && is_push(&asked.path));
        Score {
            wall,
            pushes: pushes.count() as f64 / self.writers as f64,
            requests: requests.len() as f64 / self.writers as f64,
            landed: arena.landed(),
            claimed: ended.iter().filter(|output| output.status.success()).count(),
            tries: ended.iter().map(|output| self.tries(output)).collect(),
        }
    }

    fn command(&self, folder: &Path, nth: usize) -> Command {
        let mut command = match self.tool {
            Tool::Tagbump => Command::new(self.tagbump),
            Tool::Shell => Command::new("sh"),
        };
        match self.tool {
            Tool::Tagbump => {
                command.args(["bump", &format!("{}:{TAG}", image(nth))]).args(["--push", "--format", "json"])
            }
            Tool::Shell => command.args(["-c", LOOP]).env("IMAGE", image(nth)).env("TAG", TAG),
        };
        command.current_dir(folder).env("FILE", self.file(nth));
        settings(&mut command);
        command
    }

    fn tries(&self, output: &Output) -> u64 {
        let printed = String::from_utf8_lossy(&output.stdout);
        match self.tool {
            Tool::Tagbump => {
                let told: serde_json::Value = serde_json::from_str(&printed).unwrap();
                told["attempts"].as_u64().unwrap()
            }
            Tool::Shell => printed.lines().filter(|line| *line == "try").count() as u64,
        }
    }

    /// The file with a build's image.
    fn file(&self, nth: usize) -> String {
        let folder = if self.options.same_file { "all".to_owned() } else { format!("{nth:02}") };
        format!("apps/{folder}/kustomization.yaml")
    }
}

fn is_push(path: &str) -> bool {
    path.ends_with("/git-receive-pack")
}

fn image(nth: usize) -> String {
    format!("ghcr.io/acme/app-{nth:02}")
}

/// A repository on a server.
struct Arena {
    // dropped first: it serves the folder
    server: GitServer,
    folder: TempDir,
}

impl Arena {
    fn new(race: &Race<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, seed) = (folder.path().join("srv"), folder.path().join("seed"));
        git(folder.path(), &["init", "--quiet", "--bare", "srv/gitops.git"]);
        git(folder.path(), &["init", "--quiet", "seed"]);
        for nth in 0..race.writers {
            let file = seed.join(race.file(nth));
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n";
            let text = std::fs::read_to_string(&file).unwrap_or_else(|_| head.to_owned());
            let entry = format!("  - name: {}\n    newTag: main-0000000\n", image(nth));
            std::fs::write(file, text + &entry).unwrap();
        }
        git(&seed, &["add", "--all"]);
        git(&seed, &["commit", "--quiet", "--message", "base"]);
        let bare = root.join("gitops.git");
        git(&bare, &["config", "http.receivepack", "true"]);
        git(&seed, &["push", "--quiet", bare.to_str().unwrap(), "main"]);
        wait_before_each_push(&bare, race.options.push_takes);
        Arena { server: GitServer::builder(&root).start(), folder }
    }

    fn clone(&self, nth: usize) -> PathBuf {
        let (name, url) = (format!("w{nth}"), self.server.url("gitops.git"));
        git(self.folder.path(), &["clone", "--quiet", "--depth", "1", &url, &name]);
        self.folder.path().join(name)
    }

    /// How many images have the new tag on the branch.
    fn landed(&self) -> usize {
        let bare = self.folder.path().join("srv/gitops.git");
        let files = git(&bare, &["archive", "main"]);
        String::from_utf8_lossy(&files).matches(&format!("newTag: {TAG}\n")).count()
    }
}

/// Adds a hook to a repository. git runs it before it compares the branch with the tip.
fn wait_before_each_push(bare: &Path, seconds: f64) {
    if seconds == 0.0 {
        return;
    }
    let (hooks, text) = (bare.join("hooks"), format!("#!/bin/sh\nexec sleep {seconds}\n"));
    std::fs::create_dir_all(&hooks).unwrap();
    let hook = hooks.join("pre-receive");
    std::fs::write(&hook, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// What git prints.
fn git(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("git");
    settings(command.current_dir(folder).args(arguments));
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Removes the user's and the runner's settings, and sets an identity for commits.
fn settings(command: &mut Command) {
    let foreign = std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        ["GIT_", "GITHUB_", "TAGBUMP_"].iter().any(|prefix| name.starts_with(prefix))
    });
    for name in foreign {
        command.env_remove(name);
    }
    command.envs([
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "init.defaultBranch"),
        ("GIT_CONFIG_VALUE_0", "main"),
        ("GIT_CONFIG_KEY_1", "gc.auto"),
        ("GIT_CONFIG_VALUE_1", "0"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.com"),
    ]);
}
