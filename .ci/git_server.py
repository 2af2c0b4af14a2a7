"""git's own server (`git http-backend`) on loopback, over http or https. For .ci/platform_checks.py and .ci/newcomer."""
import base64
import http.server
import os
import ssl
import subprocess
import threading

HEADERS = {
    "CONTENT_TYPE": "Content-Type",
    "HTTP_CONTENT_ENCODING": "Content-Encoding",
    "GIT_PROTOCOL": "Git-Protocol",
}


class GitServer:
    """Serves the repositories in a folder. With a token, it refuses requests without it; with a refusal, all others too,
    in those words."""

    def __init__(self, root, environment, token=None, certificate=None, refusal=None):
        settings = {"root": str(root), "environment": environment, "token": token, "refusal": refusal}
        handler = type("Handler", (Handler,), settings)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        scheme = "https" if certificate else "http"
        self.url = "%s://127.0.0.1:%d" % (scheme, self.server.server_port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root, environment, token, refusal = "", {}, None, None

    def answer(self):
        body = self.body()
        if self.token and self.headers["Authorization"] != basic(self.token):
            return self.send(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        if self.refusal:
            return self.send(403, {"Content-Type": "text/plain"}, self.refusal.encode())
        path, _, query = self.path.partition("?")
        variables = {name: self.headers[header] for name, header in HEADERS.items() if self.headers[header]}
        variables |= {
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
        }
        done = subprocess.run(["git", "http-backend"], env=self.environment | variables, input=body, capture_output=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send(int(fields.pop("Status", "200")[:3]), fields, answer)

    def send(self, status, fields, body):
        self.send_response(status)
        for name, value in (fields | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def basic(token):
    return "Basic " + base64.b64encode(("x-access-token:" + token).encode()).decode()


def certificates(folder):
    """A CA, and a certificate that it issued to 127.0.0.1. Returns the CA's file, and the server's two."""
    ca, key, request, leaf, names = (folder / name for name in ("ca.pem", "key.pem", "leaf.csr", "leaf.pem", "leaf.cnf"))
    ca_key = folder / "ca-key.pem"
    new = ["openssl", "req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    for command in (
        new + ["-x509", "-days", "2", "-subj", "/CN=test CA", "-keyout", str(ca_key), "-out", str(ca)],
        new + ["-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(request)],
        ["openssl", "x509", "-req", "-days", "2", "-in", str(request), "-CA", str(ca), "-CAkey", str(ca_key)]
        + ["-CAcreateserial", "-extfile", str(names), "-out", str(leaf)],
    ):
        subprocess.run(command, check=True, capture_output=True, env=os.environ)
    return ca, (leaf, key)
