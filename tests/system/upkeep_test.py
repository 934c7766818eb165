"""Retention and verification of the built program, and the exit codes that only the world outside can bring about."""
import ctypes
import os

from harness import Case, main, read, write


class Upkeep(Case):
    def setUp(self):
        super().setUp()
        self.make_sample()
        self.unlocked("init")
        self.unlocked("backup", expect=(0, 3))

    def configure(self, old, new):
        text = read(self.path("holdfast.toml")).decode()
        self.assertEqual(text.count(old), 1)
        write(self.path("holdfast.toml"), text.replace(old, new))

    def test_a_rule_that_breaks_the_objective_is_refused_where_it_stands(self):
        self.configure("last = 3\ndaily = 7\n", "last = 1\n")
        text = read(self.path("holdfast.toml")).decode()
        line = text[:text.index("[retention]")].count("\n") + 1
        for verb in (["retention", "show"], ["retention", "apply"], ["status"], ["backup"]):
            parts = self.unlocked(*verb, expect=2).error()
            self.assertEqual(parts["code"], "config")
            self.assertRegex(parts["message"], r"holdfast\.toml:%d:\d+: .*objective of 24h" % line)

    def test_the_objective_is_shown_and_every_rule_named(self):
        self.configure("monthly = 12\n", 'monthly = 12\nhourly = 24\nyearly = 3\nwithin = "30d"\n')
        shown = self.answer("retention", "show")
        self.assertEqual(shown["rule"], {"last": 3, "hourly": 24, "daily": 7, "weekly": 4, "monthly": 12, "yearly": 3, "within": "30d"})
        self.assertEqual(shown["points"][0]["reasons"], ["made by hand", "newest good point"])
        self.assertIn("Rule: last 3, hourly 24, daily 7, weekly 4, monthly 12, yearly 3, within 30d", self.unlocked("retention", "show").out)
        self.assertEqual(self.answer("status", expect=3)["objective"], "24h")
        self.assertIn("lose no more than 24h", self.unlocked("status", expect=3).out)
        self.assertEqual(self.answer("retention", "apply")["forgotten"], [])

    def test_verification_in_parts(self):
        self.assertEqual(self.answer("verify", "--older-than", "30d", "--dry-run")["points"][0]["last"], None)
        for _ in range(50):
            result = self.answer("verify", "--older-than", "30d", "--size", "1MiB")
            if result["left"] == 0:
                break
        self.assertEqual((result["left"], result["damaged"]), (0, []))
        self.assertEqual(self.answer("points")["points"][0]["verified"]["level"], "content")
        self.assertEqual(self.answer("verify", "--older-than", "30d", "--share", "5%")["points"], [])
        self.assertIn("No recovery point is due", self.unlocked("verify", "--older-than", "1h", "--time", "10m").out)
        os.mkdir(self.path("scratch"))
        result = self.answer("verify", "--level", "restore", "--to", self.path("scratch"))
        self.assertTrue(result["points"][0]["whole"])
        self.assertEqual(os.listdir(self.path("scratch")), [])
        self.assertEqual(self.answer("points")["points"][0]["verified"]["level"], "restore")

    def lost_mount(self):
        """A mounted place whose server is gone, as a network drive is after its host went down."""
        place = self.path("lost")
        os.mkdir(place)
        libc = ctypes.CDLL(None, use_errno=True)
        server = os.open("/dev/fuse", os.O_RDWR)
        mounted = libc.mount(b"lost", place.encode(), b"fuse", 0, b"fd=%d,rootmode=40000,user_id=0,group_id=0" % server)
        self.assertEqual(mounted, 0, os.strerror(ctypes.get_errno()))
        self.addCleanup(libc.umount2, place.encode(), 2)
        os.close(server)
        return place

    def test_a_mounted_place_that_lost_its_server_is_15(self):
        lost = self.lost_mount()
        for arguments in (["points", "--repository", lost], ["check", "--repository", lost + "/repository"], ["backup", "--repository", lost + "/repository"],
                          ["init", "--repository", lost + "/new"], ["copy", lost + "/copy"], ["restore", "latest", "--to", lost + "/here"],
                          ["verify", "--level", "restore", "--to", lost], ["points", "--password-file", lost + "/password"]):
            given = [] if "--password-file" in arguments else ["--password-file", self.password_file]
            result = self.run_it(*arguments, *given, "--yes", expect=15)
            self.assertEqual(result.error()["code"], "unavailable", arguments)
            self.assertIn("Transport endpoint", result.err)
        self.unlocked("verify", "latest")


if __name__ == "__main__":
    main()
