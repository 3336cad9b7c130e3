"""`japagen gold check`: what a person and a script get, and which errors end with exit code 2."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from japagen.cli import app
from japagen.errors import ConfigError, DataError, JapagenError

SHARED = Path(__file__).resolve().parents[2] / "shared" / "gold"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["gold", "check", *map(str, arguments)])


def told(*arguments: object) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def found(*arguments: object) -> Any:
    return json.loads(told(*arguments, "--json"))


def refusal(*arguments: object) -> JapagenError:
    done = run(*arguments)
    assert isinstance(done.exception, JapagenError), done.output
    assert done.exception.exit_code == 2
    return done.exception


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [("a", "うれしい。", "1"), ("b", "うれしい！", "0"), ("c", "悲しい。", "0"), ("d", "悲しい。", "0")]
    (tmp_path / "my.csv").write_text("name,text,label\n" + "\n".join(map(",".join, rows)), encoding="utf-8")
    return tmp_path / "my.csv"


MAP = ("--map", "1=positive", "--map", "0=negative")


def test_a_person_reads_warnings_first_then_the_licence_then_tables(file: Path) -> None:
    lines = told(file, "--task", "marc-ja", "--id", "name", *MAP).splitlines()
    assert lines[0] == "warning file: rows whose text also stands with another label: 2 (a, b)"
    assert lines[1] == "warning file: rows that repeat an earlier one: 2, 1 of them to the letter"
    assert lines[2] == "file: my.csv, 4 rows; licence: not known here; ask where you have it from"
    table = "\n".join(lines[3:])
    assert "gold data for task marc-ja" in table
    for fact in ("label positive", "1 (25%)", "2 by text (2)", "2.00"):
        assert fact in table


def test_a_script_reads_json(file: Path) -> None:
    facts = found(file, "--task", "marc-ja", *MAP)
    assert set(facts) == {"task", "kind", "files", "warnings", "splits", "leaks", "probes", "probes_undefined"}
    assert facts["splits"][0]["labels"] == {"positive": 1, "negative": 3}
    assert facts["files"][0]["file"] == "my.csv"
    assert facts["files"][0]["split"] == "file"
    assert len(facts["warnings"]) == 2


def test_all_splits_of_a_task_and_of_an_experiment(workplace: Path) -> None:
    facts = found("--task", workplace / "mood.yaml")
    assert [split["split"] for split in facts["splits"]] == ["dev", "test"]
    assert facts["leaks"][0]["split"] == "test"
    assert found(workplace / "small.yaml") == facts
    assert "no warnings" in told(workplace / "small.yaml")
    (workplace / "gold-test.jsonl").write_bytes((workplace / "gold-dev.jsonl").read_bytes())
    assert "are the same file" in refusal(workplace / "small.yaml").what


def test_the_licence_of_a_task_is_not_that_of_files_that_an_experiment_names(tmp_path: Path) -> None:
    assert all(file["licence"].startswith("Apache-2.0") for file in found("--task", "reviews")["files"])
    rows = [f"{name}が届きました。,{label}" for name in "鍋靴机棚傘本" for label in ("positive", "negative")]
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    gold = "gold: {all: {file: own.csv}, split: {test: 0.5}}"
    (tmp_path / "own.yaml").write_text(f"name: own\ntask: reviews\n{gold}\n", encoding="utf-8")
    assert [file["licence"] for file in found(tmp_path / "own.yaml")["files"]] == [None]


def test_pairs_are_probed(tmp_path: Path) -> None:
    rows = [{"text": f"犬{n}", "text_pair": f"猫{n}", "label": ("neutral", "entailment")[n % 2]} for n in range(12)]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    facts = found(tmp_path / "p.jsonl", "--task", "jnli")
    assert [(probe["split"], probe["text"]) for probe in facts["probes"]] == [("file", "first"), ("file", "second")]
    assert facts["probes"][0]["artefact"] is False
    assert "what one text of a pair says alone" in told(tmp_path / "p.jsonl", "--task", "jnli")
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows[:3])), encoding="utf-8")
    assert "no probe of single texts: 3 groups are too few" in told(tmp_path / "p.jsonl", "--task", "jnli")


def test_errors_say_what_to_do(file: Path, tmp_path: Path) -> None:
    unknown = refusal(file, "--task", "marc-ja")
    assert isinstance(unknown, DataError)
    assert "'0' 3, '1' 1" in unknown.what
    assert "--map '1=LABEL' --map '0=LABEL'" in unknown.remedy
    assert (
        "there is no column 'txt'; did you mean 'text'?"
        in refusal(file, "--task", "marc-ja", "--text", "txt", *MAP).what
    )
    assert "is not VALUE=LABEL" in refusal(file, "--task", "marc-ja", "--map", "positive").what
    file.write_text("id,text,label\nx,よい,1\nx,わるい,0\n", encoding="utf-8")
    assert refusal(file, "--task", "marc-ja", *MAP).what == "id 'x' stands twice"
    file.write_bytes("text,label\nよい,1\n".encode("cp932"))
    assert refusal(file, "--task", "marc-ja", *MAP).what == "is not UTF-8"
    assert "cannot be read" in refusal(tmp_path / "none.csv", "--task", "marc-ja").what
    assert isinstance(refusal(file), ConfigError)
    assert isinstance(refusal(), ConfigError)
    assert refusal("--task", "marc-ja").what == "names no gold data"
    assert "for a single file only" in refusal("--task", "reviews", "--text", "text").what
    assert "for a single file only" in refusal("jcola", "--label", "label").what


def test_a_published_set_by_name() -> None:
    error = refusal("jcola")
    assert error.remedy == "japagen gold fetch jcola"


REAL = {
    "jnli": ("jnli/valid-v1.3.json", 2434, 1089),
    "jsts": ("jsts/valid-v1.3.json", 1457, 1323),
    "jcola": ("jcola/in_domain_valid-v1.0.json", 865, 863),
    "news": ("news/ldcc-20140209.tar.gz", 7367, 7339),
}


@pytest.mark.parametrize("task", REAL)
def test_the_real_sets_without_a_word_about_columns(task: str) -> None:
    name, rows, groups = REAL[task]
    if not (SHARED / name).exists():
        pytest.skip(f"the gold file {name} is not here")
    facts = found(SHARED / name, "--task", task)
    assert (facts["splits"][0]["rows"], facts["splits"][0]["groups"]["count"]) == (rows, groups)
    assert facts["files"][0]["licence"].startswith("CC BY")
    assert any("a random split of these rows leaks" in warning for warning in facts["warnings"]) is (
        task in ("jnli", "jsts")
    )
