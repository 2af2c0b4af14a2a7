//! `tagbump rollback` next to other people's changes, in files of every kind, and for services.

use serde_json::json;

use crate::support::cli::{self, Run};
use crate::support::past::Past;
use crate::support::repo::{self, API, FILE, ended, failed, kustomization};

const PROD: &str = "prod/kustomization.yaml";

fn at(tag: &str) -> String {
    kustomization(&[API.into()]).replace("newTag: v0", &format!("newTag: {tag}"))
}

/// One file that had these tags, one after the other.
fn past(tags: &[&str]) -> Past {
    let past = Past::new();
    for tag in tags {
        past.puts("Ada", FILE, &at(tag), API, tag);
    }
    past
}

fn rollback(past: &Past, arguments: &[&str]) -> Run {
    let mut command = cli::command(&past.path);
    command.arg("rollback").args(arguments).args(["--format", "json"]);
    Run::of(&command.output().unwrap())
}

#[test]
fn other_changes_stay_uncommitted_after_rollback() {
    let past = past(&["v1", "v2"]);
    past.write("README.md", "mine\n");
    past.write(FILE, &past.read(FILE).replace("kind: ", "# mine\nkind: "));
    ended(&rollback(&past, &[API, "--commit"]), 0, "committed");
    assert_eq!(past.git("x", &["show", &format!("HEAD:{FILE}")]), at("v1").trim_end());
    assert_eq!(past.read(FILE), at("v1").replace("kind: ", "# mine\nkind: "));
    assert_eq!(past.git("x", &["status", "--porcelain"]), format!(" M {FILE}\n?? README.md"));
}

#[test]
fn rollback_is_refused_when_reference_has_uncommitted_change() {
    let past = past(&["v1", "v2"]);
    past.write(FILE, &at("v3"));
    let before = past.git("x", &["rev-parse", "HEAD"]);
    let text = failed(&rollback(&past, &[API, "--commit"]), 6);
    assert!(text.contains(FILE), "{text}");
    assert_eq!((past.read(FILE), past.git("x", &["rev-parse", "HEAD"])), (at("v3"), before));
    // with changes only in the work tree, the committed tag comes back
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at("v2"));
}

/// A variable is found by its name, so an older value can be another image.
#[test]
fn rollback_takes_no_other_image_for_an_earlier_tag() {
    let past = Past::new();
    past.write("compose.yaml", "services:\n  cache:\n    image: ${CACHE_IMAGE}\n");
    for image in ["valkey/valkey:9.0.1", "ghcr.io/valkey-io/valkey:9.0.2"] {
        past.write(".env", &format!("CACHE_IMAGE={image}\n"));
        past.git("Ada", &["add", "--all"]);
        past.git("Ada", &["commit", "--quiet", "--message", image]);
    }
    let text = failed(&rollback(&past, &["ghcr.io/valkey-io/valkey"]), 3);
    assert!(text.contains(".env:1: ghcr.io/valkey-io/valkey: no earlier tag than 9.0.2 found"), "{text}");
    let mut command = cli::command(&past.path);
    command.args(["history", "ghcr.io/valkey-io/valkey", "--format", "json"]);
    let told = repo::json(&Run::of(&command.output().unwrap()));
    assert_eq!(told["entries"].as_array().map(Vec::len), Some(1), "{told}");
}

/// A tag that was never committed doesn't count as an earlier one.
/// The digest of a chart belongs to the tag in a stronger file, and would run the newer image.
#[test]
fn rollback_empties_digest_in_another_file() {
    let past = Past::new();
    let digest = "1a".repeat(32);
    past.write("chart/Chart.yaml", "apiVersion: v2\nname: api\nversion: 0.1.0\n");
    past.write("chart/values.yaml", &format!("image:\n  repository: {API}\n  digest: sha256:{digest}\n"));
    past.write("chart/values-prod.yaml", "image:\n  tag: v1\n");
    past.commit("Ada", "start");
    past.write("chart/values-prod.yaml", "image:\n  tag: v2\n");
    past.commit("Ada", "v2");
    ended(&rollback(&past, &[API, "--commit"]), 0, "committed");
    assert_eq!(past.read("chart/values-prod.yaml"), "image:\n  tag: v1\n");
    assert_eq!(past.read("chart/values.yaml"), format!("image:\n  repository: {API}\n  digest: \"\"\n"));
}

#[test]
fn rollback_is_refused_when_file_is_untracked() {
    let past = past(&["v1", "v2"]);
    past.write(PROD, &at("v2"));
    let text = failed(&rollback(&past, &[API]), 3);
    assert!(text.contains(&format!("{PROD}:5: {API}: no earlier tag than v2 found")), "{text}");
    ended(&rollback(&past, &[API, "-f", FILE]), 0, "edited");
    assert_eq!((past.read(FILE), past.read(PROD)), (at("v1"), at("v2")));
}

#[test]
fn rollback_finds_tag_before_rename_and_broken_file() {
    let past = past(&["v1"]);
    past.write(FILE, "images: [\n");
    past.commit("Ada", "break");
    past.write(FILE, &at("v1"));
    past.commit("Ada", "mend");
    past.git("Ada", &["mv", "k8s", "deploy"]);
    past.commit("Ada", "move");
    past.puts("Ada", "deploy/kustomization.yaml", &at("v2"), API, "v2");
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read("deploy/kustomization.yaml"), at("v1"));
}

/// The trailers of the commit that set a tag name its source, even below a commit that repaired the file.
#[test]
fn source_comes_from_commit_that_wrote_the_tag() {
    let past = past(&["v1"]);
    past.write(FILE, &at("v2"));
    let source = "acme/api@0123456789abcdef0123456789abcdef01234567";
    past.commit("CI", &format!("v2\n\nTagbump-Image: {API}:v2\nTagbump-Source: {source}"));
    past.write(FILE, "images: [\n");
    past.commit("Ada", "break");
    past.write(FILE, &at("v2").replace("# by CI", "# mended"));
    past.commit("Ada", "mend");
    ended(&rollback(&past, &[API, "--commit"]), 0, "committed");
    let message = past.git("x", &["log", "-1", "--format=%B"]);
    assert!(message.contains(&format!("Tagbump-Rollback: {API}:v2 {source}")), "{message}");
}

#[test]
fn rollback_restores_tag_before_merge() {
    let past = past(&["v1"]);
    past.git("Ada", &["checkout", "--quiet", "-b", "next"]);
    past.puts("Ada", FILE, &at("v2"), API, "v2");
    past.git("Ada", &["checkout", "--quiet", "main"]);
    past.write("README.md", "x\n");
    past.commit("Eve", "other");
    past.git("Ada", &["merge", "--quiet", "--no-ff", "--message", "merge", "next"]);
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at("v1"));
}

#[test]
fn rollback_restores_tag_before_merge_that_was_resolved_by_hand() {
    let past = past(&["v1"]);
    past.git("Ada", &["checkout", "--quiet", "-b", "side"]);
    past.puts("Ada", FILE, &at("v2"), API, "v2");
    past.git("Ada", &["checkout", "--quiet", "main"]);
    past.puts("Ada", FILE, &at("v3"), API, "v3");
    past.git("Ada", &["merge", "--quiet", "--no-ff", "--strategy", "ours", "--no-commit", "side"]);
    past.write(FILE, &at("v9"));
    past.commit("Ada", "Merge side");
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at("v3"));
}

/// A tag that is set back by hand doesn't say which tag was bad.
#[test]
fn rollback_restores_tag_before_it_was_set_back_by_hand() {
    let past = past(&["v1", "v2", "v3"]);
    past.puts("Ada", FILE, &at("v2"), API, "v2");
    past.wait(60);
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at("v3"), "as it was before");
}

#[test]
fn rollback_works_in_other_kinds_of_files() {
    let past = Past::new();
    let release = |tag: &str, extra: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    image:\n      \
             repository: {API}\n      tag: \"{tag}\"{extra}\n"
        )
    };
    let compose = |tag: &str| format!("services:\n  api: {{ image: '{API}{tag}' }}\n");
    for (tag, extra, composed) in [("1019584", "", ":1.10"), ("2994e02", " # new", "")] {
        past.write("release.yaml", &release(tag, extra));
        past.write("compose.yaml", &compose(composed));
        past.commit("Ada", tag);
    }
    ended(&rollback(&past, &[API, "-f", "release.yaml"]), 0, "edited");
    assert_eq!(
        past.read("release.yaml"),
        release("1019584", " # new"),
        "still a string, the comment as it is"
    );
    ended(&rollback(&past, &[API, "-f", "compose.yaml"]), 0, "edited");
    assert_eq!(past.read("compose.yaml"), compose(":1.10"));
}

/// The places that compose and text in YAML have: a default, a variable, a line of a literal block scalar.
#[test]
fn rollback_works_where_tag_is_part_of_text() {
    let default = |tag: &str| format!("services:\n  api: {{ image: '{API}:${{TAG:-{tag}}}-ad' }}\n");
    let variable = |tag: &str| format!("# of api\nTAG=\"{tag}\" # {tag}\n");
    let text = |tag: &str| {
        format!("kind: ConfigMap\ndata:\n  values.yaml: |\n    web: v1\n    image: {API}:{tag} # {tag}\n")
    };
    let compose = format!("services:\n  api: {{ image: '{API}:${{TAG}}' }}\n");
    type File<'a> = (&'a str, &'a dyn Fn(&str) -> String, Option<(&'a str, &'a str)>);
    let cases: [File<'_>; 3] = [
        ("compose.yaml", &default, None),
        (".env", &variable, Some(("compose.yaml", &compose))),
        ("cm.yaml", &text, None),
    ];
    for (file, content, beside) in cases {
        let past = Past::new();
        if let Some((other, content)) = beside {
            past.write(other, content);
        }
        for tag in ["v1", "v2", "v3"] {
            past.write(file, &content(tag));
            past.commit("Ada", tag);
        }
        let run = rollback(&past, &[API]);
        ended(&run, 0, "edited");
        let expected = content("v3").replacen("v3", "v2", 1);
        assert_eq!(past.read(file), expected, "{}", run.output());
    }
}

/// There was no tag at all before, so there is no tag to go back to.
#[test]
fn rollback_is_refused_when_reference_had_no_tag_before() {
    let past = Past::new();
    let pod =
        |tag: &str| format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {API}{tag}\n");
    for tag in ["", ":v1"] {
        past.write("pod.yaml", &pod(tag));
        past.commit("Ada", "x");
    }
    let text = failed(&rollback(&past, &[API]), 3);
    assert!(text.contains("no earlier tag than v1 found"), "{text}");
    assert_eq!(past.read("pod.yaml"), pod(":v1"));
}

/// A placeholder was there: it can't be restored, and isn't skipped silently either.
#[test]
fn rollback_is_refused_when_previous_value_is_placeholder() {
    let past = past(&["v0.9", "\"${TAG}\"", "v1"]);
    let text = failed(&rollback(&past, &[API]), 6);
    assert!(text.contains("can't go back to ${TAG}") && text.contains("--to"), "{text}");
    ended(&rollback(&past, &[API, "--to", "v0.9"]), 0, "edited");
}

fn service() -> Past {
    let past = Past::new();
    let config = format!(
        "message: 'deploy {{name}} {{tag}}'\nservices:\n  api:\n    image: {API}\n    files: [prod]\n    fields:\n      \
         - {{ file: chart/prod.yaml, path: workers.tag }}\n  other:\n    image: ghcr.io/acme/other\n"
    );
    past.write("tagbump.yaml", &config);
    for (tag, worker) in [("v1", "v1"), ("v2", "v1"), ("v3", "v3")] {
        past.write(PROD, &at(tag));
        past.write("dev/kustomization.yaml", &at("v9"));
        past.write("chart/prod.yaml", &format!("workers: {{ tag: {worker} }}\nother: {tag}\n"));
        past.commit("Ada", tag);
    }
    past
}

#[test]
fn rollback_of_service_follows_its_files_and_fields() {
    let past = service();
    ended(&rollback(&past, &["api", "--commit"]), 0, "committed");
    assert_eq!((past.read(PROD), past.read("dev/kustomization.yaml")), (at("v2"), at("v9")));
    assert_eq!(past.read("chart/prod.yaml"), "workers: { tag: v1 }\nother: v3\n");
    let message = past.git("x", &["log", "-1", "--format=%B"]);
    assert!(message.starts_with("deploy api v"), "{message}");
    assert!(message.contains(&format!("\nTagbump-Rollback: {API}:v3")), "{message}");
    let text = failed(&rollback(&past, &["apj"]), 3);
    assert!(text.contains("services of tagbump.yaml: api, other"), "{text}");
}

#[test]
fn rollback_restores_named_field() {
    let past = service();
    let field = ["--field", "workers.tag", "-f", "chart/prod.yaml"];
    ended(&rollback(&past, &[&[API][..], &field].concat()), 0, "edited");
    assert_eq!(past.read("chart/prod.yaml"), "workers: { tag: v1 }\nother: v3\n");
    assert_eq!(past.read(PROD), at("v3"));
    let text = failed(&rollback(&past, &[API, "--field", "workers.tga", "-f", "chart/prod.yaml"]), 3);
    assert!(text.contains("has a field workers.tga"), "{text}");
}

#[test]
fn rollback_works_below_top_of_repository() {
    let past = Past::new();
    for tag in ["v1", "v2"] {
        past.write("one/k/kustomization.yaml", &at(tag));
        past.write("two/k/kustomization.yaml", &at(tag));
        past.commit("Ada", tag);
    }
    let told = ended(&rollback(&past, &[API, "-C", "one", "--commit"]), 0, "committed");
    assert_eq!(told["changes"][0]["file"], "k/kustomization.yaml");
    assert_eq!(
        (past.read("one/k/kustomization.yaml"), past.read("two/k/kustomization.yaml")),
        (at("v1"), at("v2"))
    );
    assert!(past.git("x", &["log", "-1", "--format=%B"]).contains("(one/k/kustomization.yaml)"));
}

fn pods(tags: &[&str]) -> String {
    let pod =
        |tag: &&str| format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {API}:{tag}\n");
    tags.iter().map(pod).collect::<Vec<_>>().join("---\n")
}

fn of_pods(versions: &[&[&str]]) -> Past {
    let past = Past::new();
    for tags in versions {
        past.write("pods.yaml", &pods(tags));
        past.commit("Ada", &tags.join(" "));
    }
    past
}

/// One tag now, and two before: neither reference gets the other's earlier tag.
#[test]
fn rollback_is_refused_when_references_had_two_tags_before() {
    let past = of_pods(&[&["v1", "w1"], &["v2", "v2"]]);
    let text = failed(&rollback(&past, &[API]), 3);
    let wanted = format!(
        "pods.yaml: before v2 {API} had two tags, v1 and w1\nname the tag to go back to with --to TAG"
    );
    assert_eq!(text, wanted);
    assert_eq!(past.read("pods.yaml"), pods(&["v2", "v2"]));
    ended(&rollback(&past, &[API, "--to", "w1"]), 0, "edited");
    assert_eq!(past.read("pods.yaml"), pods(&["w1", "w1"]));
    // if they reached the same tag one after the other, it is one tag
    let past = of_pods(&[&["v1", "v1"], &["v2", "v1"], &["v2", "v2"]]);
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read("pods.yaml"), pods(&["v1", "v1"]));
    // a reference that was added with the current tag is rolled back too
    let past = of_pods(&[&["v1"], &["v2", "v2"]]);
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read("pods.yaml"), pods(&["v1", "v1"]));
}

/// The tag of another reference that existed for a while is no tag to go back to.
#[test]
fn rollback_ignores_tags_of_removed_reference() {
    let past = of_pods(&[&["v1"], &["v1", "v9"], &["v1"], &["v2"]]);
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read("pods.yaml"), pods(&["v1"]));
}

/// The reference was removed and added again: the last tag before the removal counts.
#[test]
fn rollback_finds_tag_before_reference_was_removed_for_a_while() {
    let past = of_pods(&[&["v1"], &["v2"]]);
    past.write("pods.yaml", "apiVersion: v1\nkind: Pod\n");
    past.commit("Ada", "none");
    past.write("pods.yaml", &pods(&["v3"]));
    past.commit("Ada", "again");
    ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read("pods.yaml"), pods(&["v2"]));
}

/// A workload whose tag another tool fills in, and a compose file that never had another tag than `latest`.
fn among_others() -> Past {
    let past = past(&["v1", "v2"]);
    past.write("job.yaml", &format!("kind: Pod\nspec: {{containers: [{{image: \"{API}:${{TAG}}\"}}]}}\n"));
    past.write("compose.yaml", &format!("services:\n  api:\n    image: {API}:latest\n"));
    past.commit("Ada", "more");
    past
}

#[test]
fn rollback_leaves_placeholder_with_a_warning() {
    let past = among_others();
    past.git("x", &["rm", "-q", "compose.yaml"]);
    past.commit("Ada", "less");
    let report = ended(&rollback(&past, &[API]), 0, "edited");
    assert_eq!(past.read(FILE), at("v1"));
    let warning = "job.yaml:2: skipped: another tool fills in ${TAG} as the tag of ghcr.io/acme/api; roll back the value that it fills in";
    assert_eq!(report["warnings"], json!([warning]));
    // a file that is named must go back as a whole
    failed(&rollback(&past, &[API, "-f", FILE, "-f", "job.yaml"]), 3);
}

#[test]
fn rollback_of_all_leaves_reference_without_earlier_tag_with_a_warning() {
    let past = among_others();
    let text = failed(&rollback(&past, &[API]), 3);
    assert!(text.contains("no earlier tag than latest found"), "{text}");
    let report = ended(&rollback(&past, &[API, "--all"]), 0, "edited");
    assert_eq!(past.read(FILE), at("v1"));
    assert_eq!(past.read("compose.yaml"), format!("services:\n  api:\n    image: {API}:latest\n"));
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("compose.yaml:3: skipped: no earlier tag of ghcr.io/acme/api than latest found"),
        "{warnings}"
    );
    // where nothing can go back, that is an error
    failed(&rollback(&past, &[API, "--all", "-f", "compose.yaml"]), 3);
}
