"""A small repository with something of everything, and a manifest of what must come out of it, taken from the source itself.

The committed samples (v1, ...) were made by it, and each test run makes a fresh one. Runs as root: owners are set.
"""
import glob
import hashlib
import json
import os
import random
import shutil
import sqlite3
import stat
import struct
import subprocess

PASSWORD, SECOND_PASSWORD = "sample password 1", "another way in"
LIBRARY, DATABASE, SHEET, LICENCES = "library", "Database/sample.db", "sheet.txt", "licences"
ITEMS = {"software-library": LIBRARY, "licences": LICENCES, "cmdb": DATABASE, "cem-sheet": SHEET}
CONFIGURATION = """
[system]
name = "compat"
id = "5a3d0f4c8e2b4d6f9a1c3e5b7d9f0a2c"
profile = "itms"
[repository]
location = "repository"
[item.software-library]
path = "source/library"
[item.licences]
path = "source/licences"
[item.cmdb]
engine = "sqlite"
path = "source/Database/sample.db"
[item.cem-sheet]
path = "source/sheet.txt"
"""
ACL_HEAD, OWNER, USER, GROUP, MASK, OTHER = struct.pack("<I", 2), 1, 2, 4, 16, 32


def acl(*entries):
    return ACL_HEAD + b"".join(struct.pack("<HHI", *entry) for entry in entries)


# ---- The source ----------------------------------------------------------------------------------------------------

def lines(first, count):
    """Text that compresses well and of which no two pieces are equal."""
    filling = b" is the number of a line that says little else, and takes as many words for it as it needs to make a large file cheap"
    return b"".join(b"%08d%s, which is no line of code.\n" % (i, filling) for i in range(first, first + count))


def put(path, content, mode=0o644, owner=(0, 0), mtime_ns=1_700_000_000_123_456_789):
    with open(path, "wb") as f:
        f.write(content)
    dress(path, mode, owner, mtime_ns)


def dress(path, mode=0o755, owner=(0, 0), mtime_ns=1_700_000_000_000_000_001):
    os.chown(path, *owner)
    os.chmod(path, mode)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def make_source(top, rows_of_zeros=0):
    """`rows_of_zeros`: that many MiB more in the database; above 64 its content reference is of level 1."""
    library = os.fsencode(os.path.join(top, LIBRARY))
    here = lambda *names: os.path.join(library, *names)
    for folder in (b"empty folder", b"small", b"/".join([b"deep"] * 20)):
        os.makedirs(here(folder))
    for name in (LICENCES, "Database"):
        os.makedirs(os.path.join(top, name))
    for i in range(12):
        put(here(b"small", b"%02d.txt" % i), b"file %d\n" % i * (i + 1), mtime_ns=1_600_000_000_000_000_000 + i)
    put(here(b"empty file"), b"")
    put(here(b"large.txt"), lines(0, 15_000))
    put(here(b"middle.txt"), lines(1_000_000, 1_000))
    put(here(b"does not compress"), random.Random(1).randbytes(20_000))
    put(here(b"caf\xe9"), b"a name that is not UTF-8\n")
    put(here(b"-with spaces & 'quotes'\n"), b"a name of everything\n")
    put(here(b"old"), b"from before 1970\n", mtime_ns=-123_456_789_000_000_001)
    put(here(b"runs as its owner"), b"#!/bin/sh\n", mode=0o6755, owner=(1234, 5678))
    put(here(b"nobody may"), b"closed\n", mode=0o000)
    put(here(b"linked"), b"one file with three names\n")
    for other in (here(b"small", b"linked too"), here(b"a linked one")):
        os.link(here(b"linked"), other)
    with open(here(b"sparse"), "wb") as f:
        for offset in (1 << 20, 5 << 20):
            f.seek(offset)
            f.write(lines(0, 30)[:4096])
        f.truncate(8 << 20)
    with open(here(b"only a hole"), "wb") as f:
        f.truncate(1 << 20)
    os.symlink(b"nowhere/caf\xe9", here(b"symbolic link"))
    os.utime(here(b"symbolic link"), ns=(5, 1_500_000_000_000_000_007), follow_symlinks=False)
    os.mkfifo(here(b"fifo"), 0o620)
    put(here(b"described"), b"with attributes\n")
    os.setxattr(here(b"described"), "user.comment", b"seen by hand")
    os.setxattr(here(b"described"), "user.bytes", bytes(range(256)))
    os.setxattr(here(b"small"), "user.folder", b"")
    names = 0xFFFFFFFF
    os.setxattr(here(b"middle.txt"), "system.posix_acl_access",
                acl((OWNER, 6, names), (USER, 4, 1234), (GROUP, 4, names), (MASK, 4, names), (OTHER, 0, names)))
    os.setxattr(here(b"small"), "system.posix_acl_default",
                acl((OWNER, 7, names), (USER, 5, 1234), (GROUP, 5, names), (MASK, 5, names), (OTHER, 0, names)))
    dress(here(b"empty folder"), mode=0o1777, owner=(1, 2))
    put(os.path.join(top, LICENCES, "one.lic"), b"licence 1\n")
    put(os.path.join(top, SHEET), b"kept by hand\n")
    database = sqlite3.connect(os.path.join(top, DATABASE))
    database.executescript("PRAGMA page_size=4096; CREATE TABLE Item(Id INTEGER PRIMARY KEY, Name TEXT, Value BLOB);")
    database.executemany("INSERT INTO Item VALUES(?, ?, ?)", ((i, "item %d" % i, b"%08d" % (i * 31) * 8) for i in range(3000)))
    database.executemany("INSERT INTO Item VALUES(?, 'zeros', zeroblob(1048576))", ((10_000 + i,) for i in range(rows_of_zeros)))
    database.commit()
    database.close()


def change_source(top, number):
    """A little of everything, so that most of it is shared and something is a difference to what was there."""
    library = os.path.join(top, LIBRARY)
    large = lines(0, 15_000)
    middle = 700_000 + 1000 * number
    put(os.path.join(library, "large.txt"), large[:middle] + b"a change in the middle: %d\n" % number + large[middle:])
    put(os.path.join(library, "small", "new %d.txt" % number), b"new\n")
    os.remove(os.path.join(library, "small", "%02d.txt" % number))
    put(os.path.join(top, LICENCES, "one.lic"), b"licence %d\n" % (number + 1))
    database = sqlite3.connect(os.path.join(top, DATABASE))
    database.execute("UPDATE Item SET Name='changed %d' WHERE Id=1500" % number)
    database.commit()
    database.close()


# ---- What must come out --------------------------------------------------------------------------------------------

def extents(path):
    found, end = [], 0
    with open(path, "rb") as f:
        size = os.fstat(f.fileno()).st_size
        while end < size:
            try:
                start = os.lseek(f.fileno(), end, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(f.fileno(), start, os.SEEK_HOLE)
            found.append([start, end])
    return found


def describe(path):
    """Everything about one path that a restore must give back."""
    s = os.lstat(path)
    about = {"mode": oct(s.st_mode), "owner": [s.st_uid, s.st_gid], "mtime_ns": s.st_mtime_ns,
             "attributes": {name: os.getxattr(path, name, follow_symlinks=False).hex()
                            for name in sorted(os.listxattr(path, follow_symlinks=False))}}
    if stat.S_ISREG(s.st_mode):
        with open(path, "rb") as f:
            about.update(size=s.st_size, links=s.st_nlink, sha256=hashlib.file_digest(f, "sha256").hexdigest(), extents=extents(path))
    elif stat.S_ISLNK(s.st_mode):
        about["target"] = os.fsdecode(os.readlink(path))
    return about


def listing(top):
    """Of a folder: path (with \\udcXX for bytes that are not UTF-8) -> describe(). "." is the folder itself."""
    found = {".": describe(top)}
    for base, folders, names in os.walk(top):
        for name in folders + names:
            path = os.path.join(base, name)
            found[os.path.relpath(path, top)] = describe(path)
    return found


def rows(database):
    connection = sqlite3.connect("file:%s?immutable=1" % database, uri=True)
    try:
        return hashlib.sha256(repr(connection.execute("SELECT Id, Name, length(Value), hex(substr(Value, 1, 99)) FROM Item ORDER BY Id")
                                   .fetchall()).encode()).hexdigest()
    finally:
        connection.close()


def expected(top):
    """Of the source: item -> listing. An item of one file is given back as a folder that holds it; a database has the same rows."""
    items = {item: listing(os.path.join(top, path)) for item, path in ITEMS.items() if os.path.isdir(os.path.join(top, path))}
    items["cem-sheet"] = {SHEET: describe(os.path.join(top, SHEET))}
    return {"items": items, "rows": rows(os.path.join(top, DATABASE))}


def differences(manifest, restored):
    """What is not in the folder `restored` as it should be, as lines of text."""
    found = []
    for item, wanted in manifest["items"].items():
        there = listing(os.path.join(restored, item))
        for path in sorted(set(wanted) | (set(there) if "." in wanted else set(there) - {"."})):
            if wanted.get(path) != there.get(path):
                found.append("%s/%s: %s, not %s" % (item, ascii(path), there.get(path), wanted.get(path)))
    if rows(os.path.join(restored, "cmdb", os.path.basename(DATABASE))) != manifest["rows"]:
        found.append("the rows of the database are others")
    return found


# ---- The repository ------------------------------------------------------------------------------------------------

class Maker:
    """Runs the program in a folder: source/, repository/, one state folder a writer, the ways in as files."""

    def __init__(self, program, folder):
        self.program, self.folder, self.points = program, folder, []
        self.way_in = ["--password-file", self.path("password")]

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), 0o600)
        return self.path(name)

    def run(self, *arguments, writer="1", expect=(0, 3)):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST")}
        environment.update(HOLDFAST_STATE=self.path("state-" + writer), HOME=self.folder)
        done = subprocess.run([self.program, *arguments, "--config", self.path("holdfast.toml"), *self.way_in, "--yes", "--json"],
                              env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode not in expect:
            raise SystemExit("holdfast %s ended with %d: %s" % (" ".join(arguments), done.returncode, done.stdout + done.stderr))
        return json.loads(done.stdout.splitlines()[-1])

    def back_up(self, writer="1"):
        before = expected(self.path("source"))
        point = self.run("backup", writer=writer)["point"]
        self.points.append({"point": point, **before})
        return point

    def make(self, rows_of_zeros=0):
        os.makedirs(self.path("source"))
        make_source(self.path("source"), rows_of_zeros)
        self.write("holdfast.toml", CONFIGURATION)
        self.write("password", PASSWORD + "\n")
        self.write("password-2", SECOND_PASSWORD + "\n")
        self.write("recovery-key", self.run("init")["recovery_key"] + "\n")
        self.run("key", "add", "--new-password-file", self.path("password-2"), "--label", "second")
        self.run("key", "add", "--machine", self.path("machine-key"))
        self.way_in = ["--key-file", self.path("machine-key")]  # costs no time, unlike a password
        first = self.back_up()
        change_source(self.path("source"), 1)
        forgotten = self.back_up()
        change_source(self.path("source"), 2)
        self.back_up(writer="2")
        self.run("pin", first)
        self.run("verify", first, writer="2")
        self.run("forget", forgotten, writer="2")
        self.run("key", "rotate")
        change_source(self.path("source"), 3)
        self.back_up()
        self.run("prune", "--max-unused", "0")
        self.forgotten = forgotten
        self.points = [p for p in self.points if p["point"] != forgotten]

    def manifest(self, contents):
        """`contents`: the last line of `compat_reader verify`: what the sample holds."""
        return {"contents": contents, "forgotten": [self.forgotten], "points": self.points}


def keep(maker, contents, folder):
    """Puts what a committed sample consists of into `folder`."""
    shutil.copytree(maker.path("repository"), os.path.join(folder, "repository"), ignore=shutil.ignore_patterns("tmp"))
    for name in ("password", "password-2", "recovery-key", "machine-key"):
        shutil.copyfile(maker.path(name), os.path.join(folder, name))
    with open(os.path.join(folder, "manifest.json"), "w") as f:
        json.dump(maker.manifest(contents), f, indent=1, sort_keys=True)
        f.write("\n")
    return sum(os.path.getsize(f) for f in glob.glob(os.path.join(folder, "**"), recursive=True) if os.path.isfile(f))
