//! Landings through servers that people run: OpenSSH's sshd, tinyproxy, and nginx with certificates of OpenSSL. They
//! need these programs, so they have a feature: `cargo test --features server-tests --test it servers::`.

mod nginx;
mod openssl;
mod proxy;
mod random_faults;
mod ssh;
mod sshd;
mod tinyproxy;
mod tls;
