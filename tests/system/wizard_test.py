"""The dialogues, at a real terminal: a pseudo-terminal that is the controlling one of the program."""
import os
import pty
import re
import select
import time

from harness import Case, PASSWORD, PROGRAM, files_below, main, read, state_of, write


class Person:
    """Runs the program at a terminal of its own, reads what it shows and types."""

    def __init__(self, arguments, env, cwd):
        self.shown, self.position = "", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(PROGRAM, [PROGRAM, *arguments], {**env, "TERM": "xterm"})

    def read_some(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.shown += data.decode("utf-8", "replace")
        return bool(data)

    def sees(self, text, seconds=60):
        """Waits until `text` is shown after what was seen before."""
        end = time.monotonic() + seconds
        while text not in self.shown[self.position:]:
            if time.monotonic() > end or not self.read_some(max(0.1, end - time.monotonic())):
                if text in self.shown[self.position:]:
                    break
                raise AssertionError("never saw %r; shown:\n%s" % (text, self.shown))
        self.position = self.shown.index(text, self.position) + len(text)
        return self

    def types(self, text, end="\n"):
        os.write(self.fd, (text + end).encode())
        return self

    def leaves(self):
        """Waits for the end; returns the exit code."""
        while self.read_some(120):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    @property
    def since(self):
        return self.shown[self.position:]


class WizardCase(Case):
    def person(self, *arguments, cwd=None):
        return Person(arguments, self.env, cwd or self.dir)

    def ends(self, person, *codes):
        code = person.leaves()
        self.assertIn(code, codes, person.shown)
        self.assertNotIn(PASSWORD, person.shown)
        return person.shown

    def recovery_key_line(self, person):
        number = int(re.findall(r"Type line (\d) of", person.shown)[-1])
        return re.search(r"(?m)^%d: (\S+)\s*$" % number, person.shown).group(1)


class Init(WizardCase):
    def test_password_twice_and_the_recovery_key_typed_back(self):
        self.make_sample()
        person = self.person("init")
        person.sees("New password").types("one thing").sees("(again)").types("another").sees("not the same")
        person.sees("New password").types(PASSWORD).sees("(again)").types(PASSWORD)
        person.sees("shown only now").sees("Type line").sees("that you have it: ").types("0000-0000-00").sees("That is not line").sees("that you have it: ")
        person.types(self.recovery_key_line(person).lower())
        person.sees("nothing runs by itself")
        self.ends(person, 0)
        self.run_it("key", "test", "--password-file", self.password_file, expect=0)

    def test_leaving_while_the_password_is_asked_for(self):
        self.make_sample()
        person = self.person("init")
        person.sees("New password").types("\x03", end="")
        shown = self.ends(person, 130)
        self.assertIn("nothing was changed", shown)
        self.assertFalse([p for p in files_below(self.path("repository"))])

    def test_an_empty_password_is_refused(self):
        self.make_sample()
        person = self.person("init")
        person.sees("New password").types("")
        self.assertIn("code: usage", self.ends(person, 2))


class BackUp(WizardCase):
    def test_all_pages(self):
        self.make_repository()
        write(self.server("forgotten.txt"), "x")
        person = self.person("backup")
        person.sees("What to do").sees("1 or 2?").types("maybe").sees("Answer 1").sees("1 or 2?").types("")
        person.sees("Where to back up to").types("/nowhere/at/all").sees("there is no repository").sees("Repository [").types("")
        person.sees("Password").sees("Password for").types("wrong").sees("does not open it").sees("Password for").types(PASSWORD)
        person.sees("What to back up").sees("cmdb").sees("Enter = go on:").types("99").sees("not understood").sees("Enter = go on:").types("n")
        person.sees("[ ]").sees("Enter = go on:").types("").sees("Nothing is ticked").sees("Enter = go on:")
        person.types(self.number_of(person, "core-settings") + " " + self.number_of(person, "registry")).sees("[x]").sees("Enter = go on:").types("")
        person.sees("remark").types("by a person")
        person.sees("Review").sees("core-settings").sees("Not in this backup").sees("Not covered").sees("forgotten.txt").sees("Back up now?").types("y")
        person.sees("Recovery point")
        self.ends(person, 0, 3)
        point = self.answer("points")["points"][0]
        self.assertEqual((sorted(i["name"] for i in point["items"]), point["scope"], point["label"], point["origin"]),
                         (["core-settings", "registry"], "partial", "by a person", "manual"))

    def number_of(self, person, item):
        return re.findall(r"\[.\]\s+(\d+)\s+%s\s" % item, person.shown)[-1]

    def test_everything_with_enter_and_no_at_the_review(self):
        self.make_repository()
        before = state_of(self.path("repository"))
        for leave, code in (("n", 0), ("", 0), ("\x03", 130), ("\x04", 130)):
            person = self.person("backup")
            person.sees("1 or 2?").types("").sees("Repository [").types("").sees("Password for").types(PASSWORD)
            person.sees("Enter = go on:").types("").sees("remark").types("").sees("Back up now?").types(leave, end="" if code else "\n")
            shown = self.ends(person, code)
            if code:
                self.assertIn("nothing was changed", shown)
        self.assertEqual(state_of(self.path("repository")), before)

    def test_ctrl_c_on_every_page(self):
        self.make_repository()
        before = state_of(self.path("repository"))
        pages = ["1 or 2?", "Repository [", "Password for", "Enter = go on:", "remark"]
        answers = ["", "", PASSWORD, "", ""]
        for last in range(len(pages)):
            person = self.person("backup")
            for n in range(last):
                person.sees(pages[n]).types(answers[n])
            person.sees(pages[last]).types("\x03", end="")
            shown = self.ends(person, 130)
            self.assertIn("nothing was changed", shown)
            self.assertIn("code: interrupted", shown)
        self.assertEqual(state_of(self.path("repository")), before)


class Restore(WizardCase):
    def setUp(self):
        super().setUp()
        self.make_repository()
        self.back_up()

    def test_from_the_repository_into_a_folder(self):
        person = self.person("restore")
        person.sees("1 or 2? [2]").types("").sees("Where the backup is").types("").sees("Password for").types(PASSWORD)
        person.sees("Which recovery point").sees("[1]:").types("77").sees("[1]:").types("1")
        person.sees("What is in it").sees("critical").sees("Enter = go on:").types("n").sees("Enter = go on:")
        person.types(re.findall(r"\[.\]\s+(\d+)\s+core-settings\s", person.shown)[-1]).sees("Enter = go on:").types("")
        person.sees("Where to restore to").sees("1 or 2?").types("3").sees("Answer 1").sees("1 or 2?").types("1").sees("Folder:").types("").sees("Folder:").types("out")
        person.sees("Review").sees("core-settings").sees("free").sees("Restore now?").types("yes").sees("every byte was verified")
        self.ends(person, 0, 3)
        self.assertEqual(os.listdir(self.path("out")), ["core-settings"])

    def test_in_place(self):
        settings = self.server("ProgramData/Symantec/SMP/Settings/CoreSettings.config")
        before = read(settings)
        write(settings, "<broken/>")
        person = self.person("restore")
        person.sees("1 or 2? [2]").types("").sees("Where the backup is").types("").sees("Password for").types(PASSWORD).sees("[1]:").types("")
        person.sees("Enter = go on:").types("n").sees("Enter = go on:")
        person.types(re.findall(r"\[.\]\s+(\d+)\s+core-settings\s", person.shown)[-1]).sees("Enter = go on:").types("").sees("1 or 2?").types("2")
        person.sees("replaces what is there").sees("Write to this server now?").types("y")
        self.ends(person, 0, 3)
        self.assertEqual(read(settings), before)

    def test_from_a_backup_file(self):
        other = write(self.path("other"), "of the file\n")
        self.unlocked("export", "latest", "--file", self.path("f.hfbackup"), "--file-password-file", other)
        person = self.person("restore")
        person.sees("1 or 2? [2]").types("").sees("Where the backup is").types("f.hfbackup").sees("Password of").types("wrong").sees("does not open it")
        person.sees("Password of").types("of the file").sees("[1]:").types("").sees("Enter = go on:").types("").sees("1 or 2?").types("").sees("Folder:").types("out")
        person.sees("Restore now?").types("\x03", end="")
        self.assertIn("nothing was changed", self.ends(person, 130))
        self.assertFalse(os.path.exists(self.path("out")))


class Recover(WizardCase):
    def test_the_person_is_shown_everything_and_asked(self):
        self.make_repository()
        point = self.back_up()["point"]
        person = self.person("recover")
        person.sees("Password for").types(PASSWORD)
        person.sees(point[:12]).sees("host_name").sees("This machine and the lost server").sees("The plan").sees("Recover this server now?").types("y")
        person.sees("really off").sees("done, later or stop?").types("what?").sees("Answer done").sees("done, later or stop?").types("done")
        person.sees("Cloud-enabled Management").sees("done, later or stop?").types("later")
        person.sees("Checked after the recovery").sees("Left for you").sees("[ ]").sees("The server is back").sees("What was done:")
        self.ends(person, 3)

    def test_no_changes_nothing_and_stop_can_be_resumed(self):
        self.make_repository()
        self.back_up()
        before = state_of(self.server())
        person = self.person("recover")
        person.sees("Password for").types(PASSWORD).sees("Recover this server now?").types("n")
        self.assertIn("nothing was changed", self.ends(person, 130))
        self.assertEqual(state_of(self.server()), before)
        person = self.person("recover")
        person.sees("Password for").types(PASSWORD).sees("Recover this server now?").types("y").sees("done, later or stop?").types("stop")
        self.assertIn("--resume", self.ends(person, 130))
        person = self.person("recover", "--resume")
        person.sees("Password for").types(PASSWORD).sees("Recover this server now?").types("y").sees("done, later or stop?").types("d")
        person.sees("done, later or stop?").types("d").sees("The server is back")
        self.ends(person, 0, 3)


if __name__ == "__main__":
    main()
