"""What the demo prints, and how a claim is checked: a check that fails ends the demo."""
import os
import sys
import time


class CheckFailed(Exception):
    """A claim did not hold."""


class Report:
    """Lines on standard output; colours on a terminal unless NO_COLOR is set."""

    def __init__(self, out=sys.stdout):
        self.out = out
        self.colour = out.isatty() and "NO_COLOR" not in os.environ
        self.checks = 0
        self.figures = []
        self.started = time.monotonic()

    def paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def line(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    def step(self, number: int, title: str) -> None:
        self.line("")
        self.line(self.paint("1", f"{number}. {title}"))

    def say(self, text: str) -> None:
        self.line(f"   {text}")

    def check(self, claim: str, holds, found: str = "") -> None:
        """`found` says what was there instead. Never pass it a secret."""
        self.checks += 1
        if not holds:
            self.line("   " + self.paint("31", f"FAILED  {claim}" + (f": {found}" if found else "")))
            raise CheckFailed(claim)
        self.line("   " + self.paint("32", "ok") + f"      {claim}")

    def failed(self, why: str) -> None:
        self.line("   " + self.paint("31", f"FAILED  {why}"))

    def figure(self, what: str, value: str, remark: str = "") -> None:
        self.figures.append((what, value, remark))

    def table(self) -> None:
        widths = [max(len(row[column]) for row in self.figures) for column in (0, 1)]
        for what, value, remark in self.figures:
            self.line(f"   {what:<{widths[0]}}  {value:>{widths[1]}}  {remark}".rstrip())

    def end(self) -> None:
        self.line("")
        seconds = time.monotonic() - self.started
        self.line(self.paint("1;32", f"all {self.checks} checks held") + f" in {seconds:.0f} s")
