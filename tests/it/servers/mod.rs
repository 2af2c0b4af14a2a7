//! Runs with servers that people run: OpenSSH's sshd, tinyproxy, nginx with certificates of OpenSSL, and Docker's registry. They
//! need these programs, so they have a feature: `cargo test --features server-tests --test it servers::`.

mod nginx;
mod openssl;
mod proxy;
mod random_faults;
mod registry;
mod ssh;
mod sshd;
mod tinyproxy;
mod tls;
