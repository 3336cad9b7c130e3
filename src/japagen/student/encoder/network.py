"""A network to fine-tune, by name: a model of the Hugging Face Hub, a folder, or the multilingual sentence encoder.

Nothing of a stranger's is executed: weights are safetensors, `trust_remote_code` is never on, and the tokeniser is the
one that the model was trained with. What this process prints while it loads is ours, not the library's.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from japagen.errors import ConfigError, JapagenError, MissingExtra, ModelError
from japagen.student.encoder import packed
from japagen.student.encoder.firsttoken import compute_every_token, compute_first_token_only
from japagen.student.encoder.hub import Fetched, fetch
from japagen.student.encoder.recipe import MULTILINGUAL
from japagen.student.encoder.tokens import Tokeniser, load_tokeniser

_ENCODERS = "give an encoder such as BERT, RoBERTa, DeBERTa-v2, ELECTRA or ModernBERT, with safetensors weights"
_OFFSET = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "roberta-prelayernorm", "data2vec-text", "mpnet")
"""Kinds of model whose first position is that behind the id of padding."""


class HuggingFaceNetwork(nn.Module):
    """An encoder of transformers with a head for sequences.

    Attributes:
        model: transformers' own.
        tokeniser: makes its inputs.
    """

    def __init__(self, model: Any, tokeniser: Tokeniser) -> None:
        super().__init__()
        self.model = model
        self.tokeniser = tokeniser
        self.packed = False
        compute_first_token_only(model)

    def forward(self, **inputs: Tensor) -> Tensor:
        """Logits, shape (rows, outputs)."""
        if self.packed:
            return packed.logits(self.model, **inputs)
        logits: Tensor = self.model(**inputs).logits
        return logits

    def pack(self) -> None:
        """Compute rows end to end from now on, without padding.

        Raises:
            ConfigError: the model does not allow it.
        """
        if reason := packed.obstacle(self.model, dropout=True):
            raise ConfigError(
                f"rows cannot be computed end to end: {reason}",
                where="train.encoder.packing",
                remedy="use packing: false; batches of like length pad little",
            )
        compute_every_token(self.model)
        packed.allow(self.model)
        self.packed = True

    @contextlib.contextmanager
    def separate_attention(self) -> Iterator[None]:
        """Attention by separate products: in bf16 on a processor the fused one takes up to 2.6 times as long, and twice the
        memory (benchmarks/students.py).
        """
        before = self.model.config._attn_implementation
        self.model.set_attn_implementation("eager")
        try:
            yield
        finally:
            self.model.set_attn_implementation(before)

    @property
    def positions(self) -> int:
        """Tokens of the longest row that the model can read."""
        config = self.model.config
        given = int(getattr(config, "max_position_embeddings", None) or 2**31)
        offset = config.pad_token_id + 1 if config.model_type in _OFFSET else 0
        return max(given - offset, 0)

    @property
    def vocabulary(self) -> int:
        """Number of token ids that the model knows."""
        return int(self.model.get_input_embeddings().num_embeddings)

    @property
    def outputs(self) -> int:
        """Numbers per row."""
        return int(self.model.config.num_labels)

    @property
    def head(self) -> tuple[str, ...]:
        """Beginnings of the names of parameters that pretraining did not make."""
        base = f"model.{self.model.base_model_prefix}."
        return tuple(sorted({name for name, _ in self.named_parameters() if not name.startswith(base)}))

    def save(self, folder: Path) -> None:
        """Write config.json, model.safetensors and the tokeniser's files, as transformers reads them."""
        with _quiet():
            self.model.save_pretrained(folder, max_shard_size="1000GB")
        self.tokeniser.save(folder)


def new_network(
    model: str, revision: str | None, *, labels: Sequence[str], outputs: int, pair: bool, seed: int
) -> tuple[nn.Module, Fetched | None]:
    """A pretrained encoder with a new head, and where it came from.

    Args:
        model: `use-multilingual`, a folder, or a name on the hub.
        revision: commit of the model; for names on the hub.
        labels: written into its configuration.
        outputs: of the head: one per label, or 1 for a number.
        pair: whether a row is two texts.
        seed: of the head's first weights.

    Raises:
        ModelError: it cannot be had, or is no encoder with safetensors weights.
        MissingExtra: a package that it needs is absent.
    """
    torch.manual_seed(seed)
    if model == MULTILINGUAL:
        from japagen.student.encoder.use import UseNetwork

        return UseNetwork.new(outputs=outputs, pair=pair), None
    fetched = fetch(model, revision)
    if _kind(fetched.folder) == MULTILINGUAL:
        from japagen.student.encoder.use import UseNetwork

        return UseNetwork.after(fetched.folder, outputs, pair=pair), fetched
    names = list(labels)
    options: dict[str, Any] = {
        "num_labels": outputs,
        "problem_type": "regression" if outputs == 1 else "single_label_classification",
    }
    if outputs == len(names):
        options |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    return _load(fetched.folder, model, new=True, **options), fetched


def check_model(model: str, revision: str | None) -> None:
    """Fetch a model and read its tokeniser, so that what is missing is known early.

    Raises:
        ModelError: it cannot be had.
        MissingExtra: a package that it needs is absent.
    """
    if model != MULTILINGUAL:
        load_tokeniser(fetch(model, revision).folder)


def saved_network(folder: Path) -> nn.Module:
    """A network as its `save` left it.

    Raises:
        ModelError: a file is missing or damaged.
    """
    if _kind(folder) == MULTILINGUAL:
        from japagen.student.encoder.use import UseNetwork

        return UseNetwork.load(folder)
    return _load(folder, str(folder), new=False)


def _kind(folder: Path) -> object:
    """What a folder's configuration says that it holds."""
    file = folder / "config.json"
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"cannot be read: {error}", where=file, remedy="copy it anew") from error
    return about.get("model_type") if isinstance(about, dict) else None


def _load(folder: Path, name: str, *, new: bool, **options: Any) -> HuggingFaceNetwork:
    try:
        from transformers import AutoConfig, AutoModelForSequenceClassification
    except ImportError as error:
        raise MissingExtra("transformers", "encoder", needed_by="student 'encoder'") from error
    tokeniser = load_tokeniser(folder)
    _check_index(folder)
    try:
        with _quiet():
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **options)
            model, found = AutoModelForSequenceClassification.from_pretrained(
                folder,
                config=config,
                trust_remote_code=False,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                ignore_mismatched_sizes=new,
                output_loading_info=True,
            )
            if config.is_encoder_decoder or getattr(config, "is_decoder", False) or not hasattr(model, "classifier"):
                raise ModelError(f"is no encoder, but '{config.model_type}'", where=f"model '{name}'", remedy=_ENCODERS)
    except JapagenError:
        raise
    except Exception as error:  # whatever a configuration of a stranger makes the library do
        said = str(error).strip().splitlines()
        raise ModelError(
            f"cannot be loaded as an encoder: {said[0][:200] if said else type(error).__name__}",
            where=f"model '{name}'",
            remedy=_ENCODERS,
        ) from error
    base = f"{model.base_model_prefix}."
    misfits = {*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])}
    absent = sorted(key for key in misfits if not new or (key.startswith(base) and "pooler" not in key))
    if absent:
        raise ModelError(
            f"the weights lack {len(absent)} of the encoder's arrays, or have them in another shape, e.g. {absent[0]}",
            where=f"model '{name}'",
            remedy="take a complete model: with arrays of chance it would have to learn from nothing",
        )
    return HuggingFaceNetwork(model, tokeniser)


def _check_index(folder: Path) -> None:
    """Refuse weights in several files that name one outside the folder.

    Raises:
        ModelError: they do, or the index is damaged.
    """
    file = folder / "model.safetensors.index.json"
    if not file.is_file():
        return
    try:
        names = set(json.loads(file.read_text(encoding="utf-8"))["weight_map"].values())
        inside = all(isinstance(name, str) and Path(name).name == name for name in names)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"is damaged: {error}", where=file, remedy="fetch the model anew") from error
    if not inside:
        raise ModelError("names files outside its folder", where=file, remedy="fetch the model anew")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's bars and notes, whose settings are put back afterwards."""
    from transformers.utils import logging

    library: Any = logging
    level, bars = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity_error()
    library.disable_progress_bar()
    try:
        yield
    finally:
        library.set_verbosity(level)
        if bars:
            library.enable_progress_bar()
