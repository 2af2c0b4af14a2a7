//! Which certificates tagbump trusts, and which proxy it uses: the same as git with the same settings.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use crate::support::cli::Run;
use crate::support::git::git;
use crate::support::git_server::{ClientAuthority, LoggedRequest, ServerCertificate};
use crate::support::proxy::Proxy;
use crate::support::repo::{API, FILE, PASSWORD, REPO, USER, World, ended, failed, kustomization, push, run};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};

/// A server with a certificate of its own CA, and the CA's file.
fn private() -> (World, PathBuf) {
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let world = World::with(|server| server.tls().basic_auth(USER, PASSWORD), &files);
    let file = world.path().join("ca.pem");
    std::fs::write(&file, world.server.ca_pem()).unwrap();
    (world, file)
}

fn set(folder: &Path, key: &str, value: &str) {
    git(folder, &["config", key, value]);
}

fn origin(world: &World) -> String {
    world.server.url("").trim_end_matches('/').to_owned()
}

/// `HOST:PORT` of the server.
fn address(world: &World) -> String {
    origin(world).split_once("://").unwrap().1.to_owned()
}

/// A push that trusts the CA through an environment variable.
fn told(folder: &Path, ca: &Path, variables: &[(&str, &str)]) -> Run {
    let mut command = push(folder, "v1", &["-v"]);
    run(command.env("SSL_CERT_FILE", ca).envs(variables.iter().copied()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn own_authority_is_trusted() {
    for way in ["GIT_SSL_CAINFO", "SSL_CERT_FILE", "http.sslCAInfo", "http.<url>.sslCAInfo", "~"] {
        let (world, ca) = private();
        let folder = world.shallow("w");
        let mut command = push(&folder, "v1", &[]);
        match way {
            "http.sslCAInfo" => set(&folder, way, text(&ca)),
            "http.<url>.sslCAInfo" => {
                set(&folder, "http.sslCAInfo", "/nowhere");
                set(&folder, &format!("http.{}/acme.sslCAInfo", origin(&world)), text(&ca));
            }
            "~" => {
                set(&folder, "http.sslCAInfo", "~/ca.pem");
                command.env("HOME", world.path());
            }
            variable => {
                command.env(variable, &ca);
            }
        }
        ended(&run(&mut command), 0, "landed");
        assert_eq!(world.commits(), 3, "{way}");
    }
}

#[test]
fn unnamed_authority_is_not_trusted() {
    let (world, _) = private();
    let said = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 1);
    assert!(said.contains("certificate") && said.contains("http.sslCAInfo"), "{said}");
    assert_eq!(world.server.requests().len(), 0);
}

/// As in curl: only the file that git names counts.
#[test]
fn authorities_of_git_replace_those_of_system() {
    let ((world, right), (_other, wrong)) = (private(), private());
    let folder = world.shallow("w");
    let said = failed(&told(&folder, &right, &[("GIT_SSL_CAINFO", text(&wrong))]), 1);
    assert!(said.contains("certificate"), "{said}");
    set(&folder, "http.sslCAInfo", text(&wrong));
    ended(&told(&folder, &wrong, &[("GIT_SSL_CAINFO", text(&right))]), 0, "landed");
}

#[test]
fn error_names_file_without_authorities() {
    let (world, ca) = private();
    let folder = world.shallow("w");
    let empty = world.path().join("empty.pem");
    std::fs::write(&empty, "no certificate\n").unwrap();
    for file in [&empty, &world.path().join("missing.pem")] {
        let said = failed(&told(&folder, &ca, &[("GIT_SSL_CAINFO", text(file))]), 2);
        assert!(said.contains(text(file)) && said.contains("GIT_SSL_CAINFO"), "{said}");
    }
}

#[test]
fn certificates_are_always_verified() {
    let (world, ca) = private();
    let folder = world.shallow("w");
    let said = failed(&told(&folder, &ca, &[("GIT_SSL_NO_VERIFY", "1")]), 2);
    assert!(said.contains("GIT_SSL_NO_VERIFY") && said.contains("http.sslCAInfo"), "{said}");
    for value in ["false", "off", "0", "No"] {
        set(&folder, "http.sslVerify", value);
        let said = failed(&told(&folder, &ca, &[]), 2);
        assert!(said.contains("http.sslVerify"), "{said}");
    }
    assert_eq!(world.server.requests().len(), 0, "nothing was sent");
    // for another server, or reset for this one
    set(&folder, "http.https://other.example.sslVerify", "false");
    set(&folder, &format!("http.{}.sslVerify", origin(&world)), "true");
    ended(&told(&folder, &ca, &[]), 0, "landed");
}

#[test]
fn https_goes_through_https_proxy() {
    for way in ["https_proxy", "HTTPS_PROXY", "all_proxy", "http.proxy", "http.<url>.proxy", "bare"] {
        let ((world, ca), proxy) = (private(), Proxy::start());
        let folder = world.shallow("w");
        match way {
            "http.proxy" => set(&folder, way, &proxy.url()),
            "http.<url>.proxy" => {
                set(&folder, "http.proxy", "http://127.0.0.1:1");
                set(&folder, &format!("http.{}.proxy", origin(&world)), &proxy.url());
            }
            _ => {}
        }
        let url = proxy.url();
        let variables = match way {
            "bare" => vec![("https_proxy", proxy.address())],
            way if way.contains('.') => Vec::new(),
            way => vec![(way, url.as_str())],
        };
        ended(&told(&folder, &ca, &variables), 0, "landed");
        let tunnels = proxy.tunnels();
        assert_eq!(tunnels.len(), 1, "{way}: one connection");
        assert_eq!((&tunnels[0].to, &tunnels[0].authorization), (&address(&world), &None), "{way}");
    }
}

#[test]
fn proxy_credentials_are_sent_to_proxy_only() {
    let ((world, ca), proxy) = (private(), Proxy::start());
    let folder = world.shallow("w");
    let url = format!("http://ada:pr%40xy-secret@{}", proxy.address());
    let run = told(&folder, &ca, &[("https_proxy", &url)]);
    ended(&run, 0, "landed");
    let basic = |user: &str, password: &str| {
        Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    };
    assert_eq!(proxy.tunnels()[0].authorization, basic("ada", "pr@xy-secret"));
    for request in world.server.requests() {
        assert_eq!((request.authorization, request.authorization_count), (basic(USER, PASSWORD), 1));
        assert!(!request.headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("proxy-")));
    }
    assert!(!run.output().contains("secret"), "{}", run.output());
}

#[test]
fn proxy_of_another_scheme_is_not_used() {
    let ((world, ca), proxy) = (private(), Proxy::start());
    let folder = world.shallow("w");
    for name in ["http_proxy", "HTTP_PROXY"] {
        let mut command = push(&folder, &format!("v{}", world.commits()), &[]);
        ended(&run(command.env("SSL_CERT_FILE", &ca).env(name, proxy.url())), 0, "landed");
    }
    assert_eq!(proxy.connections(), 0);
}

/// Credentials may be sent to this machine over http, so they must not pass through a proxy.
#[test]
fn loopback_over_http_is_reached_without_a_proxy() {
    let world = World::with(
        |server| server.basic_auth("x-access-token", PASSWORD),
        &[(FILE, &*kustomization(&[API.into()]))],
    );
    let proxy = Proxy::start();
    for host in ["127.0.0.1", "localhost"] {
        let folder =
            world.clone_of(&world.server.url(REPO).replace("127.0.0.1", host), host, &["--depth", "1"]);
        for name in ["http_proxy", "all_proxy", "ALL_PROXY", "http.proxy"] {
            let mut command = push(&folder, &format!("v{}", world.commits()), &[]);
            command.env("TAGBUMP_TOKEN", PASSWORD);
            if name == "http.proxy" {
                set(&folder, name, &proxy.url());
            } else {
                command.env(name, proxy.url());
            }
            ended(&run(&mut command), 0, "landed");
            assert_eq!(proxy.connections(), 0, "{host} {name}");
        }
    }
}

#[test]
fn no_proxy_hosts_are_reached_directly() {
    let ((world, ca), proxy) = (private(), Proxy::start());
    let folder = world.shallow("w");
    let land = |name: &str, value: &str| {
        let mut command = push(&folder, &format!("v{}", world.commits()), &[]);
        command.env("SSL_CERT_FILE", &ca).env("https_proxy", proxy.url()).env(name, value);
        ended(&run(&mut command), 0, "landed");
    };
    for list in ["127.0.0.1", "x.example,127.0.0.0/8", "*", &address(&world)] {
        land("no_proxy", list);
        land("NO_PROXY", list);
    }
    set(&folder, "http.proxy", "");
    land("no_proxy", "x.example");
    assert!(proxy.tunnels().is_empty());
}

#[test]
fn run_fails_when_proxy_refuses() {
    for (status, word) in
        [("407 Proxy Authentication Required", "407"), ("403 Forbidden", "rejects the connection")]
    {
        let ((world, ca), proxy) = (private(), Proxy::answering(status));
        let folder = world.shallow("w");
        let url = format!("http://ada:pr-secret@{}", proxy.address());
        let run = told(&folder, &ca, &[("https_proxy", &url)]);
        let said = failed(&run, 5);
        assert!(said.contains(proxy.address()) && said.contains(word), "{said}");
        assert!(!run.output().contains("secret"), "{}", run.output());
        assert_eq!(proxy.tunnels().len(), 1, "it would say so again");
        assert_eq!(world.server.requests().len(), 0);
    }
}

#[test]
fn run_fails_when_proxy_is_down() {
    let (world, ca) = private();
    let folder = world.shallow("w");
    let mut command = push(&folder, "v1", &["--timeout", "30s"]);
    command.env("SSL_CERT_FILE", &ca).env("https_proxy", "http://u:secret@127.0.0.1:1");
    let run = run(&mut command);
    let said = failed(&run, 4);
    assert!(said.contains("proxy 127.0.0.1:1") && !said.contains("secret"), "{said}");
    let said = failed(&told(&folder, &ca, &[("https_proxy", "gopher://u:secret@h")]), 2);
    assert!(said.contains("https_proxy") && !said.contains("secret"), "{said}");
}

/// A repository on a server without credentials, and a checkout with a remote that only this proxy can reach.
fn behind_forwarding_proxy() -> (World, Proxy, PathBuf) {
    let world = World::with(|server| server, &[(FILE, &*kustomization(&[API.into()]))]);
    let proxy = Proxy::forwarding_to(&world.server_address());
    let folder = world.clone_of("http://git.example/acme/gitops.git", "w", &["--depth", "1"]);
    (world, proxy, folder)
}

/// Some proxies open tunnels for https only.
#[test]
fn plain_http_is_forwarded_by_proxy_that_forbids_tunnels() {
    for way in ["http_proxy", "all_proxy", "http.proxy", "http.<url>.proxy"] {
        let (world, proxy, folder) = behind_forwarding_proxy();
        let mut command = push(&folder, "v1", &[]);
        match way {
            "http.proxy" => set(&folder, way, &proxy.url()),
            "http.<url>.proxy" => set(&folder, "http.http://git.example.proxy", &proxy.url()),
            variable => {
                command.env(variable, proxy.url());
            }
        }
        ended(&run(&mut command), 0, "landed");
        assert_eq!(world.commits(), 3, "{way}");
        let url = "http://git.example/acme/gitops.git";
        let requests: Vec<_> = proxy.forwarded().into_iter().map(|forwarded| forwarded.request).collect();
        assert_eq!(requests.first(), Some(&format!("GET {url}/info/refs?service=git-upload-pack")));
        assert_eq!(requests.last(), Some(&format!("POST {url}/git-receive-pack")));
        assert_eq!(proxy.connections(), 1, "{way}: one connection for all of {requests:?}");
        assert!(proxy.tunnels().is_empty());
        let host = |request: &LoggedRequest| {
            request
                .headers
                .iter()
                .any(|(name, value)| name.eq_ignore_ascii_case("host") && value == "git.example")
        };
        assert!(world.server.requests().iter().all(host), "{way}");
    }
}

#[test]
fn proxy_that_forwards_gets_its_credentials_with_every_request() {
    let (world, proxy, folder) = behind_forwarding_proxy();
    git(&folder, &["remote", "set-url", "origin", "http://deployer:url-secret@git.example/acme/gitops.git"]);
    let mut command = push(&folder, "v1", &["-v"]);
    command.env("http_proxy", format!("http://ada:pr%40xy-secret@{}", proxy.address()));
    command.env("TAGBUMP_TOKEN", "tok-secret");
    let run = run(&mut command);
    ended(&run, 0, "landed");
    let expected = format!("Basic {}", BASE64_STANDARD.encode("ada:pr@xy-secret"));
    for forwarded in proxy.forwarded() {
        assert_eq!(forwarded.authorization.as_ref(), Some(&expected), "{}", forwarded.request);
        assert!(!forwarded.request.contains('@'), "{}", forwarded.request);
    }
    // the URL's password was written for plain http, and the token was not
    let from_url = format!("Basic {}", BASE64_STANDARD.encode("deployer:url-secret"));
    for request in world.server.requests() {
        assert_eq!((request.authorization.as_ref(), request.authorization_count), (Some(&from_url), 1));
    }
    assert!(!run.output().contains("secret"), "{}", run.output());
}

#[test]
fn run_fails_when_forwarding_proxy_requires_authentication() {
    let (world, _, folder) = behind_forwarding_proxy();
    let proxy = Proxy::answering("407 Proxy Authentication Required");
    let mut command = push(&folder, "v1", &[]);
    command.env("http_proxy", format!("http://ada:pr-secret@{}", proxy.address()));
    let run = run(&mut command);
    let said = failed(&run, 5);
    assert!(said.contains(proxy.address()) && said.contains("407"), "{said}");
    assert!(!run.output().contains("secret"), "{}", run.output());
    assert_eq!((proxy.connections(), world.server.requests().len()), (1, 0));
}

/// A server with a self-signed certificate that is marked as a CA's, and a file with that certificate.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (World, PathBuf, PathBuf) {
    let certificate = ServerCertificate::self_signed(change);
    let files = [(FILE, &*kustomization(&[API.into()]))];
    let world = World::with(|server| server.certificate(certificate).basic_auth(USER, PASSWORD), &files);
    let file = world.path().join("server.pem");
    std::fs::write(&file, world.server.ca_pem()).unwrap();
    let folder = world.shallow("w");
    (world, file, folder)
}

#[test]
fn trusted_server_certificate_is_accepted_when_it_is_marked_as_ca() {
    for way in ["GIT_SSL_CAINFO", "SSL_CERT_FILE", "http.sslCAInfo"] {
        let (world, file, folder) = self_signed(|_| ());
        let mut command = push(&folder, "v1", &[]);
        match way {
            "http.sslCAInfo" => set(&folder, way, text(&file)),
            variable => drop(command.env(variable, &file)),
        }
        ended(&run(&mut command), 0, "landed");
        assert_eq!(world.commits(), 3, "{way}");
    }
}

#[test]
fn trusted_server_certificate_is_accepted_when_its_issuer_is_unknown() {
    let (world, file, folder) = self_signed(|params| params.is_ca = IsCa::NoCa);
    ended(&told(&folder, &file, &[]), 0, "landed");
    assert_eq!(world.commits(), 3);
}

/// Trust in a certificate is no reason to skip the other checks.
#[test]
fn name_and_dates_of_trusted_server_certificate_are_checked() {
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        for (change, wanted) in [
            (
                (|params| params.subject_alt_names = names(&["git.example", "10.0.0.1"]))
                    as fn(&mut CertificateParams),
                "is for git.example, 10.0.0.1, and not for 127.0.0.1",
            ),
            (|params| params.subject_alt_names.clear(), "is for no host, and not for 127.0.0.1"),
            (|params| params.not_after = date_time_ymd(2020, 2, 3), "expired on 2020-02-03"),
            (|params| params.not_before = date_time_ymd(2999, 2, 3), "not valid before 2999-02-03"),
        ] {
            let (world, file, folder) = self_signed(|params| {
                change(params);
                params.is_ca = is_ca;
            });
            let said = failed(&told(&folder, &file, &[]), 1);
            assert!(said.contains(wanted), "{said}");
            assert_eq!(world.server.requests().len(), 0, "nothing was sent");
        }
    }
}

fn names(names: &[&str]) -> Vec<rcgen::SanType> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).unwrap().subject_alt_names
}

/// Another certificate with the same names is not the one that is trusted.
#[test]
fn certificate_marked_as_ca_is_not_trusted_when_it_differs() {
    let ((world, _, folder), (_other, file, _)) = (self_signed(|_| ()), self_signed(|_| ()));
    let said = failed(&told(&folder, &file, &[]), 1);
    assert!(said.contains("marked as a CA's") && said.contains("CA:FALSE"), "{said}");
    assert_eq!(world.server.requests().len(), 0);
}

/// A server that wants a certificate from its clients. The files have its CA's certificate, and a client's certificate
/// and key.
struct ClientWorld {
    world: World,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl ClientWorld {
    fn new() -> Self {
        let authority = ClientAuthority::new();
        let files = [(FILE, &*kustomization(&[API.into()]))];
        let world = World::with(|server| server.clients(&authority).basic_auth(USER, PASSWORD), &files);
        let (certificate, key) = authority.client();
        let file = |name: &str, text: &str| {
            let path = world.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let ca = file("ca.pem", world.server.ca_pem());
        let (certificate, key) = (file("client.pem", &certificate), file("client.key", &key));
        ClientWorld { world, ca, certificate, key }
    }

    /// A push with these variables.
    fn push(&self, folder: &Path, variables: &[(&str, &Path)]) -> Run {
        let mut command = push(folder, &format!("v{}", self.world.commits()), &[]);
        run(command.env("SSL_CERT_FILE", &self.ca).envs(variables.iter().copied()))
    }
}

#[test]
fn client_certificate_is_shown_to_server() {
    let client = ClientWorld::new();
    let (certificate, key) = (&client.certificate, &client.key);
    let land = |name: &str, settings: &[(&str, &Path)], variables: &[(&str, &Path)]| {
        let folder = client.world.shallow(name);
        settings.iter().for_each(|(key, value)| set(&folder, key, text(value)));
        ended(&client.push(&folder, variables), 0, "landed");
    };
    land("settings", &[("http.sslCert", certificate), ("http.sslKey", key)], &[]);
    land("variables", &[], &[("GIT_SSL_CERT", certificate), ("GIT_SSL_KEY", key)]);
    let both = client.world.path().join("both.pem");
    let joined = [certificate, key].map(|path| std::fs::read_to_string(path).unwrap()).concat();
    std::fs::write(&both, joined).unwrap();
    land("one file", &[("http.sslCert", &both)], &[]);
    let of_server = format!("http.{}.sslCert", origin(&client.world));
    land("url", &[("http.sslCert", Path::new("/nowhere")), (&of_server, &both)], &[]);
    land("variable", &[("http.sslCert", Path::new("/nowhere"))], &[("GIT_SSL_CERT", &both)]);
}

#[test]
fn error_names_settings_when_server_wants_client_certificate() {
    let client = ClientWorld::new();
    let folder = client.world.shallow("w");
    let said = failed(&client.push(&folder, &[]), 5);
    assert!(said.contains("client certificate") && said.contains("http.sslCert"), "{said}");
    // a key alone says nothing, as in git
    let said = failed(&client.push(&folder, &[("GIT_SSL_KEY", &client.key)]), 5);
    assert!(said.contains("http.sslCert"), "{said}");
    // one from another authority
    let other = ClientWorld::new();
    let variables = [("GIT_SSL_CERT", &*other.certificate), ("GIT_SSL_KEY", &*other.key)];
    let said = failed(&client.push(&folder, &variables), 5);
    assert!(said.contains("client certificate") && said.contains("http.sslCert"), "{said}");
    assert_eq!((client.world.commits(), client.world.server.requests().len()), (2, 0));
}

#[test]
fn error_names_client_certificate_file_that_cannot_be_used() {
    let client = ClientWorld::new();
    let folder = client.world.shallow("w");
    let file = |name: &str, text: &str| {
        let path = client.world.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let missing = client.world.path().join("missing.pem");
    let empty = file("empty.pem", "no PEM\n");
    let pkcs8 =
        file("8.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let pkcs1 = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n";
    let pkcs1 = file("1.pem", &format!("{pkcs1}-----END RSA PRIVATE KEY-----\n"));
    let other = ClientWorld::new();
    for (certificate, key, shown, wanted) in [
        (&missing, &client.key, &missing, "GIT_SSL_CERT"),
        (&client.certificate, &missing, &missing, "GIT_SSL_KEY"),
        (&empty, &client.key, &empty, "no certificate"),
        (&client.certificate, &empty, &empty, "no private key"),
        (&client.certificate, &pkcs8, &pkcs8, "encrypted"),
        (&client.certificate, &pkcs1, &pkcs1, "encrypted"),
        (&client.certificate, &other.key, &client.certificate, "its key"),
    ] {
        let variables = [("GIT_SSL_CERT", &**certificate), ("GIT_SSL_KEY", &**key)];
        let said = failed(&client.push(&folder, &variables), 2);
        assert!(said.contains(text(shown)) && said.contains(wanted), "{said}");
    }
    let variables = [("GIT_SSL_CERT", &*client.certificate), ("GIT_SSL_CERT_TYPE", Path::new("P12"))];
    let said = failed(&client.push(&folder, &variables), 2);
    assert!(said.contains("GIT_SSL_CERT_TYPE") && said.contains("PEM"), "{said}");
    assert_eq!(client.world.server.requests().len(), 0);
}

/// A certificate for one server is not read for another.
#[test]
fn client_certificate_of_other_server_is_not_used() {
    let (world, ca) = private();
    let folder = world.shallow("w");
    set(&folder, "http.https://git.example.sslCert", "/nowhere");
    ended(&told(&folder, &ca, &[]), 0, "landed");
}
