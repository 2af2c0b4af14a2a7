//! The GraphQL API: what may be asked is checked against GitHub's own schema, trimmed; then
//! `createCommitOnBranch`, `updateRefs` and a few looks at the repository are carried out.

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use git2::{FileMode, Oid};
use graphql_tools::parser::schema::InputValue;
use graphql_tools::parser::{Pos, parse_query, parse_schema};
use graphql_tools::static_graphql::query::{
    Definition, Document, Field, OperationDefinition, Selection, SelectionSet, Type, TypeCondition,
    Value as Literal,
};
use graphql_tools::static_graphql::schema::{self, TypeDefinition};
use graphql_tools::validation::rules::default_rules_validation_plan;
use graphql_tools::validation::validate::validate;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::faults::On;
use super::rules::Schema;
use super::store::{Entry, is_path, web};
use super::{Context, me};

static SCHEMA: LazyLock<schema::Document> = LazyLock::new(|| {
    let text = concat!(include_str!("schema.graphql"), "\nscalar Float\n");
    parse_schema::<String>(text).expect("schema.graphql is a schema").into_static()
});

/// What may be sent to the one address there is.
static BODY: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(json!({
        "type": "object",
        "properties": {
            "query": {"type": "string"},
            "variables": {"type": ["object", "null"]},
            "operationName": {"type": ["string", "null"]},
        },
        "required": ["query"],
        "additionalProperties": false,
    }))
});

type Json = Map<String, Value>;

/// A valid request.
pub struct Asked {
    pub operation: On,
    document: Document,
    /// Which of the document's definitions is carried out.
    chosen: usize,
    variables: Json,
}

/// What is answered to by a part of a query.
enum Node {
    Query,
    Mutation,
    Repository,
    Ref(String, Oid),
    Commit(Oid),
    Signature(Value),
    Created { mutation: Value, branch: String, oid: Oid },
    Moved { mutation: Value },
    Enabled { mutation: Value },
    Rule,
    Queue,
    Pull(usize),
    AutoMerge(String),
}

/// An error that GitHub tells in a 200.
struct Refusal {
    kind: &'static str,
    message: String,
}

/// Values and errors of a part of a query.
type Found = Result<Value, Refusal>;

impl Asked {
    /// Checks a request. An error is what is wrong with it, each as GitHub might say it.
    pub fn read(body: &Value) -> Result<Self, Vec<String>> {
        let problems = BODY.problems(body);
        if !problems.is_empty() {
            return Err(problems);
        }
        let text = body["query"].as_str().unwrap_or_default();
        let document = parse_query::<String>(text).map_err(|error| vec![error.to_string()])?.into_static();
        let plan = default_rules_validation_plan();
        let problems = validate(&SCHEMA, &document, &plan);
        if !problems.is_empty() {
            return Err(problems.into_iter().map(|problem| problem.message).collect());
        }
        let chosen = choose(&document, body["operationName"].as_str()).map_err(|problem| vec![problem])?;
        let mut asked = Asked { operation: On::Query, document, chosen, variables: Json::new() };
        let given = body["variables"].as_object().cloned().unwrap_or_default();
        asked.variables = asked.check_variables(given)?;
        if matches!(asked.definition(), OperationDefinition::Mutation(_)) {
            let merges = asked.mutation("enablePullRequestAutoMerge").is_some();
            let moves = asked.mutation("updateRefs").is_some();
            asked.operation = match (merges, moves) {
                (true, _) => On::EnableAutoMerge,
                (false, true) => On::UpdateRefs,
                (false, false) => On::CreateCommitOnBranch,
            };
        }
        Ok(asked)
    }

    fn definition(&self) -> &OperationDefinition {
        match &self.document.definitions[self.chosen] {
            Definition::Operation(operation) => operation,
            Definition::Fragment(_) => panic!("an operation was chosen"),
        }
    }

    /// The variables, each fit for its type.
    fn check_variables(&self, mut given: Json) -> Result<Json, Vec<String>> {
        let (mut found, mut problems) = (Json::new(), Vec::new());
        for wanted in self.definition().variable_definitions() {
            let name = &wanted.name;
            let value =
                given.remove(name).or_else(|| wanted.default_value.as_ref().map(|value| self.json(value)));
            let none = value.is_none();
            match coerce(&wanted.var_type, value.unwrap_or(Value::Null)) {
                Ok(Value::Null) if none => {}
                Ok(value) => drop(found.insert(name.clone(), value)),
                Err(problem) => problems.push(format!(
                    "Variable ${name} of type {} was provided invalid value{problem}",
                    wanted.var_type
                )),
            }
        }
        problems.extend(given.keys().map(|name| format!("Variable ${name} is not declared by the document")));
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    /// A literal as JSON, with the variables in it.
    fn json(&self, literal: &Literal) -> Value {
        match literal {
            Literal::Variable(name) => self.variables.get(name).cloned().unwrap_or(Value::Null),
            Literal::Int(number) => json!(number.as_i64()),
            Literal::Float(number) => json!(number),
            Literal::String(text) | Literal::Enum(text) => json!(text),
            Literal::Boolean(value) => json!(value),
            Literal::Null => Value::Null,
            Literal::List(items) => items.iter().map(|item| self.json(item)).collect(),
            Literal::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.json(value))).collect()
            }
        }
    }

    /// The field of a mutation, if it is asked for.
    fn mutation(&self, name: &str) -> Option<&Field> {
        self.definition().selection_set().items.iter().find_map(|item| match item {
            Selection::Field(field) if field.name == name => Some(field),
            _ => None,
        })
    }

    /// The branch that the request is to change.
    pub fn reference(&self) -> Option<String> {
        let input = |field: &Field| Some(self.json(&field.arguments.first()?.1));
        if let Some(field) = self.mutation("updateRefs") {
            let updates = input(field)?["refUpdates"].as_array().cloned().unwrap_or_default();
            // one that is there
            let old = |update: &&Value| !text(&update["beforeOid"]).trim_matches('0').is_empty();
            return updates.iter().find(old).map(|update| text(&update["name"]).to_owned());
        }
        let input = input(self.mutation("createCommitOnBranch")?)?;
        Some(format!("refs/heads/{}", branch(&input["branch"]).ok()?))
    }

    /// The answer where all of it is refused.
    pub fn refused(&self, kind: &'static str, message: &str) -> Answer {
        let fields = self.definition().selection_set().items.iter();
        let first = fields
            .filter_map(|item| if let Selection::Field(field) = item { Some(field) } else { None })
            .next();
        let mut told = Told::default();
        if let Some(field) = first {
            told.data.insert(key(field), Value::Null);
            told.errors.push(error(field, &Refusal { kind, message: message.to_owned() }));
        }
        told.answer()
    }

    pub fn perform(&self, context: &mut Context<'_>) -> Answer {
        let root = match self.operation {
            On::CreateCommitOnBranch | On::UpdateRefs | On::EnableAutoMerge => Node::Mutation,
            _ => Node::Query,
        };
        let mut told = Told::default();
        for field in self.fields(&root, self.definition().selection_set()) {
            let value = self.field(&root, field, context).unwrap_or_else(|refusal| {
                told.errors.push(error(field, &refusal));
                Value::Null
            });
            told.data.insert(key(field), value);
        }
        told.answer()
    }

    /// The fields that are asked of a node, those in fragments too.
    fn fields<'a>(&'a self, node: &Node, set: &'a SelectionSet) -> Vec<&'a Field> {
        let mut found = Vec::new();
        for item in &set.items {
            match item {
                Selection::Field(field) => found.push(field),
                Selection::InlineFragment(fragment) => {
                    if fragment.type_condition.as_ref().is_none_or(|on| node.is(on)) {
                        found.extend(self.fields(node, &fragment.selection_set));
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let named = self.document.definitions.iter().find_map(|definition| match definition {
                        Definition::Fragment(fragment) if fragment.name == spread.fragment_name => {
                            Some(fragment)
                        }
                        _ => None,
                    });
                    let fragment = named.expect("checked before");
                    if node.is(&fragment.type_condition) {
                        found.extend(self.fields(node, &fragment.selection_set));
                    }
                }
            }
        }
        found
    }

    /// The value of a field, with all that is asked below it.
    fn field(&self, node: &Node, field: &Field, context: &mut Context<'_>) -> Found {
        let arguments: Json =
            field.arguments.iter().map(|(name, value)| (name.clone(), self.json(value))).collect();
        let below = |found: Option<Node>, context: &mut Context<'_>| {
            let Some(found) = found else {
                return Ok(Value::Null);
            };
            let mut object = Json::new();
            for field in self.fields(&found, &field.selection_set) {
                object.insert(key(field), self.field(&found, field, context)?);
            }
            Ok(Value::Object(object))
        };
        let name = field.name.as_str();
        if name == "__typename" {
            return Ok(json!(node.type_name()));
        }
        let store = context.store;
        match (node, name) {
            (Node::Mutation, "createCommitOnBranch") => {
                let made = create_commit(&arguments["input"], context)?;
                below(Some(made), context)
            }
            (Node::Mutation, "updateRefs") => {
                let moved = update_refs(&arguments["input"], context)?;
                below(Some(moved), context)
            }
            (Node::Mutation, "enablePullRequestAutoMerge") => {
                let enabled = enable_auto_merge(&arguments["input"], context)?;
                below(Some(enabled), context)
            }
            (Node::Repository, "mergeQueue") => {
                below(context.state.merging.queue.then_some(Node::Queue), context)
            }
            (Node::Repository, "pullRequest") => {
                let number = arguments["number"].as_u64().unwrap_or_default() as usize;
                let found = (1..=context.pulls.len()).contains(&number).then_some(Node::Pull(number));
                below(found, context)
            }
            (Node::Pull(number), "autoMergeRequest") => {
                below(context.pulls[number - 1].auto_merge.clone().map(Node::AutoMerge), context)
            }
            (Node::Ref(..), "refUpdateRule") => {
                below((context.state.merging.classic_reviews > 0).then_some(Node::Rule), context)
            }
            (Node::Query, "repository") => {
                let asked = format!("{}/{}", text(&arguments["owner"]), text(&arguments["name"]));
                below(Some(repository(&asked, context)?), context)
            }
            (Node::Repository, "defaultBranchRef") => {
                let name = format!("refs/heads/{}", store.default_branch());
                below(store.tip(&name).map(|oid| Node::Ref(name, oid)), context)
            }
            (Node::Repository, "ref") => {
                let asked = text(&arguments["qualifiedName"]);
                let names = [asked.to_owned(), format!("refs/heads/{asked}"), format!("refs/tags/{asked}")];
                let found =
                    names.into_iter().find_map(|name| store.tip(&name).map(|oid| Node::Ref(name, oid)));
                below(found, context)
            }
            (Node::Repository, "object") => {
                let asked =
                    arguments.get("oid").or(arguments.get("expression")).map(text).unwrap_or_default();
                below(store.commit_named(asked).map(Node::Commit), context)
            }
            (Node::Ref(_, oid), "target") => below(Some(Node::Commit(*oid)), context),
            (Node::Commit(oid), "signature") => {
                let told = store.verification(*oid);
                below((!told["signature"].is_null()).then_some(Node::Signature(told)), context)
            }
            (Node::Created { oid, .. }, "commit") => below(Some(Node::Commit(*oid)), context),
            (Node::Created { branch, oid, .. }, "ref") => {
                below(Some(Node::Ref(format!("refs/heads/{branch}"), *oid)), context)
            }
            _ => Ok(leaf(node, name, context)),
        }
    }
}

impl Node {
    fn type_name(&self) -> &'static str {
        match self {
            Node::Query => "Query",
            Node::Mutation => "Mutation",
            Node::Repository => "Repository",
            Node::Ref(..) => "Ref",
            Node::Commit(_) => "Commit",
            Node::Signature(_) => "GpgSignature",
            Node::Created { .. } => "CreateCommitOnBranchPayload",
            Node::Moved { .. } => "UpdateRefsPayload",
            Node::Enabled { .. } => "EnablePullRequestAutoMergePayload",
            Node::Rule => "RefUpdateRule",
            Node::Queue => "MergeQueue",
            Node::Pull(_) => "PullRequest",
            Node::AutoMerge(_) => "AutoMergeRequest",
        }
    }

    /// Whether the node is of a type, or of one that implements it.
    fn is(&self, TypeCondition::On(on): &TypeCondition) -> bool {
        let above: &[String] = match SCHEMA.type_by_name(self.type_name()) {
            Some(TypeDefinition::Object(object)) => &object.implements_interfaces,
            _ => &[],
        };
        self.type_name() == on || above.contains(on)
    }
}

/// A field without fields of its own.
fn leaf(node: &Node, name: &str, context: &Context<'_>) -> Value {
    let world = context.world();
    match node {
        Node::Repository => match name {
            "nameWithOwner" => json!(context.name.to_string()),
            "id" => world.repository()["node_id"].clone(),
            "url" => world.repository()["html_url"].clone(),
            "viewerDefaultMergeMethod" => json!("SQUASH"),
            _ => unanswered(node, name),
        },
        Node::Ref(full, _) => {
            let end = full.match_indices('/').nth(1).map_or(0, |(index, _)| index + 1);
            match name {
                "prefix" => json!(full[..end]),
                "name" => json!(full[end..]),
                "id" => json!(format!("REF_{full}")),
                _ => unanswered(node, name),
            }
        }
        Node::Commit(oid) => {
            let told = world.git_commit(*oid);
            let message = text(&told["message"]);
            let (headline, rest) = message.split_once('\n').unwrap_or((message, ""));
            match name {
                "oid" => told["sha"].clone(),
                "abbreviatedOid" => json!(text(&told["sha"])[..7]),
                "id" => told["node_id"].clone(),
                "url" | "commitUrl" => told["html_url"].clone(),
                "message" => json!(message),
                "messageHeadline" => json!(headline),
                "messageBody" => json!(rest.trim()),
                _ => unanswered(node, name),
            }
        }
        Node::Signature(told) => match name {
            "isValid" | "wasSignedByGitHub" => told["verified"].clone(),
            "state" => json!(if told["verified"] == true { "VALID" } else { "UNKNOWN_KEY" }),
            "payload" | "signature" => told[name].clone(),
            "keyId" => json!("B5690EEEBB952194"),
            _ => unanswered(node, name),
        },
        Node::Rule => match name {
            "requiredApprovingReviewCount" => json!(context.state.merging.classic_reviews),
            "requiredStatusCheckContexts" => json!([]),
            _ => unanswered(node, name),
        },
        Node::Queue => json!("MQ_1"),
        Node::AutoMerge(method) => json!(if method.is_empty() { "MERGE" } else { method }),
        Node::Pull(number) => {
            let pull = &context.pulls[number - 1];
            match name {
                "id" => json!(format!("PR_{number}")),
                "number" => json!(number),
                "headRefOid" => json!(pull.head_sha),
                _ => unanswered(node, name),
            }
        }
        Node::Created { mutation, .. } | Node::Moved { mutation } | Node::Enabled { mutation }
            if name == "clientMutationId" =>
        {
            mutation.clone()
        }
        _ => unanswered(node, name),
    }
}

fn unanswered(node: &Node, name: &str) -> Value {
    panic!("{}.{name} is in schema.graphql, but nobody answers it", node.type_name())
}

/// Makes the commit, if the branch is where the client thinks it is.
fn create_commit(input: &Value, context: &mut Context<'_>) -> Result<Node, Refusal> {
    let refusal = |kind, message: &str| Refusal { kind, message: message.to_owned() };
    let store = context.store;
    if let Some(asked) = input["branch"]["repositoryNameWithOwner"].as_str() {
        repository(asked, context)?;
    }
    let branch = branch(&input["branch"]).map_err(|message| refusal("UNPROCESSABLE", &message))?;
    let name = format!("refs/heads/{branch}");
    let tip = store.live_tip(&name);
    let tip = tip.ok_or_else(|| {
        refusal("NOT_FOUND", &format!("Could not resolve to a Ref with the name '{branch}'."))
    })?;
    let expected = text(&input["expectedHeadOid"]);
    let stale = || {
        let message =
            format!("Expected branch to point to \"{expected}\" but it did not.  Pull and try again.");
        Refusal { kind: "STALE_DATA", message }
    };
    if tip.to_string() != expected {
        return Err(stale());
    }
    let list = |name: &str| input["fileChanges"][name].as_array().cloned().unwrap_or_default();
    let mut entries: Vec<Entry> = Vec::new();
    for gone in list("deletions") {
        let path = text(&gone["path"]);
        if !store.has_path(tip, path) {
            let message = "A path was requested for deletion which does not exist as of commit oid";
            return Err(refusal("UNPROCESSABLE", &format!("{message} `{tip}`: {path}")));
        }
        entries.push((path.to_owned(), None));
    }
    for file in list("additions") {
        let path = text(&file["path"]);
        if !is_path(path) {
            return Err(refusal(
                "UNPROCESSABLE",
                &format!("A path was requested for addition which is not valid: {path}"),
            ));
        }
        let content = BASE64_STANDARD.decode(text(&file["contents"])).expect("checked before");
        // whatever its mode was
        entries.push((path.to_owned(), Some((FileMode::Blob, store.blob(&content)))));
    }
    let headline = text(&input["message"]["headline"]);
    if headline.trim().is_empty() || headline.contains(['\n', '\r']) {
        context.complain(format!("a headline is one line: {headline:?}"));
    }
    let body = text(&input["message"]["body"]);
    let message = if body.is_empty() { headline.to_owned() } else { format!("{headline}\n\n{body}") };
    let tree = store.tree(Some(store.commit(tip).tree_id()), &entries);
    let tree = tree.map_err(|error| refusal("UNPROCESSABLE", error.message()))?;
    let made = store.make_commit(tree, &[tip], &message, (&me(), &web()), context.state.signs);
    if !store.set_ref(&name, made, Some(tip)) {
        return Err(stale());
    }
    Ok(Node::Created { mutation: input["clientMutationId"].clone(), branch, oid: made })
}

/// Moves references, all of them or none. How GitHub words a refusal is not known.
fn update_refs(input: &Value, context: &Context<'_>) -> Result<Node, Refusal> {
    let refusal = |message: String| Refusal { kind: "UNPROCESSABLE", message };
    if input["repositoryId"] != context.world().repository()["node_id"] {
        let message =
            format!("Could not resolve to a node with the global id of '{}'", input["repositoryId"]);
        return Err(Refusal { kind: "NOT_FOUND", message });
    }
    let oid = |value: &Value| Oid::from_str(text(value)).ok().filter(|oid| !oid.is_zero());
    let store = context.store;
    let updates = input["refUpdates"].as_array().cloned().unwrap_or_default();
    for update in &updates {
        let (name, now) = (text(&update["name"]), store.live_tip(text(&update["name"])));
        if !name.starts_with("refs/heads/") || !git2::Reference::is_valid_name(name) {
            return Err(refusal(format!("{name} is not a valid ref name.")));
        }
        if !update["beforeOid"].is_null() && now != oid(&update["beforeOid"]) {
            return Err(refusal(format!("{name} could not be updated.")));
        }
        let Some(new) = oid(&update["afterOid"]) else {
            now.ok_or_else(|| refusal(format!("{name} does not exist.")))?;
            continue;
        };
        if store.commit_named(&new.to_string()).is_none() {
            return Err(refusal(format!("{new} is no commit of this repository.")));
        }
        if update["force"] != true && now.is_some_and(|now| now != new && !store.holds(new, now)) {
            return Err(refusal(format!("{name} is not a fast-forward.")));
        }
    }
    for update in &updates {
        let name = text(&update["name"]);
        match oid(&update["afterOid"]) {
            Some(new) => drop(store.set_ref(name, new, store.live_tip(name))),
            None => store.delete_ref(name),
        }
    }
    Ok(Node::Moved { mutation: input["clientMutationId"].clone() })
}

fn enable_auto_merge(input: &Value, context: &mut Context<'_>) -> Result<Node, Refusal> {
    let refusal = |message: &str| Refusal { kind: "UNPROCESSABLE", message: message.to_owned() };
    let number = text(&input["pullRequestId"]).trim_start_matches("PR_").parse::<usize>();
    let Some(pull) = number.ok().and_then(|number| context.state.pulls.get_mut(number - 1)) else {
        return Err(refusal("Could not resolve to a node"));
    };
    if input["expectedHeadOid"].as_str().is_some_and(|expected| expected != pull.head_sha) {
        return Err(refusal("Head sha didn't match expected"));
    }
    if let Some(why) = context.state.merging.refusal {
        return Err(refusal(why));
    }
    pull.auto_merge = Some(text(&input["mergeMethod"]).to_owned());
    Ok(Node::Enabled { mutation: input["clientMutationId"].clone() })
}

/// The branch's name, from either way to say it.
fn branch(told: &Value) -> Result<String, String> {
    let named = told["repositoryNameWithOwner"].is_string() && told["branchName"].is_string();
    match (told["id"].as_str(), named) {
        (None, true) => Ok(text(&told["branchName"]).trim_start_matches("refs/heads/").to_owned()),
        (Some(id), false) => Ok(id.trim_start_matches("REF_refs/heads/").to_owned()),
        _ => Err("Either an id, or repositoryNameWithOwner and branchName, says which branch.".to_owned()),
    }
}

fn repository(asked: &str, context: &Context<'_>) -> Result<Node, Refusal> {
    if context.name.is(asked) {
        return Ok(Node::Repository);
    }
    let message = format!("Could not resolve to a Repository with the name '{asked}'.");
    Err(Refusal { kind: "NOT_FOUND", message })
}

#[derive(Default)]
struct Told {
    data: Json,
    errors: Vec<Value>,
}

impl Told {
    fn answer(self) -> Answer {
        let mut body = json!({"data": self.data});
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        Answer::ok(body)
    }
}

/// What GitHub answers to a request that is no GraphQL, or not for its schema.
pub fn rejected(problems: &[String]) -> Answer {
    let errors: Vec<_> = problems.iter().map(|message| json!({"message": message})).collect();
    Answer::ok(json!({"errors": errors}))
}

fn error(field: &Field, refusal: &Refusal) -> Value {
    let Pos { line, column } = field.position;
    json!({
        "type": refusal.kind,
        "path": [key(field)],
        "locations": [{"line": line, "column": column}],
        "message": refusal.message,
    })
}

/// Under which name a field is answered.
fn key(field: &Field) -> String {
    field.alias.as_ref().unwrap_or(&field.name).clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The operation of that name, or the only one.
fn choose(document: &Document, name: Option<&str>) -> Result<usize, String> {
    let named = |operation: &OperationDefinition| match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(query) => query.name.clone(),
        OperationDefinition::Mutation(mutation) => mutation.name.clone(),
        OperationDefinition::Subscription(subscription) => subscription.name.clone(),
    };
    let operations =
        document.definitions.iter().enumerate().filter_map(|(index, definition)| match definition {
            Definition::Operation(operation) => Some((index, named(operation))),
            Definition::Fragment(_) => None,
        });
    let fits: Vec<_> = operations.filter(|(_, known)| name.is_none() || known.as_deref() == name).collect();
    match fits.as_slice() {
        [(index, _)] => Ok(*index),
        _ => Err("An operation name is required".to_owned()),
    }
}

/// A value fit for its type: with defaults, and nothing that the type does not have. The error says where
/// and why, to be put after "invalid value".
fn coerce(wanted: &Type, value: Value) -> Result<Value, String> {
    let name = match wanted {
        Type::NonNullType(_) if value.is_null() => return Err(" (Expected value to not be null)".to_owned()),
        Type::NonNullType(inner) => return coerce(inner, value),
        _ if value.is_null() => return Ok(Value::Null),
        Type::ListType(inner) => {
            let Value::Array(items) = value else {
                return Ok(json!([coerce(inner, value)?]));
            };
            let item = |(index, item)| coerce(inner, item).map_err(|problem| below(index, &problem));
            return items.into_iter().enumerate().map(item).collect();
        }
        Type::NamedType(name) => name,
    };
    let fits = match (name.as_str(), &value) {
        ("Int", Value::Number(number)) => number.is_i64(),
        ("Float", Value::Number(_)) | ("Boolean", Value::Bool(_)) | ("String", Value::String(_)) => true,
        ("ID", Value::String(_) | Value::Number(_)) => true,
        ("GitObjectID", Value::String(text)) => {
            text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
        }
        ("Base64String", Value::String(text)) => BASE64_STANDARD.decode(text).is_ok(),
        ("URI" | "GitRefname", Value::String(_)) => true,
        _ => match (SCHEMA.type_by_name(name), value) {
            (Some(TypeDefinition::InputObject(input)), Value::Object(fields)) => {
                return coerce_fields(&input.fields, fields);
            }
            (Some(TypeDefinition::Enum(kind)), Value::String(text)) => {
                let known = kind.values.iter().any(|value| value.name == text);
                return if known { Ok(json!(text)) } else { Err(format!(" ({text:?} is not a {name})")) };
            }
            (_, value) => return Err(format!(" (Could not coerce value {value} to {name})")),
        },
    };
    if fits { Ok(value) } else { Err(format!(" (Could not coerce value {value} to {name})")) }
}

fn coerce_fields(wanted: &[InputValue<'static, String>], mut given: Json) -> Result<Value, String> {
    let mut found = Json::new();
    for field in wanted {
        let value = given.remove(&field.name);
        if value.is_none() && !matches!(field.value_type, Type::NonNullType(_)) {
            continue;
        }
        let value = coerce(&field.value_type, value.unwrap_or(Value::Null));
        found.insert(field.name.clone(), value.map_err(|problem| below(&field.name, &problem))?);
    }
    match given.keys().next() {
        Some(unknown) => Err(below(unknown, " (Field is not defined)")),
        None => Ok(Value::Object(found)),
    }
}

/// A problem, with the place that it is in put before it.
fn below(place: impl std::fmt::Display, problem: &str) -> String {
    let problem = problem.strip_prefix(" for ").map_or_else(|| problem.to_owned(), |rest| format!(".{rest}"));
    format!(" for {place}{problem}")
}
