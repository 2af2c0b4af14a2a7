//! What a repository that came from elsewhere can't make us do.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::git::git;
use support::git_server::{On, Service};
use support::repo::{API, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run};
use support::trap::{anonymous, set, trap};

const SEND: On = On::Post(Service::ReceivePack);

/// Files that look like a bare repository can be committed, and come with a clone.
#[test]
fn a_bare_repository_inside_of_the_work_tree_is_not_used() {
    let text = kustomization(&[API.into()]);
    let planted = [
        ("sub/HEAD", "ref: refs/heads/main\n"),
        ("sub/objects/info/keep", ""),
        ("sub/refs/heads/keep", ""),
        ("sub/kustomization.yaml", &*text),
        ("sub/config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"),
    ];
    let world = World::with(|server| server.basic_auth(USER, PASSWORD), &planted);
    let (script, mark) = trap(&world);
    let folder = anonymous(&world);
    let sub = folder.join("sub");
    let config = sub.join("config");
    for (key, value) in [
        ("credential.helper", script.to_str().unwrap()),
        ("core.fsmonitor", script.to_str().unwrap()),
        ("remote.origin.url", "http://127.0.0.1:9/evil.git"),
    ] {
        git(&folder, &["config", "--file", config.to_str().unwrap(), key, value]);
    }
    git(&folder, &["update-index", "--assume-unchanged", "sub/config"]);
    // from outside and from inside
    for (cwd, root) in [(&folder, "sub"), (&sub, ".")] {
        failed(&run(&mut push(cwd, "v1", &["-C", root])), 5);
        let tag = format!("in-{}", cwd.file_name().unwrap().display());
        let remote = world.server.url(REPO).replace("://", &format!("://{USER}@"));
        let mut command = push(cwd, &tag, &["-C", root, "--remote", &remote]);
        command.env("TAGBUMP_TOKEN", PASSWORD).env("GIT_DIR", &sub);
        ended(&run(&mut command), 0, "landed");
        assert!(world.file("sub/kustomization.yaml").contains(&tag));
    }
    assert!(!mark.exists(), "{}", std::fs::read_to_string(&mark).unwrap());
}

#[test]
fn remotes_that_are_commands_are_refused() {
    let world = World::new();
    let mark = world.path().join("sprung");
    let command = format!("ext::touch {}", mark.display());
    let remotes = [
        command.clone(),
        format!("{command}://[x"),
        "fd::17".to_owned(),
        "-oProxyCommand=x".to_owned(),
        "--upload-pack=x".to_owned(),
        "ssh://-oProxyCommand=x/r".to_owned(),
        "http://-h/r".to_owned(),
        "file://--upload-pack=x".to_owned(),
        "git@-h:r".to_owned(),
    ];
    let folder = world.shallow("w");
    for remote in &remotes {
        set(&folder, "remote.origin.url", remote);
        let said = failed(&run(&mut push(&folder, "v1", &[])), 2);
        assert!(!said.contains("panicked"), "{remote}: {said}");
        failed(&run(&mut push(&folder, "v1", &[&format!("--remote={remote}")])), 2);
    }
    // only the place to push to, or a place that stands for another
    set(&folder, "remote.origin.url", &world.url());
    for remote in &remotes {
        set(&folder, "remote.origin.pushurl", remote);
        failed(&run(&mut push(&folder, "v1", &[])), 2);
    }
    git(&folder, &["config", "--unset", "remote.origin.pushurl"]);
    set(&folder, &format!("url.{command} .insteadOf"), "http://");
    failed(&run(&mut push(&folder, "v1", &[])), 2);
    assert!(!mark.exists());
    assert_eq!(world.count(SEND), 0);
}

#[test]
fn a_line_break_in_the_user_name_is_no_second_question() {
    let world = World::new();
    let folder = anonymous(&world);
    let (script, mark) = trap(&world);
    set(&folder, "credential.helper", script.to_str().unwrap());
    for line_break in ["%0a", "%0d%0a", "%00", "\n"] {
        let user = format!("x{line_break}host=github.com");
        set(&folder, "remote.origin.url", &world.server.url(REPO).replace("://", &format!("://{user}@")));
        let run = run(&mut push(&folder, "v1", &[]));
        let said = failed(&run, 2);
        assert!(said.contains("line break") || said.contains("control characters"), "{said}");
        assert!(!mark.exists(), "{line_break:?}: {}", std::fs::read_to_string(&mark).unwrap());
    }
}

#[test]
fn an_address_with_colons_is_no_helper() {
    let world = World::new();
    let folder = world.shallow("w");
    // nobody listens there: what counts is that it was tried
    for remote in ["http://[::1]:9/acme/gitops.git", "http://ada:pass@[::1]:9/acme/gitops.git"] {
        set(&folder, "remote.origin.url", remote);
        let said = failed(&run(&mut push(&folder, "v1", &["--timeout", "1s"])), 4);
        assert!(said.contains("[::1]:9"), "{said}");
    }
    let url = world.server.url_with(USER, PASSWORD, REPO).replace("s3cret-pa55word", "s3cret::pa55word");
    set(&folder, "remote.origin.url", &url);
    let said = failed(&run(&mut push(&folder, "v1", &[])), 5);
    assert!(said.contains("401") && !said.contains("pa55word"), "{said}");
}
