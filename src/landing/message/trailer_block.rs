//! The block of trailers at the end of a message: where it is, and where new trailers go. (`git help interpret-trailers`)

use super::super::{skip_mark, trailers};

/// Removes lines that read as our trailers: people pass the message of another commit. All line breaks become git's own, `\n`.
pub(super) fn without_own_trailers(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: Vec<&str> = text.lines().filter(|line| !trailers::is_ours(line)).collect();
    kept.join("\n").trim().to_owned()
}

/// Trailers join the last block of trailers, or become one. A sign-off that is there is not repeated. `skip-checks` counts
/// only as the last trailer.
pub(super) fn with_trailers(text: &str, paragraphs: &[Vec<String>], joins: bool) -> String {
    let text = text.trim_end();
    let trailers = match paragraphs {
        [] => return format!("{text}\n"),
        [only] => only,
        several => return with_paragraphs(text, several, joins),
    };
    if trailers.is_empty() {
        return format!("{text}\n");
    }
    let there = |trailer: &&String| joins && text.lines().any(|line| line == *trailer);
    let new: Vec<&str> = trailers.iter().filter(|t| !there(t)).map(String::as_str).collect();
    match text.rsplit_once('\n') {
        Some((above, last)) if joins && skip_mark::is_trailer(last) => {
            format!("{above}\n{}\n{last}\n", new.join("\n"))
        }
        _ => {
            let between = if joins { "\n" } else { "\n\n" };
            format!("{text}{between}{}\n", new.join("\n"))
        }
    }
}

/// Several paragraphs of trailers join nothing. Git itself reads only the last one, so that gets what must be a trailer.
fn with_paragraphs(text: &str, paragraphs: &[Vec<String>], joins: bool) -> String {
    let mark = text.rsplit_once('\n').filter(|(_, last)| joins && skip_mark::is_trailer(last));
    let (text, mark) = mark.map_or((text, None), |(above, mark)| (above.trim_end(), Some(mark)));
    let paragraphs: Vec<String> = paragraphs.iter().map(|lines| lines.join("\n")).collect();
    let mark = mark.map(|mark| format!("{mark}\n")).unwrap_or_default();
    format!("{text}\n\n{}\n{mark}", paragraphs.join("\n\n"))
}

/// Whether git reads the last paragraph after the subject as trailers: all of its lines are trailers, or a quarter of them
/// if git itself wrote one (`git help interpret-trailers`).
pub(super) fn ends_in_trailers(text: &str) -> bool {
    let Some((_, last)) = text.rsplit_once("\n\n") else { return false };
    let by_git =
        |line: &str| line.starts_with("(cherry picked from commit ") || line.starts_with("Signed-off-by: ");
    let is_trailer = |line: &str| {
        let key = line.split_once(':').map(|(key, _)| key.trim_end_matches([' ', '\t']));
        let token =
            |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        by_git(line) || key.is_some_and(token)
    };
    let own_lines = || last.lines().filter(|line| !line.starts_with([' ', '\t']));
    let trailers = own_lines().filter(|line| is_trailer(line)).count();
    let others = own_lines().count() - trailers;
    trailers > 0 && (others == 0 || (own_lines().any(by_git) && trailers * 3 >= others))
}
