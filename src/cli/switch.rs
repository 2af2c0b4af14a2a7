//! Switches from the environment, where every value is text.

/// Reads a switch: true or false, in the words that people use for them. An empty text is false, as an unset variable is.
///
/// # Errors
/// Any other text. If it counted as true, a misspelled `false` would push.
pub fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "" | "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::switch;

    #[test]
    fn misspelled_switch_is_no_switch() {
        for (text, value) in
            [("true", true), ("On", true), ("1", true), ("", false), ("false\n", false), ("0", false)]
        {
            assert_eq!(switch(text), Ok(value), "{text:?}");
        }
        for text in ["fasle", "never", "2", "true true"] {
            assert!(switch(text).is_err(), "{text}");
        }
    }
}
