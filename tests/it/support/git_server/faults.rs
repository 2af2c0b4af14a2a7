//! What a test can make the server do wrong, and to which request.

use super::http::{Headers, Request};
use super::lock;
use std::sync::Mutex;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    UploadPack,
    ReceivePack,
}

/// The request a fault waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    InfoRefs(Service),
    Post(Service),
    Any,
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// Closes the connection; the backend does not run.
    CloseBefore,
    /// Runs the backend to its end, then closes without a byte of answer.
    CloseAfter,
    /// Runs the backend, announces its whole length, sends this many bytes of the body, closes.
    CutReply(usize),
    /// Answers this; the backend does not run.
    Status { code: u16, headers: Headers },
    /// Runs the backend to its end, then answers this.
    StatusAfter { code: u16, headers: Headers },
    /// Answers with this `Location`; the backend does not run.
    Redirect { location: String, code: u16 },
    /// Never answers: waits until the client closes or the server is dropped.
    Hang,
}

/// The faults still to come, oldest first.
#[derive(Default)]
pub struct Faults(Mutex<Vec<(On, Fault)>>);

impl Faults {
    pub fn push(&self, on: On, fault: Fault) {
        lock(&self.0).push((on, fault));
    }

    /// Removes and returns the oldest fault that waits for this request.
    pub fn take(&self, request: &Request) -> Option<Fault> {
        let kind = kind_of(request);
        let mut faults = lock(&self.0);
        let index = faults.iter().position(|&(on, _)| on == On::Any || Some(on) == kind)?;
        Some(faults.remove(index).1)
    }
}

/// Which of git's requests this is. The lone flush packet that git sends to probe a server
/// before a large POST is none of them.
pub fn kind_of(request: &Request) -> Option<On> {
    let service = |name: &str| match name {
        "git-upload-pack" => Some(Service::UploadPack),
        "git-receive-pack" => Some(Service::ReceivePack),
        _ => None,
    };
    let last = request.path.rsplit('/').next()?;
    match request.method.as_str() {
        "GET" if request.path.ends_with("/info/refs") => {
            service(request.query.strip_prefix("service=")?).map(On::InfoRefs)
        }
        "POST" if request.body != b"0000" => service(last).map(On::Post),
        _ => None,
    }
}
