"""What a model's tokens cost: the built-in table (`prices.yaml`) and the user's own files, read strictly.

Three tables, a later one goes before an earlier one: the built-in one, the file named by ``JAPAGEN_PRICES``, the file named
by ``budget.prices``. A snapshot such as ``gpt-4o-mini-2024-07-18`` that has no entry costs what its base name costs.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from japagen.errors import ConfigError, did_you_mean
from japagen.experiment import Experiment
from japagen.yamlfile import read_model, user_path

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_MILLION = 1_000_000
_FORM = "in USD per million tokens: models: {gpt-4o-mini: {input: 0.15, output: 0.60}}"

_USD = Annotated[float, Field(strict=True, ge=0, le=_MILLION)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    input: _USD
    output: _USD
    cached_input: _USD | None = None
    batch: Annotated[float, Field(strict=True, ge=0, le=1)] = 1.0
    as_of: date | None = None
    source: str = ""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    models: dict[str, _Entry]


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost.

    Attributes:
        model: the entry's name.
        input, output: USD per million tokens of prompt and of reply.
        cached_input: the same for a prompt's beginning that the server still holds; None: no such price. Never counted
            on, because replies do not say how much was cached: real costs can only be lower.
        batch: share of the price that the batch API takes.
        as_of: day on which the price was known to hold; None: the file does not say.
        source: where it is published.
    """

    model: str
    input: float
    output: float
    cached_input: float | None = None
    batch: float = 1.0
    as_of: date | None = None
    source: str = ""

    @property
    def free(self) -> bool:
        """Whether nothing is ever to be paid."""
        return self.input == 0 and self.output == 0

    def usd(self, prompt_tokens: float, completion_tokens: float) -> float:
        """The cost of so many tokens in USD."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / _MILLION

    def batched(self) -> Price:
        """The price by the batch API."""
        cached = None if self.cached_input is None else self.cached_input * self.batch
        return replace(
            self, input=self.input * self.batch, output=self.output * self.batch, cached_input=cached, batch=1.0
        )


class Prices:
    """The prices of all known models."""

    def __init__(self, entries: dict[str, Price]) -> None:
        self._entries = entries

    @property
    def models(self) -> list[str]:
        """Names of the models that have an entry."""
        return sorted(self._entries)

    def of(self, model: str) -> Price | None:
        """The price of a model, of a snapshot that of its base name; None: not known."""
        return self._entries.get(model) or self._entries.get(_SNAPSHOT.sub("", model))


def load_prices(extra: Path | None = None) -> Prices:
    """The built-in table, with the user's entries in front.

    Raises:
        ConfigError: a file of the user cannot be used, with its line.
    """
    files = [Path(__file__).with_name("prices.yaml")]
    if named := os.environ.get("JAPAGEN_PRICES"):
        files.append(user_path(named, "JAPAGEN_PRICES"))
    if extra is not None:
        files.append(extra)
    entries: dict[str, Price] = {}
    for file in files:
        try:
            table = read_model(_Table, file)
        except ConfigError as error:
            raise ConfigError(error.what, where=error.where, remedy=_FORM) from error
        entries |= {name: Price(name, **dict(entry)) for name, entry in table.models.items()}
    return Prices(entries)


def experiment_price(experiment: Experiment) -> Price | None:
    """The price of the experiment's model; by the batch API the reduced one, and 0 for a model in this process.

    Raises:
        ConfigError: a file of prices cannot be used, or ``budget.usd`` is set and the model's price is not known.
    """
    kind, _, model = experiment.llm.name.partition(":")
    if kind not in ("openai", "openai-batch"):
        return Price(experiment.llm.name, 0.0, 0.0)
    named = experiment.budget.prices
    prices = load_prices(None if named is None else (experiment.folder or Path()) / user_path(named, "budget.prices"))
    price = prices.of(model)
    if price is not None:
        return price.batched() if kind == "openai-batch" else price
    if experiment.budget.usd is None:
        return None
    quoted = model.replace("\\", "\\\\").replace('"', '\\"')
    raise ConfigError(
        f"budget.usd is set, but the price of '{model}' is not known; {did_you_mean(model, prices.models)}",
        where=f"experiment '{experiment.name}'",
        remedy=f'name a file in budget.prices with: models: {{"{quoted}": {{input: 0.50, output: 1.50}}}} '
        "(USD per million tokens; 0 for a server of your own)",
    )
