//! The order guard and rollback of two images that get their tag from one variable.

use crate::support::cli::{self, Run};
use crate::support::mono::{Mono, notices};
use crate::support::past::Past;
use crate::support::repo::{self, API, FILE, ended};

const WEB: &str = "ghcr.io/acme/web";
const COMPOSE: &str = "services:
  api: {image: \"ghcr.io/acme/api:${V}\"}
  web: {image: \"ghcr.io/acme/web:${V}\"}
";

#[test]
fn older_build_of_two_images_leaves_the_variable_that_gives_both_their_tag() {
    let mono = Mono::new(2);
    for (path, text) in [(FILE, "resources: []\n"), ("compose.yaml", COMPOSE), (".env", "V=v1\n")] {
        mono.world.rival(path, text);
    }
    let bump = |nth: usize, tag: &str| repo::run(&mut mono.job(&mono.builds[nth], &[WEB, "--tag", tag]));
    ended(&bump(1, "v3"), 0, "landed");
    let told = ended(&bump(0, "v2"), 0, "superseded");
    assert!(notices(&told).contains("which is newer"), "{told}");
    assert_eq!(mono.world.file(".env").trim_end(), "V=v3");
}

#[test]
fn rollback_of_two_images_goes_back_in_the_variable_that_gives_both_their_tag() {
    let past = Past::new();
    past.write("compose.yaml", COMPOSE);
    for tag in ["v1", "v2"] {
        past.write(".env", &format!("V={tag}\n"));
        past.commit("Ada", tag);
    }
    let mut command = cli::command(&past.path);
    command.args(["rollback", API, WEB, "--commit", "--format", "json"]);
    ended(&Run::of(&past.by("Ada", &mut command).output().unwrap()), 0, "committed");
    assert_eq!(past.read(".env"), "V=v1\n");
}
