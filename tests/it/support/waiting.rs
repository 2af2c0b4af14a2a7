//! `tagbump wait` with a clock that doesn't wait: what happens in the meantime happens when it would sleep.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tagbump::cli::{Cli, Command};
use tagbump::commands::wait;
use tagbump::environment::Environment;
use tagbump::landing::Clock;
use tagbump::output::{Report, json};
use tagbump::settings;

type Step<'a> = Box<dyn FnMut() + 'a>;

/// Time passes only in its sleeps, and a step is done in each.
pub struct Steps<'a> {
    start: Instant,
    passed: Cell<Duration>,
    sleeps: RefCell<Vec<Duration>>,
    steps: RefCell<VecDeque<Step<'a>>>,
}

impl<'a> Steps<'a> {
    pub fn none() -> Self {
        Steps {
            start: Instant::now(),
            passed: Cell::default(),
            sleeps: RefCell::default(),
            steps: RefCell::default(),
        }
    }

    /// Then this happens, in the next sleep.
    pub fn then(self, step: impl FnMut() + 'a) -> Self {
        self.steps.borrow_mut().push_back(Box::new(step));
        self
    }

    /// Then nothing happens, for some sleeps.
    pub fn then_nothing(mut self, sleeps: usize) -> Self {
        for _ in 0..sleeps {
            self = self.then(|| {});
        }
        self
    }

    /// How long each sleep was, in seconds.
    pub fn sleeps(&self) -> Vec<u64> {
        self.sleeps.borrow().iter().map(Duration::as_secs).collect()
    }
}

impl Clock for Steps<'_> {
    fn now(&self) -> Instant {
        self.start + self.passed.get()
    }

    fn sleep(&self, time: Duration) {
        self.passed.set(self.passed.get() + time);
        self.sleeps.borrow_mut().push(time);
        let step = self.steps.borrow_mut().pop_front();
        if let Some(mut step) = step {
            step();
        }
    }
}

/// How a wait ended.
pub struct Waited {
    pub report: Report,
    pub json: Value,
    /// The lines of progress.
    pub lines: Vec<String>,
}

impl Waited {
    /// Checks exit code and outcome.
    #[track_caller]
    pub fn ends(&self, exit: u8, outcome: &str) -> &Self {
        assert_eq!(
            (self.report.exit_code(false), &self.json["outcome"]),
            (exit, &outcome.into()),
            "{}",
            self.json
        );
        self
    }

    /// Message and hint of the error.
    pub fn error(&self) -> String {
        let error = &self.json["error"];
        format!("{}\n{}", error["message"].as_str().unwrap(), error["hint"].as_str().unwrap())
    }
}

/// Waits in a folder.
pub fn wait(folder: &Path, arguments: &[&str], variables: &[(&str, &str)], clock: &Steps<'_>) -> Waited {
    let repo = folder.to_str().unwrap();
    let line = [&["tagbump", "wait", "-C", repo], arguments].concat();
    let parsed = <Cli as clap::Parser>::try_parse_from(line).unwrap();
    let Command::Wait(args) = parsed.command else { panic!("another command") };
    let home = folder.parent().unwrap().display().to_string();
    let own = [("HOME", home.as_str()), ("PATH", env!("PATH"))];
    let pairs = own.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings = settings::wait(args, Environment::new(pairs), 0).unwrap();
    let mut lines = Vec::new();
    let report = wait::run(&settings, clock, &mut |line| lines.push(line.to_owned()));
    let json = serde_json::from_str(&json(&report)).unwrap();
    Waited { report, json, lines }
}
