"""The independent reader against the committed samples of every released format, against today's program, and against damage."""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]
import harness
import sample

READER = os.environ["COMPAT_READER"]
SOURCES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "src")
SAMPLES = sorted(glob.glob(os.path.join(HERE, "v[0-9]*")))
TYPES = ["repository", "slot", "keyring", "pack", "index", "inventory", "point", "record", "replica", "map"]
UNSIGNED_AND_UNREFERENCED = {"replica"}  # an attacker can write another one; nothing depends on it


def read_with(repository, secret, *arguments, expect=0):
    done = subprocess.run([READER, repository, secret, *arguments], capture_output=True, text=True)
    if done.returncode != expect:
        raise AssertionError("compat_reader %s ended with %d: %s" % (" ".join(arguments), done.returncode, done.stdout + done.stderr))
    return done.stdout if expect == 0 else done.stderr


def made_today():
    """A repository of today's program, made once for all tests: as make-sample does, with a large database."""
    def make(folder):
        maker = sample.Maker(harness.PROGRAM, os.path.join(folder, "work"))
        maker.make(rows_of_zeros=66)
        maker.run("export", maker.points[-1]["point"], "--file", maker.path("export.hf"), "--file-password-file", maker.path("password"))
        contents = read_with(maker.path("repository"), maker.path("recovery-key"), "verify").strip()
        os.makedirs(os.path.join(folder, "kept"))
        sample.keep(maker, contents, os.path.join(folder, "kept"))
        os.rename(maker.path("export.hf"), os.path.join(folder, "export.hf"))
        shutil.rmtree(maker.path("source"))
    return harness.prepared("today", make)


class Compat(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = harness.temporary_folder()
        self.addCleanup(harness.remove_tree, self.dir)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def restore_with_holdfast(self, repository, way_in, point, folder):
        copy = self.path("copy of the repository")
        if not os.path.exists(copy):
            shutil.copytree(repository, copy)
        done = subprocess.run([harness.PROGRAM, "restore", point, "--to", folder, "--repository", copy, *way_in, "--privileged", "--yes"],
                              env=harness.environment(self.dir), cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertIn(done.returncode, (0, 3), done.stdout + done.stderr)

    def check_sample(self, folder):
        """Both readers give back what the manifest says, through every way in."""
        with open(os.path.join(folder, "manifest.json")) as f:
            manifest = json.load(f)
        repository = os.path.join(folder, "repository")
        secrets = [os.path.join(folder, name) for name in ("recovery-key", "machine-key", "password", "password-2")]
        listed = read_with(repository, secrets[0], "list")
        self.assertEqual([line.split()[0] for line in listed.splitlines()], [p["point"] for p in manifest["points"]])
        self.assertEqual(read_with(repository, secrets[0], "verify").strip(), manifest["contents"])
        self.assertIn("no point", read_with(repository, secrets[0], "restore", manifest["forgotten"][0], self.path("no"), expect=1))
        machine_key = harness.write(self.path("machine-key"), harness.read(secrets[1]))  # the program asks for mode 0600
        for number, point in enumerate(manifest["points"]):
            ours, theirs = self.path("reader-%d" % number), self.path("holdfast-%d" % number)
            read_with(repository, secrets[(number + 1) % 4], "restore", point["point"], ours)
            self.assertEqual(sample.differences(point, ours), [])
            way_in = ["--key-file", machine_key] if number else ["--password-file", secrets[2]]
            self.restore_with_holdfast(repository, way_in, point["point"], theirs)
            self.assertEqual(sample.differences(point, theirs), [])
            self.assertEqual(*(self.items_of(place) for place in (ours, theirs)))
        return manifest

    @staticmethod
    def items_of(place):
        return {item: sample.listing(os.path.join(place, item)) for item in sorted(os.listdir(place))}

    def test_the_reader_shares_nothing_with_the_program(self):
        with open(os.environ["COMPAT_READER_SEES"]) as f:
            sees = f.read().split("\n")
        self.assertIn("tp_blake3", sees)
        for thing in sees:
            self.assertNotIn(os.path.normpath(thing), (SOURCES, os.path.dirname(SOURCES)))
            self.assertFalse(os.path.normpath(thing).startswith(SOURCES + "/"), thing)
            self.assertNotRegex(thing, r"^holdfast_(?!flags$)")
        for file in glob.glob(os.path.join(HERE, "*.cc")) + glob.glob(os.path.join(HERE, "*.h")):
            for name in re.findall(r'#include "([^"]+)"', harness.read(file).decode()):
                self.assertTrue(os.path.exists(os.path.join(HERE, name)) and "/" not in name, name)

    def test_samples_of_every_released_format(self):
        self.assertTrue(SAMPLES)
        for folder in SAMPLES:
            with self.subTest(os.path.basename(folder)):
                self.check_sample(folder)

    def test_what_today_s_program_writes(self):
        manifest = self.check_sample(os.path.join(made_today(), "kept"))
        self.assertRegex(manifest["contents"], r"^3 points, 2 writers, 2 epochs, 4 slots, \d+ records, [1-9]\d* maps, .* [1-9]\d* deltas; content of level 1$")

    def test_an_export_in_one_file(self):
        kept, container = os.path.join(made_today(), "kept"), os.path.join(made_today(), "export.hf")
        with open(os.path.join(kept, "manifest.json")) as f:
            point = json.load(f)["points"][-1]
        read_with(container, os.path.join(kept, "password"), "restore", "latest", self.path("out"))
        self.assertEqual(sample.differences(point, self.path("out")), [])
        harness.flip_byte(shutil.copyfile(container, self.path("damaged.hf")))
        read_with(self.path("damaged.hf"), os.path.join(kept, "password"), "verify", expect=1)

    def test_a_wrong_password(self):
        secret = harness.write(self.path("wrong"), "no password of this repository\n")
        self.assertIn("no slot opens", read_with(os.path.join(SAMPLES[0], "repository"), secret, "list", expect=1))

    def objects(self, repository, kind):
        found = sorted(f for f in harness.files_below(os.path.join(repository, kind)))
        self.assertTrue(found, kind)
        return found

    def test_one_damaged_byte_in_an_object_of_each_type(self):
        source, key = os.path.join(SAMPLES[0], "repository"), os.path.join(SAMPLES[0], "recovery-key")
        with open(os.path.join(SAMPLES[0], "manifest.json")) as f:
            right = {p["point"]: p for p in json.load(f)["points"]}
        for kind in TYPES:
            copy = self.path("damaged-" + kind)
            shutil.copytree(source, copy)
            for victim in self.objects(copy, kind):
                harness.flip_byte(victim)
                self.assertIn("SHA-256", read_with(copy, key, "verify", expect=1), victim)
                self.restores_nothing_wrong(copy, key, right)
                harness.flip_byte(victim)
            read_with(copy, key, "verify")

    def test_a_changed_object_under_the_name_of_its_new_bytes(self):
        """What an attacker would do: the name fits, so only keys, signatures and references can tell."""
        source, key = os.path.join(SAMPLES[0], "repository"), os.path.join(SAMPLES[0], "recovery-key")
        with open(os.path.join(SAMPLES[0], "manifest.json")) as f:
            right = {p["point"]: p for p in json.load(f)["points"]}
        for kind in sorted(set(TYPES) - UNSIGNED_AND_UNREFERENCED):
            copy = self.path("changed-" + kind)
            shutil.copytree(source, copy)
            for victim in self.objects(copy, kind):
                harness.flip_byte(victim)
                name = re.sub("[0-9a-f]{64}$", hashlib.sha256(harness.read(victim)).hexdigest(), victim)
                if kind == "pack":
                    name = os.path.join(copy, "pack", os.path.basename(name)[:2], os.path.basename(name))
                    os.makedirs(os.path.dirname(name), exist_ok=True)
                os.rename(victim, name)
            self.assertNotIn("SHA-256", read_with(copy, key, "verify", expect=1), kind)
            self.restores_nothing_wrong(copy, key, right)

    def test_an_object_of_each_type_that_is_missing(self):
        source, key = os.path.join(SAMPLES[0], "repository"), os.path.join(SAMPLES[0], "recovery-key")
        for kind in sorted(set(TYPES) - UNSIGNED_AND_UNREFERENCED):
            copy = self.path("without-" + kind)
            shutil.copytree(source, copy)
            shutil.rmtree(os.path.join(copy, kind))
            if kind == "record":  # nothing that is left tells of points
                self.assertEqual(read_with(copy, key, "list"), "")
            else:
                read_with(copy, key, "verify", expect=1)

    def restores_nothing_wrong(self, repository, key, right):
        """Refused, or right; at most the file at which it stopped is there in part: shorter than it should be."""
        out = self.path("out")
        done = subprocess.run([READER, repository, key, "restore", "latest", out], capture_output=True, text=True)
        self.assertIn(done.returncode, (0, 1))
        point = list(right.values())[-1]
        if done.returncode == 0:
            self.assertEqual(sample.differences(point, out), [])
        elif os.path.exists(out):
            wrong = []
            for item, paths in point["items"].items():
                for path, about in paths.items():
                    place = os.path.join(out, item, path)
                    if "sha256" in about and os.path.isfile(place) and hashlib.sha256(harness.read(place)).hexdigest() != about["sha256"]:
                        wrong.append(place)
                        self.assertLess(os.path.getsize(place), about["size"])
            self.assertLessEqual(len(wrong), 1)
        shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    harness.main()
