//! tagbump on a real Gitea: `.ci/forge` builds it from its Go module and runs these tests. They have a feature:
//! `TEST_FORGE=FOLDER TEST_ACT=ACT cargo test --features forge-tests --test it forge_server::`.

mod action;
mod client;
mod delivery;
mod finish;
mod order;
mod people;
mod pulls;
mod pushes;
mod registry;
mod server;
mod statuses;
mod tokens;
mod wait;
