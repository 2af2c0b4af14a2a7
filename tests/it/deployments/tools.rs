//! The programs that deploy: helm, kustomize and docker-compose, of one or more sets of versions.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Folders, as in `PATH`, each with a set of the programs; where it is not set, those on `PATH` are one set.
const FOLDERS: &str = "DEPLOYMENT_TOOLS";

/// What a program prints, or what it says is wrong.
pub type Printed = Result<String, String>;

/// One set of programs.
pub struct Tools {
    helm: PathBuf,
    /// The helm that kustomize runs.
    kustomize_helm: PathBuf,
    /// `kustomize`, or `kubectl`, which has it as a subcommand.
    kustomize: PathBuf,
    compose: PathBuf,
}

impl Tools {
    /// Every set there is. A set that is not whole fails the test: nothing is left out.
    pub fn all() -> Vec<Tools> {
        let folders = |name| std::env::var_os(name).map(|list| std::env::split_paths(&list).collect());
        let sets: Vec<Vec<PathBuf>> = match folders(FOLDERS) {
            Some(folders) => Vec::into_iter(folders).map(|folder| vec![folder]).collect(),
            None => vec![folders("PATH").unwrap_or_default()],
        };
        // kustomize can't run helm 4, so every set's runs the oldest
        let oldest = find(sets.last().unwrap(), &["helm"]);
        sets.iter().map(|folders| Tools::of(folders, &oldest)).collect()
    }

    fn of(folders: &[PathBuf], oldest_helm: &Path) -> Tools {
        Tools {
            helm: find(folders, &["helm"]),
            kustomize_helm: oldest_helm.to_owned(),
            kustomize: find(folders, &["kustomize", "kubectl"]),
            compose: find(folders, &["docker-compose"]),
        }
    }

    /// Which set it is, for messages.
    pub fn label(&self) -> String {
        self.helm.parent().unwrap().display().to_string()
    }

    pub fn helm(&self, folder: &Path, arguments: &[&str]) -> Printed {
        run(&self.helm, folder, arguments)
    }

    pub fn kustomize(&self, folder: &Path, below: &str) -> Printed {
        let is_kubectl = self.kustomize.ends_with("kubectl");
        let helm = self.kustomize_helm.to_str().unwrap();
        let command = if is_kubectl { "kustomize" } else { "build" };
        run(&self.kustomize, folder, &[command, below, "--enable-helm", "--helm-command", helm])
    }

    pub fn compose(&self, folder: &Path, arguments: &[&str]) -> Printed {
        // paths as they are written, not those of this machine
        run(&self.compose, folder, &[arguments, &["--no-path-resolution"]].concat())
    }

    /// Documents as Go's readers take them, see the chart `reader`.
    pub fn read(&self, documents: &[String]) -> Result<Vec<Value>, String> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), documents.join("---\n")).unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/deployments");
        let stream = format!("stream={}", file.path().display());
        let printed = self.helm(&here, &["template", "read", "reader", "--set-file", &stream])?;
        let json = printed.lines().filter(|line| line.starts_with('{'));
        let read: Vec<Value> = json.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.len(), documents.len(), "{printed}");
        match read.iter().find_map(|value| value["Error"].as_str()) {
            Some(error) => Err(error.to_owned()),
            None => Ok(read),
        }
    }
}

fn find(folders: &[PathBuf], names: &[&str]) -> PathBuf {
    let mut all = folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    all.find(|path| path.is_file()).unwrap_or_else(|| {
        let looked = std::env::join_paths(folders).unwrap_or_default();
        panic!(
            "no {} in {looked:?}: `.ci/run deployments` installs it; {FOLDERS} says where it is",
            names.join(" or ")
        )
    })
}

/// Runs a program away from the settings and clusters of whoever runs the tests.
fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Printed {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty-home");
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).env_clear().env("HOME", home).stdin(Stdio::null());
    // it ends before it pays to collect garbage, or to have a thread for each processor
    command.env("GOGC", "off").env("GOMAXPROCS", "1");
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let name = program.file_name().unwrap().display();
    Err(format!("{name} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}
