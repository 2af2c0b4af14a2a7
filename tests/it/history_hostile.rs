//! `tagbump history` in repositories that are malicious, or just large or unusual.

use std::io::Write;
use std::process::Stdio;

use crate::support::cli::Run;
use crate::support::git;
use crate::support::past::{Past, START, tags};
use crate::support::repo::{API, FILE, json, kustomization};

const HEAD: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

fn with_tag(tag: &str) -> String {
    kustomization(&[API.into()]).replace("v0", tag)
}

/// Streams to `git fast-import`.
fn import(past: &Past, stream: &[u8]) {
    let mut command = git::command(&past.path);
    let mut child = command.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stream).unwrap();
    assert!(child.wait().unwrap().success());
    git::git(&past.path, &["reset", "--quiet", "--hard", "main"]);
}

/// A commit of the file, in fast-import's format.
fn one(author: &[u8], time: i64, message: &[u8], tag: &str) -> Vec<u8> {
    let text = with_tag(tag);
    let mut stream = b"commit refs/heads/main\n".to_vec();
    for role in ["author", "committer"] {
        stream.extend_from_slice(format!("{role} ").as_bytes());
        stream.extend_from_slice(author);
        stream.extend_from_slice(format!(" <x@example.com> {time} +0000\n").as_bytes());
    }
    stream.extend_from_slice(format!("data {}\n", message.len()).as_bytes());
    stream.extend_from_slice(message);
    stream.extend_from_slice(format!("\nM 100644 inline {FILE}\ndata {}\n{text}\n", text.len()).as_bytes());
    stream
}

/// A repository with one commit per author, each with a different tag.
fn by(authors: &[&[u8]]) -> Past {
    let past = Past::new();
    let commits =
        authors.iter().zip(1..).map(|(author, nth)| one(author, START + nth, b"x", &format!("v{nth}")));
    import(&past, &commits.collect::<Vec<_>>().concat());
    past.wait(3600 * 24);
    past
}

#[test]
fn control_characters_are_escaped_in_history() {
    let past = by(&[
        b"\x1b[31mred\x1b[0m\x1b]0;title\x07",
        b"bell\x07back\x08\x08\x7f\rEve",
        b"not \xff\xfe UTF-8",
        "mirrored \u{202e}eva\u{2066}".as_bytes(),
    ]);
    for arguments in [&[API][..], &[API, "--color", "always"], &[API, "--format", "mermaid"]] {
        let run = past.history(arguments);
        assert_eq!((run.exit, run.stdout.matches('\x07').count()), (0, 0), "{:?}", run.stdout);
        let plain = run.stdout.replace("\x1b[0m", "").replace("\x1b[32m", "").replace("\x1b[2m", "");
        let bad = |c: char| (c.is_control() && c != '\n') || ['\u{202e}', '\u{2066}'].contains(&c);
        assert!(!plain.contains(bad), "{plain:?}");
        assert!(run.stdout.contains("v4"), "{}", run.stdout);
    }
    let run = past.history(&[API, "--format", "json"]);
    assert!(!run.stdout.contains(|c: char| c.is_control() && c != '\n'), "{:?}", run.stdout);
    assert_eq!(json(&run)["entries"][3]["author"], "[31mred\u{1b}[0m\u{1b}]0;title");
}

/// In a runner's log `::` at the start of a line, and `##[` anywhere, are commands.
#[test]
fn author_name_gives_runner_no_commands() {
    let past = by(&[b"::error::Eve", b"##[set-output name=x]y", b"Eve\r::warning::x", b"a%0A::error::b"]);
    for format in ["text", "json", "mermaid"] {
        let mut command = past.command(&[API, "--format", format]);
        crate::support::repo::actions(&mut command, "acme/gitops", "0".repeat(40).as_str());
        let run = Run::of(&command.output().unwrap());
        assert_eq!(run.exit, 0, "{}", run.output());
        let mut stopped = None;
        for line in run.output().split(['\n', '\r']).map(str::trim_start) {
            let word = line.strip_prefix("::stop-commands::").map(|word| format!("::{word}::"));
            match (&stopped, word) {
                (None, Some(word)) => stopped = Some(word),
                (Some(word), _) if line == word => stopped = None,
                (Some(_), _) => {}
                (None, None) => assert!(!line.starts_with("::") && !line.contains("##["), "{}", run.output()),
            }
        }
        assert_eq!(stopped, None);
    }
}

/// Whatever a file contains: nothing gets out of the fence, and one tag never makes two lines.
#[test]
fn tag_stays_inside_of_mermaid_block() {
    let past = Past::new();
    let odd = [
        "v1`",
        "```",
        "v1:done",
        "v1;click",
        "v1#x",
        "v1%%x",
        "<b>v1</b>",
        "v1, crit",
        "a\\nsection b",
        "日本",
        "v1\\u000a```",
        "${X}",
        "{{ v }}",
    ];
    for (nth, tag) in odd.iter().enumerate() {
        past.write(FILE, &with_tag(&format!("\"{tag}\"")));
        past.write("odd ```name:#.yaml", &format!("{HEAD}images: [{{name: {API}, newTag: t{nth}}}]\n"));
        past.commit("Eve", tag);
    }
    let run = past.history(&[API, "--format", "mermaid"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1]), ("```mermaid", "```"));
    let inner = &lines[1..lines.len() - 1];
    assert!(
        inner.iter().all(|line| !line.contains(['`', '#', ';', '%', '<']) || line.contains("axisFormat")),
        "{inner:#?}"
    );
    let bars: Vec<_> = inner.iter().filter(|line| line.contains(" :")).collect();
    assert_eq!(bars.len(), 2 * odd.len(), "{inner:#?}");
    for bar in bars {
        let (_, data) = bar.split_once(" :").unwrap();
        let times = data.trim_start_matches("active, ").split(", ");
        assert_eq!(times.filter(|time| time.len() == 19).count(), 2, "{bar}");
    }
}

/// Keywords of Mermaid at the start of a line, in upper or lower case.
#[test]
fn tag_is_not_read_as_mermaid_keyword() {
    let past = Past::new();
    let words = [
        "2026-11-21-1a2b3c4",
        "title",
        "Section",
        "gantt-v2",
        "click",
        "call",
        "href",
        "todayMarker",
        "topAxis",
        "inclusiveEndDates",
        "excludes",
        "includes",
        "weekday",
        "dateFormat",
        "axisFormat",
        "tickInterval",
        "accTitle",
        "accDescr",
    ];
    for tag in words {
        past.write(FILE, &with_tag(&format!("\"{tag}\"")));
        past.commit("Ada", tag);
    }
    let run = past.history(&[API, "--format", "mermaid"]);
    let bars: Vec<&str> =
        run.stdout.lines().map(str::trim_start).filter(|line| line.contains(" :")).collect();
    assert_eq!(bars.len(), words.len());
    for (bar, tag) in bars.iter().zip(words) {
        assert!(bar.contains(tag), "{bar}");
        assert!(!bar.starts_with(tag), "{bar}");
    }
    // others are shown unchanged
    past.write(FILE, &with_tag("v1.2026-11-21"));
    past.commit("Ada", "plain");
    let run = past.history(&[API, "--format", "mermaid", "-n", "1"]);
    assert!(run.stdout.contains("    v1.2026-11-21 ("), "{}", run.stdout);
}

/// 3,000 commits, a third of them bumps of two images, in a tree with many folders.
#[test]
fn history_of_three_thousand_commits_is_complete() {
    let past = Past::new();
    let mut stream = Vec::new();
    let mut wanted = Vec::new();
    for nth in 0..3000_usize {
        let time = START + i64::try_from(nth).unwrap() * 60;
        match nth % 6 {
            0 => {
                stream.extend(one(b"Ada", time, b"bump", &format!("v{nth}")));
                wanted.push(format!("v{nth}"));
            }
            _ => {
                let head = one(b"Eve", time, b"other", "x");
                let end = head.windows(2).position(|two| two == b"\nM").unwrap() + 1;
                stream.extend(&head[..end]);
                let text = format!("{nth}\n");
                stream.extend(
                    format!("M 100644 inline src/{}/x.txt\ndata {}\n{text}\n", nth % 50, text.len()).bytes(),
                );
            }
        }
    }
    import(&past, &stream);
    past.wait(3000 * 60);
    wanted.reverse();
    assert_eq!(tags(&past.told(&[API])), wanted);
    assert_eq!(git::git(&past.path, &["rev-list", "--count", "HEAD"]), "3000");
    assert_eq!(tags(&past.told(&[API, "-n", "3"])), ["v2994", "v2988", "v2982"]);
}

/// Dates that no clock shows, and a clock that runs backwards.
#[test]
fn history_is_complete_when_clocks_were_wrong() {
    let past = Past::new();
    let times = [START, 0, START + 100, 4_102_444_800, START + 50];
    let commits = times.iter().zip(1..).map(|(time, nth)| one(b"Ada", *time, b"x", &format!("v{nth}")));
    import(&past, &commits.collect::<Vec<_>>().concat());
    let told = past.told(&[API]);
    assert_eq!(tags(&told), ["v5", "v4", "v3", "v2", "v1"]);
    let seconds = |nth: usize| told["entries"][nth]["seconds"].as_i64().unwrap();
    assert!((0..5).all(|nth| seconds(nth) >= 0), "{told}");
    for format in ["text", "mermaid"] {
        assert_eq!(past.history(&[API, "--format", format]).exit, 0);
    }
}

/// Something that used to be a link, a folder, or very large.
#[test]
fn history_is_complete_when_file_was_link_or_folder() {
    let past = Past::new();
    past.write("k8s/kustomization.yaml/inner.yaml", &with_tag("v1"));
    past.commit("Ada", "a folder of that name");
    std::fs::remove_dir_all(past.path.join("k8s/kustomization.yaml")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../other.yaml", past.path.join(FILE)).unwrap();
        past.commit("Ada", "a link");
        std::fs::remove_file(past.path.join(FILE)).unwrap();
    }
    past.write(FILE, &with_tag("v2"));
    past.commit("Ada", "a file");
    past.write(FILE, &format!("{}# {}\n", with_tag("v3"), "x".repeat(1 << 20)));
    past.commit("Ada", "a large one");
    past.write(FILE, &format!("\u{feff}{}", with_tag("v4")).replace('\n', "\r\n"));
    past.commit("Ada", "of Windows");
    let told = past.told(&[API]);
    assert_eq!(tags(&told)[..3], ["v4", "v3", "v2"]);
}
