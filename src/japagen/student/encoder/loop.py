"""The training loop: batches of like length, an optimiser, a linear schedule; after a stop it goes on as if there were none.

Everything random follows from the seed and the number of the step (which rows, which dropout), so that a checkpoint needs
no state of generators, and a step that ran out of memory can be done again in smaller parts. Knows nothing of texts or of
files: it sees token ids, targets and weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from japagen.errors import ModelError
from japagen.streams import stream_seed
from japagen.student.encoder import batches, optimizer
from japagen.student.encoder.checkpoint import Checkpoint, Checkpoints, optimiser_tensors, restore_optimiser
from japagen.student.encoder.inference import Feed, autocast
from japagen.student.encoder.losses import objective, squared_error
from japagen.student.encoder.processes import ALONE, Processes
from japagen.student.encoder.recipe import Recipe
from japagen.student.encoder.temporal import TemporalEnsemble

Say = Callable[[str], None]

_SETTLED = 1 / 3


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as the loop sees them.

    Attributes:
        feed: makes the inputs of a network for any of them.
        targets: label codes (int64) or numbers (float32), shape (n,).
        weights: float32, shape (n,).
        names: the rows' ids, for messages.
    """

    feed: Feed
    targets: NDArray[Any]
    weights: NDArray[np.float32]
    names: Sequence[str]


@dataclass(slots=True)
class History:
    """How a training went: by epoch the mean loss and, where there is a dev set, its score; what it had to change; and rows
    whose label temporal ensembling left out in the end.
    """

    epochs: list[dict[str, float | None]] = field(default_factory=list)
    steps: int = 0
    micro_batch: int | None = None
    best_epoch: int | None = None
    left_out: int = 0

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(slots=True)
class TrainingLoop:
    """One training of a network.

    Attributes:
        network: in place; its weights are the result.
        rows: what it learns from.
        recipe: how.
        seed: everything random follows from it.
        precision: "fp32" or "bf16".
        dev_score: what to stop early by, higher is better; None without a dev set.
        head: beginnings of the names of new parameters.
        checkpoints: where it can go on from; None: nowhere.
        processes: those that share each batch.
        on_step: told (steps done, steps).
        say: told what a user should know.
    """

    network: nn.Module
    rows: Rows
    recipe: Recipe
    seed: int
    precision: str
    head: tuple[str, ...]
    dev_score: Callable[[], float] | None = None
    checkpoints: Checkpoints | None = None
    processes: Processes = ALONE
    on_step: Callable[[int, int], None] = lambda done, steps: None
    say: Say = lambda text: None
    history: History = field(init=False, default_factory=History)
    _plan: list[tuple[int, NDArray[np.int64]]] = field(init=False, default_factory=list)
    _optimiser: torch.optim.AdamW = field(init=False)
    _trained: list[nn.Parameter] = field(init=False, default_factory=list)
    _rates: list[float] = field(init=False, default_factory=list)
    _ensemble: TemporalEnsemble | None = field(init=False, default=None)
    _best: dict[str, Tensor] = field(init=False, default_factory=dict)
    _losses: list[float] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        section = self.recipe.section
        lengths = self.rows.feed.lengths
        self._plan = [
            (epoch, batch)
            for epoch in range(self.recipe.epochs)
            for batch in batches.epoch_batches(
                lengths, section.batch_size, section.batching, seed=self.seed, epoch=epoch
            )
        ]
        groups = optimizer.parameter_groups(
            self.network,
            head=self.head,
            learning_rate=self.recipe.learning_rate,
            head_learning_rate=self.recipe.head_learning_rate,
            weight_decay=section.weight_decay,
        )
        self._optimiser = optimizer.adamw(groups)
        self._rates = [group["lr"] for group in groups]
        self._trained = [parameter for group in groups for parameter in group["params"]]
        self.history.micro_batch = section.micro_batch
        if section.temporal_ensemble and not self._is_regression:
            self._ensemble = TemporalEnsemble(
                len(lengths),
                1 + int(self.rows.targets.max()),
                momentum=section.temporal_momentum,
                threshold=section.temporal_threshold,
                weight=section.temporal_ensemble,
                device=self._device,
            )

    @property
    def _is_regression(self) -> bool:
        return self.rows.targets.dtype.kind == "f"

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    def run(self) -> History:
        """Train to the end, from the newest checkpoint if there is one.

        Raises:
            ModelError: the loss is no number, or memory does not suffice for a single row.
        """
        step, last = self._resume(), time.monotonic()
        if step is None:
            return self.history
        self.network.train()
        steps = len(self._plan)
        while step < steps:
            epoch, batch = self._plan[step]
            self._losses.append(self._step(step, batch))
            step += 1
            self.history.steps = step
            ends = step == steps or self._plan[step][0] != epoch
            if ends and self._end_of_epoch(epoch):
                break
            self.on_step(step, steps)
            if self.checkpoints and time.monotonic() - last >= self.recipe.section.checkpoint_seconds:
                self._keep(self._checkpoint(step))
                last = time.monotonic()
        if self._best:
            _restore(self.network, self._best)
        self._keep(self._finished())
        return self.history

    # ---- one step ----------------------------------------------------------------------------------------------------

    def _step(self, step: int, batch: NDArray[np.int64]) -> float:
        """One update; the mean loss of the batch's rows."""
        factor = optimizer.rate(step, len(self._plan), self.recipe.section.warmup)
        for group, given in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = given * factor
        while True:
            self._optimiser.zero_grad(set_to_none=True)
            try:
                loss, said = self._gradient(step, batch)
                break
            except RuntimeError as error:
                self._smaller(error, len(batch))
        self.processes.add_up(self._trained)
        loss = self.processes.total(loss)
        norm = nn.utils.clip_grad_norm_(self._trained, optimizer.CLIP)
        found, length = torch.stack([loss, norm.to(loss)]).tolist()
        if not (np.isfinite(found) and np.isfinite(length)):
            raise self._no_number(step, batch, "loss" if not np.isfinite(found) else "gradient")
        self._optimiser.step()
        if self._ensemble is not None:
            self._ensemble.update(*self.processes.gather(said))
        return float(found)

    def _count_left_out(self) -> None:
        """Note how many rows the threshold of temporal ensembling leaves out; all of them is an error.

        Raises:
            ModelError: no row is left.
        """
        if self._ensemble is None or not self._ensemble.threshold or not self._settled:
            return
        everyone = torch.arange(len(self.rows.targets), device=self._device)
        kept = int(self._ensemble.keep(everyone, torch.from_numpy(self.rows.targets).to(self._device)).sum())
        if not kept:
            raise ModelError(
                f"temporal_threshold {self._ensemble.threshold:g} leaves out all {len(everyone)} rows",
                where="student 'encoder'",
                remedy="lower train.encoder.temporal_threshold",
            )
        self.history.left_out = len(everyone) - kept

    def _gradient(self, step: int, batch: NDArray[np.int64]) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Add up the gradients of this process's share of the batch, micro-batch by micro-batch.

        Returns:
            the share of the batch's mean loss, and rows with their probabilities.
        """
        torch.manual_seed(stream_seed(self.seed, "step", step, self.processes.rank))
        mine = self.processes.share(batch)
        total = max(float(self.rows.weights[batch].sum()), 1e-12)
        size = self.history.micro_batch or max(1, len(mine))
        loss = torch.zeros((), device=self._device)
        said = []
        for start in range(0, len(mine), size):
            rows = mine[start : start + size]
            part, probabilities = self._loss(rows, total)
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.detach()
            if probabilities is not None:
                said.append((torch.from_numpy(rows).to(self._device), probabilities))
        return loss, said

    def _loss(self, rows: NDArray[np.int64], total: float) -> tuple[Tensor, Tensor | None]:
        section, device = self.recipe.section, self._device
        inputs = self.rows.feed.inputs(rows, device)
        targets = torch.from_numpy(self.rows.targets[rows]).to(device)
        weights = torch.from_numpy(self.rows.weights[rows]).to(device)
        with autocast(device, self.precision):
            logits = self.network(**inputs)
            twin = self.network(**inputs) if section.r_drop and not self._is_regression else None
        if self._is_regression:
            return squared_error(logits, targets, weights, total=total), None
        places = torch.from_numpy(rows).to(device)
        loss = objective(
            logits,
            targets,
            weights,
            total=total,
            smoothing=section.label_smoothing,
            ensemble=self._ensemble if self._settled else None,
            rows=places,
            twin=twin,
            r_drop=section.r_drop,
        )
        return loss, logits.detach().float().softmax(-1) if self._ensemble is not None else None

    @property
    def _settled(self) -> bool:
        """Whether earlier predictions are worth listening to: not before a third of the training is over."""
        return self.history.steps >= _SETTLED * len(self._plan)

    def _smaller(self, error: RuntimeError, rows: int) -> None:
        """Halve the micro-batch after running out of memory; any other error goes on its way.

        Raises:
            ModelError: a single row is too much.
        """
        if not is_out_of_memory(error) or self.processes.count > 1:
            raise error
        now = min(self.history.micro_batch or rows, rows)
        if now <= 1:
            raise ModelError(
                "memory does not suffice for a single row",
                where="student 'encoder'",
                remedy="lower train.encoder.max_length, or take a smaller model",
            ) from error
        self.history.micro_batch = (now + 1) // 2
        self._optimiser.zero_grad(set_to_none=True)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self.say(f"encoder: out of memory with {now} rows at a time; going on with {self.history.micro_batch}")

    def _no_number(self, step: int, batch: NDArray[np.int64], what: str) -> ModelError:
        names = [self.rows.names[i] for i in batch]
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        return ModelError(
            f"the {what} is no number at step {step + 1} of {len(self._plan)}; its rows: {shown}",
            where="student 'encoder'",
            remedy="lower train.encoder.learning_rate (or head_learning_rate), or set precision: fp32",
        )

    # ---- epochs ------------------------------------------------------------------------------------------------------

    def _end_of_epoch(self, epoch: int) -> bool:
        """Note how it went; whether to stop here."""
        score = self.dev_score() if self.dev_score else None
        self.network.train()
        self.history.epochs.append({"loss": float(np.mean(self._losses)), "dev": score})
        self._losses.clear()
        self._count_left_out()
        patience = self.recipe.section.patience
        if patience is None or score is None:
            return False
        best = self.history.best_epoch
        if best is None or score > (self.history.epochs[best]["dev"] or 0.0):
            self.history.best_epoch = best = epoch
            self._best = {name: value.detach().clone() for name, value in _weights(self.network)}
        if epoch - best >= patience:
            self.say(f"encoder: no better dev score for {patience} epochs; stopped after epoch {epoch + 1}")
            return True
        return False

    # ---- checkpoints -------------------------------------------------------------------------------------------------

    def _checkpoint(self, step: int) -> Checkpoint:
        parts = {
            "network": dict(_weights(self.network)),
            "optimiser": optimiser_tensors(self._optimiser),
            "ensemble": self._ensemble.state() if self._ensemble else {},
            "best": self._best,
        }
        tensors = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        return Checkpoint(step, {"history": self.history.facts(), "losses": self._losses}, tensors)

    def _keep(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; one that cannot be written costs time after a stop, not the training."""
        if self.checkpoints is None or not self.processes.first:
            return
        try:
            self.checkpoints.write(checkpoint)
        except OSError as error:
            self.say(f"encoder: a checkpoint could not be written ({error.strerror or error}); training goes on")

    def _finished(self) -> Checkpoint:
        """The result, so that a run that is stopped while other seeds learn need not learn this one again."""
        tensors = {f"network/{name}": value for name, value in _weights(self.network)}
        return Checkpoint(len(self._plan), {"history": self.history.facts(), "finished": True}, tensors)

    def _resume(self) -> int | None:
        """Take up the newest checkpoint; the number of steps that are done, None if nothing is left to do."""
        found = self.checkpoints.newest() if self.checkpoints else None
        if found is None:
            return 0
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "optimiser": {}, "ensemble": {}, "best": {}}
        for name, value in found.tensors.items():
            part, _, own = name.partition("/")
            parts[part][own] = value
        _restore(self.network, parts["network"])
        self.history = History(**found.facts["history"])
        if found.facts.get("finished"):
            return None
        restore_optimiser(self._optimiser, parts["optimiser"])
        if self._ensemble:
            self._ensemble.load(parts["ensemble"])
        self._best = {name: value.to(self._device) for name, value in parts["best"].items()}
        self._losses = list(found.facts["losses"])
        self.say(f"encoder: going on from step {found.step} of {len(self._plan)}")
        return found.step


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch says that memory ran out: on a GPU it has a class of its own, on the processor a text."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    said = str(error)
    return "can't allocate memory" in said or "not enough memory" in said or "could not allocate" in said.lower()


def _weights(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters that are trained, each once, and buffers that are kept with them."""
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            yield name, parameter
    kept = set(network.state_dict())
    for name, buffer in network.named_buffers():
        if name in kept and buffer.is_floating_point():
            yield name, buffer


def _restore(network: nn.Module, weights: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in _weights(network):
            value.copy_(weights[name])
