//! Finds a server's user and password in `.netrc`, where git looks through curl.
//!
//! Source: curl's documentation of `CURLOPT_NETRC` and its `netrc.c` (`parsenetrc`): an entry is for a host on every
//! port, `default` for all hosts that have no entry before it, and a user in the remote's URL chooses among a host's
//! entries. curl reads at most 128 KiB.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// The file's name in messages.
pub const FILE: &str = if cfg!(windows) { "~/_netrc" } else { "~/.netrc" };

/// How much of the file is read, as in curl.
const MAX_BYTES: u64 = 128 * 1024;

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct NetrcEntry {
    pub login: String,
    pub password: String,
}

/// Finds the entry for a host, and for a user if the URL names one.
///
/// # Errors
/// Fails with the reason if there is a file that can't be used.
pub fn find(host: &str, user: Option<&str>, environment: &Environment) -> Result<Option<NetrcEntry>, String> {
    let Some(path) = path(environment) else { return Ok(None) };
    let text = read(&path).map_err(|why| format!("{} was not used: {why}", path.display()))?;
    Ok(entry(&text, host, user))
}

/// The file in the home folder, if there is one.
fn path(environment: &Environment) -> Option<PathBuf> {
    let home = environment.home()?;
    let names: &[&str] = if cfg!(windows) { &[".netrc", "_netrc"] } else { &[".netrc"] };
    names.iter().map(|name| home.join(name)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| e.to_string())?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it has more than {} KiB", MAX_BYTES / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())
}

fn entry(text: &str, host: &str, user: Option<&str>) -> Option<NetrcEntry> {
    let (mut login, mut password) = (None, None);
    let mut applies = false;
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "login" => login = words.next(),
            "password" => password = words.next(),
            "machine" | "default" => {
                if let Some(found) = complete(applies, login.take(), password.take(), user) {
                    return Some(found);
                }
                applies =
                    word == "default" || words.next().is_some_and(|name| name.eq_ignore_ascii_case(host));
            }
            _ => {}
        }
    }
    complete(applies, login, password, user)
}

fn complete(
    applies: bool,
    login: Option<String>,
    password: Option<String>,
    user: Option<&str>,
) -> Option<NetrcEntry> {
    let is_user = user.is_none_or(|user| login.as_deref() == Some(user));
    let password = password.filter(|_| applies && is_user)?;
    Some(NetrcEntry { login: login.unwrap_or_default(), password })
}

/// The words of the file, without comments and macros. A macro ends at an empty line.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut is_macro = false;
    for line in text.lines() {
        if is_macro {
            is_macro = !line.is_empty();
            continue;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = match rest.strip_prefix('"') {
                Some(quoted) => unquoted(quoted),
                None => {
                    let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
                    (word.to_owned(), after)
                }
            };
            is_macro |= word == "macdef";
            if is_macro {
                break;
            }
            words.push(word);
            rest = after.trim_start();
        }
    }
    words
}

/// A quoted word, whose first quote is read already, and the rest of the line.
fn unquoted(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (word, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => word.push('\n'),
                Some((_, 'r')) => word.push('\r'),
                Some((_, 't')) => word.push('\t'),
                Some((_, c)) => word.push(c),
                None => {}
            },
            c => word.push(c),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str, user: Option<&str>) -> Option<(String, String)> {
        entry(text, host, user).map(|entry| (entry.login, entry.password))
    }

    #[test]
    fn entries_as_curl_reads_them() {
        let pair = |login: &str, password: &str| Some((login.to_owned(), password.to_owned()));
        let text = "# machine h login comment password no
machine a.example login ada password one account x
machine h
  login \"grace hopper\"
  password \"two \\\"quoted\\\" \\\\ \\t\" # the rest
machine h login other password three
macdef init
machine m login macro password no

machine M.example password alone
machine incomplete login x
default login anonymous password any
machine late login late password never
";
        assert_eq!(found(text, "A.EXAMPLE", None), pair("ada", "one"));
        assert_eq!(found(text, "h", None), pair("grace hopper", "two \"quoted\" \\ \t"));
        assert_eq!(found(text, "h", Some("other")), pair("other", "three"));
        assert_eq!(found(text, "h", Some("nobody")), None);
        assert_eq!(found(text, "m.example", None), pair("", "alone"));
        for host in ["m", "incomplete", "late", "example", "b.a.example", "machine"] {
            assert_eq!(found(text, host, None), pair("anonymous", "any"), "{host}");
        }
        assert_eq!(found("machine h login machine password default", "h", None), pair("machine", "default"));
    }

    #[test]
    fn hostile_files_are_read_without_harm() {
        for text in [
            "",
            "machine",
            "machine h login",
            "\"",
            "\"\\",
            "default password",
            "macdef",
            "login x password y",
        ] {
            assert_eq!(found(text, "h", None), None, "{text}");
        }
        let long = "machine h login x ".repeat(7_000);
        assert_eq!(found(&long, "h", None), None);
    }

    #[test]
    fn only_a_readable_file_in_the_home_folder_counts() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::new([("HOME".to_owned(), home.path().to_str().unwrap().to_owned())]);
        let file = home.path().join(".netrc");
        let find = || find("h", None, &environment);
        assert!(find().is_ok_and(|found| found.is_none()));
        std::fs::write(&file, "machine h login a password b").unwrap();
        assert!(find().is_ok_and(|found| found.is_some()));
        std::fs::write(&file, "machine h login a password \u{fc}".as_bytes().split_last().unwrap().1)
            .unwrap();
        assert!(find().is_err_and(|why| why.contains("UTF-8")));
        std::fs::write(&file, " ".repeat(130 * 1024) + "machine h login a password b").unwrap();
        assert!(find().is_err_and(|why| why.contains("128 KiB")));
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(find().is_ok_and(|found| found.is_none()));
    }
}
