//! Talks to a server, over HTTP, ssh or git's own processes. libgit2 fetches through our own smart transport; `push`
//! uses the same streams.
//!
//! libgit2's HTTP needs OpenSSL, and its local transport has neither compare-and-swap nor hooks. So there is one
//! transport here, registered for a scheme of our own. While a fetch runs, the thread knows which server the scheme
//! leads to. Errors keep their type here (status, `Retry-After`); libgit2 would reduce them to a text.

mod connection_state;
mod http;
mod http_stream;
mod local;
mod pipe;
mod quiet;
mod redirect;
mod ssh;

use std::cell::RefCell;
use std::io::Read;
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use git2::Remote;
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};

use super::RemoteUrl;
use super::answers::AnswerError;
use super::credentials::Credentials;
use super::error::{GitError, ServerError};
use super::ssh_program::SshProgram;
use crate::environment::Environment;
use crate::http::HttpSettings;
use crate::mutex::lock;

pub use http::{HttpServer, retry_after};
pub use local::LocalServer;
pub use redirect::redirect_target;
pub use ssh::SshServer;

/// The URL that libgit2 sees.
pub const URL: &str = "tagbump://remote";
const SCHEME: &str = "tagbump";

/// An error between us and the server. libgit2 sees it only as a text.
#[derive(Debug)]
pub enum TransportError {
    /// The server answered with this status.
    Status {
        code: u16,
        retry_after: Option<Duration>,
        message: String,
        /// The proxy that forwards requests. It may have answered instead of the server.
        proxy: Option<String>,
    },
    /// Nothing answers at that address.
    Unreachable(String),
    /// The connection was lost, or the answer was cut.
    Broken(String),
    TimedOut,
    /// A permanent error: trying again won't help.
    Final(ServerError),
}

impl From<ServerError> for TransportError {
    fn from(error: ServerError) -> Self {
        TransportError::Final(error)
    }
}

impl TransportError {
    /// Applies `change` to every text in the error.
    pub fn with_texts(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            TransportError::Status { code, retry_after, message, proxy } => {
                TransportError::Status { code, retry_after, message: change(&message), proxy }
            }
            TransportError::Unreachable(why) => TransportError::Unreachable(change(&why)),
            TransportError::Broken(why) => TransportError::Broken(change(&why)),
            TransportError::TimedOut => TransportError::TimedOut,
            TransportError::Final(error) => TransportError::Final(error.with_texts(change)),
        }
    }
}

/// How to reach servers, according to the checkout's settings.
#[derive(Clone)]
pub struct TransportConfig {
    pub http: HttpSettings,
    pub ssh: SshProgram,
    /// The environment that git's own programs are started from.
    pub environment: Environment,
}

/// A server to talk to, and its last error.
pub struct Endpoint {
    server: Server,
    /// The remote's URL as it is shown.
    name: String,
    cause: Mutex<Option<TransportError>>,
    deadline: Mutex<Instant>,
}

enum Server {
    Http(Box<HttpServer>),
    Ssh(Box<SshServer>),
    Local(LocalServer),
}

impl Endpoint {
    /// Makes an endpoint for a remote. It doesn't connect yet.
    ///
    /// # Errors
    /// Fails if git's HTTP settings or a configured header can't be used.
    pub fn new(
        url: &RemoteUrl,
        credentials: Credentials,
        ways: &TransportConfig,
    ) -> Result<Arc<Self>, GitError> {
        let server = match url {
            RemoteUrl::Http { url, user, .. } => {
                let settings = ways.http.clone().with_user(user.as_deref());
                Server::Http(Box::new(HttpServer::new(url.clone(), credentials, settings)?))
            }
            RemoteUrl::Ssh(url) => Server::Ssh(Box::new(SshServer::new(url.clone(), ways.ssh.clone()))),
            RemoteUrl::Path(path) => Server::Local(LocalServer::new(path.clone(), ways.environment.clone())),
        };
        let (name, cause, deadline) = (url.to_string(), Mutex::new(None), Mutex::new(Instant::now()));
        Ok(Arc::new(Endpoint { server, name, cause, deadline }))
    }

    /// Runs a libgit2 operation until the deadline, with this endpoint behind [`URL`].
    ///
    /// # Errors
    /// Returns the transport's own error if that is what stopped the operation, and libgit2's error otherwise.
    pub fn during<T>(
        self: &Arc<Self>,
        deadline: Instant,
        run: impl FnOnce() -> Result<T, git2::Error>,
    ) -> Result<T, TransferError> {
        prepare();
        *lock(&self.deadline) = deadline;
        lock(&self.cause).take();
        let before = CURRENT.replace(Some(Arc::clone(self)));
        let result = run();
        CURRENT.replace(before);
        let cause = lock(&self.cause).take();
        result.map_err(|error| match cause {
            Some(cause) => TransferError::Fault(cause),
            None => TransferError::Git(error),
        })
    }

    /// The kind of credential in use, for messages.
    pub fn credential_label(&self) -> Option<String> {
        match &self.server {
            Server::Http(http) => http.credential_label(),
            Server::Ssh(_) => Some("ssh".to_owned()),
            Server::Local(_) => None,
        }
    }

    /// The token that was used, or would be.
    pub fn token(&self) -> Option<String> {
        match &self.server {
            Server::Http(http) => http.token(),
            Server::Ssh(_) | Server::Local(_) => None,
        }
    }

    /// Why credentials that the user may have expected to be sent were withheld.
    pub fn withheld(&self) -> Vec<String> {
        match &self.server {
            Server::Http(http) => http.withheld(),
            Server::Ssh(_) | Server::Local(_) => Vec::new(),
        }
    }

    /// Why there is no credential, as far as it is known; nothing if there is one.
    pub fn unsent(&self) -> Vec<String> {
        match &self.server {
            Server::Http(http) => http.unsent(),
            Server::Ssh(_) | Server::Local(_) => Vec::new(),
        }
    }

    /// Masks every secret of this endpoint in a text.
    pub fn scrub(&self, text: &str) -> String {
        match &self.server {
            Server::Http(http) => http.scrub(text),
            Server::Ssh(_) | Server::Local(_) => text.to_owned(),
        }
    }

    /// Starts a conversation with a service.
    pub fn open(self: &Arc<Self>, service: Service) -> std::io::Result<Box<dyn SmartSubtransportStream>> {
        match &self.server {
            Server::Http(_) => http_stream::open(self, service),
            Server::Ssh(ssh) => ssh.open(self, service),
            Server::Local(local) => local.open(self, service),
        }
    }

    /// Asks for the list of references that starts a push over HTTP, on a second connection if the first one is busy. Returns
    /// `None` if the server doesn't send it for this URL and the known credential. Any operation can run at the same time,
    /// because this changes nothing in the endpoint.
    pub fn list_before_push(&self, deadline: Instant) -> Option<impl Read + use<>> {
        match &self.server {
            Server::Http(_) => http_stream::list_before_push(self, deadline),
            Server::Ssh(_) | Server::Local(_) => None,
        }
    }

    /// Whether every request is a separate conversation.
    pub fn is_stateless(&self) -> bool {
        matches!(self.server, Server::Http(_))
    }

    /// Turns an unusable answer into an error for libgit2. It is permanent, unless it is an I/O error.
    pub fn refuse(&self, error: AnswerError) -> std::io::Error {
        match error {
            AnswerError::Io(error) => error,
            error => self.stop(ServerError::Answer { server: self.name.clone(), error }.into()),
        }
    }

    fn deadline(&self) -> Instant {
        *lock(&self.deadline)
    }

    fn time_left(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    /// Remembers an error, and returns one for libgit2.
    fn stop(&self, cause: TransportError) -> std::io::Error {
        let text = match &cause {
            TransportError::Status { code, .. } => format!("unexpected http status code: {code}"),
            TransportError::Unreachable(why) | TransportError::Broken(why) => why.replace('\0', " "),
            TransportError::TimedOut => "timed out".to_owned(),
            TransportError::Final(error) => error.to_string().replace('\0', " "),
        };
        *lock(&self.cause) = Some(cause);
        std::io::Error::other(text)
    }
}

/// Why a fetch or a push failed.
#[derive(Debug)]
pub enum TransferError {
    Fault(TransportError),
    Git(git2::Error),
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Endpoint>>> = const { RefCell::new(None) };
}

/// Registers our scheme with libgit2, and allows it to open partial clones. Runs once per process.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: neither may run while another thread uses libgit2's global tables. All of this module's entry
        // points come through here first, and other threads wait until `Once` is done.
        #[expect(unsafe_code, reason = "the bindings offer nothing else")]
        let registered = unsafe {
            git2::transport::register(SCHEME, open)
                .and_then(|()| git2::opts::set_extensions(&["partialclone"]))
        };
        debug_assert!(registered.is_ok(), "libgit2 takes a new scheme");
        // like git, trust the objects that are on this machine; the hash of what is fetched is computed in any case,
        // because that is how libgit2 learns its ID
        git2::opts::strict_hash_verification(false);
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
