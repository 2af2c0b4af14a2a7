//! tagbump reads git's configuration as git does. Real git is the judge.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tagbump::environment::Environment;
use tagbump::git::{Checkout, RemoteUrl};
use tagbump::http::HttpSettings;
use tempfile::TempDir;

use crate::support::git::{self, git};
use crate::support::repo::write;

/// A repository at `real/acme/repo`, and a home folder.
struct Place {
    _folder: TempDir,
    top: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        for name in ["real/acme", "home/conf"] {
            std::fs::create_dir_all(top.join(name)).unwrap();
        }
        git(&top, &["init", "--quiet", "real/acme/repo"]);
        let place = Place { _folder: folder, top };
        git(&place.repo(), &["commit", "--quiet", "--allow-empty", "--message", "x"]);
        place
    }

    fn repo(&self) -> PathBuf {
        self.top.join("real/acme/repo")
    }

    /// The user's configuration.
    fn set(&self, text: &str) {
        write(&self.top, "home/conf/global", text);
    }

    fn variables(&self, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let path = |name: &str| self.top.join(name).display().to_string();
        let usual = [
            ("HOME", path("home")),
            ("GIT_CONFIG_GLOBAL", path("home/conf/global")),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ];
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        usual.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(more).collect()
    }

    /// What git says a setting is. The error is git's last line.
    fn git_says(&self, folder: &Path, key: &str, more: &[(&str, &str)]) -> Result<Option<String>, String> {
        let mut command = git::command(folder);
        for name in ["GIT_CONFIG_COUNT", "GIT_AUTHOR_NAME"] {
            command.env_remove(name);
        }
        let output = command.envs(self.variables(more)).args(["config", key]).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim_end().to_owned();
        match output.status.code() {
            Some(0) => Ok(Some(text(&output.stdout))),
            Some(1) => Ok(None),
            _ => Err(text(&output.stderr)),
        }
    }

    /// What tagbump takes `user.name` for.
    fn name(&self, folder: &Path, more: &[(&str, &str)]) -> Result<Option<String>, String> {
        let environment = Environment::new(self.variables(more));
        let checkout = Checkout::open(folder, &environment).map_err(|e| e.to_string())?.unwrap();
        Ok(checkout.identity("author").map_err(|e| e.to_string())?.0)
    }
}

#[test]
fn conditions_hold_where_they_hold_in_git() {
    let place = Place::new();
    let (top, repo) = (place.top.display().to_string(), place.repo());
    git(&repo, &["remote", "add", "origin", "https://h.example/acme/gitops.git"]);
    git(&repo, &["remote", "add", "other", "git@h.example:acme/other.git"]);
    git(&repo, &["branch", "feature/x"]);
    git(&repo, &["worktree", "add", "--quiet", "--detach", "../linked"]);
    symlink(place.top.join("real"), place.top.join("link")).unwrap();
    symlink(place.top.join("real"), place.top.join("home/link")).unwrap();
    std::fs::create_dir(place.top.join("other")).unwrap();
    symlink(repo.join(".git"), place.top.join("other/.git")).unwrap();
    write(&place.top, "home/conf/inc", "[user]\n\tname = Included\n");
    let patterns = [
        &format!("gitdir:{top}/real/"),
        &format!("gitdir:{top}/real"),
        &format!("gitdir:{top}/real/acme/repo/.git"),
        &format!("gitdir:{top}/real/acme/repo"),
        &format!("gitdir:{top}/real/acme/repo/.git/"),
        &format!("gitdir:{top}/real/*/repo/.git"),
        &format!("gitdir:{top}/*/repo/.git"),
        &format!("gitdir:{top}/**/repo/.git"),
        &format!("gitdir:{top}/link/"),
        &format!("gitdir/i:{top}/REAL/"),
        &format!("gitdir:{top}/REAL/"),
        &format!("gitdir:{top}/other/.git"),
        &format!("gitdir:{top}/real/acme/repo/.git/worktrees/*"),
        "gitdir:repo/.git",
        "gitdir:repo/",
        "gitdir:acme/",
        "gitdir:cme/",
        "gitdir:~/link/",
        "gitdir:~/",
        "gitdir:./",
        "gitdir:**/a?me/**",
        "gitdir:[!a-b]cme/",
        "gitdir:[a-b]cme/",
        "gitdir/i:[A-B]CME/",
        "gitdir:",
        "onbranch:main",
        "onbranch:mai?",
        "onbranch:feature/",
        "onbranch:feature",
        "onbranch:f*",
        "onbranch:f*/x",
        "onbranch:**",
        "hasconfig:remote.*.url:https://h.example/**",
        "hasconfig:remote.*.url:https://h.example/*",
        "hasconfig:remote.*.url:https://*/acme/gitops.git",
        "hasconfig:remote.*.url:git@h.example:*/*",
        "hasconfig:remote.*.url:https://other/**",
        "hasconfig:remote.origin.url:https://h.example/**",
        "hasconfig:branch.*.remote:origin",
        "unknown:x",
        "",
    ];
    let (linked, other) = (place.top.join("real/acme/linked"), place.top.join("other"));
    let by_link = format!("{top}/link/acme/repo");
    let in_home = format!("{top}/home/link/acme/repo");
    type State<'a> = (&'a Path, &'a str, &'a [(&'a str, &'a str)]);
    let states: [State<'_>; 8] = [
        (&repo, "main", &[]),
        (&repo, "main", &[("PWD", &by_link)]),
        (&repo, "main", &[("PWD", &in_home)]),
        (&repo, "main", &[("PWD", &top)]),
        (&repo, "feature/x", &[]),
        (&repo, "--detach", &[]),
        (&linked, "--detach", &[]),
        (&other, "--detach", &[]),
    ];
    let mut held = 0;
    for (folder, branch, variables) in states {
        git(&repo, &["checkout", "--quiet", branch]);
        for pattern in patterns {
            place.set(&format!("[user]\n\tname = Plain\n[includeIf \"{pattern}\"]\n\tpath = inc\n"));
            let expected = place.git_says(folder, "user.name", variables);
            held += usize::from(expected == Ok(Some("Included".into())));
            assert_eq!(
                place.name(folder, variables),
                expected,
                "{pattern} {} {branch} {variables:?}",
                folder.display()
            );
        }
    }
    assert!((60..250).contains(&held), "{held} of {}", patterns.len() * states.len());
}

#[test]
fn included_files_are_found_where_git_finds_them() {
    let place = Place::new();
    let (top, repo) = (place.top.display().to_string(), place.repo());
    write(&place.top, "home/inc", "[user]\n\tname = Home\n");
    write(&place.top, "home/conf/inc", "[user]\n\tname = Beside\n");
    write(&place.top, "home/conf/deep/inc", "[include]\n\tpath = more/inc\n[include]\n\tpath = missing\n");
    write(
        &place.top,
        "home/conf/deep/more/inc",
        "[user]\n\tname = Deep\n[includeIf \"gitdir:acme/\"]\n\tpath = ../inc2\n",
    );
    write(&place.top, "home/conf/deep/inc2", "[user]\n\tname = Deeper\n");
    let condition = "[includeIf \"gitdir:acme/\"]\n";
    for text in [
        format!("{condition}\tpath = inc\n"),
        format!("{condition}\tpath = ./inc\n"),
        format!("{condition}\tpath = ../inc\n"),
        format!("{condition}\tpath = ~/inc\n"),
        format!("{condition}\tpath = \"{top}/home/inc\"\n"),
        format!("{condition}\tpath = deep/inc\n"),
        format!("{condition}\tpath = none\n[user]\n\tname = After\n"),
        format!("{condition}\tpath = inc\n\tpath = ../inc\n"),
        format!("[user]\n\tname = Before\n{condition}\tpath = inc\n[user]\n\tname = After\n"),
        format!("[include]\n\tpath = deep/inc\n{condition}\tpath = none\n"),
        "[includeIf \"onbranch:no\"]\n\tpath = inc\n[user]\n\tname = Plain\n".to_owned(),
    ] {
        place.set(&text);
        let expected = place.git_says(&repo, "user.name", &[]);
        assert!(expected.as_ref().unwrap().is_some(), "{text}");
        assert_eq!(place.name(&repo, &[]), expected, "{text}");
    }
    // the repository's own settings come later, then those of the work tree, then variables
    place.set(&format!("{condition}\tpath = inc\n"));
    git(&repo, &["config", "user.name", "Own"]);
    assert_eq!(place.name(&repo, &[]), place.git_says(&repo, "user.name", &[]));
    git(&repo, &["config", "extensions.worktreeConfig", "true"]);
    git(&repo, &["config", "--worktree", "user.name", "Tree"]);
    assert_eq!(place.name(&repo, &[]), Ok(Some("Tree".into())));
    let inc = format!("{top}/home/inc");
    let given = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "IncludeIf.gitdir:acme/.Path"),
        ("GIT_CONFIG_VALUE_0", &inc),
    ];
    assert_eq!(place.git_says(&repo, "user.name", &given), Ok(Some("Home".into())));
    assert_eq!(place.name(&repo, &given), Ok(Some("Home".into())));
}

#[test]
fn includes_that_git_refuses_are_refused() {
    let place = Place::new();
    let repo = place.repo();
    git(&repo, &["remote", "add", "origin", "https://h.example/acme/gitops.git"]);
    write(&place.top, "home/conf/url", "[remote \"x\"]\n\turl = https://h.example/x\n");
    write(&place.top, "home/conf/loop", "[includeIf \"onbranch:main\"]\n\tpath = loop\n");
    write(&place.top, "home/conf/broken", "[user\n");
    let by_url = "[includeIf \"hasconfig:remote.*.url:https://none/**\"]\n\tpath = ";
    let variable = |value| {
        [
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "includeIf.onbranch:main.path"),
            ("GIT_CONFIG_VALUE_0", value),
        ]
    };
    let relative = variable("inc");
    for (text, variables, word) in [
        (format!("{by_url}url\n"), &[][..], "sets a remote's URL"),
        (format!("{by_url}none\n[includeIf \"onbranch:main\"]\n\tpath = url\n"), &[], "sets a remote's URL"),
        ("[includeIf \"onbranch:main\"]\n\tpath = broken\n".to_owned(), &[], "broken"),
        (String::new(), &relative, "relative path"),
    ] {
        place.set(&text);
        assert!(place.git_says(&repo, "user.name", variables).is_err(), "{text}");
        let error = place.name(&repo, variables).unwrap_err();
        assert!(error.contains(word), "{text}: {error}");
    }
    // git ignores a condition that doesn't hold, whatever the file says
    place.set("[includeIf \"onbranch:no\"]\n\tpath = url\n[includeIf \"onbranch:no\"]\n\tpath = broken\n");
    assert_eq!(place.name(&repo, &[]), Ok(None));
    // libgit2 refuses the loop when it opens the repository
    place.set("[user]\n\tname = x\n");
    git(&repo, &["config", "include.path", place.top.join("home/conf/loop").to_str().unwrap()]);
    assert!(place.git_says(&repo, "user.name", &[]).unwrap_err().contains("exceeded maximum include depth"));
    assert!(place.name(&repo, &[]).unwrap_err().contains("depth"));
}

/// git follows ten includes, one inside the other; libgit2 nine, and then it reads no file of the chain at all.
#[test]
fn chain_of_includes_is_read_or_refused() {
    for (includes, in_git, here) in [(9, true, true), (10, true, false), (11, false, false)] {
        let place = Place::new();
        let repo = place.repo();
        for nth in 1..includes {
            let text = format!("[include]\n\tpath = inc{}\n", nth + 1);
            write(&place.top, &format!("home/conf/inc{nth}"), &text);
        }
        write(&place.top, &format!("home/conf/inc{includes}"), "[user]\n\tname = Deep\n");
        place.set("[include]\n\tpath = inc1\n");
        assert_eq!(place.git_says(&repo, "user.name", &[]).is_ok(), in_git, "{includes} in git");
        match place.name(&repo, &[]) {
            Ok(name) => assert!(here && name.as_deref() == Some("Deep"), "{includes}: {name:?}"),
            Err(error) => assert!(!here && error.contains("include depth"), "{includes}: {error}"),
        }
    }
}

/// Patterns of `http.<url>.*`, as parts that are put together in every way.
fn patterns() -> Vec<String> {
    let mut patterns = Vec::new();
    for scheme in ["https", "http", "HTTPS"] {
        for user in ["", "acme@", "acme:x@", "a%63me@", "other@", "@"] {
            for host in [
                "dev.azure.example",
                "DEV.azure.example:443",
                "*.azure.example",
                "dev.*",
                "dev.azure.example:8443",
            ] {
                for path in
                    ["", "/", "/acme", "/acme/", "/acme/_git/x", "/ac", "/a%63me/./_git/../_git", "/%zz"]
                {
                    patterns.push(format!("{scheme}://{user}{host}{path}"));
                }
            }
        }
    }
    patterns.extend(
        ["dev.azure.example", "https:dev.azure.example", "https://", "https:///acme"].map(str::to_owned),
    );
    patterns
}

fn settings(place: &Place, url: &str) -> (HttpSettings, url::Url) {
    let checkout = Checkout::open(&place.repo(), &Environment::new(place.variables(&[]))).unwrap().unwrap();
    let RemoteUrl::Http { url, user, .. } = RemoteUrl::parse(url, Path::new("/")).unwrap() else {
        panic!("http")
    };
    (checkout.http().unwrap().with_user(user.as_deref()), url)
}

/// Every pattern alone, and every pattern beside every seventh other one.
#[test]
fn http_settings_match_urls_as_in_git() {
    let place = Place::new();
    let patterns = patterns();
    let mut keys = Vec::new();
    let mut text = String::new();
    let mut add = |pairs: &[(&str, &str)]| {
        let key = format!("k{}", keys.len());
        for (pattern, value) in pairs {
            text += &format!("[http \"{pattern}\"]\n\t{key} = {value}\n");
        }
        keys.push(key);
    };
    for (nth, pattern) in patterns.iter().enumerate() {
        add(&[(pattern, "one")]);
        for step in [1, 7, 40, 240] {
            let other = &patterns[(nth + step) % patterns.len()];
            add(&[(pattern, "first"), (other, "second")]);
        }
    }
    text += "[http]\n\tk0 = general\n";
    write(&place.repo(), ".git/config", &format!("[core]\n\trepositoryformatversion = 0\n{text}"));
    for url in [
        "https://dev.azure.example/acme/_git/x",
        "https://acme@dev.azure.example/acme/_git/x",
        "https://acme:secret@dev.azure.example/acme/_git/x",
        "https://other@dev.azure.example/acme",
        "https://dev.azure.example:8443/acme/",
        "http://dev.azure.example/acme/_git/x",
        "https://x.azure.example/a%63me/y",
    ] {
        let listed = git(&place.repo(), &["config", "--get-urlmatch", "http", url]);
        let expected: BTreeMap<&str, &str> =
            listed.lines().filter_map(|line| line.strip_prefix("http.")?.split_once(' ')).collect();
        assert!(expected.len() > 40, "{url}: {}", expected.len());
        let (settings, parsed) = settings(&place, url);
        for key in &keys {
            let value = settings.values(key, &parsed).pop();
            assert_eq!(value, expected.get(key.as_str()).copied(), "{url} {key}: {}", lines_of(&text, key));
        }
    }
}

fn lines_of(text: &str, key: &str) -> String {
    let sections = text.split("[http").filter(|section| section.contains(&format!("\t{key} = ")));
    sections.collect()
}
