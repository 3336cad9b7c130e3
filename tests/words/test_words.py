"""Candidate words for KADG: which are found, how they are written, and what a task reads of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from japagen.cli import app
from japagen.errors import ConfigError, DataError, RunError
from japagen.frequency import FLOOR, frequency
from japagen.likelihood import log_likelihood_ratio
from japagen.task import Task
from japagen.words import Candidate, mine_words
from japagen.words.wordfile import mine_file, write_words
from japagen.yamlfile import read_yaml

pytest.importorskip("wordfreq", reason="the extra 'words' is not installed")

GOLD = Path(__file__).parents[2] / "shared" / "gold" / "jnli" / "valid-v1.3.json"
SHOP = [
    *["冷蔵庫が届きません。", "この冷蔵庫は大きいですか。", "冷蔵庫の音がうるさいです。", "冷蔵庫を返品したい。"] * 2,
    *[
        "洗濯機が動きません。",
        "洗濯機の設置は有料ですか。",
        "洗濯機を返品したいことがあります。",
        "洗濯機は安いですか。",
    ]
    * 2,
    *["返品のことで３つ質問があります。", "田中さんに返品しました。", "電話をください。", "田中さんの電話です。"] * 2,
]


def found(texts: Sequence[str], **settings: int) -> dict[str, Candidate]:
    return {c.word: c for c in mine_words(texts, **settings)}


def test_words_of_a_shop() -> None:
    words = found(SHOP)
    assert set(words) == {"冷蔵庫", "洗濯機", "返品", "電話"}  # neither こと nor a person's name nor what occurs twice
    fridge = words["冷蔵庫"]
    assert (fridge.count, fridge.texts, fridge.label) == (8, 8, None)
    assert words["冷蔵庫"].keyness > words["電話"].keyness > 0
    assert len(set(fridge.examples)) == 2
    assert all("冷蔵庫" in example for example in fridge.examples)
    assert "設置" in found(SHOP, min_count=2)
    assert set(found(SHOP, top=1)) == {max(words.values(), key=lambda c: c.keyness).word}


def test_a_word_twice_in_a_text_counts_twice_in_one_text() -> None:
    words = found(["時計と時計を並べる。", "時計が鳴る。"], min_count=1)
    assert (words["時計"].count, words["時計"].texts) == (3, 2)


def test_words_as_frequent_as_everywhere_are_no_candidates() -> None:
    """A word must be more frequent here than in general: one 人気 in 20,000 words is less than its usual share."""
    words = found(["時計が鳴る。"] * 5 + ["人気だ。" + "走る、" * 20_000], min_count=1)
    assert "時計" in words
    assert "人気" not in words


def test_similar_words_share_a_group_headed_by_the_strongest() -> None:
    candidates = mine_words(["犬がいる。", "猫がいる。", "消火栓を設置した。"] * 5)
    groups = {c.word: c.group for c in candidates}
    assert groups["犬"] == groups["猫"] != groups["消火栓"]
    heads = list(dict.fromkeys(c.group for c in candidates))
    for head in heads:
        members = [c for c in candidates if c.group == head]
        assert members[0].word == head
        assert [c.keyness for c in members] == sorted((c.keyness for c in members), reverse=True)
    assert [c.group for c in candidates] == [head for head in heads for c in candidates if c.group == head]


def test_the_label_that_a_word_is_typical_for() -> None:
    texts = ["時計が鳴る。", "電車に乗る。"] * 20 + ["時計と電車。"]
    labels = ["home", "travel"] * 20 + ["home"]
    typical = {c.word: c.label for c in mine_words(texts, labels=labels)}
    assert typical == {"時計": "home", "電車": "travel"}
    assert {c.label for c in mine_words(texts, labels=["one"] * 41)} == {None}
    assert {c.label for c in mine_words(texts, labels=["home", "home", "travel", "travel"] * 10 + ["home"])} == {None}


def test_a_word_is_typical_only_where_it_is_more_frequent() -> None:
    candidates = mine_words(["時計が鳴る。"] * 20 + ["走る。"] * 19, labels=["home"] * 19 + ["travel"] * 20)
    assert [(c.word, c.label) for c in candidates] == [("時計", "home")]


def test_examples_are_different_texts_around_the_word() -> None:
    long = "走る。" * 30 + "時計" + "鳴る。" * 30
    candidate = mine_words(["時計が\n鳴る。", "時計が鳴る。", "時計が 鳴る。", long], min_count=1)[0]
    assert candidate.examples == ("時計が 鳴る。", "時計が鳴る。")
    (excerpt,) = mine_words([long], min_count=1)[0].examples
    assert excerpt == "…" + "走る。" * 5 + "時計" + "鳴る。" * 5 + "…"


def test_an_unlisted_compound_is_judged_by_its_rarest_part() -> None:
    """牛乳電話: 6 of 32 words here; in general a tenth of the rarer of 牛乳 and 電話."""
    assert frequency("牛乳電話") == FLOOR
    general = round(min(frequency("牛乳"), frequency("電話")) / 10 * 10**9)
    words = found(["牛乳電話"] * 6 + ["犬"] * 20)
    assert words["牛乳電話"].keyness == pytest.approx(log_likelihood_ratio(6, 32, general, 10**9))


def test_addresses_are_no_words() -> None:
    texts = ["http://example.com/fridge 冷蔵庫です", "fridge@example.com へ冷蔵庫", "@fridge_bot 冷蔵庫"] * 3
    assert set(found(texts)) == {"冷蔵庫"}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "in 0 texts; there are no nouns"),
        (["12345", "3.14", "-7"] * 9, "there are no nouns"),
        (["走って、食べた。"], "there are no nouns"),
        (["時計が鳴る。"], "no noun occurs 3 times or more.*the most frequent noun occurs 1 times"),
    ],
)
def test_nothing_to_find(texts: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        mine_words(texts)


def test_wrong_arguments() -> None:
    for wrong in ({"top": 0}, {"min_count": 0}, {"labels": []}):
        with pytest.raises(ValueError, match="needs top and min_count"):
            mine_words(["犬"], **wrong)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=20), max_size=10), st.data())
def test_any_texts_give_a_file_that_yaml_reads(tmp_path_factory: pytest.TempPathFactory, texts, data) -> None:
    labels = data.draw(st.lists(st.text(max_size=5), min_size=len(texts), max_size=len(texts)))
    candidates = mine_words([*texts, "犬がいる。#\n猫: 'もいる'"], labels=[*labels, "x"], min_count=1)
    file = tmp_path_factory.mktemp("words") / "words.yaml"
    write_words(file, candidates, source="a\n: b", texts=len(texts))
    values = read_yaml(file)[0]["values"]
    assert values == {c.word: c.count for c in candidates}


def test_hostile_texts_stay_comments(tmp_path: Path) -> None:
    nasty = "時計\nvalues: {}\r\x85\u2028\u2029 # ' \" : - \x1b[31m \x00 \ufeff \ufffe"
    file = tmp_path / "words.yaml"
    odd = ["no", "null", "3D", "a: b", "'", '"', "# x", "-", "Sports Watch", "はい"]
    candidates = [Candidate(word, 2, 1, 12.0, "no", label=nasty, examples=(nasty,)) for word in odd]
    write_words(file, candidates, source=nasty, texts=3)
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == {"values": dict.fromkeys(odd, 2)}
    assert "\x1b" not in file.read_text(encoding="utf-8")


def test_layout(tmp_path: Path) -> None:
    candidates = [
        Candidate("消火栓", 5, 4, 50.4, "消火栓"),
        Candidate("犬", 3, 1, 30.0, "犬", "pets", ("犬がいる。",)),
        Candidate("CD", 2, 2, 20.0, "犬"),
    ]
    write_words(tmp_path / "w.yaml", candidates, source="rows.csv", texts=1234, known={"CD"})
    text = (tmp_path / "w.yaml").read_text(encoding="utf-8")
    assert "1,234 texts of rows.csv" in text.splitlines()[0]
    assert text.endswith(
        """
values:

  # --- 犬: 2 words
  犬: 3  # in 1 text, keyness 30, typical for pets
  #     犬がいる。
  "CD": 2  # in 2 texts, keyness 20, in the task already

  # --- like no other word
  消火栓: 5  # in 4 texts, keyness 50
"""
    )


def write_texts(folder: Path, texts: Sequence[str] = SHOP) -> Path:
    file = folder / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return file


def test_a_task_reads_the_file(workplace: Path) -> None:
    task = workplace / "mood.yaml"
    place, candidates = mine_file(str(task), str(write_texts(workplace)), workplace / "mined.yaml")
    given = task.read_text(encoding="utf-8")
    inline = "knowledge: {words: [本, 茶, 菓子]}"
    assert inline in given
    task.write_text(
        given.replace(inline, "knowledge: {attributes: {word: {file: mined.yaml}}}")
        .replace("word: 本, ", "")
        .replace("word: 茶, ", ""),
        encoding="utf-8",
    )
    assert Task.load(task).attributes["word"].values == {c.word: c.count for c in candidates}
    again, _ = mine_file(str(task), str(workplace / "texts.jsonl"), workplace / "again.yaml")
    assert again.read_text(encoding="utf-8").count("in the task already") == len(candidates)
    plain = again.read_text(encoding="utf-8").replace(", in the task already", "").replace("again.yaml", "mined.yaml")
    assert plain == place.read_text(encoding="utf-8")  # the same texts, the same file


def test_nothing_is_overwritten(workplace: Path) -> None:
    texts = str(write_texts(workplace))
    file = workplace / "mined.yaml"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="stands already"):
        mine_file(str(workplace / "mood.yaml"), texts, file)
    assert file.read_text(encoding="utf-8") == "mine"
    mine_file(str(workplace / "mood.yaml"), texts, file, force=True)
    assert "冷蔵庫: 8" in file.read_text(encoding="utf-8")


def test_a_file_in_the_way_of_a_folder(workplace: Path) -> None:
    texts = write_texts(workplace)
    with pytest.raises(RunError, match="cannot be written"):
        mine_file(str(workplace / "mood.yaml"), str(texts), texts / "words.yaml")


@pytest.mark.parametrize(("content", "what"), [("", "holds no rows"), ('{"text": "走る。"}\n', "there are no nouns")])
def test_files_without_words(workplace: Path, content: str, what: str) -> None:
    file = workplace / "texts.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"texts.jsonl: .*{what}"):
        mine_file(str(workplace / "mood.yaml"), str(file), workplace / "out.yaml")
    assert not (workplace / "out.yaml").exists()


@pytest.mark.parametrize("name", ["a\0b.jsonl", "x" * 300 + ".jsonl"])
def test_names_that_no_file_can_have(workplace: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a file"):
        mine_file(str(workplace / "mood.yaml"), str(workplace / name))
    with pytest.raises(ConfigError, match="cannot be the name of a file"):
        mine_file(str(workplace / "mood.yaml"), str(write_texts(workplace)), workplace / name)


def test_command(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_texts(workplace)
    monkeypatch.chdir(workplace)
    done = CliRunner().invoke(app, ["words", "mood.yaml", "--from", "texts.jsonl", "--top", "3"])
    assert done.exit_code == 0, done.output
    assert "wrote 3 words" in done.output
    assert len(read_yaml(workplace / "mood-words.yaml")[0]["values"]) == 3
    again = CliRunner().invoke(app, ["words", "mood.yaml", "--from", "texts.jsonl"])
    assert isinstance(again.exception, RunError)


@pytest.mark.skipif(not GOLD.is_file(), reason="../shared/gold is not here")
def test_objects_of_the_captions_of_jnli() -> None:
    rows = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]
    words = found([row["sentence1"] for row in rows])
    assert set(words) >= {
        "男性",
        "スケートボード",
        "テーブル",
        "シマウマ",
        "ピザ",
        "猫",
        "飛行機",
        "携帯電話",
        "消火栓",
    }
    assert not set(words) & {"上", "横", "こと", "二人", "飛行", "携帯", "一"}
    assert words["シマウマ"].group == words["キリン"].group
