//! Anything that a server may answer: it is read without a panic, what is shown of it is short and plain, and only a
//! clear report is a success.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::Arbitrary;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use tagbump::diagnostics::{Error, diagnose};
use tagbump::forge::ForgeError;
use tagbump::forge::github::answers as github;
use tagbump::forge::gitlab::merge_request;
use tagbump::forge::pull_json::PullRequestJson;
use tagbump::git::answers as git;
use tagbump::git::{RemoteUrl, Tokens};
use tagbump::hint::Speaker;
use tagbump::landing::remote;
use tagbump::landing::remote::Verification;
use tagbump::landing::{FetchError, PublishOutcome};
use url::Url;

/// The first fields have a fixed size: `.ci/fuzz` puts as many bytes before a file to make a seed of it.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    parser: u8,
    pick: u8,
    answer: &'a [u8],
}

const BRANCH: &str = "refs/heads/main";
const PAGE: &str = "https://git.example/acme/gitops";
const ROUTE: &str = "/repos/acme/gitops/pulls";
const TOKEN: &str = "ghs_0123456789abcdefghijABCDEFGHIJ";

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let variable = ("TAGBUMP_TOKEN".to_owned(), TOKEN.to_owned());
    Tokens::read(&tagbump::environment::Environment::new([variable]))
});

/// Messages repeat a part of an answer, whose control characters are written out in up to ten characters each.
const LONGEST_MESSAGE: usize = 11 * git::limits::TEXT_BYTES;

/// Statuses of the kinds that mean something of their own, and one that means nothing.
const STATUSES: [u16; 12] = [200, 201, 301, 400, 401, 403, 404, 408, 422, 429, 500, 999];

fuzz_target!(|input: Input| {
    let Input { parser, pick, answer } = input;
    // what looks like the token must be the one that is put in below
    if contains(answer, &TOKEN.as_bytes()[..12]) {
        return;
    }
    match parser % 11 {
        0 => packets(answer),
        1 => advertisement(answer),
        2 => push_report(answer, pick.is_multiple_of(2)),
        3 => push_status(answer),
        4 => http_answer(answer, pick),
        5 => redirect(answer, pick),
        6 => text(answer, pick),
        7 => api_answer(answer, pick),
        8 => pull_requests(answer),
        9 => graphql(answer),
        _ => meter(answer, pick),
    }
});

fn packets(mut answer: &[u8]) {
    let whole = answer.len();
    let mut read = 0;
    while let Ok(packet) = git::read_packet(&mut answer) {
        read += match packet {
            git::PktLine::Flush => 4,
            git::PktLine::Line(line) => line.len() + 4,
        };
    }
    assert!(read <= whole);
}

fn advertisement(answer: &[u8]) {
    match git::read_advertisement(&mut &*answer, BRANCH) {
        Ok(found) => {
            found.refusal.iter().for_each(|refusal| check_message(refusal));
            let listed = contains(answer, format!(" {BRANCH}").as_bytes());
            assert!(found.tip.is_none() || listed, "a tip out of nothing");
        }
        Err(error) => check_message(&error.to_string()),
    }
}

/// A success must have been spelt out: with the answer's channels joined, it is in there.
fn push_report(answer: &[u8], side_band: bool) {
    match git::read_push_report(&mut &*answer, side_band, BRANCH) {
        Ok(git::PushReport::Accepted { text }) => {
            check_message(&text);
            let _ = merge_request(&text, "tagbump/main/api", PAGE);
            let report = if side_band { first_channel(answer) } else { answer.to_vec() };
            assert!(contains(&report, b"unpack ok"), "accepted what was not unpacked");
            assert!(contains(&report, format!("ok {BRANCH}").as_bytes()), "accepted without a word of it");
            assert!(!rejects(&report), "accepted what was rejected");
        }
        Ok(git::PushReport::Rejected { status, text }) => {
            check_message(&status);
            check_message(&text);
            check_verdict(remote::of_status(&status, &text, PAGE));
        }
        Err(error) => check_message(&error.to_string()),
    }
}

/// Whether a packet before the first flush says that the branch was not updated.
fn rejects(mut report: &[u8]) -> bool {
    let rejection = format!("ng {BRANCH}");
    while let Ok(git::PktLine::Line(line)) = git::read_packet(&mut report) {
        let rest = line.strip_suffix(b"\n").unwrap_or(&line).strip_prefix(rejection.as_bytes());
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" ")) {
            return true;
        }
    }
    false
}

/// Of each packet that is whole, what follows a 1.
fn first_channel(mut answer: &[u8]) -> Vec<u8> {
    let mut report = Vec::new();
    while let Ok(packet) = git::read_packet(&mut answer) {
        if let git::PktLine::Line(line) = packet
            && let Some((1, bytes)) = line.split_first()
        {
            report.extend_from_slice(bytes);
        }
    }
    report
}

/// The first line is the status, the others are what the server printed.
fn push_status(answer: &[u8]) {
    let text = git::server_text(answer);
    let (status, printed) = text.split_once('\n').unwrap_or((&text, ""));
    check_verdict(remote::of_status(status, printed, PAGE));
}

fn http_answer(answer: &[u8], pick: u8) {
    let status = STATUSES[usize::from(pick) % STATUSES.len()];
    let header = String::from_utf8_lossy(answer);
    let retry_after = git::retry_after(header.lines().next().unwrap_or_default(), Timestamp::UNIX_EPOCH);
    let words = git::server_text(&with_token(answer, pick));
    let label = (pick % 3 == 0).then_some("TAGBUMP_TOKEN");
    let fault = || git::TransportError::Status { code: status, retry_after, words: words.clone(), proxy: None };
    check_trouble(remote::of_fetch_fault(fault(), label, PAGE));
    check_verdict(remote::of_push_fault(fault(), label, PAGE));
    let url = RemoteUrl::parse(&header, std::path::Path::new("/"));
    url.map_or_else(
        |error| check_message(&error.to_string()),
        |url| check_message(&git::server_text(url.to_string().as_bytes())),
    );
}

/// A redirect that is followed stays on its server.
fn redirect(answer: &[u8], pick: u8) {
    let pages = ["https://git.example/a/b", "http://git.example/a/b", "http://127.0.0.1:8080/a/b"];
    let page = pages[usize::from(pick) % pages.len()];
    let Ok(from) = Url::parse(&format!("{page}/info/refs?service=git-receive-pack")) else { return };
    let location = String::from_utf8_lossy(answer);
    match git::redirect_target(&from, 301, Some(&location)) {
        Some(Ok(to)) => {
            assert_eq!(to.host(), from.host());
            assert!(
                to.origin() == from.origin() || (page.starts_with("http://git") && to.scheme() == "https")
            );
            assert!(to.username().is_empty() && to.password().is_none() && to.query().is_none());
            check_message(to.as_str());
        }
        Some(Err(fault)) => check_trouble(remote::of_fetch_fault(fault, None, page)),
        None => panic!("301 is a redirect"),
    }
}

fn text(answer: &[u8], pick: u8) {
    let text = git::server_text(&with_token(answer, pick));
    check_message(&text);
    let limit = usize::from(pick) * 16;
    let short = git::short_server_text(&with_token(answer, pick), limit);
    check_message(&short);
    assert!(short.len() <= 11 * limit, "{} bytes of {limit}", short.len());
}

fn api_answer(answer: &[u8], pick: u8) {
    let status = STATUSES[usize::from(pick) % STATUSES.len()];
    let body = String::from_utf8_lossy(&with_token(answer, pick)).into_owned();
    let wait = (pick % 5 == 0).then_some(Duration::from_secs(60));
    match github::classify_response(github::ApiResponse::read(status, wait, &body), ROUTE) {
        Ok(_) => assert!((200..300).contains(&status), "{status} is no success"),
        Err(error) => check_trouble(FetchError::<ForgeError>::from(error)),
    }
}

fn pull_requests(answer: &[u8]) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(answer) else { return };
    match PullRequestJson::find(value.clone(), "tagbump/main/api", "main") {
        Ok(found) => found.iter().for_each(check_pull),
        Err(error) => check_failure(ForgeError::from(error)),
    }
    match PullRequestJson::read(value) {
        Ok(pull) => check_pull(&pull),
        Err(error) => check_failure(ForgeError::from(error)),
    }
}

/// A link goes to the remote's own server, and can't leave the brackets of a Markdown link.
fn check_pull(pull: &PullRequestJson) {
    let shown = pull.shown(PAGE, "pull");
    assert!(shown.number > 0);
    assert!(shown.url.starts_with("https://git.example/"), "{}", shown.url);
    assert!(
        !shown.url.contains(|c: char| c.is_control() || c.is_whitespace() || "()<>`|@\"'".contains(c)),
        "{}",
        shown.url
    );
}

fn graphql(answer: &[u8]) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(answer) else { return };
    let _ = github::compare_status(&value).map_err(|why| check_message(&why));
    match github::GraphQlResponse::read(&value) {
        github::GraphQlResponse::Error { kind, message } => {
            check_message(&kind);
            check_verdict(github::api_error(&kind, message));
        }
        github::GraphQlResponse::Data(data) => match github::made_commit(&data) {
            Ok(made) => {
                let asked = data["createCommitOnBranch"]["commit"]["oid"].as_str().unwrap_or_default();
                assert_eq!(made.id.to_string(), asked.to_ascii_lowercase());
                if let Verification::Unverified { state } = &made.verification {
                    check_message(state);
                }
            }
            Err(verdict) => check_verdict(verdict),
        },
    }
}

/// However the bytes are cut, the same is counted.
fn meter(answer: &[u8], pick: u8) {
    let new = if pick.is_multiple_of(2) { git::FetchMeter::of_both } else { git::FetchMeter::of_references };
    let result = |counted: Result<(), git::AnswerError>| counted.map_err(|error| error.to_string());
    let (mut whole, mut parts) = (new(), new());
    let cut = answer.chunks(usize::from(pick).max(1)).try_for_each(|part| parts.count(part));
    assert_eq!(result(whole.count(answer)), result(cut));
}

fn check_trouble(trouble: FetchError<impl Into<Error>>) {
    match trouble {
        FetchError::Transient { what, .. } | FetchError::Unreachable { what } => check_message(&what),
        FetchError::Permanent(error) => check_failure(error),
    }
}

/// Nothing that is judged here is a success.
fn check_verdict(verdict: PublishOutcome<impl Into<Error>>) {
    match verdict {
        PublishOutcome::Published { commit } => panic!("{commit} was not published"),
        PublishOutcome::NonFastForward { what }
        | PublishOutcome::RefLocked { what }
        | PublishOutcome::Unknown { what, .. } => check_message(&what),
        PublishOutcome::UnpackFailed { words } | PublishOutcome::RejectedUnclear { words } => {
            check_message(&words)
        }
        PublishOutcome::Refused(error) => check_failure(error),
    }
}

fn check_failure(error: impl Into<Error>) {
    let failure = diagnose(error.into(), Speaker::CommandLine);
    check_message(&failure.to_string());
    check_message(&failure.hint.to_string());
}

/// What a message must be, once the tokens are taken out of it.
fn check_message(message: &str) {
    assert!(message.len() <= LONGEST_MESSAGE, "{} bytes", message.len());
    let unfit = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200f}".contains(c);
    assert!(!message.contains(unfit), "{message:?}");
    // to look for the token in all of its spellings takes time, so not where it is not
    if message.contains(&TOKEN[..12]) {
        let shown = TOKENS.scrub(message);
        assert!(!shown.contains(&TOKEN[..12]), "{shown:?}");
    }
}

/// Of some answers, one with the token somewhere in it, as servers that repeat what they were sent.
fn with_token(answer: &[u8], pick: u8) -> Vec<u8> {
    if pick % 8 != 5 {
        return answer.to_vec();
    }
    let at = answer.len() * usize::from(pick) / 256;
    [&answer[..at], TOKEN.as_bytes(), &answer[at..]].concat()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
