"""The how-to of curation says what the code does: its settings are read, its filters are those that there are."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from japagen.curate.filters import CHECKS, REPAIRS
from japagen.experiment import Experiment
from japagen.rundir import STAGES
from japagen.task import Task

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = (DOCS / "how-to/curate.md").read_text("utf-8")
SETTINGS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", HOW_TO, flags=re.S)]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_all_settings_shown_are_settings(settings: dict[str, Any]) -> None:
    if "judges" in settings:
        assert settings["judges"] in str(Task.model_fields["judges"].annotation)
    else:
        Experiment.model_validate({"name": "x", "task": "y", **settings})


def test_defaults_shown_are_the_defaults() -> None:
    defaults = Experiment.model_validate({"name": "x", "task": "y"}).curate
    assert "`near_duplicate` on, two texts" in HOW_TO
    assert (defaults.near_duplicate, defaults.top_up_factor, defaults.contamination) == (0.8, 3.0, True)
    assert not any((defaults.top_up, defaults.noise, defaults.judge, defaults.sample))


def test_the_tables_name_every_filter_and_repair_with_its_default() -> None:
    shown = {}
    for line in re.findall(r"^\| `.*\| (?:on|off) \|$", HOW_TO, flags=re.M):
        names, *_, default = line.strip("| ").split("|")
        shown |= {name: default.strip() == "on" for name in re.findall(r"`(\w+)`", names)}
    assert shown == {name: default for known in (CHECKS, REPAIRS) for name, (_, default) in known.items()}


def test_files_and_options_shown_are_there() -> None:
    from japagen.cli.curation import curate

    folder = f"{STAGES.index('curate') + 1}-curate"
    assert f"runs/inquiries/{folder}/" in HOW_TO
    for option in set(re.findall(r"japagen curate runs/\S+ --(\w+)", HOW_TO)):
        assert option in curate.__annotations__, option
