//! Commits and branches by GitHub's GraphQL API: `createCommitOnBranch`, which signs the commit, and
//! `updateRefs`. Both compare before they write.

use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use super::error::GitHubError;
use super::graphql::{GraphQl, GraphQlResponse};
use super::known_messages::{KnownMessage, classify};
use crate::forge::ForgeError;
use crate::landing::remote::{Verification, rules};
use crate::landing::{FetchError, PublishOutcome};
use crate::object_id::CommitId;

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

/// A commit to make.
#[derive(Clone, Debug)]
pub struct CommitSpec {
    pub parent: CommitId,
    pub message: String,
    /// Path below the repository's top, and the whole file.
    pub files: Vec<(String, Vec<u8>)>,
}

/// A commit that was made.
#[derive(Debug)]
pub struct CreatedCommit {
    pub id: CommitId,
    pub verification: Verification,
}

/// A move of a branch.
pub struct BranchMove<'a> {
    pub branch: &'a str,
    pub from: ExpectedRef,
    /// `None` deletes the branch.
    pub to: Option<CommitId>,
}

/// Where a branch must be before it is moved.
#[derive(Clone, Copy)]
pub enum ExpectedRef {
    /// No such branch.
    Nothing,
    /// A branch at this commit.
    At(CommitId),
    /// Anywhere.
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
    /// Why not, as the landing loop needs it.
    pub fn commit(
        &self,
        deadline: Instant,
        branch: &str,
        wanted: &CommitSpec,
    ) -> Result<CreatedCommit, PublishOutcome<ForgeError>> {
        let (headline, body) = wanted.message.split_once('\n').unwrap_or((&wanted.message, ""));
        let file = |(path, bytes): &(String, Vec<u8>)| json!({"path": path, "contents": BASE64_STANDARD.encode(bytes)});
        let input = json!({
            "branch": {"repositoryNameWithOwner": format!("{}/{}", self.owner, self.name), "branchName": branch},
            "expectedHeadOid": wanted.parent.to_string(),
            "message": {"headline": headline, "body": body.trim()},
            "fileChanges": {"additions": wanted.files.iter().map(file).collect::<Vec<_>>()},
        });
        let data = self.write(deadline, COMMIT, &json!({"input": input}))?;
        made_commit(&data)
    }

    /// Moves branches, all of them or none.
    ///
    /// # Errors
    /// Why not, as the landing loop needs it.
    pub fn moves(
        &mut self,
        deadline: Instant,
        moves: &[BranchMove<'_>],
    ) -> Result<(), PublishOutcome<ForgeError>> {
        let update = |branch_move: &BranchMove<'_>| {
            let (name, after) = (
                format!("refs/heads/{}", branch_move.branch),
                branch_move.to.map_or(NONE.to_owned(), |to| to.to_string()),
            );
            match branch_move.from {
                ExpectedRef::Anything => json!({"name": name, "afterOid": after, "force": true}),
                ExpectedRef::Nothing => json!({"name": name, "beforeOid": NONE, "afterOid": after}),
                ExpectedRef::At(before) => {
                    json!({"name": name, "beforeOid": before.to_string(), "afterOid": after, "force": true})
                }
            }
        };
        let updates: Vec<_> = moves.iter().map(update).collect();
        let input = json!({"repositoryId": self.id(deadline)?, "refUpdates": updates});
        self.write(deadline, REFS, &json!({"input": input})).map(|_| ())
    }

    /// Whether GitHub verified a commit's signature.
    pub fn verification(&self, deadline: Instant, commit: CommitId) -> Verification {
        let variables = json!({"owner": self.owner, "name": self.name, "oid": commit.to_string()});
        let Ok(GraphQlResponse::Data(data)) = self.graphql.once(deadline, SIGNATURE, &variables) else {
            return Verification::Unknown;
        };
        data["repository"]["object"].get("signature").map_or(Verification::Unknown, verification)
    }

    fn id(&mut self, deadline: Instant) -> Result<String, PublishOutcome<ForgeError>> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let data = self.write(deadline, REPOSITORY, &json!({"owner": self.owner, "name": self.name}))?;
        let id = data["repository"]["id"].as_str().map(str::to_owned).ok_or_else(|| {
            PublishOutcome::RejectedUnclear {
                message: format!("GitHub didn't find {}/{}", self.owner, self.name),
            }
        })?;
        self.id = Some(id.clone());
        Ok(id)
    }

    fn write(
        &self,
        deadline: Instant,
        query: &str,
        variables: &Value,
    ) -> Result<Value, PublishOutcome<ForgeError>> {
        match self.graphql.once(deadline, query, variables) {
            Ok(GraphQlResponse::Data(data)) => Ok(data),
            Ok(GraphQlResponse::Error { kind, message }) => Err(api_error(&kind, message)),
            Err(FetchError::Transient { what, retry_after }) => {
                Err(PublishOutcome::Unknown { what, retry_after })
            }
            Err(FetchError::Unreachable { what }) => Err(PublishOutcome::Unknown { what, retry_after: None }),
            Err(FetchError::Permanent(error)) => Err(PublishOutcome::Refused(error)),
        }
    }
}

/// The commit that was made, by an answer.
///
/// # Errors
/// If the answer names no commit: it may have been made or not.
pub fn made_commit(data: &Value) -> Result<CreatedCommit, PublishOutcome<ForgeError>> {
    let commit = &data["createCommitOnBranch"]["commit"];
    let id = commit["oid"].as_str().and_then(CommitId::parse);
    let id = id.ok_or_else(|| PublishOutcome::Unknown {
        what: "GitHub's API didn't return a commit".to_owned(),
        retry_after: None,
    })?;
    Ok(CreatedCommit { id, verification: verification(&commit["signature"]) })
}

/// GitHub reports a lost race by a type, or else by a known message. Other errors may be a race or a rule.
pub fn api_error(kind: &str, message: String) -> PublishOutcome<ForgeError> {
    let is_race = kind == "STALE_DATA" || classify(&message) == Some(KnownMessage::BranchMoved);
    let rules = rules("", &message);
    match kind {
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => {
            PublishOutcome::Refused(GitHubError::CommitForbidden { message }.into())
        }
        _ if is_race => PublishOutcome::NonFastForward { what: message },
        _ if !rules.is_empty() => PublishOutcome::Refused(GitHubError::Declined { rules, message }.into()),
        // "Something went wrong while executing your query"
        "" | "INTERNAL" | "SERVICE_UNAVAILABLE" => {
            PublishOutcome::Unknown { what: message, retry_after: None }
        }
        _ => PublishOutcome::RejectedUnclear { message },
    }
}

/// A commit without a signature is unverified.
fn verification(signature: &Value) -> Verification {
    match signature["isValid"] == true {
        true => Verification::Verified,
        false => Verification::Unverified {
            state: signature["state"].as_str().map_or_else(|| "UNSIGNED".to_owned(), short_word),
        },
    }
}

/// One of GitHub's own words, such as `BAD_EMAIL`. Anything else isn't shown.
fn short_word(text: &str) -> String {
    let fits = text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    if fits { text.to_owned() } else { "unknown".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn races_and_rules_are_distinguished() {
        let race = "Expected branch to point to \"1\" but it did not.  Pull and try again.";
        assert!(matches!(api_error("STALE_DATA", String::new()), PublishOutcome::NonFastForward { .. }));
        assert!(matches!(api_error("", race.to_owned()), PublishOutcome::NonFastForward { .. }));
        assert!(matches!(api_error("", "Something went wrong".to_owned()), PublishOutcome::Unknown { .. }));
        assert!(matches!(
            api_error("UNPROCESSABLE", "no".to_owned()),
            PublishOutcome::RejectedUnclear { .. }
        ));
        assert!(matches!(api_error("FORBIDDEN", "no".to_owned()), PublishOutcome::Refused(_)));
        let rule = "Changes must be made through a pull request.".to_owned();
        let PublishOutcome::Refused(error) = api_error("UNPROCESSABLE", rule) else { panic!("not refused") };
        assert_eq!(
            error.to_string(),
            "GitHub's API rejected the commit: Changes must be made through a pull request."
        );
    }

    #[test]
    fn commit_is_unknown_without_its_name() {
        let answer = |oid: &Value| json!({"createCommitOnBranch": {"commit": {"oid": oid}}});
        let sha = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(made_commit(&answer(&json!(sha))).unwrap().id.to_string(), sha);
        for oid in [json!(null), json!(""), json!(&sha[1..]), json!(format!("{}\n", &sha[1..])), json!(7)] {
            assert!(matches!(made_commit(&answer(&oid)), Err(PublishOutcome::Unknown { .. })), "{oid}");
        }
        let of_state = |state: &str| verification(&json!({"isValid": false, "state": state}));
        let unverified = |state: &str| Verification::Unverified { state: state.to_owned() };
        assert_eq!(of_state("BAD_EMAIL"), unverified("BAD_EMAIL"));
        assert_eq!(of_state("x](https://evil.example)"), unverified("unknown"));
    }
}
