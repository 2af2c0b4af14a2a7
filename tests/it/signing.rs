//! Signed commits: which key, which program, and the messages if it doesn't work. These tests run gpg and
//! ssh-keygen, so they have a feature: `cargo test --features signing-tests --test it signing::`.
#![cfg(unix)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli;
use crate::support::git::{git, is_signed};
use crate::support::keys::{Agent, GpgHome, SshKeys, public};
use crate::support::repo::{self, API, FILE, commit, ended, failed, kustomization, local, script_at};
use tempfile::TempDir;

/// A repository on this machine in which Ada commits.
struct Local {
    folder: TempDir,
    path: PathBuf,
}

impl Local {
    fn new(settings: &[(&str, &str)]) -> Self {
        let (folder, path) = local();
        commit(&path, FILE, &kustomization(&[API.into()]));
        let local = Local { folder, path };
        settings.iter().for_each(|(key, value)| local.set(key, value));
        local
    }

    /// One that signs with an SSH key.
    fn ssh(key: &str) -> Self {
        Local::new(&[("gpg.format", "ssh"), ("user.signingkey", key)])
    }

    fn set(&self, key: &str, value: &str) {
        git(&self.path, &["config", key, value]);
    }

    fn bump(&self, tag: &str, more: &[&str]) -> Command {
        let mut command = cli::command(&self.path);
        command.args(["bump", &format!("{API}:{tag}"), "--commit", "--format", "json"]).args(more);
        command
    }

    /// `--sign`, with additional environment variables.
    fn sign(&self, environment: &[(&str, &Path)]) -> cli::Run {
        repo::run(self.bump("v1", &["--sign"]).envs(environment.iter().copied()))
    }

    #[track_caller]
    fn signs(&self, environment: &[(&str, &Path)]) {
        let told = ended(&self.sign(environment), 0, "committed");
        assert_eq!(told["warnings"], serde_json::json!([]));
        assert!(is_signed(&self.path, "HEAD"));
        git(&self.path, &["fsck", "--strict"]);
    }

    /// It fails and changes nothing. Returns the message.
    #[track_caller]
    fn refuses(&self, environment: &[(&str, &Path)], exit: i32) -> String {
        let head = git(&self.path, &["rev-parse", "HEAD"]);
        let told = failed(&self.sign(environment), exit);
        assert_eq!(git(&self.path, &["rev-parse", "HEAD"]), head);
        assert_eq!(git(&self.path, &["status", "--porcelain"]), "");
        told
    }

    /// Replaces a program through its setting.
    fn program(&self, setting: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join("program");
        script_at(&path, script);
        self.set(setting, path.to_str().unwrap());
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// Each kind, and whether it works without ssh-keygen.
const KINDS: [(&str, bool); 5] =
    [("ed25519", true), ("ecdsa-256", true), ("ecdsa-384", true), ("ecdsa-521", false), ("rsa-2048", false)];

#[test]
fn ssh_key_files_sign_commits() {
    let keys = SshKeys::new();
    for (kind, _) in KINDS {
        let local = Local::ssh(keys.make(kind, "").to_str().unwrap());
        local.signs(&[]);
        keys.verify(&local.path, "HEAD");
    }
}

/// As in the container image.
#[test]
fn ssh_key_files_sign_commits_without_ssh_keygen() {
    let keys = SshKeys::new();
    for (kind, alone) in KINDS {
        let local = Local::ssh(keys.make(kind, "").to_str().unwrap());
        let nothing = [("PATH", Path::new("/nowhere"))];
        if alone {
            local.signs(&nothing);
            keys.verify(&local.path, "HEAD");
        } else {
            let told = local.refuses(&nothing, 2);
            assert!(told.contains("ssh-keygen was not found") && told.contains("kind"), "{told}");
        }
    }
}

#[test]
fn key_file_is_found_below_home_or_work_tree() {
    let keys = SshKeys::new();
    let key = keys.make("ed25519", "");
    let name = key.file_name().unwrap().to_str().unwrap();
    let local = Local::ssh(&format!("~/{name}"));
    local.signs(&[("HOME", key.parent().unwrap())]);
    keys.verify(&local.path, "HEAD");
    let local = Local::ssh("../key");
    std::fs::copy(&key, local.folder.path().join("key")).unwrap();
    std::fs::create_dir(local.path.join("sub")).unwrap();
    let mut command = local.bump("v1", &["--sign", "-C", ".."]);
    ended(&repo::run(command.current_dir(local.path.join("sub"))), 0, "committed");
    keys.verify(&local.path, "HEAD");
}

/// A public key's file and the public key itself both refer to a key in an agent.
#[test]
fn keys_of_agent_sign_commits() {
    let keys = SshKeys::new();
    let key = keys.make("ed25519", "");
    let agent = Agent::with(&key);
    let socket = agent.socket();
    let open = ("SSH_AUTH_SOCK", socket.as_path());
    let moved = key.with_file_name("moved.pub");
    std::fs::write(&moved, public(&key)).unwrap();
    let literal = public(&key);
    for setting in [moved.to_str().unwrap(), &literal, &format!("key::{literal}")] {
        let local = Local::ssh(setting);
        local.signs(&[open]);
        keys.verify(&local.path, "HEAD");
    }
    let told = Local::ssh(&format!("key::{literal}")).refuses(&[], 1);
    assert!(told.contains("ssh-agent") && told.contains("ssh-add"), "{told}");
    let other = keys.make("rsa-2048", "");
    let told = Local::ssh(&public(&other)).refuses(&[open], 1);
    assert!(told.contains("ssh-add"), "{told}");
}

#[test]
fn ecdsa_key_of_agent_signs_commits() {
    let keys = SshKeys::new();
    let key = keys.make("ecdsa-256", "");
    let agent = Agent::with(&key);
    let local = Local::ssh(&format!("key::{}", public(&key)));
    local.signs(&[("SSH_AUTH_SOCK", &agent.socket())]);
    keys.verify(&local.path, "HEAD");
}

#[test]
fn first_key_that_command_prints_signs_commits() {
    let keys = SshKeys::new();
    let key = keys.make("ed25519", "");
    let agent = Agent::with(&key);
    let socket = agent.socket();
    let open = ("SSH_AUTH_SOCK", socket.as_path());
    let local = Local::new(&[("gpg.format", "ssh"), ("gpg.ssh.defaultKeyCommand", "ssh-add -L")]);
    local.signs(&[open]);
    keys.verify(&local.path, "HEAD");
    // it isn't run through a shell, as in git
    let local =
        Local::new(&[("gpg.format", "ssh"), ("gpg.ssh.defaultKeyCommand", "ssh-add -L; touch ../mark")]);
    local.refuses(&[open], 2);
    assert!(!local.folder.path().join("mark").exists());
    for (command, word) in [
        ("true", "its output is not a key"),
        ("false", "provides no key"),
        ("/nowhere/x", "not found"),
        ("'", "quote"),
    ] {
        let local = Local::new(&[("gpg.format", "ssh"), ("gpg.ssh.defaultKeyCommand", command)]);
        let told = local.refuses(&[open], 2);
        assert!(told.contains("gpg.ssh.defaultKeyCommand") && told.contains(word), "{command}: {told}");
    }
}

/// The agent has the decrypted key; without an agent, nobody is asked, and nothing waits.
#[test]
fn key_with_passphrase_signs_when_agent_has_it() {
    let keys = SshKeys::new();
    let key = keys.make("ed25519", "open sesame");
    let plain = key.with_file_name("plain");
    std::fs::copy(&key, &plain).unwrap();
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-p", "-P", "open sesame", "-N", "", "-f"]).arg(&plain);
    assert!(command.output().unwrap().status.success());
    let agent = Agent::with(&plain);
    let local = Local::ssh(key.to_str().unwrap());
    let told = local.refuses(&[], 1);
    assert!(told.contains("passphrase") && told.contains("ssh-add"), "{told}");
    local.signs(&[("SSH_AUTH_SOCK", &agent.socket())]);
    keys.verify(&local.path, "HEAD");
}

#[test]
fn key_with_passphrase_signs_when_askpass_knows_it() {
    let keys = SshKeys::new();
    let key = keys.make("ed25519", "sesame");
    let local = Local::ssh(key.to_str().unwrap());
    let askpass = local.folder.path().join("askpass");
    script_at(&askpass, "echo sesame");
    local.signs(&[("SSH_ASKPASS", &askpass), ("SSH_ASKPASS_REQUIRE", Path::new("force"))]);
    keys.verify(&local.path, "HEAD");
}

#[test]
fn invalid_ssh_keys_are_refused() {
    let keys = SshKeys::new();
    let local = Local::new(&[("gpg.format", "ssh")]);
    assert!(local.refuses(&[], 2).contains("user.signingkey is not set"));
    let local = Local::ssh("/nowhere/key");
    let told = local.refuses(&[], 2);
    assert!(told.contains("/nowhere/key") && told.contains("no such file"), "{told}");
    assert!(Local::ssh("/").refuses(&[], 2).contains("not a regular file"));
    let key = keys.make("ed25519", "");
    let text = std::fs::read_to_string(&key).unwrap();
    let secret = text.lines().nth(3).unwrap();
    let damaged = key.with_file_name("damaged");
    std::fs::copy(&key, &damaged).unwrap();
    std::fs::write(&damaged, text.replacen(secret, &secret.replace(char::is_alphabetic, "A"), 1)).unwrap();
    let told = Local::ssh(damaged.to_str().unwrap()).refuses(&[], 1);
    assert!(told.contains("damaged") && !told.contains(&secret[..20]), "{told}");
    std::fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    let told = Local::ssh(key.to_str().unwrap()).refuses(&[], 1);
    assert!(told.contains("too open") && told.contains("chmod 600"), "{told}");
}

/// It gets the environment that git would give it, and no tokens.
#[test]
fn program_signs_in_place_of_ssh_keygen() {
    let keys = SshKeys::new();
    let key = keys.make("ed25519", "");
    let local = Local::ssh(key.to_str().unwrap());
    let (arguments, variables) = ("\"$(dirname \"$0\")/arguments\"", "\"$(dirname \"$0\")/variables\"");
    let script = format!("echo \"$@\" > {arguments}; env > {variables}; exec ssh-keygen \"$@\"");
    local.program("gpg.ssh.program", &script);
    let token = Path::new("s3cret-t0ken");
    local.signs(&[("TAGBUMP_TOKEN", token), ("GITHUB_TOKEN", token), ("GH_TOKEN", token), ("KEPT", token)]);
    let wanted = format!("-Y sign -n git -f {} ", key.display());
    assert!(local.read("arguments").starts_with(&wanted), "{}", local.read("arguments"));
    let holders: Vec<_> =
        local.read("variables").lines().filter(|l| l.contains("s3cret")).map(str::to_owned).collect();
    assert_eq!(holders, ["KEPT=s3cret-t0ken"]);
    keys.verify(&local.path, "HEAD");
    local.program("gpg.ssh.program", "echo 'no such luck' >&2; exit 3");
    git(&local.path, &["reset", "--quiet", "--hard", "HEAD^"]);
    assert!(local.refuses(&[], 1).contains("no such luck"));
}

#[test]
fn key_of_committer_in_gnupg_signs_commits() {
    let home = GpgHome::new();
    let at = [("GNUPGHOME", home.path())];
    let local = Local::new(&[]);
    local.signs(&at);
    home.verify(&local.path, "HEAD");
    home.make("Grace <grace@example.com>", "");
    let local = Local::new(&[("user.email", "grace@example.com"), ("user.signingkey", "ada@example.com")]);
    local.signs(&at);
    home.verify(&local.path, "HEAD");
}

#[test]
fn signing_fails_when_gnupg_lacks_key() {
    let home = GpgHome::new();
    let local = Local::new(&[("user.signingkey", "nobody@example.com")]);
    let told = local.refuses(&[("GNUPGHOME", home.path())], 2);
    for word in ["nobody@example.com", "user.signingkey", "No secret key", "gpg --import"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert!(!told.contains("[GNUPG:]"), "{told}");
    let told = Local::new(&[]).refuses(&[("GNUPGHOME", local.folder.path())], 2);
    assert!(told.contains("user.signingkey is not set"), "{told}");
    let told = Local::new(&[]).refuses(&[("PATH", Path::new("/nowhere"))], 2);
    assert!(told.contains("gpg was not found") && told.contains("gpg.program"), "{told}");
}

#[test]
fn signing_fails_when_gnupg_can_not_ask_for_passphrase() {
    let home = GpgHome::new();
    home.make("Grace <grace@example.com>", "sesame");
    home.forget();
    // as on a machine without a program that asks for the passphrase
    std::fs::write(home.path().join("gpg-agent.conf"), "pinentry-program /nowhere/pinentry\n").unwrap();
    let local = Local::new(&[("user.signingkey", "grace@example.com")]);
    let told = local.refuses(&[("GNUPGHOME", home.path())], 1);
    assert!(told.contains("passphrase") && told.contains("gpg-agent"), "{told}");
}

/// It has signed if it says so, whatever its exit code.
#[test]
fn programs_sign_in_place_of_gpg() {
    let home = GpgHome::new();
    let at = [("GNUPGHOME", home.path())];
    let exec = "exec gpg \"$@\"";
    // the last setting counts
    let local = Local::new(&[("gpg.openpgp.program", "/nowhere/gpg")]);
    local.program("gpg.program", exec);
    local.signs(&at);
    let local = Local::new(&[("gpg.program", "/nowhere/gpg")]);
    local.program("gpg.openpgp.program", exec);
    local.signs(&at);
    home.verify(&local.path, "HEAD");
    for (script, word) in [
        ("cat >/dev/null; echo signature", "does not say why"),
        ("cat >/dev/null; echo 'not [GNUPG:] SIG_CREATED ' >&2; echo signature", "not [GNUPG:]"),
        ("echo '[GNUPG:] SIG_CREATED ' >&2", "does not say why"),
        ("echo '[GNUPG:] SIG_CREATED ' >&2; echo signature; exit 2", "does not say why"),
    ] {
        let local = Local::new(&[]);
        local.program("gpg.program", script);
        let told = local.refuses(&[], 1);
        assert!(told.contains(word), "{script}: {told}");
    }
    let local = Local::new(&[]);
    local.set("gpg.program", local.folder.path().to_str().unwrap());
    assert!(local.refuses(&[], 2).contains("can't be started"));
}

/// gpgsm is called in the same way as gpg.
#[test]
fn gpgsm_signs_when_format_is_x509() {
    let local = Local::new(&[("gpg.format", "x509"), ("gpg.program", "/nowhere/gpg")]);
    local.program(
        "gpg.x509.program",
        "echo \"$@\" > \"$(dirname \"$0\")/arguments\"; cat > \"$(dirname \"$0\")/input\"\n\
         printf '\\n[GNUPG:] SIG_CREATED D\\n' >&2\n\
         printf -- '-----BEGIN SIGNED MESSAGE-----\\r\\nx\\r\\n-----END SIGNED MESSAGE-----\\r\\n'",
    );
    local.signs(&[]);
    assert_eq!(local.read("arguments"), "--status-fd=2 -bsau Ada <ada@example.com>\n");
    let made = git(&local.path, &["cat-file", "commit", "HEAD"]);
    let signature = "\ngpgsig -----BEGIN SIGNED MESSAGE-----\n x\n -----END SIGNED MESSAGE-----\n";
    assert!(made.contains(signature), "{made}");
    assert_eq!(local.read("input").trim_end(), made.replacen(&signature[1..], "", 1), "what was signed");
    let local = Local::new(&[("gpg.format", "x509")]);
    assert!(local.refuses(&[("PATH", Path::new("/nowhere"))], 2).contains("gpgsm was not found"));
}

#[test]
fn unknown_signing_formats_are_refused() {
    let told = Local::new(&[("gpg.format", "pgp")]).refuses(&[], 2);
    assert!(told.contains("gpg.format") && told.contains("pgp"), "{told}");
}

/// The flag, the variable, and git's own setting, by git's rules.
#[test]
fn signing_follows_flag_variable_and_git_configuration() {
    let keys = SshKeys::new();
    let key = keys.make("ed25519", "");
    let signed = |settings: &[(&str, &str)], environment: &[(&str, &str)], more: &[&str]| {
        let local = Local::ssh(key.to_str().unwrap());
        settings.iter().for_each(|(key, value)| local.set(key, value));
        let mut command = local.bump("v1", more);
        ended(&repo::run(command.envs(environment.iter().copied())), 0, "committed");
        is_signed(&local.path, "HEAD")
    };
    let none: [(&str, &str); 0] = [];
    assert!(!signed(&none, &none, &[]));
    assert!(signed(&none, &none, &["--sign"]));
    assert!(signed(&none, &[("TAGBUMP_SIGN", "true")], &[]));
    assert!(!signed(&none, &[("TAGBUMP_SIGN", "false")], &[]));
    for (value, wanted) in
        [("true", true), ("yes", true), ("1", true), ("false", false), ("off", false), ("", false)]
    {
        assert_eq!(signed(&[("commit.gpgsign", value)], &none, &[]), wanted, "{value}");
        assert!(signed(&[("commit.gpgsign", value)], &none, &["--sign"]), "{value}");
    }
    let given =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "commit.gpgsign"), ("GIT_CONFIG_VALUE_0", "true")];
    assert!(signed(&none, &given, &[]));
    let local = Local::new(&[("commit.gpgsign", "maybe")]);
    assert!(failed(&repo::run(&mut local.bump("v1", &[])), 2).contains("commit.gpgsign"));
}

/// A dry run, a run with nothing to do, and one that only edits files.
#[test]
fn nothing_is_signed_when_nothing_is_committed() {
    let local = Local::new(&[("commit.gpgsign", "true")]);
    local.program("gpg.program", "touch \"$(dirname \"$0\")/mark\"; exit 1");
    ended(&repo::run(&mut local.bump("v1", &["--sign", "--dry-run"])), 0, "planned");
    ended(&repo::run(&mut local.bump("v0", &["--sign"])), 0, "already");
    let mut command = cli::command(&local.path);
    command.args(["bump", &format!("{API}:v1"), "--sign", "--format", "json"]);
    ended(&repo::run(&mut command), 0, "edited");
    assert!(!local.folder.path().join("mark").exists());
}
