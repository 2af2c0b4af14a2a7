//! What the text of a template says without any values: the lines that give an image and what they depend on, the named
//! templates, and which values the rest of it uses.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::super::super::files::{Files, join};
use super::bindings::Bindings;
use super::expression::Expression;
use super::named::Includes;
use super::syntax::{KEYS_ALONE, as_if, behind_image, below, in_lines, may_make_image, next_action};
use crate::file_selection::{file_name, is_yaml};

/// What reading a template costs, in bytes for each value.
const BYTES_PER_VALUE: usize = 64;

/// Further lines with an image are treated like those that can't be read.
const MAX_LINES: usize = 1000;

/// Deeper control flow is treated as text that is always rendered.
const MAX_DEPTH: usize = 32;

/// Further branches of an `if` are taken to depend on the same conditions.
const MAX_BRANCHES: usize = 8;

/// Longer conditions are left out.
const MAX_CONDITION: usize = 500;

/// An expression that prints nothing.
const NOTHING: &str = "\"\"";

/// The templates of a chart, without those of the charts that it contains.
#[derive(Debug, Default)]
pub struct ChartTemplates {
    pub lines: Vec<ImageLine>,
    /// What lines depend on.
    pub conditions: Vec<Option<Expression>>,
    /// The named templates, by name.
    pub named: BTreeMap<String, NamedTemplate>,
    pub uses: Vec<Uses>,
    pub included: Includes,
    /// The paths that actions set in what the templates get, such as `component` and `Values.image.tag`.
    pub set_paths: BTreeSet<String>,
    /// Those that actions remove again.
    pub unset_paths: BTreeSet<String>,
    /// The words in its actions.
    pub words: HashSet<String>,
    /// All of it was read, and there is something.
    pub is_whole: bool,
}

/// A line with an image.
#[derive(Debug)]
pub struct ImageLine {
    pub at: TemplatePlace,
    /// What is behind `image:`, without quotes around it.
    pub text: String,
    /// What its text includes.
    pub included: Includes,
    /// What must hold for the line to be rendered: positions in the conditions of the chart, and whether the text is behind an
    /// `else`.
    pub conditions: Vec<(usize, bool)>,
    /// The named template that it is in.
    pub inside: Option<String>,
}

/// A named template.
#[derive(Debug, Default)]
pub struct NamedTemplate {
    /// With `if` for `with`. `None` if it holds other control flow.
    pub body: Option<String>,
    pub uses: Uses,
    pub included: Includes,
}

/// The paths of the values that a line or a named template uses where that may make an image.
#[derive(Debug, Default)]
pub struct Uses {
    /// Each with the first place.
    pub paths: BTreeMap<String, TemplatePlace>,
    /// Those that control flow uses.
    pub in_control: BTreeSet<String>,
    /// It also uses all values together.
    pub all: bool,
}

/// A line of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplatePlace {
    path: Arc<str>,
    /// 1-based.
    line: usize,
}

impl TemplatePlace {
    /// Whether it is in a file that is called like one with YAML.
    pub fn is_in_yaml_file(&self) -> bool {
        is_yaml(&self.path)
    }
}

impl std::fmt::Display for TemplatePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

impl ChartTemplates {
    /// Reads the templates of the chart in a folder.
    pub fn read(files: &mut Files<'_>, chart: &str) -> Self {
        let mut templates = ChartTemplates::default();
        let Some(folder) = join(chart, "templates") else { return templates };
        let mut paths = files.below(&folder).peekable();
        templates.is_whole = paths.peek().is_some();
        paths.for_each(|path| templates.add_file(files, path));
        // a file whose name starts with `_` holds nothing but named templates
        let (helpers, more): (Vec<_>, Vec<_>) =
            files.tpl_below(&folder).partition(|path| file_name(path).starts_with('_'));
        more.into_iter().for_each(|path| templates.add_file(files, path));
        if templates.includes_more() {
            helpers.into_iter().for_each(|path| templates.add_file(files, path));
        }
        templates
    }

    fn add_file(&mut self, files: &mut Files<'_>, path: &str) {
        match files.text(path).filter(|text| files.spend(text.len() / BYTES_PER_VALUE)) {
            Some(text) => self.add(path, &in_lines(&text)),
            None => self.is_whole = false,
        }
    }

    /// Everything that its templates include.
    pub(super) fn all_included(&self) -> impl Iterator<Item = &Includes> {
        let inner = self.named.values().map(|template| &template.included);
        inner.chain(self.lines.iter().map(|line| &line.included)).chain([&self.included])
    }

    /// Whether it includes what no template has that was read.
    fn includes_more(&self) -> bool {
        self.all_included().any(|includes| {
            includes.any || includes.named.iter().any(|(name, _)| !self.named.contains_key(name))
        })
    }

    fn add_words(&mut self, action: &str) {
        for word in action.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-') {
            if !self.words.contains(word) {
                self.words.insert(word.to_owned());
            }
        }
    }

    fn add(&mut self, path: &str, text: &str) {
        let path: Arc<str> = path.into();
        let (mut reader, mut start) = (TemplateReader::default(), 0);
        for document in text.split_inclusive("\n---") {
            let holds_text = document.lines().any(|line| TEXTS.contains(&line.trim_end()));
            let mut key = None;
            for (nth, line) in document.lines().enumerate() {
                let at = TemplatePlace { path: path.clone(), line: start + nth + 1 };
                let image = behind_image(line).or_else(|| key.take().and_then(|key| below(key, line)));
                key = image.filter(|image| KEYS_ALONE.contains(image));
                reader.line(self, &at, line, image.filter(|_| !holds_text && key.is_none()));
            }
            start += document.matches('\n').count();
        }
    }
}

/// Objects whose values are text.
const TEXTS: [&str; 2] = ["kind: ConfigMap", "kind: Secret"];

/// Follows the control flow of one file.
#[derive(Default)]
struct TemplateReader {
    open: Vec<Block>,
    /// How many blocks are open beyond those.
    deeper: usize,
    /// The named template that is open, with its text so far; `None` once it holds control flow other than `if` and `with`.
    named: Option<(String, Option<String>)>,
    bindings: Bindings,
    /// Those outside of the named template that is open.
    outside: Bindings,
}

/// What an `end` ends.
enum Block {
    /// Positions of conditions, and whether they must not hold.
    Conditional(Vec<(usize, bool)>),
    Named,
}

impl TemplateReader {
    fn line(&mut self, chart: &mut ChartTemplates, at: &TemplatePlace, line: &str, image: Option<&str>) {
        let image = image.filter(|_| chart.lines.len() < MAX_LINES);
        let may_make_image = image.is_none() && may_make_image(line);
        if let Some(text) = image {
            let text = self.bindings.resolve_with_blocks(text).into_owned();
            let included = Includes::of_image(&text);
            let inside = self.named.as_ref().map(|(name, _)| name.clone());
            chart.lines.push(ImageLine {
                at: at.clone(),
                text,
                included,
                conditions: self.conditions(),
                inside,
            });
        } else {
            self.included(chart).note(&self.bindings.resolve_text(line), may_make_image);
        }
        if may_make_image && self.named.is_none() {
            chart.uses.push(Uses::default());
        }
        let mut rest = line;
        while let Some((before, action, behind)) = next_action(rest) {
            self.text(before);
            if action.starts_with("else") {
                self.bindings.turn();
            }
            chart.add_words(action);
            let resolved = self.bindings.resolve(action).into_owned();
            chart.set_paths.extend(calls(&resolved, "set "));
            chart.unset_paths.extend(calls(&resolved, "unset "));
            let written = rest[before.len()..rest.len() - behind.len()].replacen(action, &resolved, 1);
            let is_followed = self.action(chart, action, &resolved, &written);
            if let Some(uses) = self.uses(chart).filter(|_| may_make_image && !is_followed) {
                uses.add(&resolved, at);
            }
            rest = behind;
        }
        if let Some(uses) = self.uses(chart).filter(|_| may_make_image) {
            uses.add(rest, at);
        }
        self.text(rest);
        self.text("\n");
    }

    /// Where the uses of the open named template are noted, or else of this line.
    fn uses<'c>(&self, chart: &'c mut ChartTemplates) -> Option<&'c mut Uses> {
        match &self.named {
            Some((name, _)) => Some(&mut chart.named.entry(name.clone()).or_default().uses),
            None => chart.uses.last_mut(),
        }
    }

    fn included<'c>(&self, chart: &'c mut ChartTemplates) -> &'c mut Includes {
        match &self.named {
            Some((name, _)) => &mut chart.named.entry(name.clone()).or_default().included,
            None => &mut chart.included,
        }
    }

    /// The named template that is open can't be read.
    fn leave_out_body(&mut self) {
        if let Some((_, body)) = &mut self.named {
            *body = None;
        }
    }

    /// Adds to the named template that is open.
    fn text(&mut self, text: &str) {
        if let Some((_, Some(body))) = &mut self.named {
            body.push_str(text);
        }
    }

    /// Follows an action, and returns whether it only gives a name to values that the lines behind it use. `resolved` is the
    /// same without variables, and `written` is that with what is around it.
    fn action(&mut self, chart: &mut ChartTemplates, action: &str, resolved: &str, written: &str) -> bool {
        if let Some(is_known) = self.bindings.assign(action) {
            self.text(&written.replacen(resolved, NOTHING, 1));
            return is_known;
        }
        let keyword: String = action.chars().take_while(|c| c.is_alphanumeric()).collect();
        let rest = action[keyword.len()..].trim();
        let is_followed = self.bindings.follow(&keyword, rest);
        match keyword.as_str() {
            "if" | "with" | "range" => {
                let condition = condition(chart, resolved[keyword.len()..].trim());
                self.open(Block::Conditional(vec![(condition, false)]));
            }
            "block" => self.open(Block::Conditional(Vec::new())),
            "define" => {
                self.named = Some((rest.trim_matches(['"', '`']).to_owned(), Some(String::new())));
                self.open(Block::Named);
                self.outside = std::mem::take(&mut self.bindings);
            }
            "else" => self.turn(chart, resolved[keyword.len()..].trim()),
            "end" => self.close(chart),
            _ => self.text(written),
        }
        match keyword.as_str() {
            "if" | "with" | "else" | "end" if self.deeper == 0 => {
                self.text(&written.replacen(resolved, &as_if(resolved), 1));
            }
            "if" | "with" | "range" | "block" => self.leave_out_body(),
            _ => {}
        }
        is_followed
    }

    fn open(&mut self, block: Block) {
        match self.open.len() < MAX_DEPTH {
            true => self.open.push(block),
            false => self.deeper += 1,
        }
    }

    /// `else`, or `else if` with a condition of its own.
    fn turn(&mut self, chart: &mut ChartTemplates, rest: &str) {
        if let (0, Some(Block::Conditional(conditions))) = (self.deeper, self.open.last_mut()) {
            conditions.iter_mut().for_each(|(_, is_negated)| *is_negated = true);
            let own = rest.strip_prefix("if").or_else(|| rest.strip_prefix("with"));
            if let Some(own) = own.filter(|_| conditions.len() < MAX_BRANCHES) {
                conditions.push((condition(chart, own.trim()), false));
            }
        }
    }

    fn close(&mut self, chart: &mut ChartTemplates) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(Block::Named) = self.open.pop()
            && let Some((name, body)) = self.named.take()
        {
            self.bindings = std::mem::take(&mut self.outside);
            chart.named.entry(name).or_default().body = body.map(|body| body.trim().to_owned());
        }
    }

    fn conditions(&self) -> Vec<(usize, bool)> {
        let open = self.open.iter().filter_map(|block| match block {
            Block::Conditional(conditions) => Some(conditions),
            Block::Named => None,
        });
        open.flatten().copied().collect()
    }
}

/// Notes a condition; gives its position. `$key, $value := .Values.services` is about what is behind the sign.
fn condition(chart: &mut ChartTemplates, text: &str) -> usize {
    let text = text.rsplit_once(":=").map_or(text, |(_, value)| value).trim();
    chart.conditions.push(Some(text).filter(|text| text.len() <= MAX_CONDITION).and_then(Expression::parse));
    chart.conditions.len() - 1
}

impl Uses {
    pub fn add(&mut self, text: &str, at: &TemplatePlace) {
        let is_part = |c: char| c.is_alphanumeric() || ['_', '-', '.'].contains(&c);
        let is_control = is_control(text);
        for (at_values, start) in text.match_indices(".Values") {
            let (before, rest) = (&text[..at_values], &text[at_values + start.len()..]);
            if before.trim_end_matches('$').trim_end().ends_with("hasKey") {
                continue;
            }
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            match rest[..end].strip_prefix('.').map(|path| path.trim_end_matches(['.', '-'])) {
                Some(path) if !path.is_empty() && is_control => drop(self.in_control.insert(path.to_owned())),
                Some(path) if !path.is_empty() => {
                    self.paths.entry(path.to_owned()).or_insert_with(|| at.clone());
                }
                _ => self.all = true,
            }
        }
    }
}

/// The paths that calls such as `set .Values.image "tag"` are about; of a key that isn't written there, the path of the map.
fn calls<'a>(action: &'a str, function: &'a str) -> impl Iterator<Item = String> + 'a {
    let is_call = |at: &usize| !action[..*at].ends_with(char::is_alphanumeric);
    let found = action.match_indices(function).map(|(at, _)| at).filter(is_call);
    found.filter_map(move |at| {
        let (map, key) = action[at + function.len()..].trim_start().split_once(' ')?;
        let map = map.strip_prefix(['.', '$'])?.trim_start_matches('.');
        let key = key.trim_start().strip_prefix('"').and_then(|key| key.split_once('"')).map(|(key, _)| key);
        let path: Vec<&str> =
            [Some(map), key].into_iter().flatten().filter(|part| !part.is_empty()).collect();
        Some(path.join("."))
    })
}

/// Whether an action is control flow.
fn is_control(action: &str) -> bool {
    let keyword = action.split_whitespace().next().unwrap_or_default();
    ["if", "else", "with", "range"].contains(&keyword)
}
