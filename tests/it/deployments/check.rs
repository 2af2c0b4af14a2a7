//! Holds the renderings after a bump against those before it: the new image stands where the old one stood, and
//! nothing else is different, in the data and in the text.

use similar::TextDiff;

use super::containers::images;
use super::render::{Rendered, documents};
use super::system::Change;

/// What is not as it must be; nothing where all is well. Only what was rendered after is looked at.
pub fn differences(before: &Rendered, after: &Rendered, changes: &[Change]) -> Vec<String> {
    let mut told = unknown(before, changes);
    for (name, is) in after {
        let result = match (&before[name], is) {
            (Ok(was), Ok(is)) => compare(name, was, is, changes),
            (Err(why), _) => vec![format!("it was not rendered before: {why}")],
            (_, Err(why)) => vec![format!("it is not rendered any more: {why}")],
        };
        told.extend(result.into_iter().map(|what| format!("{name}: {what}")));
    }
    told
}

/// Renderings that a change names and that are not there.
fn unknown(before: &Rendered, changes: &[Change]) -> Vec<String> {
    let named = changes.iter().flat_map(|change| change.places.keys());
    named.filter(|name| !before.contains_key(*name)).map(|name| format!("no rendering {name}")).collect()
}

fn compare(name: &str, was: &str, is: &str, changes: &[Change]) -> Vec<String> {
    let (mut wanted, mut told) = (read(was), Vec::new());
    let mut lines = was.to_owned();
    for change in changes {
        let places = change.places.get(name).map(Vec::as_slice).unwrap_or_default();
        told.extend(replace(&mut wanted, change, places));
        // the old image may well stay elsewhere, in another environment
        if !places.is_empty() {
            lines = replace_lines(&lines, change);
        }
    }
    if wanted != read(is) {
        told.push("other data than wanted".to_owned());
    }
    if lines != is {
        let diff = TextDiff::from_lines(&lines, is).unified_diff().context_radius(2).to_string();
        told.push(format!("other text than wanted:\n{diff}"));
    }
    told
}

/// Puts the new image into the containers that run the old one; tells where those are not the places that are meant.
fn replace(documents: &mut [Document], change: &Change, places: &[String]) -> Option<String> {
    let mut found = Vec::new();
    for document in documents {
        for (place, image) in images(document) {
            if image.as_str() == Some(&change.from) && !places.is_empty() {
                *image = change.to.as_str().into();
                found.push(place);
            }
        }
    }
    let mut meant = places.to_vec();
    meant.sort();
    found.sort();
    (found != meant).then(|| format!("{} stood in {found:?}, not in {meant:?}", change.from))
}

fn replace_lines(text: &str, change: &Change) -> String {
    let each = text.split_inclusive('\n').map(|line| {
        let bare = line.trim_start().trim_start_matches("- ");
        let image = bare.strip_prefix("image:").map(|value| value.trim().trim_matches(['"', '\'']));
        if image == Some(&change.from) { line.replace(&change.from, &change.to) } else { line.to_owned() }
    });
    each.collect()
}

type Document = serde_yaml::Value;

fn read(stream: &str) -> Vec<Document> {
    documents(stream)
        .iter()
        .map(|text| serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}:\n{text}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "ghcr.io/acme/api:v0";
    const NEW: &str = "ghcr.io/acme/api:1019584";

    /// A deployment of api, with a worker of a similar name and a database.
    fn deployment(api: &str, worker: &str) -> String {
        format!(
            "kind: Deployment\nmetadata:\n  name: api\n  labels:\n    before: {OLD}\nspec:\n  template:\n    spec:\n      \
             initContainers:\n      - name: migrate\n        image: {api}\n      containers:\n      - image: {api}\n        \
             name: api\n      - name: worker\n        image: \"{worker}\"\n"
        )
    }

    fn rendered(text: &str) -> Rendered {
        [("prod".to_owned(), Ok(text.to_owned()))].into()
    }

    fn change(places: &[&str]) -> Change {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        Change { from: OLD.into(), to: NEW.into(), places: [("prod".to_owned(), places)].into() }
    }

    #[track_caller]
    fn told(after: &str, places: &[&str], what: &[&str]) {
        let before = rendered(&deployment(OLD, "ghcr.io/acme/api-worker:v0"));
        let told = differences(&before, &rendered(after), &[change(places)]);
        assert_eq!(told.len(), what.len(), "{told:#?}");
        assert!(told.iter().zip(what).all(|(told, what)| told.contains(what)), "{told:#?}");
    }

    const PLACES: [&str; 2] = ["Deployment/api/api", "Deployment/api/migrate"];
    const WORKER: &str = "ghcr.io/acme/api-worker:v0";

    #[test]
    fn check_passes_when_new_image_replaces_old_one() {
        told(&deployment(NEW, WORKER), &PLACES, &[]);
    }

    #[test]
    fn check_fails_when_nothing_changed() {
        told(&deployment(OLD, WORKER), &PLACES, &["other data", "other text"]);
    }

    #[test]
    fn check_fails_when_container_is_left_out() {
        let half = deployment(NEW, WORKER).replacen(NEW, OLD, 1);
        told(&half, &PLACES, &["other data", "other text"]);
    }

    #[test]
    fn check_fails_when_similar_name_changes_too() {
        told(&deployment(NEW, "ghcr.io/acme/api-worker:1019584"), &PLACES, &["other data", "other text"]);
    }

    #[test]
    fn check_fails_when_tag_was_read_as_number() {
        told(&deployment("ghcr.io/acme/api:1.019584e+06", WORKER), &PLACES, &["other data", "other text"]);
    }

    #[test]
    fn check_ignores_image_in_label() {
        let all = deployment(NEW, WORKER).replace(OLD, NEW);
        told(&all, &PLACES, &["other data", "other text"]);
    }

    #[test]
    fn check_fails_when_places_are_described_wrongly() {
        told(&deployment(NEW, WORKER), &PLACES[..1], &["stood in"]);
        told(&deployment(NEW, WORKER), &[&PLACES[..], &["Deployment/api/worker"]].concat(), &["stood in"]);
    }

    #[test]
    fn check_fails_when_quotes_differ_in_rendering() {
        told(&deployment(NEW, WORKER).replace('"', ""), &PLACES, &["other text"]);
    }

    #[test]
    fn check_fails_when_rendering_fails() {
        let before = rendered(&deployment(OLD, WORKER));
        let after: Rendered = [("prod".to_owned(), Err("cannot unmarshal number".to_owned()))].into();
        let told = differences(&before, &after, &[change(&PLACES)]);
        assert!(told.len() == 1 && told[0].contains("cannot unmarshal"), "{told:?}");
    }

    #[test]
    fn check_fails_when_rendering_is_missing() {
        let before = rendered(&deployment(OLD, WORKER));
        let mut elsewhere = change(&[]);
        elsewhere.places.insert("staging".into(), vec!["Deployment/api/api".into()]);
        let told = differences(&before, &before, &[elsewhere]);
        assert_eq!(told, ["no rendering staging"]);
    }
}
