"""Near-duplicates among many texts: our exact set join beside datasketch and rensa, in one run.

    python benchmarks/duplicates.py [--million] [--peers-up-to 100000] [--ways ours rensa] [--output FILE]

Texts are made from the captions of JSTS and JNLI (../shared/gold), canonical: a short one is the first half of one and the
second half of another; a long one, of 200 characters, is whole captions one after another, "shared" ones from no more than
2,000 captions, so that many texts have spans in common. One text in ten is an earlier one with 1
(long: 4) characters changed.

All find texts whose sets of character 3-grams have a Jaccard similarity of at least .7 or .8. CPU seconds count from the
texts on, 3-grams included; ours are compiled beforehand, and what that costs stands apart. The peers get 128 permutations
(rensa in 16 bands, a number that it leaves to the user) and verify nothing; recall and precision are those of the pairs
that they name. Ours is compared with counting every intersection (brute force) over the first 1,000 texts against all.
Each case runs in a process of its own, whose peak of memory is given with that before the texts were compared. The result
is results/duplicates.json; with --ways only the rows of these ways are made anew, and the others stay.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from japagen import setjoin
from japagen.japanese import canonical
from japagen.setjoin import Sets, first_similar, self_join
from japagen.setjoin.blocks import stream_join
from machine import processor

RESULT = Path(__file__).parent / "results" / "duplicates.json"
GOLD = Path(__file__).parents[2] / "shared" / "gold"
CHECKED = 1000
CASES = {  # name: number of texts, their kind
    "short": (100_000, "short"),
    "long": (100_000, "long"),
    "long, shared spans": (100_000, "shared"),
    "short, a million": (1_000_000, "short"),
}
SIMILARITIES = (0.7, 0.8)
Found = set[tuple[int, int]]


def captions() -> list[str]:
    found: dict[str, None] = {}
    for name in ("jsts/train-v1.3.json", "jsts/valid-v1.3.json", "jnli/valid-v1.3.json"):
        for line in (GOLD / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.update(dict.fromkeys(canonical(row[key]) for key in ("sentence1", "sentence2")))
    return list(found)


def make(count: int, kind: str) -> list[str]:
    rng = random.Random(0)
    known = captions()
    heads, tails = [text[: len(text) // 2] for text in known], [text[len(text) // 2 :] for text in known]
    spans = known[:2000] if kind == "shared" else known
    made: list[str] = []
    while len(made) < count:
        if made and rng.random() < 0.1:
            text = rng.choice(made)
            for _ in range(1 if kind == "short" else 4):
                place = rng.randrange(len(text))
                text = text[:place] + rng.choice("のにはがをでと") + text[place + 1 :]
        elif kind == "short":
            text = rng.choice(heads) + rng.choice(tails)
        else:
            text = ""
            while len(text) < 200:
                text += rng.choice(spans)
            text = text[:200]
        made.append(text)
    return made


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def ours(texts: list[str], similarity: float) -> tuple[Any, dict[str, Any]]:
    began = cpu()
    warm = make(setjoin.FEW + 1, "short")
    for form in (warm, [text * 5 for text in warm]):
        self_join(Sets.of_texts(form), similarity)
        first_similar(Sets.of_texts(form), similarity)
    loading, before = cpu() - began, peak()
    began = cpu()
    sets = Sets.of_texts(texts)
    made = cpu()
    pairs = self_join(sets, similarity)
    joined = cpu()
    peak_join = peak()
    gone, _ = first_similar(sets, similarity)
    done = cpu()
    return pairs, {
        "cpu_seconds": round(joined - began, 2),
        "of_them_tokens": round(made - began, 2),
        "cpu_seconds_first_stays": round(made - began + done - joined, 2),
        "cpu_seconds_of_loading_or_compiling": round(loading, 2),
        "peak_mb": peak_join,
        "peak_mb_before": before,
        "pairs": len(pairs),
        "gone": int((gone >= 0).sum()),
    }


def streamed(texts: list[str], similarity: float) -> tuple[Any, dict[str, Any]]:
    began, before = cpu(), peak()
    found = sum(len(pairs) for pairs in stream_join(texts, similarity, memory=2**27))
    return None, {
        "cpu_seconds": round(cpu() - began, 2),
        "memory_mb": 128,
        "peak_mb": peak(),
        "peak_mb_before": before,
        "pairs": found,
    }


def trigrams(text: str) -> list[str]:
    return list({text[i : i + 3] for i in range(len(text) - 2)})


def datasketch(texts: list[str], similarity: float) -> tuple[Any, dict[str, Any]]:
    from datasketch import MinHash, MinHashLSH

    began, before = cpu(), peak()
    index, found = MinHashLSH(threshold=similarity, num_perm=128), set()
    for start in range(0, len(texts), 10_000):
        chunk = texts[start : start + 10_000]
        hashes = MinHash.bulk([[gram.encode() for gram in trigrams(text)] for text in chunk], num_perm=128, seed=0)
        for row, minhash in enumerate(hashes, start):
            found.update((other, row) for other in index.query(minhash))
            index.insert(row, minhash, check_duplication=False)
    return found, {
        "cpu_seconds": round(cpu() - began, 2),
        "peak_mb": peak(),
        "peak_mb_before": before,
        "pairs": len(found),
    }


def rensa(texts: list[str], similarity: float) -> tuple[Any, dict[str, Any]]:
    from rensa import RMinHash, RMinHashLSH

    began, before = cpu(), peak()
    index, found = RMinHashLSH(threshold=similarity, num_perm=128, num_bands=16), set()
    for row, text in enumerate(texts):
        minhash = RMinHash(num_perm=128, seed=0)
        minhash.update(trigrams(text))
        found.update((other, row) for other in index.query(minhash))
        index.insert(row, minhash)
    return found, {
        "bands": 16,
        "cpu_seconds": round(cpu() - began, 2),
        "peak_mb": peak(),
        "peak_mb_before": before,
        "pairs": len(found),
    }


WAYS = {"ours": ours, "ours, streamed": streamed, "datasketch": datasketch, "rensa": rensa}


def one_case(case: str, way: str, similarity: float) -> dict[str, Any]:
    texts = make(*CASES[case])
    found, result = WAYS[way](texts, similarity)
    if way == "ours":
        few = Sets.of_texts(texts[:CHECKED])
        wanted: Found = set()
        sets = Sets.of_texts(texts)
        for start in range(0, len(texts), 50_000):
            rows = np.arange(start, min(start + 50_000, len(texts)))
            zeros = [np.zeros(len(each), np.int32) for each in (few, rows)]
            left, right, _ = setjoin.counted.similar_pairs(few, sets.take(rows), similarity, *zeros, distinct=False)
            wanted |= {(i, j + start) for i, j in zip(left.tolist(), right.tolist(), strict=True) if i < j + start}
        named = {(i, j) for i, j in zip(found.first.tolist(), found.second.tolist(), strict=True) if i < len(few)}
        both = len(named & wanted)
        result |= {
            "checked_texts": len(few),
            "pairs_by_brute_force": len(wanted),
            "recall": both / len(wanted),
            "precision": both / len(named),
        }
    elif found is not None:
        pairs = self_join(Sets.of_texts(texts), similarity)
        wanted = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        both = len(found & wanted)
        result |= {"recall": round(both / len(wanted), 4), "precision": round(both / max(1, len(found)), 4)}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", action="store_true", help="also a million short texts")
    parser.add_argument("--peers-up-to", type=int, default=100_000, help="texts up to which the peers run")
    parser.add_argument("--ways", nargs="+", choices=WAYS, help="only these anew; other rows of the result stay")
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--case", nargs=3, metavar=("CASE", "WAY", "SIMILARITY"), help="one case alone, printed")
    options = parser.parse_args()
    if options.case:
        case, way, similarity = options.case
        print(json.dumps(one_case(case, way, float(similarity))))
        return
    rows = json.loads(options.output.read_text(encoding="utf-8"))["rows"] if options.ways else []
    for way, case, similarity in product(options.ways or WAYS, CASES, SIMILARITIES):
        count, _ = CASES[case]
        if count > (options.peers_up_to if way in ("datasketch", "rensa") else 10**6 if options.million else 10**5):
            continue
        command = [sys.executable, __file__, "--case", case, way, str(similarity)]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row = {"case": case, "texts": count, "way": way, "similarity": similarity, **json.loads(done.stdout)}
        rows = [other for other in rows if key(other) != key(row)] + [row]
        rows.sort(key=key)
        print(row, f"{time.perf_counter() - began:.0f} s", flush=True)
        write(options.output, rows)


def key(row: dict[str, Any]) -> tuple[int, int, float]:
    return list(WAYS).index(row["way"]), list(CASES).index(row["case"]), row["similarity"]


def write(output: Path, rows: list[dict[str, Any]]) -> None:
    examples = {kind: make(20_000, kind) for kind in ("short", "long")}
    result = {
        "what": "near-duplicates by Jaccard similarity of character 3-grams; CPU seconds with the making of 3-grams",
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "load_at_the_end": round(os.getloadavg()[0], 1),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "scipy", "datasketch", "rensa")},
        },
        "texts": {
            "source": "captions of jsts and jnli, recombined; one in ten a changed copy",
            "mean_characters": {kind: round(sum(map(len, of)) / len(of), 1) for kind, of in examples.items()},
        },
        "rows": rows,
    }
    output.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
