//! The CI systems, and how each is recognised.

use std::fmt;

use crate::environment::Environment;

/// A CI system whose variables are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    GitHub,
    Gitea,
    Forgejo,
    GitLab,
    Jenkins,
    Azure,
    Bitbucket,
    CircleCi,
    Buildkite,
    Woodpecker,
    Drone,
}

/// Set by systems that are not known here. `CI` is set by nearly all.
const UNKNOWN_CI: [&str; 4] = ["CI", "CONTINUOUS_INTEGRATION", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ID"];

impl System {
    pub const ALL: [System; 11] = [
        System::GitHub,
        System::Gitea,
        System::Forgejo,
        System::GitLab,
        System::Jenkins,
        System::Azure,
        System::Bitbucket,
        System::CircleCi,
        System::Buildkite,
        System::Woodpecker,
        System::Drone,
    ];

    /// Whether its variables are those of GitHub Actions.
    pub fn is_actions(self) -> bool {
        matches!(self, System::GitHub | System::Gitea | System::Forgejo)
    }

    /// The variable that shows that it runs this.
    pub fn marker(self) -> &'static str {
        match self {
            System::GitHub => "GITHUB_ACTIONS",
            System::Gitea => "GITEA_ACTIONS",
            System::Forgejo => "FORGEJO_ACTIONS",
            System::GitLab => "GITLAB_CI",
            System::Jenkins => "JENKINS_URL",
            System::Azure => "TF_BUILD",
            System::Bitbucket => "BITBUCKET_BUILD_NUMBER",
            System::CircleCi => "CIRCLECI",
            System::Buildkite => "BUILDKITE",
            System::Woodpecker => "CI=woodpecker",
            System::Drone => "DRONE",
        }
    }

    /// What it calls a request to merge.
    pub fn request_word(self) -> &'static str {
        if self == System::GitLab { "merge request" } else { "pull request" }
    }

    /// How its pipeline file keeps a step out of the builds of pull requests.
    pub fn without_requests(self) -> &'static str {
        match self {
            System::GitHub | System::Gitea | System::Forgejo => "on: push",
            System::GitLab => "rules: [{ if: $CI_COMMIT_BRANCH }]",
            System::Jenkins => "when { not { changeRequest() } }",
            System::Azure => "condition: ne(variables['Build.Reason'], 'PullRequest')",
            System::Bitbucket => "pipelines: branches:",
            System::CircleCi => "filters: { branches: { only: main } }",
            System::Buildkite => "if: build.pull_request.id == null",
            System::Woodpecker => "when: { event: push }",
            System::Drone => "when: { event: [push] }",
        }
    }

    fn is_marked(self, environment: &Environment) -> bool {
        let is_true = |name| environment.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match self {
            System::GitHub | System::Gitea | System::Forgejo => actions(environment) == Some(self),
            System::Jenkins | System::Bitbucket => environment.get(self.marker()).is_some(),
            System::Woodpecker => environment.get("CI") == Some("woodpecker"),
            System::GitLab | System::Azure | System::CircleCi | System::Buildkite | System::Drone => {
                is_true(self.marker())
            }
        }
    }
}

/// Forgejo's runner also sets the marker of Gitea, and both set that of GitHub, which must be there for the variables to
/// count. See `NewRunner` in the runners' `run/runner.go`.
fn actions(environment: &Environment) -> Option<System> {
    let is_true = |name| environment.get(name) == Some("true");
    if !is_true("GITHUB_ACTIONS") {
        return None;
    }
    let imitators = [System::Forgejo, System::Gitea];
    Some(imitators.into_iter().find(|system| is_true(system.marker())).unwrap_or(System::GitHub))
}

/// The systems whose markers are set, without those that come with another one.
pub(super) fn found(environment: &Environment) -> Vec<System> {
    let mut found: Vec<_> = System::ALL.into_iter().filter(|system| system.is_marked(environment)).collect();
    if found.contains(&System::Woodpecker) {
        // a fork of Drone, which sets its variables for old plugins
        found.retain(|system| *system != System::Drone);
    }
    if found.len() > 1 && environment.get("BUILD_NUMBER").is_none() {
        // the machine is also an agent of Jenkins, whose container has the address; but no build of Jenkins runs
        found.retain(|system| *system != System::Jenkins);
    }
    found
}

pub(super) fn is_ci(environment: &Environment) -> bool {
    let is_set = |name: &&str| environment.get(name).is_some_and(|value| !["false", "0"].contains(&value));
    UNKNOWN_CI.iter().any(is_set)
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::GitHub => "GitHub Actions",
            System::Gitea => "Gitea Actions",
            System::Forgejo => "Forgejo Actions",
            System::GitLab => "GitLab",
            System::Jenkins => "Jenkins",
            System::Azure => "Azure Pipelines",
            System::Bitbucket => "Bitbucket Pipelines",
            System::CircleCi => "CircleCI",
            System::Buildkite => "Buildkite",
            System::Woodpecker => "Woodpecker",
            System::Drone => "Drone",
        })
    }
}
