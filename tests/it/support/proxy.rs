//! A proxy: it opens tunnels (CONNECT, RFC 9110 section 9.3.6), or forwards requests in absolute form (RFC 9112
//! section 3.2.2) and forbids tunnels. It remembers what it was asked for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Serves until the test ends.
pub struct Proxy {
    address: String,
    tunnels: Arc<Mutex<Vec<Tunnel>>>,
    forwarded: Arc<Mutex<Vec<Forwarded>>>,
    connections: Arc<AtomicUsize>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// `HOST:PORT`.
    pub to: String,
    /// The value of Proxy-Authorization.
    pub authorization: Option<String>,
}

/// A request in absolute form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// `POST http://HOST/PATH`.
    pub request: String,
    /// The value of Proxy-Authorization.
    pub authorization: Option<String>,
}

impl Proxy {
    /// Forwards requests to this `HOST:PORT`, whatever host they are for, and forbids tunnels.
    pub fn forwarding_to(server: &str) -> Self {
        Proxy::serving("405 Method Not Allowed", Some(server.to_owned()))
    }

    pub fn start() -> Self {
        Proxy::answering("200 Connection established")
    }

    /// Opens every tunnel to this `HOST:PORT`, whatever host it is for.
    pub fn tunnelling_to(server: &str) -> Self {
        Proxy::serving("200 Connection established", Some(server.to_owned()))
    }

    /// Answers every request with this status; opens the tunnel if that is 200.
    pub fn answering(status: &'static str) -> Self {
        Proxy::serving(status, None)
    }

    fn serving(status: &'static str, server: Option<String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let proxy = Proxy {
            address,
            tunnels: Arc::default(),
            forwarded: Arc::default(),
            connections: Arc::default(),
        };
        let (tunnels, forwarded) = (Arc::clone(&proxy.tunnels), Arc::clone(&proxy.forwarded));
        let count = Arc::clone(&proxy.connections);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let (tunnels, forwarded) = (Arc::clone(&tunnels), Arc::clone(&forwarded));
                let server = server.clone();
                thread::spawn(move || serve(client, status, server.as_deref(), &tunnels, &forwarded));
            }
        });
        proxy
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections there were, whatever was sent on them.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn forwarded(&self) -> Vec<Forwarded> {
        self.forwarded.lock().unwrap().clone()
    }

    pub fn tunnels(&self) -> Vec<Tunnel> {
        self.tunnels.lock().unwrap().clone()
    }
}

/// An end that is lost ends the connection; whoever is at the other end sees it.
fn serve(
    client: TcpStream,
    status: &str,
    server: Option<&str>,
    tunnels: &Mutex<Vec<Tunnel>>,
    forwarded: &Mutex<Vec<Forwarded>>,
) -> Option<()> {
    let mut from = BufReader::new(client.try_clone().ok()?);
    loop {
        let lines = head(&mut from)?;
        let authorization = value(&lines, "proxy-authorization");
        match (lines.first()?.strip_prefix("CONNECT "), server) {
            (Some(rest), server) => {
                let to = rest.split(' ').next()?.to_owned();
                tunnels.lock().unwrap().push(Tunnel { to: to.clone(), authorization });
                return tunnel(from, client, status, server.unwrap_or(&to));
            }
            (None, Some(server)) => {
                let (request, _) = lines[0].rsplit_once(' ')?;
                forwarded.lock().unwrap().push(Forwarded { request: request.to_owned(), authorization });
                forward(&lines, &mut from, &client, server)?;
            }
            (None, None) => {
                write!(&client, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").ok()?;
                return None;
            }
        }
    }
}

/// The lines before a body.
fn head(from: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end() {
            "" => return Some(lines),
            line => lines.push(line.to_owned()),
        }
    }
}

fn value(lines: &[String], wanted: &str) -> Option<String> {
    lines.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
    })
}

/// Passes one request on in the form that a server gets, over a connection of its own, and its answer back.
fn forward(
    lines: &[String],
    from: &mut BufReader<TcpStream>,
    mut client: &TcpStream,
    server: &str,
) -> Option<()> {
    let (method, rest) = lines[0].split_once(' ')?;
    let path = rest.strip_prefix("http://")?.split_once('/')?.1;
    let mut body = vec![0; value(lines, "content-length").map_or(0, |length| length.parse().unwrap())];
    from.read_exact(&mut body).ok()?;
    let mut to = TcpStream::connect(server).ok()?;
    let kept = |line: &&String| !line.to_ascii_lowercase().starts_with("proxy-");
    let headers: String = lines[1..].iter().filter(kept).map(|line| format!("{line}\r\n")).collect();
    write!(to, "{method} /{path}\r\n{headers}Connection: close\r\n\r\n").ok()?;
    to.write_all(&body).ok()?;
    let mut answer = Vec::new();
    to.read_to_end(&mut answer).ok()?;
    // the client's connection stays open
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let text =
        String::from_utf8_lossy(&answer[..head]).replace("Connection: close", "Connection: keep-alive");
    client.write_all(text.as_bytes()).ok()?;
    client.write_all(&answer[head..]).ok()
}

fn tunnel(mut from: BufReader<TcpStream>, mut client: TcpStream, status: &str, to: &str) -> Option<()> {
    if !status.starts_with("200") {
        write!(client, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").ok()?;
        return None;
    }
    let mut server = TcpStream::connect(to).ok()?;
    write!(client, "HTTP/1.1 {status}\r\n\r\n").ok()?;
    let (mut up, mut answers) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let back = thread::spawn(move || {
        let _ = std::io::copy(&mut server, &mut answers);
        let _ = answers.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut from, &mut up);
    let _ = up.shutdown(Shutdown::Both);
    back.join().ok()
}
