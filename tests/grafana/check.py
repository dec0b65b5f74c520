#!/usr/bin/env python3
"""Checks grafana/dashboards without anything but Python.

Usage: check.py METRICS [DASHBOARD...]. METRICS holds the names of all metrics, one a line (what follows the first space or
brace is ignored) or as a JSON array of names or of objects with `name` (and `type`). Without DASHBOARD: all of grafana/dashboards.

Every panel must say what it shows, and fit its neighbours; every link must lead to a dashboard; every query must keep to
metrics that exist and to one job; every metric must be used by a dashboard or by an alert. All mistakes are printed at once;
then exit status 1. Mistakes are also made on purpose, one of each kind, and must be noticed.
"""

import copy
import itertools
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ALERTS = ROOT / "grafana" / "prometheus-alerts.yaml"
COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# units of Grafana that are used here; a unit it does not know is shown as text, without a word
UNITS = {"none", "short", "s", "bytes", "percentunit", "string"}
# how the series of a histogram are called
ENDINGS = ("_bucket", "_sum", "_count")
# variables that Grafana has by itself
KNOWN_VARIABLES = {"__rate_interval", "__range", "__interval"}
METRIC = re.compile(r"\b(?:groundswell|process)_\w+")
SELECTOR = re.compile(r"\b((?:groundswell|process)_\w+)\s*(\{[^}]*\})?")


def metrics(path):
    """The kind of each metric by its name; None where the list does not say it."""
    text = path.read_text()
    if text.lstrip().startswith("["):
        entries = [{"name": entry} if isinstance(entry, str) else entry for entry in json.loads(text)]
        return {entry["name"]: (entry.get("kind") or entry.get("type", "")).lower() or None for entry in entries}
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {re.split(r"[\s{]", line)[0]: None for line in lines}


def base(name, known):
    """The metric that a series belongs to."""
    if name not in known:
        for ending in ENDINGS:
            if name.endswith(ending) and known.get(name.removesuffix(ending), "") in ("histogram", None):
                return name.removesuffix(ending)
    return name


def queries(board):
    """Every query of a dashboard, and where it stands."""
    for panel in board.get("panels", []):
        for target in panel.get("targets", []):
            yield f"panel {panel.get('id')} ({panel.get('title')}), query {target.get('refId')}", target.get("expr", "")
    for note in board.get("annotations", {}).get("list", []):
        yield f"annotation {note.get('name')}", note.get("target", {}).get("expr", "")
    for variable in board.get("templating", {}).get("list", []):
        if variable.get("type") == "query":
            yield f"variable {variable.get('name')}", variable.get("query", {}).get("query", "")


def check_query(place, query, variables, known):
    if not query.strip():
        yield f"{place}: expected a query, found nothing"
    for opening, closing in ("()", "[]", "{}"):
        if query.count(opening) != query.count(closing):
            yield f"{place}: {opening} and {closing} do not match"
    for name, selector in SELECTOR.findall(query):
        if base(name, known) not in known:
            yield f"{place}: no metric is called {name}"
        if not place.startswith("variable job") and 'job="$job"' not in selector:
            yield f'{place}: {name} without job="$job" takes in whatever else Prometheus scrapes'
    for variable in re.findall(r"\$\{?(\w+)", query):
        if variable not in variables | KNOWN_VARIABLES:
            yield f"{place}: no variable is called ${variable}"
    for span in re.findall(r"\brate\(\w+\{[^}]*\}\[(\w+)\]", query):
        if not re.fullmatch(r"\d+[mhd]", span):
            yield f"{place}: rate over [{span}], expected [$__rate_interval] or minutes"
    if re.search(r"time\(\)\s*-", query) and "process_start_time_seconds" not in query:
        yield f"{place}: ages are counted from groundswell_clock_timestamp_seconds, not from time()"


def check_panel(panel):
    place = f"panel {panel.get('id')} ({panel.get('title')})"
    if not panel.get("title", "").strip():
        yield f"{place}: no title"
    if panel["type"] == "row":
        return
    if len(panel.get("description", "")) < 20:
        yield f"{place}: no description that explains anything"
    if panel.get("datasource") != SOURCE:
        yield f"{place}: its data source is not the variable"
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    units = [defaults.get("unit")]
    for change in panel.get("fieldConfig", {}).get("overrides", []):
        units += [p["value"] for p in change["properties"] if p["id"] == "unit"]
    for unit in units:
        if unit not in UNITS and not str(unit).startswith("suffix:"):
            yield f"{place}: unit {unit!r} is none of {', '.join(sorted(UNITS))}"
    if not defaults.get("noValue"):
        yield f"{place}: nothing is said where there is no value (noValue)"
    thresholds = defaults.get("thresholds", {}).get("steps", [])
    above = [step["value"] for step in thresholds[1:]]
    if not thresholds or thresholds[0]["value"] is not None or above != sorted(above):
        yield f"{place}: thresholds must begin with null and rise"
    refs = [target.get("refId") for target in panel.get("targets", [])]
    if not refs or len(refs) != len(set(refs)):
        yield f"{place}: queries must have names of their own, found {refs}"
    for target in panel.get("targets", []):
        if panel["type"] == "stat" and not target.get("instant"):
            yield f"{place}, query {target.get('refId')}: not instant, so it would go on to show the last value of a service that is gone"
        if target.get("datasource") != SOURCE:
            yield f"{place}, query {target.get('refId')}: its data source is not the variable"


def check_grid(panels):
    for panel in panels:
        pos = panel["gridPos"]
        if pos["x"] < 0 or pos["w"] < 1 or pos["h"] < 1 or pos["x"] + pos["w"] > COLUMNS:
            yield f"panel {panel['id']} ({panel['title']}): outside of {COLUMNS} columns: {pos}"
    for one, two in itertools.combinations(panels, 2):
        a, b = one["gridPos"], two["gridPos"]
        if a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]:
            yield f"panels {one['id']} ({one['title']}) and {two['id']} ({two['title']}) overlap"


def check_board(board, known, uids):
    for key, wanted in (("id", None), ("schemaVersion", 42), ("tags", ["groundswell"])):
        if key not in board or board[key] != wanted:
            yield f"{key}: expected {wanted!r}, found {board.get(key)!r}"
    if "__inputs" in board or "__requires" in board:
        yield "made for export by hand: __inputs or __requires"
    panels = board["panels"]
    ids = [panel["id"] for panel in panels]
    if len(ids) != len(set(ids)):
        yield f"ids of panels are not unique: {sorted(i for i in set(ids) if ids.count(i) > 1)}"
    for panel in panels:
        yield from check_panel(panel)
    yield from check_grid(panels)
    for note in board["annotations"]["list"]:
        for at in note["filter"]["ids"]:
            if at not in ids:
                yield f"annotation {note['name']}: no panel {at}"
        if note.get("expr") != note["target"]["expr"]:
            yield f"annotation {note['name']}: its two queries, for older and newer Grafana, differ"
    led = {link["url"] for link in board["links"]}
    wanted = {f"/d/{uid}" for uid in uids if uid != board["uid"]}
    if led != wanted:
        yield f"links: expected {sorted(wanted)}, found {sorted(led)}"
    variables = {variable["name"] for variable in board["templating"]["list"]}
    for name in ("datasource", "job"):
        if name not in variables:
            yield f"no variable {name}"
    used = set()
    for place, query in queries(board):
        used |= set(re.findall(r"\$\{?(\w+)", query))
        yield from check_query(place, query, variables, known)
    for name in variables - used - {"datasource"}:
        yield f"variable {name} is used nowhere"


def check_compose():
    """What Grafana is given by compose.yaml must be what it is told to look for."""
    compose = ROOT / "compose.yaml"
    if not compose.exists():
        return
    text = compose.read_text()
    for path in sorted((ROOT / "grafana" / "provisioning").rglob("*.yaml")):
        for line in path.read_text().splitlines():
            if line.lstrip().startswith("#"):
                continue
            for name in re.findall(r"\$\{(\w+)\}", line):
                if f"{name}:" not in text:
                    yield f"compose.yaml: sets no {name}, which {path.name} takes its value from"
            if folder := re.match(r"\s*path: (\S+)", line):
                if f":{folder[1]}" not in text and f"target: {folder[1]}" not in text:
                    yield f"compose.yaml: mounts nothing at {folder[1]}, where {path.name} looks for dashboards"


def spoilt(board, known):
    """A dashboard with one mistake each, and what it is."""

    def with_panel(what, change):
        made = copy.deepcopy(board)
        change(next(panel for panel in made["panels"] if panel["type"] != "row"))
        return what, made

    def with_query(what, query):
        return with_panel(what, lambda panel: panel["targets"][0].update(expr=query))

    for key in ("title", "description", "datasource"):
        yield with_panel(f"a panel without {key}", lambda panel: panel.pop(key))
    yield with_panel("an id twice", lambda panel: panel.update(id=2))
    yield with_panel("panels that overlap", lambda panel: panel["gridPos"].update(h=40))
    yield with_panel("a panel outside", lambda panel: panel["gridPos"].update(w=25))
    yield with_panel("no unit", lambda panel: panel["fieldConfig"]["defaults"].pop("unit"))
    yield with_panel("a unit nobody knows", lambda panel: panel["fieldConfig"]["defaults"].update(unit="seconds"))
    yield with_panel("nothing for no value", lambda panel: panel["fieldConfig"]["defaults"].pop("noValue"))
    yield with_panel("a query of another source", lambda panel: panel["targets"][0].update(datasource={"uid": "x"}))
    yield with_query("no query", "")
    yield with_query("a metric nobody knows", 'groundswell_posts{job="$job"}')
    if any(known.values()):
        yield with_query("a series of no histogram", 'groundswell_posts_kept_bucket{job="$job"}')
    yield with_query("a metric of any job", "groundswell_posts_kept")
    yield with_query("a variable nobody knows", 'groundswell_posts_kept{job="$job", brand="$brend"}')
    yield with_query("brackets that do not match", 'sum(groundswell_posts_kept{job="$job"}')
    yield with_query("a rate over the wrong time", 'rate(groundswell_entries_total{job="$job"}[15s])')
    yield with_query("an age from another clock", 'time() - groundswell_clock_timestamp_seconds{job="$job"}')
    for what, key, value in (
        ("a number of the database", "id", 7),
        ("another schema", "schemaVersion", 39),
        ("inputs", "__inputs", []),
        ("no links", "links", []),
        ("no variables", "templating", {"list": []}),
    ):
        yield what, {**copy.deepcopy(board), key: value}
    made = copy.deepcopy(board)
    next(panel for panel in made["panels"] if panel["type"] == "stat")["targets"][0]["instant"] = False
    yield "a light that stays", made


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    known = metrics(pathlib.Path(sys.argv[1]))
    paths = [pathlib.Path(p) for p in sys.argv[2:]] or sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
    boards = {path.name: json.loads(path.read_text()) for path in paths}
    uids = [board["uid"] for board in boards.values()]
    wrong = [f"uids are not unique: {uids}"] if len(uids) != len(set(uids)) else []
    used = set()
    for name, board in boards.items():
        if board["uid"] != "groundswell-" + pathlib.Path(name).stem:
            wrong.append(f"{name}: its uid is {board['uid']}")
        wrong += [f"{name}: {what}" for what in check_board(board, known, uids)]
        used |= {base(m, known) for _, query in queries(board) for m in METRIC.findall(query)}
    alerts = ALERTS.read_text() if ALERTS.exists() else ""
    code = "\n".join(line for line in alerts.splitlines() if not line.lstrip().startswith("#"))
    used |= {base(m, known) for m in METRIC.findall(code)}
    wrong += check_compose()
    wrong += [f"{metric}: used by no dashboard and no alert" for metric in sorted(known.keys() - used)]
    noticed = 0
    for board in boards.values():
        for what, made in spoilt(board, known):
            if list(check_board(made, known, uids)):
                noticed += 1
            else:
                wrong.append(f"a mistake made on purpose is not noticed: {what}")
    for what in wrong:
        print(f"error: {what}", file=sys.stderr)
    panels = sum(panel["type"] != "row" for board in boards.values() for panel in board["panels"])
    count = sum(1 for board in boards.values() for _ in queries(board))
    print(
        f"{len(boards)} dashboards, {panels} panels, {count} queries, {len(known)} metrics: {len(wrong)} mistakes; "
        f"{noticed} mistakes made on purpose were noticed"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
