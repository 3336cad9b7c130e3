"""Pushing a run to the Hugging Face Hub: its data set, and the classifier that answers for it; private unless told.

Gold data, prompts, replies and the run's settings stay here. Needs the extra `hub` and a token in HF_TOKEN.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from japagen.push.hub import Kind, Pushed
    from japagen.rundir import Run

__all__ = ["push"]

Part = Literal["data", "model"]


def push(
    run: str | Path,
    to: str,
    *,
    only: Part | None = None,
    with_dropped: bool = False,
    private: bool = True,
    licence: str | None = None,
    revision: str = "main",
    dry_run: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> list[Pushed]:
    """Push the data set and the classifier of a run; what the hub has already is not sent again.

    Args:
        run: the run's folder.
        to: org/name on the hub; the data set and the model are two repositories of that name.
        only: one of the two; None: both.
        with_dropped: also the rows that were not kept, with their reasons.
        private: whether only you and your organisation may see them.
        licence: SPDX name, e.g. CC-BY-4.0, for the cards; None: none is stated.
        revision: the branch; it is made if it is not there.
        dry_run: say what would be sent, and send nothing; needs no token.
        say: told of notices and of waits, a line each.

    Raises:
        RunError: the run has not got that far, or its files were changed.
        DataError: the licence is not known.
        HubError: a name that cannot be, no token, or the hub refuses or cannot be reached.
        MissingExtra: huggingface_hub is not installed.
    """
    from japagen.push.destination import HUB, Destination, check_branch, check_name, hub_address, hub_token
    from japagen.push.hub import Pushed, check_token, page, send, sizes, with_manifest
    from japagen.push.session import quiet_hub

    endpoint = hub_address()
    token = "" if dry_run else hub_token(endpoint)
    to_there = Destination(check_name(to), check_branch(revision), private, endpoint, token)
    parts = _parts(run, to_there.repo_id, only, with_dropped, licence, say)
    if endpoint != HUB:
        say(f"the hub is {endpoint} (HF_ENDPOINT)")
    if dry_run:
        return [Pushed(kind, page(to_there, kind), sizes(with_manifest(files))) for kind, files in parts.items()]
    with quiet_hub():
        check_token(to_there, say=say)
        return [send(files, kind, to_there, say=say) for kind, files in parts.items()]


def _parts(
    run: str | Path,
    repo_id: str,
    only: Part | None,
    with_dropped: bool,
    licence: str | None,
    say: Callable[[str], None],
) -> dict[Kind, dict[str, bytes | Path]]:
    """The files of each repository, by their place in it."""
    from japagen.push.datacard import data_card
    from japagen.push.dataset import parquet, tables
    from japagen.push.facts import read_facts
    from japagen.push.licences import terms
    from japagen.push.model import model_card, model_files, seeds_left

    place = _opened(Path(run))
    facts = read_facts(place)
    parts: dict[Kind, dict[str, bytes | Path]] = {}
    if only != "model":
        found = tables(place, facts, with_dropped=with_dropped)
        card = data_card(facts, found, repo_id=repo_id, licence=licence)
        parts["dataset"] = {"README.md": card.encode(), **{path: parquet(table) for path, table in found.items()}}
    if only != "data":
        card = model_card(place, repo_id=repo_id, licence=licence, data_set=only is None)
        parts["model"] = model_files(place) | {"README.md": card.encode()}
        if told := seeds_left(place):
            say(told)
    say(f"mind: {terms(facts.llm)}")
    if licence is None:
        say("no licence is stated; without one others may hardly use it: --licence CC-BY-4.0, for example")
    return parts


def _opened(path: Path) -> Run:
    """The run in a folder.

    Raises:
        RunError: there is none; of a folder within a run, e.g. a classifier's, it says which run that is.
    """
    from japagen.errors import RunError
    from japagen.rundir import Run, check_name

    check_name(path)
    if path.is_dir() and not (path / "run.json").is_file():
        for above in (*path.parents, *path.resolve().parents):
            if (above / "run.json").is_file():
                what = f"is a folder of the run {above}, and push takes the whole run"
                raise RunError(what, where=path, remedy=f"japagen push {above} --to ORG/NAME")
    return Run.open(path)
