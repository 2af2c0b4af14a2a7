//! What is wrong with an IMAGE, a tag or a digest.

/// An IMAGE, a tag or a digest that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("tag {text:?} {problem}")]
    Tag { text: String, problem: TagProblem },
    #[error("digest {text:?} {problem}")]
    Digest { text: String, problem: DigestProblem },
    #[error("IMAGE {text:?} {problem}")]
    Name { text: String, problem: NameProblem },
    /// A URL instead of an image.
    #[error("IMAGE {text:?} is a URL")]
    Url { text: String, image: String },
    #[error("IMAGE {text:?} has capital letters in its name; repository names are lower case")]
    UpperCase { text: String, lower: String },
    /// A name that is to be written into a file.
    #[error(
        "IMAGE {text:?}: {name:?} is not an image name{}",
        if *.has_upper_case { ": repository names are lower case" } else { "" }
    )]
    NewName { text: String, name: String, has_upper_case: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagProblem {
    #[error("is empty")]
    Empty,
    #[error("must start with a letter, a digit or _")]
    Start,
    #[error("is longer than 128 characters")]
    TooLong,
    #[error("may contain only letters, digits, and . _ -")]
    Character,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestProblem {
    #[error("has no algorithm; write it as sha256:…")]
    NoAlgorithm,
    #[error("has {0} hex digits; sha256 has 64")]
    Length(usize),
    #[error("is not an algorithm, a colon and lower-case hex digits")]
    Syntax,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    #[error("has no name")]
    Empty,
    #[error("has a name that is too long")]
    TooLong,
    #[error("starts with a dash")]
    Dash,
    #[error("has a blank, a control character or a * in its name; names are compared whole")]
    Character,
}
