//! How strictly an image must be in its registry before a bump writes its tag.

use serde::Deserialize;

/// What `--verify`, and `verify` in `tagbump.yaml`, ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// Without the image, nothing is written.
    Require,
    /// Without the image, there is a warning.
    Warn,
    /// No registry is asked.
    Off,
}

impl Verify {
    /// Reads a value; `true` and `false` are other words for `require` and `off`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "require" | "true" => Some(Verify::Require),
            "warn" => Some(Verify::Warn),
            "off" | "false" => Some(Verify::Off),
            _ => None,
        }
    }
}
