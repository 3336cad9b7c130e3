"""Whether a curve through small sizes foretells the score of large ones: JSTS, and simulated curves whose truth is known.

    export OPENBLAS_NUM_THREADS=1
    python benchmarks/quality/scaling.py [--seeds 5] [--curves 300] [--only-simulated]

jsts       Human rows stand in for synthetic ones: students learn from nested parts of train (without the images of valid),
           Spearman on valid. A curve through 200 to 3,200 rows foretells the score with all rows, which is then measured;
           where its sizes differ by less than chance (shape), the report foretells nothing.
band       Curves .85 - b n^-c with chance of seeds and of 1,000 test rows: how often the 95 % band holds the true score at
           the largest size and at twice that, and the interval of the gain the true gain; mean absolute error at twice.
worth      The same beside a gold curve: how often the interval holds the true number of gold labels, and how often it is
           said to lie beyond the most that were measured.
stop rule  Doublings from 200 rows to 25,600, epsilon .005: where it stops, and how much below the score of all rows, beside
           a rule that goes by the best curve alone.

Gold data are read from ../shared/gold. The result is written to benchmarks/results/quality_scaling.json; --only-simulated
keeps what it holds of JSTS.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from japagen.analyze.scaling import expected_gain, points_of, scaling
from japagen.evaluate.sizes import SizeTrainings, nested, told_sizes
from japagen.experiment import Experiment
from japagen.groups import IMAGE, images_of
from japagen.metrics import spearman
from japagen.progress import Progress
from japagen.records import Example
from japagen.task import Task

sys.path.append(str(Path(__file__).parents[1]))
from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_scaling.json"
GOLD = ROOT.parent / "shared" / "gold"
SIZES = (200, 400, 800, 1600, 3200)
LABELS = (30, 60, 120, 240)
TEST_ROWS = 1000
CURVES = {"early": (20.0, 1.0), "usual": (2.0, 0.5), "slow": (1.0, 0.3)}
CEILING = 0.85
GOLD_CEILING, GOLD_DROP = 0.9, 1.2
EPSILON = 0.005
LIMIT = 25_600


def jsts_rows(name: str) -> list[Example]:
    """Rows of a file of JSTS: the label is that of the nearest whole number."""
    rows = [json.loads(line) for line in (GOLD / "jsts" / name).read_text(encoding="utf-8").splitlines()]
    return [
        Example(str(n), row["sentence1"], str(round(row["label"])), row["sentence2"], row["label"], {IMAGE: row[IMAGE]})
        for n, row in enumerate(rows)
    ]


def jsts_curve(student: str, seeds: int) -> dict[str, Any]:
    """Spearman of one student on valid, trained on parts of train and on all of it, as `evaluate` would tell it."""
    task = Task.load("jsts")
    sections = {"train": {"students": [student], "seeds": seeds}, "evaluate": {"sizes": SIZES}}
    experiment = Experiment.model_validate({"name": "scaling", "task": "jsts", **sections})
    test = jsts_rows("valid-v1.3.json")
    seen = set().union(*map(images_of, test))
    rows = [row for row in jsts_rows("train-v1.3.json") if not seen & set(images_of(row))]

    def tell(told: Progress) -> None:
        print(f"{told.item}: {told.done} of {told.total}", file=sys.stderr, flush=True)

    trainings = SizeTrainings(experiment, task, test, on_progress=tell)
    systems, _ = trainings.sizes(rows, SIZES)
    [whole], _ = trainings.arms({"japagen": rows})
    return told_sizes(experiment, task, [*systems, replace(whole, kind="japagen")], test, rows=len(rows))


def overlap_curve(seeds: int) -> dict[str, Any]:
    """The same of a ridge regression on what two captions share: n-grams of characters and words, and their products."""
    import fugashi
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    tagger = fugashi.Tagger("-Owakati")

    def shared(row: Example) -> list[float]:
        found, other = [], row.text_pair or ""
        for a, b in ((row.text, other), (tagger.parse(row.text).split(), tagger.parse(other).split())):
            for n in (1, 2, 3):
                x, y = ({tuple(side[i : i + n]) for i in range(len(side) - n + 1)} for side in (a, b))
                found += [len(x & y) / max(1, size) for size in (len(x | y), len(x), len(y))]
            found += [min(len(a), len(b)) / max(len(a), len(b)), math.log(len(a)), math.log(len(b))]
        return found

    test = jsts_rows("valid-v1.3.json")
    seen = set().union(*map(images_of, test))
    rows = [row for row in jsts_rows("train-v1.3.json") if not seen & set(images_of(row))]
    known = {row.id: shared(row) for row in rows}
    of_test, gold = [shared(row) for row in test], [row.value or 0.0 for row in test]

    def score(part: list[Example]) -> float:
        model = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), Ridge(alpha=10.0))
        model.fit([known[row.id] for row in part], [row.value for row in part])
        return float(spearman(model.predict(of_test), gold))

    orders = [nested(rows, seed=0, number=number) for number in range(seeds)]
    points = []
    for n in (*SIZES, len(rows)):
        by_seed = [score(order[:n]) for order in orders]
        points.append({"n": n, "kind": "size", "score": {"value": float(np.mean(by_seed)), "by_seed": by_seed}})
    zeros = np.zeros((len(points), len(points))).tolist()
    return {"students": [{"student": "ridge on overlaps", "points": points, "covariance": zeros}]}


def jsts(student: str, curve: dict[str, Any]) -> dict[str, Any]:
    """What a curve through all points but the last says of the last."""
    [told] = curve["students"]
    *known, last = told["points"]
    covariance = [line[:-1] for line in told["covariance"][:-1]]
    points = points_of(known, covariance, seed=0)
    n, measured = last["n"], last["score"]["value"]
    draws = [one.at(n) for one in points.curves()]
    fit = points.curve()
    return {
        "student": student,
        "points": [_point(point) for point in told["points"]],
        "ceiling": round(fit.ceiling, 4),
        "exponent": round(fit.exponent, 3),
        "shape": points.shape(EPSILON),
        "foretold": round(fit.at(n), 4),
        "interval": np.quantile(draws, [0.025, 0.975]).round(4).tolist(),
        "measured": round(measured, 4),
        "error": round(fit.at(n) - measured, 4),
    }  # fmt: skip


def _point(told: dict[str, Any]) -> dict[str, Any]:
    by_seed = [round(score, 4) for score in told["score"]["by_seed"]]
    return {"rows": told["n"], "spearman": round(told["score"]["value"], 4), "by_seed": by_seed}


def truth(name: str, n: float) -> float:
    b, c = CURVES[name]
    return CEILING - b * n**-c


def gold_truth(n: float) -> float:
    return GOLD_CEILING - GOLD_DROP * n**-0.5


def seed_noise(n: float) -> float:
    """Standard deviation of one seed: .02 with 200 rows, .005 with 3,200."""
    return 0.02 * math.sqrt(200 / n)


def simulated(name: str, seeds: int, rng: np.random.Generator) -> dict[str, Any]:
    """A curve's scores.json: the test rows move all points, near ones more alike than far ones."""
    sizes = [*SIZES, *LABELS]
    true = [truth(name, n) for n in SIZES] + [gold_truth(n) for n in LABELS]
    kinds = ["size"] * len(SIZES) + ["gold"] * len(LABELS)
    spread = np.sqrt([t * (1 - t) / TEST_ROWS for t in true])
    apart = np.abs(np.subtract.outer(np.log2(sizes), np.log2(sizes)))
    covariance = np.outer(spread, spread) * 0.9 * np.exp(-0.05 * apart)
    means = rng.multivariate_normal(true, covariance, method="cholesky")
    points = []
    for n, kind, mean in zip(sizes, kinds, means, strict=True):
        by_seed = (mean + rng.normal(0, seed_noise(max(n, 200)), seeds)).tolist()
        points.append({"n": n, "kind": kind, "score": {"value": float(np.mean(by_seed)), "by_seed": by_seed}})
    student = {"student": "simulated", "points": points, "covariance": covariance.tolist()}
    return {"sizes": {"rows": SIZES[-1], "metric": "accuracy", "students": [student]}}


def inside(value: float, interval: dict[str, Any]) -> bool:
    return bool(interval["low"] <= value <= interval["high"])


def coverage(name: str, seeds: int, curves: int) -> dict[str, Any]:
    """Band and worth of one kind of curve."""
    rng = np.random.default_rng([seeds, list(CURVES).index(name)])
    last, counts, errors = SIZES[-1], dict.fromkeys(("rising", "last", "twice", "gain", "worth", "beyond"), 0), []
    labels = (GOLD_DROP / (GOLD_CEILING - truth(name, last))) ** 2
    for number in range(curves):
        found = scaling(simulated(name, seeds, rng), epsilon=0.002, seed=number)
        [one] = (found or {})["students"]
        worth = one["worth"][-1]
        low = {"within": worth["low"], "below": 0.0, "above": float(LABELS[-1])}[worth["low_side"]]
        high = {"within": worth["high"], "below": float(LABELS[0]), "above": math.inf}[worth["high_side"]]
        counts["worth"] += low <= labels <= high
        counts["beyond"] += worth["side"] == "above"
        if one["shape"] != "rising":
            continue
        counts["rising"] += 1
        place = min(range(len(one["band"]["n"])), key=lambda i: abs(one["band"]["n"][i] - last))
        band = {key: one["band"][key][place] for key in ("low", "high")}
        counts["last"] += inside(truth(name, one["band"]["n"][place]), band)
        counts["twice"] += inside(truth(name, 2 * last), one["twice"])
        counts["gain"] += inside(truth(name, 2 * last) - truth(name, last), one["twice"]["gain"])
        errors.append(abs(one["twice"]["value"] - truth(name, 2 * last)))
    rising = max(counts["rising"], 1)
    return {
        "curve": name,
        "seeds": seeds,
        "curves": curves,
        "rising": counts["rising"],
        **{f"covered_{key}": round(counts[key] / rising, 3) for key in ("last", "twice", "gain")},
        "mean_absolute_error_twice": round(float(np.mean(errors)), 4),
        "true_labels": round(labels, 1),
        "covered_worth": round(counts["worth"] / curves, 3),
        "said_beyond": round(counts["beyond"] / curves, 3),
    }


def stopped(name: str, seeds: int, curves: int) -> dict[str, Any]:
    """Where the stop rule and a rule by the best curve alone stop, and what is lost against all rows."""
    rng = np.random.default_rng([9, seeds, list(CURVES).index(name)])
    sizes = [200 * 2**k for k in range(8)]
    ends: dict[str, list[int]] = {"rule": [], "best_curve": []}
    for _ in range(curves):
        points: list[dict[str, Any]] = []
        found: dict[str, int] = {}
        for n in sizes:
            by_seed = (truth(name, n) + rng.normal(0, seed_noise(n), seeds)).tolist()
            points.append({"n": n, "kind": "size", "score": {"value": float(np.mean(by_seed)), "by_seed": by_seed}})
            if len(points) < 3:
                continue
            curve = points_of(points, None, seed=0)
            gains = {"rule": expected_gain(curve), "best_curve": curve.curve().gain(n)}
            for rule, gain in gains.items():
                if gain < EPSILON:
                    found.setdefault(rule, n)
        for rule in ends:
            ends[rule].append(found.get(rule, sizes[-1]))
    ideal = next((n for n in sizes[2:] if truth(name, 2 * n) - truth(name, n) < EPSILON), sizes[-1])
    told: dict[str, Any] = {"curve": name, "seeds": seeds, "curves": curves, "ideal": ideal}
    for rule, given in ends.items():
        told[f"{rule}_median"] = int(np.median(given))
        told[f"{rule}_lost"] = round(float(np.mean([truth(name, LIMIT) - truth(name, n) for n in given])), 4)
        told[f"{rule}_too_early"] = round(float(np.mean([n < ideal for n in given])), 3)
    told["ideal_lost"] = round(truth(name, LIMIT) - truth(name, ideal), 4)
    return told


def checks(found: dict[str, Any]) -> list[dict[str, Any]]:
    listed = [
        {
            "check": f"JSTS, {one['student']}: a curve through n <= 3,200 foretells {one['points'][-1]['rows']:,} rows",
            "wanted": "within .01",
            "found": one["error"],
            "met": abs(one["error"]) <= 0.01,
        }
        for one in found["jsts"]
        if one["shape"] == "rising"  # of all others nothing is foretold
    ]
    for one in found["band"]:
        for key in ("covered_last", "covered_twice", "covered_gain", "covered_worth"):
            told = {"check": f"{one['curve']}, {one['seeds']} seeds: {key}", "wanted": ">= .9", "found": one[key]}
            listed.append(told | {"met": one[key] >= 0.9})
    return listed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--curves", type=int, default=300)
    parser.add_argument("--only-simulated", action="store_true")
    options = parser.parse_args()
    started = time.process_time()
    before = json.loads(RESULT.read_text(encoding="utf-8")) if options.only_simulated and RESULT.is_file() else {}
    found: dict[str, Any] = {"jsts": before.get("jsts", [])}
    if not options.only_simulated:
        found["jsts"] = [jsts("ridge on overlaps", overlap_curve(options.seeds))]
        found["jsts"] += [jsts(name, jsts_curve(name, options.seeds)) for name in ("embedding", "linear")]
    found["band"] = [coverage(name, seeds, options.curves) for name in CURVES for seeds in (3, 5)]
    found["stop_rule"] = [stopped(name, seeds, options.curves // 5) for name in CURVES for seeds in (3, 5)]
    result = {
        "what": "learning curves a - b n^-c: what is foretold beside what is measured or true",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in ("japagen", "numpy", "scikit-learn")}
        | {"python": platform.python_version()},
        "cpu_seconds": round(time.process_time() - started) + before.get("cpu_seconds", 0),
        "checks": checks(found),
        **found,
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for row in (*found["band"], *found["stop_rule"], *result["checks"]):
        print(row)


if __name__ == "__main__":
    main()
