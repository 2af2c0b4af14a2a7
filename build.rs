//! Leaves the tables for unwinding out of a static release, which aborts on a panic (see `src/crash.rs`): they are a
//! twelfth of the binary. The compiler can't leave them out: most are in what it links, Rust's own library and C.

use std::path::Path;
use std::{env, fs};

/// For GNU's linker and LLVM's. The start-up files of C look up their own tables.
const LINKER_SCRIPT: &str =
    "SECTIONS { /DISCARD/ : { *(EXCLUDE_FILE(*crtbegin*.o *crtend*.o) .eh_frame) } } INSERT AFTER .text;\n";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    if !is("CARGO_CFG_TARGET_ENV", "musl") || !is("PROFILE", "release") {
        return;
    }
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let script = Path::new(&folder).join("no-unwind-tables.ld");
    fs::write(&script, LINKER_SCRIPT).expect("OUT_DIR is there to be written to");
    println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
}
