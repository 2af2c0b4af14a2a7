//! Repositories on this machine, through `git upload-pack` and `git receive-pack`. As with git itself, hooks run and
//! the branch is compared before it is updated.

use std::path::PathBuf;
use std::sync::Arc;

use git2::transport::{Service, SmartSubtransportStream};

use super::pipe::Pipe;
use super::{Endpoint, TransportError, program};
use crate::environment::Environment;
use crate::git::error::ServerError;
use crate::git::process::{self, Purpose};

/// A repository on this machine.
pub struct LocalServer {
    path: PathBuf,
    environment: Environment,
}

impl LocalServer {
    /// `environment` is the one that git is started from.
    pub fn new(path: PathBuf, environment: Environment) -> Self {
        LocalServer { path, environment }
    }

    /// Starts git's program for a service.
    pub(super) fn open(
        &self,
        endpoint: &Arc<Endpoint>,
        service: Service,
    ) -> std::io::Result<Box<dyn SmartSubtransportStream>> {
        let mut command = process::git(None, Purpose::Transfer, &self.environment);
        command.arg(program(service)).arg(&self.path);
        let place = self.path.display().to_string();
        let stream =
            Pipe::start(command, service, Box::new(move |message| meaning(message, &place)), endpoint);
        stream.map(|pipe| Box::new(pipe) as _).map_err(|e| {
            let is_missing = e.kind() == std::io::ErrorKind::NotFound;
            let error = if is_missing {
                ServerError::GitMissing
            } else {
                ServerError::GitNotStarted { reason: e.to_string() }
            };
            endpoint.stop(error.into())
        })
    }
}

fn meaning(message: &str, place: &str) -> Option<TransportError> {
    let path = place.to_owned();
    if message.contains("does not appear to be a git repository") {
        Some(ServerError::NotARepository { path }.into())
    } else if message.contains("dubious ownership") {
        Some(ServerError::ForeignOwner { path }.into())
    } else {
        None
    }
}
