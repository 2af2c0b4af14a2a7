//! One request to a git server over HTTP and its answer, as a stream for libgit2.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Instant;

use git2::transport::{Service, SmartSubtransportStream};
use jiff::Timestamp;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{Response, StatusCode};
use ureq::{Body, BodyReader};

use super::http::{HttpServer, finish, retry_after};
use super::quiet::without_progress;
use super::{Endpoint, Server, TransportError, program};
use crate::git::answers::{FetchMeter, short_server_text};
use crate::git::error::ServerError;
use crate::git::remote_url::shown_url;
use crate::http::HttpError;

/// How much of an error page is kept.
const MAX_MESSAGE: usize = 4 * 1024;

/// A proxy's answer to a request that it should forward (RFC 9110 section 15.5.8).
const PROXY_AUTHENTICATION: u16 = 407;

/// Starts one request to a service. For the list of references, it is sent at once.
pub(super) fn open(
    endpoint: &Arc<Endpoint>,
    service: Service,
) -> std::io::Result<Box<dyn SmartSubtransportStream>> {
    let name = program(service);
    let meter = match service {
        Service::UploadPackLs => Some(FetchMeter::of_references()),
        Service::UploadPack => Some(FetchMeter::of_pack()),
        Service::ReceivePackLs | Service::ReceivePack => None,
    };
    let mut stream = HttpStream {
        endpoint: Arc::clone(endpoint),
        service: name,
        request: Vec::new(),
        answer: None,
        meter,
    };
    match service {
        Service::UploadPackLs | Service::ReceivePackLs => {
            let discovered = http(endpoint).discover(name, endpoint.deadline());
            let answer = discovered.and_then(|answer| accept(endpoint, answer, &list_type(name)));
            stream.answer = Some(answer.map_err(|f| endpoint.stop(f))?);
        }
        Service::UploadPack | Service::ReceivePack => {}
    }
    Ok(Box::new(stream))
}

/// The list of references that starts a push, if the server sends one at once.
pub(super) fn list_before_push(endpoint: &Endpoint, deadline: Instant) -> Option<impl Read + use<>> {
    let name = program(Service::ReceivePackLs);
    let answer = http(endpoint).discover_once(name, deadline);
    let body = answer.and_then(|answer| accept(endpoint, answer, &list_type(name))).ok()?;
    Some(ReadToEnd(body))
}

/// The media type of a list of references.
fn list_type(service: &str) -> String {
    format!("application/x-git-{service}-advertisement")
}

fn http(endpoint: &Endpoint) -> &HttpServer {
    match &endpoint.server {
        Server::Http(server) => server,
        Server::Ssh(_) | Server::Local(_) => unreachable!("an HTTP stream belongs to an HTTP endpoint"),
    }
}

/// Returns the body of a good answer. An error has the status, the server's text and `Retry-After`.
fn accept(
    endpoint: &Endpoint,
    answer: Response<Body>,
    kind: &str,
) -> Result<BodyReader<'static>, TransportError> {
    let code = answer.status().as_u16();
    let proxy = http(endpoint).forwarding_proxy();
    if let (PROXY_AUTHENTICATION, Some(proxy)) = (code, &proxy) {
        return Err(ServerError::Http(HttpError::ProxyAuthentication { proxy: proxy.clone() }).into());
    }
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|text| self::retry_after(text, Timestamp::now()));
    let content_type =
        answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let mut reader = answer.into_body().into_reader();
    if code == 200 && content_type.split(';').next().is_some_and(|t| t.trim() == kind) {
        return Ok(reader);
    }
    let message = message_in(&mut reader, &content_type);
    finish(&mut reader);
    if code == 200 && kind.ends_with("-result") {
        // a web page instead of the answer to a push doesn't show whether the push landed
        return Err(TransportError::Broken(format!(
            "the answer doesn't come from a git server ({content_type})"
        )));
    }
    if code == 200 {
        let base = http(endpoint).state().base.clone();
        return Err(ServerError::NotAGitServer { url: shown_url(&base), content_type }.into());
    }
    Err(TransportError::Status { code, retry_after, message, proxy })
}

/// The server's text if it is plain text or JSON. HTML pages say nothing useful.
fn message_in(reader: &mut BodyReader<'_>, content_type: &str) -> String {
    if !content_type.starts_with("text/plain") && !content_type.starts_with("application/json") {
        return String::new();
    }
    let mut bytes = Vec::new();
    // ignore what can't be read; the extra byte shows that the text continues
    let _ = reader.take(MAX_MESSAGE as u64 + 1).read_to_end(&mut bytes);
    short_server_text(&bytes, MAX_MESSAGE)
}

/// An answer that is read to its end when dropped, so that its connection can be reused.
struct ReadToEnd(BodyReader<'static>);

impl Read for ReadToEnd {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Drop for ReadToEnd {
    fn drop(&mut self) {
        finish(&mut self.0);
    }
}

/// One request and its answer.
struct HttpStream {
    endpoint: Arc<Endpoint>,
    service: &'static str,
    request: Vec<u8>,
    answer: Option<BodyReader<'static>>,
    /// `None` in a push, whose answers are limited where they are parsed.
    meter: Option<FetchMeter>,
}

impl HttpStream {
    fn send(&mut self) -> std::io::Result<()> {
        let written = std::mem::take(&mut self.request);
        let is_quiet = self.meter.is_some() && http(&self.endpoint).state().offers_no_progress;
        let request = is_quiet.then(|| without_progress(&written)).flatten().unwrap_or(written);
        let kind = format!("application/x-git-{}-result", self.service);
        let server = http(&self.endpoint);
        let mut sent = server.post(self.service, &request, self.endpoint.time_left());
        while let Ok(answer) = &sent
            && answer.status() == StatusCode::UNAUTHORIZED
            && server.find_credential(self.endpoint.time_left()).map_err(|f| self.endpoint.stop(f))?
        {
            // some servers require authentication only for pushing, and only in this request
            sent = server.post(self.service, &request, self.endpoint.time_left());
        }
        let answer = sent.and_then(|answer| accept(&self.endpoint, answer, &kind));
        self.answer = Some(answer.map_err(|f| self.endpoint.stop(f))?);
        Ok(())
    }
}

impl Read for HttpStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.answer.is_none() {
            self.send()?;
        }
        let answer = self.answer.as_mut().map_or(Ok(0), |answer| answer.read(buffer));
        let count = answer.map_err(|e| {
            let cause = match e.kind() {
                std::io::ErrorKind::TimedOut => TransportError::TimedOut,
                _ => TransportError::Broken(format!("the answer was cut: {e}")),
            };
            self.endpoint.stop(cause)
        })?;
        if let Some(meter) = &mut self.meter {
            meter.count(&buffer[..count]).map_err(|e| self.endpoint.refuse(e))?;
        }
        Ok(count)
    }
}

impl Write for HttpStream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for HttpStream {
    fn drop(&mut self) {
        if self.meter.as_ref().is_some_and(FetchMeter::offers_no_progress) {
            http(&self.endpoint).state().offers_no_progress = true;
        }
        if let Some(answer) = &mut self.answer {
            finish(answer);
        }
    }
}
