"""Corpora: the words of `japanese.words` as numbers, parts of speech, slices, several processes, hostile texts."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.analyze.corpus import PARTS, TOKENISERS, Corpus, corpora, cutting
from japagen.analyze.corpus.cutting import Cut, cut, cut_in_processes
from japagen.analyze.corpus.tokenisers import cutter, part_of, word_of
from japagen.errors import ConfigError, DataError, MissingExtra
from japagen.japanese import words
from japagen.progress import Progress
from japagen.records import Example

LABELS = ("肯定", "否定")
TEXTS = ("すもももももももものうち。", "", "走ったです", "綺麗な\x00花\ud800が  咲く", "靴がとてもいい。", "\n")


def rows(texts: tuple[str, ...] | list[str], label: str = "肯定") -> list[Example]:
    return [Example(f"r{at}", text, label) for at, text in enumerate(texts)]


def words_of(corpus: Corpus, row: int) -> list[str]:
    return [corpus.vocabulary[at] for at in corpus.words[corpus.offsets[row] : corpus.offsets[row + 1]]]


def parts_of(corpus: Corpus, row: int) -> list[str]:
    return [PARTS[at] for at in corpus.parts[corpus.offsets[row] : corpus.offsets[row + 1]]]


def test_words_and_parts_by_hand() -> None:
    (corpus,) = corpora([rows(["彼はとても速く走った。", "静かな海"])], LABELS)
    assert words_of(corpus, 0) == ["彼", "は", "とても", "速く", "走っ", "た", "。"]
    assert parts_of(corpus, 0) == ["noun", "particle", "adverb", "adjective", "verb", "auxiliary", "other"]
    assert words_of(corpus, 1) == ["静か", "な", "海"]
    assert parts_of(corpus, 1) == ["adjective", "auxiliary", "noun"]
    assert corpus.words.dtype == np.int32
    assert corpus.parts.dtype == np.int8
    assert corpus.offsets.tolist() == [0, 7, 10]


def test_two_sets_share_a_vocabulary_and_keep_their_rows() -> None:
    pair = Example("p", "犬が走る", "否定", "猫")
    ours, theirs = corpora([rows(["犬がいる", "犬"]), [pair]], LABELS)
    assert ours.vocabulary is theirs.vocabulary
    assert ours.words[0] == theirs.words[0] == ours.words[-1]
    assert theirs.texts == ["犬が走る\n猫"]
    assert words_of(theirs, 0) == ["犬", "が", "走る", "猫"]
    assert (ours.offsets[0], theirs.offsets.tolist()) == (0, [0, 4])
    assert (theirs.ids, theirs.labels.tolist(), ours.labels.tolist()) == (["p"], [1], [0, 0])
    assert len(ours) == 2
    assert theirs.tokeniser == "unidic-lite"


def test_one_word_may_have_several_parts_and_one_number() -> None:
    (corpus,) = corpora([rows(["本で読むので、いいです。でも"])], LABELS)
    assert len(set(corpus.vocabulary)) == len(corpus.vocabulary)
    found = {(word, part) for word, part in zip(words_of(corpus, 0), parts_of(corpus, 0), strict=True)}
    assert ("で", "particle") in found


@settings(max_examples=200)
@given(
    st.lists(
        st.text(st.characters(), max_size=30) | st.text("すもうち。 Aｱ\x00\u3000\ud800\n、1", max_size=20), max_size=5
    )
)
def test_words_are_those_of_japanese_words(texts: list[str]) -> None:
    (corpus,) = corpora([rows(texts)], LABELS)
    for row, text in enumerate(texts):
        assert words_of(corpus, row) == words(text)


@given(st.lists(st.sampled_from(TEXTS), max_size=6), st.lists(st.integers(0, 5), max_size=8))
def test_taking_rows_takes_their_words(texts: list[str], chosen: list[int]) -> None:
    (corpus,) = corpora([rows(texts)], LABELS)
    chosen = [row for row in chosen if row < len(texts)]
    taken = corpus.take(chosen)
    assert taken.ids == [f"r{row}" for row in chosen]
    assert [words_of(taken, at) for at in range(len(taken))] == [words_of(corpus, row) for row in chosen]
    assert [parts_of(taken, at) for at in range(len(taken))] == [parts_of(corpus, row) for row in chosen]
    assert len(taken.parts) == len(taken.words) == taken.offsets[-1] == taken.sizes.sum()


def test_of_a_label() -> None:
    (corpus,) = corpora([[*rows(["犬", "猫"]), *rows(["鳥が"], "否定")]], LABELS)
    assert corpus.of_label(0).texts == ["犬", "猫"]
    assert words_of(corpus.of_label(1), 0) == ["鳥", "が"]
    assert len(corpus.of_label(7)) == 0


@pytest.mark.parametrize("tokeniser", TOKENISERS)
def test_every_tokeniser_survives_hostile_texts(tokeniser: str) -> None:
    hostile = ["", "\x00", "\ud800", " \n\u3000", "𠮷" * 30_000, "東京都に行く" * 17_000, "😀️\u200d", "a\tb"]
    (corpus,) = corpora([rows(hostile)], LABELS, tokeniser)
    assert corpus.sizes[:4].tolist() == [0, 0, 0, 0]
    assert (corpus.sizes[4:] > 0).all()
    assert "".join(words_of(corpus, 5)) == hostile[5]
    assert all(word.strip() == word != "" for word in corpus.vocabulary)
    assert "\t" not in "".join(corpus.vocabulary)


@pytest.mark.parametrize(
    ("tokeniser", "found", "parts"),
    [
        ("ipadic", ["外国", "人参", "政権", "を", "得る"], ["noun", "noun", "noun", "particle", "verb"]),
        (
            "sudachi-a",
            ["外国", "人", "参政", "権", "を", "得る"],
            ["noun", "other", "noun", "other", "particle", "verb"],
        ),
        ("sudachi-c", ["外国人参政権", "を", "得る"], ["noun", "particle", "verb"]),
        ("character", list("外国人参政権を得る"), ["other"] * 9),
    ],
)
def test_other_tokenisers_cut_otherwise(tokeniser: str, found: list[str], parts: list[str]) -> None:
    (corpus,) = corpora([rows(["外国人参政権を得る"])], LABELS, tokeniser)
    assert words_of(corpus, 0) == found
    assert parts_of(corpus, 0) == parts
    assert corpus.tokeniser == tokeniser


@pytest.mark.parametrize("processes", [2, 3, 9])
def test_several_processes_find_the_same(processes: int) -> None:
    texts = [*TEXTS * 2, "犬\ud83d"]
    one, many = cut(texts, "unidic-lite"), cut_in_processes(texts, "unidic-lite", processes)
    assert one.marked == many.marked
    assert one.marks.tolist() == many.marks.tolist()
    assert one.sizes.tolist() == many.sizes.tolist()


def test_the_share_of_a_process_that_fails_is_cut_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert cut_in_processes(TEXTS, "character", 2).marked == cut(TEXTS, "character").marked


def test_what_another_process_writes_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "texts.json").write_text('["犬が","","猫"]', encoding="utf-8")
    cutting.main("unidic-lite", tmp_path)
    found: Cut = cutting._read(tmp_path)
    assert [word_of(marked) for marked in found.marked] == ["犬", "が", "猫"]
    assert found.sizes.tolist() == [2, 0, 1]


def test_progress_goes_to_the_end() -> None:
    seen: list[Progress] = []
    corpora([rows(["犬"] * 5)], LABELS, "character", seen.append)
    assert [(p.done, p.total) for p in (seen[0], seen[-1])] == [(0, 5), (5, 5)]
    assert {(p.stage, p.item) for p in seen} == {("analyze", "words")}


def test_nothing_at_all() -> None:
    ours, theirs = corpora([[], []], LABELS)
    assert (len(ours), len(ours.words), ours.offsets.tolist(), list(theirs.vocabulary)) == (0, 0, [0], [])


def test_a_marked_word() -> None:
    assert cutter("unidic-lite")("走る") == ["走る\t動詞"]
    assert (word_of("走る\t動詞"), PARTS[part_of("走る\t動詞")], PARTS[part_of("走")]) == ("走る", "verb", "other")


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="unknown tokeniser 'sudachi-b'"):
        corpora([rows(["犬"])], LABELS, "sudachi-b")
    with pytest.raises(DataError, match="unknown label '肯") as caught:
        corpora([rows(["犬"], "肯")], LABELS)
    assert "did you mean" in str(caught.value)
    monkeypatch.setitem(sys.modules, "ipadic", None)
    from japagen.analyze.corpus import tokenisers

    tokenisers._tagger.cache_clear()
    with pytest.raises(MissingExtra, match=r"japagen\[tokenisers\]"):
        corpora([rows(["犬"])], LABELS, "ipadic")
