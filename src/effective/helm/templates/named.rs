//! The named templates that a chart includes, and the lines with images in them.

use std::collections::{BTreeMap, HashMap};

use super::text::{ChartTemplates, ImageLine, NamedTemplate};

/// The named templates of charts that are rendered together, by name, and the lines with images in them.
#[derive(Default)]
pub struct AllNamed<'t> {
    pub templates: HashMap<&'t str, &'t NamedTemplate>,
    pub(super) lines: HashMap<&'t str, Vec<&'t ImageLine>>,
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
            for line in &chart.lines {
                if let Some(name) = &line.inside {
                    all.lines.entry(name).or_default().push(line);
                }
            }
        }
        all
    }
}

/// The named templates that a chart includes, directly or by others.
pub(super) struct IncludedTemplates<'t> {
    /// Each with whether it always gets all values.
    pub(super) named: BTreeMap<&'t str, bool>,
    /// It includes something that isn't here, and that gets all values.
    pub(super) is_incomplete: bool,
}

impl<'t> IncludedTemplates<'t> {
    pub(super) fn of(chart: &'t ChartTemplates, all: &AllNamed<'t>) -> Self {
        let mut included = IncludedTemplates { named: BTreeMap::new(), is_incomplete: false };
        let mut rest = vec![(&chart.included, true)];
        while let Some((includes, is_whole_above)) = rest.pop() {
            let any = includes.any.then(|| all.templates.keys().map(|name| (*name, false)));
            let named = includes.named.iter().map(|(name, is_whole)| (name.as_str(), *is_whole));
            for (name, is_whole) in named.chain(any.into_iter().flatten()) {
                let is_whole = is_whole && is_whole_above;
                let known = included.named.get(name).copied();
                if known.is_some_and(|known| !known || is_whole) {
                    continue;
                }
                included.named.insert(name, is_whole);
                rest.extend(all.templates.get(name).map(|template| (&template.included, is_whole)));
            }
            let is_elsewhere =
                |(name, is_whole): &(String, bool)| *is_whole && !all.templates.contains_key(name.as_str());
            included.is_incomplete |= includes.for_images.iter().any(is_elsewhere);
        }
        included
    }
}
