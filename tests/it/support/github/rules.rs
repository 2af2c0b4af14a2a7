//! GitHub's own description of its REST API, trimmed: which routes there are, what may be sent to each, and
//! what each answers.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::support::schema;

pub static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let told: Value = serde_json::from_str(include_str!("rest.json")).expect("rest.json is JSON");
    let routes = told["routes"].as_array().expect("a list of routes");
    routes.iter().map(|route| Route::new(route, &told["components"])).collect()
});

pub struct Route {
    pub method: String,
    pub path: String,
    pub docs: String,
    query: Schema,
    /// There is none where no body is allowed.
    body: Option<Schema>,
    answers: HashMap<String, Schema>,
}

impl Route {
    fn new(told: &Value, components: &Value) -> Self {
        let text = |name: &str| told[name].as_str().expect("text").to_owned();
        let answers = told["answers"].as_object().expect("answers by status");
        let with_components = |schema: &Value| {
            let mut schema = schema.clone();
            schema["components"] = components.clone();
            Schema::new(schema)
        };
        Route {
            method: text("method"),
            path: text("path"),
            docs: text("docs"),
            query: Schema::new(told["query"].clone()),
            body: (!told["body"].is_null()).then(|| Schema::new(told["body"].clone())),
            answers: answers
                .iter()
                .map(|(status, schema)| (status.clone(), with_components(schema)))
                .collect(),
        }
    }

    /// A query as JSON, numbers as numbers. A name that is there twice is an error.
    pub fn query(&self, text: &str) -> Result<Map<String, Value>, String> {
        let mut found = Map::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let number = self.query.json["properties"][&*name]["type"] == "integer";
            let value =
                value.parse().ok().filter(|_| number).map_or(json!(value), |number: u32| json!(number));
            if found.insert(name.to_string(), value).is_some() {
                return Err(format!("{name} is there twice"));
            }
        }
        Ok(found)
    }

    /// What is wrong with a request; its body is null where there is none.
    pub fn problems(&self, query: &Map<String, Value>, body: &Value) -> Vec<String> {
        let mut problems = self.query.problems(&Value::Object(query.clone()));
        match &self.body {
            Some(schema) => problems.extend(schema.problems(body)),
            None if body.is_null() => {}
            None => problems.push(format!("no body is allowed: {body}")),
        }
        problems
    }

    /// What is wrong with an answer of ours.
    pub fn answer_problems(&self, status: u16, body: &Value) -> Vec<String> {
        self.answers.get(&status.to_string()).map(|schema| schema.problems(body)).unwrap_or_default()
    }

    /// The parameters in a path, percent-decoded; a last `{ref}` may have slashes in it.
    fn parameters(&self, path: &str) -> Option<Vec<String>> {
        let template: Vec<&str> = self.path.split('/').collect();
        let open = template.last().is_some_and(|last| ["{ref}", "{basehead}"].contains(last));
        let parts: Vec<&str> =
            if open { path.splitn(template.len(), '/').collect() } else { path.split('/').collect() };
        if parts.len() != template.len() {
            return None;
        }
        let mut found = Vec::new();
        for (wanted, part) in template.iter().zip(parts) {
            if !wanted.starts_with('{') {
                if *wanted != part {
                    return None;
                }
            } else if part.is_empty() {
                return None;
            } else {
                found.push(percent_decode_str(part).decode_utf8().ok()?.into_owned());
            }
        }
        Some(found)
    }
}

/// The route of a request, and the parameters in its path.
pub fn route(method: &str, path: &str) -> Option<(&'static Route, Vec<String>)> {
    // below commits/{ref} there are more routes, which nobody here knows
    const BELOW: [&str; 2] = ["/check-suites", "/statuses"];
    if path.contains("/commits/") && BELOW.iter().any(|end| path.ends_with(end)) {
        return None;
    }
    let mut routes = ROUTES.iter().filter(|route| route.method == method);
    routes.find_map(|route| Some((route, route.parameters(path)?)))
}

/// A schema that is made ready when it is first used: few of them are in a test.
pub struct Schema {
    json: Value,
    made: OnceLock<schema::Schema>,
}

impl Schema {
    pub fn new(json: Value) -> Self {
        Schema { json, made: OnceLock::new() }
    }

    pub fn problems(&self, value: &Value) -> Vec<String> {
        self.made.get_or_init(|| schema::Schema::new(self.json.clone())).problems(value)
    }
}
