//! `tagbump rollback` in a checkout: which tag comes back, where, and what the commit message contains.

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::past::Past;
use crate::support::repo::{API, FILE, ended, failed, kustomization};

const WEB: &str = "ghcr.io/acme/web";
const DEV: &str = "dev/kustomization.yaml";
const PROD: &str = "prod/kustomization.yaml";

fn at(image: &str, tag: &str) -> String {
    kustomization(&[image.into()]).replace("newTag: v0", &format!("newTag: {tag}"))
}

fn digest(nth: usize) -> String {
    format!("sha256:{nth:064x}")
}

fn at_digest(tag: &str, nth: usize) -> String {
    at(API, tag).replace(" # by CI", &format!("\n    digest: {}", digest(nth)))
}

/// One file that had these tags, one after the other.
fn past(tags: &[&str]) -> Past {
    let past = Past::new();
    for tag in tags {
        past.puts("Ada", FILE, &at(API, tag), API, tag);
    }
    past
}

fn rollback(past: &Past, arguments: &[&str]) -> Run {
    let mut command = cli::command(&past.path);
    command.arg("rollback").args(arguments).args(["--format", "json"]);
    Run::of(&command.output().unwrap())
}

/// Rolls back in a local commit. Returns the commit's message.
#[track_caller]
fn committed(past: &Past, arguments: &[&str]) -> String {
    let before = past.git("x", &["rev-parse", "HEAD"]);
    let told = ended(&rollback(past, &[arguments, &["--commit"]].concat()), 0, "committed");
    assert_eq!(told["commit"], past.git("x", &["rev-parse", "HEAD"]).as_str());
    assert_eq!(past.git("x", &["rev-parse", "HEAD^"]), before, "one commit");
    past.git("x", &["status", "--porcelain"]);
    past.git("x", &["log", "-1", "--format=%B"])
}

#[track_caller]
fn says(past: &Past, path: &str, tag: &str) {
    let text = past.read(path);
    assert!(
        text.contains(&format!("newTag: {tag}\n")) || text.contains(&format!("newTag: {tag} ")),
        "{text}"
    );
}

/// Base and two overlays. v1 and v2 were set in the base; staging has had an entry of its own since v3.
fn past_of_an_entry_above_a_base() -> Past {
    let past = Past::new();
    let config = "environments: { staging: { files: [envs/staging] }, prod: { files: [envs/prod] } }\n";
    past.puts("Ada", "tagbump.yaml", config, "none", "x");
    past.puts("Ada", "base/kustomization.yaml", "resources: [pod.yaml]\n", "none", "x");
    let pod = |tag: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: api }}\nspec:\n  containers:\n  - image: {API}:{tag}\n"
        )
    };
    past.puts("Ada", "base/pod.yaml", &pod("v1"), API, "v1");
    for env in ["staging", "prod"] {
        past.puts("Ada", &format!("envs/{env}/kustomization.yaml"), "resources: [../../base]\n", "none", "x");
    }
    past.puts("Ada", "base/pod.yaml", &pod("v2"), API, "v2");
    past.puts("Ada", STAGING, &with_entry("v3"), API, "v3");
    past
}

const STAGING: &str = "envs/staging/kustomization.yaml";

fn with_entry(tag: &str) -> String {
    format!("resources: [../../base]\nimages:\n- name: {API}\n  newTag: {tag}\n")
}

#[test]
fn rollback_goes_on_in_the_place_that_set_the_tag_before() {
    let past = past_of_an_entry_above_a_base();
    committed(&past, &[API, "--env", "staging"]);
    assert_eq!(past.read(STAGING), with_entry("v2"));
    committed(&past, &[API, "--env", "staging", "--to", "v1"]);
    assert_eq!(past.read(STAGING), with_entry("v1"));
    let said = failed(&rollback(&past, &[API, "--env", "staging", "--to", "v9"]), 3);
    assert!(said.contains("it had v1, v2, v3"), "{said}");
}

/// The base still sets the tag of production: that is no history of staging's entry.
#[test]
fn rollback_takes_no_tag_of_a_place_that_still_sets_one() {
    let past = past_of_an_entry_above_a_base();
    let told = ended(&rollback(&past, &[API, "--all", "-n"]), 0, "planned");
    assert_eq!(told["changes"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["changes"][0]["file"], "base/pod.yaml");
    assert!(told["warnings"].to_string().contains("no earlier tag of ghcr.io/acme/api than v3"), "{told}");
}

#[test]
fn rollback_restores_previous_tag() {
    let past = past(&["v1", "v2", "v3"]);
    let told = ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at(API, "v2"), "and nothing else");
    assert_eq!((&told["changes"][0]["from"], &told["changes"][0]["to"]), (&"v3".into(), &"v2".into()));
    assert_eq!((&told["images"][0]["tag"], &told["commit"]), (&"v2".into(), &serde_json::Value::Null));
    assert_eq!(past.git("x", &["log", "-1", "--format=%s"]), format!("{API} v3 in {FILE}"));
}

#[test]
fn dry_run_shows_rollback() {
    let past = past(&["v1", "v2"]);
    for how in [&[][..], &["--commit"]] {
        let run = rollback(&past, &[&[API, "-n"], how].concat());
        ended(&run, 0, "planned");
        ended(&rollback(&past, &[&[API, "-n", "--exit-code"], how].concat()), 10, "planned");
    }
    let mut command = cli::command(&past.path);
    let run = Run::of(&command.args(["rollback", API, "-n"]).output().unwrap());
    assert!(run.stdout.contains("-    newTag: v2 # by CI\n+    newTag: v1 # by CI\n"), "{}", run.output());
    assert_eq!(past.git("x", &["status", "--porcelain"]), "");
}

/// A rollback has a mark of its own; a later bump, which repeats the trailer, has none.
#[test]
fn history_marks_rollbacks() {
    let past = past(&["v1", "v2"]);
    committed(&past, &[API]);
    let marks = |told: &serde_json::Value| {
        let entries = told["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["rolled_back"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(marks(&past.told(&[API])), ["[\"v2\"]", "[]", "[]"]);
    let text = past.history(&[API]).stdout;
    let lines: Vec<_> = text.lines().map(|line| line.ends_with("  rolled back v2")).collect();
    assert_eq!(lines, [true, false, false], "{text}");
    let timeline = past.history(&[API, "--format", "mermaid"]).stdout;
    assert_eq!(timeline.matches("(rollback, ").count(), 1, "{timeline}");
    let repeated = format!("fix\n\nTagbump-Image: {API}:v3\nTagbump-Rollback: {API}:v2");
    past.write(FILE, &at(API, "v3"));
    past.commit("Ada", &repeated);
    assert_eq!(marks(&past.told(&[API])), ["[]", "[\"v2\"]", "[]", "[]"]);
}

#[test]
fn commit_says_which_tag_was_rolled_back() {
    let past = past(&["v1", "v2"]);
    let message = committed(&past, &[API]);
    let wanted = format!(
        "revert: roll back api image to v1 [skip ci]\n\n{API}: v2 -> v1 ({FILE})\n\nTagbump-Image: {API}:v1\n\
         Tagbump-Rollback: {API}:v2"
    );
    assert_eq!(message, wanted);
    assert_eq!(past.read(FILE), at(API, "v1"));
    assert_eq!(past.git("x", &["status", "--porcelain"]), "");
}

/// The message also contains what is known about the commits that both were built from.
#[test]
fn commit_names_both_sources() {
    let past = Past::new();
    let older = past.puts("Ada", "src.rs", "1\n", "none", "x");
    let newer = past.puts("Ada", "src.rs", "2\n", "none", "x");
    past.puts("sed", FILE, &at(API, &format!("main-{}", &older[..7])), API, "x");
    past.puts("sed", FILE, &at(API, &format!("main-{}", &newer[..7])), API, "x");
    past.git("x", &["remote", "add", "origin", "https://github.com/acme/gitops.git"]);
    let message = committed(&past, &[API]);
    let (_, trailers) = message.rsplit_once("\n\n").unwrap();
    let wanted = format!(
        "Tagbump-Image: {API}:main-{}\nTagbump-Rollback: {API}:main-{} acme/gitops@{newer}\n\
         Tagbump-Source: acme/gitops@{older}",
        &older[..7],
        &newer[..7]
    );
    assert_eq!(trailers, wanted);
    let parsed = past.git("x", &["log", "-1", "--format=%(trailers:key=Tagbump-Rollback,valueonly)"]);
    assert_eq!(parsed, format!("{API}:main-{} acme/gitops@{newer}", &newer[..7]), "git reads it too");
}

#[test]
fn own_message_replaces_default_one() {
    let past = past(&["v1", "v2", "v3"]);
    let message = committed(
        &past,
        &[API, "-m", "Back to {tag} from {old_tag}\n\nPager at 2.", "--no-skip-ci", "--signoff"],
    );
    let wanted = format!(
        "Back to v2 from v3\n\nPager at 2.\n\nTagbump-Image: {API}:v2\nTagbump-Rollback: {API}:v3\n\
         Signed-off-by: Ada <ada@example.com>"
    );
    assert_eq!(message, wanted);
    let message = committed(&past, &[API, "-m", "Back {sha:7}", "--skip-ci"]);
    assert!(message.contains(" [skip ci]\n"), "{message}");
}

#[test]
fn rollback_restores_named_tag() {
    let past = past(&["v1", "v2", "v3", "v4"]);
    committed(&past, &[API, "--to", "v1"]);
    says(&past, FILE, "v1");
    let message = committed(&past, &[&format!("{API}:v3")]);
    // v4 stays blocked
    let trailers = format!("Tagbump-Image: {API}:v3\nTagbump-Rollback: {API}:v1\nTagbump-Rollback: {API}:v4");
    assert!(message.ends_with(&trailers), "{message}");
    // the tag in IMAGE takes precedence
    committed(&past, &[&format!("{API}:v2"), "--to", "v1"]);
    says(&past, FILE, "v2");
    ended(&rollback(&past, &[API, "--to", "v2"]), 0, "already");
}

#[test]
fn rollback_is_refused_when_named_tag_was_never_there() {
    let past = past(&["v1", "v2", "v3"]);
    let text = failed(&rollback(&past, &[API, "--to", "v9", "--commit"]), 3);
    assert_eq!(
        text,
        format!(
            "{FILE}:5: {API} never had tag v9; it had v3, v2, v1\n\
             list the earlier tags with tagbump history, or set any tag with --to TAG and --force"
        )
    );
    says(&past, FILE, "v3");
    let message = committed(&past, &[API, "--to", "v9", "--force"]);
    assert!(message.ends_with(&format!("Tagbump-Image: {API}:v9\nTagbump-Rollback: {API}:v3")), "{message}");
    says(&past, FILE, "v9");
    // it still finds the earlier tag
    committed(&past, &[API, "--to", "v1", "--force"]);
    let text = failed(&rollback(&past, &[API, "--to", "no:tag"]), 2);
    assert!(text.contains("no:tag"), "{text}");
}

#[test]
fn digest_comes_back_with_its_tag() {
    let past = Past::new();
    for nth in [1, 2] {
        past.puts("Ada", FILE, &at_digest(&format!("v{nth}"), nth), API, "x");
    }
    let message = committed(&past, &[API]);
    assert_eq!(past.read(FILE), at_digest("v1", 1));
    let wanted = format!("Tagbump-Image: {API}:v1@{}\nTagbump-Rollback: {API}:v2@{}", digest(1), digest(2));
    assert!(message.ends_with(&wanted), "{message}");
}

#[test]
fn digest_is_removed_when_previous_tag_had_none() {
    let past = past(&["v1"]);
    past.puts("Ada", FILE, &at_digest("v2", 2), API, "x");
    committed(&past, &[API]);
    assert!(!past.read(FILE).contains("sha256"), "{}", past.read(FILE));
    says(&past, FILE, "v1");
}

/// The same tag was pushed again: only the digest differs.
#[test]
fn rollback_restores_previous_digest_of_same_tag() {
    let past = Past::new();
    for nth in [1, 2] {
        past.puts("Ada", FILE, &at_digest("latest", nth), API, "x");
    }
    committed(&past, &[API]);
    assert_eq!(past.read(FILE), at_digest("latest", 1));
}

#[test]
fn rollback_restores_digest_without_tag() {
    let past = Past::new();
    let alone = |nth: usize| at_digest("x", nth).replace("    newTag: x\n", "");
    for nth in [1, 2] {
        past.puts("Ada", FILE, &alone(nth), API, "x");
    }
    let message = committed(&past, &[API]);
    assert_eq!(past.read(FILE), alone(1));
    assert!(message.contains(&format!("Tagbump-Rollback: {API}@{}", digest(2))), "{message}");
}

#[test]
fn tag_is_removed_when_previous_version_was_a_digest_alone() {
    let past = Past::new();
    let alone = at_digest("x", 1).replace("    newTag: x\n", "");
    for text in [&alone, &at_digest("v2", 2)] {
        past.puts("Ada", FILE, text, API, "x");
    }
    committed(&past, &[API]);
    assert_eq!(past.read(FILE), alone);
}

#[test]
fn second_rollback_goes_further_back() {
    let past = past(&["v1", "v2", "v3", "v4"]);
    for tag in ["v3", "v2", "v1"] {
        committed(&past, &[API]);
        says(&past, FILE, tag);
    }
    let text = failed(&rollback(&past, &[API, "--commit"]), 3);
    assert!(text.contains("no earlier tag than v1 found"), "{text}");
    // bumped again and rolled back again: not to the bad tag
    past.puts("Ada", FILE, &at(API, "v5"), API, "v5");
    committed(&past, &[API]);
    says(&past, FILE, "v1");
    committed(&past, &[API, "--to", "v4"]);
    says(&past, FILE, "v4");
}

#[test]
fn rollback_is_refused_when_there_is_no_earlier_tag() {
    let past = past(&["v1"]);
    let text = failed(&rollback(&past, &[API]), 3);
    assert_eq!(
        text,
        format!(
            "{FILE}:5: {API}: no earlier tag than v1 found\n\
             list the earlier tags with tagbump history, or set any tag with --to TAG and --force"
        )
    );
    // in a shallow clone, the message says that older commits may have it
    past.puts("Ada", FILE, &at(API, "v2"), API, "v2");
    let source = format!("file://{}", past.path.display());
    git(past.path.parent().unwrap(), &["clone", "--quiet", "--depth", "1", &source, "shallow"]);
    let shallow = Past::of(past.path.with_file_name("shallow"));
    let text = failed(&rollback(&shallow, &[API]), 3);
    assert!(
        text.contains("(the local history is incomplete)") && text.contains("git fetch --deepen"),
        "{text}"
    );
    let text = failed(&rollback(&shallow, &[API, "--to", "v1"]), 3);
    assert!(text.contains("never had tag v1; it had v2 (the local history is incomplete)"), "{text}");
    ended(&rollback(&shallow, &[API, "--to", "v1", "--force"]), 0, "edited");
    says(&shallow, FILE, "v1");
}

#[test]
fn rollback_is_refused_outside_of_repository() {
    let folder = tempfile::tempdir().unwrap();
    let here = Past::of(folder.path().to_owned());
    here.write(FILE, &at(API, "v2"));
    let text = failed(&rollback(&here, &[API]), 2);
    assert!(text.contains("not inside a git repository, so there is no history to roll back to"), "{text}");
    failed(&rollback(&here, &[API, "--to", "v1"]), 2);
    ended(&rollback(&here, &[API, "--to", "v1", "--force"]), 0, "edited");
    says(&here, FILE, "v1");
}

#[test]
fn rollback_refuses_wrong_usage() {
    let past = past(&["v1", "v2"]);
    for image in ["a=ghcr.io/acme/api", &format!("{API}@{}", digest(1)), &format!("{API}:*")] {
        assert_eq!(rollback(&past, &[image]).exit, 2, "{image}");
    }
    let text = failed(&rollback(&past, &[&format!("{API}:v1@{}", digest(1))]), 2);
    assert!(text.contains("a rollback takes NAME[:TAG]") && text.contains("the digest comes back"), "{text}");
    assert_eq!(rollback(&past, &[]).exit, 2);
    let text = failed(&rollback(&past, &["ghcr.io/acme/apt"]), 3);
    assert!(text.contains("similar images:\n  ghcr.io/acme/api"), "{text}");
    says(&past, FILE, "v2");
}

#[test]
fn each_image_goes_back_to_its_own_tag() {
    let past = past(&["v1", "v2"]);
    past.puts("Ada", PROD, &at(WEB, "w7"), WEB, "w7");
    past.puts("Ada", PROD, &at(WEB, "w8"), WEB, "w8");
    let message = committed(&past, &[API, WEB]);
    let wanted = format!(
        "revert: roll back 2 images [skip ci]\n\n{API}: v2 -> v1 ({FILE})\n{WEB}: w8 -> w7 ({PROD})\n\n\
         Tagbump-Image: {API}:v1\nTagbump-Image: {WEB}:w7\nTagbump-Rollback: {API}:v2\nTagbump-Rollback: {WEB}:w8"
    );
    assert_eq!(message, wanted);
    assert_eq!((past.read(FILE), past.read(PROD)), (at(API, "v1"), at(WEB, "w7")));
    // one of them has no earlier tag, so neither is rolled back
    let text = failed(&rollback(&past, &[API, WEB, "--commit"]), 3);
    assert!(text.contains("no earlier tag than"), "{text}");
    // each with its own tag
    committed(&past, &[&format!("{API}:v2"), &format!("{WEB}:w8")]);
    assert_eq!((past.read(FILE), past.read(PROD)), (at(API, "v2"), at(WEB, "w8")));
}

/// Both run v3 now; dev had v2 before, prod v1.
fn environments() -> Past {
    let past = Past::new();
    for (path, tag) in [(DEV, "v1"), (PROD, "v1"), (DEV, "v2"), (DEV, "v3"), (PROD, "v3")] {
        past.puts("Ada", path, &at(API, tag), API, tag);
    }
    past
}

#[test]
fn each_file_goes_back_to_its_own_tag() {
    let past = environments();
    let message = committed(&past, &[API]);
    assert_eq!((past.read(DEV), past.read(PROD)), (at(API, "v2"), at(API, "v1")));
    assert_eq!(message.matches(&format!("Tagbump-Rollback: {API}:v3")).count(), 2, "{message}");
    assert!(message.contains(&format!("Tagbump-Image: {API}:v1\n")), "{message}");
    assert!(message.contains(&format!("Tagbump-Image: {API}:v2\n")), "{message}");
}

#[test]
fn named_tag_is_set_in_all_files() {
    let past = environments();
    committed(&past, &[API, "--to", "v2"]);
    assert_eq!((past.read(DEV), past.read(PROD)), (at(API, "v2"), at(API, "v2")));
}

#[test]
fn rollback_is_refused_when_files_have_different_tags() {
    let past = environments();
    past.puts("Ada", DEV, &at(API, "v4"), API, "v4");
    let text = failed(&rollback(&past, &[API, "--commit"]), 3);
    assert!(text.contains("has different tags in 2 places") && text.contains("--all"), "{text}");
    assert!(text.contains(DEV) && text.contains(PROD), "{text}");
    committed(&past, &[API, "-f", "prod"]);
    assert_eq!((past.read(DEV), past.read(PROD)), (at(API, "v4"), at(API, "v1")));
    past.git("x", &["reset", "--quiet", "--hard", "HEAD^"]);
    committed(&past, &[API, "--all"]);
    assert_eq!((past.read(DEV), past.read(PROD)), (at(API, "v3"), at(API, "v1")));
    past.git("x", &["reset", "--quiet", "--hard", "HEAD^"]);
    committed(&past, &[API, "--expect", "2"]);
    failed(&rollback(&past, &[API, "--expect", "3"]), 3);
}

#[test]
fn rollback_is_refused_when_one_file_has_two_tags() {
    let past = Past::new();
    let pods = |one: &str, two: &str| {
        let pod = |tag: &str| {
            format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {API}:{tag}\n")
        };
        format!("{}---\n{}", pod(one), pod(two))
    };
    for (one, two) in [("v1", "v1"), ("v2", "v2"), ("v3", "v2")] {
        past.write("pods.yaml", &pods(one, two));
        past.commit("Ada", one);
    }
    let text = failed(&rollback(&past, &[API, "-f", "pods.yaml"]), 3);
    assert_eq!(
        text,
        format!(
            "pods.yaml: {API} has two tags, v3 on line 5 and v2 on line 11\nname the tag to go back to with --to TAG"
        )
    );
    ended(&rollback(&past, &[API, "-f", "pods.yaml", "--to", "v1"]), 0, "edited");
    assert_eq!(past.read("pods.yaml"), pods("v1", "v1"));
}
