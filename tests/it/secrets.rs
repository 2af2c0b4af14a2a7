//! No secret is in any output, neither verbatim nor as part of a URL or header, whoever sends it back to us.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use crate::support::cli::Run;
use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::repo::{API, FILE, REPO, World, kustomization, push, run};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// With characters that URLs and JSON escape.
const TOKEN: &str = "t0k+en/with&odd=char";
const USER: &str = "x-access-token";
const ASK: On = On::InfoRefs(Service::UploadPack);
const SEND: On = On::Post(Service::ReceivePack);

fn in_url(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Every form in which the token can come back, each with a name.
fn forms() -> Vec<(&'static str, String)> {
    let header = BASE64_STANDARD.encode(format!("{USER}:{TOKEN}"));
    vec![
        ("as it is", TOKEN.to_owned()),
        ("in a header", header.clone()),
        ("in a URL", in_url(TOKEN)),
        ("a header in a URL", in_url(&header)),
    ]
}

fn all_forms() -> String {
    forms().iter().map(|(name, text)| format!("{name}: <{text}>\n")).collect()
}

/// In which forms the token appears, if it does.
fn leaks(run: &Run, how: &str) -> Option<String> {
    assert!(![-1, 101].contains(&run.exit), "{how}: {}", run.output());
    let output = run.output();
    let shown = forms().into_iter().filter(|(_, text)| output.contains(text.as_str()));
    let shown: Vec<_> = shown.map(|(name, _)| name).collect();
    (!shown.is_empty()).then(|| format!("{how}: {}", shown.join(", ")))
}

#[track_caller]
fn silent(leaks: &[String]) {
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// The ways in which tagbump can know the token.
const WAYS: [&str; 5] = ["TAGBUMP_TOKEN", "url", "header", "GITHUB_TOKEN", "helper"];

/// A checkout, and a command that knows the token in one of these ways.
fn knowing(way: &str, world: &World, name: &str, base: &str) -> (PathBuf, Command) {
    let url = format!("{base}/{REPO}");
    let with_token = url.replace("://", &format!("://{USER}:{}@", in_url(TOKEN)));
    let folder = world.clone_of(if way == "url" { &with_token } else { &url }, name, &["--depth", "1"]);
    let set = |key: &str, value: &str| git(&folder, &["config", key, value]);
    let encoded = BASE64_STANDARD.encode(format!("{USER}:{TOKEN}"));
    match way {
        // the server distinguishes upper and lower case
        "header" => {
            drop(set(&format!("http.{base}/.extraheader"), &format!("AUTHORIZATION: Basic {encoded}")))
        }
        "helper" => {
            drop(set("credential.helper", &format!("!echo username={USER}; echo 'password={TOKEN}'; true")));
        }
        _ => {}
    }
    let mut command = push(&folder, &format!("tag-{name}"), &["-v"]);
    match way {
        "TAGBUMP_TOKEN" => drop(command.env("TAGBUMP_TOKEN", TOKEN)),
        "GITHUB_TOKEN" => drop(command.env("GITHUB_TOKEN", TOKEN).env("GITHUB_SERVER_URL", base)),
        _ => {}
    }
    (folder, command)
}

/// For errors that are retried until the time is up.
fn briefly(command: &mut Command) -> &mut Command {
    command.args(["--timeout", "1s"])
}

fn world() -> World {
    World::with(|server| server.basic_auth(USER, TOKEN), &[(FILE, &*kustomization(&[API.into()]))])
}

fn base(world: &World) -> String {
    world.server.url("").trim_end_matches('/').to_owned()
}

fn echo(world: &World, hook: &str, exit: i32) {
    std::fs::write(world.path().join("forms"), all_forms()).unwrap();
    world.hook(hook, &format!("cat '{}' >&2; exit {exit}", world.path().join("forms").display()));
}

#[test]
fn token_is_hidden_when_hook_prints_it_and_declines() {
    let mut found = Vec::new();
    for way in WAYS {
        let world = world();
        echo(&world, "pre-receive", 1);
        let (_, mut command) = knowing(way, &world, "w", &base(&world));
        let run = run(&mut command);
        assert!(run.exit == 5 && run.stderr.contains("as it is: <"), "{way}: {}", run.output());
        found.extend(leaks(&run, way));
    }
    silent(&found);
}

#[test]
fn token_is_hidden_when_hook_prints_it_and_accepts() {
    let mut found = Vec::new();
    for way in WAYS {
        let world = world();
        echo(&world, "post-receive", 0);
        let (_, mut command) = knowing(way, &world, "w", &base(&world));
        let run = run(&mut command);
        assert_eq!(run.exit, 0, "{way}: {}", run.output());
        found.extend(leaks(&run, way));
    }
    silent(&found);
}

#[test]
fn token_is_hidden_when_hook_prints_it_beside_lock_or_race() {
    let mut found = Vec::new();
    for way in WAYS {
        let world = world();
        echo(&world, "pre-receive", 0);
        let lock = world.bare.join("refs/heads/main.lock");
        std::fs::write(&lock, "").unwrap();
        world.server.before_receive(|| {});
        world.server.before_receive(move || std::fs::remove_file(&lock).unwrap());
        let (_, mut command) = knowing(way, &world, "w", &base(&world));
        let run = run(&mut command);
        assert!(run.exit == 0 && run.stderr.contains("main.lock"), "{way}: {}", run.output());
        found.extend(leaks(&run, way));
    }
    silent(&found);
}

/// The token is in the environment, but isn't needed.
#[test]
fn token_is_hidden_when_hook_of_bare_directory_prints_it() {
    let mut found = Vec::new();
    for exit in [0, 1] {
        let world = world();
        echo(&world, "pre-receive", exit);
        let folder = world.clone_of(world.bare.to_str().unwrap(), "w", &[]);
        for name in ["TAGBUMP_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"] {
            let run = run(push(&folder, &format!("{name}-{exit}"), &["-v"]).env(name, TOKEN));
            assert_eq!(run.exit, exit * 5, "{}", run.output());
            found.extend(leaks(&run, name));
        }
        let mut command = push(&folder, "both", &["-v"]);
        found.extend(leaks(&run(command.env("GITHUB_TOKEN", "another").env("GH_TOKEN", TOKEN)), "both"));
    }
    silent(&found);
}

#[test]
fn token_is_hidden_in_errors_and_refusals() {
    let mut found = Vec::new();
    let owned = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for way in WAYS {
        let world = world();
        let faults = [
            (ASK, Fault::CloseBefore),
            (ASK, Fault::Status { code: 403, headers: Vec::new() }),
            (
                ASK,
                Fault::Status { code: 200, headers: owned("Content-Type", &format!("text/html; x={TOKEN}")) },
            ),
            (ASK, Fault::Redirect { location: format!("/login?next={}", in_url(TOKEN)), code: 302 }),
            (SEND, Fault::CutReply(3)),
            (SEND, Fault::StatusAfter { code: 502, headers: Vec::new() }),
            (SEND, Fault::Status { code: 404, headers: Vec::new() }),
        ];
        for (nth, (on, fault)) in faults.into_iter().enumerate() {
            let told = format!("{way}, {fault:?}");
            world.server.fault(on, fault);
            let (_, mut command) = knowing(way, &world, &format!("w{nth}"), &base(&world));
            found.extend(leaks(&run(briefly(&mut command)), &told));
        }
    }
    silent(&found);
}

#[test]
fn wrong_token_is_hidden() {
    let mut found = Vec::new();
    for way in WAYS {
        let files = [(FILE, &*kustomization(&[API.into()]))];
        let world = World::with(|server| server.basic_auth(USER, "the-right-one"), &files);
        let (_, mut command) = knowing(way, &world, "w", &base(&world));
        let run = run(&mut command);
        assert_eq!(run.exit, 5, "{way}: {}", run.output());
        found.extend(leaks(&run, way));
    }
    silent(&found);
}

/// git writes lower case (`%2b`), and a URL may leave some characters unescaped.
#[test]
fn token_is_hidden_in_other_spellings_of_url() {
    let spellings =
        [in_url(TOKEN).to_ascii_lowercase(), TOKEN.replace('/', "%2F"), TOKEN.replace('+', "%2B")];
    // the token has only lower-case letters
    let shown: Vec<_> = spellings
        .iter()
        .filter(|spelling| {
            let world = world();
            world.hook("pre-receive", &format!("echo '<{spelling}>' >&2; exit 1"));
            let run = run(&mut knowing("TAGBUMP_TOKEN", &world, "w", &base(&world)).1);
            assert!(run.exit == 5 && run.stderr.contains('<'), "{}", run.output());
            run.output().contains(spelling.as_str())
        })
        .collect();
    assert!(shown.is_empty(), "{shown:?}");
}

/// Answers everything with all forms of the token. Lives as long as the test process.
fn parrot(status: &'static str, kind: &'static str, body: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        listener.incoming().for_each(|stream| answer(&stream.unwrap(), status, kind, &body))
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream, status: &str, kind: &str, body: &str) {
    let mut lines = BufReader::new(stream).lines();
    let mut known = false;
    while let Some(Ok(line)) = lines.next().filter(|line| line.as_ref().is_ok_and(|l| !l.is_empty())) {
        known |= line.to_ascii_lowercase().starts_with("authorization:");
    }
    let status = if known { status } else { "401 Who" };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close");
    // a client that has gone has read enough
    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
}

#[test]
fn token_is_hidden_when_server_prints_it() {
    let mut found = Vec::new();
    for status in ["400 Bad", "401 Who", "403 No", "404 Gone", "418 Tea", "503 Busy"] {
        let base = parrot(status, "text/plain", all_forms());
        for way in WAYS {
            let world = world();
            let (_, mut command) = knowing(way, &world, "w", &base);
            let run = run(briefly(&mut command));
            assert!([4, 5].contains(&run.exit), "{status} {way}: {}", run.output());
            found.extend(leaks(&run, &format!("{status}, {way}")));
        }
    }
    silent(&found);
}

fn packet(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

/// git's own way to refuse: an `ERR` packet instead of the list of branches.
#[test]
fn token_is_hidden_when_server_prints_it_in_err_packet() {
    let mut found = Vec::new();
    let kind = "application/x-git-upload-pack-advertisement";
    let body =
        format!("{}0000{}", packet("# service=git-upload-pack\n"), packet(&format!("ERR {}", all_forms())));
    for body in [body, all_forms(), packet(&all_forms())] {
        let base = parrot("200 OK", kind, body);
        for way in WAYS {
            let world = world();
            let (_, mut command) = knowing(way, &world, "w", &base);
            let run = run(briefly(&mut command));
            assert_ne!(run.exit, 0, "{way}: {}", run.output());
            found.extend(leaks(&run, way));
        }
    }
    silent(&found);
}

#[test]
fn token_is_hidden_when_url_is_refused() {
    let mut found = Vec::new();
    let world = world();
    let folder = world.shallow("w");
    let secret = in_url(TOKEN);
    for remote in [
        format!("ftp://u:{secret}@h/x"),
        format!("ssh://u:{secret}@h/x"),
        format!("https://u:{TOKEN}@h/x"),
        format!("https://u:{TOKEN}@-h/x"),
        format!("https://u:{secret}@"),
        format!("https://u:{secret}@h:port/x"),
        format!("ext::x://{secret}@h"),
        format!("https://{secret}@[/x"),
    ] {
        git(&folder, &["config", "remote.origin.url", &remote]);
        for more in [&["--remote", &remote][..], &[], &["-C", &remote]] {
            let mut command = push(&folder, "v1", &["-v", "--timeout", "0s"]);
            let run = run(command.args(more));
            assert_ne!(run.exit, 0, "{remote}: {}", run.output());
            found.extend(leaks(&run, &remote));
        }
    }
    silent(&found);
}
