//! The text of a new `tagbump.yaml`.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::services::Service;
use super::sorting::{Left, place};
use crate::plan::ListedReference;
use crate::select::literal;
use crate::tag::DEFAULT_TEMPLATE;
use crate::visible::inline;
use crate::yaml::{Style, render};

/// How many references that are left out are listed.
const LISTED: usize = 30;

/// What the file says.
pub struct Content<'a> {
    /// The template that most tags look like.
    pub template: Option<String>,
    /// Services, those of one image together.
    pub own: Vec<Vec<Service>>,
    /// Those that are most likely not wanted.
    pub others: Vec<Vec<Service>>,
    pub left: Vec<Left<'a>>,
    /// Workloads whose tag a kustomization sets.
    pub overridden: Vec<&'a ListedReference>,
}

impl Content<'_> {
    /// What can be bumped: a service of the owner who has most of them, or an image where the file has none.
    pub fn example(&self) -> Option<&str> {
        let mut services: Vec<&Service> = self.own.iter().flatten().collect();
        let mut owned: HashMap<&str, usize> = HashMap::new();
        for service in &services {
            *owned.entry(owner(&service.image)).or_default() += 1;
        }
        services.sort_by_key(|service| Reverse(owned.get(owner(&service.image))));
        let services = services.into_iter().map(|service| &service.name);
        let images = self.others.iter().flatten().map(|other| &other.image);
        // it stands in comments and commands too
        services.chain(images).find(|name| is_word(name)).map(String::as_str)
    }

    /// The file.
    pub fn text(&self) -> String {
        let parts = [self.top(), self.tag(), MESSAGE.to_owned(), self.services(), self.left_out()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn top(&self) -> String {
        let name = self.example().unwrap_or("NAME");
        let shows = format!("tagbump bump {name} --tag TAG --dry-run");
        let lands = format!("tagbump bump {name} --push");
        let width = shows.len();
        format!(
            "# What tagbump deploys: each service is an image, and the files that say which tag of it runs.\n\
             #\n\
             #   {shows}   shows what would change\n\
             #   {lands:width$}   computes the tag from the commit, and lands the change on the branch\n\
             #\n\
             # tagbump init wrote this from what it found; change it as you like.\n"
        )
    }

    fn tag(&self) -> String {
        let what = "# How a tag is computed from the commit that was built, where no --tag is given.";
        match &self.template {
            Some(template) => format!("{what} Most tags here look like this.\ntag: {}\n", quoted(template)),
            None => format!("{what} Without this line:\n# tag: {}\n", quoted(DEFAULT_TEMPLATE)),
        }
    }

    fn services(&self) -> String {
        let own = "# Services, by the names that tagbump bump takes; several at once make one commit.\n";
        let none = "# No image here looks like one of yours: all are without an owner, or of a well-known one. To name one, take the # away.\n";
        let others = "  # Most likely not your images: without an owner, or of a well-known one. To bump one too, take the # away.\n";
        match (self.own.is_empty(), self.others.is_empty()) {
            (true, true) => String::new(),
            (true, false) => {
                format!("{none}{}", commented("", &format!("services:\n{}", blocks(&self.others))))
            }
            (false, true) => format!("{own}services:\n{}", blocks(&self.own)),
            (false, false) => {
                let rest = commented("  ", &blocks(&self.others));
                format!("{own}services:\n{}\n{others}{rest}", blocks(&self.own))
            }
        }
    }

    fn left_out(&self) -> String {
        let line = |left: &Left<'_>| {
            let told = format!("{} {}", place(left.reference), left.reference.image);
            inline(&format!("{}: {}", told.trim_end(), left.why))
        };
        let mut lines: Vec<String> = self.left.iter().take(LISTED).map(line).collect();
        let more = self.left.len().saturating_sub(LISTED);
        lines.extend((more > 0).then(|| format!("{more} more, which tagbump scan lists")));
        lines.extend(self.overridden_line());
        if lines.is_empty() {
            return String::new();
        }
        let lines: String = lines.iter().map(|line| format!("# - {line}\n")).collect();
        format!("# Found, but in no service:\n{lines}")
    }

    fn overridden_line(&self) -> Option<String> {
        let first = inline(&place(self.overridden.first()?));
        Some(match self.overridden.len() - 1 {
            0 => format!("{first}: a workload, whose tag a kustomization sets"),
            more => format!("{first} and {more} more: workloads, whose tags kustomizations set"),
        })
    }
}

const MESSAGE: &str = "\
# The commit's message, where no --message is given. Without this line:
# message: \"chore: update {name} image to {tag}\"
";

/// All but the last part of an image's name.
fn owner(image: &str) -> &str {
    image.rsplit_once('/').map_or("", |(owner, _)| owner)
}

fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c))
}

/// Services as they stand below `services:`, a blank line between images.
fn blocks(groups: &[Vec<Service>]) -> String {
    let texts: Vec<String> = groups.iter().map(|group| group.iter().map(block).collect()).collect();
    texts.join("\n")
}

fn block(service: &Service) -> String {
    let remarks = service.remarks.iter().map(|remark| format!("  # {}\n", inline(remark)));
    let files = service.files.iter().map(|file| format!("      - {}\n", plain(&literal(file))));
    let (remarks, files) = (remarks.collect::<String>(), files.collect::<String>());
    let (name, image) = (plain(&service.name), plain(&service.image));
    format!("{remarks}  {name}:\n    image: {image}\n    files:\n{files}")
}

/// The lines as comments in this column.
fn commented(indent: &str, text: &str) -> String {
    let lines = text.lines().map(|line| line.strip_prefix(indent).unwrap_or(line));
    lines.map(|line| format!("{indent}# {line}").trim_end().to_owned() + "\n").collect()
}

fn plain(text: &str) -> String {
    render(text, Style::Plain, false)
}

fn quoted(text: &str) -> String {
    render(text, Style::Double, false)
}
