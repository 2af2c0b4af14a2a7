//! What a compose file says about images, before it is merged with others.

use std::collections::BTreeMap;

use super::super::files::Files;
use super::super::place::FileId;
use super::super::value::{Scalar, Value};
use crate::yaml::{NodeId, ParsedYaml};

/// Paths of `!reset` that are deeper than this don't lead to an image.
const RESET_DEPTH: usize = 3;

/// One document of a compose file.
#[derive(Debug, Default)]
pub(super) struct ComposeDocument {
    pub services: BTreeMap<String, ComposeService>,
    pub includes: Vec<RawInclude>,
    /// What the document removes from the files below it: the keys that lead there.
    pub resets: Vec<Vec<String>>,
}

/// A service, with its placeholders.
#[derive(Clone, Debug, Default)]
pub(super) struct ComposeService {
    pub image: Option<Scalar>,
    pub extends: Option<RawExtends>,
}

/// `extends`: the service, and the file if it isn't this one.
#[derive(Clone, Debug)]
pub(super) struct RawExtends {
    pub service: Scalar,
    pub file: Option<Scalar>,
}

/// An item of `include`. All files of one item are merged.
#[derive(Clone, Debug, Default)]
pub(super) struct RawInclude {
    pub paths: Vec<Scalar>,
    pub project_directory: Option<Scalar>,
    pub env_files: Vec<Scalar>,
}

impl ComposeDocument {
    /// Reads every document of a file, in order.
    pub fn all(files: &mut Files<'_>, file: FileId) -> Vec<Self> {
        let resets = files.file(file).yaml.as_ref().map(resets).unwrap_or_default();
        let mut documents: Vec<_> = files.documents(file).iter().map(ComposeDocument::of).collect();
        // compose removes them after each document; files with several documents and resets don't occur
        for document in &mut documents {
            document.reset(&resets);
        }
        documents
    }

    fn of(document: &Value) -> Self {
        let services = document.get("services").map(Value::pairs).unwrap_or_default();
        let includes = document.get("include").map(Value::items).unwrap_or_default();
        ComposeDocument {
            services: services
                .iter()
                .map(|(name, service)| (name.clone(), ComposeService::of(service)))
                .collect(),
            includes: includes.iter().map(RawInclude::of).collect(),
            resets: Vec::new(),
        }
    }

    /// Drops what has the tag `!reset`. What has `!reset` or `!override` also removes what the files below set there.
    /// (compose-go, `loader.ResetProcessor`)
    fn reset(&mut self, resets: &[Reset]) {
        for Reset { path, keeps_own } in resets {
            let own = path.iter().map(String::as_str).collect::<Vec<_>>();
            if !keeps_own {
                match own.as_slice() {
                    ["services"] => self.services.clear(),
                    ["services", service] => drop(self.services.remove(*service)),
                    ["services", service, key] => {
                        if let Some(service) = self.services.get_mut(*service) {
                            service.remove(key);
                        }
                    }
                    _ => {}
                }
            }
            self.resets.push(path.clone());
        }
    }
}

impl ComposeService {
    fn of(service: &Value) -> Self {
        let image = service.get("image").and_then(Value::scalar).filter(|scalar| !scalar.null).cloned();
        ComposeService { image, extends: service.get("extends").and_then(RawExtends::of) }
    }

    fn remove(&mut self, key: &str) {
        match key {
            "image" => self.image = None,
            "extends" => self.extends = None,
            _ => {}
        }
    }
}

impl RawExtends {
    fn of(extends: &Value) -> Option<Self> {
        match extends {
            Value::Scalar(service) => Some(RawExtends { service: service.clone(), file: None }),
            Value::Map(_) => {
                let service = extends.get("service")?.scalar()?.clone();
                let file = extends.get("file").and_then(Value::scalar).filter(|file| !file.null).cloned();
                Some(RawExtends { service, file })
            }
            Value::List(_) => None,
        }
    }
}

impl RawInclude {
    fn of(include: &Value) -> Self {
        if let Value::Scalar(path) = include {
            return RawInclude { paths: vec![path.clone()], ..RawInclude::default() };
        }
        RawInclude {
            paths: scalars(include.get("path")),
            project_directory: scalars(include.get("project_directory")).into_iter().next(),
            env_files: scalars(include.get("env_file")),
        }
    }
}

/// A scalar, or each scalar of a list.
fn scalars(value: Option<&Value>) -> Vec<Scalar> {
    let items = match value {
        Some(Value::List(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter().filter_map(Value::scalar).filter(|scalar| !scalar.null).cloned().collect()
}

struct Reset {
    path: Vec<String>,
    /// `!override`: the value itself stays.
    keeps_own: bool,
}

fn resets(yaml: &ParsedYaml) -> Vec<Reset> {
    let tagged = (0..yaml.len()).filter_map(|id| {
        let keeps_own = match yaml.node(id).tag.as_deref()? {
            "reset" => false,
            "override" => true,
            _ => return None,
        };
        Some(Reset { path: keys(yaml, id)?, keeps_own })
    });
    tagged.collect()
}

/// The keys that lead to a node; `None` if there are more than lead to an image.
fn keys(yaml: &ParsedYaml, id: NodeId) -> Option<Vec<String>> {
    let mut path = Vec::new();
    let mut at = id;
    while let Some(parent) = yaml.node(at).parent {
        path.insert(0, yaml.key_text(at)?.to_owned());
        at = parent;
        if path.len() > RESET_DEPTH {
            return None;
        }
    }
    Some(path)
}
