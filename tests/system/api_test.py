"""The API of a real service over TLS with a real sample server: every route answers as openapi.json says, and nobody may more than the table of rights."""
import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time

from harness import PASSWORD, Case, copy_tree, environment, main, read, wait_until, write
from service import (DESCRIPTION, ODD_NAME, ROLES, SPARSE, USER_PASSWORD, Service, address, holdfast, operations, prepared_service)

RIGHTS = {"see": ROLES, "operate": ROLES[1:], "recover": ROLES[2:], "retention": ROLES[3:], "settings": ROLES[3:], "users": ROLES[3:], "audit": ROLES[3:], "any": ROLES}
RIGHT_OF_KIND = {"backup": "operate", "verify": "operate", "check": "operate", "copy": "operate", "kit": "operate", "export": "recover", "restore": "recover",
                 "recover": "recover", "retention": "retention", "prune": "retention"}
NO_JOB = 999_999_999


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
        self.assertEqual(admin.get("/session").json["rights"], list(RIGHTS)[:7])
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
        self.assertIn({"kind": "added", "where": "added.txt", "before": "", "after": ""},
                      [{**c, "before": "", "after": ""} for i in diff["items"] if i["item"] == "software-packages" for c in i["changes"]])
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
                                                         for name in names if os.path.isfile(os.path.join(base_, name))))
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
                if name == "changed" and data["what"] == "points":
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
        self.assertEqual([p["system"] for p in points], ["ns01"])
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
        self.assertEqual(job["exit"], 0)
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


class Rights(ApiCase):
    def test_nobody_may_more_than_the_table(self):
        service = self.serve()
        admin = service.sign_in("administrator")
        job = admin.job("check")["id"]
        callers = {}
        for role in ROLES:
            session = service.sign_in(role)
            callers[role] = (session, type(session)(service, cookie=session.cookie), service.with_token(admin, role))
        point = admin.get("/points/latest").json["id"]
        tried = 0
        for method, template, operation in operations():
            if operation["x-right"] == "none":
                continue
            path = address(template)
            for name, value in (("{id}", point), ("{a}", point), ("{b}", point), ("{item}", "core-settings"), ("{job}", str(job)), ("{token}", str(NO_JOB)), ("{delivery}", str(NO_JOB)),
                                ("{name}", "look" if template.startswith("/schedules") else "nobody")):
                path = path.replace(name, value)
            if template.endswith("/events") or (method, template) == ("delete", "/session"):
                continue   # tried below
            right = operation["x-right"]
            if right == "by-kind":
                right = "operate"   # job and schedule are of kind check
            bodies = [{"kind": kind, "parameters": {"nothing": 1}} for kind in RIGHT_OF_KIND] if (method, template) == ("post", "/jobs") else [{} if "requestBody" in operation else None]
            for body in bodies:
                # What is refused for its parameters first would hide who may: these are right.
                if body:
                    body = {"kind": body["kind"], "parameters": self.parameters(body["kind"])}
                    right = RIGHT_OF_KIND[body["kind"]]
                tried += self.try_all(service, callers, method, path, body, right, runs=bool(body) or template.endswith("/run"))
        for role in ROLES:   # streams do not end by themselves
            for path in ("/events", "/jobs/%d/events" % job):
                service.nobody().get(path, expect=401)
                self.assertEqual(next(iter(callers[role][0].events("/jobs/%d/events" % job)))[0], "job")
        refused = [e for e in admin.get("/audit", query={"limit": 1000}).json["entries"] if e["action"] == "access"]
        self.assertEqual({e["outcome"] for e in refused}, {"refused"})
        self.assertGreaterEqual(len(refused), 60)
        print("requests tried", tried)
        self.assertGreater(tried, 600)

    def parameters(self, kind):
        return {"kit": {"folder": "/proc/none"}, "export": {"point": "latest", "folder": "/proc/none"}, "restore": {"point": "latest", "items": ["none"], "to": "/proc/none"},
                "recover": {"only": "none"}, "copy": {"copy": "other"}, "backup": {"items": ["none"]}, "verify": {"point": "latest", "level": "exists"}}.get(kind, {})

    def try_all(self, service, callers, method, path, body, right, runs):
        ask = lambda client: client.ask(method.upper(), "/" + path, body)
        changes = method != "get"
        self.assertEqual(ask(service.nobody()).status, 401, (method, path))
        tried = 1
        for role, (session, without_csrf, token) in callers.items():
            allowed = role in RIGHTS[right]
            if changes:
                self.assertEqual(ask(without_csrf).status, 403, (method, path, role, "without CSRF"))
                tried += 1
            for client in (session, token):
                if runs and allowed and role not in (RIGHTS[right][0], "administrator"):
                    continue   # jobs take time: the first role that may, and the last
                status = ask(client).status
                self.assertEqual(status not in (401, 403) if path != "/api/v1/session/password" or client is session else status == 403, allowed or client is token and path == "/api/v1/session/password",
                                 (method, path, role, client is token, status))
                tried += 1
        return tried


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


class Process(ApiCase):
    def supervisor(self):
        """Where sd_notify goes; returns (environment, what was told)."""
        told, path = [], self.path("notify")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        server.bind(path)
        threading.Thread(target=lambda: [told.append(server.recv(4096).decode()) for _ in iter(int, 1)], daemon=True).start()
        self.addCleanup(server.close)
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
