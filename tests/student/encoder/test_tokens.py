"""Our tokenisers give the ids of transformers' own, on real text, odd text and at any length; hostile folders are named."""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
import tarfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.errors import MissingExtra, ModelError
from japagen.student.encoder.tokens import Tokenised, load_tokeniser, mecab, parallel, slow
from japagen.student.encoder.tokens import folder as files
from japagen.student.encoder.tokens.fast import FastTokeniser
from japagen.student.encoder.tokens.japanese import JapaneseTokeniser
from japagen.student.encoder.tokens.rows import Padding, kept, runs
from japagen.student.encoder.tokens.slow import TransformersTokeniser

transformers = pytest.importorskip("transformers", reason="the extra 'encoder' is not installed")
tokenizers = pytest.importorskip("tokenizers")

GOLD = Path(__file__).parents[3].parent / "shared" / "gold"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = [
    "昨日届いた鞄は手触りがよく、家族も気に入っています。",
    "駅前のカフェで、コーヒーとケーキを頼んだ。",
    "Python 3.11で動くプログラムを書きました！",
    "ＡＢＣ株式会社の　２０２６年度の決算は、前年比12.5%増だった。",
    "雨が降りそうなので、傘を持って出かけよう。",
    "彼女は“Hello World”と書いた紙をｶﾊﾞﾝにしまった。",
    "[CLS]という印は文の頭に、[SEP]は終わりに付く。[MASK][UNK]",
    "すもももももももものうち",
    "",
    " ",
    "　\t\n",
    "ΑΣ ΟΔΟΣ İstanbul STRASSE ẞ",
    "が\u3099か\u3099 e\u0301 ﷺ ㍿ ①",
    "😀👨‍👩‍👧‍👦🇯🇵",
    "a\x00b\x01c\x1cd\x85e\u2028f\u200bg\ufeffh\ufffdi\rj\x0bk",
    "x" * 101 + " " + "y" * 100 + " https://example.com/" + "a1" * 60,
]
LENGTHS = [1, 2, 3, 4, 5, 6, 7, 9, 12, 33, 512]


@pytest.fixture(autouse=True, scope="module")
def quiet():
    """transformers warns at each pair that it cuts."""
    logger = logging.getLogger("transformers.tokenization_python")
    level = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(level)


def wordpieces(texts, size=10, *, lower=False):
    """A WordPiece vocabulary over MeCab's words; by default of characters alone, so that each word is cut."""
    words = mecab.Words("unidic_lite", exact=False)
    lines = [" ".join(words.of(unicodedata.normalize("NFKC", text))) for text in texts]
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    if lower:
        made.normalizer = tokenizers.normalizers.Lowercase()
    trainer = tokenizers.trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    made.train_from_iterator(lines, trainer)
    vocabulary = made.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def characters(texts):
    return SPECIAL + sorted(set(unicodedata.normalize("NFKC", "".join(texts))) - {"\n", "\r", "😀"})


def japanese(folder, vocabulary, **options):
    """A folder as transformers saves it."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    options = {"word_tokenizer_type": "mecab", "mecab_kwargs": {"mecab_dic": "unidic_lite"}} | options
    made = transformers.BertJapaneseTokenizer(str(folder / "vocab.txt"), **options)
    made.save_pretrained(folder)
    return made


def fast(folder, texts, kind, size=500, **options):
    """A folder with a tokenizer.json, trained on these texts."""
    models, trainers = tokenizers.models, tokenizers.trainers
    model, trainer = {
        "bpe": (models.BPE(unk_token="[UNK]"), trainers.BpeTrainer),
        "unigram": (models.Unigram(), trainers.UnigramTrainer),
    }[kind]
    made = tokenizers.Tokenizer(model)
    made.normalizer = tokenizers.normalizers.NFKC()
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    more = {"unk_token": "[UNK]"} if kind == "unigram" else {}
    made.train_from_iterator(texts, trainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False, **more))
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    named = {f"{token.strip('[]').lower()}_token": token for token in SPECIAL}
    whole = transformers.PreTrainedTokenizerFast(tokenizer_object=made, **named | options)
    whole.save_pretrained(folder)
    return whole


def theirs(reference, first, second, max_length):
    found = reference(
        list(first),
        None if second is None else list(second),
        truncation=True,
        max_length=max_length,
        return_token_type_ids=True,
    )
    return found["input_ids"], found["token_type_ids"]


def same(ours, reference, first, second, max_length):
    tokens = ours.encode(first, second, max_length=max_length)
    ids, types = theirs(reference, first, second, max_length)
    assert len(tokens) == len(first)
    assert tokens.lengths.tolist() == [len(row) for row in ids]
    for i, row in enumerate(ids):
        begin, end = tokens.starts[i], tokens.starts[i + 1]
        assert tokens.ids[begin:end].tolist() == row, (first[i], second and second[i], max_length)
        assert tokens.types[begin:end].tolist() == types[i]


def same_everywhere(folder, reference, texts, lengths=LENGTHS):
    ours = load_tokeniser(folder)
    for n in lengths:
        same(ours, reference, texts, None, n)
        same(ours, reference, texts, texts[3:] + texts[:3], n)
    return ours


OPTIONS = {
    "plain": {},
    "lower": {"do_lower_case": True},
    "lower, never split": {"do_lower_case": True, "never_split": ["Hello", "Python"]},
    "left": {"truncation_side": "left", "padding_side": "left"},
    "more tokens": {"do_lower_case": True, "extra_special_tokens": ["<月>", "AB", "ABC", "株"]},
    "other names": {"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "鞄"},
    "as written": {"mecab_kwargs": {"mecab_dic": "unidic_lite", "normalize_text": False}},
}


@pytest.mark.parametrize("kind", ["wordpiece", "character"])
@pytest.mark.parametrize("name", OPTIONS)
def test_japanese_ids_are_those_of_transformers(tmp_path, kind, name):
    options = OPTIONS[name] | {"subword_tokenizer_type": kind}
    vocabulary = characters(TEXTS) if kind == "character" else wordpieces(TEXTS, lower="lower" in name)
    reference = japanese(tmp_path, vocabulary, **options)
    ours = same_everywhere(tmp_path, reference, [*TEXTS, "ＡＢＣとABCと<月>と<月は株だ"])
    assert isinstance(ours, JapaneseTokeniser)


def test_the_memo_is_used_and_changes_nothing(tmp_path):
    reference = japanese(tmp_path, wordpieces(TEXTS))
    ours = load_tokeniser(tmp_path)
    same(ours, reference, TEXTS, None, 64)
    same(ours, reference, TEXTS[::-1], TEXTS, 64)


def test_wordpiece_by_hand(tmp_path):
    tokens = [*SPECIAL, "x", "##x", "xx", "##xx", "猫"]
    cutter = japanese(tmp_path, tokens).subword_tokenizer
    ours = load_tokeniser(tmp_path)
    for word, wanted in [
        ("xxxxx", ["xx", "##xx", "##x"]),
        ("x" * 100, ["xx"] + ["##xx"] * 49),
        ("x" * 101, ["[UNK]"]),
        ("xxy", ["[UNK]"]),
        ("猫\x85xx", ["猫", "xx"]),
    ]:
        assert [tokens[i] for i in ours._ids_of_word(word)] == wanted == cutter.tokenize(word)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_fast_ids_are_those_of_transformers(tmp_path, kind, side):
    reference = fast(tmp_path, TEXTS, kind, truncation_side=side, padding_side=side)
    ours = same_everywhere(tmp_path, reference, TEXTS)
    assert isinstance(ours, FastTokeniser)
    assert ours.padding.left == (side == "left")


def sentences():
    """20,000 distinct real sentences: captions, examples of linguists, news."""
    found = []
    for name in ("jsts/train-v1.3.json", "jsts/valid-v1.3.json", "jnli/valid-v1.3.json"):
        for line in (GOLD / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found += [row["sentence1"], row["sentence2"]]
    for name in ("in_domain_train-v1.0.json", "in_domain_valid-v1.0.json"):
        found += [json.loads(line)["sentence"] for line in (GOLD / "jcola" / name).read_text("utf-8").splitlines()]
    captions = list(dict.fromkeys(found))
    news = []
    with tarfile.open(GOLD / "news" / "ldcc-20140209.tar.gz") as corpus:
        for member in corpus:
            if member.isfile() and member.name.count("/") == 2 and "LICENSE" not in member.name:
                text = corpus.extractfile(member).read().decode("utf-8")
                news += [part for line in text.split("\n")[2:] for part in line.split("。") if part.strip()]
            if len(news) > 30_000:
                break
    draw = random.Random(0)
    return draw.sample(captions, 10_000) + draw.sample(list(dict.fromkeys(news)), 10_000)


@pytest.fixture(scope="module")
def real():
    if not (GOLD / "news" / "ldcc-20140209.tar.gz").is_file():
        pytest.skip("the gold data are not here: ../shared/gold")
    texts = sentences()
    assert len(set(texts)) >= 19_900
    return texts


@pytest.mark.parametrize("kind", ["wordpiece", "character", "bpe", "unigram"])
def test_ids_of_real_sentences(tmp_path, real, kind):
    """All 20,000 for one tokeniser of each class, a fifth of them for its sibling."""
    real = real[::5] if kind in ("character", "bpe") else real
    match kind:
        case "wordpiece":
            reference = japanese(tmp_path, wordpieces(real, 8000))
        case "character":
            reference = japanese(tmp_path, characters(real)[:2500], subword_tokenizer_type="character")
        case _:
            reference = fast(tmp_path, real[::20], kind, 2000)
    ours = load_tokeniser(tmp_path)
    assert isinstance(ours, JapaneseTokeniser if kind in ("wordpiece", "character") else FastTokeniser)
    same(ours, reference, real, None, 512)
    same(ours, reference, real[0::2], real[1::2], 128)
    for n in (1, 2, 3, 4, 5, 8, 16, 32):
        same(ours, reference, real[n::40], None, n)
        same(
            ours, reference, real[n::40], real[n + 1 :: 40] + real[:1] * (len(real[n::40]) - len(real[n + 1 :: 40])), n
        )


CHARACTERS = "あ漢カｶﾞＡａA1１。、　 \t\n\r\x00\x01\x7f\x85\xa0\u200b\u200d\u2028\u3099\ufeff\ufffd😀ΣσßİΑ##[]"
MARKS = ["[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "##", "[CL", "［ＣＬＳ］", "鞄", "コーヒー"]
odd = st.lists(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(CHARACTERS), st.sampled_from(MARKS)),
    max_size=40,
).map("".join)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    made = {}
    for name, kind, options in [
        ("wordpiece", "wordpiece", {}),
        ("lower", "wordpiece", {"do_lower_case": True}),
        ("character", "character", {"do_lower_case": True}),
    ]:
        folder = tmp_path_factory.mktemp(name)
        vocabulary = characters(TEXTS) if kind == "character" else wordpieces(TEXTS)
        made[name] = japanese(folder, vocabulary, subword_tokenizer_type=kind, **options), load_tokeniser(folder)
    folder = tmp_path_factory.mktemp("bpe")
    made["bpe"] = fast(folder, TEXTS, "bpe"), load_tokeniser(folder)
    return made


@given(first=st.lists(odd, min_size=1, max_size=3), second=odd, n=st.integers(1, 24), pair=st.booleans())
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("name", ["wordpiece", "lower", "character", "bpe"])
def test_ids_of_odd_texts(both, name, first, second, n, pair):
    reference, ours = both[name]
    same(ours, reference, first, [second] * len(first) if pair else None, n)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(-3, 40))
def test_the_longer_text_is_cut_first(first, second, budget):
    count, more = (int(n[0]) for n in kept(np.array([first]), np.array([second]), budget))
    a, b = first, second
    while a + b > max(budget, 0):  # one token at a time, of the longer; of equals the second gives first
        a, b = (a - 1, b) if a > b else (a, b - 1)
    assert (count, more) == (a, b)


def test_runs():
    assert runs(np.array([5, 0, 7]), np.array([2, 3, 0])).tolist() == [5, 6, 0, 1, 2]
    assert runs(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


def test_a_batch_by_hand():
    tokens = Tokenised(np.array([2, 9, 3, 2, 8, 3, 7, 3]), np.array([0, 0, 0, 0, 0, 0, 1, 1]), np.array([0, 3, 8]))
    assert len(tokens) == 2
    assert tokens.lengths.tolist() == [3, 5]
    right = Padding(1).collate(tokens, [1, 0])
    assert {name: array.tolist() for name, array in right.items()} == {
        "input_ids": [[2, 8, 3, 7, 3], [2, 9, 3, 1, 1]],
        "attention_mask": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
        "token_type_ids": [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]],
    }
    left = Padding(1, types=False, left=True).collate(tokens, [0, 1, 0])
    assert left["input_ids"].tolist() == [[1, 1, 2, 9, 3], [2, 8, 3, 7, 3], [1, 1, 2, 9, 3]]
    assert left["attention_mask"].tolist() == [[0, 0, 1, 1, 1], [1] * 5, [0, 0, 1, 1, 1]]
    assert left.keys() == {"input_ids", "attention_mask"}
    assert {array.dtype for array in right.values()} == {np.dtype("int64")}
    assert Padding().collate(tokens, [])["input_ids"].shape == (0, 0)


@pytest.mark.parametrize("side", ["right", "left"])
def test_batches_are_those_of_transformers(tmp_path, side):
    reference = japanese(tmp_path, wordpieces(TEXTS), padding_side=side, pad_token="[MASK]")
    ours = load_tokeniser(tmp_path)
    tokens = ours.encode(TEXTS, TEXTS[::-1], max_length=20)
    rows = [3, 0, 5, 9]
    wanted = reference(
        [TEXTS[i] for i in rows],
        [TEXTS[::-1][i] for i in rows],
        truncation=True,
        max_length=20,
        padding=True,
        return_token_type_ids=True,
        return_tensors="np",
    )
    batch = ours.collate(tokens, rows)
    for name, array in batch.items():
        np.testing.assert_array_equal(array, wanted[name])


def test_nothing_to_encode_and_what_cannot_be(tmp_path):
    japanese(tmp_path / "a", wordpieces(TEXTS))
    fast(tmp_path / "b", TEXTS, "bpe")
    for ours in (load_tokeniser(tmp_path / "a"), load_tokeniser(tmp_path / "b")):
        for second in (None, []):
            assert len(ours.encode([], second, max_length=8)) == 0
        with pytest.raises(ValueError, match="as many second texts"):
            ours.encode(["あ"], [], max_length=8)
        with pytest.raises(ValueError, match="max_length"):
            ours.encode(["あ"], None, max_length=0)


@pytest.mark.parametrize("kind", ["wordpiece", "character", "bpe", "unigram", "basic"])
def test_what_is_saved_is_read_by_us_and_by_transformers(tmp_path, kind):
    there, here = tmp_path / "there", tmp_path / "here"
    here.mkdir()
    match kind:
        case "wordpiece":
            reference = japanese(there, wordpieces(TEXTS), extra_special_tokens=["<月>"], padding_side="left")
        case "character":
            reference = japanese(there, characters(TEXTS), subword_tokenizer_type="character", do_lower_case=True)
        case "basic":
            reference = japanese(there, wordpieces(TEXTS), word_tokenizer_type="basic")
        case _:
            reference = fast(there, TEXTS, kind, padding_side="left")
    (there / "config.json").write_text(json.dumps({"model_type": "bert", "type_vocab_size": 1}))
    first = load_tokeniser(there)
    first.save(here)
    again, plain = load_tokeniser(here), transformers.AutoTokenizer.from_pretrained(here)
    texts = [*TEXTS, "三日<月>"]
    same(first, reference, texts, texts[::-1], 24)
    same(again, reference, texts, texts[::-1], 24)
    same(again, plain, texts, texts[::-1], 24)
    assert first.padding == again.padding
    assert not again.padding.types
    assert plain.padding_side == reference.padding_side
    assert plain.pad_token_id == reference.pad_token_id == again.padding.token
    third = tmp_path / "third"
    third.mkdir()
    again.save(third)
    assert {f.name: f.read_bytes() for f in third.iterdir()} == {f.name: f.read_bytes() for f in here.iterdir()}


@pytest.mark.parametrize(
    ("model", "types"),
    [
        (None, True),
        ({"model_type": "bert", "type_vocab_size": 2}, True),
        ({"model_type": "bert"}, True),
        ({"model_type": "roberta", "type_vocab_size": 1}, False),
        ({"model_type": "deberta-v2", "type_vocab_size": 0}, False),
        ({"model_type": "modernbert"}, False),
        ({"model_type": "distilbert"}, False),
    ],
)
def test_token_types_only_where_the_model_has_them(tmp_path, model, types):
    japanese(tmp_path, wordpieces(TEXTS))
    if model:
        (tmp_path / "config.json").write_text(json.dumps(model))
    ours = load_tokeniser(tmp_path)
    batch = ours.collate(ours.encode(["猫"], ["犬"], max_length=8), [0])
    assert ("token_type_ids" in batch) == types


def other_class(folder, name):
    """A folder of one of the classes that build their own pipeline, from a vocabulary of Japanese."""
    vocabulary = {token: i for i, token in enumerate(wordpieces(TEXTS))}
    folder.mkdir()
    match name:
        case "BertTokenizer":
            made = transformers.BertTokenizer(vocab=vocabulary, do_lower_case=False)
        case "ElectraTokenizer":
            made = transformers.ElectraTokenizer(vocab=vocabulary)
        case "DebertaV2Tokenizer":
            pieces = [(token, 0.0) for token in SPECIAL] + [(f"▁{c}", -2.0) for c in "あ猫"]
            pieces += [(c, -3.0 - i / 100) for i, c in enumerate(sorted(set("".join(TEXTS)) - set("[]"))) if c.strip()]
            made = transformers.DebertaV2Tokenizer(vocab=pieces)
        case "XLMRobertaTokenizer":
            tokens = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁猫", -2.5)]
            characters = sorted(set(unicodedata.normalize("NFKC", "".join(TEXTS))) - set("<>"))
            tokens += [(c, -3.0 - i / 100) for i, c in enumerate(characters) if c.strip()] + [("<mask>", 0.0)]
            made = transformers.XLMRobertaTokenizer(vocab=tokens)
    made.save_pretrained(folder)
    return transformers.AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("name", ["BertTokenizer", "ElectraTokenizer", "DebertaV2Tokenizer", "XLMRobertaTokenizer"])
def test_classes_with_a_pipeline_of_their_own(tmp_path, name):
    there, here = tmp_path / "there", tmp_path / "here"
    here.mkdir()
    reference = other_class(there, name)
    texts = [text for text in TEXTS if "\0" not in text]
    ours = same_everywhere(there, reference, texts, [8, 64])
    assert isinstance(ours, FastTokeniser)
    ours.save(here)
    same_everywhere(here, reference, texts, [8, 64])
    same(ours, transformers.AutoTokenizer.from_pretrained(here), texts, texts, 40)


def test_a_vocabulary_alone_is_read_by_transformers(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(wordpieces(TEXTS)), encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "type_vocab_size": 2}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    same_everywhere(tmp_path, transformers.AutoTokenizer.from_pretrained(tmp_path), TEXTS, [3, 8, 64])


@pytest.mark.parametrize(
    "options",
    [
        {"word_tokenizer_type": "basic", "mecab_kwargs": None},
        {"do_subword_tokenize": False},
        {"added_tokens_decoder": {"4": {"content": "[MASK]", "lstrip": True, "special": True}}},
        {"truncation_side": "left", "word_tokenizer_type": "basic"},
    ],
)
def test_the_slow_way_gives_the_same_ids(tmp_path, options):
    options = dict(options)
    added = options.pop("added_tokens_decoder", None)
    reference = japanese(tmp_path, wordpieces(TEXTS), **options)
    if added:
        change(tmp_path, added_tokens_decoder=added)
        reference = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ours = same_everywhere(tmp_path, reference, TEXTS, [1, 2, 3, 4, 7, 8, 64])
    assert isinstance(ours, TransformersTokeniser)


def test_an_old_folder_names_its_tokens_in_a_file_of_their_own(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(wordpieces(TEXTS)) + "\n", encoding="utf-8")
    config = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    named = {"cls_token": "[SEP]", "sep_token": {"content": "[CLS]", "lstrip": False}, "pad_token": "[MASK]"}
    (tmp_path / "special_tokens_map.json").write_text(json.dumps(named))
    reference = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ours = same_everywhere(tmp_path, reference, TEXTS, [5, 64])
    assert isinstance(ours, JapaneseTokeniser)
    assert ours.padding.token == reference.pad_token_id == 4


def test_the_class_may_stand_in_the_settings_of_the_model(tmp_path):
    japanese(tmp_path, wordpieces(TEXTS))
    file = tmp_path / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    assert config.pop("tokenizer_class") == "BertJapaneseTokenizer"
    file.write_text(json.dumps(config))
    (tmp_path / "config.json").write_text('{"model_type": "bert", "tokenizer_class": "BertJapaneseTokenizer"}')
    assert isinstance(load_tokeniser(tmp_path), JapaneseTokeniser)


def test_several_processes_give_the_same_ids(tmp_path, monkeypatch):
    japanese(tmp_path, wordpieces(TEXTS))
    ours = load_tokeniser(tmp_path)
    texts = [f"{text}{i}" for i in range(40) for text in TEXTS]
    alone = ours.pieces(texts)
    monkeypatch.setattr(parallel, "cores", lambda: 3)
    shared = parallel.in_processes(ours, texts, ours.pieces, worth=100)
    np.testing.assert_array_equal(shared.ids, alone.ids)
    np.testing.assert_array_equal(shared.starts, alone.starts)
    monkeypatch.setattr(parallel.sys, "executable", "/bin/false")
    failed = parallel.in_processes(ours, texts, ours.pieces, worth=100)
    np.testing.assert_array_equal(failed.ids, alone.ids)


def test_few_texts_start_no_process(tmp_path, monkeypatch):
    japanese(tmp_path, wordpieces(TEXTS))
    ours = load_tokeniser(tmp_path)
    monkeypatch.setattr(parallel, "cores", lambda: 64)
    monkeypatch.setattr(parallel.subprocess, "Popen", None)
    assert len(ours.encode(TEXTS * 3, None, max_length=8)) == 3 * len(TEXTS)


def test_100_000_characters(tmp_path):
    reference = japanese(tmp_path, wordpieces(TEXTS))
    same(load_tokeniser(tmp_path), reference, ["".join(TEXTS[:6]) * 700], None, 128)


@pytest.mark.parametrize(
    ("dictionary", "remedy"),
    [
        ("ipadic", "pip install ipadic"),
        ("unidic", "pip install unidic && python -m unidic download"),
        ("unidic_lite", "pip install unidic-lite"),
    ],
)
def test_a_dictionary_that_is_absent_is_named(tmp_path, monkeypatch, dictionary, remedy):
    japanese(tmp_path, wordpieces(TEXTS))
    change(tmp_path, mecab_kwargs={"mecab_dic": dictionary})
    monkeypatch.setitem(sys.modules, dictionary, None)
    with pytest.raises(ModelError) as caught:
        load_tokeniser(tmp_path)
    assert caught.value.remedy == f"install it with: {remedy}"
    assert dictionary.replace("_", "-") in caught.value.what


def test_packages_that_are_absent_are_named(tmp_path, monkeypatch):
    japanese(tmp_path / "japanese", wordpieces(TEXTS))
    japanese(tmp_path / "basic", wordpieces(TEXTS), word_tokenizer_type="basic")
    fast(tmp_path / "fast", TEXTS, "bpe")
    for folder, package in (("japanese", "fugashi"), ("fast", "tokenizers"), ("basic", "transformers")):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(MissingExtra, match=f"'{package}' is not installed"):
                load_tokeniser(tmp_path / folder)
    change(tmp_path / "basic", word_tokenizer_type="sudachi")
    for package in ("sudachipy", "sudachidict_core"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError) as caught:
        load_tokeniser(tmp_path / "basic")
    assert "pip install sudachipy" in caught.value.remedy


def test_without_transformers_a_tokenizer_json_is_taken_as_it_is(tmp_path, monkeypatch):
    reference = other_class(tmp_path / "a", "BertTokenizer")
    monkeypatch.setattr(files, "installed", lambda package: False)
    monkeypatch.setattr(slow, "load_by_transformers", None)
    same(load_tokeniser(tmp_path / "a"), reference, TEXTS, TEXTS, 30)


def change(folder, **new):
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | new), encoding="utf-8")


HOSTILE = {
    "mecab_kwargs": [
        {"mecab_option": "-d /etc -o /tmp/x"},
        {"mecab_dic": "../../evil"},
        {"mecab_dic": None},
        {"a": 1},
        "x",
    ],
    "tokenizer_class": ["../../evil", ["x"], "os.system"],
    "added_tokens_decoder": [[], {"a": {"content": "x"}}, {"-5": {"content": "x"}}, {"99999999999": "x"}, {"1": 2}],
    "cls_token": [5, {"content": 5}],
    "pad_token": [None],
    "never_split": ["x", [1]],
    "do_lower_case": ["yes"],
    "truncation_side": ["middle"],
    "padding_side": [["left"]],
    "model_input_names": ["input_ids", [], {}],
    "subword_tokenizer_type": ["/etc/passwd"],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in HOSTILE.items() for value in values])
def test_hostile_settings(tmp_path, key, value):
    japanese(tmp_path, wordpieces(TEXTS))
    change(tmp_path, **{key: value})
    with pytest.raises(ModelError) as caught:
        load_tokeniser(tmp_path)
    assert str(tmp_path) in caught.value.where


def test_names_of_files_in_the_settings_are_not_followed(tmp_path):
    (tmp_path / "elsewhere.txt").write_text("[UNK]\n秘密\n", encoding="utf-8")
    reference = japanese(tmp_path / "a", wordpieces(TEXTS))
    change(tmp_path / "a", vocab_file="../elsewhere.txt", name_or_path="../..", auto_map={"AutoTokenizer": "evil.Evil"})
    (tmp_path / "a" / "evil.py").write_text("raise SystemExit(3)\n")
    ours = load_tokeniser(tmp_path / "a")
    same(ours, reference, TEXTS, None, 32)
    (tmp_path / "b").mkdir()
    ours.save(tmp_path / "b")
    assert "evil" not in (tmp_path / "b" / "tokenizer_config.json").read_text(encoding="utf-8")
    change(tmp_path / "a", tokenizer_class="EvilTokenizer")
    with pytest.raises(ModelError):
        load_tokeniser(tmp_path / "a")


@pytest.mark.parametrize("name", ["tokenizer_config.json", "vocab.txt", "tokenizer.json", "config.json"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"[" * 100_000, b'{"model": {"type": "BPE"}}', None]
)
def test_damaged_files(tmp_path, name, content):
    if name == "tokenizer.json":
        fast(tmp_path, TEXTS, "bpe")
    else:
        japanese(tmp_path, wordpieces(TEXTS))
    if content is None:
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(content)
    if (name, content) in [
        ("vocab.txt", b'{"model": {"type": "BPE"}}'),
        ("config.json", b'{"model": {"type": "BPE"}}'),
    ]:
        return  # a vocabulary of one odd token, a model of no type
    if name == "vocab.txt" and content in (b"{", b"[1]", b"[" * 100_000):
        return
    with pytest.raises(ModelError):
        load_tokeniser(tmp_path)


def test_a_huge_file_is_not_read(tmp_path, monkeypatch):
    japanese(tmp_path, wordpieces(TEXTS))
    monkeypatch.setitem(files.MOST_BYTES, "vocab.txt", 100)
    with pytest.raises(ModelError, match="too many"):
        load_tokeniser(tmp_path)


def test_folders_without_a_tokeniser(tmp_path):
    for folder in (tmp_path, tmp_path / "absent", tmp_path / "vocab.txt"):
        with pytest.raises(ModelError) as caught:
            load_tokeniser(folder)
        assert str(folder) in caught.value.where


def test_neither_torch_nor_transformers_is_imported(tmp_path):
    japanese(tmp_path / "a", wordpieces(TEXTS))
    fast(tmp_path / "b", TEXTS, "bpe")
    program = (
        "import sys, pathlib; from japagen.student.encoder.tokens import load_tokeniser\n"
        "for folder in sys.argv[1:]:\n"
        "    t = load_tokeniser(pathlib.Path(folder)); t.collate(t.encode(['猫'], None, max_length=8), [0])\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "a", tmp_path / "b"], check=True)
