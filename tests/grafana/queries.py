#!/usr/bin/env python3
"""Asks Prometheus's own promtool about the queries of the dashboards.

Usage: queries.py PROMTOOL. Every query must be one that Prometheus can parse. And the query behind "Pages of the last seven
days" must count right, taken from the dashboard as it is, where counters are hard: one of a service that restarts, one that
Prometheus did not see for a while, one that stood still. All begin at 0: groundswell shows them before the first page.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXED = {"$__rate_interval": "1m", "$__range": "6h", "$job": "groundswell", "$brand": "northwind"}
# whether the service was seen, minute by minute, and when it had begun; what a rule's counter said meanwhile; then how many pages
# that were within the last two hours of three, in which promtool can count (it holds 10,000 numbers)
SERVICE = {
    "always": ("1x180", "0x180"),
    "restarts": ("1x100 stale 1x78", "0x100 stale 6110x78"),
    "unseen": ("1x100 _x30 1x49", "0x100 _x30 0x49"),
}
PAGES = {
    "BeginsAtZero": ("always", "0x90 1x30 2x59", 2),
    "BeginsLate": ("always", "_x90 0x30 1x59", 1),
    "Never": ("always", "0x180", 0),
    "Steady": ("always", "7x180", 0),
    "Grows": ("always", "1x30 5x60 6x30 8x57", 3),
    "Old": ("always", "1x30 2x150", 0),
    "Falls": ("restarts", "2x70 3x29 stale 1x29 2x48", 3),
    "OnceAndOnceAgain": ("restarts", "0x70 1x30 stale 0x19 1x59", 2),
    "Unseen": ("unseen", "1x80 2x19 _x30 4x49", 3),
    "UnseenAndQuiet": ("unseen", "3x100 _x30 3x49", 0),
}


def filled(query):
    for name, value in FIXED.items():
        query = query.replace(name, value)
    return query


def boards():
    return {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))}


def queries():
    for board in boards().values():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield target["expr"]
        for note in board["annotations"]["list"]:
            yield note["target"]["expr"]


def pages():
    """The query that counts pages, as the dashboard has it."""
    panels = boards()["reputation"]["panels"]
    return next(panel for panel in panels if panel["title"].startswith("Pages of the last seven days"))["targets"][0]["expr"]


def run(promtool, *words):
    done = subprocess.run([promtool, *words], capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode == 0


def counting(more=0):
    """A test of promtool: what pages() must come to, for each rule; so many more to be wrong."""
    series = []
    for name, (seen, begun) in SERVICE.items():
        labels = f'job="groundswell", instance="{name}"'
        series.append({"series": f'groundswell_build_info{{{labels}, version="1"}}', "values": seen})
        series.append({"series": f"process_start_time_seconds{{{labels}}}", "values": begun})
    wanted = []
    for alert, (service, values, pages_then) in PAGES.items():
        labels = f'job="groundswell", instance="{service}", alert="{alert}"'
        series.append({"series": f"groundswell_incident_pages_total{{{labels}}}", "values": values})
        wanted.append({"labels": f'{{alert="{alert}"}}', "value": pages_then + more})
    expression = filled(pages()).replace("7d", "2h")
    test = {"expr": expression, "eval_time": "3h", "exp_samples": wanted}
    return {"evaluation_interval": "1m", "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [test]}]}


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    promtool = sys.argv[1]
    every = list(queries())
    with tempfile.TemporaryDirectory() as work:
        # JSON is YAML
        def file(name, tree):
            path = pathlib.Path(work) / name
            path.write_text(json.dumps(tree))
            return path

        rules = [{"record": f"q:q{number}", "expr": filled(query)} for number, query in enumerate(every)]
        good = run(promtool, "check", "rules", str(file("rules.yml", {"groups": [{"name": "dashboards", "rules": rules}]})))
        good = run(promtool, "test", "rules", str(file("test.yml", counting()))) and good
        # a test that cannot fail is none
        spoilt = {"groups": [{"name": "spoilt", "rules": [{"record": "q:q", "expr": filled(every[0]) + ")"}]}]}
        for what, words in (
            ("a wrong count of pages", ("test", "rules", str(file("wrong.yml", counting(more=1))))),
            ("a bracket too many", ("check", "rules", str(file("spoilt.yml", spoilt)))),
        ):
            if subprocess.run([promtool, *words], capture_output=True).returncode == 0:
                print(f"error: {what} is not noticed", file=sys.stderr)
                good = False
    version = re.search(r"version (\S+)", subprocess.run([promtool, "--version"], capture_output=True, text=True).stdout)
    print(f"{len(every)} queries with promtool {version and version[1]}: {'all' if good else 'NOT all'} are understood and count pages right")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
