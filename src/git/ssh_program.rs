//! Chooses the ssh program by git's rules.
//!
//! Source: git's `connect.c` (`get_ssh_command`, `fill_ssh_args`), `git help git` (`GIT_SSH`), `git help config`
//! (`core.sshCommand`, `ssh.variant`).

use std::path::PathBuf;
use std::process::Command;

use git2::Config;

use super::config;
use super::error::GitSettingError;
use super::process::{self, Purpose};
use super::ssh_url::SshUrl;
use crate::environment::Environment;

/// An ssh program, and the options that it takes.
#[derive(Clone, Debug)]
pub struct SshProgram {
    start: SshCommand,
    variant: SshVariant,
    /// Where it is started: the top of the work tree.
    folder: PathBuf,
    environment: Environment,
}

#[derive(Clone, Debug)]
enum SshCommand {
    /// A command line for a shell.
    Line(String),
    Program(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SshVariant {
    OpenSsh,
    /// `plink` and `putty`.
    Plink,
    TortoisePlink,
    /// Takes only a host and a command.
    Simple,
}

impl SshProgram {
    /// Chooses the program. `config` must belong to a repository that libgit2 opened, because libgit2 checks that no
    /// other user owns it.
    pub fn choose(config: &Config, environment: &Environment, folder: PathBuf) -> Self {
        let variable = |name: &str| environment.get(name).map(str::to_owned);
        let line = variable("GIT_SSH_COMMAND").or_else(|| config::text(config, "core.sshcommand"));
        let start = match line {
            Some(line) => SshCommand::Line(line),
            None => SshCommand::Program(variable("GIT_SSH").unwrap_or_else(|| "ssh".to_owned())),
        };
        let configured = variable("GIT_SSH_VARIANT").or_else(|| config::text(config, "ssh.variant"));
        let variant = configured.as_deref().and_then(named).unwrap_or_else(|| guessed(&start));
        SshProgram { start, variant, folder, environment: environment.clone() }
    }

    /// The command that runs `remote` on the server.
    ///
    /// # Errors
    /// Fails if the URL has a port that the program can't take.
    pub fn command(&self, url: &SshUrl, remote: &str) -> Result<Command, GitSettingError> {
        let start = |program: &str| process::command(program, Purpose::Transfer, &self.environment);
        let mut command = match &self.start {
            SshCommand::Program(program) => start(program),
            SshCommand::Line(line) => {
                let mut command = start("sh");
                command.arg("-c").arg(format!("{line} \"$@\"")).arg(line);
                command
            }
        };
        if self.variant == SshVariant::TortoisePlink {
            command.arg("-batch");
        }
        if let Some(port) = url.port {
            let option = match self.variant {
                SshVariant::OpenSsh => "-p",
                SshVariant::Plink | SshVariant::TortoisePlink => "-P",
                SshVariant::Simple => {
                    return Err(GitSettingError::SimpleSshPort { url: url.to_string() });
                }
            };
            command.arg(option).arg(port.to_string());
        }
        command.arg(&url.destination).arg(remote).current_dir(&self.folder);
        Ok(command)
    }
}

fn named(text: &str) -> Option<SshVariant> {
    match text {
        "ssh" => Some(SshVariant::OpenSsh),
        "plink" | "putty" => Some(SshVariant::Plink),
        "tortoiseplink" => Some(SshVariant::TortoisePlink),
        "simple" => Some(SshVariant::Simple),
        _ => None,
    }
}

/// Guesses from the program's name. An unknown program is taken for OpenSSH, or for a wrapper that calls it.
fn guessed(start: &SshCommand) -> SshVariant {
    let program = match start {
        SshCommand::Line(line) => line.split_whitespace().next().unwrap_or_default(),
        SshCommand::Program(program) => program,
    };
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    named(name.strip_suffix(".exe").unwrap_or(&name)).unwrap_or(SshVariant::OpenSsh)
}

/// Quotes a word for the shell on the server (git's `sq_quote_buf`).
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace('!', "'\\!'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], settings: &[(&str, &str)], url: &str) -> Vec<String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::new(variables);
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::open(&folder.path().join("config")).unwrap();
        settings.iter().for_each(|(key, value)| config.set_str(key, value).unwrap());
        let program = SshProgram::choose(&config, &environment, folder.path().to_owned());
        let command = program.command(&SshUrl::of_url(url).unwrap(), "run").unwrap();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_order_is_gits() {
        let set = [("GIT_SSH_COMMAND", "a -x"), ("GIT_SSH", "b c")];
        let setting = [("core.sshCommand", "s")];
        let line = |line: &str| vec!["sh".to_owned(), "-c".into(), format!("{line} \"$@\""), line.into()];
        let with = |mut words: Vec<String>, rest: &[&str]| {
            words.extend(rest.iter().map(|word| (*word).to_owned()));
            words
        };
        assert_eq!(chosen(&set, &setting, "u@h/x"), with(line("a -x"), &["u@h", "run"]));
        assert_eq!(chosen(&set[1..], &setting, "h:7/x"), with(line("s"), &["-p", "7", "h", "run"]));
        assert_eq!(chosen(&set[1..], &[], "h/x"), ["b c", "h", "run"]);
        assert_eq!(chosen(&[], &[], "h/x"), ["ssh", "h", "run"]);
    }

    #[test]
    fn other_programs_have_other_options() {
        assert_eq!(chosen(&[("GIT_SSH", "/x/Plink.exe")], &[], "h:7/x")[1..], ["-P", "7", "h", "run"]);
        assert_eq!(chosen(&[], &[("ssh.variant", "tortoiseplink")], "h/x")[1..], ["-batch", "h", "run"]);
        assert_eq!(chosen(&[("GIT_SSH_VARIANT", "ssh")], &[("ssh.variant", "plink")], "h:7/x")[1], "-p");
    }

    #[test]
    fn quotes() {
        assert_eq!(quoted("a'b!c $x"), r"'a'\''b'\!'c $x'");
    }
}
