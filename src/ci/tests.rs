use super::names::{number, remote_branch, repository, request_of_ref, tag};
use super::*;

fn read(variables: &[(&str, &str)]) -> Ci {
    let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Ci::read(&Environment::new(pairs), "origin", None)
}

fn pipeline(variables: &[(&str, &str)]) -> Pipeline {
    match read(variables) {
        Ci::Known(pipeline) => *pipeline,
        other => panic!("{other:?}"),
    }
}

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

#[test]
fn only_variables_of_the_marked_system_count() {
    let all = [
        ("CI_COMMIT_BRANCH", "gitlab-or-woodpecker"),
        ("BUILDKITE_BRANCH", "buildkite"),
        ("DRONE_BRANCH", "drone"),
        ("CIRCLE_BRANCH", "circle"),
        ("BITBUCKET_PR_ID", "7"),
    ];
    assert_eq!(read(&all), Ci::None, "no marker");
    let marked = [&all[..], &[("DRONE", "true"), ("CI", "true")]].concat();
    let drone = pipeline(&marked);
    assert_eq!((drone.system, drone.branch.as_deref()), (System::Drone, Some("drone")));
    assert_eq!(drone.request, None, "another system's pull request");
}

#[test]
fn markers_of_two_systems_are_no_guess() {
    let both = read(&[("GITLAB_CI", "true"), ("CIRCLECI", "true")]);
    assert_eq!(both, Ci::Several(vec![System::GitLab, System::CircleCi]));
    assert_eq!(both.rival_markers(), ["GITLAB_CI", "CIRCLECI"]);
    assert_eq!(read(&[("GITHUB_ACTIONS", "true"), ("TF_BUILD", "True")]).rival_markers().len(), 2);
}

#[test]
fn marker_that_comes_with_another_is_none() {
    let woodpecker = pipeline(&[("CI", "woodpecker"), ("DRONE", "true"), ("DRONE_BRANCH", "x")]);
    assert_eq!((woodpecker.system, woodpecker.branch), (System::Woodpecker, None));
    let agent = [("JENKINS_URL", "https://ci.example.com/"), ("BUILDKITE", "true")];
    assert_eq!(pipeline(&agent).system, System::Buildkite, "the agent's address, but no build");
    let build = [&agent[..], &[("BUILD_NUMBER", "7")]].concat();
    assert_eq!(read(&build), Ci::Several(vec![System::Jenkins, System::Buildkite]));
}

#[test]
fn unknown_system_is_known_to_be_one() {
    for variable in [("CI", "true"), ("CI", "1"), ("TEAMCITY_VERSION", "2025.03")] {
        assert_eq!(read(&[variable]), Ci::Unknown, "{variable:?}");
    }
    for variable in [("CI", "false"), ("CI", "0"), ("GITLAB_CI", "false")] {
        assert_eq!(read(&[variable]), Ci::None, "{variable:?}");
    }
}

#[test]
fn names_that_git_refuses_are_ignored() {
    let long = "x".repeat(5000);
    let names = [
        "-x",
        "a..b",
        "a b",
        "x.lock",
        "a/.b",
        "a//b",
        "/a",
        "a/",
        "a\u{7}",
        "main:prod",
        "HEAD",
        "@{1}",
        &long,
    ];
    for name in names {
        let gitlab = pipeline(&[("GITLAB_CI", "true"), ("CI_COMMIT_BRANCH", name)]);
        assert_eq!(gitlab.branch, None, "{name:?}");
    }
    let gitlab =
        pipeline(&[("GITLAB_CI", "true"), ("CI_COMMIT_BRANCH", "feat/Ünï_#1"), ("CI_PIPELINE_IID", "4;2")]);
    assert_eq!((gitlab.branch.as_deref(), gitlab.run), (Some("feat/Ünï_#1"), None));
}

#[test]
fn branch_of_jenkins_is_without_the_remote() {
    let of = |value: &str, remote: &str| remote_branch(value, remote);
    assert_eq!(of("origin/develop", "origin").as_deref(), Some("develop"));
    assert_eq!(of("refs/remotes/upstream/feat/x", "upstream").as_deref(), Some("feat/x"));
    assert_eq!(of("refs/heads/develop", "origin").as_deref(), Some("develop"));
    assert_eq!(of("develop", "origin").as_deref(), Some("develop"));
    assert_eq!((of("detached", "origin"), of("refs/tags/v1", "origin")), (None, None));
}

/// A parameter of the job may have the name of the variable for the tag.
#[test]
fn tag_of_jenkins_is_what_was_built() {
    let jenkins = |branch: &str| {
        pipeline(&[("JENKINS_URL", "https://ci.example.com/"), ("TAG_NAME", "v1"), ("BRANCH_NAME", branch)])
    };
    assert_eq!(jenkins("v1").git_tag.as_deref(), Some("v1"));
    assert_eq!((jenkins("v1").branch, jenkins("main").git_tag), (None, None));
}

#[test]
fn only_a_push_names_the_source() {
    let source = |event: &str| {
        let variables = [("GITLAB_CI", "true"), ("CI_COMMIT_SHA", SHA), ("CI_PIPELINE_SOURCE", event)];
        pipeline(&variables).source.map(|source| source.sha)
    };
    assert_eq!(source("push").as_deref(), Some(SHA));
    assert_eq!((source("schedule"), source("pipeline")), (None, None));
}

#[test]
fn values_are_read_in_every_form() {
    assert_eq!(number("https://github.com/acme/app/pull/7"), Some(7));
    assert_eq!((number("7"), number("false"), number("7/../8"), number("")), (Some(7), None, None, None));
    assert_eq!(request_of_ref("refs/pull/7/merge"), Some(7));
    assert_eq!(request_of_ref("pull/7"), Some(7));
    assert_eq!((request_of_ref("pull/x"), request_of_ref("refs/heads/pull/7")), (None, None));
    assert_eq!(tag("refs/tags/v1.2").as_deref(), Some("v1.2"));
    assert_eq!(tag("refs/heads/v1.2"), None);
    for url in [
        "https://user:token@gitlab.example.com/acme/app.git",
        "git@github.com:acme/app.git",
        "ssh://git@host:7999/acme/app",
        "https://gitlab.example.com/acme/app/",
        "acme/app",
    ] {
        assert_eq!(repository(url).as_deref(), Some("acme/app"), "{url}");
    }
    for url in
        ["acme/shop/app", "git@gitlab.com:acme/shop/app.git", "https://dev.azure.com/acme/shop/_git/app"]
    {
        assert_eq!(repository(url).as_deref(), Some("acme/shop/app"), "{url}");
    }
    for wrong in ["", "app", "https://host", "a/b c", "a/b\nc", "a/@b"] {
        assert_eq!(repository(wrong), None, "{wrong:?}");
    }
}
