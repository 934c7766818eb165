"""`holdfast serve` as tests use it: started over TLS on a free port with a sample server behind it, and clients whose every answer is held against openapi.json.

Python's standard library and python3-jsonschema.
"""
import http.client
import json
import os
import re
import signal
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import jsonschema

from harness import PASSWORD, PROGRAM, Case, copy_tree, environment, prepared, prepared_sample, write

DESCRIPTION = json.loads((Path(__file__).resolve().parents[2] / "src/service/api/openapi.json").read_text())
METHODS = ("get", "post", "put", "delete")
ROLES = ("viewer", "operator", "recovery", "administrator")
USER_PASSWORD = "a password of twelve"
ODD_NAME = b"odd \xff name\n.bin"   # neither UTF-8 nor without control characters
SPARSE = "sparse.img"


def operations():
    """(method, template, operation) of everything that is described."""
    return [(method, template, operation) for template, item in DESCRIPTION["paths"].items() for method, operation in item.items() if method in METHODS]


def address(template):
    return template if "servers" in DESCRIPTION["paths"][template] else "/api/v1" + template


TEMPLATES = [(re.compile("^" + re.sub(r"\{[^}]*\}", "[^/]+", address(t)) + "$"), t) for t in DESCRIPTION["paths"]]


def template_of(path):
    """Exact words before {names}, as the router has it."""
    return min((t for pattern, t in TEMPLATES if pattern.match(path)), key=lambda t: t.count("{"), default=None)


def check(answer, method, path):
    """The answer is one that is described, down to the last member."""
    template = template_of(path)
    assert template, "not described: " + path
    operation = DESCRIPTION["paths"][template].get(method.lower())
    assert operation, "not described: %s %s" % (method, path)
    described = operation["responses"].get(str(answer.status)) or (operation["responses"]["default"] if answer.status >= 400 else None)
    assert described, "%s %s answers %d, which is not described: %s" % (method, path, answer.status, answer.body[:500])
    if "$ref" in described:
        described = DESCRIPTION["components"]["responses"][described["$ref"].split("/")[-1]]
    content = described.get("content")
    if content is None:
        assert answer.body == b"", answer.body
        return
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in content, (method, path, answer.status, kind)
    if kind.endswith("json"):
        schema = {**content[kind]["schema"], "components": DESCRIPTION["components"]}
        try:
            jsonschema.Draft202012Validator(schema).validate(answer.json)
        except jsonschema.ValidationError as e:
            raise AssertionError("%s %s: %s at %s" % (method, path, e.message[:1000], list(e.absolute_path))) from None


def check_problem(answer):
    """Of every refusal, also where nothing is described."""
    assert answer.status >= 400 and answer.headers["content-type"] == "application/problem+json", (answer.status, answer.headers)
    jsonschema.Draft202012Validator({**DESCRIPTION["components"]["schemas"]["Problem"], "components": DESCRIPTION["components"]}).validate(answer.json)
    assert answer.json["status"] == answer.status, answer.json
    for member in ("type", "title", "detail", "safe", "hint"):
        assert answer.json[member], answer.json
    assert not re.search("command line|terminal|--yes", answer.json["title"] + answer.json["hint"]), answer.json   # a browser has none
    assert answer.json["type"] == "urn:holdfast:error:" + answer.json["code"]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One caller: nobody, a session (with or without the CSRF header) or a token."""

    def __init__(self, service, cookie=None, csrf=None, token=None):
        self.service, self.cookie, self.csrf, self.token = service, cookie, csrf, token
        self.connection = None
        service.clients.append(self)

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.service.port, timeout=60, context=self.service.tls)

    def head(self, more=None):
        headers = {}
        if self.cookie:
            headers["Cookie"] = "__Host-holdfast=" + self.cookie
        if self.csrf:
            headers["X-Holdfast-CSRF"] = self.csrf
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        return {**headers, **(more or {})}

    def ask(self, method, path, body=None, headers=None, query=None, expect=None, raw=None):
        """`path`: from /api/v1 on, unless it begins with //. Returns the Answer, which was held against the description."""
        whole = path[1:] if path.startswith("//") else "/api/v1" + path
        target = whole + ("?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote) if query else "")
        headers = self.head(headers)
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        for last in (False, True):
            if self.connection is None:
                self.connection = self.connect()
            try:
                self.connection.request(method, target, data, headers)
                answer = Answer(self.connection.getresponse())
                break
            except (http.client.HTTPException, ConnectionError, ssl.SSLError, BrokenPipeError):
                self.connection.close()
                self.connection = None
                if last:
                    raise
        if answer.headers.get("connection", "").lower() == "close":
            self.connection.close()
            self.connection = None
        if answer.status >= 400:
            check_problem(answer)
        template = template_of(whole)
        if template and method.lower() in DESCRIPTION["paths"][template]:
            check(answer, method, whole)
            self.service.seen.setdefault((method.lower(), template), set()).add(answer.status)
        elif template:
            assert answer.status == 405, "not described: %s %s" % (method, path)
        if expect is not None:
            assert answer.status == expect, "%s %s: %d instead of %d: %s" % (method, path, answer.status, expect, answer.body[:1000])
        return answer

    def opened(self, path):
        """The status of an event stream, which is not read: it does not end by itself."""
        connection = self.connect()
        connection.request("GET", path, headers=self.head())
        response = connection.getresponse()
        if response.status != 200:
            answer = Answer(response)
            check_problem(answer)
            check(answer, "GET", path)
        self.service.seen.setdefault(("get", template_of(path)), set()).add(response.status)
        connection.close()
        return response.status

    def get(self, path, **more):
        return self.ask("GET", path, **{"expect": 200, **more})

    def job(self, kind, **parameters):
        """Starts a job and waits for its end."""
        return self.wait(self.ask("POST", "/jobs", {"kind": kind, "parameters": parameters}, expect=202).json["id"])

    def wait(self, number, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.get("/jobs/%d" % number).json
            if job["state"] in ("ended", "interrupted"):
                return job
            time.sleep(0.02)
        raise AssertionError("job %d has not ended: %s" % (number, job))

    def events(self, path, last=None):
        """Server-sent events as (name, data, id), until the server ends the stream."""
        connection = self.connect()
        connection.request("GET", "/api/v1" + path, headers=self.head({"Last-Event-ID": last} if last else None))
        response = connection.getresponse()
        self.service.seen.setdefault(("get", template_of("/api/v1" + path)), set()).add(response.status)
        assert response.status == 200, response.read()
        assert response.getheader("Content-Type").startswith("text/event-stream")
        event = {}
        for line in response:
            line = line.decode().rstrip("\r\n")
            if line == "" and "data" in event:
                yield event.get("event"), json.loads(event["data"]), event.get("id")
                event = {}
            elif line and not line.startswith(":"):
                name, _, value = line.partition(":")
                event[name] = value.removeprefix(" ")
        connection.close()


class Service:
    def __init__(self, folder, *options, env=None, wait=True):
        self.folder, self.seen, self.clients = folder, {}, []
        self.log = []
        os.makedirs(os.path.join(folder, "scratch"), exist_ok=True)   # what another test's killed verification left is none of ours
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--json", "--config", os.path.join(folder, "holdfast.toml"), "--key-file", os.path.join(folder, "machine.key"), "--listen", "127.0.0.1:0", *options],
            env={**environment(folder), "TMPDIR": os.path.join(folder, "scratch"), **(env or {})}, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if wait:
            self.ready()

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line.decode("utf-8", "replace"))

    def ready(self):
        line = self.process.stdout.readline()
        assert line, "the service did not start:\n" + "".join(self.log)
        self.port = json.loads(line)["port"]
        self.tls = ssl.create_default_context(cafile=os.path.join(self.folder, "state", "tls.crt"))

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(120)
        for client in self.clients:
            if client.connection:
                client.connection.close()
        self.reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    # -- callers
    def nobody(self):
        return Client(self)

    def sign_in(self, user, password=USER_PASSWORD):
        answer = Client(self).ask("POST", "/session", {"user": user, "password": password}, expect=200)
        cookie = re.match(r"__Host-holdfast=([^;]+)", answer.headers["set-cookie"])[1]
        return Client(self, cookie=cookie, csrf=answer.json["csrf"])

    def with_token(self, administrator, role):
        answer = administrator.ask("POST", "/tokens", {"label": "test " + role, "role": role, "expires": "2199-01-01T00:00:00Z"}, expect=201)
        return Client(self, token=answer.json["text"])

    def state(self, sql, *values):
        """Changes the state file as nobody but a test does."""
        with sqlite3.connect(os.path.join(self.folder, "state", "service.sqlite"), timeout=30) as state:
            return state.execute(sql, values).fetchall()


def holdfast(folder, *arguments, **more):
    return subprocess.run([PROGRAM, *arguments], env=environment(folder), cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **more).stdout


def prepared_service():
    """A sample server with a repository, the machine's key, two points, a user of each role (named as it), and things of every sort in its configuration."""

    def make(folder):
        copy_tree(prepared_sample(), folder)
        password, user = write(os.path.join(folder, "password"), PASSWORD + "\n"), write(os.path.join(folder, "user"), USER_PASSWORD + "\n")
        library = os.path.join(folder, "server", "SoftwareLibrary").encode()
        write(os.path.join(library, ODD_NAME), b"what an odd name holds")
        with open(os.path.join(library, SPARSE.encode()), "wb") as f:
            f.truncate(3 << 20)
            f.seek(1 << 20)
            f.write(b"x" * 100_000)
        with open(os.path.join(folder, "holdfast.toml"), "a") as f:
            f.write('\n[notify.hook]\nurl = "http://127.0.0.1:9/"   # nobody listens there\n\n[schedule.look]\nrun = "check"\ncalendar = "*-02-30"\n'
                    '\n[schedule.tidy]\nrun = "retention"\ncalendar = "*-02-30"\n\n[copy.other]\nrepository = "other"\n')
        unlocked = ("--password-file", password, "--yes", "--quiet")
        holdfast(folder, "init", *unlocked)
        holdfast(folder, "key", "add", "--machine", os.path.join(folder, "machine.key"), *unlocked)
        for _ in range(2):
            done = subprocess.run([PROGRAM, "backup", *unlocked], env=environment(folder), cwd=folder, capture_output=True)
            assert done.returncode in (0, 3), done.stderr
            write(os.path.join(folder, "server", "Packages", "added.txt"), "added later\n", 0o644)
        for role in ROLES:
            holdfast(folder, "user", "add", role, "--role", role, "--new-password-file", user)

    return prepared("service", make)


class ApiCase(Case):
    def setUp(self):
        super().setUp()
        copy_tree(prepared_service(), self.dir)

    def serve(self, *options, **more):
        service = Service(self.dir, *options, **more)
        self.addCleanup(service.stop, signal.SIGKILL)
        return service
