//! How we talk to a server, over HTTP, over ssh or over git's own processes: a fetch by libgit2, through our own
//! smart transport; a push by `push`, over the same streams.
//!
//! libgit2's HTTP needs OpenSSL, and its local transport has neither compare-and-swap nor hooks. So there is
//! one transport here, registered for a scheme of our own; what it leads to is set for the thread while a
//! fetch runs. Faults keep their type here (status, `Retry-After`), of which libgit2 would show a
//! text only.

mod http;
mod local;
mod pipe;
mod redirect;
mod ssh;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use git2::Remote;
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};

use super::RemoteUrl;
use super::answers::AnswerError;
use super::credentials::Credentials;
use super::ssh_program::SshProgram;
use crate::environment::Environment;
use crate::error::Failure;
use crate::http::HttpSettings;

pub use http::{HttpServer, retry_after};
pub use local::LocalServer;
pub use redirect::redirect_target;
pub use ssh::SshServer;

/// The URL that libgit2 sees.
pub const URL: &str = "tagbump://remote";
const SCHEME: &str = "tagbump";

/// What went wrong between us and the server, while libgit2 looked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The server answered with this status.
    Status {
        code: u16,
        retry_after: Option<Duration>,
        words: String,
    },
    /// Nobody answers at that address.
    Unreachable(String),
    /// The connection was lost, or the answer was cut.
    Broken(String),
    TimedOut,
    /// The server's certificate is not accepted.
    Certificate(String),
    /// Will not get better by trying again.
    Final(Failure),
}

impl TransportError {
    /// With every text in it as `change` makes it.
    pub fn with_texts(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            TransportError::Status { code, retry_after, words } => {
                TransportError::Status { code, retry_after, words: change(&words) }
            }
            TransportError::Unreachable(why) => TransportError::Unreachable(change(&why)),
            TransportError::Broken(why) => TransportError::Broken(change(&why)),
            TransportError::TimedOut => TransportError::TimedOut,
            TransportError::Certificate(why) => TransportError::Certificate(change(&why)),
            TransportError::Final(failure) => TransportError::Final(failure.map_texts(change)),
        }
    }
}

/// How the checkout's settings have us get to servers.
#[derive(Clone)]
pub struct TransportConfig {
    pub http: HttpSettings,
    pub ssh: SshProgram,
    /// What git's own programs are started from.
    pub environment: Environment,
}

/// A server to talk to, with the last fault.
pub struct Endpoint {
    server: Server,
    /// The remote's URL, as it is shown.
    name: String,
    fault: Mutex<Option<TransportError>>,
    deadline: Mutex<Instant>,
}

enum Server {
    Http(Box<HttpServer>),
    Ssh(Box<SshServer>),
    Local(LocalServer),
}

impl Endpoint {
    pub fn new(
        url: &RemoteUrl,
        credentials: Credentials,
        ways: &TransportConfig,
    ) -> Result<Arc<Self>, Failure> {
        let server = match url {
            RemoteUrl::Http { url, .. } => {
                Server::Http(Box::new(HttpServer::new(url.clone(), credentials, ways.http.clone())?))
            }
            RemoteUrl::Ssh(url) => Server::Ssh(Box::new(SshServer::new(url.clone(), ways.ssh.clone()))),
            RemoteUrl::Path(path) => Server::Local(LocalServer::new(path.clone(), ways.environment.clone())),
        };
        let (name, fault, deadline) = (url.to_string(), Mutex::new(None), Mutex::new(Instant::now()));
        Ok(Arc::new(Endpoint { server, name, fault, deadline }))
    }

    /// Runs something of libgit2's with this endpoint behind [`URL`], until a time at the most; gives the
    /// fault that stopped it, if it was the transport that did.
    pub fn during<T>(
        self: &Arc<Self>,
        deadline: Instant,
        run: impl FnOnce() -> Result<T, git2::Error>,
    ) -> Result<T, TransferError> {
        prepare();
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        let before = CURRENT.replace(Some(Arc::clone(self)));
        let result = run();
        CURRENT.replace(before);
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.map_err(|error| match fault {
            Some(fault) => TransferError::Fault(fault),
            None => TransferError::Git(error),
        })
    }

    /// What was used to say who we are, for messages.
    pub fn credential_label(&self) -> Option<String> {
        match &self.server {
            Server::Http(http) => http.credential_label(),
            Server::Ssh(_) => Some("ssh".to_owned()),
            Server::Local(_) => None,
        }
    }

    /// The token that was, or would be, used.
    pub fn token(&self) -> Option<String> {
        match &self.server {
            Server::Http(http) => http.token(),
            Server::Ssh(_) | Server::Local(_) => None,
        }
    }

    /// Why credentials that the user may expect to be sent were not.
    pub fn withheld(&self) -> Vec<String> {
        match &self.server {
            Server::Http(http) => http.withheld(),
            Server::Ssh(_) | Server::Local(_) => Vec::new(),
        }
    }

    /// Takes every secret of this endpoint out of a text.
    pub fn scrub(&self, text: &str) -> String {
        match &self.server {
            Server::Http(http) => http.scrub(text),
            Server::Ssh(_) | Server::Local(_) => text.to_owned(),
        }
    }

    /// Begins to talk to a service.
    pub fn open(self: &Arc<Self>, service: Service) -> std::io::Result<Box<dyn SmartSubtransportStream>> {
        match &self.server {
            Server::Http(_) => http::open(self, service),
            Server::Ssh(ssh) => ssh.open(self, service),
            Server::Local(local) => local.open(self, service),
        }
    }

    /// Whether every request is a conversation of its own.
    pub fn is_stateless(&self) -> bool {
        matches!(self.server, Server::Http(_))
    }

    /// Gives an error for an answer before anything was sent: what is wrong with it will not change.
    pub fn refuse(&self, error: AnswerError) -> std::io::Error {
        match error {
            AnswerError::Io(error) => error,
            error => self.stop(TransportError::Final(error.into_failure(&self.name))),
        }
    }

    fn time_left(&self) -> Duration {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.saturating_duration_since(Instant::now())
    }

    /// Remembers a fault, and gives libgit2 an error for it.
    fn stop(&self, fault: TransportError) -> std::io::Error {
        let text = match &fault {
            TransportError::Status { code, .. } => format!("unexpected http status code: {code}"),
            TransportError::Unreachable(why)
            | TransportError::Broken(why)
            | TransportError::Certificate(why) => why.replace('\0', " "),
            TransportError::TimedOut => "timed out".to_owned(),
            TransportError::Final(failure) => failure.message.replace('\0', " "),
        };
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        std::io::Error::other(text)
    }
}

/// Why a fetch or a push stopped.
#[derive(Debug)]
pub enum TransferError {
    Fault(TransportError),
    Git(git2::Error),
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Endpoint>>> = const { RefCell::new(None) };
}

/// Tells libgit2 of our scheme, and that partial clones may be opened. Once a process.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: both must not run beside other uses of libgit2's global tables. Every way into this room
        // goes through here first, and others wait until `Once` is done.
        #[expect(unsafe_code, reason = "the bindings offer nothing else")]
        let told = unsafe {
            git2::transport::register(SCHEME, open)
                .and_then(|()| git2::opts::set_extensions(&["partialclone"]))
        };
        debug_assert!(told.is_ok(), "libgit2 takes a new scheme");
    });
}

fn open(remote: &Remote<'_>) -> Result<Transport, git2::Error> {
    let endpoint = CURRENT.with_borrow(Clone::clone);
    let endpoint = endpoint.ok_or_else(|| git2::Error::from_str("no endpoint for this thread"))?;
    Transport::smart(remote, endpoint.is_stateless(), Session(endpoint))
}

/// One connection of libgit2's.
struct Session(Arc<Endpoint>);

impl SmartSubtransport for Session {
    fn action(&self, _: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        self.0.open(service).map_err(|e| {
            git2::Error::new(git2::ErrorCode::GenericError, git2::ErrorClass::Net, e.to_string())
        })
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

fn program(service: Service) -> &'static str {
    match service {
        Service::UploadPackLs | Service::UploadPack => "upload-pack",
        Service::ReceivePackLs | Service::ReceivePack => "receive-pack",
    }
}
