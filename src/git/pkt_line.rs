//! git's packet format: a length in four hex digits that counts itself, then the content.
//!
//! Source: git's `Documentation/gitprotocol-common.txt`, "pkt-line Format".

use std::io::{Error, ErrorKind, Read};

/// Ends a list of packets.
pub const FLUSH: &[u8] = b"0000";

/// The longest packet, including its length.
const MAX: usize = 65_520;

/// A packet that was read.
#[derive(Debug, PartialEq, Eq)]
pub enum PktLine {
    Flush,
    Line(Vec<u8>),
}

/// Makes a packet.
pub fn line(bytes: &[u8]) -> Vec<u8> {
    let mut packet = format!("{:04x}", bytes.len() + 4).into_bytes();
    packet.extend_from_slice(bytes);
    packet
}

/// Reads a packet.
///
/// # Errors
/// Fails if the other side ends within the packet, or if it isn't a packet.
pub fn read(from: &mut (impl Read + ?Sized)) -> std::io::Result<PktLine> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let text = std::str::from_utf8(&head).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    let length = text.and_then(|text| usize::from_str_radix(text, 16).ok());
    match length {
        Some(0) => Ok(PktLine::Flush),
        Some(length) if (4..=MAX).contains(&length) => {
            let mut bytes = vec![0; length - 4];
            from.read_exact(&mut bytes)?;
            Ok(PktLine::Line(bytes))
        }
        _ => Err(Error::new(ErrorKind::InvalidData, "this is not git's protocol")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_there_and_back() {
        let bytes = [line(b"unpack ok\n"), FLUSH.to_vec(), line(b"")].concat();
        let mut from = bytes.as_slice();
        assert_eq!(read(&mut from).unwrap(), PktLine::Line(b"unpack ok\n".to_vec()));
        assert_eq!(read(&mut from).unwrap(), PktLine::Flush);
        assert_eq!(read(&mut from).unwrap(), PktLine::Line(Vec::new()));
        assert_eq!(read(&mut from).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        for wrong in [&b"000"[..], b"0003", b"zzzz", b"+123", b"fff1x", b"0008abc"] {
            assert!(read(&mut &*wrong).is_err(), "{wrong:?}");
        }
    }
}
