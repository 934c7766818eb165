"""Backing up and everything about points: live servers, findings, keys, copies, exports, retention, diff."""
import glob
import os
import re
import shutil
import socket
import stat
import subprocess
import threading

from harness import Case, PROGRAM, copy_tree, files_below, flip_byte, main, read, rows, state_of, wait_until, write


class BackupCase(Case):
    def codes(self, result):
        return {f["code"] for f in result.findings()}

    def backup_json(self, *options, expect=(0, 3)):
        return self.unlocked("backup", *options, "--json", expect=expect)

    def item(self, report, name):
        return next(i for i in report["items"] if i["name"] == name)

    def restored(self, item, *parts, point="latest"):
        out = self.path("out-%d" % len(glob.glob(self.path("out-*"))))
        self.unlocked("restore", point, "--item", item, "--to", out, expect=(0, 3))
        return os.path.join(out, item, *parts)


class Findings(BackupCase):
    def test_a_whole_sample_is_complete_and_every_byte_comes_back(self):
        self.make_repository()
        made = self.backup_json()
        report = made.last()
        self.assertEqual(report["scope"], "full")
        self.assertIn(report["status"], ("complete", "complete_with_findings"))
        self.assertEqual({i["name"] for i in report["items"] if i["status"] == "failed"}, set())
        self.assertEqual(len(report["items"]), 18)
        out = self.path("out")
        self.unlocked("restore", "latest", "--to", out, "--privileged", expect=(0, 3))
        library = state_of(self.server("SoftwareLibrary"))
        self.assertGreater(len(library), 3)
        found = os.path.join(out, "software-library")
        inner = found if set(os.listdir(found)) != {"SoftwareLibrary"} else os.path.join(found, "SoftwareLibrary")
        self.assertEqual(state_of(inner), library)
        (settings,) = [p for p in files_below(os.path.join(out, "core-settings"))]
        self.assertEqual(read(settings), read(self.server("ProgramData/Symantec/SMP/Settings/CoreSettings.config")))
        database = max(files_below(os.path.join(out, "cmdb")), key=os.path.getsize)
        for table in ("Item", "TaskInstanceStatus", "ServerTaskInstanceRequests", "RunAsAccount"):
            self.assertEqual(rows(database, "SELECT * FROM %s ORDER BY 1" % table), rows(self.database, "SELECT * FROM %s ORDER BY 1" % table))

    def test_a_second_backup_stores_almost_nothing(self):
        self.make_repository()
        first = self.back_up()
        second = self.back_up()
        self.assertLess(second["bytes_stored"], max(first["bytes_stored"] // 10, 200_000))

    def test_what_no_item_takes_is_not_covered(self):
        self.make_repository()
        os.makedirs(self.server("Forgotten/deep"))
        for n in range(5):
            write(self.server("Forgotten/deep", "f%d" % n), "x")
        made = self.backup_json(expect=3)
        uncovered = [f for f in made.findings() if f["code"] == "not_covered"]
        self.assertEqual([f["object"].endswith("Forgotten") for f in uncovered].count(True), 1, uncovered)
        self.assertEqual(made.last()["status"], "complete_with_findings")
        review = self.unlocked("backup", "--dry-run").out
        self.assertIn("Forgotten", review)
        self.assertIn("Forgotten", self.unlocked("status", expect=3).out)

    def test_what_is_excluded_on_purpose_is_listed_and_no_finding(self):
        self.make_repository()
        text = read(self.path("holdfast.toml")).decode()
        write(self.path("holdfast.toml"), text.replace("[item.patch-packages]\n", "[item.patch-packages]\nexcluded = \"downloaded again later\"\n"))
        made = self.backup_json()
        self.assertNotIn("patch-packages", [i["name"] for i in made.last()["items"]])
        self.assertFalse([f for f in made.findings() if "Patch" in f["object"] and f["code"] == "not_covered"], made.findings())
        self.assertIn("downloaded again later", self.unlocked("backup", "--dry-run").out)
        self.assertEqual(self.unlocked("backup", "--item", "patch-packages", expect=(2, 18)).error()["code"], "precondition")

    def test_sockets_and_special_files(self):
        self.make_repository()
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.server("Packages/socket"))
            os.mkfifo(self.server("Packages/fifo"))
            made = self.backup_json(expect=3)
        self.assertTrue([f for f in made.findings() if "socket" in f["code"] and "Packages" in f["object"]], made.findings())
        self.assertEqual(self.item(made.last(), "software-packages")["status"], "complete_with_findings")
        found = [p for p in glob.glob(self.restored("software-packages") + "/**", recursive=True) if p.endswith("/fifo")]
        self.assertEqual(len(found), 1)

    def test_setuid_bits_and_devices_come_back_only_when_asked_for(self):
        self.make_repository()
        program, device = self.server("Packages/program"), self.server("Packages/device")
        write(program, b"program")
        os.chmod(program, 0o4755)
        os.mknod(device, 0o640 | stat.S_IFBLK, os.makedev(7, 99))
        self.back_up("--item", "software-packages")
        plain, privileged = self.path("plain"), self.path("privileged")
        made = self.unlocked("restore", "latest", "--item", "software-packages", "--to", plain, "--json", expect=3)
        self.assertEqual(len([f for f in made.findings() if f["code"] == "attribute_not_restored"]), 2)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(plain, "software-packages/program")).st_mode), 0o755)
        self.assertFalse(os.path.lexists(os.path.join(plain, "software-packages/device")))
        self.unlocked("restore", "latest", "--item", "software-packages", "--to", privileged, "--privileged", expect=0)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(privileged, "software-packages/program")).st_mode), 0o4755)
        found = os.stat(os.path.join(privileged, "software-packages/device"))
        self.assertTrue(stat.S_ISBLK(found.st_mode))
        self.assertEqual(found.st_rdev, os.makedev(7, 99))

    def test_a_file_that_vanishes_or_changes_while_it_is_read(self):
        self.make_repository()
        growing = self.server("Packages/growing.log")
        write(growing, b"0" * 4_000_000)
        stop = threading.Event()

        def churn():
            n = 0
            while not stop.is_set():
                n += 1
                with open(growing, "ab") as f:
                    f.write(b"x" * 100_000)
                coming = self.server("Packages/coming-%d" % (n % 50))
                write(coming, b"y" * 50_000)
                os.remove(self.server("Packages/coming-%d" % (n % 50)))
                if os.path.getsize(growing) > 60_000_000:
                    write(growing, b"0" * 4_000_000)

        thread = threading.Thread(target=churn)
        thread.start()
        try:
            made = self.backup_json("--item", "software-packages", expect=(0, 3))
        finally:
            stop.set()
            thread.join()
        self.assertIn(made.last()["status"], ("complete", "complete_with_findings"))
        self.run_it("check", "--read-data", expect=0)
        self.restored("software-packages")

    def test_a_repository_inside_a_protected_folder_leaves_itself_out(self):
        self.make_sample()
        inside = self.server("Packages/backups")
        self.unlocked("init", "--repository", inside)
        first = self.backup_json("--repository", inside, expect=3)
        self.assertTrue([f for f in first.findings() if "backups" in f["object"] + f["message"]], first.findings())
        second = self.answer("backup", "--repository", inside, expect=3)
        self.assertLess(second["bytes_read"], first.last()["bytes_read"] + 1_000_000)
        listed = self.answer("show", "latest", "software-packages", "--repository", inside)["entries"]
        self.assertNotIn("backups", [e["name"] for e in listed])


class FailedItems(BackupCase):
    def test_a_critical_item_that_fails_makes_an_incomplete_point_and_exit_1(self):
        self.make_repository()
        good = self.back_up()
        os.rename(self.database, self.database + ".away")
        made = self.backup_json(expect=1)
        self.assertEqual(made.last()["type"], "result")
        self.assertEqual(made.last()["status"], "incomplete")
        self.assertEqual(self.item(made.last(), "cmdb")["status"], "failed")
        points = self.answer("points")["points"]
        self.assertEqual([p["status"] for p in points][0], "incomplete")
        self.assertEqual(self.answer("show", "latest")["id"], good["point"], "latest is the newest complete one")
        out = self.answer("restore", "latest", "--item", "cmdb", "--to", self.path("out"), expect=(0, 3))
        self.assertEqual(out["point"], good["point"])
        self.unlocked("restore", made.last()["point"], "--item", "cmdb", "--to", self.path("out2"), expect=10)

    def test_an_optional_item_that_fails_is_a_finding(self):
        self.make_repository()
        shutil.rmtree(self.server("Patch Management"))
        made = self.backup_json(expect=3)
        self.assertEqual(made.last()["status"], "complete_with_findings")

    def test_a_damaged_database_is_not_backed_up_as_if_it_were_good(self):
        self.make_repository()
        size = os.path.getsize(self.database)
        with open(self.database, "r+b") as f:
            for offset in range(size // 3, size - 4096, 40_960):
                f.seek(offset)
                f.write(b"\xff" * 512)
        made = self.backup_json(expect=(1, 3))
        self.assertTrue(self.item(made.last(), "cmdb")["findings"], made.last())

    def test_swapped_keys_are_refused(self):
        self.make_repository()
        other = self.make_sample_elsewhere()
        for key in glob.glob(self.server("ProgramData/Symantec/SMP/KMS/*.kms")):
            os.remove(key)
        for key in glob.glob(os.path.join(other, "server/ProgramData/Symantec/SMP/KMS/*.kms")):
            shutil.copy2(key, self.server("ProgramData/Symantec/SMP/KMS"))
        made = self.backup_json(expect=1)
        keys = self.item(made.last(), "kms-keys")
        self.assertEqual(keys["status"], "failed")
        self.assertIn("keys_do_not_fit", [f["code"] for f in keys["findings"]])

    def make_sample_elsewhere(self):
        other = self.path("other")
        self.run_it("sample", other, "--rows", "500", expect=0)
        return other

    def test_keys_that_change_during_a_backup_are_kept_in_both_states(self):
        self.make_repository()
        write(self.server("SoftwareLibrary", "slow.bin"), os.urandom(60_000_000))
        process = self.start("backup", "--yes", "--json", "--password-file", self.password_file)
        first = sorted(glob.glob(self.server("ProgramData/Symantec/SMP/KMS/*.kms")))[0]
        target = first.replace(".kms", "-copy.kms")

        def touch():
            # After the keys were read and before the end: when the library is being read.
            wait_until(lambda: self.reads(process.pid, "slow.bin") or process.poll() is not None)
            shutil.copy2(first, target)

        thread = threading.Thread(target=touch)
        thread.start()
        out, err = process.communicate(timeout=200)
        thread.join()
        self.assertEqual(process.returncode, 3, (out + err).decode())
        self.assertIn(b"changed_during_backup", out)
        shown = self.answer("show", "latest")
        self.assertIn("kms-keys.after", [i["name"] for i in shown["items"]])
        before = os.listdir(self.restored("kms-keys"))
        self.assertNotEqual(before, [])

    @staticmethod
    def reads(pid, name):
        try:
            return any(os.readlink(fd).endswith(name) for fd in glob.glob("/proc/%d/fd/*" % pid))
        except OSError:
            return False


class LiveServer(BackupCase):
    def test_a_busy_database_is_captured_at_one_moment(self):
        self.make_repository()
        writer = self.start("sample", self.dir, "--live", "60")
        try:
            self.assertTrue(wait_until(lambda: os.path.exists(self.database + "-wal") and os.path.getsize(self.database + "-wal") > 0 or writer.poll() is not None))
            before = rows(self.database, "SELECT count(*) FROM TaskInstances")[0][0]
            for _ in range(2):
                self.back_up()
            self.assertIsNone(writer.poll(), "the writer went on during the backup")
        finally:
            writer.send_signal(15)
            writer.communicate(timeout=60)
        restored = max(files_below(self.restored("cmdb")), key=os.path.getsize)
        self.assertEqual(rows(restored, "PRAGMA integrity_check"), [("ok",)])
        # Every task has its status: what one transaction writes is there as a whole.
        self.assertEqual(rows(restored, "SELECT count(*) FROM TaskInstances t LEFT JOIN TaskInstanceStatus s USING (TaskInstanceGuid) "
                                        "WHERE s.TaskInstanceGuid IS NULL"), [(0,)])
        self.assertGreaterEqual(rows(restored, "SELECT count(*) FROM TaskInstances")[0][0], before)


class Points(BackupCase):
    def test_items_sections_and_scope(self):
        self.make_repository()
        one = self.back_up("--item", "core-settings", "--item", "registry")
        self.assertEqual((one["scope"], sorted(i["name"] for i in one["items"])), ("partial", ["core-settings", "registry"]))
        section = self.back_up("--section", "software-library")
        self.assertEqual(sorted(i["name"] for i in section["items"]), ["software-library", "software-library-share"])
        # No point holds every critical item yet.
        self.assertEqual(self.unlocked("recover", "--dry-run", expect=10).error()["code"], "not_found")

    def test_restore_latest_takes_the_newest_point_in_which_the_item_is_complete(self):
        self.make_repository()
        settings = self.server("ProgramData/Symantec/SMP/Settings/CoreSettings.config")
        self.back_up("--item", "core-settings")
        older = read(settings)
        write(settings, older.replace(b"</", b" </", 1))
        newer = self.back_up("--item", "core-settings")
        self.back_up("--item", "registry")
        self.assertEqual(self.answer("restore", "latest", "--item", "core-settings", "--to", self.path("out"), expect=(0, 3))["point"], newer["point"])

    def test_restore_in_place_and_review(self):
        self.make_repository()
        self.back_up()
        settings = self.server("ProgramData/Symantec/SMP/Settings/CoreSettings.config")
        before = state_of(self.server())
        write(settings, "<broken/>")
        review = self.unlocked("restore", "latest", "--item", "core-settings", "--in-place", "--dry-run").out
        self.assertIn("CoreSettings.config", review)
        self.assertIn("replaces", review)
        self.assertEqual(read(settings), b"<broken/>")
        self.unlocked("restore", "latest", "--item", "core-settings", "--in-place", expect=(0, 3))
        self.assertEqual(state_of(self.server()), before)

    def test_show_and_diff(self):
        self.make_repository()
        first = self.back_up()["point"]
        settings = self.server("ProgramData/Symantec/SMP/Settings/CoreSettings.config")
        text = read(settings).decode()
        match = re.search(r'value="(\d+)"', text)
        if match:
            text = text[:match.start(1)] + "4242" + text[match.end(1):]
        else:
            text = re.sub(r">(\d+)<", ">4242<", text, count=1)
        write(settings, text)
        write(self.server("Packages/new file.txt"), "new")
        second = self.back_up()["point"]
        changes = {i["item"]: i["changes"] for i in self.answer("diff", first, second)["items"]}
        self.assertTrue([c for c in changes["core-settings"] if "4242" in c["after"]], changes["core-settings"])
        self.assertTrue([c for c in changes["software-packages"] if c["kind"] == "added" and "new file.txt" in c["where"]])
        for name in ("registry", "kms-keys", "root-certificate", "web-config"):
            self.assertEqual(changes[name], [], name)
        self.assertIn("identity", self.answer("show", second))
        self.assertIn("new file.txt", [e["name"] for e in self.answer("show", second, "software-packages")["entries"]])
        entry = self.answer("show", second, "software-packages", "new file.txt")["entries"]
        self.assertEqual((len(entry), entry[0]["size"]), (1, 3))

    def test_retention_pin_and_forget(self):
        self.make_repository()
        ids = [self.back_up("--item", "core-settings")["point"] for _ in range(3)]
        # Points made by hand are never touched by a rule.
        kept = self.answer("retention", "apply")
        self.assertTrue(all(p["keep"] and p["reasons"] for p in kept["points"]), kept)
        self.unlocked("pin", ids[0])
        self.assertTrue(next(p for p in self.answer("points")["points"] if p["id"] == ids[0])["pinned"])
        self.assertEqual(self.unlocked("forget", ids[0], expect=18).error()["code"], "precondition")
        self.unlocked("unpin", ids[0])
        self.unlocked("forget", ids[0], ids[1])
        self.assertEqual([p["id"] for p in self.answer("points")["points"]], [ids[2]])
        self.unlocked("forget", ids[0], expect=10)
        self.run_it("check", "--read-data", expect=0)


class Elsewhere(BackupCase):
    def test_export_and_import(self):
        self.make_repository()
        point = self.back_up()["point"]
        other = write(self.path("other-password"), "of the file\n")
        file = self.path("export.hfbackup")
        self.answer("export", point, "--file", file, "--file-password-file", other)
        self.assertEqual(os.stat(file).st_mode & 0o077, 0)
        self.unlocked("export", point, "--file", file, "--file-password-file", other, expect=11)
        self.assertEqual(self.unlocked("show", "latest", "--from", file, "--file-password-file", self.password_file, expect=12).error()["code"], "wrong_key")
        shown = self.run_it("show", "latest", "--from", file, "--file-password-file", other, "--json", expect=0).last()
        self.assertEqual(shown["origin"], "imported")
        self.run_it("restore", "latest", "--from", file, "--file-password-file", other, "--item", "registry", "--to", self.path("out"), "--yes", expect=(0, 3))
        self.assertTrue(list(files_below(self.path("out"))))
        self.unlocked("init", "--repository", self.path("second"))
        self.unlocked("import", file, "--file-password-file", other, "--repository", self.path("second"))
        listed = self.answer("points", "--repository", self.path("second"))["points"]
        self.assertEqual([(p["origin"], p["scope"]) for p in listed], [("imported", "full")])
        self.unlocked("import", file, "--file-password-file", other, "--repository", self.path("second"), expect=11)
        flip_byte(file)
        self.run_it("restore", "latest", "--from", file, "--file-password-file", other, "--to", self.path("out2"), "--yes", expect=20)
        write(self.path("rubbish"), b"rubbish" * 100)
        self.run_it("show", "latest", "--from", self.path("rubbish"), "--file-password-file", other, expect=20)
        self.run_it("show", "latest", "--from", self.path("nothing"), "--file-password-file", other, expect=10)

    def test_export_of_plain_files_has_meaningful_names_and_an_order(self):
        self.make_repository()
        self.back_up()
        self.unlocked("export", "latest", "--folder", self.path("plain"), expect=(0, 3))
        names = os.listdir(self.path("plain"))
        self.assertIn("ORDER.txt", names)
        system = self.answer("points")["points"][0]["system"]
        self.assertTrue([n for n in names if re.match(r"cmdb\.Symantec_CMDB\.%s\.\d{4}-\d\d-\d\dT\d{4}Z\." % re.escape(system), n)], names)
        self.assertTrue([n for n in names if n.startswith("software-library.") and os.path.isdir(self.path("plain", n))], names)
        order = read(self.path("plain/ORDER.txt")).decode()
        for name in names:
            if name not in ("ORDER.txt", "holdfast.toml"):
                self.assertIn(name, order)
        self.unlocked("export", "latest", "--folder", self.path("plain"), expect=11)

    def test_copy(self):
        self.make_repository()
        self.back_up()
        self.assertEqual(self.unlocked("copy", self.path("copy"), expect=18).error()["code"], "precondition")
        place = self.path("disk")
        os.mkdir(place)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "none", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        copy = os.path.join(place, "copy")
        first = self.run_it("copy", copy, "--json", expect=0).last()
        self.assertGreater(first["objects"], 5)
        again = self.run_it("copy", copy, "--json", expect=0).last()
        self.assertEqual(again["objects"], 0)
        points = self.answer("points")["points"]
        self.assertEqual([p["id"] for p in self.answer("points", "--repository", copy, expect=(0, 3))["points"]], [p["id"] for p in points])
        self.unlocked("forget", points[0]["id"])
        self.run_it("copy", copy, expect=0)
        self.run_it("check", "--read-data", "--repository", copy, expect=0)
        self.unlocked("init", "--repository", self.path("stranger"))
        self.assertEqual(self.run_it("copy", copy, "--repository", self.path("stranger"), expect=18).error()["code"], "precondition")

    def test_verification_levels(self):
        self.make_repository()
        self.back_up()
        self.assertIsNone(self.answer("points")["points"][0]["verified"])
        os.mkdir(self.path("scratch"))
        for level in ("exists", "bytes", "content", "restore"):
            # In a folder of its own: another test's verification in /var/tmp would be a finding.
            self.unlocked("verify", "latest", "--level", level, *(["--to", self.path("scratch")] if level == "restore" else []))
            self.assertEqual(self.answer("points")["points"][0]["verified"]["level"], level)
        self.unlocked("verify", "--all", "--level", "exists")

    def test_an_older_copy_brought_back_is_noticed_and_can_be_accepted(self):
        self.make_repository()
        self.back_up("--item", "registry")
        copy_tree(self.path("repository"), self.path("older"))
        self.back_up("--item", "registry")
        shutil.rmtree(self.path("repository"))
        os.rename(self.path("older"), self.path("repository"))
        listed = self.unlocked("points", "--json", expect=3)
        self.assertIn("history", self.codes(listed))
        self.unlocked("accept-older", "--note", "test", expect=(0, 3))
        self.unlocked("points", expect=0)
        self.unlocked("backup", "--item", "registry", expect=(0, 3))


class Keys(BackupCase):
    def test_a_password_may_look_like_a_recovery_key(self):
        shaped = write(self.path("shaped"), "ABCDEFGH" * 10)
        location = self.path("shaped-repository")
        self.run_it("init", "--repository", location, "--password-file", shaped, "--yes", expect=0)
        self.run_it("points", "--repository", location, "--password-file", shaped, expect=0)

    def test_ways_in(self):
        self.make_repository()
        second = write(self.path("second"), "another password\n")
        self.unlocked("key", "add", "--new-password-file", second, "--label", "second administrator")
        self.run_it("key", "test", "--password-file", second, expect=0)
        labels = [s["label"] for s in self.answer("key", "list")["slots"]]
        self.assertIn("second administrator", labels)
        without = self.run_it("key", "list", "--json", expect=0).last()["slots"]
        self.assertEqual([s["label"] for s in without], [None] * 3)
        third = write(self.path("third"), "changed\n")
        self.run_it("key", "change", "--password-file", second, "--new-password-file", third, expect=0)
        self.run_it("key", "test", "--password-file", second, expect=12)
        self.run_it("key", "test", "--password-file", third, expect=0)
        for slot in self.run_it("key", "list", "--json", expect=0).last()["slots"]:
            self.run_it("key", "remove", slot["slot"], "--password-file", third, "--yes", expect=(0, 18, 12))
        self.assertNotEqual(self.run_it("key", "list", "--json", expect=0).last()["slots"], [])
        self.run_it("key", "remove", "ffffffff", "--password-file", third, "--yes", expect=(10, 12))


class Status(BackupCase):
    def test_what_comes_back_and_what_needs_attention(self):
        self.make_repository()
        early = self.answer("status", expect=3)
        self.assertIsNone(early["newest_good"])
        point = self.back_up()["point"]
        self.unlocked("kit", self.path("kit"))
        later = self.answer("status", expect=3)
        self.assertEqual(later["newest_good"]["id"], point)
        codes = {f["code"] for f in later["attention"]}
        self.assertIn("not_proven", codes)
        self.assertNotIn("no_kit", codes)
        self.unlocked("verify")
        self.assertNotIn("not_proven", {f["code"] for f in self.answer("status", expect=3)["attention"]})
        text = self.unlocked("status", expect=3).out
        self.assertIn("ample", text)
        for item in later["items"]:
            self.assertIn(item["item"], text)
            self.assertIn(item["proven_on"], ("sample", "stand-in", "real"))

    def test_the_kit(self):
        self.make_repository()
        self.back_up()
        self.unlocked("kit", self.path("kit"))
        self.assertEqual(subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=self.path("kit")).returncode, 0)
        self.assertEqual(read(self.path("kit/holdfast")), read(PROGRAM))
        plan = read(self.path("kit/PLAN.txt")).decode()
        for word in ("[ ]", "cmdb", "Cloud-enabled", "7"):
            self.assertIn(word, plan)
        too_long = [line for line in plan.splitlines() if len(line) > 80 and " " in line.strip()]
        self.assertEqual(too_long, [])
        self.assertNotIn("\\x0A", plan)
        os.mkdir(self.path("mine"))
        write(self.path("mine/thing"), "x")
        self.unlocked("kit", self.path("mine"), expect=11)


if __name__ == "__main__":
    main()
