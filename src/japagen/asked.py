"""The requests of a run, part by part, as its stages would make them: for estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from japagen.errors import ConfigError
from japagen.experiment import Experiment
from japagen.generate.plan import FirstPlan, Plan
from japagen.questions import Questions, questions_of
from japagen.records import Example, Request
from japagen.sections import LLMSection
from japagen.task import Task


@dataclass(frozen=True, slots=True)
class Part:
    """Requests that are counted together.

    Attributes:
        stage: "generate" or "evaluate".
        name: a label, "first sentences", or a way of asking, e.g. "zero-shot" or "few-shot self-consistency".
        ids: of the requests, in their order.
        request: makes the request of an id.
        plan: digest of the plan that they are filed under; "" for none.
        like: texts that are like the replies: the task's own examples.
    """

    stage: str
    name: str
    ids: Sequence[str]
    request: Callable[[str], Request | None]
    plan: str
    like: Sequence[str]


def generate_parts(experiment: Experiment, task: Task) -> Iterator[Part]:
    """The first sentences, for pairs, and each label.

    Second turns replay a first sentence that is not there yet: a shot's of middle length takes its place.
    """
    shots = [shot for label in task.labels.values() for shot in label.shots]
    lengths = sorted((shot.text for shot in shots), key=len)
    first = lengths[len(lengths) // 2] if lengths else "あ" * (task.max_chars // 2)
    plan = Plan(experiment, task, style=experiment.llm.prompt_style, first_sentence=lambda row: first)
    if task.is_pair:
        firsts = FirstPlan(plan)
        like = [shot.text for shot in shots] or [first]
        yield Part("generate", "first sentences", list(firsts.ids()), firsts.request, firsts.digest, like)
    rows: dict[str, list[str]] = {label: [] for label in task.label_names}
    for row in plan.ids():
        rows[row.rpartition("/")[0]].append(row)
    for label, ids in rows.items():
        like = [shot.text_pair or shot.text for shot in task.labels[label].shots] or [first]
        yield Part("generate", label, ids, plan.request, plan.digest, like)


def evaluate_parts(experiment: Experiment, task: Task, test: Sequence[Example]) -> Iterator[Part]:
    """The questions of `evaluate.prompting` about the gold test rows, way by way; none without such rows."""
    settings, prompting = experiment.evaluate, task.prompting
    if not test or prompting is None:
        return
    texts = {row.id: (row.text, row.text_pair) for row in test}
    choices = tuple(spec.verbalisation for spec in task.labels.values())
    for way, draws in questions_of(experiment, task, prompting, style=experiment.llm.prompt_style).items():
        named = {questions.name: questions for questions in draws}
        asked = [f"{name}/row/{row}" for name in named for row in texts]
        if settings.calibrate:
            asked += [f"{name}/content-free" for name in named]

        def request(name: str, named: dict[str, Questions] = named) -> Request:
            draw, what, *row = name.split("/", 2)
            if what == "content-free":
                return named[draw].content_free()
            if what == "row":
                return named[draw].choice(row[0], texts[row[0]])
            return named[draw].written(row[0], texts[row[0]], int(what.removeprefix("answer-")))

        yield Part("evaluate", way, asked, request, "", choices)
        if settings.self_consistency:
            numbers = range(settings.self_consistency)
            answers = [f"{name}/answer-{number}/{row}" for name in named for row in texts for number in numbers]
            yield Part("evaluate", f"{way} self-consistency", answers, request, "", choices)


def most_tokens(request: Request, llm: LLMSection) -> int | None:
    """The length limit that is sent with a request; None: none."""
    if not llm.name.startswith("openai"):
        return 0 if request.choices else request.sampling.max_tokens
    from japagen.llm.openai.wire import Ability, parameters

    sent = parameters(request, llm, Ability.of(llm))
    limits = [sent[key] for key in ("max_completion_tokens", "max_tokens") if isinstance(sent.get(key), int)]
    return min(limits, default=None)


def stored_name(llm: LLMSection) -> str | None:
    """The name under which replies are stored, where it is known without loading the model."""
    kind = llm.name.partition(":")[0]
    if not kind.startswith("openai"):
        return llm.name if kind == "scripted" else None
    from japagen.llm.openai.endpoint import Endpoint
    from japagen.llm.openai_api import name_of

    try:
        return name_of(llm, Endpoint.from_settings(llm), kind)
    except ConfigError:  # no key here: what is stored is found by the rows' names alone
        return None
