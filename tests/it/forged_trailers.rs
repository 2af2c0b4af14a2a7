//! Commit messages are contributors' input: a trailer counts only in the commit that set the tag of this image's
//! reference in this file, and a rollback only for a tag that the commit replaced.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::git::{self, git};
use crate::support::git_server::{Fault, On, Service};
use crate::support::mono::{Mono, back_in, job_in, notices, tag_in};
use crate::support::repo::{self, API, FILE, ended, kustomization, write};

const REPLICAS: &str = "replicas:\n  - name: api\n    count: 1\n";

/// A contributor with a clone of the current state.
struct Mallory<'a> {
    folder: PathBuf,
    name: String,
    mono: &'a Mono,
}

impl<'a> Mallory<'a> {
    fn new(mono: &'a Mono) -> Self {
        let name = format!("mallory-{}", fastrand::u32(..));
        git(mono.world.path(), &["clone", "--quiet", mono.world.bare.to_str().unwrap(), &name]);
        let folder = mono.world.path().join(name);
        Mallory { mono, folder, name: "Mallory".to_owned() }
    }

    fn read(&self) -> String {
        std::fs::read_to_string(self.folder.join(FILE)).unwrap()
    }

    /// Commits a file, with these trailers below the subject. Returns the commit.
    fn commit(&self, path: &str, text: &str, trailers: &str) -> String {
        write(&self.folder, path, text);
        git(&self.folder, &["add", "--all"]);
        let mut commit = git::command(&self.folder);
        commit.args(["commit", "--quiet", "--message", &format!("Scale the api\n\n{trailers}")]);
        assert!(commit.env("GIT_AUTHOR_NAME", &self.name).status().unwrap().success());
        git(&self.folder, &["rev-parse", "HEAD"])
    }

    /// Commits a different number of replicas.
    fn scales(&self, trailers: &str) -> String {
        let count = format!("count: {}", fastrand::u32(2..));
        self.commit(FILE, &self.read().replace("count: 1", &count), trailers)
    }

    /// Commits another tag.
    fn sets(&self, tag: &str, trailers: &str) -> String {
        let text = self.read();
        self.commit(FILE, &text.replace(&tag_in(&text), tag), trailers)
    }

    fn merges(&self) {
        assert_eq!(git(&self.folder, &["merge-base", "HEAD", "origin/main"]), self.mono.world.tip());
        git(&self.folder, &["push", "--quiet", "origin", "HEAD:main"]);
    }
}

/// `builds` of the sources; the file has a replica count too.
fn mono(builds: usize) -> Mono {
    let mono = Mono::new(builds);
    mono.world.rival(FILE, &format!("{}{REPLICAS}", kustomization(&[API.into()])));
    mono
}

fn lands(mono: &Mono, nth: usize, tag: &str) {
    ended(&repo::run(&mut mono.job(&mono.builds[nth], &["--tag", tag])), 0, "landed");
    assert_eq!(mono.tag(), tag);
}

#[track_caller]
fn superseded(mono: &Mono, nth: usize, tag: &str) -> String {
    let told = ended(&repo::run(&mut mono.job(&mono.builds[nth], &["--tag", tag])), 0, "superseded");
    notices(&told)
}

fn image(tag: &str) -> String {
    format!("Tagbump-Image: {API}:{tag}")
}

fn rollback(tag: &str) -> String {
    format!("Tagbump-Rollback: {API}:{tag}")
}

fn source(sha: &str) -> String {
    format!("Tagbump-Source: acme/gitops@{sha}")
}

#[test]
fn rollback_trailer_does_not_count_when_commit_only_scales() {
    let mono = mono(3);
    lands(&mono, 1, "v1.2.3");
    let mallory = Mallory::new(&mono);
    mallory.scales(&format!("{}\n{}\n", image("v1.2.3"), rollback("v1.2.4")));
    mallory.merges();
    lands(&mono, 2, "v1.2.4");
    assert!(!mono.world.message().contains("Tagbump-Rollback"), "{}", mono.world.message());
}

#[test]
fn trailer_does_not_count_when_commit_changed_another_file() {
    let mono = mono(3);
    let ada = Mallory::new(&mono);
    ada.sets("v1.2.3", "");
    ada.merges();
    let mallory = Mallory::new(&mono);
    mallory.commit("README.md", "new\n", &format!("{}\n{}\n", image("v1.2.3"), rollback("v1.2.4")));
    mallory.merges();
    lands(&mono, 2, "v1.2.4");
}

#[test]
fn older_build_is_superseded_when_source_is_forged() {
    let mono = mono(3);
    lands(&mono, 2, "v1.2.0");
    let newest = mono.world.tip();
    let mallory = Mallory::new(&mono);
    mallory.scales(&format!("{}\n{}\n", image("v1.2.0"), source(&mono.builds[0])));
    mallory.merges();
    let told = superseded(&mono, 1, "v1.1.0");
    // the notice names the commit that tagbump believes
    assert!(told.contains(&format!("which is newer (commit {} by Ada)", &newest[..10])), "{told}");
}

#[test]
fn rollback_trailer_counts_only_for_removed_tag() {
    let mono = mono(3);
    let mallory = Mallory::new(&mono);
    mallory.sets("v1.2.2", "");
    let forged = mallory.sets("v1.2.3", &format!("{}\n{}\n", image("v1.2.3"), rollback("v1.2.4")));
    mallory.merges();
    lands(&mono, 2, "v1.2.4");
    // a tag that it replaced does count, and the notice names the author
    let mono = self::mono(3);
    let mallory = Mallory::new(&mono);
    mallory.sets("v1.2.4", "");
    let taken = mallory.sets("v1.2.3", &format!("{}\n{}\n", image("v1.2.3"), rollback("v1.2.4")));
    mallory.merges();
    let told = superseded(&mono, 2, "v1.2.4");
    assert!(
        told.contains(&format!("(commit {} by Mallory)", &taken[..10])) && !told.contains(&forged),
        "{told}"
    );
}

#[test]
fn repeated_rollback_trailer_counts_only_after_a_real_one() {
    let mono = mono(4);
    let mallory = Mallory::new(&mono);
    let repeats = |tag: &str| format!("{}\n{}\n", image(tag), rollback("v1.2.4"));
    mallory.sets("v1.2.5", &repeats("v1.2.5"));
    mallory.sets("v1.2.6", &repeats("v1.2.6"));
    mallory.merges();
    lands(&mono, 1, "v1.2.4");
    // now the file has the tag, a commit rolls it back, and the next commit repeats the trailer
    let mallory = Mallory::new(&mono);
    mallory.sets("v1.2.3", &repeats("v1.2.3"));
    mallory.sets("v1.2.7", &repeats("v1.2.7"));
    mallory.merges();
    superseded(&mono, 2, "v1.2.4");
    // a commit without the trailer ends it
    let mallory = Mallory::new(&mono);
    mallory.sets("v1.2.8", &image("v1.2.8"));
    mallory.sets("v1.2.9", &repeats("v1.2.9"));
    mallory.merges();
    lands(&mono, 2, "v1.2.4");
}

#[test]
fn merge_is_followed_to_the_branch_that_it_was_merged_into() {
    let mono = mono(3);
    lands(&mono, 2, "v1.2.0");
    let mallory = Mallory::new(&mono);
    git(&mallory.folder, &["checkout", "--quiet", "-b", "topic"]);
    mallory.sets("v1.0.0", "");
    mallory.sets("v1.2.0", &format!("{}\n{}\n", image("v1.2.0"), source(&mono.builds[0])));
    mallory.scales("");
    git(&mallory.folder, &["checkout", "--quiet", "main"]);
    git(&mallory.folder, &["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
    mallory.merges();
    superseded(&mono, 1, "v1.1.0");
}

/// An honest merge: the merged branch sets the tag.
#[test]
fn merge_of_a_bump_has_the_source_of_the_bump() {
    for squash in [false, true] {
        let mono = mono(3);
        let mallory = Mallory::new(&mono);
        git(&mallory.folder, &["checkout", "--quiet", "-b", "topic"]);
        let trailers = format!("{}\n{}\n", image("v1.2.0"), source(&mono.builds[2]));
        mallory.sets("v1.2.0", &trailers);
        mallory.scales("");
        git(&mallory.folder, &["checkout", "--quiet", "main"]);
        if squash {
            git(&mallory.folder, &["merge", "--quiet", "--squash", "topic"]);
            let message = format!("Deploy (#7)\n\n* Bump\n\n{trailers}\n* Scale the api\n");
            git(&mallory.folder, &["commit", "--quiet", "--message", &message]);
        } else {
            git(&mallory.folder, &["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
        }
        mallory.merges();
        superseded(&mono, 1, "v1.1.0");
    }
}

#[test]
fn moved_file_keeps_who_wrote_its_tag() {
    let mono = mono(3);
    lands(&mono, 2, "v1.2.0");
    let mallory = Mallory::new(&mono);
    std::fs::create_dir(mallory.folder.join("apps")).unwrap();
    git(&mallory.folder, &["mv", FILE, "apps/kustomization.yaml"]);
    let forged = format!("{}\n{}\n", image("v1.2.0"), source(&mono.builds[0]));
    mallory.commit("README.md", "moved\n", &forged);
    mallory.merges();
    let told = ended(&repo::run(&mut mono.job(&mono.builds[1], &["--tag", "v1.1.0"])), 0, "superseded");
    assert!(notices(&told).contains("which is newer"), "{told}");
}

/// The oldest commit of a shallow clone has no parent to compare with, so its message proves nothing.
#[test]
fn trailer_does_not_count_in_last_commit_of_shallow_clone() {
    let mono = mono(3);
    lands(&mono, 2, "v1.2.0");
    let mallory = Mallory::new(&mono);
    let line = format!("{API}: v1.1.0 -> v1.2.0 ({FILE})");
    mallory.scales(&format!("{line}\n\n{}\n{}\n", image("v1.2.0"), source(&mono.builds[0])));
    mallory.merges();
    let tip = mono.checkout("tip", &mono.world.tip());
    let told = ended(&repo::run(&mut job_in(&tip, &mono.builds[1], &["--tag", "v1.1.0"])), 0, "superseded");
    assert!(notices(&told).contains("by Ada)"), "{told}");
}

#[test]
fn each_of_two_references_has_its_own_commit() {
    let mono = Mono::new(4);
    let file = kustomization(&[API.into()]).replace("v0", "v1.0.0");
    let two = format!("{file}---\n{file}");
    mono.world.rival(FILE, &two);
    let mallory = Mallory::new(&mono);
    // the newest build set the first one, an old build the second
    let once = |from: &str, to: &str, trailers: &str| {
        mallory.commit(FILE, &mallory.read().replacen(from, to, 1), trailers);
    };
    once("v1.0.0", "v1.3.0", &format!("{}\n{}\n", image("v1.3.0"), source(&mono.builds[3])));
    once("v1.0.0", "v1.1.0", &format!("{}\n{}\n", image("v1.1.0"), source(&mono.builds[1])));
    mallory.merges();
    let run = repo::run(&mut mono.job(&mono.builds[2], &["--tag", "v1.2.0", "--all"]));
    ended(&run, 0, "landed");
    let text = mono.world.file(FILE);
    assert!(text.contains("v1.3.0") && text.contains("v1.2.0") && !text.contains("v1.1.0"), "{text}");
}

#[test]
fn author_is_shown_without_deceptive_characters() {
    let mono = mono(3);
    let name = format!("Ada\u{202e}\u{1b}[2J{}", "x".repeat(200));
    let mallory = Mallory { name, ..Mallory::new(&mono) };
    mallory.sets("v1.2.0", &format!("{}\n{}\n", image("v1.2.0"), source(&mono.builds[2])));
    mallory.merges();
    let told = ended(&repo::run(&mut mono.job(&mono.builds[1], &["--tag", "v1.1.0"])), 0, "superseded");
    let notice = told["notices"][0].as_str().unwrap();
    assert!(notice.contains(r"by Ada\u{202e}\u{1b}[2Jxxx") && notice.len() < 250, "{notice}");
}

#[test]
fn rollback_skips_no_tag_when_trailer_is_forged() {
    let mono = mono(3);
    lands(&mono, 1, "v1.1.0");
    lands(&mono, 2, "v1.2.0");
    let mallory = Mallory::new(&mono);
    mallory.sets("v1.3.0", &format!("{}\n{}\n", image("v1.3.0"), rollback("v1.1.0")));
    mallory.merges();
    for back in ["v1.2.0", "v1.1.0"] {
        let folder = mono.checkout(back, &mono.world.tip());
        let told = ended(&repo::run(&mut back_in(&folder, &[])), 0, "landed");
        assert_eq!(told["images"][0]["tag"], back);
        assert!(!mono.world.message().contains(&rollback("v1.1.0")), "{}", mono.world.message());
    }
}

/// The history is longer than the part that tagbump searches.
#[test]
fn tag_is_replaced_with_notice_when_its_commit_is_far_back() {
    let mono = mono(3);
    lands(&mono, 2, "v1.2.0");
    let tip = mono.world.tip();
    let mut stream = String::new();
    for nth in 0..1100 {
        let from = if nth == 0 { format!("from {tip}\n") } else { String::new() };
        let text = format!("{nth}\n");
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter Eve <eve@example.com> {} +0000\ndata 1\nx\n{from}M 100644 inline README.md\ndata {}\n{text}\n",
            1_800_000_000 + nth,
            text.len()
        ));
    }
    fast_import(&mono.world.bare, &stream);
    let full = mono.world.full("full");
    let told = repo::run(&mut job_in(&full, &mono.builds[1], &["--tag", "v1.1.0", "--no-sync"]));
    let told = ended(&told, 0, "landed");
    assert!(
        notices(&told).contains("the commit that set v1.2.0 is not among the last 1,000 commits"),
        "{told}"
    );
}

/// The server refuses to send more history.
#[test]
fn tag_is_replaced_with_notice_when_its_commit_is_cut_off() {
    let mono = mono(3);
    lands(&mono, 2, "v1.2.0");
    let mallory = Mallory::new(&mono);
    mallory.scales(&format!("({FILE})\n\n{}\n{}\n", image("v1.2.0"), source(&mono.builds[2])));
    mallory.merges();
    let tip = mono.checkout("tip", &mono.world.tip());
    for _ in 0..9 {
        let fault = Fault::Status { code: 403, headers: Vec::new() };
        mono.world.server.fault(On::Post(Service::UploadPack), fault);
    }
    let told = ended(&repo::run(&mut job_in(&tip, &mono.builds[1], &["--tag", "v1.1.0"])), 0, "landed");
    assert!(
        notices(&told).contains("the commit that set v1.2.0 is not among the last 1,000 commits"),
        "{told}"
    );
}

fn fast_import(bare: &Path, stream: &str) {
    let mut command = git::command(bare);
    let mut import = command.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
}
