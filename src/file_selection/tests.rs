use super::*;

fn match_level(arguments: &[&str], path: &str) -> Option<MatchLevel> {
    let arguments: Vec<_> = arguments.iter().map(|a| (*a).to_owned()).collect();
    Selection::new(&arguments).unwrap().match_level(path)
}

#[test]
fn names_folders_and_patterns() {
    use MatchLevel::{Discovered, Explicit, Pattern};
    assert_eq!(match_level(&[], "a/b.yaml"), Some(Discovered));
    assert_eq!(match_level(&[], "a/b.txt"), None);
    assert_eq!(match_level(&[], "a/Kustomization"), Some(Discovered));
    assert_eq!(match_level(&["./a//b.txt"], "a/b.txt"), Some(Explicit));
    assert_eq!(match_level(&["a/b.yaml"], "a/c.yaml"), None);
    assert_eq!(match_level(&["k8s"], "k8s/x/y.yml"), Some(Pattern));
    assert_eq!(match_level(&["k8s"], "k8s2/y.yml"), None);
    assert_eq!(match_level(&["k8s/**"], "k8s/x/y.yml"), Some(Pattern));
    assert_eq!(match_level(&["k8s/**"], "k8s/README.md"), None);
    assert_eq!(match_level(&["*.yaml"], "x/y.yaml"), None);
    assert_eq!(match_level(&["{a,b}/*.yaml"], "b/y.yaml"), Some(Pattern));
    assert_eq!(match_level(&["."], "b/y.yaml"), Some(Pattern));
}

#[test]
fn narrowed_selection_reads_what_both_select() {
    let selection = |arguments: &[&str]| {
        Selection::new(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()).unwrap()
    };
    let all: [&[&str]; 9] = [
        &[],
        &["."],
        &["a"],
        &["a/b.yaml"],
        &["a/b.yaml", "c.yaml"],
        &["**/b.yaml"],
        &["{a,c}/**", "c.yaml"],
        &["a/x", "c"],
        &["c.yaml"],
    ];
    for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
        let (mine, theirs) = (selection(one), selection(other));
        let narrowed = mine.narrowed_to(&theirs).unwrap();
        for path in ["a/b.yaml", "a/x/b.yaml", "c.yaml", "c/d.yml", "ab.yaml"] {
            let by_both = mine.match_level(path).is_some() && theirs.match_level(path).is_some();
            assert!(!by_both || narrowed.match_level(path).is_some(), "{one:?} {other:?} {path}");
        }
    }
    // a file that isn't wanted may be broken, or missing
    let narrowed = selection(&["a/b.yaml", "c.yaml"]).narrowed_to(&selection(&["a/**"])).unwrap();
    assert_eq!(narrowed.names(), ["a/b.yaml"]);
    assert_eq!(
        selection(&["a/b.yaml"]).narrowed_to(&selection(&["c.yaml", "a"])).unwrap().names(),
        ["a/b.yaml"]
    );
}

#[test]
fn backslashes_separate_only_on_windows() {
    let windows = |argument: &str| inside_root_of(argument, true).ok();
    for (argument, path) in [
        (r"apps\api\values.yaml", "apps/api/values.yaml"),
        (r".\apps\api\", "apps/api"),
        (r"apps\*/values.yaml", "apps/*/values.yaml"),
        (r".\", "."),
    ] {
        assert_eq!(windows(argument).as_deref(), Some(path), "{argument}");
    }
    for argument in [
        r"..\x.yaml",
        r"apps\..\..\x.yaml",
        r"\x.yaml",
        r"C:\x.yaml",
        "c:x.yaml",
        "x.yaml:s",
        r"\\?\C:\x",
        r"a\.git\x",
    ] {
        assert_eq!(windows(argument), None, "{argument}");
    }
    let unix = |argument: &str| inside_root_of(argument, false).ok();
    assert_eq!(unix(r"apps\api.yaml").as_deref(), Some(r"apps\api.yaml"));
    assert_eq!(unix("a:b.yaml").as_deref(), Some("a:b.yaml"));
}

#[test]
fn a_literal_selects_its_file_and_no_other() {
    for path in ["a/b.yaml", "a/*.yaml", "a[b]/c?.yaml", "{a,b}.yaml", "[!x]]y.yaml", "a\\*[.yaml", "[.yaml"]
    {
        assert!(match_level(&[&literal(path)], path).is_some(), "{path}");
    }
    assert_eq!(match_level(&[&literal("a/*.yaml")], "a/b.yaml"), None);
    assert_eq!(match_level(&[&literal("{a,b}.yaml")], "a.yaml"), None);
}

/// Folders of templates and of web frameworks have such names.
#[test]
fn path_that_looks_like_a_pattern_selects_its_file() {
    for argument in ["apps/[id]/d.yaml", "{{cookiecutter.name}}/d.yaml", "a*b/d.yaml"] {
        let path = argument;
        assert_eq!(match_level(&[argument], path), Some(MatchLevel::Pattern), "{argument}");
        let (folder, _) = argument.rsplit_once('/').unwrap();
        assert_eq!(match_level(&[folder], path), Some(MatchLevel::Pattern), "{folder}");
        let selection = Selection::new(&[argument.to_owned()]).unwrap();
        assert_eq!(SelectionIndex::new([&selection]).unwrap().selecting(path), [0], "{argument}");
    }
    assert_eq!(match_level(&["apps/[id]/d.yaml"], "apps/i/d.yaml"), Some(MatchLevel::Pattern));
}

#[test]
fn folders_that_are_worth_a_look() {
    let reaches =
        |argument: &str, folder: &str| Selection::new(&[argument.to_owned()]).unwrap().reaches(folder);
    for (argument, folder) in
        [("a/b/c.yaml", "a"), ("a/b/c.yaml", "a/b"), ("a", "a/b"), (".", "a"), ("a/*", "b")]
    {
        assert!(reaches(argument, folder), "{argument} {folder}");
    }
    for (argument, folder) in [("a/b/c.yaml", "ab"), ("a/b/c.yaml", "a/bc"), ("a", "b")] {
        assert!(!reaches(argument, folder), "{argument} {folder}");
    }
}

#[test]
fn index_finds_what_each_selection_selects() {
    let arguments: [&[&str]; 9] = [
        &[],
        &["a/b.txt"],
        &["a"],
        &["."],
        &["a/*.yaml", "c.yaml"],
        &["**/b.yaml"],
        &["a/b.yaml", "a"],
        &["{a,c}/**"],
        &["c.yaml"],
    ];
    let selection = |arguments: &&[&str]| {
        Selection::new(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()).unwrap()
    };
    let selections: Vec<_> = arguments.iter().map(selection).collect();
    let index = SelectionIndex::new(&selections).unwrap();
    for path in ["a/b.txt", "a/b.yaml", "a/x/b.yaml", "c.yaml", "c/d.yml", "ab.yaml", "a"] {
        let one_by_one = (0..selections.len()).filter(|&nth| selections[nth].match_level(path).is_some());
        assert_eq!(index.selecting(path), one_by_one.collect::<Vec<_>>(), "{path}");
    }
}

#[test]
fn nothing_outside_of_the_root() {
    for outside in ["../x.yaml", "/etc/x.yaml", "a/../../x.yaml"] {
        assert!(Selection::new(&[outside.to_owned()]).is_err(), "{outside}");
    }
    assert!(Selection::new(&["a[".to_owned()]).is_err());
}

#[test]
fn nothing_inside_of_git() {
    for inside in [".git", ".GIT/x.yaml", "a/.Git/**", "git~1/*.yaml", "./a//.g\u{200c}it/x.yaml"] {
        let error = Selection::new(&[inside.to_owned()]).unwrap_err();
        assert!(matches!(&error, SelectionError::InsideDotGit { path, .. } if path == inside), "{error}");
    }
    for beside in [".github/x.yaml", "**/*.git", ".gitlab-ci.yml", "git~2/x.yaml"] {
        assert!(Selection::new(&[beside.to_owned()]).is_ok(), "{beside}");
    }
}
