//! Every claim of the README has a test or a command that shows it.

use std::path::Path;

/// How a claim begins, and what shows it: `FILE.rs: TEST`, a `COMMAND`, or for what needs github.com, a row of
/// `docs/unverified.md: ROW`. Without any, it is no claim.
const SHOWN: &[(&str, &str)] = &[
    ("Your build has pushed an image", ""),
    (
        "tagbump writes its tag into the YAML",
        "`fixtures.rs: every_case_gives_its_out_folder` `race.rs: sixteen_bumps_of_one_file_land_over_http`",
    ),
    ("or: yq -i …, or: kustomize edit", ""),
    ("Such a step edits the wrong `tag:`", "`benches/claims sed kustomize yq`"),
    (
        "When builds run at once, it loses most of their pushes",
        "`cargo run --release --example race` `benches/claims sed`",
    ),
    ("Use this instead", ""),
    ("… build and push", ""),
    (
        "pushes the commit; with `pr: true`",
        "`docs/unverified.md: which permissions a job's token needs` `.ci/action BINARY push pull_request`",
    ),
    ("`v1` moves with each release", "`.ci/action BINARY release_steps`"),
    ("To pin one, and its binary with it", "`.ci/action BINARY release release_steps`"),
    ("tagbump/tagbump@", "`.ci/action BINARY release_steps`"),
    (
        "GitLab, Jenkins and others run the same program",
        "`ci_systems.rs: bump_lands_from_gitlab` `ci_systems.rs: pipeline_files_of_the_documentation_land`",
    ),
    (
        "tagbump finds the image by kind of file and key",
        "`readme.rs: demo_prints_the_diff_of_the_readme` `fixtures.rs: every_case_gives_its_out_folder`",
    ),
    ("Try it in a fresh clone", "`.ci/newcomer` `.ci/run package`"),
    (
        "To land, tagbump fetches the tip",
        "`landing.rs: bump_lands_from_shallow_clone_that_is_behind` `benches/claims tagbump`",
    ),
    (
        "If another push gets there first",
        "`race.rs: eight_bumps_of_eight_files_land` `benches/claims tagbump`",
    ),
    (
        "So two bumps never conflict",
        "`race.rs: sixteen_bumps_of_one_file_land_over_http` `carry.rs: no_local_commit_is_lost_when_many_carry_at_once`",
    ),
    ("Here, many builds land at once", "`cargo run --release --example race`"),
    ("tagbump |", "`benches/claims tagbump` `order.rs: newest_build_wins_when_builds_end_in_random_order`"),
    ("sed and a loop |", "`benches/claims sed` `cargo run --release --example race`"),
    ("`kustomize edit` |", "`benches/claims kustomize` `benches/compare`"),
    ("yq |", "`benches/claims yq` `benches/compare`"),
    ("Flux image automation |", "`docs/comparison.md: Flux image-automation-controller`"),
    ("Argo CD Image Updater |", "`docs/comparison.md: Argo CD Image Updater`"),
    ("Kargo |", "`benches/claims kargo` `docs/comparison.md: Kargo`"),
    ("Renovate |", "`benches/claims renovate`"),
    ("Versions, sources and commands behind each cell", "`docs/comparison.md: When another tool is better`"),
    ("the last four also update images", "`docs/comparison.md: tagbump never looks`"),
    ("one per line; or a service", "`config.rs: service_and_image_are_bumped_in_one_run`"),
    (
        "from `command: tag` before the build",
        "`.ci/action BINARY tag` `tag.rs: push_event_gives_its_commit_and_branch`",
    ),
    (
        "only these files",
        "`config.rs: typed_files_narrow_files_of_service` `scan.rs: image_and_file_narrow_the_list`",
    ),
    ("or: only this environment of tagbump.yaml", "`docs.rs: commands_of_environments_page_run`"),
    (
        "wait until the image is in its registry",
        "`registry.rs: image_that_comes_later_is_found` `registry.rs: missing_image_is_exit_3_and_names_similar_tags`",
    ),
    ("also pin the digest", "`registry.rs: digest_is_computed_and_pinned`"),
    ("open a pull request instead of pushing", "`.ci/action BINARY pull_request`"),
    (
        "and merge it when its checks pass",
        "`forge_server/finish.rs: request_is_merged_when_its_status_turns_green`",
    ),
    ("the checkout to work in", "`.ci/action BINARY how_far`"),
    (
        "for another repository, or to start workflows",
        "`.ci/action BINARY token_input` `docs/unverified.md: which pushes start workflows`",
    ),
    ("show the diff, change nothing", "`.ci/action BINARY how_far`"),
    ("All inputs and outputs", "`docs/generate --check BINARY`"),
    ("On a laptop, or in any other CI system", "`.ci/newcomer`"),
    ("Then, in a clone of your own repository", "`worktree.rs: environment_sets_flags` `.ci/newcomer`"),
    (
        "every image, where it is set",
        "`scan.rs: json_has_every_field_of_reference` `scan.rs: scan_says_why_reference_is_not_editable`",
    ),
    ("the diff", "`worktree.rs: git_applies_the_diff_of_dry_run`"),
    ("land it on the branch", "`.ci/newcomer` `landing.rs: bump_lands_from_full_clone`"),
    ("compute the tag from the commit", "`config.rs: bump_computes_the_tag_that_tag_command_prints`"),
    ("services of tagbump.yaml; one commit", "`config.rs: several_services_land_as_one_commit`"),
    ("a field that tagbump doesn't recognise", "`config.rs: fields_set_tags_that_no_rule_finds`"),
    ("which tags ran when, and who set them", "`history.rs: history_shows_fifty_bumps_of_every_style`"),
    (
        "back to the previous tag; late builds don't undo it",
        "`rollback.rs: rollback_restores_previous_tag` `rollback_holds.rs: bad_build_is_held_and_newer_one_lands`",
    ),
    ("set prod to what staging runs", "`docs.rs: commands_of_promotion_page_run`"),
    ("until the controller reports that it is live", "`wait.rs: waits_until_the_status_succeeds`"),
    ("The tests need a Rust toolchain", "`.ci/run test`"),
    ("Source map, contributing", ""),
    ("Licence", ""),
    ("MIT or Apache-2.0", "`.ci/run deny`"),
];

fn text(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap_or_default()
}

/// The text of Markdown links, without their targets.
fn unlinked(text: &str) -> String {
    regex::Regex::new(r"\[([^\]]*)\]\([^)]*\)").unwrap().replace_all(text, "$1").into_owned()
}

/// The sentences, the rows of the comparison, and the comments in code. Lists of links claim nothing.
fn claims(readme: &str) -> Vec<String> {
    let (mut claims, mut prose) = (Vec::new(), String::new());
    let (mut fenced, mut listed) = (None, false);
    for line in readme.lines() {
        listed = line.starts_with("- ") || listed && line.starts_with("  ");
        match (line.strip_prefix("```"), fenced) {
            (Some(language), None) => fenced = Some(language),
            (Some(_), Some(_)) => fenced = None,
            (None, Some("yaml" | "bash")) => {
                claims.extend(line.split_once(" # ").map(|(_, comment)| comment.trim().to_owned()));
            }
            (None, Some(_)) => {}
            (None, None) if line.starts_with('|') => {
                claims.push(line.replace("**", "").replacen("| ", "", 1))
            }
            (None, None) if listed || line.starts_with(['#', '<']) || line.starts_with("  <") => {}
            (None, None) => prose.extend([line, if line.is_empty() { "\n" } else { " " }]),
        }
    }
    // the table's head
    claims.retain(|claim| !claim.starts_with("| when it starts") && !claim.starts_with("|--"));
    let ends = regex::Regex::new(r"[.:] |\n").unwrap();
    let prose = unlinked(&prose);
    claims.extend(ends.split(&prose).map(|claim| claim.trim().to_owned()).filter(|claim| !claim.is_empty()));
    claims
}

/// Whether what shows a claim exists.
fn exists(evidence: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Some((file, test)) = evidence.split_once(".rs: ") {
        return text(&format!("tests/it/{file}.rs")).contains(&format!("fn {test}()"));
    }
    if let Some((page, row)) = evidence.split_once(".md: ") {
        return text(&format!("{page}.md")).contains(row);
    }
    let mut words = evidence.split(' ');
    match words.next().unwrap_or_default() {
        "cargo" => words.next_back().is_some_and(|name| root.join(format!("examples/{name}.rs")).exists()),
        ".ci/action" => words.skip(1).all(|name| text(".ci/action").contains(&format!("def check_{name}("))),
        ".ci/run" => words.all(|name| text(".ci/run").contains(&format!("step_{name}()"))),
        "benches/claims" => words.all(|name| text("benches/claims").contains(&format!("def {name}("))),
        program => root.join(program).is_file(),
    }
}

#[test]
fn every_claim_of_the_readme_is_shown() {
    let claims = claims(&text("README.md"));
    let shows = |claim: &str| SHOWN.iter().filter(|(begin, _)| claim.starts_with(begin)).count();
    let unshown: Vec<_> = claims.iter().filter(|claim| shows(claim) == 0).collect();
    assert!(unshown.is_empty(), "{unshown:#?}");
    let gone: Vec<_> =
        SHOWN.iter().filter(|(begin, _)| !claims.iter().any(|claim| claim.starts_with(begin))).collect();
    assert!(gone.is_empty(), "no longer in the README: {gone:#?}");
}

#[test]
fn what_shows_claims_of_the_readme_exists() {
    let evidence = SHOWN.iter().flat_map(|(_, shown)| shown.split('`').skip(1).step_by(2));
    let missing: Vec<_> = evidence.filter(|evidence| !exists(evidence)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(["docs.rs: nothing_flies", ".ci/action BINARY fly", "benches/fly"].iter().all(|no| !exists(no)));
}

/// The picture is made from a real run, see `docs/pictures/make`; the text beside it names the same figures.
#[test]
fn figures_of_the_readme_are_those_of_its_picture() {
    let figures = |text: &str| -> Vec<String> {
        let counts = regex::Regex::new(r"(\d+) of (\d+)").unwrap();
        let mut counts: Vec<_> = counts.find_iter(text).map(|found| found.as_str().to_owned()).collect();
        counts.sort();
        counts
    };
    let readme = text("README.md");
    let alt = readme.split("<img alt=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    for theme in ["light", "dark"] {
        let picture = text(&format!("docs/pictures/contention-{theme}.svg"));
        let title = picture.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        assert_eq!(figures(alt), figures(title), "{theme}");
    }
    assert_eq!(figures(alt).len(), 6);
}
