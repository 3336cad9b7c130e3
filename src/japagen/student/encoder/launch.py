"""A training shared by several GPUs: torchrun starts one process for each, all on this machine.

Run by torchrun, this module is one such process: it reads the job, trains with the others, and the first one saves the
classifier.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import distributed

from japagen.errors import ModelError
from japagen.records import Example
from japagen.sections import EncoderSection
from japagen.student import Training
from japagen.student.encoder.classifier import EncoderClassifier
from japagen.student.encoder.processes import Processes

_JOB, _ERROR, _CLASSIFIER = "job.json", "error.json", "classifier"


def fit_together(
    training: Training, train: Sequence[Example], dev: Sequence[Example], *, seed: int
) -> EncoderClassifier:
    """Train with as many processes as `train.encoder.devices` says.

    Raises:
        ModelError: there are fewer GPUs than that, or a process ended with an error.
    """
    devices = training.encoder.devices
    if torch.cuda.is_available() and torch.cuda.device_count() < devices:
        raise ModelError(
            f"{devices} GPUs are asked for, {torch.cuda.device_count()} are here",
            where="train.encoder.devices",
            remedy="ask for as many as there are",
        )
    with tempfile.TemporaryDirectory(prefix="japagen-") as name:
        place = Path(name)
        job = {
            "encoder": training.encoder.model_dump(mode="json"),
            "metric": training.metric,
            "folder": str(training.folder.resolve()) if training.folder else None,
            "train": [asdict(example) for example in train],
            "dev": [asdict(example) for example in dev],
            "seed": seed,
        }
        (place / _JOB).write_text(json.dumps(job), encoding="utf-8")
        (place / _CLASSIFIER).mkdir()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}"]
        done = subprocess.run(  # noqa: S603 our own module
            [*command, "-m", "japagen.student.encoder.launch", name, str(os.getpid())],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise _error(place / _ERROR, devices, done.stderr)
        return EncoderClassifier.load(place / _CLASSIFIER)


def _error(file: Path, devices: int, stderr: str) -> ModelError:
    """What one of the processes has told, else the last line that looks like an error."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return ModelError(told["what"], where=told["where"], remedy=told["remedy"])
    except (OSError, ValueError, LookupError, TypeError):
        lines = [line for line in stderr.splitlines() if "Error" in line and "ChildFailedError" not in line]
        return ModelError(
            f"a process of {devices} ended with an error: {lines[-1].strip() if lines else 'no message'}",
            where="student 'encoder'",
            remedy="try it with train.encoder.devices: 1",
        )


def _end_with(parent: int) -> None:
    """End this process soon after the one that asked for it, however that ended."""

    def watch() -> None:
        while True:
            time.sleep(1.0)
            try:
                os.kill(parent, 0)
            except OSError:
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def work(place: Path) -> None:
    """One process among those that torchrun has started."""
    from japagen.student.encoder.student import EncoderStudent

    rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        job = json.loads((place / _JOB).read_text(encoding="utf-8"))
        train, dev = ([Example(**row) for row in job[split]] for split in ("train", "dev"))
        folder = Path(job["folder"]) if job["folder"] else None
        section = EncoderSection.model_validate(job["encoder"])
        training = replace(Training(), encoder=section, metric=job["metric"], folder=folder)
        classifier = EncoderStudent(training, Processes(rank, count)).fit(train, dev, seed=job["seed"])
        if rank == 0:
            classifier.save(place / _CLASSIFIER)
        distributed.barrier()
    finally:
        distributed.destroy_process_group()


def main() -> None:
    """Entry point of the processes; an error of the user's is one line."""
    from japagen.errors import JapagenError

    place = Path(sys.argv[1])
    _end_with(int(sys.argv[2]))
    try:
        work(place)
    except JapagenError as error:
        told = {"what": error.what, "where": error.where, "remedy": error.remedy}
        (place / _ERROR).write_text(json.dumps(told), encoding="utf-8")
        sys.exit(2)


if __name__ == "__main__":
    main()
