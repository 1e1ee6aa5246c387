#!/usr/bin/python3
"""make_photo.py makes a JPEG that really carries the position and the marks it reports."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "make_photo.py"


class Photo(unittest.TestCase):
    def make(self, folder: str, *arguments: str) -> tuple:
        path = Path(folder, "photo.jpg")
        out = subprocess.run([sys.executable, TOOL, path, "--json", "--size", "320x240", *arguments], check=True,
                             capture_output=True).stdout
        return path.read_bytes(), json.loads(out)

    def test_is_a_jpeg_with_position_and_marks(self):
        with tempfile.TemporaryDirectory() as folder:
            data, report = self.make(folder)
            self.assertEqual(data[:3], b"\xff\xd8\xff")
            self.assertIn(b"Exif\0\0", data)
            for mark in ("artist", "serial", "comment"):
                self.assertIn(report[mark].encode(), data)
            shown = subprocess.run(["exiftool", "-n", "-j", "-GPSLatitude", "-GPSLongitude", report["file"]], check=True,
                                   capture_output=True).stdout
            self.assertAlmostEqual(json.loads(shown)[0]["GPSLatitude"], report["latitude"], places=4)

    def test_each_seed_gives_another_picture(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            self.assertNotEqual(self.make(one, "--seed", "1")[0], self.make(two, "--seed", "2")[0])


if __name__ == "__main__":
    unittest.main()
