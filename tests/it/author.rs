//! Who makes a commit: flags, environment, git's configuration, or the bot in Actions.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::{git, try_git};
use crate::support::repo::{self, World, actions, ended, failed, push, write};

const BOT: &str = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>";
const ADA: &str = "Ada <ada@example.com>";

/// A checkout and a home folder, neither of which configures an author.
struct Nobody {
    world: World,
    folder: PathBuf,
    home: PathBuf,
}

impl Nobody {
    fn new() -> Self {
        let world = World::new();
        let folder = world.shallow("w");
        git(&folder, &["config", "--remove-section", "user"]);
        let home = world.path().join("home");
        std::fs::create_dir(&home).unwrap();
        Nobody { world, folder, home }
    }

    fn push(&self, tag: &str, more: &[&str]) -> Command {
        let mut command = push(&self.folder, tag, more);
        command.env("HOME", &self.home).env("XDG_CONFIG_HOME", self.home.join("xdg"));
        command
    }

    fn set(&self, name: &str, value: &str) {
        git(&self.folder, &["config", name, value]);
    }
}

/// Author and committer of what the command lands.
#[track_caller]
fn lands(world: &World, command: &mut Command) -> (String, String) {
    ended(&repo::run(command), 0, "landed");
    (world.last("%an <%ae>"), world.last("%cn <%ce>"))
}

fn both(who: &str) -> (String, String) {
    (who.to_owned(), who.to_owned())
}

fn in_actions(command: &mut Command) -> &mut Command {
    actions(command, "acme/gitops", "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d")
}

#[test]
fn author_comes_from_git_configuration() {
    let world = World::new();
    let folder = world.shallow("w");
    assert_eq!(lands(&world, &mut push(&folder, "v1", &[])), both(ADA));
    assert_eq!(lands(&world, in_actions(&mut push(&folder, "v2", &[]))), both(ADA), "in Actions too");
    git(&folder, &["config", "author.name", "Writer"]);
    git(&folder, &["config", "committer.email", "robot@example.com"]);
    let wanted = ("Writer <ada@example.com>".to_owned(), "Ada <robot@example.com>".to_owned());
    assert_eq!(lands(&world, &mut push(&folder, "v3", &[])), wanted);
}

#[test]
fn author_comes_from_environment_first() {
    let world = World::new();
    let folder = world.shallow("w");
    let mut command = push(&folder, "v1", &[]);
    command.env("GIT_AUTHOR_NAME", "Writer").env("GIT_COMMITTER_EMAIL", "robot@example.com");
    let wanted = ("Writer <ada@example.com>".to_owned(), "Ada <robot@example.com>".to_owned());
    assert_eq!(lands(&world, &mut command), wanted);
}

/// The name comes from one place and the address from another: git combines them.
#[test]
fn author_is_combined_when_environment_has_half_of_it() {
    let nobody = Nobody::new();
    nobody.set("user.email", "ada@example.com");
    let mut command = nobody.push("v1", &[]);
    command.env("GIT_AUTHOR_NAME", "Ada").env("GIT_COMMITTER_NAME", "Ada");
    assert_eq!(lands(&nobody.world, &mut command), both(ADA));
}

#[test]
fn author_comes_from_environment_when_git_has_none() {
    let nobody = Nobody::new();
    let mut command = nobody.push("v1", &[]);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), role).env(format!("GIT_{role}_EMAIL"), "x@example.com");
    }
    let wanted = ("AUTHOR <x@example.com>".to_owned(), "COMMITTER <x@example.com>".to_owned());
    assert_eq!(lands(&nobody.world, &mut command), wanted);
}

#[test]
fn author_comes_from_user_configuration() {
    let text = "[user]\n\tname = Ada\n\temail = ada@example.com\n";
    let nobody = Nobody::new();
    write(&nobody.home, ".gitconfig", text);
    assert_eq!(lands(&nobody.world, &mut nobody.push("v1", &[])), both(ADA));
    let nobody = Nobody::new();
    write(&nobody.home, "xdg/git/config", text);
    assert_eq!(lands(&nobody.world, &mut nobody.push("v1", &[])), both(ADA));
}

#[test]
fn author_is_the_bot_in_actions_when_none_is_set() {
    let nobody = Nobody::new();
    assert_eq!(lands(&nobody.world, in_actions(&mut nobody.push("v1", &[]))), both(BOT));
    let committer = lands(&nobody.world, in_actions(&mut nobody.push("v2", &["--author", ADA])));
    assert_eq!(committer, (ADA.to_owned(), BOT.to_owned()));
}

#[test]
fn commit_fails_outside_of_actions_when_no_author_is_set() {
    let nobody = Nobody::new();
    let before = nobody.world.tip();
    let told = failed(&repo::run(&mut nobody.push("v1", &[])), 2);
    for word in ["user.name", "user.email", "--author"] {
        assert!(told.contains(word), "{told}");
    }
    assert_eq!(nobody.world.tip(), before);
    let told = failed(&repo::run(nobody.push("v1", &[]).env("TAGBUMP_COMMIT", "true")), 2);
    assert!(told.contains("user.name"), "{told}");
    let mut no_committer = nobody.push("v1", &[]);
    no_committer.env("GIT_AUTHOR_NAME", "Ada").env("GIT_AUTHOR_EMAIL", "ada@example.com");
    let message = failed(&repo::run(&mut no_committer), 2);
    assert!(message.contains("no committer: set user.name"), "{message}");
    // git would take this for the address
    nobody.set("user.name", "Ada");
    let message = failed(&repo::run(nobody.push("v1", &[]).env("EMAIL", "ada@example.com")), 2);
    assert!(message.contains("user.email"), "{message}");
    assert_eq!(
        lands(&nobody.world, &mut nobody.push("v2", &["--author", "Bob <bob@example.com>"])).0,
        "Bob <bob@example.com>"
    );
}

#[test]
fn author_flag_wins() {
    let world = World::new();
    let folder = world.shallow("w");
    let bob = "Bob B. <bob@example.com>";
    let mut command = push(&folder, "v1", &["--author", bob]);
    command.env("GIT_AUTHOR_NAME", "Writer");
    assert_eq!(lands(&world, &mut command), (bob.to_owned(), ADA.to_owned()), "the flag is first");
    for wrong in ["Bob", "<bob@example.com>", "Bob <bob@example.com", "Bob <a> <b>"] {
        failed(&repo::run(&mut push(&folder, "v2", &["--author", wrong])), 2);
    }
}

/// A line break would end the commit's header, and the rest of the name would be read as more headers.
#[test]
fn line_breaks_in_author_name_add_no_headers() {
    let world = World::new();
    let folder = world.shallow("w");
    let before = world.tip();
    for wrong in ["B\nob <b@example.com>", "Bob <b@example.com\n>", "B\nob <b@example.com> 1 +0000\nx <y>"] {
        failed(&repo::run(&mut push(&folder, "v1", &["--author", wrong])), 2);
    }
    assert_eq!(world.tip(), before);
    // git removes line breaks from names that come from elsewhere
    let mut command = push(&folder, "v1", &[]);
    command.env("GIT_AUTHOR_NAME", "Bob\n").env("GIT_COMMITTER_NAME", "\nBob");
    assert_eq!(lands(&world, &mut command), both("Bob <ada@example.com>"));
    git(&world.bare, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn sign_off_names_the_committer() {
    let world = World::new();
    let folder = world.shallow("w");
    ended(
        &repo::run(&mut push(&folder, "v1", &["--signoff", "--author", "Bob <bob@example.com>"])),
        0,
        "landed",
    );
    assert_eq!(world.last("%(trailers:key=Signed-off-by,valueonly)").trim(), ADA);
    assert_eq!(world.last("%(trailers:key=Tagbump-Image,valueonly)").trim(), "ghcr.io/acme/api:v1");
}

/// As git's own `--signoff` does.
#[test]
fn sign_off_is_not_repeated_when_message_has_it() {
    let world = World::new();
    let folder = world.shallow("w");
    let words = format!("deploy\n\nSigned-off-by: {ADA}");
    ended(&repo::run(&mut push(&folder, "v2", &["--signoff", "-m", &words])), 0, "landed");
    assert_eq!(world.message().matches("Signed-off-by").count(), 1, "{}", world.message());
}

/// The same names that git would write.
#[test]
fn names_are_cleaned_as_git_cleans_them() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["config", "user.name", " Ada, the <first>. "]);
    assert!(try_git(Path::new(&folder), &["var", "GIT_AUTHOR_IDENT"]).status.success());
    let (author, _) = lands(&world, &mut push(&folder, "v1", &[]));
    let mut var = crate::support::git::command(&folder);
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"] {
        var.env_remove(name);
    }
    let said = var.args(["var", "GIT_AUTHOR_IDENT"]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.starts_with(&format!("{author} ")), "git says {said}, we {author}");
}

/// The author is in a file that git includes elsewhere only.
#[test]
fn error_names_include_that_would_bring_an_author() {
    let nobody = Nobody::new();
    write(&nobody.home, "work.inc", "[user]\n\tname = Ada\n\temail = ada@example.com\n");
    write(&nobody.home, ".gitconfig", "[includeIf \"gitdir:~/work/\"]\n\tpath = work.inc\n");
    let message = failed(&repo::run(&mut nobody.push("v1", &[])), 2);
    for word in ["work.inc sets user.name", "includeIf \"gitdir:~/work/\" in ", ".gitconfig doesn't hold"] {
        assert!(message.contains(word), "{word}: {message}");
    }
    write(&nobody.home, "work.inc", "[core]\n\tpager = cat\n");
    let message = failed(&repo::run(&mut nobody.push("v1", &[])), 2);
    assert!(!message.contains("includeIf"), "it would bring no author: {message}");
}
