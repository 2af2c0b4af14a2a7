//! `tagbump.yaml`: the services of a repository, and how to compute their tags and commit messages.
//!
//! The `Raw` types define the file's format. `tagbump.schema.json` is generated from them, doc comments
//! included, and a test keeps it up to date.

mod environments;
mod error;
#[cfg(test)]
mod schema;

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::file_selection::{CONFIG_PATHS, Selection, SelectionError};
use crate::image::ImageArg;
use crate::location::Location;
use crate::plan::{
    EnvironmentLimit, Environments, FieldTarget, FileContent, FileSource, NamedEnvironment, RepositoryFiles,
    Scope,
};
use crate::tag;
use crate::template::Template;
use crate::verify::Verify;
use crate::visible::inline;
use crate::yaml::{FieldPath, NodeId, ParsedYaml, ReadError, SECOND_DOCUMENT, TypeError, scan, without_bom};

pub use environments::ConfiguredEnvironment;
pub use error::{ConfigError, ValueProblem};

use environments::{ENVIRONMENT_KEYS, RawEnvironment};
#[cfg(test)]
use schema::{ENVIRONMENT_NAME, IMAGE_NAME, OR_NOTHING, RELATIVE_PATH, SERVICE_NAME};

/// In bytes. A real configuration is never larger.
const MAX_SIZE: usize = 1_000_000;

/// What `tagbump bump` deploys: services, and how to compute their tags and commit messages
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("type" = OR_NOTHING)))]
#[serde(deny_unknown_fields)]
struct RawConfig {
    /// How to compute a tag from the commit, like --tag-template: `{branch}-{sha:7}`
    tag: Option<String>,
    /// The commit message, like --message: `chore: update {name} image to {tag}`
    message: Option<String>,
    /// Whether an image must be in its registry before its tag is written, like --verify
    verify: Option<RawVerify>,
    /// Services, by the name for `tagbump bump NAME`
    #[cfg_attr(test, schemars(extend("type" = OR_NOTHING, "propertyNames" = {"pattern": SERVICE_NAME})))]
    #[serde(default)]
    services: BTreeMap<String, RawService>,
    /// Environments, by the name for --env and `tagbump promote NAME`
    #[cfg_attr(test, schemars(extend("type" = OR_NOTHING, "propertyNames" = {"pattern": ENVIRONMENT_NAME})))]
    #[serde(default)]
    environments: BTreeMap<String, RawEnvironment>,
}

/// One image, and where it is deployed
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawService {
    /// The image's name, without a tag: `ghcr.io/acme/api`
    #[cfg_attr(test, schemars(regex(pattern = IMAGE_NAME)))]
    image: String,
    /// Update only these files, like --file: paths, folders or patterns below the root
    #[cfg_attr(test, schemars(extend("type" = ["array", "null"]), inner(regex(pattern = RELATIVE_PATH))))]
    #[serde(default)]
    files: Vec<String>,
    /// Fields that hold the tag, for files that tagbump doesn't recognise
    #[cfg_attr(test, schemars(extend("type" = ["array", "null"])))]
    #[serde(default)]
    fields: Vec<RawField>,
    /// How to compute this service's tag, instead of the top-level `tag`
    tag: Option<String>,
    /// This service's commit message, instead of the top-level `message`
    message: Option<String>,
    /// `auto` also sets the digest that the registry has for the tag, like --digest
    digest: Option<RawDigest>,
}

/// `require`, `warn` or `off`; or `true`, which means `require`, or `false`
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "verify is require, warn or off")]
enum RawVerify {
    Switch(bool),
    Mode(Verify),
}

/// Where a digest comes from
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum RawDigest {
    Auto,
}

/// A field that holds the tag
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawField {
    /// A path or pattern below the root
    #[cfg_attr(test, schemars(regex(pattern = RELATIVE_PATH)))]
    file: String,
    /// The field, like --field: `workers.image.tag`
    path: String,
}

/// The validated configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it is written.
    pub file: String,
    pub tag: Option<Template>,
    pub message: Option<Template>,
    pub verify: Option<Verify>,
    services: BTreeMap<String, Service>,
    environments: Vec<ConfiguredEnvironment>,
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
    /// Its digest comes from its registry.
    pub pins_digest: bool,
}

/// What people call `tagbump.yaml` too.
const OTHER_NAMES: [&str; 3] = ["tagbump.yml", ".tagbump.yaml", ".tagbump.yml"];

impl Config {
    /// The repository's configuration; an empty one if it has none.
    ///
    /// # Errors
    /// With file, line and column, if it isn't valid.
    pub fn load(files: &dyn FileSource) -> Result<Self, ConfigError> {
        let mut found = Vec::new();
        for path in CONFIG_PATHS {
            found.extend(files.read(path, MAX_SIZE)?.map(|content| (path, content)));
        }
        match found.as_slice() {
            [] => Ok(Config::default()),
            [(path, FileContent::Bytes(bytes))] => Config::parse(path, bytes),
            [(path, FileContent::TooLarge)] => Err(ConfigError::TooLarge { file: (*path).to_owned() }),
            _ => Err(ConfigError::TwoFiles),
        }
    }

    /// A warning about a configuration that isn't read: under another name, or in the top folder of the repository, if the files are a
    /// folder of it without one.
    pub fn unread(files: &dyn FileSource) -> Option<String> {
        let has = |files: &dyn FileSource, path: &str| matches!(files.read(path, 0), Ok(Some(_)));
        if CONFIG_PATHS.iter().any(|path| has(files, path)) {
            return None;
        }
        if let Some(path) = OTHER_NAMES.iter().find(|path| has(files, path)) {
            return Some(format!("{path} isn't read; call it {}", CONFIG_PATHS[0]));
        }
        let RepositoryFiles { files: all, folder } = files.repository()?;
        let path = CONFIG_PATHS.iter().find(|path| has(all.as_ref(), path))?;
        let folder = inline(&folder);
        Some(format!(
            "{path} in the top folder of the repository isn't read, because this runs in {folder}; run in the top folder instead"
        ))
    }

    /// Reads a configuration; `path` is for messages.
    ///
    /// # Errors
    /// With line and column.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, ConfigError> {
        let file = || path.to_owned();
        if bytes.len() > MAX_SIZE {
            return Err(ConfigError::TooLarge { file: file() });
        }
        let unreadable = |error| match error {
            ReadError::Syntax(error) => ConfigError::NotYaml { file: file(), error },
            ReadError::Stopped(reason) => ConfigError::TooMuchWork { file: file(), reason },
        };
        let yaml = scan(bytes).map_err(unreadable)?;
        let reader = ConfigReader { path, yaml: &yaml };
        if let Some(position) = yaml.second_document() {
            let reason = SECOND_DOCUMENT.to_owned();
            return Err(ConfigError::Types { file: file(), position: Some(position), reason });
        }
        reader.check_duplicate_keys()?;
        reader.check_known_keys()?;
        yaml.check().map_err(|stopped| unreadable(stopped.into()))?;
        let empty = yaml.roots().iter().all(|&root| yaml.node(root).is_null());
        let written =
            if empty { Ok(RawConfig::default()) } else { serde_yaml::from_slice(without_bom(bytes)) };
        reader.config(written.map_err(|e| misread(path, e))?)
    }

    /// The service with this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    /// The environment with this name.
    pub fn environment(&self, name: &str) -> Option<&ConfiguredEnvironment> {
        self.environments.iter().find(|environment| environment.environment.name == name)
    }

    /// All environments.
    pub fn environments(&self) -> impl Iterator<Item = &NamedEnvironment> {
        self.environments.iter().map(|environment| &environment.environment)
    }

    /// The environments, as a request about some of them needs them.
    pub fn limited_to(&self, limit: EnvironmentLimit) -> Environments {
        Environments { all: self.environments().cloned().collect(), limit }
    }

    /// The names of all services.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }
}

impl Service {
    /// Where its references are: in its own files and fields, and of those only in the typed files.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn scope(&self, typed: &Selection) -> Result<Scope, SelectionError> {
        if self.is_everywhere() {
            return Ok(Scope::of_files(typed));
        }
        let within = (!typed.is_everything()).then(|| typed.clone());
        Ok(Scope { files: self.files.clone(), fields: self.fields.clone(), within, only: None })
    }

    /// Where these fields are, which were typed: in its own files, and of those only in the typed ones.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn scope_of_fields(&self, paths: &[FieldPath], typed: &Selection) -> Result<Scope, SelectionError> {
        if self.is_everywhere() {
            return Ok(Scope::of_fields(paths, typed));
        }
        let own = Selection::all_of(self.files.iter().chain(self.fields.iter().map(|field| &field.files)))?;
        Ok(Scope { within: Some(typed.clone()), ..Scope::of_fields(paths, &own) })
    }

    /// Whether it has neither files nor fields of its own.
    fn is_everywhere(&self) -> bool {
        self.files.is_none() && self.fields.is_empty()
    }
}

const TOP_KEYS: &[&str] = &["tag", "message", "verify", "services", "environments"];
const SERVICE_KEYS: &[&str] = &["image", "files", "fields", "tag", "message", "digest"];
const FIELD_KEYS: &[&str] = &["file", "path"];

/// Checks what the types can't, and reports where a mistake is.
struct ConfigReader<'a> {
    path: &'a str,
    yaml: &'a ParsedYaml,
}

impl ConfigReader<'_> {
    fn error(&self, keys: &[&str], problem: impl Into<ValueProblem>) -> ConfigError {
        let node = self.yaml.roots().first().and_then(|&root| self.yaml.at(root, keys));
        let position = node.map(|id| (self.yaml.node(id).line, self.yaml.node(id).column));
        let named: Vec<&str> = keys.iter().copied().filter(|key| !key.is_empty()).collect();
        let (file, key) = (self.path.to_owned(), named.join("."));
        ConfigError::Value { file, position, key, problem: Box::new(problem.into()) }
    }

    /// Where the value of these keys is.
    fn place_of(&self, keys: &[&str]) -> Location {
        let node = self.yaml.roots().first().and_then(|&root| self.yaml.at(root, keys));
        let whole = Location { file: self.path.to_owned(), line: 1, column: None };
        node.map_or(whole, |id| self.location(id))
    }

    fn location(&self, id: NodeId) -> Location {
        let node = self.yaml.node(id);
        Location { file: self.path.to_owned(), line: node.line, column: Some(node.column) }
    }

    /// Rejects duplicate keys: they are always a mistake, and one of the two would be ignored.
    fn check_duplicate_keys(&self) -> Result<(), ConfigError> {
        for map in (0..self.yaml.len()).filter(|&id| self.yaml.is_map(id)) {
            let mut seen = HashSet::new();
            for (key, _) in self.yaml.pairs(map) {
                let text = self.yaml.text(key).unwrap_or_default();
                if !seen.insert(text) {
                    return Err(ConfigError::DuplicateKey { at: self.location(key), key: text.to_owned() });
                }
            }
        }
        Ok(())
    }

    /// The types would reject unknown keys too, but not say which keys there are.
    fn check_known_keys(&self) -> Result<(), ConfigError> {
        let Some(&root) = self.yaml.roots().first() else { return Ok(()) };
        self.check_map(root, "", TOP_KEYS)?;
        self.check_environment_keys(root)?;
        let Some(services) = self.yaml.get(root, "services") else { return Ok(()) };
        for (key, service) in self.yaml.pairs(services.node) {
            let path = format!("services.{}", self.yaml.text(key).unwrap_or_default());
            self.check_map(service, &path, SERVICE_KEYS)?;
            let Some(fields) = self.yaml.get(service, "fields") else { continue };
            for (nth, field) in self.yaml.items(fields.node).enumerate() {
                self.check_map(field, &format!("{path}.fields[{nth}]"), FIELD_KEYS)?;
            }
        }
        Ok(())
    }

    fn check_environment_keys(&self, root: NodeId) -> Result<(), ConfigError> {
        let Some(environments) = self.yaml.get(root, "environments") else { return Ok(()) };
        self.yaml.pairs(environments.node).try_for_each(|(key, environment)| {
            let path = format!("environments.{}", self.yaml.text(key).unwrap_or_default());
            self.check_map(environment, &path, ENVIRONMENT_KEYS)
        })
    }

    fn check_map(&self, map: NodeId, path: &str, known: &'static [&'static str]) -> Result<(), ConfigError> {
        let keys = self.yaml.pairs(map).map(|(key, _)| key);
        let mut named = keys.filter_map(|key| Some((key, self.yaml.text(key)?)));
        named.find(|(_, text)| !known.contains(text)).map_or(Ok(()), |(key, text)| {
            let at = self.location(key);
            Err(ConfigError::UnknownKey { at, map: path.to_owned(), key: text.to_owned(), known })
        })
    }

    fn config(&self, written: RawConfig) -> Result<Config, ConfigError> {
        let services = written.services.into_iter();
        let services = services.map(|(name, service)| Ok((name.clone(), self.service(&name, service)?)));
        let services: BTreeMap<_, _> = services.collect::<Result<_, ConfigError>>()?;
        Ok(Config {
            file: self.path.to_owned(),
            environments: self.environments(written.environments, services.keys().map(String::as_str))?,
            tag: self.template(&["tag"], written.tag)?,
            message: self.template(&["message"], written.message)?,
            verify: written.verify.map(|verify| match verify {
                RawVerify::Switch(true) => Verify::Require,
                RawVerify::Switch(false) => Verify::Off,
                RawVerify::Mode(mode) => mode,
            }),
            services,
        })
    }

    fn template(&self, keys: &[&str], text: Option<String>) -> Result<Option<Template>, ConfigError> {
        let of_message = keys.last() == Some(&"message");
        let is_known =
            |name: &str| tag::is_variable(name) || (of_message && tag::MESSAGE_VARIABLES.contains(&name));
        let parse = |text: String| {
            let template = Template::parse(&text).map_err(|e| self.error(keys, e))?;
            let unknown = template.variables().find(|variable| !is_known(&variable.name));
            let error = unknown.map(|v| self.error(keys, tag::unknown_variable(&v.name)));
            error.map_or(Ok(template), Err)
        };
        text.map(parse).transpose()
    }

    fn service(&self, name: &str, written: RawService) -> Result<Service, ConfigError> {
        let keys = ["services", name];
        let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() {
            return Err(self.error(&keys, ValueProblem::EmptyName { of: "a service" }));
        }
        if !name.chars().all(word) {
            return Err(self.error(&keys, ValueProblem::ServiceName));
        }
        let image = ImageArg::parse(&written.image).map_err(|e| self.error(&[keys[0], name, "image"], e))?;
        if image.name != written.image {
            return Err(self.error(&[keys[0], name, "image"], ValueProblem::NotBareName));
        }
        let files = self.selection(&[keys[0], name, "files"], &written.files)?;
        Ok(Service {
            image: written.image,
            files: (!written.files.is_empty()).then_some(files),
            fields: written.fields.iter().map(|field| self.field(name, field)).collect::<Result<_, _>>()?,
            tag: self.template(&[keys[0], name, "tag"], written.tag)?,
            message: self.template(&[keys[0], name, "message"], written.message)?,
            pins_digest: written.digest.is_some(),
        })
    }

    fn selection(&self, keys: &[&str], files: &[String]) -> Result<Selection, ConfigError> {
        if files.iter().any(|file| file.trim().is_empty()) {
            return Err(self.error(keys, ValueProblem::EmptyPath));
        }
        Selection::new(files).map_err(|e| self.error(keys, e))
    }

    fn field(&self, name: &str, written: &RawField) -> Result<FieldTarget, ConfigError> {
        let keys = ["services", name, "fields"];
        let path = FieldPath::parse(&written.path).map_err(|e| self.error(&keys, e))?;
        Ok(FieldTarget {
            files: self.selection(&keys, std::slice::from_ref(&written.file))?,
            path,
            inside: None,
            part: None,
            is_variable: false,
        })
    }
}

/// A file that does not have the right types.
fn misread(path: &str, error: serde_yaml::Error) -> ConfigError {
    let TypeError { position, reason } = error.into();
    ConfigError::Types { file: path.to_owned(), position, reason }
}

#[cfg(test)]
mod tests;
