"""Labels per CPU second: transformers' Trainer.predict beside japagen's ways to run the same network, one thread.

    python benchmarks/student_inference.py [--small] [--rounds 3]

A BERT of 4 layers, 256 wide, and one of BERT-base's size, with random weights and a WordPiece vocabulary trained on the
rows themselves, label real texts of mixed length: captions of JSTS and paragraphs of news, half each, in random order
(../shared/gold; sentences made on the spot where that is absent). Each arm is a process of its own, in turn, several rounds;
medians count.

Trainer.predict:  its defaults: fp32, batches of 8 as they come, padded to the longest of the batch by its collator.
Trainer, padded:  the same with all rows padded to 128 tokens, as transformers' example scripts do by default.
torch:            japagen's EncoderClassifier: rows sorted by length within a budget of positions, fp32.
onnx, onnx-int8, openvino: what `japagen export` writes, run without torch; OpenVINO in bf16 where the machine has it.

"rows_per_cpu_second" is of the network alone, rows tokenised before; "with_tokenising" is from texts to labels, of Trainer
with the tokeniser of transformers. "labels_changed" counts rows whose label differs from Trainer's: with random weights two
labels are often nearly equal, so that it is an upper bound of what a trained network shows. "rss_mb" is the most memory that
the process held. The result is written to results/student_inference.json, of --small nowhere.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import processor
from students import GOLD, SHAPES, made, pairs, write_tokeniser

RESULT = Path(__file__).parent / "results" / "student_inference.json"
TRAINER, PADDED = "Trainer.predict", "Trainer.predict, padded"
ARMS = (TRAINER, PADDED, "torch", "onnx", "onnx-int8", "openvino")
ROWS = {"4x256": 2_000, "base": 400}
MAX_LENGTH = 128
LABELS = [f"label-{n}" for n in range(9)]


def mixed(count: int) -> list[str]:
    """Captions and paragraphs, or made sentences."""
    archive = GOLD / "news" / "ldcc-20140209.tar.gz"
    if not archive.exists():
        return [row["text"] for row in made(count)]
    paragraphs = []
    with tarfile.open(archive) as files:
        for member in files:
            parts = member.name.split("/")
            if len(parts) == 3 and parts[2].startswith(parts[1]) and (content := files.extractfile(member)):
                paragraphs += [line for line in content.read().decode("utf-8").splitlines()[3:] if line.strip()]
    draw = random.Random(0)
    found = [row["text"] for row in pairs(count // 2)] + draw.sample(paragraphs, count - count // 2)
    draw.shuffle(found)
    return found


def prepare(shape: str, folder: Path, rows: list[str]) -> None:
    """The network, saved, and every export of it."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from japagen.export import export
    from japagen.student.encoder.classifier import EncoderClassifier
    from japagen.student.encoder.network import HuggingFaceNetwork
    from japagen.student.encoder.tokens import load_tokeniser

    parts, saved = folder / "parts", folder / "torch"
    parts.mkdir()
    saved.mkdir()
    write_tokeniser(parts, rows, 8_000)
    vocabulary = len((parts / "vocab.txt").read_text(encoding="utf-8").splitlines())
    torch.manual_seed(0)
    network = BertForSequenceClassification(
        BertConfig(vocab_size=vocabulary, num_labels=len(LABELS), initializer_range=0.05, **SHAPES[shape])
    ).eval()
    network.save_pretrained(parts)
    wrapped = HuggingFaceNetwork(network, load_tokeniser(parts))
    EncoderClassifier(wrapped, tuple(LABELS), False, None, MAX_LENGTH, "random").save(saved)
    (folder / "rows.jsonl").write_text("\n".join(json.dumps({"text": row}) for row in rows), encoding="utf-8")
    for to in ("onnx", "onnx-int8", "openvino"):
        export(saved, to, output=folder / to, check=folder / "rows.jsonl", max_changed=len(rows))


def measure(arm: str, folder: Path) -> dict[str, Any]:
    """One arm in this process."""
    lines = (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    wall, cpu, tokenising, labels = (_trainer if arm in (TRAINER, PADDED) else _ours)(arm, folder, texts)
    return {
        "rows_per_cpu_second": len(texts) / cpu,
        "rows_per_second": len(texts) / wall,
        "with_tokenising": len(texts) / (cpu + tokenising),
        "rss_mb": most_memory(),
        "labels": labels,
    }


def most_memory() -> float:
    """In MB; not by getrusage, which counts the process that started this one."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _trainer(arm: str, folder: Path, texts: list[str]) -> tuple[float, float, float, list[int]]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments
    from transformers.utils import logging

    logging.set_verbosity_error()
    torch.set_num_threads(1)
    tokeniser = AutoTokenizer.from_pretrained(folder / "torch")
    model = AutoModelForSequenceClassification.from_pretrained(folder / "torch")
    before = time.process_time()
    padding = "max_length" if arm == PADDED else False
    rows = [dict(tokeniser(text, truncation=True, max_length=MAX_LENGTH, padding=padding)) for text in texts]
    tokenising = time.process_time() - before
    settings = TrainingArguments(str(folder / "trainer"), use_cpu=True, report_to=[], disable_tqdm=True)
    trainer = Trainer(model, settings, processing_class=tokeniser)
    trainer.predict(rows[:16])
    wall, cpu = time.perf_counter(), time.process_time()
    found = trainer.predict(rows).predictions
    return time.perf_counter() - wall, time.process_time() - cpu, tokenising, found.argmax(axis=1).tolist()


def _ours(arm: str, folder: Path, texts: list[str]) -> tuple[float, float, float, list[int]]:
    from japagen.records import Example
    from japagen.student import load_classifier

    if arm == "torch":
        import torch

        torch.set_num_threads(1)
        classifier: Any = load_classifier(folder / arm)
    else:
        from japagen.student.exported.onnx import OnnxClassifier
        from japagen.student.exported.openvino import OpenvinoClassifier

        kind = OpenvinoClassifier if arm == "openvino" else OnnxClassifier
        classifier = kind.load(folder / arm, threads=1)
    rows = [Example(str(n), text, "") for n, text in enumerate(texts)]
    classifier.predict(rows[:16])
    wall, cpu = time.perf_counter(), time.process_time()
    found = classifier.predict(rows)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    tokeniser = classifier.network.tokeniser if arm == "torch" else classifier.tokeniser
    before = time.process_time()
    tokeniser.encode(texts, None, max_length=MAX_LENGTH)
    tokenising = time.process_time() - before
    return wall - tokenising, cpu - tokenising, tokenising, [LABELS.index(p.label) for p in found]


def compare(shape: str, count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Every arm, in turn, at one size."""
    texts = mixed(count)
    found: dict[str, list[dict[str, Any]]] = {arm: [] for arm in ARMS}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    with tempfile.TemporaryDirectory() as place:
        prepare(shape, Path(place), texts)
        for number in range(rounds):
            for arm in ARMS:
                command = [sys.executable, __file__, "--arm", arm, "--folder", place]
                done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
                if done.returncode:
                    raise SystemExit(done.stderr)
                found[arm].append(json.loads(done.stdout.splitlines()[-1]))
                speed = found[arm][-1]["rows_per_cpu_second"]
                print(f"{shape:6} round {number} {arm:24} {speed:8.0f} rows per CPU second", flush=True)
    first = found[TRAINER]
    result = {}
    for arm, rows in found.items():
        names = [name for name in rows[0] if name != "labels"]
        told = {name: round(statistics.median(row[name] for row in rows), 1) for name in names}
        for ratio, name in (("times_trainer", "rows_per_cpu_second"), ("times_with_tokenising", "with_tokenising")):
            told[ratio] = round(statistics.median(a[name] / b[name] for a, b in zip(rows, first, strict=True)), 2)
        told["labels_changed"] = sum(a != b for a, b in zip(rows[0]["labels"], first[0]["labels"], strict=True))
        result[arm] = told
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="4x256 alone, few rows, one round; nothing is written")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--arm", choices=ARMS, help="measure this one and print it (each runs in its own process)")
    parser.add_argument("--folder", type=Path, help="of the networks, for --arm")
    options = parser.parse_args()
    if options.arm:
        print(json.dumps(measure(options.arm, options.folder)))
        return
    if options.small:
        print(json.dumps(compare("4x256", 400, 1), indent=1))
        return
    sizes = {shape: compare(shape, count, options.rounds) for shape, count in ROWS.items()}
    packages = ("torch", "transformers", "onnxruntime", "openvino", "japagen")
    result = {
        "what": "rows labelled per CPU second on one thread, medians of rounds taken in turn; ratios round by round",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "threads": 1},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "rows": ROWS,
        "rounds": options.rounds,
        "sizes": sizes,
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(sizes, indent=1))


if __name__ == "__main__":
    main()
