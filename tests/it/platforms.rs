//! `docs/platforms.md` says yes where a check runs, and nowhere else.

use std::collections::BTreeSet;
use std::path::Path;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The rows of the table with this first column, without its head, each as its cells.
fn table(page: &str, first: &str) -> Vec<Vec<String>> {
    let head = format!("| {first} |");
    let lines = page.lines().skip_while(|line| !line.starts_with(&head)).skip(2);
    let rows = lines.map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(str::to_owned).collect()).collect()
}

/// The names in a list of `.ci/platform_checks.py`.
fn checks(list: &str) -> BTreeSet<String> {
    let text = read(".ci/platform_checks.py");
    let (_, rest) = text.split_once(&format!("\n{list} = [")).unwrap();
    let names = rest.split(']').next().unwrap().split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.strip_prefix("check_").unwrap().to_owned()).collect()
}

/// `no` is followed by the reason.
fn is_yes(cell: &str) -> bool {
    assert!(cell == "yes" || cell.starts_with("no: "), "{cell}");
    cell == "yes"
}

#[test]
fn platforms_page_says_yes_where_a_check_runs() {
    let (everywhere, unix, windows) = (checks("EVERYWHERE"), checks("UNIX"), checks("WINDOWS"));
    let rows = table(&read("docs/platforms.md"), "what");
    assert!(rows.len() > 10, "{rows:?}");
    let mut shown = BTreeSet::new();
    for row in rows {
        let [_, x64, arm64, on_windows, check] = &row[..] else { panic!("{row:?}") };
        let check = check.trim_matches('`');
        let runs = |more: &BTreeSet<String>| everywhere.contains(check) || more.contains(check);
        assert_eq!(is_yes(x64), runs(&unix), "{row:?}");
        assert_eq!(is_yes(arm64), runs(&unix), "{row:?}");
        assert_eq!(is_yes(on_windows), runs(&windows), "{row:?}");
        assert!(shown.insert(check.to_owned()), "{check} has two rows");
    }
    let all: BTreeSet<_> = [everywhere, unix, windows].into_iter().flatten().collect();
    assert_eq!(shown, all);
}

#[test]
fn platforms_page_lists_what_the_script_builds() {
    let script = read(".ci/platforms");
    let (_, rest) = script.split_once("\nall=(").unwrap();
    let built: BTreeSet<_> = rest.split(')').next().unwrap().split(' ').map(str::to_owned).collect();
    let rows = table(&read("docs/platforms.md"), "platform");
    let named = rows.iter().filter_map(|row| row[3].trim_matches('`').strip_prefix(".ci/platforms "));
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), built);
    for row in &rows {
        // a platform that is run passes its binary to the checks
        let name = row[3].trim_matches('`').rsplit(' ').next().unwrap();
        let name = if name == "platform" { "native" } else { name };
        let scripts = script.clone() + &read(".ci/run");
        let is_run = scripts.contains(&format!("platform_checks.py {name} "));
        assert_eq!(is_yes(row[1].split(". ").next().unwrap()), is_run, "{row:?}");
    }
}
