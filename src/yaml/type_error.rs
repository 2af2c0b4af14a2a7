//! What serde says about a value that does not have the right type.

/// Where it is, and why, in serde's words.
pub struct TypeError {
    /// Line and column.
    pub position: Option<(usize, usize)>,
    pub reason: String,
}

impl From<serde_yaml::Error> for TypeError {
    fn from(error: serde_yaml::Error) -> Self {
        let position = error.location().map(|at| (at.line(), at.column()));
        let text = error.to_string();
        // serde repeats the place, and names our types, which tell a user nothing
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        let reason = text.split(", expected struct ").next().unwrap_or(text).to_owned();
        TypeError { position, reason }
    }
}
