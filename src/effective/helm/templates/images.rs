//! The images of a chart as its templates make them. A tag need not be the one beside the name: as in
//! `{{ .Values.global.tag | default .Values.image.tag }}` or `v{{ .Values.image.tag }}`.
//!
//! By convention, an image has its name and its tag in one block of the values. This evaluates the lines of the templates
//! that give an image. Nothing is rendered: a line that uses more than [`Evaluation`] knows can't be read, and then the convention
//! counts too.

use std::collections::{HashMap, HashSet};

use super::super::super::place::Place;
use super::super::super::root::{Doubt, NAMELESS_IMAGE};
use super::super::super::setting::{DigestAt, EffectiveImage, Link, Setting};
use super::super::super::value::Value;
use super::evaluation::Evaluation;
use super::line::TemplateImage;
use super::named::{AllNamed, IncludedTemplates};
use super::text::{ChartTemplates, ImageLine, TemplatePlace};
use super::unused::unused_images;
use super::used::UsedValues;
use crate::image::same_image;

/// The most doubts about one chart, and about one image.
const MAX_DOUBTS: usize = 1000;
const MAX_DOUBTS_OF_IMAGE: usize = 3;

/// The most tags that templates give to one image, and to all images of a chart.
const MAX_TAGS_OF_IMAGE: usize = 50;
const MAX_TAGS: usize = 3000;

/// An image that templates give more names keeps its own.
const MAX_NAMES_OF_IMAGE: usize = 20;

/// A chart with the values that its templates get.
pub struct TemplateScope<'s> {
    pub templates: &'s ChartTemplates,
    /// The named templates that it can include.
    pub named: &'s AllNamed<'s>,
    pub values: &'s Value,
    pub app_version: Option<&'s str>,
    /// The keys of the charts that it contains and that aren't here.
    pub absent: &'s [String],
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
    /// About images that no template uses.
    unused: Vec<Doubt>,
    /// The first line with an image whose name isn't known.
    nameless: Option<TemplatePlace>,
}

impl TemplateScope<'_> {
    /// Whether all templates of the chart, and all that they include, were read.
    pub(super) fn is_all_known(&self) -> bool {
        let is_known = |(name, _): &(String, bool)| self.named.templates.contains_key(name.as_str());
        self.templates.is_whole
            && self
                .templates
                .all_included()
                .all(|includes| !includes.any && includes.named.iter().all(is_known))
    }

    /// The images that a chart's values have by convention, with the tags that its templates give them. An image that gets
    /// several is there as often.
    pub fn tagged(&self, images: Vec<EffectiveImage>) -> ChartImages {
        let mut evaluation = Evaluation::new(self.values, self.named, self.app_version);
        let mut included = IncludedTemplates::of(self.templates, self.named);
        let ReadLines { images: mut read, unread } = self.read_lines(&images, &included, &mut evaluation);
        unread.iter().for_each(|line| included.add_those_of(line));
        leave_names_untagged(&mut read, &images);
        let used = UsedValues::of(self, &included, &unread, &mut evaluation);
        let names: HashSet<Place> = images.iter().filter_map(|image| image.named_at).collect();
        let by_convention = images.iter().flat_map(EffectiveImage::places).collect();
        let unused = unused_images(self, &images, &used);
        let images = in_templates(images, &read, &used);
        let tags = read.iter().filter_map(|line| line.setting.as_ref().and_then(Setting::place)).collect();
        let is_other = |line: &TemplateImage| !line.named_at.iter().any(|place| names.contains(place));
        let (mut begun, mut nameless) = (Vec::new(), None);
        for line in unread {
            match TemplateImage::with_unknown_tag(line, &evaluation.beginning(&line.text)) {
                Some(image) => begun.push(image),
                None => nameless = nameless.or_else(|| Some(line.at.clone())),
            }
        }
        let others = read.into_iter().chain(begun).filter(is_other).collect();
        ChartImages { images, by_convention, read: tags, others, used, unused, nameless }
    }

    /// Reads the lines that are rendered, and those that a bump without a digest leads to: it empties the digest that is there.
    fn read_lines<'t>(
        &'t self,
        images: &[EffectiveImage],
        included: &IncludedTemplates<'t>,
        evaluation: &mut Evaluation<'_>,
    ) -> ReadLines<'t> {
        let mut lines = ReadLines::default();
        for (line, is_whole) in self.rendered_lines(included, evaluation) {
            match image_in(line, is_whole, evaluation) {
                Some(image) => lines.images.push(image),
                None => lines.unread.push(line),
            }
        }
        let digests: HashSet<Place> = images.iter().filter_map(place_of_digest).collect();
        if digests.is_empty() {
            return lines;
        }
        evaluation.empty(digests);
        let (known, unread) = (lines.images.len(), std::mem::take(&mut lines.unread));
        for (line, is_whole) in self.rendered_lines(included, evaluation) {
            if lines.images[..known].iter().any(|image| image.at == line.at) {
                continue;
            }
            match image_in(line, is_whole, evaluation) {
                Some(image) => lines.images.push(TemplateImage { is_partial: true, ..image }),
                None => lines.unread.extend(unread.iter().find(|other| other.at == line.at)),
            }
        }
        evaluation.empty(HashSet::new());
        lines
    }

    /// The lines that may be rendered, and whether each is sure to get all values. They are those outside of named templates,
    /// and those in the ones that are included.
    fn rendered_lines<'t>(
        &'t self,
        included: &IncludedTemplates<'t>,
        evaluation: &mut Evaluation<'_>,
    ) -> Vec<(&'t ImageLine, bool)> {
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

/// What is known of a chart's lines with images.
#[derive(Default)]
struct ReadLines<'t> {
    images: Vec<TemplateImage>,
    unread: Vec<&'t ImageLine>,
}

/// A value can be all of an image in one line, and its name in another one, which adds a tag: then it must stay a name.
fn leave_names_untagged(lines: &mut [TemplateImage], images: &[EffectiveImage]) {
    let in_parts = images.iter().filter(|image| !matches!(image.winning(), Some(Setting::Image(_))));
    let mut names: HashSet<Place> = in_parts.filter_map(|image| image.named_at).collect();
    let joined = lines.iter().filter(|line| line.whole_without_tag().is_none());
    names.extend(joined.flat_map(|line| line.named_at.iter().copied()));
    let untagged = |line: &&mut TemplateImage| line.whole_without_tag().is_some_and(|at| names.contains(&at));
    lines.iter_mut().filter(untagged).for_each(TemplateImage::leave_untagged);
}

fn place_of_digest(image: &EffectiveImage) -> Option<Place> {
    match image.digest_at? {
        DigestAt::Place(place) => Some(place),
        DigestAt::Unplaced => None,
    }
}

/// The image in a line, as it is rendered with the values.
fn image_in(line: &ImageLine, is_whole: bool, evaluation: &mut Evaluation<'_>) -> Option<TemplateImage> {
    let (pieces, is_partial) = is_whole.then(|| evaluation.text(&line.text))??;
    TemplateImage::of(line, &pieces, is_partial)
}

/// The images of the values as lines of templates make them.
fn in_templates(
    images: Vec<EffectiveImage>,
    read: &[TemplateImage],
    used: &UsedValues,
) -> Vec<EffectiveImage> {
    let names: HashSet<Place> = images.iter().filter_map(|image| image.named_at).collect();
    // in `registry/repository`, the value behind the other is what names the image
    let mut lines: HashMap<Place, Vec<&TemplateImage>> = HashMap::new();
    let mut before_others = HashSet::new();
    for line in read {
        let mut named_at = line.named_at.iter().rev().filter(|place| names.contains(place));
        if let Some(name) = named_at.next() {
            lines.entry(*name).or_default().push(line);
        }
        before_others.extend(named_at.copied());
    }
    let is_part_only = |image: &EffectiveImage| {
        image.named_at.is_some_and(|name| before_others.contains(&name) && !lines.contains_key(&name))
            && !used.may_use(image)
    };
    let mut found = Vec::new();
    for image in images {
        match image.named_at.and_then(|name| lines.get(&name)).filter(|_| found.len() < MAX_TAGS) {
            Some(lines) => found.extend(in_lines(&image, lines, used)),
            None if is_part_only(&image) => {}
            None => found.push(image),
        }
    }
    found
}

/// An image of the values under each name that lines give it.
fn in_lines(image: &EffectiveImage, lines: &[&TemplateImage], used: &UsedValues) -> Vec<EffectiveImage> {
    let mut by_name: Vec<Vec<&TemplateImage>> = Vec::new();
    for line in lines {
        match by_name.iter().position(|same| same_image(&same[0].name, &line.name)) {
            Some(same) => by_name[same].push(line),
            None if by_name.len() >= MAX_NAMES_OF_IMAGE => return with_tags(image.clone(), lines, used),
            None => by_name.push(vec![line]),
        }
    }
    let is_sure = !used.may_use(image);
    let named =
        by_name.iter().flat_map(|lines| with_tags(renamed(image.clone(), lines[0], is_sure), lines, used));
    named.collect()
}

/// An image with each of the tags that templates give it; also unchanged, if a template may use it that way.
fn with_tags(image: EffectiveImage, lines: &[&TemplateImage], used: &UsedValues) -> Vec<EffectiveImage> {
    let own = image.winning().and_then(Setting::place);
    let (same, others): (Vec<&TemplateImage>, Vec<_>) =
        lines.iter().partition(|line| line.is_that_of(&image));
    let leaves_digest_out = same.iter().chain(&others).all(|line| !line.is_partial);
    let base = if leaves_digest_out { without_digest(&image) } else { image.clone() };
    let mut tagged: Vec<EffectiveImage> = Vec::new();
    for line in others {
        let setting = line.setting_at(image.named_at);
        let is_known = tagged.iter().any(|known| known.winning() == Some(&setting));
        if tagged.len() < MAX_TAGS_OF_IMAGE && !is_known {
            tagged.push(with_tag(&base, line, setting));
        }
    }
    // what can't be read may put the tag and the digest together
    let may_be_used = own.is_some() && used.may_use(&image);
    if may_be_used || !same.is_empty() || tagged.is_empty() {
        tagged.insert(0, if may_be_used { image } else { base });
    }
    tagged
}

/// An image with the name that its template makes, such as one with a registry before it. If what can't be read may use it too,
/// the image keeps its name, and has that one besides.
fn renamed(image: EffectiveImage, line: &TemplateImage, is_sure: bool) -> EffectiveImage {
    if line.name.is_empty() || same_image(&line.name, &image.name) {
        return image;
    }
    let (made, own) = (line.name.clone(), image.name.clone());
    let (name, other) = if is_sure { (made, own) } else { (own, made) };
    EffectiveImage { name, other_name: Some(other), ..image }
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

/// The images of other lines: the values hold them, or parts of them, where no convention finds them. Where a template has all of
/// an image itself, only an edit of the template changes it.
fn made_by_templates(lines: impl Iterator<Item = TemplateImage>) -> Vec<EffectiveImage> {
    let mut found: Vec<EffectiveImage> = Vec::new();
    for line in lines.filter(|line| !line.name.is_empty()) {
        if line.is_found_by_its_text() || found.len() >= MAX_TAGS {
            continue;
        }
        let setting = line.setting_at(line.named_at.first().copied());
        let is_known = |image: &EffectiveImage| image.name == line.name && image.winning() == Some(&setting);
        if found.iter().any(is_known) {
            continue;
        }
        let TemplateImage { name, tag, whole_name, .. } = line;
        let link = Link { setting, name: name.clone(), tag: tag.clone(), digest: None, as_tag: None };
        found.push(EffectiveImage {
            name,
            tag,
            digest: None,
            chain: vec![link],
            overridden: Vec::new(),
            named_at: whole_name,
            digest_at: None,
            app_version: None,
            other_name: None,
        });
    }
    found
}

impl ChartImages {
    /// The images of all charts that are rendered together. Adds to `doubts` what can't be read.
    pub fn join(charts: Vec<ChartImages>, doubts: &mut Vec<Doubt>) -> Vec<EffectiveImage> {
        let by_convention: HashSet<Place> =
            charts.iter().flat_map(|chart| chart.by_convention.iter().copied()).collect();
        let images = charts.iter().flat_map(|chart| &chart.images);
        let names: HashSet<Place> = images.filter_map(|image| image.named_at).collect();
        let mut noted = NotedDoubts::default();
        for ChartImages { images, used, read, unused, .. } in &charts {
            unused.iter().for_each(|doubt| noted.add(doubt.at, doubt.what.clone()));
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
        for at in charts.iter().filter_map(|chart| chart.nameless.as_ref()) {
            noted.add(None, format!("{at} {NAMELESS_IMAGE}"));
        }
        doubts.append(&mut noted.all);
        let (mut images, mut others) = (Vec::new(), Vec::new());
        for chart in charts {
            images.extend(chart.images);
            others.extend(chart.others);
        }
        images.extend(made_by_templates(others.into_iter()));
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
