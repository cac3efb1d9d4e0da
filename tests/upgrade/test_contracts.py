"""Contracts that break a release are refused, and before the first release nothing is. Tags are made in a clone."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "contracts"
CONTRACT = """syntax = "proto3";

package campus.trial.v1;

// A pupil.
message Pupil {
  // Their name.
  string name = 1;
  // Their grade.
  int32 grade = 2;
}
"""


class Contracts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="campus-contracts-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        package = self.folder / "proto/campus/trial/v1"
        package.mkdir(parents=True)
        self.file = package / "pupil.proto"
        rules = (SCRIPT.parent.parent.parent / "proto/buf.yaml").read_text(encoding="utf-8")
        breaking = rules[rules.index("breaking:") : rules.index("modules:")]
        (self.folder / "proto/buf.yaml").write_text(f"version: v2\n{breaking}", encoding="utf-8")
        self.git("init", "--quiet")
        self.release(CONTRACT, None)

    def git(self, *arguments):
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "trial",
            "GIT_AUTHOR_EMAIL": "trial@campus.example",
            "GIT_COMMITTER_NAME": "trial",
            "GIT_COMMITTER_EMAIL": "trial@campus.example",
        }
        subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, check=True, capture_output=True, timeout=60
        )

    def release(self, text, tag):
        """Commits a contract; with `tag` it is a release."""
        self.file.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Contracts")
        if tag:
            self.git("tag", tag)

    def check(self):
        done = subprocess.run([SCRIPT, self.folder], capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout + done.stderr

    def test_before_the_first_release_nothing_is_broken_and_that_is_said(self):
        self.release(CONTRACT.replace("grade", "level"), "trial")
        code, said = self.check()
        self.assertEqual(code, 0, said)
        self.assertIn("no release is tagged yet", said)

    def test_what_grows_keeps_the_promise_and_what_goes_breaks_it(self):
        self.release(CONTRACT, "v0.1.0")
        grown = CONTRACT.replace("grade = 2;", "grade = 2;\n  // Their class.\n  string class_group = 3;")
        self.release(grown, None)
        code, said = self.check()
        self.assertEqual(code, 0, said)
        self.assertIn("keep what v0.1.0 promised", said)

        # What is not committed counts as well.
        self.file.write_text(CONTRACT.replace("int32 grade = 2;", "string grade = 2;"), encoding="utf-8")
        code, said = self.check()
        self.assertNotEqual(code, 0, said)
        self.assertIn("grade", said)
        self.assertIn("break what v0.1.0 promised", said)

    def test_the_last_release_counts_and_not_one_before(self):
        self.release(CONTRACT, "v0.1.0")
        self.release(CONTRACT.replace("grade", "level"), "v0.2.0")
        code, said = self.check()
        self.assertEqual(code, 0, said)
        self.assertIn("v0.2.0", said)


if __name__ == "__main__":
    unittest.main()
