//! The environments of `tagbump.yaml`, checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

#[cfg(test)]
use super::schema::RELATIVE_PATH;
use super::{ConfigError, ConfigReader, ValueProblem};
use crate::duration;
use crate::plan::NamedEnvironment;

pub(super) const ENVIRONMENT_KEYS: &[&str] = &["files", "from", "soak"];

/// Where the same services run, each with its own tag: staging, production
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("dependentRequired" = {"soak": ["from"]})))]
#[serde(deny_unknown_fields)]
pub(super) struct RawEnvironment {
    /// The files that start what runs there: kustomizations, Applications, releases, values files. Paths, folders or
    /// patterns below the root: `envs/prod/**`
    #[cfg_attr(test, schemars(length(min = 1), inner(regex(pattern = RELATIVE_PATH))))]
    pub files: Vec<String>,
    /// The environment whose tags `tagbump promote` copies. Without --env, a bump leaves this environment unchanged
    pub from: Option<String>,
    /// How long a tag must have run there before it is promoted, like --soak: `12h`
    #[cfg_attr(test, schemars(extend("type" = ["string", "integer", "null"], "pattern" = "[0-9]", "minimum" = 0)))]
    pub soak: Option<String>,
}

/// An environment, and what a promotion to it waits for.
#[derive(Clone, Debug)]
pub struct ConfiguredEnvironment {
    pub environment: NamedEnvironment,
    /// In seconds.
    pub soak: Option<u64>,
}

impl ConfigReader<'_> {
    /// Checks the environments, each against the others and the names of the services.
    pub(super) fn environments<'s>(
        &self,
        written: BTreeMap<String, RawEnvironment>,
        services: impl Iterator<Item = &'s str>,
    ) -> Result<Vec<ConfiguredEnvironment>, ConfigError> {
        let services: BTreeSet<&str> = services.collect();
        if let Some(name) = written.keys().find(|name| services.contains(name.as_str())) {
            return Err(self.error(&["services", name], ValueProblem::NameOfEnvironment));
        }
        for name in written.keys() {
            self.check_from(name, &written)?;
        }
        written.iter().map(|(name, raw)| self.environment(name, raw)).collect()
    }

    fn environment(&self, name: &str, raw: &RawEnvironment) -> Result<ConfiguredEnvironment, ConfigError> {
        let keys = ["environments", name];
        let is_word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() {
            return Err(self.error(&keys, ValueProblem::EmptyName { of: "an environment" }));
        }
        if name.starts_with('-') || !name.chars().all(is_word) {
            return Err(self.error(&keys, ValueProblem::EnvironmentName));
        }
        if raw.files.is_empty() {
            return Err(self.error(&[keys[0], name, "files"], ValueProblem::NoFiles));
        }
        let soak_keys = [keys[0], name, "soak"];
        let duration = |text: &String| {
            let problem = || ValueProblem::Duration { text: text.clone() };
            duration::seconds(text).ok_or_else(|| self.error(&soak_keys, problem()))
        };
        let soak = raw.soak.as_ref().map(duration).transpose()?;
        if soak.is_some() && raw.from.is_none() {
            return Err(self.error(&soak_keys, ValueProblem::SoakWithoutFrom));
        }
        let environment = NamedEnvironment {
            name: name.to_owned(),
            files: self.selection(&[keys[0], name, "files"], &raw.files)?,
            from: raw.from.clone(),
            at: self.place_of(&keys),
        };
        Ok(ConfiguredEnvironment { environment, soak })
    }

    /// Checks that `from` leads to an environment without one.
    fn check_from(&self, name: &str, written: &BTreeMap<String, RawEnvironment>) -> Result<(), ConfigError> {
        let (mut chain, mut at) = (vec![name.to_owned()], name);
        while let Some(from) = written.get(at).and_then(|raw| raw.from.as_deref()) {
            let problem = match written.contains_key(from) {
                false => {
                    let known = written.keys().cloned().collect();
                    ValueProblem::UnknownEnvironment { name: from.to_owned(), known }
                }
                true if chain.iter().any(|known| known == from) => {
                    let start = chain.iter().position(|known| known == from).unwrap_or_default();
                    chain.push(from.to_owned());
                    ValueProblem::CircularFrom { names: chain.split_off(start) }
                }
                true => {
                    chain.push(from.to_owned());
                    at = from;
                    continue;
                }
            };
            return Err(self.error(&["environments", at, "from"], problem));
        }
        Ok(())
    }
}
