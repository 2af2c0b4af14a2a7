//! Landings over connections that break at a random byte: exactly one commit and a true outcome, or exit 4 and no
//! commit.
//!
//! `RANDOM_FAULTS_COUNT` says how many for each kind of connection, `RANDOM_FAULTS_SEED` which.

mod http;
#[cfg(unix)]
mod pipe;

use std::fmt::Debug;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::support::bare::{commit_on_main, head};
use crate::support::cli::Run;
use crate::support::git::git;
use crate::support::repo::{self, World, ended, push};

/// More than there are processors: most of the time, a landing waits to try again.
const WORKERS: usize = 12;
const SEED: u64 = 0x7461_6762_756d_7031;

/// A repository, and a connection to it that breaks.
pub trait Ground {
    type Fault: Debug;

    fn new() -> Self;
    fn world(&self) -> &World;
    /// By the connection that breaks.
    fn url(&self) -> String;
    /// Makes a landing use it, if the URL alone doesn't.
    fn prepare(&self, _landing: &mut Command) {}
    /// From here on, these faults happen, one after the other.
    fn set(&self, faults: Vec<Self::Fault>);
    /// How many bytes of each part were transferred since then. A fault can happen at each of them.
    fn sizes(&self) -> Vec<usize>;
    /// A fault in one of these parts, at any byte.
    fn any(random: &mut fastrand::Rng, sizes: &[usize]) -> Self::Fault;
    fn stalls(fault: &Self::Fault) -> bool;
    /// How many of the faults have happened.
    fn broken(&self) -> usize;
}

/// One of the parts, and one of its bytes: each byte of all parts is as likely.
pub fn any_byte(random: &mut fastrand::Rng, sizes: &[usize]) -> (usize, usize) {
    let mut at = random.usize(..sizes.iter().sum::<usize>());
    for (part, size) in sizes.iter().enumerate() {
        if at < *size {
            return (part, at);
        }
        at -= size;
    }
    unreachable!("it is in one of the parts")
}

/// A landing, from a clone that first has something to fetch.
fn land<G: Ground>(ground: &G, name: &str, faults: Vec<G::Fault>, budget: &str) -> Landed {
    let world = ground.world();
    let folder = world.clone_of(&ground.url(), name, &["--depth", "1"]);
    commit_on_main(&world.bare, &[], "rival");
    let before = world.commits();
    ground.set(faults);
    let mut command = push(&folder, name, &["--timeout", budget]);
    ground.prepare(&mut command);
    let run = repo::run(&mut command);
    Landed { run, more: world.commits() - before, folder }
}

/// The result of a run.
struct Landed {
    run: Run,
    /// How many commits main gained.
    more: usize,
    folder: PathBuf,
}

/// How many bytes a landing transfers if nothing breaks.
fn usual<G: Ground>() -> Vec<usize> {
    let ground = G::new();
    let landed = land(&ground, "usual", Vec::new(), "60s");
    ended(&landed.run, 0, "landed");
    assert_eq!(landed.more, 1);
    ground.sizes()
}

/// Checks that the outcome matches the branch; returns whether it landed. Only a stall may use up the budget.
#[track_caller]
fn is_true(world: &World, landed: &Landed, tag: &str, stalls: bool, of: &str) -> bool {
    let told = repo::json(&landed.run);
    let all = format!("{of}\n{}", landed.run.output());
    match landed.run.exit {
        0 => {
            assert_eq!(told["outcome"], "landed", "{all}");
            assert_eq!(landed.more, 1, "one commit: {all}");
            assert_eq!(told["commit"], world.tip().as_str(), "{all}");
            assert!(world.file(repo::FILE).contains(&format!("newTag: {tag} ")), "{all}");
            assert_eq!(told["commit"], head(&landed.folder).as_str(), "the checkout follows: {all}");
            true
        }
        4 => {
            assert_eq!((&told["outcome"], landed.more), (&"failed".into(), 0), "{all}");
            assert!(stalls, "there was time: {all}");
            assert!(!all.contains("the outcome of the last try is unknown"), "it was found out: {all}");
            false
        }
        _ => panic!("{all}"),
    }
}

/// Lands `count` times, or as often as the environment says, with one or two random faults each.
#[track_caller]
pub fn survive<G: Ground>(count: usize) {
    let (count, seed) =
        (number("RANDOM_FAULTS_COUNT").unwrap_or(count), number("RANDOM_FAULTS_SEED").unwrap_or(0));
    let usual = usual::<G>();
    let work = &|worker: usize| {
        let ground = G::new();
        let (mut landed, mut broken) = (0, 0);
        for nth in (worker..count).step_by(WORKERS) {
            let mut random = fastrand::Rng::with_seed(SEED + (seed + nth) as u64);
            let faults: Vec<_> = (0..random.usize(1..=2)).map(|_| G::any(&mut random, &usual)).collect();
            let stalls = faults.iter().any(G::stalls);
            let (tag, of) = (format!("run-{nth}"), format!("run {nth} of {usual:?}: {faults:?}"));
            let run = land(&ground, &tag, faults, if stalls { "10s" } else { "60s" });
            broken += usize::from(ground.broken() > 0);
            landed += usize::from(is_true(ground.world(), &run, &tag, stalls, &of));
            std::fs::remove_dir_all(&run.folder).unwrap();
        }
        git(&ground.world().bare, &["fsck", "--strict", "--no-dangling"]);
        (landed, broken)
    };
    let scores = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let (landed, broken) = scores.iter().fold((0, 0), |sum, score| (sum.0 + score.0, sum.1 + score.1));
    eprintln!("{count} runs, {broken} with a fault, {landed} landed");
    assert!(broken > count * 9 / 10, "the connection broke in {broken} runs");
}

fn number(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|e| panic!("{name}={text}: {e}")))
}
