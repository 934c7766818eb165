"""The demo as a newcomer runs it, and the demo with one step of `recover` left out: its proof must notice."""
import os, shutil, subprocess, tempfile, unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = Path(tempfile.mkdtemp(prefix="holdfast-demo-test-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def demo(self, name, **more):
        folder = self.work / name
        folder.mkdir()
        if (self.work / "whole" / "library").exists() and name != "whole":
            shutil.copytree(self.work / "whole" / "library", folder / "library", symlinks=True)
        env = dict(os.environ, HOLDFAST_DEMO_ROWS="20000", **more)
        return subprocess.run([ROOT / "scripts/demo", folder], env=env, capture_output=True, text=True, timeout=600)

    def test_1_whole(self):
        done = self.demo("whole")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")
        for word in ("sample", "review", "backed up", "deleted", "preflight", "step 1", "step 2", "step 3", "equal", "refused", "left", "evidence"):
            self.assertIn(f"\n{word} ", "\n" + done.stdout)
        self.assertLess(len(done.stdout.splitlines()), 20)

    def test_2_broken(self):
        for step in ("restore-kms-keys", "cancel-tasks", "restore-registry"):
            with self.subTest(step=step):
                done = self.demo(step, HOLDFAST_DEMO_BREAK=step)
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assertIn("demo: FAILED", done.stderr)
                self.assertNotIn("\nequal ", done.stdout)


if __name__ == "__main__":
    unittest.main()
