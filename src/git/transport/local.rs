//! Repositories on this machine, through `git upload-pack` and `git receive-pack`, as git itself does it:
//! with their compare-and-swap, and with hooks.

use std::path::PathBuf;
use std::sync::Arc;

use git2::transport::{Service, SmartSubtransportStream};

use super::pipe::Pipe;
use super::{Endpoint, TransportError, program};
use crate::environment::Environment;
use crate::error::Failure;
use crate::git::process::{self, Purpose};

pub struct LocalServer {
    path: PathBuf,
    environment: Environment,
}

impl LocalServer {
    pub fn new(path: PathBuf, environment: Environment) -> Self {
        LocalServer { path, environment }
    }

    pub(super) fn open(
        &self,
        endpoint: &Arc<Endpoint>,
        service: Service,
    ) -> std::io::Result<Box<dyn SmartSubtransportStream>> {
        let mut command = process::git(None, Purpose::Transfer, &self.environment);
        command.arg(program(service)).arg(&self.path);
        let place = self.path.display().to_string();
        let stream = Pipe::start(command, service, Box::new(move |words| meaning(words, &place)), endpoint);
        stream.map(|pipe| Box::new(pipe) as _).map_err(|e| {
            let failure = if e.kind() == std::io::ErrorKind::NotFound {
                Failure::other("git was not found, and a repository on this machine needs it")
                    .hinted("install git, or use an https remote")
            } else {
                Failure::other(format!("git can't be started: {e}"))
            };
            endpoint.stop(TransportError::Final(failure))
        })
    }
}

fn meaning(words: &str, place: &str) -> Option<TransportError> {
    let failure = if words.contains("does not appear to be a git repository") {
        Failure::usage(format!("{place} is no git repository")).hinted("mend the remote's path")
    } else if words.contains("dubious ownership") {
        Failure::other(format!("{place}: the repository belongs to somebody else"))
            .hinted(format!("if that is right: git config --global --add safe.directory {place}"))
    } else {
        return None;
    };
    Some(TransportError::Final(failure))
}
