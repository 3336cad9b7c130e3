"""Self-BLEU of many texts: ours beside NLTK, sacrebleu and fast-bleu, in one run, with the largest difference in value.

    python benchmarks/self_bleu.py [--peers PYTHON] [--million] [--output FILE]

Texts are captions of JSTS and JNLI (../shared/gold) cut into words, the first half of one and the second half of another.
All compute Self-BLEU of orders 1 to 5, method 1 of smoothing, each text against all others; fast-bleu orders 2 to 5. CPU
seconds count from lists of words on, our numbering of words included; loading or compiling stands apart (`seconds`, on the
clock, have it too). Each case runs in a process of its own; "peak" is the peak of its memory beyond that before counting.
PYTHON is an interpreter that has nltk, sacrebleu and fast-bleu (this one by default). The result is results/self_bleu.json.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "self_bleu.json"
GOLD = Path(__file__).parents[2] / "shared" / "gold"
CASES = [("ours", 200), ("nltk", 200), ("sacrebleu", 200)]
CASES += [("ours", 1000), ("fast-bleu", 1000), ("ours", 5000), ("fast-bleu", 5000), ("ours", 100_000)]
ORDERS = 5

Texts = list[list[str]]
Means = dict[int, float]


def captions() -> Texts:
    from japagen.japanese import words

    found = set()
    for name in ("jsts/train-v1.3.json", "jnli/valid-v1.3.json"):
        for line in (GOLD / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.update((row["sentence1"], row["sentence2"]))
    return [words(text) for text in sorted(found)]


def make(known: Texts, count: int) -> Texts:
    rng = random.Random(0)
    pairs = ((rng.choice(known), rng.choice(known)) for _ in range(count))
    return [one[: len(one) // 2] + other[len(other) // 2 :] for one, other in pairs]


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(texts: Texts) -> tuple[Means, float]:
    from japagen.analyze.diversity import clipped
    from japagen.analyze.diversity.self_bleu import numbered, text_scores

    began = cpu()
    if sum(map(len, texts)) > clipped.FEW:
        text_scores(*numbered([["a"] * (clipped.FEW + 1), ["a"]]))
    loading = cpu() - began
    return dict(enumerate(text_scores(*numbered(texts), ORDERS).mean(axis=0).tolist(), 1)), loading


def nltk(texts: Texts) -> tuple[Means, float]:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    smooth = SmoothingFunction().method1
    weights = [(1 / order,) * order for order in range(1, ORDERS + 1)]
    scores = [sentence_bleu(texts[:i] + texts[i + 1 :], text, weights, smooth) for i, text in enumerate(texts)]
    return {n: float(sum(row[n - 1] for row in scores) / len(texts)) for n in range(1, ORDERS + 1)}, 0.0


def sacrebleu(texts: Texts) -> tuple[Means, float]:
    from sacrebleu.metrics import BLEU

    lines = [" ".join(text) for text in texts]
    means = {}
    for order in range(1, ORDERS + 1):
        bleu = BLEU(smooth_method="floor", smooth_value=0.1, max_ngram_order=order, tokenize="none")
        scores = [bleu.sentence_score(line, lines[:i] + lines[i + 1 :]).score for i, line in enumerate(lines)]
        means[order] = sum(scores) / 100 / len(lines)
    return means, 0.0


def fast_bleu(texts: Texts) -> tuple[Means, float]:
    from fast_bleu import SelfBLEU

    weights = {str(n): tuple([1 / n] * n) for n in range(2, ORDERS + 1)}
    scores = SelfBLEU(texts, weights).get_score()
    return {int(n): sum(row) / len(row) for n, row in scores.items()}, 0.0


MODULES = {
    "ours": ["japagen.analyze.diversity.self_bleu", "numpy"],
    "nltk": ["nltk.translate.bleu_score"],
    "sacrebleu": ["sacrebleu.metrics"],
    "fast-bleu": ["fast_bleu"],
}
WAYS = {"ours": ours, "nltk": nltk, "sacrebleu": sacrebleu, "fast-bleu": fast_bleu}


def measure(way: str, file: Path) -> None:
    """Measure one case in this process and print it."""
    warnings.simplefilter("ignore")
    texts = json.loads(file.read_text(encoding="utf-8"))
    for module in MODULES.get(way, ()):
        importlib.import_module(module)
    before, began, clock = peak(), cpu(), time.perf_counter()
    means, loading = WAYS[way](texts)
    found = {
        "cpu_seconds": round(cpu() - began - loading, 3),
        "seconds": round(time.perf_counter() - clock, 2),
        "cpu_seconds_of_loading_or_compiling": round(loading, 2),
        "peak_mib": round(peak() - before),
        "self_bleu": means,
    }
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure[0], Path(options.measure[1]))
    known, rows = captions(), []
    with tempfile.TemporaryDirectory() as folder:
        for way, count in [*CASES, *([("ours", 1_000_000)] if options.million else [])]:
            texts, file = make(known, count), Path(folder) / f"{count}.json"
            file.write_text(json.dumps(texts), encoding="utf-8")
            python = sys.executable if way == "ours" else options.peers
            command = [python, __file__, "--measure", way, str(file)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                rows.append({"way": way, "texts": count, "failed": done.stderr.strip().splitlines()[-1][:200]})
            else:
                rows.append({"way": way, "texts": count, **json.loads(done.stdout.splitlines()[-1])})
            print(rows[-1], flush=True)
    exact = {row["texts"]: row["self_bleu"] for row in rows if row["way"] == "ours" and "self_bleu" in row}
    cost = {row["texts"]: row["cpu_seconds"] for row in rows if row["way"] == "ours" and "self_bleu" in row}
    for row in rows:
        if row["way"] != "ours" and "self_bleu" in row:
            told = exact[row["texts"]]
            row["largest_difference_from_ours"] = max(abs(mean - told[n]) for n, mean in row["self_bleu"].items())
            row["times_our_cpu_seconds"] = round(row["cpu_seconds"] / max(cost[row["texts"]], 1e-3))
    result: dict[str, Any] = {
        "what": "Self-BLEU-1 to 5, exact, each text against all others; CPU seconds from lists of words on",
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), **versions(options.peers)},
        "texts": {"source": "halves of captions of jsts and jnli", "mean_words": round(mean_words(known), 1)},
        "cases": rows,
    }
    options.output.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return None


def mean_words(known: Texts) -> float:
    texts = make(known, 1000)
    return sum(map(len, texts)) / len(texts)


def processor() -> str:
    from machine import processor as named

    return named()


def versions(peers: str) -> dict[str, str]:
    """Of what was measured, as the interpreter of the peers and this one have them."""
    program = "import json,sys;from importlib.metadata import version as v\nfound={}\nfor n in sys.argv[1:]:\n"
    program += " try: found[n]=v(n)\n except Exception: pass\nprint(json.dumps(found))"
    found = {}
    for python, names in ((peers, ("nltk", "sacrebleu", "fast-bleu")), (sys.executable, ("numpy", "numba"))):
        done = subprocess.run([python, "-c", program, *names], capture_output=True, text=True, check=True)
        found |= json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
