//! What a person at a terminal sees while tagbump waits for an image.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::pty::Terminal;
use crate::support::registry::{FakeRegistry, Told};
use crate::support::verify::{bump, folder, has_tag};

#[test]
fn wait_is_shown_and_reported_at_the_end() {
    let is_pushed = Arc::new(AtomicBool::new(false));
    let pushed = Arc::clone(&is_pushed);
    let registry = FakeRegistry::start(move |asked, _| match pushed.load(Ordering::SeqCst) {
        true => has_tag(asked),
        false => Told::status(404),
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let (mut terminal, theirs) = Terminal::open();
    let mut command = bump(folder.path(), &[&format!("{image}:v2"), "--verify"]);
    command.env("TERM", "xterm").stdout(Stdio::null()).stderr(theirs);
    let mut child = command.spawn().unwrap();
    drop(command); // with its end of the terminal
    terminal.read_until(&format!("looking for {image}:v2 in its registry (2 s)"));
    is_pushed.store(true, Ordering::SeqCst);
    terminal.read_to_end();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", terminal.shown);
    let report = terminal.shown.rsplit("notice:").next().unwrap();
    let waited = report.split_once("waited ").and_then(|(_, rest)| rest.split_once(" s until "));
    let (seconds, rest) = waited.unwrap_or_else(|| panic!("{}", terminal.shown));
    // what is shown counts from a little earlier, in whole seconds too
    assert!(seconds.parse::<u64>().unwrap() >= 1, "{report}");
    assert!(rest.contains(&format!("{image}:v2 was in its registry")), "{report}");
}
