//! Commands to the runner: annotations, which it shows on the page of the run and next to lines of files.
//!
//! The escapes follow the runner's toolkit (`command.ts`). Foreign text in a command can't start another one,
//! because its line breaks are escaped.

use super::as_text::without_marks;
use crate::error::Failure;
use crate::output::Secret;
use crate::plan::ChangedReference;
use crate::visible::inline;

/// GitHub shows ten annotations of each kind per step.
const SHOWN: usize = 10;

pub fn warning(text: &str) -> String {
    command("warning", &[], text)
}

pub fn notice(text: &str) -> String {
    command("notice", &[], text)
}

/// Asks the runner to show `***` for a secret, wherever it appears in the log: one command for each line of it.
pub fn mask(secret: &Secret) -> String {
    let lines = secret.as_str().split(['\r', '\n']).filter(|line| !line.is_empty());
    lines.map(|line| format!("::add-mask::{}\n", line.replace('%', "%25"))).collect()
}

/// Folds the lines that follow under a title, until [`end_group`].
pub fn group(title: &str) -> String {
    command("group", &[], title)
}

pub fn end_group() -> String {
    command("endgroup", &[], "")
}

/// The error, with what to do, on the place that it is about.
pub fn error(failure: &Failure, prefix: &str) -> String {
    let hint = format!("\nhint: {}", failure.hint);
    let text = format!("{}{hint}", failure.message);
    let place = failure.place.as_ref().map(|place| {
        let line = ("line", place.line.to_string());
        let column = place.column.map(|column| ("col", column.to_string()));
        Vec::from_iter([("file", in_workspace(prefix, &place.file)), line].into_iter().chain(column))
    });
    command("error", &place.unwrap_or_default(), &text)
}

/// One notice per change, attached to its line.
pub fn changes(changes: &[ChangedReference], prefix: &str) -> Vec<String> {
    let notice = |c: &ChangedReference| {
        let place = [
            ("file", in_workspace(prefix, &c.file)),
            ("line", c.line.to_string()),
            ("title", c.image.clone()),
        ];
        let from = if c.from.is_empty() { "(none)" } else { &c.from };
        command("notice", &place, &format!("{from} -> {}", c.to))
    };
    changes.iter().take(SHOWN).map(notice).collect()
}

/// Turns a path below the root into one below the workspace.
fn in_workspace(prefix: &str, file: &str) -> String {
    if prefix.is_empty() { file.to_owned() } else { format!("{prefix}/{file}") }
}

fn command(name: &str, properties: &[(&str, String)], text: &str) -> String {
    let properties: Vec<_> =
        properties.iter().map(|(key, value)| format!("{key}={}", escaped_property(value))).collect();
    let blank = if properties.is_empty() { "" } else { " " };
    format!("::{name}{blank}{}::{}\n", properties.join(","), escaped(text))
}

/// Escapes text for a command. Hidden characters become visible, so that text can't overwrite the log.
fn escaped(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    without_marks(&inline(&text))
}

fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;
    use crate::plan::TargetIndex;

    #[test]
    fn text_from_elsewhere_is_no_command() {
        assert_eq!(
            warning("100%\r\n::set-output name=x::y"),
            "::warning::100%25%0D%0A::set-output name=x::y\n"
        );
        let change = ChangedReference {
            file: "a:b,c.yaml".to_owned(),
            line: 3,
            kind: "values",
            image: "acme/api".to_owned(),
            renamed_from: None,
            target: TargetIndex::new(0),
            from: String::new(),
            to: "v2".to_owned(),
            dropped_digest: false,
            left_out_digest: false,
            field: None,
        };
        let command = changes(&[change], "gitops");
        assert_eq!(command, ["::notice file=gitops/a%3Ab%2Cc.yaml,line=3,title=acme/api::(none) -> v2\n"]);
    }

    #[test]
    fn each_line_of_a_secret_is_masked() {
        assert_eq!(mask(&Secret::new("50%\r\nx")), "::add-mask::50%25\n::add-mask::x\n");
        assert_eq!(mask(&Secret::new("")), "");
    }

    #[test]
    fn an_error_is_shown_where_it_is() {
        let place = Location { file: "k8s/a.yaml".to_owned(), line: 3, column: Some(9) };
        let failure =
            Failure::other("k8s/a.yaml:3:9: is an alias; nothing was written").hinted("write it out");
        let failure = Failure { place: Some(Box::new(place)), ..failure };
        let wanted = "::error file=k8s/a.yaml,line=3,col=9::k8s/a.yaml:3:9: is an alias; nothing was written%0Ahint: write it out\n";
        assert_eq!(error(&failure, ""), wanted);
        assert_eq!(error(&Failure::other("no: place").hinted("go"), ""), "::error::no: place%0Ahint: go\n");
    }
}
