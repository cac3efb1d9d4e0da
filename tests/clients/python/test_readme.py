"""The example of proto/README.md, as it stands there."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

from stand import ADDRESS, PATIENCE, STAND

README = pathlib.Path(__file__).parents[3] / "proto" / "README.md"


class Example(unittest.TestCase):
    def test_the_example_runs(self):
        [example] = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.M | re.S)
        environment = {
            **os.environ,
            "CAMPUS_ADDRESS": ADDRESS,
            "CAMPUS_CA": STAND["ca"],
            "CAMPUS_TOKEN": STAND["tokens"]["city-officer"],
        }
        ran = subprocess.run(
            [sys.executable, "-c", example],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertRegex(ran.stdout, r"\A\d+ of \d+\n(\d+ events\n)+go on with watch from \S+\n\Z")


if __name__ == "__main__":
    unittest.main()
