//! `--pr` on an imitated Gitea: the request of the right image, whatever the server lists. `forge_server` runs the real one.

use crate::support::gitea::{Fault, Gitea, TOKEN, pull};
use crate::support::repo::{self, API, ended, failed, run};
use serde_json::{Value, json};

const WEB: &str = "ghcr.io/acme/web";
const SUBJECT: &str = "chore: update api image to v1";

fn number(told: &Value) -> u64 {
    told["pull_request"]["number"].as_u64().unwrap()
}

/// Gitea ignores the filter by branch that GitHub has: its list has the other image's request too.
#[test]
fn each_image_gets_a_pull_request_of_its_own() {
    let gitea = Gitea::new(&[API, WEB]);
    for (round, tag) in ["v1", "v2", "v3"].into_iter().enumerate() {
        for (image, branch, expected) in [(API, "tagbump/main/api", 1), (WEB, "tagbump/main/web", 2)] {
            let mut command =
                gitea.command(&format!("{expected}-{round}"), &format!("{image}:{tag}"), &["--all"]);
            let told = ended(&run(&mut command), 0, "proposed");
            let url = format!("{}/acme/gitops/pulls/{expected}", gitea.url());
            assert_eq!(told["pull_request"], json!({"number": expected, "url": url, "auto_merge": false}));
            assert_eq!(told["branch"], branch);
        }
    }
    let pulls = gitea.pulls();
    let titles: Vec<&str> = pulls.iter().map(|pull| &*pull.title).collect();
    assert_eq!(titles, ["chore: update api image to v3", "chore: update web image to v3"]);
    assert!(pulls[0].body.ends_with("Tagbump-Image: ghcr.io/acme/api:v3"), "{}", pulls[0].body);
}

#[test]
fn second_run_changes_nothing() {
    let gitea = Gitea::new(&[API]);
    let first = gitea.propose("w1", "v1", &["--label", "bump"]);
    let writes = gitea.writes();
    let second = gitea.propose("w2", "v1", &["--label", "bump"]);
    assert_eq!(gitea.writes(), writes);
    assert_eq!(second["pull_request"], first["pull_request"]);
}

#[test]
fn commit_is_linked_where_gitea_shows_it() {
    let gitea = Gitea::new(&[API]);
    let summary = gitea.world.path().join("summary");
    let mut command = gitea.command("w", &format!("{API}:v1"), &[]);
    ended(&run(command.env("GITHUB_STEP_SUMMARY", &summary)), 0, "proposed");
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains(&format!("{}/acme/gitops/pulls/1", gitea.url())), "{summary}");
}

#[test]
fn pull_requests_that_are_not_ours_are_left_alone() {
    let gitea = Gitea::new(&[API]);
    let head = "tagbump/main/api";
    gitea.change(|pulls| {
        pulls.push(pull("tagbump/main/web", 1));
        pulls.push(crate::support::gitea::Pull { open: false, ..pull(head, 1) });
        pulls.push(crate::support::gitea::Pull { base: "dev".to_owned(), ..pull(head, 1) });
        pulls.push(pull(head, 2));
        pulls.push(pull("feature", 1));
    });
    let before = gitea.pulls();
    assert_eq!(number(&gitea.propose("w1", "v1", &[])), 6);
    assert_eq!(number(&gitea.propose("w2", "v2", &[])), 6);
    assert_eq!(gitea.pulls()[..5], before);
}

#[test]
fn request_is_closed_when_its_change_is_on_the_base() {
    let gitea = Gitea::new(&[API]);
    gitea.change(|pulls| pulls.push(pull("feature", 1)));
    gitea.propose("w1", "v1", &[]);
    let merged = repo::kustomization(&[API.into()]).replace("v0", "v1");
    gitea.world.rival(repo::FILE, &merged);
    let told = ended(&run(&mut gitea.command("w2", &format!("{API}:v1"), &[])), 0, "already");
    assert_eq!(number(&told), 2);
    let open: Vec<bool> = gitea.pulls().iter().map(|pull| pull.open).collect();
    assert_eq!(open, [true, false]);
}

#[test]
fn draft_is_made_by_its_title_and_stays_as_people_leave_it() {
    let gitea = Gitea::new(&[API]);
    gitea.propose("w1", "v1", &["--draft"]);
    assert_eq!(gitea.pulls()[0].title, format!("WIP: {SUBJECT}"));
    gitea.propose("w2", "v2", &["--draft"]);
    assert_eq!(gitea.pulls()[0].title, "WIP: chore: update api image to v2");
    gitea.change(|pulls| pulls[0].title = "chore: update api image to v2".to_owned());
    gitea.propose("w3", "v3", &["--draft"]);
    assert_eq!(gitea.pulls()[0].title, "chore: update api image to v3");
}

#[test]
fn missing_label_is_a_warning() {
    let gitea = Gitea::new(&[API]);
    let told = gitea.propose("w", "v1", &["--label", "Deploy", "--label", "nightly"]);
    assert_eq!(gitea.pulls()[0].labels, [4]);
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("no label nightly"), "{warnings}");
}

#[test]
fn refused_labels_leave_the_request_open() {
    let gitea = Gitea::new(&[API]);
    gitea.fault(
        "GET",
        "/labels",
        Fault::Status(403, "token does not have at least one of required scope(s)"),
    );
    let told = gitea.propose("w", "v1", &["--label", "bump"]);
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("required scope(s)") && warnings.contains("write:issue"), "{warnings}");
    assert!(gitea.pulls()[0].open);
}

#[test]
fn lost_answer_does_not_make_a_second_request() {
    let gitea = Gitea::new(&[API]);
    gitea.fault("POST", "/pulls", Fault::LostAnswer);
    assert_eq!(number(&gitea.propose("w", "v1", &[])), 1);
    assert_eq!(gitea.pulls().len(), 1);
}

#[test]
fn branch_that_gitea_does_not_see_yet_is_tried_again() {
    let gitea = Gitea::new(&[API]);
    gitea.fault("POST", "/pulls", Fault::Status(404, "The target couldn't be found."));
    gitea.fault("POST", "/pulls", Fault::Status(502, "busy"));
    assert_eq!(number(&gitea.propose("w", "v1", &[])), 1);
}

#[test]
fn answer_about_another_request_is_an_error() {
    let gitea = Gitea::new(&[API]);
    gitea.change(|pulls| pulls.push(pull("feature", 1)));
    gitea.fault("POST", "/pulls", Fault::FirstPull);
    let failure = failed(&run(&mut gitea.command("w", &format!("{API}:v1"), &[])), 1);
    assert!(failure.contains("another pull request: 1, from feature to main"), "{failure}");
}

#[test]
fn refusal_is_exit_5_with_giteas_words_and_the_cure() {
    for (status, words, cure) in [
        (401, "invalid username, password or token", "another one in TAGBUMP_TOKEN"),
        (403, "token does not have at least one of required scope(s)", "write:repository"),
        (404, "The target couldn't be found.", "/repos/acme/gitops/pulls"),
    ] {
        let gitea = Gitea::new(&[API]);
        gitea.fault("GET", "/pulls", Fault::Status(status, words));
        let failure = failed(&run(&mut gitea.command("w", &format!("{API}:v1"), &[])), 5);
        assert!(failure.contains(words) && failure.contains(cure), "{failure}");
        assert_eq!(gitea.branches(), ["main"], "nothing is pushed before the forge says yes");
    }
}

#[test]
fn server_outside_of_its_runner_is_found_by_its_answer_without_credentials() {
    let gitea = Gitea::new(&[API]);
    let image = format!("{API}:v1");
    ended(&run(&mut gitea.local_command("w1", &image, &[])), 0, "proposed");
    assert_eq!(gitea.tokens("v3/"), [None]);
    assert_eq!(gitea.tokens("v1/version"), [None]);
    // the user knows better, and nothing is asked
    ended(&run(&mut gitea.local_command("w2", &image, &["--forge", "gitea"])), 0, "proposed");
    assert_eq!(gitea.tokens("v1/version"), [None]);
}

#[test]
fn server_that_hides_its_api_is_named_by_the_user() {
    let gitea = Gitea::new(&[API]);
    gitea.hide_version();
    let image = format!("{API}:v1");
    let failure = failed(&run(&mut gitea.local_command("w1", &image, &[])), 2);
    assert!(failure.contains("no forge") && failure.contains("--forge"), "{failure}");
    assert_eq!(gitea.branches(), ["main"]);
    ended(&run(&mut gitea.local_command("w2", &image, &["--forge", "gitea"])), 0, "proposed");
    let mut command = gitea.local_command("w3", &image, &[]);
    ended(&run(command.env("TAGBUMP_FORGE", "gitea")), 0, "proposed");
}

#[test]
fn commit_by_api_needs_github() {
    let gitea = Gitea::new(&[API]);
    let more = ["--via", "api", "--forge", "gitea"];
    let failure = failed(&run(&mut gitea.local_command("w", &format!("{API}:v1"), &more)), 2);
    assert!(failure.contains("needs a remote on GitHub") && failure.contains("--via git"), "{failure}");
}

#[test]
fn token_is_not_shown() {
    let gitea = Gitea::new(&[API]);
    gitea.fault(
        "GET",
        "/pulls",
        Fault::Status(403, concat!("bad 0123456789abcdef", "0123456789abcdef01234567")),
    );
    let told = run(&mut gitea.command("w", &format!("{API}:v1"), &["-v"]));
    assert_eq!(told.exit, 5);
    assert!(!told.output().contains(TOKEN), "{}", told.output());
}
