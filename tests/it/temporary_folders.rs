//! Temporary folders contain private data: objects of private repositories, commits to sign, configuration with
//! tokens. No other user of the machine may read them.
#![cfg(unix)]

use std::process::Command;

use crate::support::cli;
use crate::support::repo::{API, World, run, script_at};

#[test]
fn temporary_folders_are_closed_to_others() {
    let world = World::new();
    let (program, temporary) = (world.path().join("sign"), world.path().join("tmp"));
    let listing = world.path().join("listing");
    std::fs::create_dir(&temporary).unwrap();
    // during signing, all of them exist but the one for the configuration, which is gone as soon as it is read
    script_at(&program, &format!("ls -l '{}' > '{}'; exit 1", temporary.display(), listing.display()));
    let settings = [
        ("gpg.format", "ssh"),
        ("gpg.ssh.program", program.to_str().unwrap()),
        ("user.signingkey", "key::ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ"),
    ];
    let bump = cli::command(world.path());
    let mut command = Command::new("sh");
    // as permissive as a container may be
    command.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(bump.get_program()).current_dir(world.path());
    command.env_clear().envs(bump.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["bump", &format!("{API}:v1"), "-C", &world.url(), "--push", "--sign"]);
    command.args(["--author", "Ada <ada@example.com>"]).env("TMPDIR", &temporary);
    command.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (nth, (key, value)) in settings.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{nth}"), key).env(format!("GIT_CONFIG_VALUE_{nth}"), value);
    }
    let told = run(&mut command);
    let listing = std::fs::read_to_string(&listing).unwrap_or_else(|_| panic!("{}", told.output()));
    let folders: Vec<_> = listing.lines().filter(|line| line.contains("tagbump-")).collect();
    assert!(folders.len() >= 3, "{listing}");
    assert!(folders.iter().all(|line| line.starts_with("drwx------")), "{listing}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}
