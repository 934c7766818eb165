"""The contract of the command line: exit codes, errors in four parts, JSON lines, passwords, dry runs, interruptions."""
import glob
import hashlib
import os
import re
import signal
import subprocess
import time
import unittest

from harness import (Case, EXIT_OF_CODE, FOUR_PARTS, PASSWORD, PROGRAM, copy_tree, environment, files_below, flip_byte,
                     interrupt_after, main, prepared, prepared_sample, read, remove_tree, state_of, temporary_folder, write)


def with_a_point(folder):
    """A sample, its repository and one recovery point; the kit is not written."""
    copy_tree(prepared_sample(), folder)
    password = write(os.path.join(folder, "password"), PASSWORD + "\n")
    for verb in ("init", "backup"):
        done = subprocess.run([PROGRAM, verb, "--yes", "--password-file", password], cwd=folder, env=environment(folder), capture_output=True)
        if done.returncode not in (0, 3):
            raise AssertionError(done.stdout.decode() + done.stderr.decode())


class ContractCase(Case):
    def have_a_point(self):
        """This test's own copy of a repository with one point; returns the point's id."""
        copy_tree(prepared("point", with_a_point), self.dir)
        return self.answer("points", expect=(0, 3))["points"][0]["id"]


class WithoutRepository(ContractCase):
    def test_help_and_version(self):
        self.assertRegex(self.run_it("--version", expect=0).out, r"^holdfast \d+\.\d+\.\d+\n$")
        help_text = self.run_it("--help", expect=0).out
        for verb in ("sample", "init", "backup", "points", "show", "diff", "restore", "export", "import", "recover", "kit", "verify", "check", "repair",
                     "retention show", "forget", "pin", "prune", "copy", "key list", "key rotate", "accept-older", "schedule list",
                     "schedule on", "schedule off", "status", "serve", "explain"):
            self.assertIn("\n  " + verb + " ", help_text)
            verb_text = self.run_it(*verb.split(), "--help", expect=0).out
            self.assertIn("Examples", verb_text, verb)
            self.assertIn("holdfast " + verb, verb_text)
        for unbuilt in ("drill", "schedule run"):
            self.assertNotRegex(help_text, r"\n  %s " % unbuilt)

    def test_verbs_that_are_not_built_are_19(self):
        for verb in ("drill", "evidence", "package", "schedule run", "doctor"):
            self.assertEqual(self.run_it(*verb.split(), expect=19).error()["code"], "unsupported")
        self.refused("unsupported", "points", "--repository", "s3:https://host/bucket/prefix")

    def test_unknown_names_offer_the_nearest(self):
        self.assertIn("'backup'", self.refused("unknown_name", "bakcup")["hint"])
        self.assertIn("'--label'", self.refused("unknown_name", "backup", "--lable", "x")["hint"])
        self.assertIn("list, add", self.refused("unknown_name", "key", "lits")["message"])
        self.assertIn("'wrong_key'", self.refused("unknown_name", "explain", "wrong_kee")["hint"])

    def test_wrong_usage_is_2(self):
        for arguments in ([], ["show"], ["restore"], ["points", "extra"], ["sample"], ["sample", self.path("x"), "--rows", "many"], ["key"],
                          ["sample", self.path("x"), "--rows"]):
            self.run_it(*arguments, expect=2)
        self.make_sample()
        self.refused("usage", "restore", "latest")
        self.refused("usage", "restore", "latest", "--to", "x", "--in-place")
        self.refused("usage", "export", "latest")
        self.refused("usage", "recover", "--skip", "install")
        self.assertFalse(os.path.exists(self.path("x")))

    def test_a_mistake_in_the_configuration_is_2_and_says_where(self):
        self.make_sample()
        text = read(self.path("holdfast.toml")).decode()
        write(self.path("holdfast.toml"), text.replace("[retention]", "[retentoin]"))
        parts = self.refused("config", "status")
        self.assertRegex(parts["message"], r"holdfast\.toml:\d+")
        self.assertIn("retention", parts["message"] + parts["hint"])
        write(self.path("holdfast.toml"), text.replace("[item.kms-keys]", "[item.kms-kees]"))
        parts = self.run_it("status", expect=2).error()
        self.assertIn("kms-keys", parts["message"] + parts["hint"])
        write(self.path("holdfast.toml"), text + "\n[[[")
        self.run_it("status", expect=2)

    def test_no_repository_is_10(self):
        for verb in (["points"], ["check"], ["key", "list"], ["recover"], ["show", "latest"]):
            parts = self.refused("not_found", *verb, "--repository", self.path("nowhere"))
            self.assertIn("nowhere", parts["message"])
        os.mkdir(self.path("empty"))
        self.refused("not_found", "points", "--repository", self.path("empty"))
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_a_file_where_a_folder_should_be(self):
        write(self.path("file"), "x")
        for verb in (["points"], ["init"], ["check"]):
            result = self.run_it(*verb, "--repository", self.path("file"), "--password-file", self.password_file, "--yes")
            self.assertNotIn(result.code, (0, 3, 70), result.text)
            self.assertIn("file", result.error()["message"])
        self.assertEqual(read(self.path("file")), b"x")

    def test_sample_refuses_a_folder_that_is_not_empty(self):
        os.mkdir(self.path("full"))
        write(self.path("full", "thing"), "x")
        self.refused("already_exists", "sample", self.path("full"), "--rows", "500")
        self.assertEqual(os.listdir(self.path("full")), ["thing"])

    def test_dry_run_of_sample_and_init_makes_nothing(self):
        self.run_it("sample", self.path("s"), "--dry-run", expect=0)
        self.assertFalse(os.path.exists(self.path("s")))
        self.unlocked("init", "--repository", self.path("r"), "--dry-run")
        self.assertFalse(os.path.exists(self.path("r")))
        os.mkdir(self.path("r"))
        self.unlocked("init", "--repository", self.path("r"), "--dry-run")
        self.assertEqual(os.listdir(self.path("r")), [])

    def test_no_configuration_file_is_2(self):
        for verb in (["backup"], ["status"], ["points"], ["retention", "show"], ["init"]):
            parts = self.refused("config", *verb)
            self.assertIn("no configuration file", parts["message"])
            self.assertIn("--config", parts["hint"])
            self.assertIn("nowhere.toml", self.refused("config", *verb, "--config", self.path("nowhere.toml"))["message"])

    def test_explain_knows_every_code(self):
        for name, code in EXIT_OF_CODE.items():
            self.assertIn(name, self.run_it("explain", name, expect=0).out)
            self.assertIn(name, self.run_it("explain", str(code), expect=0).out)
        self.assertEqual(self.run_it("explain", "12", "--json", expect=0).last()["codes"][0]["code"], "wrong_key")

    def test_completion_and_man_page(self):
        script = self.run_it("completion", expect=0).out
        subprocess.run(["bash", "-n"], input=script.encode(), check=True)
        self.assertIn(".TH HOLDFAST 1", self.run_it("man", expect=0).out)

    def test_needs_only_the_c_library(self):
        listed = subprocess.run(["ldd", PROGRAM], capture_output=True, check=True).stdout.decode()
        allowed = {"linux-vdso", "libc", "libm", "libdl", "libpthread", "librt", "ld-linux-x86-64", "libstdc++", "libgcc_s"}
        if os.path.exists(os.path.join(os.path.dirname(PROGRAM), "CMakeCache.txt")):
            cache = read(os.path.join(os.path.dirname(PROGRAM), "CMakeCache.txt")).decode()
            if re.search(r"^CMAKE_BUILD_TYPE:\w+=Release$", cache, re.MULTILINE):
                allowed -= {"libstdc++", "libgcc_s"}
            if not re.search(r"^HOLDFAST_SANITIZE:\w+=$", cache, re.MULTILINE):
                allowed |= {"libasan", "libubsan", "libtsan"}
        needed = {os.path.basename(line.split()[0]).split(".so")[0] for line in listed.splitlines()}
        self.assertEqual(needed - allowed, set(), listed)


class Init(ContractCase):
    def test_result_and_second_init(self):
        made = self.make_repository()
        self.assertEqual(len(made["recovery_key"].strip().splitlines()), 8)
        before = state_of(self.path("repository"))
        for form in ([], ["--dry-run"]):
            self.assertEqual(self.unlocked("init", *form, expect=11).error()["code"], "already_exists")
        self.assertEqual(state_of(self.path("repository")), before)
        self.assertEqual(os.stat(self.path("repository")).st_mode & 0o077, 0, "readable by its owner only")

    def test_an_empty_password_is_2_at_init_and_12_elsewhere(self):
        self.make_sample()
        empty = write(self.path("empty"), "\n")
        self.assertEqual(self.run_it("init", "--yes", "--password-file", empty, expect=2).error()["code"], "usage")
        self.unlocked("init")
        self.assertEqual(self.run_it("points", "--password-file", empty, expect=12).error()["code"], "wrong_key")
        self.assertEqual(self.run_it("points", "--password-file", write(self.path("e2"), ""), expect=12).error()["code"], "wrong_key")

    def test_the_new_password_may_have_its_own_source(self):
        self.make_sample()
        self.run_it("init", "--yes", "--new-password-file", self.password_file, expect=0)
        self.run_it("key", "test", "--password-file", self.password_file, expect=0)

    def test_the_recovery_key_opens_it_and_a_typing_mistake_is_named(self):
        key = self.make_repository()["recovery_key"]
        squeezed = "".join(line.split(":")[1].strip().replace("-", "") for line in key.strip().splitlines()).lower()
        self.run_it("key", "test", "--password-file", write(self.path("rk"), squeezed + "\n"), expect=0)
        wrong = ("8" if squeezed[0] != "8" else "9") + squeezed[1:]
        parts = self.run_it("key", "test", "--password-file", write(self.path("rk2"), wrong), expect=12).error()
        self.assertIn("line 1", parts["message"])


class Passwords(ContractCase):
    def setUp(self):
        super().setUp()
        self.have_a_point()

    def test_every_source(self):
        self.run_it("key", "test", "--password-file", self.password_file, expect=0)
        self.run_it("key", "test", "--password-command", "cat " + self.password_file, expect=0)
        self.run_it("key", "test", env={"HOLDFAST_PASSWORD_FILE": self.password_file}, expect=0)
        self.run_it("key", "test", env={"HOLDFAST_PASSWORD_COMMAND": "printf '%s\\nsecond line' '" + PASSWORD + "'"}, expect=0)
        for closing in (PASSWORD + "\n", PASSWORD + "\r\n", PASSWORD, PASSWORD + "\nmore"):
            r, w = os.pipe()
            os.write(w, closing.encode())
            os.close(w)
            self.run_it("key", "test", "--password-fd", str(r), pass_fds=(r,), expect=0)
            os.close(r)
        os.symlink(self.password_file, self.path("link"))
        self.run_it("key", "test", "--password-file", self.path("link"), expect=0)

    def test_wrong_and_missing(self):
        wrong = write(self.path("wrong"), "not it\n")
        parts = self.run_it("points", "--password-file", wrong, expect=12).error()
        self.assertEqual(parts["code"], "wrong_key")
        self.assertIn("repository", parts["message"])
        self.assertIn("key list", parts["hint"])
        for way in ("nobody can open", "machine key", "exported backup file", "vendor's own backup", "database administrator"):
            self.assertIn(way, parts["hint"])
        self.assertEqual(len(parts["hint"].splitlines()), 2)
        self.run_it("points", "--password-file", self.path("no-such-file"), expect=10)
        self.run_it("points", "--password-command", "exit 7", expect=1)
        parts = self.refused("usage", "points")
        self.assertIn("--password-file", parts["hint"])

    def test_an_option_goes_before_the_environment(self):
        wrong = write(self.path("wrong"), "not it\n")
        self.run_it("key", "test", "--password-file", self.password_file, env={"HOLDFAST_PASSWORD_FILE": wrong}, expect=0)
        self.run_it("key", "test", "--password-file", wrong, env={"HOLDFAST_PASSWORD_FILE": self.password_file}, expect=12)

    def test_a_machine_key(self):
        self.unlocked("key", "add", "--machine", self.path("machine.key"))
        self.assertEqual(os.stat(self.path("machine.key")).st_mode & 0o077, 0)
        self.run_it("points", "--key-file", self.path("machine.key"), expect=0)
        self.run_it("points", env={"HOLDFAST_KEY_FILE": self.path("machine.key")}, expect=0)
        write(self.path("machine.key"), "rubbish")
        self.run_it("points", "--key-file", self.path("machine.key"), expect=(12, 20))

    def test_a_missing_file_of_a_secret_is_no_missing_point(self):
        for option in "--password-file", "--key-file":
            self.assertIn("may this user read it", self.refused("not_found", "points", option, self.path("missing"))["hint"])

    def test_composed_and_decomposed_letters_are_one_password(self):
        composed = write(self.path("nfc"), "sch\u00f6n\n".encode())
        self.unlocked("key", "add", "--new-password-file", composed)
        self.run_it("key", "test", "--password-file", write(self.path("nfd"), "scho\u0308n\n".encode()), expect=0)


class Questions(ContractCase):
    def test_without_terminal_and_without_yes_a_question_is_2(self):
        point = self.have_a_point()
        before = state_of(self.dir)
        for arguments in (["backup"], ["restore", point, "--to", self.path("out")], ["restore", point, "--in-place"], ["forget", point], ["recover"]):
            parts = self.run_it(*arguments, "--password-file", self.password_file, expect=2).error()
            self.assertEqual(parts["code"], "usage", arguments)
            self.assertIn("--yes", parts["hint"])
        after = state_of(self.dir)
        self.assertEqual({k: v for k, v in after.items() if not k.startswith("state")}, {k: v for k, v in before.items() if not k.startswith("state")})

    def test_dry_run_changes_nothing(self):
        point = self.have_a_point()
        self.answer("export", point, "--file", self.path("export"), "--file-password-file", self.password_file)
        write(self.path("server/Packages/new.txt"), "new")
        before = {k: v for k, v in state_of(self.dir).items() if not k.startswith("state")}
        for arguments in (["backup"], ["restore", point, "--to", self.path("out")], ["restore", point, "--in-place"], ["forget", point],
                          ["export", point, "--file", self.path("f")], ["export", point, "--folder", self.path("f")],
                          ["import", self.path("export"), "--file-password-file", self.password_file],
                          ["copy", "/dev/shm/holdfast-test-dry"], ["kit", self.path("kit")], ["retention", "apply"], ["prune"], ["key", "rotate"],
                          ["key", "add", "--machine", self.path("mk")], ["key", "add", "--recovery-key"], ["key", "change"], ["pin", point],
                          ["unpin", point], ["schedule", "on", "retention"], ["schedule", "off", "retention"], ["verify", point], ["init", "--repository", self.path("new")], ["sample", self.path("new")], ["recover"]):
            self.unlocked(*arguments, "--dry-run", expect=0 if arguments[0] != "recover" else (0, 18))
        self.assertEqual({k: v for k, v in state_of(self.dir).items() if not k.startswith("state")}, before)
        self.assertFalse(os.path.exists("/dev/shm/holdfast-test-dry"))
        slot = self.run_it("key", "list", "--json", expect=0).last()["slots"][0]["slot"]
        self.unlocked("key", "remove", slot, "--dry-run")
        self.assertEqual({k: v for k, v in state_of(self.dir).items() if not k.startswith("state")}, before)

    def test_dry_run_of_accept_older_accepts_nothing(self):
        self.have_a_point()
        copy_tree(self.path("repository"), self.path("older"))
        self.back_up("--item", "registry")
        remove_tree(self.path("repository"))
        os.rename(self.path("older"), self.path("repository"))
        before = state_of(self.path("repository"))
        self.assertFalse(self.answer("accept-older", "--dry-run", expect=(0, 3))["accepted"])
        self.assertEqual(state_of(self.path("repository")), before)
        self.assertIn("history", {f["code"] for f in self.unlocked("points", "--json", expect=3).findings()})


class Names(ContractCase):
    def setUp(self):
        super().setUp()
        self.point = self.have_a_point()

    def test_points_are_found_by_any_spelling(self):
        for text in (self.point, self.point[:12], self.point[:6], self.point[:8].upper(), "latest"):
            self.assertEqual(self.answer("show", text)["id"], self.point)
        for text in ("0000", "zzzz", "newest", "../../etc/passwd", self.point + "0"):
            self.assertIn(self.unlocked("show", text, expect=(10,)).error()["code"], ("not_found",), text)

    def test_unknown_item_section_step_and_path(self):
        self.assertIn("kms-keys", self.unlocked("backup", "--item", "kms-kees", expect=2).error()["hint"])
        self.assertEqual(self.unlocked("backup", "--section", "no-such", expect=2).error()["code"], "unknown_name")
        self.assertIn("cmdb", self.unlocked("restore", "latest", "--item", "cmbd", "--to", self.path("o"), expect=2).error()["hint"])
        self.assertIn("install", self.unlocked("recover", "--dry-run", "--only", "instal", expect=2).error()["hint"])
        self.assertEqual(self.unlocked("recover", "--dry-run", "--acknowledge", "nothing-like-it", expect=2).error()["code"], "unknown_name")
        self.assertEqual(self.unlocked("verify", "--level", "contnet", expect=2).error()["code"], "unknown_name")
        self.assertEqual(self.unlocked("copy", "offsite", expect=2).error()["code"], "unknown_name")
        self.assertEqual(self.unlocked("show", "latest", "software-library", "no/such/path", expect=10).error()["code"], "not_found")
        self.assertIn(self.unlocked("show", "latest", "no-such-item", expect=(2, 10)).error()["code"], ("not_found", "unknown_name"))
        self.assertFalse(os.path.exists(self.path("o")))

    def test_result_lines_hold_what_the_contract_names(self):
        made = self.back_up("--label", "by test")
        for key in ("point", "status", "scope", "items", "bytes_read", "bytes_stored", "seconds"):
            self.assertIn(key, made)
        listed = self.answer("points")["points"]
        self.assertEqual(len(listed), 2)
        for key in ("id", "time", "system", "origin", "status", "scope", "verified", "bytes", "items", "pinned", "label"):
            self.assertIn(key, listed[0])
        self.assertEqual((listed[0]["id"], listed[0]["origin"], listed[0]["scope"], listed[0]["label"]), (made["point"], "manual", "full", "by test"))
        self.assertRegex(listed[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.unlocked("verify", "latest")
        self.assertEqual(self.answer("points")["points"][0]["verified"]["level"], "content")

    def test_options_may_stand_before_the_verb(self):
        self.run_it("--password-file", self.password_file, "--json", "points", expect=0).last()
        self.run_it("--config", self.path("holdfast.toml"), "--password-file=" + self.password_file, "points", cwd="/", expect=0)
        self.run_it("points", env={"HOLDFAST_CONFIG": self.path("holdfast.toml"), "HOLDFAST_PASSWORD_FILE": self.password_file}, cwd="/", expect=0)

    def test_quiet_leaves_answers(self):
        self.assertIn(self.point[:12], self.unlocked("points", "--quiet").out)
        quiet = self.unlocked("backup", "--quiet", expect=(0, 3))
        self.assertEqual(quiet.out, "")


class Schedules(ContractCase):
    def setUp(self):
        super().setUp()
        self.make_sample()
        self.file = self.path("holdfast.toml")
        self.before = read(self.file).decode()

    def lines_changed(self):
        """(lines that are gone, lines that have come)"""
        old, new = self.before.splitlines(), read(self.file).decode().splitlines()
        return [line for line in old if line not in new], [line for line in new if line not in old]

    def test_list_shows_the_next_five_runs_of_all(self):
        result = self.run_it("schedule", "list", "--json", expect=0).last()
        schedules = {s["name"]: s for s in result["schedules"]}
        self.assertEqual(set(schedules), {"database", "configuration", "software-library", "packages", "proof", "retention", "space"})
        self.assertEqual({s["enabled"] for s in schedules.values()}, {False})
        self.assertEqual(result["sections_without"], [])
        nightly = schedules["configuration"]
        self.assertEqual((nightly["run"], nightly["section"], nightly["normal_form"]), ("backup", "configuration", "Mon..Fri *-*-* 02:30:00"))
        self.assertEqual(len(nightly["next"]), 5)
        for run in nightly["next"]:
            self.assertRegex(run["local"], r"^(Mon|Tue|Wed|Thu|Fri) \d{4}-\d\d-\d\d 02:30:00 [+-]\d\d:\d\d$")
            self.assertRegex(run["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$")
        self.assertEqual(sorted(run["time"] for run in nightly["next"]), [run["time"] for run in nightly["next"]])
        text = self.run_it("schedule", "list", expect=0).out
        self.assertIn("\nproof: off\n  verify to level content, 5% a run\n  *-*-* 00:00:00\n  would run  ", text)
        self.assertIn("Nothing of this runs unless the service runs", text)

    def test_on_and_off_change_one_line_and_its_comment_stays(self):
        write(self.file, self.before.replace('calendar = "Sun 04:00"\n', 'calendar = "Sun 04:00"\nenabled = false   # until the copy is there\n'), 0o640)
        self.before = read(self.file).decode()
        parts = self.run_it("schedule", "on", "retention", expect=2).error()
        self.assertIn("--yes", parts["hint"])
        self.assertEqual(read(self.file).decode(), self.before)
        result = self.run_it("schedule", "on", "retention", "--json", "--yes", expect=0).last()
        self.assertEqual((result["schedule"], result["enabled"], result["changed"], len(result["next"])), ("retention", True, True, 5))
        self.assertEqual(self.lines_changed(), (["enabled = false   # until the copy is there"], ["enabled = true   # until the copy is there"]))
        self.assertEqual(result["lines"], ["- enabled = false   # until the copy is there", "+ enabled = true   # until the copy is there"])
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o640)
        again = self.run_it("schedule", "on", "retention", "--json", expect=0).last()
        self.assertEqual((again["changed"], again["lines"]), (False, []))
        self.assertIn("unless the service runs", self.run_it("schedule", "on", "retention", expect=0).out)
        self.assertIn("retention: on\n", self.run_it("schedule", "list", expect=0).out)
        self.run_it("schedule", "off", "retention", "--yes", expect=0)
        self.assertEqual(read(self.file).decode(), self.before)

    def test_a_dry_run_shows_the_lines_and_changes_nothing(self):
        shown = self.run_it("schedule", "on", "packages", "--dry-run", expect=0).out
        self.assertIn("\n  + enabled = true\n", shown)
        result = self.run_it("schedule", "on", "packages", "--dry-run", "--json", expect=0).last()
        self.assertEqual((result["dry_run"], result["changed"], result["lines"]), (True, False, ["+ enabled = true"]))
        self.assertEqual(read(self.file).decode(), self.before)

    def test_a_section_is_named_by_its_name_and_gets_a_schedule_with_a_calendar(self):
        start, end = self.before.index("[schedule.packages]"), self.before.index("[schedule.proof]")
        self.before = (self.before[:start] + self.before[end:]).replace("[schedule.database]", "[schedule.nightly]")
        write(self.file, self.before)
        self.assertEqual(self.run_it("schedule", "list", "--json", expect=0).last()["sections_without"], ["packages"])
        self.assertEqual(self.run_it("schedule", "on", "database", "--yes", "--json", expect=0).last()["schedule"], "nightly")
        self.run_it("schedule", "off", "nightly", "--yes", expect=0)
        parts = self.run_it("schedule", "on", "packages", "--yes", expect=2).error()
        self.assertIn("--calendar", parts["hint"])
        self.run_it("schedule", "on", "packages", "--calendar", "Mon..Fri 02:30 UTC", "--yes", expect=0)
        self.assertEqual(self.lines_changed()[0], [])
        made = {s["name"]: s for s in self.run_it("schedule", "list", "--json", expect=0).last()["schedules"]}["packages"]
        self.assertEqual((made["enabled"], made["section"], made["calendar"]), (True, "packages", "Mon..Fri 02:30 UTC"))

    def test_what_is_refused(self):
        self.assertIn("'retention'", self.refused("unknown_name", "schedule", "on", "retentoin")["hint"])
        self.assertIn("list, on, off", self.run_it("schedule", expect=2).error()["message"])
        self.assertEqual(self.refused("unsupported", "schedule", "run", "database")["code"], "unsupported")
        self.assertIn("column 1", self.refused("config", "schedule", "on", "database", "--calendar", "never")["message"])
        self.refused("unknown_name", "schedule", "on", "database", "--calendar", "daily Europe/Nowhere")
        write(self.file, self.before + '[schedule.again]\nrun = "backup"\nsection = "software-library"\ncalendar = "daily Europe/Nowhere"\n')
        listed = self.run_it("schedule", "list", "--json", expect=3)
        self.assertEqual([f["code"] for f in listed.findings()], ["calendar_unusable"])
        write(self.file, self.before.replace("[schedule.database]", '[schedule.other]\nrun = "backup"\nsection = "database"\ncalendar = "daily"\n\n[schedule.nightly]'))
        self.assertIn("other, nightly", self.refused("usage", "schedule", "on", "database")["message"])


class SpaceAndKeys(ContractCase):
    def stored(self):
        return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(self.path("repository/pack")) for name in names)

    def test_prune_frees_what_was_forgotten_and_a_copy_is_refused(self):
        first = self.have_a_point()
        write(self.path("server/Packages/large.bin"), os.urandom(3_000_000))
        second = self.answer("backup", expect=(0, 3))["point"]
        os.remove(self.path("server/Packages/large.bin"))
        copy = self.path("copy")
        self.run_it("copy", copy, "--same-file-system", expect=0)
        full = self.stored()
        self.unlocked("forget", second)
        planned = self.answer("prune", "--dry-run")
        self.assertEqual((self.stored(), planned["dry_run"]), (full, True))
        done = self.answer("prune")
        self.assertEqual(done["deleted"]["objects"], planned["deleted"]["objects"])
        self.assertGreater(done["deleted"]["bytes"], 3_000_000)
        self.assertLess(self.stored(), full - 2_900_000)
        self.assertEqual(self.answer("prune")["deleted"], {"objects": 0, "bytes": 0})
        self.unlocked("verify", first)
        self.run_it("check", expect=0)
        self.assertEqual(self.unlocked("prune", "--repository", copy, expect=18).error()["code"], "precondition")
        for wrong in (["--max-unused", "much"], ["--unused-for", "long"], ["--wait", "1w"]):
            self.unlocked("prune", *wrong, expect=2)

    def test_rotated_keys_leave_everything_readable(self):
        first = self.have_a_point()
        self.assertEqual(self.answer("key", "rotate")["epoch"], 2)
        second = self.answer("backup", expect=(0, 3))["point"]
        done = self.answer("key", "rotate", "--rewrite")
        self.assertGreater(done["rewritten"]["objects"], 0)
        for point in (first, second):
            self.unlocked("verify", point)


class DamageAndVersions(ContractCase):
    def objects(self, kind):
        return sorted(files_below(self.path("repository", kind)))

    def test_a_newer_version_is_19(self):
        self.have_a_point()
        (repository,) = self.objects("repository")
        data = bytearray(read(repository))
        data[10] = 2
        os.remove(repository)
        write(os.path.join(os.path.dirname(repository), hashlib.sha256(bytes(data)).hexdigest()), bytes(data))
        self.assertEqual(self.unlocked("points", expect=19).error()["code"], "unsupported")
        self.assertEqual(self.run_it("key", "list", expect=19).error()["code"], "unsupported")

    def test_a_damaged_slot_is_20_and_not_12(self):
        self.have_a_point()
        for slot in self.objects("slot"):
            flip_byte(slot)
        parts = self.unlocked("points", expect=20).error()
        self.assertEqual(parts["code"], "damaged")

    def test_one_damaged_slot_leaves_the_other_way_in(self):
        key = self.make_repository()["recovery_key"]
        kinds = {s["slot"]: s["kind"] for s in self.run_it("key", "list", "--json", expect=0).last()["slots"]}
        self.assertEqual(sorted(kinds.values()), ["password", "recovery_key"])
        opened = []
        for slot in self.objects("slot"):
            before = read(slot)
            flip_byte(slot)
            by_password = self.run_it("key", "test", "--password-file", self.password_file).code
            by_key = self.run_it("key", "test", "--password-file", write(self.path("rk"), key)).code
            opened.append((by_password, by_key))
            os.chmod(slot, 0o600)
            write(slot, before)
        self.assertEqual(sorted(opened), [(0, 20), (20, 0)])

    def test_damage_is_named_by_check_and_verify(self):
        point = self.have_a_point()
        self.run_it("check", expect=0)
        self.run_it("check", "--read-data", expect=0)
        self.run_it("check", "--read-data=50%", expect=0)
        self.assertEqual(self.answer("check", "--read-data")["damaged"], [])
        pack = max(self.objects("pack"), key=os.path.getsize)
        flip_byte(pack)
        self.run_it("check", expect=0)   # sizes and names are right
        found = self.run_it("check", "--read-data", expect=20)
        self.assertIn(os.path.basename(pack)[:12], found.text)
        self.assertIn(point[:12], found.text)
        self.assertEqual(self.unlocked("verify", point, expect=20).error()["code"], "damaged")
        self.assertEqual(self.unlocked("verify", point, "--level", "exists").code, 0)
        os.remove(pack)
        self.run_it("check", expect=20)

    def test_check_names_the_files_and_repair_brings_them_back(self):
        point = self.have_a_point()
        copy = self.path("copy")
        self.run_it("copy", copy, "--same-file-system", expect=0)
        pack = max(self.objects("pack"), key=os.path.getsize)
        flip_byte(pack)
        told = self.unlocked("check", "--read-data", "--json", expect=20)
        objects = [f for f in told.findings() if f["code"] == "object_damaged"]
        self.assertEqual([(f["points"], f["object"].split("/")[0]) for f in objects], [([point], "pack")])
        files = [f for f in told.findings() if f["code"] == "file_affected"]
        self.assertEqual(len(files), objects[0]["files"])
        self.assertTrue(files and all(f["point"] == point and f["damaged"] == objects[0]["object"] for f in files))
        self.assertIn(files[0]["path"], self.unlocked("check", "--read-data", expect=20).text)

        damaged = state_of(self.path("repository"))
        plan = self.answer("repair", "--from", copy, "--dry-run", expect=3)
        self.assertEqual([o["object"] for o in plan["from_copies"]], [objects[0]["object"]])
        self.assertEqual(state_of(self.path("repository")), damaged)
        self.assertTrue(self.answer("repair", "--from", copy)["whole"])
        self.run_it("check", "--read-data", expect=0)
        self.assertEqual(self.answer("repair")["damaged"], 0)

        flip_byte(pack)   # now without a copy: everything on the server is as it was
        mended = self.answer("repair")
        self.assertEqual((mended["whole"], mended["files_lost"], mended["replaced"]), (True, 0, [objects[0]["object"]]))
        self.assertEqual(mended["files_lost_before"], len(files))
        self.run_it("check", "--read-data", expect=0)
        self.assertEqual(self.unlocked("verify", point, "--level", "content").code, 0)

    def test_repair_says_what_is_lost(self):
        self.have_a_point()
        for pack in self.objects("pack"):
            os.remove(pack)
        self.assertIn("pack/", self.run_it("repair", "--no-source", "--dry-run", expect=20).text)
        self.assertEqual(self.run_it("repair", "--no-source", "--yes", expect=20).error()["code"], "damaged")

    def test_a_restore_never_gives_wrong_bytes(self):
        self.have_a_point()
        for pack in self.objects("pack"):
            for offset in range(1000, os.path.getsize(pack), 4000):
                flip_byte(pack, offset)
        result = self.unlocked("restore", "latest", "--item", "cmdb", "--to", self.path("out"), expect=20)
        self.assertEqual(result.error()["code"], "damaged")


class PermissionAndSpace(ContractCase):
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")

    def setUp(self):
        super().setUp()
        # The program may lie where only root can go.
        self.program_copy = self.path("holdfast")
        write(self.program_copy, read(PROGRAM), 0o755)

    def as_nobody(self, *arguments, expect):
        """`expect` 13: not allowed."""
        state = self.path("nobody-state")
        if not os.path.isdir(state):
            os.mkdir(state)
            os.chown(state, 65534, 65534)
        done = subprocess.run([*self.nobody, self.program_copy, *arguments], env={**self.env, "HOLDFAST_STATE": state, "HOME": state}, cwd=self.dir,
                              stdin=subprocess.DEVNULL, capture_output=True)
        text = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, expect, text)
        return FOUR_PARTS.search(done.stderr.decode())

    def test_permission_is_13(self):
        point = self.have_a_point()
        os.chmod(self.password_file, 0o644)
        found = self.as_nobody("points", "--password-file", self.password_file, expect=13)
        self.assertEqual(found["code"], "permission")
        self.as_nobody("init", "--repository", self.path("theirs"), "--password-file", self.password_file, "--yes", expect=13)
        os.mkdir(self.path("readable"))
        copy_tree(self.path("repository"), self.path("readable"))
        subprocess.run(["chmod", "-R", "a+rX", self.path("readable")], check=True)
        os.mkdir(self.path("closed"), 0o755)
        self.as_nobody("restore", point, "--item", "core-settings", "--to", self.path("closed", "x"), "--repository", self.path("readable"),
                       "--password-file", self.password_file, "--yes", expect=13)
        self.as_nobody("restore", point, "--privileged", "--to", self.path("closed", "x"), "--repository", self.path("readable"),
                       "--password-file", self.password_file, "--yes", expect=13)

    def mount(self, size):
        place = self.path("small")
        os.mkdir(place)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        return place

    def test_a_full_disk_is_17_and_loses_nothing(self):
        self.make_sample()
        place = self.mount("64m")
        location = os.path.join(place, "repository")
        self.unlocked("init", "--repository", location)
        first = self.answer("backup", "--item", "core-settings", "--repository", location, expect=(0, 3))["point"]
        free = os.statvfs(place)
        write(os.path.join(place, "filler"), b"\0" * max(0, free.f_bavail * free.f_frsize - (1 << 18)))
        result = self.unlocked("backup", "--repository", location, expect=17)
        self.assertEqual(result.error()["code"], "no_space")
        self.assertIn(first, [p["id"] for p in self.answer("points", "--repository", location, expect=(0, 3))["points"]])
        os.remove(os.path.join(place, "filler"))
        self.unlocked("backup", "--repository", location, expect=(0, 3))
        self.run_it("check", "--read-data", "--repository", location, expect=0)

    def test_a_restore_that_cannot_fit_is_17_before_it_begins(self):
        self.have_a_point()
        place = self.mount("256k")
        result = self.unlocked("restore", "latest", "--to", os.path.join(place, "out"), expect=17)
        self.assertEqual(result.error()["safe"], "nothing was changed")
        self.assertEqual(os.listdir(place), [])

    def test_a_full_disk_while_exporting_leaves_no_half_file(self):
        self.have_a_point()
        place = self.mount("256k")
        self.unlocked("export", "latest", "--file", os.path.join(place, "export"), "--file-password-file", self.password_file, expect=17)
        self.assertEqual(os.listdir(place), [])


class Interruptions(ContractCase):
    def test_ctrl_c_is_130_and_a_second_run_succeeds(self):
        self.make_repository()
        interrupted = 0
        for milliseconds in (30, 300, 800, 1500):
            code, out, err = interrupt_after(self.start("backup", "--yes", "--password-file", self.password_file), milliseconds / 1000)
            self.assertIn(code, (0, 3, 130, -signal.SIGINT), out + err)
            if code == 130:
                interrupted += 1
                self.assertIn("code: interrupted (exit 130)", err)
        self.assertGreater(interrupted, 0)
        point = self.back_up()["point"]
        self.run_it("check", "--read-data", expect=0)
        self.unlocked("verify", point)

    def test_ctrl_c_during_a_restore(self):
        self.have_a_point()
        for milliseconds in (30, 500, 900):
            code, out, err = interrupt_after(
                self.start("restore", "latest", "--to", self.path("out"), "--yes", "--password-file", self.password_file), milliseconds / 1000)
            self.assertIn(code, (0, 3, 130, -signal.SIGINT), out + err)
        self.unlocked("restore", "latest", "--to", self.path("out"), expect=(0, 3))

    def test_terminate_and_hang_up_are_the_same(self):
        self.have_a_point()
        for number in (signal.SIGTERM, signal.SIGHUP):
            code, out, err = interrupt_after(self.start("verify", "--password-file", self.password_file), 0.35, number)
            self.assertIn(code, (0, 130), out + err)

    def test_a_reader_that_goes_away_does_not_kill_a_backup(self):
        self.make_repository()
        process = self.start("backup", "--yes", "--json", "--password-file", self.password_file)
        process.stdout.close()
        process.stderr.close()
        process.wait(timeout=120)
        self.assertEqual(process.returncode, 1, "the report was lost, and that is said")
        self.assertEqual(len(self.answer("points")["points"]), 1)
        self.run_it("check", "--read-data", expect=0)


class Secrets(ContractCase):
    def test_no_secret_in_arguments_output_state_or_repository(self):
        made = self.make_repository()
        self.unlocked("key", "add", "--machine", self.path("machine.key"))
        texts = []
        for arguments in (["backup"], ["points"], ["show", "latest"], ["status"], ["key", "list"], ["verify"], ["kit", self.path("kit")],
                          ["restore", "latest", "--to", self.path("out")]):
            for form in ([], ["--json"]):
                if arguments[0] == "kit" and form:
                    continue
                texts.append(self.unlocked(*arguments, *form, expect=(0, 3)).text)
        server_secrets = [read(self.server("ProgramData/Symantec/SMP/Certificates/pkcs12.password")).decode().strip()]
        for key in glob.glob(self.server("ProgramData/Symantec/SMP/KMS/*.kms")):
            server_secrets.append(re.search(r"^key: (\w+)$", read(key).decode(), re.MULTILINE).group(1))
        own = [PASSWORD, re.sub(r"^\d: ", "", made["recovery_key"].splitlines()[3]), read(self.path("machine.key")).decode().split()[1]]
        for secret in server_secrets + own:
            self.assertGreater(len(secret), 6)
            for text in texts:
                self.assertNotIn(secret, text)
            for folder in ("state", "repository", "kit"):
                for path in files_below(self.path(folder)):
                    self.assertNotIn(secret.encode(), read(path), path)
        for path in files_below(self.path("repository")):
            self.assertNotIn(b"CoreSettings", read(path))

    def test_arguments_of_the_running_program_hold_no_secret(self):
        self.have_a_point()
        process = self.start("verify", "--password-command", "sleep 0.3; cat " + self.password_file)
        seen = set()
        while process.poll() is None:
            for pid in os.listdir("/proc"):
                if pid.isdigit():
                    try:
                        seen.add(read("/proc/%s/cmdline" % pid))
                        if int(pid) == process.pid:
                            seen.add(read("/proc/%s/environ" % pid))
                    except OSError:
                        pass
            time.sleep(0.05)
        process.communicate()
        self.assertEqual(process.returncode, 0)
        self.assertFalse([line for line in seen if PASSWORD.encode() in line])

    def test_names_from_a_disk_cannot_write_to_the_terminal(self):
        self.make_repository()
        hostile = b"evil\x1b]0;title\x07\x9b31m\n{\"type\":\"result\"}"
        write(os.fsencode(self.server("Packages")) + b"/" + hostile, "x")
        os.mkfifo(os.fsencode(self.server()) + b"/outside\x1b[2J")
        for form in ([], ["--json"]):
            result = self.unlocked("backup", *form, expect=3)
            self.assertNotIn("\x1b", result.text)
        text = self.unlocked("show", "latest", "software-packages").out
        self.assertIn("\\x1b", text.lower())
        self.assertNotIn("\x1b", text)
        self.unlocked("restore", "latest", "--item", "software-packages", "--to", self.path("out"), expect=(0, 3))
        self.assertEqual(len([n for b, _, names in os.walk(os.fsencode(self.path("out"))) for n in names if n == hostile]), 1)


if __name__ == "__main__":
    main()
