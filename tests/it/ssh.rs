//! Remotes over ssh: with the user's own ssh, found and called as git does.
#![cfg(unix)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::cli::Run;
use crate::support::git::{self, git};
use crate::support::repo::{PASSWORD, USER, World, actions, ended, failed, push, run, script_at};

/// An ssh that runs the command locally, in the server's folder, and records its arguments.
struct Ssh {
    script: PathBuf,
    log: PathBuf,
}

const RUN: &str = "for last; do :; done; cd \"$srv\" && eval \"$last\"";

impl Ssh {
    fn new(world: &World, name: &str) -> Self {
        Ssh::doing(world, name, RUN)
    }

    fn doing(world: &World, name: &str, what: &str) -> Self {
        let ssh = Ssh { script: world.path().join(name), log: world.path().join(format!("{name}.log")) };
        let srv = world.path().join("srv");
        let note = format!("srv='{}'; printf '%s\\n' \"$*\" >> '{}'", srv.display(), ssh.log.display());
        script_at(&ssh.script, &format!("{note}\n{what}"));
        ssh
    }

    /// One line for each time it ran.
    fn told(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn path(&self) -> &str {
        self.script.to_str().unwrap()
    }
}

fn clone(world: &World, url: &str) -> PathBuf {
    world.clone_of(url, "w", &["--depth", "1"])
}

const SCP: &str = "git@h.example:acme/gitops.git";

/// A push through this stand-in for ssh.
fn over(ssh: &Ssh, folder: &Path, tag: &str, more: &[&str]) -> Run {
    run(push(folder, tag, more).env("GIT_SSH_COMMAND", ssh.path()))
}

#[test]
fn ssh_gets_the_arguments_that_git_gives_it() {
    let world = World::new();
    let folder = clone(&world, SCP);
    let (ours, gits) = (Ssh::new(&world, "ours"), Ssh::new(&world, "gits"));
    let bare = world.bare.to_str().unwrap();
    let odd = world.path().join("srv/it's $odd!");
    std::os::unix::fs::symlink(&world.bare, &odd).unwrap();
    for url in [
        SCP.to_owned(),
        format!("h.example:{bare}"),
        "[git@h.example:2222]:acme/gitops.git".to_owned(),
        "git@[::1]:acme/gitops.git".to_owned(),
        format!("ssh://git@h.example{bare}"),
        format!("ssh://h.example:2222{bare}/"),
        format!("git+ssh://git@[::1]:22{bare}"),
        format!("ssh://h.example{}", odd.display()).replace(' ', "%20"),
        "h.example:it's $odd!".to_owned(),
    ] {
        git(&folder, &["remote", "set-url", "origin", &url]);
        let before = (ours.told().len(), gits.told().len());
        let tag = format!("v{}", before.0 + 1);
        ended(&over(&ours, &folder, &tag, &[]), 0, "landed");
        let mut command = git::command(&folder);
        command.args(["-c", "protocol.version=0", "ls-remote", "origin", "main"]);
        command.env("GIT_SSH_COMMAND", gits.path()).env("GIT_SSH_VARIANT", "ssh");
        assert!(command.output().unwrap().status.success(), "{url}");
        assert_eq!(ours.told()[before.0], gits.told()[before.1], "{url}");
        assert_eq!(ours.told().len() - before.0, 2, "one connection to fetch, one to push");
    }
}

#[test]
fn bump_lands_on_new_tip_over_ssh() {
    let world = World::new();
    let folder = clone(&world, SCP);
    let ssh = Ssh::new(&world, "ssh");
    let rival = world.rival("README.md", "newer\n");
    let run = over(&ssh, &folder, "v1", &["-v"]);
    let told = ended(&run, 0, "landed");
    assert_eq!(told["commit"], world.tip().as_str());
    assert_eq!(git(&world.bare, &["rev-parse", "main~1"]), rival);
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), world.tip(), "and it is fast-forwarded");
    assert!(run.output().contains("credential: ssh"), "{}", run.output());
    ended(&over(&ssh, &folder, "v1", &[]), 0, "already");
}

#[test]
fn ssh_program_is_chosen_as_git_chooses_it() {
    let world = World::new();
    let folder = clone(&world, SCP);
    let path = std::env::var("PATH").unwrap();
    // from the lowest precedence to the highest, each together with all that come after it
    let plain = Ssh::new(&world, "bin/ssh");
    let mut tag = 0;
    let mut land = |variables: &[(&str, &str)]| {
        tag += 1;
        let mut command = push(&folder, &format!("v{tag}"), &[]);
        command.env("PATH", format!("{}:{path}", world.path().join("bin").display()));
        ended(&run(command.envs(variables.iter().copied())), 0, "landed");
    };
    land(&[]);
    assert_eq!(plain.told().len(), 2);
    let named = Ssh::new(&world, "a program");
    land(&[("GIT_SSH", named.path())]);
    assert_eq!(named.told().len(), 2);
    let set = Ssh::new(&world, "set");
    git(&folder, &["config", "core.sshCommand", &format!("X=1 {} -o 'a b'", set.path())]);
    land(&[("GIT_SSH", named.path())]);
    assert_eq!(set.told().len(), 2);
    assert!(set.told()[0].starts_with("-o a b git@h.example git-upload-pack"), "{:?}", set.told());
    let line = Ssh::new(&world, "line");
    land(&[("GIT_SSH", named.path()), ("GIT_SSH_COMMAND", line.path())]);
    assert_eq!((plain.told().len(), named.told().len(), set.told().len(), line.told().len()), (2, 2, 2, 2));
}

#[test]
fn ssh_gets_no_token() {
    let world = World::new();
    let folder = clone(&world, SCP);
    let seen = world.path().join("seen");
    let ssh = Ssh::doing(&world, "ssh", &format!("env >> '{}'; {RUN}", seen.display()));
    let mut command = push(&folder, "v1", &["-v"]);
    command.env("GIT_SSH_COMMAND", ssh.path()).env("TAGBUMP_TOKEN", "tok-own-secret");
    command.env("GITHUB_TOKEN", "tok-hub-secret").env("GH_TOKEN", "tok-gh-secret");
    command.env("GIT_DIR", folder.join(".git"));
    ended(&run(&mut command), 0, "landed");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(!seen.contains("tok-") && !seen.contains("GIT_DIR"), "{seen}");
    assert!(!ssh.told().concat().contains("tok-"));
}

#[test]
fn push_goes_over_ssh_when_only_push_url_is_ssh() {
    let world = World::new();
    let folder = clone(&world, &world.url());
    git(&folder, &["remote", "set-url", "--push", "origin", SCP]);
    let ssh = Ssh::new(&world, "ssh");
    ended(&over(&ssh, &folder, "v1", &[]), 0, "landed");
    assert_eq!(ssh.told().len(), 1);
    assert!(ssh.told()[0].contains("git-receive-pack 'acme/gitops.git'"), "{:?}", ssh.told());
    // and through a URL prefix (`insteadOf`)
    let folder = world.clone_of(&world.server.url_with(USER, PASSWORD, "acme/gitops.git"), "x", &[]);
    let key = format!("url.git@h.example:.pushInsteadOf={}", world.server.url_with(USER, PASSWORD, ""));
    let (name, value) = key.split_once('=').unwrap();
    git(&folder, &["config", name, value]);
    ended(&over(&ssh, &folder, "v2", &[]), 0, "landed");
    assert_eq!(ssh.told().len(), 2);
}

#[test]
fn ssh_url_gives_owner_and_name() {
    let world = World::new();
    let folder = clone(&world, SCP);
    let ssh = Ssh::new(&world, "ssh");
    let sha = world.tip();
    let mut command = push(&folder, "v1", &[]);
    ended(&run(actions(command.env("GIT_SSH_COMMAND", ssh.path()), "acme/gitops", &sha)), 0, "landed");
    assert!(world.message().contains("[skip ci]"), "{}", world.message());
}

#[test]
fn run_fails_with_exit_5_when_ssh_refuses() {
    for (words, wanted) in [
        ("git@h.example: Permission denied (publickey).", "GIT_SSH_COMMAND"),
        ("Host key verification failed.", "ssh-keyscan h.example"),
        ("ERROR: Repository not found.", "remote's URL"),
        ("ERROR: The key you are authenticating with has been marked as read only.", "write"),
    ] {
        let world = World::new();
        let folder = clone(&world, SCP);
        let ssh = Ssh::doing(&world, "ssh", &format!("echo '{words}' >&2; exit 255"));
        let said = failed(&over(&ssh, &folder, "v1", &[]), 5);
        assert!(said.contains(words) && said.contains(wanted), "{said}");
        assert_eq!(ssh.told().len(), 1, "it would say so again: {words}");
        // only for the push
        let receive = format!("case \"$*\" in *receive-pack*) echo '{words}' >&2; exit 255;; esac; {RUN}");
        let ssh = Ssh::doing(&world, "late", &receive);
        assert!(failed(&over(&ssh, &folder, "v1", &[]), 5).contains(words));
        assert_eq!((ssh.told().len(), world.commits()), (2, 2), "{words}");
    }
}

#[test]
fn push_over_ssh_is_refused_when_hook_declines() {
    let world = World::new();
    world.hook("pre-receive", "echo 'not on a Friday' >&2; exit 1");
    let ssh = Ssh::new(&world, "ssh");
    let said = failed(&over(&ssh, &clone(&world, SCP), "v1", &[]), 5);
    assert!(said.contains("not on a Friday"), "{said}");
    assert_eq!(ssh.told().len(), 2);
}

#[test]
fn run_fails_when_ssh_host_is_not_found() {
    let world = World::new();
    let folder = clone(&world, SCP);
    let words = "ssh: connect to host h.example port 22: Connection refused";
    let ssh = Ssh::doing(&world, "ssh", &format!("echo '{words}' >&2; exit 255"));
    let said = failed(&over(&ssh, &folder, "v1", &["--timeout", "5s"]), 4);
    assert!(said.contains("Connection refused"), "{said}");
    // and now it is
    let gone = format!("[ -e '{0}' ] || {{ : > '{0}'; echo '{words}' >&2; exit 255; }}", ssh.log.display());
    script_at(&ssh.script, &format!("srv='{}'; {gone}; {RUN}", world.path().join("srv").display()));
    std::fs::remove_file(&ssh.log).unwrap();
    ended(&over(&ssh, &folder, "v1", &[]), 0, "landed");
}

#[test]
fn run_fails_when_ssh_is_not_installed() {
    let world = World::new();
    let folder = clone(&world, SCP);
    for name in ["GIT_SSH", "GIT_SSH_COMMAND"] {
        let said = failed(&run(push(&folder, "v1", &[]).env(name, "/nowhere/ssh")), 1);
        assert!(
            said.contains("GIT_SSH_COMMAND") && said.contains("ssh://h.example/acme/gitops.git"),
            "{said}"
        );
    }
}

/// It is unknown whether the push landed: tagbump looks for the commit before it tries again.
#[test]
fn bump_lands_once_when_ssh_connection_is_lost() {
    for hook in ["pre-receive", "post-receive"] {
        let world = World::new();
        let once = world.path().join("once");
        world.hook(hook, &format!("[ -e '{0}' ] || {{ : > '{0}'; kill -9 $PPID; }}", once.display()));
        let told = ended(&over(&Ssh::new(&world, "ssh"), &clone(&world, SCP), "v1", &[]), 0, "landed");
        assert!(once.exists());
        assert_eq!((world.commits(), told["commit"].as_str().unwrap()), (3, world.tip().as_str()), "{hook}");
    }
}

/// It ends when the last process that has it open ends.
fn lifeline(world: &World) -> (PathBuf, std::sync::mpsc::Receiver<()>) {
    let path = world.path().join("alive");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (tell, told) = std::sync::mpsc::channel();
    let file = path.clone();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        std::fs::File::open(file).unwrap().read_to_end(&mut rest).unwrap();
        tell.send(())
    });
    (path, told)
}

/// Waits forever, and doesn't read its input.
const FOR_EVER: &str = "sh -c 'read line < \"$srv.never\"'; :";

#[test]
fn ssh_is_ended_with_its_children_when_it_hangs() {
    let world = World::new();
    let folder = clone(&world, SCP);
    let (alive, ended) = lifeline(&world);
    assert!(Command::new("mkfifo").arg(world.path().join("srv.never")).status().unwrap().success());
    let ssh = Ssh::doing(&world, "ssh", &format!("export srv; exec 3> '{}'; {FOR_EVER}", alive.display()));
    let said = failed(&over(&ssh, &folder, "v1", &["--timeout", "1s"]), 4);
    assert!(said.contains("no answer in time"), "{said}");
    ended.recv_timeout(Duration::from_secs(30)).unwrap();
}

#[test]
fn ssh_ends_when_signal_arrives() {
    for (signal, exit) in [("INT", 130), ("TERM", 143)] {
        let world = World::new();
        let folder = clone(&world, SCP);
        let (alive, ended) = lifeline(&world);
        assert!(Command::new("mkfifo").arg(world.path().join("srv.never")).status().unwrap().success());
        let what = format!("export srv; exec 3> '{}'; kill -{signal} $PPID; {FOR_EVER}", alive.display());
        let ssh = Ssh::doing(&world, "ssh", &what);
        let run = run(push(&folder, "v1", &[]).env("GIT_SSH", ssh.path()));
        assert_eq!(run.exit, exit, "{}", run.output());
        ended.recv_timeout(Duration::from_secs(30)).unwrap();
    }
}
