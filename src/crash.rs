//! What happens if tagbump panics, which is a bug: a message that helps to report it, no temporary files, exit code 1.
//!
//! A release doesn't unwind the stack (`panic = "abort"` in `Cargo.toml`), which makes the binary a tenth smaller. So
//! destructors don't run, and what they would remove is removed here.

use std::io::Write;
use std::panic::{self, PanicHookInfo};
use std::process;

use crate::signals;

/// From now on, a panic in any thread ends the process.
pub fn exit_on_panic() {
    panic::set_hook(Box::new(|panic| {
        // nothing can be done about a closed stream
        let _ = write!(std::io::stderr().lock(), "{}", message(panic));
        signals::clean_up_after_panic();
        process::exit(1);
    }));
}

/// Names the place in the code alone: the panic's own text may hold what is in a file, or a token.
fn message(panic: &PanicHookInfo) -> String {
    let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    format!(
        "error: a bug in tagbump {} stopped it{place}\n  \
         hint: please report this line and the command; nothing more will be written or pushed\n",
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::exit_on_panic;
    use crate::signals;

    const FILE: &str = "TAGBUMP_TEST_CRASH_FILE";

    /// Panics itself, in a process of its own.
    #[test]
    fn panic_leaves_no_temporary_file_and_names_the_place_alone() {
        if let Some(file) = std::env::var_os(FILE) {
            signals::remember(file.as_ref());
            exit_on_panic();
            panic!("secret");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("temporary");
        std::fs::write(&file, "").unwrap();
        let this_test = std::thread::current().name().unwrap().to_owned();
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &this_test, "--nocapture"])
            .env(FILE, &file)
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(1));
        assert!(!file.exists());
        let message = String::from_utf8(ended.stderr).unwrap();
        assert!(
            message.starts_with(&format!(
                "error: a bug in tagbump {} stopped it at src/crash.rs:",
                env!("CARGO_PKG_VERSION")
            )),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }
}
