//! A branch that GitHub commits on, and signs: read by git, written by the API.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::commit::{Branches, From, Move, Verification, Wanted};
use super::graphql::GraphQl;
use crate::error::{Exit, Failure, Result};
use crate::git::{Course, GitPlace};
use crate::land::{History, Place, Tip, Trouble, Verdict};
use crate::plan::{FileEdit, Shelf};

/// What GitHub takes in one request is about 40 MB, and base64 makes 4 bytes of 3.
const MAX_FILES: usize = 28 * 1000 * 1000;

/// How long tidying up may take, beyond the budget.
const TIDY: Duration = Duration::from_secs(10);

/// The mode of a plain file, the only one that GitHub's API gives to a file.
const PLAIN: i32 = 0o100_644;

/// A branch of a repository on GitHub.
pub struct ApiPlace {
    git: GitPlace,
    branches: Branches,
    /// The commits that were made here, by their names here. GitHub makes its own of them.
    made: HashMap<String, Wanted>,
    verification: Option<Verification>,
}

impl ApiPlace {
    /// # Errors
    /// An address that is none, a remote that is no repository of GitHub's.
    pub fn new(git: GitPlace, graphql: &str, token: &str) -> Result<Self> {
        let repository = git.slug().ok_or_else(|| Failure::usage("the remote's URL names no repository"))?;
        let branches = Branches::new(GraphQl::new(git.http(), graphql, token)?, &repository);
        Ok(ApiPlace { git, branches, made: HashMap::new(), verification: None })
    }

    /// The same branch, as git sees it.
    pub fn git(&self) -> &GitPlace {
        &self.git
    }

    /// What GitHub says of the landed commit's signature; asks where that is not known yet.
    pub fn verification(&self, commit: &str, until: Instant) -> Option<Verification> {
        self.verification.clone().or_else(|| self.branches.verification(until, commit))
    }

    fn file(&self, tip: &Tip, edit: &FileEdit) -> Result<(String, Vec<u8>)> {
        let (path, mode) = self.git.file_mode(&tip.commit, &edit.path)?;
        if mode == PLAIN {
            return Ok((path, edit.after.clone()));
        }
        let why = format!("{}: has mode {mode:o}, which GitHub's API would make 100644", edit.path);
        Err(Failure::new(Exit::Unsafe, why).hinted("land it with --via git, or take the mode off the file"))
    }

    fn commit_on(&mut self, branch: &str, wanted: &Wanted, until: Instant) -> Result<String, Verdict> {
        let made = self.branches.commit(until, branch, wanted)?;
        self.verification = Some(made.verification);
        Ok(made.oid)
    }

    /// The new commit takes the place of what the branch holds. It is made on a branch of its own first: a
    /// branch that were set back to its base in between would have its pull request closed.
    fn commit_anew(
        &mut self,
        branch: &str,
        tip: &str,
        wanted: &Wanted,
        until: Instant,
    ) -> Result<String, Verdict> {
        let aside = format!("tagbump-aside/{:016x}", fastrand::u64(..));
        let made = self.commit_aside(&aside, branch, tip, wanted, until);
        if made.is_err() {
            // whatever became of it: nobody else knows of this branch. Where this fails too it is left behind
            let gone = Move { branch: &aside, from: From::Anything, to: None };
            let _ = self.branches.moves(until.max(Instant::now() + TIDY), &[gone]);
        }
        made
    }

    fn commit_aside(
        &mut self,
        aside: &str,
        branch: &str,
        tip: &str,
        wanted: &Wanted,
        until: Instant,
    ) -> Result<String, Verdict> {
        let start = Move { branch: aside, from: From::Nothing, to: Some(&wanted.parent) };
        self.branches.moves(until, &[start])?;
        let made = self.commit_on(aside, wanted, until)?;
        let put = Move { branch, from: From::At(tip), to: Some(&made) };
        let gone = Move { branch: aside, from: From::At(&made), to: None };
        self.branches.moves(until, &[put, gone]).map(|()| made)
    }

    fn try_publish(&mut self, commit: &str, until: Instant) -> Result<String, Verdict> {
        let course = self.git.course(commit);
        if course == Course::There {
            return Ok(commit.to_owned());
        }
        let unmade = || Verdict::Refused(Failure::other(format!("{commit} was not made here")));
        let wanted = self.made.get(commit).cloned().ok_or_else(unmade)?;
        match course {
            Course::There => Ok(commit.to_owned()),
            Course::OnTop { branch } => self.commit_on(&branch, &wanted, until),
            Course::New { branch } => {
                let start = Move { branch: &branch, from: From::Nothing, to: Some(&wanted.parent) };
                self.branches.moves(until, &[start])?;
                let made = self.commit_on(&branch, &wanted, until);
                if let Err(Verdict::Refused(_) | Verdict::Rejected { .. }) = made {
                    // an empty branch is no use to anybody
                    let gone = Move { branch: &branch, from: From::At(&wanted.parent), to: None };
                    let _ = self.branches.moves(until.max(Instant::now() + TIDY), &[gone]);
                }
                made
            }
            Course::Anew { branch, tip } => self.commit_anew(&branch, &tip, &wanted, until),
        }
    }
}

impl Place for ApiPlace {
    fn tip(&mut self, until: Instant) -> Result<Tip, Trouble> {
        self.git.tip(until)
    }

    fn files(&self, tip: &Tip) -> Result<Box<dyn Shelf + '_>> {
        self.git.files(tip)
    }

    fn history(&self) -> &dyn History {
        self.git.history()
    }

    fn commit(&mut self, tip: &Tip, edits: &[FileEdit], message: &str) -> Result<String> {
        let files = edits.iter().map(|edit| self.file(tip, edit)).collect::<Result<Vec<_>>>()?;
        if files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MAX_FILES {
            return Err(Failure::new(
                Exit::Unsafe,
                "the changed files are more than GitHub's API takes at once",
            )
            .hinted("land them with --via git"));
        }
        let commit = self.git.commit(tip, edits, message)?;
        let wanted = Wanted { parent: tip.commit.clone(), message: message.to_owned(), files };
        self.made.insert(commit.clone(), wanted);
        Ok(commit)
    }

    fn publish(&mut self, commit: &str, until: Instant) -> Verdict {
        if let Some(verdict) = self.git.keep_others(commit) {
            return verdict;
        }
        self.git.expect(commit);
        match self.try_publish(commit, until) {
            Ok(commit) => Verdict::Published { commit },
            Err(verdict) => verdict,
        }
    }

    fn find(&mut self, tip: &Tip, commit: &str) -> Result<Option<String>> {
        self.git.find_twin(tip, commit)
    }
}
