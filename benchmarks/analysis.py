"""All analyses of a large file: `japagen analyze FILE --against GOLD` on 225,000 texts of 200 characters, 25,000 per label.

    python benchmarks/analysis.py [--rows 225000] [--output FILE]

Texts are windows of 200 characters of livedoor news articles (../shared/gold), at a random place of a random article of
their category; the first half of the articles gives the file, the other half 2,434 gold rows. The command runs as a user
runs it, in a process of its own, with an empty cache of sentence vectors: wall time, CPU seconds (of its children too) and
the largest peak of memory of one process; and the same of its stages, by the progress that it logs. The targets are 90 s
and 3 GB on two cores. The result is results/analysis.json.
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
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from japagen.evaluate.gold.livedoor import read_articles
from machine import processor

RESULT = Path(__file__).parent / "results" / "analysis.json"
GOLD = Path(__file__).parents[2] / "shared" / "gold" / "news" / "ldcc-20140209.tar.gz"
LENGTH = 200
GOLD_ROWS = 2434


def write_files(folder: Path, rows: int) -> tuple[Path, Path]:
    rng = random.Random(0)
    halves: list[dict[str, list[str]]] = [defaultdict(list), defaultdict(list)]
    for place, article in enumerate(read_articles(GOLD)):
        text = " ".join(article.text("body").split())
        if len(text) > LENGTH:
            halves[place % 2][article.category].append(text)
    files = []
    for name, articles, count in (("texts", halves[0], rows), ("gold", halves[1], GOLD_ROWS)):
        file = folder / f"{name}.jsonl"
        categories = sorted(articles)
        with file.open("w", encoding="utf-8") as out:
            for number in range(count):
                label = categories[number % len(categories)]
                text = rng.choice(articles[label])
                start = rng.randrange(len(text) - LENGTH + 1)
                row = {"id": f"{name}-{number}", "label": label, "text": text[start : start + LENGTH]}
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        files.append(file)
    return files[0], files[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=225_000)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts, gold = write_files(folder, given.rows)
        command = [sys.executable, "-c", "from japagen.cli import main; main()", "analyze", str(texts)]
        command += ["--against", str(gold), "-o", str(folder / "out")]
        started = time.perf_counter()
        done = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "JAPAGEN_CACHE": str(folder / "cache")},
        )
        steps = []
        for line in done.stderr or ():
            steps.append((round(time.perf_counter() - started, 2), line.strip()))
        if done.wait():
            sys.exit("\n".join(line for _, line in steps[-5:]))
        wall = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        page = (folder / "out" / "report.html").stat().st_size
    found = {
        "machine": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rows": given.rows,
        "characters": LENGTH,
        "gold_rows": GOLD_ROWS,
        "wall_s": round(wall, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(used.ru_maxrss / 1024),
        "report_mb": round(page / 1e6, 2),
        "log": steps,
    }
    given.output.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
