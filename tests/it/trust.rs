//! What a repository from elsewhere can't make tagbump do.
#![cfg(unix)]

use crate::support::git::git;
use crate::support::git_server::{On, Service};
use crate::support::repo::{
    API, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run, script_at,
};
use crate::support::trap::{anonymous, set, trap};

const SEND: On = On::Post(Service::ReceivePack);

/// Files that look like a bare repository can be committed, and come with a clone.
#[test]
fn bare_repository_inside_of_work_tree_is_not_used() {
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
        ended(&run(command.env("TAGBUMP_TOKEN", PASSWORD)), 0, "landed");
        assert!(world.file("sub/kustomization.yaml").contains(&tag));
        assert!(failed(&run(command.env("GIT_DIR", &sub)), 2).contains("the repository is bare"));
    }
    assert!(!mark.exists(), "{}", std::fs::read_to_string(&mark).unwrap());
}

/// A bare repository in the work tree may configure programs, but tagbump never reads that, not even for ssh.
#[test]
fn planted_repository_does_not_choose_ssh_program() {
    let planted = [
        ("sub/HEAD", "ref: refs/heads/main\n"),
        ("sub/objects/info/keep", ""),
        ("sub/refs/heads/keep", ""),
        ("sub/kustomization.yaml", &*kustomization(&[API.into()])),
        ("sub/config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"),
    ];
    let world = World::with(|server| server, &planted);
    let (script, mark) = trap(&world);
    let folder = anonymous(&world);
    let sub = folder.join("sub");
    let config = sub.join("config");
    for (key, value) in [
        ("core.sshCommand", script.to_str().unwrap()),
        ("credential.helper", script.to_str().unwrap()),
        ("ssh.variant", "simple"),
        ("http.proxy", "http://127.0.0.1:9"),
        ("url.http://127.0.0.1:9/.insteadOf", "git@h.example:"),
    ] {
        git(&folder, &["config", "--file", config.to_str().unwrap(), key, value]);
    }
    let ssh = world.path().join("ssh");
    let srv = world.path().join("srv");
    script_at(&ssh, &format!("for last; do :; done; cd '{}' && eval \"$last\"", srv.display()));
    for (nth, (cwd, root)) in [(&folder, "sub"), (&sub, ".")].into_iter().enumerate() {
        for remote in ["git@h.example:acme/gitops.git", &world.server.url(REPO)] {
            let tag = format!("v{nth}-{}", remote.len());
            let mut command = push(cwd, &tag, &["-C", root, "--remote", remote, "--branch", "main"]);
            ended(&run(command.env("GIT_SSH", &ssh)), 0, "landed");
            assert!(failed(&run(command.env("GIT_DIR", &sub)), 2).contains("the repository is bare"));
        }
    }
    assert!(!mark.exists(), "{}", std::fs::read_to_string(&mark).unwrap());
}

/// Nothing runs for a host, user or path that ssh would read as an option.
#[test]
fn url_gives_ssh_no_options() {
    let world = World::new();
    let folder = world.shallow("w");
    let (script, mark) = trap(&world);
    for remote in [
        "ssh://-oProxyCommand=touch%20x/r",
        "ssh://%2doProxyCommand=touch%20x/r",
        "ssh://git@-oProxyCommand=x/r",
        "ssh://-oProxyCommand=x@h/r",
        "ssh://[-oProxyCommand=x]/r",
        "git+ssh://-h/r",
        "-oProxyCommand=x:r",
        "[-oProxyCommand=x]:r",
        "[-oProxyCommand=x:22]:r",
        "git@-oProxyCommand=x:r",
        "git@h:-x",
        "h:--upload-pack=x",
        "ssh://h/a%0ab",
        "ssh://h:22x/r",
        "ssh://u:pass@h/r",
        "u:pass@h/r",
    ] {
        set(&folder, "remote.origin.url", remote);
        for name in ["GIT_SSH", "GIT_SSH_COMMAND"] {
            let run = run(push(&folder, "v1", &[]).env(name, &script));
            failed(&run, 2);
            assert!(!run.output().contains("pass@"), "{}", run.output());
        }
    }
    assert!(!mark.exists(), "{}", std::fs::read_to_string(&mark).unwrap());
    // for the server's shell, a path is one word, whatever it contains
    let ssh = world.path().join("ssh");
    script_at(&ssh, &format!("for last; do :; done; cd '{}' && eval \"$last\"", world.path().display()));
    for path in ["x; touch sprung", "$(touch sprung)", "x'`touch sprung`'", "x\" && touch sprung \""] {
        set(&folder, "remote.origin.url", &format!("h:{path}"));
        failed(&run(push(&folder, "v1", &[]).env("GIT_SSH", &ssh)), 5);
    }
    assert!(!mark.exists());
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
    // only the URL to push to, or a prefix that replaces another
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
fn line_break_in_user_name_adds_no_line_to_helper() {
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
fn address_with_colons_is_not_a_remote_helper() {
    let world = World::new();
    let folder = world.shallow("w");
    // nothing listens there: the test only needs to see the attempt
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
