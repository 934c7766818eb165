"""The API of a real service over TLS with a real sample server: every route answers as openapi.json says, and nobody may more than the table of rights."""
import hashlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

from harness import PASSWORD, Case, copy_tree, environment, main, read, wait_until, write
from service import (DESCRIPTION, ODD_NAME, ROLES, SPARSE, USER_PASSWORD, Service, address, holdfast, operations, prepared_service, template_of)

NO_JOB = 999_999_999
# Of jobs that may be started and do nothing.
PARAMETERS = {"kit": {"folder": "/proc/none"}, "export": {"point": "latest", "folder": "/proc/none"}, "restore": {"point": "latest", "items": ["none"], "to": "/proc/none"},
              "recover": {"only": "none"}, "copy": {"copy": "other"}, "backup": {"items": ["none"]}, "verify": {"point": "latest", "level": "exists"}}


class ApiCase(Case):
    def setUp(self):
        super().setUp()
        copy_tree(prepared_service(), self.dir)

    def serve(self, *options, **more):
        service = Service(self.dir, *options, **more)
        self.addCleanup(service.stop, signal.SIGKILL)
        return service


class Everything(ApiCase):
    def test_every_route_answers_as_described(self):
        service = self.serve()
        admin = service.sign_in("administrator")
        nobody = service.nobody()
        self.session(service, admin)
        self.points(admin)
        self.jobs(admin)
        self.schedules(admin)
        self.settings(admin)
        self.recovery(admin)
        self.notifications(admin)
        self.access(admin)
        self.home(admin)
        self.assertEqual(nobody.get("//healthz").json, {"status": "ok"})
        self.assertEqual(nobody.get("/openapi.json").json, DESCRIPTION)
        self.assertIn("holdfast_", admin.get("//metrics").body.decode())
        self.assertEqual(admin.ask("DELETE", "/session").status, 204)
        self.assertEqual(admin.get("/status", expect=401).json["status"], 401)
        without = [(method, template) for method, template, _ in operations() if not any(s < 300 for s in service.seen.get((method, template), ()))]
        self.assertEqual(without, [], "described, and never answered well here")
        self.assertEqual(service.stop(), 0)

    def session(self, service, admin):
        self.assertEqual(admin.get("/session").json["rights"], ["see", "operate", "recover", "retention", "settings", "users", "audit"])
        viewer = service.sign_in("viewer")
        self.assertEqual(viewer.get("/session").json["rights"], ["see"])
        viewer.ask("PUT", "/session/password", {"current": "not this one at all", "password": "another of twelve"}, expect=403)
        viewer.ask("PUT", "/session/password", {"current": USER_PASSWORD, "password": "short"}, expect=400)
        viewer.ask("PUT", "/session/password", {"current": USER_PASSWORD, "password": "another of twelve"}, expect=204)
        viewer.get("/session", expect=401)
        service.sign_in("viewer", "another of twelve")

    def points(self, admin):
        page = admin.get("/points").json
        self.assertEqual((len(page["points"]), page["total"], page["next"]), (2, 2, None))
        self.assertEqual(page["points"], json.loads(holdfast(self.dir, "points", "--json", "--key-file", "machine.key"))["points"])
        newest, oldest = (p["id"] for p in page["points"])
        first = admin.get("/points", query={"limit": 1, "items": "false"}).json
        self.assertEqual(([p["id"] for p in first["points"]], first["next"], first["total"]), ([newest], newest, 2))
        self.assertNotIn("items", first["points"][0])
        self.assertEqual([p["id"] for p in admin.get("/points", query={"limit": 1, "after": newest}).json["points"]], [oldest])
        self.assertEqual(admin.get("/points", query={"origin": "scheduled"}).json["total"], 0)
        for bad in ({"limit": 0}, {"limit": "x"}, {"since": "yesterday"}, {"items": "maybe"}):
            admin.get("/points", query=bad, expect=400)
        shown = json.loads(holdfast(self.dir, "show", newest, "--json", "--key-file", "machine.key"))
        point = admin.get("/points/" + newest[:12]).json
        self.assertEqual({k: v for k, v in point.items() if k not in ("pinned", "verified")}, {k: v for k, v in shown.items() if k not in ("type", "schema")})
        self.assertEqual(admin.get("/points/latest").json["id"], newest)
        admin.get("/points/ffffffffffff", expect=404)
        admin.get("/points/zz", expect=400)
        diff = admin.get("/points/%s/diff/%s" % (oldest, newest)).json
        changes = [c for i in diff["items"] if i["item"] == "software-packages" for c in i["changes"]]
        self.assertTrue(any(c["kind"] == "added" and c["where"].endswith("added.txt") for c in changes), changes)
        self.assertEqual(admin.ask("PUT", "/points/%s/pin" % oldest).json, {"point": oldest, "pinned": True})
        self.assertTrue(admin.get("/points/" + oldest).json["pinned"])
        self.assertEqual(admin.ask("DELETE", "/points/%s/pin" % oldest).json["pinned"], False)
        self.assertEqual(len(admin.get("/retention").json["points"]), 2)
        self.browse(admin, newest)

    def browse(self, admin, point):
        """Every file of an item, by pages of three, comes back as it was."""
        library = self.server("SoftwareLibrary")
        base = "/points/%s/items/software-library/" % point
        found = {}

        def walk(path):
            after = None
            while True:
                query = {"path": path, "limit": 3, **({"after": after} if after else {})}
                page = admin.get(base + "files", query=query).json
                for entry in page["entries"]:
                    child = (path + "/" if path else "") + entry["segment"]
                    if entry["type"] == "directory":
                        walk(child)
                    elif entry["type"] in ("file", "hard_link"):
                        answer = admin.get(base + "content", query={"path": child})
                        self.assertIn("attachment", answer.headers["content-disposition"])
                        found[child] = hashlib.sha256(answer.body).hexdigest()
                after = page["next"]
                if after is None:
                    return

        walk("")
        self.assertEqual(sorted(found.values()), sorted(hashlib.sha256(read(os.path.join(base_, name))).hexdigest() for base_, _, names in os.walk(library.encode())
                                                         for name in names if os.path.isfile(os.path.join(base_, name)) and not os.path.islink(os.path.join(base_, name))))
        odd = admin.get(base + "content", query={"path": "odd%20%FF%20name%0A.bin"})
        self.assertEqual(odd.body, b"what an odd name holds")
        self.assertEqual(admin.get(base + "content", query={"path": SPARSE}).body, read(os.path.join(library, SPARSE)))
        for path, status in (("not/there", 404), ("..", 404), ("%zz", 400), ("", 412), ("a%2Fb", 404), ("%00", 404)):
            admin.get(base + "content", query={"path": path}, expect=status)
        admin.get("/points/%s/items/nothing/files" % point, expect=404)
        self.assertIn("file.download", [e["action"] for e in admin.get("/audit").json["entries"]])

    def jobs(self, admin):
        job = admin.job("backup", items=["core-settings"], label="by the API")
        self.assertEqual((job["state"], job["exit"] in (0, 3), job["result"]["scope"]), ("ended", True, "partial"))
        self.assertIn("by the API", [p["label"] for p in admin.get("/points").json["points"]])
        self.assertEqual([j["id"] for j in admin.get("/jobs", query={"kind": "backup"}).json["jobs"]], [job["id"]])
        events = list(admin.events("/jobs/%d/events" % job["id"]))
        self.assertEqual(events[-1][0], "end")
        lines = [(data["number"], data["text"]) for name, data, _ in events if name == "line"]
        log = admin.get("/jobs/%d/log" % job["id"]).json
        self.assertEqual([(l["number"], l["text"]) for l in log["lines"]], lines)
        self.assertEqual((log["next"], log["first"], len(lines)), (None, 1, job["lines"]))
        self.assertEqual([e[2] for e in admin.events("/jobs/%d/events" % job["id"], last="1") if e[0] == "line"], [str(n) for n, _ in lines[1:]])
        for kind, parameters, codes in (("verify", {"point": "latest", "level": "exists"}, (0,)), ("check", {"read_data": True}, (0,)), ("copy", {"copy": "other"}, (18,)),
                                        ("retention", {}, (0,)), ("prune", {}, (0,)), ("kit", {"folder": self.path("kit")}, (0,)),
                                        ("export", {"point": "latest", "folder": self.path("plain")}, (0, 3)),
                                        ("restore", {"point": "latest", "items": ["core-settings"], "to": self.path("back")}, (0, 3)),
                                        ("recover", {"point": "latest", "acknowledge": ["no-such-step"]}, (2,))):
            ended = admin.job(kind, **parameters)
            self.assertIn(ended["exit"], codes, (kind, ended))
            self.assertIsNotNone(ended["result"], kind)
        self.assertTrue(os.path.exists(self.path("kit", "PLAN.txt")) and os.listdir(self.path("plain")) and os.listdir(self.path("back")))
        recovery = admin.get("/jobs", query={"kind": "recover"}).json["jobs"][0]
        again = admin.ask("POST", "/jobs/%d/acknowledge" % recovery["id"], {"steps": ["old-server-off"]}, expect=202).json
        self.assertEqual(admin.wait(again["id"])["exit"], 10, "there is nothing to resume")
        stopped = admin.ask("POST", "/jobs", {"kind": "verify", "parameters": {"all": True}}, expect=202).json["id"]
        self.assertEqual(admin.ask("DELETE", "/jobs/%d" % stopped).status, 202)
        self.assertIn(admin.wait(stopped)["outcome"], ("stopped", "done"))
        admin.ask("DELETE", "/jobs/%d" % stopped, expect=412)
        for body in ({"kind": "backup", "parameters": {"item": "x"}}, {"kind": "export", "parameters": {"point": "latest"}}, {"kind": "kit", "parameters": {"folder": "kit"}},
                     {"kind": "restore", "parameters": {"point": "--config=/x", "in_place": True}}, {"kind": "copy", "parameters": {"copy": "/elsewhere"}},
                     {"kind": "forget"}, {}, {"kind": 7}, {"kind": "verify", "parameters": {"share": 7}}):
            admin.ask("POST", "/jobs", body, expect=400)
        admin.ask("POST", "/jobs", raw=b"kind=backup", headers={"Content-Type": "application/x-www-form-urlencoded"}, expect=415)
        admin.ask("POST", "/jobs", raw=b"[" * 10_000, headers={"Content-Type": "application/json"}, expect=400)
        self.all_events(admin)
        page = admin.get("/jobs", query={"limit": 2}).json
        self.assertEqual([j["id"] for j in admin.get("/jobs", query={"limit": 1, "after": page["next"]}).json["jobs"]], [page["jobs"][-1]["id"] - 1])

    def all_events(self, admin):
        """One stream tells of every job, and that points are to be asked for again."""
        heard = []

        def listen():
            for name, data, _ in admin.events("/events"):
                heard.append((name, data))
                if (name, data.get("what")) == ("changed", "points") and any(n == "job" and d["state"] == "ended" for n, d in heard):
                    return

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        time.sleep(0.5)
        job = admin.job("check")
        listener.join(30)
        self.assertFalse(listener.is_alive(), heard)
        self.assertEqual([d["state"] for n, d in heard if n == "job" and d["id"] == job["id"]], ["queued", "running", "ended"])

    def schedules(self, admin):
        page = admin.get("/schedules").json
        listed = {s["name"]: s for s in json.loads(holdfast(self.dir, "schedule", "list", "--json"))["schedules"]}
        for s in page["schedules"]:
            self.assertEqual({k: v for k, v in s.items() if k in listed[s["name"]]}, listed[s["name"]])
            self.assertEqual(s["state"], "off")
        before = read(self.path("holdfast.toml")).decode()
        changed = admin.ask("PUT", "/schedules/configuration", {"run": "backup", "section": "configuration", "calendar": "*-*-* 03:15", "enabled": True}, expect=200).json
        self.assertEqual((changed["state"], changed["normal_form"], len(changed["next"])), ("waiting", "*-*-* 03:15:00", 5))
        after = read(self.path("holdfast.toml")).decode()
        self.assertEqual([l for l in after.splitlines() if l not in before.splitlines()],
                         ['calendar = "*-*-* 03:15"                     # as in systemd; \'holdfast schedule list\' shows when it comes next', "enabled = true"])
        admin.ask("PUT", "/schedules/configuration", {"run": "backup", "calendar": "*-*-* 25:00"}, expect=400)
        admin.ask("PUT", "/schedules/configuration", {"run": "backup", "calendar": "daily", "often": True}, expect=400)
        admin.ask("PUT", "/schedules/nightly", {"run": "verify", "calendar": "daily", "level": "exists"}, expect=200)
        admin.ask("DELETE", "/schedules/nightly", expect=204)
        admin.get("/schedules/nightly", expect=404)
        job = admin.wait(admin.ask("POST", "/schedules/configuration/run", expect=202).json["id"])
        self.assertEqual((job["schedule"], job["slot"], job["exit"] in (0, 3)), ("configuration", None, True))
        self.assertEqual(admin.get("/points").json["points"][0]["origin"], "scheduled")
        self.assertEqual(admin.get("/schedules/configuration").json["last"]["id"], job["id"])
        self.assertEqual(admin.get("/calendar", query={"expression": "Mon..Fri 02:30 UTC"}).json["normal_form"], "Mon..Fri *-*-* 02:30:00 UTC")
        admin.get("/calendar", query={"expression": "Mon..Fri 02:60"}, expect=400)

    def settings(self, admin):
        answer = admin.get("/settings")
        tag, settings = answer.headers["etag"], answer.json["settings"]
        admin.ask("PUT", "/settings", settings, expect=428)
        same = admin.ask("PUT", "/settings", settings, headers={"If-Match": tag}, expect=200)
        self.assertEqual((same.json["changed"], same.json["lines"], same.headers["etag"]), (False, [], tag))
        wanted = json.loads(json.dumps(settings))
        wanted["retention"]["daily"] = 21
        wanted["objectives"]["recovery_time"] = "6h"
        wanted["notify"]["post"] = {"url": "https://example.org/hook", "on": ["failure"]}
        del wanted["copies"]["other"]
        text = read(self.path("holdfast.toml"))
        dry = admin.ask("PUT", "/settings", wanted, headers={"If-Match": tag}, query={"dry_run": "true"}, expect=200).json
        self.assertEqual((dry["changed"], read(self.path("holdfast.toml"))), (False, text))
        self.assertIn("+ daily = 21", dry["lines"])
        done = admin.ask("PUT", "/settings", wanted, headers={"If-Match": tag}, expect=200)
        self.assertEqual((done.json["changed"], done.json["lines"], done.json["settings"]["notify"]["post"]["on"]), (True, dry["lines"], ["failure"]))
        self.assertNotIn("other", admin.get("/settings").json["settings"]["copies"])
        admin.ask("PUT", "/settings", settings, headers={"If-Match": tag}, expect=412)
        wrong = {**wanted, "service": {"listen": "localhost:1"}}
        admin.ask("PUT", "/settings", wrong, headers={"If-Match": done.headers["etag"]}, expect=400)
        restart = {**wanted, "service": {"listen": "127.0.0.1:9443"}}
        self.assertTrue(admin.ask("PUT", "/settings", restart, headers={"If-Match": done.headers["etag"]}, query={"dry_run": "true"}).json["restart"])

    def recovery(self, admin):
        plan = admin.get("/plan").json
        self.assertGreater(len(plan["steps"]), 10)
        self.assertTrue(any(s["by_person"] for s in plan["steps"]))
        self.assertIn("[ ]", admin.get("/plan/text", query={"point": plan["point"]}).body.decode())
        self.assertEqual(admin.get("/recoveries").json, {"recoveries": []})
        package = admin.get("/package").json
        self.assertTrue(package["installed"] and package["package"])
        self.assertEqual({p["state"] for p in package["products"]}, {"same"})
        kit = admin.get("/kit").json
        self.assertEqual((kit["kit"]["folder"], kit["kit"]["reachable"], kit["kit"]["stale"]), (self.path("kit"), True, False))
        wish = {"kind": "restore", "parameters": {"point": "latest", "items": ["core-settings"], "in_place": True}}
        review = admin.ask("POST", "/restore/review", wish, expect=200).json
        self.assertEqual([(i["item"], i["replaces"]) for i in review["items"]], [("core-settings", True)])
        file = self.path("ns01.hfbackup")
        secret = {"file": file, "file_password": "of the backup file"}
        ended = admin.job("export", point="latest", **secret)
        self.assertEqual(ended["exit"], 0)
        self.assertNotIn("of the backup file", json.dumps(ended) + admin.get("/jobs/%d/log" % ended["id"]).body.decode())
        points = admin.ask("POST", "/backup-file", secret, expect=200).json["points"]
        self.assertEqual([p["system"] for p in points], [admin.get("/system").json["name"]])
        wrong = admin.ask("POST", "/backup-file", {**secret, "file_password": "another one"}, expect=422).json
        self.assertEqual(wrong["code"], "wrong_key")
        admin.ask("POST", "/backup-file", {**secret, "file": self.path("none")}, expect=404)
        wish["parameters"].update({"from": file, "file_password": "of the backup file"})
        self.assertEqual([i["item"] for i in admin.ask("POST", "/restore/review", wish, expect=200).json["items"]], ["core-settings"])
        out = admin.job("restore", **{"point": "latest", "from": file, "file_password": "of the backup file", "items": ["core-settings"], "to": self.path("from-file")})
        self.assertEqual(out["exit"], 0, out)

    def notifications(self, admin):
        sent = admin.ask("POST", "/notifications/hook/test", expect=202).json
        self.assertTrue(wait_until(lambda: admin.get("/deliveries/%d" % sent["id"]).json["state"] == "given_up"))
        given_up = admin.get("/deliveries/%d" % sent["id"]).json
        self.assertTrue(given_up["error"])
        page = admin.get("/notifications").json
        self.assertIn(sent["id"], [d["id"] for d in page["deliveries"]])
        self.assertIn("hook", [c["name"] for c in page["channels"]])
        answer = admin.ask("POST", "/deliveries/%d/acknowledge" % sent["id"])
        self.assertEqual((answer.status, answer.json.get("acknowledged")), (200, True))
        admin.ask("POST", "/notifications/nobody/test", expect=404)

    def access(self, admin):
        admin.ask("POST", "/users", {"name": "Anna", "role": "viewer", "password": USER_PASSWORD}, expect=201)
        admin.ask("POST", "/users", {"name": "anna", "role": "viewer", "password": USER_PASSWORD}, expect=409)
        admin.ask("PUT", "/users/anna", {"role": "operator", "password": "short"}, expect=400)
        self.assertEqual([u["role"] for u in admin.get("/users").json["users"] if u["name"] == "anna"], ["viewer"])
        self.assertEqual(admin.ask("PUT", "/users/anna", {"role": "operator", "password": "of twelve letters"}, expect=200).json["role"], "operator")
        admin.ask("DELETE", "/users/anna", expect=204)
        admin.ask("DELETE", "/users/administrator", expect=412)
        admin.ask("PUT", "/users/administrator", {"role": "viewer"}, expect=412)
        token = admin.ask("POST", "/tokens", {"label": "prometheus", "role": "viewer", "expires": "2199-01-01T00:00:00Z"}, expect=201).json
        self.assertEqual(admin.get("/tokens").json["tokens"], [token["token"]])
        admin.ask("DELETE", "/tokens/%d" % token["token"]["id"], expect=204)
        admin.ask("DELETE", "/tokens/%d" % token["token"]["id"], expect=404)
        audit = admin.get("/audit", query={"limit": 5}).json
        self.assertEqual([e["number"] for e in audit["entries"]], list(range(audit["head"]["number"], audit["head"]["number"] - 5, -1)))
        more = admin.get("/audit", query={"limit": 5, "after": audit["next"]}).json
        self.assertEqual(more["entries"][0]["number"], audit["entries"][-1]["number"] - 1)
        self.assertIsNone(admin.get("/audit/verify", query=audit["head"]).json["broken"])
        self.assertIsNotNone(admin.get("/audit/verify", query={**audit["head"], "hash": "00" * 32}).json["broken"])

    def home(self, admin):
        status = admin.get("/status").json
        self.assertEqual((status["sample"], status["newest_good"] is not None, status["objective"]), (True, True, "24h"))
        self.assertEqual((status["recovery_point"]["met"], status["recovery_time"]["measured_seconds"]), (True, None))
        self.assertEqual(admin.get("/alerts").json["alerts"], status["attention"])
        job = admin.job("verify", point=status["newest_good"]["id"], level="restore")
        self.assertEqual(job["exit"], 0, admin.get("/jobs/%d/log" % job["id"]).body)
        measured = admin.get("/status").json["recovery_time"]
        self.assertEqual((measured["measured_by"], measured["job"], measured["met"]), ("verify", job["id"], True))
        growth = admin.get("/growth").json
        self.assertEqual((len(growth["points"]), growth["now"]["points"]), (4, 4))
        self.assertTrue(growth["samples"] and growth["now"]["ratio"] > 1)
        system = admin.get("/system").json
        self.assertEqual([s["name"] for s in system["sections"] if not s["items"]], [])
        self.assertIn(self.database, [p for s in system["sections"] for i in s["items"] for p in i["places"]])
        review = admin.get("/review", query={"items": "core-settings,registry"}).json
        self.assertEqual({i["name"] for i in review["items"]}, {"registry", "core-settings"})


DESIGN = (Path(__file__).resolve().parents[2] / "docs/service.md").read_text()


def table(heading):
    """The cells of the first table below a heading of the design."""
    rows = DESIGN[DESIGN.index("\n## " + heading + "\n"):].split("\n|---", 1)[1].split("\n\n", 1)[0].split("\n")[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def allowed_roles():
    """right -> roles, as the table "Who may what" says; who is signed in at all may `any`."""
    rights = {re.match(r"`(\w+)`", row[0])[1]: tuple(role for role, cell in zip(ROLES, row[1:], strict=True) if cell == "yes") for row in table("Who may what")}
    assert len(rights) == 7, rights
    return {**rights, "any": ROLES}


def right_of_kind():
    """kind of job -> right, as the sentence below that table says."""
    sentence = re.search(r"A job needs the right of its kind: (.*?)\. ", re.sub(r"\s+", " ", DESIGN))[1]
    return {kind: re.search(r"`(\w+)`$", part.strip())[1] for part in sentence.split(";") for kind in re.findall(r"`(\w+)`", part.rsplit(" are ", 1)[0])}


class Rights(ApiCase):
    """Every operation of the description, by everybody: what may happen is derived from the design and the description."""

    def setUp(self):
        super().setUp()
        self.roles, self.kinds = allowed_roles(), right_of_kind()
        self.assertEqual(set(self.kinds), {v["properties"]["kind"]["const"] for k, v in DESCRIPTION["components"]["schemas"].items() if k.startswith("New") and k != "NewJob"})

    def test_the_design_has_every_operation_with_its_right(self):
        told = {}
        for paths, methods, right in table("API"):
            for path in re.findall(r"`(/[^`]*)`", paths):
                for method in re.findall(r"GET|POST|PUT|DELETE", methods) or ["GET"]:
                    told.setdefault((method.lower(), re.sub(r"\{[^}]*\}", "{}", path)), []).append(right)
        for method, template, operation in operations():
            if template == "/openapi.json":
                continue
            rights = told.get((method, re.sub(r"\{[^}]*\}", "{}", template)))
            self.assertTrue(rights, (method, template, "is not in the design"))
            word = {"by-kind": "by kind"}.get(operation["x-right"], operation["x-right"])
            self.assertTrue(any(word in r for r in rights), (method, template, word, rights))

    def cases(self, point, jobs):
        """(method, path, body, right) of every operation, some with several: by the kind of the job, or of the schedule."""
        names = {"id": point, "a": point, "b": point, "item": "core-settings", "token": str(NO_JOB), "delivery": str(NO_JOB), "name": "nobody", "job": str(jobs["check"])}
        for method, template, operation in operations():
            if operation["x-right"] == "none":
                continue
            path = re.sub(r"\{(\w+)\}", lambda m: names[m[1]], address(template))
            body = {} if "requestBody" in operation else None
            if (method, template) == ("post", "/jobs"):
                for kind, right in self.kinds.items():
                    # What is refused for its parameters first would hide who may: these are right.
                    yield method, path, {"kind": kind, "parameters": PARAMETERS.get(kind, {})}, right
            elif template == "/schedules/{name}/run":
                for schedule, kind in (("look", "check"), ("tidy", "retention")):
                    yield method, address(template).replace("{name}", schedule), body, self.kinds[kind]
            elif (method, template) == ("delete", "/jobs/{job}"):
                for kind, number in jobs.items():
                    yield method, address(template).replace("{job}", str(number)), body, self.kinds[kind]
            else:
                self.assertIn(operation["x-right"], self.roles, (method, template))
                yield method, path, body, operation["x-right"]

    def callers(self, service, admin):
        """(name, role or None, by token, has the CSRF header, client)"""
        yield "nobody", None, False, False, service.nobody()
        expired = service.sign_in("administrator")
        old = hashlib.sha256(expired.cookie.encode()).digest()
        service.state("UPDATE sessions SET seen = seen - 1801 WHERE hash = ?", old)
        yield "expired session", None, False, True, expired
        for role in ROLES:
            session = service.sign_in(role)
            yield role + " without CSRF", role, False, False, type(session)(service, cookie=session.cookie)
            yield role, role, False, True, session
            yield role + "'s token", role, True, False, service.with_token(admin, role)

    def expected(self, method, path, right, role, token, csrf):
        """401, 403, or None: something else."""
        if role is None:
            return 401
        if method != "get" and not token and not csrf:
            return 403
        if role not in self.roles[right] or (token and path.endswith("/session/password")):
            return 403
        return None

    def test_nobody_may_more_than_the_table(self):
        service = self.serve()
        admin = service.sign_in("administrator")
        jobs = {kind: admin.job(kind, **PARAMETERS.get(kind, {}))["id"] for kind in ("check", "export", "retention")}
        cases = list(self.cases(admin.get("/points/latest").json["id"], jobs))
        self.assertEqual({(m, template_of(p)) for m, p, _, _ in cases}, {(m, t) for m, t, o in operations() if o["x-right"] != "none"})
        callers = list(self.callers(service, admin))
        last = ("delete", "/api/v1/session")   # ends the session: tried when everything else was
        cases.sort(key=lambda c: c[:2] == last)
        tried = 0
        for method, path, body, right in cases:
            for name, role, token, csrf, client in callers:
                status = client.opened(path) if path.endswith("/events") else client.ask(method.upper(), "/" + path, body).status
                expected = self.expected(method, path, right, role, token, csrf)
                self.assertTrue(status == expected if expected else status not in (401, 403), (method, path, name, right, status, expected))
                tried += 1
        print("combinations of operation and caller:", tried)
        self.assertEqual(tried, len(cases) * 14)
        self.assertGreaterEqual(tried, 900)
        self.assertEqual([(m, t) for m, t, o in operations() if o["x-right"] != "none" and 401 not in service.seen.get((m, t), ())], [], "never refused here")
        admin = service.sign_in("administrator")
        entries = admin.get("/audit", query={"limit": 1000}).json["entries"]
        refused = [e for e in entries if e["action"] == "access"]
        self.assertEqual({e["outcome"] for e in refused}, {"refused"})
        self.assertGreaterEqual(len(refused), 60)
        self.assertIsNone(admin.get("/audit/verify").json["broken"])
        # Nothing that was refused is in the log as begun or done by somebody who may not.
        by_right = {"job.add": "operate", "point.pin": "operate", "point.unpin": "operate", "settings.change": "settings", "user.add": "users", "token.add": "users"}
        for e in entries:
            who = e["who"].removeprefix("token test ")
            if e["action"] in by_right and who in ROLES:
                self.assertIn(who, self.roles[by_right[e["action"]]], e)


class SigningIn(ApiCase):
    def test_sessions(self):
        service = self.serve()
        nobody = service.nobody()
        answer = nobody.ask("POST", "/session", {"user": "viewer", "password": USER_PASSWORD}, expect=200)
        for attribute in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
            self.assertIn(attribute, answer.headers["set-cookie"])
        self.assertEqual(answer.headers["cache-control"], "no-store")
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
            nobody.ask("POST", "/session", {"user": "viewer", "password": USER_PASSWORD}, headers=headers, expect=403)
        unknown = nobody.ask("POST", "/session", {"user": "nobody-of-this-name", "password": USER_PASSWORD}, expect=401)
        wrong = nobody.ask("POST", "/session", {"user": "viewer", "password": "not this one at all"}, expect=401)
        self.assertEqual(unknown.json, wrong.json)
        for _ in range(8):
            last = nobody.ask("POST", "/session", {"user": "viewer", "password": "not this one at all"})
        self.assertEqual(last.status, 429)
        self.assertGreater(last.json["retry_after"], 0)
        self.assertEqual(last.headers["retry-after"], str(last.json["retry_after"]))
        nobody.ask("POST", "/session", {"user": "viewer", "password": USER_PASSWORD}, expect=429)
        for token in ("holdfast_" + "A" * 43, "", "x"):
            type(nobody)(service, token=token).get("/status", expect=401)
        for cookie in ("A" * 43, ""):
            type(nobody)(service, cookie=cookie).get("/status", expect=401)

    def test_an_unknown_user_is_told_nothing_else(self):
        """The same answers, also when it comes to waiting."""
        service = self.serve()
        told = {}
        for user in ("viewer", "nobody-of-this-name"):
            service.state("DELETE FROM failures")
            answers = [service.nobody().ask("POST", "/session", {"user": user, "password": "not this one at all"}) for _ in range(6)]
            told[user] = [(a.status, re.sub(r"\d+ s", "N s", a.json["detail"]), {n: v for n, v in a.headers.items() if n not in ("date", "content-length", "retry-after")}) for a in answers]
        self.assertEqual(told["viewer"], told["nobody-of-this-name"])
        self.assertEqual([t[0] for t in told["viewer"]], [401] * 5 + [429])

    def test_a_session_is_nobody_elses(self):
        service = self.serve()
        admin, viewer = service.sign_in("administrator"), service.sign_in("viewer")
        client = type(admin)
        # Fixation: a cookie that came from elsewhere is never the session's.
        planted = "f" * 64
        answer = client(service, cookie=planted).ask("POST", "/session", {"user": "operator", "password": USER_PASSWORD}, expect=200)
        self.assertNotIn(planted, answer.headers["set-cookie"])
        client(service, cookie=planted).get("/session", expect=401)
        # Signed in again: another session, and not the one that the browser had.
        again = client(service, cookie=viewer.cookie).ask("POST", "/session", {"user": "viewer", "password": USER_PASSWORD}, expect=200)
        self.assertNotIn(viewer.cookie, again.headers["set-cookie"])
        self.assertEqual(len({viewer.csrf, again.json["csrf"], admin.csrf}), 3)
        flags = sorted(a.strip() for a in again.headers["set-cookie"].split(";")[1:])
        self.assertEqual(flags, ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict", "Secure"])
        # The CSRF token of another session, in another case, cut, sent twice, or in the query.
        for wrong in (admin.csrf, viewer.csrf.upper() + "0", viewer.csrf[:-1], ""):
            client(service, cookie=viewer.cookie, csrf=wrong).ask("DELETE", "/session", expect=403)
        client(service, cookie=viewer.cookie).ask("DELETE", "/session", query={"X-Holdfast-CSRF": viewer.csrf}, expect=403)
        client(service, cookie=viewer.cookie).ask("DELETE", "/session", headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, expect=403)
        viewer.get("/session")
        # A session's name is no token, a token no cookie, and neither goes in the query or as Basic.
        token = service.with_token(admin, "viewer").token
        for bad in (client(service, token=viewer.cookie), client(service, cookie=token)):
            bad.get("/status", expect=401)
        for headers in ({"Authorization": "Basic dmlld2VyOng="}, {"Authorization": token}, {"X-Api-Key": token}, {"Authorization": "Bearer"}):
            service.nobody().get("/status", headers=headers, expect=401)
        service.nobody().get("/status", query={"access_token": token}, expect=401)
        # A token counts alone: with a dead one, the cookie of an administrator is worth nothing.
        admin.get("/users", headers={"Authorization": "Bearer holdfast_" + "0" * 64}, expect=401)

    def test_what_is_taken_away_is_gone_at_once(self):
        service = self.serve()
        admin, operator, second = service.sign_in("administrator"), service.sign_in("operator"), service.sign_in("operator")
        token = service.with_token(admin, "operator")
        backup = {"kind": "check", "parameters": {}}
        operator.ask("POST", "/jobs", backup, expect=202)
        token.ask("POST", "/jobs", backup, expect=202)
        admin.ask("PUT", "/users/operator", {"role": "viewer"}, expect=200)
        operator.ask("POST", "/jobs", backup, expect=403)
        second.ask("PUT", "/points/latest/pin", expect=403)
        token.ask("POST", "/jobs", backup, expect=202)   # it is the machine's
        number = max(t["id"] for t in admin.get("/tokens").json["tokens"])
        admin.ask("DELETE", "/tokens/%d" % number, expect=204)
        token.get("/session", expect=401)
        # A new password ends every session of the user, also the one that changed it.
        operator.ask("PUT", "/session/password", {"current": USER_PASSWORD, "password": "another of twelve"}, expect=204)
        operator.get("/session", expect=401)
        second.get("/session", expect=401)
        # An administrator may take everything from oneself but the last way in.
        admin.ask("PUT", "/users/administrator", {"role": "operator"}, expect=412)
        admin.ask("DELETE", "/users/administrator", expect=412)
        admin.ask("PUT", "/users/viewer", {"role": "administrator"}, expect=200)
        admin.ask("PUT", "/users/administrator", {"role": "viewer"}, expect=200)
        admin.get("/users", expect=403)
        admin.get("/status")
        # A token that expires.
        other = service.sign_in("viewer")
        short = other.ask("POST", "/tokens", {"label": "short", "role": "viewer", "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))}, expect=201).json
        client = type(admin)(service, token=short["text"])
        self.assertTrue(wait_until(lambda: client.ask("GET", "/session").status == 401))
        self.assertEqual([t["expired"] for t in other.get("/tokens").json["tokens"] if t["label"] == "short"], [True])

    def test_events_end_with_the_sign_in(self):
        """Whoever was removed, signed out or has another password hears nothing more."""
        service = self.serve()
        admin = service.sign_in("administrator")
        job = admin.ask("POST", "/jobs", {"kind": "check"}, expect=202).json["id"]
        signed_out, removed, token = service.sign_in("viewer"), service.sign_in("recovery"), service.with_token(admin, "viewer")
        streams = [client.events("/events") for client in (signed_out, removed, token)]
        started = [threading.Thread(target=lambda s=s: list(s), daemon=True) for s in streams]
        for thread in started:
            thread.start()
        self.assertTrue(wait_until(lambda: 200 in service.seen.get(("get", "/events"), ())))
        signed_out.ask("DELETE", "/session", expect=204)
        admin.ask("DELETE", "/users/recovery", expect=204)
        admin.ask("DELETE", "/tokens/%d" % admin.get("/tokens").json["tokens"][-1]["id"], expect=204)
        for thread in started:
            thread.join(60)
            self.assertFalse(thread.is_alive(), "a stream goes on although its caller is gone")
        admin.wait(job)

    def test_a_session_ends(self):
        service = self.serve()
        admin, viewer = service.sign_in("administrator"), service.sign_in("viewer")
        viewer.get("/status")
        admin.ask("PUT", "/users/viewer", {"role": "operator"}, expect=200)
        self.assertIn("operate", viewer.get("/session").json["rights"])
        admin.ask("DELETE", "/users/viewer", expect=204)
        viewer.get("/status", expect=401)
        copy = type(admin)(service, cookie=admin.cookie, csrf=admin.csrf)
        self.assertIn("Max-Age=0", admin.ask("DELETE", "/session", expect=204).headers["set-cookie"])
        copy.get("/status", expect=401)


class Hostile(ApiCase):
    def test_every_refusal_is_a_problem(self):
        service = self.serve()
        admin, nobody = service.sign_in("administrator"), service.nobody()
        json_type = {"Content-Type": "application/json"}
        for client in (admin, nobody):
            for path in ("//api/v1/nothing", "//api", "//api/v2/status", "//metrics/x", "//nothing.js", "//assets/none.js"):
                client.ask("GET", path, expect=404)
            for method in ("PATCH", "PUT"):
                self.assertIn("GET", client.ask(method, "//api/v1/status", expect=405).headers["allow"])
            client.ask("POST", "//", expect=405)
            client.ask("GET", "//api/v1/../v1/status", expect=400)
            client.ask("GET", "//api/v1/%zz", expect=400)
            client.ask("GET", "//api/v1/status", headers={"X-Large": "x" * 20_000}, expect=431)
            client.ask("POST", "/session", raw=b"x" * (1 << 20) + b"x", headers=json_type, expect=413)
            for body in (b"", b"{", b"[]", b"null", b'"x"', b'{"user":"a"', b"\xff\xfe", b'{"user":"\xff","password":"x"}', b'{"user":"a","password":"\\u0000"}',
                         b'{"user":1,"password":2}', b'{"user":"a","password":"b","more":1}', b'{"user":"a"}', b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
                         b"{" + b",".join(b'"%d":0' % i for i in range(100_000)) + b"}", b'{"user":1e999,"password":"x"}', b'{"user":"' + b"x" * 300 + b'","password":"x"}'):
                client.ask("POST", "/session", raw=body, headers=json_type, expect=400)
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"):
                client.ask("POST", "/session", raw=b'{"user":"a","password":"b"}', headers={"Content-Type": kind}, expect=415)
        for path, status in (("/points/ffffffffffff", 404), ("/points/..%2f..%2fetc", 400), ("/points/%00", 400), ("/points/latest/items/..%2f..%2fetc/files", 404), ("/jobs/0", 404), ("/jobs/-1", 404),
                             ("/jobs/99999999999999999999", 404), ("/jobs/1x", 404), ("/schedules/..%2fx", 404), ("/deliveries/x", 404), ("/jobs?limit=1001", 400), ("/jobs?after=x", 400),
                             ("/audit?after=99999999999999999999", 400), ("/audit/verify?number=1&hash=zz", 400), ("/audit/verify?hash=00", 400), ("/calendar", 400),
                             ("/calendar?expression=" + "1," * 5000 + "1", 400), ("/growth?since=tomorrow", 400), ("/points?after=00", 404), ("/review?items=none", 400), ("/plan?point=--help", 400)):
            answer = admin.ask("GET", path)
            self.assertEqual(answer.status, status, (path, answer.body[:300]))
        self.assertEqual(admin.ask("PUT", "/users/%00", {"role": "viewer"}).status, 400)
        admin.ask("PUT", "/schedules/a.b", {"run": "check", "calendar": "daily"}, expect=400)
        admin.ask("PUT", "/schedules/" + "x" * 65, {"run": "check", "calendar": "daily"}, expect=400)
        self.assertEqual(service.stop(), 0)
        self.assertEqual([l for l in service.log if "fault" in l or "defect" in l], [], "a client's mistake is no fault of the program")

    def test_whole_lists_of_years_are_answered(self):
        """Lists without pages may be longer than what is kept for one client."""
        service = self.serve()
        admin = service.sign_in("administrator")
        with_rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO growth (time, stored, protected, points) SELECT i * 86400, 1e15 + i, 1e16 + i, i FROM n"
        service.state(with_rows.replace("1e15", "1000000000000000").replace("1e16", "10000000000000000"))
        for client in (admin, service.with_token(admin, "viewer")):
            answer = client.get("/growth")
            self.assertGreater(len(answer.body), 2 << 20)
            self.assertGreaterEqual(len(answer.json["samples"]), 20_000)

    def test_a_file_in_place_of_another_is_not_followed(self):
        service = self.serve()
        admin = service.sign_in("administrator")
        tag = admin.get("/settings").headers["etag"]
        settings = admin.get("/settings").json["settings"]
        text = read(self.path("holdfast.toml"))
        os.rename(self.path("holdfast.toml"), self.path("elsewhere.toml"))
        os.symlink(self.path("elsewhere.toml"), self.path("holdfast.toml"))
        settings["objectives"]["recovery_time"] = "6h"
        answer = admin.ask("PUT", "/settings", settings, headers={"If-Match": tag})
        self.assertGreaterEqual(answer.status, 400)
        self.assertEqual(read(self.path("elsewhere.toml")), text)
        self.assertTrue(os.path.islink(self.path("holdfast.toml")))

    def test_no_edit_is_lost(self):
        """Clients at the same time: what was answered with success is in the file, the rest was refused."""
        service = self.serve()
        admin = service.sign_in("administrator")
        before = read(self.path("holdfast.toml")).decode()
        answers = {}

        def edit(number):
            client = type(admin)(service, cookie=admin.cookie, csrf=admin.csrf)
            for turn in range(5):
                name = "night-%d-%d" % (number, turn)
                answers[name] = client.ask("PUT", "/schedules/" + name, {"run": "check", "calendar": "*-*-* 03:%02d" % number}).status

        threads = [threading.Thread(target=edit, args=(n,)) for n in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(set(answers.values()) - {200, 409}, set(), answers)
        there = {s["name"] for s in admin.get("/schedules").json["schedules"]}
        self.assertEqual({n for n, status in answers.items() if status == 200}, {n for n in there if n.startswith("night-")})
        after = read(self.path("holdfast.toml")).decode()
        self.assertEqual([l for l in before.splitlines() if l not in after.splitlines()], [], "every line that was there is there")
        # The same state of the settings, changed by two: one of them.
        tag, settings = admin.get("/settings").headers["etag"], admin.get("/settings").json["settings"]
        first = admin.ask("PUT", "/settings", {**settings, "objectives": {"recovery_point": "25h", "recovery_time": None}}, headers={"If-Match": tag})
        second = admin.ask("PUT", "/settings", {**settings, "objectives": {"recovery_point": "26h", "recovery_time": None}}, headers={"If-Match": tag})
        self.assertEqual((first.status, second.status), (200, 412))
        for wrong in ('"x"', "*", "W/" + first.headers["etag"]):
            admin.ask("PUT", "/settings", settings, headers={"If-Match": wrong}, expect=412)
        current = first.headers["etag"]
        admin.ask("PUT", "/settings", settings, headers={"If-Match": current}, query={"dryrun": "true"}, expect=400)
        self.assertEqual(admin.get("/settings").headers["etag"], current)
        # What does not parse, or could not be written down, leaves the file alone.
        for wrong in ({"repository": "x\ny = 1"}, {"repository": 7}, {"schedules": {"a\"]\n[x": {"run": "check", "calendar": "daily"}}}, {"notify": {"x": {"url": "ftp://example.org", "on": []}}},
                      {"copies": {"other": "\u0007"}}, {"nonsense": 1}, {"service": {"listen": "0.0.0.0"}}):
            status = admin.ask("PUT", "/settings", {**settings, **wrong}, headers={"If-Match": current}).status
            self.assertIn(status, (200, 400), wrong)
            if status == 200:   # a strange text is one: it must come back as it was
                self.assertTrue(admin.get("/settings").json["settings"], wrong)
                admin.ask("PUT", "/settings", settings, headers={"If-Match": admin.get("/settings").headers["etag"]}, expect=200)
                current = admin.get("/settings").headers["etag"]

    def test_many_read_while_the_repository_changes(self):
        """One opened repository, used by all: readers, pins, and jobs that write and delete beside them."""
        service = self.serve()
        admin = service.sign_in("administrator")
        oldest = admin.get("/points").json["points"][-1]["id"]
        base = "/points/%s/items/software-library/" % oldest
        whole = read(os.path.join(self.server("SoftwareLibrary"), SPARSE))
        numbers = [admin.ask("POST", "/jobs", {"kind": kind}, expect=202).json["id"] for kind in ("backup", "check", "prune", "backup", "retention", "prune")]
        wrong, rounds, done = [], [0], threading.Event()

        def reader(number):
            client = type(admin)(service, cookie=admin.cookie, csrf=admin.csrf)
            try:
                while not done.is_set() or rounds[0] < 50:
                    for path, query in (("/points", None), ("/points/" + oldest, None), (base + "files", {"limit": 5}), ("/status", None), ("/retention", None), ("/growth", None)):
                        client.get(path, query=query)
                    assert client.get(base + "content", query={"path": SPARSE}).body == whole
                    client.ask(("PUT", "DELETE")[number % 2], "/points/%s/pin" % oldest, expect=200)
                    rounds[0] += 1
            except Exception as e:
                wrong.append(repr(e))

        threads = [threading.Thread(target=reader, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        ended = [admin.wait(n) for n in numbers]
        done.set()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        self.assertEqual({j["exit"] for j in ended} - {0, 3}, set(), ended)

    def test_a_stored_file_goes_nowhere_else(self):
        """Names that a browser or a page could take for something else."""
        names = [b'a"; filename=evil.html', b"..\\..\\x", b"<script>.html", b"\xe2\x80\xae.exe", b"semi;colon", b"nl\nname", b"%2e%2e%2f"]
        for name in names:
            write(os.path.join(self.server("SoftwareLibrary").encode(), name), b"content")
        self.run_it("backup", "--item", "software-library", "--yes", "--key-file", "machine.key", expect=(0, 3))
        service = self.serve()
        admin = service.sign_in("administrator")
        base = "/points/%s/items/software-library/" % admin.get("/points").json["points"][0]["id"]
        entries = {e["segment"]: e for e in admin.get(base + "files", query={"limit": 1000}).json["entries"]}
        for name in names:
            segment = "".join(chr(c) if chr(c).isalnum() and c < 128 or c in b"-._~" else "%%%02X" % c for c in name)
            self.assertIn(segment, entries)
            answer = admin.get(base + "content", query={"path": segment})
            self.assertEqual((answer.body, answer.headers["content-type"], answer.headers["x-content-type-options"]), (b"content", "application/octet-stream", "nosniff"))
            plain = re.fullmatch(r'attachment; filename="([^"\\]*)"(; filename\*=UTF-8\'\'[A-Za-z0-9%._~-]+)?', answer.headers["content-disposition"])
            self.assertTrue(plain, answer.headers["content-disposition"])
            self.assertNotIn("/", plain[1])
        admin.get(base + "files", query={"after": "no-such-name"}, expect=404)


class Process(ApiCase):
    def supervisor(self):
        """Where sd_notify goes; returns (environment, what was told)."""
        told, path = [], self.path("notify")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        server.bind(path)
        threading.Thread(target=lambda: [told.append(server.recv(4096).decode()) for _ in iter(int, 1)], daemon=True).start()
        return {"NOTIFY_SOCKET": path}, told

    def test_a_clean_life(self):
        env, told = self.supervisor()
        service = self.serve(env=env)
        self.assertTrue(wait_until(lambda: told and told[0].startswith("READY=1")))
        key = self.path("state", "tls.key")
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        page = service.nobody().get("//", expect=200)
        self.assertTrue(page.headers["content-type"].startswith("text/html"))
        self.assertIn("default-src 'self'", page.headers["content-security-policy"])
        self.assertEqual(service.nobody().get("//", headers={"If-None-Match": page.headers["etag"]}, expect=304).body, b"")
        self.assertEqual(service.nobody().get("//points/of/the/console", expect=200).body, page.body)
        service.nobody().get("//nothing.js", expect=404)
        second = subprocess.run([*service.process.args[:-1], "127.0.0.1:%d" % service.port], env=environment(self.dir), capture_output=True, cwd=self.dir, timeout=60)
        self.assertEqual(json.loads(second.stdout.splitlines()[-1])["code"], "busy", second.stdout)
        other = subprocess.run(service.process.args, env=environment(self.dir), capture_output=True, cwd=self.dir, timeout=60)
        self.assertEqual(json.loads(other.stdout.splitlines()[-1])["code"], "busy", "one service owns the state")
        before = read(key)
        self.assertEqual(service.stop(), 0)
        self.assertTrue(any(t.startswith("STOPPING=1") for t in told))
        again = self.serve()
        self.assertEqual(read(key), before, "the certificate stays")
        self.assertEqual(again.stop(), 0)

    def test_a_kill_during_a_job(self):
        service = self.serve()
        admin = service.sign_in("administrator")
        numbers = [admin.ask("POST", "/jobs", {"kind": "verify", "parameters": {"all": True, "level": "restore"}}, expect=202).json["id"] for _ in range(4)]
        self.assertTrue(wait_until(lambda: admin.get("/jobs/%d" % numbers[0]).json["state"] != "queued"))
        service.process.kill()
        service.process.wait()
        again = self.serve()
        admin = again.sign_in("administrator")
        self.assertIn(admin.get("/jobs/%d" % numbers[0]).json["outcome"], ("interrupted", "done"))
        job = admin.get("/jobs/%d" % numbers[-1]).json
        self.assertEqual((job["state"], job["outcome"]), ("interrupted", "interrupted"))
        self.assertEqual(again.stop(), 0)

    def test_the_end_waits_for_the_job(self):
        service = self.serve()
        admin = service.sign_in("administrator")
        number = admin.ask("POST", "/jobs", {"kind": "backup"}, expect=202).json["id"]
        self.assertTrue(wait_until(lambda: admin.get("/jobs/%d" % number).json["state"] != "queued"))
        self.assertEqual(service.stop(), 0)
        again = self.serve()
        self.assertIn(again.sign_in("administrator").get("/jobs/%d" % number).json["outcome"], ("stopped", "interrupted", "done", "findings"))

    def test_a_repository_that_cannot_be_reached_is_told(self):
        os.rename(self.path("repository"), self.path("elsewhere"))
        service = self.serve()
        admin = service.sign_in("administrator")
        status = admin.get("/status").json
        self.assertEqual((status["verdict"], status["service"]["repository_error"]["code"]), ("unknown", "not_found"))
        self.assertIn("repository_unreachable", [a["code"] for a in status["attention"]])
        admin.get("/points", expect=404)
        os.rename(self.path("elsewhere"), self.path("repository"))
        self.assertEqual(admin.get("/status").json["verdict"], "with_findings")

    def test_a_configuration_that_became_wrong_is_told(self):
        service = self.serve()
        admin = service.sign_in("administrator")
        good = read(self.path("holdfast.toml"))
        write(self.path("holdfast.toml"), good + b"\n[nonsense]\n")
        self.assertTrue(wait_until(lambda: admin.get("/status").json["service"]["configuration"]["error"]))
        self.assertIn("configuration_wrong", [a["code"] for a in admin.get("/alerts").json["alerts"]])
        admin.get("/settings", expect=400)
        admin.ask("PUT", "/schedules/look", {"run": "check", "calendar": "daily"}, expect=400)
        write(self.path("holdfast.toml"), good)
        self.assertTrue(wait_until(lambda: not admin.get("/status").json["service"]["configuration"]["error"]))


if __name__ == "__main__":
    main()
