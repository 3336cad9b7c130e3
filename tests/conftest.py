"""Fixtures for all tests: a cache of their own, a small task, an experiment on the scripted model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from japagen.experiment import Experiment

# The same examples in every run; `pytest --hypothesis-profile explore` draws new ones.
settings.register_profile("explore", deadline=None)
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")


@pytest.fixture(autouse=True)
def _cache_of_tests(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Vectors are cached for the session only; the model file stays where it is (see `embedded_llm`)."""
    shared = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("JAPAGEN_CACHE", str(shared))


TASK = """\
name: mood
title: 声
description: 客の声が喜んでいるか怒っているかを見分ける。
system: 客になりきって、声を一つ書いてください。
document: {heading: "客の声を集めた。{meaning}", lead: "声：", lead_with_word: "{word}の声："}
labels:
  glad:
    meaning: どれも喜んでいる。
    instruction: "「{word}」に喜んでいる客の声を書いてください。"
    instruction_without_word: 喜んでいる客の声を書いてください。
    verbalisation: 喜び
    shots: [{word: 本, text: 夢中で読みました。}, {word: 茶, text: 香りに救われた。}, {text: また来ます。}]
  angry:
    meaning: どれも怒っている。
    instruction: "「{word}」に怒っている客の声を書いてください。"
    instruction_without_word: 怒っている客の声を書いてください。
    verbalisation: 怒り
    shots: [{word: 本, text: 落丁だらけでした。}, {word: 茶, text: かび臭くて捨てた。}, {text: 二度と来ません。}]
knowledge: {words: [本, 茶, 菓子]}
prompting: {system: 一語で答えてください。, heading: 記録である。, question: "声：{text}\\n気分："}
gold:
  dev: {file: gold-dev.jsonl, text: text, label: label, id: id}
  test: {file: gold-test.jsonl, text: text, label: label, id: id}
"""

EXPERIMENT = """\
name: small
task: mood.yaml
seed: 7
llm: {name: scripted}
generate: {per_label: 30, shots: 2}
train: {students: [linear], seeds: 2}
evaluate: {gold_shots: [1, 3], prompting: [zero-shot], resamples: 200}
"""


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with a task, its gold data and an experiment on the scripted model."""
    (tmp_path / "mood.yaml").write_text(TASK, encoding="utf-8")
    (tmp_path / "small.yaml").write_text(EXPERIMENT, encoding="utf-8")
    glad = ["うれしくて友だちに話した。", "また頼むつもりです。", "香りも味もいい。", "助かりました。"]
    angry = ["腹が立って眠れない。", "もう頼みません。", "かび臭くて飲めない。", "電話にも出ない。"]
    for split in ("dev", "test"):
        rows = [
            f'{{"id": "{split}-{label}-{n}", "text": "{split}：{text}", "label": "{label}"}}'
            for label, texts in (("glad", glad), ("angry", angry))
            for n, text in enumerate(texts)
        ]
        (tmp_path / f"gold-{split}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def experiment(workplace: Path) -> Experiment:
    """The small experiment."""
    return Experiment.load(workplace / "small.yaml")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT made on the spot, two layers of random weights and a vocabulary of characters, as transformers saves it."""
    torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")
    pytest.importorskip("transformers", reason="transformers is not installed (extra 'encoder')")
    from transformers import BertConfig, BertForMaskedLM, BertJapaneseTokenizer

    folder = tmp_path_factory.mktemp("tiny-bert")
    characters = sorted(
        set("本茶傘椅子時計靴鞄皿がすぐ壊れて最悪でした。この当にっりは二度と買いませんも気入まだ高大満足をたき")
    )
    words = ["最悪", "最高", "がっかり", "気に入り", "二度", "また", "本当", "とても", "大満足"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters), *words]
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    BertJapaneseTokenizer(
        str(folder / "vocab.txt"),
        word_tokenizer_type="mecab",
        subword_tokenizer_type="wordpiece",
        mecab_kwargs={"mecab_dic": "unidic_lite"},
    ).save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertForMaskedLM(BertConfig(vocab_size=len(pieces), max_position_embeddings=128, **shape)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Networks compute on one thread, so that tests repeat themselves on any machine."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
