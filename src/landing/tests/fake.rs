//! A clock and a branch in memory.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use super::super::*;
use super::TestError;
use crate::file_selection::Selection;
use crate::plan::{FileContent, FileEdit, FoundFiles, SourceError, VisitScope, Visitor};

/// Time that passes only while a caller sleeps.
pub struct FakeClock {
    pub now: Cell<Instant>,
    pub slept: RefCell<Vec<Duration>>,
}

impl FakeClock {
    pub fn new() -> Self {
        FakeClock { now: Cell::new(Instant::now()), slept: RefCell::default() }
    }

    /// Something else takes this long.
    pub fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    pub fn slept(&self) -> Vec<Duration> {
        self.slept.borrow().clone()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn sleep(&self, time: Duration) {
        self.now.set(self.now.get() + time);
        self.slept.borrow_mut().push(time);
    }
}

/// What a push does to the branch, whatever the server says of it.
#[derive(Clone, Copy)]
pub enum PushEffect {
    Nothing,
    Lands,
    /// Someone else's commit arrives instead.
    Loses,
    /// It lands, and someone else's commit arrives on top.
    LandsUnder,
    /// Someone else's commit arrives, with our bump.
    Bumps,
}
/// The nth commit of a [`FakeBranch`].
pub fn commit(nth: usize) -> CommitId {
    CommitId::parse(&format!("{nth:040x}")).unwrap()
}

/// A branch in memory: its commits, oldest first.
pub struct FakeBranch {
    pub commits: Vec<CommitId>,
    /// Where each of them is in it.
    pub positions: HashMap<CommitId, usize>,
    /// The names of all commits, whether they are on the branch or not. Ours start with `ours`.
    pub names: Vec<String>,
    pub pushes: VecDeque<(PushEffect, PublishOutcome<TestError>)>,
    /// What every push does once those are used up.
    pub then: (PushEffect, PublishOutcome<TestError>),
    /// Faults before the tip can be read again.
    pub faults: VecDeque<FetchError<TestError>>,
    /// And after the first push.
    pub faults_after_push: VecDeque<FetchError<TestError>>,
    /// The answer to every question within the budget after the first push.
    pub down_after_push: Option<FetchError<TestError>>,
    pub deadline: Instant,
    /// Until when each answer was waited for.
    pub awaited_until: Vec<Instant>,
    pub made: u32,
    pub pushed: u32,
    pub looks: u32,
}

/// A branch with one commit, on which every push lands.
pub fn branch() -> FakeBranch {
    FakeBranch {
        commits: vec![commit(0)],
        positions: HashMap::from([(commit(0), 0)]),
        names: vec!["base".to_owned()],
        pushes: VecDeque::new(),
        then: (PushEffect::Lands, PublishOutcome::Published { commit: commit(0) }),
        faults: VecDeque::new(),
        faults_after_push: VecDeque::new(),
        down_after_push: None,
        deadline: Instant::now(),
        awaited_until: Vec::new(),
        made: 0,
        pushed: 0,
        looks: 0,
    }
}

impl FakeBranch {
    pub fn pushes(
        mut self,
        pushes: impl IntoIterator<Item = (PushEffect, PublishOutcome<TestError>)>,
    ) -> Self {
        self.pushes.extend(pushes);
        self
    }

    pub fn then(mut self, does: PushEffect, verdict: PublishOutcome<TestError>) -> Self {
        self.then = (does, verdict);
        self
    }

    pub fn faults(mut self, faults: impl IntoIterator<Item = FetchError<TestError>>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Makes a commit that is not on the branch yet.
    pub fn add(&mut self, name: String) -> CommitId {
        self.names.push(name);
        commit(self.names.len() - 1)
    }

    pub fn land(&mut self, id: CommitId) {
        self.positions.insert(id, self.commits.len());
        self.commits.push(id);
    }

    pub fn name(&self, id: CommitId) -> &str {
        &self.names[usize::from_str_radix(&id.to_string(), 16).unwrap()]
    }

    pub fn names_on_branch(&self) -> Vec<&str> {
        self.commits.iter().map(|id| self.name(*id)).collect()
    }

    pub fn ours(&self) -> usize {
        self.names_on_branch().iter().filter(|name| name.starts_with("ours")).count()
    }
}

impl TargetBranch for FakeBranch {
    type Error = TestError;

    fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError<TestError>> {
        self.looks += 1;
        self.awaited_until.push(deadline);
        let faults = if self.pushed > 0 { &mut self.faults_after_push } else { &mut self.faults };
        if let Some(error) = faults.pop_front() {
            return Err(error);
        }
        match &self.down_after_push {
            Some(down) if self.pushed > 0 && deadline <= self.deadline => Err(down.clone()),
            _ => Ok(Tip::of(*self.commits.last().unwrap())),
        }
    }

    fn files(&self, tip: &Tip) -> Result<Box<dyn FileSource + '_>, TestError> {
        let at = self.positions[&tip.commit];
        Ok(Box::new(CommitList(self.names_on_branch()[..=at].join("\n"))))
    }

    fn history(&self) -> &dyn History {
        self
    }

    fn commit(&mut self, tip: &Tip, proposal: &dyn Proposal) -> Result<CommitId, TestError> {
        self.made += 1;
        let message = proposal.message();
        let name = format!("ours-{}-on-{}: {message}", self.made, self.name(tip.commit));
        Ok(self.add(name))
    }

    fn publish(&mut self, commit: CommitId, _: Instant) -> PublishOutcome<TestError> {
        self.pushed += 1;
        let (does, verdict) = self.pushes.pop_front().unwrap_or_else(|| self.then.clone());
        let rival = format!("rival-{}", self.pushed);
        match does {
            PushEffect::Nothing => {}
            PushEffect::Lands => self.land(commit),
            PushEffect::Loses => {
                let rival = self.add(rival);
                self.land(rival);
            }
            PushEffect::Bumps => {
                let rival = self.add(format!("{rival} bumped"));
                self.land(rival);
            }
            PushEffect::LandsUnder => {
                let rival = self.add(rival);
                self.land(commit);
                self.land(rival);
            }
        }
        match verdict {
            PublishOutcome::Published { .. } => PublishOutcome::Published { commit },
            other => other,
        }
    }

    fn find(&mut self, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, TestError> {
        let is_there = self.positions.get(&commit).is_some_and(|at| *at <= self.positions[&tip.commit]);
        Ok(is_there.then_some(commit))
    }
}

impl super::History for FakeBranch {
    fn branch(&self) -> Option<&str> {
        None
    }

    fn may_lack_newer(&self, _: &str) -> bool {
        false
    }

    fn past(&self, _: Instant) -> Box<dyn crate::history::CommitStore + '_> {
        panic!("this test reads no past")
    }

    fn recent(&self, _: Instant, _: bool) -> Box<dyn crate::history::CommitStore + '_> {
        panic!("this test needs no history")
    }

    fn files_at(&self, _: CommitId) -> Box<dyn FileSource + '_> {
        panic!("this test reads no past")
    }

    fn range(&self, _old: &str, _new: &str) -> Option<crate::history::CommitRange> {
        None
    }

    fn has(&self, _: &str) -> bool {
        false
    }

    fn order(&self, _: &str, _: &str, _: Instant) -> BuildOrder {
        BuildOrder::Unknown("this test compares no builds".to_owned())
    }
}

/// One file, which lists the commits below the tip.
pub struct CommitList(String);

impl FileSource for CommitList {
    fn visit(&self, _: &Selection, _: VisitScope, _: Visitor<'_>) -> Result<FoundFiles, SourceError> {
        unreachable!("the bump below reads its file by name")
    }

    fn read(&self, _: &str, _: usize) -> Result<Option<FileContent>, SourceError> {
        Ok(Some(FileContent::Bytes(self.0.clone().into_bytes())))
    }
}

/// A plan and a message, and nothing besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainProposal {
    pub plan: Plan,
    pub message: String,
    pub waited: Duration,
}

impl Proposal for PlainProposal {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn message(&self) -> &str {
        &self.message
    }

    fn waited(&self) -> Duration {
        self.waited
    }
}

/// Plans nothing once one of our commits, or one that says `bumped`, is below the tip.
pub fn bump(seen: TipSnapshot<'_>) -> Result<PlainProposal, TestError> {
    let read = seen.files.read("k.yaml", usize::MAX).unwrap();
    let Some(FileContent::Bytes(commits)) = read else { panic!() };
    let commits = String::from_utf8(commits).unwrap();
    let is_there = |commit: &str| commit.starts_with("ours") || commit.contains("bumped");
    let edit = FileEdit { path: "k.yaml".to_owned(), before: b"v0".to_vec(), after: b"v1".to_vec() };
    let edits = if commits.lines().any(is_there) { Vec::new() } else { vec![edit] };
    Ok(PlainProposal {
        plan: Plan { edits, ..Plan::default() },
        message: "bump".to_owned(),
        waited: Duration::ZERO,
    })
}
