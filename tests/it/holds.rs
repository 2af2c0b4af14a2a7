//! `hold` and `unhold` in a folder, and what bumps and scans do with what is held.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cli::{self, Run};
use crate::support::files::write;
use crate::support::git::git;
use crate::support::past::Past;
use crate::support::repo::{self, ended, failed};
use crate::support::schema::Schema;

const API: &str = "ghcr.io/acme/api";
const HOLDS: &str = "tagbump-holds.yaml";
/// By someone else, for half of the files.
const PROD: &str = "\
holds:
  - image: ghcr.io/acme/api
    files: [prod]
    reason: incident 42
    until: 2099-12-01T00:00:00Z
    by: ada
";

const WEB: &str = "ghcr.io/acme/web";

/// Two folders with the image, at the same tag.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in ["dev/kustomization.yaml", "prod/kustomization.yaml"] {
        write(folder.path(), path, &format!("images:\n- name: {API}\n  newTag: v1\n"));
    }
    folder
}

fn held() -> TempDir {
    let folder = folder();
    write(folder.path(), HOLDS, PROD);
    folder
}

fn tagbump(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = cli::command(folder);
    repo::run(command.args(arguments).args(["--format", "json"]).env("USER", "eve"))
}

fn read(folder: &TempDir, path: &str) -> String {
    std::fs::read_to_string(folder.path().join(path)).unwrap_or_default()
}

/// The tags in both folders.
fn tags(folder: &TempDir) -> [String; 2] {
    ["dev", "prod"].map(|name| {
        let text = read(folder, &format!("{name}/kustomization.yaml"));
        text.split_once("newTag: ").unwrap().1.lines().next().unwrap().to_owned()
    })
}

fn skipped(json: &Value) -> (usize, &Value) {
    (json["skipped"].as_array().unwrap().len(), &json["skipped"][0])
}

#[test]
fn hold_writes_an_entry_and_unhold_removes_it() {
    let folder = folder();
    let hold = ["hold", API, "--reason", "incident 42", "--until", "2099-12-01", "-f", "prod"];
    let json = ended(&tagbump(folder.path(), &hold), 0, "edited");
    assert_eq!((&json["changed"], &json["images"][0]["name"]), (&true.into(), &API.into()));
    let text = read(&folder, HOLDS);
    let entry =
        PROD.replace("2099-12-01T00:00:00Z", "\"2099-12-01T00:00:00Z\"").replace("by: ada", "by: eve");
    assert!(text.starts_with("# Images whose tags") && text.ends_with(&entry), "{text}");
    ended(&tagbump(folder.path(), &hold), 0, "already");
    assert_eq!(read(&folder, HOLDS), text);
    let other = ended(&tagbump(folder.path(), &["unhold", "ghcr.io/acme/web"]), 0, "already");
    assert_eq!(other["notices"][0], format!("ghcr.io/acme/web is not held; held: {API}"));
    let json = ended(&tagbump(folder.path(), &["unhold", API]), 0, "edited");
    assert_eq!(json["notices"][0], format!("{API} is no longer held"));
    assert!(read(&folder, HOLDS).ends_with("\nholds: []\n"));
    ended(&tagbump(folder.path(), &["unhold", API]), 0, "already");
}

/// Also without a commit.
#[test]
fn hold_names_the_author_who_is_given() {
    let by = |more: &[&str], variables: &[(&str, &str)]| {
        let folder = folder();
        let mut command = cli::command(folder.path());
        command.args(["hold", API, "--reason", "x"]).args(more).envs(variables.iter().copied());
        ended(&repo::run(command.args(["--format", "json"])), 0, "edited");
        read(&folder, HOLDS).lines().find_map(|line| Some(line.split_once("by: ")?.1.to_owned())).unwrap()
    };
    let variable = ("GIT_AUTHOR_NAME", "Ann");
    assert_eq!(by(&["--author", "Eve <e@x>"], &[variable]), "Eve");
    assert_eq!(by(&[], &[("USER", "root"), variable]), "Ann");
    assert_eq!(by(&[], &[]), "unknown");
}

#[test]
fn schema_accepts_what_is_written_and_rejects_mistakes() {
    let schema = Schema::of_file("tagbump-holds.schema.json");
    let is_valid = |text: &str| schema.problems(&serde_yaml::from_str(text).unwrap()).is_empty();
    let folder = folder();
    ended(
        &tagbump(folder.path(), &["hold", API, "--reason", "r", "--until", "4h", "-f", "dev"]),
        0,
        "edited",
    );
    assert!(is_valid(&read(&folder, HOLDS)) && is_valid(PROD) && is_valid("holds: []"));
    for mistake in
        [PROD.replace("by: ada", "whom: ada"), PROD.replace("[prod]", "prod"), "hold: []".to_owned()]
    {
        assert!(!is_valid(&mistake), "{mistake}");
    }
}

#[test]
fn dry_run_of_a_hold_shows_a_new_file() {
    let folder = folder();
    let run = repo::run(cli::command(folder.path()).args(["hold", API, "--reason", "r", "-n"]));
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(run.stdout.contains("--- /dev/null\n+++ b/tagbump-holds.yaml\n"), "{run:?}");
    assert!(!folder.path().join(HOLDS).exists());
}

#[test]
fn wrong_holds_are_refused() {
    let folder = folder();
    for (arguments, exit) in [
        (&["hold", API][..], 2),
        (&["hold", "--reason", "r"], 2),
        (&["hold", API, "--reason", "two\nlines"], 2),
        (&["hold", API, "--reason", "r", "--until", "2020-01-01"], 2),
        (&["hold", API, "--reason", "r", "--until", "soon"], 2),
        (&["hold", &format!("{API}:v1"), "--reason", "r"], 2),
        // a typo would hold nothing
        (&["hold", "ghcr.io/acme/apo", "--reason", "r"], 3),
        (&["hold", API, "--reason", "r", "-f", "dev/nothing.yaml"], 3),
    ] {
        let run = tagbump(folder.path(), arguments);
        assert_eq!(run.exit, exit, "{arguments:?}: {run:?}");
        assert!(!folder.path().join(HOLDS).exists());
    }
}

#[test]
fn service_is_held_where_it_is_deployed() {
    let folder = folder();
    let config = format!("services:\n  api-prod: {{ image: {API}, files: [prod] }}\n");
    write(folder.path(), "tagbump.yaml", &config);
    ended(&tagbump(folder.path(), &["hold", "api-prod", "--reason", "incident 42"]), 0, "edited");
    assert!(read(&folder, HOLDS).contains("files: [prod]\n"), "{}", read(&folder, HOLDS));
    ended(&tagbump(folder.path(), &["bump", API, "-t", "v2", "--if-held", "skip"]), 0, "edited");
    assert_eq!(tags(&folder), ["v2", "v1"]);
    ended(&tagbump(folder.path(), &["unhold", "api-prod"]), 0, "edited");
    ended(&tagbump(folder.path(), &["bump", API, "-t", "v2", "--all"]), 0, "edited");
    assert_eq!(tags(&folder), ["v2", "v2"]);
}

#[test]
fn held_references_are_skipped_with_a_warning() {
    let folder = held();
    let json = ended(&tagbump(folder.path(), &["bump", API, "-t", "v2", "--if-held", "skip"]), 0, "edited");
    assert_eq!(tags(&folder), ["v2", "v1"]);
    let detail = "stays at v1, held by ada until 2099-12-01T00:00:00Z: incident 42";
    assert_eq!(
        skipped(&json),
        (
            1,
            &json!({"file": "prod/kustomization.yaml", "line": 3, "image": API, "reason": "held", "detail": detail})
        )
    );
    let warning = format!("prod/kustomization.yaml:3: {API} {detail}");
    assert!(json["warnings"].as_array().unwrap().contains(&warning.as_str().into()), "{json}");
    // dev has v2 and prod v1 now: what is held doesn't make them different
    let json = ended(&tagbump(folder.path(), &["bump", API, "-t", "v3", "--if-held", "skip"]), 0, "edited");
    assert_eq!((tags(&folder), skipped(&json).0), (["v3".to_owned(), "v1".to_owned()], 1));
    let json = ended(&tagbump(folder.path(), &["bump", API, "-t", "v3", "--if-held", "skip"]), 0, "held");
    assert_eq!((&json["changed"], skipped(&json).0), (&false.into(), 1));
}

/// One variable tags both images, or one anchor: what is held stays, and so does the other one.
#[test]
fn held_image_stays_if_another_one_shares_its_tag() {
    let compose =
        format!("services:\n  api: {{image: \"{API}:${{TAG}}\"}}\n  web: {{image: \"{WEB}:${{TAG}}\"}}\n");
    let values = format!(
        "api: {{image: {{repository: {API}, tag: &tag v1}}}}\nweb: {{image: {{repository: {WEB}, tag: *tag}}}}\n"
    );
    let shared = [
        ("compose.yaml", compose.as_str(), ".env", "TAG=v1\n"),
        ("chart/Chart.yaml", "name: c\n", "chart/values.yaml", &values),
    ];
    for (file, text, with_tag, tag) in shared {
        for held in [API, WEB] {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), file, text);
            write(folder.path(), with_tag, tag);
            write(
                folder.path(),
                HOLDS,
                &format!("holds: [{{image: {held}, reason: incident 42, by: ada}}]\n"),
            );
            let run = tagbump(folder.path(), &["bump", API, WEB, "-t", "v2", "--if-held", "skip"]);
            let json = ended(&run, 0, "held");
            assert_eq!((read(&folder, with_tag).as_str(), skipped(&json).0), (tag, 2), "{json}");
        }
    }
}

#[test]
fn unhold_says_that_another_hold_stays() {
    let folder = held();
    ended(&tagbump(folder.path(), &["hold", API, "--reason", "freeze"]), 0, "edited");
    let told = ended(&tagbump(folder.path(), &["unhold", API, "-f", "prod"]), 0, "edited");
    let notices = told["notices"].to_string();
    let wanted = format!("this hold of {API} has ended; another one stays: by eve: freeze");
    assert!(notices.contains(&wanted), "{notices}");
    let told = ended(&tagbump(folder.path(), &["unhold", API]), 0, "edited");
    assert!(told["notices"].to_string().contains("is no longer held"), "{told}");
}

#[test]
fn image_that_has_its_tag_is_not_called_held() {
    let folder = held();
    std::fs::remove_dir_all(folder.path().join("dev")).unwrap();
    write(
        folder.path(),
        "web.yaml",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{image: 'acme/web:v2'}]}\n",
    );
    let api = format!("{API}:v2");
    let arguments = ["bump", api.as_str(), "acme/web:v2", "--if-held", "skip"];
    let run = Run::of(&cli::command(folder.path()).args(arguments).output().unwrap());
    assert_eq!(run.stdout, format!("held  {API}:v2\nalready  acme/web:v2\n"), "{}", run.output());
}

#[test]
fn held_references_count_for_expect() {
    let folder = held();
    let bump = |count: &str| {
        tagbump(folder.path(), &["bump", API, "-t", "v2", "--if-held", "skip", "--expect", count, "-n"])
    };
    ended(&bump("2"), 0, "planned");
    failed(&bump("1"), 3);
}

#[test]
fn fail_writes_nothing_and_is_the_default_at_a_terminal() {
    let folder = held();
    for more in [&[][..], &["--if-held", "fail"]] {
        let run = tagbump(folder.path(), &[&["bump", API, "-t", "v2"], more].concat());
        let message = failed(&run, 4);
        assert!(message.contains("held by ada") && run.output().contains("--if-held skip"), "{run:?}");
        assert_eq!((tags(&folder), skipped(&repo::json(&run)).0), (["v1".to_owned(), "v1".to_owned()], 1));
    }
    let run = tagbump(folder.path(), &["bump", API, "-t", "v2", "-f", "prod"]);
    assert_eq!((run.exit, &repo::json(&run)["outcome"]), (4, &"held".into()), "{run:?}");
    let mut in_actions = cli::command(folder.path());
    in_actions
        .args(["bump", API, "-t", "v2", "-f", "prod", "--format", "json"])
        .env("GITHUB_ACTIONS", "true");
    ended(&repo::run(&mut in_actions), 0, "held");
    assert_eq!(tags(&folder), ["v1", "v1"]);
}

#[test]
fn write_changes_what_is_held() {
    let folder = held();
    let json = ended(&tagbump(folder.path(), &["bump", API, "-t", "v2", "--if-held", "write"]), 0, "edited");
    assert_eq!((tags(&folder), skipped(&json).0), (["v2".to_owned(), "v2".to_owned()], 0));
}

#[test]
fn hold_that_is_over_holds_nothing_and_goes_with_the_next_edit() {
    let folder = folder();
    write(folder.path(), HOLDS, &PROD.replace("2099", "2020"));
    ended(&tagbump(folder.path(), &["bump", API, "-t", "v2"]), 0, "edited");
    assert_eq!(tags(&folder), ["v2", "v2"]);
    ended(&tagbump(folder.path(), &["hold", API, "--reason", "freeze", "-f", "dev"]), 0, "edited");
    let text = read(&folder, HOLDS);
    assert!(text.contains("freeze") && !text.contains("incident"), "{text}");
}

#[test]
fn broken_file_is_exit_2_for_everything_but_write() {
    let folder = folder();
    write(folder.path(), HOLDS, "holds:\n- image: [\n");
    let broken = |arguments: &[&str]| {
        let run = tagbump(folder.path(), arguments);
        assert!(failed(&run, 2).contains("tagbump-holds.yaml:"), "{arguments:?}: {run:?}");
    };
    broken(&["bump", API, "-t", "v2"]);
    broken(&["bump", API, "-t", "v2", "--if-held", "skip"]);
    broken(&["hold", API, "--reason", "r"]);
    broken(&["unhold", API]);
    let scan = repo::run(cli::command(folder.path()).arg("scan"));
    assert_eq!(scan.exit, 2, "{scan:?}");
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "."]);
    git(
        folder.path(),
        &["-c", "user.name=Ada", "-c", "user.email=a@b", "commit", "--quiet", "--message", "base"],
    );
    let history = repo::run(cli::command(folder.path()).args(["history", API]));
    assert_eq!(history.exit, 2, "{history:?}");
    assert_eq!(tags(&folder), ["v1", "v1"]);
    ended(&tagbump(folder.path(), &["bump", API, "-t", "v2", "--if-held", "write"]), 0, "edited");
    assert_eq!(tags(&folder), ["v2", "v2"]);
}

/// A base that both environments use; only prod has an entry of its own.
fn environments() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = "environments:\n  dev: { files: [dev/**] }\n  prod: { files: [prod/**] }\n";
    write(folder.path(), "tagbump.yaml", config);
    let pods = |images: &[&str]| {
        let pod = |image: &&str| {
            let name = image.rsplit('/').next().unwrap();
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - {{name: c, image: \"{image}:v1\"}}\n"
            )
        };
        images.iter().map(pod).collect::<Vec<_>>().join("---\n")
    };
    write(folder.path(), "base/pods.yaml", &pods(&[API, "ghcr.io/acme/web"]));
    write(folder.path(), "base/kustomization.yaml", "resources: [pods.yaml]\n");
    write(folder.path(), "dev/kustomization.yaml", "resources: [../base]\n");
    let prod = format!("resources: [../base]\nimages:\n- name: {API}\n  newTag: v1\n");
    write(folder.path(), "prod/kustomization.yaml", &prod);
    folder
}

#[test]
fn hold_of_an_environment_binds_what_runs_there() {
    let folder = environments();
    let hold = |image: &str, env: &str| {
        tagbump(folder.path(), &["hold", image, "--env", env, "--reason", "incident 42"])
    };
    assert!(failed(&hold(API, "prd"), 2).contains("no environment prd"));
    ended(&hold(API, "prod"), 0, "edited");
    assert!(read(&folder, HOLDS).contains("    env: prod\n"), "{}", read(&folder, HOLDS));
    let bump = |image: &str| tagbump(folder.path(), &["bump", &format!("{image}:v2"), "--if-held", "skip"]);
    let json = ended(&bump(API), 0, "edited");
    assert_eq!(skipped(&json).1["file"], "prod/kustomization.yaml");
    let detail = skipped(&json).1["detail"].as_str().unwrap();
    assert_eq!(detail, "stays at v1, held by eve in environment prod: incident 42");
    assert!(read(&folder, "base/pods.yaml").contains(&format!("{API}:v2")), "dev has it from the base");
    // the base sets web in both
    ended(&hold("ghcr.io/acme/web", "prod"), 0, "edited");
    ended(&bump("ghcr.io/acme/web"), 0, "held");
    ended(&tagbump(folder.path(), &["unhold", "ghcr.io/acme/web", "--env", "dev"]), 0, "already");
    ended(&tagbump(folder.path(), &["unhold", "ghcr.io/acme/web", "--env", "prod"]), 0, "edited");
    ended(&bump("ghcr.io/acme/web"), 0, "edited");
}

#[test]
fn hold_of_an_unknown_environment_binds_everywhere() {
    let folder = environments();
    let text = PROD.replace("files: [prod]", "env: production");
    write(folder.path(), HOLDS, &text);
    ended(&tagbump(folder.path(), &["bump", API, "-t", "v2", "--if-held", "skip"]), 0, "held");
}

#[test]
fn scan_shows_who_holds() {
    let folder = held();
    let run = repo::run(cli::command(folder.path()).args(["scan", "--format", "json"]));
    let json = repo::json(&run);
    let held: Vec<_> =
        json["references"].as_array().unwrap().iter().map(|r| (&r["file"], &r["held"])).collect();
    let detail = "held by ada until 2099-12-01T00:00:00Z: incident 42";
    assert_eq!(
        held,
        [
            (&"dev/kustomization.yaml".into(), &Value::Null),
            (&"prod/kustomization.yaml".into(), &detail.into())
        ]
    );
    let text = repo::run(cli::command(folder.path()).arg("scan")).stdout;
    assert!(text.lines().any(|line| line.starts_with("prod/") && line.ends_with(detail)), "{text}");
    assert!(!text.contains(HOLDS), "the file itself deploys nothing: {text}");
}

#[test]
fn scan_shows_hold_of_environment_only_there() {
    let folder = held();
    write(folder.path(), HOLDS, &PROD.replace("files: [prod]", "env: prod"));
    let is_held = || {
        let json = repo::json(&repo::run(cli::command(folder.path()).args(["scan", "--format", "json"])));
        let references = json["references"].as_array().unwrap().clone();
        references.iter().map(|reference| !reference["held"].is_null()).collect::<Vec<_>>()
    };
    assert_eq!(is_held(), [true, true], "nobody knows where prod is");
    let config = "environments:\n  dev: { files: [dev/**] }\n  prod: { files: [prod/**] }\n";
    write(folder.path(), "tagbump.yaml", config);
    assert_eq!(is_held(), [false, true]);
}

/// A blank reason explains nothing, a hold sets no tag, and git takes no empty message.
#[test]
fn hold_with_a_blank_reason_or_message_or_with_a_tag_in_it_is_exit_2() {
    let past = Past::new();
    past.puts("Ada", repo::FILE, &repo::kustomization(&[API.into()]), API, "v0");
    for (arguments, why) in [
        (&["--reason", " "][..], "reason"),
        (&["--reason", "x", "--commit", "-m", " "], "the value of --message is blank"),
        (&["--reason", "x", "--commit", "-m", "{tag}"], "a hold sets no tag"),
    ] {
        let mut command = cli::command(&past.path);
        command.args(["hold", API]).args(arguments);
        let run = Run::of(&command.output().unwrap());
        assert!(run.exit == 2 && run.stderr.contains(why), "{arguments:?}: {}", run.output());
    }
    assert_eq!(past.git("x", &["status", "--porcelain"]), "");
}

/// The index was written, and then the branch can't be moved.
#[test]
fn new_file_is_gone_again_when_its_commit_fails() {
    let (_folder, path) = repo::local();
    write(&path, "app.yaml", "kind: Pod\nspec:\n  containers:\n    - image: ghcr.io/acme/api:v0\n");
    git(&path, &["add", "."]);
    git(&path, &["commit", "--quiet", "--message", "x"]);
    let log = path.join(".git/logs/HEAD");
    std::fs::remove_file(&log).unwrap();
    write(&path, ".git/logs/HEAD/x", "");
    let run = tagbump(&path, &["hold", API, "--reason", "x", "--commit"]);
    assert!(run.exit != 0 && !run.output().contains("is not in the index"), "{}", run.output());
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
}
