"""What the pages and the READMEs show is tried: YAML is loaded, command lines are parsed, links followed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import japagen
from japagen.cli import app
from japagen.experiment import Experiment
from japagen.llm import check_llm
from japagen.llm.openai.endpoint import Endpoint
from japagen.llm.openai.wire import check_settings
from japagen.llm.prices import load_prices
from japagen.task import Task, built_in_tasks

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "README.ja.md"]
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)
FOREIGN = ("litellm.yaml",)  # files of other programs


def fences(language: str) -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(pytest.param(match[3], match[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


def merged(base: Any, change: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}


TASK = {
    "name": "toy",
    "title": "問い合わせ",
    "description": "問い合わせを分ける。",
    "system": "問い合わせを一つ書いてください。",
    "instruction": "{meaning}文を一つ書いてください。",
    "instruction_without_word": "{meaning}文を一つ書いてください。",
    "labels": {name: {"meaning": "問い合わせの", "verbalisation": name} for name in ("urgent", "normal")},
}


@pytest.mark.parametrize(("text", "title"), fences("yaml"))
def test_every_yaml_of_the_pages_is_read(
    text: str, title: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if title in FOREIGN:
        assert yaml.safe_load(text)
        return
    data = yaml.safe_load(text)
    if set(data) == {"models"}:
        file = tmp_path / "prices.yaml"
        file.write_text(text, encoding="utf-8")
        assert set(data["models"]) <= set(load_prices(file).models)
    elif set(data) <= set(Experiment.model_fields):
        file = tmp_path / "experiment.yaml"
        file.write_text(yaml.safe_dump({"name": "toy", "task": "reviews"} | data, allow_unicode=True), encoding="utf-8")
        experiment = Experiment.load(file)
        check_llm(experiment.llm.name)
        if experiment.llm.name.startswith("openai"):
            check_settings(experiment.llm)
            monkeypatch.setenv(experiment.llm.api_key_env, "key-for-the-test")
            assert Endpoint.from_settings(experiment.llm).host in experiment.llm.base_url
        if experiment.task in built_in_tasks() and experiment.gold is None:
            experiment.load_task()
    else:
        base = {key: value for key, value in TASK.items() if key != "labels" or "labels" not in data}
        Task.model_validate(merged(base, data))


@pytest.mark.parametrize(("text", "title"), fences("python"))
def test_the_python_of_the_pages_imports_what_there_is(text: str, title: str | None) -> None:
    compile(text, "page", "exec")
    for names in re.findall(r"^from japagen import (.+)$", text, re.M):
        assert set(names.split(", ")) <= set(japagen.__all__)


def calls() -> list[Any]:
    """Every command line of ours on a page: in a shell fence, or between backticks."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for match in FENCE.finditer(text) if match[1] in ("sh", "bash") for line in match[3].splitlines()]
        prose = FENCE.sub("", text) if page.parent.name != "reference" else ""
        lines += re.findall(r"`(japagen [^`]+)`", prose)
        found += [pytest.param(line, id=f"{page.name}: {line}") for line in lines if line.startswith("japagen ")]
    return found


@pytest.mark.parametrize("line", calls())
def test_every_command_line_of_the_pages_is_parsed(line: str) -> None:
    for change in parsed(line).get("changes") or ():
        key, _, value = change.partition("=")
        Experiment.load(task="reviews", changes={key: yaml.safe_load(value)})


def parsed(line: str) -> dict[str, Any]:
    """The parameters of a command line, as Typer reads them; nothing is run. A command alone is named, not called."""
    command, arguments = typer.main.get_command(app), shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands") and arguments and arguments[0] in command.commands:
        command, arguments = command.commands[arguments[0]], arguments[1:]
    assert arguments == [] or not hasattr(command, "commands"), f"no command {arguments[0]}"
    return command.make_context(line, list(arguments), resilient_parsing=not arguments).params


def test_command_lines_that_are_wrong_are_noticed() -> None:
    assert parsed("japagen run a.yaml --set x=1  # a comment")["changes"] == ["x=1"]
    for wrong in ("japagen run a.yaml --budget 5", "japagen rum a.yaml", "japagen run a.yaml --redo generation"):
        with pytest.raises(Exception, match=r"(?i)no such|no command|not one of|invalid"):
            parsed(wrong)


def test_pages_show_something() -> None:
    assert len(calls()) > 40
    assert len(fences("yaml")) > 25


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, place = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{link} leads nowhere"
        if place:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            assert place in map(anchor, headings), f"{link}: no such heading"


def test_every_page_is_in_the_menu() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r": ([\w/-]+\.md)$", text, re.M))
    assert named == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
