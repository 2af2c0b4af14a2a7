//! The environment that a file is for, according to its path: `overlays/dev/…`, `clusters/prod-eu/…`,
//! `values-prod.yaml`.

use crate::file_selection::literal;

/// Names of environments, with synonyms on one line, in the order in which builds pass through them.
const WORDS: &[&[&str]] = &[
    &["local"],
    &["dev", "development", "develop"],
    &["test", "testing"],
    &["preview"],
    &["sandbox"],
    &["demo"],
    &["qa"],
    &["uat"],
    &["staging", "stage", "stg"],
    &["nonprod", "nonproduction"],
    &["preprod", "preproduction"],
    &["canary"],
    &["prod", "production", "prd"],
    &["live"],
];

/// An environment. Environments are ordered as builds pass through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeployEnvironment {
    /// Index in [`WORDS`].
    rank: usize,
    /// The 2 of `dev2`.
    number: Option<u16>,
}

impl DeployEnvironment {
    /// The environment in a path, as it is spelled there. Path parts equal to `image`, the last part of the
    /// image's name, are ignored. A folder or file name that is exactly an environment takes precedence, then a
    /// word in the file's name, then a word in a folder's name; the innermost one wins.
    pub fn of(path: &str, image: &str) -> Option<(Self, String)> {
        Self::at_part(path, image).map(|(environment, word, _)| (environment, word))
    }

    /// The same, with a pattern for the part that names the environment: the folder, or else the file.
    pub fn pattern_of(path: &str, image: &str) -> Option<(Self, String, String)> {
        let (environment, word, part) = Self::at_part(path, image)?;
        let folders: Vec<&str> = path.split('/').collect();
        let pattern = match folders.get(..=part) {
            Some(inside) if part + 1 < folders.len() => format!("{}/**", literal(&inside.join("/"))),
            _ => literal(path),
        };
        Some((environment, word, pattern))
    }

    /// The environment, its spelling, and which part of the path names it.
    fn at_part(path: &str, image: &str) -> Option<(Self, String, usize)> {
        let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let folders = folders.split('/').filter(|_| !folders.is_empty());
        let all: Vec<(usize, &str)> = folders.chain([stem]).enumerate().collect();
        let parts = || all.iter().filter(|(_, part)| *part != image).rev();
        let at = |part: usize, (environment, word): (Self, String)| (environment, word, part);
        let whole = parts().find_map(|(nth, part)| match words(part).as_slice() {
            [word] => Self::named(word).map(|found| at(*nth, found)),
            _ => None,
        });
        let inside = |(nth, part): &(usize, &str)| {
            words(part).iter().rev().find_map(|word| Self::named(word)).map(|found| at(*nth, found))
        };
        whole.or_else(|| parts().find_map(inside))
    }

    fn named(word: &str) -> Option<(Self, String)> {
        let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let rank = WORDS.iter().position(|same| same.contains(&name))?;
        let digits = &word[name.len()..];
        let number = if digits.is_empty() { None } else { Some(digits.parse().ok()?) };
        Some((DeployEnvironment { rank, number }, word.to_owned()))
    }

    /// Its standard name, for paths that spell it in several ways.
    pub fn name(self) -> String {
        let word = WORDS.get(self.rank).and_then(|same| same.first()).copied().unwrap_or_default();
        self.number.map_or(word.to_owned(), |number| format!("{word}{number}"))
    }
}

/// The words of a path part, in lower case. `pre-prod` and `non-prod` count as one word, so that they aren't
/// taken for `prod`.
fn words(part: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        match words.last_mut() {
            Some(last) if last == "pre" || last == "non" => last.push_str(&word.to_lowercase()),
            _ => words.push(word.to_lowercase()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> String {
        DeployEnvironment::of(path, "api").map(|(_, word)| word).unwrap_or_default()
    }

    #[test]
    fn environments_by_path() {
        for (path, wanted) in [
            ("overlays/dev/kustomization.yaml", "dev"),
            ("clusters/prod/apps/api.yaml", "prod"),
            ("clusters/prod/staging/api.yaml", "staging"),
            ("clusters/prod-eu/apps/api.yaml", "prod"),
            ("eu-west-1-Production/api.yaml", "production"),
            ("charts/api/values-prod.yaml", "prod"),
            ("values.staging.eu.yaml", "staging"),
            ("docker-compose.dev.yml", "dev"),
            ("prod.yaml", "prod"),
            ("envs/dev2/api.yaml", "dev2"),
            ("envs/pre-prod/api.yaml", "preprod"),
            ("values-non-prod.yaml", "nonprod"),
            ("clusters/prod/live-chat.yaml", "prod"),
            ("base/deployment.yaml", ""),
            ("products/devices/latest.yaml", ""),
            ("apps/api/values.yaml", ""),
            ("dev99999/a.yaml", ""),
        ] {
            assert_eq!(of(path), wanted, "{path}");
        }
    }

    #[test]
    fn pattern_selects_the_folder_or_file_that_names_the_environment() {
        for (path, wanted) in [
            ("envs/prod/apps/api.yaml", "envs/prod/**"),
            ("clusters/prod-eu/api.yaml", "clusters/prod-eu/**"),
            ("charts/api/values-prod.yaml", "charts/api/values-prod.yaml"),
            ("prod.yaml", "prod.yaml"),
            ("a[b]/prod/x.yaml", "a[[]b[]]/prod/**"),
        ] {
            assert_eq!(DeployEnvironment::pattern_of(path, "api").unwrap().2, wanted, "{path}");
        }
    }

    #[test]
    fn the_image_s_own_name_is_no_environment() {
        assert!(DeployEnvironment::of("apps/preview/base/a.yaml", "preview").is_none());
        let (found, _) = DeployEnvironment::of("apps/live-chat/overlays/dev/a.yaml", "live-chat").unwrap();
        assert_eq!(found.name(), "dev");
    }

    #[test]
    fn builds_go_from_development_to_production() {
        let of = |path| DeployEnvironment::of(path, "").unwrap().0;
        assert!(of("dev/a") < of("dev2/a") && of("dev2/a") < of("staging/a") && of("stage/a") < of("prod/a"));
        assert_eq!(of("prod/a"), of("production/a"));
        assert_eq!((of("production/a").name(), of("dev2/a").name()), ("prod".to_owned(), "dev2".to_owned()));
    }
}
