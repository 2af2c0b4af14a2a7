//! Asks a server not to send its progress. tagbump doesn't show it, and in a fetch of a few objects it is most of the
//! answer, in hundreds of small packets. libgit2 has no option for this.
//!
//! Source: git's `Documentation/gitprotocol-capabilities.txt`, "no-progress", and `gitprotocol-pack.txt`,
//! "Packfile Negotiation".

use crate::git::pkt_line;

const NO_PROGRESS: &[u8] = b" no-progress";

/// The request of a fetch, with `no-progress` among the capabilities of its first line. `None` if it doesn't begin
/// with such a line, as the requests that follow the first one.
pub fn without_progress(request: &[u8]) -> Option<Vec<u8>> {
    let length = std::str::from_utf8(request.get(..4)?).ok()?;
    let length = usize::from_str_radix(length, 16).ok()?;
    let (line, rest) = request.split_at_checked(length)?;
    let line = line.get(4..)?.strip_suffix(b"\n")?.trim_ascii_end();
    let has_capabilities = line.strip_prefix(b"want ")?.contains(&b' ');
    has_capabilities.then(|| [pkt_line::line(&[line, NO_PROGRESS, b"\n"].concat()).as_slice(), rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::pkt_line::{FLUSH, line};

    const WANT: &str = "want 1111111111111111111111111111111111111111";

    fn request(first: &str, rest: &[u8]) -> Vec<u8> {
        [&*line(first.as_bytes()), rest, FLUSH].concat()
    }

    #[test]
    fn first_line_of_a_request_gets_the_capability() {
        let more = line(format!("{WANT}\n").as_bytes());
        let written = request(&format!("{WANT} side-band-64k thin-pack \n"), &more);
        let expected = request(&format!("{WANT} side-band-64k thin-pack no-progress\n"), &more);
        assert_eq!(without_progress(&written).as_deref(), Some(&*expected));
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        let have = WANT.replace("want", "have");
        for other in
            [&*format!("{have}\n"), "done\n", &*format!("{WANT}\n"), &*format!("{WANT} thin-pack"), ""]
        {
            assert_eq!(without_progress(&request(other, b"")), None, "{other}");
        }
        for other in
            [&b""[..], b"0000", b"00", b"zzzzwant", b"ffffwant 1 a\n", b"0001want 1 a\n", b"\xff\xff\xff\xff"]
        {
            assert_eq!(without_progress(other), None, "{other:?}");
        }
    }
}
