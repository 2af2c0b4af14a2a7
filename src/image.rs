//! Image names, tags and digests, and kustomize's syntax for an IMAGE argument.
//!
//! Pure. Follows the OCI distribution specification 1.1 (tags), the OCI image specification 1.1 (digests), and
//! Docker's distribution library (names, including the short forms for Docker Hub: `nginx`, `library/nginx`,
//! `docker.io/library/nginx`).

use std::fmt;

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

/// A valid tag, by the OCI specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

/// The longest tag that the OCI distribution specification allows.
const TAG_LENGTH: usize = 128;

/// Tags and digests in files are cut at this length. No real one is as long, not even a placeholder or
/// template.
const READ_LENGTH: usize = 2048;

/// Longer names are invalid: registries accept 255 characters at most.
pub const NAME_LENGTH: usize = 512;

impl Tag {
    /// # Errors
    /// The text doesn't match `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let problem = match text.as_bytes() {
            [] => TagProblem::Empty,
            [first, ..] if !word(*first) => TagProblem::Start,
            bytes if bytes.len() > TAG_LENGTH => TagProblem::TooLong,
            bytes if !bytes.iter().all(|&b| word(b) || b == b'.' || b == b'-') => TagProblem::Character,
            _ => return Ok(Tag(text.to_owned())),
        };
        Err(ImageError::Tag { text: text.to_owned(), problem })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a digest begins with if it is a SHA-256.
pub const SHA256: &str = "sha256:";

/// Whether a text is a SHA-256 in hexadecimal digits.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A valid digest, such as `sha256:` with 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// # Errors
    /// The text isn't a digest, or has the wrong number of hex digits for sha256 or sha512.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let wrong = |problem| Err(ImageError::Digest { text: text.to_owned(), problem });
        let Some((algorithm, hex)) = text.split_once(':') else {
            return wrong(DigestProblem::NoAlgorithm);
        };
        let known = algorithm.starts_with(|c: char| c.is_ascii_lowercase())
            && algorithm
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b));
        let digits = hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let wanted = match algorithm {
            "sha256" => 64..=64,
            "sha512" => 128..=128,
            _ => 32..=1024,
        };
        match (known && digits, wanted.contains(&hex.len())) {
            (true, true) => Ok(Digest(text.to_owned())),
            (true, false) => wrong(DigestProblem::Length(hex.len())),
            (false, _) => wrong(DigestProblem::Syntax),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image as it is written in a file: `name[:tag][@digest]`. The parts aren't validated, since files can
/// contain anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedReference<'a> {
    pub name: &'a str,
    pub tag: Option<&'a str>,
    pub digest: Option<&'a str>,
}

impl<'a> ParsedReference<'a> {
    /// Splits the text into its parts. The colon of a port (`localhost:5000/x`) doesn't start a tag, because a
    /// tag has no `/` after it. Neither does a colon inside a placeholder: `${TAG:-v1}`, `$(TAG)`,
    /// `{{ tag }}`.
    pub fn parse(text: &'a str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        match tag_colon(rest) {
            Some(colon) => ParsedReference { name: &rest[..colon], tag: Some(&rest[colon + 1..]), digest },
            None => ParsedReference { name: rest, tag: None, digest },
        }
    }
}

/// The last colon outside of placeholders, unless a `/` outside of them follows it.
fn tag_colon(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut colon = None;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => colon = Some(at),
            '/' if depth == 0 => colon = None,
            _ => {}
        }
    }
    colon
}

/// Splits `TAG@DIGEST`, the form of some tag fields.
pub fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((tag, digest)) => (tag, Some(digest)),
        None => (text, None),
    }
}

/// Whether two of `TAG`, `TAG@DIGEST` or `@DIGEST` can run the same image: they have the same tag, and don't
/// have different digests.
pub fn same_tag(one: &str, other: &str) -> bool {
    let ((one, digest), (other, others)) = (split_tag(one), split_tag(other));
    one == other && digest.zip(others).is_none_or(|(one, other)| one == other)
}

/// Joins a tag and a digest to `tag@digest`. One of them may be missing.
pub fn join_tag(tag: Option<&str>, digest: Option<&str>) -> String {
    let tag = tag.unwrap_or_default();
    match digest.filter(|d| !d.is_empty()) {
        Some(digest) => format!("{tag}@{digest}"),
        None => tag.to_owned(),
    }
}

/// Whether a text is short enough for an image name.
pub fn is_possible_name(text: &str) -> bool {
    text.len() <= NAME_LENGTH
}

/// A tag or digest from a file, cut if it is too long to be valid. Otherwise a file with a text of megabytes
/// could make tagbump copy it over and over.
pub fn shortened(text: &str) -> String {
    let end = (0..=text.len().min(READ_LENGTH)).rev().find(|&end| text.is_char_boundary(end));
    text[..end.unwrap_or(0)].to_owned()
}

/// Whether two names mean the same image. Whole names are compared; only Docker Hub's short forms are the same
/// as their long forms.
pub fn same_image(a: &str, b: &str) -> bool {
    a == b || (short_name(a) == short_name(b) && full_name(a) == full_name(b))
}

/// The name with its registry and, on Docker Hub, with `library/`.
pub fn full_name(name: &str) -> String {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) => (host, path),
        _ => ("docker.io", name),
    };
    let host = if host == "index.docker.io" { "docker.io" } else { host };
    let library = host == "docker.io" && !path.contains('/');
    format!("{host}/{}{path}", if library { "library/" } else { "" })
}

fn is_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

/// The last part of a name: `api` of `ghcr.io/acme/api`.
pub fn short_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A part of an IMAGE argument that can be `*`, for "keep the current one".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    /// Not given.
    Unspecified,
    /// `*`: keep the current one.
    Keep,
    Set(T),
}

/// Tags that move, so nobody deploys them on purpose.
const FLOATING: [&str; 9] =
    ["latest", "main", "master", "dev", "develop", "edge", "nightly", "stable", "HEAD"];

/// Whether builds move a tag from image to image.
pub fn is_floating(tag: &str) -> bool {
    FLOATING.contains(&tag)
}

/// A valid `NAME[=NEWNAME][:TAG][@DIGEST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageArg {
    pub name: String,
    /// `Unspecified` for an IMAGE without `=`.
    pub new_name: Field<String>,
    pub tag: Field<Tag>,
    pub digest: Field<Digest>,
    /// The digest comes from `--digest`, and is set together with a tag.
    pub digest_beside: bool,
}

impl ImageArg {
    /// The name of an image or service, and nothing else.
    pub fn of_name(name: &str) -> Self {
        ImageArg {
            name: name.to_owned(),
            new_name: Field::Unspecified,
            tag: Field::Unspecified,
            digest: Field::Unspecified,
            digest_beside: false,
        }
    }

    /// Parses the syntax of `kustomize edit set image`. As in newer versions of kustomize, it can have both a
    /// tag and a digest.
    ///
    /// # Errors
    /// A part is empty or invalid; the message names it.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let (name, rest) = match text.split_once('=') {
            Some((name, rest)) => (Some(name), rest),
            None => (None, text),
        };
        let written = ParsedReference::parse(rest);
        check_colons(rest, written.name)?;
        let (name, new_name) = match name {
            // kustomize would remove the entry's newName
            Some(name) if written.name.is_empty() && rest.len() > 1 => (name, Field::Keep),
            Some(name) => (name, new_name(text, written.name)?),
            None => (written.name, Field::Unspecified),
        };
        check_searched(text, name)?;
        if new_name == Field::Unspecified {
            check_runnable(text, name)?;
        }
        Ok(ImageArg {
            name: name.to_owned(),
            new_name,
            tag: part(written.tag, Tag::parse)?,
            digest: part(written.digest, Digest::parse)?,
            digest_beside: false,
        })
    }
}

fn part<T>(text: Option<&str>, parse: fn(&str) -> Result<T, ImageError>) -> Result<Field<T>, ImageError> {
    match text {
        None => Ok(Field::Unspecified),
        Some("*") => Ok(Field::Keep),
        Some(text) => parse(text).map(Field::Set),
    }
}

fn new_name(whole: &str, text: &str) -> Result<Field<String>, ImageError> {
    if text == "*" {
        return Ok(Field::Keep);
    }
    check_written(whole, text)?;
    Ok(Field::Set(text.to_owned()))
}

/// The name to search for can be anything that a kustomization calls an image, but it can't contain blanks or
/// look like a flag.
fn check_searched(whole: &str, name: &str) -> Result<(), ImageError> {
    if let Some((_, rest)) = name.split_once("://") {
        return Err(ImageError::Url { text: whole.to_owned(), image: written_after(whole, rest) });
    }
    let problem = if name.is_empty() {
        NameProblem::Empty
    } else if name.len() > NAME_LENGTH {
        NameProblem::TooLong
    } else if name.starts_with('-') {
        NameProblem::Dash
    } else if name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*') {
        NameProblem::Character
    } else {
        return Ok(());
    };
    Err(ImageError::Name { text: whole.to_owned(), problem })
}

/// The text from `rest` on, with which its name ends after the scheme.
fn written_after(whole: &str, rest: &str) -> String {
    whole.find(rest).map_or(rest, |at| &whole[at..]).to_owned()
}

/// Without a new name, the name is that of the image that runs, so it has no capital letters. (A placeholder may.)
fn check_runnable(whole: &str, name: &str) -> Result<(), ImageError> {
    let path = name.split_once('/').filter(|(host, _)| is_host(host)).map_or(name, |(_, path)| path);
    if path.contains(|c: char| c.is_ascii_uppercase()) && !name.contains('$') {
        let lower = format!("{}{}", &name[..name.len() - path.len()], path.to_ascii_lowercase());
        return Err(ImageError::UpperCase { text: whole.to_owned(), lower: whole.replacen(name, &lower, 1) });
    }
    Ok(())
}

/// A colon in a name is that of a port. Any other one begins a tag that isn't valid, such as a branch's name.
fn check_colons(whole: &str, name: &str) -> Result<(), ImageError> {
    let port = |host: &str| {
        let digits = host.rsplit_once(':').map_or("", |(_, port)| port);
        host.ends_with(']') || digits.bytes().all(|b| b.is_ascii_digit())
    };
    let start = match name.split_once('/') {
        Some((host, _)) if port(host) => host.len(),
        _ => 0,
    };
    match name[start..].find(':').filter(|_| !name.contains('$') && !name.contains("://")) {
        Some(colon) => {
            let version = &whole[start + colon + 1..];
            Tag::parse(version.split('@').next().unwrap_or(version)).map(|_| ())
        }
        None => Ok(()),
    }
}

/// A name to write into a file must be valid for a registry.
fn check_written(whole: &str, name: &str) -> Result<(), ImageError> {
    let path = match name.split_once('/') {
        Some((host, path)) if is_host(host) => path,
        _ => name,
    };
    let fits = |part: &str| {
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = part.as_bytes();
        bytes.first().is_some_and(|&b| word(b))
            && bytes.last().is_some_and(|&b| word(b))
            && bytes.iter().all(|&b| word(b) || b"._-".contains(&b))
    };
    let host_fits = name
        .split_once('/')
        .is_none_or(|(h, _)| h.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-_[]".contains(&b)));
    if host_fits && path.split('/').all(fits) {
        return Ok(());
    }
    let has_upper_case = path.chars().any(|c| c.is_ascii_uppercase());
    Err(ImageError::NewName { text: whole.to_owned(), name: name.to_owned(), has_upper_case })
}

/// Whether a text can be the name of an image. Capital letters are allowed, because files contain them.
pub fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-/:[]".contains(&b);
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[' || c == '_');
    starts && text.len() <= NAME_LENGTH && text.bytes().all(fits) && !short_name(text).contains(':')
}

/// Whether a text is a valid `TAG`, `TAG@DIGEST` or `@DIGEST`.
pub fn is_version(text: &str) -> bool {
    let (tag, digest) = split_tag(text);
    let tag_fits = Tag::parse(tag).is_ok() || (tag.is_empty() && digest.is_some());
    tag_fits && digest.is_none_or(|digest| Digest::parse(digest).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3";

    fn arg(text: &str) -> ImageArg {
        ImageArg::parse(text).unwrap()
    }

    #[test]
    fn tag_with_a_slash_or_a_colon_is_no_name() {
        for (text, tag) in [
            ("ghcr.io/acme/api:feature/x", "feature/x"),
            ("api:feature/x", "feature/x"),
            ("localhost:5000/x:v1:v2", "v1:v2"),
            ("app=acme/api:feature/x", "feature/x"),
            ("api:a/b:c@sha256:0", "a/b:c"),
        ] {
            let wanted = ImageError::Tag { text: tag.to_owned(), problem: TagProblem::Character };
            assert_eq!(ImageArg::parse(text).unwrap_err(), wanted, "{text}");
        }
        for name in ["localhost:5000/x", "[::1]:5000/x", "r.example:443/a/b", "${REGISTRY:-x}/api"] {
            assert_eq!(arg(name).name, name);
        }
    }

    #[test]
    fn kustomize_grammar() {
        let tag = |t: &str| Field::Set(Tag::parse(t).unwrap());
        assert_eq!(arg("nginx").tag, Field::Unspecified);
        assert_eq!((arg("nginx:1.2").name.as_str(), arg("nginx:1.2").tag), ("nginx", tag("1.2")));
        let ported = arg("localhost:5000/x:1");
        assert_eq!((ported.name.as_str(), ported.tag), ("localhost:5000/x", tag("1")));
        assert_eq!(arg("localhost:5000/x").tag, Field::Unspecified);
        let renamed = arg("app=ghcr.io/acme/api:v2");
        assert_eq!(renamed.new_name, Field::Set("ghcr.io/acme/api".into()));
        assert_eq!((renamed.name.as_str(), renamed.tag), ("app", tag("v2")));
        let both = arg(&format!("app=*:v2@sha256:{HEX}"));
        assert_eq!(both.new_name, Field::Keep);
        assert_eq!(both.digest, Field::Set(Digest::parse(&format!("sha256:{HEX}")).unwrap()));
        assert_eq!(arg("app:*@*").tag, Field::Keep);
    }

    #[test]
    fn wrong_images_are_told() {
        for wrong in [
            "",
            ":v1",
            "=x",
            "a=",
            "a b:v1",
            "-x",
            "x:",
            "x:-v",
            "x:a/b:c d",
            "x@sha256:12",
            "x@abc",
            "a=ghcr.io/NaoMauss/x",
            "a=b//c",
            "x:v1\n",
            "*",
        ] {
            assert!(ImageArg::parse(wrong).is_err(), "{wrong:?}");
        }
        let upper = ImageArg::parse("a=ghcr.io/NaoMauss/x").unwrap_err();
        assert!(upper.to_string().ends_with("repository names are lower case"));
    }

    #[test]
    fn empty_new_name_keeps_the_current_one() {
        assert_eq!(arg("app=:v2").new_name, Field::Keep);
        assert_eq!(arg("app=:v2"), arg("app=*:v2"));
        assert_eq!(arg(&format!("app=@sha256:{HEX}")), arg(&format!("app=*@sha256:{HEX}")));
    }

    #[test]
    fn url_and_capital_letters_come_with_the_right_name() {
        let fix = |text: &str| match ImageArg::parse(text).unwrap_err() {
            ImageError::Url { image: fix, .. } | ImageError::UpperCase { lower: fix, .. } => fix,
            other => panic!("{other}"),
        };
        assert_eq!(fix("https://ghcr.io/acme/api:v2"), "ghcr.io/acme/api:v2");
        assert_eq!(fix("oci://ghcr.io/acme/api"), "ghcr.io/acme/api");
        assert_eq!(fix("ghcr.io/MyOrg/app:V2"), "ghcr.io/myorg/app:V2");
        assert_eq!(fix("API"), "api");
        for fine in ["API=ghcr.io/acme/api:v2", "Localhost:5000/x:1", "API=*:v2"] {
            assert!(ImageArg::parse(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn docker_hub_has_short_names() {
        assert!(same_image("nginx", "docker.io/library/nginx"));
        assert!(same_image("library/nginx", "nginx"));
        assert!(same_image("acme/api", "index.docker.io/acme/api"));
        assert!(!same_image("nginx", "acme/nginx"));
        assert!(!same_image("ghcr.io/acme/api", "ghcr.io/acme/api-worker"));
        assert!(!same_image("localhost/nginx", "nginx"));
        assert!(same_image("localhost:5000/x", "localhost:5000/x"));
    }

    #[test]
    fn tags_by_the_oci_grammar() {
        assert!(Tag::parse(&"a".repeat(128)).is_ok());
        assert!(Tag::parse(&"a".repeat(129)).is_err());
        for wrong in ["", ".x", "-x", "a:b", "a/b", "é", "a+b"] {
            assert!(Tag::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn written_names() {
        let w = ParsedReference::parse("host:5000/x:v1@sha256:aa");
        assert_eq!((w.name, w.tag, w.digest), ("host:5000/x", Some("v1"), Some("sha256:aa")));
        assert_eq!(ParsedReference::parse("host:5000/x").tag, None);
        assert_eq!(ParsedReference::parse("x@sha256:aa").tag, None);
        let default = ParsedReference::parse("ghcr.io/a/b:${TAG:-v1}");
        assert_eq!((default.name, default.tag), ("ghcr.io/a/b", Some("${TAG:-v1}")));
        assert_eq!(ParsedReference::parse("${REG:-ghcr.io}/a").tag, None);
        let both = ParsedReference::parse("${IMG:-a/b}:${VERSION}-agent");
        assert_eq!((both.name, both.tag), ("${IMG:-a/b}", Some("${VERSION}-agent")));
        assert_eq!(ParsedReference::parse("a/{{ .x }}:{{ .y }}").tag, Some("{{ .y }}"));
    }
}
