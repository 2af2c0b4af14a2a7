//! The values that templates use in a way that can't be read.

use std::collections::{HashMap, HashSet};

use super::super::super::images::is_key_of_tag;
use super::super::super::place::Place;
use super::super::super::setting::EffectiveImage;
use super::super::super::value::Value;
use super::evaluation::Evaluation;
use super::images::TemplateScope;
use super::named::IncludedTemplates;
use super::text::{ImageLine, NamedTemplate, TemplatePlace, Uses};

/// The most values that are looked at to find what is used in lines that can't be read.
const MAX_USED: usize = 20_000;

/// The values that templates use where tagbump can't read what they make of them.
#[derive(Default)]
pub(super) struct UsedValues {
    /// By line, or by named template.
    pub(super) groups: Vec<UsedTogether>,
    /// All of them.
    pub(super) all: HashSet<Place>,
    /// Any value may be used.
    pub(super) any: bool,
    /// How many values were looked at.
    pub(super) work: usize,
}

/// The values that a line or a named template uses.
#[derive(Default)]
pub(super) struct UsedTogether {
    /// They are in a line with an image, or in a named template that gives one.
    pub(super) is_image: bool,
    /// Those that are named themselves: the path, and where.
    pub(super) named: HashMap<Place, (String, TemplatePlace)>,
    /// Those of them that can be a tag.
    pub(super) tags: Vec<Place>,
    /// The named ones, and all that are in maps and lists that are named.
    pub(super) all: HashSet<Place>,
}

impl UsedValues {
    pub(super) fn of(
        scope: &TemplateScope<'_>,
        included: &IncludedTemplates<'_>,
        unread: &[&ImageLine],
        evaluation: &mut Evaluation<'_>,
    ) -> Self {
        let mut used = UsedValues { any: included.is_incomplete, ..UsedValues::default() };
        for uses in &scope.templates.uses {
            used.add(uses, false, evaluation);
        }
        for line in unread {
            let mut uses = Uses::default();
            uses.add(&line.text, &line.at);
            used.add(&uses, !has_name(&line.text), evaluation);
        }
        for (name, is_whole) in &included.named {
            let named =
                scope.named.templates.get(name).filter(|named| !*is_whole || !named.is_read(evaluation));
            if let Some(named) = named {
                used.add(&named.uses, gives_image(name), evaluation);
            }
        }
        used
    }

    pub(super) fn add(&mut self, uses: &Uses, is_image: bool, evaluation: &mut Evaluation<'_>) {
        self.any |= uses.all;
        let mut group = UsedTogether { is_image, ..UsedTogether::default() };
        let mut rest = Vec::new();
        let all = uses.paths.iter().map(|(path, at)| (path, Some(at)));
        for (path, at) in all.chain(uses.in_control.iter().map(|path| (path, None))) {
            let Some(value) = evaluation.find(&path.split('.').collect::<Vec<_>>()) else {
                self.any = true;
                return;
            };
            if let (Some(Value::Scalar(value)), Some(at)) = (value, at)
                && let Some(place) = value.place
            {
                group.named.insert(place, (path.clone(), at.clone()));
                let key = path.rsplit('.').next().unwrap_or_default();
                group.tags.extend((is_key_of_tag(key) && !value.text.is_empty()).then_some(place));
            }
            rest.extend(value);
        }
        while let Some(value) = rest.pop() {
            self.work += 1;
            if self.work >= MAX_USED {
                self.any = true;
                return;
            }
            group.all.extend(value.scalar().and_then(|value| value.place));
            rest.extend(value.items());
            rest.extend(value.pairs().iter().map(|(_, value)| value));
        }
        self.all.extend(&group.all);
        if !group.all.is_empty() {
            self.groups.push(group);
        }
    }

    /// Where a value is named.
    pub(super) fn named(&self, place: Place) -> Option<&(String, TemplatePlace)> {
        self.groups.iter().find_map(|group| group.named.get(&place))
    }

    /// The tags that are used together with an image, or in a line with an image whose name comes from elsewhere.
    pub(super) fn tags_beside(&self, image: &EffectiveImage, names: &HashSet<Place>) -> Vec<Place> {
        let is_beside =
            |group: &&UsedTogether| uses(&group.all, image) || group.is_image && group.all.is_disjoint(names);
        self.groups.iter().filter(is_beside).flat_map(|group| group.tags.iter().copied()).collect()
    }

    /// Whether something that can't be read may use an image as it is.
    pub(super) fn may_use(&self, image: &EffectiveImage) -> bool {
        self.any || self.uses(image)
    }

    /// Where something that can't be read uses the name of an image, if nothing uses its tag.
    pub(super) fn name_without_tag(&self, image: &EffectiveImage, tag: Place) -> Option<&TemplatePlace> {
        let (_, at) = self.named(image.named_at.filter(|name| *name != tag)?)?;
        (!self.any && !self.all.contains(&tag) && image.tag.is_some()).then_some(at)
    }

    /// Whether something that can't be read uses the name or the tag of an image.
    pub(super) fn uses(&self, image: &EffectiveImage) -> bool {
        uses(&self.all, image)
    }
}

/// Whether a name is written in the text of an image, with `:` behind it: `"acme/api:v%s"`.
fn has_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    text.match_indices(':').any(|(at, _)| {
        let before = text[..at].trim_end_matches(is_part);
        let name = &text[before.len()..at];
        name.contains('/') || !name.is_empty() && (before.is_empty() || before.ends_with(['"', '`']))
    })
}

/// Whether the name of a named template says that it gives an image.
fn gives_image(name: &str) -> bool {
    ["image", "img", "tag", "container"].iter().any(|word| name.to_lowercase().contains(word))
}

/// Whether places have the name or the tag of an image among them.
fn uses(places: &HashSet<Place>, image: &EffectiveImage) -> bool {
    let tag = image.chain.first().and_then(|link| link.setting.place());
    image.named_at.into_iter().chain(tag).any(|place| places.contains(&place))
}

impl NamedTemplate {
    /// Whether all of it can be evaluated.
    pub(super) fn is_read(&self, evaluation: &mut Evaluation<'_>) -> bool {
        self.body.as_deref().is_some_and(|body| evaluation.text(body).is_some())
    }
}
