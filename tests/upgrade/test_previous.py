"""Where there is nothing to run beside this commit that is no success, and the two releases meet in every way."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import mixed
import replicas

HERE = pathlib.Path(__file__).resolve().parent
TOLD = """# TYPE campus_rpc_calls_total counter
campus_rpc_calls_total{code="OK",contract="campus.safety.v1.GateService",kind="act",method="CheckEntry"} 41
campus_rpc_calls_total{code="OK",contract="campus.safety.v1.GateService",kind="read",method="GetDecision"} 1
campus_rpc_calls_total{code="OK",contract="campus.safety.v1.SafetyFeed",kind="stream",method="Watch"} 7
campus_rpc_calls_total{code="OK",contract="unknown",kind="read",method="unknown"} 9
campus_ready{service="safety-inspection"} 1
"""


def git(folder, *arguments):
    named = ["-c", "user.name=trial", "-c", "user.email=trial@campus.example"]
    subprocess.run(["git", *named, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


class Previous(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="campus-previous-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # A copy of the script looks for what it needs beside itself; what it runs only says what it was told.
        home = self.folder / "tests/upgrade"
        home.mkdir(parents=True)
        shutil.copy(HERE / "previous", home)
        stub = "import sys\nprint(*sys.argv[1:])\nsys.exit(3 if sys.argv[2].endswith('bad') else 0)\n"
        (home / "mixed.py").write_text(stub, encoding="utf-8")
        git(self.folder, "init", "--quiet")
        for message in ("one", "two"):
            git(self.folder, "commit", "--quiet", "--allow-empty", "--message", message)

    def run_script(self, *arguments, **environment):
        command = [self.folder / "tests/upgrade/previous", *arguments]
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    def test_without_a_release_before_it_shows_nothing_and_says_so(self):
        code, said = self.run_script(self.folder)
        self.assertEqual((code, "no release is tagged before this commit" in said), (69, True), said)
        # A tag of this very commit is not before it.
        git(self.folder, "tag", "v0.1.0")
        self.assertEqual(self.run_script(self.folder)[0], 69)
        code, said = self.run_script(self.folder, "v9.9.9")
        self.assertEqual((code, "no commit v9.9.9" in said), (69, True), said)
        for wrong in ([], ["--no-such-option"], [self.folder / "nowhere"], [self.folder, "HEAD", "more"]):
            self.assertEqual(self.run_script(*wrong)[0], 64)

    def test_the_release_before_is_run_and_a_failure_is_one(self):
        git(self.folder, "tag", "v0.1.0", "HEAD^")
        (self.folder / "good").mkdir()
        (self.folder / "bad").mkdir()
        report = self.folder / "report.md"
        for name, wanted in (("good", 0), ("bad", 3)):
            arguments = ("--report", report, self.folder)
            code, said = self.run_script(*arguments, PREVIOUS=str(self.folder / name))
            self.assertEqual(code, wanted, said)
            self.assertIn(f"{self.folder} {self.folder / name}", said)
            told = report.read_text(encoding="utf-8")
            self.assertIn("Before: v0.1.0", told)
            self.assertIn(said.strip(), told)
            self.assertEqual("Everything held." in told, wanted == 0)

    def test_what_was_built_is_kept_for_the_next_time_and_for_one_release(self):
        git(self.folder, "tag", "v0.1.0", "HEAD^")
        cargo = self.folder / "bin/cargo"
        cargo.parent.mkdir()
        build = f'echo built >>{self.folder}/builds; mkdir -p "$CARGO_TARGET_DIR/debug/deps"; cd "$CARGO_TARGET_DIR/debug"\n'
        cargo.write_text(f"#!/bin/sh\n{build}touch roster roster.d; chmod +x roster\n", encoding="utf-8")
        cargo.chmod(0o755)
        keep = self.folder / "keep"
        beside = {"KEEP": str(keep), "PATH": f"{cargo.parent}:{os.environ['PATH']}"}
        for _ in range(2):
            code, said = self.run_script(self.folder, **beside)
            self.assertEqual(code, 0, said)
        self.assertEqual((self.folder / "builds").read_text(encoding="utf-8"), "built\n")
        (kept,) = keep.iterdir()
        self.assertEqual([one.name for one in kept.iterdir()], ["roster"])
        code, said = self.run_script(self.folder, "HEAD", **beside)
        self.assertEqual(code, 0, said)
        (newer,) = keep.iterdir()
        self.assertNotEqual(kept, newer)


class Combinations(unittest.TestCase):
    def test_four_services_of_two_releases_meet_in_sixteen_ways(self):
        ways = list(mixed.combinations(mixed.STORES))
        self.assertEqual(len(ways), 16)
        self.assertEqual(len(set(ways)), 16)
        self.assertEqual(ways[0], frozenset())
        for before, after in zip(ways, ways[1:]):
            self.assertEqual(len(before ^ after), 1)

    def test_what_a_replica_answered_is_counted_without_streams_and_strangers(self):
        self.assertEqual(replicas.count(TOLD), 42)


if __name__ == "__main__":
    unittest.main()
