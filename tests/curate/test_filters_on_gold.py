"""What people wrote passes: every check that is on by default drops less than one in two hundred of the human rows.

The sets are those of ../shared/gold and the reviews that come with japagen.
"""

import json
import tarfile
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from japagen.curate.filters import Known, Limits, checks, repairs
from japagen.records import Example

GOLD = Path(__file__).parents[3] / "shared" / "gold"
MOST = 0.005
ENOUGH = 4_000  # rows of a set that are looked at, spread over all of it
SAME = "same"  # label of the pairs that may be one sentence twice


def reviews() -> list[Example]:
    folder = files("japagen") / "tasks" / "gold"
    lines = [
        line for name in ("dev", "test") for line in (folder / f"reviews.{name}.jsonl").read_text("utf-8").splitlines()
    ]
    return [Example(row["id"], row["text"], row["label"]) for row in map(json.loads, lines)]


def lines(*names: str) -> list[dict]:
    return [json.loads(line) for name in names for line in (GOLD / name).read_text("utf-8").splitlines()]


def jcola() -> list[Example]:
    rows = lines("jcola/in_domain_train-v1.0.json", "jcola/in_domain_valid-v1.0.json")
    return [Example(str(i), row["sentence"], "") for i, row in enumerate(rows)]


def jnli() -> list[Example]:
    rows = lines("jnli/train-partial-from-jnli-neg.json", "jnli/valid-v1.3.json")
    return [pair(i, row, row["label"] == "entailment") for i, row in enumerate(rows)]


def jsts() -> list[Example]:
    rows = lines("jsts/train-v1.3.json", "jsts/valid-v1.3.json")
    return [pair(i, row, row["label"] >= 4.5) for i, row in enumerate(rows)]


def pair(i: int, row: dict, same: bool) -> Example:
    return Example(str(i), row["sentence1"], SAME if same else "", row["sentence2"])


def news() -> list[Example]:
    with tarfile.open(GOLD / "news" / "ldcc-20140209.tar.gz") as archive:
        articles = [m for m in archive.getmembers() if m.name.endswith(".txt") and m.name.split("-")[-1][0].isdigit()]
        titles = [archive.extractfile(m).read().decode().split("\n")[2] for m in articles]
    return [Example(str(i), title, "") for i, title in enumerate(titles)]


@pytest.mark.parametrize("read", [reviews, jcola, jnli, jsts, news], ids=lambda read: read.__name__)
def test_human_rows_are_kept(read: Callable[[], list[Example]]) -> None:
    if read is not reviews and not GOLD.joinpath(read.__name__).is_dir():
        pytest.skip(f"the gold data are not here: ../shared/gold/{read.__name__}")
    rows = read()
    rows = rows[:: max(1, len(rows) // ENOUGH)]
    limits = Limits(same_sentences=SAME)
    asked, mending = checks(limits, Known()), repairs(limits)
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(check.name for check in asked if check.ask(row))
        counts.update(repair.name for repair in mending if repair.name != "whitespace" and repair.mend(row))
    assert len(rows) >= 300
    assert {name: n for name, n in counts.items() if n >= MOST * len(rows)} == {}
