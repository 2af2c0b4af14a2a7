//! A hundred landings that are killed (SIGKILL) at random moments: the checkout is in its old or its new state, or as a
//! killed `git merge` leaves it, and leftovers get in nobody's way.
#![cfg(unix)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bad_line::{Break, Fault, Line, Way};
use crate::support::cli::Run;
use crate::support::git::git;
use crate::support::repo::{self, FILE, World, commit, push};
use crate::support::signal::{Signal, send};

const WORKERS: usize = 4;
const SEED: u64 = 0x7461_6762_756d_7032;

/// The killed process keeps its ID until it is waited for; the programs it started continue and keep `stdout` open, so
/// `stdout` ends when all of them have ended.
fn start(command: &Command) -> Child {
    let mut all = Command::new("sh");
    all.args(["-c", "exec 9>&1; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    all.current_dir(command.get_current_dir().unwrap()).env_clear();
    all.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    all.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// A checkout of this kind, with something to fetch before the landing.
fn checkout(world: &World, url: &str, nth: usize) -> (PathBuf, &'static [&'static str]) {
    let name = format!("w{nth}");
    let depth: &[&str] = if nth % 4 == 1 { &[] } else { &["--depth", "1"] };
    let mut folder = world.clone_of(url, &name, depth);
    let mut more: &[&str] = &[];
    match nth % 4 {
        2 => {
            commit(&folder, &format!("own-{nth}.txt"), "own\n");
            more = &["--carry"];
        }
        3 => {
            git(&folder, &["checkout", "--quiet", "-b", "elsewhere"]);
            git(&folder, &["worktree", "add", "--quiet", &format!("../linked-{nth}"), "main"]);
            folder = world.path().join(format!("linked-{nth}"));
        }
        _ => {}
    }
    world.rival("README.md", &format!("{nth}\n"));
    (folder, more)
}

/// What git locks for an instant at the end of a landing. If it is killed then, the lock stays, as with any git command,
/// and the next one names it.
const LOCKS: [&str; 3] = ["index.lock", "refs/heads/main.lock", "refs/remotes/origin/main.lock"];

/// Whether it was killed in the middle of a fast-forward. Then some files, and perhaps the index, are already those of
/// the tip. git says so, loses nothing, and goes on after a stash.
#[track_caller]
fn was_between(world: &World, folder: &Path, before: &str, of: &str) -> bool {
    let found = locks(&folder.join(git(folder, &["rev-parse", "--git-common-dir"])));
    assert!(found.len() < 2, "{of}: {found:?}");
    for lock in found {
        assert!(LOCKS.iter().any(|name| lock.ends_with(name)), "{of}: {lock:?}");
        std::fs::remove_file(lock).unwrap();
    }
    let status = git(folder, &["status", "--porcelain"]);
    if status.is_empty() {
        return false;
    }
    assert_eq!(git(folder, &["rev-parse", "HEAD"]), before, "{of}: the branch comes last");
    for line in status.lines() {
        let file = line.trim_start_matches(['M', ' ']);
        assert!(["README.md", FILE].contains(&file), "{of}: {status}");
        assert_eq!(std::fs::read_to_string(folder.join(file)).unwrap().trim_end(), world.file(file), "{of}");
    }
    git(folder, &["stash", "--quiet"]);
    true
}

/// The checkout is completely on one commit or the other; git, a pull and the next run work in it.
#[track_caller]
fn is_sound(world: &World, folder: &Path, before: &str, tag: &str, of: &str) {
    was_between(world, folder, before, of);
    let head = git(folder, &["rev-parse", "HEAD"]);
    let landed = world.file(FILE).contains(&format!("newTag: {tag} "));
    assert!(head == before || (landed && head == world.tip()), "{of}: HEAD is {head}");
    assert_eq!(git(folder, &["status", "--porcelain"]), "", "{of}: files and index are those of HEAD");
    assert_eq!(git(folder, &["symbolic-ref", "HEAD"]), "refs/heads/main", "{of}");
    assert_eq!(git(folder, &["for-each-ref", "--format=%(refname)", "refs/tagbump*"]), "", "{of}");
    git(folder, &["fsck", "--strict", "--no-dangling"]);
    git(folder, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
    git(folder, &["-c", "pull.rebase=true", "pull", "--quiet", "origin", "main"]);
    let again = repo::run(&mut push(folder, tag, &["--carry"]));
    assert_eq!(again.exit, 0, "{of}: {}", again.output());
    assert!(world.file(FILE).contains(&format!("newTag: {tag} ")), "{of}");
    assert_eq!(git(folder, &["rev-parse", "HEAD"]), world.tip(), "{of}");
    let subjects = git(&world.bare, &["log", "--format=%s ", "refs/heads/main"]);
    let bumps = subjects.lines().filter(|line| line.contains(&format!(" image to {tag} "))).count();
    assert_eq!(bumps, 1, "{of}: {subjects}");
}

fn locks(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(locks(&path)),
            false if path.extension().is_some_and(|e| e == "lock") => found.push(path),
            false => {}
        }
    }
    found
}

/// Runs, and returns whether it was killed before it ended.
fn killed_at(command: &Command, moment: Duration) -> bool {
    let mut child = start(command);
    let mut stdout = child.stdout.take().unwrap();
    let (tell, ended) = mpsc::channel();
    let reading = thread::spawn(move || {
        let mut all = String::new();
        stdout.read_to_string(&mut all).unwrap();
        // the receiver is gone if the run was killed
        let _ = tell.send(());
    });
    let killed = ended.recv_timeout(moment).is_err();
    child.kill().unwrap();
    let status = child.wait().unwrap();
    reading.join().unwrap();
    killed && !status.success()
}

/// Has workers do this for every number below `count`; returns how often the result was true.
fn in_parallel(count: usize, each: impl Fn(&World, usize) -> bool + Send + Sync + Copy + 'static) -> usize {
    let work = move |worker: usize| {
        let world = World::new();
        (worker..count).step_by(WORKERS).filter(|nth| each(&world, *nth)).count()
    };
    let workers: Vec<_> = (0..WORKERS).map(|worker| thread::spawn(move || work(worker))).collect();
    workers.into_iter().map(|worker| worker.join().unwrap()).sum()
}

#[test]
fn checkout_stays_sound_when_landing_is_killed_at_any_moment() {
    const RUNS: usize = 60;
    let killed = in_parallel(RUNS, |world, nth| {
        let mut random = fastrand::Rng::with_seed(SEED + nth as u64);
        // how long it takes on this machine
        let (folder, more) = checkout(world, &world.url(), nth);
        let started = Instant::now();
        let usual = repo::run(&mut push(&folder, &format!("usual-{nth}"), more));
        assert_eq!(usual.exit, 0, "{}", usual.output());
        let moment = started.elapsed().mul_f64(random.f64());
        world.rival("README.md", &format!("{nth}, newer\n"));
        let (before, tag) = (git(&folder, &["rev-parse", "HEAD"]), format!("run-{nth}"));
        let killed = killed_at(&push(&folder, &tag, more), moment);
        is_sound(world, &folder, &before, &tag, &format!("run {nth} killed after {moment:?}"));
        killed
    });
    eprintln!("{killed} of {RUNS} were killed before their end");
    assert!(killed > RUNS / 4, "{killed} of {RUNS} were killed before their end");
}

/// How many bytes a landing transfers in each direction.
fn usual() -> [usize; 2] {
    let world = World::new();
    let (line, url) = line_to(&world);
    let (folder, _) = checkout(&world, &url, 0);
    line.breaks([]);
    let run: Run = repo::run(&mut push(&folder, "usual", &[]));
    assert_eq!(run.exit, 0, "{}", run.output());
    line.passed()
}

fn line_to(world: &World) -> (Line, String) {
    let line = Line::to(&world.server_address());
    let url = world.url_over(line.address());
    (line, url)
}

#[test]
fn checkout_stays_sound_when_landing_is_killed_at_any_byte() {
    const RUNS: usize = 40;
    let [up, down] = usual();
    let killed = in_parallel(RUNS, move |world, nth| {
        let (line, url) = line_to(world);
        // the last bytes may never be sent: packs differ in length
        let at = fastrand::Rng::with_seed(SEED - nth as u64).usize(..(up + down) * 95 / 100);
        let (way, after) = if at < up { (Way::Up, at) } else { (Way::Down, at - up) };
        let (folder, _) = checkout(world, &url, nth - nth % 4);
        let (before, tag) = (git(&folder, &["rev-parse", "HEAD"]), format!("run-{nth}"));
        line.breaks([Fault { way, after, with: Break::Call }]);
        let (tell, told) = mpsc::channel::<u32>();
        line.call(move || {
            send(Signal::KILL, told.recv().unwrap());
        });
        let mut child = start(&push(&folder, &tag, &[]));
        tell.send(child.id()).unwrap();
        let mut all = String::new();
        child.stdout.take().unwrap().read_to_string(&mut all).unwrap();
        let status = child.wait().unwrap();
        is_sound(world, &folder, &before, &tag, &format!("run {nth} killed at {way:?} {after}"));
        !status.success()
    });
    assert_eq!(killed, RUNS);
}

/// Waits for the file to change, without a pause: the next step comes soon.
fn changes(file: &Path, child: &mut Child) {
    let before = std::fs::read(file).unwrap();
    while std::fs::read(file).unwrap() == before && child.try_wait().unwrap().is_none() {}
}

#[test]
fn git_goes_on_when_fast_forward_is_killed() {
    const RUNS: usize = 24;
    let between = in_parallel(RUNS, |world, nth| {
        let (folder, _) = checkout(world, &world.url(), nth - nth % 4);
        let (before, tag) = (git(&folder, &["rev-parse", "HEAD"]), format!("run-{nth}"));
        let mut child = start(&push(&folder, &tag, &[]));
        changes(&folder.join(FILE), &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        let of = format!("run {nth}");
        let between = was_between(world, &folder, &before, &of);
        is_sound(world, &folder, &before, &tag, &of);
        between
    });
    eprintln!("{between} of {RUNS} were killed between the files and the branch");
}
