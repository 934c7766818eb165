"""The service itself: schedules that run at their slots, what is overdue, and what becomes of jobs when the service or the job is killed, stopped or hangs."""
import glob
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time
from pathlib import Path

from harness import PROGRAM, Case, copy_tree, environment, main, read, wait_until, write
from service import USER_PASSWORD, ApiCase, Service, holdfast, prepared_service

UNIT = Path(__file__).resolve().parents[2] / "packaging/systemd/holdfast.service"


def jobs_of(pid):
    """The processes that a service has started."""
    found = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            fields = read(stat).decode("utf-8", "replace").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.split("/")[2]))
    return found


def state_of_process(pid):
    """R, S, T, Z …; "" when there is none."""
    try:
        return read("/proc/%d/stat" % pid).decode("utf-8", "replace").rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def words_of(pid):
    """Its command line; [] when there is none."""
    try:
        return read("/proc/%d/cmdline" % pid).decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def asked_to_stop(pid):
    """SIGTERM waits for it."""
    pending = re.search(r"^ShdPnd:\s+([0-9a-f]+)", read("/proc/%d/status" % pid).decode(), re.MULTILINE)[1]
    return int(pending, 16) & (1 << (signal.SIGTERM - 1)) != 0


class Serving(Case):
    def setUp(self):
        super().setUp()
        copy_tree(prepared_service(), self.dir)

    def serve(self, **more):
        service = Service(self.dir, **more)
        self.addCleanup(service.stop, signal.SIGKILL)
        return service, service.sign_in("administrator")

    def configure(self, text):
        write(self.path("holdfast.toml"), read(self.path("holdfast.toml")) + text.encode())

    def jobs(self, admin, **query):
        return admin.get("/jobs", query={"limit": 100, **query}).json["jobs"]

    def stopped_job(self, service, admin, kind="verify"):
        """A job whose process does nothing any more, not even end when it is asked to: (number, process)."""
        parameters = {"all": True, "level": "restore"} if kind == "verify" else {}
        for _ in range(50):
            number = admin.ask("POST", "/jobs", {"kind": kind, "parameters": parameters}, expect=202).json["id"]
            # A process that is not yet our program still holds what belongs to the service, and has none of our handlers.
            ours = lambda: [pid for pid in jobs_of(service.process.pid) if kind in words_of(pid)]
            self.assertTrue(wait_until(lambda: ours() or admin.get("/jobs/%d" % number).json["state"] == "ended"))
            for pid in ours():
                os.kill(pid, signal.SIGSTOP)
                if wait_until(lambda: state_of_process(pid) in ("T", ""), 5) and state_of_process(pid) == "T":
                    self.addCleanup(self.end, pid)
                    self.assertEqual(admin.get("/jobs/%d" % number).json["state"], "running")
                    return number, pid
            admin.wait(number)
        self.fail("no job could be stopped while it ran")

    def end(self, pid):
        if state_of_process(pid):
            os.kill(pid, signal.SIGKILL)


class Schedules(Serving):
    def test_a_schedule_runs_at_its_slots(self):
        self.configure('\n[schedule.often]\nrun = "backup"\nsection = "configuration"\ncalendar = "*:*:0/4 UTC"\nenabled = true\n')
        service, admin = self.serve()
        ended = lambda: [j for j in self.jobs(admin) if j["schedule"] == "often" and j["state"] == "ended"]
        self.assertTrue(wait_until(lambda: len(ended()) >= 3, 120))
        self.assertEqual(admin.get("/alerts").json["alerts"] and [a for a in admin.get("/alerts").json["alerts"] if a["schedule"] == "often" and a["code"] == "schedule_overdue"], [])
        jobs = ended()
        self.assertEqual(service.stop(), 0)
        self.assertEqual(len({j["slot"] for j in jobs}), len(jobs), "one run a slot")
        for job in jobs:
            self.assertIn(job["exit"], (0, 3), job)
            self.assertEqual(int(job["slot"][-3:-1]) % 4, 0)
            self.assertGreaterEqual(job["started"], job["slot"])
            self.assertEqual(job["who"], "schedule often")
        points = [p for p in json.loads(holdfast(self.dir, "points", "--json", "--key-file", self.path("machine.key")).splitlines()[-1])["points"] if p["origin"] == "scheduled"]
        self.assertGreaterEqual(len(points), len(jobs))
        for point in points:
            self.assertRegex(point["label"], r"^schedule often, audit \d+ [0-9a-f]{64}$")

    def test_what_does_not_run_is_overdue(self):
        at = time.gmtime(time.time() - 3 * 3600)
        self.configure('\n[schedule.night]\nrun = "check"\ncalendar = "%02d:%02d UTC"\nenabled = true\n' % (at.tm_hour, at.tm_min) +
                       '\n[notify.log]\nurl = "http://127.0.0.1:9/"\non = ["overdue"]\n')
        overdue = lambda codes: [(a["code"], a["object"]) for a in codes if a["code"].startswith("schedule")]
        status = lambda: overdue(json.loads(self.run_it("status", "--json", "--key-file", self.path("machine.key")).out.splitlines()[-1])["attention"])
        self.assertEqual(status(), [("schedule_unknown", "[schedule.night]")], "on, and no service has run since")
        service, admin = self.serve()
        self.assertTrue(wait_until(lambda: status() == []))
        number, pid = self.stopped_job(service, admin)
        with sqlite3.connect(self.path("state", "service.sqlite"), timeout=30) as state:   # it was switched on two days ago
            state.execute("UPDATE schedules SET since = since - 172800")
        self.assertTrue(wait_until(lambda: overdue(admin.get("/alerts").json["alerts"]) == [("schedule_overdue", "[schedule.night]")], 60))
        self.assertEqual(status(), [("schedule_overdue", "[schedule.night]")], "the same, beside the service")
        told = lambda: [d["subject"] for d in admin.get("/notifications").json["deliveries"] if d["channel"] == "log" and d["event"] == "overdue"]
        self.assertTrue(wait_until(told, 60))
        self.assertEqual(["[schedule.night] is overdue" in subject for subject in told()], [True])
        self.assertIn('holdfast_schedule_overdue{schedule="night",run="check"} 1', admin.get("//metrics").body.decode())
        os.kill(pid, signal.SIGCONT)
        self.assertTrue(wait_until(lambda: [j["outcome"] for j in self.jobs(admin) if j["schedule"] == "night"] == ["done"], 120), "caught up, once")
        self.assertTrue(wait_until(lambda: status() == [] and overdue(admin.get("/alerts").json["alerts"]) == []))
        self.assertEqual(service.stop(), 0)


class Ends(Serving):
    def test_a_job_has_nothing_of_the_service(self):
        service, admin = self.serve(env={"NOTIFY_SOCKET": self.path("nobody"), "SECRET_OF_THE_SERVICE": "x"})
        _, pid = self.stopped_job(service, admin)
        files = {int(os.path.basename(f)): os.readlink(f) for f in glob.glob("/proc/%d/fd/*" % pid)}
        of_the_service = [f for f in files.values() if "service" in f]
        self.assertEqual(of_the_service, [self.path("state", "service.job")], files)
        self.assertFalse([f for f in files.values() if f.startswith("socket:")], files)
        names = {v.split("=", 1)[0] for v in read("/proc/%d/environ" % pid).decode().split("\0") if v}
        self.assertLessEqual(names, {"PATH", "HOME", "LANG", "TMPDIR", "HOLDFAST_STATE", "PWD"} | {n for n in names if n.startswith("LC_")})
        self.assertEqual(os.getsid(pid), pid)
        self.assertIn("PPid:\t%d" % service.process.pid, read("/proc/%d/status" % pid).decode())
        os.kill(pid, signal.SIGCONT)

    def test_killed_with_a_job_that_does_not_end(self):
        self.configure('\n[notify.log]\nurl = "http://127.0.0.1:9/"\non = ["failure"]\n')
        service, admin = self.serve()
        number, pid = self.stopped_job(service, admin)
        waiting = admin.ask("POST", "/jobs", {"kind": "check"}, expect=202).json["id"]
        service.process.kill()
        service.process.wait()
        self.assertEqual(state_of_process(pid), "T")
        again, admin = self.serve()
        for n in (number, waiting):
            self.assertEqual(admin.get("/jobs/%d" % n).json["outcome"], "interrupted")
        told = [d["job"] for d in admin.get("/notifications").json["deliveries"] if d["channel"] == "log" and "was interrupted" in d["subject"]]
        self.assertEqual(sorted(told), [number, waiting], "nobody has to find out by himself")
        queued = admin.ask("POST", "/jobs", {"kind": "check"}, expect=202).json["id"]
        self.assertTrue(wait_until(lambda: "jobs_blocked" in [a["code"] for a in admin.get("/alerts").json["alerts"]]))
        self.assertEqual((admin.get("/jobs/%d" % queued).json["state"], jobs_of(again.process.pid)), ("queued", []), "not two at a time")
        os.kill(pid, signal.SIGCONT)   # what it was sent when its service died reaches it now
        self.assertTrue(wait_until(lambda: state_of_process(pid) in ("", "Z")))
        self.assertEqual(admin.wait(queued)["outcome"], "done")
        self.assertTrue(wait_until(lambda: "jobs_blocked" not in [a["code"] for a in admin.get("/alerts").json["alerts"]]))
        self.assertEqual(again.stop(), 0)

    def test_a_kill_ends_the_job(self):
        service, admin = self.serve()
        number, pid = self.stopped_job(service, admin)
        service.process.kill()
        service.process.wait()
        os.kill(pid, signal.SIGCONT)
        self.assertTrue(wait_until(lambda: state_of_process(pid) in ("", "Z")))
        holdfast(self.dir, "check", "--key-file", self.path("machine.key"))

    def test_the_end_lets_a_backup_reach_a_safe_point(self):
        with open(self.path("server", "SoftwareLibrary", "large.bin"), "wb") as f:
            for _ in range(400):
                f.write(os.urandom(1 << 20))
        service, admin = self.serve()
        before = admin.get("/points").json["total"]
        number, pid = self.stopped_job(service, admin, "backup")
        stored = lambda: (admin.get("/jobs/%d" % number).json["progress"] or {}).get("bytes", 0)
        while stored() < 20 << 20:   # a little at a time
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.02)
            os.kill(pid, signal.SIGSTOP)
            self.assertTrue(wait_until(lambda: state_of_process(pid) == "T"))
        service.process.send_signal(signal.SIGTERM)
        self.assertTrue(wait_until(lambda: asked_to_stop(pid)))
        self.assertIsNone(service.process.poll(), "it waits")
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(service.stop(), 0)
        self.assertEqual(state_of_process(pid), "")
        again, admin = self.serve()
        job = admin.get("/jobs/%d" % number).json
        self.assertEqual((job["state"], job["outcome"]), ("interrupted", "interrupted"), job)
        self.assertEqual(admin.get("/points").json["total"], before)
        self.assertEqual(admin.job("check")["outcome"], "done")
        self.assertIn(admin.job("backup")["outcome"], ("done", "findings"))
        self.assertEqual(again.stop(), 0)
        holdfast(self.dir, "verify", "latest", "--level", "content", "--key-file", self.path("machine.key"))

    def test_whoever_starts_it_ignores_the_end_of_children(self):
        ignored = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            service = Service(self.dir)
        finally:
            signal.signal(signal.SIGCHLD, ignored)
        self.addCleanup(service.stop, signal.SIGKILL)
        self.assertEqual(service.sign_in("administrator").job("check")["outcome"], "done")
        self.assertEqual(service.stop(), 0)

    def test_asked_to_end_at_any_time(self):
        for after in range(0, 400, 40):
            service = Service(self.dir, wait=False)
            time.sleep(after / 1000)
            self.assertIn(service.stop(), (0, -signal.SIGTERM), "".join(service.log))
        service, admin = self.serve()
        self.assertIsNone(admin.get("/audit/verify").json["broken"])


class Unit(Case):
    def test_systemd_understands_it(self):
        text = UNIT.read_text()
        command = re.search(r"^ExecStart=(\S+) (.*)$", text, re.MULTILINE)
        unit = write(self.path("holdfast.service"), text.replace(command[1], shutil.copy(PROGRAM, self.path("holdfast"))), 0o644)
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
        # What a backup and a recovery need stays open; 4.6 is what is left then.
        exposed = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=46", "--no-pager", unit], capture_output=True, text=True)
        self.assertEqual(exposed.returncode, 0, exposed.stdout + exposed.stderr)

    def test_its_command_is_one(self):
        words = re.search(r"^ExecStart=\S+ (.*)$", UNIT.read_text(), re.MULTILINE)[1].split()
        self.make_sample()
        parts = self.run_it(*words, expect=2).error()
        self.assertEqual(parts["code"], "config", "understood, and there is no such file here")


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

    def test_a_service_without_a_way_into_the_repository_says_so_once(self):
        os.rename(self.path("machine.key"), self.path("elsewhere"))
        service = self.serve()
        told = lambda: [line for line in service.log if "repository" in line]
        self.assertTrue(wait_until(told), "at its start, before anybody asks")
        self.assertIn("cannot read the repository: ", told()[0])
        self.assertIn("hint: ", told()[0])
        admin = service.sign_in("administrator")

        def backup():   # each is followed by a look at the repository, for which a moment is left
            number = admin.ask("POST", "/jobs", {"kind": "backup"}, expect=202).json["id"]
            self.assertTrue(wait_until(lambda: admin.get("/jobs/%d" % number).json["state"] == "ended"))
            time.sleep(1)
            return admin.get("/jobs/%d" % number).json["outcome"]

        self.assertEqual([backup(), backup()], ["failed", "failed"])
        os.rename(self.path("elsewhere"), self.path("machine.key"))
        backup()
        self.assertTrue(wait_until(lambda: len(told()) > 1))
        self.assertEqual([told()[1:], service.stop()], [["the repository can be read again\n"], 0])

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
