//! The text of a new `tagbump.yaml`.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::environments::ProposedEnvironment;
use super::services::ProposedService;
use super::sorting::{Unassigned, place};
use crate::file_selection::literal;
use crate::manifest::WORKLOAD;
use crate::plan::ListedReference;
use crate::tag::DEFAULT_TEMPLATE;
use crate::visible::inline;
use crate::yaml::{ScalarStyle, render};

/// How many skipped references are listed.
const LISTED: usize = 30;

/// The content of the file.
pub struct ConfigContent<'a> {
    /// The template that fits most tags.
    pub template: Option<String>,
    /// Services, grouped by image.
    pub own: Vec<Vec<ProposedService>>,
    /// Services of images that are most likely third-party.
    pub others: Vec<Vec<ProposedService>>,
    pub environments: Vec<ProposedEnvironment>,
    pub left: Vec<Unassigned<'a>>,
    /// References that a stronger place overrides.
    pub overridden: Vec<&'a ListedReference>,
}

impl ConfigContent<'_> {
    /// A name to use in examples: a service of the owner with the most services, or an image if there are no
    /// services.
    pub fn example(&self) -> Option<&str> {
        let mut services: Vec<&ProposedService> = self.own.iter().flatten().collect();
        let mut owned: HashMap<&str, usize> = HashMap::new();
        for service in &services {
            *owned.entry(owner(&service.image)).or_default() += 1;
        }
        services.sort_by_key(|service| Reverse(owned.get(owner(&service.image))));
        let services = services.into_iter().map(|service| &service.name);
        let images = self.others.iter().flatten().map(|other| &other.image);
        // the name also goes into comments and commands
        services.chain(images).find(|name| is_word(name)).map(String::as_str)
    }

    /// The whole file.
    pub fn text(&self) -> String {
        let environments = self.environments();
        let parts =
            [self.top(), self.tag(), MESSAGE.to_owned(), environments, self.services(), self.left_out()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn top(&self) -> String {
        let name = self.example().unwrap_or("NAME");
        let shows = format!("tagbump bump {name} --tag TAG --dry-run");
        let lands = format!("tagbump bump {name} --push");
        let width = shows.len();
        format!(
            "# The services that tagbump deploys. A service is an image and the files that set its tag.\n\
             #\n\
             #   {shows}   shows what would change\n\
             #   {lands:width$}   computes the tag from the commit, and lands the change on the branch\n\
             #\n\
             # tagbump init wrote this file, based on the references it found. Edit it as you like.\n"
        )
    }

    fn tag(&self) -> String {
        let what = "# How to compute the tag from the commit that was built, if there is no --tag.";
        match &self.template {
            Some(template) => format!("{what} Most tags here look like this.\ntag: {}\n", quoted(template)),
            None => format!("{what} The default is:\n# tag: {}\n", quoted(DEFAULT_TEMPLATE)),
        }
    }

    fn services(&self) -> String {
        let own = "# Use these names with tagbump bump. Several services at once make one commit.\n";
        let none = "# No image here looks like yours: they have no owner, or a well-known one. To add a service, uncomment it.\n";
        let others = "  # Most likely not your images: they have no owner, or a well-known one. To add a service, uncomment it.\n";
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

    fn environments(&self) -> String {
        if self.environments.is_empty() {
            return String::new();
        }
        format!("{ENVIRONMENTS}{}", commented("", &self.uncommented_environments()))
    }

    /// The environments as they are once their comment signs are removed.
    pub fn uncommented_environments(&self) -> String {
        let blocks = self.environments.iter().map(|environment| {
            let ProposedEnvironment { name, files, from } = environment;
            let files: String = files.iter().map(|file| format!("      - {}\n", plain(file))).collect();
            let from = from.as_ref().map(|from| format!("    from: {}\n", plain(from))).unwrap_or_default();
            format!("  {}:\n    files:\n{files}{from}", plain(name))
        });
        format!("environments:\n{}", blocks.collect::<String>())
    }

    fn left_out(&self) -> String {
        let line = |left: &Unassigned<'_>| {
            let reference = format!("{} {}", place(left.reference), left.reference.image);
            inline(&format!("{}: {}", reference.trim_end(), left.why))
        };
        let mut lines: Vec<String> = self.left.iter().take(LISTED).map(line).collect();
        let more = self.left.len().saturating_sub(LISTED);
        lines.extend((more > 0).then(|| format!("{more} more; tagbump scan lists them all")));
        lines.extend(self.overridden_line());
        if lines.is_empty() {
            return String::new();
        }
        let lines: String = lines.iter().map(|line| format!("# - {line}\n")).collect();
        format!("# Found, but not in a service:\n{lines}")
    }

    fn overridden_line(&self) -> Option<String> {
        let first = inline(&place(self.overridden.first()?));
        let are_workloads = self.overridden.iter().all(|r| r.kind == WORKLOAD);
        Some(match self.overridden.len() - 1 {
            0 if !are_workloads => format!("{first}: a stronger place sets its tag"),
            more if !are_workloads => format!("{first} and {more} more: stronger places set their tags"),
            0 => format!("{first}: a workload; a kustomization sets its tag"),
            more => format!("{first} and {more} more: workloads; kustomizations set their tags"),
        })
    }
}

const MESSAGE: &str = "\
# The commit message, if there is no --message. The default is:
# message: \"chore: update {name} image to {tag}\"
";

const ENVIRONMENTS: &str = "\
# What runs where. Once these lines are uncommented, a bump without --env leaves environments with `from` unchanged, and
# `tagbump promote` copies the tags and digests there.
";

/// All but the last part of an image's name.
fn owner(image: &str) -> &str {
    image.rsplit_once('/').map_or("", |(owner, _)| owner)
}

fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c))
}

/// The entries below `services:`, with a blank line between images.
fn blocks(groups: &[Vec<ProposedService>]) -> String {
    let texts: Vec<String> = groups.iter().map(|group| group.iter().map(block).collect()).collect();
    texts.join("\n")
}

fn block(service: &ProposedService) -> String {
    let remarks = service.remarks.iter().map(|remark| format!("  # {}\n", inline(remark)));
    let files = service.files.iter().map(|file| format!("      - {}\n", plain(&literal(file))));
    let (remarks, files) = (remarks.collect::<String>(), files.collect::<String>());
    let (name, image) = (plain(&service.name), plain(&service.image));
    format!("{remarks}  {name}:\n    image: {image}\n    files:\n{files}")
}

/// The lines as comments with this indentation.
fn commented(indent: &str, text: &str) -> String {
    let lines = text.lines().map(|line| line.strip_prefix(indent).unwrap_or(line));
    lines.map(|line| format!("{indent}# {line}").trim_end().to_owned() + "\n").collect()
}

fn plain(text: &str) -> String {
    render(text, ScalarStyle::Plain, false)
}

fn quoted(text: &str) -> String {
    render(text, ScalarStyle::Double, false)
}
