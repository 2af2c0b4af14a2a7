//! Pushes a commit to one branch, if the branch is where it is expected to be.
//!
//! To find out what the server already has, libgit2's own push reads every folder of the remote's branches. Here the
//! new objects are known: those in the new commits' folders that their parents' folders lack.
//!
//! Source: git's `Documentation/gitprotocol-pack.txt`, "Pushing Data To a Server", and `gitprotocol-http.txt`.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use git2::transport::{Service, SmartSubtransportStream};
use git2::{ErrorClass, ErrorCode, ObjectType, Oid, PackBuilder, Repository, Tree};

use super::answers::{AnswerError, PushReport, RefAdvertisement, read_advertisement, read_push_report};
use super::oid::oid;
use super::pkt_line;
use super::transport::{Endpoint, TransferError};
use crate::object_id::CommitId;

/// What to push, and where.
pub struct PushRequest<'a> {
    pub repo: &'a Repository,
    pub commit: CommitId,
    pub branch: &'a str,
    /// Where the branch must be; `None` means that it must not exist.
    pub expected: Option<CommitId>,
    /// Commits that the server has, together with all their ancestors.
    pub known: Vec<CommitId>,
    /// git's `push.pushOption`, for the server's hooks, and those of a merge request.
    pub options: &'a [String],
    /// Whether there are any of a merge request.
    pub makes_merge_request: bool,
    /// What the server said about the branch before the fetch ended, if it was asked.
    pub early: Option<RefAdvertisement>,
}

/// The server's answer.
#[derive(Debug)]
pub enum PushResult {
    /// With what the server's programs printed.
    Accepted { printed: String },
    /// The branch is not where it was expected to be, so nothing was sent.
    RefMoved,
    /// The server refused: the reason, and what its programs printed.
    Rejected { status: String, message: String },
}

/// Pushes. After an error, the commit may have landed or not.
pub fn push(
    endpoint: &Arc<Endpoint>,
    push: &PushRequest<'_>,
    deadline: Instant,
) -> Result<PushResult, TransferError> {
    endpoint.during(deadline, || push.run(endpoint))
}

impl PushRequest<'_> {
    fn run(&self, endpoint: &Arc<Endpoint>) -> Result<PushResult, git2::Error> {
        if let Some(early) = self.early.as_ref().filter(|early| self.can_start_with(early)) {
            let mut stream = endpoint.open(Service::ReceivePack).map_err(|e| lost(&e))?;
            return self.send(&mut *stream, early);
        }
        let mut stream = endpoint.open(Service::ReceivePackLs).map_err(|e| lost(&e))?;
        let advertised = read_advertisement(&mut *stream, &self.full_name());
        let advertised = advertised.map_err(|e| lost(&endpoint.refuse(e)))?;
        if let Some(status) = advertised.refusal {
            return Ok(PushResult::Rejected { status, message: String::new() });
        }
        if advertised.tip != self.expected {
            if !endpoint.is_stateless() {
                // end the conversation politely; the server ends it in any case
                let _ = stream.write_all(pkt_line::FLUSH);
            }
            return Ok(PushResult::RefMoved);
        }
        if !self.options.is_empty() && !advertised.push_options {
            let error = match self.makes_merge_request {
                true => AnswerError::NoMergeRequestOptions,
                false => AnswerError::NoPushOptions,
            };
            return Err(lost(&endpoint.refuse(error)));
        }
        if endpoint.is_stateless() {
            drop(stream);
            stream = endpoint.open(Service::ReceivePack).map_err(|e| lost(&e))?;
        }
        self.send(&mut *stream, &advertised)
    }

    /// Whether the push can start with an early list. If not, the server is asked again.
    fn can_start_with(&self, early: &RefAdvertisement) -> bool {
        let takes_options = self.options.is_empty() || early.push_options;
        early.refusal.is_none() && early.tip == self.expected && takes_options
    }

    /// Sends the command and the new objects, and reads the answer.
    fn send(
        &self,
        stream: &mut dyn SmartSubtransportStream,
        advertised: &RefAdvertisement,
    ) -> Result<PushResult, git2::Error> {
        let mut request = pkt_line::line(&self.command(advertised));
        request.extend_from_slice(pkt_line::FLUSH);
        if !self.options.is_empty() {
            self.options.iter().for_each(|option| request.extend(pkt_line::line(option.as_bytes())));
            request.extend_from_slice(pkt_line::FLUSH);
        }
        request.extend_from_slice(&self.pack()?);
        stream.write_all(&request).and_then(|()| stream.flush()).map_err(|e| lost(&e))?;
        self.answer(stream, advertised.side_band)
    }

    fn full_name(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    fn command(&self, advertised: &RefAdvertisement) -> Vec<u8> {
        let old = self.expected.map_or(Oid::ZERO_SHA1, oid);
        let side_band = if advertised.side_band { " side-band-64k" } else { "" };
        let agent = concat!("agent=git/2-tagbump-", env!("CARGO_PKG_VERSION"));
        let options = if self.options.is_empty() { "" } else { " push-options" };
        let capabilities = format!("report-status{side_band}{options} {agent}");
        format!("{old} {} {}\0 {capabilities}", self.commit, self.full_name()).into_bytes()
    }

    fn pack(&self) -> Result<Vec<u8>, git2::Error> {
        let mut pack = self.repo.packbuilder()?;
        pack.set_threads(1);
        let mut walk = self.repo.revwalk()?;
        walk.push(oid(self.commit))?;
        let known = self.known.iter().map(|known| oid(*known));
        for known in known.filter(|known| self.repo.find_commit(*known).is_ok()) {
            walk.hide(known)?;
        }
        for oid in walk {
            let commit = self.repo.find_commit(oid?)?;
            pack.insert_object(commit.id(), None)?;
            let before = commit.parent(0).ok().map(|parent| parent.tree()).transpose()?;
            insert_new(self.repo, &mut pack, &commit.tree()?, before.as_ref())?;
        }
        let mut bytes = git2::Buf::new();
        pack.write_buf(&mut bytes)?;
        Ok(bytes.to_vec())
    }

    fn answer(
        &self,
        stream: &mut dyn SmartSubtransportStream,
        side_band: bool,
    ) -> Result<PushResult, git2::Error> {
        // even if the answer is malformed, the push may have landed
        let report =
            read_push_report(stream, side_band, &self.full_name()).map_err(|e| net(&e.to_string()))?;
        Ok(match report {
            PushReport::Accepted { text } => PushResult::Accepted { printed: text },
            PushReport::Rejected { status, text } => PushResult::Rejected { status, message: text },
        })
    }
}

/// Inserts everything in a folder that `before` doesn't have under the same name.
fn insert_new(
    repo: &Repository,
    pack: &mut PackBuilder<'_>,
    tree: &Tree<'_>,
    before: Option<&Tree<'_>>,
) -> Result<(), git2::Error> {
    if before.is_some_and(|before| before.id() == tree.id()) {
        return Ok(());
    }
    pack.insert_object(tree.id(), None)?;
    for entry in tree {
        let old = before.and_then(|before| before.get_name_bytes(entry.name_bytes()));
        if old.as_ref().is_some_and(|old| old.id() == entry.id()) {
            continue;
        }
        match entry.kind() {
            Some(ObjectType::Tree) => {
                let old = old.filter(|old| old.kind() == Some(ObjectType::Tree));
                let old = old.map(|old| repo.find_tree(old.id())).transpose()?;
                insert_new(repo, pack, &repo.find_tree(entry.id())?, old.as_ref())?;
            }
            Some(ObjectType::Blob) => pack.insert_object(entry.id(), None)?,
            // a submodule's commit is in another repository
            _ => {}
        }
    }
    Ok(())
}

fn lost(error: &std::io::Error) -> git2::Error {
    net(&error.to_string())
}

fn net(text: &str) -> git2::Error {
    git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, text.replace('\0', " "))
}
