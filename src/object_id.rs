//! The ID of a commit, tree or file in git's object database.

use std::fmt;

/// The ID of a commit, tree or file in git's object database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub [u8; 20]);

impl ObjectId {
    /// Parses 40 hex digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 20];
        let digits = hex.as_bytes().chunks_exact(2).filter_map(|pair| std::str::from_utf8(pair).ok());
        let mut read = digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.iter_mut().zip(&mut read).for_each(|(to, byte)| *to = byte);
        (hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit())).then_some(ObjectId(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
