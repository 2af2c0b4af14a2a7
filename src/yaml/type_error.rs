//! What serde says about a value that does not have the right type, in plain words.

use super::ParsedYaml;

/// Where it is, and what is wrong.
pub struct TypeError {
    /// Line and column.
    pub position: Option<(usize, usize)>,
    pub reason: String,
}

impl From<serde_yaml::Error> for TypeError {
    fn from(error: serde_yaml::Error) -> Self {
        let position = error.location().map(|at| (at.line(), at.column()));
        let text = error.to_string();
        // serde repeats the place
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        TypeError { position, reason: in_plain_words(text) }
    }
}

/// Some files have one document.
pub const SECOND_DOCUMENT: &str = "there is a second document; keep one";

impl ParsedYaml {
    /// Line and column of a second document.
    pub fn second_document(&self) -> Option<(usize, usize)> {
        let second = *self.roots().get(1)?;
        // a map is at its first colon
        let start = self.pairs(second).next().map_or(second, |(key, _)| key);
        Some((self.node(start).line, self.node(start).column))
    }
}

/// With what serde's messages begin, after the path of the value.
const STARTS: [&str; 5] =
    ["invalid type: ", "missing field ", "unknown field ", "unknown variant ", "duplicate field "];

fn in_plain_words(text: &str) -> String {
    if text.contains("more than one document") {
        return SECOND_DOCUMENT.to_owned();
    }
    let found = STARTS.iter().filter_map(|start| Some((text.find(start)?, *start))).min();
    let Some((at, start)) = found else { return text.to_owned() };
    let (path, said) = (&text[..at], &text[at + start.len()..]);
    let (found, expected) = said.rsplit_once(", expected ").unwrap_or((said, ""));
    let plain = match start {
        "invalid type: " => format!("must be {}", kind(expected)),
        "missing field " => format!("{found} is missing"),
        "unknown field " => format!("unknown key {found}"),
        "unknown variant " => format!("must be {}, not {found}", expected.trim_start_matches("one of ")),
        _ => format!("the key {found} is there twice"),
    };
    path.to_owned() + &plain
}

/// What serde expects, as people call it. It names our types, which tell a user nothing.
fn kind(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a string" => "text",
        "field identifier" => "a plain key",
        _ if expected.starts_with("struct ") => "a map",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_serde_become_plain() {
        for (text, plain) in [
            ("invalid type: sequence, expected struct RawConfig", "must be a map"),
            ("services: invalid type: integer `3`, expected a map", "services: must be a map"),
            ("a.image: invalid type: sequence, expected a string", "a.image: must be text"),
            ("a.files: invalid type: string \"x\", expected a sequence", "a.files: must be a list"),
            ("a: missing field `image`", "a: `image` is missing"),
            ("unknown field `hold`, expected `holds`", "unknown key `hold`"),
            ("a.digest: unknown variant `x`, expected `auto`", "a.digest: must be `auto`, not `x`"),
            (
                "a.files: invalid type: string \"x, expected y\", expected a sequence",
                "a.files: must be a list",
            ),
            ("unknown field `a, expected b`, expected `c`", "unknown key `a, expected b`"),
            ("invalid type: sequence, expected field identifier", "must be a plain key"),
            ("a: duplicate field `by`", "a: the key `by` is there twice"),
            ("deserializing from YAML containing more than one document is not supported", SECOND_DOCUMENT),
            ("verify is require, warn or off", "verify is require, warn or off"),
        ] {
            assert_eq!(in_plain_words(text), plain);
        }
    }
}
