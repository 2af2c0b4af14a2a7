//! The order guard: builds that finish late, ordered by ancestry in the local history, in more of it, or by GitHub.

use crate::support::apart::{Apart, Hosted};
use crate::support::cli;
use crate::support::git::git;
use crate::support::github::{Fault, On, TOKEN};
use crate::support::mono::{Mono, job_in, notices, tag_in};
use crate::support::repo::{self, API, FILE, commit, ended, kustomization, run_together};
use serde_json::Value;

#[test]
fn newest_build_wins_when_builds_end_in_random_order() {
    let mono = Mono::new(30);
    let mut order: Vec<usize> = (0..30).collect();
    let mut random = fastrand::Rng::with_seed(4);
    random.shuffle(&mut order);
    let mut newest = None;
    for nth in order {
        let run = repo::run(&mut mono.job(&mono.builds[nth], &[]));
        if newest.is_none_or(|newest| nth > newest) {
            ended(&run, 0, "landed");
            newest = Some(nth);
        } else {
            let told = ended(&run, 0, "superseded");
            assert_eq!((&told["changed"], &told["commit"]), (&false.into(), &Value::Null));
            assert!(notices(&told).contains("which is newer"), "{}", run.output());
        }
        assert_eq!(mono.tag(), mono.builds[newest.unwrap()][..7]);
    }
}

#[test]
fn newest_build_wins_when_builds_end_at_once() {
    let mono = Mono::new(12);
    let jobs = mono.builds.iter().rev().map(|sha| mono.job(sha, &[])).collect();
    let runs = run_together(jobs);
    for run in &runs {
        let told = repo::json(run);
        assert!(["landed", "superseded"].contains(&told["outcome"].as_str().unwrap()), "{}", run.output());
    }
    assert_eq!(mono.tag(), mono.builds[11][..7]);
    ended(&runs[0], 0, "landed");
}

/// In the usual case, the shallowest possible checkout costs nothing extra.
#[test]
fn newer_build_fetches_no_history() {
    let mono = Mono::new(3);
    ended(&repo::run(&mut mono.job(&mono.builds[0], &[])), 0, "landed");
    let job = mono.checkout("w", &mono.builds[2]);
    let before = mono.world.server.requests().len();
    let told = ended(&repo::run(&mut job_in(&job, &mono.builds[2], &[])), 0, "landed");
    assert_eq!(notices(&told), "[]");
    assert!(mono.world.server.requests().len() - before <= 4);
}

/// Tags of another repository's builds, in a repository whose history is all there.
#[test]
fn notice_tells_commit_of_another_repository_from_one_that_is_too_old() {
    let world = repo::World::new();
    let folder = world.full("all");
    ended(&repo::run(&mut repo::push(&folder, "main-1a2b3c4", &[])), 0, "landed");
    let told = ended(&repo::run(&mut repo::push(&folder, "main-9a2b3c4", &[])), 0, "landed");
    assert!(notices(&told).contains("commit 9a2b3c4 is not in the history of this branch"), "{told}");
}

/// The remote's URL names the repository as it was called, or is a folder of any name: the commits tell what was built.
#[test]
fn commits_tell_the_repository_when_its_name_differs() {
    let mono = Mono::new(3);
    let folder = mono.sources();
    let job = |nth: usize, repository: &str| {
        let mut command = cli::command(&folder);
        command.args(["bump", API, "--push", "--format", "json"]);
        repo::actions(&mut command, repository, &mono.builds[nth]);
        repo::run(&mut command)
    };
    ended(&job(1, "acme/old-name"), 0, "landed");
    let subject = git(&mono.world.bare, &["log", "-1", "--format=%s", "main"]);
    assert!(subject.contains("[skip ci]"), "{subject}");
    let told = ended(&job(0, "acme/new-name"), 0, "superseded");
    assert!(notices(&told).contains("which is newer"), "{told}");
    ended(&job(2, "acme/new-name"), 0, "landed");
    assert_eq!(mono.tag(), mono.builds[2][..7]);
}

/// Somewhere else, a job's commit is not on the remote's branch.
#[test]
fn detached_head_lands_on_the_branch_that_has_its_commit() {
    let mono = Mono::new(1);
    git(&mono.world.bare, &["branch", "develop", "main"]);
    let folder = mono.sources();
    git(&folder, &["checkout", "--quiet", "--detach"]);
    let mut command = cli::command(&folder);
    command.args(["bump", API, "--push", "--format", "json"]);
    repo::actions(&mut command, "acme/another-name", &mono.builds[0]);
    command.env("GITHUB_REF", "refs/heads/develop").env("GITHUB_REF_NAME", "develop");
    assert_eq!(ended(&repo::run(&mut command), 0, "landed")["branch"], "develop");
    command.env("GITHUB_SHA", "1".repeat(40)).args(["--if-older", "write"]);
    assert_eq!(ended(&repo::run(&mut command), 0, "landed")["branch"], "main");
}

#[test]
fn late_build_fails_outside_of_actions() {
    let mono = Mono::new(2);
    ended(&repo::run(&mut mono.job(&mono.builds[1], &[])), 0, "landed");
    let folder = mono.checkout("laptop", &mono.builds[0]);
    let mut command = repo::push(&folder, &mono.builds[0][..7], &[]);
    let run = repo::run(&mut command);
    let told = ended(&run, 4, "superseded");
    assert!(told["error"]["message"].as_str().unwrap().contains("which is newer"), "{}", run.output());
    assert!(told["error"]["hint"].as_str().unwrap().contains("--if-older write"));
    assert_eq!(mono.tag(), mono.builds[1][..7]);
    ended(
        &repo::run(&mut repo::push(&folder, &mono.builds[0][..7], &["--if-older", "skip"])),
        0,
        "superseded",
    );
    ended(&repo::run(&mut repo::push(&folder, &mono.builds[0][..7], &["--if-older", "write"])), 0, "landed");
    assert_eq!(mono.tag(), mono.builds[0][..7]);
    ended(&repo::run(&mut mono.job(&mono.builds[1], &["--if-older", "fail", "-n"])), 0, "planned");
}

const WEB: &str = "ghcr.io/acme/web";

/// Each image is ordered by the commit in its own tag.
#[test]
fn images_with_tags_of_different_commits_have_sources_of_their_own() {
    let mono = Mono::new(4);
    mono.world.rival(
        "web.yaml",
        &format!("kind: Pod\napiVersion: v1\nspec: {{containers: [{{image: '{WEB}:v0'}}]}}\n"),
    );
    let folder = mono.sources();
    let short = |nth: usize| &mono.builds[nth][..7];
    let both = [format!("{API}:{}", short(0)), format!("{WEB}:{}", short(2))];
    let push = |images: &[String]| {
        let mut command = cli::command(&folder);
        command.arg("bump").args(images).args(["--push", "--format", "json"]);
        repo::run(&mut command)
    };
    ended(&push(&both), 0, "landed");
    let message = mono.world.message();
    let sources: Vec<&str> = message.lines().filter(|line| line.starts_with("Tagbump-Source: ")).collect();
    assert_eq!(sources.len(), 2, "{message}");
    assert!(sources[0].ends_with(&mono.builds[0]) && sources[1].ends_with(&mono.builds[2]), "{message}");
    ended(&push(&[format!("{WEB}:{}", short(1))]), 4, "superseded");
    ended(&push(&[format!("{WEB}:{}", short(3))]), 0, "landed");
}

/// The checkout is then at the commit that the first step landed.
#[test]
fn second_step_of_a_run_by_hand_computes_the_same_tag() {
    let mono = Mono::new(2);
    mono.world.rival(
        "web.yaml",
        &format!("kind: Pod\napiVersion: v1\nspec: {{containers: [{{image: '{WEB}:v0'}}]}}\n"),
    );
    let tip = mono.world.tip();
    let folder = mono.checkout("w", &tip);
    let step = |image: &str, repository: &str| {
        let mut command = cli::command(&folder);
        command.args(["bump", image, "--push", "--format", "json"]);
        repo::actions(&mut command, repository, &tip);
        command.env("GITHUB_EVENT_NAME", "workflow_dispatch");
        ended(&repo::run(&mut command), 0, "landed")["tag"].as_str().unwrap().to_owned()
    };
    assert_eq!(step(API, "acme/gitops"), tip[..7]);
    assert_eq!(step(WEB, "acme/gitops"), tip[..7]);
    // a job that checks out another branch builds that
    git(&folder, &["checkout", "--quiet", "-b", "feature"]);
    let mut command = cli::command(&folder);
    repo::actions(command.args(["tag", "-T", "{sha:7}"]), "acme/gitops", &tip);
    let run = repo::run(command.env("GITHUB_EVENT_NAME", "workflow_dispatch"));
    assert_eq!(run.stdout.trim(), &git(&folder, &["rev-parse", "HEAD"])[..7]);
    git(&folder, &["checkout", "--quiet", "main"]);
    // the manifests of another repository's build
    let built = "0123456789abcdef0123456789abcdef01234567";
    let mut command = cli::command(&folder);
    command.args(["bump", WEB, "--push", "--format", "json"]);
    repo::actions(&mut command, "acme/app", built);
    command.env("GITHUB_EVENT_NAME", "schedule");
    assert_eq!(ended(&repo::run(&mut command), 0, "landed")["tag"], built[..7]);
}

/// A person who starts a workflow with an old tag must not see a green run that deployed nothing.
#[test]
fn older_build_fails_when_a_person_started_the_workflow() {
    let mono = Mono::new(2);
    ended(&repo::run(&mut mono.job(&mono.builds[1], &[])), 0, "landed");
    let by_hand = |more: &[&str]| {
        let mut command = mono.job(&mono.builds[0], more);
        repo::run(command.env("GITHUB_EVENT_NAME", "workflow_dispatch"))
    };
    let run = by_hand(&[]);
    let told = ended(&run, 4, "superseded");
    assert!(told["error"]["hint"].as_str().unwrap().contains("rollback"), "{}", run.output());
    ended(&by_hand(&["--if-older", "skip"]), 0, "superseded");
    assert_eq!(mono.tag(), mono.builds[1][..7]);
    ended(&repo::run(&mut mono.job(&mono.builds[0], &[])), 0, "superseded");
}

#[test]
fn dry_run_reports_late_build() {
    let mono = Mono::new(2);
    ended(&repo::run(&mut mono.job(&mono.builds[1], &[])), 0, "landed");
    let told = ended(&repo::run(&mut mono.job(&mono.builds[0], &["-n", "--exit-code"])), 0, "superseded");
    let skipped = &told["skipped"][0];
    assert_eq!((&skipped["file"], &skipped["image"]), (&FILE.into(), &API.into()));
    assert_eq!((&skipped["line"], &skipped["reason"]), (&5.into(), &"superseded".into()));
    let stays = format!("stays at {}, built from {}", &mono.builds[1][..7], mono.builds[1]);
    assert!(skipped["detail"].as_str().unwrap().starts_with(&stays), "{skipped}");
}

/// A tag that contains no commit: the trailer of the commit that set it counts, even below other commits, in a
/// checkout that has to be deepened.
#[test]
fn source_of_version_comes_from_trailer() {
    let mono = Mono::new(3);
    ended(&repo::run(&mut mono.job(&mono.builds[1], &["--tag", "v1.1.0"])), 0, "landed");
    for nth in 0..60 {
        mono.world.rival("README.md", &format!("{nth}\n"));
    }
    let late = repo::run(&mut mono.job(&mono.builds[0], &["--tag", "v1.0.0"]));
    ended(&late, 0, "superseded");
    let tip = mono.world.tip();
    let late = repo::run(&mut job_in(&mono.checkout("tip", &tip), &mono.builds[0], &["--tag", "v1.0.0"]));
    ended(&late, 0, "superseded");
    ended(&repo::run(&mut mono.job(&mono.builds[2], &["--tag", "v1.2.0"])), 0, "landed");
}

/// A squash merge adds text after the trailers; another person's commit in between doesn't matter.
#[test]
fn trailer_counts_when_text_follows_it() {
    let mono = Mono::new(2);
    let work = mono.sources();
    std::fs::write(work.join(FILE), kustomization(&[API.into()]).replace("v0", "v9")).unwrap();
    let message = format!(
        "Deploy (#7)\n\nTagbump-Image: {API}:v9\nTagbump-Source: acme/gitops@{}\n\nReviewed, with thanks.\n",
        mono.builds[1]
    );
    git(&work, &["commit", "--quiet", "--all", "--message", &message]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    ended(&repo::run(&mut mono.job(&mono.builds[0], &[])), 0, "superseded");
}

/// Each reference is checked separately: one is already newer, the other isn't.
#[test]
fn order_is_decided_for_each_reference() {
    let mono = Mono::new(3);
    let work = mono.sources();
    let at =
        |nth: usize| kustomization(&[API.into()]).replace("v0", &format!("\"{}\"", &mono.builds[nth][..7]));
    commit(&work, "dev/kustomization.yaml", &at(2));
    commit(&work, "prod/kustomization.yaml", &at(0));
    git(&work, &["rm", "--quiet", FILE]);
    git(&work, &["commit", "--quiet", "--message", "environments"]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    let told = ended(&repo::run(&mut mono.job(&mono.builds[1], &["--all"])), 0, "landed");
    assert!(notices(&told).contains("dev/kustomization.yaml:5"), "{told}");
    assert_eq!(tag_in(&mono.world.file("dev/kustomization.yaml")), mono.builds[2][..7]);
    assert_eq!(tag_in(&mono.world.file("prod/kustomization.yaml")), mono.builds[1][..7]);
}

#[test]
fn default_branch_wins_when_commits_diverged() {
    let mono = Mono::new(2);
    let work = mono.sources();
    git(&work, &["checkout", "--quiet", "-b", "feature", &mono.builds[0]]);
    let feature = commit(&work, "src/feature.rs", "// new\n");
    git(&work, &["push", "--quiet", "origin", "feature"]);
    ended(&repo::run(&mut mono.job(&mono.builds[1], &[])), 0, "landed");
    let build = |sha: &str| {
        let folder = mono.world.full(&format!("full-{}", &sha[..7]));
        git(&folder, &["checkout", "--quiet", "-B", "main", sha]);
        repo::run(&mut job_in(&folder, sha, &["--branch", "main"]))
    };
    ended(&build(&feature), 0, "superseded");
    git(&mono.world.bare, &["update-ref", "refs/heads/main", &mono.builds[1]]);
    let told =
        ended(&repo::run(&mut mono.job(&feature, &["--if-older", "write", "--branch", "main"])), 0, "landed");
    assert!(!notices(&told).contains("can't determine whether"), "{told}");
    // back to the tag of the default branch
    ended(&build(&mono.builds[1]), 0, "landed");
    assert_eq!(mono.tag(), mono.builds[1][..7]);
}

#[test]
fn bump_lands_with_notice_when_order_is_unknown() {
    let mono = Mono::new(1);
    let folder = mono.world.shallow("w");
    let told = ended(&repo::run(&mut repo::push(&folder, "v1", &[])), 0, "landed");
    assert!(notices(&told).contains("the source commit of this build is unknown"), "{told}");
    let told = ended(&repo::run(&mut mono.job(&mono.builds[0], &[])), 0, "landed");
    assert!(notices(&told).contains("tag v1 doesn't contain a commit"), "{told}");
    let unknown = "abcdef0123456789abcdef0123456789abcdef01";
    let told = ended(&repo::run(&mut repo::push(&folder, "v2", &["--source", unknown])), 0, "landed");
    assert!(notices(&told).contains(&format!("commit {unknown} is not in the history")), "{told}");
    let built = |tag: &str, source: &str| {
        let told = repo::run(&mut repo::push(&folder, tag, &["--source", source]));
        notices(&ended(&told, 0, "landed"))
    };
    assert!(built("v3", &format!("acme/other@{unknown}")).contains("tag v2 doesn't contain a commit"));
    let told = built("v4", &format!("acme/other@1{}", &unknown[1..]));
    assert!(told.contains("no token to read acme/other"), "{told}");
    let told = built("v5", &format!("acme/gitops@{}", mono.builds[0]));
    assert!(told.contains("v4 was built from another repository"), "{told}");
}

#[test]
fn github_is_asked_for_order_in_another_repository() {
    let apart = Apart::new(3);
    let builds = &apart.mono.builds;
    ended(&repo::run(&mut apart.job(&builds[1], &[])), 0, "landed");
    ended(&repo::run(&mut apart.job(&builds[0], &[])), 0, "superseded");
    ended(&repo::run(&mut apart.job(&builds[2], &[])), 0, "landed");
    assert_eq!(apart.tag(), builds[2][..7]);
    assert_eq!(apart.github.count(On::Compare), 2);
}

#[test]
fn bump_lands_when_github_does_not_know_order() {
    let apart = Apart::new(2);
    let builds = &apart.mono.builds;
    ended(&repo::run(&mut apart.job(&builds[1], &[])), 0, "landed");
    for fault in [Fault::Status(502), Fault::Forbidden("no"), Fault::Close] {
        apart.github.fault(On::Compare, fault);
        let told = ended(&repo::run(&mut apart.job(&builds[0], &["-n"])), 0, "planned");
        assert!(notices(&told).contains("can't determine whether"), "{told}");
        assert!(!notices(&told).contains(TOKEN));
    }
    let told = ended(&repo::run(apart.job(&builds[0], &[]).env_remove("GITHUB_TOKEN")), 0, "landed");
    assert!(notices(&told).contains("no token"), "{told}");
}

#[test]
fn github_is_asked_for_default_branch_when_commits_diverged() {
    let apart = Apart::new(2);
    let (world, builds) = (&apart.mono.world, &apart.mono.builds);
    let work = apart.mono.sources();
    git(&work, &["checkout", "--quiet", "-b", "feature", &builds[0]]);
    let feature = commit(&work, "src/feature.rs", "// new\n");
    git(&work, &["push", "--quiet", world.bare.to_str().unwrap(), "feature"]);
    ended(&repo::run(&mut apart.job(&builds[1], &[])), 0, "landed");
    ended(&repo::run(&mut apart.job(&feature, &[])), 0, "superseded");
    ended(&repo::run(&mut apart.job(&feature, &["--if-older", "write"])), 0, "landed");
    ended(&repo::run(&mut apart.job(&builds[1], &[])), 0, "landed");
}

#[test]
fn late_build_is_superseded_when_landing_by_api() {
    let hosted = Hosted::new(3);
    let push = ["--push", "--via", "api"];
    ended(&repo::run(&mut hosted.job(1, &push)), 0, "landed");
    ended(&repo::run(&mut hosted.job(0, &push)), 0, "superseded");
    assert_eq!(hosted.github.count(On::CreateCommitOnBranch), 1);
    ended(&repo::run(&mut hosted.job(2, &push)), 0, "landed");
    assert_eq!(hosted.mono.tag(), hosted.mono.builds[2][..7]);
}

#[test]
fn pull_request_stays_when_it_has_newer_build() {
    for via in ["git", "api"] {
        let hosted = Hosted::new(4);
        let pr = ["--pr", "--via", via];
        ended(&repo::run(&mut hosted.job(2, &pr)), 0, "proposed");
        let before = hosted.github.open_pulls();
        ended(&repo::run(&mut hosted.job(1, &pr)), 0, "superseded");
        assert_eq!(hosted.github.open_pulls()[0].title, before[0].title);
        assert_eq!(hosted.proposed(), hosted.mono.builds[2][..7]);
        ended(&repo::run(&mut hosted.job(3, &pr)), 0, "proposed");
        assert_eq!(hosted.proposed(), hosted.mono.builds[3][..7]);
        assert_eq!(hosted.github.open_pulls().len(), 1);
    }
}

#[test]
fn late_build_proposes_nothing_when_base_is_newer() {
    let hosted = Hosted::new(3);
    ended(&repo::run(&mut hosted.job(2, &["--push"])), 0, "landed");
    ended(&repo::run(&mut hosted.job(1, &["--pr"])), 0, "superseded");
    assert!(hosted.github.pulls().is_empty());
}

/// Someone has added a commit to the branch: the base's tag counts anyway.
#[test]
fn late_build_adds_nothing_to_branch_with_commits_of_others() {
    let hosted = Hosted::new(4);
    ended(&repo::run(&mut hosted.job(1, &["--pr"])), 0, "proposed");
    let work = hosted.mono.world.path().join("theirs");
    git(hosted.mono.world.path(), &["clone", "--quiet", hosted.mono.world.bare.to_str().unwrap(), "theirs"]);
    git(&work, &["checkout", "--quiet", "tagbump/main/api"]);
    let theirs = commit(&work, "docs/note.md", "theirs\n");
    git(&work, &["push", "--quiet", "origin", "HEAD:tagbump/main/api"]);
    for late in [0, 1] {
        let run = repo::run(&mut hosted.job(late, &["--pr"]));
        assert_eq!(run.exit, 0, "{}", run.output());
        let tip = git(&hosted.mono.world.bare, &["rev-parse", "tagbump/main/api"]);
        assert_eq!(tip, theirs, "{}", run.output());
    }
    ended(&repo::run(&mut hosted.job(3, &["--push"])), 0, "landed");
    ended(&repo::run(&mut hosted.job(2, &["--pr"])), 0, "superseded");
}

/// The base has our tag, and a pull request proposes a newer one.
#[test]
fn up_to_date_build_does_not_close_newer_proposal() {
    let hosted = Hosted::new(3);
    ended(&repo::run(&mut hosted.job(1, &["--push"])), 0, "landed");
    ended(&repo::run(&mut hosted.job(2, &["--pr"])), 0, "proposed");
    ended(&repo::run(&mut hosted.job(1, &["--pr"])), 0, "superseded");
    assert_eq!(hosted.github.open_pulls().len(), 1);
    assert_eq!(hosted.proposed(), hosted.mono.builds[2][..7]);
}
