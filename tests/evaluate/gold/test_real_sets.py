"""The published sets themselves, where they lie in ../shared/gold: digests, rows, groups and shares of the real data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from japagen.evaluate.gold import GoldData, image_groups, load_gold, load_gold_data
from japagen.evaluate.gold.fetch import fetch
from japagen.evaluate.gold.livedoor import read_articles
from japagen.goldfiles import Gold, GoldFile
from japagen.goldsets import PUBLISHED
from japagen.groups import text_groups
from japagen.tables import file_digest
from japagen.task import Task

SHARED = Path(__file__).resolve().parents[4] / "shared" / "gold"
NEWS = SHARED / "news" / "ldcc-20140209.tar.gz"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the gold data are not here: ../shared/gold")


def here(name: str) -> list[Any]:
    return [file for file in PUBLISHED[name].files if (SHARED / name / file.name).is_file()]


def split(name: str, **gold: Any) -> GoldData:
    task = Task.load(name)
    return load_gold_data(task.model_copy(update={"gold": Gold.model_validate(gold).within(SHARED)}))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_pins_are_those_of_the_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAPAGEN_CACHE", str(tmp_path))
    files = here(name)
    assert files
    found = {each.file.name: each for each in fetch(name, SHARED)}
    for file in files:
        assert found[file.name].how == "copied"
        original = SHARED / name / file.name
        assert found[file.name].path.read_bytes() == original.read_bytes()
        assert file.size in (None, original.stat().st_size)
        if file.sha256:
            assert file.sha256 == file_digest(original)
            assert file.rows == len(original.read_bytes().splitlines())
    assert {each.file.name for each in found.values() if each.how == "missing"} == {
        file.name for file in PUBLISHED[name].files if file not in files
    }


def test_news_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAPAGEN_CACHE", str(tmp_path))
    fetch("news", SHARED)
    task = Task.load("news").model_copy(update={"gold": Gold.model_validate("news")})
    data = load_gold_data(task)
    rows = [*data.train, *data.dev, *data.test]
    (source,) = data.files
    assert (source.rows, source.repeated) == (7340, 27)  # 27 articles open as another one does
    assert len({row.id for row in rows}) == len(rows) == 7340
    assert max(len(row.text) for row in rows) == 200
    assert not any("\n" in row.text or "http://news.livedoor.com/article" in row.text[:40] for row in rows)
    for part, share in ((data.dev, 0.1), (data.test, 0.2)):
        assert abs(len(part) - share * len(rows)) <= 9
        counts, total = Counter(row.label for row in part), Counter(row.label for row in rows)
        assert all(abs(counts[label] - share * n) <= 2 for label, n in total.items())
    groups = dict(zip((row.id for row in rows), text_groups(rows), strict=True))
    sides = [{groups[row.id] for row in part} for part in (data.train, data.dev, data.test)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


def test_the_news_archive_has_7367_articles_in_nine_categories() -> None:
    counts = Counter(article.category for article in read_articles(NEWS))
    assert counts.total() == 7367
    assert set(counts) == set(Task.load("news").label_names)
    assert (counts["sports-watch"], counts["livedoor-homme"]) == (900, 511)


@pytest.mark.parametrize(("part", "repeated"), [("title", 11)])
def test_news_that_repeat_are_left_out_and_counted(part: str, repeated: int) -> None:
    data = split("news", all={"file": str(NEWS), "text": part}, split={"dev": 0.1, "test": 0.2})
    (source,) = data.files
    assert (source.repeated, source.rows) == (repeated, 7367 - repeated)
    assert source.licence == "CC BY-ND 2.1 JP"


PAIRS = {"text": "sentence1", "text_pair": "sentence2", "id": "sentence_pair_id"}


def test_no_image_is_in_two_parts_of_jsts() -> None:
    data = split(
        "jsts",
        train={"file": "jsts/train-v1.3.json", **PAIRS},
        test={"file": "jsts/valid-v1.3.json", **PAIRS},
        split={"dev": 0.1},
    )
    assert (len(data.train), len(data.dev), len(data.test)) == (11206, 1245, 1457)
    assert [(s.split, s.rows, s.licence) for s in data.files] == [
        ("train", 12451, "CC BY-SA 4.0"),
        ("test", 1457, "CC BY-SA 4.0"),
    ]
    rows = [*data.train, *data.dev]
    groups = image_groups(rows) or []
    assert not set(groups[: len(data.train)]) & set(groups[len(data.train) :])
    # The publishers number the rows of both files from 0, so an id names a row only within its file.
    assert len({row.id for row in data.test} & {row.id for row in rows}) == 1455


def test_no_image_is_in_two_parts_of_jnli() -> None:
    data = split("jnli", all={"file": "jnli/valid-v1.3.json", **PAIRS}, split={"dev": 0.1, "test": 0.2, "seed": 4})
    rows = [*data.train, *data.dev, *data.test]
    groups = image_groups(rows) or []
    parts = [set(groups[:1695]), set(groups[1695 : 1695 + len(data.dev)]), set(groups[1695 + len(data.dev) :])]
    assert len(data.train) == 1695
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_jcola_minimal_pairs_stay() -> None:
    columns = {"text": "sentence", "id": "uid", "labels": {"0": "unacceptable", "1": "acceptable"}}
    data = split(
        "jcola",
        train={"file": "jcola/in_domain_train-v1.0.json", **columns},
        test={"file": "jcola/in_domain_valid-v1.0.json", **columns},
        split={"dev": 0.1},
    )
    assert (len(data.train), len(data.dev), len(data.test)) == (6227, 692, 865)
    assert not {row.id for row in data.test} & {row.id for row in [*data.train, *data.dev]}


def test_the_part_of_jnli_train_that_is_here_can_be_read() -> None:
    rows = load_gold(
        Task.load("jnli"), GoldFile(file=str(SHARED / "jnli" / "train-partial-from-jnli-neg.json"), **PAIRS)
    )
    assert Counter(row.label for row in rows) == {"contradiction": 625, "neutral": 566, "entailment": 143}
    assert image_groups(rows) is None
