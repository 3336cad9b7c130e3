"""The requests of a run, part by part, as its stages would make them: for estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from japagen.errors import ConfigError
from japagen.evaluate.gold import load_gold
from japagen.evaluate.prompted import Shot, draw_question_shots
from japagen.experiment import Experiment, LLMSection
from japagen.generate.plan import FirstPlan, Plan
from japagen.prompts import labelling_prompt
from japagen.records import Request, Sampling
from japagen.task import Task


@dataclass(frozen=True, slots=True)
class Part:
    """Requests that are counted together.

    Attributes:
        stage: "generate" or "evaluate".
        name: a label, "first sentences", "zero-shot" or "few-shot".
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


def evaluate_parts(experiment: Experiment, task: Task) -> Iterator[Part]:
    """The questions of `evaluate.prompted`, way by way; none without gold data."""
    settings, prompting, llm = experiment.evaluate, task.prompting, experiment.llm
    if task.gold is None or prompting is None or not settings.prompting:
        return
    texts: dict[str, tuple[str, str | None]] = {}
    for row in load_gold(task, task.gold.test):
        texts[f"row/{row.id}"] = (row.text, row.text_pair)
    if texts and settings.calibrate:
        texts["content-free"] = (prompting.content_free, prompting.content_free if task.is_pair else None)
    choices = tuple(spec.verbalisation for spec in task.labels.values())
    sampling = Sampling(
        temperature=None if llm.temperature is None else 0.0,
        top_p=None if llm.top_p is None else 1.0,
        max_tokens=llm.max_tokens,
    )
    for way in settings.prompting:
        draws: dict[str, list[Shot]] = {str(way): []}
        if way == "few-shot":
            count, seed = settings.prompting_shots, experiment.seed
            numbers = range(settings.prompting_draws)
            draws = {f"{way}-{n}": draw_question_shots(task, count, seed=seed, number=n) for n in numbers}

        def request(row: str, draws: dict[str, list[Shot]] = draws) -> Request:
            name, _, asked = row.partition("/")
            messages = labelling_prompt(prompting, texts[asked], style=llm.prompt_style, shots=draws[name])
            return Request(id=row, messages=messages, sampling=sampling, choices=choices)

        yield Part("evaluate", way, [f"{name}/{asked}" for name in draws for asked in texts], request, "", choices)


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
