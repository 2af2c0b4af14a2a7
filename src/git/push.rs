//! Pushing a commit to one branch, if that is where it is expected to be.
//!
//! libgit2's own push reads every folder of the remote's branches, to find out what need not be sent. What is
//! new is known here: what the new commits' folders have that their parents' have not.
//!
//! Source: git's `Documentation/gitprotocol-pack.txt`, "Pushing Data To a Server", and `gitprotocol-http.txt`.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use git2::transport::{Service, SmartSubtransportStream};
use git2::{ErrorClass, ErrorCode, ObjectType, Oid, PackBuilder, Repository, Tree};

use super::packet::{self, Packet};
use super::transport::{Endpoint, Stopped};

/// How much of the server's words is kept.
const MAX_WORDS: usize = 64 * 1024;
/// A report on one reference is a line or two.
const MAX_REPORT: usize = 64 * 1024;

/// What is pushed where.
pub struct Push<'a> {
    pub repo: &'a Repository,
    pub commit: Oid,
    pub branch: &'a str,
    /// What the branch must point at; nothing: it must not be there.
    pub expected: Option<Oid>,
    /// Commits that the server has, whatever comes before them too.
    pub known: Vec<Oid>,
}

/// What the server said.
#[derive(Debug)]
pub enum Answer {
    Done,
    /// The branch is not where it was expected to be: nothing was sent.
    Moved,
    /// It says no: why, and its words on the side.
    No {
        status: String,
        words: String,
    },
}

/// Pushes. An error is a fault on the way, after which it may have landed or not.
pub fn push(endpoint: &Arc<Endpoint>, push: &Push<'_>, until: Instant) -> Result<Answer, Stopped> {
    endpoint.during(until, || push.run(endpoint))
}

impl Push<'_> {
    fn run(&self, endpoint: &Arc<Endpoint>) -> Result<Answer, git2::Error> {
        let mut stream = endpoint.open(Service::ReceivePackLs).map_err(|e| lost(&e))?;
        let advertised = self.advertised(&mut *stream)?;
        if let Some(status) = advertised.refusal {
            return Ok(Answer::No { status, words: String::new() });
        }
        if advertised.tip != self.expected {
            if !endpoint.is_stateless() {
                // goodbye; who does not hear it ends as well
                let _ = stream.write_all(packet::FLUSH);
            }
            return Ok(Answer::Moved);
        }
        let mut request = packet::line(&self.command(&advertised));
        request.extend_from_slice(packet::FLUSH);
        request.extend_from_slice(&self.pack()?);
        if endpoint.is_stateless() {
            drop(stream);
            stream = endpoint.open(Service::ReceivePack).map_err(|e| lost(&e))?;
        }
        stream.write_all(&request).and_then(|()| stream.flush()).map_err(|e| lost(&e))?;
        self.answer(&mut *stream, advertised.side_band)
    }

    fn full_name(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// What the server has under that name.
    fn advertised(&self, stream: &mut dyn SmartSubtransportStream) -> Result<Advertised, git2::Error> {
        let wanted = self.full_name();
        let mut found = Advertised { tip: None, side_band: false, refusal: None };
        let mut first = true;
        loop {
            let line = match packet::read(stream).map_err(|e| lost(&e))? {
                Packet::Line(line) => line,
                // HTTP's greeting ends with one of its own
                Packet::Flush if first => continue,
                Packet::Flush => return Ok(found),
            };
            if line.starts_with(b"# service=") {
                continue;
            }
            if let Some(why) = line.strip_prefix(b"ERR ") {
                found.refusal = Some(String::from_utf8_lossy(why).trim().to_owned());
                return Ok(found);
            }
            let text = String::from_utf8_lossy(&line);
            let (reference, capabilities) = text.split_once('\0').unwrap_or((&text, ""));
            if first {
                found.side_band = capabilities.split_ascii_whitespace().any(|c| c == "side-band-64k");
                first = false;
            }
            if let Some((oid, name)) = reference.trim_end().split_once(' ')
                && name == wanted
            {
                found.tip = Some(Oid::from_str(oid)?);
            }
        }
    }

    fn command(&self, advertised: &Advertised) -> Vec<u8> {
        let old = self.expected.unwrap_or(Oid::ZERO_SHA1);
        let side_band = if advertised.side_band { " side-band-64k" } else { "" };
        let agent = concat!("agent=git/2-tagbump-", env!("CARGO_PKG_VERSION"));
        format!("{old} {} {}\0 report-status{side_band} {agent}", self.commit, self.full_name()).into_bytes()
    }

    fn pack(&self) -> Result<Vec<u8>, git2::Error> {
        let mut pack = self.repo.packbuilder()?;
        pack.set_threads(1);
        let mut walk = self.repo.revwalk()?;
        walk.push(self.commit)?;
        for known in self.known.iter().filter(|known| self.repo.find_commit(**known).is_ok()) {
            walk.hide(*known)?;
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
    ) -> Result<Answer, git2::Error> {
        if !side_band {
            let mut report = Vec::new();
            while let Packet::Line(line) = packet::read(stream).map_err(|e| lost(&e))? {
                keep(&mut report, &packet::line(&line), MAX_REPORT);
            }
            return self.judge(&report, String::new());
        }
        let (mut report, mut words) = (Vec::new(), Vec::new());
        loop {
            let line = match packet::read(stream).map_err(|e| lost(&e))? {
                Packet::Flush => break,
                Packet::Line(line) => line,
            };
            match line.split_first() {
                Some((1, bytes)) => keep(&mut report, bytes, MAX_REPORT),
                Some((2, bytes)) => keep(&mut words, bytes, MAX_WORDS),
                Some((_, bytes)) => {
                    keep(&mut words, bytes, MAX_WORDS);
                    return Err(net(&format!(
                        "the server gave up: {}",
                        String::from_utf8_lossy(&words).trim()
                    )));
                }
                None => {}
            }
        }
        self.judge(&report, String::from_utf8_lossy(&words).trim().to_owned())
    }

    /// `unpack ok`, then `ok REFERENCE` or `ng REFERENCE WHY`.
    fn judge(&self, mut report: &[u8], words: String) -> Result<Answer, git2::Error> {
        let name = self.full_name();
        while let Ok(Packet::Line(line)) = packet::read(&mut report) {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if let Some(why) = text.strip_prefix("unpack ").filter(|why| *why != "ok") {
                return Ok(Answer::No { status: format!("unpacker error: {why}"), words });
            }
            if text.strip_prefix("ok ") == Some(name.as_str()) {
                return Ok(Answer::Done);
            }
            let refused = text.strip_prefix("ng ").and_then(|rest| rest.strip_prefix(name.as_str()));
            if let Some(why) = refused {
                return Ok(Answer::No { status: why.trim().to_owned(), words });
            }
        }
        Err(net("unexpected EOF: the server does not say what became of the push"))
    }
}

/// What is said of the branch, and of how to talk.
struct Advertised {
    tip: Option<Oid>,
    side_band: bool,
    /// Why it does not want to talk.
    refusal: Option<String>,
}

/// Everything below a folder that another one has not under the same name.
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

fn keep(kept: &mut Vec<u8>, bytes: &[u8], most: usize) {
    let room = most.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

fn lost(error: &std::io::Error) -> git2::Error {
    net(&error.to_string())
}

fn net(text: &str) -> git2::Error {
    git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, text.replace('\0', " "))
}
