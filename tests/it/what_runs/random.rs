//! Random repositories, bumped once each: what ran the image must run the new tag, and nothing else may differ.
//!
//! `WHAT_RUNS_COUNT` says how many, `WHAT_RUNS_SEED` which. The first failures are made smaller and printed;
//! `WHAT_RUNS_FOUND` names a folder that gets them as cases.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::generator::{Repository, repository};
use super::judge::{Outcome, Verdict, judge, plain};
use super::shrink::shrink;
use crate::deployments::tools::Tools;
use crate::support::files::write;

const COUNT: u64 = 200;
const SHRUNK: usize = 5;

/// One in so many repositories may be refused, or warned about, although tagbump could have set everything. It is too
/// careful then, and not wrong.
const CAUTIOUS: u64 = 50;

#[test]
fn random_repository_runs_what_was_bumped() {
    let (count, seed) = (number("WHAT_RUNS_COUNT").unwrap_or(COUNT), number("WHAT_RUNS_SEED").unwrap_or(1));
    let tools = Tools::all().swap_remove(0);
    let verdicts = judged(count, seed, &tools);
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    verdicts.values().for_each(|verdict| *counts.entry(verdict.outcome).or_default() += 1);
    println!("what-runs: {count} repositories from seed {seed}: {counts:?}");
    if std::env::var_os("WHAT_RUNS_ALL").is_some() {
        verdicts.iter().for_each(|(seed, verdict)| {
            println!("{seed}: {:?}: {}: {}", verdict.outcome, verdict.at, verdict.why)
        });
    }
    let failures = verdicts.iter().filter(|(_, verdict)| verdict.outcome.is_failure());
    let shrunk = number("WHAT_RUNS_SHRUNK").map_or(SHRUNK, |count| count as usize);
    let mut told = String::new();
    for (seed, verdict) in failures {
        writeln!(told, "seed {seed}: {:?}: {}: {}", verdict.outcome, verdict.at, verdict.why).unwrap();
    }
    for (seed, verdict) in verdicts.iter().filter(|(_, verdict)| verdict.outcome.is_failure()).take(shrunk) {
        let small = shrink(&repository(*seed), verdict, &tools);
        told.push_str(&show(&format!("{:?}-{seed}", verdict.outcome), &small, &judge(&small, &tools)));
    }
    let grave = verdicts.values().filter(|verdict| verdict.outcome.is_grave()).count();
    let failures = verdicts.values().filter(|verdict| verdict.outcome.is_failure()).count() as u64;
    println!("{told}");
    let judged = verdicts.values().filter(|verdict| verdict.outcome != Outcome::NoRepository).count() as u64;
    assert!(judged * 10 > count * 8, "the programs deploy too few of the repositories: {counts:?}");
    assert_eq!(grave, 0, "{counts:?}\n{told}");
    assert!(failures * CAUTIOUS <= count, "{counts:?}\n{told}");
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// The verdict on each repository, by its seed.
fn judged(count: u64, seed: u64, tools: &Tools) -> BTreeMap<u64, Verdict> {
    // the seed of one repository, as failures name it, or of many
    let first = if seed < 1_000_000 { seed * 1_000_000 } else { seed };
    let next = AtomicU64::new(0);
    let worker = || {
        let mut verdicts = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return verdicts;
            }
            let seed = first + index;
            verdicts.push((seed, judge(&repository(seed), tools)));
        }
    };
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        running.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn show(name: &str, repository: &Repository, verdict: &Verdict) -> String {
    let arguments = repository.arguments();
    let mut told = format!(
        "\n== {name}: tagbump {}\n{}: {}\n{}\n",
        arguments.join(" "),
        verdict.at,
        verdict.why,
        verdict.printed
    );
    let files = plain(&repository.files);
    for (path, text) in &files {
        told.push_str(&format!("-- {path}\n{text}"));
    }
    if let Some(folder) = std::env::var_os("WHAT_RUNS_FOUND") {
        let case = Path::new(&folder).join(name);
        files.iter().for_each(|(path, text)| write(&case.join("in"), path, text));
        write(&case, "cmd", &(arguments.join("\n") + "\n"));
        write(&case, "README", &format!("{}: {}\n{}\n", verdict.at, verdict.why, verdict.printed));
    }
    told
}
