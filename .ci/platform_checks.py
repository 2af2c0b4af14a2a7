"""What tagbump must do on every platform: edit, commit and push. For .ci/platforms, which builds the binaries.

    python3 .ci/platform_checks.py PLATFORM COMMAND...

COMMAND starts tagbump: the binary, or an emulator and the binary. PLATFORM is native, linux-arm64, or windows-x64,
where wine runs the binary in the prefix WINEPREFIX, and finds git in WINEPATH. Needs python3, git and openssl. All
servers are on loopback.
"""
import base64
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback
import urllib.parse

from git_server import GitServer, certificates

NAME = "ghcr.io/acme/api"
KUSTOMIZATION = """apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
images:
  - name: ghcr.io/acme/api
    newTag: main-1 # deployed by CI
"""
VALUES = """image:
  repository: ghcr.io/acme/api
  tag: "main-1"
"""
CHART = "apiVersion: v2\nname: NAME\nversion: 0.1.0\n"
FILES = {
    "apps/api/kustomization.yaml": KUSTOMIZATION,
    "apps/api/values.yaml": VALUES,
    "apps/api/Chart.yaml": CHART.replace("NAME", "api"),
    "apps/web/values.yaml": VALUES,
    "apps/web/Chart.yaml": CHART.replace("NAME", "web"),
}
IMAGES = {"apps/api/kustomization.yaml", "apps/api/values.yaml", "apps/web/values.yaml"}
FOREIGN = ("CI_", "GIT_", "GITHUB_", "TAGBUMP", "XDG_", "SSL_CERT_")
IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.com\n"


class Failed(Exception):
    pass


class Run:
    def __init__(self, done):
        self.exit = done.returncode
        self.out, self.err = (text.decode(errors="replace").replace("\r\n", "\n") for text in (done.stdout, done.stderr))

    def __str__(self):
        return "exit %d\n%s%s" % (self.exit, self.out, self.err)

    def report(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise Failed("no JSON on standard output: %s" % self) from None


class Machine:
    """The platform that tagbump runs on."""

    def __init__(self, name, command, scratch):
        self.windows, self.command = name.startswith("windows"), command
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        self.git_environment = self.environment | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Grace",
            "GIT_AUTHOR_EMAIL": "grace@example.com",
            "GIT_COMMITTER_NAME": "Grace",
            "GIT_COMMITTER_EMAIL": "grace@example.com",
        }
        if self.windows:
            self.environment |= {"WINEDEBUG": "-all"}
            self.home = self.profile()
            self.temporary = self.home / "Temp"
        else:
            self.home, self.temporary = scratch / "home", scratch / "tmp"
            self.home.mkdir()
            self.environment |= {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()
        (self.home / ".gitconfig").write_text(IDENTITY)

    def profile(self):
        """Where Windows has the user's files (USERPROFILE)."""
        found = subprocess.run(
            [self.command[0], "cmd", "/c", "echo %USERPROFILE%"], env=self.environment, capture_output=True, check=True
        )
        drive, _, path = found.stdout.decode().strip().partition(":")
        return pathlib.Path(os.environ["WINEPREFIX"], "dosdevices", drive.lower() + ":", path.strip("\\").replace("\\", "/"))

    def path(self, path):
        """A path as a person writes it on this platform; `path` is absolute, or has no drive."""
        path = str(path)
        if not self.windows:
            return path
        return ("Z:" if path.startswith("/") else "") + path.replace("/", "\\")

    def tagbump(self, folder, *arguments, **variables):
        done = subprocess.run(
            self.command + list(arguments),
            cwd=folder,
            env=self.environment | variables,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )
        return Run(done)

    def bump(self, folder, tag, *arguments, **variables):
        return self.tagbump(folder, "bump", "%s:%s" % (NAME, tag), "--format", "json", *arguments, **variables)

    def git(self, folder, *arguments):
        done = subprocess.run(("git",) + arguments, cwd=folder, env=self.git_environment, capture_output=True)
        if done.returncode:
            raise Failed("git %s: %s" % (" ".join(arguments), done.stderr.decode()))
        return done.stdout.decode()


class World:
    """A repository on a server, and a checkout of it."""

    def __init__(self, machine, folder, files=None):
        self.machine, self.folder = machine, folder
        self.bare, self.work = folder / "srv/acme/gitops.git", folder / "work"
        machine.git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        machine.git(self.bare, "config", "http.receivepack", "true")
        machine.git(folder, "clone", "--quiet", str(self.bare), "work")
        machine.git(self.work, "checkout", "--quiet", "-B", "main")
        for path, text in (files or FILES).items():
            write(self.work / path, text)
        machine.git(self.work, "add", "--all")
        machine.git(self.work, "commit", "--quiet", "--message", "base")
        machine.git(self.work, "push", "--quiet", "--set-upstream", "origin", "main")

    def serve(self, **how):
        server = GitServer(self.folder / "srv", self.machine.git_environment, **how)
        self.machine.git(self.work, "remote", "set-url", "origin", server.url + "/acme/gitops.git")
        return server

    def landed(self, path):
        return self.machine.git(self.bare, "show", "main:" + path)

    def commits(self):
        return self.machine.git(self.bare, "log", "--format=%an <%ae> %s", "main").splitlines()

    def rival(self):
        """Someone else's commit, which the checkout lacks."""
        git, tree = self.machine.git, "main^{tree}"
        made = git(self.bare, "commit-tree", "-p", "main", "-m", "another push", tree).strip()
        git(self.bare, "update-ref", "refs/heads/main", made)

    def status(self):
        return self.machine.git(self.work, "status", "--porcelain")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def equal(found, wanted, what, run=None):
    if found != wanted:
        raise Failed("%s: %r instead of %r%s" % (what, found, wanted, "\n%s" % run if run else ""))


def bumped(text, tag="main-2"):
    return text.replace("main-1", tag)


def changed(run, wanted):
    """The files that a run changed, or would change."""
    return {change["file"] for change in outcome(run, wanted)["changes"]}


def outcome(run, wanted, exit_code=0):
    equal(run.exit, exit_code, "exit code", run)
    report = run.report()
    equal(report["outcome"], wanted, "outcome", run)
    return report


# The checks. Each gets the machine and an empty folder.


def check_edit(machine, folder):
    """Without git: the bytes of the tag and nothing else; paths in reports have slashes everywhere."""
    for path, text in FILES.items():
        write(folder / path, text)
    equal(changed(machine.bump(folder, "main-2"), "edited"), IMAGES, "paths")
    for path, text in FILES.items():
        equal((folder / path).read_bytes(), bumped(text).encode(), path)


def check_modes(machine, folder):
    """A replaced file keeps its mode; one that is read-only is replaced too, and stays read-only."""
    for path in ("run.yaml", "read-only.yaml"):
        write(folder / path, KUSTOMIZATION)
    (folder / "run.yaml").chmod(0o755)
    (folder / "read-only.yaml").chmod(0o444)
    outcome(machine.bump(folder, "main-2", "-f", "run.yaml", "-f", "read-only.yaml"), "edited")
    for path, mode in (("run.yaml", 0o755), ("read-only.yaml", 0o444)):
        equal((folder / path).read_text(), bumped(KUSTOMIZATION), path)
        found = stat.S_IMODE((folder / path).stat().st_mode)
        if machine.windows:  # there is only one bit, and it is of the owner
            mode, found = mode & 0o200, found & 0o200
        equal(oct(found), oct(mode), "mode of " + path)


def check_crlf(machine, folder):
    """CRLF stays CRLF."""
    text = KUSTOMIZATION.replace("\n", "\r\n")
    write(folder / "kustomization.yaml", text)
    outcome(machine.bump(folder, "main-2"), "edited")
    equal((folder / "kustomization.yaml").read_bytes(), bumped(text).encode(), "file")


def check_autocrlf(machine, folder):
    """In a checkout with CRLF files, a commit has LF, as git makes it."""
    world = World(machine, folder)
    machine.git(world.work, "config", "core.autocrlf", "true")
    machine.git(world.work, "rm", "--quiet", "--cached", "-r", ".")
    machine.git(world.work, "reset", "--quiet", "--hard")
    path = world.work / "apps/api/kustomization.yaml"
    equal(path.read_bytes(), KUSTOMIZATION.replace("\n", "\r\n").encode(), "checkout")
    outcome(machine.bump(world.work, "main-2", "--commit"), "committed")
    equal(path.read_bytes(), bumped(KUSTOMIZATION).replace("\n", "\r\n").encode(), "file")
    equal(machine.git(world.work, "show", "HEAD:apps/api/kustomization.yaml"), bumped(KUSTOMIZATION), "commit")
    equal(world.status(), "", "git status")
    with world.serve():
        outcome(machine.bump(world.work, "main-3", "--push", "--carry"), "landed")
    equal(world.landed("apps/api/kustomization.yaml"), bumped(KUSTOMIZATION, "main-3"), "landed file")
    equal(path.read_bytes(), bumped(KUSTOMIZATION, "main-3").replace("\n", "\r\n").encode(), "file after landing")
    equal(world.status(), "", "git status after landing")


def check_commit(machine, folder):
    """A commit by the user in the home folder's .gitconfig."""
    world = World(machine, folder)
    outcome(machine.bump(world.work, "main-2", "--commit"), "committed")
    equal(machine.git(world.work, "log", "-1", "--format=%an <%ae>").strip(), "Ada <ada@example.com>", "author")
    equal(machine.git(world.work, "show", "HEAD:apps/api/values.yaml"), bumped(VALUES), "file")
    equal(world.status(), "", "git status")


def check_push(machine, folder):
    """Lands on top of a commit that the checkout lacks, and brings the checkout up to date."""
    world = World(machine, folder)
    world.rival()
    with world.serve():
        run = machine.bump(world.work, "main-2", "--push")
    outcome(run, "landed")
    equal(world.landed("apps/api/values.yaml"), bumped(VALUES), "landed file", run)
    equal([line.split(">")[0] + ">" for line in world.commits()[:2]], ["Ada <ada@example.com>", "Grace <grace@example.com>"], "authors")
    equal((world.work / "apps/api/values.yaml").read_bytes(), bumped(VALUES).encode(), "file in the checkout", run)
    heads = [machine.git(where, "rev-parse", "main") for where in (world.work, world.bare)]
    equal(heads[0], heads[1], "the checkout's commit", run)
    equal(world.status(), "", "git status")
    with world.serve():
        outcome(machine.bump(world.work, "main-2", "--push"), "already")


def check_push_without_checkout(machine, folder):
    """A URL in place of a checkout."""
    world = World(machine, folder)
    (folder / "empty").mkdir()
    with world.serve() as server:
        run = machine.bump(folder / "empty", "main-2", "--push", "-C", server.url + "/acme/gitops.git")
    outcome(run, "landed")
    equal(world.landed("apps/web/values.yaml"), bumped(VALUES), "landed file")


def check_https(machine, folder):
    """TLS with a CA from ~/, and a token."""
    world = World(machine, folder)
    ca, certificate = certificates(folder)
    shutil.copy(ca, machine.home / "ca.pem")
    machine.git(world.work, "config", "http.sslCAInfo", "~/ca.pem")
    with world.serve(token="secret-token", certificate=certificate):
        refused = machine.bump(world.work, "main-2", "--push")
        equal(refused.exit, 5, "exit code without a token", refused)
        run = machine.bump(world.work, "main-2", "--push", TAGBUMP_TOKEN="secret-token")
    outcome(run, "landed")
    equal(world.landed("apps/api/values.yaml"), bumped(VALUES), "landed file")


def check_masking(machine, folder):
    """A server that repeats the token, however it spells it. The libraries of a release differ from those of the tests."""
    token = "s3cr/t+T0k&n" * 4
    spellings = [
        token,
        urllib.parse.quote(token, safe=""),
        "".join("%%%02x" % ord(letter) for letter in token),
        token.replace("/", "\\/"),
        "".join("\\u%04X" % ord(letter) for letter in token),
        token.replace("&", "&amp;"),
        base64.b64encode(token.encode()).decode(),
    ]
    world = World(machine, folder)
    for spelling in spellings:
        with world.serve(token=token, refusal="you may not push with %s here" % spelling):
            run = machine.bump(world.work, "main-2", "--push", TAGBUMP_TOKEN=token)
        equal(run.exit, 5, "exit code", run)
        equal("you may not push with ***" in run.out + run.err, True, "masked words", run)


def check_push_to_folder(machine, folder):
    """A remote that is a folder, by every spelling of its path; git serves it."""
    world = World(machine, folder)
    spellings = [machine.path(world.bare), "../srv/acme/gitops.git", machine.path("../srv/acme/gitops.git")]
    if machine.windows:
        spellings += ["Z:" + str(world.bare), "file:///Z:" + str(world.bare)]
    else:
        spellings += ["file://" + str(world.bare)]
    for nth, spelling in enumerate(spellings):
        machine.git(world.work, "remote", "set-url", "origin", spelling)
        tag = "main-%d" % (nth + 2)
        run = machine.bump(world.work, tag, "--push")
        if run.exit:
            raise Failed("%s: %s" % (spelling, run))
        equal(world.landed("apps/api/values.yaml"), bumped(VALUES, tag), spelling, run)


def check_selections(machine, folder):
    """Paths and patterns with the platform's separator."""
    path = machine.path
    cases = [
        (["-f", path("apps/api/values.yaml")], {"apps/api/values.yaml"}),
        (["-f", path("./apps/web/values.yaml")], {"apps/web/values.yaml"}),
        (["-f", path("apps/api")], {"apps/api/kustomization.yaml", "apps/api/values.yaml"}),
        (["-f", path("apps/api/")], {"apps/api/kustomization.yaml", "apps/api/values.yaml"}),
        (["-f", path("apps/*/values.yaml")], {"apps/api/values.yaml", "apps/web/values.yaml"}),
        (["-f", path("**/kustomization.yaml")], {"apps/api/kustomization.yaml"}),
        (["-f", "apps/{api,web}/values.yaml"], {"apps/api/values.yaml", "apps/web/values.yaml"}),
        (["-C", path("apps/api"), "-f", "values.yaml"], {"values.yaml"}),
        (["-C", path(folder / "work/apps/web")], {"values.yaml"}),
    ]
    world = World(machine, folder)
    for nth, (arguments, wanted) in enumerate(cases):
        run = machine.bump(world.work, "main-%d" % (nth + 2), *arguments, "--dry-run")
        equal(changed(run, "planned"), wanted, " ".join(arguments), run)
    for nth, arguments in enumerate((["-C", path("apps/api")], ["-C", path(folder / "work/apps/web")])):
        with world.serve():
            run = machine.bump(world.work, "main-%d" % (nth + 20), *arguments, "--push")
        outcome(run, "landed")
    equal(world.landed("apps/api/kustomization.yaml"), bumped(KUSTOMIZATION, "main-20"), "landed from a subfolder")
    equal(world.landed("apps/web/values.yaml"), bumped(VALUES, "main-21"), "landed from a subfolder by its full path")


def check_outside(machine, folder):
    """Paths out of the root are refused in words, however they are spelt."""
    write(folder / "work/values.yaml", VALUES)
    write(folder / "secret.yaml", VALUES)
    spellings = [machine.path("../secret.yaml"), machine.path(folder / "secret.yaml"), machine.path(".git/config")]
    if machine.windows:
        spellings += ["Z:" + str(folder / "secret.yaml"), "C:secret.yaml", "values.yaml:stream", r"\\?\Z:\secret.yaml"]
    for spelling in spellings:
        run = machine.bump(folder / "work", "main-2", "-f", spelling)
        equal(run.exit, 2, "exit code for " + spelling, run)
    equal((folder / "secret.yaml").read_text(), VALUES, "the file outside")


def check_configuration(machine, folder):
    """tagbump.yaml, whose paths have slashes, and `init`, which writes it without replacing anything."""
    world = World(machine, folder)
    run = machine.tagbump(world.work, "init", "--yes")
    equal(run.exit, 0, "exit code of init", run)
    equal((world.work / "tagbump.yaml").exists(), True, "tagbump.yaml", run)
    before = (world.work / "tagbump.yaml").read_bytes()
    machine.tagbump(world.work, "init", "--yes")
    equal((world.work / "tagbump.yaml").read_bytes(), before, "tagbump.yaml after a second init")
    write(world.work / "tagbump.yaml", "services: { api: { image: ghcr.io/acme/api, files: [apps/web] } }\n")
    run = machine.tagbump(world.work, "bump", "api:main-2", "--format", "json", "--dry-run")
    equal(changed(run, "planned"), {"apps/web/values.yaml"}, "paths")


def check_reading(machine, folder):
    """scan, history and tag."""
    world = World(machine, folder)
    with world.serve():
        outcome(machine.bump(world.work, "main-2", "--push"), "landed")
    scan = machine.tagbump(world.work, "scan", "--format", "json")
    equal(scan.exit, 0, "exit code of scan", scan)
    equal("apps/api/values.yaml" in scan.out, True, "scan's paths", scan)
    history = machine.tagbump(world.work, "history", NAME, "--format", "json")
    equal(history.exit, 0, "exit code of history", history)
    equal("main-2" in history.out and "main-1" in history.out, True, "history's tags", history)
    tag = machine.tagbump(world.work, "tag", "--image", NAME)
    equal((tag.exit, tag.out.startswith(NAME + ":")), (0, True), "tag", tag)


def check_ignored_files(machine, folder):
    """.gitignore, and git's global ignore file in the home folder."""
    world = World(machine, folder)
    write(world.work / ".gitignore", "/build\n")
    write(machine.home / ".config/git/ignore", "*.local.yaml\n")
    for path in ("build/values.yaml", "apps/api.local.yaml"):
        write(world.work / path, KUSTOMIZATION)
    run = machine.bump(world.work, "main-2", "--dry-run")
    shutil.rmtree(machine.home / ".config")
    equal(changed(run, "planned"), IMAGES, "paths", run)


def check_symlinks(machine, folder):
    """A symlink is neither followed nor replaced."""
    write(folder / "outside.yaml", KUSTOMIZATION)
    write(folder / "work/kustomization.yaml", KUSTOMIZATION)
    (folder / "work/link.yaml").symlink_to("../outside.yaml")
    (folder / "work/apps").symlink_to("..")
    equal(changed(machine.bump(folder / "work", "main-2"), "edited"), {"kustomization.yaml"}, "paths")
    equal((folder / "work/link.yaml").is_symlink(), True, "the link")
    equal((folder / "outside.yaml").read_text(), KUSTOMIZATION, "the file outside")


def check_file_in_use(machine, folder):
    """A file that another program holds open is left as it is, and the error says so."""
    write(folder / "kustomization.yaml", KUSTOMIZATION)
    holder = subprocess.Popen(
        [machine.command[0], os.environ["TAGBUMP_HOLDER"], machine.path(folder / "kustomization.yaml")],
        env=machine.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    run = machine.bump(folder, "main-2")
    holder.communicate(b"\n", timeout=60)
    equal(run.exit != 0 and "kustomization.yaml" in run.out + run.err, True, "an error that names the file", run)
    equal((folder / "kustomization.yaml").read_text(), KUSTOMIZATION, "the file")
    equal([path.name for path in folder.iterdir()], ["kustomization.yaml"], "files")


def check_variables(machine, folder):
    """On Windows, variables have no upper and lower case."""
    world = World(machine, folder)
    with world.serve(token="secret-token"):
        run = machine.bump(world.work, "main-2", "--push", git_config_count="1", Git_Config_Key_0="http.extraHeader",
                           GIT_Config_Value_0="Authorization: " + header())
    outcome(run, "landed")


def header():
    from git_server import basic

    return basic("secret-token")


EVERYWHERE = [
    check_edit,
    check_modes,
    check_crlf,
    check_autocrlf,
    check_commit,
    check_push,
    check_push_without_checkout,
    check_https,
    check_masking,
    check_push_to_folder,
    check_selections,
    check_outside,
    check_configuration,
    check_reading,
    check_ignored_files,
]
UNIX = [check_symlinks]  # wine 8 shows a symlink as what it leads to
WINDOWS = [check_file_in_use, check_variables]


def left_behind(machine, folder):
    """What should have been removed: temporary files next to others, and folders for temporary files. Removes the latter."""
    folders = list(machine.temporary.glob("tagbump*"))
    for path in folders:
        shutil.rmtree(path)
    return [str(path) for path in folders + list(folder.rglob(".tagbump-*"))]


def run_check(machine, check, folder):
    name = check.__name__.removeprefix("check_")
    try:
        check(machine, folder)
        equal(left_behind(machine, folder), [], "left behind")
    except Exception as error:  # a check that breaks has failed
        text = str(error) if isinstance(error, Failed) else traceback.format_exc()
        print("FAILED %s: %s" % (name, text), flush=True)
        return False
    print("ok %s" % name, flush=True)
    return True


def main():
    platform, command = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="platform-") as folder:
        scratch = pathlib.Path(folder).resolve()
        machine = Machine(platform, command, scratch)
        version = machine.tagbump(scratch, "--version")
        equal(version.exit, 0, "exit code of --version", version)
        print("%s: %s" % (platform, version.out.strip()), flush=True)
        checks = EVERYWHERE + (WINDOWS if machine.windows else UNIX)
        only = os.environ.get("CHECKS", "").split()
        passed = []
        for check in checks:
            if only and check.__name__.removeprefix("check_") not in only:
                continue
            (scratch / check.__name__).mkdir()
            passed.append(run_check(machine, check, scratch / check.__name__))
    print("%s: %d passed, %d failed" % (platform, sum(passed), len(passed) - sum(passed)))
    sys.exit(0 if passed and all(passed) else 1)


if __name__ == "__main__":
    main()
