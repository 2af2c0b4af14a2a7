//! A proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6), and remembers to where. Of other requests it
//! remembers that there were any.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Serves until the test ends.
pub struct Proxy {
    address: String,
    tunnels: Arc<Mutex<Vec<Tunnel>>>,
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

impl Proxy {
    pub fn start() -> Self {
        Proxy::answering("200 Connection established")
    }

    /// Answers every request with this status; opens the tunnel if that is 200.
    pub fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let tunnels = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (log, count) = (Arc::clone(&tunnels), Arc::clone(&connections));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let log = Arc::clone(&log);
                thread::spawn(move || serve(client, status, &log));
            }
        });
        Proxy { address, tunnels, connections }
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

    pub fn tunnels(&self) -> Vec<Tunnel> {
        self.tunnels.lock().unwrap().clone()
    }
}

/// An end that is lost ends the tunnel; whoever is at the other end sees it.
fn serve(client: TcpStream, status: &str, log: &Mutex<Vec<Tunnel>>) -> Option<()> {
    let mut from = BufReader::new(client.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let to = lines.first()?.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    let header = |line: &String| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.to_owned())
    };
    let authorization = lines.iter().find_map(header);
    log.lock().unwrap().push(Tunnel { to: to.clone(), authorization });
    let mut client = client;
    if !status.starts_with("200") {
        write!(client, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").ok()?;
        return None;
    }
    let mut server = TcpStream::connect(&to).ok()?;
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
