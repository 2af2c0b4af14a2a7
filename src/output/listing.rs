//! References as a table and as JSON.

use std::collections::HashSet;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::json::{SCHEMA, one_line};
use crate::image::join_tag;
use crate::plan::{ListedReference, Listing, OverriddenBy, Overrides};
use crate::visible::inline;

const DIM: Style = Style::new().dimmed();
const TAG: Style = AnsiColor::Green.on_default();
const REASON: Style = AnsiColor::Yellow.on_default();

/// How much of a digest to show: `sha256:` and 12 digits.
const DIGITS: usize = "sha256:".len() + 12;

/// One line per reference: place, kind, image, tag and digest, and why it can't be edited.
pub fn listing_text(listing: &Listing) -> String {
    let rows: Vec<[String; 4]> = listing.references.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (place, kind, image) = (width(0), width(1), width(2));
    let lines = rows.iter().zip(&listing.references).map(|(row, reference)| {
        let [at, what, name, tag] = row;
        let reason =
            reference.reason.as_ref().map(|reason| format!("  {REASON}{}{REASON:#}", inline(reason)));
        let overridden = overridden_text(&reference.overridden);
        let held = reference.held.as_ref().map(|held| format!("  {REASON}{}{REASON:#}", inline(held)));
        let line = format!("{at:place$}  {DIM}{what:kind$}{DIM:#}  {name:image$}  {TAG}{tag}{TAG:#}");
        format!("{line}{}{overridden}{}\n", reason.unwrap_or_default(), held.unwrap_or_default())
    });
    lines.collect()
}

/// In which roots a stronger place overrides the reference.
fn overridden_text(Overrides { everywhere, by }: &Overrides) -> String {
    // several places of a root can override it
    let mut named = HashSet::new();
    let roots = by.iter().filter(|by| named.insert(&by.root));
    let roots: Vec<String> = roots.map(|by| inline(&by.root)).collect();
    match roots.as_slice() {
        [] => String::new(),
        _ if *everywhere => format!("  {REASON}overridden in every root{REASON:#}"),
        roots => format!("  {REASON}overridden in {}{REASON:#}", roots.join(", ")),
    }
}

fn row(reference: &ListedReference) -> [String; 4] {
    [
        format!("{}:{}", inline(&reference.file), reference.line),
        reference.kind.to_owned(),
        if reference.image.is_empty() { "-".to_owned() } else { inline(&reference.image) },
        shown_tag(reference.tag.as_deref(), reference.digest.as_deref()),
    ]
}

/// Tag and digest for a table, with a short digest; a dash if there is neither.
pub(super) fn shown_tag(tag: Option<&str>, digest: Option<&str>) -> String {
    let digest = digest.map(|digest| digest.get(..DIGITS).unwrap_or(digest));
    let text = join_tag(tag, digest);
    if text.is_empty() { "-".to_owned() } else { inline(&text) }
}

#[derive(Serialize)]
struct ListingJson<'a> {
    schema: u32,
    references: Vec<ReferenceJson<'a>>,
    /// The number of files that were read, and how many of them aren't valid YAML.
    files: usize,
    unparsable: usize,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct ReferenceJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    kind: &'a str,
    /// `None` if the file doesn't name the image.
    image: Option<&'a str>,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    editable: bool,
    reason: Option<&'a str>,
    /// The stronger places that override it, each in its root.
    overridden_by: Vec<OverriddenByJson<'a>>,
    /// Who holds it, until when, and why.
    held: Option<&'a str>,
}

#[derive(Serialize)]
struct OverriddenByJson<'a> {
    root: &'a str,
    file: &'a str,
    line: usize,
}

impl<'a> From<&'a OverriddenBy> for OverriddenByJson<'a> {
    fn from(OverriddenBy { root, file, line }: &'a OverriddenBy) -> Self {
        OverriddenByJson { root, file, line: *line }
    }
}

/// One line of JSON, with a line break.
pub fn listing_json(listing: &Listing) -> String {
    let references = listing.references.iter().map(|r| ReferenceJson {
        file: &r.file,
        line: r.line,
        column: r.column,
        kind: r.kind,
        image: Some(r.image.as_str()).filter(|image| !image.is_empty()),
        tag: r.tag.as_deref(),
        digest: r.digest.as_deref(),
        editable: r.reason.is_none(),
        reason: r.reason.as_deref(),
        overridden_by: r.overridden.by.iter().map(OverriddenByJson::from).collect(),
        held: r.held.as_deref(),
    });
    one_line(&ListingJson {
        schema: SCHEMA,
        references: references.collect(),
        files: listing.files,
        unparsable: listing.unparsable.len(),
        warnings: &listing.warnings,
    })
}
