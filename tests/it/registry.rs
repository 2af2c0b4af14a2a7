//! `--verify` and `--digest auto` against a registry that misbehaves. Real registries are in `servers`.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::support::endless::{Endless, MOST};
use crate::support::registry::{FakeRegistry, Told};
use crate::support::verify::{MANIFEST, PASSWORD, auth, bump, content, digest, folder, has_tag, run, write};

#[test]
fn image_is_looked_up_once_with_head() {
    let registry = FakeRegistry::start(|asked, _| has_tag(asked));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (_, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--verify"]));
    assert_eq!((&json["outcome"], &json["images"][0]["verified"]), (&"edited".into(), &true.into()));
    let asked = registry.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((&*asked[0].method, &asked[0].authorization), ("HEAD", &None));
    assert!(content(&folder).contains("newTag: v2"));
}

#[test]
fn registry_is_not_asked_without_the_flag_or_without_a_change() {
    let registry = FakeRegistry::start(|asked, _| has_tag(asked));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let mut without = bump(folder.path(), &[&format!("{image}:v2")]);
    // not even the credentials are read
    let (_, json) = run({
        without.env("DOCKER_AUTH_CONFIG", "no JSON").env("REGISTRY_AUTH_FILE", "/");
        without
    });
    assert_eq!((&json["outcome"], &json["images"][0]["verified"]), (&"edited".into(), &Value::Null));
    let (_, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--verify"]));
    assert_eq!(json["outcome"], "already");
    assert_eq!(registry.connections(), 0);
}

#[test]
fn missing_image_is_exit_3_and_names_similar_tags() {
    let registry = FakeRegistry::start(|asked, _| match &*asked.path {
        path if path.starts_with("/v2/acme/api/tags/list") => {
            Told::body(r#"{"tags": ["v1.2.3", "v1.2.2", "x"]}"#)
        }
        _ => Told::status(404),
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let before = content(&folder);
    let (run, json) =
        run(bump(folder.path(), &[&format!("{image}:v1.2.4"), "--verify", "--verify-timeout", "1s"]));
    assert_eq!((run.exit, &json["images"][0]["verified"]), (3, &false.into()), "{run:?}");
    let (message, hint) =
        (json["error"]["message"].as_str().unwrap(), json["error"]["hint"].as_str().unwrap());
    assert!(message.starts_with(&format!("{image}:v1.2.4 is not in its registry")), "{message}");
    assert!(hint.contains("v1.2.2, v1.2.3"), "{hint}");
    assert_eq!(content(&folder), before);
}

#[test]
fn image_that_comes_later_is_found() {
    let registry = FakeRegistry::start(|asked, before| match before {
        0 => Told::status(404),
        1 => Told::status(503),
        2 => Told::status(429).with("Retry-After", "1"),
        _ => has_tag(asked),
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (run, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--verify"]));
    assert_eq!(run.exit, 0, "{run:?}");
    assert_eq!(registry.asked().len(), 4);
    let notice = json["notices"][0].as_str().unwrap();
    assert!(notice.starts_with("waited ") && notice.ends_with(":v2 was in its registry"), "{notice}");
}

#[test]
fn unreachable_registry_is_exit_4() {
    for script in [503, 500, 429] {
        let registry = FakeRegistry::start(move |_, _| Told::status(script));
        let image = registry.image("acme/api");
        let folder = folder(&image);
        let (run, json) =
            run(bump(folder.path(), &[&format!("{image}:v2"), "--verify", "--verify-timeout", "1s"]));
        assert_eq!(run.exit, 4, "{run:?}");
        assert!(json["error"]["message"].as_str().unwrap().ends_with(&format!("answered {script}")));
    }
}

#[test]
fn warning_is_enough_with_warn() {
    for (status, words) in
        [(404, "is not in its registry"), (503, "can't reach the registry"), (401, "missing, or no access")]
    {
        let registry = FakeRegistry::start(move |_, _| Told::status(status));
        let image = registry.image("acme/api");
        let folder = folder(&image);
        let (run, json) =
            run(bump(folder.path(), &[&format!("{image}:v2"), "--verify=warn", "--verify-timeout", "1s"]));
        assert_eq!((run.exit, &json["outcome"]), (0, &"edited".into()), "{run:?}");
        assert!(json["warnings"][0].as_str().unwrap().contains(words), "{run:?}");
        assert!(content(&folder).contains("newTag: v2"));
    }
}

#[test]
fn registry_that_does_not_answer_takes_no_time_from_another() {
    let down = FakeRegistry::start(|_, _| Told::status(503));
    let up = FakeRegistry::start(|_, _| Told::body(MANIFEST).with("Docker-Content-Digest", digest(MANIFEST)));
    let images: Vec<String> = std::iter::once(down.image("acme/x"))
        .chain((0..12).map(|n| up.image(&format!("acme/a{n}"))))
        .collect();
    let folder = folder("acme/api");
    let entries: String = images.iter().map(|image| format!("- name: {image}\n  newTag: v1\n")).collect();
    write(&folder, &format!("images:\n{entries}"));
    let versions: Vec<String> = images.iter().map(|image| format!("{image}:v2")).collect();
    let versions = versions.iter().map(String::as_str);
    let arguments: Vec<&str> = versions.chain(["--verify=warn", "--verify-timeout", "1s"]).collect();
    let (run, json) = run(bump(folder.path(), &arguments));
    let warnings = json["warnings"].as_array().unwrap();
    assert_eq!((run.exit, warnings.len()), (0, 1), "{run:?}");
    assert!(warnings[0].as_str().unwrap().contains("acme/x"), "{run:?}");
}

#[test]
fn no_access_without_a_credential_is_exit_5_at_once() {
    let registry =
        FakeRegistry::start(|_, _| Told::status(401).with("WWW-Authenticate", "Basic realm=\"x\""));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (run, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--verify"]));
    assert_eq!((run.exit, registry.asked().len()), (5, 1), "{run:?}");
    let message = json["error"]["message"].as_str().unwrap();
    assert!(message.contains("missing, or no access"), "{message}");
}

#[test]
fn wrong_password_is_exit_5_and_stays_secret() {
    // a registry that echoes what it got
    let registry = FakeRegistry::start(|asked, _| {
        let echo = asked.authorization.clone().unwrap_or_default();
        Told { body: echo.clone().into_bytes(), ..Told::status(401) }
            .with("WWW-Authenticate", format!("Basic realm=\"{echo}\""))
            .with("X-Echo", echo)
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let mut command =
        bump(folder.path(), &[&format!("{image}:v2"), "--verify", "--verify-timeout", "1s", "-v"]);
    command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
    let (run, json) = run(command);
    assert_eq!(run.exit, 5, "{run:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("$DOCKER_AUTH_CONFIG"), "{run:?}");
    let secrets = [PASSWORD.to_owned(), BASE64_STANDARD.encode(format!("ada:{PASSWORD}"))];
    assert!(secrets.iter().all(|secret| !run.output().contains(secret)), "{run:?}");
    assert!(registry.asked().iter().any(|asked| asked.authorization.is_some()), "it was sent");
}

#[test]
fn token_is_asked_for_reading_only_and_with_the_password() {
    let registry = FakeRegistry::start(|asked, _| {
        let challenge = format!(
            r#"Bearer realm="http://{}/token?x=1",service="reg",scope="repository:acme/api:pull,push""#,
            asked.host
        );
        match (&*asked.path, asked.authorization.as_deref()) {
            (path, Some(basic)) if path.starts_with("/token") && basic.starts_with("Basic ") => {
                Told::body(r#"{"access_token": "t0ken-1"}"#)
            }
            (_, Some("Bearer t0ken-1")) => has_tag(asked),
            _ => Told::status(401).with("WWW-Authenticate", challenge),
        }
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let mut command = bump(folder.path(), &[&format!("{image}:v2"), "--verify"]);
    command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
    let (run, _) = run(command);
    assert_eq!(run.exit, 0, "{run:?}");
    let token = registry.asked().into_iter().find(|asked| asked.path.starts_with("/token")).unwrap();
    assert_eq!(token.path, "/token?x=1&service=reg&scope=repository%3Aacme%2Fapi%3Apull");
}

#[test]
fn missing_package_that_answers_401_is_waited_for() {
    // the first of each is without the credential
    let registry = FakeRegistry::start(|asked, before| match (&asked.authorization, before) {
        (Some(_), 3..) => has_tag(asked),
        _ => Told::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let ask = |tag: &str, time: &str| {
        let mut command =
            bump(folder.path(), &[&format!("{image}:{tag}"), "--verify", "--verify-timeout", time]);
        command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
        run(command)
    };
    let (found, json) = ask("v2", "60s");
    assert_eq!((found.exit, &json["outcome"]), (0, &"edited".into()), "{found:?}");
    let denied = FakeRegistry::start(|_, _| Told::status(403));
    let image = denied.image("acme/api");
    write(&folder, &format!("images:\n- name: app\n  newName: {image}\n  newTag: v1\n"));
    let (refused, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--verify"]));
    assert_eq!(refused.exit, 5, "{refused:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("missing, or no access"));
}

#[test]
fn connection_that_is_cut_is_tried_again() {
    let registry = FakeRegistry::start(|asked, before| match before {
        // fewer bytes than announced, and the end
        0 => Told::body("{").with("Content-Length", "100"),
        _ => has_tag(asked),
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (run, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--digest", "auto"]));
    assert_eq!((run.exit, &json["images"][0]["digest"]), (0, &digest(MANIFEST).into()), "{run:?}");
    assert_eq!(registry.asked().len(), 2);
}

#[test]
fn token_servers_redirect_is_not_followed() {
    let elsewhere = FakeRegistry::start(|_, _| Told::body(r#"{"token": "t"}"#));
    let to = format!("http://{}/token", elsewhere.host);
    let registry = FakeRegistry::start(move |asked, _| match asked.path.starts_with("/token") {
        true => Told::status(307).with("Location", to.clone()),
        false => {
            let realm = format!("Bearer realm=\"http://{}/token\"", asked.host);
            Told::status(401).with("WWW-Authenticate", realm)
        }
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let mut command = bump(folder.path(), &[&format!("{image}:v2"), "--verify"]);
    command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
    let (run, json) = run(command);
    assert_eq!((run.exit, elsewhere.connections()), (1, 0), "{run:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("redirects"), "{run:?}");
    let token = registry.asked().into_iter().find(|asked| asked.path.starts_with("/token")).unwrap();
    assert!(token.authorization.is_some(), "the registry's own token server gets the password");
}

#[test]
fn token_server_elsewhere_gets_nothing() {
    let elsewhere = FakeRegistry::start(|_, _| Told::body(r#"{"token": "t"}"#));
    let realm = format!("Bearer realm=\"http://{}/token\"", elsewhere.host);
    let registry = FakeRegistry::start(move |_, _| Told::status(401).with("WWW-Authenticate", realm.clone()));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let mut command = bump(folder.path(), &[&format!("{image}:v2"), "--verify"]);
    command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
    let (run, json) = run(command);
    assert_eq!((run.exit, elsewhere.asked().len()), (5, 0), "{run:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("names a token server"), "{run:?}");
}

#[test]
fn redirect_elsewhere_gets_no_credential() {
    let registry = FakeRegistry::start(|asked, _| match &asked.authorization {
        None => Told::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        Some(_) => Told::status(307).with("Location", "http://127.0.0.1:9/v2/"),
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let mut command = bump(folder.path(), &[&format!("{image}:v2"), "--verify"]);
    command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
    let (run, json) = run(command);
    assert_eq!(run.exit, 1, "{run:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("not https"), "{run:?}");
}

#[test]
fn digest_is_computed_and_pinned() {
    let registry = FakeRegistry::start(|asked, _| has_tag(asked));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (_, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--digest", "auto"]));
    assert_eq!(json["images"][0]["digest"], *digest(MANIFEST));
    assert!(content(&folder).ends_with(&format!("newTag: v2\n  digest: {}\n", digest(MANIFEST))));
    assert_eq!(registry.asked().len(), 1);
    let (_, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--digest=auto"]));
    assert_eq!(json["outcome"], "already");
}

#[test]
fn lying_digest_is_an_error() {
    let registry = FakeRegistry::start(|_, _| {
        Told::body(MANIFEST).with("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64)))
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (run, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--digest", "auto"]));
    assert_eq!(run.exit, 1, "{run:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains(&digest(MANIFEST)), "{run:?}");
}

#[test]
fn block_without_a_place_for_digests_gets_the_tag_alone() {
    let registry = FakeRegistry::start(|asked, _| has_tag(asked));
    let image = registry.image("acme/api");
    let release = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    image:\n      repository: {image}\n      tag: v1\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("release.yaml");
    std::fs::write(&file, &release).unwrap();
    let (_, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--digest", "auto"]));
    assert!(json["warnings"][0].as_str().unwrap().contains("--add"), "{json}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), release.replace("v1\n", "v2\n"));
    std::fs::write(&file, &release).unwrap();
    let (_, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--digest", "auto", "--add"]));
    assert_eq!(json["warnings"].as_array().unwrap().len(), 0, "{json}");
    let with_key = release.replace("tag: v1\n", &format!("tag: v2\n      digest: {}\n", digest(MANIFEST)));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), with_key);
}

#[test]
fn tag_that_points_elsewhere_is_a_warning() {
    let registry = FakeRegistry::start(|asked, _| {
        let given = format!("/v2/acme/api/manifests/sha256:{}", "0".repeat(64));
        if asked.path == given { Told::body(MANIFEST) } else { has_tag(asked) }
    });
    let image = registry.image("acme/api");
    let literal = format!("{image}:v2@sha256:{}", "0".repeat(64));
    let folder = folder(&image);
    let (run, json) = run(bump(folder.path(), &[&literal, "--verify"]));
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(json["warnings"][0].as_str().unwrap().contains("points to"), "{run:?}");
}

#[test]
fn web_page_is_no_image() {
    let registry =
        FakeRegistry::start(|_, _| Told::body("<html>").with("Content-Type", "text/html; charset=utf-8"));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (run, json) = run(bump(folder.path(), &[&format!("{image}:v2"), "--verify"]));
    assert_eq!(run.exit, 1, "{run:?}");
    assert!(json["error"]["message"].as_str().unwrap().contains("a page of text"), "{run:?}");
    assert!(content(&folder).contains("newTag: v1"));
}

#[test]
fn endless_manifest_is_cut() {
    let endless = Endless::body("application/json", b"{", b"x".repeat(64 * 1024));
    let host = endless.url("").trim_start_matches("http://").trim_end_matches('/').to_owned();
    let image = format!("{host}/acme/api");
    let folder = folder(&image);
    let (run, _) =
        run(bump(folder.path(), &[&format!("{image}:v2"), "--digest", "auto", "--verify-timeout", "5s"]));
    assert_ne!(run.exit, 0, "{run:?}");
    assert!(endless.sent() < MOST);
}

#[test]
fn configuration_asks_for_it_too() {
    let registry = FakeRegistry::start(|asked, _| has_tag(asked));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let config = format!("verify: true\nservices:\n  api: {{ image: \"{image}\", digest: auto }}\n");
    std::fs::write(folder.path().join("tagbump.yaml"), config).unwrap();
    let (run_, json) = run(bump(folder.path(), &["api", "--tag", "v2"]));
    assert_eq!((run_.exit, &json["images"][0]["digest"]), (0, &(*digest(MANIFEST)).into()), "{run_:?}");
    write(&folder, &format!("images:\n- name: app\n  newName: {image}\n  newTag: v1\n"));
    let (run_, _) = run(bump(folder.path(), &[&format!("{image}:v3"), "--verify-timeout", "1s"]));
    assert_eq!(run_.exit, 3, "{run_:?}");
    let (run_, _) = run(bump(folder.path(), &[&format!("{image}:v3"), "--verify=off"]));
    assert_eq!(run_.exit, 0, "{run_:?}");
}

/// Writes a credential helper that prints `text` and exits with `code`.
#[cfg(unix)]
fn helper(folder: &Path, text: &str, code: u8) {
    use std::os::unix::fs::PermissionsExt as _;
    let script = folder.join("docker-credential-test");
    let log = folder.join("log");
    let body =
        format!("#!/bin/sh\nenv > '{}'\ncat >> '{0}'\nprintf '%s' '{text}'\nexit {code}\n", log.display());
    std::fs::write(&script, body).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn helper_is_asked_and_sees_no_token() {
    let registry = FakeRegistry::start(|asked, _| match &asked.authorization {
        Some(_) => has_tag(asked),
        None => Told::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let tools = tempfile::tempdir().unwrap();
    helper(tools.path(), &format!(r#"{{"Username": "ada", "Secret": "{PASSWORD}"}}"#), 0);
    let ask = |arguments: &[&str]| {
        let mut command = bump(folder.path(), arguments);
        let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("DOCKER_AUTH_CONFIG", r#"{"credsStore": "test"}"#);
        command.env("TAGBUMP_TOKEN", "own-token-1").env("GITHUB_TOKEN", "job-token-1");
        run(command).0
    };
    let done = ask(&[&format!("{image}:v2"), "--verify"]);
    assert_eq!(done.exit, 0, "{done:?}");
    let log = std::fs::read_to_string(tools.path().join("log")).unwrap();
    assert!(log.ends_with(&registry.host) && !log.contains("-token-1"), "{log}");
    // what a helper prints when it fails may hold a secret
    helper(tools.path(), PASSWORD, 1);
    let failed = ask(&[&format!("{image}:v3"), "--verify", "--verify-timeout", "1s"]);
    assert!(failed.exit != 0 && !failed.output().contains(PASSWORD), "{failed:?}");
    assert!(failed.output().contains("docker-credential-test failed"), "{failed:?}");
}
