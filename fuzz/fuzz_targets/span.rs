//! Any text that is accepted: the bytes of each scalar's span read as its value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagbump::yaml::scan;
use tagbump_fuzz::yaml_laws::spans_read_back;

fuzz_target!(|text: &str| {
    if let Ok(yaml) = scan(text.as_bytes()) {
        spans_read_back(text, &yaml);
    }
});
