#!/usr/bin/env python3
"""Compares a VADER program with the Python package vaderSentiment 3.3.2 (pip install vaderSentiment==3.3.2).

The program reads a text a line and prints a JSON line with compound, neg, neu and pos for each. It gets the
example sentences of the package, texts made from the lexicon and the rules (always the same ones), and the last
column of a .tsv.xz file. Exit status 1: a figure differs by more than 1e-4, or a class (limits -0.05 and 0.05).
"""

import argparse
import ast
import inspect
import json
import lzma
import random
import subprocess
import sys

from vaderSentiment import vaderSentiment as vader

FIGURES = ("compound", "neg", "neu", "pos")
LIMIT = 1e-4 + 1e-9  # one step of the last digit may differ: sum() rounds otherwise from Python 3.12 on
SEED = 332

PHRASES = [
    *vader.SPECIAL_CASES, *vader.SENTIMENT_LADEN_IDIOMS, "at least", "very least", "the least", "least", "LEAST",
    "no", "No", "NO", "nor", "or", "no good or", "no one nor", "kind of", "KIND OF", "kind", "sort of", "just enough",
    "just", "enough", "without doubt", "without a doubt", "without", "doubt", "never so", "never this", "never", "so",
    "this", "never a so", "so this", "isn't so", "The Shit", "THE BOMB", "Kiss Of Death", "yeah, right", "YEAH RIGHT",
]
FILLERS = [
    *"the a an it was is of at to for my your movie book phone service they we just then and Today VADER THE A".split(),
    *"I a b c u r s x y z A B I' 'm n't N'T 'n't' isn't ISN'T don't DON\u2019T don\u2019t isn\u2019t".split(),
    *"n\u2019t a'n't'b".split(),
]
MARKS = [
    "", "", "", "", "!", "!!", "!!!", "!!!!", "!!!!!!", "?", "??", "???", "????", "?!?", ".", ",", "...", ";", ")",
    '"', "'", "\u2019", "\u201d", "\u2026", "-", "_", "*", "~",
]
FRONTS = [
    "", "", "", "", "", "(", '"', "'", "\u2018", "\u201c", "*", "_", "#", "@", "\u00bf", "$",
]
SPACES = [
    *[" "] * 24, "  ", "\t", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680", "\u2003",
    "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u200b", "\u180e", "\ufeff", "\x00", "\x7f", "\r",
    "/", "",
]
ODD = [
    "\u0130yi", "I\u0130", "\u0131", "K\u0131ND", "\u212aind", "\u212aILL", "\u212aind\u212a", "li\u212ae",
    "thin\u212a", "STRASSE", "stra\u00dfe", "STRA\u00dfE", "\u1e9e", "\u039f\u03a3", "\u039f\u03a3\u03a3",
    "\u03c3\u03c2", "\u03a3", "\u0391\u03a3'", "\u01c5", "\u01c4", "\u01c5A", "A\u01c8", "\u1f88", "\u1fbcB",
    "\u00aa", "\u00ba", "\u02b0", "A\u02b0", "\u2160", "\u2170", "\u24b6", "\u24d0", "\U0001f130", "\U0001d400",
    "\U00010400", "\U00010428", "\u00c9t\u00e9", "\u00c9T\u00c9", "\u042f", "\u044f",
    "\u041f\u041b\u041e\u0425\u041e", "\u4f60\u597d", "good\u4f60", "\ufe0fgood", "good\ufe0f", "good\u0301",
    "g\u00f3od", "\u00e9!!", "(\u00e9a)", "(\u00e9ab)", "\u00f1", "\uff27\uff2f\uff2f\uff24", "\u00b5", "\u0149",
    "good\x00", "\x00good", "go\u200bod", "bad\xad", ":-\u00de", ":\u00de", ":-\u00fe", "\u24c2", "\u00a9", "\u00ae",
    "\u2122", "\u2764", "\u2764\ufe0f", "\U0001f44d\U0001f3fd", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1fa\U0001f1f8", "\U0001f51b", "\U0001f199", "1\ufe0f\u20e3", "#\ufe0f\u20e3", "\ud7ff", "\uffff",
    "\U0010ffff", "\u064a\u0645\u064a\u0644", "n\u0131't", "\u0130n't", "n't\u4f60", "--", "-'", "''", "!", "?", "a!",
    "!a", "(ab)", "(abc)", "\u30fb",
]


def examples():
    """The texts in the lists of the package's own demonstration."""
    for part in ast.parse(inspect.getsource(vader)).body:
        if isinstance(part, ast.If):
            for node in ast.walk(part):
                if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Constant)):
                    for text in getattr(node.value, "elts", [node.value]):
                        if isinstance(getattr(text, "value", None), str):
                            yield text.value


class Maker:
    """Makes texts by chance from all that the rules look at."""

    def __init__(self, analyzer):
        self.chance = random.Random(SEED)
        self.words = sorted(analyzer.lexicon)
        self.strong = [word for word in self.words if word.isalpha() and abs(analyzer.lexicon[word]) > 1.5]
        self.faces = [word for word in self.words if not word.isalpha()]
        self.boosters = sorted(vader.BOOSTER_DICT)
        self.emoji = sorted(analyzer.emojis)
        # A few valences occur again and again: this is what the search at "but" stumbles over.
        self.same = "good great nice bad ugly awful love hate win lose happy sad fun best worst".split()

    def cased(self, word):
        """The word in one of several cases, mostly as it is."""
        return self.chance.choice([str] * 8 + [str.upper, str.upper, str.title, str.swapcase])(word)

    def item(self):
        """One word, phrase, face or emoji."""
        pick, kind = self.chance.choice, self.chance.random()
        if kind < 0.19:
            return self.cased(pick(self.words))
        if kind < 0.27:
            return self.cased(pick(self.strong))
        if kind < 0.35:
            return self.cased(pick(self.same))
        if kind < 0.47:
            return self.cased(pick(self.boosters))
        if kind < 0.56:
            return self.cased(pick(vader.NEGATE))
        if kind < 0.70:
            return self.cased(pick(PHRASES))
        if kind < 0.74:
            return pick(["but", "But", "BUT", "but,", "but good but"])
        if kind < 0.78:
            return pick(self.faces)
        if kind < 0.82:
            before, behind = ["", "", "so", "good", "GOOD", "!"], ["", "", "good", "\ufe0f", "bad!", "?"]
            return pick(before) + pick(self.emoji) + pick(behind)
        if kind < 0.84:
            return pick(ODD)
        return self.cased(pick(FILLERS))

    def text(self, words):
        """A text of so many words; some are in capitals altogether, or made only of phrases."""
        parts, style = [], self.chance.random()
        for _ in range(words):
            item = self.chance.choice(PHRASES + self.same) if style > 0.9 else self.item()
            if style < 0.75:
                item = self.chance.choice(FRONTS) + item + self.chance.choice(MARKS)
            parts += [item, self.chance.choice(SPACES) if style < 0.85 else " "]
        text = "".join(parts)
        return text.upper() if 0.7 < style < 0.74 else text

    def odd(self):
        """A short text round an odd word."""
        return f"{self.item()} {self.chance.choice(ODD)}{self.chance.choice(MARKS)} {self.item()} {self.item()}"

    def noise(self):
        """Any characters at all, with some words between."""
        pick = self.chance.choice
        words = [" ", "so ", " not", "good", "KIND"]
        ranges = [(0, 0x7F), (0x21, 0x40), (0x80, 0x24F), (0x370, 0x52F), (0x1E00, 0x27FF), (0x1F300, 0x1FAFF)]
        ranges.append((0, 0x10FFFF))
        parts = []
        for _ in range(self.chance.randint(1, 60)):
            parts.append(chr(self.chance.randint(*pick(ranges))) if self.chance.random() < 0.7 else pick(words))
        return "".join(parts)


def texts(analyzer, path):
    """All texts, each without a line feed and in valid UTF-8."""
    maker = Maker(analyzer)
    found = ["", " ", "!", "but", "no", "No.", *examples(), *ODD, *maker.words, *maker.emoji]
    found += [f"it was {word}" for word in ODD] + [f"THE {word} good" for word in ODD]
    found += [maker.text(maker.chance.randint(1, 6)) for _ in range(12000)]
    found += [maker.text(maker.chance.randint(4, 30)) for _ in range(12000)]
    found += [maker.odd() for _ in range(3000)] + [maker.noise() for _ in range(3000)]
    found += [maker.text(maker.chance.randint(80, 250)) for _ in range(150)]
    again = ["good but ", "a ", "s x :) ", "\U0001f600", "no ", "n't ", "\u212a", "!", "?", "x" * 30]
    found += [word * 300 for word in again]
    found += ["bad good but not great but " * 120, "so " * 400 + "good", "not " * 301 + "good", "GOOD " * 400 + "but"]
    if path:
        with lzma.open(path) as file:
            rows = file.read().split(b"\n")
        found += [row.rsplit(b"\t", 1)[-1].decode("utf-8") for row in rows[1:] if row]
    return [text.encode("utf-8", "ignore").decode().replace("\n", " ") for text in found]


def main():
    """Compares and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", metavar="FILE.tsv.xz", help="more texts: the last column, below a line of titles")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="the command to test, behind the options")
    options = parser.parse_args()
    if not options.program:
        parser.error("a program is needed")

    analyzer = vader.SentimentIntensityAnalyzer()
    every = texts(analyzer, options.texts)
    given = "".join(text + "\n" for text in every).encode()
    output = subprocess.run(options.program, input=given, stdout=subprocess.PIPE, check=True).stdout
    lines = output.removesuffix(b"\n").split(b"\n")
    if len(lines) != len(every):
        sys.exit(f"{len(every)} texts, but {len(lines)} lines came back")

    worst, most, flips, failed = [], dict.fromkeys(FIGURES, 0.0), 0, 0
    for text, line in zip(every, lines):
        wanted, got = analyzer.polarity_scores(text), json.loads(line)
        apart = {name: abs(wanted[name] - got[name]) for name in FIGURES}
        most = {name: max(most[name], apart[name]) for name in FIGURES}
        flip = any((wanted["compound"] * side >= 0.05) != (got["compound"] * side >= 0.05) for side in (1, -1))
        flips += flip
        failed += flip or not all(value <= LIMIT for value in apart.values())
        if any(apart.values()) or flip:
            worst.append((flip, max(apart.values()), text, wanted, {name: got[name] for name in FIGURES}))

    print(f"texts {len(every)}, not equal in every digit {len(worst)}, class flips {flips}")
    print("largest difference: " + ", ".join(f"{name} {value:.6f}" for name, value in most.items()))
    for flip, apart, text, wanted, got in sorted(worst, key=lambda row: row[:3], reverse=True)[:10]:
        print(f"{apart:.4f}{' flip' if flip else ''}: {text[:300]!r}\n  wanted {wanted}\n  got    {got}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
