"""Where the built programs are, and what a sanitized plugin needs of the broker that loads it."""
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Build:
    """One CMake build folder. KeyError or FileNotFoundError name what is missing."""

    def __init__(self, folder=None):
        self.folder = Path(folder or os.environ.get("NIMES_BUILD") or ROOT / "build" / "dev")

    def program(self, name: str) -> Path:
        path = self.folder / "bin" / name
        if not path.exists():
            raise FileNotFoundError(f"{path} is not built")
        return path

    def plugin(self) -> Path:
        found = sorted(self.folder.glob("broker-plugins/identity/*.so")) + sorted(self.folder.glob("**/*identity*.so"))
        if not found:
            raise FileNotFoundError(f"no identity plugin in {self.folder}")
        return found[0]

    def sanitizers(self) -> str:
        for line in (self.folder / "CMakeCache.txt").read_text().splitlines():
            if line.startswith("NIMES_SANITIZE:"):
                return line.split("=", 1)[1]
        return ""

    def plugin_environment(self) -> dict:
        """Mosquitto itself is not instrumented: the runtime must come first, and its own leaks are not ours."""
        libraries = [f"lib{short}.so" for name, short in (("address", "asan"), ("thread", "tsan"))
                     if name in self.sanitizers()]
        if not libraries:
            return {}
        paths = [subprocess.run(["g++", f"-print-file-name={library}"], check=True, capture_output=True,
                                text=True).stdout.strip() for library in libraries]
        return {"LD_PRELOAD": ":".join(paths), "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1"}
