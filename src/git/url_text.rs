//! Handles URLs as users type them, valid or not: shows them without secrets, and tells them from paths.

use crate::visible::inline;

/// Schemes that git knows, and others that people try.
const SCHEMES: [&str; 9] = ["http", "https", "ssh", "git", "file", "git+ssh", "ssh+git", "ftp", "ftps"];

/// Removes user, password and query from a text, even if it isn't a URL.
pub fn without_user(text: &str) -> String {
    let text = inline(text);
    let (scheme, rest) = text.split_at(scheme_length(&text));
    // a password may contain a slash, so treat everything before the last @ as user and password
    let host = rest.rfind('@').map_or(0, |at| at + 1);
    let query = rest.find(['?', '#']).filter(|_| !scheme.is_empty()).unwrap_or(rest.len());
    // either a password with such a character or a query with an @: hide both
    let shown = if query < host { "…" } else { &rest[host..query] };
    format!("{scheme}{shown}")
}

/// The URL that was meant if `://` is misspelt (`https:/host`, `https//host`, `HTTPS://host`). git would take such a
/// text for a path, or for a host named `https`.
pub fn misspelt_url(text: &str) -> Option<String> {
    let end = text.find([':', '/']).filter(|end| SCHEMES.contains(&&*text[..*end].to_ascii_lowercase()))?;
    let (scheme, after) = text.split_at(end);
    let has_colon = after.starts_with(':');
    let rest = after.trim_start_matches([':', '/', '\\']);
    let slashes = &after[..after.len() - rest.len()];
    let scheme_is_right = scheme.bytes().all(|b| !b.is_ascii_uppercase());
    let is_right = slashes == "://" || (slashes.starts_with("://") && scheme == "file");
    // a folder of that name, or a host: `git` is a common host name
    let is_other = (!has_colon && slashes.len() < 2) || (scheme == "git" && slashes == ":");
    if (is_right && scheme_is_right) || is_other {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let root = if scheme == "file" { "/" } else { "" };
    Some(format!("{scheme}://{root}{rest}"))
}

/// The length of the scheme with its separators, or 0 if there is none.
fn scheme_length(text: &str) -> usize {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    let end = text.find(|c: char| !plain(c)).unwrap_or(text.len());
    let (scheme, after) = text.split_at(end);
    let has_one = after.starts_with("://") || SCHEMES.contains(&&*scheme.to_ascii_lowercase());
    let rest = after.trim_start_matches([':', '/', '\\']);
    if has_one { text.len() - rest.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_of_any_text() {
        for (text, shown) in [
            ("https://u:secret@h/x", "https://h/x"),
            ("https://u:secret/more@h:1/x", "https://h:1/x"),
            ("https:/u:secret@h/x", "https:/h/x"),
            ("https:u:secret@h/x", "https:h/x"),
            ("https//u:secret@h/x", "https//h/x"),
            ("https:\\\\u:secret@h\\x", "https:\\\\h\\x"),
            ("HTTPS:///u:secret@h/x", "HTTPS:///h/x"),
            ("://u:secret@h/x", "://h/x"),
            ("u:secret@https://h/x", "https://h/x"),
            ("u:secret://more@h", "h"),
            ("htps://u:secret@h/x", "htps://h/x"),
            ("u:secret@h:x", "h:x"),
            ("ext::https://u:secret@h/x", "h/x"),
            ("https://h/x?private_token=secret", "https://h/x"),
            ("https://h/x#secret", "https://h/x"),
            ("https://u:se?cret@h/x", "https://…"),
            ("https://h/x?a=b@c&token=secret", "https://…"),
            ("https://u:sec\u{1b}ret@h/\u{7}x\u{202e}", "https://h/\\u{7}x\\u{202e}"),
            ("/srv/a?b#c.git", "/srv/a?b#c.git"),
            ("", ""),
        ] {
            assert_eq!(without_user(text), shown, "{text}");
        }
    }

    #[test]
    fn misspelt_urls_are_told_from_paths_and_hosts() {
        for (text, right) in [
            ("https:/u@h/x", "https://u@h/x"),
            ("https:h/x", "https://h/x"),
            ("https:///h/x", "https://h/x"),
            ("https//h/x", "https://h/x"),
            ("http:\\\\h\\x", "http://h\\x"),
            ("HTTPS://h/x", "https://h/x"),
            ("ssh:/git@h/x", "ssh://git@h/x"),
            ("ssh:git@h", "ssh://git@h"),
            ("git:/h/x", "git://h/x"),
            ("file:/srv/x", "file:///srv/x"),
            ("file:srv/x", "file:///srv/x"),
            ("https:", "https://"),
        ] {
            assert_eq!(misspelt_url(text).as_deref(), Some(right), "{text}");
        }
        for text in [
            "https://h/x",
            "ssh://git@h/x",
            "file:///srv/x",
            "file:////srv/x",
            "file://h/x",
            "git:acme/x.git",
            "git@https:/x",
            "https/x",
            "git/x",
            "./https:/x",
            "/https:/x",
            "github.com:a/x",
            "httpd:x",
            "x",
            "",
        ] {
            assert_eq!(misspelt_url(text), None, "{text}");
        }
    }
}
