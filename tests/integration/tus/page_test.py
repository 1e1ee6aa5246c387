#!/usr/bin/python3
"""docs/phone-uploads.md: its commands, copied and pasted in order, do what the page says."""
import os
import re
import shutil
import subprocess

from media_world import HERE, MediaTest, unittest

PAGE = HERE.parents[2] / "docs" / "phone-uploads.md"


def blocks(language: str) -> list:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


class Page(MediaTest):
    def test_copy_and_paste(self):
        here = self.folder / "phone"
        here.mkdir()
        program, = blocks("js")
        (here / "upload.mjs").write_text(program)
        (here / "node_modules").symlink_to(HERE / "node_modules")
        script = "set -euo pipefail\n" + "\n".join(blocks("sh"))
        self.assertEqual(script.count("curl "), 9)
        self.addCleanup(shutil.rmtree, here)
        done = subprocess.run(["bash", "-c", script], cwd=here, capture_output=True, text=True, timeout=120, env={
            **os.environ, "GATEWAY": f"https://127.0.0.1:{self.port}", "CA": str(self.ca), "TOKEN": str(self.token_file),
            "FILE": str(self.file(777_777))})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"/v1/media/[0-9a-f]{32}\n")
        self.assertEqual((here / "fetched.part").stat().st_size, 1_000)


if __name__ == "__main__":
    unittest.main()
