//! 200 landings, each over a connection that breaks at a random byte: exactly one commit and a true outcome,
//! or exit 4 and no commit.

use std::path::PathBuf;
use std::thread;

use crate::support::bad_line::{Break, Fault, Line, Way};
use crate::support::bare::{commit_on_main, head};
use crate::support::cli::Run;
use crate::support::git::git;
use crate::support::repo::{self, World, ended, push};

const RUNS: usize = 200;
/// More than there are processors: most of the time, a landing waits to try again.
const WORKERS: usize = 12;
const SEED: u64 = 0x7461_6762_756d_7031;

/// A repository, and a connection to it that breaks.
struct Ground {
    world: World,
    line: Line,
    url: String,
}

impl Ground {
    fn new() -> Self {
        let world = World::new();
        let line = Line::to(&world.server_address());
        let url = world.url_over(line.address());
        Ground { world, line, url }
    }

    /// A landing, from a clone that first has something to fetch.
    fn land(&self, name: &str, faults: Vec<Fault>, budget: &str) -> Landed {
        let folder = self.world.clone_of(&self.url, name, &["--depth", "1"]);
        commit_on_main(&self.world.bare, &[], "rival");
        let before = self.world.commits();
        self.line.breaks(faults);
        let run = repo::run(&mut push(&folder, name, &["--timeout", budget]));
        Landed { run, more: self.world.commits() - before, folder }
    }
}

/// The result of a run.
struct Landed {
    run: Run,
    /// How many commits main gained.
    more: usize,
    folder: PathBuf,
}

/// How many bytes a landing transfers in each direction if nothing breaks.
fn usual() -> [usize; 2] {
    let ground = Ground::new();
    let landed = ground.land("usual", Vec::new(), "60s");
    ended(&landed.run, 0, "landed");
    assert_eq!(landed.more, 1);
    ground.line.passed()
}

/// One or two faults, each at any byte of the exchange.
fn faults(random: &mut fastrand::Rng, [up, down]: [usize; 2]) -> Vec<Fault> {
    let count = random.usize(1..=2);
    let mut any = || {
        let at = random.usize(..up + down);
        let (way, after) = if at < up { (Way::Up, at) } else { (Way::Down, at - up) };
        let code = [408, 429, 500, 502, 503, 504][random.usize(..6)];
        let with = match random.usize(..20) {
            0 => Break::Stall,
            1..=4 => Break::Status(code),
            5..=8 => Break::StatusAfter(code),
            9..=12 => Break::Deaf,
            _ => Break::Cut,
        };
        Fault { way, after, with }
    };
    (0..count).map(|_| any()).collect()
}

/// Checks that the outcome matches the branch; returns whether it landed. Only a stall may use up the budget.
#[track_caller]
fn is_true(ground: &Ground, landed: &Landed, tag: &str, stalls: bool, of: &str) -> bool {
    let told = repo::json(&landed.run);
    let all = format!("{of}\n{}", landed.run.output());
    match landed.run.exit {
        0 => {
            assert_eq!(told["outcome"], "landed", "{all}");
            assert_eq!(landed.more, 1, "one commit: {all}");
            assert_eq!(told["commit"], ground.world.tip().as_str(), "{all}");
            assert!(ground.world.file(repo::FILE).contains(&format!("newTag: {tag} ")), "{all}");
            assert_eq!(told["commit"], head(&landed.folder).as_str(), "the checkout follows: {all}");
            true
        }
        4 => {
            assert_eq!((&told["outcome"], landed.more), (&"failed".into(), 0), "{all}");
            assert!(stalls, "there was time: {all}");
            assert!(!all.contains("is not known"), "it was found out: {all}");
            false
        }
        _ => panic!("{all}"),
    }
}

#[test]
fn bump_lands_once_when_line_breaks_at_random_byte() {
    let usual = usual();
    let work = move |worker: usize| {
        let ground = Ground::new();
        let (mut landed, mut broken) = (0, 0);
        for nth in (worker..RUNS).step_by(WORKERS) {
            let mut random = fastrand::Rng::with_seed(SEED + nth as u64);
            let faults = faults(&mut random, usual);
            let stalls = faults.iter().any(|fault| fault.with == Break::Stall);
            let (tag, of) = (format!("run-{nth}"), format!("run {nth} of {usual:?}: {faults:?}"));
            let budget = if stalls { "2s" } else { "60s" };
            let run = ground.land(&tag, faults, budget);
            broken += usize::from(ground.line.broken() > 0);
            landed += usize::from(is_true(&ground, &run, &tag, stalls, &of));
            std::fs::remove_dir_all(&run.folder).unwrap();
        }
        git(&ground.world.bare, &["fsck", "--strict", "--no-dangling"]);
        (landed, broken)
    };
    let workers: Vec<_> = (0..WORKERS).map(|worker| thread::spawn(move || work(worker))).collect();
    let scores: Vec<(usize, usize)> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    let (landed, broken) = scores.iter().fold((0, 0), |sum, score| (sum.0 + score.0, sum.1 + score.1));
    eprintln!("{RUNS} runs, {broken} with a fault, {landed} landed");
    assert!(broken > RUNS * 9 / 10, "the line broke in {broken} runs");
}
