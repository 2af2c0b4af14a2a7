//! Runs a program to its end and returns its output.

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::capture::{Capture, CapturedOutput};
use super::child::{ChildExit, Interruption, TimedChild};

/// How many bytes of each output stream are kept.
const MAX_OUTPUT: usize = 1024 * 1024;

/// How long to keep reading the pipes of a program that has ended: processes that it left behind may hold them open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A program that ran to its end.
#[derive(Debug)]
pub struct ProcessOutput {
    pub success: bool,
    pub stdout: String,
    /// Whether `stdout` is everything that was printed, up to the limit.
    pub complete: bool,
    pub stderr: String,
}

/// Why a program did not run to its end.
#[derive(Debug)]
pub enum NotRun {
    Missing,
    Unstartable(std::io::Error),
    /// It exceeded its time limit.
    Late,
}

/// Runs a program with `input` on its standard input.
///
/// # Errors
/// Fails if the program can't be started, or doesn't end in time.
pub fn run(
    mut command: Command,
    input: &[u8],
    time: Duration,
    interruption: Interruption,
) -> Result<ProcessOutput, NotRun> {
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (pipes, child) = TimedChild::start(command, time, interruption).map_err(|e| match e.kind() {
        ErrorKind::NotFound => NotRun::Missing,
        _ => NotRun::Unstartable(e),
    })?;
    let stdout = pipes.stdout.map(|pipe| Capture::start(pipe, MAX_OUTPUT));
    let stderr = pipes.stderr.map(|pipe| Capture::start(pipe, MAX_OUTPUT));
    if let Some(mut stdin) = pipes.stdin {
        let input = input.to_vec();
        // a program that doesn't read its input reports failures in its own way
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let exit = child.wait();
    if exit == ChildExit::TimedOut {
        return Err(NotRun::Late);
    }
    let deadline = Instant::now() + LAST_WORDS;
    let finish =
        |capture: Option<Capture>| capture.map(|capture| capture.finish(deadline)).unwrap_or_default();
    let (stdout, stderr) = (finish(stdout), finish(stderr));
    Ok(ProcessOutput {
        success: exit == ChildExit::Success,
        complete: stdout.complete,
        stdout: text(&stdout),
        stderr: text(&stderr),
    })
}

fn text(captured: &CapturedOutput) -> String {
    String::from_utf8_lossy(&captured.bytes).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::path::Path;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LONG: Duration = Duration::from_secs(600);

    fn run_shell(script: &str, input: &[u8], time: Duration) -> Result<ProcessOutput, NotRun> {
        run(shell(script), input, time, Interruption::EndsIt)
    }

    fn fifo(folder: &Path, name: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().is_ok_and(|status| status.success()));
        path
    }

    #[test]
    fn output_and_exit_are_those_of_the_program() {
        let ran = run_shell("cat; echo no >&2; exit 3", b"text", LONG).unwrap();
        assert_eq!((ran.success, ran.stdout.as_str(), ran.stderr.as_str()), (false, "text", "no\n"));
        assert!(ran.complete);
    }

    #[test]
    fn program_that_does_not_read_its_input_ends() {
        let ran = run_shell("exec <&-; echo done", &vec![b'x'; 1 << 20], LONG).unwrap();
        assert!(ran.success && ran.stdout == "done\n", "{ran:?}");
    }

    #[test]
    fn output_is_cut_where_it_is_too_long() {
        let ran = run_shell("head -c 3000000 /dev/zero", b"", LONG).unwrap();
        assert_eq!((ran.success, ran.stdout.len()), (true, MAX_OUTPUT));
    }

    #[test]
    fn program_that_never_ends_is_late() {
        let ended = run_shell("exec tail -f /dev/null", b"", Duration::ZERO);
        assert!(matches!(ended, Err(NotRun::Late)), "{ended:?}");
    }

    #[test]
    fn program_that_ignores_the_first_signal_is_late_too() {
        let ended = run_shell("trap '' TERM; exec tail -f /dev/null", b"", Duration::from_secs(1));
        assert!(matches!(ended, Err(NotRun::Late)), "{ended:?}");
    }

    #[test]
    fn program_that_is_not_there_is_missing() {
        let ended = run(Command::new("/nowhere/signer"), b"", LONG, Interruption::EndsIt);
        assert!(matches!(ended, Err(NotRun::Missing)), "{ended:?}");
    }

    /// The process left behind holds both pipes for as long as the test holds the fifo's other end.
    #[test]
    fn output_is_taken_while_a_process_left_behind_holds_the_pipes() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = fifo(folder.path(), "held");
        let held = File::options().read(true).write(true).open(&fifo).unwrap();
        let script = format!("{{ read x < '{}'; }} & echo out; echo err >&2", fifo.display());
        for interruption in [Interruption::EndsIt, Interruption::HeldOff] {
            let ran = run(shell(&script), b"", LONG, interruption).unwrap();
            assert_eq!((ran.success, ran.stdout.as_str(), ran.stderr.as_str()), (true, "out\n", "err\n"));
            assert!(!ran.complete);
        }
        drop(held);
    }

    /// The program's children keep the fifo open. Once it has no writer, reading returns its end.
    #[test]
    fn program_that_is_late_ends_with_all_that_it_started() {
        use std::os::unix::fs::OpenOptionsExt;
        let folder = tempfile::tempdir().unwrap();
        let alive = fifo(folder.path(), "alive");
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut writers = File::options().read(true).custom_flags(flags).open(&alive).unwrap();
        let script = format!("exec 3> '{}'; (tail -f /dev/null) & tail -f /dev/null", alive.display());
        let ran = run(shell(&script), b"", Duration::from_secs(1), Interruption::HeldOff);
        assert!(matches!(ran, Err(NotRun::Late)), "{ran:?}");
        let failsafe = Instant::now() + Duration::from_secs(60);
        while writers.read(&mut [0]).is_err() {
            assert!(Instant::now() < failsafe, "it has left a process behind");
            std::thread::yield_now();
        }
    }
}
