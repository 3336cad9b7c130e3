"""How many planted test items are found in a training set, exact copies and varied ones, on human-labelled data.

    python benchmarks/quality/contamination.py [--small]

planted Every other row of a set is planted in a training set, as it is or varied: other width, other punctuation, polite
        endings made plain, a space put in, or all of these. Recall is the share of planted rows that are found; false
        alarms are rows that were not planted and are found. Compared are 3-grams of the raw texts, of canonical forms, and
        of canonical forms with plain endings. "pooled" takes exact and the four ways alike.
real    What is found between the sets as they are.
seconds Processor time of one core.

Endings are varied by MeCab's analysis here and made plain by the rules of `japagen.endings` there, so that the measure
does not know how its own items were made. Gold data are read from ../shared/gold. The result is written to
benchmarks/results/quality_contamination.json; with --small, nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tarfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from japagen.endings import plain_form
from japagen.japanese import canonical
from japagen.matches import KINDS, Texts, find_matches, one_text

sys.path.append(str(Path(__file__).parents[1]))
from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_contamination.json"
GOLD = ROOT.parent / "shared" / "gold"
FORMS: dict[str, Callable[[str], str]] = {"raw": str, "canonical": canonical, "plain_endings": plain_form}
ROW_PAST = dict(
    zip("カガサタラワナバマ", ("いた", "いだ", "した", "った", "った", "った", "んだ", "んだ", "んだ"), strict=True)
)
ROW_NEGATIVE = dict(zip("カガサタラワナバマ", "かがさたらわなばま", strict=True))
ENDS = "。!?！？\n"


def half_widths() -> dict[str, str]:
    """Katakana and marks with their half-width form."""
    found: dict[str, str] = {}
    for code in range(0xFF61, 0xFF9E):
        found.setdefault(unicodedata.normalize("NFKC", chr(code)), chr(code))
    for full, half in list(found.items()):
        for mark, half_mark in (("\u3099", "ﾞ"), ("\u309a", "ﾟ")):
            both = unicodedata.normalize("NFC", full + mark)
            if len(both) == 1:
                found[both] = half + half_mark
    return found


HALF = half_widths()


def width(text: str, _: random.Random) -> str:
    """Half width for full width and the other way round."""

    def other(char: str) -> str:
        if "!" <= char <= "~":
            return chr(ord(char) + 0xFEE0)
        if "！" <= char <= "～":
            return chr(ord(char) - 0xFEE0)
        return HALF.get(char, char)

    return "".join(map(other, text))


def punctuation(text: str, rng: random.Random) -> str:
    """Another mark at the end or none, other commas or none."""
    text = text.removesuffix("。") + rng.choice(["", "！", "…"] if text.endswith("。") else ["。", "！", "…"])
    return text.replace("、", rng.choice(["", "，"]))


def space(text: str, rng: random.Random) -> str:
    """A space somewhere within every 20 characters."""
    for _ in range(1 + len(text) // 20 if len(text) > 1 else 0):
        at = rng.randrange(1, len(text))
        text = text[:at] + rng.choice([" ", "\u3000"]) + text[at:]
    return text


@cache
def tagger() -> Any:
    import unidic_lite
    from fugashi import Tagger

    return Tagger(f'-r "{unidic_lite.DICDIR}/mecabrc" -d "{unidic_lite.DICDIR}"')


def ending(text: str, _: random.Random) -> str:
    """Sentences that end in です, ます and their past and negative forms end plainly."""
    words = list(tagger()(text))
    parts, n = [], 0
    while n < len(words):
        plain, taken = plain_end(words, n)
        parts.append(words[n].white_space + plain)
        n += taken
    return "".join(parts)


def plain_end(words: Sequence[Any], n: int) -> tuple[str, int]:
    """The word at n, or the plain form of the sentence's end that begins there, and of how many words that is."""
    word = words[n]
    after = [other.surface for other in words[n + 1 : n + 4]]
    tail = after[: next((i for i, surface in enumerate(after) if surface[0] in ENDS), len(after))]
    row = word.feature.cType[3] if (word.feature.cType or "").startswith("五段") else ""
    base = word.feature.orthBase
    match tail:
        case ["ます"]:
            return base, 2
        case ["まし", "た"]:
            past = "った" if base.endswith("行く") else ROW_PAST[row] if row else ""
            return (base[:-1] + past if row else word.surface + "た"), 3
        case ["ませ", "ん"] if base == "ある":
            return "ない", 3
        case ["ませ", "ん"]:
            return (base[:-1] + ROW_NEGATIVE[row] if row else word.surface) + "ない", 3
        case [] if word.surface == "です":
            return ("" if n and words[n - 1].feature.pos1 == "形容詞" else "だ"), 1
        case ["た"] if word.surface == "でし":
            return "だった", 2
    return word.surface, 1


def everything(text: str, rng: random.Random) -> str:
    return space(width(punctuation(ending(text, rng), rng), rng), rng)


WAYS: dict[str, Callable[[str, random.Random], str]] = {
    "exact": lambda text, _: text,
    "width": width,
    "punctuation": punctuation,
    "ending": ending,
    "space": space,
    "all": everything,
}
POOLED = ("exact", "width", "punctuation", "ending", "space")


def planted(rows: Sequence[Texts], seed: int) -> dict[str, Any]:
    """Recall and false alarms by way and form."""
    found: dict[str, Any] = {"rows": len(rows), "planted": len(rows[::2])}
    hits = dict.fromkeys(FORMS, 0)
    for way, vary in WAYS.items():
        rng = random.Random(seed)
        copies: list[Texts] = [(vary(a, rng), None if b is None else vary(b, rng)) for a, b in rows[::2]]
        cell: dict[str, Any] = {"changed": sum(x != y for x, y in zip(copies, rows[::2], strict=True))}
        for name, form in FORMS.items():
            positions = {match.position for match in find_matches(rows, copies, form=form)}
            right = sum(position % 2 == 0 for position in positions)
            cell[name] = {"recall": round(right / len(copies), 4), "false_alarms": len(positions) - right}
            hits[name] += right * (way in POOLED)
        found[way] = cell
    found["pooled"] = {name: round(n / len(POOLED) / len(rows[::2]), 4) for name, n in hits.items()}
    return found


def pairs_of(file: str) -> list[Texts]:
    rows = [json.loads(line) for line in (GOLD / file).read_text(encoding="utf-8").splitlines()]
    return [(row["sentence1"], row["sentence2"]) for row in rows]


def sentences_of(file: str) -> list[Texts]:
    return [(json.loads(line)["sentence"], None) for line in (GOLD / file).read_text(encoding="utf-8").splitlines()]


def articles() -> list[tuple[str, str]]:
    """Titles and bodies of the livedoor news corpus, in random order."""
    with tarfile.open(GOLD / "news" / "ldcc-20140209.tar.gz") as archive:
        files = [file for file in archive if file.isfile() and file.name.count("/") == 2 and "LICENSE" not in file.name]
        texts = [archive.extractfile(file).read().decode().split("\n", 3) for file in files]  # type: ignore[union-attr]
    random.Random(0).shuffle(texts)
    return [(title, body) for _, _, title, body in texts]


def distinct(rows: Iterable[Texts]) -> list[Texts]:
    """Each row once; a pair in the order in which it comes first."""
    return list({frozenset(row): row for row in rows}.values())


def compared(rows: Sequence[Texts], others: Sequence[Texts], form: Callable[[str], str] = canonical) -> dict[str, Any]:
    """Counts of each kind, and how long it took."""
    started = time.process_time()
    matches = find_matches(rows, others, form=form)
    seconds = time.process_time() - started
    kinds = Counter(match.how for match in matches)
    counts: dict[str, Any] = {"of": len(rows), "against": len(others)} | {kind: kinds[kind] for kind in KINDS}
    if rows[0][1] is not None:
        counts["one_text"] = len(set(one_text(rows, others, form=form)) - {match.position for match in matches})
    return counts | {"seconds": round(seconds, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="few rows, nothing is written")
    options = parser.parse_args()
    started = time.process_time()
    jnli, jsts = pairs_of("jnli/valid-v1.3.json"), pairs_of("jsts/train-v1.3.json")
    valid, news = pairs_of("jsts/valid-v1.3.json"), articles()
    titles: list[Texts] = [(title, None) for title, _ in news]
    bodies: list[Texts] = [(body, None) for _, body in news]
    most = 60 if options.small else 100_000
    sets = {
        "jnli_valid": distinct(jnli),
        "jsts_valid": distinct(valid),
        "news_titles": distinct(titles),
        "news_bodies": distinct(bodies)[:1000],
    }
    found: dict[str, Any] = {name: planted(rows[:most], seed=0) for name, rows in sets.items()}
    for name, cells in found.items():
        print(name, json.dumps(cells, ensure_ascii=False), flush=True)
    rng = random.Random(0)
    marked: list[Texts] = [(space(a, rng), punctuation(b or "", rng)) for a, b in jsts]
    firsts: list[Texts] = [(a, None) for a, _ in jsts]
    seconds: list[Texts] = [(b or "", None) for _, b in jsts]
    jcola_valid, jcola_train = (sentences_of(f"jcola/in_domain_{split}-v1.0.json") for split in ("valid", "train"))
    real = {
        "distinct pairs of jnli valid / jsts train": compared(distinct(jnli), jsts),
        "jnli valid / jsts train": compared(jnli, jsts),
        "jnli valid / jsts train twice (marks and spaces changed)": compared(jnli, [*jsts, *marked]),
        "jsts valid / jsts train": compared(valid, jsts),
        "first / second texts of jsts train": compared(firsts, seconds),
        "jcola valid / train": compared(jcola_valid, jcola_train),
        "jcola valid / train, plain endings": compared(jcola_valid, jcola_train, form=plain_form),
        "a fifth / the rest of news titles": compared(titles[:1473], titles[1473:]),
        "a fifth / the rest of news bodies": compared(bodies[:1473], bodies[1473:]),
    }
    checks: list[dict[str, Any]] = []
    for name, cells in found.items():
        recall = cells["pooled"]["canonical"]
        checks.append({"check": f"{name}: pooled recall, canonical forms", "wanted": ">= 0.95", "found": recall})
        checks[-1]["met"] = recall >= 0.95
    both = real["distinct pairs of jnli valid / jsts train"]["exact"]
    checks.append(
        {"check": "distinct pairs of jnli valid in jsts train", "wanted": "841", "found": both, "met": both == 841}
    )
    result = {
        "what": "planted test items found in a training set, and what the gold data have in common",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in ("japagen", "numpy", "fugashi", "unidic-lite")}
        | {"python": platform.python_version()},
        "cpu_seconds": round(time.process_time() - started),
        "checks": checks,
        "planted": found,
        "real": real,
    }
    for row in (*real.items(), *checks):
        print(row)
    if not options.small:
        RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
