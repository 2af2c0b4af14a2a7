//! Over http, by a line that is cut, reset or stalls, or on which a gateway answers.

use super::{Ground, any_byte, survive};
use crate::support::bad_line::{Break, Fault, Line, Way};
use crate::support::repo::World;

struct OverHttp {
    world: World,
    line: Line,
}

impl Ground for OverHttp {
    type Fault = Fault;

    fn new() -> Self {
        let world = World::new();
        let line = Line::to(&world.server_address());
        OverHttp { world, line }
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn url(&self) -> String {
        self.world.url_over(self.line.address())
    }

    fn set(&self, faults: Vec<Fault>) {
        self.line.breaks(faults);
    }

    fn sizes(&self) -> Vec<usize> {
        self.line.passed().to_vec()
    }

    fn any(random: &mut fastrand::Rng, sizes: &[usize]) -> Fault {
        let (part, after) = any_byte(random, sizes);
        let code = [408, 429, 500, 502, 503, 504][random.usize(..6)];
        let with = match random.usize(..20) {
            0 => Break::Stall,
            1..=4 => Break::Status(code),
            5..=8 => Break::StatusAfter(code),
            9..=12 => Break::Deaf,
            13..=16 => Break::Cut,
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
fn bump_lands_once_when_http_breaks_at_random_byte() {
    survive::<OverHttp>(120);
}
