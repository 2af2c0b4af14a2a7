//! What each route of the REST API does.

use git2::{FileMode, ObjectType, Oid};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Done};
use super::faults::On;
use super::pulls::Pull;
use super::rules::{Route, route};
use super::shapes::{World, node_id};
use super::store::{Entry, Person, Store, is_path, person, web};
use super::{Context, me, now};

/// A request for one of the routes.
pub struct Asked {
    pub operation: On,
    pub route: &'static Route,
    parameters: Vec<String>,
    query: Map<String, Value>,
    body: Value,
}

impl Asked {
    /// None where GitHub has no such route. With it: what is wrong with the request.
    pub fn read(method: &str, path: &str, query: &str, body: &Value) -> Option<(Self, Vec<String>)> {
        let (route, parameters) = route(method, path)?;
        let (query, mut problems) = match route.query(query) {
            Ok(query) => (query, Vec::new()),
            Err(problem) => (Map::new(), vec![problem]),
        };
        problems.extend(route.problems(&query, body));
        let operation = operation(route);
        Some((Asked { operation, route, parameters, query, body: body.clone() }, problems))
    }

    fn docs(&self) -> &str {
        &self.route.docs
    }

    pub fn refused(&self, status: u16, message: &str) -> Answer {
        Answer::refused(status, message, self.docs())
    }

    /// 422 with a text of its own as the message.
    fn unprocessable(&self, message: &str) -> Answer {
        self.refused(422, message)
    }

    pub fn invalid(&self, error: Value) -> Answer {
        Answer::invalid(error, self.docs())
    }

    fn not_found(&self) -> Answer {
        Answer::not_found(self.docs())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.body[name].as_str()
    }

    /// The parameter after owner and repository.
    fn third(&self) -> &str {
        &self.parameters[2]
    }

    /// The reference that the request is to change.
    pub fn reference(&self) -> Option<String> {
        (self.operation == On::UpdateRef).then(|| format!("refs/{}", self.third()))
    }

    pub fn perform(&self, context: &mut Context<'_>) -> Done {
        let known = |owner: &str, repo: &str| context.name.is(&format!("{owner}/{repo}"));
        if self.operation != On::RateLimit && !known(&self.parameters[0], &self.parameters[1]) {
            return Err(self.not_found());
        }
        match self.operation {
            On::RateLimit => Ok(rate_limit(context.used)),
            On::Repo => Ok(Answer::ok(context.world().repository())),
            On::ListPulls => self.list_pulls(context),
            On::CreatePull => self.create_pull(context),
            On::GetPull => {
                let pull = self.pull(context)?;
                Ok(Answer::ok(context.world().pull(&pull)))
            }
            On::UpdatePull => self.update_pull(context),
            On::ListLabels => {
                let pull = self.pull(context)?;
                Ok(Answer::ok(labels(&pull, &context.world())))
            }
            On::AddLabels => self.add_labels(context),
            On::GetLabel => {
                let named = |label: &&String| label.eq_ignore_ascii_case(self.third());
                let label = context.state.labels.iter().find(named).ok_or_else(|| self.not_found())?;
                Ok(Answer::ok(context.world().label(label)))
            }
            On::RequestReviewers => self.request_reviewers(context),
            On::Assign => self.assign(context),
            On::MergePull => self.merge_pull(context),
            On::BranchRules => Ok(Answer::ok(json!(context.state.rules))),
            On::MatchingRefs => {
                let start = format!("refs/{}", self.third());
                Ok(Answer::ok(context.world().references(&context.store.refs(), &start)))
            }
            On::GetRef => {
                let name = format!("refs/{}", self.third());
                let oid = context.store.tip(&name).ok_or_else(|| self.not_found())?;
                Ok(Answer::ok(context.world().reference(&name, oid)))
            }
            On::CreateRef => self.create_ref(context),
            On::UpdateRef => self.update_ref(context),
            On::DeleteRef => {
                let name = format!("refs/{}", self.third());
                let there = context.store.live_tip(&name);
                there.ok_or_else(|| self.unprocessable("Reference does not exist"))?;
                context.store.delete_ref(&name);
                Ok(Answer::new(204, Value::Null))
            }
            On::CreateTree => self.create_tree(context),
            On::CreateCommit => self.create_commit(context),
            On::GetCommit => self.get_commit(context),
            On::Compare => self.compare(context),
            On::CombinedStatus | On::CheckRuns => self.statuses(context),
            other => panic!("{other:?} is no route"),
        }
    }

    fn list_pulls(&self, context: &mut Context<'_>) -> Done {
        let asked = |name: &str| self.query.get(name).and_then(Value::as_str);
        let number =
            |name: &str, otherwise| self.query.get(name).and_then(Value::as_u64).unwrap_or(otherwise);
        if let Some(head) = asked("head").filter(|head| !head.contains(':')) {
            context.complain(format!("?head={head} has no owner: GitHub would not filter by it"));
        }
        let state = asked("state").unwrap_or("open");
        let fits = |pull: &&Pull| {
            let head = format!("{}:{}", context.name.owner, pull.head);
            (state == "all" || pull.open == (state == "open"))
                && asked("base").is_none_or(|base| base == pull.base)
                && asked("head").is_none_or(|asked| asked == head)
        };
        let mut found: Vec<_> = context.pulls.iter().filter(fits).collect();
        if asked("direction") != Some("asc") {
            found.reverse();
        }
        let (page, size) = (number("page", 1).max(1), number("per_page", 30).clamp(1, 100));
        let pages = (found.len() as u64).div_ceil(size).max(1);
        let world = context.world();
        let shown = found.iter().skip(((page - 1) * size) as usize).take(size as usize);
        let answer = Answer::ok(shown.map(|pull| world.pull_in_list(pull)).collect());
        Ok(if pages > 1 { answer.with("Link", self.link(&world, page, pages)) } else { answer })
    }

    /// The `Link` header of a list with several pages.
    fn link(&self, world: &World<'_>, page: u64, pages: u64) -> String {
        let url = |number: u64| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in self.query.iter().filter(|(name, _)| *name != "page") {
                query.append_pair(name, &value.as_str().map_or(value.to_string(), str::to_owned));
            }
            query.append_pair("page", &number.to_string());
            format!("{}/pulls?{}", world.repo_url(), query.finish())
        };
        let back = [("prev", page.saturating_sub(1)), ("first", 1)].into_iter().filter(|_| page > 1);
        let on = [("next", page + 1), ("last", pages)].into_iter().filter(|_| page < pages);
        let parts = back.chain(on).map(|(name, number)| format!("<{}>; rel=\"{name}\"", url(number)));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn create_pull(&self, context: &mut Context<'_>) -> Done {
        let wrong = |field: &str, code: &str| self.pull_error(json!({"field": field, "code": code}));
        let title = self.text("title").filter(|title| !title.is_empty());
        let title = title.ok_or_else(|| wrong("title", "missing_field"))?.to_owned();
        let (head, base) = (self.text("head").unwrap_or_default(), self.text("base").unwrap_or_default());
        let head = match head.split_once(':') {
            Some((owner, head)) if owner.eq_ignore_ascii_case(&context.name.owner) => head,
            Some(_) => return Err(wrong("head", "invalid")),
            None => head,
        };
        let base_oid = context.store.branch(base).ok_or_else(|| wrong("base", "invalid"))?;
        let head_oid = context.store.branch(head).ok_or_else(|| wrong("head", "invalid"))?;
        if context.store.holds(base_oid, head_oid) {
            let message = format!("No commits between {base} and {head}");
            return Err(self.pull_error(json!({"code": "custom", "message": message})));
        }
        self.only_one(context, head, base)?;
        let number = context.pulls.len() as u64 + 1;
        let pull = Pull {
            number,
            title,
            body: self.text("body").map(str::to_owned),
            open: true,
            merged: false,
            draft: self.body["draft"] == true,
            head: head.to_owned(),
            base: base.to_owned(),
            head_sha: head_oid.to_string(),
            base_sha: base_oid.to_string(),
            labels: Vec::new(),
            reviewers: Vec::new(),
            assignees: Vec::new(),
            auto_merge: None,
            created_at: now(),
            updated_at: now(),
            closed_at: None,
        };
        let answer = Answer::created(context.world().pull(&pull));
        context.state.pulls.push(pull);
        Ok(answer)
    }

    fn only_one(&self, context: &Context<'_>, head: &str, base: &str) -> Result<(), Answer> {
        let same = |pull: &Pull| pull.open && pull.head == head && pull.base == base;
        if !context.state.pulls.iter().any(same) {
            return Ok(());
        }
        let message = format!("A pull request already exists for {}:{head}.", context.name.owner);
        Err(self.pull_error(json!({"code": "custom", "message": message})))
    }

    fn pull_error(&self, mut error: Value) -> Answer {
        error["resource"] = json!("PullRequest");
        self.invalid(error)
    }

    /// The pull request as it is to be seen.
    fn pull(&self, context: &Context<'_>) -> Result<Pull, Answer> {
        let found = context.pulls.iter().find(|pull| pull.number.to_string() == self.third());
        found.cloned().ok_or_else(|| self.not_found())
    }

    fn update_pull(&self, context: &mut Context<'_>) -> Done {
        let number = self.pull(context)?.number;
        let mut pull = context.state.pulls[number as usize - 1].clone();
        if let Some(title) = self.text("title") {
            if title.is_empty() {
                return Err(self.pull_error(json!({"field": "title", "code": "missing_field"})));
            }
            pull.title = title.to_owned();
        }
        if let Some(body) = self.text("body") {
            pull.body = Some(body.to_owned());
        }
        if let Some(base) = self.text("base") {
            let oid = context.store.live_tip(&format!("refs/heads/{base}"));
            let oid = oid.ok_or_else(|| self.pull_error(json!({"field": "base", "code": "invalid"})))?;
            (pull.base, pull.base_sha) = (base.to_owned(), oid.to_string());
        }
        match self.text("state") {
            Some("closed") if pull.open => pull.close(),
            Some("open") if !pull.open => {
                let head = context.store.live_tip(&format!("refs/heads/{}", pull.head));
                if pull.merged || head.is_none() {
                    let message = "state cannot be changed. The pull request cannot be reopened.";
                    return Err(
                        self.pull_error(json!({"code": "custom", "field": "state", "message": message}))
                    );
                }
                self.only_one(context, &pull.head, &pull.base)?;
                pull.reopen();
            }
            _ => {}
        }
        pull.updated_at = now();
        let answer = Answer::ok(context.world().pull(&pull));
        context.state.pulls[number as usize - 1] = pull;
        Ok(answer)
    }

    fn add_labels(&self, context: &mut Context<'_>) -> Done {
        let number: usize = self.third().parse().map_err(|_| self.not_found())?;
        if number == 0 || number > context.state.pulls.len() {
            return Err(self.not_found());
        }
        if number > context.pulls.len() {
            // not seen yet, for those who look where reads lag
            let message =
                format!("Could not resolve to a node with the global id of '{}'.", node_id(number as u64));
            let error =
                json!({"resource": "Issue", "code": "unprocessable", "field": "data", "message": message});
            return Err(self.invalid(error));
        }
        let name = |label: &Value| label.as_str().or(label["name"].as_str()).unwrap_or_default().to_owned();
        let names: Vec<_> = self.body["labels"].as_array().into_iter().flatten().map(name).collect();
        if names.iter().any(|name| name.is_empty() || name.chars().count() > 50) {
            let error = json!({"resource": "Label", "code": "invalid", "field": "name"});
            return Err(self.invalid(error));
        }
        let same =
            |list: &[String], name: &str| list.iter().position(|known| known.eq_ignore_ascii_case(name));
        for name in names {
            let known = &mut context.state.labels;
            let index = same(known, &name).unwrap_or_else(|| {
                known.push(name.clone());
                known.len() - 1
            });
            let known = known[index].clone();
            let pull = &mut context.state.pulls[number - 1];
            if same(&pull.labels, &name).is_none() {
                pull.labels.push(known);
                pull.updated_at = now();
            }
        }
        Ok(Answer::ok(labels(&context.state.pulls[number - 1], &context.world())))
    }

    fn names(&self, key: &str) -> Vec<String> {
        let names = self.body[key].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn request_reviewers(&self, context: &mut Context<'_>) -> Done {
        let number = self.pull(context)?.number as usize;
        let names = [self.names("reviewers"), self.names("team_reviewers")].concat();
        if names.iter().any(|name| !super::COLLABORATORS.contains(&name.as_str())) {
            return Err(self.unprocessable(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the acme/gitops repository.",
            ));
        }
        context.state.pulls[number - 1].reviewers.extend(names);
        Ok(Answer::new(201, context.world().pull_in_list(&context.state.pulls[number - 1])))
    }

    /// Those who can't be assigned are passed over.
    fn assign(&self, context: &mut Context<'_>) -> Done {
        let number = self.pull(context)?.number as usize;
        let known =
            self.names("assignees").into_iter().filter(|name| super::COLLABORATORS.contains(&name.as_str()));
        context.state.pulls[number - 1].assignees.extend(known);
        Ok(Answer::new(201, context.world().issue(&context.state.pulls[number - 1])))
    }

    fn merge_pull(&self, context: &mut Context<'_>) -> Done {
        let number = self.pull(context)?.number as usize;
        let pull = &mut context.state.pulls[number - 1];
        if self.text("sha").is_some_and(|sha| sha != pull.head_sha) {
            return Err(self.refused(409, "Head branch was modified. Review and try the merge again."));
        }
        pull.merged = true;
        pull.close();
        let sha = pull.head_sha.clone();
        Ok(Answer::ok(json!({"sha": sha, "merged": true, "message": "Pull Request successfully merged"})))
    }

    fn create_ref(&self, context: &Context<'_>) -> Done {
        let name = self.text("ref").unwrap_or_default();
        if !name.starts_with("refs/") || name.matches('/').count() < 2 {
            return Err(
                self.unprocessable("Reference name must contain at least three slash-separated components.")
            );
        }
        if !git2::Reference::is_valid_name(name) {
            return Err(self.unprocessable(&format!("{name} is not a valid ref name.")));
        }
        let oid = self.object(context.store)?;
        if context.store.live_tip(name).is_some() {
            return Err(self.unprocessable("Reference already exists"));
        }
        if !context.store.set_ref(name, oid, None) {
            return Err(self.unprocessable("Reference update failed"));
        }
        Ok(Answer::created(context.world().reference(name, oid)))
    }

    /// The object that a reference is to point at.
    fn object(&self, store: &Store) -> Result<Oid, Answer> {
        let found = store.has(self.text("sha").unwrap_or_default(), ObjectType::Commit);
        found.ok_or_else(|| self.unprocessable("Object does not exist"))
    }

    fn update_ref(&self, context: &Context<'_>) -> Done {
        let name = format!("refs/{}", self.third());
        let old = context.store.live_tip(&name);
        let old = old.ok_or_else(|| self.unprocessable("Reference does not exist"))?;
        let new = self.object(context.store)?;
        let forward = context.store.relation(old, new).1 == 0;
        if !forward && self.body["force"] != true {
            return Err(self.unprocessable("Update is not a fast forward"));
        }
        if !context.store.set_ref(&name, new, Some(old)) {
            return Err(self.unprocessable("Reference cannot be updated"));
        }
        Ok(Answer::ok(context.world().reference(&name, new)))
    }

    fn create_tree(&self, context: &Context<'_>) -> Done {
        let store = context.store;
        let base = self.text("base_tree");
        let base = base.map(|text| store.tree_of(text).ok_or_else(|| self.not_found())).transpose()?;
        let entries = self.body["tree"].as_array().into_iter().flatten();
        let entries: Vec<_> = entries.map(|entry| self.entry(store, entry)).collect::<Result<_, _>>()?;
        let made = store.tree(base, &entries);
        let made = made.map_err(|_| self.unprocessable("GitRPC::BadObjectState"))?;
        Ok(Answer::created(context.world().tree(made)))
    }

    fn entry(&self, store: &Store, told: &Value) -> Result<Entry, Answer> {
        let path = told["path"].as_str().unwrap_or_default();
        if !is_path(path) {
            return Err(self.unprocessable("tree.path contains a malformed path component"));
        }
        if told.get("sha") == Some(&Value::Null) {
            return Ok((path.to_owned(), None));
        }
        let (mode, kind) = match told["mode"].as_str() {
            Some("100644") => (FileMode::Blob, ObjectType::Blob),
            Some("100755") => (FileMode::BlobExecutable, ObjectType::Blob),
            Some("120000") => (FileMode::Link, ObjectType::Blob),
            Some("040000") => (FileMode::Tree, ObjectType::Tree),
            Some("160000") => (FileMode::Commit, ObjectType::Commit),
            _ => return Err(self.unprocessable("Must supply a valid tree.mode")),
        };
        let oid = match (told["sha"].as_str(), told["content"].as_str()) {
            (Some(sha), None) => {
                let wrong = || self.unprocessable(&format!("tree.sha {sha} is not a valid {}", kind.str()));
                store.has(sha, kind).ok_or_else(wrong)?
            }
            (None, Some(content)) => store.blob(content.as_bytes()),
            _ => return Err(self.unprocessable("Must supply either tree.sha or tree.content")),
        };
        Ok((path.to_owned(), Some((mode, oid))))
    }

    fn create_commit(&self, context: &Context<'_>) -> Done {
        let store = context.store;
        let tree = store.has(self.text("tree").unwrap_or_default(), ObjectType::Tree);
        let tree = tree.ok_or_else(|| self.unprocessable("Tree SHA does not exist"))?;
        let parents = self.body["parents"].as_array().into_iter().flatten();
        let parent = |text: &Value| {
            let found = store.has(text.as_str().unwrap_or_default(), ObjectType::Commit);
            found.ok_or_else(|| self.unprocessable("Parent SHA does not exist or is not a commit object"))
        };
        let parents: Vec<_> = parents.map(parent).collect::<Result<_, _>>()?;
        let given = ["author", "committer"].map(|who| self.person(who));
        let [author, committer] = given;
        let free = author.is_none() && committer.is_none() && self.body.get("signature").is_none();
        let signed = free && context.state.signs;
        let author = author.unwrap_or_else(me);
        let committer = committer.unwrap_or_else(|| if signed { web() } else { author.clone() });
        let message = self.text("message").unwrap_or_default();
        let made = store.make_commit(tree, &parents, message, (&author, &committer), signed);
        Ok(Answer::created(context.world().git_commit(made)))
    }

    fn person(&self, who: &str) -> Option<Person> {
        let told = self.body.get(who)?;
        let at: Option<Timestamp> = told["date"].as_str().and_then(|date| date.parse().ok());
        let somebody = person(told["name"].as_str()?, told["email"].as_str()?);
        let Some(at) = at else {
            return Some(somebody);
        };
        let time = git2::Time::new(at.as_second(), 0);
        git2::Signature::new(told["name"].as_str()?, told["email"].as_str()?, &time).ok()
    }

    fn get_commit(&self, context: &Context<'_>) -> Done {
        let (store, world) = (context.store, context.world());
        if self.route.path.contains("/git/commits/") {
            let found = store.has(self.third(), ObjectType::Commit).ok_or_else(|| self.not_found())?;
            return Ok(Answer::ok(world.git_commit(found)));
        }
        let unknown = || self.unprocessable(&format!("No commit found for SHA: {}", self.third()));
        let found = store.commit_named(self.third()).ok_or_else(unknown)?;
        let mut told = world.commit(found);
        told["files"] = world.files(store.commit(found).parent_ids().next(), found);
        Ok(Answer::ok(told))
    }

    /// Pages of a hundred at most, with an ETag.
    fn statuses(&self, context: &Context<'_>) -> Done {
        let unknown = || self.unprocessable(&format!("No commit found for SHA: {}", self.third()));
        let commit = context.store.commit_named(self.third()).ok_or_else(unknown)?.to_string();
        let number =
            |name: &str, default| self.query.get(name).and_then(Value::as_u64).unwrap_or(default) as usize;
        let (page, size) = (number("page", 1).max(1), number("per_page", 30).clamp(1, 100));
        let (posted, world) = (&context.state.statuses, context.world());
        let body = match self.operation {
            On::CheckRuns => world.check_runs(posted, &commit, page, size),
            _ => world.combined_status(posted, &commit, page, size),
        };
        let etag = format!(
            "W/\"{}\"",
            git2::Oid::hash_object(git2::ObjectType::Blob, body.to_string().as_bytes()).expect("a hash")
        );
        Ok(Answer::ok(body).with("ETag", etag))
    }

    fn compare(&self, context: &Context<'_>) -> Done {
        let (base, head) = self.third().split_once("...").ok_or_else(|| self.not_found())?;
        let commit = |text: &str| {
            let owner = format!("{}:", context.name.owner);
            context
                .store
                .commit_named(text.strip_prefix(&owner).unwrap_or(text))
                .ok_or_else(|| self.not_found())
        };
        let number = |name: &str, default: usize| {
            let given = self.query.get(name).and_then(Value::as_u64);
            given.map_or(default, |number| number as usize)
        };
        let (page, size) = (number("page", 1).max(1), number("per_page", 250).clamp(1, 250));
        let told = context.world().comparison(commit(base)?, commit(head)?, (page - 1) * size..page * size);
        told.map(Answer::ok)
            .ok_or_else(|| self.refused(404, &format!("No common ancestor between {base} and {head}.")))
    }
}

fn operation(route: &Route) -> On {
    let path = route.path.strip_prefix("/repos/{owner}/{repo}").unwrap_or(&route.path);
    match (route.method.as_str(), path) {
        ("GET", "/rate_limit") => On::RateLimit,
        ("GET", "") => On::Repo,
        ("GET", "/pulls") => On::ListPulls,
        ("POST", "/pulls") => On::CreatePull,
        ("GET", "/pulls/{pull_number}") => On::GetPull,
        ("PATCH", "/pulls/{pull_number}") => On::UpdatePull,
        ("GET", "/labels/{name}") => On::GetLabel,
        ("POST", "/issues/{issue_number}/assignees") => On::Assign,
        ("POST", "/pulls/{pull_number}/requested_reviewers") => On::RequestReviewers,
        ("PUT", "/pulls/{pull_number}/merge") => On::MergePull,
        ("GET", "/rules/branches/{branch}") => On::BranchRules,
        ("GET", "/issues/{issue_number}/labels") => On::ListLabels,
        ("POST", "/issues/{issue_number}/labels") => On::AddLabels,
        ("GET", "/git/matching-refs/{ref}") => On::MatchingRefs,
        ("GET", "/git/ref/{ref}") => On::GetRef,
        ("POST", "/git/refs") => On::CreateRef,
        ("PATCH", "/git/refs/{ref}") => On::UpdateRef,
        ("DELETE", "/git/refs/{ref}") => On::DeleteRef,
        ("POST", "/git/trees") => On::CreateTree,
        ("POST", "/git/commits") => On::CreateCommit,
        ("GET", "/git/commits/{commit_sha}" | "/commits/{ref}") => On::GetCommit,
        ("GET", "/compare/{basehead}") => On::Compare,
        ("GET", "/commits/{ref}/status") => On::CombinedStatus,
        ("GET", "/commits/{ref}/check-runs") => On::CheckRuns,
        (method, path) => panic!("{method} {path} is in rest.json, but nobody answers it"),
    }
}

fn labels(pull: &Pull, world: &World<'_>) -> Value {
    pull.labels.iter().map(|name| world.label(name)).collect()
}

fn rate_limit(used: usize) -> Answer {
    let rate = json!({"limit": 5000, "used": used, "remaining": 5000 - used, "reset": super::epoch() + 3600});
    let resources = json!({"core": rate, "graphql": rate, "search": rate, "integration_manifest": rate});
    Answer::ok(json!({"resources": resources, "rate": rate}))
}
