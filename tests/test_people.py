"""What people said of labels: verdicts and audits read strictly, from every format; what cannot be right is refused."""

import json
from pathlib import Path

import polars as pl
import pytest

from japagen.curate.audit import blind_id, draw_audit
from japagen.errors import DataError
from japagen.pipeline.people import read_people
from japagen.records import Example
from japagen.task import Task

ROWS = [
    Example(f"{label}/{i:03}", f"{label}の{i}番の声です。", label) for label in ("glad", "angry") for i in range(12)
]


@pytest.fixture
def task(workplace: Path) -> Task:
    return Task.load(workplace / "mood.yaml")


def write(folder: Path, *rows: dict[str, object]) -> Path:
    file = folder / "people.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def test_right_wrong_or_a_label_and_nothing_yet(task: Task, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"id": "glad/000", "verdict": "right", "label": "angry"},  # other columns are not looked at
        {"id": "glad/001", "verdict": "wrong"},
        {"id": "glad/002", "verdict": " angry "},
        {"id": "angry/000", "verdict": "angry", "text": "angryの0番の声です。", "text_pair": None},
        {"id": "angry/001", "verdict": ""},
        {"id": blind_id("angry/002"), "verdict": "wrong"},
        {"id": "angry/003"},
    )
    assert read_people(file, task, ROWS) == {
        "glad/000": True, "glad/001": False, "glad/002": False, "angry/000": True, "angry/002": False,
    }  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_every_format(task: Task, tmp_path: Path, suffix: str) -> None:
    table = pl.DataFrame({"id": ["glad/000", "glad/001", "glad/002"], "verdict": ["right", "wrong", None]})
    file = tmp_path / f"people.{suffix}"
    match suffix:
        case "csv":
            table.write_csv(file)
        case "tsv":
            table.write_csv(file, separator="\t")
        case _:
            table.write_parquet(file)
    assert read_people(file, task, ROWS) == {"glad/000": True, "glad/001": False}


def test_an_audit_is_read_as_curation_wrote_it(task: Task, tmp_path: Path) -> None:
    drawn = draw_audit(ROWS, 6, seed=0)
    labelled = [row | {"label": "angry"} for row in drawn[:4]]
    of_text = {row.text: row for row in ROWS}
    wanted = {of_text[row["text"]].id: of_text[row["text"]].label == "angry" for row in drawn[:4]}
    assert read_people(write(tmp_path, *labelled, *drawn[4:]), task, ROWS) == wanted


def test_a_text_as_it_was_before_it_was_mended_is_the_rows_own(task: Task, tmp_path: Path) -> None:
    mended = Example("glad/000", "gladの声です。", "glad")
    for text in (mended.text, ROWS[0].text):
        file = write(tmp_path, {"id": "glad/000", "verdict": "wrong", "text": text})
        assert read_people(file, task, [*ROWS, mended]) == {"glad/000": False}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"verdict": "right"}, "has no 'id'"),
        ({"id": "", "verdict": "right"}, "has no 'id'"),
        ({"id": "glad/0O5", "verdict": "right"}, "there is no row 'glad/0O5'; did you mean 'glad/005'"),
        ({"id": "zebra", "verdict": "right"}, r"there is no row 'zebra'\n"),
        ({"id": "glad/000", "verdict": "rigth"}, "there is no verdict 'rigth'; did you mean 'right'"),
        ({"id": "glad/000", "verdict": "gald"}, "did you mean 'glad'"),
        ({"id": "glad/001", "verdict": "right"}, "'glad/001' has two verdicts"),
        ({"id": blind_id("glad/001"), "verdict": "right"}, "has two verdicts"),
        ({"id": "glad/000", "verdict": "right", "text": "別の声です。"}, "another text"),
        ({"id": "glad/000", "verdict": "right", "text_pair": "二つ目"}, "another text"),
    ],
)
def test_refusals(task: Task, tmp_path: Path, row: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        read_people(write(tmp_path, {"id": "glad/001", "verdict": "wrong"}, row), task, ROWS)
    assert "row 2" in refused.value.where


def test_the_rows_themselves_are_no_verdicts(task: Task, tmp_path: Path) -> None:
    own = [{"id": row.id, "text": row.text, "label": row.label} for row in ROWS]
    with pytest.raises(DataError, match=r"all 24 labels .* seem to be the rows themselves"):
        read_people(write(tmp_path, *own), task, ROWS)
    assert all(read_people(write(tmp_path, *own[:9]), task, ROWS).values())  # so few may well be right
    one_wrong = [*own[:-1], own[-1] | {"label": "glad"}]
    assert sum(read_people(write(tmp_path, *one_wrong), task, ROWS).values()) == 23
    blind = [row | {"id": blind_id(str(row["id"]))} for row in own]
    assert all(read_people(write(tmp_path, *blind), task, ROWS).values())


def test_an_empty_file(task: Task, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the file is empty"):
        read_people(write(tmp_path), task, ROWS)
    with pytest.raises(DataError, match="cannot be read"):
        read_people(tmp_path / "none.jsonl", task, ROWS)


def test_a_label_called_right_asks_for_the_other_column(task: Task, tmp_path: Path) -> None:
    turned = task.model_copy(update={"labels": {"right": task.labels["glad"], "left": task.labels["angry"]}})
    rows = [Example("right/0", "一", "right")]
    with pytest.raises(DataError, match="'right' is a label of the task, and a verdict too"):
        read_people(write(tmp_path, {"id": "right/0", "verdict": "right"}), turned, rows)
    assert read_people(write(tmp_path, {"id": "right/0", "label": "left"}), turned, rows) == {"right/0": False}


def test_the_next_step_of_a_number_agrees(tmp_path: Path) -> None:
    task = Task.load("jsts")
    rows = [Example("1/0", "一", "1", "二", 1.0), Example("1/1", "三", "1", "四", 1.0)]
    file = write(tmp_path, {"id": "1/0", "verdict": "2"}, {"id": "1/1", "verdict": "3"})
    assert read_people(file, task, rows) == {"1/0": True, "1/1": False}
