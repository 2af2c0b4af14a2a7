//! Reads a server's report on a push.
//!
//! Source: git's `Documentation/gitprotocol-pack.txt`, "Report Status", and `gitprotocol-capabilities.txt`,
//! "side-band".
//!
//! Only a complete and unambiguous report counts as success. Anything else is an error, after which the caller looks
//! at the branch itself.

use std::io::Read;

use super::error::{AnswerError, LimitExceeded};
use super::limits::{PUSH_ANSWER_BYTES, REPORT_BYTES};
use super::text::{keep, server_text};
use crate::git::pkt_line::{self, PktLine};
use crate::visible::inline;

/// The report on the one reference that was pushed.
#[derive(Debug, PartialEq, Eq)]
pub enum PushReport {
    /// What the server's programs printed along the way.
    Accepted { text: String },
    /// The reason, and what the server's programs printed along the way.
    Rejected { status: String, text: String },
}

/// Reads the answer to a push of one reference. `side_band` says whether the answer is divided into channels.
///
/// # Errors
/// Fails if the answer is cut off, too long, not in git's protocol, or unclear about the reference.
pub fn read_push_report(
    from: &mut dyn Read,
    side_band: bool,
    reference: &str,
) -> Result<PushReport, AnswerError> {
    let mut limited = from.take(PUSH_ANSWER_BYTES);
    let answer = if side_band { demultiplexed(&mut limited) } else { plain(&mut limited) };
    match answer {
        Ok((report, text)) => judge(&report, reference, &server_text(&text)),
        Err(_) if limited.limit() == 0 => Err(AnswerError::TooLong(LimitExceeded::PushAnswer)),
        Err(error) => Err(error),
    }
}

type SidebandChannels = (Vec<u8>, Vec<u8>);

/// Reads a report that comes as packets, without any text.
fn plain(from: &mut dyn Read) -> Result<SidebandChannels, AnswerError> {
    let mut report = Vec::new();
    while let PktLine::Line(line) = pkt_line::read(from)? {
        add(&mut report, &pkt_line::line(&line))?;
    }
    Ok((report, Vec::new()))
}

/// Reads channels: 1 has the report, 2 what the server's programs print, 3 why the server gave up.
fn demultiplexed(from: &mut dyn Read) -> Result<SidebandChannels, AnswerError> {
    let (mut report, mut text) = (Vec::new(), Vec::new());
    while let PktLine::Line(line) = pkt_line::read(from)? {
        match line.split_first() {
            Some((1, bytes)) => add(&mut report, bytes)?,
            Some((2, bytes)) => keep(&mut text, bytes),
            Some((3, bytes)) => {
                keep(&mut text, bytes);
                return Err(AnswerError::GaveUp(server_text(&text)));
            }
            Some(_) => return Err(AnswerError::Garbled("it uses an unknown channel")),
            None => {}
        }
    }
    Ok((report, text))
}

fn add(report: &mut Vec<u8>, bytes: &[u8]) -> Result<(), AnswerError> {
    report.extend_from_slice(bytes);
    if report.len() > REPORT_BYTES {
        return Err(AnswerError::Garbled("its report on the push is too long"));
    }
    Ok(())
}

/// Judges a report: `unpack ok`, then `ok REFERENCE` or `ng REFERENCE WHY`.
fn judge(report: &[u8], reference: &str, text: &str) -> Result<PushReport, AnswerError> {
    let mut lines = lines(report)?.into_iter();
    let unpacked = lines.next().ok_or(AnswerError::Garbled("it has no report on the push"))?;
    let rejected = |status: String| PushReport::Rejected { status, text: text.to_owned() };
    match unpacked.strip_prefix(b"unpack ") {
        Some(b"ok") => {}
        Some(why) => return Ok(rejected(format!("unpacker error: {}", reason(why)))),
        None => return Err(AnswerError::Garbled("its report on the push has no beginning")),
    }
    let mut ours = lines.filter_map(|line| status_of(&line, reference.as_bytes()));
    let status = ours.next().ok_or(AnswerError::Garbled("its report does not mention the branch"))?;
    if ours.any(|other| other != status) {
        return Err(AnswerError::Garbled("its report contradicts itself"));
    }
    Ok(match status {
        BranchStatus::Updated => PushReport::Accepted { text: text.to_owned() },
        BranchStatus::Declined(why) => rejected(why),
    })
}

#[derive(PartialEq, Eq)]
enum BranchStatus {
    Updated,
    Declined(String),
}

/// What a line says about `reference`; `None` if it is about another one.
fn status_of(line: &[u8], reference: &[u8]) -> Option<BranchStatus> {
    if line.strip_prefix(b"ok ") == Some(reference) {
        return Some(BranchStatus::Updated);
    }
    let why = line.strip_prefix(b"ng ")?.strip_prefix(reference)?;
    (why.is_empty() || why.starts_with(b" ")).then(|| BranchStatus::Declined(reason(why)))
}

/// Shows all of a reason, unlike what a server prints: a carriage return must not hide how the line begins.
fn reason(why: &[u8]) -> String {
    inline(String::from_utf8_lossy(why).trim())
}

/// The lines of a report. It ends with a flush, or where the answer ends, but never within a packet.
fn lines(mut report: &[u8]) -> Result<Vec<Vec<u8>>, AnswerError> {
    let mut lines = Vec::new();
    while !report.is_empty() {
        match pkt_line::read(&mut report) {
            Ok(PktLine::Line(line)) => lines.push(line.strip_suffix(b"\n").unwrap_or(&line).to_vec()),
            Ok(PktLine::Flush) => break,
            Err(_) => return Err(AnswerError::Garbled("its report on the push is cut")),
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "refs/heads/main";

    fn packets(lines: &[&str]) -> Vec<u8> {
        lines
            .iter()
            .flat_map(|line| pkt_line::line(line.as_bytes()))
            .chain(pkt_line::FLUSH.to_vec())
            .collect()
    }

    fn channel(number: u8, bytes: &[u8]) -> Vec<u8> {
        pkt_line::line(&[&[number], bytes].concat())
    }

    fn side_band(lines: &[&str], text: &str) -> Vec<u8> {
        let report = packets(lines);
        let (start, end) = report.split_at(report.len() / 2);
        [&channel(1, start), &channel(2, text.as_bytes()), &channel(1, end), pkt_line::FLUSH].concat()
    }

    /// Reads a report with and without side band.
    fn read(lines: &[&str]) -> Result<PushReport, AnswerError> {
        let plain = read_push_report(&mut packets(lines).as_slice(), false, MAIN);
        let both = read_push_report(&mut side_band(lines, "").as_slice(), true, MAIN);
        assert_eq!(format!("{plain:?}"), format!("{both:?}"));
        plain
    }

    #[test]
    fn report_accepts_only_a_clear_success() {
        assert_eq!(
            read(&["unpack ok\n", "ok refs/heads/main\n"]).unwrap(),
            PushReport::Accepted { text: String::new() }
        );
        for garbled in [
            &[][..],
            &["unpack ok\n"],
            &["ok refs/heads/main\n"],
            &["unpack ok\n", "ok refs/heads/main2\n"],
            &["unpack ok\n", "ng refs/heads/main2 no\n"],
            &["unpack ok\n", "ok refs/heads/main\n", "ng refs/heads/main no\n"],
            &["unpack okay", "ok refs/heads/main\n"],
            &["unpack ok\n", "OK refs/heads/main\n"],
        ] {
            let read = read(garbled);
            assert!(!matches!(read, Ok(PushReport::Accepted { .. })), "{garbled:?}: {read:?}");
        }
        let whole = side_band(&["unpack ok\n", "ok refs/heads/main\n"], "");
        for end in 0..whole.len() {
            let cut = read_push_report(&mut &whole[..end], true, MAIN);
            assert!(cut.is_err(), "{cut:?} of the first {end} bytes");
        }
    }

    #[test]
    fn report_gives_reason_and_text_of_a_rejection() {
        let answer = side_band(&["unpack ok\n", "ng refs/heads/main hook declined\n"], "no \u{1b}deploys\n");
        let rejected =
            |status: &str, text: &str| PushReport::Rejected { status: status.into(), text: text.into() };
        let read_answer = read_push_report(&mut answer.as_slice(), true, MAIN).unwrap();
        assert_eq!(read_answer, rejected("hook declined", "no \\u{1b}deploys"));
        let hidden = read(&["unpack ok\n", "ng refs/heads/main no\rok refs/heads/main\n"]).unwrap();
        assert_eq!(hidden, rejected("no\\rok refs/heads/main", ""));
        assert_eq!(read(&["unpack disk full\n"]).unwrap(), rejected("unpacker error: disk full", ""));
    }

    #[test]
    fn report_fails_when_server_gives_up_or_never_ends() {
        let gave_up = [channel(2, b"busy\n"), channel(3, b"out of memory\n")].concat();
        let error = read_push_report(&mut gave_up.as_slice(), true, MAIN).unwrap_err();
        assert_eq!(error.to_string(), "the server gave up: busy\nout of memory");
        let error = read_push_report(&mut channel(9, b"x").as_slice(), true, MAIN).unwrap_err();
        assert!(matches!(error, AnswerError::Garbled(_)), "{error}");
        let progress = channel(2, &[b'.'; 60_000]).repeat(300);
        let error = read_push_report(&mut progress.as_slice(), true, MAIN).unwrap_err();
        assert!(error.to_string().contains("more than 16 MB in answer to the push"), "{error}");
    }
}
