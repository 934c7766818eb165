"""What every system test uses: the program in a temporary folder of its own, and its answers by the rules of the contract.

Python's standard library only. HOLDFAST names the program to test. Runs as root: some tests mount, change owners or names.
"""
import atexit
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["HOLDFAST"]
PASSWORD = "correct horse battery staple"
ROWS = "2000"
SCHEMA_TYPES = {"progress", "finding", "result", "error"}
EXIT_OF_CODE = {
    "failed": 1, "usage": 2, "config": 2, "unknown_name": 2, "not_found": 10, "already_exists": 11, "wrong_key": 12,
    "permission": 13, "busy": 14, "unavailable": 15, "no_space": 17, "precondition": 18, "unsupported": 19,
    "damaged": 20, "outside": 20, "io": 1, "defect": 70, "interrupted": 130,
}
FOUR_PARTS = re.compile(
    r"^holdfast: (?P<message>.+?)\n  (?P<safe>[^\n]+)\n  hint: (?P<hint>[^\n]+(?:\n[^\n]+)*?)\n"
    r"  code: (?P<code>[a-z_]+) \(exit (?P<exit>\d+)\)\n", re.MULTILINE | re.DOTALL)


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def text(self):
        return self.out + self.err

    def lines(self):
        """The JSON lines, each checked by the rules of the contract."""
        lines = [json.loads(line) for line in self.out.splitlines()]
        assert lines, "no JSON line: " + self.text
        for line in lines:
            assert line["schema"] == 1 and line["type"] in SCHEMA_TYPES, line
        assert [line["type"] in ("result", "error") for line in lines] == [False] * (len(lines) - 1) + [True], self.out
        return lines

    def last(self):
        return self.lines()[-1]

    def findings(self):
        return [line for line in self.lines() if line["type"] == "finding"]

    def error(self):
        """The four parts of the error as people see it."""
        found = FOUR_PARTS.search(self.err)
        assert found, "no error in four parts: " + self.text
        parts = found.groupdict()
        assert int(parts["exit"]) == self.code == EXIT_OF_CODE[parts["code"]], self.text
        return parts


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = temporary_folder()
        self.addCleanup(remove_tree, self.dir)
        self.env = environment(self.dir)
        self.password_file = write(os.path.join(self.dir, "password"), PASSWORD + "\n")

    # -- running
    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def start(self, *arguments, prefix=(), env=None, cwd=None, stdin=subprocess.DEVNULL, **more):
        return subprocess.Popen([*prefix, PROGRAM, *arguments], env={**self.env, **(env or {})}, cwd=cwd or self.dir, stdin=stdin,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **more)

    def run_it(self, *arguments, expect=None, input=None, timeout=300, **more):
        """Runs the program without a terminal. `expect`: the exit code, or several that may come."""
        process = self.start(*arguments, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL, **more)
        out, err = process.communicate(input, timeout=timeout)
        result = Result(process.returncode, out.decode("utf-8"), err.decode("utf-8", "replace"))
        if expect is not None:
            wanted = expect if isinstance(expect, (tuple, list)) else (expect,)
            self.assertIn(result.code, wanted, "holdfast " + " ".join(arguments) + "\n" + result.text)
        return result

    def unlocked(self, *arguments, expect=0, **more):
        """With the password and without questions."""
        return self.run_it(*arguments, "--password-file", self.password_file, "--yes", expect=expect, **more)

    def answer(self, *arguments, expect=0, **more):
        """The last JSON line of a run with the password."""
        return self.unlocked(*arguments, "--json", expect=expect, **more).last()

    def refused(self, code, *arguments, **more):
        """Runs it without a password, expects the named error, as text and as JSON. Returns its parts."""
        parts = self.run_it(*arguments, expect=EXIT_OF_CODE[code], **more).error()
        self.assertEqual(parts["code"], code)
        line = self.run_it(*arguments, "--json", expect=EXIT_OF_CODE[code], **more).last()
        self.assertEqual((line["type"], line["code"], line["exit"]), ("error", code, EXIT_OF_CODE[code]))
        self.assertTrue(line["message"] and line["safe"] and line["hint"])
        return parts

    # -- places
    def make_sample(self, *options, name="."):
        """A sample server in `name` of this test's folder; the fixed one is made once and copied."""
        folder = os.path.normpath(self.path(name))
        if options:
            self.run_it("sample", os.path.join(folder, "made"), "--rows", ROWS, *options, expect=0)
            for child in os.listdir(os.path.join(folder, "made")):
                os.rename(os.path.join(folder, "made", child), os.path.join(folder, child))
            os.rmdir(os.path.join(folder, "made"))
        else:
            copy_tree(prepared_sample(), folder)
        return folder

    def make_repository(self):
        self.make_sample()
        return self.unlocked("init", "--json").last()

    def back_up(self, *options, expect=(0, 3)):
        return self.answer("backup", *options, expect=expect)

    def server(self, *parts):
        return self.path("server", *parts)

    @property
    def database(self):
        return self.server("Database", "Symantec_CMDB.db")


def environment(folder):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST")}
    env.update(HOLDFAST_STATE=os.path.join(folder, "state"), HOME=folder)
    return env


def temporary_folder():
    folder = tempfile.mkdtemp(prefix="holdfast-test-", dir="/tmp")
    os.chmod(folder, 0o755)
    return folder


def remove_tree(folder):
    subprocess.run(["chattr", "-R", "-i", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)


def copy_tree(source, target):
    """With every attribute, into an existing or new folder."""
    os.makedirs(target, exist_ok=True)
    subprocess.run(["cp", "-a", source + "/.", target + "/"], check=True)


_prepared = {}


def prepared(name, make):
    """A folder that is made once for all tests of this program, and copied from then on."""
    if name not in _prepared:
        folder = temporary_folder()
        atexit.register(remove_tree, folder)
        make(folder)
        _prepared[name] = folder
    return _prepared[name]


def prepared_sample():
    def make(folder):
        subprocess.run([PROGRAM, "sample", folder, "--rows", ROWS], env=environment(folder), check=True, stdout=subprocess.DEVNULL)
    return prepared("sample", make)


def write(path, content, mode=0o600):
    with open(path, "wb") as f:
        f.write(content.encode() if isinstance(content, str) else content)
    os.chmod(path, mode)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def files_below(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(base, name)


def flip_byte(path, offset=None):
    data = bytearray(read(path))
    data[len(data) // 2 if offset is None else offset] ^= 0x40
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    write(path, bytes(data), mode & 0o7777)


def state_of(folder):
    """Everything that tells whether a tree was changed: names, kinds, modes, owners, times, sizes, contents."""
    state = {}
    for base, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(base, name)
            s = os.lstat(path)
            content = hashlib.sha256(read(path)).hexdigest() if os.path.isfile(path) and not os.path.islink(path) else \
                os.readlink(path) if os.path.islink(path) else ""
            state[os.path.relpath(path, folder)] = (s.st_mode, s.st_uid, s.st_gid, s.st_size if content else 0, s.st_mtime_ns, content)
    return state


def rows(database, sql):
    """Of a copy: opening a database in WAL mode leaves files beside it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-test-", dir="/tmp") as folder:
        copy = os.path.join(folder, "copy.db")
        for suffix in ("", "-wal"):
            if os.path.exists(database + suffix):
                shutil.copyfile(database + suffix, copy + suffix)
        connection = sqlite3.connect(copy)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


def interrupt_after(process, seconds, number=signal.SIGINT):
    """Sends the signal after that time, unless the process has ended. Returns (exit code, stdout, stderr)."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    return process.returncode, out.decode(), err.decode("utf-8", "replace")


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def main():
    if os.geteuid() != 0:
        raise SystemExit("the system tests run as root")
    unittest.main(verbosity=2)
