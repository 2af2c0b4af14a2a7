//! kustomize's syntax for an IMAGE argument.

use super::error::{ImageError, NameProblem};
use super::name::{NAME_LENGTH, is_host};
use super::parsed_reference::ParsedReference;
use super::version::{Digest, Tag};

/// A part of an IMAGE argument that can be `*`, for "keep the current one".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    /// Not given.
    Unspecified,
    /// `*`: keep the current one.
    Keep,
    Set(T),
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
        let image = written_after(whole, rest);
        let secret = user_of(&image);
        let [text, image] = [whole, &image].map(|text| text.replacen(secret, "", 1));
        return Err(ImageError::Url { text, image });
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

/// What a URL without its scheme has before the host: the user, the password and the `@`. Empty if there is no user.
fn user_of(url: &str) -> &str {
    let authority = url.split('/').next().unwrap_or_default();
    authority.rfind('@').map_or("", |at| &authority[..=at])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::TagProblem;

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
        let with_password = ImageArg::parse("https://ci:s3cret@ghcr.io/acme/api:v1").unwrap_err();
        assert!(!format!("{with_password:?}{with_password}").contains("s3cret"), "{with_password:?}");
        assert_eq!(fix("https://ci:s3cret@ghcr.io/acme/api:v1"), "ghcr.io/acme/api:v1");
        assert_eq!(fix("ghcr.io/MyOrg/app:V2"), "ghcr.io/myorg/app:V2");
        assert_eq!(fix("API"), "api");
        for fine in ["API=ghcr.io/acme/api:v2", "Localhost:5000/x:1", "API=*:v2"] {
            assert!(ImageArg::parse(fine).is_ok(), "{fine}");
        }
    }
}
