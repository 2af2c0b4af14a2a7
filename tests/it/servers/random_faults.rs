//! Landings through sshd by a line that is cut, reset or stalls at a random byte of the encrypted stream.

use std::process::Command;

use super::sshd::Sshd;
use crate::random_faults::{Ground, any_byte, survive};
use crate::support::bad_line::{Break, Fault, Line, Way};
use crate::support::repo::World;

struct ThroughSshd {
    world: World,
    line: Line,
    sshd: Sshd,
    client: String,
}

impl Ground for ThroughSshd {
    type Fault = Fault;

    fn new() -> Self {
        let (world, sshd) = (World::new(), Sshd::start());
        let key = sshd.key("id", "");
        sshd.allow(&key, "");
        // the host key is not what this is about
        let client = sshd.client(&[
            format!("IdentityFile {}", key.display()),
            "UserKnownHostsFile /dev/null\nStrictHostKeyChecking no\nLogLevel ERROR".to_owned(),
        ]);
        let line = Line::to(&sshd.address());
        ThroughSshd { world, line, sshd, client }
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn url(&self) -> String {
        self.sshd.url(&self.world.bare).replace(&self.sshd.address(), self.line.address())
    }

    fn prepare(&self, landing: &mut Command) {
        landing.env("GIT_SSH_COMMAND", &self.client);
    }

    fn set(&self, faults: Vec<Fault>) {
        self.line.breaks(faults);
    }

    fn sizes(&self) -> Vec<usize> {
        self.line.passed().to_vec()
    }

    fn any(random: &mut fastrand::Rng, sizes: &[usize]) -> Fault {
        let (part, after) = any_byte(random, sizes);
        let with = match random.usize(..20) {
            0 => Break::Stall,
            1..=5 => Break::Deaf,
            6..=13 => Break::Cut,
            _ => Break::Reset,
        };
        Fault { way: if part == 0 { Way::Up } else { Way::Down }, after, with }
    }

    fn stalls(fault: &Fault) -> bool {
        fault.with == Break::Stall
    }

    fn broken(&self) -> usize {
        self.line.broken()
    }
}

#[test]
fn bump_lands_once_when_connection_to_sshd_breaks_at_random_byte() {
    survive::<ThroughSshd>(24);
}
