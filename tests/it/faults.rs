//! A bad connection: whatever breaks during a landing, the bump is on the branch once, and the reported outcome is
//! true.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use crate::support::bad_line::Line;
use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::repo::{
    self, API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run,
};

const BASE: usize = 2;
const ASK: On = On::InfoRefs(Service::UploadPack);
const FETCH: On = On::Post(Service::UploadPack);
const OFFER: On = On::InfoRefs(Service::ReceivePack);
const SEND: On = On::Post(Service::ReceivePack);

fn without_keep_alive() -> World {
    let files = [(FILE, &*kustomization(&[API.into()]))];
    World::with(|server| server.basic_auth(USER, PASSWORD).without_keep_alive(), &files)
}

fn status(code: u16, headers: &[(&str, &str)]) -> Fault {
    Fault::Status { code, headers: owned(headers) }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Landed: one commit on the branch, the one that is reported, after this many tries.
#[track_caller]
fn lands_once(world: &World, folder: &Path, attempts: u64) {
    let told = ended(&run(&mut push(folder, "main-abc1234", &[])), 0, "landed");
    assert_eq!(told["commit"], world.tip().as_str());
    assert_eq!(told["attempts"], attempts);
    assert_eq!(world.commits(), BASE + 1);
    assert!(world.file(FILE).contains("newTag: main-abc1234 # by CI"), "{}", world.file(FILE));
}

/// Not landed, and nothing is on the branch. Returns the output.
#[track_caller]
fn never_lands(world: &World, folder: &Path, timeout: &str) -> String {
    let before = world.tip();
    let said = failed(&run(&mut push(folder, "main-abc1234", &["--timeout", timeout])), 4);
    assert_eq!(world.tip(), before);
    said
}

#[test]
fn bump_lands_once_when_line_is_cut_after_push() {
    for world in [World::new(), without_keep_alive()] {
        world.server.fault(SEND, Fault::CloseAfter);
        lands_once(&world, &world.shallow("w"), 1);
        assert_eq!(world.count(SEND), 1, "looked first, not pushed again");
    }
}

#[test]
fn bump_lands_once_when_answer_is_cut_anywhere() {
    for world in [World::new(), without_keep_alive()] {
        for (nth, bytes) in [0, 1, 4, 5, 9, 13, 18, 30, 42, 60].into_iter().enumerate() {
            let folder = world.shallow(&format!("w{nth}"));
            world.server.fault(SEND, Fault::CutReply(bytes));
            let told = ended(&run(&mut push(&folder, &format!("cut-{bytes}"), &[])), 0, "landed");
            assert_eq!(told["commit"], world.tip().as_str(), "cut after {bytes} bytes");
            assert_eq!(world.commits(), BASE + nth + 1, "cut after {bytes} bytes");
        }
        assert_eq!(world.count(SEND), world.commits() - BASE);
    }
}

#[test]
fn bump_lands_once_when_gateway_fails_after_push() {
    for code in [500, 502, 504] {
        let world = World::new();
        world.server.fault(SEND, Fault::StatusAfter { code, headers: Vec::new() });
        lands_once(&world, &world.shallow("w"), 1);
        assert_eq!(world.count(SEND), 1);
    }
}

/// A web page instead of the response, with a status that says nothing.
#[test]
fn bump_lands_once_when_gateway_answers_with_html_after_push() {
    let world = World::new();
    let headers = owned(&[("Content-Type", "text/html")]);
    world.server.fault(SEND, Fault::StatusAfter { code: 200, headers });
    lands_once(&world, &world.shallow("w"), 1);
}

#[test]
fn bump_lands_when_line_is_cut_before_push() {
    for world in [World::new(), without_keep_alive()] {
        world.server.fault(SEND, Fault::CloseBefore);
        lands_once(&world, &world.shallow("w"), 2);
    }
}

#[test]
fn bump_lands_when_line_is_cut_during_fetch() {
    for on in [ASK, FETCH] {
        for fault in [Fault::CloseBefore, Fault::CloseAfter, Fault::CutReply(7), Fault::CutReply(100)] {
            let world = World::new();
            let folder = world.shallow("w");
            // something new to fetch
            world.rival("README.md", "newer\n");
            world.server.fault(on, fault.clone());
            let told = ended(&run(&mut push(&folder, "main-abc1234", &[])), 0, "landed");
            assert_eq!(told["attempts"], 1, "{on:?} {fault:?}");
            assert_eq!(world.commits(), BASE + 2, "{on:?} {fault:?}");
        }
    }
}

/// Our push landed, the response was lost, and another commit was on top when tagbump looked again.
const ON_TOP: &str = r#"
[ -e once ] && exit 0
: > once
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@example.com GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@example.com
git update-ref refs/heads/main "$(git commit-tree -p refs/heads/main -m rival "refs/heads/main$AT^{tree}")"
"#;

fn lands_under(at: &str, clone: &[&str]) {
    let world = World::new();
    git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
    world.hook("post-receive", &format!("AT={at}{ON_TOP}"));
    let folder = world.clone_of(&world.url(), "w", clone);
    world.server.fault(SEND, Fault::CloseAfter);
    let told = ended(&run(&mut push(&folder, "main-abc1234", &[])), 0, "landed");
    assert_eq!(world.last("%s"), "rival", "{clone:?}");
    assert_eq!(world.commits(), BASE + 2, "{clone:?}");
    assert_eq!(told["commit"], git(&world.bare, &["rev-parse", "refs/heads/main~1"]).as_str());
}

#[test]
fn landed_bump_is_found_under_another_commit() {
    for clone in [&["--depth", "1"][..], &[], &["--filter=blob:none"]] {
        lands_under("", clone);
    }
}

#[test]
fn landed_bump_is_not_repeated_when_another_user_reverted_it() {
    for clone in [&["--depth", "1"][..], &[], &["--filter=blob:none"]] {
        lands_under("~1", clone);
    }
}

#[test]
fn busy_server_is_asked_again_after_its_retry_time() {
    let wait = [("Retry-After", "1")];
    for (on, code) in [(ASK, 503), (ASK, 429), (OFFER, 429), (SEND, 503), (SEND, 429)] {
        let world = World::new();
        world.server.fault(on, status(code, &wait));
        let told = ended(&run(&mut push(&world.shallow("w"), "main-abc1234", &[])), 0, "landed");
        assert_eq!(told["commit"], world.tip().as_str(), "{code} on {on:?}");
        assert_eq!(world.commits(), BASE + 1, "{code} on {on:?}");
        let codes: Vec<_> = world.server.requests().iter().filter_map(|r| r.status).collect();
        assert!(codes.contains(&code), "{codes:?}");
    }
}

#[test]
fn run_ends_when_server_asks_for_wait_beyond_timeout() {
    for seconds in ["3600", "Tue, 31 Dec 2999 23:59:59 GMT", "18446744073709551615"] {
        let world = World::new();
        world.server.fault(ASK, status(503, &[("Retry-After", seconds)]));
        let said = never_lands(&world, &world.shallow("w"), "30s");
        assert!(said.contains("503"), "{said}");
        assert_eq!(world.count(On::Any), 1);
    }
}

#[test]
fn push_retries_when_branch_moved_after_fetch() {
    let world = World::new();
    let folder = world.shallow("w");
    let bare = world.bare.clone();
    world.server.before_receive(move || {
        repo::rival(&bare, "README.md", "theirs\n");
    });
    let told = ended(&run(&mut push(&folder, "main-abc1234", &[])), 0, "landed");
    assert_eq!(told["attempts"], 2);
    assert_eq!(world.file("README.md"), "theirs");
    assert!(world.file(FILE).contains("newTag: main-abc1234"));
    assert_eq!(world.commits(), BASE + 2);
}

/// A commit that was removed from the branch must not come back below our bump.
#[test]
fn removed_commits_stay_removed_when_branch_was_reset() {
    for reset_at in [OFFER, SEND] {
        let world = World::new();
        world.rival("mistake.md", "a mistake\n");
        let folder = world.shallow("w");
        let bare = world.bare.clone();
        world.server.before(reset_at, move || {
            git(&bare, &["update-ref", "refs/heads/main", "refs/heads/main~1"]);
        });
        let told = ended(&run(&mut push(&folder, "main-abc1234", &[])), 0, "landed");
        assert_eq!(told["attempts"], 2, "{reset_at:?}");
        assert_eq!(world.commits(), BASE + 1, "{reset_at:?}");
        assert!(!git(&world.bare, &["ls-tree", "main"]).contains("mistake.md"), "{reset_at:?}");
    }
}

/// A hook's output isn't a verdict: the hook accepted the push.
#[test]
fn lost_race_is_retried_when_hook_prints_text() {
    for chatter in
        ["checked: prohibited words, none", "protected branch: you may pass", "GH006 does not apply"]
    {
        let world = World::new();
        world.hook("pre-receive", &format!("echo '{chatter}'"));
        let folder = world.shallow("w");
        let bare = world.bare.clone();
        world.server.before_receive(move || {
            repo::rival(&bare, "README.md", "theirs\n");
        });
        let told = ended(&run(&mut push(&folder, "main-abc1234", &[])), 0, "landed");
        assert_eq!(told["attempts"], 2, "{chatter}");
    }
}

#[test]
fn run_is_up_to_date_when_another_run_made_same_bump() {
    let world = World::new();
    let folder = world.shallow("w");
    let bare = world.bare.clone();
    world.server.before_receive(move || {
        let text = kustomization(&[API.into()]).replace("newTag: v0", "newTag: main-abc1234");
        repo::rival(&bare, FILE, &text);
    });
    let told = ended(&run(&mut push(&folder, "main-abc1234", &[])), 0, "already");
    assert_eq!((&told["changed"], &told["commit"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(world.commits(), BASE + 1);
}

#[test]
fn push_waits_when_lock_goes_away() {
    let world = World::new();
    let lock = world.bare.join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    world.server.before_receive(|| {});
    world.server.before_receive(move || std::fs::remove_file(&lock).unwrap());
    lands_once(&world, &world.shallow("w"), 2);
}

#[test]
fn error_names_lock_that_stays() {
    let world = World::new();
    std::fs::write(world.bare.join("refs/heads/main.lock"), "").unwrap();
    let run = run(&mut push(&world.shallow("w"), "v1", &["-v", "--timeout", "1s"]));
    failed(&run, 4);
    assert!(run.stderr.contains("main.lock"), "{}", run.output());
    assert_eq!(world.commits(), BASE);
}

#[test]
fn run_fails_when_connection_is_refused() {
    let world = World::new();
    // opened and closed again: nothing listens there
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let folder = world.clone_of(&format!("http://127.0.0.1:{port}/{REPO}"), "w", &[]);
    let said = never_lands(&world, &folder, "1s");
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(said.contains("refused"), "{said}");
}

#[test]
fn run_fails_when_server_stays_down() {
    let world = World::new();
    for _ in 0..500 {
        world.server.fault(On::Any, status(503, &[]));
    }
    let said = never_lands(&world, &world.shallow("w"), "2s");
    assert!(said.contains("503") && said.contains("--timeout"), "{said}");
    assert!(world.count(ASK) > 2, "tried again");
}

#[test]
fn run_ends_in_time_when_server_hangs() {
    for on in [ASK, OFFER, SEND] {
        let world = World::new();
        world.server.fault(on, Fault::Hang);
        let said = never_lands(&world, &world.shallow("w"), "1s");
        assert!(said.contains("no answer in time"), "{on:?}: {said}");
        assert_eq!(world.commits(), BASE, "{on:?}");
        assert!(world.count(SEND) <= 1);
    }
}

/// The time budget also applies to a repository on this machine whose hook never ends.
#[test]
fn run_ends_in_time_when_hook_hangs() {
    let world = World::new();
    let gate = world.path().join("gate");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().unwrap().success());
    world.hook("pre-receive", &format!("read line < '{}'; exit 1", gate.display()));
    let folder = world.clone_of(world.bare.to_str().unwrap(), "w", &[]);
    let (send, ended) = std::sync::mpsc::channel();
    let running = std::thread::spawn(move || send.send(run(&mut push(&folder, "v1", &["--timeout", "1s"]))));
    // far more than the budget and the final check
    let run = ended.recv_timeout(std::time::Duration::from_secs(30));
    // lets the hook end if it is still waiting
    let opened = std::fs::OpenOptions::new().read(true).write(true).open(&gate).unwrap();
    (&opened).write_all(b"go\n").unwrap();
    running.join().unwrap().unwrap();
    assert!(run.is_ok(), "it ends with its budget");
    failed(&run.unwrap(), 4);
    assert_eq!(world.commits(), BASE);
}

/// A response without a known length is cut off: the connection closes in the middle of a packet, or of a chunk.
#[test]
fn bump_lands_once_when_answer_without_length_is_cut() {
    let kind = "Content-Type: application/x-git-upload-pack-advertisement";
    let start = "001e# service=git-upload-pack\n0000015";
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\nff\r\n{start}");
    for rest in ["\r\n".to_owned(), format!("\r\n{start}"), chunked] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/{REPO}", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 200 OK\r\n{kind}\r\nConnection: close\r\n{rest}");
        // lives as long as the test's process
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let world = World::new();
        never_lands(&world, &world.clone_of(&url, "w", &[]), "1s");
    }
}

/// The server fails to unpack the pack: tagbump sends it once more, and no more than that.
#[test]
fn pack_is_sent_once_more_when_server_fails_to_unpack_it() {
    for lands in [true, false] {
        let world = World::new();
        let folder = world.shallow("w");
        git(&world.bare, &["config", "receive.maxInputSize", "1"]);
        world.server.before_receive(|| {});
        if lands {
            let bare = world.bare.clone();
            world.server.before_receive(move || drop(git(&bare, &["config", "receive.maxInputSize", "0"])));
            lands_once(&world, &folder, 2);
        } else {
            let said = failed(&run(&mut push(&folder, "main-abc1234", &[])), 5);
            assert!(said.contains("unpack") && said.contains("maximum allowed size"), "{said}");
            assert_eq!(world.commits(), BASE);
        }
        assert_eq!(world.count(SEND), 2);
    }
}

/// A slow connection isn't a broken one: bytes arrive one by one.
#[test]
fn answer_is_read_when_it_comes_byte_by_byte() {
    let world = World::new();
    let line = Line::to(&world.server_address());
    let folder = world.clone_of(&world.url_over(line.address()), "w", &["--depth", "1"]);
    world.rival("README.md", "newer\n");
    line.in_crumbs();
    let told = ended(&run(&mut push(&folder, "main-abc1234", &[])), 0, "landed");
    assert_eq!((&told["attempts"], &told["commit"]), (&1.into(), &world.tip().into()));
    assert_eq!(world.commits(), BASE + 2);
}
