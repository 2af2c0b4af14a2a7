//! A terminal of a test's own.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The test's end: what a person sees and types.
pub struct Terminal {
    ours: File,
    pub shown: String,
}

impl Terminal {
    /// Also gives the end for a program's streams.
    pub fn open() -> (Self, OwnedFd) {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        (Terminal { ours: File::from(ours), shown: String::new() }, theirs)
    }

    /// Reads until this was shown.
    #[track_caller]
    pub fn read_until(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let mut bytes = [0; 256];
            let count = self.ours.read(&mut bytes).unwrap_or_default();
            assert_ne!(count, 0, "ended without {text:?}: {}", self.shown);
            self.shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    /// Reads until the programs at the other end have ended.
    pub fn read_to_end(&mut self) {
        let mut rest = Vec::new();
        // a terminal that nobody has open any more is an error
        let _ = self.ours.read_to_end(&mut rest);
        self.shown.push_str(&String::from_utf8_lossy(&rest));
    }

    pub fn enter(&mut self, text: &str) {
        self.ours.write_all(text.as_bytes()).unwrap();
    }
}
