"""The promise about memory: under 256 MiB, whatever the size. The program runs in a memory control group of that limit, and its anonymous
memory is looked at while it runs. Needs root and the kernel's memory controller."""
import os
import random
import shutil
import threading
import time

from harness import Case, main, write

LIMIT = 256 << 20


def controller():
    """The folder in which groups are made, and the names of the limit and of the list of processes (version 1 or 2)."""
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        with open("/sys/fs/cgroup/cgroup.subtree_control", "w") as f:
            f.write("+memory")
        return "/sys/fs/cgroup", "memory.max"
    return "/sys/fs/cgroup/memory", "memory.limit_in_bytes"


class Memory(Case):
    def setUp(self):
        super().setUp()
        parent, limit = controller()
        self.group = os.path.join(parent, "holdfast-test-%d" % os.getpid())
        os.mkdir(self.group)
        self.addCleanup(os.rmdir, self.group)
        with open(os.path.join(self.group, limit), "w") as f:
            f.write(str(LIMIT))
        self.most = {}

    def limited(self, *arguments, expect=0):
        """Runs it in the group; remembers the most anonymous memory by verb."""
        def enter():
            with open(os.path.join(self.group, "cgroup.procs"), "w") as f:
                f.write(str(os.getpid()))
        peak, done = 0, threading.Event()
        process = self.start(*arguments, "--password-file", self.password_file, "--yes", "--quiet", preexec_fn=enter)

        def look():
            nonlocal peak
            while not done.is_set():
                try:
                    with open("/proc/%d/status" % process.pid) as f:
                        peak = max([peak] + [int(line.split()[1]) << 10 for line in f if line.startswith("RssAnon")])
                except (OSError, ValueError):
                    pass
                time.sleep(0.005)
        looking = threading.Thread(target=look)
        looking.start()
        out, err = process.communicate(timeout=600)
        done.set()
        looking.join()
        self.assertIn(process.returncode, expect if isinstance(expect, tuple) else (expect,), (out + err).decode(errors="replace")[-2000:])
        self.assertLess(peak, LIMIT)
        self.most[arguments[0]] = max(peak, self.most.get(arguments[0], 0))

    def make_data(self):
        """Files of every kind that costs memory: large ones that do and do not compress, and 20,000 small ones."""
        seeded = random.Random(5)
        rows = b"".join(b"%d\trow %d of a table\t%x\n" % (seeded.getrandbits(60), i, seeded.getrandbits(128)) for i in range(400_000))
        for n in range(4):
            write(self.path("data", "dense-%d" % n), seeded.randbytes(64 << 20))
            write(self.path("data", "rows-%d" % n), rows[n * 1000:] + b"%d" % n)
        for n in range(20_000):
            write(self.path("data", "small", str(n % 200), str(n)), b"%d " % n * (n % 900))
        return rows

    def test_every_verb_stays_below_the_limit(self):
        for folder in ("data", "data/small", *("data/small/%d" % n for n in range(200))):
            os.makedirs(self.path(folder), exist_ok=True)
        rows = self.make_data()
        write(self.path("holdfast.toml"), '[system]\nname = "memory"\nid = "%s"\nprofile = "itms"\n[repository]\nlocation = "%s"\n'
              '[item.software-library]\npath = "%s"\n' % ("0" * 31 + "1", self.path("repository"), self.path("data")))
        self.limited("init")
        backup = ("backup", "--item", "software-library")
        self.limited(*backup, expect=3)
        write(self.path("data", "rows-0"), rows.replace(b"row 7", b"row eight"))
        self.limited(*backup, expect=3)
        self.limited(*backup, expect=3)
        self.limited("restore", "latest", "--to", self.path("out"), "--privileged", expect=(0, 3))
        self.limited("check", "--read-data")
        self.limited("verify", "--all", "--level", "content")
        point = self.answer("points")["points"][-1]["id"]
        self.limited("forget", point)
        self.limited("prune", "--max-unused", "0", "--unused-for", "0h")
        self.limited("check", "--read-data")
        self.limited("export", "latest", "--file", self.path("file"), "--file-password-file", self.password_file)
        print("most anonymous memory, MiB: " + ", ".join("%s %d" % (verb, most >> 20) for verb, most in self.most.items()))
        shutil.rmtree(self.path("out"))


if __name__ == "__main__":
    main()
