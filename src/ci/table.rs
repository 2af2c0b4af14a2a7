//! The variables of each CI system, as its documentation lists them.

use super::names::{branch, number, remote_branch, repository, request_of_ref, run, tag};
use super::{Pipeline, System};
use crate::environment::Environment;
use crate::object_id::CommitId;
use crate::tag::Source;

/// The variables of a system. Of several for one thing, the first with a valid value counts.
struct SystemVariables {
    /// Set if this is the build of a pull request, mostly to its number.
    requests: &'static [&'static str],
    event: Option<EventVariable>,
    /// Names a branch, a tag or a pull request, as `refs/heads/main`.
    full_ref: Option<&'static str>,
    branch: &'static [&'static str],
    /// As `origin/main`.
    remote_branch: Option<&'static str>,
    /// The branch that a pull request would merge.
    request_branch: &'static [&'static str],
    git_tag: Option<&'static str>,
    run: &'static str,
    commit: &'static [&'static str],
    /// The head of a pull request, if the commit may be that of a trial merge.
    request_commit: &'static [&'static str],
    repository: &'static [&'static str],
    /// The repository that a pull request comes from.
    request_repository: &'static [&'static str],
}

/// Says what started a run.
struct EventVariable {
    name: &'static str,
    requests: &'static [&'static str],
    /// After a push.
    pushes: &'static [&'static str],
}

/// GitLab's documentation: "Predefined CI/CD variables reference" (docs.gitlab.com/ci/variables/predefined_variables).
/// `CI_COMMIT_BRANCH` is not set in merge request pipelines and tag pipelines, whose `HEAD` is detached like that of all
/// others. `CI_COMMIT_SHA` of a merged results pipeline is a trial merge.
const GITLAB: SystemVariables = SystemVariables {
    requests: &["CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID"],
    event: Some(EventVariable {
        name: "CI_PIPELINE_SOURCE",
        requests: &["merge_request_event", "external_pull_request_event"],
        pushes: &["push"],
    }),
    full_ref: None,
    branch: &["CI_COMMIT_BRANCH"],
    remote_branch: None,
    request_branch: &["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME"],
    git_tag: Some("CI_COMMIT_TAG"),
    run: "CI_PIPELINE_IID",
    commit: &["CI_COMMIT_SHA"],
    request_commit: &["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA"],
    repository: &["CI_PROJECT_PATH"],
    request_repository: &["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"],
};

/// Jenkins' page `/env-vars.html`; "Environment Variables" of the Git plugin (plugins.jenkins.io/git); for pull requests also
/// those of the GitHub Pull Request Builder (plugins.jenkins.io/ghprb) and GitLab (plugins.jenkins.io/gitlab-plugin) plugins.
/// Only multibranch projects have `BRANCH_NAME`, which is the tag in the build of a tag; `TAG_NAME` alone may be a parameter
/// of the job. The Git plugin puts the remote's name before `GIT_BRANCH`.
const JENKINS: SystemVariables = SystemVariables {
    requests: &["CHANGE_ID", "ghprbPullId", "gitlabMergeRequestIid"],
    event: None,
    full_ref: None,
    branch: &["BRANCH_NAME", "GIT_LOCAL_BRANCH"],
    remote_branch: Some("GIT_BRANCH"),
    request_branch: &["CHANGE_BRANCH", "ghprbSourceBranch", "gitlabSourceBranch"],
    git_tag: Some("TAG_NAME"),
    run: "BUILD_NUMBER",
    commit: &["GIT_COMMIT"],
    request_commit: &["ghprbActualCommit"],
    repository: &["GIT_URL"],
    request_repository: &[],
};

/// "Use predefined variables" (learn.microsoft.com/azure/devops/pipelines/build/variables). `BUILD_SOURCEVERSION` of a pull
/// request is a trial merge. Of its two numbers, `PULLREQUESTNUMBER` is GitHub's, and `PULLREQUESTID` that of Azure Repos.
const AZURE: SystemVariables = SystemVariables {
    requests: &["SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"],
    event: Some(EventVariable {
        name: "BUILD_REASON",
        requests: &["PullRequest"],
        pushes: &["IndividualCI", "BatchedCI"],
    }),
    full_ref: Some("BUILD_SOURCEBRANCH"),
    branch: &[],
    remote_branch: None,
    request_branch: &["SYSTEM_PULLREQUEST_SOURCEBRANCH"],
    git_tag: None,
    run: "BUILD_BUILDID",
    commit: &["BUILD_SOURCEVERSION"],
    request_commit: &["SYSTEM_PULLREQUEST_SOURCECOMMITID"],
    repository: &["BUILD_REPOSITORY_URI"],
    request_repository: &["SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI"],
};

/// "Variables and secrets" (support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets). `BITBUCKET_BRANCH` of a pull
/// request is the branch to merge.
const BITBUCKET: SystemVariables = SystemVariables {
    requests: &["BITBUCKET_PR_ID"],
    event: None,
    full_ref: None,
    branch: &["BITBUCKET_BRANCH"],
    remote_branch: None,
    request_branch: &["BITBUCKET_BRANCH"],
    git_tag: Some("BITBUCKET_TAG"),
    run: "BITBUCKET_BUILD_NUMBER",
    commit: &["BITBUCKET_COMMIT"],
    request_commit: &[],
    repository: &["BITBUCKET_REPO_FULL_NAME"],
    request_repository: &[],
};

/// "Project values and variables" (circleci.com/docs/variables). `HEAD` is on a branch, also for a pull request:
/// `CIRCLE_PULL_REQUEST` is set once the branch has one. For one from a fork, the branch is named `pull/7`.
const CIRCLE_CI: SystemVariables = SystemVariables {
    requests: &["CIRCLE_PULL_REQUEST", "CIRCLE_PR_NUMBER"],
    event: None,
    full_ref: Some("CIRCLE_BRANCH"),
    branch: &["CIRCLE_BRANCH"],
    remote_branch: None,
    request_branch: &["CIRCLE_BRANCH"],
    git_tag: Some("CIRCLE_TAG"),
    run: "CIRCLE_BUILD_NUM",
    commit: &["CIRCLE_SHA1"],
    request_commit: &[],
    repository: &["CIRCLE_REPOSITORY_URL"],
    request_repository: &[],
};

/// "Environment variables" (buildkite.com/docs/pipelines/configure/environment-variables). `BUILDKITE_PULL_REQUEST` is `false` in
/// other builds; `BUILDKITE_BRANCH` is the tag in the build of a tag; `BUILDKITE_COMMIT` may be `HEAD`.
const BUILDKITE: SystemVariables = SystemVariables {
    requests: &["BUILDKITE_PULL_REQUEST"],
    event: Some(EventVariable { name: "BUILDKITE_SOURCE", requests: &[], pushes: &["webhook"] }),
    full_ref: None,
    branch: &["BUILDKITE_BRANCH"],
    remote_branch: None,
    request_branch: &["BUILDKITE_BRANCH"],
    git_tag: Some("BUILDKITE_TAG"),
    run: "BUILDKITE_BUILD_NUMBER",
    commit: &["BUILDKITE_COMMIT"],
    request_commit: &[],
    repository: &["BUILDKITE_REPO"],
    request_repository: &["BUILDKITE_PULL_REQUEST_REPO"],
};

/// "Environment variables" (woodpecker-ci.org/docs/usage/environment). `CI_COMMIT_BRANCH` of a pull request is the branch to
/// merge into.
const WOODPECKER: SystemVariables = SystemVariables {
    requests: &["CI_COMMIT_PULL_REQUEST"],
    event: Some(EventVariable {
        name: "CI_PIPELINE_EVENT",
        requests: &["pull_request", "pull_request_closed", "pull_request_metadata"],
        pushes: &["push", "tag", "release"],
    }),
    full_ref: Some("CI_COMMIT_REF"),
    branch: &["CI_COMMIT_BRANCH"],
    remote_branch: None,
    request_branch: &["CI_COMMIT_SOURCE_BRANCH"],
    git_tag: Some("CI_COMMIT_TAG"),
    run: "CI_PIPELINE_NUMBER",
    commit: &["CI_COMMIT_SHA"],
    request_commit: &[],
    repository: &["CI_REPO"],
    request_repository: &[],
};

/// "Environment reference" (docs.drone.io/pipeline/environment/reference). `DRONE_BRANCH` of a pull request is the branch to
/// merge into.
const DRONE: SystemVariables = SystemVariables {
    requests: &["DRONE_PULL_REQUEST"],
    event: Some(EventVariable {
        name: "DRONE_BUILD_EVENT",
        requests: &["pull_request"],
        pushes: &["push", "tag"],
    }),
    full_ref: Some("DRONE_COMMIT_REF"),
    branch: &["DRONE_BRANCH", "DRONE_COMMIT_BRANCH"],
    remote_branch: None,
    request_branch: &["DRONE_SOURCE_BRANCH"],
    git_tag: Some("DRONE_TAG"),
    run: "DRONE_BUILD_NUMBER",
    commit: &["DRONE_COMMIT_SHA", "DRONE_COMMIT"],
    request_commit: &[],
    repository: &["DRONE_REPO"],
    request_repository: &[],
};

/// Reads a system's variables. `None` for GitHub Actions and those who imitate it.
pub(super) fn read(system: System, environment: &Environment, remote: &str) -> Option<Pipeline> {
    let variables = match system {
        System::GitHub | System::Gitea | System::Forgejo => return None,
        System::GitLab => &GITLAB,
        System::Jenkins => &JENKINS,
        System::Azure => &AZURE,
        System::Bitbucket => &BITBUCKET,
        System::CircleCi => &CIRCLE_CI,
        System::Buildkite => &BUILDKITE,
        System::Woodpecker => &WOODPECKER,
        System::Drone => &DRONE,
    };
    Some(Reader { system, variables, environment, remote }.pipeline())
}

/// Reads the variables of one system.
struct Reader<'a> {
    system: System,
    variables: &'static SystemVariables,
    environment: &'a Environment,
    remote: &'a str,
}

impl Reader<'_> {
    fn pipeline(&self) -> Pipeline {
        let variables = self.variables;
        let request = self.request();
        let git_tag = self.git_tag().filter(|_| request.is_none());
        let own_branch = self.branch().filter(|_| request.is_none() && git_tag.is_none());
        let built_branch = match request {
            Some(_) => self.first(variables.request_branch, branch),
            None => own_branch.clone(),
        };
        let repository = self.first(variables.repository, repository);
        Pipeline {
            event_is_unread: false,
            system: self.system,
            branch: own_branch,
            built_branch,
            git_tag,
            number: request.and_then(|_| self.number()),
            request: request.map(str::to_owned),
            run: self.first(&[variables.run], run),
            commit: self.first(variables.commit, CommitId::parse),
            source: self.source(request.is_some(), repository.clone()),
            repository,
        }
    }

    /// The first value that is valid.
    fn first<T>(&self, names: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        names.iter().find_map(|name| parse(self.environment.get(name)?))
    }

    /// The variable that shows that this is the build of a pull request.
    fn request(&self) -> Option<&'static str> {
        let is_set = |name: &&&str| self.environment.get(name).is_some_and(|value| value != "false");
        let by_ref = || self.variables.full_ref.filter(|name| self.first(&[name], request_of_ref).is_some());
        let by_event = || {
            let event = self.variables.event.as_ref()?;
            self.is_one_of(event.name, event.requests).then_some(event.name)
        };
        self.variables.requests.iter().find(is_set).copied().or_else(by_event).or_else(by_ref)
    }

    fn number(&self) -> Option<u64> {
        let by_ref = || self.variables.full_ref.and_then(|name| self.first(&[name], request_of_ref));
        self.first(self.variables.requests, number).or_else(by_ref)
    }

    fn is_one_of(&self, name: &str, values: &[&str]) -> bool {
        self.environment.get(name).is_some_and(|value| values.contains(&value))
    }

    fn git_tag(&self) -> Option<String> {
        let by_ref = |value: &str| value.starts_with("refs/tags/").then(|| tag(value)).flatten();
        let by_ref = || self.variables.full_ref.and_then(|name| self.first(&[name], by_ref));
        let named = self.variables.git_tag.and_then(|name| self.first(&[name], tag));
        let is_parameter = |tag: &String| {
            self.system == System::Jenkins && self.environment.get("BRANCH_NAME") != Some(tag.as_str())
        };
        named.filter(|tag| !is_parameter(tag)).or_else(by_ref)
    }

    fn branch(&self) -> Option<String> {
        let by_ref = |value: &str| value.starts_with("refs/heads/").then(|| branch(value)).flatten();
        let by_ref = || self.variables.full_ref.and_then(|name| self.first(&[name], by_ref));
        let of_remote = |value: &str| remote_branch(value, self.remote);
        let of_remote = || self.variables.remote_branch.and_then(|name| self.first(&[name], of_remote));
        self.first(self.variables.branch, branch).or_else(of_remote).or_else(by_ref)
    }

    fn source(&self, is_request: bool, own: Option<String>) -> Option<Source> {
        let event = self.variables.event.as_ref();
        if !is_request && event.is_some_and(|event| !self.is_one_of(event.name, event.pushes)) {
            return None;
        }
        let head = self.first(self.variables.request_commit, CommitId::parse).filter(|_| is_request);
        let commit = head.or_else(|| self.first(self.variables.commit, CommitId::parse))?;
        let fork = self.first(self.variables.request_repository, repository).filter(|_| is_request);
        Some(Source { repository: fork.or(own), sha: commit.to_string() })
    }
}
