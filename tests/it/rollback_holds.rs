//! Rollbacks hold: late builds of the bad commit and of older ones are `superseded`, newer ones
//! land.

use crate::support::git::git;
use crate::support::mono::{Mono, back_in, job_in, notices, tag_in};
use crate::support::repo::{self, API, FILE, commit, ended, failed, kustomization};

/// Builds 1 and 3 of `count` have landed, and 3 was rolled back.
fn rolled_back(count: usize) -> Mono {
    let mono = Mono::new(count);
    for nth in [1, 3] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &[])), 0, "landed");
    }
    let told = ended(&mono.rollback(&[]), 0, "landed");
    assert_eq!(told["images"][0]["tag"], mono.builds[1][..7]);
    assert_eq!(mono.tag(), mono.builds[1][..7]);
    mono
}

#[track_caller]
fn held(mono: &Mono, nth: usize, more: &[&str]) {
    let before = mono.world.tip();
    let told = ended(&repo::run(&mut mono.job(&mono.builds[nth], more)), 0, "superseded");
    assert!(notices(&told).contains("was rolled back, and this build is not newer"), "{nth}: {told}");
    assert_eq!(mono.world.tip(), before);
}

#[test]
fn bad_build_is_held_and_newer_one_lands() {
    let mono = rolled_back(6);
    // the bad commit itself, one between the good and the bad commit, and one older than both
    for nth in [3, 2, 0] {
        let told = ended(&repo::run(&mut mono.job(&mono.builds[nth], &[])), 0, "superseded");
        assert_eq!((&told["changed"], mono.tag()), (&false.into(), mono.builds[1][..7].to_owned()), "{told}");
    }
    ended(&repo::run(&mut mono.job(&mono.builds[1], &[])), 0, "already");
    ended(&repo::run(&mut mono.job(&mono.builds[4], &[])), 0, "landed");
    assert_eq!(mono.tag(), mono.builds[4][..7]);
    // and from then on, everything is as usual
    ended(&repo::run(&mut mono.job(&mono.builds[3], &[])), 0, "superseded");
    ended(&repo::run(&mut mono.job(&mono.builds[5], &[])), 0, "landed");
}

#[test]
fn commit_of_rollback_has_trailers() {
    let mono = rolled_back(4);
    let (good, bad) = (&mono.builds[1], &mono.builds[3]);
    let wanted = format!(
        "revert: roll back api image to {good:.7} [skip ci]\n\n{API}: {bad:.7} -> {good:.7} ({FILE})\n\n\
         Tagbump-Image: {API}:{good:.7}\nTagbump-Rollback: {API}:{bad:.7} acme/gitops@{bad}\n\
         Tagbump-Source: acme/gitops@{good}"
    );
    assert_eq!(mono.world.message(), wanted);
}

/// A job's log shows the reason.
#[test]
fn late_build_is_shown_the_rollback() {
    let mono = rolled_back(4);
    let (good, bad) = (&mono.builds[1][..7], &mono.builds[3]);
    let told = ended(&repo::run(&mut mono.job(bad, &[])), 0, "superseded");
    let wanted = format!(
        "{FILE}:5: {API} stays at {good}, because {bad:.7} was rolled back, and this build is not newer \
         (commit {:.10} by Ada)",
        mono.world.tip()
    );
    assert_eq!(told["notices"][0], wanted.as_str());
    let folder = mono.checkout("laptop", bad);
    let run = repo::run(&mut repo::push(&folder, &bad[..7], &[]));
    let told = ended(&run, 4, "superseded");
    assert_eq!(told["error"]["message"], format!("not landed: {wanted}"));
    assert!(told["error"]["hint"].as_str().unwrap().contains("--if-older write"), "{told}");
    ended(&repo::run(&mut mono.job(bad, &["-n", "--exit-code"])), 0, "superseded");
    ended(&repo::run(&mut mono.job(bad, &["--if-older", "write"])), 0, "landed");
    assert_eq!(mono.tag(), bad[..7]);
}

/// The commit that set the good tag is below others, and the checkouts are as shallow as possible.
#[test]
fn rollback_holds_below_many_other_commits() {
    let mono = rolled_back(6);
    for nth in 0..60 {
        mono.world.rival("README.md", &format!("{nth}\n"));
    }
    held(&mono, 3, &[]);
    // a job that checks out the tip, not the commit that was built
    for nth in [3, 2] {
        let tip = mono.checkout(&format!("tip-{nth}"), &mono.world.tip());
        ended(&repo::run(&mut job_in(&tip, &mono.builds[nth], &[])), 0, "superseded");
    }
    let full = mono.world.full("full");
    ended(&repo::run(&mut job_in(&full, &mono.builds[3], &["--no-sync"])), 0, "superseded");
    let told = ended(&repo::run(&mut mono.job(&mono.builds[5], &[])), 0, "landed");
    assert_eq!(notices(&told), "[]");
}

/// The same commit under another tag, known only from `--source`.
#[test]
fn bad_source_is_held_under_any_tag() {
    let mono = rolled_back(6);
    held(&mono, 3, &["--tag", "release-candidate"]);
    held(&mono, 2, &["--tag", "v1.9.0"]);
    let folder = mono.checkout("w", &mono.world.tip());
    let push = |tag: &str, nth: usize| {
        let source = ["--source", &mono.builds[nth], "--if-older", "skip"];
        repo::run(&mut repo::push(&folder, tag, &source))
    };
    ended(&push("v2", 3), 0, "superseded");
    ended(&push("v2", 5), 0, "landed");
}

/// Tags that contain no commit: the trailers say what they were built from.
#[test]
fn version_is_held_by_trailers() {
    let mono = Mono::new(6);
    for (nth, tag) in [(1, "v1.1.0"), (3, "v1.3.0")] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &["--tag", tag])), 0, "landed");
    }
    ended(&mono.rollback(&[]), 0, "landed");
    assert_eq!(mono.tag(), "v1.1.0");
    assert!(
        mono.world
            .message()
            .contains(&format!("Tagbump-Rollback: {API}:v1.3.0 acme/gitops@{}", mono.builds[3]))
    );
    held(&mono, 3, &["--tag", "v1.3.0"]);
    held(&mono, 2, &["--tag", "v1.2.0"]);
    held(&mono, 3, &["--tag", "v1.3.0-again"]);
    ended(&repo::run(&mut mono.job(&mono.builds[4], &["--tag", "v1.4.0"])), 0, "landed");
}

/// No commit is known: the rolled-back tag is recognised by its name.
#[test]
fn version_is_held_by_name_when_its_commit_is_unknown() {
    let mono = Mono::new(1);
    for tag in ["v1.0.0", "v1.1.0"] {
        mono.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", tag));
    }
    ended(&mono.rollback(&[]), 0, "landed");
    let folder = mono.checkout("w", &mono.world.tip());
    let told =
        ended(&repo::run(&mut repo::push(&folder, "v1.1.0", &["--if-older", "skip"])), 0, "superseded");
    assert!(notices(&told).contains("because v1.1.0 was rolled back"), "{told}");
    // the order of any other tag is unknown: it is written, with a notice
    let told = ended(&repo::run(&mut repo::push(&folder, "v1.2.0", &["--if-older", "skip"])), 0, "landed");
    assert!(notices(&told).contains("can't determine whether"), "{told}");
}

#[test]
fn rollback_over_several_tags_holds_them_all() {
    let mono = Mono::new(7);
    for nth in [1, 3, 5] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &[])), 0, "landed");
    }
    for nth in [3, 1] {
        ended(&mono.rollback(&[]), 0, "landed");
        assert_eq!(mono.tag(), mono.builds[nth][..7]);
    }
    for nth in [3, 2, 0] {
        held(&mono, nth, &[]);
    }
    // rolled back first, by the commit before the last one
    held(&mono, 5, &[]);
    held(&mono, 4, &[]);
    ended(&repo::run(&mut mono.job(&mono.builds[6], &[])), 0, "landed");
}

/// The rolled-back tag turns out to be fine.
#[test]
fn rolled_back_tag_returns_when_named() {
    let mono = rolled_back(5);
    ended(&mono.rollback(&["--to", &mono.builds[3][..7]]), 0, "landed");
    assert_eq!(mono.tag(), mono.builds[3][..7]);
    ended(&repo::run(&mut mono.job(&mono.builds[3], &[])), 0, "already");
    ended(&repo::run(&mut mono.job(&mono.builds[2], &[])), 0, "superseded");
    ended(&repo::run(&mut mono.job(&mono.builds[4], &[])), 0, "landed");
}

#[test]
fn another_image_is_not_held() {
    let mono = Mono::new(4);
    let web = "ghcr.io/acme/web";
    mono.world.rival("web/kustomization.yaml", &kustomization(&[web.into()]));
    for nth in [1, 3] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &[web])), 0, "landed");
    }
    ended(&mono.rollback(&[]), 0, "landed");
    let told = ended(&repo::run(&mut mono.job(&mono.builds[3], &[web])), 0, "superseded");
    assert_eq!(told["changed"], false, "{told}");
    assert_eq!(tag_in(&mono.world.file("web/kustomization.yaml")), mono.builds[3][..7]);
}

/// The rollback's branch was squash-merged: its trailers are only in the body of the message.
#[test]
fn rollback_holds_when_merged_by_squash() {
    let mono = Mono::new(4);
    for nth in [1, 3] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &[])), 0, "landed");
    }
    let before = mono.world.tip();
    ended(&mono.rollback(&[]), 0, "landed");
    let message = mono.world.message();
    git(&mono.world.bare, &["update-ref", "refs/heads/main", &before]);
    let work = mono.world.path().join("squash");
    git(mono.world.path(), &["clone", "--quiet", mono.world.bare.to_str().unwrap(), "squash"]);
    crate::support::repo::write(
        &work,
        FILE,
        &kustomization(&[API.into()]).replace("v0", &mono.builds[1][..7]),
    );
    let squashed = format!("Back (#7)\n\n* {message}\n\n---------\n\nCo-authored-by: Eve <eve@example.com>");
    git(&work, &["commit", "--quiet", "--all", "--message", &squashed]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    held(&mono, 3, &[]);
    held(&mono, 2, &[]);
}

/// A later bump of another environment, by another command, doesn't lift the block.
#[test]
fn rollback_holds_when_another_file_changes() {
    let mono = Mono::new(6);
    let work = mono.sources();
    let tag = |nth: usize| mono.builds[nth][..7].to_owned();
    git(&work, &["rm", "--quiet", FILE]);
    for (path, nth) in
        [("prod/kustomization.yaml", 1), ("prod/kustomization.yaml", 3), ("dev/kustomization.yaml", 2)]
    {
        commit(&work, path, &kustomization(&[API.into()]).replace("v0", &format!("\"{}\"", tag(nth))));
    }
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    ended(&mono.rollback(&["-f", "prod"]), 0, "landed");
    // an ordinary bump brings dev to the same good tag
    let folder = mono.checkout("dev", &mono.world.tip());
    let source = ["-f", "dev", "--source", &mono.builds[1], "--if-older", "write"];
    ended(&repo::run(&mut repo::push(&folder, &tag(1), &source)), 0, "landed");
    let prod = || tag_in(&mono.world.file("prod/kustomization.yaml"));
    assert_eq!(prod(), tag(1));
    let late = repo::run(&mut mono.job(&mono.builds[3], &["-f", "prod"]));
    ended(&late, 0, "superseded");
    assert_eq!(prod(), tag(1));
    // without a rollback, the same build lands like any other
    let other = repo::run(&mut mono.job(&mono.builds[3], &["-f", "dev"]));
    ended(&other, 0, "landed");
    assert_eq!((tag_in(&mono.world.file("dev/kustomization.yaml")), prod()), (tag(3), tag(1)));
}

/// The good tag was available the whole time; the other clone is from another day.
#[test]
fn rollback_holds_from_old_shallow_clone() {
    let mono = Mono::new(5);
    for nth in [1, 3] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &[])), 0, "landed");
    }
    let old = mono.checkout("old", &mono.builds[0]);
    let told = ended(&repo::run(&mut back_in(&old, &[])), 0, "landed");
    assert_eq!(told["images"][0]["tag"], mono.builds[1][..7]);
    held(&mono, 3, &[]);
    let fresh = Mono::new(1);
    let text = failed(&fresh.rollback(&[]), 3);
    assert!(text.contains("no earlier tag than v0 found") && !text.contains("incomplete"), "{text}");
}

/// In a clone of one commit, it takes one fetch to find out whether that commit set the tag: its message isn't proof.
/// A clone that has the parent too needs no fetch.
#[test]
fn parent_of_last_commit_is_fetched_once() {
    let mono = Mono::new(1);
    let requests = |tag: &str, message: &str, depth: &str| {
        let folder = mono.world.clone_of(&mono.world.url(), tag, &["--depth", depth]);
        let before = mono.world.server.requests().len();
        let source = format!("acme/other@{}", tag.repeat(20));
        let more = ["--source", &source, "-m", message, "--no-sync"];
        ended(&repo::run(&mut repo::push(&folder, tag, &more)), 0, "landed");
        mono.world.server.requests().len() - before
    };
    requests("a1", "{images}\n\n({files})", "1");
    let looked = requests("b2", "without a word", "1");
    assert_eq!(requests("c3", "as ever\n\n({files})", "1"), looked);
    let usual = requests("d4", "as ever", "2");
    assert!(usual < looked && looked <= usual + 3, "{usual} and {looked} requests");
}

/// A fix of the restored build is based on a commit older than the bad one: the bad tag stays blocked anyway.
#[test]
fn rollback_holds_when_fix_is_on_older_branch() {
    let mono = rolled_back(6);
    let work = mono.sources();
    git(&work, &["checkout", "--quiet", "-b", "fix", &mono.builds[1]]);
    let fixes = ["one", "two"].map(|text| commit(&work, "src/fix.rs", text));
    git(&work, &["push", "--quiet", "origin", "fix"]);
    for fix in &fixes {
        let run = repo::run(&mut mono.job(fix, &["--branch", "main", "--if-older", "write"]));
        ended(&run, 0, "landed");
        let bad = format!("Tagbump-Rollback: {API}:{:.7} acme/gitops@{}", mono.builds[3], mono.builds[3]);
        assert!(mono.world.message().contains(&bad), "{}", mono.world.message());
    }
    held(&mono, 3, &[]);
    held(&mono, 2, &[]);
    ended(&repo::run(&mut mono.job(&mono.builds[4], &[])), 0, "landed");
    assert!(!mono.world.message().contains("Tagbump-Rollback"), "it is over: {}", mono.world.message());
    ended(&repo::run(&mut mono.job(&mono.builds[3], &[])), 0, "superseded");
}

/// A bump that knows nothing about the bad tag adds a digest to the good one.
#[test]
fn rollback_holds_when_good_tag_gets_digest() {
    let mono = rolled_back(5);
    let digest = format!("sha256:{:064x}", 1);
    let more = ["--digest", &digest, "--if-older", "write"];
    ended(&repo::run(&mut mono.job(&mono.builds[1], &more)), 0, "landed");
    held(&mono, 3, &[]);
    // writing the bad tag on purpose works
    ended(&repo::run(&mut mono.job(&mono.builds[3], &["--if-older", "write"])), 0, "landed");
    assert!(!mono.world.message().contains("Tagbump-Rollback"), "{}", mono.world.message());
}
