//! Runs the real `git` away from the machine's settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::{env, fs};

/// No files of templates, which nobody reads, and no housekeeping.
const SETTINGS: [(&str, &str); 15] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_AUTHOR_NAME", "Test Author"),
    ("GIT_AUTHOR_EMAIL", "author@example.com"),
    ("GIT_COMMITTER_NAME", "Test Committer"),
    ("GIT_COMMITTER_EMAIL", "committer@example.com"),
    ("LC_ALL", "C"),
    ("GIT_TEMPLATE_DIR", ""),
    ("GIT_CONFIG_COUNT", "3"),
    ("GIT_CONFIG_KEY_0", "init.defaultBranch"),
    ("GIT_CONFIG_VALUE_0", "main"),
    ("GIT_CONFIG_KEY_1", "gc.auto"),
    ("GIT_CONFIG_VALUE_1", "0"),
    ("GIT_CONFIG_KEY_2", "maintenance.auto"),
    ("GIT_CONFIG_VALUE_2", "false"),
];

/// A `git` command in `dir`: of the caller's environment it keeps `PATH` alone.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", empty_home())
        .envs(SETTINGS);
    command
}

/// The path of git. By its name, a command with a `PATH` of its own is started by `fork`, which copies the page tables of
/// all the tests.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folders = env::var_os("PATH").unwrap_or_default();
        let name = format!("git{}", env::consts::EXE_SUFFIX);
        env::split_paths(&folders)
            .map(|folder| folder.join(&name))
            .find(|path| path.is_file())
            .expect("git is there")
    })
}

/// Runs `git` in `dir` and returns its stdout without the line end; panics when it fails.
#[track_caller]
pub fn git(dir: &Path, args: &[&str]) -> String {
    let output = try_git(dir, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {}\n{stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Runs `git` in `dir`, for a test that expects it to fail.
#[track_caller]
pub fn try_git(dir: &Path, args: &[&str]) -> Output {
    command(dir).args(args).output().expect("git starts")
}

/// Whether a commit has a signature, of whatever kind.
#[track_caller]
pub fn is_signed(repository: &Path, commit: &str) -> bool {
    let output = try_git(repository, &["cat-file", "commit", commit]);
    assert!(output.status.success(), "{commit} is there");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().take_while(|line| !line.is_empty()).any(|line| line.starts_with("gpgsig "))
}

fn empty_home() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty-home");
    fs::create_dir_all(&home).expect("the empty home is made");
    home
}
