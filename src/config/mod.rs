//! `tagbump.yaml`: the services of a repository, and how to compute their tags and commit messages.
//!
//! The `Raw` types define the file's format. `tagbump.schema.json` is generated from them, doc comments
//! included, and a test keeps it up to date.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::error::{Failure, Result, inline};
use crate::file_selection::{CONFIG_PATHS, Selection};
use crate::image::ImageArg;
use crate::plan::{FieldTarget, FileSource, Scope};
use crate::tag;
use crate::template::Template;
use crate::yaml::{FieldPath, ParsedYaml, ReadError, scan};

/// In bytes. A real configuration is never larger.
const MAX_SIZE: usize = 1_000_000;

/// What `tagbump bump` deploys: services, and how to compute their tags and commit messages
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawConfig {
    /// How to compute a tag from the commit, like --tag-template: `{branch}-{sha:7}`
    tag: Option<String>,
    /// The commit message, like --message: `chore: update {name} image to {tag}`
    message: Option<String>,
    /// Services, by the name for `tagbump bump NAME`
    #[serde(default)]
    services: BTreeMap<String, RawService>,
}

/// One image, and where it is deployed
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawService {
    /// The image's name, without a tag: `ghcr.io/acme/api`
    image: String,
    /// Update only these files, like --file: paths, folders or patterns below the root
    #[serde(default)]
    files: Vec<String>,
    /// Fields that hold the tag, for files that tagbump doesn't recognise
    #[serde(default)]
    fields: Vec<RawField>,
    /// How to compute this service's tag, instead of the top-level `tag`
    tag: Option<String>,
    /// This service's commit message, instead of the top-level `message`
    message: Option<String>,
}

/// A field that holds the tag
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawField {
    /// A path or pattern below the root
    file: String,
    /// The field, like --field: `workers.image.tag`
    path: String,
}

/// The validated configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub tag: Option<Template>,
    pub message: Option<Template>,
    services: BTreeMap<String, Service>,
}

/// A validated service.
#[derive(Clone, Debug)]
pub struct Service {
    /// A name without a tag.
    pub image: String,
    /// `None` if the configuration doesn't list any.
    pub files: Option<Selection>,
    pub fields: Vec<FieldTarget>,
    pub tag: Option<Template>,
    pub message: Option<Template>,
}

impl Config {
    /// The repository's configuration; an empty one if it has none.
    ///
    /// # Errors
    /// Exit 2, with file, line and column, if it isn't valid.
    pub fn load(shelf: &dyn FileSource) -> Result<Self> {
        let mut found = Vec::new();
        for path in CONFIG_PATHS {
            found.extend(shelf.read(path, MAX_SIZE + 1)?.map(|bytes| (path, bytes)));
        }
        match found.as_slice() {
            [] => Ok(Config::default()),
            [(path, bytes)] => Config::parse(path, bytes),
            _ => Err(Failure::usage(format!("there are both {} and {}", CONFIG_PATHS[0], CONFIG_PATHS[1]))
                .hinted("keep one of them")),
        }
    }

    /// Parses a configuration. `path` is only for messages.
    ///
    /// # Errors
    /// Exit 2, with line and column.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_SIZE {
            return Err(Failure::usage(format!("{path}: is over 1 MB")).hinted("it can't be a configuration"));
        }
        let unreadable = |error| match error {
            ReadError::Syntax(fault) => Failure::usage(format!("{path}:{fault} (no YAML)")).hinted(HELP),
            ReadError::Stopped(stopped) => Failure::usage(format!("{path}: {stopped}")).hinted(HELP),
        };
        let yaml = scan(bytes).map_err(unreadable)?;
        let reader = ConfigReader { path, yaml: &yaml };
        reader.check_keys()?;
        yaml.check().map_err(|stopped| unreadable(stopped.into()))?;
        let empty = yaml.roots().iter().all(|&root| yaml.node(root).is_null());
        let written = if empty { Ok(RawConfig::default()) } else { serde_yaml::from_slice(bytes) };
        reader.config(written.map_err(|e| misread(path, &e))?)
    }

    /// The service with this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    /// The names of all services.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }
}

impl Service {
    /// Where to look for the service's references: in the files that the user typed, or else in those that the
    /// configuration lists. If the user typed files, its fields are only looked up in files that match both.
    ///
    /// # Errors
    /// Exit 2, as for [`Selection::new`].
    pub fn scope(&self, typed: &Selection) -> Result<Scope> {
        if !typed.is_everything() {
            let within = |field: &FieldTarget| FieldTarget { within: Some(typed.clone()), ..field.clone() };
            let fields = self.fields.iter().map(within).collect();
            return Ok(Scope { fields, ..Scope::of_files(typed) });
        }
        let everywhere = || self.fields.is_empty().then(|| Selection::new(&[])).transpose();
        let files = match &self.files {
            Some(files) => Some(files.clone()),
            None => everywhere()?,
        };
        Ok(Scope { files, fields: self.fields.clone(), only: None })
    }
}

const HELP: &str = "it holds tag, message and services, each with image, files, fields, tag and message";

/// Checks what the types can't express, and reports errors with their position.
struct ConfigReader<'a> {
    path: &'a str,
    yaml: &'a ParsedYaml,
}

impl ConfigReader<'_> {
    fn fault(&self, keys: &[&str], why: impl std::fmt::Display) -> Failure {
        let node = self.yaml.roots().first().and_then(|&root| self.yaml.at(root, keys));
        let place = node.map(|id| format!(":{}:{}", self.yaml.node(id).line, self.yaml.node(id).column));
        let (place, keys) = (place.unwrap_or_default(), inline(&keys.join(".")));
        Failure::usage(format!("{}{place}: {keys}: {why}", self.path)).hinted(HELP)
    }

    /// Rejects duplicate keys: they are always a mistake, and one of the two would be ignored.
    fn check_keys(&self) -> Result<()> {
        for map in (0..self.yaml.len()).filter(|&id| self.yaml.is_map(id)) {
            let mut seen = HashSet::new();
            for (key, _) in self.yaml.pairs(map) {
                let (node, text) = (self.yaml.node(key), self.yaml.text(key).unwrap_or_default());
                if !seen.insert(text) {
                    let place = format!("{}:{}:{}", self.path, node.line, node.column);
                    let message = format!("{place}: the key {} is there already", inline(text));
                    return Err(Failure::usage(message).hinted("keep one of them"));
                }
            }
        }
        Ok(())
    }

    fn config(&self, written: RawConfig) -> Result<Config> {
        let services = written.services.into_iter();
        let services = services.map(|(name, service)| Ok((name.clone(), self.service(&name, service)?)));
        Ok(Config {
            tag: self.template(&["tag"], written.tag)?,
            message: self.template(&["message"], written.message)?,
            services: services.collect::<Result<_>>()?,
        })
    }

    fn template(&self, keys: &[&str], text: Option<String>) -> Result<Option<Template>> {
        let of_message = keys.last() == Some(&"message");
        let is_known =
            |name: &str| tag::is_variable(name) || (of_message && tag::MESSAGE_VARIABLES.contains(&name));
        let parse = |text: String| {
            let template = Template::parse(&text).map_err(|e| self.fault(keys, e))?;
            let unknown = template.variables().find(|variable| !is_known(&variable.name));
            let fault = unknown.map(|v| self.fault(keys, tag::unknown_variable(&v.name)));
            fault.map_or(Ok(template), Err)
        };
        text.map(parse).transpose()
    }

    fn service(&self, name: &str, written: RawService) -> Result<Service> {
        let keys = ["services", name];
        let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || !name.chars().all(word) {
            return Err(self.fault(&keys, "a service's name is letters, digits and . _ -"));
        }
        let image = ImageArg::parse(&written.image).map_err(|e| self.fault(&[keys[0], name, "image"], e))?;
        if image.name != written.image {
            return Err(self.fault(&[keys[0], name, "image"], "give the name alone, without tag or digest"));
        }
        let files = self.selection(&[keys[0], name, "files"], &written.files)?;
        Ok(Service {
            image: written.image,
            files: (!written.files.is_empty()).then_some(files),
            fields: written.fields.iter().map(|field| self.field(name, field)).collect::<Result<_>>()?,
            tag: self.template(&[keys[0], name, "tag"], written.tag)?,
            message: self.template(&[keys[0], name, "message"], written.message)?,
        })
    }

    fn selection(&self, keys: &[&str], files: &[String]) -> Result<Selection> {
        if files.iter().any(|file| file.trim().is_empty()) {
            return Err(self.fault(keys, "a path is empty"));
        }
        Selection::new(files).map_err(|e| self.fault(keys, e.message.trim_start_matches("-f ")))
    }

    fn field(&self, name: &str, written: &RawField) -> Result<FieldTarget> {
        let keys = ["services", name, "fields"];
        let path = FieldPath::parse(&written.path);
        let path = path.map_err(|e| self.fault(&keys, e.to_string().trim_start_matches("--field ")))?;
        Ok(FieldTarget {
            within: None,
            files: self.selection(&keys, std::slice::from_ref(&written.file))?,
            path,
        })
    }
}

/// Words an error of serde, for a file that doesn't fit the types.
fn misread(path: &str, error: &serde_yaml::Error) -> Failure {
    let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    // users don't know the names of our types
    let text = text.split(", expected struct ").next().unwrap_or(text);
    let Some((before, rest)) = text.split_once("unknown field `") else {
        return Failure::usage(format!("{path}{place}: {}", inline(text))).hinted(HELP);
    };
    let (key, known) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let likeness = |known: &&&str| (strsim::jaro_winkler(known, key) * 1000.0) as u32;
    let nearest = known.iter().max_by_key(likeness).map(|key| format!("did you mean {key}? "));
    let message = format!("{path}{place}: {before}unknown key {}", inline(key));
    Failure::usage(message).hinted(format!("{}there are: {}", nearest.unwrap_or_default(), known.join(", ")))
}

#[cfg(test)]
mod tests;
