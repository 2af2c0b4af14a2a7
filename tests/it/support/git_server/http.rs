//! The part of HTTP/1.1 that git clients use: requests in, responses with a length out.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};

pub type Headers = Vec<(String, String)>;

/// A TCP or a TLS stream.
pub trait Duplex: Read + Write {}
impl<T: Read + Write> Duplex for T {}

pub type Connection = BufReader<Box<dyn Duplex>>;

pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    pub keep_alive: bool,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    pub fn empty(status: u16, headers: Headers) -> Self {
        Self { status, headers, body: Vec::new() }
    }

    /// Sends the response, but of its body no more than `limit` bytes.
    pub fn send(&self, to: &mut dyn Write, keep_alive: bool, limit: usize) -> io::Result<()> {
        let mut bytes = self.head(keep_alive).into_bytes();
        bytes.extend_from_slice(&self.body[..limit.min(self.body.len())]);
        to.write_all(&bytes)?;
        to.flush()
    }

    fn head(&self, keep_alive: bool) -> String {
        let mut head = format!("HTTP/1.1 {} \r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let length = self.body.len();
        let _ = write!(head, "Connection: {connection}\r\nContent-Length: {length}\r\n\r\n");
        head
    }
}

/// Reads one whole request; `None` when the client closed the connection instead.
pub fn read_request(from: &mut Connection) -> io::Result<Option<Request>> {
    let Some(first) = read_line(from)? else {
        return Ok(None);
    };
    let parts: Vec<&str> = first.split(' ').collect();
    let &[method, target, version] = parts.as_slice() else {
        return Err(malformed("request line", &first));
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = read_headers(from)?;
    Ok(Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        keep_alive: version == "HTTP/1.1" && !says(&headers, "Connection", "close"),
        body: read_body(from, &headers)?,
        headers,
    }))
}

pub fn is_authorization((name, _): &(String, String)) -> bool {
    name.eq_ignore_ascii_case("Authorization")
}

fn read_line(from: &mut Connection) -> io::Result<Option<String>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(Some(line))
}

fn read_headers(from: &mut Connection) -> io::Result<Headers> {
    let mut headers = Headers::new();
    loop {
        let line = read_line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("header", &line))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_body(from: &mut Connection, headers: &Headers) -> io::Result<Vec<u8>> {
    if says(headers, "Expect", "100-continue") {
        from.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        from.get_mut().flush()?;
    }
    if says(headers, "Transfer-Encoding", "chunked") {
        return read_chunks(from);
    }
    let length = find(headers, "Content-Length").unwrap_or("0");
    let length = length.parse().map_err(|_| malformed("Content-Length", length))?;
    read_bytes(from, length)
}

fn read_chunks(from: &mut Connection) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| malformed("chunk size", &line))?;
        if size == 0 {
            read_headers(from)?; // the trailers
            return Ok(body);
        }
        body.extend(read_bytes(from, size)?);
        read_line(from)?;
    }
}

fn read_bytes(from: &mut Connection, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    Some(value)
}

fn says(headers: &Headers, name: &str, value: &str) -> bool {
    find(headers, name).is_some_and(|found| found.eq_ignore_ascii_case(value))
}

fn malformed(what: &str, text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}: {text:?}"))
}
