"""Exporting a trained classifier: ONNX, ONNX in int8, OpenVINO, plain Hugging Face; each with a model card.

An export counts once it answers as its original does: both label the same texts, and a label that changed is refused.
The folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from japagen.classifiers import load_run_classifier
from japagen.errors import ConfigError, DataError, ModelError, did_you_mean
from japagen.evaluate.system import with_values
from japagen.export.card import model_card, public_name
from japagen.export.source import Source, Trial, find, trial
from japagen.records import Prediction
from japagen.student import Classifier, load_classifier, saved
from japagen.tables import write_text

if TYPE_CHECKING:
    from japagen.student.decision.record import Decision
    from japagen.student.encoder.classifier import EncoderClassifier

FORMATS = ("onnx", "onnx-int8", "openvino", "hf", "model-card")
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        folder: it lies in.
        format: one of `FORMATS`.
        precision: of the arithmetic: fp32, bf16 or int8; empty for a model card.
        compared: texts on which it was compared with its original; 0 for a model card.
        what: those texts are, e.g. "gold test rows".
        changed: texts whose label changed.
        largest: largest change of a score, or of a value.
        size: of all files, in bytes.
        measure: what `largest` is of: "score", or "value" where predictions are numbers.
    """

    folder: Path
    format: str
    precision: str = ""
    compared: int = 0
    what: str = ""
    changed: int = 0
    largest: float = 0.0
    size: int = 0
    measure: str = "score"


def export(
    path: str | Path,
    to: str,
    *,
    output: str | Path | None = None,
    check: str | Path | None = None,
    max_changed: int = 0,
) -> Exported:
    """Export the classifier that answers for a run, or the one in a folder.

    Args:
        path: a run's folder, or a classifier's own.
        to: one of `FORMATS`.
        output: folder to write, absent or empty; default ``RUN/export/FORMAT``.
        check: file of texts to compare on; default: the run's gold test rows, else its curated texts.
        max_changed: most labels that may change.

    Raises:
        ConfigError: no such format.
        DataError: the folder is not empty, or there are no texts to compare on.
        ModelError: the classifier has no network to export, or more labels changed.
        RunError: no run and no classifier.
        MissingExtra: a package is not installed.
    """
    if to not in FORMATS:
        raise ConfigError(f"no format is called '{to}'", where="--to", remedy=did_you_mean(to, FORMATS))
    source = find(Path(path))
    student = saved.read_about(source.folder)["student"]
    target = Path(output) if output is not None else _default(source, to)
    if to == "model-card":
        with _whole_folder(target) as folder:
            write_text(folder / CARD, model_card(source, Exported(target, to)))
        return Exported(target, to, size=(target / CARD).stat().st_size)
    if student != "encoder":
        ready = student in ("onnx", "openvino")
        raise ModelError(
            "is an export already"
            if ready
            else f"the student '{student}' has no network to export, and needs no torch",
            where=source.folder,
            remedy="export the original" if ready else "ship its folder as it is; a card for it: --to model-card",
        )
    if to == "hf":
        _check_plain(source)
    texts = trial(source, None if check is None else Path(check))
    with _whole_folder(target) as folder:
        found = _write(source, to, folder, texts, max_changed)
        size = sum(file.stat().st_size for file in folder.iterdir())
        compared = (found.precision, len(texts.examples), texts.what, found.changed, found.largest)
        result = Exported(target, to, *compared, size, found.measure)
        write_text(folder / CARD, model_card(source, result))
    return result


@dataclass(frozen=True, slots=True)
class _Compared:
    precision: str
    changed: int
    largest: float
    measure: str


def _check_plain(source: Source) -> None:
    """Refuse what is not one model of transformers before anything is loaded.

    Raises:
        ModelError: it is the mean of several, or of another architecture.
    """
    from japagen.export.huggingface import not_of_transformers
    from japagen.student.encoder.recipe import MULTILINGUAL

    if saved.read_about(source.folder).get("model") == MULTILINGUAL:
        raise not_of_transformers(MULTILINGUAL, source.folder)
    if source.run is not None and source.others:
        raise ModelError(
            f"what answers is an ensemble (train.ensemble), the mean of {1 + len(source.others)} models, and "
            "transformers reads one",
            where=source.run.path,
            remedy=f"export one seed by its folder, e.g. {source.folder}, or the ensemble with --to onnx",
        )


def _write(source: Source, to: str, folder: Path, texts: Trial, max_changed: int) -> _Compared:
    """Write the export and compare it; where it may compute in several precisions, the fastest that changes no more
    labels than it may.
    """
    from japagen.export.onnx import quantise, write_onnx
    from japagen.student.decision.decided import Decided

    if source.run is not None and source.others:
        whole, classifier, decision = load_run_classifier(source.run.path), _mean(source), None
    else:
        whole, classifier, decision = _opened(source.folder)
    if to == "hf":
        from japagen.export.huggingface import name_labels, predict_plainly

        name_labels(classifier)
        (classifier if decision is None else Decided(classifier, decision)).save(folder)
        before = classifier.predict(texts.examples)
        after = predict_plainly(folder, classifier, texts.examples)
        return _accepted(source, "fp32", before, after, texts, max_changed)
    runtime = "openvino" if to == "openvino" else "onnx"
    precisions = {"onnx": ["fp32"], "onnx-int8": ["int8"], "openvino": ["bf16", "fp32"]}[to]
    before = whole.predict(texts.examples)
    if to == "openvino":
        from japagen.export.openvino import write_openvino

        write_openvino(classifier, folder)
    else:
        file = write_onnx(classifier, folder)
        if to == "onnx-int8":
            quantise(file)
    classifier.network.tokeniser.save(folder)  # type: ignore[operator, union-attr]
    for precision in precisions:
        _seal(classifier, decision, folder, runtime, precision)
        after = load_classifier(folder).predict(texts.examples)
        try:
            return _accepted(source, precision, before, after, texts, max_changed)
        except ModelError:
            if precision == precisions[-1]:
                raise
    raise AssertionError("unreachable")


def _opened(folder: Path) -> tuple[Classifier, EncoderClassifier, Decision | None]:
    """The classifier of a folder, the encoder in it, and the decision around that if there is one."""
    from japagen.student.decision.decided import Decided
    from japagen.student.encoder.classifier import EncoderClassifier

    whole = load_classifier(folder)
    inner, decision = (whole.classifier, whole.decision) if isinstance(whole, Decided) else (whole, None)
    if not isinstance(inner, EncoderClassifier):
        raise TypeError(f"no encoder: {type(inner).__name__}")
    return whole, replace(inner, model=public_name(inner.model)), decision


def _mean(source: Source) -> EncoderClassifier:
    """All seeds as one classifier."""
    from japagen.export.mean import mean_classifier

    opened = [_opened(folder) for folder in (source.folder, *source.others)]
    return mean_classifier([encoder for _, encoder, _ in opened], [d for _, _, d in opened], where=source.folder)


def _seal(classifier: EncoderClassifier, decision: Decision | None, folder: Path, runtime: str, precision: str) -> None:
    """Write decision.json, if there is a decision, and classifier.json over what is in the folder."""
    from japagen.student.decision.decided import DIGEST
    from japagen.student.decision.record import write
    from japagen.student.exported.classifier import NETWORKS

    settings: dict[str, Any] = {
        "pair": classifier.pair,
        "values": list(classifier.values) if classifier.values else None,
        "max_length": classifier.max_length,
        "model": classifier.model,
        "revision": classifier.revision,
        "precision": precision,
    }
    if decision is not None:
        settings[DIGEST] = hashlib.sha256(write(decision, folder)).hexdigest()
    saved.seal(folder, runtime, classifier.labels, settings, weights=NETWORKS[runtime])


def _accepted(
    source: Source,
    precision: str,
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    texts: Trial,
    max_changed: int,
) -> _Compared:
    """What the comparison found.

    Raises:
        ModelError: more labels changed than may.
    """
    if (task := source.task) is not None:
        before, after = with_values(task, before), with_values(task, after)
    changed = [example for example, a, b in zip(texts.examples, before, after, strict=True) if a.label != b.label]
    largest, measure = _largest(before, after)
    if len(changed) > max_changed:
        whole = source.run.path if source.run is not None and source.others else source.folder
        original = f"the ensemble of {1 + len(source.others)} seeds" if source.others else "its original"
        exact = "" if precision == "fp32" else "take --to onnx (fp32), or "
        raise ModelError(
            f"the export in {precision} labels {len(changed)} of {len(before)} {texts.what} otherwise than {original}, "
            f"e.g. '{changed[0].id}'",
            where=whole,
            remedy=f"{exact}allow it with --max-changed {len(changed)}",
        )
    return _Compared(precision, len(changed), largest, measure)


def _largest(before: Sequence[Prediction], after: Sequence[Prediction]) -> tuple[float, str]:
    """The largest change of a value, where predictions are numbers, else of a score; and which of the two it is."""
    rows = list(zip(before, after, strict=True))
    values = [abs(a.value - b.value) for a, b in rows if a.value is not None and b.value is not None]
    if len(values) == len(rows):
        return max(values), "value"
    return max(abs(a.scores[label] - b.scores[label]) for a, b in rows for label in a.scores), "score"


def _default(source: Source, to: str) -> Path:
    """``RUN/export/FORMAT``; for a classifier that does not answer for its run, ``RUN/export/FORMAT-STUDENT-seed-N``."""
    if source.run is None or source.trained is None:
        return source.folder / "export" / to
    answers = find(source.run.path)
    same = (answers.trained, answers.others) == (source.trained, source.others)
    name = to if same else f"{to}-{source.trained.student}-seed-{source.trained.seed}"
    return source.run.path / "export" / name


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """A folder to write into; it takes its name once the block has ended well.

    Raises:
        DataError: there is something at its place, or it cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError("is there and not empty", where=target, remedy="remove it, or choose another with --output")
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        if target.exists():
            target.rmdir()
        partial.rename(target)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise DataError(what, where=target, remedy="make room, check permissions, or choose another folder") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


__all__ = ["FORMATS", "Exported", "export"]
