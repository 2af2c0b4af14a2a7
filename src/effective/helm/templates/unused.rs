//! Values that no template of a chart uses, as in a values file that was written for another chart.

use std::collections::HashSet;

use super::super::super::place::Place;
use super::super::super::root::Doubt;
use super::super::super::setting::EffectiveImage;
use super::super::super::value::Value;
use super::images::TemplateScope;
use super::used::UsedValues;

/// Words in templates that may use values without naming their keys.
const USE_ANY_KEY: [&str; 2] = ["Files", "tpl"];

/// The images that are under keys which no template names. Whether templates use all values together is known from `used`.
pub(super) fn unused_images(
    scope: &TemplateScope<'_>,
    images: &[EffectiveImage],
    used: &UsedValues,
) -> Vec<Doubt> {
    let words = &scope.named.words;
    let is_sure = !used.any && scope.is_all_known() && !USE_ANY_KEY.iter().any(|word| words.contains(word));
    if !is_sure {
        return Vec::new();
    }
    // charts that aren't here get these
    let is_passed_on = |key: &String| key == "global" || scope.absent.contains(key);
    let unused = scope.values.pairs().iter();
    let unused = unused.filter(|(key, _)| !words.contains(key.as_str()) && !is_passed_on(key));
    let unused: Vec<(&String, HashSet<Place>)> = unused.map(|(key, value)| (key, places(value))).collect();
    let doubts = images.iter().filter_map(|image| {
        let at = image.named_at?;
        let (key, _) = unused.iter().find(|(_, places)| places.contains(&at))?;
        Some(Doubt {
            at: Some(at),
            what: format!("sets .Values.{key}, which no template of the chart names"),
        })
    });
    doubts.collect()
}

/// Where the scalars of a value are.
fn places(value: &Value) -> HashSet<Place> {
    let (mut places, mut rest) = (HashSet::new(), vec![value]);
    while let Some(value) = rest.pop() {
        places.extend(value.scalar().and_then(|value| value.place));
        rest.extend(value.items());
        rest.extend(value.pairs().iter().map(|(_, value)| value));
    }
    places
}
