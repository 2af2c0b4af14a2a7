//! Names for services: unique, and made of letters, digits and `. _ -`.

use std::collections::{HashMap, HashSet};

use crate::image::full_name;

/// A name for each image: the last part of the image's name, with as many earlier parts as it takes to make it
/// unique, including among those in `taken`.
pub fn of_images(images: &[&str], taken: &TakenNames) -> Vec<String> {
    let parts: Vec<Vec<String>> =
        images.iter().map(|image| full_name(image).split('/').map(fit).collect()).collect();
    let mut used = vec![1; images.len()];
    loop {
        let names: Vec<String> = parts.iter().zip(&used).map(|(parts, &n)| last(parts, n)).collect();
        let mut count: HashMap<&str, usize> = HashMap::new();
        names.iter().for_each(|name| *count.entry(name).or_default() += 1);
        let meets = |name: &str| count.get(name).is_some_and(|n| *n > 1) || taken.contains(name);
        let longer: Vec<usize> =
            (0..names.len()).filter(|&i| meets(&names[i]) && used[i] < parts[i].len()).collect();
        if longer.is_empty() {
            return names;
        }
        longer.into_iter().for_each(|i| used[i] += 1);
    }
}

fn last(parts: &[String], n: usize) -> String {
    parts[parts.len().saturating_sub(n)..].join("-")
}

/// Replaces characters that a service name can't have, and trims it so that it can't be mistaken for a flag.
fn fit(part: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = part.chars().map(word).collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { "image".to_owned() } else { name.to_owned() }
}

/// The names that services already have.
#[derive(Debug, Default)]
pub struct TakenNames {
    names: HashSet<String>,
    /// The next number to try for a name, because many images may differ only in characters that a name can't have.
    next: HashMap<String, usize>,
}

impl TakenNames {
    fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The name, with a number appended if it is taken. Marks the result as taken.
    pub fn take(&mut self, name: String) -> String {
        let mut free = name.clone();
        let next = self.next.entry(name.clone()).or_insert(2);
        while !self.names.insert(free.clone()) {
            free = format!("{name}-{next}");
            *next += 1;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_short_as_can_be_told_apart() {
        let none = TakenNames::default();
        let images =
            ["ghcr.io/acme/api", "ghcr.io/other/api", "ghcr.io/acme/web", "registry:5000/a b/c/Über"];
        assert_eq!(of_images(&images, &none), ["acme-api", "other-api", "web", "ber"]);
        let images = ["a.io/acme/api", "b.io/acme/api", "acme/api"];
        assert_eq!(of_images(&images, &none), ["a.io-acme-api", "b.io-acme-api", "docker.io-acme-api"]);
        let mut taken = TakenNames::default();
        taken.take("redis".to_owned());
        assert_eq!(of_images(&["redis"], &taken), ["library-redis"]);
        assert_eq!(of_images(&["ghcr.io/a/-é-", "a.io/---"], &none), ["a-image", "a.io-image"]);
    }

    #[test]
    fn a_number_where_nothing_else_helps() {
        let mut taken = TakenNames::default();
        let names = ["api", "api-3", "api", "api", "api"].map(|name| taken.take(name.to_owned()));
        assert_eq!(names, ["api", "api-3", "api-2", "api-4", "api-5"]);
    }
}
