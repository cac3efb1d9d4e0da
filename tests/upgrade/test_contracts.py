"""Contracts that break a release are refused, and where nothing was recorded that is no success. Tags are made in a clone."""

import os
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
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
GROWN = CONTRACT.replace("grade = 2;", "grade = 2;\n  // Their class.\n  string class_group = 3;")
BROKEN = CONTRACT.replace("int32 grade = 2;", "string grade = 2;")


class Contracts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="campus-contracts-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        package = self.folder / "proto/campus/trial/v1"
        package.mkdir(parents=True)
        self.file = package / "pupil.proto"
        self.released = self.folder / "tests/upgrade/released"
        rules = (HERE.parent.parent / "proto/buf.yaml").read_text(encoding="utf-8")
        breaking = rules[rules.index("breaking:") : rules.index("modules:")]
        (self.folder / "proto/buf.yaml").write_text(f"version: v2\n{breaking}", encoding="utf-8")
        self.git("init", "--quiet")
        self.commit(CONTRACT, "0.1.0")

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

    def commit(self, text, version):
        """Commits a contract of a version, with what was recorded."""
        self.file.write_text(text, encoding="utf-8")
        manifest = f'[workspace.package]\nversion = "{version}"\n'
        (self.folder / "Cargo.toml").write_text(manifest, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Contracts")

    def run_script(self, name, *arguments):
        command = [HERE / name, "--repository", self.folder, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout + done.stderr

    def passes(self, name, *arguments):
        code, said = self.run_script(name, *arguments)
        self.assertEqual(code, 0, said)
        return said

    def fails(self, name, *arguments):
        code, said = self.run_script(name, *arguments)
        self.assertNotEqual(code, 0, said)
        return said

    def release(self, text, version):
        """Records, commits and tags a contract."""
        self.file.write_text(text, encoding="utf-8")
        (self.folder / "Cargo.toml").write_text(f'version = "{version}"\n', encoding="utf-8")
        self.passes("record")
        self.commit(text, version)
        self.git("tag", f"v{version}")

    def test_where_nothing_was_recorded_nothing_is_kept(self):
        self.assertIn("nothing to hold the contracts against", self.fails("contracts"))
        self.git("tag", "v0.1.0")
        self.assertIn("does not have its contracts", self.fails("contracts"))
        self.passes("record", "--revision", "v0.1.0")
        self.assertIn("keep what v0.1.0 promised", self.passes("contracts"))

    def test_what_grows_keeps_the_promise_and_what_goes_breaks_it(self):
        self.release(CONTRACT, "0.1.0")
        self.commit(GROWN, "0.1.0")
        self.assertIn("keep what v0.1.0 promised", self.passes("contracts"))

        # What is not committed counts as well.
        self.file.write_text(BROKEN, encoding="utf-8")
        said = self.fails("contracts")
        self.assertIn("grade", said)
        self.assertIn("break what v0.1.0 promised", said)

    def test_a_clone_without_history_and_tags_holds_them_against_the_same(self):
        self.release(CONTRACT, "0.1.0")
        self.file.write_text(BROKEN, encoding="utf-8")
        (self.folder / ".git").rename(self.folder / "history")
        self.assertIn("break what v0.1.0 promised", self.fails("contracts"))
        self.file.write_text(GROWN, encoding="utf-8")
        self.assertIn("keep what v0.1.0 promised", self.passes("contracts"))

    def test_every_release_counts_also_when_a_later_one_was_recorded(self):
        self.release(CONTRACT, "0.1.0")
        self.release(GROWN, "0.2.0")
        said = self.passes("contracts")
        self.assertIn("v0.1.0", said)
        self.assertIn("v0.2.0", said)
        # The third field is a promise of the second release alone.
        self.file.write_text(CONTRACT, encoding="utf-8")
        self.assertIn("break what v0.2.0 promised", self.fails("contracts"))

    def test_a_revision_is_compared_with_and_one_that_is_not_there_is_no_success(self):
        self.commit(GROWN, "0.1.0")
        self.assertIn("break what HEAD promised", self.fails_after(BROKEN, "HEAD"))
        self.assertIn("keep what HEAD^ promised", self.passes_after(GROWN, "HEAD^"))
        self.assertIn("no commit v9.9.9", self.fails("contracts", "v9.9.9"))

    def fails_after(self, text, revision):
        self.file.write_text(text, encoding="utf-8")
        return self.fails("contracts", revision)

    def passes_after(self, text, revision):
        self.file.write_text(text, encoding="utf-8")
        return self.passes("contracts", revision)

    def test_what_is_tagged_is_not_recorded_anew_and_what_breaks_is_not_recorded(self):
        self.passes("record")
        self.file.write_text(GROWN, encoding="utf-8")
        self.assertIn("is not what proto/ says", self.fails("record", "--check"))
        self.passes("record")
        self.passes("record", "--check")
        self.release(GROWN, "0.1.0")
        self.file.write_text(GROWN + "\n// Nobody.\nmessage Nobody {}\n", encoding="utf-8")
        self.assertIn("stay as they were recorded", self.fails("record"))
        self.commit(BROKEN, "0.2.0")
        self.assertIn("break what v0.1.0 promised", self.fails("record"))
        self.assertEqual([file.name for file in self.released.iterdir()], ["v0.1.0.binpb"])


if __name__ == "__main__":
    unittest.main()
