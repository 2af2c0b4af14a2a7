//! The tags that a chart's templates give to images, where that isn't the tag beside the name: as in
//! `{{ .Values.global.tag | default .Values.image.tag }}` or `v{{ .Values.image.tag }}`.
//!
//! By convention, an image has its name and its tag in one block of the values. This evaluates the lines of the templates
//! that give an image. Nothing is rendered: a line that uses more than [`Evaluation`] knows can't be read, and then the convention
//! counts too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::super::super::images::is_key_of_tag;
use super::super::super::place::Place;
use super::super::super::root::Doubt;
use super::super::super::setting::{EffectiveImage, Fixed, Holds, Link, Setting, TextPart};
use super::super::super::value::{Scalar, Value};
use super::evaluation::{EvaluatedPiece, Evaluation};
use super::text::{ChartTemplates, ImageLine, NamedTemplate, TemplatePlace, Uses};
use crate::image::ParsedReference;

/// So many doubts say enough about one chart, and about one image.
const MAX_DOUBTS: usize = 1000;
const MAX_DOUBTS_OF_IMAGE: usize = 3;

/// So many values are looked at to find what lines use that can't be read.
const MAX_USED: usize = 20_000;

/// So many tags are told apart, of an image and of a chart.
const MAX_TAGS_OF_IMAGE: usize = 50;
const MAX_TAGS: usize = 3000;

/// The named templates of charts that are rendered together, by name, and the lines with images in them.
#[derive(Default)]
pub struct AllNamed<'t> {
    pub templates: HashMap<&'t str, &'t NamedTemplate>,
    lines: HashMap<&'t str, Vec<&'t ImageLine>>,
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
struct IncludedTemplates<'t> {
    /// Each with whether it always gets all values.
    named: BTreeMap<&'t str, bool>,
    /// It includes something that isn't here, and that gets all values.
    is_incomplete: bool,
}

impl<'t> IncludedTemplates<'t> {
    fn of(chart: &'t ChartTemplates, all: &AllNamed<'t>) -> Self {
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

/// A chart with the values that its templates get.
pub struct TemplateScope<'s> {
    pub templates: &'s ChartTemplates,
    /// The named templates that it can include.
    pub named: &'s AllNamed<'s>,
    pub values: &'s Value,
    pub app_version: Option<&'s str>,
}

/// The image in a line.
struct TemplateImage {
    at: TemplatePlace,
    name: String,
    /// What holds the name, or parts of it.
    named_at: Vec<Place>,
    tag: Option<String>,
    /// What sets the tag; `None` if no value does.
    setting: Option<Setting>,
}

/// The images of one chart.
pub struct ChartImages {
    images: Vec<EffectiveImage>,
    /// The places of these images as the values have them.
    by_convention: HashSet<Place>,
    /// The places of the tags in lines that can be read.
    read: HashSet<Place>,
    /// The lines with other images.
    others: Vec<TemplateImage>,
    used: UsedValues,
}

impl TemplateScope<'_> {
    /// The images that a chart's values have by convention, with the tags that its templates give them. An image that gets
    /// several is there as often.
    pub fn tagged(&self, images: Vec<EffectiveImage>) -> ChartImages {
        let mut evaluation = Evaluation::new(self.values, &self.named.templates, self.app_version);
        let included = IncludedTemplates::of(self.templates, self.named);
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        for (line, is_whole) in self.rendered_lines(&included, &mut evaluation) {
            let pieces = if is_whole { evaluation.text(&line.text) } else { None };
            match pieces.and_then(|pieces| TemplateImage::of(&pieces, &line.at)) {
                Some(image) => read.push(image),
                None => unread.push(line),
            }
        }
        let used = UsedValues::of(self, &included, &unread, &mut evaluation);
        let names: HashSet<Place> = images.iter().filter_map(|image| image.named_at).collect();
        let by_convention = images.iter().flat_map(EffectiveImage::places).collect();
        let mut tagged = Vec::new();
        for image in images {
            match tagged.len() < MAX_TAGS {
                true => tagged.extend(with_tags(image, &read, &used)),
                false => tagged.push(image),
            }
        }
        let images = tagged;
        let tags = read.iter().filter_map(|line| line.setting.as_ref().and_then(Setting::place)).collect();
        let is_other = |line: &TemplateImage| !line.named_at.iter().any(|place| names.contains(place));
        let others = read.into_iter().filter(is_other).collect();
        ChartImages { images, by_convention, read: tags, others, used }
    }

    /// The lines that may be rendered, and whether each is sure to get all values. They are those outside of named templates,
    /// and those in the ones that are included.
    fn rendered_lines(
        &self,
        included: &IncludedTemplates<'_>,
        evaluation: &mut Evaluation<'_>,
    ) -> Vec<(&ImageLine, bool)> {
        let mut holds = HashMap::new();
        let own = self.templates.lines.iter().filter(|line| line.inside.is_none());
        let own = own.filter(|line| {
            line.conditions.iter().all(|&(nth, is_negated)| {
                let truth = *holds.entry(nth).or_insert_with(|| {
                    self.templates.conditions[nth].as_ref().and_then(|condition| evaluation.truth(condition))
                });
                truth.is_none_or(|truth| truth != is_negated)
            })
        });
        let own: Vec<_> = own.map(|line| (line, true)).collect();
        let named = included.named.iter().flat_map(|(name, is_whole)| {
            let lines = self.named.lines.get(name).map(Vec::as_slice).unwrap_or_default();
            lines.iter().map(|line| (*line, *is_whole && line.conditions.is_empty()))
        });
        own.into_iter().chain(named).collect()
    }
}

impl TemplateImage {
    /// `None` if it can't be told what sets the tag.
    fn of(pieces: &[EvaluatedPiece<'_>], at: &TemplatePlace) -> Option<Self> {
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let ParsedReference { name, tag, digest } = ParsedReference::parse(&text);
        if digest.is_some() || text.contains(char::is_whitespace) {
            return None;
        }
        let (mut named_at, mut tagged, mut start) = (Vec::new(), Vec::new(), 0);
        for piece in pieces {
            let range = start..start + piece.text.len();
            start = range.end;
            let Some(value) = piece.value.filter(|_| !range.is_empty()) else { continue };
            if range.start < name.len() {
                named_at.extend(value.place);
            }
            if range.end > name.len() + 1 {
                tagged.push((value, range));
            }
        }
        let version = tag.map(|_| name.len() + 1..text.len());
        let setting = match (tagged.as_slice(), version) {
            ([], _) | (_, None) => None,
            ([(value, range)], Some(version)) => {
                let inside = range.start.max(version.start)..range.end;
                let around = |range: Range<usize>| text[range].to_owned();
                let (prefix, suffix) = (around(version.start..inside.start), around(inside.end..version.end));
                let own = inside.start - range.start..range.len();
                Some(setting(value, own, Holds::Tag { prefix, suffix })?)
            }
            _ => return None,
        };
        let (at, name, tag) = (at.clone(), name.to_owned(), tag.map(str::to_owned));
        Some(TemplateImage { at, name, named_at, tag, setting })
    }

    /// Whether the tag is all of the one that an image has, or stands for one that isn't there.
    fn is_that_of(&self, image: &EffectiveImage) -> bool {
        let own = image.winning().and_then(Setting::place);
        match &self.setting {
            None => own.is_none() || image.tag.as_deref().is_none_or(str::is_empty),
            Some(Setting::Part(part)) => Some(part.place) == own && part.holds == Holds::whole_tag(),
            Some(other) => other.place() == own,
        }
    }

    /// What sets the tag, or why nothing can.
    fn setting_at(&self, name: Option<Place>) -> Setting {
        let what = || format!("the tag comes from the template in {}, not from the values", self.at);
        let fixed = || Setting::Fixed { at: name, reason: Fixed::Unread { what: what() } };
        self.setting.clone().unwrap_or_else(fixed)
    }
}

/// What sets a tag that is in a range of a value; `None` if something else has changed the value.
fn setting(value: &Scalar, range: Range<usize>, holds: Holds) -> Option<Setting> {
    match value.links.last() {
        None => Some(Setting::Part(TextPart { place: value.place?, range, holds })),
        Some(link) => (holds == Holds::whole_tag()).then(|| link.tag_setting()),
    }
}

/// An image with each of the tags that templates give it. As it is, too, if a template may use it so.
fn with_tags(image: EffectiveImage, read: &[TemplateImage], used: &UsedValues) -> Vec<EffectiveImage> {
    let own = image.winning().and_then(Setting::place);
    let is_of_image = |line: &&TemplateImage| image.named_at.is_some_and(|at| line.named_at.contains(&at));
    let (same, others): (Vec<_>, Vec<_>) =
        read.iter().filter(is_of_image).partition(|line| line.is_that_of(&image));
    if same.is_empty() && others.is_empty() {
        return vec![image];
    }
    let without_digest = without_digest(&image);
    let mut tagged: Vec<EffectiveImage> = Vec::new();
    for line in others {
        let setting = line.setting_at(image.named_at);
        let is_known = tagged.iter().any(|known| known.winning() == Some(&setting));
        if tagged.len() < MAX_TAGS_OF_IMAGE && !is_known {
            tagged.push(with_tag(&without_digest, line, setting));
        }
    }
    // what can't be read may put the tag and the digest together
    let may_be_used = own.is_some() && used.may_use(&image);
    if may_be_used || !same.is_empty() || tagged.is_empty() {
        tagged.insert(0, if may_be_used { image } else { without_digest });
    }
    tagged
}

/// An image whose template has no digest in it.
fn without_digest(image: &EffectiveImage) -> EffectiveImage {
    let mut image = EffectiveImage { digest: None, digest_at: None, ..image.clone() };
    for link in &mut image.chain {
        link.digest = None;
        if let Setting::Parts { digest, .. } = &mut link.setting {
            *digest = None;
        }
    }
    image
}

fn with_tag(image: &EffectiveImage, line: &TemplateImage, setting: Setting) -> EffectiveImage {
    let (name, tag) = (image.name.clone(), line.tag.clone());
    let mut tagged = EffectiveImage { tag: tag.clone(), ..image.clone() };
    tagged.overridden.extend(tagged.app_version.take().and_then(|version| version.empty_tag()));
    tagged.chain.push(Link { setting, name, tag, digest: None, as_tag: None });
    tagged
}

/// The images of other lines that have their tag from the same places.
fn sharing<'l>(
    tagged: &[EffectiveImage],
    lines: impl Iterator<Item = &'l TemplateImage>,
) -> Vec<EffectiveImage> {
    let places: HashSet<Place> =
        tagged.iter().filter_map(|image| image.winning().and_then(Setting::place)).collect();
    let mut found: Vec<EffectiveImage> = Vec::new();
    for TemplateImage { name, tag, setting, .. } in lines {
        let shared = setting.clone().filter(|setting| setting.place().is_some_and(|at| places.contains(&at)));
        let Some(setting) = shared.filter(|_| !name.is_empty()) else { continue };
        let is_known = |image: &EffectiveImage| image.name == *name && image.winning() == Some(&setting);
        if found.iter().any(is_known) {
            continue;
        }
        let (name, tag) = (name.clone(), tag.clone());
        let link = Link { setting, name: name.clone(), tag: tag.clone(), digest: None, as_tag: None };
        found.push(EffectiveImage {
            name,
            tag,
            digest: None,
            chain: vec![link],
            overridden: Vec::new(),
            named_at: None,
            digest_at: None,
            app_version: None,
        });
    }
    found
}

/// The values that templates use where tagbump can't read what they make of them.
#[derive(Default)]
struct UsedValues {
    /// By line, or by named template.
    groups: Vec<UsedTogether>,
    /// All of them.
    all: HashSet<Place>,
    /// Any value may be used.
    any: bool,
    /// How many values were looked at.
    work: usize,
}

/// The values that a line or a named template uses.
#[derive(Default)]
struct UsedTogether {
    /// They are in a line with an image, or in a named template that gives one.
    is_image: bool,
    /// Those that are named themselves: the path, and where.
    named: HashMap<Place, (String, TemplatePlace)>,
    /// Those of them that can be a tag.
    tags: Vec<Place>,
    /// The named ones, and all that are in maps and lists that are named.
    all: HashSet<Place>,
}

impl UsedValues {
    fn of(
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
            used.add(&uses, true, evaluation);
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

    fn add(&mut self, uses: &Uses, is_image: bool, evaluation: &mut Evaluation<'_>) {
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
    fn named(&self, place: Place) -> Option<&(String, TemplatePlace)> {
        self.groups.iter().find_map(|group| group.named.get(&place))
    }

    /// The tags that are used together with an image, or in a line with an image whose name comes from elsewhere.
    fn tags_beside(&self, image: &EffectiveImage, names: &HashSet<Place>) -> Vec<Place> {
        let is_beside =
            |group: &&UsedTogether| uses(&group.all, image) || group.is_image && group.all.is_disjoint(names);
        self.groups.iter().filter(is_beside).flat_map(|group| group.tags.iter().copied()).collect()
    }

    /// Whether something that can't be read may use an image as it is.
    fn may_use(&self, image: &EffectiveImage) -> bool {
        self.any || self.uses(image)
    }

    /// Where something that can't be read uses the name of an image, if nothing uses its tag.
    fn name_without_tag(&self, image: &EffectiveImage, tag: Place) -> Option<&TemplatePlace> {
        let (_, at) = self.named(image.named_at.filter(|name| *name != tag)?)?;
        (!self.any && !self.all.contains(&tag) && image.tag.is_some()).then_some(at)
    }

    /// Whether something that can't be read uses the name or the tag of an image.
    fn uses(&self, image: &EffectiveImage) -> bool {
        uses(&self.all, image)
    }
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

impl ChartImages {
    /// The images of all charts that are rendered together. Adds to `doubts` what can't be read.
    pub fn join(charts: Vec<ChartImages>, doubts: &mut Vec<Doubt>) -> Vec<EffectiveImage> {
        let by_convention: HashSet<Place> =
            charts.iter().flat_map(|chart| chart.by_convention.iter().copied()).collect();
        let images = charts.iter().flat_map(|chart| &chart.images);
        let names: HashSet<Place> = images.filter_map(|image| image.named_at).collect();
        let mut noted = NotedDoubts::default();
        for ChartImages { images, used, read, .. } in &charts {
            let is_by_convention = |image: &EffectiveImage| {
                image.winning().and_then(Setting::place).is_none_or(|place| by_convention.contains(&place))
            };
            for image in images.iter().filter(|image| is_by_convention(image) && used.uses(image)) {
                let others = used
                    .tags_beside(image, &names)
                    .into_iter()
                    .filter(|place| !by_convention.contains(place));
                let others = others.filter_map(|place| used.named(place));
                let others: Vec<_> = others.take(MAX_DOUBTS_OF_IMAGE).collect();
                for (path, at) in &others {
                    let what = format!("the image may get the tag .Values.{path} in {at}");
                    noted.add(image.named_at, what);
                }
                let tag = image.winning().and_then(Setting::place).filter(|tag| !read.contains(tag));
                let unused = tag.filter(|_| others.is_empty());
                if let Some(at) = unused.and_then(|tag| used.name_without_tag(image, tag)) {
                    noted.add(image.named_at, format!("{at} uses the image, but no template uses its tag"));
                }
            }
            let winning = images.iter().filter_map(|image| image.winning().and_then(Setting::place));
            for place in winning.filter(|place| !by_convention.contains(place)) {
                for (_, at) in charts.iter().filter_map(|chart| chart.used.named(place)) {
                    noted.add(Some(place), format!("the tag is also used in {at}"));
                }
            }
        }
        doubts.append(&mut noted.all);
        let (mut images, mut others) = (Vec::new(), Vec::new());
        for chart in charts {
            images.extend(chart.images);
            others.extend(chart.others);
        }
        let sharing = sharing(&images, others.iter());
        images.extend(sharing);
        images
    }
}

/// Doubts, each once.
#[derive(Default)]
struct NotedDoubts {
    all: Vec<Doubt>,
    known: HashSet<(Option<Place>, String)>,
}

impl NotedDoubts {
    fn add(&mut self, at: Option<Place>, what: String) {
        if self.all.len() < MAX_DOUBTS && self.known.insert((at, what.clone())) {
            self.all.push(Doubt { at, what });
        }
    }
}

impl NamedTemplate {
    /// Whether all of it can be evaluated.
    fn is_read(&self, evaluation: &mut Evaluation<'_>) -> bool {
        self.body.as_deref().is_some_and(|body| evaluation.text(body).is_some())
    }
}
