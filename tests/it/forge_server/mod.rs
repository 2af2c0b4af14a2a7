//! tagbump on a real Gitea: `.ci/forge` builds it from its Go module and runs these tests. They have a feature:
//! `TEST_FORGE=FOLDER cargo test --features forge-tests --test it forge_server::`.

mod client;
mod people;
mod pulls;
mod pushes;
mod server;
mod tokens;
