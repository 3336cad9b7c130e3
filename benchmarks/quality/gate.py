"""What the contamination gate of `curate` takes and what it leaves, on human-labelled data.

    python benchmarks/quality/gate.py [--small]

planted   Every other row of a set is the gold; copies of it stand among generated rows, as they are or in other width, other
          punctuation, with plain endings, with a space put in, or all of these (the ways of contamination.py here). The
          rest of the set plays the honest generated rows. Recall is the share of copies that are found, false alarms are
          honest rows that are. "raw" compares the texts as they are, as a gate without forms would.
numbers   In every text with a digit, its first number is exchanged: all must stay. "without" is how many a near match alone,
          which knows no numbers, would take.
wording   JCoLA, whose labels judge wording: the sentences of each label against those of the other. All must stay; "as
          meaning" is how many the gate for other tasks would take. And its own copies, planted: changed endings are
          other sentences there, and stay.
real      The gate between sets as they are, with processor seconds of one core.

Gold data are read from ../shared/gold. The result is written to results/quality_gate.json; with --small, nothing is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from japagen.curate.contamination import contaminated, one_text_rows
from japagen.endings import plain_form
from japagen.matches import Texts, find_matches
from japagen.records import Example

sys.path.append(str(Path(__file__).parents[1]))
from contamination import GOLD, POOLED, WAYS, articles, distinct, pairs_of

from machine import processor

RESULT = Path(__file__).parents[1] / "results" / "quality_gate.json"
RECALL = 0.95
WORDING_WAYS = ("exact", "width", "punctuation", "space")


def examples(rows: Sequence[Texts], label: str = "a") -> list[Example]:
    return [Example(str(number), first, label, second) for number, (first, second) in enumerate(rows)]


def varied(rows: Sequence[Texts], way: str) -> list[Texts]:
    rng = random.Random(0)
    return [(WAYS[way](a, rng), None if b is None else WAYS[way](b, rng)) for a, b in rows]


def planted(rows: Sequence[Texts]) -> dict[str, Any]:
    """Recall of copies and false alarms among other rows, by way."""
    gold, honest = rows[::2], rows[1::2]
    found: dict[str, Any] = {"gold": len(gold), "honest": len(honest)}
    false_alarms = len(contaminated(examples(honest), {"test": examples(gold)}))
    for way in WAYS:
        copies = varied(gold, way)
        taken = contaminated(examples(copies), {"test": examples(gold)})
        raw = find_matches(copies, gold, form=str)
        found[way] = {
            "recall": round(len(taken) / len(gold), 4),
            "raw": round(len(raw) / len(gold), 4),
            "how": dict(Counter(re.split(r"[(,)]", detail)[1] for _, detail in taken.values())),
        }
    pooled = {kind: sum(found[way][kind] for way in POOLED) / len(POOLED) for kind in ("recall", "raw")}
    return found | {"pooled": {kind: round(value, 4) for kind, value in pooled.items()}, "false_alarms": false_alarms}


def exchanged(texts: Sequence[str]) -> dict[str, Any]:
    """How many texts are taken for copies of themselves with another number."""
    digits = [text for text in dict.fromkeys(texts) if re.search(r"\d", text)]
    others = [re.sub(r"\d+", lambda found: str(int(found[0]) + 1), text, count=1) for text in digits]
    taken = without = 0
    for text, other in zip(digits, others, strict=True):  # one by one: another text may have the new number
        taken += len(contaminated(examples([(other, None)]), {"test": examples([(text, None)])}))
        without += len(find_matches([(other, None)], [(text, None)], form=plain_form))
    return {"texts": len(digits), "taken": taken, "without": without}


def wording(most: int) -> dict[str, Any]:
    """JCoLA's sentences of one label against those of the other, and planted copies."""
    read = []
    for split in ("train", "valid"):
        lines = (GOLD / "jcola" / f"in_domain_{split}-v1.0.json").read_text(encoding="utf-8").splitlines()
        read += [(row["sentence"], str(row["label"])) for row in map(json.loads, lines)][:most]
    rows = [Example(str(number), text, label) for number, (text, label) in enumerate(read)]
    sides = {label: [row for row in rows if row.label == label] for label in ("0", "1")}
    found: dict[str, Any] = {"sentences": {label: len(side) for label, side in sides.items()}}
    for name, judged in (("taken", True), ("as meaning", False)):
        found[name] = sum(
            len(contaminated(sides[one], {"test": sides[other]}, wording=judged))
            for one, other in (("0", "1"), ("1", "0"))
        )
    gold, recall = rows[::2], {}
    for way in (*WORDING_WAYS, "ending"):
        rng = random.Random(0)
        copies = [Example(row.id, WAYS[way](row.text, rng), row.label) for row in gold]
        changed = [place for place, row in enumerate(gold) if copies[place].text != row.text or way == "exact"]
        taken = contaminated([copies[place] for place in changed], {"test": gold}, wording=True)
        recall[way] = {"changed": len(changed), "recall": round(len(taken) / max(1, len(changed)), 4)}
    return found | {"planted": recall}


def gated(rows: Sequence[Texts], gold: Sequence[Texts]) -> dict[str, Any]:
    """What the gate takes of one set for the sake of another, and how long it looks."""
    mine, test = examples(rows), examples(gold)
    started = time.process_time()
    taken = contaminated(mine, {"test": test})
    seconds = round(time.process_time() - started, 2)
    kinds = Counter(re.split(r"[(,)]", detail)[1] for _, detail in taken.values())
    found: dict[str, Any] = {"of": len(mine), "gold": len(test), "taken": len(taken), "how": dict(kinds)}
    if rows[0][1] is not None:
        found["one_text"] = len(set(one_text_rows(mine, test)) - set(taken))
    return found | {"seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="few rows, nothing is written")
    options = parser.parse_args()
    most = 100 if options.small else 100_000
    started = time.process_time()
    jnli, jsts = pairs_of("jnli/valid-v1.3.json")[:most], pairs_of("jsts/train-v1.3.json")[:most]
    valid, news = pairs_of("jsts/valid-v1.3.json")[:most], articles()[:most]
    titles: list[Texts] = [(title, None) for title, _ in news]
    bodies: list[Texts] = [(body[:200], None) for _, body in news]
    sets = {
        "jnli_valid": distinct(jnli),
        "jsts_valid": distinct(valid),
        "news_titles": distinct(titles),
        "news_bodies": distinct(bodies)[:2000],
    }
    found = {}
    for name, rows in sets.items():
        found[name] = planted(rows)
        print(name, json.dumps(found[name]), flush=True)
    captions = [text for pair in jsts for text in pair if text is not None]
    numbers = {"jsts_train": exchanged(captions), "news_titles": exchanged([title for title, _ in titles])}
    judged = wording(most)
    real = {
        "jsts train, gold: jnli valid": gated(jsts, jnli),
        "jsts train, gold: jsts valid": gated(jsts, valid),
        "most news titles, gold: a fifth": gated(titles[len(titles) // 5 :], titles[: len(titles) // 5]),
    }
    checks: list[dict[str, Any]] = [
        {"check": f"{name}: pooled recall", "wanted": f">= {RECALL}", "found": cells["pooled"]["recall"]}
        | {"met": cells["pooled"]["recall"] >= RECALL}
        for name, cells in found.items()
    ]
    checks += [
        {"check": f"{name}: texts with another number that are taken", "wanted": "0", "found": cell["taken"]}
        | {"met": cell["taken"] == 0}
        for name, cell in numbers.items()
    ]
    taken = judged["taken"]
    checks.append(
        {"check": "JCoLA: sentences of the other label taken", "wanted": "0", "found": taken, "met": not taken}
    )
    for row in (*numbers.items(), judged, *real.items(), *checks):
        print(json.dumps(row, ensure_ascii=False))
    result = {
        "what": "the contamination gate on planted copies, exchanged numbers, JCoLA's labels and sets as they are",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in ("japagen", "numpy", "fugashi", "unidic-lite")}
        | {"python": platform.python_version()},
        "cpu_seconds": round(time.process_time() - started),
        "checks": checks,
        "planted": found,
        "numbers": numbers,
        "wording": judged,
        "real": real,
    }
    if not options.small:
        RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
