//! The GitHub Actions runner. Reads what it provides about the run (in the environment and the event file), and
//! writes what it collects: `outputs`, the job `summary`, and annotations as `commands`.
//!
//! For the variables, see GitHub's "Default environment variables" and "Events that trigger workflows".

mod as_text;
mod channels;
pub mod commands;
pub mod outputs;
pub mod summary;

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::ci::{Pipeline, System, is_branch_name};
use crate::environment::Environment;
use crate::object_id::CommitId;
use crate::tag::Source;

pub use as_text::{as_text, log_has_commands};
pub use channels::Channels;
pub use outputs::RunnerFileError;

/// Event files have some tens of kilobytes; a larger one is ignored.
const MAX_EVENT: u64 = 25 * 1000 * 1000;

/// The run, as far as the runner describes it; empty outside of GitHub Actions.
#[derive(Clone, Debug, Default)]
pub struct ActionsRun {
    /// Whether this is a run of GitHub Actions.
    pub active: bool,
    event_name: String,
    event: Value,
    sha: Option<String>,
    ref_name: Option<String>,
    ref_type: Option<String>,
    full_ref: Option<String>,
    head_ref: Option<String>,
    number: Option<String>,
    /// `owner/name` of the repository whose workflow runs.
    pub repository: Option<String>,
}

/// The API endpoints of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrls {
    pub rest: String,
    pub graphql: String,
}

impl ActionsRun {
    /// Reads the environment; returns an empty run outside of GitHub Actions.
    pub fn read(environment: &Environment) -> Self {
        if environment.get("GITHUB_ACTIONS") != Some("true") {
            return ActionsRun::default();
        }
        let var = |name| environment.get(name).map(str::to_owned);
        ActionsRun {
            active: true,
            event_name: var("GITHUB_EVENT_NAME").unwrap_or_default(),
            event: environment.get("GITHUB_EVENT_PATH").map_or(Value::Null, |path| event(Path::new(path))),
            sha: var("GITHUB_SHA").filter(|sha| is_sha(sha)),
            ref_name: var("GITHUB_REF_NAME"),
            ref_type: var("GITHUB_REF_TYPE"),
            full_ref: var("GITHUB_REF"),
            head_ref: var("GITHUB_HEAD_REF"),
            number: var("GITHUB_RUN_NUMBER"),
            repository: var("GITHUB_REPOSITORY"),
        }
    }

    /// Whether tagbump's action runs this: `action.yml` sets this variable on every run.
    pub fn is_by_action(environment: &Environment) -> bool {
        environment.get("TAGBUMP_ACTION_COMMAND").is_some()
    }

    /// Whether a person started the workflow, or a program in the same way (`workflow_dispatch`).
    pub fn is_started_by_hand(&self) -> bool {
        self.event_name == "workflow_dispatch"
    }

    /// The REST and GraphQL APIs of the host of a repository's web page. For the runner's own server, the
    /// runner provides them; otherwise they follow GitHub's scheme (docs: "REST API", "GitHub Enterprise
    /// Server").
    pub fn apis(&self, environment: &Environment, page: &str) -> Option<ApiUrls> {
        let (scheme, rest) = page.split_once("://")?;
        let host = rest.split('/').next().filter(|host| !host.is_empty())?;
        let origin = format!("{scheme}://{host}");
        let own = self.server(environment) == origin;
        let set_by_runner =
            |name| environment.get(name).filter(|_| own).map(|api| api.trim_end_matches('/').to_owned());
        let (rest, graphql) = match host {
            "github.com" => {
                ("https://api.github.com".to_owned(), "https://api.github.com/graphql".to_owned())
            }
            _ => (format!("{origin}/api/v3"), format!("{origin}/api/graphql")),
        };
        Some(ApiUrls {
            rest: set_by_runner("GITHUB_API_URL").unwrap_or(rest),
            graphql: set_by_runner("GITHUB_GRAPHQL_URL").unwrap_or(graphql),
        })
    }

    /// The URL of the runner's GitHub server. Outside of GitHub Actions, this is github.com.
    pub fn server<'e>(&self, environment: &'e Environment) -> &'e str {
        environment.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").trim_end_matches('/')
    }

    /// Whether a web page is on github.com, or on the runner's GitHub.
    pub fn is_github(&self, environment: &Environment, page: &str) -> bool {
        let origin = |text: &str| text.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        [self.server(environment), "https://github.com"].contains(&origin(page).as_str())
    }

    /// What the event says about the build; `None` outside of GitHub Actions.
    pub fn pipeline(&self) -> Option<Pipeline> {
        let branch = self.named("branch").filter(|name| is_branch_name(name));
        let built_branch = match self.event_name.as_str() {
            "workflow_run" => text(&self.event["workflow_run"]["head_branch"]),
            _ if self.is_pull_request() => self.head_ref.clone(),
            _ => branch.clone(),
        };
        // the `GITHUB_REF` of these is not a branch that people work on
        let has_no_branch = self.is_pull_request() || self.event_name == "merge_group";
        self.active.then(|| Pipeline {
            system: System::GitHub,
            branch,
            built_branch,
            git_tag: self.named("tag"),
            request: has_no_branch.then(|| self.event_name.clone()),
            number: self.pull_request_number(),
            run: self.number.clone(),
            commit: self.sha.as_deref().and_then(CommitId::parse),
            source: self.source(),
            event_is_unread: self.is_about_another_commit() && self.event.is_null(),
            repository: self.repository.clone(),
        })
    }

    /// The commit that the event is about: the head of a `workflow_run` or pull request, or a pushed commit.
    fn source(&self) -> Option<Source> {
        let (sha, repository) = if self.event_name == "workflow_run" {
            let run = &self.event["workflow_run"];
            (text(&run["head_sha"]), text(&run["head_repository"]["full_name"]))
        } else if self.is_pull_request() {
            let head = &self.event["pull_request"]["head"];
            (text(&head["sha"]), text(&head["repo"]["full_name"]))
        } else if self.event_name == "push" {
            (self.sha.clone(), None)
        } else {
            (None, None)
        };
        let repository = repository.or_else(|| self.repository.clone());
        sha.filter(|sha| is_sha(sha)).map(|sha| Source { repository, sha })
    }

    /// Whether the event is about another commit than the one that the runner checks out, at least by default.
    fn is_about_another_commit(&self) -> bool {
        self.is_pull_request() || self.event_name == "workflow_run"
    }

    /// `pull_request`, `pull_request_target` and the like.
    fn is_pull_request(&self) -> bool {
        self.event_name.starts_with("pull_request")
    }

    /// A pull request from a fork: its job gets no secrets, and its token can only read.
    pub fn is_from_fork(&self) -> bool {
        let head = text(&self.event["pull_request"]["head"]["repo"]["full_name"]);
        self.event_name == "pull_request" && head.is_some() && head != self.repository
    }

    /// The name of the ref, if it is a `branch` or a `tag`.
    fn named(&self, kind: &str) -> Option<String> {
        self.ref_name.clone().filter(|_| self.ref_type.as_deref() == Some(kind))
    }

    fn pull_request_number(&self) -> Option<u64> {
        let listed = &self.event["workflow_run"]["pull_requests"][0]["number"];
        let from_ref = self.full_ref.as_deref().and_then(|full| full.strip_prefix("refs/pull/"));
        let from_ref = from_ref.and_then(|rest| rest.split('/').next()).and_then(|n| n.parse().ok());
        self.event["pull_request"]["number"].as_u64().or_else(|| listed.as_u64()).or(from_ref)
    }
}

/// The content of the event file; null if it is broken or too large.
fn event(path: &Path) -> Value {
    small_file(path).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
}

fn small_file(path: &Path) -> Option<Vec<u8>> {
    // check this before opening: opening a pipe would wait for a writer
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_EVENT + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes).filter(|bytes| bytes.len() as u64 <= MAX_EVENT)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Whether a text is a full object ID, SHA-1 or SHA-256.
pub fn is_sha(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
