#!/usr/bin/env python3
"""Checks the schemas that `groundswell schema` prints (pip install jsonschema==4.* pyyaml==6.*).

Usage: schema.py PROGRAM. They must be JSON Schemas of 2020-12; every rule file of rules/ and every file of
tests, tests/schema/rules.yaml, tests/schema/groundswell.yaml and tests/schema/played.yaml must fit; each of these with one change of a kind that is always wrong (a key nobody
knows, a value of another form, a needed key that is gone) must not. Exit status 1 if one does not come out so.
"""

import copy
import json
import pathlib
import subprocess
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
# keys whose values may be whatever people call things; a new one is no mistake
FREE = {"let", "kinds", "only", "labels", "vars", "lists", "groups", "brands", "tokens", "sources", "receivers", "headers"}


NOTHING_YET = {"let", "labels", "vars", "lists", "groups", "brands"}
# what each type of receiver cannot do without
RECEIVERS = {
    "stdout": (),
    "webhook": ("url", "url_file"),
    "email": ("host", "from", "to"),
    "slack": (),  # an address or a token
    "pagerduty": ("routing_key", "routing_key_file"),
    "alertmanager": ("urls",),
}


def schema(program, of):
    made = json.loads(subprocess.run([program, "schema", of], check=True, capture_output=True).stdout)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def parent(tree, path):
    for step in path:
        tree = tree[step]
    return tree


def nodes(tree, path=()):
    """Every node with its path."""
    yield path, tree
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, below in pairs:
        yield from nodes(below, (*path, step))


def needed(path, key, tree):
    """Whether a key may not be left out, said here once more by hand."""
    below = [step for step in path if isinstance(step, str)]
    if not path:
        return key == "sources"
    if below[-1] == "fields":
        return key in ("id", "author", "text", "time")
    if below[0] == "receivers" and len(path) == 2:
        return key == "type" or key in RECEIVERS[tree["type"]]
    if below[0] == "inhibit" and len(path) == 2:
        return key in ("when", "quiet")
    if below[0] == "heartbeat":
        return key == "url"
    if below[0] == "routes" and below[-1] == "routes":
        return key == "to"
    if below[0] == "sources" and len(path) == 2:
        return key == "type" or key in ("fields", "url", "url_file", "token", "token_file", "path") and tree["type"] != "jetstream"
    if below[0] == "tokens" and len(path) == 2:
        return key != "may"
    if below[0] == "brands" and len(path) == 2:
        return key == "query"
    return (below[0], key) in {("routes", "to"), ("rules", "alert"), ("lists", "authors")} and len(path) == 2


def mutants(tree):
    """Trees with one mistake, and what it is."""
    for path, node in list(nodes(tree)):
        free = path and (path[-1] == "labels" or path[-1] in FREE and len(path) in (1, 3))
        if isinstance(node, dict):
            if not free:
                bad = copy.deepcopy(tree)
                parent(bad, path)["no_such_key"] = 1
                yield bad, f"unknown key at {path}"
            for key in node:
                if not needed(path, key, node):
                    continue
                bad = copy.deepcopy(tree)
                del parent(bad, path)[key]
                yield bad, f"without {key} at {path}"
        if path:
            bad = copy.deepcopy(tree)
            # a list of lists stands nowhere, nor does nothing
            for wrong in ([["x"]], None):
                # a mapping that is begun, with nothing in it yet
                if wrong is None and path[-1] in NOTHING_YET and isinstance(node, dict):
                    continue
                parent(bad, path[:-1])[path[-1]] = wrong
                yield bad, f"{wrong} at {path}"


BY_HAND = {
    "config": [
        ("version", 2), ("log", "xml"), ("retention", "soon"), ("retention", 5), ("listen", "here"),
        ("receivers", {"a": {"type": "pager"}}), ("receivers", {"a b": {"type": "stdout"}}),
        ("receivers", {"a": {"type": "stdout", "url": "https://x"}}),
        ("receivers", {"a": {"type": "webhook", "url": "https://x", "url_file": "x"}}),
        ("receivers", {"a": {"type": "webhook", "url": "https://x", "secret": "x", "secret_file": "x"}}),
        ("tokens", {"a": {"token": "x", "may": ["raed"]}}), ("tokens", {"a": {}}),
        ("sources", {"a": {"type": "jetstream", "protocol": "v3"}}), ("sources", {"a": {"type": "push"}}),
        ("sources", {"a": {"type": "jetstream", "compress": "maybe"}}), ("routes", [{"to": "a", "severity": "loud"}]),
    ],
    "rules": [
        ("version", "2"), ("vars", {"a": "much"}), ("vars", {"a b": 1}), ("brands", {"Up": {"query": "x"}}),
        ("brands", {"a": {"query": "x", "broad": "yes"}}),
        ("rules", [{"alert": "x"}]), ("rules", [{"alert": "x", "when": "y"}]), ("rules", [{"alert": "x", "levels": {}}]),
        ("rules", [{"alert": "x", "when": "y", "severity": "warn", "levels": {"page": "y"}}]),
        ("rules", [{"alert": "x", "severity": "warn", "levels": {"page": "y"}}]),
        *(("rules", [{"alert": "x", "when": "y", "severity": "warn", "by": by}]) for by in ([], ["story"], "story", ["brand", "group"])),
        ("rules", [{"alert": "x", "when": "y", "severity": "loud"}]),
        ("rules", [{"alert": "x", "when": "y", "severity": "warn", "for": "soon"}]),
        ("rules", [{"alert": "x", "when": "y", "severity": "warn", "by": ["brand", "colour"]}]),
        ("rules", [{"alert": "x", "levels": {"loud": "y"}}]), ("rules", [{"alert": "x", "levels": {"page": {"for": "1m"}}}]),
    ],
}
FINE = {
    "config": [
        ("log", "${LOG}"), ("retention", 0), ("retention", "1.5d"), ("rules", "rules"), ("version", "1"),
        ("sources", {"a": {"type": "jetstream", "hosts": "x", "audience": False, "compress": "${C}"}}),
    ],
    "rules": [("vars", {"a": 5, "b": "40%", "c": "1.5d", "d": ".5"}), ("brands", None), ("vars", None),
              ("rules", [{"alert": "x", "when": "y", "severity": "warn", "by": "brand", "for": 0}]), ("rules", [{"alert": "x", "levels": {"page": "y"}}])],
}


RULES = sorted((ROOT / "rules").glob("**/*.yaml"))
TEST = {"name": "x", "events": [{"at": "1h"}], "expect": [{"alert": "X"}]}
# of files of tests: what is wrong in one
WRONG_TESTS = [
    {"tests": [{**TEST, "name": ["x"]}]}, {"tests": [{**TEST, "events": 5}]}, {"tests": [{**TEST, "sometimes": True}]}, {},
    {"tests": [{**TEST, "expect": [{"alert": "X", "severity": "loud"}]}]}, {"tests": [TEST], "rule": "x.yaml"},
    {"tests": [{**TEST, "expect": [{"never": True}]}]}, {"tests": [{**TEST, "events": [{"at": "1h", "post": {"tone": "sour"}}]}]},
]


def main(program):
    failed = 0
    check = schema(program, "tests")
    tests = [f for f in RULES if f.name.endswith(".test.yaml")]
    for file in tests:
        for error in check.iter_errors(yaml.safe_load(file.read_text())):
            print(f"error: {file}: {error.json_path}: {error.message}")
            failed += 1
    for bad in WRONG_TESTS:
        if check.is_valid(bad):
            print(f"error: tests: fits with a mistake: {bad}")
            failed += 1
    print(f"schema of tests: {len(tests)} files fit, {len(WRONG_TESTS)} with a mistake do not")
    for of, files in {
        "config": [ROOT / "tests/schema/groundswell.yaml", ROOT / "tests/schema/played.yaml"],
        "rules": [*(f for f in RULES if not f.name.endswith(".test.yaml")), ROOT / "tests/schema/rules.yaml"],
    }.items():
        check, wrong = schema(program, of), 0
        for file in files:
            tree = yaml.safe_load(file.read_text())
            for error in check.iter_errors(tree):
                print(f"error: {file}: {error.json_path}: {error.message}")
                failed += 1
            for bad, what in mutants(tree):
                wrong += 1
                if check.is_valid(bad):
                    print(f"error: {file}: fits with a mistake: {what}")
                    failed += 1
        whole = yaml.safe_load(files[-1].read_text())
        for changes, fits in ((BY_HAND[of], False), (FINE[of], True)):
            for key, value in changes:
                wrong += not fits
                if check.is_valid({**whole, key: value}) != fits:
                    print(f"error: {of}: {key}: {value!r} should{'' if fits else ' not'} fit")
                    failed += 1
        print(f"schema of {of}: {len(files)} files fit, {wrong} with a mistake do not")
    return min(failed, 1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
