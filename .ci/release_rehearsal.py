"""Runs the steps of the release workflow that need no GitHub, twice in a row, against a repository on this machine: from the
archives to the checksums, the formula, the tag, the branch `releases`, and the README that pins the release. A recorder
stands in for GitHub's client.
"""
import hashlib
import os
import re
import subprocess
import tomllib
import yaml

STEPS = ("Write the checksums", "Tag and publish")
PIN = re.compile("tagbump/tagbump@(COMMIT|[0-9a-f]{40}) # v[0-9.]+")
GH = """#!/bin/sh
[ "$1 $2" = 'auth setup-git' ] && exit
if [ "$1" = api ]; then
    printf '%s\\n' "$*" >>'{folder}/api-calls'
    case $* in */releases/tags/*) echo "$IMMUTABLE" ;; */commits/*) echo 1a2b3c4 ;; esac
    exit
fi
printf '%s\\n' "$@" >'{folder}/gh-said'
mkdir -p '{folder}/published'
for name; do case $name in -*) ;; *) [ ! -f "$name" ] || cp "$name" '{folder}/published/'; esac; done
"""


class Rehearsal:
    """An origin with the workflow's own inputs, and releases made from it."""

    def __init__(self, root, folder):
        self.root, self.folder, self.origin = root, folder, folder / "origin.git"
        self.workflow = yaml.safe_load((root / ".github/workflows/release.yml").read_text())
        self.targets = [row["target"] for row in self.workflow["jobs"]["build"]["strategy"]["matrix"]["include"]]
        folder.mkdir()
        programs = folder / "programs"
        programs.mkdir()
        (programs / "gh").write_text(GH.format(folder=folder))
        (programs / "gh").chmod(0o755)
        self.environment = dict(os.environ, PATH="%s:%s" % (programs, os.environ["PATH"]), GH_TOKEN="none",
                                GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
        self.git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(self.origin))
        self.git(folder, "clone", "--quiet", str(self.origin), "main")

    def git(self, folder, *arguments):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        done = subprocess.run(["git", *identity, *arguments], cwd=folder, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise AssertionError("git %s: %s" % (" ".join(arguments), done.stdout))
        return done.stdout.strip()

    def commit_version(self, version):
        """What a maintainer commits to `main` for a release; returns the commit."""
        work = self.folder / "main"
        if not (work / "README.md").exists():
            (work / "README.md").write_text((self.root / "README.md").read_text())
        else:
            self.git(work, "pull", "--quiet", "--ff-only")
        for name in ("packaging/homebrew/tagbump.rb", "packaging/homebrew/fill", "action/checksums.txt"):
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text((self.root / name).read_text())
        (work / "packaging/homebrew/fill").chmod(0o755)
        log = work / "CHANGELOG.md"
        older = log.read_text().split("\n", 2)[2] if log.exists() else ""
        log.write_text("# Changelog\n\n## [%s]\n\n- Notes on %s\n\n%s" % (version, version, older))
        self.git(work, "add", "--all")
        self.git(work, "commit", "--quiet", "--message", "Prepare %s" % version)
        self.git(work, "push", "--quiet", "origin", "main")
        return self.git(work, "rev-parse", "HEAD")

    def commit_file(self, name, text):
        work = self.folder / "main"
        self.git(work, "pull", "--quiet", "--ff-only")
        (work / name).write_text(text)
        self.git(work, "commit", "--quiet", "--message", "Change " + name, "--", name)
        self.git(work, "push", "--quiet", "origin", "main")

    def release(self, version):
        """Runs the steps in a checkout as actions/checkout makes it; returns what they printed."""
        checkout = self.folder / ("checkout-" + version)
        self.git(self.folder, "clone", "--quiet", "--depth", "1", "file://%s" % self.origin, str(checkout))
        (checkout / "archives").mkdir()
        for target in self.targets:
            (checkout / "archives" / ("tagbump-%s-%s.tar.gz" % (version, target))).write_text(version + target)
        (checkout / "archives" / ("tagbump-%s.cdx.json" % version)).write_text("{}")
        printed = ""
        for name in STEPS:
            done = self.run_step("publish", name, checkout, VERSION=version)
            printed += done.stdout
            if done.returncode != 0:
                raise AssertionError("%s: %s" % (name, printed))
        return printed

    def run_step(self, job, name, folder, **variables):
        [step] = [step for step in self.workflow["jobs"][job]["steps"] if step.get("name") == name]
        return subprocess.run(["bash", "-e", "-c", step["run"]], cwd=folder, env=dict(self.environment, **variables), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def move_major(self, version, immutable):
        """Runs the step that moves the major tag; returns how it ended, and the calls that change something."""
        calls = self.folder / "api-calls"
        calls.write_text("")
        done = self.run_step("major", "Move the tag", self.folder, VERSION=version, IMMUTABLE=immutable,
                             GITHUB_REPOSITORY="acme/gitops")
        return done.returncode, [line for line in calls.read_text().splitlines() if "--method" in line]

    def pin(self, version):
        """Runs the step that pins a release in the README of `main`, in a checkout of its own; returns how it ended."""
        checkout = self.folder / ("pins-%d" % len(list(self.folder.glob("pins-*"))))
        self.git(self.folder, "clone", "--quiet", "--depth", "1", "file://%s" % self.origin, str(checkout))
        return self.run_step("major", "Pin the release in the README", checkout, VERSION=version, BRANCH="main")

    def published(self, name):
        return (self.folder / "published" / name).read_text()

    def parents(self, name):
        return self.git(self.origin, "rev-parse", name + "^@").split()

    def binstall_names(self, version):
        """The archives that `cargo binstall` would look for."""
        manifest = tomllib.loads((self.root / "Cargo.toml").read_text())["package"]
        url = manifest["metadata"]["binstall"]["pkg-url"]
        for target in self.targets:
            values = {"repo": manifest["repository"], "version": version, "name": manifest["name"], "target": target}
            yield re.sub(r"\{ (\w+) \}", lambda match: values[match.group(1)], url).rsplit("/", 1)[1]


def rehearse(root, folder, equal, check):
    """Two releases, with other work on `main` in between."""
    rehearsal = Rehearsal(root, folder)
    before, readme = None, (root / "README.md").read_text()
    for version in ("1.0.0", "1.1.0"):
        built = rehearsal.commit_version(version)
        rehearsal.release(version)
        tagged = rehearsal.git(rehearsal.origin, "rev-parse", "v%s^{commit}" % version)
        equal(rehearsal.parents(tagged), [built] + ([before] if before else []), "the parents of v" + version)
        equal(rehearsal.git(rehearsal.origin, "rev-parse", "releases"), tagged, "the tip of the branch `releases`")
        changed = rehearsal.git(rehearsal.origin, "diff", "--name-only", built, tagged)
        equal(changed, "action/checksums.txt", "what the release's commit adds")
        sums = dict(reversed(line.split()) for line in rehearsal.git(
            rehearsal.origin, "show", tagged + ":action/checksums.txt").splitlines())
        names = list(rehearsal.binstall_names(version))
        equal(sorted(sums), sorted(names + ["tagbump-%s.cdx.json" % version]), "the files with checksums")
        for target, name in zip(rehearsal.targets, names):
            equal(sums[name], hashlib.sha256((version + target).encode()).hexdigest(), "the checksum of " + name)
            formula = rehearsal.published("tagbump.rb")
            check("windows" in target or (name in formula and sums[name] in formula), "the formula lacks " + name)
            check(rehearsal.published(name) == version + target, name + " was not published")
        equal(rehearsal.published("checksums.txt"), rehearsal.git(
            rehearsal.origin, "show", tagged + ":action/checksums.txt") + "\n", "the published checksums")
        notes = rehearsal.published("notes.md")
        check("Notes on %s\n" % version in notes and notes.count("Notes on") == 1, "the notes: " + notes)
        check("uses: tagbump/tagbump@%s # v%s\n" % (tagged, version) in notes, "the notes don't pin the action: " + notes)
        for again in (False, True):
            done = rehearsal.pin(version)
            equal(done.returncode, 0, "the pin%s: %s" % (" again" if again else "", done.stdout))
            equal(rehearsal.git(rehearsal.origin, "rev-parse", "main^"), built, "the commit below the one with the pin")
            equal(rehearsal.git(rehearsal.origin, "diff", "--name-only", built, "main"), "README.md", "what the pin changes")
        pinned = "tagbump/tagbump@%s # v%s" % (tagged, version)
        equal(rehearsal.git(rehearsal.origin, "show", "main:README.md"), PIN.sub(pinned, readme).strip(), "the README")
        before = tagged
    rehearsal.commit_file("README.md", PIN.sub("tagbump/tagbump@v1", readme))
    done = rehearsal.pin("1.1.0")
    check(done.returncode == 1 and "no line that pins" in done.stdout, "a README without a pin: " + done.stdout)
    moved = "api --method PATCH repos/acme/gitops/git/refs/tags/v1 -f sha=1a2b3c4 -F force=true --silent"
    equal(rehearsal.move_major("1.1.0", "true"), (0, [moved]), "the move of v1")
    equal(rehearsal.move_major("1.1.0", "false"), (1, []), "the move of v1 to a release that can be changed")
    return "v1.0.0 and v1.1.0, each with %d files" % len(list((folder / "published").glob("*1.1.0*")))
