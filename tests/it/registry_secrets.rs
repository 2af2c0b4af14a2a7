//! What is sent to registries, and what they send back, stays secret. Files of credentials are in `src/registry`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::support::git_server::{ServerCertificate, Tls};
use crate::support::proxy::Proxy;
use crate::support::registry::{Asked, FakeRegistry, Told};
use crate::support::verify::{PASSWORD, auth, bump, folder, has_tag, run};

/// A registry with a token server of its own.
fn with_token_server(asked: &Asked, _: usize) -> Told {
    let challenge = format!(r#"Bearer realm="http://{}/token",service="reg""#, asked.host);
    match asked.authorization.as_deref() {
        Some(basic) if asked.path.starts_with("/token") && basic.starts_with("Basic ") => {
            Told::body(r#"{"token": "t0ken-1", "refresh_token": "t0ken-2"}"#)
        }
        Some("Bearer t0ken-1") => has_tag(asked),
        _ => Told::status(401).with("WWW-Authenticate", challenge),
    }
}

#[test]
fn runner_hides_everything_that_was_sent_or_received() {
    let registry = FakeRegistry::start(with_token_server);
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let ask = |in_actions: bool| {
        let mut command = bump(folder.path(), &[&format!("{image}:v2"), "--verify", "-v", "--dry-run"]);
        command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
        if in_actions {
            command.env("GITHUB_ACTIONS", "true");
        }
        let (run, _) = run(command);
        assert_eq!(run.exit, 0, "{run:?}");
        run
    };
    let encoded = BASE64_STANDARD.encode(format!("ada:{PASSWORD}"));
    let secrets = [PASSWORD, &encoded, "t0ken-1", "t0ken-2"];
    let in_job = ask(true);
    for secret in secrets {
        assert!(in_job.stderr.lines().any(|line| line == format!("::add-mask::{secret}")), "{in_job:?}");
    }
    let (masks, rest): (Vec<_>, Vec<_>) =
        in_job.stderr.lines().partition(|line| line.starts_with("::add-mask::"));
    let first_of_the_rest = in_job.stderr.lines().position(|line| !line.starts_with("::add-mask::"));
    assert!(first_of_the_rest.is_none_or(|at| at == masks.len()), "masks come first: {in_job:?}");
    let shown = format!("{}{}", in_job.stdout, rest.join("\n"));
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{in_job:?}");
    let elsewhere = ask(false);
    assert!(secrets.iter().all(|secret| !elsewhere.output().contains(secret)), "{elsewhere:?}");
}

#[test]
fn secret_that_a_registry_repeats_is_not_shown() {
    // in an address that the error names
    let registry = FakeRegistry::start(|asked, _| match &asked.authorization {
        None => Told::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        Some(_) => {
            let realm = format!("Bearer realm=\"http://{PASSWORD}.example/token\"");
            Told { body: PASSWORD.into(), ..Told::status(401) }.with("WWW-Authenticate", realm)
        }
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    for how in ["--verify", "--verify=warn"] {
        let mut command =
            bump(folder.path(), &[&format!("{image}:v2"), how, "--verify-timeout", "5s", "--dry-run", "-v"]);
        command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, PASSWORD));
        let (run, json) = run(command);
        let said = format!("{}{}", json["error"]["message"], json["warnings"]);
        assert!(said.contains("http://***.example"), "the address is named: {run:?}");
        assert!(!run.output().contains(PASSWORD), "{run:?}");
    }
}

/// What every program on this machine was started with.
#[cfg(target_os = "linux")]
fn command_lines() -> String {
    let processes = std::fs::read_dir("/proc").unwrap().map(Result::unwrap);
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect::<Vec<_>>().join("\n")
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_has_a_credential_in_its_arguments() {
    let password = format!("pass-word-{}", fastrand::u64(..));
    let encoded = BASE64_STANDARD.encode(format!("ada:{password}"));
    let registry = FakeRegistry::start({
        let secrets = [password.clone(), encoded];
        move |asked, _| {
            let lines = command_lines();
            let is_listed = secrets.iter().any(|secret| lines.contains(secret));
            match asked.authorization {
                Some(_) if !is_listed && lines.contains("/tagbump bump") => has_tag(asked),
                Some(_) => Told::status(404),
                None => Told::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
            }
        }
    });
    let image = registry.image("acme/api");
    let folder = folder(&image);
    let mut command = bump(folder.path(), &[&format!("{image}:v2"), "--verify", "--verify-timeout", "5s"]);
    command.env("DOCKER_AUTH_CONFIG", auth(&registry.host, &password));
    let (run, _) = run(command);
    assert_eq!(run.exit, 0, "{run:?}");
}

#[test]
fn job_token_goes_to_ghcr_io_from_github_and_never_from_gitea() {
    let certificate = ServerCertificate::self_signed(|params| {
        params.subject_alt_names =
            rcgen::CertificateParams::new(["ghcr.io".to_owned()]).unwrap().subject_alt_names;
    });
    let tls = Tls::new(Some(certificate), None);
    let trusted = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trusted.path(), &tls.ca_pem).unwrap();
    // as ghcr.io: the token server is on the same host
    let registry = FakeRegistry::with_tls(tls, |asked, _| {
        let challenge = r#"Bearer realm="https://ghcr.io/token",service="ghcr.io""#;
        match asked.authorization.as_deref() {
            _ if asked.path.starts_with("/token") => Told::body(r#"{"token": "t0ken-1"}"#),
            Some("Bearer t0ken-1") => has_tag(asked),
            _ => Told::status(401).with("WWW-Authenticate", challenge),
        }
    });
    let proxy = Proxy::tunnelling_to(&registry.host);
    let folder = folder("ghcr.io/acme/api");
    let job = |variables: &[(&str, &str)]| {
        let before = registry.asked().len();
        let mut command = bump(folder.path(), &["ghcr.io/acme/api:v2", "--verify", "--dry-run"]);
        command.env("HTTPS_PROXY", proxy.url()).env("SSL_CERT_FILE", trusted.path());
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_TOKEN", "job-token-1");
        command.envs(variables.iter().copied());
        let (run, _) = run(command);
        assert_eq!(run.exit, 0, "{run:?}");
        let asked = registry.asked().split_off(before);
        let token = asked.into_iter().find(|asked| asked.path.starts_with("/token"));
        token.expect("the token server was asked").authorization
    };
    let github = ("GITHUB_SERVER_URL", "https://github.com");
    let sent = format!("Basic {}", BASE64_STANDARD.encode("x-access-token:job-token-1"));
    assert_eq!(job(&[github]), Some(sent), "a job of github.com");
    for (name, variables) in [
        ("Gitea", &[("GITEA_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://gitea.example")][..]),
        ("Gitea that mirrors github.com's variables", &[("GITEA_ACTIONS", "true"), github]),
        ("Forgejo", &[("FORGEJO_ACTIONS", "true"), github]),
        ("GitHub Enterprise Server", &[("GITHUB_SERVER_URL", "https://github.example")]),
        ("a laptop", &[]),
    ] {
        assert_eq!(job(variables), None, "{name}");
    }
    assert!(proxy.tunnels().iter().all(|tunnel| tunnel.to == "ghcr.io:443"));
}
