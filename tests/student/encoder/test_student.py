"""The encoder student learns, repeats itself, goes on after any stop, and says what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra 'encoder')")

from japagen.errors import DataError, ModelError  # noqa: E402
from japagen.records import Example  # noqa: E402
from japagen.student import Training, load_classifier, load_student  # noqa: E402
from japagen.student.encoder import loop, student  # noqa: E402
from japagen.student.encoder.checkpoint import Checkpoints  # noqa: E402


def weights(classifier):
    return {name: value.detach().clone() for name, value in classifier.network.state_dict().items()}


def same(first, second, tolerance=0.0):
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=0, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}")


def fit(settings, rows, dev=(), seed=0, **training):
    return load_student("encoder", Training(settings, **training)).fit(rows, dev, seed=seed)


def test_overfits_eight_sentences(settings, singles):
    rows = [row for row in singles if row.id[-1] == "0"][:8]
    classifier = fit(settings(epochs=40, warmup=0.0), rows)
    assert [p.label for p in classifier.predict(rows)] == [row.label for row in rows]
    assert all(max(p.scores.values()) > 0.9 for p in classifier.predict(rows))
    assert classifier.facts["steps"] == 40


@pytest.mark.parametrize("batching", ["bucket", "plain", "tokens"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_learns_in_every_way(settings, singles, batching, precision):
    train, test = singles[::2] + singles[1::4], singles[3::4]
    classifier = fit(settings(batching=batching, precision=precision, epochs=12), train, test)
    assert sum(p.label == e.label for p, e in zip(classifier.predict(test), test, strict=True)) >= 10
    assert classifier.facts["precision"] == precision


def test_numbers_are_learnt_as_numbers(settings, similar):
    classifier = fit(settings(epochs=30), similar, metric="spearman")
    said = classifier.predict(similar)
    values, gold = [p.value for p in said], [row.value for row in similar]
    assert np.corrcoef(values, gold)[0, 1] > 0.8
    assert classifier.values == (0.0, 1.0, 4.0, 5.0)
    for prediction in said:
        expected = sum(score * float(label) for label, score in prediction.scores.items())
        assert expected == pytest.approx(min(max(prediction.value, 0.0), 5.0))
        assert sum(prediction.scores.values()) == pytest.approx(1)


def test_rows_with_and_without_numbers_are_refused(settings, similar):
    with pytest.raises(DataError, match="has no number, others have one"):
        fit(settings(), [*similar[:9], replace(similar[9], value=None)])


def test_seeds_differ_and_repeat(settings, singles):
    one, again, other = (weights(fit(settings(epochs=2), singles, seed=seed)) for seed in (1, 1, 2))
    same(one, again)
    with pytest.raises(AssertionError):
        same(one, other)


@pytest.mark.parametrize("micro", [1, 3, 7])
def test_micro_batches_give_the_gradient_of_the_batch(tiny_bert, settings, singles, micro, tmp_path):
    calm = still(tiny_bert, tmp_path)
    weighted = [replace(row, weight=1.0 + i % 3) for i, row in enumerate(singles)]
    whole, parts = (fit(settings(model=calm, epochs=2, micro_batch=size), weighted) for size in (None, micro))
    # Adam divides by the root of tiny second moments, which enlarges differences of rounding.
    same(weights(whole), weights(parts), tolerance=2e-4)


def still(tiny_bert: Path, folder: Path) -> str:
    """The small model without dropout: micro-batches drop other units than the whole batch."""
    import shutil

    place = folder / "still"
    shutil.copytree(tiny_bert, place)
    config = json.loads((place / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (place / "config.json").write_text(json.dumps(config))
    return str(place)


def test_a_row_of_weight_two_is_a_row_twice(tiny_bert, settings, singles, tmp_path):
    calm = still(tiny_bert, tmp_path)
    rows = singles[:4]
    given = {"model": calm, "epochs": 3, "batching": "plain"}
    heavy = fit(settings(**given), [replace(row, weight=2.0) for row in rows])
    twice = fit(settings(**given), [*rows, *(replace(row, id=f"{row.id}'") for row in rows)])
    same(weights(heavy), weights(twice), tolerance=2e-4)


# ---- regularisers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"label_smoothing": 0.1},
        {"temporal_ensemble": 1.0},
        {"temporal_ensemble": 1.0, "temporal_threshold": 0.2},
        {"r_drop": 1.0},
    ],
    ids=lambda more: "+".join(more),
)
def test_regularisers_change_the_weights_and_still_learn(settings, singles, more):
    plain = fit(settings(epochs=12), singles)
    regularised = fit(settings(epochs=12, **more), singles)
    assert not torch.equal(
        plain.network.state_dict()["model.classifier.weight"],
        regularised.network.state_dict()["model.classifier.weight"],
    )
    right = sum(p.label == e.label for p, e in zip(regularised.predict(singles), singles, strict=True))
    assert right >= 44


def test_stops_early_with_the_best_weights(settings, singles, monkeypatch):
    scores = iter([0.5, 0.9, 0.6, 0.7, 0.8])
    kept = []

    def score(self, network, *_):
        def measure():
            kept.append({name: value.detach().clone() for name, value in network.state_dict().items()})
            return next(scores)

        return measure

    monkeypatch.setattr(student.EncoderStudent, "_dev_score", score)
    told = []
    classifier = fit(settings(patience=2), singles, singles[:4], say=told.append)
    assert [e["dev"] for e in classifier.facts["epochs"]] == [0.5, 0.9, 0.6, 0.7]
    assert classifier.facts["best_epoch"] == 1
    assert told == ["encoder: no better dev score for 2 epochs; stopped after epoch 4"]
    same(weights(classifier), kept[1])


@pytest.mark.parametrize("metric", ["accuracy", "mcc", "macro_f1"])
def test_dev_is_scored_by_the_tasks_metric(settings, singles, metric):
    from japagen import metrics

    classifier = fit(settings(epochs=3), singles[:24], singles[24:], metric=metric)
    said = [p.label for p in classifier.predict(singles[24:])]
    counts = metrics.confusion([row.label for row in singles[24:]], said, classifier.labels)
    assert classifier.facts["epochs"][-1]["dev"] == pytest.approx(float(metrics.METRICS[metric](counts)))


# ---- interruption -------------------------------------------------------------------------------------------------------

WORK = """
import json, sys, torch
from pathlib import Path
from japagen.sections import EncoderSection
from japagen.records import Example
from japagen.student import Training, load_student
torch.set_num_threads(1)
job = json.loads(Path(sys.argv[1]).read_text())
rows = [Example(**row) for row in job["rows"]]
training = Training(EncoderSection(**job["section"]), folder=Path(job["folder"]),
                    on_progress=lambda p: print(p.done, flush=True), say=lambda text: print(text, flush=True))
load_student("encoder", training).fit(rows, rows[:6], seed=3).save(Path(job["out"]))
"""


def test_killed_at_any_step_it_ends_with_the_same_weights(settings, singles, tmp_path):
    section = settings(epochs=4, checkpoint_seconds=0, temporal_ensemble=1.0, patience=3)
    unbroken = fit(section, singles, singles[:6], seed=3)
    rows = [{"id": row.id, "text": row.text, "label": row.label} for row in singles]
    out = tmp_path / "out"
    out.mkdir()
    job = {"rows": rows, "section": section.model_dump(), "folder": str(tmp_path / "kept"), "out": str(out)}
    (tmp_path / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-c", WORK, str(tmp_path / "job.json")]
    resumed = []
    for stop in (1, 9, 17, 23):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if line.startswith("encoder: going on"):
                    resumed.append(line.strip())
                if line.strip().isdigit() and int(line) >= stop:
                    os.kill(process.pid, signal.SIGKILL)
                    break
            process.wait(timeout=60)
        assert process.returncode == -signal.SIGKILL
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert len(resumed) >= 2
    same(weights(load_classifier(out)), weights(unbroken))


def test_a_finished_training_is_not_done_again(settings, singles, tmp_path):
    first = fit(settings(epochs=2), singles, folder=tmp_path)
    steps = []
    again = fit(settings(epochs=2), singles, folder=tmp_path, on_progress=lambda p: steps.append(p.done))
    assert steps == []
    same(weights(first), weights(again))
    assert again.facts == first.facts


@pytest.mark.parametrize("change", ["rows", "settings", "seed"])
def test_a_checkpoint_of_another_training_is_not_used(settings, singles, tmp_path, change):
    fit(settings(epochs=1), singles, folder=tmp_path)
    rows = [replace(singles[0], weight=2.0), *singles[1:]] if change == "rows" else singles
    section = settings(epochs=1, weight_decay=0.02) if change == "settings" else settings(epochs=1)
    seed = 9 if change == "seed" else 0
    steps = []
    fit(section, rows, folder=tmp_path, seed=seed, on_progress=lambda p: steps.append(p.done))
    assert steps == list(range(1, 7))


def test_a_damaged_checkpoint_is_passed_over(settings, singles, tmp_path):
    fit(settings(epochs=1), singles, folder=tmp_path)
    [place] = tmp_path.iterdir()
    (place / "tensors.safetensors").write_bytes(b"rubbish")
    (place / "state.json").write_text("[1")
    assert Checkpoints(tmp_path, "x").newest() is None
    steps = []
    fit(settings(epochs=1), singles, folder=tmp_path, on_progress=lambda p: steps.append(p.done))
    assert len(steps) == 6


# ---- faults -------------------------------------------------------------------------------------------------------------


def test_out_of_memory_halves_the_micro_batch_and_goes_on(settings, singles, monkeypatch, tiny_bert, tmp_path):
    calm = still(tiny_bert, tmp_path)
    expected = weights(fit(settings(model=calm, epochs=1), singles))
    forward = loop.TrainingLoop._loss

    def scarce(self, rows, total):
        if len(rows) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, rows, total)

    monkeypatch.setattr(loop.TrainingLoop, "_loss", scarce)
    told = []
    classifier = fit(settings(model=calm, epochs=1), singles, say=told.append)
    assert told == [
        "encoder: out of memory with 8 rows at a time; going on with 4",
        "encoder: out of memory with 4 rows at a time; going on with 2",
    ]
    assert classifier.facts["micro_batch"] == 2
    same(weights(classifier), expected, tolerance=2e-4)


def test_out_of_memory_with_one_row_is_an_error(settings, singles, monkeypatch):
    def never(self, rows, total):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: 9 bytes")

    monkeypatch.setattr(loop.TrainingLoop, "_loss", never)
    with pytest.raises(ModelError, match=r"(?s)does not suffice for a single row.*max_length"):
        fit(settings(), singles)


def test_other_errors_of_torch_are_not_hidden(settings, singles, monkeypatch):
    def broken(self, rows, total):
        raise RuntimeError("a bug")

    monkeypatch.setattr(loop.TrainingLoop, "_loss", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        fit(settings(), singles)


def test_real_memory_of_the_processor_runs_out_in_words_that_are_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.float32)
    assert loop.is_out_of_memory(caught.value)


def test_a_loss_that_is_no_number_stops_with_step_rows_and_remedy(settings, singles):
    with pytest.raises(ModelError) as caught:
        fit(
            settings(learning_rate=1.0, warmup=0.0, epochs=40, batch_size=2),
            [*singles, Example("x", "本", "angry", weight=1e38)],
        )
    error = str(caught.value)
    assert "is no number at step" in error
    assert "learning_rate" in error
    assert any(row.id in error for row in singles) or "x" in error


def test_progress_is_told_step_by_step(settings, singles):
    seen = []
    fit(settings(epochs=2), singles, on_progress=lambda p: seen.append((p.stage, p.done, p.total)))
    assert seen == [("train", step, 12) for step in range(1, 13)]


def test_two_processes_learn_as_one(settings, singles, tiny_bert, tmp_path):
    calm = still(tiny_bert, tmp_path)
    given = {"model": calm, "epochs": 2, "temporal_ensemble": 1.0, "batch_size": 7}
    alone = fit(settings(**given), singles)
    together = fit(settings(**given, devices=2), singles)
    same(weights(alone), weights(together), tolerance=2e-4)


def test_an_error_in_one_of_several_processes_is_told(settings, singles, tmp_path):
    with pytest.raises(ModelError, match=r"(?s)train.encoder.model: there is no folder './absent'.*use-multilingual"):
        fit(settings(model="./absent", devices=2), singles)


def test_threads_are_put_back(settings, singles):
    before = torch.get_num_threads()
    fit(settings(epochs=1, threads=2), singles)
    assert torch.get_num_threads() == before


def test_processes_end_with_the_one_that_asked_for_them(settings, singles, tmp_path):
    section = settings(epochs=1000, checkpoint_seconds=0, devices=2)
    rows = [{"id": row.id, "text": row.text, "label": row.label} for row in singles]
    job = {"rows": rows, "section": section.model_dump(), "folder": str(tmp_path / "kept"), "out": str(tmp_path)}
    (tmp_path / "job.json").write_text(json.dumps(job))
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(tmp_path / "job.json")], stdout=subprocess.DEVNULL
    ) as process:
        wait_for(lambda: list((tmp_path / "kept").glob("step-*[0-9]")))
        process.kill()

    def workers():
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = place.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"japagen.student.encoder.launch" in words and str(process.pid).encode() in words:
                found.append(place)
        return found

    wait_for(lambda: not workers())


def wait_for(what, seconds=60.0):
    """Until something is so; an error if it is not in a long while."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


# ---- faults of files ----------------------------------------------------------------------------------------------------


def test_another_model_in_the_same_folder_begins_anew(tiny_bert, settings, singles, tmp_path):
    calm = still(tiny_bert, tmp_path)
    fit(settings(model=calm, epochs=1), singles, folder=tmp_path / "kept")
    config = json.loads((Path(calm) / "config.json").read_text())
    (Path(calm) / "config.json").write_text(json.dumps(config | {"hidden_dropout_prob": 0.3}))
    steps = []
    fit(settings(model=calm, epochs=1), singles, folder=tmp_path / "kept", on_progress=lambda p: steps.append(p.done))
    assert len(steps) == 6


@pytest.mark.parametrize(
    "change",
    [{"step": 1000000}, {"step": -1}, {"facts": {}}, {"seal": None}, {"facts": {"history": {}, "losses": "x"}}],
    ids=str,
)
def test_a_checkpoint_that_was_changed_is_passed_over(settings, singles, tmp_path, change):
    fit(settings(epochs=1), singles, folder=tmp_path)
    [place] = tmp_path.iterdir()
    state = json.loads((place / "state.json").read_text())
    (place / "state.json").write_text(json.dumps({**state, **change}))
    steps = []
    fit(settings(epochs=1), singles, folder=tmp_path, on_progress=lambda p: steps.append(p.done))
    assert len(steps) == 6


def test_a_flipped_bit_in_a_checkpoint_is_noticed(settings, singles, tmp_path):
    fit(settings(epochs=1), singles, folder=tmp_path)
    [file] = tmp_path.glob("*/tensors.safetensors")
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    steps = []
    fit(settings(epochs=1), singles, folder=tmp_path, on_progress=lambda p: steps.append(p.done))
    assert len(steps) == 6


def test_a_checkpoint_that_cannot_be_written_does_not_stop_the_training(settings, singles, tmp_path):
    (tmp_path / "kept").write_text("a file where the folder should be")
    told = []
    classifier = fit(settings(epochs=1, checkpoint_seconds=0), singles, folder=tmp_path / "kept", say=told.append)
    assert classifier.facts["steps"] == 6
    assert all("could not be written" in line for line in told)
    assert told


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_weights_that_cannot_be_are_refused(settings, singles, weight):
    with pytest.raises(DataError, match="the weight is"):
        fit(settings(epochs=1), [replace(singles[0], weight=weight), *singles[1:]])


def test_a_threshold_that_leaves_no_row_is_an_error(settings, singles):
    with pytest.raises(ModelError, match=r"(?s)leaves out all 48 rows.*temporal_threshold"):
        fit(settings(epochs=3, temporal_ensemble=1.0, temporal_threshold=0.999), singles)


@pytest.mark.parametrize("damage", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_do_not_answer(settings, singles, tmp_path, damage):
    classifier = fit(settings(epochs=1), singles)
    with torch.no_grad():
        classifier.network.model.classifier.weight[0, 0] = damage
    classifier.save(tmp_path)
    with pytest.raises(ModelError, match="what is no number"):
        load_classifier(tmp_path).predict(singles)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": ["a", "a"]}, "not distinct"),
        ({"max_length": 0}, "'max_length'"),
        ({"max_length": True}, "'max_length'"),
        ({"max_length": 10**30}, "'max_length'"),
        ({"values": [10**400, 1]}, "'values'"),
        ({"values": [float("nan"), 1]}, "'values'"),
        ({"files": {"../x": "0"}}, "outside its folder"),
        ({"files": {"a\0b": "0"}}, "outside its folder"),
        ({"files": {}}, "is no file of this classifier"),
        ({"files": {"absent.txt": "0"}}, "cannot be read"),
    ],
    ids=str,
)
def test_a_tampered_folder_is_refused(settings, singles, tmp_path, change, words):
    fit(settings(epochs=1), singles).save(tmp_path)
    file = tmp_path / "classifier.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(ModelError, match=words):
        load_classifier(tmp_path)


def test_a_strangers_file_in_the_folder_is_refused(settings, singles, tmp_path):
    fit(settings(epochs=1), singles).save(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json: is no file of this classifier"):
        load_classifier(tmp_path)
