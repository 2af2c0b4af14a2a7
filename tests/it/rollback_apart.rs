//! Rollbacks hold if sources and manifests are in two repositories, through GitHub's API, and in pull requests.

use crate::support::apart::{Apart, Hosted};
use crate::support::git::git;
use crate::support::github::{Fault, On};
use crate::support::mono::{notices, tag_in};
use crate::support::repo::{self, API, FILE, commit, ended, rival};

/// Builds 1 and 3 have landed, and 3 was rolled back from a clone with one commit of the manifests.
fn apart(count: usize) -> Apart {
    let apart = Apart::new(count);
    for nth in [1, 3] {
        ended(&repo::run(&mut apart.job(&apart.mono.builds[nth], &[])), 0, "landed");
    }
    ended(&apart.rollback("1"), 0, "landed");
    assert_eq!(apart.tag(), apart.mono.builds[1][..7]);
    apart
}

fn message(apart: &Apart) -> String {
    git(&apart.target, &["log", "-1", "--format=%B", "main"])
}

#[test]
fn trailer_names_source_repository() {
    let apart = apart(5);
    let (good, bad) = (&apart.mono.builds[1], &apart.mono.builds[3]);
    let (_, trailers) =
        message(&apart).rsplit_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let wanted = format!(
        "Tagbump-Image: {API}:{good:.7}\nTagbump-Rollback: {API}:{bad:.7} acme/gitops@{bad}\n\
         Tagbump-Source: acme/gitops@{good}"
    );
    assert_eq!(trailers, wanted);
    assert!(!message(&apart).contains("[skip ci]"), "another repository was built: {}", message(&apart));
}

#[test]
fn rollback_holds_when_sources_are_in_another_repository() {
    for depth in ["1", "2", "100"] {
        let apart = apart(5);
        let builds = &apart.mono.builds;
        for nth in [3, 2, 0] {
            let told = ended(&repo::run(&mut apart.shallow_job(&builds[nth], depth, &[])), 0, "superseded");
            assert!(notices(&told).contains("was rolled back"), "{depth} {nth}: {told}");
        }
        ended(&repo::run(&mut apart.shallow_job(&builds[4], depth, &[])), 0, "landed");
        assert_eq!(apart.tag(), builds[4][..7]);
    }
}

/// The rollback isn't the last commit of the manifests, and the clone has only the last one.
#[test]
fn rollback_holds_below_other_commits() {
    let apart = apart(5);
    for nth in 0..55 {
        rival(&apart.target, "README.md", &format!("{nth}\n"));
    }
    let builds = &apart.mono.builds;
    ended(&repo::run(&mut apart.shallow_job(&builds[3], "1", &[])), 0, "superseded");
    ended(&repo::run(&mut apart.shallow_job(&builds[2], "1", &["--tag", "v2"])), 0, "superseded");
    let told = ended(&repo::run(&mut apart.shallow_job(&builds[4], "1", &[])), 0, "landed");
    assert_eq!(notices(&told), "[]");
}

#[test]
fn newer_build_asks_github_once() {
    let apart = Apart::new(2);
    ended(&repo::run(&mut apart.shallow_job(&apart.mono.builds[0], "1", &[])), 0, "landed");
    let mut job = apart.shallow_job(&apart.mono.builds[1], "1", &[]);
    ended(&repo::run(&mut job), 0, "landed");
    assert_eq!(apart.github.count(On::Compare), 1);
}

#[test]
fn same_tag_is_held_when_github_does_not_answer() {
    let apart = apart(5);
    let builds = &apart.mono.builds;
    // its name is enough
    let told = repo::run(apart.shallow_job(&builds[3], "1", &[]).env_remove("GITHUB_TOKEN"));
    ended(&told, 0, "superseded");
    // the order of others is unknown: they are written, with a notice
    apart.github.fault(On::Compare, Fault::Forbidden("no"));
    apart.github.fault(On::Compare, Fault::Forbidden("no"));
    let told = ended(&repo::run(&mut apart.shallow_job(&builds[2], "1", &["-n"])), 0, "planned");
    assert!(notices(&told).contains("can't determine whether"), "{told}");
}

fn hosted(count: usize, how: &[&str]) -> Hosted {
    let hosted = Hosted::new(count);
    for nth in [1, 3] {
        ended(&repo::run(&mut hosted.job(nth, how)), 0, "landed");
    }
    hosted
}

const BY_API: [&str; 3] = ["--push", "--via", "api"];

#[test]
fn rollback_lands_by_api() {
    let hosted = hosted(6, &BY_API);
    let told = ended(&repo::run(&mut hosted.rollback(&BY_API)), 0, "landed");
    let builds = &hosted.mono.builds;
    assert_eq!(
        (&told["images"][0]["tag"], hosted.mono.tag()),
        (&builds[1][..7].into(), builds[1][..7].to_owned())
    );
    assert_eq!(hosted.github.count(On::CreateCommitOnBranch), 3);
    assert!(
        hosted
            .mono
            .world
            .message()
            .contains(&format!("Tagbump-Rollback: {API}:{:.7} acme/gitops@{}", builds[3], builds[3]))
    );
    for (nth, how) in [(3, &BY_API[..]), (2, &["--push"]), (0, &BY_API), (3, &["--pr"])] {
        ended(&repo::run(&mut hosted.job(nth, how)), 0, "superseded");
    }
    ended(&repo::run(&mut hosted.job(4, &BY_API)), 0, "landed");
    ended(&repo::run(&mut hosted.rollback(&["--push"])), 0, "landed");
    assert_eq!(hosted.mono.tag(), builds[1][..7], "past the one that was bad before");
}

#[test]
fn rollback_opens_pull_request() {
    for via in ["git", "api"] {
        let hosted = hosted(6, &["--push"]);
        let builds = &hosted.mono.builds;
        let pr = ["--pr", "--via", via];
        let told = ended(&repo::run(&mut hosted.rollback(&pr)), 0, "proposed");
        assert_eq!(
            (hosted.proposed(), hosted.mono.tag()),
            (builds[1][..7].to_owned(), builds[3][..7].to_owned())
        );
        let pull = &hosted.github.open_pulls()[0];
        assert_eq!(told["pull_request"]["number"], pull.number);
        let trailers = format!(
            "Tagbump-Image: {API}:{:.7}\nTagbump-Rollback: {API}:{:.7} acme/gitops@{}\nTagbump-Source: acme/gitops@{}",
            builds[1], builds[3], builds[3], builds[1]
        );
        assert!(pull.body.as_deref().unwrap().ends_with(&trailers), "{pull:?}");
        // a second run changes nothing
        ended(&repo::run(&mut hosted.rollback(&pr)), 0, "proposed");
        assert_eq!((hosted.github.pulls().len(), hosted.proposed()), (1, builds[1][..7].to_owned()));
        // no late build closes it, or puts its own tag there
        for nth in [3, 2, 0] {
            let run = repo::run(&mut hosted.job(nth, &pr));
            assert_eq!(run.exit, 0, "{}", run.output());
            assert_eq!(hosted.github.open_pulls().len(), 1, "{nth}: {}", run.output());
            assert_eq!(hosted.proposed(), builds[1][..7], "{nth}: {}", run.output());
        }
        // after the merge, the rollback holds
        git(&hosted.mono.world.bare, &["update-ref", "refs/heads/main", "refs/heads/tagbump/main/api"]);
        for nth in [3, 2] {
            ended(&repo::run(&mut hosted.job(nth, &["--push"])), 0, "superseded");
            ended(&repo::run(&mut hosted.job(nth, &pr)), 0, "superseded");
        }
        ended(&repo::run(&mut hosted.job(4, &["--push"])), 0, "landed");
    }
}

/// A newer build replaces a proposed rollback.
#[test]
fn newer_build_replaces_proposed_rollback() {
    let hosted = hosted(5, &["--push"]);
    ended(&repo::run(&mut hosted.rollback(&["--pr"])), 0, "proposed");
    ended(&repo::run(&mut hosted.job(4, &["--pr"])), 0, "proposed");
    assert_eq!(
        (hosted.github.open_pulls().len(), hosted.proposed()),
        (1, hosted.mono.builds[4][..7].to_owned())
    );
}

/// The branch has other people's commits: the rollback goes on top, and is based on the base's history.
#[test]
fn rollback_goes_on_top_when_branch_has_commits_of_others() {
    let hosted = hosted(5, &["--push"]);
    let bare = &hosted.mono.world.bare;
    let folder = hosted.mono.world.path().join("theirs");
    git(hosted.mono.world.path(), &["clone", "--quiet", bare.to_str().unwrap(), "theirs"]);
    let theirs = repo::commit(&folder, "note.md", "theirs\n");
    git(&folder, &["push", "--quiet", "origin", "HEAD:refs/heads/tagbump/main/api"]);
    for _ in 0..2 {
        ended(&repo::run(&mut hosted.rollback(&["--pr"])), 0, "proposed");
        assert_eq!(hosted.proposed(), hosted.mono.builds[1][..7]);
        assert_eq!(git(bare, &["rev-parse", "tagbump/main/api^"]), theirs, "once");
    }
    assert_eq!(tag_in(&git(bare, &["show", &format!("main:{FILE}")])), hosted.mono.builds[3][..7]);
}

#[test]
fn rollback_by_api_retries_when_branch_moved() {
    for (path, exit, outcome) in [("README.md", 0, "landed"), (FILE, 4, "failed")] {
        let hosted = hosted(5, &BY_API);
        let world = &hosted.mono.world;
        let bare = world.bare.clone();
        let text =
            if path == FILE { world.file(FILE).replace(&hosted.mono.tag(), "v9") } else { "x\n".to_owned() };
        hosted.github.before(On::CreateCommitOnBranch, move || {
            rival(&bare, path, &text);
        });
        let told = ended(&repo::run(&mut hosted.rollback(&BY_API)), exit, outcome);
        if exit == 0 {
            assert_eq!(hosted.mono.tag(), hosted.mono.builds[1][..7]);
        } else {
            assert!(told["error"]["message"].as_str().unwrap().starts_with("not rolled back: "), "{told}");
            assert_eq!(hosted.mono.tag(), "v9");
        }
    }
}

/// A workflow step gets the same outputs as for any bump.
#[test]
fn step_has_outputs_after_rollback() {
    let hosted = hosted(4, &["--push"]);
    let outputs = hosted.mono.world.path().join("outputs");
    let mut command = hosted.rollback(&["--push"]);
    repo::actions(&mut command, "acme/gitops", &hosted.mono.world.tip());
    command.env("GITHUB_SERVER_URL", hosted.github.url()).env("GITHUB_OUTPUT", &outputs);
    ended(&repo::run(&mut command), 0, "landed");
    let outputs = std::fs::read_to_string(outputs).unwrap();
    for (name, value) in
        [("outcome", "landed"), ("tag", &hosted.mono.builds[1][..7]), ("commit", &hosted.mono.world.tip())]
    {
        let start = format!("{name}<<");
        let shown = outputs.split_once(&start).and_then(|(_, rest)| rest.lines().nth(1));
        assert_eq!(shown, Some(value), "{name} in {outputs}");
    }
}

/// No server knows the order of the commits: the rolled-back tag is recognised by its name.
#[test]
fn same_build_is_held_without_token() {
    let apart = Apart::new(4);
    for nth in [1, 3] {
        ended(&repo::run(&mut apart.job(&apart.mono.builds[nth], &[])), 0, "landed");
    }
    ended(&apart.rollback("5"), 0, "landed");
    let folder = apart.mono.world.path().join("later");
    git(apart.mono.world.path(), &["clone", "--quiet", apart.target.to_str().unwrap(), "later"]);
    commit(&folder, "notes.txt", "later\n");
    git(&folder, &["push", "--quiet", "origin", "HEAD:main"]);
    let mut job = apart.shallow_job(&apart.mono.builds[3], "1", &[]);
    for variable in ["GITHUB_TOKEN", "GH_TOKEN", "TAGBUMP_TOKEN"] {
        job.env_remove(variable);
    }
    let told = ended(&repo::run(&mut job), 0, "superseded");
    assert!(notices(&told).contains("was rolled back"), "{told}");
}
