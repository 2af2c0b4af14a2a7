//! A chart in the repository, with the charts that it contains.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::super::files::{Files, folder_of, join};
use super::super::images::values_images;
use super::super::place::Place;
use super::super::root::Doubt;
use super::super::setting::{AppVersion, EffectiveImage, Setting};
use super::super::value::Value;
use super::maps::load_map;
use super::merge::overlay;
use super::templates::{AllNamed, ChartImages, ChartTemplates, TemplateScope};
use super::trail::Trail;

/// Charts that are nested deeper are left out. A chart can contain itself through `file://`.
const MAX_DEPTH: usize = 8;

/// What an evaluated chart costs at least, in values. It keeps charts that contain each other in many ways from
/// taking long.
const COST: usize = 50;

/// Paths with more keys are cut off.
const MAX_KEYS: usize = 30;

/// A chart and its values.
#[derive(Clone, Debug)]
pub struct Chart {
    pub folder: String,
    /// `name` in Chart.yaml.
    name: String,
    /// Its key in the parent's values, and `.Chart.Name` in its templates: the alias, else the name.
    pub key: String,
    values: Value,
    app_version: Option<(String, Option<Place>)>,
    contained: Vec<Chart>,
    templates: Arc<ChartTemplates>,
    /// The keys in its values of the charts that it depends on and that aren't here.
    absent: Vec<String>,
}

impl Chart {
    /// Reads the chart in a folder; `None` if it has no Chart.yaml.
    pub fn load(files: &mut Files<'_>, folder: &str, trail: &mut Trail) -> Option<Self> {
        load_at(files, folder, 0, trail)
    }

    /// Uses other values than those of values.yaml.
    pub fn set_values(&mut self, values: Value) {
        self.values = values;
    }

    /// The folders of the charts that it contains.
    pub fn contained_folders(&self) -> BTreeSet<String> {
        let mut folders = BTreeSet::new();
        let mut rest: Vec<&Chart> = self.contained.iter().collect();
        while let Some(chart) = rest.pop() {
            folders.insert(chart.folder.clone());
            rest.extend(&chart.contained);
        }
        folders
    }

    /// The number of values in it, which is what reading it costs.
    pub fn size(&self) -> usize {
        COST + self.values.size() + self.contained.iter().map(Chart::size).sum::<usize>()
    }

    /// What rendering it with a user's values costs, in values. Each contained chart gets a copy of the globals.
    pub fn cost(&self, user: &Value) -> usize {
        user.size() + self.cost_with(user.get("global").map_or(0, Value::size))
    }

    fn cost_with(&self, globals: usize) -> usize {
        let globals = globals + self.values.get("global").map_or(0, Value::size);
        let contained = self.contained.iter().map(|chart| chart.cost_with(globals));
        COST + self.values.size() + globals + contained.sum::<usize>()
    }

    /// The chart and all that it contains, each with the values that its templates get.
    pub fn with_values(&self, user: Value) -> Vec<(&Chart, Value)> {
        let mut all = Vec::new();
        let mut rest = vec![(self, user)];
        while let Some((chart, user)) = rest.pop() {
            let (own, contained) = chart.split(user);
            all.push((chart, own));
            rest.extend(chart.contained.iter().zip(contained).rev());
        }
        all
    }

    /// The images of the chart and of all that it contains, with the user's values on top of its own. Adds to `doubts`
    /// what its templates do that can't be read.
    pub fn images(&self, user: Value, doubts: &mut Vec<Doubt>) -> Vec<EffectiveImage> {
        let charts = self.with_values(user);
        let innermost_first = charts.iter().rev().map(|(chart, _)| chart.templates.as_ref());
        let named = AllNamed::of(innermost_first);
        let tagged = charts.iter().map(|(chart, values)| {
            let app_version = chart.app_version.as_ref().map(|(text, _)| text.as_str());
            let scope = TemplateScope {
                templates: &chart.templates,
                named: &named,
                values,
                app_version,
                absent: &chart.absent,
            };
            scope.tagged(chart.images_of(values))
        });
        let mut images = ChartImages::join(tagged.collect(), doubts);
        // values under `global` are in every chart
        let mut seen = HashSet::new();
        images.retain(|image| {
            let winning = image.winning().and_then(Setting::place);
            seen.insert((image.name.clone(), image.named_at, places(image), winning))
        });
        images
    }

    /// The images that its values have by convention, without those of the charts that it contains.
    fn images_of(&self, own: &Value) -> Vec<EffectiveImage> {
        let absent = self.absent_images(own);
        values_images(own).into_iter().map(|image| self.defaulted(image, &absent)).collect()
    }

    /// Whether an image has its name, tag or digest from the chart, and not from the user's values alone.
    fn adds_to_images(&self, user: Value) -> bool {
        let version = |image: &EffectiveImage| (image.name.clone(), image.tag.clone(), image.digest.clone());
        let own: HashSet<_> = values_images(&user).iter().map(version).collect();
        let charts = self.with_values(user);
        let mut images = charts.iter().flat_map(|(chart, own)| chart.images_of(own));
        images.any(|image| image.winning().is_none() || !own.contains(&version(&image)))
    }

    /// The chart's own values with the user's on top, and what each contained chart gets from both.
    /// (Helm, `chartutil.coalesce` and `coalesceDeps`.)
    fn split(&self, mut user: Value) -> (Value, Vec<Value>) {
        let mut own = self.values.clone();
        // a null stays: it deletes what the contained chart sets (`childChartMergeTrue`)
        let mut contained: Vec<Value> = self
            .contained
            .iter()
            .map(|chart| {
                let mut values = own.remove(&chart.key).unwrap_or_default();
                overlay(&mut values, user.remove(&chart.key).unwrap_or_default());
                values
            })
            .collect();
        // Helm removes the key then; a null has the same effect, and tells where that is
        overlay(&mut own, user);
        if let Some(global @ Value::Map(_)) = own.get("global") {
            contained.iter_mut().for_each(|values| pass_on(values, global));
        }
        (own, contained)
    }

    /// Where the values of the charts that aren't here name images.
    fn absent_images(&self, own: &Value) -> HashSet<Place> {
        let values = self.absent.iter().filter_map(|key| own.get(key));
        values.flat_map(values_images).filter_map(|image| image.named_at).collect()
    }

    /// A block without a tag runs the chart's `appVersion`, by the convention of `helm create`; one of a chart that isn't here, among
    /// `absent`, can have another default.
    fn defaulted(&self, mut image: EffectiveImage, absent: &HashSet<Place>) -> EffectiveImage {
        let emptied_by = match image.winning() {
            None => None,
            Some(setting @ Setting::Parts { .. }) => Some(setting.clone()),
            Some(_) => return image,
        };
        if image.tag.is_some() || image.digest.is_some() {
            return image;
        }
        let is_absent = image.named_at.is_some_and(|name| absent.contains(&name));
        let (text, place) = self.app_version.clone().filter(|_| !is_absent).unzip();
        image.chain.clear();
        image.app_version = Some(AppVersion { text, place: place.flatten(), emptied_by });
        image
    }
}

/// Gives a contained chart the parent's globals, which are stronger than its own. (Helm,
/// `chartutil.coalesceGlobals`.)
fn pass_on(values: &mut Value, global: &Value) {
    let mut own = values.remove("global").filter(|own| matches!(own, Value::Map(_))).unwrap_or_default();
    overlay(&mut own, global.clone());
    values.set("global", own);
}

fn places(image: &EffectiveImage) -> Vec<Place> {
    image.chain.iter().flat_map(|link| link.setting.places()).collect()
}

fn load_at(files: &mut Files<'_>, folder: &str, depth: usize, trail: &mut Trail) -> Option<Chart> {
    let meta = load_map(files, &join(folder, "Chart.yaml")?, trail)?;
    let values = load_map(files, &join(folder, "values.yaml")?, trail).unwrap_or_default();
    let name = meta.text_at(&["name"]).unwrap_or_else(|| folder_name(folder)).to_owned();
    let app_version = meta.get("appVersion").and_then(|version| Some((version.text()?, version.place())));
    let mut chart = Chart {
        folder: folder.to_owned(),
        key: name.clone(),
        name,
        values,
        app_version: app_version.map(|(text, place)| (text.to_owned(), place)),
        contained: Vec::new(),
        templates: templates(files, folder),
        absent: Vec::new(),
    };
    if depth == MAX_DEPTH || !files.spend(COST) {
        trail.uncertain(meta.place(), "contains too many charts");
        return Some(chart);
    }
    let declared = declared(files, folder, &meta, trail);
    chart.contained = contained(files, &chart, &declared, depth, trail);
    let is_absent = |key: &&str| !chart.contained.iter().any(|contained| contained.key == **key);
    chart.absent = declared.iter().filter_map(key_of).filter(is_absent).map(str::to_owned).collect();
    import_values(files, &mut chart, &declared, trail);
    Some(chart)
}

/// The templates of the chart in a folder. Any number of releases can use it.
fn templates(files: &mut Files<'_>, folder: &str) -> Arc<ChartTemplates> {
    if let Some(known) = files.templates.get(folder) {
        return known.clone();
    }
    let read = Arc::new(ChartTemplates::read(files, folder));
    files.templates.insert(folder.to_owned(), read.clone());
    read
}

fn folder_name(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

/// `dependencies` of Chart.yaml, or of requirements.yaml in charts of the first version.
fn declared(files: &mut Files<'_>, folder: &str, meta: &Value, trail: &mut Trail) -> Vec<Value> {
    if let Some(list) = meta.get("dependencies") {
        return list.items().to_vec();
    }
    let old = join(folder, "requirements.yaml").and_then(|path| load_map(files, &path, trail));
    old.and_then(|mut old| old.remove("dependencies")).map(|list| list.items().to_vec()).unwrap_or_default()
}

/// The charts in `charts/`, and those that a dependency takes from another folder of the repository. A dependency
/// gives each an alias, so a chart can be there several times. (Helm, `chartutil.processDependencyEnabled`; whether
/// a condition disables one is not looked at.)
fn contained(
    files: &mut Files<'_>,
    parent: &Chart,
    declared: &[Value],
    depth: usize,
    trail: &mut Trail,
) -> Vec<Chart> {
    let folder = parent.folder.as_str();
    let inside: Vec<Chart> = folders_inside(files, folder)
        .iter()
        .filter_map(|inside| load_at(files, inside, depth + 1, trail))
        .collect();
    let mut contained: Vec<Chart> = inside
        .iter()
        .filter(|chart| !declared.iter().any(|dep| is_named(dep, &chart.name)))
        .cloned()
        .collect();
    for dependency in declared {
        let Some(name) = dependency.text_at(&["name"]) else { continue };
        let key = key_of(dependency).unwrap_or(name);
        let known = inside.iter().find(|chart| chart.name == name).cloned();
        let from_folder = || {
            let local = local_folder(folder, dependency)?;
            let chart = load_at(files, &local, depth + 1, trail)?;
            let given = || parent.values.get(key).cloned().unwrap_or_default();
            let package = package(files, folder, &local, dependency);
            if let Some(package) = package.filter(|_| chart.adds_to_images(given())) {
                let until =
                    format!("runs {package} as it was packed, until helm dependency update packs it again");
                trail.uncertain(dependency.place(), until);
            }
            Some(chart)
        };
        let Some(mut chart) = known.or_else(from_folder) else {
            trail.unknown(dependency.place(), "depends on a chart that is not in this repository");
            continue;
        };
        key.clone_into(&mut chart.key);
        if !files.spend(chart.size()) {
            trail.uncertain(dependency.place(), "contains too many charts");
            break;
        }
        contained.push(chart);
    }
    contained
}

/// Where the values of a dependency are among those of its parent: under its alias, else its name.
fn key_of(dependency: &Value) -> Option<&str> {
    dependency.text_at(&["alias"]).or_else(|| dependency.text_at(&["name"]))
}

fn is_named(dependency: &Value, name: &str) -> bool {
    dependency.text_at(&["name"]) == Some(name)
}

/// The folders below `charts/` that hold a chart. Helm leaves out names that start with `_` or `.`.
fn folders_inside(files: &mut Files<'_>, folder: &str) -> Vec<String> {
    let Some(charts) = join(folder, "charts") else { return Vec::new() };
    let mut looked_at = 0;
    let folders: Vec<String> = files
        .below(&charts)
        .inspect(|_| looked_at += 1)
        .filter_map(|path| path.strip_suffix("/Chart.yaml"))
        .filter(|inside| folder_of(inside) == charts && !folder_name(inside).starts_with(['_', '.']))
        .map(str::to_owned)
        .collect();
    files.spend(looked_at);
    folders
}

/// The folder of a dependency whose `repository` is `file://…`, relative to the chart.
fn local_folder(folder: &str, dependency: &Value) -> Option<String> {
    join(folder, dependency.text_at(&["repository"])?.strip_prefix("file://")?)
}

/// The package that helm made of a local dependency, and renders instead of its folder.
fn package(files: &mut Files<'_>, folder: &str, local: &str, dependency: &Value) -> Option<String> {
    let meta = files.load(&join(local, "Chart.yaml")?)?;
    let meta = files.documents(meta).into_iter().next().unwrap_or_default();
    let versions = [&meta, dependency].map(|of| of.text_at(&["version"]).map(str::to_owned));
    let name = dependency.text_at(&["name"])?;
    let packages = versions.into_iter().flatten().map(|version| format!("charts/{name}-{version}.tgz"));
    packages.filter_map(|package| join(folder, &package)).find(|package| files.load(package).is_some())
}

/// `import-values`: values of a contained chart that become the parent's, unless it sets them itself.
/// (Helm, `chartutil.processImportValues`.)
fn import_values(files: &mut Files<'_>, chart: &mut Chart, declared: &[Value], trail: &mut Trail) {
    let imports: Vec<(&str, &Value)> = declared.iter().flat_map(imports_of).collect();
    if imports.is_empty() {
        return;
    }
    let (_, given) = chart.split(Value::default());
    let inside = chart.contained.iter().zip(given);
    let values: HashMap<&str, Value> =
        inside.map(|(inside, given)| (inside.key.as_str(), inside.split(given).0)).collect();
    let mut imported = Value::default();
    for (key, import) in imports {
        let Some((child, parent)) = child_and_parent(import) else { continue };
        let path: Vec<&str> = child.split('.').collect();
        match values.get(key).and_then(|values| values.at(&path)) {
            Some(table @ Value::Map(_)) if files.spend(table.size()) => {
                let mut table = nested(parent, table.clone());
                overlay(&mut table, imported);
                imported = table;
            }
            _ => trail.uncertain(import.place(), "imports values that are not there"),
        }
    }
    overlay(&mut imported, std::mem::take(&mut chart.values));
    chart.values = imported;
}

/// What a dependency imports, each with the key of its chart.
fn imports_of(dependency: &Value) -> Vec<(&str, &Value)> {
    let key = key_of(dependency).unwrap_or_default();
    let imports = dependency.get("import-values").map(Value::items).unwrap_or_default();
    imports.iter().map(|import| (key, import)).collect()
}

/// Where an import comes from and goes to. `data` alone stands for `exports.data`.
fn child_and_parent(import: &Value) -> Option<(String, &str)> {
    match import.text() {
        Some(export) => Some((format!("exports.{export}"), ".")),
        None => Some((import.text_at(&["child"])?.to_owned(), import.text_at(&["parent"])?)),
    }
}

/// A map at a path of keys.
fn nested(path: &str, table: Value) -> Value {
    let keys: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).take(MAX_KEYS).collect();
    keys.iter().rev().fold(table, |inner, key| Value::Map(vec![((*key).to_owned(), inner)]))
}
