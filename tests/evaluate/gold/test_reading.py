"""Gold data: pairs, numbers, labels under other names, groups of images, real files where they are, and what is refused."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import ConfigError, DataError, JapagenError
from japagen.evaluate.gold import image_groups, load_gold, nearest_label
from japagen.records import Example
from japagen.task import GoldFile, Task

SHARED = Path(__file__).resolve().parents[4] / "shared" / "gold"
PAIR = """\
name: {name}
kind: {kind}
title: 組
description: 二つの文の関係を見分ける。
metric: {metric}
system: 文を書いてください。
first: {{instruction: 文を一つ書いてください。}}
instruction: 二つ目の文を書いてください。
labels:
{labels}
"""


def label(name: str, **more: object) -> str:
    fields = {"meaning": f"{name}である。", "verbalisation": f"答え{name}", **more}
    return f'  "{name}": {json.dumps(fields, ensure_ascii=False)}'


@pytest.fixture
def nli(tmp_path: Path) -> Task:
    labels = "\n".join(map(label, ("entailment", "contradiction", "neutral")))
    return loaded(tmp_path, PAIR.format(name="nli", kind="pair", metric="accuracy", labels=labels))


@pytest.fixture
def sts(tmp_path: Path) -> Task:
    labels = "\n".join([label("low", value=0), label("3"), label("high", value=5)])
    return loaded(tmp_path, PAIR.format(name="sts", kind="similarity", metric="spearman", labels=labels))


@pytest.fixture
def single(tmp_path: Path) -> Task:
    labels = "\n".join(map(label, ("unacceptable", "acceptable")))
    text = PAIR.format(name="cola", kind="single", metric="mcc", labels=labels)
    return loaded(tmp_path, text.replace("first: {instruction: 文を一つ書いてください。}\n", ""))


def loaded(folder: Path, text: str) -> Task:
    (folder / "task.yaml").write_text(text, encoding="utf-8")
    return Task.load(folder / "task.yaml")


def written(task: Task, rows: list[dict[str, object]], **columns: object) -> GoldFile:
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    task.path("gold.jsonl").write_text(lines, encoding="utf-8")
    return GoldFile(file="gold.jsonl", **columns)


def test_pairs_keep_their_texts_and_their_image(nli: Task) -> None:
    rows = [{"a": "犬がいる。", "b": "動物がいる。", "label": "entailment", "yjcaptions_id": "7-1-2", "other": 1}]
    assert load_gold(nli, written(nli, rows, text="a", text_pair="b")) == [
        Example("gold-000001", "犬がいる。", "entailment", "動物がいる。", meta={"yjcaptions_id": "7-1-2"})
    ]


def test_labels_of_a_file_are_translated(single: Task) -> None:
    rows = [{"text": "本を読む。", "label": 1}, {"text": "本が読む。", "label": 0}, {"text": "本を。", "label": "0"}]
    rows.append({"text": "もう読んだ。", "label": "acceptable"})  # the task's own name needs no translation
    gold = written(single, rows, labels={"0": "unacceptable", "1": "acceptable"})
    assert [e.label for e in load_gold(single, gold)] == ["acceptable", "unacceptable", "unacceptable", "acceptable"]


def test_whole_numbers_that_became_floats_are_the_same_label(single: Task) -> None:
    gold = written(single, [{"text": "あ", "label": 1.0}], labels={"1": "acceptable"})
    assert load_gold(single, gold)[0].label == "acceptable"


def test_numbers_become_values_and_the_nearest_label(sts: Task) -> None:
    values: list[object] = [0, 1.4, 1.5, 1.6, "3", 4, 5.0, "high"]
    rows = [{"text": "あ", "text_pair": "い", "label": value} for value in values]
    found = load_gold(sts, written(sts, rows, text_pair="text_pair"))
    assert [e.value for e in found] == [0, 1.4, 1.5, 1.6, 3, 4, 5, 5]
    assert [e.label for e in found] == ["low", "low", "low", "3", "3", "3", "high", "high"]  # of equals the first


@pytest.mark.parametrize("value", [5.1, -0.1, "nan", "inf", "とても近い"])
def test_numbers_that_no_label_covers_are_refused(sts: Task, value: object) -> None:
    gold = written(sts, [{"text": "あ", "text_pair": "い", "label": value}], text_pair="text_pair")
    with pytest.raises(DataError, match=r"gold\.jsonl, row 1: '.+' is no number from 0 to 5"):
        load_gold(sts, gold)


def test_a_pair_needs_its_second_text_and_a_single_text_has_none(nli: Task, single: Task) -> None:
    row: list[dict[str, object]] = [{"text": "あ", "text_pair": "い", "label": "neutral"}]
    with pytest.raises(ConfigError, match="no 'text_pair' is named, but a row has two texts"):
        load_gold(nli, written(nli, row))
    with pytest.raises(ConfigError, match=r"'text_pair' is named \(kind single\)"):
        load_gold(single, written(single, row, text_pair="text_pair"))
    published = GoldFile(file="published:jsts/valid-v1.3.json", text_pair="sentence2")
    with pytest.raises(ConfigError, match=r"'text_pair' is named") as caught:
        load_gold(single, published)
    assert caught.value.remedy == "is it the set of another task? japagen gold lists the sets"
    with pytest.raises(DataError, match="row 1: column 'text_pair' is empty"):
        load_gold(nli, written(nli, [row[0] | {"text_pair": ""}], text_pair="text_pair"))
    with pytest.raises(DataError, match=r"no column 'text2'"):
        load_gold(nli, written(nli, row, text_pair="text2"))


def test_labels_that_nobody_knows_are_refused(single: Task) -> None:
    rows: list[dict[str, object]] = [{"text": "あ", "label": "acceptable"}, {"text": "い", "label": "2"}]
    with pytest.raises(DataError, match=r"row 2: label '2' is not one of the task's") as caught:
        load_gold(single, written(single, rows))
    assert "gold 'labels'" in caught.value.remedy
    with pytest.raises(ConfigError, match="'1' is to be 'aceptable', which is no label") as refused:
        load_gold(single, written(single, rows, labels={"1": "aceptable"}))
    assert refused.value.remedy == "did you mean 'acceptable'?"
    with pytest.raises(JapagenError, match="id 'x' stands twice"):
        load_gold(single, written(single, [{"text": "あ", "label": "acceptable", "id": "x"}] * 2, id="id"))


def rows_about(*images: str) -> list[Example]:
    return [Example(str(i), "あ", "x", "い", meta={"yjcaptions_id": name}) for i, name in enumerate(images)]


def test_rows_that_share_an_image_are_one_group() -> None:
    # 1 and 2 stand alone in a row each, and are joined by the row about both; 3 has nothing to do with them.
    first, second, other, both = image_groups(rows_about("1-8-9", "2-7-6", "3-5-4", "1_2-8-7")) or []
    assert first == second == both != other
    assert image_groups([]) is None
    assert image_groups([*rows_about("1-8-9"), Example("x", "あ", "x")]) is None


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3), min_size=1, max_size=12))
def test_groups_are_the_connected_parts(rows: list[list[str]]) -> None:
    groups = image_groups(rows_about(*("_".join(images) + "-1-2" for images in rows))) or []
    parts = [(set(images), {i}) for i, images in enumerate(rows)]
    joined = True
    while joined:
        joined = False
        for i, (images, members) in enumerate(parts):
            for j in range(i + 1, len(parts)):
                if images & parts[j][0]:
                    parts[i] = (images | parts[j][0], members | parts[j][1])
                    del parts[j]
                    joined = True
                    break
            if joined:
                break
    assert {frozenset(i for i, g in enumerate(groups) if g == group) for group in groups} == {
        frozenset(members) for _, members in parts
    }


JGLUE = {"text": "sentence1", "text_pair": "sentence2", "id": "sentence_pair_id"}


def of(name: str, file: str, **columns: object) -> list[Example]:
    if not (SHARED / file).is_file():
        pytest.skip(f"the gold file {file} is not here")
    return load_gold(Task.load(name), GoldFile(file=str(SHARED / file), **columns))


def test_jnli() -> None:
    rows = of("jnli", "jnli/valid-v1.3.json", **JGLUE)
    assert Counter(e.label for e in rows) == {"neutral": 1350, "contradiction": 735, "entailment": 349}
    assert all(e.text_pair for e in rows)
    assert len(set(image_groups(rows) or [])) == 1089


def test_jsts() -> None:
    task, rows = Task.load("jsts"), of("jsts", "jsts/valid-v1.3.json", **JGLUE)
    assert len(rows) == 1457
    assert (rows[1].value, rows[1].label) == (2.4, "2")
    assert all(e.value is not None and nearest_label(task, e.value) == e.label for e in rows)
    assert len(set(image_groups(rows) or [])) == 1323


def test_jcola() -> None:
    named = {"text": "sentence", "id": "uid", "labels": {"0": "unacceptable", "1": "acceptable"}}
    rows = of("jcola", "jcola/in_domain_valid-v1.0.json", **named)
    assert len(rows) == 865
    assert (rows[0].text, rows[0].label, rows[0].text_pair) == ("ここは寒すぎている。", "unacceptable", None)
    assert image_groups(rows) is None
