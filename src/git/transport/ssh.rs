//! Repositories over ssh. The user's own ssh runs `git-upload-pack` and `git-receive-pack` on the server, with the
//! user's keys, agent, hosts and settings.

use std::sync::Arc;

use git2::transport::{Service, SmartSubtransportStream};

use super::pipe::Pipe;
use super::{Endpoint, TransportError, program};
use crate::git::error::{ServerError, SshProblem};
use crate::git::ssh_program::{SshProgram, quoted};
use crate::git::ssh_url::SshUrl;

/// Messages of an ssh that didn't reach the server.
const UNREACHABLE: [&str; 8] = [
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "Could not resolve hostname",
    "Name or service not known",
    "No route to host",
    "Network is unreachable",
    "Temporary failure in name resolution",
];

const KEY_REJECTED: [&str; 3] =
    ["Permission denied (", "Too many authentication failures", "No supported authentication methods"];

/// Messages of hosts that forbid something to a key.
const FORBIDDEN: [&str; 6] = [
    "ERROR: Permission to",
    "marked as read only",
    "The deploy key is not allowed",
    "You are not allowed to push",
    "protected branch",
    "access denied",
];

/// Messages about a repository that doesn't exist, or that the key may not see.
const MISSING: [&str; 4] = [
    "Repository not found",
    "does not appear to be a git repository",
    "The project you were looking for could not be found",
    "repository does not exist",
];

/// A repository on an ssh server.
pub struct SshServer {
    url: SshUrl,
    program: SshProgram,
}

impl SshServer {
    /// The repository at `url`, reached with `program`.
    pub fn new(url: SshUrl, program: SshProgram) -> Self {
        SshServer { url, program }
    }

    /// Starts ssh, which runs the program for a service on the server.
    pub(super) fn open(
        &self,
        endpoint: &Arc<Endpoint>,
        service: Service,
    ) -> std::io::Result<Box<dyn SmartSubtransportStream>> {
        let remote = format!("git-{} {}", program(service), quoted(&self.url.path));
        let command = self.program.command(&self.url, &remote);
        let command = command.map_err(|error| endpoint.stop(TransportError::Final(error.into())))?;
        let url = self.url.clone();
        let stream = Pipe::start(command, service, Box::new(move |message| meaning(message, &url)), endpoint);
        stream.map(|pipe| Box::new(pipe) as _).map_err(|e| {
            endpoint
                .stop(ServerError::SshNotStarted { url: self.url.to_string(), reason: e.to_string() }.into())
        })
    }
}

/// Recognises the messages that ssh or the server print when they give up.
fn meaning(message: &str, url: &SshUrl) -> Option<TransportError> {
    let mentions = |known: &[&str]| known.iter().any(|part| message.contains(part));
    let problem = if mentions(&["REMOTE HOST IDENTIFICATION HAS CHANGED"]) {
        SshProblem::HostKeyChanged
    } else if mentions(&["Host key verification failed"]) {
        SshProblem::HostKeyUnknown
    } else if mentions(&KEY_REJECTED) {
        SshProblem::KeyRejected
    } else if mentions(&FORBIDDEN) {
        SshProblem::Forbidden
    } else if mentions(&UNREACHABLE) {
        return Some(TransportError::Unreachable(message.to_owned()));
    } else if mentions(&MISSING) {
        SshProblem::RepositoryMissing
    } else if mentions(&[": not found", "command not found", "not a git command"]) {
        SshProblem::CommandMissing
    } else {
        return None;
    };
    let error = ServerError::Ssh {
        url: url.to_string(),
        host: url.host().to_owned(),
        port: url.port,
        problem,
        message: message.to_owned(),
    };
    Some(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_ssh_are_recognised() {
        let url = SshUrl::of_scp("git@h.example:a/x.git").unwrap();
        let problem = |output: &str| match meaning(output, &url) {
            Some(TransportError::Final(ServerError::Ssh { problem, message, .. })) => {
                assert_eq!(message, output);
                problem
            }
            other => panic!("{output}: {other:?}"),
        };
        for (message, expected) in [
            ("git@h.example: Permission denied (publickey,password).", SshProblem::KeyRejected),
            ("Host key verification failed.", SshProblem::HostKeyUnknown),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                SshProblem::HostKeyChanged,
            ),
            ("ERROR: Repository not found.", SshProblem::RepositoryMissing),
            (
                "ERROR: The key you are authenticating with has been marked as read only.",
                SshProblem::Forbidden,
            ),
            ("ERROR: Permission to a/x.git denied to deploy key", SshProblem::Forbidden),
            ("fatal: 'a/x.git' does not appear to be a git repository", SshProblem::RepositoryMissing),
            ("sh: 1: nossh: not found", SshProblem::CommandMissing),
            ("bash: line 1: git-receive-pack: command not found", SshProblem::CommandMissing),
        ] {
            assert_eq!(problem(message), expected, "{message}");
        }
        for message in [
            "ssh: connect to host h.example port 22: Connection refused",
            "ssh: Could not resolve hostname h.example: Name or service not known",
        ] {
            let meant = meaning(message, &url);
            assert!(matches!(&meant, Some(TransportError::Unreachable(why)) if why == message), "{meant:?}");
        }
        for message in [
            "",
            "Connection to h.example closed by remote host.",
            "client_loop: send disconnect: Broken pipe",
        ] {
            let meant = meaning(message, &url);
            assert!(meant.is_none(), "{message}: {meant:?}");
        }
    }
}
