//! What texts include: the named templates that a chart includes, and the lines with images in them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::text::{ChartTemplates, ImageLine, NamedTemplate};

/// What a text includes. The lines with an image have their own.
#[derive(Debug, Default)]
pub struct Includes {
    /// The named templates that get all values, `.` or `$`, and those that get something else.
    pub named: BTreeSet<(String, bool)>,
    /// Those in lines that may make an image.
    pub for_images: BTreeSet<(String, bool)>,
    /// A name is put together.
    pub any: bool,
}

impl Includes {
    /// What the text of an image includes.
    pub fn of_image(text: &str) -> Self {
        let mut includes = Includes::default();
        includes.note(text, true);
        includes
    }

    /// Adds what a line includes.
    pub fn note(&mut self, line: &str, may_make_image: bool) {
        for call in line.split("include ").skip(1).chain(line.split("template ").skip(1)) {
            let call = call.trim_start();
            self.any |= call.starts_with('(') && !call.contains(".BasePath");
            let Some((name, behind)) = call.strip_prefix('"').and_then(|call| call.split_once('"')) else {
                continue;
            };
            let context: String = behind.trim_start().chars().take_while(|c| ".$".contains(*c)).collect();
            let next = behind.trim_start()[context.len()..].chars().next();
            let is_whole = !context.is_empty() && next.is_none_or(|next| !next.is_alphanumeric());
            if may_make_image {
                self.for_images.insert((name.to_owned(), is_whole));
            }
            self.named.insert((name.to_owned(), is_whole));
        }
    }
}

/// The named templates of charts that are rendered together, by name, and the lines with images in them.
#[derive(Default)]
pub struct AllNamed<'t> {
    pub templates: HashMap<&'t str, &'t NamedTemplate>,
    pub(super) lines: HashMap<&'t str, Vec<&'t ImageLine>>,
    /// The paths that actions set in what the templates get, and don't remove again.
    pub(super) set_paths: HashSet<&'t str>,
    /// The words in their actions.
    pub(super) words: HashSet<&'t str>,
}

impl<'t> AllNamed<'t> {
    /// Of several with one name, the outermost chart's counts. (Helm, `engine.sortTemplates`.)
    pub fn of(innermost_first: impl Iterator<Item = &'t ChartTemplates>) -> Self {
        let mut all = AllNamed::default();
        for chart in innermost_first {
            for (name, template) in &chart.named {
                all.templates.insert(name, template);
                all.lines.remove(name.as_str());
            }
            all.words.extend(chart.words.iter().map(String::as_str));
            all.set_paths.extend(chart.set_paths.difference(&chart.unset_paths).map(String::as_str));
            for line in &chart.lines {
                if let Some(name) = &line.inside {
                    all.lines.entry(name).or_default().push(line);
                }
            }
        }
        all
    }
}

/// The named templates that a chart includes, directly or by others; of the lines with an image, only those that were added.
pub(super) struct IncludedTemplates<'t> {
    all: &'t AllNamed<'t>,
    /// Each with whether it always gets all values.
    pub(super) named: BTreeMap<&'t str, bool>,
    /// It includes something that isn't here, and that gets all values.
    pub(super) is_incomplete: bool,
}

impl<'t> IncludedTemplates<'t> {
    pub(super) fn of(chart: &'t ChartTemplates, all: &'t AllNamed<'t>) -> Self {
        let mut included = IncludedTemplates { all, named: BTreeMap::new(), is_incomplete: false };
        included.add(&chart.included, true);
        included
    }

    /// Adds what a line with an image includes.
    pub(super) fn add_those_of(&mut self, line: &'t ImageLine) {
        let inside = line.inside.as_deref();
        let is_whole = inside.is_none_or(|name| self.named.get(name).is_some_and(|is_whole| *is_whole));
        self.add(&line.included, is_whole);
    }

    fn add(&mut self, includes: &'t Includes, is_whole: bool) {
        let mut rest = vec![(includes, is_whole)];
        while let Some((includes, is_whole_above)) = rest.pop() {
            let any = includes.any.then(|| self.all.templates.keys().map(|name| (*name, false)));
            let named = includes.named.iter().map(|(name, is_whole)| (name.as_str(), *is_whole));
            for (name, is_whole) in named.chain(any.into_iter().flatten()) {
                let is_whole = is_whole && is_whole_above;
                let known = self.named.get(name).copied();
                if known.is_some_and(|known| !known || is_whole) {
                    continue;
                }
                self.named.insert(name, is_whole);
                rest.extend(self.all.templates.get(name).map(|template| (&template.included, is_whole)));
            }
            let is_elsewhere = |(name, is_whole): &(String, bool)| {
                *is_whole && !self.all.templates.contains_key(name.as_str())
            };
            self.is_incomplete |= includes.for_images.iter().any(is_elsewhere);
        }
    }
}
