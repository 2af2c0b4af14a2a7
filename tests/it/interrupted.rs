//! A signal during a landing: the run ends at once, and leaves nothing half done.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use crate::support::cli::Run;
use crate::support::files::{snapshot, write};
use crate::support::git::git;
use crate::support::repo::{World, ended, local, push, run, script_at};
use crate::support::signal::{Signal, send};

/// Runs a landing that gets the signal when the server has received the whole push, but hasn't started to process it.
fn interrupted(world: &World, command: &mut Command, signal: Signal) -> Output {
    let (tell, told) = mpsc::channel::<u32>();
    world.server.before_receive(move || send(signal, told.recv().unwrap()));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tell.send(child.id()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn nothing_is_half_done_when_signal_arrives() {
    for (signal, exit) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let world = World::new();
        let folder = world.shallow("w");
        let temporary = world.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        let before = snapshot(&folder);
        let output = interrupted(&world, push(&folder, "v1", &[]).env("TMPDIR", &temporary), signal);
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "{signal:?}: the workspace is gone");
        assert!(snapshot(&folder) == before, "{signal:?}: {}", git(&folder, &["status"]));
        // it may have landed or not; in both cases the next run completes it
        let again = run(&mut push(&folder, "v1", &[]));
        assert_eq!(again.exit, 0, "{}", again.output());
        ended(&run(&mut push(&folder, "v1", &[])), 0, "already");
        assert_eq!(world.commits(), 3);
        git(&world.bare, &["fsck", "--strict", "--no-dangling"]);
    }
}

/// A program that waits for a passphrase isn't left behind: it keeps a pipe open until it ends.
#[test]
fn signing_program_ends_when_signal_arrives() {
    for (signal, exit) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::new();
        let folder = world.shallow("w");
        let (program, pipe) = (world.path().join("gpg"), world.path().join("gpg.pipe"));
        script_at(&program, "exec 3> \"$0.pipe\"; echo here >&3; exec tail -f /dev/null");
        git(&folder, &["config", "gpg.program", program.to_str().unwrap()]);
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut command = push(&folder, "v1", &["--sign"]);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut held = BufReader::new(std::fs::File::open(&pipe).unwrap());
        let mut line = String::new();
        held.read_line(&mut line).unwrap();
        assert_eq!(line, "here\n");
        send(signal, child.id());
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(exit));
        assert_eq!(held.read_to_string(&mut line).unwrap(), 0, "{signal:?}: it has ended");
        assert_eq!(world.commits(), 2);
    }
}

/// git is fast-forwarding the checkout, in a process group of its own: tagbump lets it finish.
#[test]
fn signal_waits_until_checkout_is_fast_forwarded() {
    let world = World::new();
    let folder = world.shallow("w");
    let [mark, here, go] = ["mark", "here", "go"].map(|name| world.path().join(name));
    for pipe in [&here, &go] {
        assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    let wait = format!("echo > '{}'; read line < '{}'", here.display(), go.display());
    let hook = format!("{wait}; echo done > '{}'", mark.display());
    script_at(&folder.join(".git/hooks/post-merge"), &hook);
    let mut command = push(&folder, "v1", &[]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::fs::read(here).unwrap();
    send(Signal::TERM, child.id());
    std::fs::write(go, "\n").unwrap();
    let run = Run::of(&child.wait_with_output().unwrap());
    assert_eq!(run.exit, 143, "{}", run.output());
    assert_eq!(std::fs::read_to_string(mark).unwrap(), "done\n");
    assert_eq!(git(&folder, &["rev-parse", "HEAD", "origin/main"]), [world.tip(), world.tip()].join("\n"));
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}

/// A large file takes a while to be staged: the signal arrives when part of it is written.
#[test]
fn staged_file_is_removed_when_signal_ends_bump() {
    const RUNS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.yaml");
    let workaround = "# a comment that takes its time to be written to the disk\n".repeat(200_000);
    let text = |tag: &str| format!("kind: Pod\nspec:\n  containers:\n    - image: app:{tag}\n{workaround}");
    let is_staged = || {
        let mut entries = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        entries.any(|entry| entry.file_name().to_string_lossy().starts_with(".tagbump-"))
    };
    let interrupted = (0..RUNS).find(|_| {
        std::fs::write(&file, text("v0")).unwrap();
        let mut command = crate::support::cli::command(folder.path());
        let mut child = command.args(["bump", "app:v1"]).stdout(Stdio::null()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if is_staged() {
                send(Signal::TERM, child.id());
                break;
            }
        }
        let status = child.wait().unwrap();
        assert!(!is_staged(), "{status}");
        // the signal may arrive when the new file is already in place
        let now = std::fs::read_to_string(&file).unwrap();
        assert!(now == text("v1") || (now == text("v0") && !status.success()), "{status}");
        status.code() == Some(143)
    });
    assert!(interrupted.is_some(), "no run of {RUNS} was interrupted");
}

/// `ulimit -f`: a write beyond the limit fails, and the signal that comes with it doesn't end the process.
#[test]
fn nothing_is_half_done_when_files_may_not_grow() {
    let (_folder, path) = local();
    let filler = "# a line that makes the file large\n".repeat(1000);
    let before = format!("kind: Pod\nspec:\n  containers:\n    - image: app:v0\n{filler}");
    write(&path, "app.yaml", &before);
    git(&path, &["add", "."]);
    git(&path, &["commit", "--quiet", "--message", "x"]);
    let mut command = Command::new("sh");
    command.current_dir(&path).args(["-c", "ulimit -f 8; exec \"$0\" bump app:v1 --commit"]);
    let run = Run::of(&command.arg(env!("CARGO_BIN_EXE_tagbump")).output().unwrap());
    assert!(run.exit > 0 && run.stderr.starts_with("error: "), "{}", run.output());
    assert_eq!(std::fs::read_to_string(path.join("app.yaml")).unwrap(), before);
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
    assert!(!path.join(".git/index.lock").exists());
}
