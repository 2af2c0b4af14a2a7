//! Any bytes: `scan` does not panic, and what it accepts is a sound tape.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagbump::yaml::scan;
use tagbump_fuzz::yaml_laws::tape_is_sound;

fuzz_target!(|bytes: &[u8]| {
    if let (Ok(yaml), Ok(text)) = (scan(bytes), std::str::from_utf8(bytes)) {
        tape_is_sound(text, &yaml);
    }
});
