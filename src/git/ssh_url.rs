//! Parses the URLs of ssh remotes.
//!
//! Source: git's `connect.c` (`parse_connect_url`, `git_connect`), and `git help clone`, GIT URLS.

use std::fmt;

/// A repository on an ssh server. Its text doesn't show the user.
#[derive(Clone, PartialEq, Eq)]
pub struct SshUrl {
    /// `HOST` or `USER@HOST`, as ssh takes it.
    pub destination: String,
    pub port: Option<u16>,
    /// The path to send to the server.
    pub path: String,
}

impl SshUrl {
    /// Parses the part after `ssh://`.
    ///
    /// # Errors
    /// Returns the reason why it isn't valid.
    pub fn of_url(rest: &str) -> Result<Self, &'static str> {
        let rest = percent_encoding::percent_decode_str(rest);
        let rest = rest.decode_utf8().map_err(|_| "is not UTF-8")?;
        let (authority, path) = rest.split_once('/').ok_or("has no path")?;
        // ssh://host/~user/x is relative to that user's home
        let path = if path.starts_with('~') { path.to_owned() } else { format!("/{path}") };
        let (user, host) = split_user(authority);
        let (host, port) = host_and_port(host)?;
        SshUrl::checked(user, &host, port, path)
    }

    /// Parses `[USER@]HOST:PATH`. In brackets, the host may be an IPv6 address or have a port.
    ///
    /// # Errors
    /// Returns the reason why it isn't valid.
    pub fn of_scp(text: &str) -> Result<Self, &'static str> {
        let (head, path) = split_scp(text).ok_or("has no path")?;
        let whole = bracketed(head);
        let (user, host) = split_user(whole.unwrap_or(head));
        let (host, port) = match (whole, bracketed(host)) {
            (_, Some(host)) => host_and_port(host)?,
            (Some(_), None) => host_and_port(host)?,
            (None, None) => (host.to_owned(), None),
        };
        if user.is_none() && path.split('/').next().is_some_and(|first| first.contains('@')) {
            // git takes this for a host and a path, but it is most likely a user and a password
            return Err("has a password in it, and ssh takes none");
        }
        SshUrl::checked(user, &host, port, path.to_owned())
    }

    fn checked(
        user: Option<&str>,
        host: &str,
        port: Option<u16>,
        path: String,
    ) -> Result<Self, &'static str> {
        if host.is_empty() {
            return Err("has no host");
        }
        if user == Some("") {
            return Err("has no user before the @");
        }
        if host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) || path.starts_with('-') {
            return Err("has a host, user or path that starts with a dash");
        }
        if user.is_some_and(|user| user.contains(':')) {
            return Err("has a password in it, and ssh takes none");
        }
        if [host, &path, user.unwrap_or_default()].iter().any(|text| text.contains(char::is_control)) {
            return Err("has control characters in it");
        }
        if path.trim_matches('/').is_empty() {
            return Err("has no path");
        }
        let destination = user.map_or(host.to_owned(), |user| format!("{user}@{host}"));
        Ok(SshUrl { destination, port, path })
    }

    /// The host, without the user.
    pub fn host(&self) -> &str {
        split_user(&self.destination).1
    }
}

/// Whether git takes a text for `[USER@]HOST:PATH`.
pub fn is_scp(text: &str) -> bool {
    is_scp_on(text, cfg!(windows))
}

/// It has a colon before any slash, and names no drive.
pub fn is_scp_on(text: &str, windows: bool) -> bool {
    let colon = text.find(':');
    let before_slash = colon.is_some_and(|c| text.find('/').is_none_or(|slash| c < slash));
    before_slash && !(windows && after_drive(text).is_some())
}

/// What follows a drive: `\x` for `C:\x` (`has_dos_drive_prefix` in git's `compat/win32/path-utils.h`).
pub fn after_drive(text: &str) -> Option<&str> {
    text.strip_prefix(|c: char| c.is_ascii_alphabetic())?.strip_prefix(':')
}

/// Splits at the colon before the path. A colon in brackets doesn't count.
fn split_scp(text: &str) -> Option<(&str, &str)> {
    let first = text.find(':')?;
    let start = if text[..first].contains('[') { text.find(']')? } else { 0 };
    let colon = start + text[start..].find(':')?;
    Some((&text[..colon], &text[colon + 1..]))
}

fn split_user(text: &str) -> (Option<&str>, &str) {
    text.rsplit_once('@').map_or((None, text), |(user, host)| (Some(user), host))
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// Parses `HOST`, `HOST:PORT`, `[ADDRESS]`, `[ADDRESS]:PORT` or a bare address.
fn host_and_port(text: &str) -> Result<(String, Option<u16>), &'static str> {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Ok((address.to_owned(), port(rest.strip_prefix(':'))?));
    }
    match text.split_once(':') {
        Some((host, number)) if !number.contains(':') => Ok((host.to_owned(), port(Some(number))?)),
        _ => Ok((text.to_owned(), None)),
    }
}

/// Parses a port. An empty one means the default.
fn port(text: Option<&str>) -> Result<Option<u16>, &'static str> {
    match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| "has a port that is not a number"),
    }
}

impl fmt::Display for SshUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let slash = if self.path.starts_with('/') { "" } else { "/" };
        write!(f, "ssh://{host}{port}{slash}{}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(destination: &str, port: Option<u16>, path: &str) -> SshUrl {
        SshUrl { destination: destination.to_owned(), port, path: path.to_owned() }
    }

    #[test]
    fn what_git_makes_of_them() {
        for (text, wanted) in [
            ("git@h/a/x.git", url("git@h", None, "/a/x.git")),
            ("h:2222/a/x", url("h", Some(2222), "/a/x")),
            ("h:/a/x", url("h", None, "/a/x")),
            ("u@[::1]:22/a", url("u@::1", Some(22), "/a")),
            ("[::1]/a", url("::1", None, "/a")),
            ("h/~bob/x", url("h", None, "~bob/x")),
            ("h/a%20b", url("h", None, "/a b")),
        ] {
            assert!(SshUrl::of_url(text).unwrap() == wanted, "{text}");
        }
        for (text, wanted) in [
            ("git@h:a/x.git", url("git@h", None, "a/x.git")),
            ("h:/a/x", url("h", None, "/a/x")),
            ("h:~bob/x:y", url("h", None, "~bob/x:y")),
            ("[h:2222]:a/x", url("h", Some(2222), "a/x")),
            ("[u@h:2222]:a/x", url("u@h", Some(2222), "a/x")),
            ("u@[::1]:a/x", url("u@::1", None, "a/x")),
            ("[::1]:a", url("::1", None, "a")),
            ("h:a[b]:c", url("h", None, "a[b]:c")),
        ] {
            assert!(is_scp(text), "{text}");
            assert!(SshUrl::of_scp(text).unwrap() == wanted, "{text}: {}", SshUrl::of_scp(text).unwrap());
        }
        for path in ["./a:b", "/a:b", "a/b:c", "x"] {
            assert!(!is_scp(path), "{path}");
        }
        for path in [r"C:\srv\x.git", "c:/srv/x.git", "c:x"] {
            assert!(!is_scp_on(path, true) && is_scp_on(path, false), "{path}");
        }
        assert!(is_scp_on("h1:x", true) && is_scp_on("1:x", true));
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "-oProxyCommand=x/y",
            "u@-h/x",
            "-u@h/x",
            "%2doProxyCommand=x/y",
            "h",
            "/x",
            "u:p@h/x",
            "h/%0a",
            "h:x/y",
        ] {
            assert!(SshUrl::of_url(text).is_err(), "{text}");
        }
        for text in ["-h:x", "u@-h:x", "h:-x", "h:", ":x", "[-h]:x", "u:p@h:x"] {
            assert!(SshUrl::of_scp(text).is_err(), "{text}");
        }
    }

    #[test]
    fn missing_part_is_named() {
        for (text, missing) in
            [("@h/x", "has no user before the @"), ("u@/x", "has no host"), ("h", "has no path")]
        {
            assert_eq!(SshUrl::of_url(text).err(), Some(missing), "{text}");
        }
        for (text, missing) in
            [("@h:x", "has no user before the @"), ("u@:x", "has no host"), ("h:", "has no path")]
        {
            assert_eq!(SshUrl::of_scp(text).err(), Some(missing), "{text}");
        }
    }

    #[test]
    fn shown_without_the_user() {
        assert_eq!(SshUrl::of_scp("me@h:a/x").unwrap().to_string(), "ssh://h/a/x");
        assert_eq!(SshUrl::of_url("me@[::1]:7/a").unwrap().to_string(), "ssh://[::1]:7/a");
    }
}
