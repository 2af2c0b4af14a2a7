//! A server whose answers have no end that a client could wait for.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// Where a client would have stopped long since. It keeps a test that fails from filling the machine.
pub const MOST: u64 = 400_000_000;

/// Serves until the test ends.
pub struct Endless {
    address: String,
    requests: Arc<AtomicUsize>,
    sent: Arc<AtomicU64>,
}

impl Endless {
    /// Answers every request with a body of `first`, and then of `again` over and over.
    pub fn body(content_type: &str, first: &[u8], again: Vec<u8>) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
        Endless::start([head.as_bytes(), first].concat(), again)
    }

    /// Answers every request with a head that goes on with `again` over and over.
    pub fn head(again: &str) -> Self {
        Endless::start(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), again.as_bytes().to_vec())
    }

    fn start(first: Vec<u8>, again: Vec<u8>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (requests, sent) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let (request_count, byte_count) = (Arc::clone(&requests), Arc::clone(&sent));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                request_count.fetch_add(1, Ordering::SeqCst);
                // a client that hangs up is what is wanted
                let _ = serve(&client, &first, &again, &byte_count);
            }
        });
        Endless { address, requests, sent }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Bytes that were sent, of all answers.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

fn serve(mut client: &TcpStream, first: &[u8], again: &[u8], sent: &AtomicU64) -> std::io::Result<()> {
    let head = BufReader::new(client).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    head.for_each(drop);
    client.write_all(first)?;
    while sent.load(Ordering::SeqCst) < MOST {
        client.write_all(again)?;
        sent.fetch_add(again.len() as u64, Ordering::SeqCst);
    }
    Ok(())
}
