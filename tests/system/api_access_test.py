"""Who may what over the API of a real service, and how one signs in."""
import hashlib
import re
import threading
import time
from pathlib import Path

from harness import main, wait_until
from service import DESCRIPTION, ROLES, USER_PASSWORD, ApiCase, address, operations, template_of

NO_JOB = 999_999_999
# Of jobs that may be started and do nothing.
PARAMETERS = {"kit": {"folder": "/proc/none"}, "export": {"point": "latest", "folder": "/proc/none"}, "restore": {"point": "latest", "items": ["none"], "to": "/proc/none"},
              "recover": {"only": "none"}, "copy": {"copy": "other"}, "backup": {"items": ["none"]}, "verify": {"point": "latest", "level": "exists"}}
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


if __name__ == "__main__":
    main()
