"""When the artefact probe raises its alarm, and whether it names what gives labels away, on JNLI and JSTS.

    python benchmarks/quality/artefacts.py [--seeds 3]

A language model that is asked for a contradiction likes to write the same few endings. That is planted here: a share of the
second texts of gold pairs ends as only texts of its label do, such as 「…かもしれません。」 for neutral. The alarm must ring
from a share of .3 on, for the second text alone, and never at 0, by folds that keep the captions of an image together.
For every planted ending it is counted whether it is among the expressions listed for its label.

jnli    all 2,434 pairs of the valid split; every seed plants and folds anew.
small   600 of them, in whole images.
none    the same 600, with labels dealt anew to whole images: nothing can be told, every alarm is false.
jsts    1,457 pairs with numbers; the endings are those of numbers up to 1 and from 4 on.

Gold data are read from ../shared/gold; the result is written to results/quality_artefacts.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from japagen.analyze.artefacts import give_aways
from japagen.groups import IMAGE, image_groups
from japagen.records import Example
from japagen.streams import stream
from japagen.student.probe import MARGIN, probe

sys.path.append(str(Path(__file__).parents[1]))
from noise import LABELS, gold_rows, parts_by_image

from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_artefacts.json"
JSTS = ROOT.parent / "shared" / "gold" / "jsts" / "valid-v1.3.json"
SHARES = (0.0, 0.1, 0.3, 0.5)
ENDINGS = {
    "entailment": "という様子です。",
    "neutral": "のかもしれません。",
    "contradiction": "ということはありません。",
}
SIMILAR = {"0": "という様子です。", "5": "のかもしれません。"}
SMALL = 600

Plant = Callable[[Sequence[Example], float, int], list[Example]]


def similar_rows() -> list[Example]:
    """JSTS with its numbers, labelled by the nearest whole one."""
    rows = [json.loads(line) for line in JSTS.read_text(encoding="utf-8").splitlines()]
    return [
        Example(
            row["sentence_pair_id"],
            row["sentence1"],
            str(round(row["label"])),
            row["sentence2"],
            value=row["label"],
            meta={IMAGE: row[IMAGE]},
        )
        for row in rows
    ]


def planted(rows: Sequence[Example], share: float, seed: int) -> list[Example]:
    """The rows, a share of them with the ending of their label at the second text."""
    drawn = stream(seed, "plant")
    return [_ended(row, ENDINGS[row.label]) if drawn.random() < share else row for row in rows]


def planted_similar(rows: Sequence[Example], share: float, seed: int) -> list[Example]:
    """The same for numbers: only the lowest and the highest give themselves away."""
    drawn = stream(seed, "plant")

    def ending(row: Example) -> str:
        value = row.value or 0.0
        return SIMILAR["0"] if value <= 1 else SIMILAR["5"] if value >= 4 else ""

    return [_ended(row, ending(row)) if drawn.random() < share else row for row in rows]


def _ended(row: Example, ending: str) -> Example:
    return replace(row, text_pair=(row.text_pair or "").rstrip("。") + ending) if ending else row


def dealt_anew(rows: Sequence[Example], seed: int) -> list[Example]:
    """The rows, each image with the labels of another: of groups of one size the labels are exchanged."""
    groups: dict[str, list[Example]] = {}
    for row, group in zip(rows, image_groups(rows) or [], strict=True):
        groups.setdefault(group, []).append(row)
    labels = [[row.label for row in group] for group in groups.values()]
    stream(seed, "deal").shuffle(labels)
    pool = [label for group in labels for label in group]
    together = [row for group in groups.values() for row in group]
    return [replace(row, label=label) for row, label in zip(together, pool, strict=True)]


def some_images(rows: Sequence[Example], seed: int) -> list[Example]:
    share = SMALL / len(rows)
    return parts_by_image(rows, (share, 1 - share), stream(seed, "images"))[0]


def cell(rows: Sequence[Sequence[Example]]) -> dict[str, Any]:
    """What the probe says of each of these sets; the guess is that of the first."""
    probes = [probe(each, seed=seed) for seed, each in enumerate(rows)]
    return {
        "guess": round(probes[0][1].guess, 4),
        **{
            text: {
                "grouped": [round(p[place].grouped, 4) for p in probes],
                "alarms": sum(p[place].artefact for p in probes),
            }
            for place, text in enumerate(("first", "second"))
        },
        "random": [round(p[1].random, 4) for p in probes],
        "sets": len(probes),
    }


def named(rows: Sequence[Example]) -> dict[str, bool]:
    """Whether a part of each planted ending is among the first three expressions of its label."""
    told = [row.label for row in rows]
    found = give_aways([row.text_pair or "" for row in rows], told, LABELS, groups=image_groups(rows))
    return {
        label: any(len(one.expression) > 1 and one.expression in ending for one in found.by_label[label][:3])
        for label, ending in ENDINGS.items()
    }


def curve(rows: Callable[[int], Sequence[Example]], plant: Plant, seeds: int) -> dict[str, Any]:
    """What the probe says by planted share."""
    found = {}
    for share in SHARES:
        sets = [plant(rows(seed), share, seed) for seed in range(seeds)]
        found[str(share)] = cell(sets)
        if plant is planted:
            found[str(share)]["named"] = sum(all(named(each).values()) for each in sets)
        print(share, json.dumps(found[str(share)]), flush=True)
    return found


def checks_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    checks = []
    for name in ("jnli", "jsts"):
        for share in ("0.3", "0.5"):
            told = found[name][share]
            alarms = told["second"]["alarms"]
            checks.append(check(f"{name}: alarms of the second text at {share}", told["sets"], alarms))
        checks.append(check(f"{name}: alarms of either text at 0", 0, both_alarms(found[name]["0.0"])))
    planted = found["jnli"]["0.3"]
    checks.append(check("jnli: sets in which every ending is named at 0.3", planted["sets"], planted["named"]))
    checks.append(check("none: false alarms", 0, both_alarms(found["none"])))
    return checks


def check(what: str, wanted: int, got: int) -> dict[str, Any]:
    return {"check": what, "wanted": str(wanted), "found": got, "met": got == wanted}


def both_alarms(told: dict[str, Any]) -> int:
    return int(told["first"]["alarms"] + told["second"]["alarms"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    started = time.process_time()
    jnli, jsts = gold_rows(), similar_rows()
    found = {
        "jnli": curve(lambda _: jnli, planted, seeds),
        "small": curve(lambda seed: some_images(jnli, seed), planted, seeds),
        "none": cell([dealt_anew(some_images(jnli, seed), seed) for seed in range(4 * seeds)]),
        "jsts": curve(lambda _: jsts, planted_similar, seeds),
    }
    checks = checks_of(found)
    for check in checks:
        print(check)
    result = {
        "what": "planted give-aways in second texts: what the probe reaches, when it alarms, whether it names them",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in ("japagen", "numpy", "scikit-learn", "fugashi", "unidic-lite")}
        | {"python": platform.python_version()},
        "cpu_seconds": round(time.process_time() - started),
        "margin": MARGIN,
        "endings": ENDINGS,
        "checks": checks,
        **found,
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
