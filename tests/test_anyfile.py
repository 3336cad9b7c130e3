"""A file of anybody's texts analysed without a run: columns found, labels mapped, refusals, and the command."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from japagen.anyfile import FileSettings, analyze_file
from japagen.anyfile.plain import UNLABELLED
from japagen.cli import app, main
from japagen.errors import ConfigError, DataError
from japagen.sections import AnalyzeSection

POSITIVE = [
    "とても使いやすくて満足です。",
    "軽くて持ち運びに便利でした。",
    "家族みんなで気に入っています。",
    "思ったより早く届いた。",
]
NEGATIVE = [
    "三日で壊れてしまいました。",
    "色が写真とまるで違う。",
    "説明書が読みにくいです。",
    "においがきつくて使えません。",
]
LIGHT = FileSettings(analyze=AnalyzeSection(encoder=False, oracle=None))


def rows(times: int = 3) -> list[dict[str, str]]:
    return [
        {"id": f"{label}-{n}-{i}", "text": text + "！" * i, "label": label, "topic": ("家電", "衣料")[n % 2]}
        for label, texts in (("positive", POSITIVE), ("negative", NEGATIVE))
        for n, text in enumerate(texts)
        for i in range(times)
    ]


def jsonl(file: Path, table: list[dict[str, str]]) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table), encoding="utf-8")
    return file


def renamed(table: list[dict[str, str]], **names: str) -> list[dict[str, str]]:
    return [{names.get(key, key): value for key, value in row.items()} for row in table]


def test_columns_are_found_and_columns_with_few_values_become_attributes(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "texts.jsonl", rows())
    gold = tmp_path / "gold.csv"
    pl.DataFrame(renamed(rows(1), text="sentence")).write_csv(gold)
    found = analyze_file(file, against=str(gold), settings=LIGHT)
    assert found.rows == (24, 8)
    assert found.analysis["counts"]["synthetic"] == {"negative": 12, "positive": 12}
    assert found.analysis["counts"]["gold"] == {"negative": 4, "positive": 4}
    assert found.contamination[0]["exact"] == 8
    assert found.data.kept[0]["topic"] == "家電"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"texts{suffix}"
    frame = pl.DataFrame(rows())
    match suffix:
        case ".csv":
            frame.write_csv(file)
        case ".tsv":
            frame.write_csv(file, separator="\t")
        case ".parquet":
            frame.write_parquet(file)
        case _:
            jsonl(file, rows())
    reference = analyze_file(jsonl(tmp_path / "reference.jsonl", rows()), settings=LIGHT)
    assert analyze_file(file, settings=LIGHT).analysis == reference.analysis


def test_without_labels_all_rows_are_of_one_kind(tmp_path: Path) -> None:
    table = [{"body": row["text"]} for row in rows()]
    found = analyze_file(jsonl(tmp_path / "t.jsonl", table), columns={"text": "body"}, settings=LIGHT)
    assert found.analysis["counts"]["synthetic"] == {UNLABELLED: 24}
    labelled = jsonl(tmp_path / "gold.jsonl", renamed(rows(1), text="body"))
    beside = analyze_file(
        tmp_path / "t.jsonl", against=str(labelled), columns={"text": "body"}, settings=LIGHT
    ).analysis
    assert beside["counts"]["gold"] == {UNLABELLED: 8}


def test_columns_of_the_human_texts_have_names_of_their_own(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "t.jsonl", rows())
    gold = jsonl(tmp_path / "g.jsonl", renamed(rows(1), text="本文", label="正解"))
    with pytest.raises(DataError, match="which column holds the texts is unclear") as unclear:
        analyze_file(file, against=str(gold), settings=LIGHT)
    assert unclear.value.remedy == "name it: --gold text=COLUMN"
    named = {"text": "本文", "label": "正解"}
    found = analyze_file(file, against=str(gold), gold_columns=named, settings=LIGHT)
    assert found.analysis["counts"]["gold"] == {"negative": 4, "positive": 4}
    with pytest.raises(ConfigError, match="names columns of human texts, but none are given"):
        analyze_file(file, gold_columns=named, settings=LIGHT)


def test_columns_that_are_called_like_ours_do_not_take_their_place(tmp_path: Path) -> None:
    table = [{**row, "body": row["text"], "class": row["label"], "text": "家電", "label": f"L{n % 2}"}
             for n, row in enumerate(rows())]  # fmt: skip
    named = {"text": "body", "label": "class"}
    found = analyze_file(jsonl(tmp_path / "t.jsonl", table), columns=named, settings=LIGHT)
    shown = found.data.kept[0]
    assert (shown["text"], shown["label"]) == (POSITIVE[0], "positive")


def test_a_json_array_and_a_column_that_stands_twice(tmp_path: Path) -> None:
    array = tmp_path / "t.json"
    array.write_text(json.dumps(rows(), ensure_ascii=False), encoding="utf-8")
    assert analyze_file(array, settings=LIGHT).rows == (24, 0)
    array.write_text('[{"text": "文"}, 3]', encoding="utf-8")
    with pytest.raises(DataError, match="row 2: not a JSON object"):
        analyze_file(array, settings=LIGHT)
    twice = tmp_path / "t.csv"
    twice.write_text("text,text,label\n文,章,a\n", encoding="utf-8")
    with pytest.raises(DataError, match="the column 'text' stands twice"):
        analyze_file(twice, settings=LIGHT)


def test_names_that_stand_for_nothing(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "t.jsonl", rows())
    with pytest.raises(ConfigError, match="no student is called 'embeding'"):
        analyze_file(file, settings=FileSettings(analyze=AnalyzeSection(encoder=False, oracle="embeding")))
    with pytest.raises(DataError, match="'jcolaa' is neither a file nor a published set; did you mean 'jcola'"):
        analyze_file(file, against="jcolaa", settings=LIGHT)
    with pytest.raises(ConfigError, match="no row has the label 'a'") as unknown:
        analyze_file(file, labels={"a": "positive"}, settings=LIGHT)
    assert "negative, positive" in unknown.value.remedy


def test_pairs_and_published_tasks(tmp_path: Path) -> None:
    table = [
        {"sentence1": text, "sentence2": text[::-1], "label": label}
        for label, texts in (("entailment", POSITIVE), ("neutral", NEGATIVE), ("contradiction", POSITIVE[::-1]))
        for text in texts
    ]
    file = jsonl(tmp_path / "pairs.jsonl", table)
    found = analyze_file(file, settings=LIGHT)
    assert found.analysis["unit"] == "pair"
    of_task = analyze_file(file, task="jnli", against=str(file), settings=LIGHT)
    assert of_task.analysis["labels"] == ["entailment", "contradiction", "neutral"]
    assert of_task.rows == (12, 12)


@pytest.mark.parametrize(
    ("table", "options", "told"),
    [
        ([{"a": "文", "b": "x"}], {}, "which column holds the texts is unclear; it has: a, b"),
        (
            [{"text": "文", "label": "x"}],
            {"columns": {"label": "lable"}},
            "there is no column .lable.; it has: text, label",
        ),
        ([{"text": f"文{n}", "label": f"x{n}"} for n in range(60)], {}, "60 different values, which are no labels"),
        ([{"text": "文", "id": "1"}, {"text": "章", "id": "1"}], {}, "id '1' stands twice"),
        ([{"text": "", "label": "x"}], {}, "column 'text' is empty"),
        ([], {}, "the file holds no rows"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, table: list[dict[str, str]], options: dict, told: str) -> None:
    with pytest.raises(DataError, match=told):
        analyze_file(jsonl(tmp_path / "t.jsonl", table), settings=LIGHT, **options)


def test_labels_of_the_other_file_that_are_unknown(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "t.jsonl", rows())
    gold = jsonl(tmp_path / "g.jsonl", [{"text": "文です。", "label": "1"}])
    with pytest.raises(DataError, match="has the label '1', which t.jsonl has not"):
        analyze_file(file, against=str(gold), settings=LIGHT)
    found = analyze_file(file, against=str(gold), labels={"1": "positive"}, settings=LIGHT)
    assert found.analysis["counts"]["gold"] == {"negative": 0, "positive": 1}
    with pytest.raises(ConfigError, match="a published set, whose labels a task explains"):
        analyze_file(file, against="jnli", settings=LIGHT)


def test_the_command_writes_a_report_and_says_what_it_found(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "t.jsonl", rows())
    out = tmp_path / "out"
    light = ["--set", "analyze.encoder=false", "--set", "analyze.oracle=null"]
    done = CliRunner().invoke(app, ["analyze", str(file), "--against", str(file), "-o", str(out), *light])
    assert done.exit_code == 0, done.output
    assert "24 texts beside 24 human ones" in done.output
    assert "24 human rows stand in the file" in done.output
    assert json.loads((out / "analysis.json").read_text(encoding="utf-8"))["unit"] == "text"
    assert "とても使いやすくて満足です。" in (out / "report.html").read_text(encoding="utf-8")
    again = CliRunner().invoke(app, ["analyze", str(file), "--json", *light])
    assert json.loads(again.stdout)["counts"]["synthetic"] == {"negative": 12, "positive": 12}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["t.jsonl", "--redo", "analyze"], "--redo, --dry-run and --arm are for experiments"),
        (["t.jsonl", "u.jsonl"], "more than one file is given"),
        (["e.yaml", "--against", "g.csv"], "are for a file of texts"),
        (["t.jsonl", "--set", "analyze.tokenizer=character"], "tokenizer"),
        (["t.jsonl", "--language", "de"], "no report is written in 'de'"),
        (["none.jsonl"], "No such file"),
    ],
)
def test_refusals_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "t.jsonl", rows())
    monkeypatch.setattr("sys.argv", ["japagen", "analyze", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert told in capfd.readouterr().err
