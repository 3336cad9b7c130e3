"""The plan: every request of a run, a function of the experiment alone (second sentences of pairs: and of the first).

Making a run larger only adds requests: number i of a label is the same whatever `per_label` is. A request is made when it is
due, so a plan of any size takes no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version

from japagen.experiment import Experiment
from japagen.generate.knowledge import Knowing
from japagen.generate.parse import parse_lines, parse_several
from japagen.llm import Style
from japagen.prompts import Wanted, first_prompt, writing_prompt
from japagen.records import Example, Reply, Request, Sampling, digest
from japagen.streams import stream, stream_seed
from japagen.task import Shot, Task

_NEIGHBOURS = 3
_ALL = "(all)"  # stands for the label where a first sentence serves every label


def draw_shots(shots: list[Shot], name: tuple[object, ...], index: int, *, count: int, seed: int) -> list[Shot]:
    """`count` different shots for request number `index`, drawn at random, in the order shown.

    For each request alone every ordered choice is equally likely. Neighbouring requests share the beginning: the
    last shot is drawn for each request, the one before it for every 3 requests, the one before that for every 9, and
    so on. A model that keeps the prefix of its last prompt (or a server that caches prefixes) so computes about 1.5
    shots per request instead of all of them, and the shots nearest the text still change every time.
    """
    rest = list(shots)
    drawn: list[Shot] = []
    for place in range(count):
        period = _NEIGHBOURS ** (count - 1 - place)
        drawn.append(rest.pop(_draw(seed, name, place, index // period, len(rest))))
    return drawn


@lru_cache(maxsize=1024)
def _draw(seed: int, name: tuple[object, ...], place: int, turn: int, size: int) -> int:
    """A number below `size`; neighbours ask for the same one."""
    return stream(seed, "shot", *name, place, turn).randrange(size)


class Plan:
    """The rows of an experiment and the requests that fill them (`llm.store.Plan`).

    A request asks for `samples_per_call` rows and has the id of the first of them. For pairs there are two plans: `firsts`
    asks for the first sentences, the plan itself for the second ones.

    Args:
        experiment: what is asked for.
        task: in which words.
        style: of the prompts.
        first_sentence: for pairs: the first sentence of a row, by its id; None where it never came.
        rows_of: which rows of which label are wanted, by their numbers; None: the first `generate.per_label` of each.

    Raises:
        ConfigError: the task does not have what the experiment asks for.
    """

    def __init__(
        self,
        experiment: Experiment,
        task: Task,
        *,
        style: Style,
        first_sentence: Callable[[str], str | None] = lambda row: None,
        rows_of: Mapping[str, range] | None = None,
    ) -> None:
        settings = experiment.generate
        self.experiment, self.task, self.style = experiment, task, style
        self.mechanisms = task.mechanisms(settings.kadg)
        self.rows_of = dict.fromkeys(task.label_names, range(settings.per_label)) if rows_of is None else rows_of
        self.samples = 1 if task.is_pair else settings.samples_per_call
        self._knowing = Knowing(task, self.mechanisms, seed=experiment.seed)
        self._first_sentence = first_sentence
        llm = experiment.llm
        self._sampling = Sampling(
            temperature=llm.temperature,
            top_p=llm.top_p,
            max_tokens=None if llm.max_tokens is None else llm.max_tokens * self.samples,
            stop=("\n",) if style == "document" and self.samples == 1 else (),
        )
        self.digest = _digest(self, "texts")

    def rows(self) -> Iterator[tuple[str, int]]:
        """Label and number of each row, label by label."""
        for label, numbers in self.rows_of.items():
            for index in numbers:
                yield label, index

    def row(self, label: str, index: int) -> Example:
        """A row as planned: id, label, value and attributes, without text."""
        return Example(f"{label}/{index:06d}", "", label, None, self.task.value(label), self.attributes(label, index))

    def attributes(self, label: str, index: int) -> dict[str, str]:
        """KADG attributes of a row: the same for all rows of one call, and for both sentences of a pair."""
        name = self.first_name(label) if self.task.is_pair else label
        return self._knowing.draw(name, index // self.experiment.generate.samples_per_call)

    def ids(self) -> Iterator[str]:
        """See `llm.store.Plan`."""
        for label, numbers in self.rows_of.items():
            for index in _calls(numbers, self.samples):
                yield f"{label}/{index:06d}"

    def request(self, row: str) -> Request | None:
        """See `llm.store.Plan`."""
        label, _, number = row.rpartition("/")
        index, seed = int(number), self.experiment.seed
        first = None
        if self.task.is_pair and (first := self._first_sentence(row)) is None:
            return None
        attributes = self.attributes(label, index)
        shots = list(self.task.labels[label].shots)
        count = self.experiment.generate.shots
        drawn = draw_shots(shots, (label,), index // self.samples, count=count, seed=seed)
        wanted = Wanted(attributes, self.mechanisms, drawn, self.samples)
        return Request(
            id=row,
            messages=writing_prompt(self.task, label, style=self.style, wanted=wanted, first=first),
            sampling=self._sampling,
            seed=stream_seed(seed, "reply", label, index),
            samples=self.samples,
            label=label,
            attributes=attributes,
        )

    def texts(self, request: Request, reply: Reply) -> list[str]:
        """The texts of a reply to a request for several."""
        return _texts(self.style, request, reply)

    def first_name(self, label: str) -> str:
        """The label that first sentences of a label are filed under: its own, or one for all."""
        return _ALL if self.experiment.generate.first_sentence == "shared" else label


class FirstPlan:
    """The first sentences of a pair task (`llm.store.Plan`); they know no label (paper, section 3.1).

    Args:
        plan: of the second ones.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        settings = plan.experiment.generate
        self.samples = settings.samples_per_call
        llm = plan.experiment.llm
        self._sampling = Sampling(
            temperature=llm.temperature,
            top_p=llm.top_p,
            max_tokens=None if llm.max_tokens is None else llm.max_tokens * self.samples,
            stop=("\n",) if plan.style == "document" and self.samples == 1 else (),
        )
        self._rows_of = dict(plan.rows_of)
        if settings.first_sentence == "shared":
            wanted = [numbers for numbers in plan.rows_of.values() if numbers]
            every = range(min(n.start for n in wanted), max(n.stop for n in wanted)) if wanted else range(0)
            self._rows_of = {_ALL: every}
        self._shots = [shot for label in plan.task.labels.values() for shot in label.shots]
        self.digest = _digest(plan, "first sentences")

    @property
    def total(self) -> int:
        """How many first sentences there are."""
        return sum(map(len, self._rows_of.values()))

    def ids(self) -> Iterator[str]:
        """See `llm.store.Plan`."""
        for name, numbers in self._rows_of.items():
            for index in _calls(numbers, self.samples):
                yield f"{name}/{index:06d}/first"

    def place(self, row: str) -> tuple[str, int]:
        """The request that holds the first sentence of a row of the plan, and which of its texts it is."""
        label, _, number = row.rpartition("/")
        index = int(number)
        start = index - index % self.samples
        return f"{self._plan.first_name(label)}/{start:06d}/first", index - start

    def texts(self, request: Request, reply: Reply) -> list[str]:
        """The texts of a reply to a request for several."""
        return _texts(self._plan.style, request, reply)

    def request(self, row: str) -> Request:
        """See `llm.store.Plan`."""
        plan, seed = self._plan, self._plan.experiment.seed
        name, number, _ = row.rsplit("/", 2)
        index = int(number)
        attributes = plan.attributes(name, index)
        count = plan.experiment.generate.shots
        drawn = draw_shots(self._shots, ("first", name), index // self.samples, count=count, seed=seed)
        wanted = Wanted(attributes, plan.mechanisms, drawn, self.samples)
        return Request(
            id=row,
            messages=first_prompt(plan.task, style=plan.style, wanted=wanted),
            sampling=self._sampling,
            seed=stream_seed(seed, "reply", "first", name, index),
            samples=self.samples,
            label=None,
            attributes=attributes,
        )


def _calls(numbers: range, samples: int) -> range:
    """The numbers that calls for these rows begin with: one call brings several rows, and may bring some before them."""
    return range(numbers.start - numbers.start % samples, numbers.stop, samples) if numbers else numbers


def _texts(style: Style, request: Request, reply: Reply) -> list[str]:
    if reply.finish == "content_filter":
        return []
    cut = reply.finish == "length"
    if style == "document":
        return parse_lines(reply.text, request.messages[-1].content, cut=cut)
    return parse_several(reply.text, cut=cut)


def _digest(plan: Plan, turn: str) -> str:
    """Of all that requests follow from, but their number."""
    experiment = plan.experiment
    settings = experiment.generate.model_dump(mode="json", exclude={"per_label"})
    task = plan.task.model_dump(mode="json", exclude={"gold", "prompting", "licence", "metric", "judges", "max_chars"})
    llm = experiment.llm.model_dump(mode="json", exclude={"http", "shared_cache", "api_key_env"})
    labels = list(plan.task.labels)
    return digest([turn, version("japagen"), experiment.seed, plan.style, settings, llm, task, labels])
