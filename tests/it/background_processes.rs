//! Programs that leave a process behind which holds their pipes open: tagbump ends anyway.
#![cfg(unix)]

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::cli::Run;
use crate::support::git::{git, is_signed};
use crate::support::repo::{World, ended, failed, push, script_at};

/// Keeps a test's background processes alive until it is dropped.
struct Leash {
    fifo: PathBuf,
    /// Both ends, so that opening it never blocks.
    _open: File,
}

impl Leash {
    fn new(world: &World) -> Self {
        let fifo = world.path().join("leash");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let open = OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
        Leash { fifo, _open: open }
    }

    /// A shell command that leaves a process behind, which keeps the shell's stdout and stderr open.
    fn background(&self) -> String {
        format!("{{ read line < '{}'; }} &", self.fifo.display())
    }
}

/// Runs to the end, which must come while the background process is still alive.
#[track_caller]
fn run_to_its_end(command: &mut Command, leash: Leash) -> Run {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (sender, receiver) = mpsc::channel();
    let waiting = std::thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    // a failsafe: it takes a second or two
    let output = receiver.recv_timeout(Duration::from_secs(90));
    drop(leash);
    let in_time = output.is_ok();
    let output = output.or_else(|_| receiver.recv()).unwrap();
    waiting.join().unwrap().unwrap();
    let run = Run::of(&output);
    assert!(in_time, "it waited for the background process: {}", run.output());
    run
}

#[test]
fn landing_ends_when_hook_leaves_process_behind() {
    let world = World::new();
    let (folder, leash) = (world.shallow("w"), Leash::new(&world));
    script_at(&folder.join(".git/hooks/post-merge"), &leash.background());
    let run = run_to_its_end(&mut push(&folder, "v1", &[]), leash);
    ended(&run, 0, "landed");
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), world.tip());
    assert!(!run.stderr.contains("left unchanged"), "{}", run.stderr);
}

#[test]
fn error_of_git_is_shown_when_hook_leaves_process_behind() {
    let world = World::new();
    let (folder, leash) = (world.shallow("w"), Leash::new(&world));
    let hook = format!("{}\necho 'not today' >&2; exit 1", leash.background());
    script_at(&folder.join(".git/hooks/reference-transaction"), &hook);
    let run = run_to_its_end(&mut push(&folder, "v1", &[]), leash);
    ended(&run, 0, "landed");
    assert!(run.stderr.contains("left unchanged") && run.stderr.contains("not today"), "{}", run.stderr);
}

/// gpg starts an agent, and a replacement for gpg may do so too.
#[test]
fn signature_is_used_when_program_leaves_process_behind() {
    let world = World::new();
    let (folder, leash) = (world.shallow("w"), Leash::new(&world));
    let program = world.path().join("gpg");
    let sign = "cat > /dev/null; echo '[GNUPG:] SIG_CREATED ' >&2; echo signature";
    script_at(&program, &format!("{}\n{sign}", leash.background()));
    git(&folder, &["config", "gpg.program", program.to_str().unwrap()]);
    ended(&run_to_its_end(&mut push(&folder, "v1", &["--sign"]), leash), 0, "landed");
    assert!(is_signed(&world.bare, "main"));
}

const SCP: &str = "git@h.example:acme/gitops.git";

/// ssh leaves a master process behind if `ControlPersist` is set.
#[test]
fn landing_ends_when_ssh_leaves_process_behind() {
    let world = World::new();
    let (folder, leash) = (world.clone_of(SCP, "w", &["--depth", "1"]), Leash::new(&world));
    let ssh = world.path().join("ssh");
    let serve =
        format!("for last; do :; done; cd '{}' && eval \"$last\"", world.path().join("srv").display());
    script_at(&ssh, &format!("{}\n{serve}", leash.background()));
    ended(&run_to_its_end(push(&folder, "v1", &[]).env("GIT_SSH", ssh), leash), 0, "landed");
}

#[test]
fn error_of_ssh_is_shown_when_it_leaves_process_behind() {
    let world = World::new();
    let (folder, leash) = (world.clone_of(SCP, "w", &["--depth", "1"]), Leash::new(&world));
    let ssh = world.path().join("ssh");
    let words = "git@h.example: Permission denied (publickey).";
    script_at(&ssh, &format!("{}\necho '{words}' >&2; exit 255", leash.background()));
    let said = failed(&run_to_its_end(push(&folder, "v1", &[]).env("GIT_SSH", ssh), leash), 5);
    assert!(said.contains(words), "{said}");
}

/// The hook's process keeps the connection open, as it does with git; the push landed long before.
#[test]
fn landing_ends_within_its_time_when_hook_of_local_remote_leaves_process_behind() {
    let world = World::new();
    let (folder, leash) = (world.clone_of(world.bare.to_str().unwrap(), "w", &[]), Leash::new(&world));
    world.hook("post-receive", &leash.background());
    let run = run_to_its_end(&mut push(&folder, "v1", &["--timeout", "3s"]), leash);
    ended(&run, 0, "landed");
    assert_eq!(world.commits(), 3);
}
