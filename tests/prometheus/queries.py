#!/usr/bin/env python3
"""Asks a Prometheus that scraped the demo everything that dashboards and alerts ask.

Usage: queries.py --prometheus URL --metrics TABLE.json [--dashboards DIR] [--from SECONDS] [--may-fire ALERT]
[--self-test]

- Every query of every panel, annotation and variable gives at least one series with a number.
- Every rule is evaluated without an error; no alert fires but those named by --may-fire.
- Every metric of the table (a JSON array of objects with `name` and `type`) is used by a dashboard or an alert; none
  that is used or served is missing in it.

All findings are printed; exit status 1 if there is one. With --self-test mistakes made on purpose must be found, too.
"""

import argparse
import functools
import itertools
import json
import math
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
# points of a query over the whole time
POINTS = 300
# moments at which a query for one moment is tried, the last one first
MOMENTS = 25
# characters shown of what is wrong
SHOWN = 300
# a variable written as $name, ${name}, ${name:format} or [[name]]
VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]")


class Mistake(Exception):
    """What is wrong with a query."""


class Prometheus:
    """Its HTTP API, over the time from `start` to `end`."""

    def __init__(self, url, start, end):
        self.url, self.start, self.end = url.rstrip("/"), start, end
        self.step = max(1.0, (end - start) / POINTS)

    def get(self, path, **parameters):
        query = urllib.parse.urlencode({k: v for k, v in parameters.items() if v is not None}, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=60) as answer:
                said = json.load(answer)
        except urllib.error.HTTPError as e:
            said = json.loads(e.read() or b"{}")
        if said.get("status") != "success":
            raise Mistake(said.get("error", "expected an answer, found none"))
        return said["data"]

    @functools.lru_cache(maxsize=None)
    def series(self, expression, at):
        """Series of a query over all the time, or at one moment."""
        if at is None:
            data = self.get("query_range", query=expression, start=self.start, end=self.end, step=self.step)
            return [(s["metric"], [v for _, v in s["values"]]) for s in data["result"]]
        data = self.get("query", query=expression, time=at)
        if data["resultType"] in ("scalar", "string"):
            return [({}, [data["result"][1]])]
        return [(s["metric"], [s["value"][1]]) for s in data["result"]]

    def has_numbers(self, expression, moment):
        """Whether a query gives at least one number: over all the time, or at one of its moments."""
        ats = [None]
        if moment:
            ats = [self.end - i * (self.end - self.start) / MOMENTS for i in range(MOMENTS)]
        found = (v for at in ats for _, values in self.series(expression, at) for v in values)
        return any(not math.isnan(float(v)) for v in found)

    def values(self, label, match):
        return self.get(f"label/{label}/values", start=self.start, end=self.end, **{"match[]": match})


def panels(tree):
    """All panels, those in rows too."""
    for panel in tree.get("panels", []):
        yield panel
        yield from panels(panel)


def clock(seconds):
    return f"{max(1, math.ceil(seconds))}s"


def known(prometheus):
    """Variables that Grafana itself knows."""
    whole = prometheus.end - prometheus.start
    return {
        "__interval": clock(prometheus.step), "__interval_ms": str(int(prometheus.step * 1000)), "__rate_interval": "5s",
        "__range": clock(whole), "__range_s": str(math.ceil(whole)), "__range_ms": str(int(whole * 1000)),
        "__from": str(int(prometheus.start * 1000)), "__to": str(int(prometheus.end * 1000)),
    }  # fmt: skip


def put(text, variables):
    """A text with its variables put in."""

    def value(m):
        name = m[1] or m[2] or m[3]
        if name not in variables:
            raise Mistake(f"expected a variable of the dashboard, found ${name}")
        return variables[name]

    return VARIABLE.sub(value, text)


def options(prometheus, variable, before):
    """What a variable may be."""
    kind, query = variable["type"], variable.get("query", "")
    if kind == "datasource":
        return ["prometheus"]
    if kind in ("custom", "interval"):
        return [v.split(" : ")[-1].strip() for v in query.split(",")]
    if kind in ("constant", "textbox"):
        return [query]
    if kind != "query":
        raise Mistake(f"expected a variable of a kind that is known here, found {kind}")
    text = put(query.get("query", "") if isinstance(query, dict) else query, before)
    if m := re.fullmatch(r"\s*label_values\((?:(.+),)?\s*(\w+)\s*\)\s*", text, re.S):
        found = prometheus.values(m[2], m[1] and m[1].strip())
    elif m := re.fullmatch(r"\s*query_result\((.+)\)\s*", text, re.S):
        found = [json.dumps(s) for s, _ in prometheus.series(m[1], prometheus.end)]
    else:
        raise Mistake(f"expected label_values or query_result, found {text!r}")
    if regex := variable.get("regex", "").strip("/"):
        found = [m[1] if m.groups() else m[0] for m in (re.search(regex, v) for v in found) if m]
    if not found:
        raise Mistake(f"no values: {text}")
    return found


def choices(prometheus, dashboard):
    """Every choice of variables that somebody can make, the first options first; and what is wrong with them."""
    found, wrong = [known(prometheus)], []
    for variable in dashboard.get("templating", {}).get("list", []):
        name = variable["name"]
        try:
            values = options(prometheus, variable, found[0])
        except Mistake as e:
            wrong.append((f"variable {name}", str(e)))
            continue
        if variable.get("multi") or variable.get("includeAll"):
            values = [variable.get("allValue") or "(" + "|".join(re.escape(v) for v in values) + ")"]
        found = [{**before, name: value} for value, before in itertools.product(values, found)]
    return found, wrong


def queries(dashboard):
    """Every query of a dashboard: where it stands, what it asks, whether at one moment."""
    for annotation in dashboard.get("annotations", {}).get("list", []):
        if annotation.get("builtIn"):
            continue
        expression = annotation.get("expr") or annotation.get("target", {}).get("expr", "")
        yield f"annotation {annotation.get('name')}", expression, False
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            if (target.get("datasource") or {}).get("type") == "__expr__":
                continue
            place = f"{panel.get('title') or panel.get('type')} {target.get('refId', '')}".strip()
            # what is neither is a range for Grafana
            if target.get("instant"):
                yield place, target.get("expr", ""), True
            if target.get("range") or not target.get("instant"):
                yield place, target.get("expr", ""), False


def ask(prometheus, dashboard):
    """All that is wrong with a dashboard, and how many queries it has."""
    found, findings = choices(prometheus, dashboard)
    count = len(dashboard.get("templating", {}).get("list", []))
    for place, expression, moment in queries(dashboard):
        count += 1
        try:
            if not expression.strip():
                raise Mistake("expected a query, found none")
            # a panel may be empty for one brand, not for all
            if not any(prometheus.has_numbers(put(expression, c), moment) for c in found):
                raise Mistake(f"no data: {put(expression, found[0])}")
        except Mistake as e:
            findings.append((place, str(e)))
    return findings, count


def rules(data, may_fire):
    """What is wrong with the rules, their expressions, and the alerts that wait to fire."""
    findings, expressions, waiting = [], [], []
    for rule in itertools.chain.from_iterable(g["rules"] for g in data["groups"]):
        name = rule["name"]
        expressions.append(rule["query"])
        if rule["health"] != "ok":
            findings.append((f"rule {name}", rule.get("lastError") or f"expected ok, found {rule['health']}"))
        for alert in rule.get("alerts", []):
            if alert["state"] == "firing" and name not in may_fire:
                findings.append((f"alert {name}", f"fires: {alert['annotations'].get('summary', alert['labels'])}"))
            elif alert["state"] == "pending":
                waiting.append(name)
    return findings, expressions, sorted(set(waiting))


def names(expressions):
    """Metrics that expressions name."""
    bare = (re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', "", e) for e in expressions)
    return {n for e in bare for n in re.findall(r"(?<![\w:])(?:groundswell|process)_\w+(?![\w:])", e)}


def compare(table, used):
    """Metrics of the table that nothing uses, and what is used and is none of them."""
    plain = {m["name"] for m in table}
    of = {n: n for n in plain}
    for m in table:
        if m["type"] == "histogram":
            of.update({m["name"] + s: m["name"] for s in ("_bucket", "_sum", "_count")})
            del of[m["name"]]
    findings = [(n, "expected a metric of the table, found none of this name") for n in sorted(used - of.keys())]
    shown = {of[n] for n in used & of.keys()}
    return findings + [(n, "is used by no dashboard and no alert") for n in sorted(plain - shown)]


def self_test(prometheus):
    """Mistakes made on purpose; what was not found of them."""
    target = lambda e, **more: {"title": "t", "targets": [{"refId": "A", "expr": e, **more}]}
    variable = {"name": "v", "type": "query", "query": "label_values(groundswell_no_such_metric, brand)"}
    boards = {
        "no query of PromQL": ({"panels": [target("sum(")]}, "parse error"),
        "a metric that is not there": ({"panels": [target("groundswell_frames")]}, "no data"),
        "the same at one moment": ({"panels": [target("groundswell_frames", instant=True)]}, "no data"),
        "in a row": ({"panels": [{"type": "row", "panels": [target("groundswell_frames")]}]}, "no data"),
        "no number": ({"panels": [target("0 * groundswell_build_info / 0")]}, "no data"),
        "two series for one": ({"panels": [target("groundswell_stage_in_total + on (job) up")]}, "many-to-"),
        "an unknown variable": ({"panels": [target('up{job="${nobody}"}')]}, "found $nobody"),
        "no query at all": ({"panels": [target(" ")]}, "found none"),
        "a variable without values": ({"templating": {"list": [variable]}}, "no values"),
        "an annotation": ({"annotations": {"list": [{"target": {"expr": "groundswell_frames"}}]}}, "no data"),
    }
    missed = []
    for what, (board, expected) in boards.items():
        found = ask(prometheus, board)[0]
        if len(found) != 1 or expected not in found[0][1]:
            missed.append((f"self-test: {what}", f"expected a finding with {expected!r}, found {found}"))
    alert = {"state": "firing", "labels": {}, "annotations": {"summary": "s"}}
    groups = {"groups": [{"rules": [
        {"name": "Ill", "query": "up", "health": "err", "lastError": "many-to-many"},
        {"name": "Fires", "query": "up", "health": "ok", "alerts": [alert]},
        {"name": "May", "query": "up", "health": "ok", "alerts": [alert]},
    ]}]}  # fmt: skip
    if [p for p, _ in rules(groups, {"May"})[0]] != ["rule Ill", "alert Fires"]:
        missed.append(("self-test: rules", f"expected two findings, found {rules(groups, {'May'})[0]}"))
    table = [{"name": "process_a_total", "type": "counter"}, {"name": "groundswell_h_seconds", "type": "histogram"}]
    used = names(['groundswell_h_seconds_bucket{x="groundswell_b"} + groundswell_h_seconds + a:groundswell_c:d'])
    if [p for p, _ in compare(table, used)] != ["groundswell_h_seconds", "process_a_total"]:
        missed.append(("self-test: names", f"expected two findings, found {compare(table, used)}"))
    return missed, len(boards) + 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prometheus", required=True)
    parser.add_argument("--metrics", required=True, type=pathlib.Path)
    parser.add_argument("--dashboards", type=pathlib.Path, default=ROOT / "grafana" / "dashboards")
    parser.add_argument("--from", dest="start", type=float)
    parser.add_argument("--may-fire", action="append", default=[])
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args()
    end = time.time()
    prometheus = Prometheus(given.prometheus, given.start or end - 300, end)

    findings, expressions, count = [], [], 0
    files = sorted(given.dashboards.glob("*.json"))
    for file in files:
        dashboard = json.loads(file.read_text())
        expressions += [e for _, e, _ in queries(dashboard)]
        wrong, n = ask(prometheus, dashboard)
        findings += [(f"{file.name}: {place}", what) for place, what in wrong]
        count += n
    if not files:
        findings.append((str(given.dashboards), "expected dashboards, found none"))
    said = f"{len(findings)} findings" if findings else "all return data"
    print(f"{count} queries of {len(files)} dashboards: {said}")

    wrong, asked, waiting = rules(prometheus.get("rules"), set(given.may_fire))
    findings += wrong
    said = f"{len(wrong)} findings" if wrong else "all evaluated, none fires"
    print(f"{len(asked)} rules: {said}{'; pending: ' + ', '.join(waiting) if waiting else ''}")
    if not asked:
        findings.append(("rules", "expected rules in Prometheus, found none"))

    table = json.loads(given.metrics.read_text())
    wrong = compare(table, names(expressions + asked))
    served = set(prometheus.values("__name__", '{job="groundswell", __name__=~"(groundswell|process)_.*"}'))
    wrong += [(n, what) for n, what in compare(table, served) if n in served]
    absent = sorted(m["name"] for m in table if not served & {m["name"], m["name"] + "_bucket"})
    findings += wrong
    said = f"{len(wrong)} findings" if wrong else "all used, and no others"
    print(f"{len(table)} metrics: {said}{'; not in the demo: ' + ', '.join(absent) if absent else ''}")

    if given.self_test:
        missed, tried = self_test(prometheus)
        findings += missed
        print(f"{tried} mistakes made on purpose: {len(missed) or 'none'} not found")
    for place, what in findings:
        print(f"error: {place}: {what if len(what) <= SHOWN else what[:SHOWN] + ' ...'}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
