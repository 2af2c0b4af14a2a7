//! A line to a server, which breaks at a chosen byte of the exchange.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use tagbump::mutex::lock;

/// Who was sending when it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The client.
    Up,
    /// The server.
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Both ends see the end of the connection.
    Cut,
    /// Both ends get a reset (RFC 9293 section 3.5.2), without what was on its way to them.
    Reset,
    /// The server gets all of the request and does its work; of the rest of its answer the client gets nothing.
    Deaf,
    /// A gateway answers this in the server's place; the server gets no more.
    Status(u16),
    /// A gateway answers this in the server's place; the server gets all of the request and does its work.
    StatusAfter(u16),
    /// Nothing more comes, and the connection stays open.
    Stall,
    /// What [`Line::call`] was given is called, then it is cut.
    Call,
}

type Call = Box<dyn FnOnce() + Send>;

/// What is to break: after so many bytes that way, counted since the last fault was set or came.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub way: Way,
    pub after: usize,
    pub with: Break,
}

/// Serves until the test ends.
pub struct Line {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    call: Option<Call>,
    /// Bytes that passed since the last fault.
    passed: [usize; 2],
    /// How many faults came.
    broken: usize,
    crumbs: bool,
}

impl Line {
    /// To a server by its `HOST:PORT`.
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let (server, shared) = (server.to_owned(), Arc::clone(&state));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // a server that is gone: so is the connection
                let Ok(server) = TcpStream::connect(&server) else { continue };
                for stream in [&client, &server] {
                    let _ = stream.set_nodelay(true); // for speed only
                }
                connect(client, server, &shared);
            }
        });
        Line { address, state }
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Forgets what was to break and has not, and counts from here.
    pub fn breaks(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut state = lock(&self.state);
        state.faults = faults.into_iter().collect();
        state.passed = [0, 0];
        state.broken = 0;
    }

    /// From now on every byte comes alone.
    pub fn in_crumbs(&self) {
        lock(&self.state).crumbs = true;
    }

    /// What a fault of that kind calls, once.
    pub fn call(&self, call: impl FnOnce() + Send + 'static) {
        lock(&self.state).call = Some(Box::new(call));
    }

    /// Bytes that went up and down since the last fault.
    pub fn passed(&self) -> [usize; 2] {
        lock(&self.state).passed
    }

    /// How many faults came since they were set.
    pub fn broken(&self) -> usize {
        lock(&self.state).broken
    }
}

/// What the two threads of a connection know of each other.
#[derive(Default)]
struct Link {
    /// What the client gets in the place of the next answer.
    instead: Mutex<Option<Option<u16>>>,
    /// Whether it ends with a reset.
    reset: Mutex<bool>,
}

fn connect(client: TcpStream, server: TcpStream, state: &Arc<Mutex<State>>) {
    let link = Arc::new(Link::default());
    for way in [Way::Up, Way::Down] {
        let (client, server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (state, link) = (Arc::clone(state), Arc::clone(&link));
        thread::spawn(move || {
            // an end that is lost is the end of both
            let _ = match way {
                Way::Up => pump(way, &client, &server, &client, &state, &link),
                Way::Down => pump(way, &server, &client, &client, &state, &link),
            };
            if *lock(&link.reset) {
                reset(&client);
                reset(&server);
            }
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        });
    }
}

/// Passes bytes on until the end, or until it breaks.
fn pump(
    way: Way,
    mut from: &TcpStream,
    mut to: &TcpStream,
    client: &TcpStream,
    state: &Mutex<State>,
    link: &Link,
) -> std::io::Result<()> {
    let room = if lock(state).crumbs { 1 } else { 16 * 1024 };
    let mut buffer = vec![0; room];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let instead = if way == Way::Down { *lock(&link.instead) } else { None };
        if let Some(status) = instead {
            return status.map_or(Ok(()), |status| answer(client, status));
        }
        let (before, fault) = due(way, count, state);
        let Some(fault) = fault else {
            to.write_all(&buffer[..count])?;
            continue;
        };
        match (fault, way) {
            // the request goes on; its answer is another one
            (Break::Deaf, Way::Up) => *lock(&link.instead) = Some(None),
            (Break::StatusAfter(code), Way::Up) => *lock(&link.instead) = Some(Some(code)),
            (Break::Status(code), Way::Up) => return answer(client, code),
            (Break::Stall, _) => {
                to.write_all(&buffer[..before])?;
                return std::io::copy(&mut from, &mut std::io::sink()).map(|_| ());
            }
            (Break::Call, _) => {
                to.write_all(&buffer[..before])?;
                if let Some(call) = lock(state).call.take() {
                    call();
                }
                return Ok(());
            }
            (Break::Reset, _) => {
                *lock(&link.reset) = true;
                return to.write_all(&buffer[..before]);
            }
            // an answer that has begun can't become another one
            _ => return to.write_all(&buffer[..before]),
        }
        to.write_all(&buffer[..count])?;
    }
}

/// Counts bytes; how many of them come before the fault that is due in them, and that fault.
fn due(way: Way, count: usize, state: &Mutex<State>) -> (usize, Option<Break>) {
    let mut state = lock(state);
    let passed = state.passed[way as usize];
    state.passed[way as usize] += count;
    let due = state.faults.front().filter(|fault| fault.way == way && passed + count > fault.after);
    let Some(fault) = due.copied() else { return (count, None) };
    state.faults.pop_front();
    state.passed = [0, 0];
    state.broken += 1;
    (fault.after.saturating_sub(passed), Some(fault.with))
}

/// Sends a reset. Elsewhere than on Linux, the end of the connection has to do.
fn reset(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = rustix::net::connect_unspec(stream);
    #[cfg(not(target_os = "linux"))]
    let _ = stream.shutdown(Shutdown::Both);
}

fn answer(mut client: &TcpStream, code: u16) -> std::io::Result<()> {
    write!(client, "HTTP/1.1 {code} \r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
