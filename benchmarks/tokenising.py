"""Sentences per CPU second of our tokenisers and of transformers' own, on the same vocabulary and with the same ids.

    python benchmarks/tokenising.py [--sentences 20000] [--many 400000] [--output FILE]

The vocabularies are trained on the sentences: WordPiece over MeCab's words and characters, as Japanese BERTs have them, and
a BPE as a tokenizer.json. The sentences are captions of JSTS and JNLI, examples of JCoLA and the news of livedoor, where
../shared/gold has them; else sentences of the built-in tasks, counted up, and the result says so. Each
tokeniser is measured alone: `first` with nothing remembered, `again` once more. CPU seconds count all threads.

Beside them: seconds until many sentences are done in one process and in as many as there are cores (the ids compared), and
CPU seconds for one text of 100,000 characters. The result is written to results/tokenising.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import random
import tarfile
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import transformers

from japagen.student.encoder.tokens import load_tokeniser, parallel
from japagen.student.encoder.tokens.japanese import JapaneseTokeniser
from japagen.student.encoder.tokens.mecab import Words
from japagen.task import Task
from machine import processor

RESULT = Path(__file__).parent / "results" / "tokenising.json"
GOLD = Path(__file__).parents[2] / "shared" / "gold"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
KINDS = ("wordpiece", "character", "bpe")
LENGTH = 128


def sentences(count: int) -> tuple[list[str], str]:
    """So many distinct ones, and where they are from."""
    found, source = list(dict.fromkeys(gold())), "jsts, jnli, jcola, livedoor news"
    if not found:
        shots = [shot.text for label in Task.load("news").labels.values() for shot in label.shots]
        found, source = [f"{shots[i % len(shots)]}{i}" for i in range(count)], "built-in tasks"
    random.Random(0).shuffle(found)
    return found[:count], source


def gold() -> Iterator[str]:
    for name in (
        "jsts/train-v1.3.json",
        "jsts/valid-v1.3.json",
        "jnli/valid-v1.3.json",
        "jcola/in_domain_train-v1.0.json",
    ):
        if (GOLD / name).is_file():
            for line in (GOLD / name).read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                yield from (row[key] for key in ("sentence", "sentence1", "sentence2") if key in row)
    if (GOLD / "news/ldcc-20140209.tar.gz").is_file():
        with tarfile.open(GOLD / "news/ldcc-20140209.tar.gz") as corpus:
            for member in corpus:
                file = corpus.extractfile(member) if member.name.count("/") == 2 else None
                for line in file.read().decode().split("\n")[2:] if file else []:
                    yield from (part + "。" for part in line.split("。") if part.strip())


def prepare(kind: str, folder: Path, texts: list[str]) -> Any:
    """The folder of a tokeniser trained on the texts, and transformers' own of it."""
    if kind == "bpe":
        made = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))
        made.normalizer = tokenizers.normalizers.NFKC()
        made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
        trainer = tokenizers.trainers.BpeTrainer(vocab_size=8000, special_tokens=SPECIAL, show_progress=False)
        made.train_from_iterator(texts, trainer)
        made.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        named = {f"{token.strip('[]').lower()}_token": token for token in SPECIAL}
        whole = transformers.PreTrainedTokenizerFast(tokenizer_object=made, **named)
        whole.save_pretrained(folder)
        return whole
    if kind == "wordpiece":
        words = Words("unidic_lite", exact=False)
        made = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
        made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
        trainer = tokenizers.trainers.WordPieceTrainer(vocab_size=16_000, special_tokens=SPECIAL, show_progress=False)
        made.train_from_iterator((" ".join(words.of(unicodedata.normalize("NFKC", text))) for text in texts), trainer)
        known = made.get_vocab()
        vocabulary = sorted(known, key=known.__getitem__)
    else:
        vocabulary = SPECIAL + sorted(set(unicodedata.normalize("NFKC", "".join(texts))) - {"\n", "\r"})
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    whole = transformers.BertJapaneseTokenizer(
        str(folder / "vocab.txt"),
        word_tokenizer_type="mecab",
        subword_tokenizer_type=kind,
        mecab_kwargs={"mecab_dic": "unidic_lite"},
    )
    whole.save_pretrained(folder)
    return whole


def cpu(function: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return function(), time.process_time() - began


def compare(kind: str, texts: list[str]) -> dict[str, Any]:
    """Sentences per CPU second of both, single texts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = prepare(kind, folder, texts)
        ours = load_tokeniser(folder)
        first, seconds_first = cpu(lambda: ours.encode(texts, None, max_length=LENGTH))
        _, seconds_again = cpu(lambda: ours.encode(texts, None, max_length=LENGTH))
        theirs, seconds = cpu(lambda: reference(texts, truncation=True, max_length=LENGTH)["input_ids"])
        rows = np.split(first.ids, first.starts[1:-1])
        different = sum(row.tolist() != other for row, other in zip(rows, theirs, strict=True))
        long = "".join(texts)[:100_000]
        _, long_ours = cpu(lambda: ours.encode([long], None, max_length=LENGTH))
        _, long_theirs = cpu(lambda: reference([long], truncation=True, max_length=LENGTH))
    return {
        "kind": kind,
        "ours": type(ours).__name__,
        "transformers": type(reference).__name__,
        "rows_with_other_ids": different,
        "ours_first_per_cpu_second": round(len(texts) / seconds_first),
        "ours_again_per_cpu_second": round(len(texts) / seconds_again),
        "transformers_per_cpu_second": round(len(texts) / seconds),
        "ratio_first": round(seconds / seconds_first, 1),
        "ratio_again": round(seconds / seconds_again, 1),
        "cpu_seconds_of_100000_characters": {"ours": round(long_ours, 3), "transformers": round(long_theirs, 3)},
    }


def at_once(texts: list[str], many: int) -> dict[str, Any]:
    """Seconds on the clock for many different texts, in one process and in several."""
    varied = [f"{texts[i % len(texts)]}{i}" for i in range(many)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare("wordpiece", folder, texts)
        found = {}
        for processes in (1, parallel.cores()):
            ours = load_tokeniser(folder)
            assert isinstance(ours, JapaneseTokeniser)
            characters = sum(map(len, varied))
            began = time.perf_counter()
            pieces = parallel.in_processes(ours, varied, ours.pieces, worth=characters // processes)
            found[processes] = pieces, time.perf_counter() - began
    alone, several = found[1][0], found[parallel.cores()][0]
    return {
        "sentences": many,
        "characters": characters,
        "worth_a_process_in_characters": parallel.WORTH,
        "seconds_by_processes": {str(n): round(seconds, 2) for n, (_, seconds) in found.items()},
        "same_ids": bool(np.array_equal(alone.ids, several.ids) and np.array_equal(alone.starts, several.starts)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=20_000)
    parser.add_argument("--many", type=int, default=400_000, help="sentences for several processes")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    logging.getLogger("transformers.tokenization_python").setLevel(logging.ERROR)
    texts, source = sentences(options.sentences)
    compared = []
    for kind in KINDS:
        compared.append(compare(kind, texts))
        print(compared[-1], flush=True)
    several = at_once(texts, options.many)
    print(several, flush=True)
    result = {
        "what": "sentences per CPU second of our tokenisers and of transformers' own; ids compared row by row",
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("transformers", "tokenizers", "fugashi", "unidic-lite", "numpy")},
        },
        "sentences": {
            "source": source,
            "count": len(texts),
            "mean_characters": round(sum(map(len, texts)) / len(texts), 1),
        },
        "max_length": LENGTH,
        "tokenisers": compared,
        "several_processes": several,
    }
    options.output.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
