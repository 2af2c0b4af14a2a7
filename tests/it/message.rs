//! The text of a landed commit: subject, body, trailers, and the mark that keeps CI from running.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::support::cli::command;
use crate::support::git::{self, git};
use crate::support::repo::{
    self, API, FILE, PASSWORD, USER, World, actions, ended, failed, kustomization, push,
};

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn world(files: &[(&str, &str)]) -> World {
    World::with(|server| server.basic_auth(USER, PASSWORD), files)
}

/// Lands with these arguments after `bump`; returns the message.
#[track_caller]
fn lands(world: &World, folder: &Path, arguments: &[&str]) -> String {
    let run = repo::run(command(folder).args(["bump", "--push", "--format", "json"]).args(arguments));
    ended(&run, 0, "landed");
    message(world)
}

/// The bytes of the message, including the line end that git adds.
fn message(world: &World) -> String {
    let raw = git(&world.bare, &["cat-file", "commit", "refs/heads/main"]);
    raw.split_once("\n\n").unwrap().1.to_owned()
}

/// The lines that git reads as the message's trailers.
fn trailers(message: &str) -> Vec<String> {
    let mut parse = git::command(&std::env::temp_dir());
    parse.args(["interpret-trailers", "--parse"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut parse = parse.spawn().unwrap();
    parse.stdin.take().unwrap().write_all(format!("{message}\n").as_bytes()).unwrap();
    let output = parse.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn subject(message: &str) -> &str {
    message.lines().next().unwrap()
}

#[test]
fn message_names_the_image() {
    let world = World::new();
    let folder = world.shallow("w");
    assert_eq!(
        lands(&world, &folder, &["ghcr.io/acme/api:v1"]),
        "chore: update api image to v1 [skip ci]\n\n\
         ghcr.io/acme/api: v0 -> v1 (k8s/kustomization.yaml)\n\n\
         Tagbump-Image: ghcr.io/acme/api:v1"
    );
    let text = lands(&world, &folder, &["ghcr.io/acme/api:v2", "--source", &format!("acme/api@{SHA}")]);
    assert_eq!(
        text,
        format!(
            "chore: update api image to v2\n\n\
             ghcr.io/acme/api: v1 -> v2 (k8s/kustomization.yaml)\n\n\
             Tagbump-Image: ghcr.io/acme/api:v2\nTagbump-Source: acme/api@{SHA}"
        ),
        "built from another repository: no mark"
    );
}

#[test]
fn message_has_two_lines_and_one_trailer_when_image_is_in_two_files() {
    let text = kustomization(&[API.into()]);
    let world = world(&[("a/kustomization.yaml", &text), ("b/kustomization.yaml", &text)]);
    assert_eq!(
        lands(&world, &world.shallow("w"), &["ghcr.io/acme/api:v1"]),
        "chore: update api image to v1 [skip ci]\n\n\
         ghcr.io/acme/api: v0 -> v1 (a/kustomization.yaml)\n\
         ghcr.io/acme/api: v0 -> v1 (b/kustomization.yaml)\n\n\
         Tagbump-Image: ghcr.io/acme/api:v1"
    );
}

#[test]
fn message_lists_several_images() {
    let world = world(&[(FILE, &kustomization(&["a/one".into(), "a/two".into(), "a/three".into()]))]);
    assert_eq!(
        lands(&world, &world.shallow("w"), &["a/one:v1", "a/two:v2", "a/three", "--tag", "v3"]),
        "chore: update 3 images [skip ci]\n\n\
         a/one: v0 -> v1 (k8s/kustomization.yaml)\n\
         a/two: v0 -> v2 (k8s/kustomization.yaml)\n\
         a/three: v0 -> v3 (k8s/kustomization.yaml)\n\n\
         Tagbump-Image: a/one:v1\nTagbump-Image: a/two:v2\nTagbump-Image: a/three:v3"
    );
}

/// A body of `nginx: v0 -> v1` looks like a trailer: it isn't one of ours, and must not become one.
#[test]
fn body_is_no_trailer_when_image_is_one_word() {
    let world = world(&[(FILE, &kustomization(&["nginx".into(), "redis".into()]))]);
    let folder = world.shallow("w");
    assert_eq!(
        lands(&world, &folder, &["nginx:v1"]),
        "chore: update nginx image to v1 [skip ci]\n\n\
         nginx: v0 -> v1 (k8s/kustomization.yaml)\n\n\
         Tagbump-Image: nginx:v1"
    );
    let text = lands(&world, &folder, &["nginx:v2", "redis:v2"]);
    assert_eq!(trailers(&text), ["Tagbump-Image: nginx:v2", "Tagbump-Image: redis:v2"], "{text}");
}

/// An image that already has its tag isn't mentioned.
#[test]
fn message_leaves_out_image_that_is_up_to_date() {
    let world = world(&[(FILE, &kustomization(&["a/one".into(), "a/two".into()]))]);
    let text = lands(&world, &world.shallow("w"), &["a/one:v1", "a/two:v0"]);
    assert_eq!(subject(&text), "chore: update one image to v1 [skip ci]");
    assert_eq!(trailers(&text), ["Tagbump-Image: a/one:v1"]);
}

#[test]
fn message_names_new_name_of_image() {
    let world = world(&[(FILE, &kustomization(&["a/one".into(), "a/two".into()]))]);
    let text = lands(&world, &world.shallow("w"), &["a/one=b/uno:v1", "a/two:v2"]);
    assert_eq!(subject(&text), "chore: update 2 images [skip ci]");
    assert_eq!(trailers(&text), ["Tagbump-Image: b/uno:v1", "Tagbump-Image: a/two:v2"]);
}

#[test]
fn message_shows_short_digests() {
    let world = World::new();
    let folder = world.shallow("w");
    let text = lands(&world, &folder, &[&format!("ghcr.io/acme/api:v1@{DIGEST}")]);
    assert_eq!(subject(&text), "chore: update api image to v1 [skip ci]");
    assert_eq!(trailers(&text), [format!("Tagbump-Image: ghcr.io/acme/api:v1@{DIGEST}")]);
    // the tag is kept: the image runs with that tag and the new digest
    let other = DIGEST.replace("0123", "9876");
    let text = lands(&world, &folder, &[&format!("ghcr.io/acme/api:*@{other}")]);
    assert_eq!(trailers(&text), [format!("Tagbump-Image: ghcr.io/acme/api:v1@{other}")]);
}

#[test]
fn own_message_fills_in_variables() {
    let world = world(&[(FILE, &kustomization(&["a/one".into(), "a/two".into()]))]);
    let folder = world.shallow("w");
    let template = "deploy {name}: {old_tag} to {tag}\n\n{image} in {files}, {images}; {{{sha:4}}}";
    let arguments = ["a/one:v1", "-m", template, "--source", &format!("acme/gitops@{SHA}")];
    assert_eq!(
        lands(&world, &folder, &arguments),
        format!(
            "deploy one: v0 to v1 [skip ci]\n\na/one in {FILE}, a/one:v1; {{1a2b}}\n\n\
             Tagbump-Image: a/one:v1\nTagbump-Source: acme/gitops@{SHA}"
        )
    );
    let arguments = ["a/one:v2", "a/two:v2", "-m", "{name} {image} {tag} {old_tag} {images} {files}"];
    let text = lands(&world, &folder, &arguments);
    let wanted = format!("one, two a/one, a/two v2 v1, v0 a/one:v2, a/two:v2 {FILE} [skip ci]");
    assert_eq!(subject(&text), wanted);
    let run =
        repo::run(command(&folder).args(["bump", "a/one:v3", "--push", "--format", "json", "-m", "{nmae}"]));
    assert!(failed(&run, 2).contains("{nmae}"), "{}", run.output());
}

/// Lands with its own message; returns the trailers that git sees, our own ones, and the whole text.
#[track_caller]
fn joined(world: &World, folder: &Path, tag: &str, template: &str) -> (Vec<String>, String, String) {
    let image = format!("ghcr.io/acme/api:{tag}");
    let text = lands(world, folder, &[&image, "-m", template]);
    (trailers(&text), format!("Tagbump-Image: {image}"), text)
}

#[test]
fn trailers_join_last_block_of_trailers() {
    let world = World::new();
    let folder = world.shallow("w");
    let blocks = ["Refs: #1", "Refs: #1\nCo-authored-by: Bob <b@example.com>", "Refs: long\n  and wrapped"];
    for (n, block) in blocks.iter().enumerate() {
        let words = format!("deploy\n\nbody\n\n{block}");
        let (found, ours, text) = joined(&world, &folder, &format!("t{n}"), &words);
        assert_eq!(found.len(), block.matches(": ").count() + 1, "{text}");
        assert_eq!((found[0].starts_with("Refs: "), found.last()), (true, Some(&ours)), "{text}");
        assert!(text.starts_with("deploy [skip ci]\n\nbody\n\nRefs: "), "{text}");
    }
}

#[test]
fn trailers_start_new_block_when_last_one_is_text() {
    let world = World::new();
    let folder = world.shallow("w");
    let plain =
        ["deploy", "Fix: deploy", "deploy\n\nA note: with words in it\nand more of them", "a: b\nc: d"];
    for (n, words) in plain.iter().enumerate() {
        let (found, ours, text) = joined(&world, &folder, &format!("t{n}"), words);
        assert_eq!(found, std::slice::from_ref(&ours), "{text}");
        assert!(text.ends_with(&format!("\n\n{ours}")), "{text}");
    }
}

/// git requires no blank after the colon.
#[test]
fn trailers_join_block_that_has_no_blank_after_colon() {
    let world = World::new();
    let (found, ours, text) = joined(&world, &world.shallow("w"), "t1", "deploy\n\nbody\n\nRefs:#1");
    assert_eq!(found, ["Refs: #1", &ours], "{text}");
}

/// If a block contains a sign-off, git reads it as trailers even if it contains other text.
#[test]
fn trailers_join_block_with_sign_off() {
    let world = World::new();
    let words = "deploy\n\nnot a trailer\nSigned-off-by: Bob <b@example.com>";
    let (found, ours, text) = joined(&world, &world.shallow("w"), "t1", words);
    assert_eq!(found, ["Signed-off-by: Bob <b@example.com>", &ours], "{text}");
}

/// Whether the landed commit's subject has the mark.
#[track_caller]
fn marked(world: &World, folder: &Path, tag: &str, repository: Option<&str>, more: &[&str]) -> bool {
    let mut command = push(folder, tag, more);
    if let Some(repository) = repository {
        actions(&mut command, repository, SHA);
    }
    ended(&repo::run(&mut command), 0, "landed");
    let text = message(world);
    let marks = text.matches("[skip ci]").count();
    assert!(marks <= 1 && (marks == 0 || subject(&text).ends_with(" [skip ci]")), "{text}");
    marks == 1
}

#[test]
fn skip_mark_is_added_when_target_is_the_built_repository() {
    let world = World::new();
    let folder = world.shallow("w");
    assert!(marked(&world, &folder, "t1", Some("acme/gitops"), &[]), "the same");
    assert!(marked(&world, &folder, "t2", Some("Acme/GitOps"), &[]), "the same in other case");
    assert!(!marked(&world, &folder, "t3", Some("acme/api"), &[]), "another");
    assert!(marked(&world, &folder, "t4", None, &[]), "nobody says");
    assert!(!marked(&world, &folder, "t5", Some("acme/gitops"), &["--no-skip-ci"]));
    assert!(marked(&world, &folder, "t6", Some("acme/api"), &["--skip-ci"]));
    // the built repository isn't always the one that the run is in
    let source = format!("acme/api@{SHA}");
    assert!(!marked(&world, &folder, "t7", Some("acme/gitops"), &["--source", &source]));
    let source = format!("acme/gitops@{SHA}");
    assert!(marked(&world, &folder, "t8", Some("acme/api"), &["--source", &source]));
}

/// The target is the repository that is pushed to.
#[test]
fn skip_mark_follows_push_url() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["remote", "set-url", "--push", "origin", world.bare.to_str().unwrap()]);
    git(&folder, &["remote", "set-url", "origin", &format!("file://{}", world.bare.display())]);
    assert!(marked(&world, &folder, "t1", Some("acme/gitops"), &[]), "a path counts by its last two parts");
    assert!(!marked(&world, &folder, "t2", Some("acme/gitop"), &[]));
}

#[test]
fn own_mark_in_any_spelling_is_the_only_one() {
    let world = World::new();
    let folder = world.shallow("w");
    for (nth, (own, start)) in [
        ("deploy [Skip CI]", "deploy [Skip CI]\n\nTagbump-Image: "),
        ("deploy\n\nquiet: [CI SKIP]", "deploy\n\nquiet: [CI SKIP]\nTagbump-Image: "),
        ("deploy ***NO_CI***", "deploy ***NO_CI***\n\nTagbump-Image: "),
        ("deploy\n\n\nskip-checks: true", "deploy\n\n\nTagbump-Image: "),
    ]
    .iter()
    .enumerate()
    {
        let text = lands(&world, &folder, &[&format!("{API}:t{nth}"), "--skip-ci", "-m", own]);
        assert!(text.starts_with(start) && !text.contains("[skip ci]"), "{text:?}");
        assert_eq!(text.ends_with("\nskip-checks: true"), own.ends_with("skip-checks: true"), "{text:?}");
    }
}

#[test]
fn carriage_returns_of_own_message_are_line_ends() {
    let world = World::new();
    let folder = world.shallow("w");
    let text = lands(&world, &folder, &[&format!("{API}:v1"), "-m", "deploy\r\n\r\nbody\rmore\r\n"]);
    assert!(text.starts_with("deploy [skip ci]\n\nbody\nmore\n\n") && !text.contains('\r'), "{text:?}");
}

#[test]
fn unknown_variable_lists_the_known_ones_and_the_way_to_write_a_brace() {
    let world = World::new();
    let folder = world.shallow("w");
    let failure = failed(&repo::run(&mut push(&folder, "v1", &["-m", r#"deploy {"a"}"#])), 2);
    for word in ["{old_tag}", "{files}", "{sha}", "{{ and }} stand for single braces"] {
        assert!(failure.contains(word), "{word}: {failure}");
    }
    repo::write(&folder, "tagbump.yaml", "message: 'deploy {\"a\"}'\n");
    let run = repo::run(command(&folder).args(["bump", "ghcr.io/acme/api:v1", "--format", "json"]));
    let failure = failed(&run, 2);
    assert!(failure.contains("{old_tag}") && failure.contains("{{ and }}"), "{failure}");
}
