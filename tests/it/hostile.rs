//! Trees made to do harm: every run ends, reports the files that it skipped, and edits the valid file.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::cli::{Run, command, tagbump};
use crate::support::files::write;
use crate::support::git::git;
use crate::support::repo::run_together;
use serde_json::Value;
use tempfile::TempDir;

const GOOD: &str = "good.yaml";
const NO_YAML: &str = "warning: skipped 1 file that isn't valid YAML (-v lists it)";

/// Only for a run that would otherwise never end.
const FAILSAFE: Duration = Duration::from_secs(120);

fn pod(image: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {image}\n")
}

/// A folder with a valid file in it, to which tests add trouble.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), GOOD, &pod("app:v0"));
        Tree(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    fn with(self, path: &str, text: &str) -> Self {
        write(self.path(), path, text);
        self
    }

    fn with_bytes(self, path: &OsStr, bytes: &[u8]) -> Self {
        fs::write(self.path().join(path), bytes).unwrap();
        self
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn is_bumped(&self, path: &str) -> bool {
        self.read(path) == pod("app:v1")
    }

    /// Scans and bumps. Both end, print exactly these lines on stderr, given by how they start, and find the
    /// valid file. Returns the output of the bump.
    #[track_caller]
    fn survived(&self, told: &[&str]) -> Run {
        self.survived_saying(told, told)
    }

    /// As `survived`, where `scan` looks at fewer of the places.
    #[track_caller]
    fn survived_saying(&self, by_scan: &[&str], by_bump: &[&str]) -> Run {
        let scan = tagbump(self.path(), &["scan", "-v"]);
        said(&scan, by_scan);
        assert!(scan.stdout.contains("good.yaml:5"), "{}", scan.output());
        let bump = tagbump(self.path(), &["bump", "app:v1", "-v"]);
        said(&bump, by_bump);
        assert!(bump.stdout.contains("good.yaml:5  app  v0 -> v1\n"), "{}", bump.output());
        assert!(self.is_bumped(GOOD), "{}", bump.output());
        bump
    }
}

/// Exit 0, and exactly these lines on stderr.
#[track_caller]
fn said(run: &Run, told: &[&str]) {
    assert_eq!(run.exit, 0, "{}", run.output());
    let lines: Vec<_> = run.stderr.lines().collect();
    assert_eq!(lines.len(), told.len(), "{}", run.stderr);
    for (line, start) in lines.iter().zip(told) {
        assert!(line.starts_with(start), "{start}: {}", run.stderr);
    }
}

/// A run that fails; returns the error's text.
#[track_caller]
fn refused(run: &Run, exit: i32, why: &str) {
    assert_eq!((run.exit, run.stdout.as_str()), (exit, ""), "{}", run.output());
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains(why), "{}", run.stderr);
}

mod special_files {
    use super::*;

    #[test]
    fn pipes_sockets_and_folders_are_left_out() {
        let tree = Tree::new();
        fs::create_dir(tree.at("folder.yaml")).unwrap();
        let _socket = UnixListener::bind(tree.at("socket.yaml")).unwrap();
        for name in ["pipe.yaml", "tagbump.yaml", "values.yaml"] {
            assert!(Command::new("mkfifo").arg(tree.at(name)).status().unwrap().success());
        }
        tree.survived(&[]);
        for name in ["pipe.yaml", "socket.yaml"] {
            refused(&tagbump(tree.path(), &["bump", "app:v2", "-f", name]), 2, "is not a regular file");
            refused(&tagbump(tree.path(), &["scan", "-f", name]), 2, "is not a regular file");
        }
        assert!(tree.is_bumped(GOOD));
    }

    #[test]
    fn symlinks_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        write(outside.path(), "x.yaml", &pod("app:v0"));
        let tree = Tree::new();
        symlink("loop.yaml", tree.at("loop.yaml")).unwrap();
        symlink("there.yaml", tree.at("here.yaml")).unwrap();
        symlink("here.yaml", tree.at("there.yaml")).unwrap();
        symlink(".", tree.at("around")).unwrap();
        symlink(outside.path(), tree.at("folder")).unwrap();
        symlink(outside.path().join("x.yaml"), tree.at("x.yaml")).unwrap();
        symlink("/dev/zero", tree.at("endless.yaml")).unwrap();
        let warnings = ["endless", "here", "loop", "there", "x"]
            .map(|name| format!("warning: {name}.yaml: is a symlink"));
        let bump = tree.survived_saying(&[], &warnings.each_ref().map(String::as_str));
        assert!(bump.stdout.ends_with("\nedited 1 file\n"), "{}", bump.stdout);
        for name in ["loop.yaml", "here.yaml", "around/good.yaml", "folder/x.yaml", "endless.yaml"] {
            refused(&tagbump(tree.path(), &["bump", "app:v2", "-f", name]), 2, "symlink");
            refused(&tagbump(tree.path(), &["scan", "-f", name]), 2, "symlink");
        }
        assert_eq!(fs::read_to_string(outside.path().join("x.yaml")).unwrap(), pod("app:v0"));
    }

    /// kustomize follows the link, and may set another tag there.
    #[test]
    fn symlink_beside_what_is_set_causes_warning() {
        let tree = Tree::new();
        symlink("real.txt", tree.at("kustomization.yaml")).unwrap();
        git(tree.path(), &["init", "--quiet"]);
        git(tree.path(), &["add", "."]);
        let author = ["-c", "user.name=A", "-c", "user.email=a@b.example"];
        git(tree.path(), &[&author[..], &["commit", "--quiet", "--message", "x"]].concat());
        let warning = "warning: kustomization.yaml: is a symlink, which tagbump doesn't follow";
        said(&tagbump(tree.path(), &["bump", "app:v1", "-n"]), &[warning]);
        let commit = ["bump", "app:v1", "--commit", "--author", "A <a@b.example>"];
        assert!(tagbump(tree.path(), &commit).stderr.contains(warning));
    }

    /// Reading it would never end.
    #[test]
    fn folder_is_left_out_when_its_ignore_file_is_a_pipe() {
        let tree = Tree::new().with("odd/x.yaml", &pod("app:v0"));
        assert!(Command::new("mkfifo").arg(tree.at("odd/.gitignore")).status().unwrap().success());
        tree.survived(&["warning: skipped: odd: its .gitignore is not a regular file"]);
        assert_eq!(tree.read("odd/x.yaml"), pod("app:v0"));
    }

    #[test]
    fn folder_is_left_out_when_its_ignore_file_is_too_large() {
        let tree =
            Tree::new().with("odd/x.yaml", &pod("app:v0")).with("odd/.gitignore", &"#\n".repeat(600_000));
        tree.survived(&["warning: skipped: odd: its .gitignore is larger than 1 MB"]);
        assert_eq!(tree.read("odd/x.yaml"), pod("app:v0"));
    }

    /// Neither would those of the repository around it.
    #[test]
    fn everything_is_left_out_when_ignore_file_of_repository_is_a_pipe() {
        let pipes = [".gitignore", ".git/info/exclude", ".git"];
        for (pipe, root) in pipes.into_iter().flat_map(|pipe| [(pipe, "."), (pipe, "k")]) {
            let folder = tempfile::tempdir().unwrap();
            let top = folder.path().join("top");
            write(&top, "k/x.yaml", &pod("app:v0"));
            git(&top, &["init", "--quiet"]);
            fs::create_dir(top.join(".git/info")).unwrap();
            let pipe = top.join(pipe);
            // if there is no such file, there is nothing to skip
            let _ = fs::remove_dir_all(&pipe);
            let _ = fs::remove_file(&pipe);
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let mut waiting = command(&top.join(root));
            let mut child = waiting.args(["bump", "app:v1"]).stderr(Stdio::piped()).spawn().unwrap();
            let (done, ended) = mpsc::channel();
            let mut stderr = child.stderr.take().unwrap();
            let reading = thread::spawn(move || {
                let mut text = String::new();
                stderr.read_to_string(&mut text).unwrap();
                // the receiver is gone if the failsafe was faster
                let _ = done.send(text);
            });
            let told = ended.recv_timeout(FAILSAFE);
            child.kill().unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(3));
            reading.join().unwrap();
            assert!(told.as_ref().is_ok_and(|text| text.contains("warning: skipped: .: ")), "{told:?}");
            assert_eq!(fs::read_to_string(top.join("k/x.yaml")).unwrap(), pod("app:v0"));
        }
    }

    #[test]
    fn nested_repositories_are_not_entered() {
        let tree = Tree::new()
            .with(".git/x.yaml", &pod("app:v0"))
            .with("a/.git/x.yaml", &pod("app:v0"))
            .with("a/x.yaml", &pod("app:v0"))
            .with("module/.git", "gitdir: ../elsewhere\n")
            .with("module/deep/x.yaml", &pod("app:v0"));
        let bump = tree.survived(&[]);
        assert!(bump.stdout.ends_with("\nedited 1 file\n"), "{}", bump.stdout);
        for (files, image) in [(".", "app:v2"), ("**/*.yaml", "app:v3")] {
            let run = tagbump(tree.path(), &["bump", image, "-f", files]);
            assert!(run.stdout.ends_with("\nedited 1 file\n"), "{}", run.output());
        }
        for name in [".git/x.yaml", "a/.git/x.yaml", ".git"] {
            refused(&tagbump(tree.path(), &["bump", "app:v2", "-f", name]), 2, "is inside .git");
        }
    }

    /// On other file systems these names mean `.git`, and an edit here would change files there.
    #[test]
    fn folders_with_other_names_of_dot_git_are_not_entered() {
        const NAMES: [&str; 7] =
            [".GIT", ".Git", "git~1", ".git. .", ".git::$INDEX_ALLOCATION", ".g\u{200c}it", "a\\.git"];
        let tree = NAMES.iter().fold(Tree::new(), |tree, name| {
            tree.with(&format!("{name}/x.yaml"), &pod("app:v0"))
                .with(&format!("k/{name}/x.yaml"), &pod("app:v0"))
        });
        let bump = tree.survived(&[]);
        assert!(bump.stdout.ends_with("\nedited 1 file\n"), "{}", bump.stdout);
        for name in NAMES {
            for file in [format!("{name}/x.yaml"), format!("k/{name}"), format!("{name}/**")] {
                let run = tagbump(tree.path(), &["bump", "app:v2", "-f", &file]);
                refused(&run, 2, "is inside .git, as some file systems read that name");
            }
        }
        // files that git tracks are found by name
        git(tree.path(), &["init", "--quiet"]);
        git(tree.path(), &["-c", "core.protectNTFS=false", "add", "--", "git~1", "k/.git. ."]);
        write(tree.path(), ".gitignore", "git~1\n.git*\n");
        let run = tagbump(tree.path(), &["bump", "app:v3"]);
        assert!(run.stdout.ends_with("\nedited 1 file\n"), "{}", run.output());
    }

    /// If permissions apply (for root they don't), the file is reported, and readable files are edited in any case.
    #[test]
    fn unreadable_files_are_left_out() {
        let tree = Tree::new().with("shut.yaml", &pod("app:v0")).with("shut/x.yaml", &pod("app:v0"));
        for name in ["shut.yaml", "shut"] {
            fs::set_permissions(tree.at(name), fs::Permissions::from_mode(0o000)).unwrap();
        }
        let shut = fs::read(tree.at("shut.yaml")).is_err();
        let told = ["warning: skipped: ", "warning: shut.yaml: can't be read: "];
        let run = tree.survived(if shut { &told } else { &[] });
        assert_eq!(run.stderr.contains("shut: Permission denied"), shut, "{}", run.stderr);
        let named = tagbump(tree.path(), &["bump", "app:v2", "-f", "shut.yaml"]);
        assert_eq!(named.exit, if shut { 1 } else { 0 }, "{}", named.output());
        for name in ["shut", "shut.yaml"] {
            fs::set_permissions(tree.at(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        assert_eq!(tree.is_bumped("shut/x.yaml"), !shut);
    }

    #[test]
    fn file_is_found_three_hundred_folders_deep() {
        let deep = format!("{}x.yaml", "d/".repeat(300));
        let tree = Tree::new().with(&deep, &pod("app:v0"));
        let bump = tree.survived(&[]);
        assert!(bump.stdout.contains(&format!("{deep}:5  app  v0 -> v1")), "{}", bump.output());
        assert!(tree.is_bumped(&deep));
    }
}

mod large_files {
    use super::*;

    const LIMIT: usize = 50_000_000;

    /// One value more than is read, and a comment that fills the file up to the largest size that is read.
    fn crowded() -> String {
        let mut text = format!("image: app\nx: [{}app]\n#", "a,".repeat(2_000_000));
        text.push_str(&"x".repeat(LIMIT - text.len()));
        text
    }

    #[test]
    fn file_over_fifty_megabytes_is_left_out() {
        let tree = Tree::new().with("big.yaml", &pod("app:v0"));
        let big = fs::File::options().write(true).open(tree.at("big.yaml")).unwrap();
        big.set_len(LIMIT as u64 + 1).unwrap();
        tree.survived(&["warning: big.yaml: skipped, over 50 MB"]);
        assert_eq!(big.metadata().unwrap().len(), LIMIT as u64 + 1);
        for command in ["scan", "bump"] {
            let image: &[&str] = if command == "bump" { &["app:v2"] } else { &[] };
            let run = tagbump(tree.path(), &[&[command, "-f", "big.yaml"], image].concat());
            refused(&run, 1, "big.yaml: skipped, over 50 MB");
        }
    }

    /// It takes longer than the half second after which a terminal would show progress.
    #[test]
    fn file_of_two_million_values_is_left_out_and_nothing_is_drawn() {
        let tree = Tree::new().with("crowded.yaml", &crowded());
        let run = |arguments: &[&str]| {
            let mut run = command(tree.path());
            run.args(arguments).arg("-v");
            run
        };
        for run in run_together(vec![run(&["scan"]), run(&["bump", "app:v1", "-n"])]) {
            said(&run, &["warning: crowded.yaml: skipped: it has more than 2,000,000 values"]);
            assert!(run.stdout.contains(GOOD), "{}", run.output());
            is_harmless(&run);
        }
    }

    /// A list that every document of the file uses: searching it for each document takes quadratic time.
    #[test]
    fn file_that_takes_too_many_steps_is_skipped() {
        let shared = format!("kind: List\nx: &p {{containers: [{}]}}\nitems:\n", "{},".repeat(10_000));
        let shared = shared + &"- {apiVersion: v1, kind: Pod, spec: *p}\n".repeat(600);
        let text = shared + "- {apiVersion: v1, kind: Pod, spec: {containers: [{image: app:v0}]}}\n";
        let tree = Tree::new().with("slow.yaml", &text);
        let bump = tree.survived_saying(
            &["warning: slow.yaml: skipped: it takes more than 5,511,000 steps"],
            &[
                "warning: slow.yaml: skipped: it takes more than 5,511,000 steps",
                "warning: slow.yaml: takes more than 5,511,000 steps",
            ],
        );
        assert!(bump.stdout.ends_with("\nedited 1 file\n"), "{}", bump.stdout);
        for named in [&["bump", "app:v2", "-f", "slow.yaml"][..], &["scan", "-f", "slow.yaml"]] {
            refused(
                &tagbump(tree.path(), named),
                6,
                "steps to read, far more than a file of its size should; ",
            );
        }
        assert!(tree.read("slow.yaml") == text && tree.is_bumped(GOOD));
    }

    /// References from a merge key are found, however long the chain is.
    #[test]
    fn long_chain_of_merge_keys_is_followed() {
        let link = |n: usize| format!("b{}: &b{} {{<<: *b{n}}}\n", n + 1, n + 1);
        let chain: String = (0..1_000).map(link).collect();
        let values =
            |tag: &str| format!("b0: &b0 {{repository: app}}\n{chain}last: {{<<: *b1000, tag: {tag}}}\n");
        let tree = Tree::new().with("Chart.yaml", "name: x\n").with("values.yaml", &values("v0"));
        tree.survived(&[]);
        assert!(tree.read("values.yaml") == values("v1"));
    }

    #[test]
    fn image_is_edited_when_line_is_a_megabyte_long() {
        let long = format!("{}      args: [\"{}\"]\n", pod("app:v0"), "x".repeat(1_000_000));
        let tree = Tree::new().with("long.yaml", &long);
        tree.survived(&[]);
        assert!(tree.read("long.yaml") == long.replace("v0", "v1"));
    }

    /// A reference behind many others on one line is edited in place.
    #[test]
    fn image_is_edited_when_it_follows_many_values_on_a_line() {
        let other = "{kind: Pod, spec: {containers: [{image: 'other/ä:v0'}]}}, ".repeat(1_000);
        let last = "{kind: Pod, spec: {containers: [{image: 'app:v0'}]}}";
        let text = format!("{{kind: List, items: [{other}{last}]}}\n");
        let tree = Tree::new().with("line.yaml", &text);
        tree.survived(&[]);
        assert!(tree.read("line.yaml") == text.replace("app:v0", "app:v1"));
    }
}

mod nesting {
    use super::*;

    const DEPTH: usize = 100_000;
    const VALUES: &str = "kind: HelmRelease\nspec:\n  values:\n    x:\n";

    /// The image is at the very bottom, and is found anyway.
    #[test]
    fn image_is_edited_in_deeply_nested_lists() {
        let text = format!("{VALUES}      {}image: app:v0\n", "- ".repeat(DEPTH));
        let tree = Tree::new().with("deep.yaml", &text);
        tree.survived(&[]);
        assert!(tree.read("deep.yaml") == text.replace("v0", "v1"));
    }

    #[test]
    fn image_is_edited_in_deeply_nested_maps() {
        let lines: String = (0..1_000).map(|n| format!("{}a:\n", " ".repeat(n + 6))).collect();
        let text = format!("{VALUES}{lines}{}image: app:v0\n", " ".repeat(1_006));
        let tree = Tree::new().with("deep.yaml", &text);
        tree.survived(&[]);
        assert!(tree.read("deep.yaml") == text.replace("v0", "v1"));
    }

    /// Real files nest only a few brackets: the parser gives up, and the run reports it.
    #[test]
    fn deeply_nested_brackets_are_left_out() {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("[{a: ", "}]")] {
            let text = format!("{}app{}\n", open.repeat(DEPTH), close.repeat(DEPTH));
            let tree = Tree::new().with("deep.yaml", &text);
            tree.survived(&[NO_YAML, "detail: not valid YAML: deep.yaml:1:"]);
            assert_eq!(tree.read("deep.yaml"), text);
        }
    }

    #[test]
    fn unclosed_brackets_are_left_out() {
        for open in ["[", "{", "[{", "{? "] {
            let tree = Tree::new().with("deep.yaml", &format!("{}app", open.repeat(DEPTH)));
            tree.survived(&[NO_YAML, "detail: not valid YAML: deep.yaml:1:"]);
        }
    }

    #[test]
    fn run_ends_when_keys_are_deeply_nested_maps() {
        let tree = Tree::new().with("deep.yaml", &format!("{}app\n", "? ".repeat(DEPTH)));
        tree.survived(&[]);
    }
}

mod bombs {
    use super::*;

    const VALUES: &str = "kind: HelmRelease\nspec:\n  values:\n";

    #[test]
    fn image_is_edited_in_alias_bomb() {
        let lines: String =
            (1..100).map(|n| format!("    x{n}: &x{n} [*x{m}, *x{m}, *x{m}]\n", m = n - 1)).collect();
        let text = format!("{VALUES}    x0: &x0 {{ image: app:v0 }}\n{lines}");
        let tree = Tree::new().with("bomb.yaml", &text);
        // whatever else it may set is for a person to look at
        tree.survived_saying(&[], &["warning: bomb.yaml: takes more than"]);
        assert_eq!(tree.read("bomb.yaml"), text.replace("v0", "v1"));
    }

    #[test]
    fn image_is_edited_in_merge_key_bomb() {
        let lines: String = (1..100)
            .map(|n| format!("    x{n}: &x{n} {{ <<: [*x{m}, *x{m}, *x{m}] }}\n", m = n - 1))
            .collect();
        let text = format!("{VALUES}    x0: &x0 {{ image: app:v0 }}\n{lines}");
        let tree = Tree::new().with("bomb.yaml", &text);
        tree.survived(&[]);
        assert_eq!(tree.read("bomb.yaml"), text.replace("v0", "v1"));
    }

    #[test]
    fn image_is_edited_in_chain_of_thousand_merges() {
        let lines: String =
            (1..=1_000).map(|n| format!("    x{n}: &x{n} {{ <<: *x{m}, k{n}: 1 }}\n", m = n - 1)).collect();
        let text = format!("{VALUES}    x0: &x0 {{ image: app:v0 }}\n{lines}");
        let tree = Tree::new().with("bomb.yaml", &text);
        // whatever else it may set is for a person to look at
        tree.survived_saying(&[], &["warning: bomb.yaml: takes more than"]);
        assert!(tree.read("bomb.yaml") == text.replace("v0", "v1"));
    }

    #[test]
    fn image_is_edited_beside_five_thousand_merges() {
        let maps: String = (0..5_000).map(|n| format!("    x{n}: &x{n} {{ k{n}: 1 }}\n")).collect();
        let all: Vec<_> = (0..5_000).map(|n| format!("*x{n}")).collect();
        let keys: String = all.iter().map(|alias| format!("      <<: {alias}\n")).collect();
        let text = format!(
            "{VALUES}{maps}    list: {{ <<: [{}], image: app:v0 }}\n    keys:\n{keys}",
            all.join(", ")
        );
        let tree = Tree::new().with("bomb.yaml", &text);
        tree.survived(&[]);
        assert!(tree.read("bomb.yaml") == text.replace("v0", "v1"));
    }
}

mod bytes {
    use super::*;

    #[test]
    fn file_that_is_not_text_is_left_out_with_position() {
        let little: Vec<u8> = "\u{feff}app: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{feff}app: 1\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, wanted) in [
            (b"app: v0\nb: a\0b\n".to_vec(), "2:5: holds a NUL byte"),
            (b"app: v0\nb: \xc3\x28\n".to_vec(), "2:4: is not UTF-8"),
            (b"app: \xc0\x80\n".to_vec(), "1:6: is not UTF-8"),
            (b"app: \xed\xa0\x80\n".to_vec(), "1:6: is not UTF-8"),
            (little, "1:1: is UTF-16; save it as UTF-8"),
            (big, "1:1: is UTF-16; save it as UTF-8"),
        ] {
            let tree = Tree::new().with_bytes(OsStr::new("bad.yaml"), &bytes);
            tree.survived(&[NO_YAML, &format!("detail: not valid YAML: bad.yaml:{wanted}")]);
            let named = tagbump(tree.path(), &["bump", "app:v2", "-f", "bad.yaml"]);
            refused(&named, 1, &format!("bad.yaml:{wanted}"));
            assert_eq!(fs::read(tree.at("bad.yaml")).unwrap(), bytes);
        }
    }

    /// Control characters in a file never reach the terminal.
    #[test]
    fn text_of_file_is_escaped() {
        let tree = Tree::new()
            .with("a.yaml", "kind: Pod\nspec: {containers: [{image: \"ap\\e[31mp:\\a\\nv0\"}]}\n")
            .with("b.yaml", "images: [{name: app, newTag: \"v\\e]0;x\\a\\r0\"}]\nkind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n");
        for arguments in [&["scan"][..], &["bump", "ap:v1"], &["bump", "app:v1", "--all"]] {
            let run = tagbump(tree.path(), arguments);
            is_harmless(&run);
        }
    }

    /// The report shows keys of a file whose tag has no name; a line break in a key never starts a new line of output.
    #[test]
    fn keys_of_file_are_escaped() {
        let tree = Tree::new()
            .with("c/Chart.yaml", "name: c\n")
            .with("c/values.yaml", "\"a\\nerror: b\\e[31m\": {image: {tag: v0}}\n");
        let run = tagbump(tree.path(), &["bump", "nothing/such:v1"]);
        assert_eq!(run.exit, 3, "{}", run.output());
        assert!(run.stderr.contains("c/values.yaml:1: field a\\nerror: "), "{}", run.stderr);
        is_harmless(&run);
        assert!(!run.stderr.contains("\nerror: b"), "{}", run.stderr);
    }
}

/// No control characters other than line ends.
#[track_caller]
fn is_harmless(run: &Run) {
    let harmful = |c: char| c.is_control() && c != '\n';
    assert!(!run.output().contains(harmful), "{:?}", run.output());
}

mod names {
    use super::*;

    const NAMES: [&str; 3] = ["a\nerror: b.yaml", "c\u{1b}]0;\u{7}.yaml", "d\te\rf.yaml"];
    const SHOWN: [&str; 3] = ["a\\nerror: b.yaml", "c\\u{1b}]0;\\u{7}.yaml", "d\\te\\rf.yaml"];

    fn named(text: &str) -> Tree {
        NAMES.into_iter().fold(Tree::new(), |tree, name| tree.with(name, text))
    }

    #[test]
    fn report_shows_names_escaped() {
        let tree = named(&pod("app:v0"));
        let dry = tagbump(tree.path(), &["bump", "app:v1", "-n"]);
        is_harmless(&dry);
        let bump = tree.survived(&[]);
        is_harmless(&bump);
        assert!(bump.stdout.ends_with("\nedited 4 files\n"), "{}", bump.stdout);
        let scan = tagbump(tree.path(), &["scan"]);
        is_harmless(&scan);
        for (name, shown) in NAMES.iter().zip(SHOWN) {
            assert!(tree.is_bumped(name));
            assert!(dry.stdout.contains(&format!("+++ b/{shown}\n")), "{}", dry.stdout);
            assert!(bump.stdout.contains(&format!("{shown}:5  app")), "{}", bump.stdout);
            assert!(scan.stdout.contains(&format!("{shown}:5  ")), "{}", scan.stdout);
        }
    }

    #[test]
    fn json_has_names_unescaped() {
        let tree = named(&pod("app:v0"));
        let files = |run: &Run, list: &str| -> Vec<String> {
            let told: Value = serde_json::from_str(&run.stdout).unwrap();
            told[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["file"].as_str().unwrap().to_owned())
                .collect()
        };
        let wanted = [&NAMES[..], &[GOOD]].concat();
        assert_eq!(files(&tagbump(tree.path(), &["scan", "--format", "json"]), "references"), wanted);
        let bump = tagbump(tree.path(), &["bump", "app:v1", "--format", "json"]);
        assert_eq!(files(&bump, "changes"), wanted);
        is_harmless(&bump);
    }

    #[test]
    fn positions_in_bad_files_show_names_escaped() {
        let tree = named("app: [\n");
        let wanted = SHOWN.map(|shown| format!("detail: not valid YAML: {shown}:2:1: "));
        let [a, c, d] = wanted.each_ref().map(String::as_str);
        let run =
            tree.survived(&["warning: skipped 3 files that aren't valid YAML (-v lists them)", a, c, d]);
        is_harmless(&run);
    }

    #[test]
    fn refusals_show_names_escaped() {
        let tree = named(&pod("app:${TAG}"));
        fs::remove_file(tree.at(GOOD)).unwrap();
        let run = tagbump(tree.path(), &["bump", "app:v1"]);
        assert_eq!(run.exit, 6, "{}", run.output());
        is_harmless(&run);
        for shown in SHOWN {
            assert!(run.stderr.contains(&format!("{shown}:5:14: ")), "{}", run.stderr);
        }
    }

    /// A warning is one line, whatever the file's name is.
    #[test]
    fn warnings_show_names_escaped() {
        let tree = named("");
        for name in NAMES {
            fs::File::create(tree.at(name)).unwrap().set_len(50_000_001).unwrap();
        }
        let wanted = SHOWN.map(|shown| format!("warning: {shown}: skipped, over 50 MB"));
        let run = tree.survived(&wanted.each_ref().map(String::as_str));
        is_harmless(&run);
    }

    /// `-f` can't take a line end: it separates two files.
    #[test]
    fn named_file_is_shown_escaped() {
        let tree = named("app: [\n");
        let (name, shown) = (NAMES[1], SHOWN[1]);
        let broken = tagbump(tree.path(), &["bump", "app:v1", "-f", name]);
        refused(&broken, 1, &format!("error: {shown}:2:1: "));
        is_harmless(&broken);
        let missing = tagbump(tree.path(), &["bump", "app:v1", "-f", &format!("no{name}")]);
        refused(&missing, 3, &format!("error: no{shown}: "));
        is_harmless(&missing);
    }

    /// Only Linux accepts such names everywhere.
    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_not_utf8_are_left_out() {
        let name = OsStr::from_bytes(b"caf\xe9\nerror: x.yaml");
        let tree = Tree::new().with_bytes(name, pod("app:v0").as_bytes());
        let run = tree.survived(&["warning: skipped, its name is not valid UTF-8: "]);
        assert!(run.stderr.contains("caf"), "{}", run.stderr);
        is_harmless(&run);
        assert_eq!(fs::read_to_string(tree.path().join(name)).unwrap(), pod("app:v0"));
    }

    /// An argument that isn't UTF-8 is a usage error, not a crash.
    #[test]
    fn argument_that_is_not_utf8_is_exit_2() {
        let tree = Tree::new();
        for argument in [&b"--repo=caf\xe9"[..], b"-fcaf\xe9", b"caf\xe9:v1"] {
            let mut command = command(tree.path());
            let run = Run::of(&command.arg("bump").arg(OsStr::from_bytes(argument)).output().unwrap());
            refused(&run, 2, "error: invalid UTF-8");
        }
    }

    /// Nobody would have noticed.
    #[cfg(target_os = "linux")]
    #[test]
    fn other_files_with_such_names_give_no_warning() {
        let tree = Tree::new().with_bytes(OsStr::from_bytes(b"caf\xe9.png"), b"\x89PNG");
        tree.survived(&[]);
    }
}
