"""The API of a real service over TLS with a real sample server: every route answers as openapi.json says."""
import hashlib
import json
import os
import threading
import time

from harness import main, read, wait_until
from service import DESCRIPTION, SPARSE, USER_PASSWORD, ApiCase, holdfast, operations


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
        page = admin.get("/points", query={"items": "true"}).json
        self.assertEqual((len(page["points"]), page["total"], page["next"]), (2, 2, None))
        self.assertEqual(page["points"], json.loads(holdfast(self.dir, "points", "--json", "--key-file", "machine.key"))["points"])
        newest, oldest = (p["id"] for p in page["points"])
        first = admin.get("/points", query={"limit": 1}).json
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


if __name__ == "__main__":
    main()
