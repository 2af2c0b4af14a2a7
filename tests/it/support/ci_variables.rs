//! The variables of a CI system's job, with the values that its documentation gives for a push to develop, for pull request 7
//! of the branch topic to trunk, and for the tag `v1.2.0`.

use std::path::Path;

use serde_json::json;
use tagbump::ci::System;

use super::ci_job::Trigger;

type Pairs = Vec<(&'static str, String)>;

const URL: &str = "https://git.example.com/acme/gitops.git";

/// The variables of a job that builds a commit. Actions also have a file in the folder.
pub fn of(system: System, trigger: Trigger, sha: &str, folder: &Path) -> Pairs {
    let (common, special) = match system {
        System::GitHub | System::Gitea | System::Forgejo => actions(system, trigger, sha, folder),
        System::GitLab => gitlab(trigger, sha),
        System::Jenkins => jenkins(trigger, sha),
        System::Azure => azure(trigger, sha),
        System::Bitbucket => bitbucket(trigger, sha),
        System::CircleCi => circle_ci(trigger, sha),
        System::Buildkite => buildkite(trigger, sha),
        System::Woodpecker => woodpecker(trigger, sha),
        System::Drone => drone(trigger, sha),
    };
    [common, special].concat()
}

fn own(pairs: &[(&'static str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn actions(system: System, trigger: Trigger, sha: &str, folder: &Path) -> (Pairs, Pairs) {
    let event = folder.join("event.json");
    let head = json!({ "sha": sha, "repo": { "full_name": "acme/gitops" } });
    std::fs::write(&event, json!({ "pull_request": { "number": 7, "head": head } }).to_string()).unwrap();

    let mut common = vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "acme/gitops"),
        ("GITHUB_RUN_NUMBER", "42"),
        ("GITHUB_SHA", sha),
    ];
    // each runner also sets the markers of those that it descends from
    match system {
        System::Forgejo => common.extend([("FORGEJO_ACTIONS", "true"), ("GITEA_ACTIONS", "true")]),
        System::Gitea => common.push(("GITEA_ACTIONS", "true")),
        _ => {}
    }
    let special = match trigger {
        Trigger::Push => own(&[
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", "refs/heads/develop"),
            ("GITHUB_REF_NAME", "develop"),
            ("GITHUB_REF_TYPE", "branch"),
        ]),
        Trigger::Tag => own(&[
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", "refs/tags/v1.2.0"),
            ("GITHUB_REF_NAME", "v1.2.0"),
            ("GITHUB_REF_TYPE", "tag"),
        ]),
        Trigger::Request => own(&[
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_REF_NAME", "7/merge"),
            ("GITHUB_HEAD_REF", "topic"),
            ("GITHUB_BASE_REF", "trunk"),
        ]),
    };
    (own(&common), special)
}

fn gitlab(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("GITLAB_CI", "true"),
            ("CI_COMMIT_SHA", sha),
            ("CI_DEFAULT_BRANCH", "trunk"),
            ("CI_PIPELINE_ID", "90041"),
            ("CI_PIPELINE_IID", "42"),
            ("CI_PROJECT_PATH", "acme/gitops"),
            ("CI_PROJECT_URL", "https://git.example.com/acme/gitops"),
        ]),
        match trigger {
            Trigger::Push => own(&[
                ("CI_PIPELINE_SOURCE", "push"),
                ("CI_COMMIT_BRANCH", "develop"),
                ("CI_COMMIT_REF_NAME", "develop"),
                ("CI_OPEN_MERGE_REQUESTS", "acme/gitops!9"),
            ]),
            Trigger::Tag => own(&[
                ("CI_PIPELINE_SOURCE", "push"),
                ("CI_COMMIT_TAG", "v1.2.0"),
                ("CI_COMMIT_REF_NAME", "v1.2.0"),
            ]),
            Trigger::Request => own(&[
                ("CI_PIPELINE_SOURCE", "merge_request_event"),
                ("CI_COMMIT_REF_NAME", "topic"),
                ("CI_MERGE_REQUEST_ID", "12345"),
                ("CI_MERGE_REQUEST_IID", "7"),
                ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "topic"),
                ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "trunk"),
                ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "acme/gitops"),
            ]),
        },
    )
}

fn jenkins(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("JENKINS_URL", "https://ci.example.com/"),
            ("BUILD_NUMBER", "42"),
            ("BUILD_ID", "42"),
            ("GIT_COMMIT", sha),
            ("GIT_URL", URL),
        ]),
        match trigger {
            Trigger::Push => own(&[("GIT_BRANCH", "origin/develop")]),
            Trigger::Tag => own(&[
                ("BRANCH_NAME", "v1.2.0"),
                ("TAG_NAME", "v1.2.0"),
                ("TAG_TIMESTAMP", "1700000000000"),
                ("GIT_BRANCH", "v1.2.0"),
            ]),
            Trigger::Request => own(&[
                ("BRANCH_NAME", "PR-7"),
                ("CHANGE_ID", "7"),
                ("CHANGE_BRANCH", "topic"),
                ("CHANGE_TARGET", "trunk"),
                ("GIT_BRANCH", "PR-7"),
            ]),
        },
    )
}

fn azure(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("TF_BUILD", "True"),
            ("BUILD_BUILDID", "42"),
            ("BUILD_BUILDNUMBER", "20261128.3"),
            ("BUILD_REPOSITORY_URI", "https://acme@dev.azure.com/org/acme/_git/gitops"),
            ("BUILD_SOURCEVERSION", sha),
        ]),
        match trigger {
            Trigger::Push => own(&[
                ("BUILD_REASON", "IndividualCI"),
                ("BUILD_SOURCEBRANCH", "refs/heads/develop"),
                ("BUILD_SOURCEBRANCHNAME", "develop"),
            ]),
            Trigger::Tag => own(&[
                ("BUILD_REASON", "IndividualCI"),
                ("BUILD_SOURCEBRANCH", "refs/tags/v1.2.0"),
                ("BUILD_SOURCEBRANCHNAME", "v1.2.0"),
            ]),
            Trigger::Request => own(&[
                ("BUILD_REASON", "PullRequest"),
                ("BUILD_SOURCEBRANCH", "refs/pull/7/merge"),
                ("BUILD_SOURCEBRANCHNAME", "merge"),
                ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7"),
                ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/topic"),
                ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/trunk"),
                ("SYSTEM_PULLREQUEST_SOURCECOMMITID", sha),
            ]),
        },
    )
}

fn bitbucket(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("BITBUCKET_BUILD_NUMBER", "42"),
            ("BITBUCKET_COMMIT", sha),
            ("BITBUCKET_REPO_FULL_NAME", "acme/gitops"),
            ("BITBUCKET_WORKSPACE", "acme"),
        ]),
        match trigger {
            Trigger::Push => own(&[("BITBUCKET_BRANCH", "develop")]),
            Trigger::Tag => own(&[("BITBUCKET_TAG", "v1.2.0")]),
            Trigger::Request => own(&[
                ("BITBUCKET_BRANCH", "topic"),
                ("BITBUCKET_PR_ID", "7"),
                ("BITBUCKET_PR_DESTINATION_BRANCH", "trunk"),
            ]),
        },
    )
}

fn circle_ci(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("CIRCLECI", "true"),
            ("CIRCLE_BUILD_NUM", "42"),
            ("CIRCLE_REPOSITORY_URL", "git@git.example.com:acme/gitops.git"),
            ("CIRCLE_SHA1", sha),
        ]),
        match trigger {
            Trigger::Push => own(&[("CIRCLE_BRANCH", "develop")]),
            Trigger::Tag => own(&[("CIRCLE_TAG", "v1.2.0")]),
            Trigger::Request => own(&[
                ("CIRCLE_BRANCH", "topic"),
                ("CIRCLE_PULL_REQUEST", "https://git.example.com/acme/gitops/pull/7"),
            ]),
        },
    )
}

fn buildkite(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("BUILDKITE", "true"),
            ("BUILDKITE_BUILD_NUMBER", "42"),
            ("BUILDKITE_COMMIT", sha),
            ("BUILDKITE_REPO", "git@git.example.com:acme/gitops.git"),
            ("BUILDKITE_SOURCE", "webhook"),
        ]),
        match trigger {
            Trigger::Push => own(&[("BUILDKITE_BRANCH", "develop"), ("BUILDKITE_PULL_REQUEST", "false")]),
            Trigger::Tag => own(&[
                ("BUILDKITE_BRANCH", "v1.2.0"),
                ("BUILDKITE_TAG", "v1.2.0"),
                ("BUILDKITE_PULL_REQUEST", "false"),
            ]),
            Trigger::Request => own(&[
                ("BUILDKITE_BRANCH", "topic"),
                ("BUILDKITE_PULL_REQUEST", "7"),
                ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "trunk"),
            ]),
        },
    )
}

fn woodpecker(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("CI", "woodpecker"),
            ("CI_PIPELINE_NUMBER", "42"),
            ("CI_COMMIT_SHA", sha),
            ("CI_REPO", "acme/gitops"),
            ("CI_REPO_CLONE_URL", URL),
            ("CI_REPO_DEFAULT_BRANCH", "trunk"),
        ]),
        match trigger {
            Trigger::Push => own(&[
                ("CI_PIPELINE_EVENT", "push"),
                ("CI_COMMIT_BRANCH", "develop"),
                ("CI_COMMIT_REF", "refs/heads/develop"),
            ]),
            Trigger::Tag => own(&[
                ("CI_PIPELINE_EVENT", "tag"),
                ("CI_COMMIT_TAG", "v1.2.0"),
                ("CI_COMMIT_REF", "refs/tags/v1.2.0"),
            ]),
            Trigger::Request => own(&[
                ("CI_PIPELINE_EVENT", "pull_request"),
                ("CI_COMMIT_BRANCH", "trunk"),
                ("CI_COMMIT_SOURCE_BRANCH", "topic"),
                ("CI_COMMIT_TARGET_BRANCH", "trunk"),
                ("CI_COMMIT_PULL_REQUEST", "7"),
                ("CI_COMMIT_REF", "refs/pull/7/head"),
            ]),
        },
    )
}

fn drone(trigger: Trigger, sha: &str) -> (Pairs, Pairs) {
    (
        own(&[
            ("DRONE", "true"),
            ("DRONE_BUILD_NUMBER", "42"),
            ("DRONE_COMMIT_SHA", sha),
            ("DRONE_REPO", "acme/gitops"),
            ("DRONE_REPO_BRANCH", "trunk"),
        ]),
        match trigger {
            Trigger::Push => own(&[
                ("DRONE_BUILD_EVENT", "push"),
                ("DRONE_BRANCH", "develop"),
                ("DRONE_COMMIT_BRANCH", "develop"),
                ("DRONE_COMMIT_REF", "refs/heads/develop"),
            ]),
            Trigger::Tag => own(&[
                ("DRONE_BUILD_EVENT", "tag"),
                ("DRONE_BRANCH", "trunk"),
                ("DRONE_TAG", "v1.2.0"),
                ("DRONE_COMMIT_REF", "refs/tags/v1.2.0"),
            ]),
            Trigger::Request => own(&[
                ("DRONE_BUILD_EVENT", "pull_request"),
                ("DRONE_BRANCH", "trunk"),
                ("DRONE_COMMIT_BRANCH", "trunk"),
                ("DRONE_SOURCE_BRANCH", "topic"),
                ("DRONE_TARGET_BRANCH", "trunk"),
                ("DRONE_PULL_REQUEST", "7"),
                ("DRONE_COMMIT_REF", "refs/pull/7/head"),
            ]),
        },
    )
}
