#!/usr/bin/env python3
"""Changes each alert of grafana/prometheus-alerts.yaml on purpose, one change at a time; its tests must notice.

Usage: mutate.py PROMTOOL [ALERT..]. A change is another comparison, a number 20 % (or one) higher or lower, a `for` that
is half a minute longer or shorter, another set operator, or another severity. Exit status 1 if one goes unnoticed.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "grafana"
RULES, TESTS = "prometheus-alerts.yaml", "prometheus-alerts.test.yaml"
OPPOSITE = {"==": "!=", ">": "<=", "<": ">=", "<=": ">"}
SETS = {"unless": "and", "and": "unless", "or": "and"}
# a space before the operator, so that a matcher in braces is none
COMPARED = r" (==|<=|>|<) (\d[\de.]*)?"
STEP = 30
SECONDS = {"s": 1, "m": 60, "h": 3600}


def numbers(number):
    """A threshold, changed; what is counted in ones, by one."""
    x = float(number)
    if x == 0:
        return ["2"]
    more, less = (x + 1, x - 1) if x in range(1, 10) else (x * 1.2, x * 0.8)
    return [f"{more:.12g}", f"{less:.12g}"]


def expression(text):
    """Every change of an expression, with what it is."""
    for m in re.finditer(COMPARED, text):
        yield f"{m[1]} -> {OPPOSITE[m[1]]}", text[: m.start(1)] + OPPOSITE[m[1]] + text[m.end(1) :]
        for other in numbers(m[2]) if m[2] else ():
            yield f"{m[1]} {m[2]} -> {other}", text[: m.start(2)] + other + text[m.end(2) :]
    for m in re.finditer(r"\b(unless|and|or)\b", text):
        yield f"{m[1]} -> {SETS[m[1]]}", text[: m.start()] + SETS[m[1]] + text[m.end() :]


def mutants(rule):
    """Every change of a rule, with what it is."""
    head, expr, tail = re.fullmatch(r"(.*?\n)( +expr:.*?\n)( +(?:for|labels):.*)", rule, re.S).groups()
    for what, other in expression(expr):
        yield what, head + other + tail
    m = re.search(r"for: (\d+)([smh])\n", tail)
    waits = int(m[1]) * SECONDS[m[2]] if m else 0
    rest = re.sub(r"^ +for:.*\n", "", tail)
    for other in (waits + STEP, waits - STEP):
        if other >= 0:
            yield f"for {waits}s -> {other}s", f"{head}{expr}        for: {other}s\n{rest}"
    yield "severity", head + expr + tail.replace("severity: ", "severity: not ")


def noticed(promtool, rules, tests):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, RULES).write_text(rules)
        pathlib.Path(folder, TESTS).write_text(tests)
        done = subprocess.run([promtool, "test", "rules", TESTS], cwd=folder, capture_output=True, text=True)
    return done.returncode != 0, done.stdout + done.stderr


def main():
    promtool, only = sys.argv[1], sys.argv[2:]
    groups = re.split(r"(?m)^(?=  - name: )", (FOLDER / RULES).read_text())
    top = "".join(g for g in groups if "- record: " in g or "- name: " not in g)
    head, *cases = re.split(r"(?m)^(?=  - name: )", (FOLDER / TESTS).read_text())
    work = []
    for group in groups:
        name, *rules = re.split(r"(?m)^(?=      - alert: )", group)
        for rule in rules:
            alert = re.match(r" +- alert: (\w+)", rule)[1]
            if only and alert not in only:
                continue
            # only what is said of this alert, which is quicker; comments between the cases are no part of any
            own = re.compile(rf"alertname: {alert}\b")
            mine = head
            for case in cases:
                series, tests = case.split("    alert_rule_test:\n")
                tests = [t for t in re.split(r"(?m)^(?=      - )", tests) if own.search(t)]
                if tests:
                    mine += series + "    alert_rule_test:\n" + "".join(re.sub(r"(?m)^ {0,2}#.*\n", "", t) for t in tests)
            work.append((alert, "as it is", top + name + rule, mine))
            work += [(alert, what, top + name + other, mine) for what, other in mutants(rule)]
    missed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(lambda w: noticed(promtool, w[2], w[3]), work)
        for (alert, what, *_), (failed, said) in zip(work, done):
            wrong = failed == (what == "as it is")
            missed += wrong
            if wrong:
                print(f"{alert}: {what}: {'fails: ' + said if failed else 'not noticed'}")
    alerts = len({w[0] for w in work})
    print(f"{len(work) - alerts} changes of {alerts} alerts: {missed or 'none'} unnoticed")
    return 1 if missed or not work else 0


if __name__ == "__main__":
    sys.exit(main())
