//! Commits and branches by GitHub's GraphQL API: `createCommitOnBranch`, which signs the commit, and
//! `updateRefs`. Both compare before they write.

use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use super::graphql::{GraphQl, Said};
use crate::error::{Exit, Failure};
use crate::land::{Trouble, Verdict};
use crate::timeline::Id;

const COMMIT: &str = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { \
                      commit { oid signature { isValid state } } } }";
const SIGNATURE: &str = "query($owner: String!, $name: String!, $oid: GitObjectID!) { \
                         repository(owner: $owner, name: $name) { object(oid: $oid) { \
                         ... on Commit { signature { isValid state } } } } }";
const REPOSITORY: &str =
    "query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { id } }";
const REFS: &str = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";

/// The name that stands for no commit at all.
const NONE: &str = "0000000000000000000000000000000000000000";

/// A commit to be made.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub parent: String,
    pub message: String,
    /// Path below the repository's top, and the whole file.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Whether GitHub shows the commit as verified, and what it says of the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    pub verified: bool,
    pub state: String,
}

/// A commit that was made.
#[derive(Debug)]
pub struct Made {
    pub oid: String,
    pub verification: Verification,
}

/// A branch that is to be moved.
pub struct Move<'a> {
    pub branch: &'a str,
    pub from: From<'a>,
    /// Nothing: it is taken away.
    pub to: Option<&'a str>,
}

/// What must be there before a branch is moved.
#[derive(Clone, Copy)]
pub enum From<'a> {
    /// No such branch.
    Nothing,
    /// A branch at this commit.
    At(&'a str),
    /// Whatever it is.
    Anything,
}

/// A repository's branches.
pub struct Branches {
    graphql: GraphQl,
    owner: String,
    name: String,
    id: Option<String>,
}

impl Branches {
    /// `repository` is `owner/name`.
    pub fn new(graphql: GraphQl, repository: &str) -> Self {
        let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
        Branches { graphql, owner: owner.to_owned(), name: name.to_owned(), id: None }
    }

    /// Makes a commit on a branch that is at its parent.
    ///
    /// # Errors
    /// Why not, as landing wants to know it.
    pub fn commit(&self, until: Instant, branch: &str, wanted: &Wanted) -> Result<Made, Verdict> {
        let (headline, body) = wanted.message.split_once('\n').unwrap_or((&wanted.message, ""));
        let file = |(path, bytes): &(String, Vec<u8>)| json!({"path": path, "contents": BASE64_STANDARD.encode(bytes)});
        let input = json!({
            "branch": {"repositoryNameWithOwner": format!("{}/{}", self.owner, self.name), "branchName": branch},
            "expectedHeadOid": wanted.parent,
            "message": {"headline": headline, "body": body.trim()},
            "fileChanges": {"additions": wanted.files.iter().map(file).collect::<Vec<_>>()},
        });
        let data = self.write(until, COMMIT, &json!({"input": input}))?;
        made_commit(&data)
    }

    /// Moves branches, all of them or none.
    ///
    /// # Errors
    /// Why not, as landing wants to know it.
    pub fn moves(&mut self, until: Instant, moves: &[Move<'_>]) -> Result<(), Verdict> {
        let one = |it: &Move<'_>| {
            let (name, after) = (format!("refs/heads/{}", it.branch), it.to.unwrap_or(NONE));
            match it.from {
                From::Anything => json!({"name": name, "afterOid": after, "force": true}),
                From::Nothing => json!({"name": name, "beforeOid": NONE, "afterOid": after}),
                From::At(before) => {
                    json!({"name": name, "beforeOid": before, "afterOid": after, "force": true})
                }
            }
        };
        let updates: Vec<_> = moves.iter().map(one).collect();
        let input = json!({"repositoryId": self.id(until)?, "refUpdates": updates});
        self.write(until, REFS, &json!({"input": input})).map(|_| ())
    }

    /// What GitHub says of a commit's signature; nothing where it can't be asked.
    pub fn verification(&self, until: Instant, commit: &str) -> Option<Verification> {
        let variables = json!({"owner": self.owner, "name": self.name, "oid": commit});
        match self.graphql.once(until, SIGNATURE, &variables) {
            Ok(Said::Data(data)) => Some(verification(data["repository"]["object"].get("signature")?)),
            Ok(Said::Error { .. }) | Err(_) => None,
        }
    }

    fn id(&mut self, until: Instant) -> Result<String, Verdict> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let data = self.write(until, REPOSITORY, &json!({"owner": self.owner, "name": self.name}))?;
        let id = data["repository"]["id"].as_str().map(str::to_owned).ok_or_else(|| Verdict::Rejected {
            words: format!("{}/{} is not there", self.owner, self.name),
        })?;
        self.id = Some(id.clone());
        Ok(id)
    }

    fn write(&self, until: Instant, query: &str, variables: &Value) -> Result<Value, Verdict> {
        match self.graphql.once(until, query, variables) {
            Ok(Said::Data(data)) => Ok(data),
            Ok(Said::Error { kind, message }) => Err(api_error(&kind, message)),
            Err(Trouble::Passing { what, retry_after }) => Err(Verdict::Unknown { what, retry_after }),
            Err(Trouble::Unreachable { what }) => Err(Verdict::Unknown { what, retry_after: None }),
            Err(Trouble::Final(failure)) => Err(Verdict::Refused(failure)),
        }
    }
}

/// The commit that an answer says was made.
///
/// # Errors
/// An answer without the name of one: it may have been made or not.
pub fn made_commit(data: &Value) -> Result<Made, Verdict> {
    let commit = &data["createCommitOnBranch"]["commit"];
    let oid = commit["oid"].as_str().filter(|oid| Id::parse(oid).is_some());
    let oid = oid.ok_or_else(|| Verdict::Unknown {
        what: "GitHub's API gave no commit".to_owned(),
        retry_after: None,
    })?;
    Ok(Made { oid: oid.to_ascii_lowercase(), verification: verification(&commit["signature"]) })
}

/// GitHub tells a lost race by a type; without one, its words for one. Other errors may be a race or a rule.
pub fn api_error(kind: &str, message: String) -> Verdict {
    let is_race = kind == "STALE_DATA" || message.contains("Expected branch to point to");
    match kind {
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => Verdict::Refused(
            Failure::new(Exit::Refused, format!("GitHub's API refuses the commit: {message}"))
                .hinted("the token may not write: give the job permissions: contents: write"),
        ),
        _ if is_race => Verdict::Stale { what: message },
        // "Something went wrong while executing your query"
        "" | "INTERNAL" | "SERVICE_UNAVAILABLE" => Verdict::Unknown { what: message, retry_after: None },
        _ => Verdict::Rejected { words: message },
    }
}

/// A commit without a signature has none to look at.
fn verification(signature: &Value) -> Verification {
    Verification {
        verified: signature["isValid"] == true,
        state: signature["state"].as_str().map_or_else(|| "UNSIGNED".to_owned(), short_word),
    }
}

/// A word of GitHub's own, as `BAD_EMAIL`; of anything else nothing is shown.
fn short_word(text: &str) -> String {
    let fits = text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    if fits { text.to_owned() } else { "unknown".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn races_and_rules_are_told_apart() {
        let race = "Expected branch to point to \"1\" but it did not.  Pull and try again.";
        assert!(matches!(api_error("STALE_DATA", String::new()), Verdict::Stale { .. }));
        assert!(matches!(api_error("", race.to_owned()), Verdict::Stale { .. }));
        assert!(matches!(api_error("", "Something went wrong".to_owned()), Verdict::Unknown { .. }));
        assert!(matches!(api_error("UNPROCESSABLE", "no".to_owned()), Verdict::Rejected { .. }));
        assert!(matches!(api_error("FORBIDDEN", "no".to_owned()), Verdict::Refused(_)));
    }

    #[test]
    fn commit_is_unknown_without_its_name() {
        let answer = |oid: &Value| json!({"createCommitOnBranch": {"commit": {"oid": oid}}});
        let sha = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(made_commit(&answer(&json!(sha))).unwrap().oid, sha);
        for oid in [json!(null), json!(""), json!(&sha[1..]), json!(format!("{}\n", &sha[1..])), json!(7)] {
            assert!(matches!(made_commit(&answer(&oid)), Err(Verdict::Unknown { .. })), "{oid}");
        }
        let state = |state: &str| verification(&json!({"isValid": false, "state": state})).state;
        assert_eq!((&*state("BAD_EMAIL"), &*state("x](https://evil.example)")), ("BAD_EMAIL", "unknown"));
    }
}
