"""Fine-tuning beside transformers' Trainer: the same network, weights, rows and seeds, batches of 32, one thread.

    python benchmarks/students.py [--small] [--gpu]

A BERT of 4 layers, 256 wide, with random weights and a WordPiece vocabulary trained on the rows themselves. Each arm is a
process of its own, and for each seed they train one after the other, so that a busy machine is busy for all. Samples per
CPU second are those of training alone: rows are tokenised before, by the same tokeniser for all. The loss is measured
after training, by the same code in fp32, on training rows and on rows that were not seen.

Trainer, padded:    fp32, all rows padded to 128 tokens, as in its example scripts (and so in those of JGLUE).
Trainer, defaults:  fp32, rows drawn at random, padded to the longest of the batch by its default collator.
Trainer, best:      bf16, group_by_length, dynamic padding, fused AdamW; no worker processes or pinned memory, no logs.
japagen:            buckets of like length with 32 rows each; or as many rows as fit 32 rows of mean length.
Batch, epochs, learning rate, warm-up and decay are the same for all, and no arm writes checkpoints.

Rows: sentences of news in 9 classes (free text, uneven lengths), and for speed alone titles of news (about 20 tokens) and
the pairs of JSTS with their numbers, all from ../shared/gold; sentences made on the spot where that is absent. There are
6,400, because group_by_length sorts 50 batches at a time only where there are four times as many; an arm trains on 50
batches of them, which is one such sorting. Speed is in tokens over the mean length, for batches differ in their lengths.

With --gpu, where there is one: a network of BERT-base's size, tokens/s and model FLOP utilisation (6 operations per weight
of the layers and token, and 12 x layers x width x length for attention; padding does not count). That part has run on
no GPU yet. The result is written to results/students.json, that of --gpu to students_gpu.json, that of --small nowhere.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from machine import processor

HERE = Path(__file__).parent
GOLD = HERE.parent.parent / "shared" / "gold"
BATCH = 32
MAX_LENGTH = 128
LEARNING_RATE = 1e-3  # random weights learn nothing in so few steps at the 5e-5 of pretrained ones
ROWS = 6_400
EVALUATED = 400
PEAK_TFLOPS = {"H200": 989, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "A10": 125, "4090": 165, "3090": 71}
"""Dense bf16 of GPUs, as their makers say."""

SHAPES = {
    "4x256": {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
}


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to train.

    Attributes:
        name: in the result.
        ours: by japagen; otherwise by Trainer.
        precision: "fp32" or "bf16".
        batching: of ours "bucket" or "tokens"; of Trainer "padded", "random" or "group_by_length".
        steps: most of them; where they are fewer than those of others, its loss is not compared.
    """

    name: str
    ours: bool
    precision: str
    batching: str
    steps: int | None = None


ARMS = [
    Arm("Trainer, padded to 128", False, "fp32", "padded", steps=4),
    Arm("Trainer, defaults", False, "fp32", "random"),
    Arm("Trainer, best", False, "bf16", "group_by_length"),
    Arm("japagen, fp32, buckets", True, "fp32", "bucket"),
    Arm("japagen, bf16, buckets", True, "bf16", "bucket"),
    Arm("japagen, bf16, token budget", True, "bf16", "tokens"),
]


# ---- rows ------------------------------------------------------------------------------------------------------------


def news(part: str, count: int) -> list[dict[str, Any]]:
    """Titles or sentences of news with their classes, or made sentences."""
    archive = GOLD / "news" / "ldcc-20140209.tar.gz"
    if not archive.exists():
        return made(count)
    found = []
    with tarfile.open(archive) as files:
        for member in files:
            path = member.name.split("/")
            if len(path) != 3 or not path[2].startswith(path[1]) or (content := files.extractfile(member)) is None:
                continue
            _, _, title, *body = content.read().decode("utf-8").splitlines()
            cut = (text.strip() for line in body for text in re.split("(?<=。)", line))
            texts = [title] if part == "titles" else [text for text in cut if len(text) > 3]
            found += [{"text": text, "pair": None, "target": path[1]} for text in texts]
    random.Random(0).shuffle(found)
    classes = sorted({row["target"] for row in found})
    return [{**row, "target": classes.index(row["target"])} for row in found[:count]]


def pairs(count: int) -> list[dict[str, Any]]:
    """Pairs of captions with their similarity, or pairs of made sentences."""
    file = GOLD / "jsts" / "train-v1.3.json"
    if not file.exists():
        rows = made(2 * count)
        both = zip(rows[::2], rows[1::2], strict=True)
        return [{"text": a["text"], "pair": b["text"], "target": float(a["target"] == b["target"])} for a, b in both]
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    random.Random(0).shuffle(rows)
    return [{"text": r["sentence1"], "pair": r["sentence2"], "target": float(r["label"])} for r in rows[:count]]


def made(count: int) -> list[dict[str, Any]]:
    """Sentences of two classes, made of parts, of 5 to 40 tokens."""
    draw = random.Random(0)
    words = ["店", "宿", "本", "靴", "駅", "茶", "部屋", "料理", "窓", "道"]
    sayings = (["がとても良くて", "に満足したので", "がうれしくて"], ["がひどくて", "に失望したので", "が壊れていて"])
    rows = []
    for number in range(count):
        label = number % 2
        parts = [draw.choice(words) + draw.choice(sayings[label]) for _ in range(draw.randint(1, 7))]
        rows.append({"text": "、".join(parts) + "帰りました。", "pair": None, "target": label})
    return rows


def write_tokeniser(folder: Path, texts: list[str], size: int) -> None:
    """A tokeniser of BERT's Japanese kind: MeCab, and a WordPiece vocabulary trained on the texts."""
    from fugashi import Tagger
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import BertJapaneseTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tagger = Tagger("-Owakati")
    trained = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    trained.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    trained.train_from_iterator((tagger.parse(text) for text in texts), trainer)
    vocabulary = trained.get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)), encoding="utf-8")
    BertJapaneseTokenizer(
        str(folder / "vocab.txt"),
        word_tokenizer_type="mecab",
        subword_tokenizer_type="wordpiece",
        mecab_kwargs={"mecab_dic": "unidic_lite"},
    ).save_pretrained(folder)


# ---- one arm, in its own process -------------------------------------------------------------------------------------


class Bench:
    """The rows, tokenised, and what trains on them.

    Args:
        folder: with the tokeniser and rows.json.
        shape: of the network, see `SHAPES`.
    """

    def __init__(self, folder: Path, shape: str) -> None:
        import numpy as np
        import torch

        from japagen.student.encoder.inference import Feed, device
        from japagen.student.encoder.tokens import load_tokeniser

        self.folder, self.shape, self.device = folder, shape, device()
        if self.device.type == "cpu":
            torch.set_num_threads(1)
        rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        self.steps: int = rows["steps"]
        self.tokeniser = load_tokeniser(folder)
        self.feeds, self.targets = {}, {}
        for part in ("train", "dev"):
            second = [row["pair"] for row in rows[part]]
            tokens = self.tokeniser.encode(
                [row["text"] for row in rows[part]], second if second[0] else None, max_length=MAX_LENGTH
            )
            self.feeds[part] = Feed(self.tokeniser, tokens)
            self.targets[part] = np.array([row["target"] for row in rows[part]])
        self.outputs = 1 if self.targets["train"].dtype.kind == "f" else int(self.targets["train"].max()) + 1

    def network(self, seed: int) -> Any:
        """The network with the seed's first weights, the same for every arm."""
        import torch
        from transformers import BertConfig, BertForSequenceClassification

        from japagen.student.encoder.network import HuggingFaceNetwork

        torch.manual_seed(seed)
        words = sum(1 for _ in (self.folder / "vocab.txt").open(encoding="utf-8"))
        config = BertConfig(vocab_size=words, num_labels=self.outputs, **SHAPES[self.shape])
        if self.outputs == 1:
            config.problem_type = "regression"
        return HuggingFaceNetwork(BertForSequenceClassification(config), self.tokeniser).to(self.device)

    def measure(self, arm: Arm, seed: int) -> dict[str, Any]:
        """Train once; speed, padding and losses."""
        import numpy as np

        from japagen.student.encoder.inference import autocast

        network = self.network(seed)
        steps = min(self.steps, arm.steps or self.steps)
        train = self.ours(arm, network, seed, steps) if arm.ours else self.trainer(arm, network, seed, steps)
        with autocast(self.device, arm.precision):  # once outside of what is measured: libraries make ready
            loss = network(**self.feeds["train"].inputs(np.arange(BATCH), self.device)).sum()
        loss.backward()
        network.zero_grad()
        self.wait()
        wall, cpu = time.perf_counter(), cpu_seconds()
        tokens, positions = train()
        self.wait()
        wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
        rows = tokens / float(self.feeds["train"].lengths.mean())
        found: dict[str, Any] = {
            "seed": seed,
            "steps": steps,
            "rows": rows,
            "cpu_seconds": cpu,
            "wall_seconds": wall,
            "rows_per_cpu_second": rows / cpu,
            "rows_per_second": rows / wall,
            "tokens_per_second": tokens / wall,
            "padding": 1 - tokens / positions,
        }
        if steps == self.steps:
            found |= {f"{part}_loss": self.loss(network, part) for part in ("train", "dev")}
        if self.device.type == "cuda":
            found |= self.utilisation(network, tokens, wall)
        return found

    def wait(self) -> None:
        """Until a GPU has done what it was told."""
        import torch

        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def ours(self, arm: Arm, network: Any, seed: int, steps: int) -> Any:
        """Our training; returns tokens and positions that were computed."""
        import numpy as np

        from japagen.sections import EncoderSection
        from japagen.student.encoder.dropout import use_cheap_dropout
        from japagen.student.encoder.loop import Rows, TrainingLoop
        from japagen.student.encoder.recipe import Recipe

        section = EncoderSection(
            batch_size=BATCH, epochs=1, learning_rate=LEARNING_RATE, batching=arm.batching, temporal_ensemble=0
        )
        feed, targets = self.feeds["train"], self.targets["train"]
        targets = targets.astype(np.float32 if self.outputs == 1 else np.int64)
        rows = Rows(feed, targets, np.ones(len(targets), np.float32), [str(i) for i in range(len(targets))])
        if self.device.type == "cpu":  # as EncoderStudent does
            use_cheap_dropout(network)
            if arm.precision == "bf16":
                network.model.set_attn_implementation("eager")
        recipe = Recipe(section, 1, LEARNING_RATE, LEARNING_RATE, MAX_LENGTH)
        training = TrainingLoop(network, rows, recipe, seed, arm.precision, network.head)

        del training._plan[steps:]

        def run() -> tuple[int, int]:
            training.run()
            cut = [feed.lengths[batch] for _, batch in training._plan]
            return sum(int(each.sum()) for each in cut), sum(len(each) * int(each.max()) for each in cut)

        return run

    def trainer(self, arm: Arm, network: Any, seed: int, steps: int) -> Any:
        """Trainer's training; returns tokens and positions that were computed."""
        from transformers import BertJapaneseTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments
        from transformers.utils import logging

        from japagen.student.encoder.firsttoken import compute_every_token

        compute_every_token(network.model)  # as the library has it
        logging.set_verbosity_error()
        feed = self.feeds["train"]
        width = MAX_LENGTH if arm.batching == "padded" else 0
        rows = [self.row(i, width) for i in range(len(feed.lengths))]
        tokeniser = BertJapaneseTokenizer.from_pretrained(self.folder)
        collate, seen = DataCollatorWithPadding(tokeniser), [0, 0]

        def counted(features: list[dict[str, Any]]) -> Any:
            inputs = collate(features)
            seen[0] += int(inputs["attention_mask"].sum())
            seen[1] += inputs["attention_mask"].numel()
            return inputs

        best = {
            "bf16": arm.precision == "bf16",
            "train_sampling_strategy": "group_by_length",
            "dataloader_pin_memory": self.device.type == "cuda",
            "optim": "adamw_torch_fused",
            "logging_strategy": "no",
        }
        arguments = TrainingArguments(
            output_dir=str(self.folder / "trainer"),
            per_device_train_batch_size=BATCH,
            max_steps=steps,
            learning_rate=LEARNING_RATE,
            weight_decay=0.01,
            warmup_steps=0.1,
            seed=seed,
            use_cpu=self.device.type == "cpu",
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            **(best if arm.batching == "group_by_length" else {}),
        )
        made = Trainer(network.model, arguments, data_collator=counted, train_dataset=rows)

        def run() -> tuple[int, int]:
            made.train()
            return seen[0], seen[1]

        return run

    def row(self, i: int, width: int) -> dict[str, Any]:
        """A row as Trainer takes it, padded to a width."""
        import numpy as np

        inputs = {name: array[0] for name, array in self.tokeniser.collate(self.feeds["train"].tokens, [i]).items()}
        inputs = {name: np.pad(array, (0, max(0, width - len(array)))).tolist() for name, array in inputs.items()}
        return {**inputs, "labels": self.targets["train"][i].item()}

    def loss(self, network: Any, part: str) -> float:
        """Mean loss of the first rows of a part, in fp32."""
        import numpy as np
        import torch
        from torch.nn import functional

        from japagen.student.encoder.inference import Feed, infer

        feed, targets = self.feeds[part], self.targets[part][:EVALUATED]
        tokens = replace(feed.tokens, starts=feed.tokens.starts[: len(targets) + 1])
        outputs = torch.from_numpy(infer(network, Feed(self.tokeniser, tokens)))
        if self.outputs == 1:
            return float(np.square(outputs[:, 0].numpy() - targets).mean())
        return float(functional.cross_entropy(outputs, torch.from_numpy(targets)))

    def utilisation(self, network: Any, tokens: float, seconds: float) -> dict[str, Any]:
        """Model FLOP utilisation of a GPU; null where its peak is not known here."""
        import torch

        name, shape = torch.cuda.get_device_name(), SHAPES[self.shape]
        peak = next((tera for key, tera in PEAK_TFLOPS.items() if key in name), None)
        weights = sum(p.numel() for n, p in network.named_parameters() if ".layer." in n)
        lengths = self.feeds["train"].lengths
        seen = float((lengths.astype(float) ** 2).sum() / lengths.sum())  # positions that a mean token attends to
        each = 6 * weights + 12 * shape["num_hidden_layers"] * shape["hidden_size"] * seen
        used = each * tokens / seconds / 1e12
        return {"gpu": name, "model_tflops": used, "model_flop_utilisation": used / peak if peak else None}


def cpu_seconds() -> float:
    """Of this process and of those it ended."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def serve(number: int, folder: Path, shape: str) -> None:
    """Measure one arm for each seed that comes in."""
    bench = Bench(folder, shape)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(bench.measure(ARMS[number], int(line))), flush=True)


# ---- all arms in turn ------------------------------------------------------------------------------------------------


def compare(
    rows: list[dict[str, Any]], arms: list[int], *, steps: int, seeds: int, shape: str, words: int
) -> list[dict[str, Any]]:
    """Every arm for every seed, in turn."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        texts = [text for row in rows for text in (row["text"], row["pair"]) if text]
        write_tokeniser(folder, texts, words)
        parts = {"train": rows[:-EVALUATED], "dev": rows[-EVALUATED:], "steps": steps}
        (folder / "rows.json").write_text(json.dumps(parts), encoding="utf-8")
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        served = []
        try:
            for number in arms:
                command = [sys.executable, __file__, "--arm", str(number), "--folder", place, "--shape", shape]
                served.append(
                    subprocess.Popen(
                        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | threads
                    )
                )
                answer(served[-1], "ready")  # one starts after the other, and none while others are measured
            found: list[list[dict[str, Any]]] = [[] for _ in arms]
            for seed in range(seeds):
                for number, process, runs in zip(arms, served, found, strict=True):
                    assert process.stdin
                    process.stdin.write(f"{seed}\n")
                    process.stdin.flush()
                    runs.append(json.loads(answer(process, '{"')))
                    told = ", ".join(
                        f"{key} {value:.3f}" for key, value in runs[-1].items() if isinstance(value, float)
                    )
                    print(f"{ARMS[number].name}, seed {seed}: {told}", flush=True)
        finally:
            for process in served:
                process.communicate()  # its input ends, and so does it
    return [summary(ARMS[number], runs) for number, runs in zip(arms, found, strict=True)]


def answer(process: subprocess.Popen[str], begin: str) -> str:
    """The next line of a process that begins so; libraries may print others.

    Raises:
        RuntimeError: it ended.
    """
    output: IO[str] | None = process.stdout
    assert output
    for line in output:
        if line.startswith(begin):
            return line
    raise RuntimeError(f"an arm ended with {process.wait()}")


def summary(arm: Arm, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds, and every seed's own figures."""
    seconds = {key: sum(run[key] for run in runs) for key in ("rows", "cpu_seconds", "wall_seconds")}
    made: dict[str, Any] = {
        "arm": arm.name,
        "rows_per_cpu_second": seconds["rows"] / seconds["cpu_seconds"],
        "rows_per_second": seconds["rows"] / seconds["wall_seconds"],
        "padding": statistics.mean(run["padding"] for run in runs),
    }
    for part in ("train_loss", "dev_loss"):
        if part in runs[0]:
            losses = [run[part] for run in runs]
            made[part] = statistics.mean(losses)
            made[f"{part}_sd_of_seeds"] = statistics.stdev(losses) if len(losses) > 1 else None
    return {**made, "seeds": runs}


def ratios(arms: list[dict[str, Any]], key: str) -> dict[str, dict[str, float]]:
    """Speed of each of ours over each of Trainer's."""
    ours = [arm for arm in arms if arm["arm"].startswith("japagen")]
    theirs = [arm for arm in arms if arm["arm"].startswith("Trainer")]
    return {one["arm"]: {other["arm"]: round(one[key] / other[key], 2) for other in theirs} for one in ours}


def rounded(value: Any) -> Any:
    """Floats to four significant digits."""
    match value:
        case dict():
            return {key: rounded(each) for key, each in value.items()}
        case list():
            return [rounded(each) for each in value]
        case float():
            return float(f"{value:.4g}")
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a try: few rows, one seed, nothing written")
    parser.add_argument(
        "--gpu", action="store_true", help="BERT-base's size on a GPU; does nothing where there is none"
    )
    parser.add_argument("--arm", type=int, choices=range(len(ARMS)), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--shape", choices=SHAPES, default="4x256", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.arm is not None:
        serve(options.arm, options.folder, options.shape)
        return
    if options.gpu:
        import torch

        if not torch.cuda.is_available():
            print("no GPU here: nothing measured")
            return
        size: dict[str, Any] = {"steps": 150, "seeds": 3, "shape": "base", "words": 30_000}
        data, key = {"sentences": [1, 2, 4, 5], "titles": [2, 4], "pairs": [2, 4]}, "rows_per_second"
    else:
        size = {"steps": 50, "seeds": 3, "shape": "4x256", "words": 8_000}
        if options.small:
            size |= {"steps": 5, "seeds": 1}
        data = {"sentences": list(range(len(ARMS))), "titles": [1, 2, 4], "pairs": [1, 2, 4]}
        key = "rows_per_cpu_second"
    result: dict[str, Any] = {
        "what": __doc__.splitlines()[0] if __doc__ else "",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in ("japagen", "torch", "transformers", "accelerate")}
        | {"python": platform.python_version()},
        "batch": BATCH,
        "learning_rate": LEARNING_RATE,
        "size": size,
        "gold": GOLD.exists(),
        "rows": ROWS,
    }
    for name, arms in data.items():
        rows = pairs(ROWS + EVALUATED) if name == "pairs" else news(name, ROWS + EVALUATED)
        alone = {} if name == "sentences" or options.gpu else {"seeds": 1}
        found = compare(rows, arms, **{**size, **alone})
        result[name] = rounded({"arms": found, "times_trainer": ratios(found, key)})
        print(json.dumps(result[name]["times_trainer"], indent=1), flush=True)
    if not options.small:
        file = HERE / "results" / ("students_gpu.json" if options.gpu else "students.json")
        file.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
