//! The IDs of objects in git's object database. Text is parsed once, where it comes from a file, a server or a program.

use std::fmt;

/// The ID of a tree or a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub [u8; 20]);

/// The ID of a commit, in full. A commit that an image was built from may be abbreviated, so that is a [`crate::tag::Source`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(ObjectId);

/// How many digits of a commit's ID people are shown.
const SHORT: usize = 10;

impl ObjectId {
    /// Parses 40 hex digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 20];
        let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
        if pairs.len() != bytes.len() {
            return None;
        }
        let mut all = 0;
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
            *byte = high << 4 | low;
            all |= high | low;
        }
        (all < 16).then_some(ObjectId(bytes))
    }
}

/// The value of each hex digit, and for other bytes a number that no digit has. A long history has hundreds of thousands
/// of IDs, and whether a digit is a letter can't be predicted.
const DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

impl CommitId {
    /// Parses 40 hex digits.
    pub fn parse(hex: &str) -> Option<Self> {
        ObjectId::parse(hex).map(CommitId)
    }

    /// Its first digits, for people.
    pub fn short(self) -> String {
        format!("{self:.SHORT$}")
    }
}

impl From<ObjectId> for CommitId {
    fn from(id: ObjectId) -> Self {
        CommitId(id)
    }
}

impl From<CommitId> for ObjectId {
    fn from(id: CommitId) -> Self {
        id.0
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn commit_id_is_shown_as_it_was_written() {
        let id = CommitId::parse(HEX).unwrap();
        assert_eq!((id.to_string(), id.short()), (HEX.to_owned(), "0123456789".to_owned()));
        assert_eq!(CommitId::parse(&HEX.to_uppercase()), Some(id));
    }

    #[test]
    fn commit_id_has_40_hex_digits() {
        let others = [
            "",
            "HEAD",
            &HEX[1..],
            &format!("{HEX}0"),
            &format!("{HEX}{HEX}"),
            &HEX.replace('7', "g"),
            &HEX.replace('7', "+"),
        ];
        for text in others {
            assert_eq!(CommitId::parse(text), None, "{text:?}");
        }
        assert_eq!(CommitId::parse(&format!("{}ü", &HEX[2..])), None, "40 bytes, but not digits");
    }
}
