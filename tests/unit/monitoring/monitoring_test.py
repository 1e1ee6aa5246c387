#!/usr/bin/python3
"""Rules, dashboard and runbooks agree with each other and with the metrics that the gateway offers."""
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROMETHEUS = ROOT / "monitoring" / "prometheus"
RULES = PROMETHEUS / "rules" / "nimes.yml"
RULE_TESTS = PROMETHEUS / "tests" / "nimes_test.yml"
DASHBOARDS = sorted((ROOT / "monitoring" / "grafana" / "dashboards").glob("*.json"))
RUNBOOKS = ROOT / "monitoring" / "runbooks"
FORBIDDEN_LABELS = {"device", "user", "address", "person", "peer", "ip", "path"}


def promtool(*words):
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, cwd=PROMETHEUS)


def panels(dashboard: Path) -> list:
    """All but the row headings."""
    return [panel for panel in json.loads(dashboard.read_text())["panels"] if panel["type"] != "row"]


def expressions() -> list:
    return [target["expr"] for file in DASHBOARDS for panel in panels(file) for target in panel["targets"]]


def named_metrics(text: str) -> set:
    """Names of raw metrics: without those that rules record, and without a histogram's suffixes."""
    names = set(re.findall(r"(?<![\w:])(nimes_\w+)(?![\w:])", text))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def alerts() -> list:
    return re.findall(r"^\s*- alert: (\w+)", RULES.read_text(), re.MULTILINE)


class Rules(unittest.TestCase):
    def passes(self, *words):
        done = promtool(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_configuration(self):
        self.passes("check", "config", "prometheus.yml")

    def test_rules(self):
        self.passes("check", "rules", RULES)

    def test_alerts_fire_when_they_should(self):
        self.passes("test", "rules", RULE_TESTS)

    def test_each_alert_is_tested_both_ways(self):
        text = RULE_TESTS.read_text()
        for alert in alerts():
            after = re.findall(rf"alertname: {alert}\n\s+exp_alerts:(.*)\n(.*)", text)
            self.assertTrue(any("[]" in same for same, _ in after), f"{alert}: never tested silent")
            self.assertTrue(any("exp_labels" in following for _, following in after), f"{alert}: never tested firing")

    def test_each_alert_has_a_runbook_and_each_runbook_an_alert(self):
        self.assertEqual(sorted(alerts()), sorted(path.stem for path in RUNBOOKS.glob("*.md")))
        text = RULES.read_text()
        for alert in alerts():
            self.assertIn(f"runbook_url: runbooks/{alert}.md", text)


class Dashboards(unittest.TestCase):
    def test_there_is_one(self):
        self.assertTrue(DASHBOARDS)

    def test_form(self):
        for file in DASHBOARDS:
            dashboard = json.loads(file.read_text())
            self.assertIsNone(dashboard["id"])
            self.assertRegex(dashboard["uid"], r"^nimes-[a-z-]+$")
            self.assertIn("datasource", [variable["type"] for variable in dashboard["templating"]["list"]])
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)))

    def test_panels_say_what_they_show(self):
        for file in DASHBOARDS:
            for panel in panels(file):
                with self.subTest(panel=panel["title"]):
                    self.assertGreater(len(panel["description"]), 15)
                    self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                    self.assertTrue(panel["targets"])
                    for target in panel["targets"]:
                        self.assertEqual(target["datasource"]["uid"], "${datasource}")

    def test_panels_do_not_overlap(self):
        for file in DASHBOARDS:
            taken = set()
            for panel in json.loads(file.read_text())["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(taken & cells, panel["title"])
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells

    def test_expressions_are_promql(self):
        rules = [{"record": f"panel:{number}", "expr": expr.replace("$__rate_interval", "5m")}
                 for number, expr in enumerate(expressions())]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "panels.yml")
            file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))  # JSON is YAML too
            done = promtool("check", "rules", file)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rates_follow_the_zoom(self):
        for expr in expressions():
            self.assertNotRegex(expr, r"(rate|increase)\([^)]*\[\d", expr)


class Metrics(unittest.TestCase):
    def test_all_that_is_named_is_offered_by_the_gateway(self):
        offered = set()
        for path in sorted((ROOT / "gateway").rglob("*.[ch]pp")):
            offered |= set(re.findall(r'"(nimes_\w+)"', path.read_text()))
        named = named_metrics(RULES.read_text() + "\n".join(expressions()))
        self.assertEqual(named - offered, set())

    def test_recorded_series_exist(self):
        recorded = set(re.findall(r"record: (\S+)", RULES.read_text()))
        used = set(re.findall(r"\bjob:\w+:\w+", RULES.read_text() + "\n".join(expressions())))
        self.assertEqual(used - recorded, set())

    def test_no_label_names_a_person_or_device(self):
        text = RULES.read_text() + "\n".join(expressions())
        labels = set(re.findall(r"(?:by|without) \(([^)]*)\)", text)) | set(re.findall(r"\{\{(\w+)\}\}", text))
        self.assertFalse({name.strip() for group in labels for name in group.split(",")} & FORBIDDEN_LABELS)


if __name__ == "__main__":
    unittest.main()
