//! Placeholders in the source of an Application, as in a chart that makes Applications.

use super::super::unfilled::{is_unfilled, may_patch_image, may_set_image};
use super::super::value::Value;
use super::template::placeholders;

/// Whether placeholders may change the images of a source.
pub fn may_change_images(source: &Value) -> bool {
    let get = |path: &[&str]| source.at(path);
    let names = |list: &Value| {
        let name = |item: &Value| item.get("name").is_some_and(|name| placeholders(name) > 0);
        list.items().iter().any(|item| is_unfilled(item) || name(item))
    };
    let object = get(&["helm", "valuesObject"]);
    // of values with quotes, the text is looked at
    let values = get(&["helm", "values"]).filter(|values| values.scalar().is_none());
    get(&["helm"]).is_some_and(is_unfilled)
        || get(&["helm", "valueFiles"]).is_some_and(|files| placeholders(files) > 0)
        || object.into_iter().chain(values).any(|values| is_unfilled(values) || may_set_image(values))
        || get(&["helm", "parameters"]).is_some_and(|list| is_unfilled(list) || names(list))
        || get(&["kustomize"]).is_some_and(is_unfilled)
        || get(&["kustomize", "images"]).is_some_and(|images| placeholders(images) > 0)
        || get(&["kustomize", "patches"]).is_some_and(may_patch_image)
}
