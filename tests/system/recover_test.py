"""The worst day: the server is gone, and the repository and a password are all that is left."""
import glob
import os
import re
import shutil
import signal
import subprocess
import time

from harness import Case, flip_byte, interrupt_after, main, read, rows, state_of, write

MANUAL = ("confirm-old-server-off", "reconfigure-cem")
ACKNOWLEDGED = [word for step in MANUAL for word in ("--acknowledge", step)]
REQUESTS = ("ServerTaskInstanceRequests", "ServerTaskInstanceStates", "ClientTaskInstanceRequests")
TABLES_AS_BEFORE = ("Item", "ItemVersions", "ItemClass", "SWDPackage", "SWDPackageCodebase", "ProductVersion", "TaskInstances", "TaskInstanceResults",
                    "HierarchyCredential", "RunAsAccount", "WebServiceCredential")


class RecoverCase(Case):
    def backed_up(self, *options):
        """A sample server with a recovery point; returns what must come back."""
        self.make_sample(*options)
        self.unlocked("init")
        self.back_up()
        return self.remember()

    def remember(self):
        return {"state": self.comparable(), "xattrs": self.attributes(), "configuration": read(self.path("holdfast.toml")),
                "tables": {t: rows(self.database, "SELECT * FROM %s ORDER BY 1, 2" % t) for t in TABLES_AS_BEFORE},
                "finished": rows(self.database, "SELECT * FROM TaskInstanceStatus WHERE InstanceStatus > 1 ORDER BY 1"),
                "tasks": rows(self.database, "SELECT count(*) FROM TaskInstanceStatus")}

    def comparable(self):
        """Every path and attribute below the server but the database's own files: those are compared by rows."""
        state = state_of(self.server())
        return {k: v for k, v in state.items() if not k.startswith("Database/") and k != "Database"}

    def attributes(self):
        out = subprocess.run(["getfattr", "-R", "-h", "-d", "-m", "-", "-e", "hex", "."], cwd=self.server(), capture_output=True).stdout.decode()
        blocks = {b.splitlines()[0]: b for b in out.split("\n\n") if b.strip()}
        return {k: v for k, v in blocks.items() if "/Database" not in k}

    def lose_the_server(self):
        shutil.rmtree(self.server())
        shutil.rmtree(self.path("state"))
        os.remove(self.path("holdfast.toml"))

    def recover(self, *options, expect=(0, 3), **more):
        return self.unlocked("recover", "--repository", self.path("repository"), *options, "--json", expect=expect, cwd="/", **more)

    def assert_back(self, before):
        now = self.remember()
        self.assertEqual(set(now["state"]) ^ set(before["state"]), set())
        different = {k: (before["state"][k], now["state"][k]) for k in now["state"] if now["state"][k] != before["state"][k]}
        self.assertEqual(different, {})
        self.assertEqual(now["xattrs"], before["xattrs"])
        self.assertEqual(now["configuration"], before["configuration"])
        self.assertEqual(now["tables"], before["tables"])
        self.assert_tasks_cancelled(before)

    def assert_tasks_cancelled(self, before):
        for table in REQUESTS:
            self.assertEqual(rows(self.database, "SELECT count(*) FROM " + table), [(0,)], table)
        self.assertEqual(rows(self.database, "SELECT count(*) FROM TaskInstanceStatus WHERE InstanceStatus <= 1"), [(0,)])
        self.assertEqual(rows(self.database, "SELECT count(*) FROM TaskInstanceStatus"), before["tasks"])
        after = rows(self.database, "SELECT * FROM TaskInstanceStatus ORDER BY 1")
        self.assertLessEqual(set(before["finished"]), set(after))
        self.assertEqual(rows(self.database, "PRAGMA integrity_check"), [("ok",)])

    def states(self, result):
        return {s["name"]: s["state"] for s in result.last()["steps"]}


class Whole(RecoverCase):
    def test_from_repository_and_password_alone(self):
        before = self.backed_up()
        pending = [rows(self.database, "SELECT count(*) FROM " + t)[0][0] for t in REQUESTS]
        self.assertTrue(all(pending), "the sample has tasks to cancel")
        self.lose_the_server()
        result = self.recover(*ACKNOWLEDGED)
        self.assert_back(before)
        report = result.last()
        self.assertTrue(report["complete"])
        self.assertEqual(set(self.states(result).values()), {"done"})
        self.assertTrue(report["checks"] and all(c["passed"] for c in report["checks"]), report["checks"])
        self.assertEqual(report["left_for_you"], [])
        # On a bare machine nothing remembers the head: that is said.
        self.assertEqual({f["code"] for f in result.findings()} - {"head_not_checked"}, set())
        self.assertEqual(result.code, 3)
        detail = next(s["detail"] for s in report["steps"] if s["name"] == "cancel-tasks")
        for count in pending:
            self.assertIn("{:,}".format(count), detail)
        self.assertTrue(os.path.exists(report["journal"]))
        # The clean database of the installation was set aside, not dropped.
        self.assertGreater(len([n for n in os.listdir(self.server("Database")) if not n.startswith("Symantec_CMDB.db")]), 0, os.listdir(self.server("Database")))

    def test_with_the_head_code_of_the_kit_it_is_0(self):
        before = self.backed_up()
        self.unlocked("kit", self.path("kit"))
        code = re.search(r"\n  ([0-9a-f]{8}-\d+-[0-9a-f]{16})\n", read(self.path("kit/README.txt")).decode()).group(1)
        self.lose_the_server()
        # With the program of the kit, as a person would.
        done = subprocess.run([self.path("kit/holdfast"), "recover", "--repository", self.path("repository"), "--password-file", self.password_file, "--yes",
                               "--expect-head", code, *ACKNOWLEDGED], env=self.env, cwd="/", capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())
        self.assert_back(before)
        wrong = code[:-4] + ("0000" if code[-4:] != "0000" else "1111")
        self.recover("--dry-run", "--expect-head", wrong, expect=18)

    def test_manual_steps_are_left_to_a_person_and_may_be_acknowledged_later(self):
        before = self.backed_up()
        self.lose_the_server()
        first = self.recover(expect=3)
        self.assertEqual(len(first.last()["left_for_you"]), 2)
        for text in [s["detail"] for s in first.last()["steps"]] + [f["message"] for f in first.findings()]:
            self.assertNotIn("\\x0a", text, "an end of a line is no part of a sentence")
        self.assertEqual({f["object"] for f in first.findings() if f["code"] == "left_to_person"}, set(MANUAL))
        self.assert_back(before)
        second = self.recover("--resume", *ACKNOWLEDGED)
        self.assertEqual(set(self.states(second).values()), {"done"})
        self.assertEqual(second.last()["left_for_you"], [])
        self.assertEqual(self.recover("--resume", expect=10).last()["code"], "not_found")

    def test_with_a_library_of_real_files(self):
        library = self.path("library")
        self.make_library(library)
        before = self.backed_up("--library", library)
        self.lose_the_server()
        self.recover(*ACKNOWLEDGED)
        self.assert_back(before)

    def make_library(self, folder):
        os.makedirs(os.path.join(folder, "sub", "empty"))
        write(os.path.join(folder, "plain"), os.urandom(300_000), 0o644)
        os.link(os.path.join(folder, "plain"), os.path.join(folder, "sub", "another name"))
        os.symlink("../plain", os.path.join(folder, "sub", "link"))
        os.symlink("/nowhere", os.path.join(folder, "dangling"))
        os.mkfifo(os.path.join(folder, "fifo"), 0o640)
        write(os.fsencode(folder) + b"/not utf-8 \xff\xfe", "bytes", 0o600)
        write(os.path.join(folder, "new\nline"), "", 0o755)
        with open(os.path.join(folder, "sparse"), "wb") as f:
            f.truncate(50_000_000)
            f.seek(20_000_000)
            f.write(b"in the middle")
        write(os.path.join(folder, "setuid"), "#!/bin/sh\n", 0o4755)
        os.chmod(os.path.join(folder, "setuid"), 0o4755)
        write(os.path.join(folder, "owned"), "x")
        os.chown(os.path.join(folder, "owned"), 1234, 4321)
        subprocess.run(["setfattr", "-n", "user.note", "-v", "kept", os.path.join(folder, "plain")], check=True)
        subprocess.run(["setfacl", "-m", "u:1234:r", os.path.join(folder, "owned")], check=True)
        os.utime(os.path.join(folder, "sub"), ns=(10**9, -(10**9) + 7))
        for n in range(300):
            write(os.path.join(folder, "sub", "small-%03d" % n), "content %d" % n)

    def test_from_a_backup_file(self):
        before = self.backed_up()
        other = write(self.path("other"), "of the file\n")
        self.unlocked("export", "latest", "--file", self.path("ns.hfbackup"), "--file-password-file", other)
        self.lose_the_server()
        shutil.rmtree(self.path("repository"))
        result = self.run_it("recover", "--from", self.path("ns.hfbackup"), "--file-password-file", other, "--yes", "--json", *ACKNOWLEDGED, cwd="/", expect=(0, 3))
        self.assertTrue(result.last()["complete"])
        self.assert_back(before)

    def test_with_the_recovery_key_when_the_password_is_lost(self):
        self.make_sample()
        key = self.unlocked("init", "--json").last()["recovery_key"]
        self.back_up()
        before = self.remember()
        self.lose_the_server()
        self.run_it("recover", "--repository", self.path("repository"), "--password-file", write(self.path("key"), "".join(key.split("\n"))), "--yes", *ACKNOWLEDGED,
                    cwd="/", expect=(0, 3))
        self.assert_back(before)

    def test_onto_a_server_that_stands(self):
        """A clean installation by hand, or damage by a bad update: what is there is set aside or replaced."""
        before = self.backed_up()
        write(self.server("ProgramData/Symantec/SMP/Settings/CoreSettings.config"), "<damaged/>")
        os.remove(self.server("Shares/SoftwareLibrary.share"))
        self.recover(*ACKNOWLEDGED)
        self.assert_back(before)


class Refusals(RecoverCase):
    def refused_unchanged(self, code, *options, prefix=()):
        before = state_of(self.path())
        result = self.recover(*options, expect=code, prefix=prefix)
        after = state_of(self.path())
        strip = lambda s: {k: v for k, v in s.items() if not k.startswith("state")}
        self.assertEqual(strip(after), strip(before))
        self.assertEqual(glob.glob(self.path("state/recoveries/*")), [])
        # A dry run ends as the real one does.
        if "--dry-run" not in options:
            dry = self.recover(*options, "--dry-run", expect=result.code, prefix=prefix).last()
            self.assertEqual((dry["code"], dry["message"]), (result.last()["code"], result.last()["message"]))
        return result

    def test_another_server_name_is_18_and_nothing_is_changed(self):
        self.backed_up()
        self.lose_the_server()
        other = ("unshare", "--uts", "sh", "-c", 'hostname not-the-server && exec "$@"', "sh")
        result = self.refused_unchanged(18, prefix=other)
        self.assertEqual(result.last()["code"], "precondition")
        self.assertIn("not-the-server", result.last()["message"])
        self.assertEqual(result.last()["safe"], "nothing was changed")
        dry = self.refused_unchanged(18, "--dry-run", prefix=other)
        self.assertIn("not-the-server", dry.last()["message"])

    def test_another_installation_path_or_product_is_18(self):
        self.backed_up()
        registry = self.server("Registry/HKLM-SOFTWARE-Altiris.reg")
        text = read(registry).decode("utf-16")
        for change in (lambda t: t.replace("Program Files", "Elsewhere"), lambda t: t.replace("8.7.1253.0", "8.7.9999.0")):
            self.assertNotEqual(change(text), text)
            write(registry, b"\xff\xfe" + change(text).encode("utf-16-le"))
            self.refused_unchanged(18)

    def test_dry_run_shows_the_plan_and_changes_nothing(self):
        self.backed_up()
        self.lose_the_server()
        before = {k: v for k, v in state_of(self.path()).items() if not k.startswith("state")}
        text = self.unlocked("recover", "--repository", self.path("repository"), "--dry-run", cwd="/").out
        for word in ("restore-database", "cancel-tasks", "install", "restore-kms-keys", "check-server", "ServerTaskInstanceRequests"):
            self.assertIn(word, text)
        positions = [text.index("[%s]" % s) for s in ("confirm-old-server-off", "set-aside-database", "restore-database", "cancel-tasks", "start-services", "check-server")]
        self.assertEqual(positions, sorted(positions))
        result = self.recover("--dry-run", expect=0).last()
        self.assertTrue(result["dry_run"])
        self.assertEqual({s["state"] for s in result["steps"]}, {"pending"})
        self.assertEqual({k: v for k, v in state_of(self.path()).items() if not k.startswith("state")}, before)

    def test_wrong_password_lost_repository_and_incomplete_points(self):
        self.backed_up()
        wrong = write(self.path("wrong"), "no\n")
        self.run_it("recover", "--repository", self.path("repository"), "--password-file", wrong, "--yes", cwd="/", expect=12)
        self.run_it("recover", "--repository", self.path("gone"), "--password-file", wrong, "--yes", cwd="/", expect=10)
        self.run_it("recover", "--password-file", wrong, "--yes", cwd="/", expect=(2, 10))
        os.rename(self.database, self.path("away.db"))
        bad = self.answer("backup", expect=1)["point"]
        points = self.answer("points")["points"]
        self.assertEqual(self.recover("--dry-run", expect=(0, 18)).last().get("point", points[1]["id"]), points[1]["id"])
        self.recover(bad, "--dry-run", expect=18)

    def test_unknown_version_is_not_touched(self):
        self.make_sample()
        registry = self.server("Registry/HKLM-SOFTWARE-Altiris.reg")
        text = read(registry).decode("utf-16").replace("8.7.1253.0", "9.1.1.0")
        write(registry, b"\xff\xfe" + text.encode("utf-16-le"))
        self.unlocked("init")
        self.back_up()
        self.refused_unchanged((18, 19))

    def test_a_second_recovery_while_one_is_unfinished_is_14(self):
        self.backed_up()
        self.lose_the_server()
        self.recover(expect=3)   # manual steps are left: it is not finished
        self.assertEqual(self.recover(expect=14).last()["code"], "busy")
        self.assertEqual(self.recover("--resume", "--acknowledge", "no-such-step", expect=2).last()["code"], "unknown_name")

    def test_a_damaged_repository_stops_with_20_and_goes_on_when_it_is_whole(self):
        before = self.backed_up()
        self.lose_the_server()
        packs = sorted(glob.glob(self.path("repository/pack/*/*")), key=os.path.getsize)
        originals = {p: read(p) for p in packs}
        flip_byte(packs[-1])
        code = self.recover(*ACKNOWLEDGED, expect=(20,)).code
        self.assertEqual(code, 20)
        for path, content in originals.items():
            write(path, content)
        resumed = os.path.isdir(self.path("state/recoveries")) and os.listdir(self.path("state/recoveries"))
        self.recover(*(["--resume"] if resumed else []), *ACKNOWLEDGED)
        self.assert_back(before)


class Choosing(RecoverCase):
    def test_only_and_skip(self):
        self.backed_up()
        self.lose_the_server()
        only = self.recover("--only", "restore-core-settings")
        self.assertEqual(self.states(only)["restore-core-settings"], "done")
        self.assertEqual(os.listdir(self.server()), ["ProgramData"])
        shutil.rmtree(self.path("state"))
        shutil.rmtree(self.server())
        skipped = self.recover(*ACKNOWLEDGED, "--skip", "restore-patch-packages", "--reason", "downloaded again later", expect=3)
        step = next(s for s in skipped.last()["steps"] if s["name"] == "restore-patch-packages")
        self.assertEqual((step["state"], step["detail"]), ("skipped", "downloaded again later"))
        self.assertIn("step_skipped", {f["code"] for f in skipped.findings()})
        self.unlocked("recover", "--skip", "restore-patch-packages", "--repository", self.path("repository"), expect=2)

    def test_a_failed_check_at_the_end_is_1_and_the_report_is_whole(self):
        self.backed_up()
        self.lose_the_server()
        result = self.recover(*ACKNOWLEDGED, "--skip", "restore-kms-keys", "--reason", "by test", expect=1)
        report = result.last()
        self.assertEqual(report["type"], "result")
        self.assertFalse(report["complete"])
        self.assertIn(False, [c["passed"] for c in report["checks"]])
        self.assertIn("check_failed", {f["code"] for f in result.findings()})
        self.assertIn("FAILED", result.err)

    def test_several_systems_need_a_name(self):
        self.backed_up()
        other = self.path("other")
        self.run_it("sample", other, "--rows", "500", expect=0)
        text = read(os.path.join(other, "holdfast.toml")).decode()
        text = re.sub(r'(?m)^id = "[0-9a-f]{32}"', 'id = "%s"' % ("ab" * 16), text)
        text = re.sub(r'(?m)^name = "[^"]+"', 'name = "second"', text, count=1)
        write(os.path.join(other, "holdfast.toml"), text)
        self.unlocked("backup", "--config", os.path.join(other, "holdfast.toml"), "--repository", self.path("repository"), expect=(0, 3))
        first = next(p["system"] for p in self.answer("points")["points"] if p["system"] != "second")
        self.lose_the_server()
        refused = self.recover("--dry-run", expect=2).last()
        self.assertIn("second", refused["message"])
        self.assertEqual(self.recover("--dry-run", "--system", "secnd", expect=2).last()["code"], "unknown_name")
        self.recover("--dry-run", "--system", first, expect=0)

    def test_a_broken_configuration_file_is_not_in_the_way(self):
        before = self.backed_up()
        shutil.rmtree(self.server())
        shutil.rmtree(self.path("state"))
        write(self.path("holdfast.toml"), "[[[ half")
        result = self.unlocked("recover", "--repository", self.path("repository"), "--json", *ACKNOWLEDGED, expect=3)
        self.assertIn("configuration_ignored", {f["code"] for f in result.findings()})
        self.assert_back(before)


class Killed(RecoverCase):
    def test_a_backup_that_is_killed_anywhere_loses_nothing(self):
        self.make_repository()
        write(self.server("SoftwareLibrary", "large.bin"), os.urandom(30_000_000), 0o644)
        first = self.back_up("--item", "core-settings")["point"]
        for n in range(8):
            write(self.server("Packages", "part-%d" % n), os.urandom(2_000_000), 0o644)
            process = self.start("backup", "--yes", "--password-file", self.password_file)
            interrupt_after(process, 0.15 + n * 0.25, signal.SIGKILL)
            points = self.answer("points", expect=0)["points"]
            self.assertIn(first, [p["id"] for p in points])
            self.assertFalse([p for p in points if p["status"] == "incomplete"])
        self.run_it("check", "--read-data", expect=0)
        last = self.back_up()
        self.unlocked("verify", last["point"])
        before = self.remember()
        self.lose_the_server()
        self.recover(*ACKNOWLEDGED)
        self.assert_back(before)

    def test_a_recovery_that_is_killed_anywhere_goes_on(self):
        before = self.backed_up()
        self.lose_the_server()
        started = time.monotonic()
        self.recover(*ACKNOWLEDGED)
        whole = time.monotonic() - started
        self.assert_back(before)
        kills = 0
        for n in range(7):
            self.lose_the_server()
            for attempt in range(3):
                resume = ["--resume"] if self.unfinished() else []
                process = self.start("recover", "--repository", self.path("repository"), "--password-file", self.password_file, "--yes", *resume, *ACKNOWLEDGED, cwd="/")
                code, out, err = interrupt_after(process, whole * (0.2 + 0.11 * n + 0.03 * attempt), signal.SIGKILL)
                self.assertIn(code, (0, 3, -signal.SIGKILL), out + err)
                kills += code == -signal.SIGKILL
                if code in (0, 3):
                    break
            else:
                self.recover(*(["--resume"] if self.unfinished() else []), *ACKNOWLEDGED)
            self.assert_back(before)
        self.assertGreater(kills, 5)

    def unfinished(self):
        for journal in glob.glob(self.path("state/recoveries/*")):
            lines = read(journal).decode().splitlines()
            if lines and not any('"finished"' in line for line in lines):
                return True
        return False

    def test_ctrl_c_and_resume(self):
        before = self.backed_up()
        self.lose_the_server()
        started = time.monotonic()
        self.recover("--dry-run", expect=0)
        opening = time.monotonic() - started
        process = self.start("recover", "--repository", self.path("repository"), "--password-file", self.password_file, "--yes", *ACKNOWLEDGED, cwd="/")
        code, out, err = interrupt_after(process, opening + 0.1)
        self.assertIn(code, (0, 3, 130), out + err)
        if code == 130:
            self.assertIn("code: interrupted (exit 130)", err)
            self.recover(*(["--resume"] if self.unfinished() else []), *ACKNOWLEDGED)
        self.assert_back(before)


if __name__ == "__main__":
    main()
