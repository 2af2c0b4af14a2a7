//! One level after the other, from the innermost kustomization outwards (kustomize's `KustTarget`).

use std::collections::HashSet;

use super::super::files::{Files, join};
use super::super::place::{FileId, Place};
use super::super::root::{COMPONENT_MISSING, COMPONENT_OUTSIDE, Doubt};
use super::super::setting::EffectiveImage;
use super::super::value::Value;
use super::entries::{AppliedEntries, ImageEntry, merge_by_name, one_per_name, replace_by_name};
use super::field_paths::{FieldSpec, value_at};
use super::images::image_scalars;
use super::name_pattern::has_pattern;
use super::resources::{self, Included};
use super::{Additions, Build, Object, kustomization_file, names};

/// Kustomizations that include each other deeper than this are not followed.
const MAX_LEVELS: usize = 32;

/// More doubts than this say nothing new.
const MAX_DOUBTS: usize = 1000;

/// More paths than this are not followed.
const MAX_PATHS: usize = 200;

/// What a regular expression costs, in values.
const COST_OF_PATTERN: usize = 1000;

/// What one more kustomization costs, in values.
const COST_OF_LEVEL: usize = 300;

const DEPENDS_ON_FLUX: &str =
    "sets no tag or digest, and Flux releases before July 2026 drop what the entry of the same name sets";

/// What a kustomization and all that it includes have given so far (kustomize's `ResAccumulator`).
pub(super) struct Gathered {
    pub objects: Vec<Object>,
    /// The images of charts, which are not rendered as objects.
    pub chart_images: Vec<EffectiveImage>,
    /// Where entries look for images besides `containers` and `initContainers`.
    pub image_paths: Vec<FieldSpec>,
    /// Where `vars` are replaced.
    pub variable_paths: Vec<FieldSpec>,
    /// Items of `vars`.
    pub variables: Vec<Value>,
    /// Something is included that can't be rendered.
    pub has_unknown: bool,
}

/// One kustomization.
#[derive(Clone, Copy)]
pub(super) struct Level<'l> {
    pub folder: &'l str,
    /// `None` if a tool generates it.
    pub file: Option<FileId>,
    pub fields: &'l Value,
    pub additions: &'l Additions,
}

pub(super) struct Builder<'b, 'f> {
    pub files: &'b mut Files<'f>,
    pub build: Build,
    /// The folders of the kustomizations that are being built, outermost first.
    open: Vec<String>,
}

impl Default for Gathered {
    fn default() -> Self {
        // `builtinpluginconsts.imagesFieldSpecs`; containers are found wherever they are
        let volumes = ["spec/volumes[]/image/reference", "spec/template/spec/volumes[]/image/reference"];
        let image_paths = volumes.into_iter().map(FieldSpec::any).collect();
        Gathered {
            objects: Vec::new(),
            chart_images: Vec::new(),
            image_paths,
            variable_paths: Vec::new(),
            variables: Vec::new(),
            has_unknown: false,
        }
    }
}

impl Level<'_> {
    /// The items of a list of the kustomization.
    pub fn list(&self, key: &str) -> &[Value] {
        self.fields.get(key).map_or(&[], Value::items)
    }
}

impl<'b, 'f> Builder<'b, 'f> {
    pub fn new(files: &'b mut Files<'f>) -> Self {
        Builder { files, build: Build::default(), open: Vec::new() }
    }

    pub fn run(mut self, folder: &str, additions: &Additions) -> Build {
        let gathered = self.kustomization(folder, Gathered::default(), additions, None);
        self.finish(gathered)
    }

    /// Builds a kustomization that no file holds.
    pub fn run_generated(mut self, folder: &str, fields: &Value, additions: &Additions) -> Build {
        self.open.push(folder.to_owned());
        let gathered = self.level(&Level { folder, file: None, fields, additions }, Gathered::default());
        self.finish(gathered)
    }

    /// See [`super::build_elsewhere`].
    pub fn run_elsewhere(mut self, additions: &Additions) -> Build {
        let level = Level { folder: "", file: None, fields: &Value::default(), additions };
        let gathered = self.level(&level, Gathered { has_unknown: true, ..Gathered::default() });
        self.finish(gathered)
    }

    /// See [`super::build_around_chart`].
    pub fn run_around_chart(
        mut self,
        fields: &Value,
        objects: Vec<Object>,
        chart_images: Vec<EffectiveImage>,
    ) -> Build {
        let level = Level { folder: "", file: None, fields, additions: &Additions::default() };
        let chart = Gathered { has_unknown: true, objects, chart_images, ..Gathered::default() };
        let gathered = self.level(&level, chart);
        self.finish(gathered)
    }

    fn finish(mut self, mut gathered: Gathered) -> Build {
        self.resolve_variables(&mut gathered);
        self.build.chart_images = gathered.chart_images;
        let objects = gathered.objects.into_iter();
        self.build.objects = objects.filter(|object| !resources::is_local_config(object)).collect();
        self.build
    }

    /// Adds what the kustomization in a folder gives. `at` is where another one includes it.
    fn kustomization(
        &mut self,
        folder: &str,
        mut gathered: Gathered,
        additions: &Additions,
        at: Option<Place>,
    ) -> Gathered {
        let is_cycle = self.open.iter().any(|open| open == folder);
        if is_cycle || self.open.len() >= MAX_LEVELS || !self.files.spend(COST_OF_LEVEL) {
            let why = if is_cycle { "includes itself" } else { "is too large to evaluate" };
            self.note_uncertain(at, why);
            return gathered;
        }
        let file = kustomization_file(self.files, folder);
        let fields = file.and_then(|file| self.files.documents(file).into_iter().next());
        let Some(fields) = fields else {
            self.build.files.extend(file);
            gathered.has_unknown = true;
            self.note_unknown(at, "includes a kustomization that can't be read");
            return gathered;
        };
        self.build.files.extend(file);
        self.open.push(folder.to_owned());
        let gathered = self.level(&Level { folder, file, fields: &fields, additions }, gathered);
        self.open.pop();
        gathered
    }

    /// `KustTarget.accumulateTarget`
    pub fn level(&mut self, level: &Level<'_>, mut gathered: Gathered) -> Gathered {
        for item in level.list("resources").iter().chain(level.list("bases")) {
            self.resource(level, item, &mut gathered);
        }
        self.configurations(level, &mut gathered);
        self.generate(level, &mut gathered);
        self.generators(level, &mut gathered);
        self.drop_repeated(&mut gathered.objects);
        for item in level.list("components").iter().chain(&level.additions.components) {
            gathered = self.component(level, item, gathered);
        }
        self.transform(level, &mut gathered);
        let size = gathered.objects.iter().map(|object| object.value.size()).sum();
        self.can_afford(size);
        gathered
    }

    fn resource(&mut self, level: &Level<'_>, item: &Value, gathered: &mut Gathered) {
        let Some(path) = item.text() else { return };
        match resources::follow(self.files, level.folder, path) {
            Included::File(file) => {
                self.build.files.insert(file);
                if self.files.file(file).yaml.is_none() {
                    gathered.has_unknown = true;
                    self.note_unknown(item.place(), "includes a file that isn't valid YAML");
                }
                gathered.objects.extend(resources::objects(self.files, file));
            }
            Included::Folder(folder) => {
                self.build.includes.insert(folder.clone());
                let base = Gathered::default();
                let mut base = self.kustomization(&folder, base, &Additions::default(), item.place());
                gathered.objects.append(&mut base.objects);
                gathered.chart_images.append(&mut base.chart_images);
                add_paths(&mut gathered.image_paths, base.image_paths);
                add_paths(&mut gathered.variable_paths, base.variable_paths);
                gathered.variables.append(&mut base.variables);
                gathered.has_unknown |= base.has_unknown;
            }
            Included::Remote => {
                gathered.has_unknown = true;
                self.note_unknown(item.place(), "includes a remote base");
            }
            Included::Missing => {
                gathered.has_unknown = true;
                self.note_unknown(item.place(), "includes a path that isn't in this repository");
            }
        }
    }

    /// A component changes what was gathered so far (`KustTarget.accumulateComponents`).
    fn component(&mut self, level: &Level<'_>, item: &Value, mut gathered: Gathered) -> Gathered {
        let Some(path) = item.text() else { return gathered };
        match resources::follow(self.files, level.folder, path) {
            Included::Folder(folder) => {
                self.build.includes.insert(folder.clone());
                self.kustomization(&folder, gathered, &Additions::default(), item.place())
            }
            Included::Remote | Included::File(_) | Included::Missing => {
                gathered.has_unknown = true;
                let is_outside = join(level.folder, path).is_none();
                let what = if is_outside { COMPONENT_OUTSIDE } else { COMPONENT_MISSING };
                self.note_uncertain(item.place(), what);
                gathered
            }
        }
    }

    /// kustomize ends with an error if an object comes twice.
    fn drop_repeated(&mut self, objects: &mut Vec<Object>) {
        let mut seen = HashSet::new();
        let mut repeated = Vec::new();
        objects.retain(|object| {
            let mut id = object.id();
            id.namespace = id.effective_namespace().to_owned();
            let is_new = seen.insert(id);
            if !is_new {
                repeated.push(object.value.get("kind").and_then(Value::place));
            }
            is_new
        });
        for at in repeated {
            self.note_uncertain(at, "is included twice, and kustomize refuses that");
        }
    }

    /// In the order of `KustTarget.configureBuiltinTransformers`.
    fn transform(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        let Additions { patches, strategic_merges, json_patches, .. } = level.additions;
        for item in level.list("patchesStrategicMerge").iter().chain(strategic_merges) {
            self.strategic_merge(level, item, gathered);
        }
        for item in level.list("patches").iter().chain(patches) {
            self.patch(level, item, gathered);
        }
        let labels = ["labels", "commonLabels", "commonAnnotations"].into_iter();
        let labels: usize = labels.filter_map(|key| level.fields.get(key)).map(Value::size).sum();
        if self.can_afford(labels.saturating_mul(gathered.objects.len())) {
            names::apply(&mut gathered.objects, level.fields);
        }
        for item in level.list("patchesJson6902").iter().chain(json_patches) {
            self.patch(level, item, gathered);
        }
        self.images(level, gathered);
        self.replacements(level, gathered);
        self.transformers(level);
        self.bind_variables(level, gathered);
    }

    fn images(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        let Additions { images, overrides, .. } = level.additions;
        let items = level.list("images").iter().chain(level.list("imageTags")).chain(images).chain(overrides);
        let patterns = items.filter(|item| has_pattern(item)).count();
        if !self.can_afford(patterns.saturating_mul(COST_OF_PATTERN)) {
            return;
        }
        let mut entries: Vec<_> = level.list("images").iter().filter_map(ImageEntry::read).collect();
        for at in merge_by_name(&mut entries, images.iter().filter_map(ImageEntry::read)) {
            self.note_uncertain(at, DEPENDS_ON_FLUX);
        }
        // `FixKustomization`: these come last
        entries.extend(level.list("imageTags").iter().filter_map(ImageEntry::read));
        if !overrides.is_empty() {
            entries = one_per_name(entries);
            replace_by_name(&mut entries, overrides.iter().filter_map(ImageEntry::read_override));
            entries.sort_by(|one, other| one.name.cmp(&other.name));
        }
        if entries.is_empty() {
            return;
        }
        let mut entries = AppliedEntries::new(entries);
        for object in &mut gathered.objects {
            for steps in image_scalars(&object.value, &gathered.image_paths) {
                let Some(Value::Scalar(image)) = value_at(&mut object.value, &steps) else { continue };
                if !self.can_afford(entries.cost()) {
                    return;
                }
                entries.apply(image);
            }
        }
        if !self.can_afford(entries.cost().saturating_mul(gathered.chart_images.len())) {
            return;
        }
        for image in &mut gathered.chart_images {
            image.change_text(|text| entries.apply(text));
        }
        let is_component = level.fields.text_at(&["kind"]) == Some("Component");
        let may_match = gathered.has_unknown || (is_component && self.open.len() == 1);
        self.build.unmatched.extend(entries.unmatched(may_match));
    }

    /// Counts work. `false`, and a doubt, if it is too much.
    pub fn can_afford(&mut self, values: usize) -> bool {
        let can = self.files.spend(values);
        if !can {
            self.note_uncertain(None, "is too large to evaluate");
        }
        can
    }

    pub fn note_unknown(&mut self, at: Option<Place>, what: &str) {
        doubt(&mut self.build.unknown, at, what);
    }

    pub fn note_uncertain(&mut self, at: Option<Place>, what: &str) {
        doubt(&mut self.build.uncertain, at, what);
    }
}

fn doubt(doubts: &mut Vec<Doubt>, at: Option<Place>, what: &str) {
    let doubt = Doubt { at, what: what.to_owned() };
    if doubts.len() < MAX_DOUBTS && !doubts.contains(&doubt) {
        doubts.push(doubt);
    }
}

/// Adds the paths that aren't there yet.
pub(super) fn add_paths(paths: &mut Vec<FieldSpec>, new: impl IntoIterator<Item = FieldSpec>) {
    for path in new {
        if paths.len() < MAX_PATHS && !paths.contains(&path) {
            paths.push(path);
        }
    }
}
