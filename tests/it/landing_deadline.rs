//! `--timeout` limits the whole landing, including reading files.

use crate::support::repo::{API, PASSWORD, USER, World, failed, json, push, run};

/// Files that take a while to read, in every folder: much longer than the landing may take.
#[test]
fn push_gives_up_when_reading_takes_longer_than_timeout() {
    let containers = format!("    - image: {API}:v0\n").repeat(150_000);
    let pod = format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{containers}");
    let paths: Vec<String> = (0..20).map(|n| format!("d{n}/pod.yaml")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), pod.as_str())).collect();
    let world = World::with(|server| server.basic_auth(USER, PASSWORD), &files);
    let folder = world.clone_of(&world.url(), "w", &["--depth", "1", "--no-checkout"]);
    let before = world.tip();
    let landing = run(&mut push(&folder, "v1", &["--timeout", "1s"]));
    let told = failed(&landing, 4);
    assert!(told.starts_with("not landed"), "{told}");
    assert_eq!(json(&landing)["attempts"], 0, "nothing was made or pushed: {told}");
    assert_eq!(world.tip(), before);
}
