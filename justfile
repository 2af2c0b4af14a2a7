# Each recipe is the step of the same name in .ci/run, which is where the
# commands are; all but `fmt` change nothing.

# What CI runs: every check, several at once
check:
    .ci/run

# Format the code
fmt:
    cargo fmt

# Clippy, with warnings as errors
lint:
    .ci/run lint

# The README's test command
test:
    .ci/run test

# The packaged crate, by the oldest Rust that Cargo.toml promises
package:
    .ci/run package

# Signed commits, by gpg and ssh-keygen
signing:
    .ci/run signing

# landings through sshd, tinyproxy and nginx
servers:
    .ci/run servers

# The README's demo, and that it shows the new tag
demo:
    .ci/run demo

# Licences, banned crates and sources of the dependency tree
deny:
    .ci/run deny

# The release binary: its size, no OpenSSL, its start-up
size:
    .ci/run build size

# What other YAML readers make of thousands of edits
oracle:
    .ci/run build oracle

# Linters of the action, workflows, scripts and the Dockerfile
workflows:
    .ci/run workflows

# The documentation site, and its links
site:
    .ci/run site

# Edits, commits and pushes by the binary of this platform
platform:
    .ci/run build platform

# The same on Linux arm64 and Windows, and a check for macOS; takes minutes
platforms:
    .ci/run platforms

# What the documentation says, beside the binary
docs:
    .ci/run build docs

# Whole systems, rendered by helm, kustomize and docker-compose
deployments:
    .ci/run deployments

# The action, run by act
action:
    .ci/run build action

# The container image; needs root
image:
    .ci/run build image
