//! Loads a compose project as compose does: file over file, with `include` and `extends` (compose-go,
//! `loader/loader.go`, `include.go` and `extends.go`).

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::super::files::{Files, folder_of, join};
use super::super::place::{FileId, Place};
use super::super::root::{Doubt, Root};
use super::super::value::Scalar;
use super::Project;
use super::file::{ComposeDocument, ComposeService, RawExtends, RawInclude};
use super::image::ServiceImage;
use super::interpolation::interpolate;
use super::variables::Variables;
use crate::image::is_name;

/// Files that include or extend each other are followed this deep.
const MAX_DEPTH: usize = 32;
/// The most files that one project is loaded from.
const MAX_LOADS: usize = 10_000;

/// The compose files that were read, by file.
pub(super) type ReadFiles = HashMap<FileId, Rc<Vec<ComposeDocument>>>;

/// Services by name; `None` has no image.
type Services = BTreeMap<String, Option<ServiceImage>>;

/// The folder that paths are relative to, and the variables.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub folder: String,
    pub variables: Variables,
}

/// Loads one project.
pub(super) struct Loader<'p, 'a> {
    files: &'p mut Files<'a>,
    read: &'p mut ReadFiles,
    root: Root,
    loads: usize,
}

impl<'p, 'a> Loader<'p, 'a> {
    pub fn new(files: &'p mut Files<'a>, read: &'p mut ReadFiles, root: Root) -> Self {
        Loader { files, read, root, loads: 0 }
    }

    /// Merges files into a project, the last one the strongest.
    pub fn project(mut self, paths: &[String], context: &Context) -> Project {
        let services = self.model(paths, context, 0);
        let mut written = Vec::new();
        for image in services.into_values().flatten().filter(|image| is_name(&image.image.name)) {
            let place = image.image.winning().and_then(|setting| setting.place());
            let names = place.into_iter().flat_map(|place| {
                image.variables.iter().map(move |name| (name.clone(), place)).collect::<Vec<_>>()
            });
            self.root.variables.extend(names);
            written.push(image.written);
            self.root.images.push(image.image);
        }
        self.root.variables.sort();
        self.root.variables.dedup();
        Project { root: self.root, written }
    }

    /// Adds the files of variables in a folder, weaker than those that are known.
    pub fn add_variables(&mut self, variables: &Variables, paths: &[String]) -> Variables {
        let (variables, read, doubts) = variables.with_files(self.files, paths);
        self.root.files.extend(read);
        self.root.uncertain.extend(doubts);
        variables
    }

    /// The services of some files, each over those before it.
    fn model(&mut self, paths: &[String], context: &Context, depth: usize) -> Services {
        let mut services = Services::new();
        for path in paths {
            let Some(documents) = self.documents(path, None) else { continue };
            for document in documents.iter() {
                let included = self.included(document, context, depth);
                for path in &document.resets {
                    reset(&mut services, path);
                }
                let own = self.own(document, &included, context);
                put_over(&mut services, own);
                for (name, service) in included {
                    if !document.services.contains_key(&name) {
                        put_over(&mut services, Services::from([(name, service)]));
                    }
                }
            }
        }
        services
    }

    /// The documents of a compose file; `at` names it.
    fn documents(&mut self, path: &str, at: Option<Place>) -> Option<Rc<Vec<ComposeDocument>>> {
        self.loads += 1;
        if self.loads > MAX_LOADS || !self.files.spend(1) {
            self.doubt_once("takes more work than tagbump does");
            return None;
        }
        let Some(file) = self.files.load(path) else {
            let what = format!("needs {path}, which isn't in the repository");
            self.root.unknown.push(Doubt { at, what });
            return None;
        };
        self.root.files.insert(file);
        if self.files.file(file).yaml.is_none() {
            self.root.uncertain.push(Doubt { at, what: format!("needs {path}, which isn't valid YAML") });
            return None;
        }
        let files = &mut *self.files;
        let read = self.read.entry(file).or_insert_with(|| Rc::new(ComposeDocument::all(files, file)));
        Some(Rc::clone(read))
    }

    fn doubt_once(&mut self, what: &str) {
        if !self.root.uncertain.iter().any(|doubt| doubt.what == what) {
            self.root.uncertain.push(Doubt { at: None, what: what.to_owned() });
        }
    }

    /// The services of a document, over those that it includes and with what they extend.
    fn own(&mut self, document: &ComposeDocument, included: &Services, context: &Context) -> Services {
        self.files.spend(document.services.len());
        let of = Extension {
            services: &document.services,
            included: Some(included),
            folder: &context.folder,
            context,
            resets: &document.resets,
        };
        let services = document.services.iter();
        services.map(|(name, service)| (name.clone(), self.service(name, service, &of, 0))).collect()
    }

    /// The image of a service, over the one of the service that it extends.
    fn service(
        &mut self,
        name: &str,
        service: &ComposeService,
        of: &Extension<'_>,
        depth: usize,
    ) -> Option<ServiceImage> {
        let own = service.image.as_ref().and_then(|image| self.image(image, of.context));
        if of.resets.iter().any(|path| path.as_slice() == ["services", name, "image"]) {
            return own;
        }
        let base = service.extends.as_ref().and_then(|extends| self.base(extends, of, depth));
        let replaced = of.resets.iter().any(|path| path.as_slice() == ["services", name]);
        let included = of.included.filter(|_| !replaced).and_then(|included| included.get(name)?.clone());
        over(own, over(included, base))
    }

    fn image(&mut self, image: &Scalar, context: &Context) -> Option<ServiceImage> {
        let place = image.place?;
        let variables = &context.variables;
        Some(ServiceImage::new(place, &interpolate(&image.text, place, variables.scope(), variables)))
    }

    /// The image of the service that another one extends.
    fn base(&mut self, extends: &RawExtends, of: &Extension<'_>, depth: usize) -> Option<ServiceImage> {
        if depth >= MAX_DEPTH {
            self.doubt_once("has services that extend each other too deeply");
            return None;
        }
        let name = self.text(&extends.service, of.context);
        let Some(file) = &extends.file else {
            let Some(service) = of.services.get(&name) else {
                return self.missing_base(&name, extends, of);
            };
            return self.service(&name, service, of, depth + 1);
        };
        let path = self.path(file, of.folder, of.context)?;
        let documents = self.documents(&path, file.place)?;
        let found =
            documents.iter().rev().find_map(|document| Some((document, document.services.get(&name)?)));
        let Some((document, service)) = found else { return self.missing_base(&name, extends, of) };
        let inner = Extension {
            services: &document.services,
            included: None,
            folder: folder_of(&path),
            context: of.context,
            resets: &document.resets,
        };
        self.service(&name, service, &inner, depth + 1)
    }

    /// A service that is only included, or isn't there at all.
    fn missing_base(&mut self, name: &str, extends: &RawExtends, of: &Extension<'_>) -> Option<ServiceImage> {
        let included = of.included.and_then(|included| included.get(name));
        if included.is_none() {
            let what = format!("extends the service {name}, which isn't there");
            self.root.unknown.push(Doubt { at: extends.service.place, what });
        }
        included.cloned().flatten()
    }

    /// The services that a document includes.
    fn included(&mut self, document: &ComposeDocument, context: &Context, depth: usize) -> Services {
        let mut services = Services::new();
        for include in &document.includes {
            if depth >= MAX_DEPTH {
                self.doubt_once("has files that include each other too deeply");
                break;
            }
            // a service that is there already stays stronger
            for (name, service) in self.include(include, context, depth) {
                let stronger = services.remove(&name);
                services.insert(name, stronger.map_or(service.clone(), |stronger| over(stronger, service)));
            }
        }
        services
    }

    fn include(&mut self, include: &RawInclude, context: &Context, depth: usize) -> Services {
        let mut paths = Vec::new();
        for path in &include.paths {
            paths.extend(self.path(path, &context.folder, context));
        }
        let Some(first) = paths.first() else { return Services::new() };
        let given = include.project_directory.as_ref();
        let folder = match given {
            Some(folder) => self.path(folder, &context.folder, context),
            None => Some(folder_of(first).to_owned()),
        };
        let Some(folder) = folder else { return Services::new() };
        let mut env_files = Vec::new();
        for file in &include.env_files {
            env_files.extend(self.path(file, &context.folder, context));
        }
        if include.env_files.is_empty() {
            env_files.extend(join(&folder, ".env"));
        }
        let variables = self.add_variables(&context.variables, &env_files);
        self.model(&paths, &Context { folder, variables }, depth + 1)
    }

    fn text(&self, scalar: &Scalar, context: &Context) -> String {
        let Some(place) = scalar.place else { return scalar.text.clone() };
        let variables = &context.variables;
        interpolate(&scalar.text, place, variables.scope(), variables).text()
    }

    /// A path in the repository; `None` if it leads elsewhere.
    fn path(&mut self, path: &Scalar, folder: &str, context: &Context) -> Option<String> {
        let text = self.text(path, context);
        let inside = if is_remote(&text) { None } else { join(folder, &text) };
        if inside.is_none() {
            let what = format!("needs {text}, which isn't in the repository");
            self.root.unknown.push(Doubt { at: path.place, what });
        }
        inside
    }
}

/// The services among which `extends` looks.
struct Extension<'s> {
    services: &'s BTreeMap<String, ComposeService>,
    /// Services that the document includes.
    included: Option<&'s Services>,
    /// What the path in `extends.file` is relative to.
    folder: &'s str,
    context: &'s Context,
    resets: &'s [Vec<String>],
}

/// What compose loads from git or a registry.
fn is_remote(path: &str) -> bool {
    path.contains("://") || ["git@", "oci:", "github.com/"].iter().any(|start| path.starts_with(start))
}

fn reset(services: &mut Services, path: &[String]) {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["services"] => services.clear(),
        ["services", service] => drop(services.remove(*service)),
        ["services", service, "image"] => {
            if let Some(service) = services.get_mut(*service) {
                *service = None;
            }
        }
        _ => {}
    }
}

/// Merges a service: the image of the stronger one counts, if it has one. (compose-go, `override.MergeYaml`)
fn over(stronger: Option<ServiceImage>, weaker: Option<ServiceImage>) -> Option<ServiceImage> {
    match stronger {
        Some(stronger) => Some(stronger.over(weaker)),
        None => weaker,
    }
}

fn put_over(services: &mut Services, stronger: Services) {
    for (name, service) in stronger {
        let weaker = services.remove(&name).flatten();
        services.insert(name, over(service, weaker));
    }
}
