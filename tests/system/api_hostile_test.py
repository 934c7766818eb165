"""What hostile and hasty clients of a real service meet."""
import os
import re
import threading

from harness import main, read, write
from service import SPARSE, ApiCase


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


if __name__ == "__main__":
    main()
