//! Counts what a server sends in a fetch on its way to libgit2, which has no limits of its own.

use super::error::{AnswerError, LimitExceeded};
use super::limits::{ADVERTISED_BYTES, ADVERTISED_REFS, FETCHED_BYTES};

/// Counts the bytes of a conversation and the lines in its list of references.
pub struct FetchMeter {
    stage: Stage,
    /// Whether the list ends at its first flush, and everything else follows on the same connection.
    continues: bool,
    bytes: u64,
    lines: u64,
    packet: PacketPosition,
    /// How the list of references starts.
    start: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    References,
    Pack,
}

/// Where the next byte is in a packet.
enum PacketPosition {
    /// This many digits of the length were read, with this value.
    Length { digits: u8, value: usize },
    /// This many bytes are left.
    Content { left: usize },
}

/// As much of a list as surely holds its first line, which lists the server's capabilities.
const FIRST_LINE: usize = 8 * 1024;

const START: PacketPosition = PacketPosition::Length { digits: 0, value: 0 };

impl FetchMeter {
    /// Measures an answer that is only a list of references.
    pub fn of_references() -> Self {
        FetchMeter {
            stage: Stage::References,
            continues: false,
            bytes: 0,
            lines: 0,
            packet: START,
            start: Vec::new(),
        }
    }

    /// Measures the answer to a request that followed the list of references.
    pub fn of_pack() -> Self {
        FetchMeter { stage: Stage::Pack, ..FetchMeter::of_references() }
    }

    /// Measures a connection that carries both.
    pub fn of_both() -> Self {
        FetchMeter { continues: true, ..FetchMeter::of_references() }
    }

    /// Counts the next bytes.
    ///
    /// # Errors
    /// Fails if there are too many, or if the list of references isn't made of packets.
    pub fn count(&mut self, mut bytes: &[u8]) -> Result<(), AnswerError> {
        if self.stage == Stage::References {
            let room = FIRST_LINE - self.start.len();
            self.start.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        while self.stage == Stage::References && !bytes.is_empty() {
            let used = self.step(bytes)?;
            bytes = &bytes[used..];
            self.add(used)?;
        }
        self.add(bytes.len())
    }

    /// Whether the server can leave out its progress. Names of references have no spaces, so this word can only be
    /// one of the capabilities.
    pub fn offers_no_progress(&self) -> bool {
        let mut words = self.start.split(|byte| b" \n\0".contains(byte));
        words.any(|word| word == b"no-progress")
    }

    fn add(&mut self, count: usize) -> Result<(), AnswerError> {
        self.bytes += count as u64;
        let (limit, excess) = match self.stage {
            Stage::References => (ADVERTISED_BYTES, LimitExceeded::ReferenceBytes),
            Stage::Pack => (FETCHED_BYTES, LimitExceeded::FetchedBytes),
        };
        if self.bytes > limit { Err(AnswerError::TooLong(excess)) } else { Ok(()) }
    }

    /// Takes one digit of a length, or as much of a packet's content as there is. Returns the number of bytes taken.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, AnswerError> {
        match self.packet {
            PacketPosition::Content { left } => {
                let used = left.min(bytes.len());
                self.packet =
                    if used == left { START } else { PacketPosition::Content { left: left - used } };
                Ok(used)
            }
            PacketPosition::Length { digits, value } => {
                let digit = bytes.first().and_then(|byte| char::from(*byte).to_digit(16));
                let digit = digit.ok_or(AnswerError::Garbled("a packet has no length"))?;
                let value = value * 16 + digit as usize;
                self.packet = PacketPosition::Length { digits: digits + 1, value };
                if digits == 3 {
                    self.begin(value)?;
                }
                Ok(1)
            }
        }
    }

    /// Begins a packet of this length, its four digits included.
    fn begin(&mut self, length: usize) -> Result<(), AnswerError> {
        self.packet = if length > 4 { PacketPosition::Content { left: length - 4 } } else { START };
        if length == 0 && self.continues {
            self.stage = Stage::Pack;
            self.bytes = 0;
        }
        self.lines += 1;
        if self.lines > ADVERTISED_REFS {
            Err(AnswerError::TooLong(LimitExceeded::References))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::pkt_line::{FLUSH, line};

    const REFERENCE: &[u8] = b"1111111111111111111111111111111111111111 refs/heads/main\n";

    /// How often `bytes` can be counted before the limit is exceeded, and the error then.
    fn fits(mut meter: FetchMeter, bytes: &[u8]) -> (u64, String) {
        for times in 0.. {
            if let Err(error) = meter.count(bytes) {
                return (times, error.to_string());
            }
        }
        unreachable!("there is a limit")
    }

    #[test]
    fn meter_limits_references_and_bytes() {
        let short = line(b"x").repeat(1000);
        let (times, error) = fits(FetchMeter::of_references(), &short);
        assert_eq!((times, &*error), (2000, "the server sent more than 2000000 references"));
        let long = line(&[b'x'; 60_000]);
        let (times, error) = fits(FetchMeter::of_references(), &long);
        assert_eq!((times, &*error), (2133, "the server sent more than 128 MB of references"));
        let megabyte = [b'0'; 1_000_000];
        let (times, error) = fits(FetchMeter::of_pack(), &megabyte);
        assert_eq!((times, &*error), (8000, "the server sent more than 8000 MB in one fetch"));
    }

    #[test]
    fn meter_finds_the_capability_in_the_first_line() {
        let offers = |capabilities: &str| {
            let mut meter = FetchMeter::of_both();
            let first = [REFERENCE.trim_ascii_end(), b"\0", capabilities.as_bytes(), b"\n"].concat();
            [&*line(&first), FLUSH].concat().chunks(3).for_each(|part| meter.count(part).unwrap());
            meter.count(b"0010 no-progress ").unwrap();
            meter.offers_no_progress()
        };
        assert!(offers("thin-pack no-progress agent=x") && offers("thin-pack no-progress"));
        assert!(!offers("thin-pack no-progress-bar") && !offers(""));
    }

    #[test]
    fn meter_tells_references_from_what_follows() {
        let mut meter = FetchMeter::of_both();
        let list = [&*line(REFERENCE), FLUSH].concat();
        list.chunks(3).for_each(|part| meter.count(part).unwrap());
        meter.count(b"PACK, which is not a packet").unwrap();
        // over HTTP, the greeting before the list has its own flush
        let mut meter = FetchMeter::of_references();
        meter.count(&[&*line(b"# service=git-upload-pack\n"), FLUSH, &list].concat()).unwrap();
        assert!(meter.count(b"PACK").is_err());
    }
}
