//! `tagbump rollback --push`: lands like any bump, and never rolls back what someone else pushed in the meantime.

use std::path::{Path, PathBuf};

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::mono::back_in;
use crate::support::past::{state, tags};
use crate::support::repo::{
    self, API, FILE, PASSWORD, World, ended, failed, json, kustomization, rival, run_together,
};

const PROD: &str = "prod/kustomization.yaml";
const WEB: &str = "ghcr.io/acme/web";

fn at(tag: &str) -> String {
    kustomization(&[API.into()]).replace("newTag: v0", &format!("newTag: {tag}"))
}

/// main had v0, v1 and v2.
fn world() -> World {
    let world = World::new();
    for tag in ["v1", "v2"] {
        world.rival(FILE, &at(tag));
    }
    world
}

fn back(folder: &Path, more: &[&str]) -> Run {
    repo::run(&mut back_in(folder, more))
}

#[test]
fn rollback_lands_from_every_kind_of_checkout() {
    for (name, arguments) in
        [("shallow", &["--depth", "1"][..]), ("deeper", &["--depth", "2"]), ("full", &[])]
    {
        let world = world();
        let (base, folder) = (world.tip(), world.clone_of(&world.url(), "w", arguments));
        let told = ended(&back(&folder, &[]), 0, "landed");
        assert_eq!((world.file(FILE), world.last("%P")), (at("v1").trim_end().to_owned(), base), "{name}");
        assert_eq!((&told["commit"], &told["branch"]), (&world.tip().into(), &"main".into()));
        assert!(world.message().contains(&format!("Tagbump-Rollback: {API}:v2")), "{}", world.message());
        // the checkout has it, and is intact
        assert_eq!(
            (git(&folder, &["rev-parse", "HEAD"]), git(&folder, &["status", "--porcelain"])),
            (world.tip(), String::new())
        );
        git(&folder, &["fsck", "--strict", "--no-dangling"]);
        git(&world.bare, &["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn dry_run_of_rollback_moves_nothing() {
    let world = world();
    let (tip, folder) = (world.tip(), world.shallow("w"));
    let before = state(&folder);
    ended(&back(&folder, &["-n"]), 0, "planned");
    let told = ended(&back(&folder, &["-n", "--exit-code"]), 10, "planned");
    assert_eq!((&told["changes"][0]["from"], &told["changes"][0]["to"]), (&"v2".into(), &"v1".into()));
    assert_eq!((state(&folder), world.tip()), (before, tip));
}

#[test]
fn rollback_lands_without_checkout() {
    let world = world();
    let folder = world.path().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let by = ["--author", "Ada <ada@example.com>"];
    let url = world.url();
    let run = back(&folder, &[&["-C", &url][..], &by].concat());
    ended(&run, 0, "landed");
    assert!(!run.output().contains(PASSWORD), "{}", run.output());
    assert_eq!(world.file(FILE), at("v1").trim_end());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    let mut command = cli::command(&folder);
    let run = repo::run(command.args(["rollback", API, "-C", &url, "--format", "json"]));
    assert!(failed(&run, 2).contains("-C with a URL has no files to edit here"));
}

/// The tag to go back to is deeper in the history than the first fetches reach.
#[test]
fn rollback_finds_tag_far_back() {
    let world = world();
    let work = world.full("work");
    git(&work, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
    for nth in 0..70 {
        repo::commit(&work, "README.md", &format!("{nth}\n"));
    }
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    let folder = world.shallow("w");
    ended(&back(&folder, &[]), 0, "landed");
    assert_eq!(world.file(FILE), at("v1").trim_end());
    assert_eq!(git(&folder, &["rev-list", "--count", "HEAD"]), "2", "still shallow");
    ended(&back(&world.shallow("w2"), &["--to", "v0"]), 0, "landed");
    assert_eq!(world.file(FILE), at("v0").trim_end());
}

#[test]
fn rollback_fails_when_tag_was_never_there() {
    let world = world();
    let (tip, folder) = (world.tip(), world.shallow("w"));
    let text = failed(&back(&folder, &["--to", "v9"]), 3);
    assert!(text.contains(&format!("{FILE}:5: {API} never had tag v9; it had v2, v1, v0\n")), "{text}");
    assert_eq!(world.tip(), tip);
    ended(&back(&folder, &["--to", "v9", "--force"]), 0, "landed");
    assert_eq!(world.file(FILE), at("v9").trim_end());
}

/// A server that doesn't send the history: the message says so, and what helps.
#[test]
fn rollback_fails_when_server_gives_no_history() {
    let world = world();
    let (tip, folder) = (world.tip(), world.shallow("w"));
    let refuse = || {
        for _ in 0..5 {
            world
                .server
                .fault(On::Post(Service::UploadPack), Fault::Status { code: 403, headers: Vec::new() });
        }
    };
    refuse();
    let text = failed(&back(&folder, &[]), 3);
    assert!(
        text.contains("no earlier tag than v2 found (the history from the server is incomplete)"),
        "{text}"
    );
    assert!(!text.contains("--push"), "that is what was asked for: {text}");
    assert_eq!(world.tip(), tip);
    ended(&back(&folder, &["--to", "v1", "--force"]), 0, "landed");
}

#[test]
fn rollback_fails_when_newer_tag_lands_first() {
    let world = world();
    let bare = world.bare.clone();
    world.server.before_receive(move || {
        rival(&bare, FILE, &at("v3"));
    });
    let folder = world.shallow("w");
    let text = failed(&back(&folder, &[]), 4);
    assert_eq!(
        text,
        format!(
            "not rolled back: {FILE}:5: {API} has v3 now; it had v2 when the rollback began\n\
             the branch moved; look at tagbump history, and run again if you still want to roll back"
        )
    );
    assert_eq!((world.file(FILE), world.commits()), (at("v3").trim_end().to_owned(), 5));
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}

#[test]
fn rollback_retries_when_other_file_lands_first() {
    let world = world();
    let bare = world.bare.clone();
    world.server.before_receive(move || {
        rival(&bare, "README.md", "newer\n");
    });
    let told = ended(&back(&world.shallow("w"), &[]), 0, "landed");
    assert_eq!((&told["attempts"], world.file("README.md").as_str()), (&2.into(), "newer"));
    assert_eq!(world.file(FILE), at("v1").trim_end());
    // even if it is the same file, and another image in it
    let world = world_of_two();
    let bare = world.bare.clone();
    let both = world.file(FILE).replace("newTag: w1", "newTag: w2") + "\n";
    world.server.before_receive(move || {
        rival(&bare, FILE, &both);
    });
    ended(&back(&world.shallow("w"), &[]), 0, "landed");
    assert!(
        world.file(FILE).contains("newTag: v0 ") && world.file(FILE).contains("newTag: w2 "),
        "{}",
        world.file(FILE)
    );
}

/// Two images in one file, at v1 and w1.
fn world_of_two() -> World {
    let world = World::with(
        |server| server.basic_auth(repo::USER, PASSWORD),
        &[(FILE, &kustomization(&[API.into(), WEB.into()]))],
    );
    let text = kustomization(&[API.into(), WEB.into()]).replacen("v0", "v1", 1).replacen("v0", "w1", 1);
    world.rival(FILE, &text);
    world
}

/// Someone else rolls it back by hand at the same moment: then nothing is left to do.
#[test]
fn rollback_is_up_to_date_when_another_user_rolls_back_first() {
    let world = world();
    let bare = world.bare.clone();
    world.server.before_receive(move || {
        rival(&bare, FILE, &at("v1"));
    });
    ended(&back(&world.shallow("w"), &[]), 0, "already");
    assert_eq!(world.file(FILE), at("v1").trim_end());
}

/// One of several references has changed in the meantime: none is rolled back.
#[test]
fn nothing_is_rolled_back_when_one_of_two_places_moved_on() {
    let world = world();
    for tag in ["v1", "v2"] {
        world.rival(PROD, &at(tag));
    }
    let bare = world.bare.clone();
    world.server.before_receive(move || {
        rival(&bare, PROD, &at("v3"));
    });
    let text = failed(&back(&world.shallow("w"), &[]), 4);
    assert!(text.contains(&format!("{PROD}:5: {API} has v3 now")), "{text}");
    assert_eq!(
        (world.file(FILE), world.file(PROD)),
        (at("v2").trim_end().to_owned(), at("v3").trim_end().to_owned())
    );
}

#[test]
fn two_rollbacks_agree_when_run_at_once() {
    for _ in 0..3 {
        let world = world();
        let folders: Vec<PathBuf> = ["a", "b"].iter().map(|name| world.shallow(name)).collect();
        let runs = run_together(folders.iter().map(|folder| back_in(folder, &[])).collect());
        let mut outcomes: Vec<String> = Vec::new();
        for run in &runs {
            assert_eq!(run.exit, 0, "{}", run.output());
            outcomes.push(json(run)["outcome"].as_str().unwrap().to_owned());
        }
        // one that starts after the other has finished goes further back, as two in a row do
        let further = world.file(FILE) == at("v0").trim_end();
        outcomes.sort();
        if further {
            assert_eq!((outcomes, world.commits()), (vec!["landed".to_owned(); 2], 6));
        } else {
            assert_eq!(world.file(FILE), at("v1").trim_end());
            // within the same second, both may have made the identical commit
            assert!(outcomes == ["already", "landed"] || outcomes == ["landed", "landed"], "{outcomes:?}");
            assert_eq!(world.commits(), 5);
        }
    }
}

/// The second one started from the same tip as the first one, and pushes after it.
#[test]
fn second_of_two_rollbacks_is_up_to_date() {
    let world = world();
    let (first, second) = (world.shallow("a"), world.shallow("b"));
    world.server.before_receive(move || {
        ended(&back(&first, &["--no-sync", "-m", "faster"]), 0, "landed");
    });
    ended(&back(&second, &[]), 0, "already");
    assert_eq!((world.file(FILE), world.commits()), (at("v1").trim_end().to_owned(), 5));
}

#[test]
fn several_images_are_rolled_back_in_one_commit() {
    let world = world_of_two();
    let folder = world.shallow("w");
    ended(&back(&folder, &[WEB]), 0, "landed");
    let trailers = format!(
        "Tagbump-Image: {API}:v0\nTagbump-Image: {WEB}:v0\nTagbump-Rollback: {API}:v1\nTagbump-Rollback: {WEB}:w1"
    );
    assert!(world.message().ends_with(&trailers), "{}", world.message());
    assert_eq!((world.commits(), world.last("%s")), (4, "revert: roll back 2 images [skip ci]".to_owned()));
}

/// Uncommitted changes in the checkout aren't rolled back, and stay.
#[test]
fn uncommitted_edits_stay_after_rollback() {
    let world = world();
    let folder = world.shallow("w");
    repo::write(&folder, FILE, &at("mine"));
    let told = ended(&back(&folder, &[]), 0, "landed");
    assert_eq!(world.file(FILE), at("v1").trim_end());
    assert!(told["warnings"].to_string().contains("uncommitted"), "{told}");
    assert_eq!(std::fs::read_to_string(folder.join(FILE)).unwrap(), at("mine"));
}

/// The whole story, as `tagbump history` shows it afterwards.
#[test]
fn history_shows_rollback() {
    let world = world();
    ended(&back(&world.shallow("w"), &[]), 0, "landed");
    let full = world.full("full");
    let mut command = cli::command(&full);
    let told = json(&repo::run(command.args(["history", API, "--format", "json"])));
    assert_eq!(tags(&told), ["v1", "v2", "v1", "v0"]);
    assert_eq!(told["entries"][0]["author"], "Ada");
}
