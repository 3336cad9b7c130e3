"""Files of rows: every format gives the same rows, and every damaged file one clear error."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from japagen.errors import DataError
from japagen.evaluate.gold import load_gold
from japagen.tables import column, read_rows, write_jsonl
from japagen.task import GoldFile, Task

ROWS = [{"text": "猫,「犬」", "label": "glad"}, {"text": "二行\n目", "label": "angry"}]


def test_all_formats_hold_the_same_rows(tmp_path: Path) -> None:
    frame = pl.DataFrame(ROWS)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "a.tsv", separator="\t")
    frame.write_parquet(tmp_path / "a.parquet")
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    for name in ("a.csv", "a.tsv", "a.parquet", "a.jsonl"):
        assert read_rows(tmp_path / name) == ROWS


def test_brackets_in_a_name_are_no_pattern(tmp_path: Path) -> None:
    for name, text in (("g[1].csv", "mine"), ("g1.csv", "other")):
        (tmp_path / name).write_text(f"text\n{text}\n", encoding="utf-8")
    pl.DataFrame({"text": ["mine"]}).write_parquet(tmp_path / "p[1].parquet")
    pl.DataFrame({"text": ["other"]}).write_parquet(tmp_path / "p1.parquet")
    assert read_rows(tmp_path / "g[1].csv") == read_rows(tmp_path / "p[1].parquet") == [{"text": "mine"}]


def test_writing_replaces_files_only(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="no ordinary file"):
        write_jsonl(tmp_path / "folder", ROWS)
    with pytest.raises(DataError, match="no ordinary file"):
        write_jsonl(Path("/dev/null"), ROWS)
    assert not Path("/dev/null").is_file()
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_numbers_in_csv_stay_texts(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("text,label\n007,glad\n", encoding="utf-8")
    assert column(read_rows(tmp_path / "n.csv"), "text", "n.csv") == ["007"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.jsonl", b'{"text": "a"}\n{"text": \n', "x.jsonl:2"),
        ("x.jsonl", b"[1]\n", "not a JSON object"),
        ("x.jsonl", b"\xff\xff\n", "not UTF-8"),
        ("x.csv", b"", "empty"),
        ("x.parquet", b"PAR1 nonsense", "cannot be read"),
        ("x.xlsx", b"", "unknown format '.xlsx'"),
        ("x.jsonl", b"[" * 100_000, "not JSON"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_rows(tmp_path / name)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "holds no rows"),
        ([{"txet": "a", "label": "glad"}], "no column 'text'; did you mean 'txet'"),
        ([{"text": "", "label": "glad"}], "column 'text' is empty"),
        ([{"text": " \u3000", "label": "glad"}], "column 'text' is empty"),
        ([{"text": ["a", "b"], "label": "glad"}], "holds no text but list"),
        ([{"text": "a", "label": "喜び"}], "write 'glad' for it"),
        ([{"text": "a", "label": "happy"}], "label 'happy' is not one of the task's"),
        ([{"text": "a", "label": "glad", "id": "1"}, {"text": "b", "label": "glad", "id": "1"}], "id '1' stands twice"),
    ],
)
def test_gold_that_cannot_be_used(workplace: Path, rows: list[dict[str, str]], said: str) -> None:
    task = Task.load(workplace / "mood.yaml")
    write_jsonl(workplace / "g.jsonl", rows)
    gold = GoldFile(file="g.jsonl", id="id" if rows and "id" in rows[0] else None)
    with pytest.raises(DataError, match=said):
        load_gold(task, gold)


@pytest.mark.parametrize("name", ["a" * 300 + ".csv", "a\0b.csv"])
def test_names_that_no_file_can_have(name: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(name)
