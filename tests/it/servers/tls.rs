//! nginx with certificates that OpenSSL makes.

use std::path::{Path, PathBuf};

use super::nginx::Nginx;
use super::openssl::OpenSsl;
use crate::support::cli::Run;
use crate::support::repo::{World, ended, failed, push, run};

fn checkout(world: &World, nginx: &Nginx, name: &str) -> PathBuf {
    world.clone_of(&nginx.url(world), name, &["--depth", "1"])
}

fn land(world: &World, folder: &Path, ca: &Path, variables: &[(&str, &Path)]) -> Run {
    let mut command = push(folder, &format!("v{}", world.commits()), &[]);
    run(command.env("GIT_SSL_CAINFO", ca).envs(variables.iter().copied()))
}

/// `openssl req -x509` marks it as a CA's.
#[test]
fn certificate_made_by_openssl_for_server_is_trusted_when_it_is_named() {
    let (world, ssl) = (World::new(), OpenSsl::new());
    let (certificate, key) = ssl.self_signed();
    for version in ["TLSv1.2", "TLSv1.3"] {
        let nginx = Nginx::before(&world, (&certificate, &key), &format!("ssl_protocols {version};"));
        let folder = checkout(&world, &nginx, version);
        ended(&land(&world, &folder, &certificate, &[]), 0, "landed");
    }
    assert_eq!(world.commits(), 4);
}

#[test]
fn error_says_how_to_replace_certificate_of_version_1() {
    let (world, ssl) = (World::new(), OpenSsl::new());
    ssl.run("req -new -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1");
    ssl.run("x509 -req -in server.csr -signkey server.key -out server.pem -days 2");
    let (certificate, key) = (ssl.file("server.pem"), ssl.file("server.key"));
    let nginx = Nginx::before(&world, (&certificate, &key), "");
    let said = failed(&land(&world, &checkout(&world, &nginx, "w"), &certificate, &[]), 1);
    assert!(said.contains("version 1") && said.contains("-addext subjectAltName"), "{said}");
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn client_certificate_is_accepted_by_nginx_whatever_form_its_key_has() {
    let (world, ssl) = (World::new(), OpenSsl::new());
    let (server, authority) = (ssl.self_signed(), ssl.client_authority());
    let lines = format!("ssl_client_certificate {};\nssl_verify_client on;", authority.display());
    let nginx = Nginx::before(&world, (&server.0, &server.1), &lines);
    let folder = checkout(&world, &nginx, "w");
    for (name, make, begin) in [
        ("pkcs1.key", "genrsa -traditional -out pkcs1.key 2048", "BEGIN RSA PRIVATE KEY"),
        ("pkcs8.key", "genpkey -algorithm RSA -out pkcs8.key", "BEGIN PRIVATE KEY"),
        ("sec1.key", "ecparam -name prime256v1 -genkey -noout -out sec1.key", "BEGIN EC PRIVATE KEY"),
        ("params.key", "ecparam -name secp384r1 -genkey -out params.key", "BEGIN EC PARAMETERS"),
        ("ed25519.key", "genpkey -algorithm ED25519 -out ed25519.key", "BEGIN PRIVATE KEY"),
    ] {
        ssl.run(make);
        let key = ssl.file(name);
        assert!(std::fs::read_to_string(&key).unwrap().contains(begin), "{name}");
        let variables = [("GIT_SSL_CERT", &*ssl.client(&key)), ("GIT_SSL_KEY", &*key)];
        ended(&land(&world, &folder, &server.0, &variables), 0, "landed");
    }
    assert_eq!(world.commits(), 7);
}

#[test]
fn error_names_http_ssl_cert_when_nginx_wants_client_certificate() {
    let (world, ssl) = (World::new(), OpenSsl::new());
    let (server, authority) = (ssl.self_signed(), ssl.client_authority());
    let lines = format!("ssl_client_certificate {};\nssl_verify_client on;", authority.display());
    let nginx = Nginx::before(&world, (&server.0, &server.1), &lines);
    let said = failed(&land(&world, &checkout(&world, &nginx, "w"), &server.0, &[]), 5);
    assert!(said.contains("400") && said.contains("http.sslCert"), "{said}");
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn error_names_encrypted_key_of_openssl() {
    let (world, ssl) = (World::new(), OpenSsl::new());
    let (server, _) = (ssl.self_signed(), ssl.client_authority());
    let nginx = Nginx::before(&world, (&server.0, &server.1), "");
    let folder = checkout(&world, &nginx, "w");
    for (name, make) in [
        ("pkcs1.key", "genrsa -traditional -aes128 -passout pass:secret -out pkcs1.key 2048"),
        ("pkcs8.key", "genpkey -algorithm RSA -aes256 -pass pass:secret -out pkcs8.key"),
    ] {
        ssl.run(make);
        let key = ssl.file(name);
        let variables = [("GIT_SSL_CERT", &*ssl.client(&key)), ("GIT_SSL_KEY", &*key)];
        let said = failed(&land(&world, &folder, &server.0, &variables), 2);
        assert!(said.contains(name) && said.contains("encrypted") && said.contains("GIT_SSL_KEY"), "{said}");
    }
}
