//! Reads the list of references that starts a server's answer.
//!
//! Source: git's `Documentation/gitprotocol-pack.txt`, "Reference Discovery", and `gitprotocol-http.txt`, "Smart
//! Server Response".

use std::io::Read;

use super::error::{AnswerError, LimitExceeded};
use super::limits::{ADVERTISED_BYTES, ADVERTISED_REFS};
use super::text::server_text;
use crate::git::pkt_line::{self, PktLine};
use crate::object_id::CommitId;

/// What the list says about one reference, and about the server's capabilities.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RefAdvertisement {
    /// The commit that the reference points at; `None` if it doesn't exist.
    pub tip: Option<CommitId>,
    pub side_band: bool,
    pub push_options: bool,
    /// Why the server refuses to talk.
    pub refusal: Option<String>,
}

/// Reads the list to its end, and no further. `reference` is a full name, such as `refs/heads/main`.
///
/// # Errors
/// Fails if the list is cut off, too long, or not in version 0 of git's protocol.
pub fn read_advertisement(from: &mut dyn Read, reference: &str) -> Result<RefAdvertisement, AnswerError> {
    let mut lines = Lines { from: from.take(ADVERTISED_BYTES), count: 0 };
    let mut found = RefAdvertisement::default();
    let mut next = lines.after_greeting()?;
    let mut first = true;
    while let Some(line) = next {
        if let Some(why) = line.strip_prefix(b"ERR ") {
            return Ok(RefAdvertisement { refusal: Some(server_text(why)), ..found });
        }
        let (entry, capabilities) = split(&line, first)?;
        if first {
            let has = |name: &[u8]| capabilities.split(|b| *b == b' ').any(|c| c.trim_ascii() == name);
            found.side_band = has(b"side-band-64k");
            found.push_options = has(b"push-options");
        }
        if let Some(tip) = tip_of(entry, reference)? {
            if found.tip.is_some_and(|other| other != tip) {
                return Err(AnswerError::Garbled("it lists a branch twice"));
            }
            found.tip = Some(tip);
        }
        first = false;
        next = lines.next()?;
    }
    Ok(found)
}

struct Lines<'a> {
    from: std::io::Take<&'a mut dyn Read>,
    count: u64,
}

impl Lines<'_> {
    /// The next line; `None` at the end of the list.
    fn next(&mut self) -> Result<Option<Vec<u8>>, AnswerError> {
        self.count += 1;
        if self.count > ADVERTISED_REFS {
            return Err(AnswerError::TooLong(LimitExceeded::References));
        }
        match pkt_line::read(&mut self.from) {
            Ok(PktLine::Line(line)) => Ok(Some(line)),
            Ok(PktLine::Flush) => Ok(None),
            Err(_) if self.from.limit() == 0 => Err(AnswerError::TooLong(LimitExceeded::ReferenceBytes)),
            Err(error) => Err(error.into()),
        }
    }

    /// The first line. Over HTTP, a `# service=…` line with its own flush comes first.
    fn after_greeting(&mut self) -> Result<Option<Vec<u8>>, AnswerError> {
        let first = self.next()?;
        if first.as_ref().is_none_or(|line| !line.starts_with(b"# service=")) {
            return Ok(first);
        }
        while self.next()?.is_some() {}
        self.next()
    }
}

/// Splits a line into its entry and the capabilities, which follow a zero byte in the first line.
fn split(line: &[u8], first: bool) -> Result<(&[u8], &[u8]), AnswerError> {
    let zero = line.iter().position(|b| *b == 0);
    match zero {
        Some(at) if first => Ok((&line[..at], &line[at + 1..])),
        Some(_) => Err(AnswerError::Garbled("it lists a name with a zero byte")),
        None if line.starts_with(b"version ") => {
            Err(AnswerError::Garbled("it speaks a version of the protocol that was not asked for"))
        }
        None => Ok((line, b"")),
    }
}

/// The commit of an entry `ID NAME`, if it is about `reference`.
fn tip_of(entry: &[u8], reference: &str) -> Result<Option<CommitId>, AnswerError> {
    let entry = entry.strip_suffix(b"\n").unwrap_or(entry);
    let Some(id) = entry.strip_suffix(reference.as_bytes()).and_then(|id| id.strip_suffix(b" ")) else {
        return Ok(None);
    };
    let id = std::str::from_utf8(id).ok().and_then(CommitId::parse);
    id.map(Some).ok_or(AnswerError::Garbled("it lists a branch without a SHA-1 commit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1111111111111111111111111111111111111111";

    fn list(lines: &[&str]) -> Vec<u8> {
        let part = |line: &&str| match *line {
            "" => pkt_line::FLUSH.to_vec(),
            line => pkt_line::line(line.as_bytes()),
        };
        lines.iter().flat_map(part).collect()
    }

    fn read(lines: &[&str]) -> Result<RefAdvertisement, AnswerError> {
        read_advertisement(&mut list(lines).as_slice(), "refs/heads/main")
    }

    #[test]
    fn advertisement_gives_tip_and_capabilities() {
        let first = format!("{ID} refs/heads/a\0report-status side-band-64k\n");
        let main = format!("{ID} refs/heads/main\n");
        for greeting in [&[][..], &["# service=git-receive-pack\n", ""]] {
            let read = read(&[greeting, &[&first, &main, ""]].concat()).unwrap();
            let tip = CommitId::parse(ID);
            assert_eq!(read, RefAdvertisement { tip, side_band: true, push_options: false, refusal: None });
        }
        let first = first.replace("side-band-64k", "push-options ofs-delta");
        assert!(self::read(&[&first, ""]).unwrap().push_options);
        assert_eq!(read(&[""]).unwrap(), RefAdvertisement::default());
        let longer = format!("{ID} refs/heads/main2\n{ID} xrefs/heads/main");
        assert_eq!(read(&[&longer.replace('\n', "\0"), ""]).unwrap().tip, None);
    }

    #[test]
    fn advertisement_gives_refusal_as_text() {
        let refusal = read(&["ERR no \u{1b}[1mentry\n"]).unwrap().refusal;
        assert_eq!(refusal.as_deref(), Some("no \\u{1b}[1mentry"));
    }

    #[test]
    fn advertisement_is_refused_when_garbled() {
        let two = "2222222222222222222222222222222222222222 refs/heads/main";
        let one = format!("{ID} refs/heads/main");
        for lines in [
            &["version 2\n", "agent=x\n", ""][..],
            &["HEAD refs/heads/main\n", ""],
            &[&one, two, ""],
            &[&one, &format!("{ID} refs/x\0y"), ""],
            &[&one],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
    }

    /// Repeats the same line endlessly, without using memory.
    struct Endless {
        line: Vec<u8>,
        at: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let rest = &self.line[self.at..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.at = (self.at + count) % self.line.len();
            Ok(count)
        }
    }

    #[test]
    fn advertisement_is_refused_when_endless() {
        for (length, limit) in [(1, "2000000 references"), (60_000, "128 MB of references")] {
            let line = pkt_line::line(&vec![b'x'; length]);
            let error = read_advertisement(&mut Endless { line, at: 0 }, "refs/heads/main").unwrap_err();
            assert!(error.to_string().contains(limit), "{error}");
        }
    }
}
