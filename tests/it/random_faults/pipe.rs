//! Over ssh and from a folder, where tagbump talks to a program: the pipes break, and the program fails or is killed.
//! A stand-in runs in its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Ground, any_byte, survive};
use crate::support::repo::{World, script_at};

const SERVICES: [&str; 2] = ["upload-pack", "receive-pack"];

/// What the program or a pipe does.
#[derive(Clone, Copy, Debug)]
enum Break {
    /// The program gets only so many bytes.
    CutUp,
    /// So many bytes come from the program.
    CutDown,
    /// As many, but the pipe stays open.
    StallUp,
    StallDown,
    /// The same, and the program still does its work.
    Deaf,
    /// It ends with this status, before it has done anything, or after its answer.
    Fails(u8),
    FailsAfter(u8),
    Killed,
    KilledAfter,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    service: &'static str,
    after: usize,
    with: Break,
}

impl Fault {
    /// What the stand-in does instead of `serve`.
    fn script(self) -> String {
        // byte by byte: head would keep them back
        let pass = format!("dd bs=1 count={} 2> /dev/null", self.after);
        // in the background, and without a shell around it that would keep the pipe open
        let only = |rest: &str| format!("exec 3<&0; serve \"$@\" <&3 | {rest} & exec >&- 3<&-; wait");
        match self.with {
            Break::CutUp => format!("{pass} | serve \"$@\""),
            Break::CutDown => only(&pass),
            Break::StallUp => format!("{{ {pass}; read x < \"$faults/never\"; }} | serve \"$@\""),
            Break::StallDown => {
                format!("serve \"$@\" | {{ {pass}; read x < \"$faults/never\"; }}")
            }
            Break::Deaf => only(&format!("{{ {pass}; exec >&-; cat > /dev/null; }}")),
            Break::Fails(status) => format!("exit {status}"),
            Break::FailsAfter(status) => format!("serve \"$@\"; exit {status}"),
            Break::Killed => "kill -9 $$".to_owned(),
            Break::KilledAfter => "serve \"$@\"; kill -9 $$".to_owned(),
        }
    }
}

/// A repository, and a stand-in for the program that serves it.
struct Pipes {
    world: World,
    /// Faults to come are `SERVICE.NTH` here, those that came `came.PID`, and the bytes that passed
    /// `SERVICE-up` and `SERVICE-down`.
    faults: PathBuf,
}

impl Pipes {
    /// With a stand-in whose `serve` runs the program.
    fn new(stand_in: &str, serve: &str) -> Self {
        let world = World::new();
        let faults = world.path().join("faults");
        std::fs::create_dir(&faults).unwrap();
        let made = Command::new("mkfifo").arg(faults.join("never")).status().unwrap();
        assert!(made.success());
        let script = format!(
            "faults='{}'\n{serve}\n\
             for fault in \"$faults/$service\".*; do\n\
             if [ -e \"$fault\" ]; then mv \"$fault\" \"$faults/came.$$\"; . \"$faults/came.$$\"; exit; fi\ndone\n\
             if [ -e \"$faults/count\" ]; then\n\
             tee \"$faults/$service-up\" | serve \"$@\" | tee \"$faults/$service-down\"\nelse serve \"$@\"\nfi",
            faults.display()
        );
        script_at(&world.path().join(stand_in), &script);
        Pipes { world, faults }
    }

    fn stand_in(&self, name: &str) -> PathBuf {
        self.world.path().join(name)
    }

    fn set(&self, faults: &[Fault]) {
        for file in std::fs::read_dir(&self.faults).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some() {
                std::fs::remove_file(file).unwrap();
            }
        }
        for (nth, fault) in faults.iter().enumerate() {
            let name = format!("{}.{nth}", fault.service);
            std::fs::write(self.faults.join(name), fault.script()).unwrap();
        }
        if faults.is_empty() {
            std::fs::write(self.faults.join("count"), "").unwrap();
        }
    }

    fn sizes(&self) -> Vec<usize> {
        let size = |name: String| std::fs::metadata(self.faults.join(name)).unwrap().len() as usize;
        SERVICES.iter().flat_map(|name| [size(format!("{name}-up")), size(format!("{name}-down"))]).collect()
    }

    fn broken(&self) -> usize {
        let files = std::fs::read_dir(&self.faults).unwrap();
        files.filter(|entry| entry.as_ref().unwrap().path().file_stem() == Some("came".as_ref())).count()
    }
}

fn any(random: &mut fastrand::Rng, sizes: &[usize]) -> Fault {
    let (part, after) = any_byte(random, sizes);
    let status = [1, 128, 141, 255][random.usize(..4)];
    let with = match (random.usize(..20), part % 2) {
        (0, 0) => Break::StallUp,
        (0, _) => Break::StallDown,
        (1..=6, 1) => Break::Deaf,
        (7, _) => Break::Fails(status),
        (8..=9, _) => Break::FailsAfter(status),
        (10, _) => Break::Killed,
        (11, _) => Break::KilledAfter,
        (_, 0) => Break::CutUp,
        _ => Break::CutDown,
    };
    Fault { service: SERVICES[part / 2], after, with }
}

/// With ssh on the way.
struct OverSsh(Pipes);

/// With `git` on this machine.
struct FromFolder(Pipes);

/// What both have in common.
macro_rules! ground_of_pipes {
    ($name:ident, $new:expr, $url:expr, $prepare:expr) => {
        impl Ground for $name {
            type Fault = Fault;

            fn new() -> Self {
                $name($new)
            }

            fn world(&self) -> &World {
                &self.0.world
            }

            fn url(&self) -> String {
                $url(&self.0)
            }

            fn prepare(&self, landing: &mut Command) {
                $prepare(&self.0, landing);
            }

            fn set(&self, faults: Vec<Fault>) {
                self.0.set(&faults);
            }

            fn sizes(&self) -> Vec<usize> {
                self.0.sizes()
            }

            fn any(random: &mut fastrand::Rng, sizes: &[usize]) -> Fault {
                any(random, sizes)
            }

            fn stalls(fault: &Fault) -> bool {
                matches!(fault.with, Break::StallUp | Break::StallDown)
            }

            fn broken(&self) -> usize {
                self.0.broken()
            }
        }
    };
}

ground_of_pipes!(
    OverSsh,
    Pipes::new(
        "ssh",
        "for last; do :; done\nservice=${last#git-}; service=${service%% *}\nserve() { eval \"$last\"; }"
    ),
    |pipes: &Pipes| format!("ssh://git@h.example{}", pipes.world.bare.display()),
    |pipes: &Pipes, landing: &mut Command| {
        landing.env("GIT_SSH", pipes.stand_in("ssh"));
    }
);

ground_of_pipes!(
    FromFolder,
    {
        let git = real_git();
        Pipes::new(
            "bin/git",
            &format!(
                "serve() {{ '{0}' \"$@\"; }}\nservice=\nfor word; do case $word in upload-pack|receive-pack) \
                 service=$word;; esac; done\n[ -n \"$service\" ] || exec '{0}' \"$@\"",
                git.display()
            ),
        )
    },
    |pipes: &Pipes| pipes.world.bare.display().to_string(),
    |pipes: &Pipes, landing: &mut Command| {
        let path = std::env::var_os("PATH").unwrap();
        let folders = std::iter::once(pipes.stand_in("bin")).chain(std::env::split_paths(&path));
        landing.env("PATH", std::env::join_paths(folders).unwrap());
    }
);

fn real_git() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file());
    found.unwrap_or_else(|| Path::new("/usr/bin/git").to_owned())
}

#[test]
fn bump_lands_once_when_ssh_breaks_at_random_byte() {
    survive::<OverSsh>(40);
}

#[test]
fn bump_lands_once_when_local_git_breaks_at_random_byte() {
    survive::<FromFolder>(40);
}
