//! `tagbump history`: what its flags mean, how it shows the history, and its messages if there is none.

use crate::support::cli::tagbump;
use crate::support::fifty::{API, WEB};
use crate::support::past::{Past, START, STEP, moment, tags, tags_and_files};
use crate::support::repo::{failed, json};

const DEV: &str = "dev/kustomization.yaml";
const PROD: &str = "prod/kustomization.yaml";

fn kustomization(image: &str, tag: &str) -> String {
    format!("kind: Kustomization\nimages:\n  - name: {image}\n    newTag: {tag}\n")
}

/// Tags v1 to v6, alternating between two files, an hour apart.
fn six() -> Past {
    let past = Past::new();
    for nth in 1..=6 {
        let path = if nth % 2 == 1 { DEV } else { PROD };
        past.puts("Ada", path, &kustomization(API, &format!("v{nth}")), API, &format!("v{nth}"));
    }
    past
}

#[test]
fn limit_shows_only_newest_tags() {
    let past = six();
    assert_eq!(tags(&past.told(&[API])), ["v6", "v5", "v4", "v3", "v2", "v1"]);
    for flag in ["-n", "--limit"] {
        assert_eq!(tags(&past.told(&[API, flag, "2"])), ["v6", "v5"]);
    }
    assert_eq!(tags(&past.told(&[API, "-n", "99"])).len(), 6);
    let run = past.history(&[API, "-n", "two"]);
    assert_eq!((run.exit, run.stderr.contains("--limit two: not a number")), (2, true), "{}", run.output());
}

#[test]
fn since_shows_only_newer_tags() {
    let past = six();
    let since = |when: &str| tags(&past.told(&[API, "--since", when])).len();
    // v4 was set at exactly this time
    let third = moment(START + 3 * STEP);
    assert_eq!(since(&third), 3);
    assert_eq!(since(&third.replace("Z", "+00:00")), 3);
    assert_eq!(since(&moment(START + 3 * STEP + 1)), 2);
    // the day, in UTC, of all tags but the first two
    assert_eq!((moment(START).as_str(), since("2023-11-15")), ("2023-11-14T22:13:20Z", 4));
    assert_eq!((since("2023-11-14"), since("2023-11-16")), (6, 0));
    for (when, count) in [("150m", 3), ("2 hours ago", 3), ("yesterday", 6), ("2 weeks ago", 6), ("1h30m", 2)]
    {
        assert_eq!(since(when), count, "{when}");
    }
    past.wait(14 * 24 * STEP - 2 * STEP);
    assert_eq!(since("2 weeks ago"), 3);
    let run = past.history(&[API, "--since", "1s"]);
    assert_eq!((run.exit, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.contains("no tag of ghcr.io/acme/api was set in that time"), "{}", run.stderr);
    let run = past.history(&[API, "--since", "tuesday-ish"]);
    assert_eq!(run.exit, 2, "{}", run.output());
    assert!(run.stderr.contains("--since tuesday-ish: not a time"), "{}", run.stderr);
    assert!(run.stderr.contains("'2 weeks ago'"), "{}", run.stderr);
}

#[test]
fn files_flag_narrows_history() {
    let past = six();
    assert_eq!(tags(&past.told(&[API, "-f", "prod"])), ["v6", "v4", "v2"]);
    assert_eq!(tags(&past.told(&[API, "-f", "*/kustomization.yaml", "-n", "3"])), ["v6", "v5", "v4"]);
    let text = failed(&past.history(&[API, "-f", "staging/x.yaml", "--format", "json"]), 3);
    assert!(text.contains("staging/x.yaml"), "{text}");
}

#[test]
fn table_shows_tags_and_commits() {
    let past = six();
    let run = past.history(&[API, "-n", "3"]);
    let commit = |nth: usize| past.git("x", &["rev-parse", &format!("HEAD~{nth}")])[..10].to_owned();
    let wanted = format!(
        "v6  since 2023-11-15T03:13:20Z  for 0s so far  {}  Ada  -  {PROD}\n\
         v5  since 2023-11-15T02:13:20Z  for 1h so far  {}  Ada  -  {DEV}\n\
         v4  since 2023-11-15T01:13:20Z  for 2h         {}  Ada  -  {PROD}\n",
        commit(0),
        commit(1),
        commit(2)
    );
    assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (0, wanted.as_str(), ""));
    // with a single file, the file's name isn't repeated
    let run = past.history(&[API, "-f", "prod"]);
    assert!(!run.stdout.contains(PROD) && run.stdout.lines().count() == 3, "{}", run.output());
}

#[test]
fn json_of_history_has_every_field() {
    let past = Past::new();
    let digest = format!("sha256:{:064x}", 7);
    let pod = |tag: &str| {
        format!("kind: Pod\napiVersion: v1\nspec:\n  containers:\n    - image: {API}:{tag}@{digest}\n")
    };
    past.write("a.yaml", &pod("main-1a2b3c4"));
    let first = past.commit("Ada", "deploy\n\nwith words");
    past.write("a.yaml", &pod("main-2b3c4d5"));
    let source = "acme/api@0123456789abcdef0123456789abcdef01234567";
    let second =
        past.commit("Bob", &format!("back\n\nTagbump-Image: {API}:main-2b3c4d5\nTagbump-Source: {source}"));
    let told = past.told(&[API]);
    let entry = |tag: &str, commit: &str, who: &str, subject: &str, source: &str, nth: i64| {
        serde_json::json!({
            "tag": tag,
            "digest": digest,
            "since": moment(START + nth * STEP),
            "until": if nth == 0 { Some(moment(START + STEP)) } else { None },
            "seconds": if nth == 0 { STEP } else { 0 },
            "commit": commit,
            "author": who,
            "email": format!("{who}@example.com"),
            "subject": subject,
            "source": source,
            "rolled_back": [],
            "file": "a.yaml",
            "line": 5,
        })
    };
    let wanted = serde_json::json!({
        "schema": 1,
        "image": API,
        "entries": [
            entry("main-2b3c4d5", &second, "Bob", "back", source, 1),
            entry("main-1a2b3c4", &first, "Ada", "deploy", "1a2b3c4", 0),
        ],
        "complete": true,
        "notices": [],
    });
    assert_eq!(told, wanted);
}

#[test]
fn markdown_has_timeline() {
    let past = six();
    let run = past.history(&[API, "--format", "mermaid"]);
    let wanted = "\
```mermaid
gantt
    title ghcr.io/acme/api
    dateFormat YYYY-MM-DDTHH:mm:ss
    axisFormat %d %b %H:%M
    section dev/kustomization.yaml
    v1 (2h) :2023-11-14T22:13:20, 2023-11-15T00:13:20
    v3 (2h) :2023-11-15T00:13:20, 2023-11-15T02:13:20
    v5 (1h) :active, 2023-11-15T02:13:20, 2023-11-15T03:13:20
    section prod/kustomization.yaml
    v2 (2h) :2023-11-14T23:13:20, 2023-11-15T01:13:20
    v4 (2h) :2023-11-15T01:13:20, 2023-11-15T03:13:20
    v6 (0s) :active, 2023-11-15T03:13:20, 2023-11-15T03:13:20
```
";
    assert_eq!((run.exit, run.stdout.as_str()), (0, wanted));
    past.wait(9 * 24 * STEP);
    let run = past.history(&[API, "--format", "mermaid"]);
    assert!(run.stdout.contains("axisFormat %Y-%m-%d\n"), "{}", run.stdout);
}

#[test]
fn history_of_service_follows_its_files_and_fields() {
    let past = Past::new();
    let config = format!(
        "tag: 'r{{sha:7}}x'\nservices:\n  api:\n    image: {API}\n    files: [prod]\n    fields:\n      \
         - {{ file: chart/prod.yaml, path: workers.image.tag }}\n"
    );
    past.write("tagbump.yaml", &config);
    past.write(DEV, &kustomization(API, "v1"));
    past.write("chart/prod.yaml", "other: 1\nworkers:\n  image: {tag: w1}\n");
    past.puts("Ada", PROD, &kustomization(API, "v1"), API, "v1");
    past.puts("Ada", DEV, &kustomization(API, "v2"), API, "v2");
    past.write("chart/prod.yaml", "workers:\n  image:\n    tag: r1a2b3c4x # here\n");
    past.commit("Ada", "w2");
    past.puts("Ada", PROD, &kustomization(API, "v3"), API, "v3");
    let told = past.told(&["api"]);
    let wanted = [
        "v3 prod/kustomization.yaml",
        "r1a2b3c4x chart/prod.yaml",
        "w1 chart/prod.yaml",
        "v1 prod/kustomization.yaml",
    ];
    assert_eq!(tags_and_files(&told), wanted);
    assert_eq!((&told["image"], &told["entries"][1]["source"]), (&API.into(), &"1a2b3c4".into()));
    assert_eq!(tags(&past.told(&["api", "-f", "chart/prod.yaml"])), ["r1a2b3c4x", "w1"]);
    assert_eq!(tags(&past.told(&[API])), ["v3", "v2", "v1", "v1"]);
}

/// The entry of `valuesFrom` decides what runs, but its name is no tag.
#[test]
fn history_shows_nothing_of_a_tag_in_a_secret() {
    let past = Past::new();
    let text = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\nspec:\n  \
                chart: {spec: {chart: a, sourceRef: {kind: HelmRepository, name: x}}}\n  \
                valuesFrom: [{kind: Secret, name: s, valuesKey: t, targetPath: image.tag}]\n  \
                values: {image: {repository: ghcr.io/acme/api, tag: v1}}\n";
    past.puts("Ada", "r.yaml", text, API, "v1");
    let run = past.history(&[API]);
    assert_eq!((run.exit, run.stdout.as_str()), (3, ""));
}

#[test]
fn history_fails_when_image_is_not_found() {
    let past = six();
    let run = past.history(&["ghcr.io/acme/apt"]);
    assert_eq!((run.exit, run.stdout.as_str()), (3, ""));
    assert!(run.stderr.contains("nothing matches ghcr.io/acme/apt in 2 files"), "{}", run.stderr);
    assert!(
        run.stderr.contains("similar images:\n  ghcr.io/acme/api (dev/kustomization.yaml:4)"),
        "{}",
        run.stderr
    );
    failed(&past.history(&["ghcr.io/acme/apt", "--format", "json"]), 3);
    // a file that was never committed has no history
    past.write("new.yaml", &kustomization(WEB, "v1"));
    assert_eq!(past.history(&[WEB]).exit, 3);
}

#[test]
fn history_fails_without_repository_or_commit() {
    let folder = tempfile::tempdir().unwrap();
    let run = tagbump(folder.path(), &["history", API, "--format", "json"]);
    let text = failed(&run, 2);
    assert!(text.contains("is not inside a git repository") && text.contains("-C"), "{text}");
    let past = Past::new();
    past.write(DEV, &kustomization(API, "v1"));
    let text = failed(&past.history(&[API, "--format", "json"]), 2);
    assert!(text.contains("no commit"), "{text}");
}

#[test]
fn history_refuses_image_with_tag() {
    let past = six();
    for image in ["ghcr.io/acme/api:v1", "a=ghcr.io/acme/api", "ghcr.io/acme/api@sha256:00"] {
        assert_eq!(past.history(&[image]).exit, 2, "{image}");
    }
    let run = past.history(&[&format!("{API}:v1")]);
    assert!(run.stderr.contains("give the name alone"), "{}", run.stderr);
}

#[test]
fn history_works_below_top_of_repository() {
    let past = Past::new();
    let (sub, beside) = ("clusters/one/k/kustomization.yaml", "clusters/two/k/kustomization.yaml");
    past.puts("Ada", "old/k/kustomization.yaml", &kustomization(API, "v1"), API, "v1");
    past.git("Ada", &["mv", "old", "clusters-one"]);
    past.commit("Ada", "move");
    std::fs::create_dir(past.path.join("clusters")).unwrap();
    past.git("Ada", &["mv", "clusters-one", "clusters/one"]);
    past.commit("Ada", "move again");
    past.puts("Ada", beside, &kustomization(API, "w1"), API, "w1");
    past.puts("Ada", sub, &kustomization(API, "v2"), API, "v2");
    let wanted = ["v2 k/kustomization.yaml", "v1 k/kustomization.yaml"];
    assert_eq!(tags_and_files(&past.told(&[API, "-C", "clusters/one"])), wanted);
    let mut inside = past.command(&[API, "--format", "json", "-f", "k"]);
    let run = crate::support::repo::run(inside.current_dir(past.path.join("clusters/one")));
    assert_eq!(tags_and_files(&json(&run)), wanted);
    assert_eq!(tags(&past.told(&[API])), ["v2", "w1", "v1"]);
}

/// One reference was removed, and one came back; the file that still has it shows everything.
#[test]
fn history_shows_references_that_were_removed() {
    let past = six();
    past.write(PROD, "kind: Kustomization\nimages: []\n");
    past.commit("Ada", "not in prod");
    assert_eq!(tags(&past.told(&[API])), ["v5", "v3", "v1"]);
    past.puts("Ada", PROD, &kustomization(API, "v6"), API, "v6");
    let told = past.told(&[API, "-f", "prod"]);
    assert_eq!(tags(&told), ["v6", "v6", "v4", "v2"]);
    assert_eq!(told["entries"][1]["until"], moment(past.now() - STEP), "it was gone for a while");
    for path in [DEV, PROD] {
        past.git("Ada", &["rm", "--quiet", path]);
    }
    past.commit("Ada", "nowhere");
    assert_eq!(past.history(&[API]).exit, 3);
}

/// A time without any tag is shown too: v1 didn't run then.
#[test]
fn history_shows_time_without_tag() {
    let past = Past::new();
    let pod =
        |image: &str| format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {image}\n");
    for image in ["nginx:1.27", "nginx", "docker.io/library/nginx:1.28"] {
        past.write("pod.yaml", &pod(image));
        past.commit("Ada", image);
    }
    assert_eq!(tags(&past.told(&["nginx"])), ["1.28", "-", "1.27"]);
    assert!(past.history(&["library/nginx"]).stdout.contains("\n-     since "));
}
