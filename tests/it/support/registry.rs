//! A registry that answers as a test tells it to, on loopback and over plain http. For faults; real registries are in
//! `servers`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::git_server::Tls;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub host: String,
    pub authorization: Option<String>,
}

/// An answer to send.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Told {
    pub fn status(status: u16) -> Self {
        Told { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Told { body: body.into(), ..Told::status(200) }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Script = dyn Fn(&Asked, usize) -> Told + Send + Sync;

/// Serves until the test ends.
pub struct FakeRegistry {
    pub host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
}

impl FakeRegistry {
    /// `script` gets each request, and how many there were of this method and path before.
    pub fn start(script: impl Fn(&Asked, usize) -> Told + Send + Sync + 'static) -> Self {
        FakeRegistry::serving(None, script)
    }

    /// The same over TLS.
    pub fn with_tls(tls: Tls, script: impl Fn(&Asked, usize) -> Told + Send + Sync + 'static) -> Self {
        FakeRegistry::serving(Some(Arc::new(tls)), script)
    }

    fn serving(
        tls: Option<Arc<Tls>>,
        script: impl Fn(&Asked, usize) -> Told + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (log, script): (_, Arc<Script>) = (Arc::clone(&asked), Arc::new(script));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let (log, script, tls) = (Arc::clone(&log), Arc::clone(&script), tls.clone());
                // a client may hang up
                thread::spawn(move || match tls {
                    Some(tls) => serve(tls.accept(client), &log, &*script),
                    None => serve(client, &log, &*script),
                });
            }
        });
        FakeRegistry { host, asked, connections }
    }

    /// How many connections there were, whatever was sent on them.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The name of an image there.
    pub fn image(&self, path: &str) -> String {
        format!("{}/{path}", self.host)
    }
}

fn serve(client: impl Read + Write, log: &Mutex<Vec<Asked>>, script: &Script) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    if reader.fill_buf()?.first() == Some(&0x16) {
        // the start of TLS
        return reader.get_mut().write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
    }
    let mut lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers: Vec<String> = lines.collect();
    let header = |name: &str| {
        let mut values = headers.iter().filter_map(|line| line.split_once(": "));
        values.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let asked = Asked {
        authorization: header("authorization"),
        host: header("host").unwrap_or_default(),
        method,
        path,
    };
    let before = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.iter().filter(|other| other.method == asked.method && other.path == asked.path).count() - 1
    };
    let told = script(&asked, before);
    let mut answer = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", told.status);
    for (name, value) in &told.headers {
        answer += &format!("{name}: {value}\r\n");
    }
    answer += &format!("Content-Length: {}\r\n\r\n", told.body.len());
    let client = reader.get_mut();
    client.write_all(answer.as_bytes())?;
    if asked.method != "HEAD" {
        client.write_all(&told.body)?;
    }
    client.flush()
}
