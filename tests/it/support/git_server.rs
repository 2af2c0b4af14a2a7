//! A smart-HTTP git server for tests: it passes every request to the real `git http-backend`,
//! keeps a log of what clients sent, and can be told to fail in a chosen way.
//!
//! Auth comes first: a request turned away with 401 uses up neither a fault nor a hook.

// Explicit paths, so that `mod support` and `#[path]` inclusion both find the parts.
#[path = "git_server/cgi.rs"]
mod cgi;
#[path = "git_server/faults.rs"]
mod faults;
#[path = "git_server/http.rs"]
mod http;
#[path = "git_server/log.rs"]
mod log;
#[path = "git_server/site.rs"]
mod site;
#[path = "git_server/tls.rs"]
mod tls;

pub use faults::{Fault, On, Service};
pub use http::{Headers, Request, Response, is_authorization};
pub use log::LoggedRequest;
pub use site::{Api, Reply};
pub use tls::{ClientAuthority, ServerCertificate, Tls};

use http::{Connection, Duplex};
use site::Site;
use std::collections::HashMap;
use std::io::{self, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use tagbump::mutex::lock;

pub struct Builder {
    root: PathBuf,
    credentials: Option<(String, String)>,
    tls: Option<Tls>,
    keep_alive: bool,
    api: Option<Api>,
}

impl Builder {
    /// Asks every request for these credentials.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Serves https, with a certificate from an authority of its own: see `ca_pem`.
    pub fn tls(mut self) -> Self {
        self.tls = Some(Tls::new(None, None));
        self
    }

    /// Serves https with this certificate.
    pub fn certificate(mut self, certificate: ServerCertificate) -> Self {
        self.tls = Some(Tls::new(Some(certificate), None));
        self
    }

    /// Serves https, and only to clients with a certificate from this authority.
    pub fn clients(mut self, authority: &ClientAuthority) -> Self {
        self.tls = Some(Tls::new(None, Some(authority)));
        self
    }

    /// Closes the connection after every answer. A client like libcurl sends a request again
    /// when a connection it reused ends without an answer: this keeps it from hiding a fault.
    pub fn without_keep_alive(mut self) -> Self {
        self.keep_alive = false;
        self
    }

    /// Shows every request to `api` first, before the credentials are looked at: what it does not
    /// answer goes to git.
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    pub fn start(self) -> GitServer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            site: Site::new(&self.root, self.credentials, self.api),
            tls: self.tls,
            keep_alive: self.keep_alive,
            log: Mutex::default(),
            open: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        GitServer { shared, address, accepting: Some(accepting) }
    }
}

/// Serves the repositories in a folder until it is dropped.
pub struct GitServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<Vec<JoinHandle<()>>>>,
}

impl GitServer {
    /// A server of the repositories in `root`, open to everyone unless told otherwise.
    pub fn builder(root: &Path) -> Builder {
        Builder { root: root.to_owned(), credentials: None, tls: None, keep_alive: true, api: None }
    }

    pub fn url(&self, repo: &str) -> String {
        format!("{}://{}/{repo}", self.scheme(), self.address)
    }

    /// The URL with credentials in it, percent-encoded where they need it.
    pub fn url_with(&self, user: &str, password: &str, repo: &str) -> String {
        let (user, password) = (percent_encode(user), percent_encode(password));
        format!("{}://{user}:{password}@{}/{repo}", self.scheme(), self.address)
    }

    /// The authority's certificate, for the client to trust; panics without `tls()`.
    pub fn ca_pem(&self) -> &str {
        &self.shared.tls.as_ref().expect("a server with TLS").ca_pem
    }

    /// All requests so far, in the order they came.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.shared.log).clone()
    }

    /// Queues a fault: the first matching request uses it up.
    pub fn fault(&self, on: On, fault: Fault) {
        self.shared.site.faults.push(on, fault);
    }

    /// Queues a call, made right before the backend runs for the next POST git-receive-pack.
    pub fn before_receive(&self, hook: impl FnOnce() + Send + 'static) {
        self.before(On::Post(Service::ReceivePack), hook);
    }

    /// Queues a call, made right before the backend runs for the next such request.
    pub fn before(&self, on: On, hook: impl FnOnce() + Send + 'static) {
        lock(&self.shared.site.hooks).push_back((on, Box::new(hook)));
    }

    fn scheme(&self) -> &str {
        if self.shared.tls.is_some() { "https" } else { "http" }
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect(self.address);
        let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) else {
            return;
        };
        let serving = accepting.join().unwrap_or_default();
        for stream in lock(&self.shared.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let panics = serving.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
        assert!(panics == 0 || thread::panicking(), "{panics} server thread(s) panicked");
    }
}

struct Shared {
    site: Site,
    tls: Option<Tls>,
    keep_alive: bool,
    log: Mutex<Vec<LoggedRequest>>,
    /// The open connections by number, so that dropping the server can end them.
    open: Mutex<HashMap<usize, TcpStream>>,
    stopping: AtomicBool,
}

/// Takes connections until the server stops; returns the threads that serve them.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let mut serving = Vec::new();
    for (number, stream) in listener.incoming().enumerate() {
        let stream = stream.expect("a connection");
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let _ = stream.set_nodelay(true); // for speed only
        let handle = stream.try_clone().expect("a second handle");
        lock(&shared.open).insert(number, handle);
        let guard = OpenConnection { shared: shared.clone(), number };
        serving.push(thread::spawn(move || guard.serve(stream)));
    }
    serving
}

/// A connection listed as open. Dropping it closes the connection, even after a panic.
struct OpenConnection {
    shared: Arc<Shared>,
    number: usize,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        if let Some(stream) = lock(&self.shared.open).remove(&self.number) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl OpenConnection {
    fn serve(self, stream: TcpStream) {
        let stream: Box<dyn Duplex> = match &self.shared.tls {
            Some(tls) => Box::new(tls.accept(stream)),
            None => Box::new(stream),
        };
        if let Err(error) = self.serve_requests(&mut BufReader::new(stream)) {
            eprintln!("git server: connection {}: {error}", self.number);
        }
    }

    fn serve_requests(&self, connection: &mut Connection) -> io::Result<()> {
        while let Some(request) = http::read_request(connection)? {
            if !self.answer(&request, connection)? {
                break;
            }
        }
        Ok(())
    }

    /// Answers a request; false when the connection is to be closed.
    fn answer(&self, request: &Request, to: &mut Connection) -> io::Result<bool> {
        let index = self.note(request);
        let keep_alive = request.keep_alive && self.shared.keep_alive;
        let (response, limit) = match self.shared.site.reply(request) {
            Reply::Whole(response) => (response, usize::MAX),
            Reply::Cut(response, limit) => (response, limit),
            Reply::Close => return Ok(false),
            Reply::Hang => {
                io::copy(to, &mut io::sink())?;
                return Ok(false);
            }
        };
        lock(&self.shared.log)[index].status = Some(response.status);
        response.send(to.get_mut(), keep_alive, limit)?;
        Ok(keep_alive && limit == usize::MAX)
    }

    /// Logs a request as not yet answered; returns its place in the log.
    fn note(&self, request: &Request) -> usize {
        let mut log = lock(&self.shared.log);
        log.push(LoggedRequest::new(self.number, request));
        log.len() - 1
    }
}

fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
