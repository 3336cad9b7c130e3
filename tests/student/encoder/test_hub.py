"""Encoders by name: from a hub of ours on this machine, at a commit, without pickle."""

from __future__ import annotations

import hashlib
import shutil

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")
pytest.importorskip("transformers", reason="transformers is not installed (extra 'encoder')")

from japagen.errors import ModelError  # noqa: E402
from japagen.push.fakehub import FakeHub, HubFault  # noqa: E402
from japagen.student import Training, load_student  # noqa: E402
from japagen.student.encoder import hub as module  # noqa: E402
from japagen.student.encoder.hub import PINNED, Pinned, fetch  # noqa: E402


@pytest.fixture
def hub(monkeypatch, tmp_path):
    from huggingface_hub import constants

    with FakeHub(tmp_path / "hub") as found:
        monkeypatch.setenv("JAPAGEN_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf-cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        original = module._snapshot

        def snapshot(*args, **kwargs):
            return original(*args, endpoint=found.url, cache_dir=tmp_path / "hf-cache", token=False, **kwargs)

        monkeypatch.setattr(module, "_snapshot", snapshot)
        yield found


def test_a_name_is_fetched_once_at_its_commit(hub, tiny_bert, settings, singles):
    first = hub.add("org/tiny", tiny_bert)
    section = settings(model="org/tiny", epochs=1)
    classifier = load_student("encoder", Training(section)).fit(singles, (), seed=0)
    assert (classifier.model, classifier.revision) == ("org/tiny", first)
    fetched = [served for served in hub.journal if served.method == "GET" and "model.safetensors" in served.path]
    assert len(fetched) == 1
    load_student("encoder", Training(section)).fit(singles, (), seed=0)
    again = [served for served in hub.journal if served.method == "GET" and "model.safetensors" in served.path]
    assert len(again) == 1


def test_an_older_commit_can_be_asked_for(hub, tiny_bert, tmp_path):
    first = hub.add("org/tiny", tiny_bert)
    newer = tmp_path / "newer"
    shutil.copytree(tiny_bert, newer)
    (newer / "README.md").write_text("newer")
    second = hub.add("org/tiny", newer)
    assert fetch("org/tiny", None).revision == second
    assert fetch("org/tiny", first).revision == first


@pytest.mark.parametrize(
    ("name", "revision", "words"),
    [
        ("bare-name", None, "is not on the hub|cannot be had"),
        ("org/absent", None, "is not on the hub"),
        ("org/tiny", "0" * 40, "has no revision"),
        ("org/locked", None, "is gated"),
    ],
)
def test_what_the_hub_refuses_is_said(hub, tiny_bert, name, revision, words):
    hub.add("org/tiny", tiny_bert)
    hub.add("org/locked", tiny_bert, gated=True)
    with pytest.raises(ModelError, match=words) as caught:
        fetch(name, revision)
    assert name in str(caught.value)


def test_a_hub_that_is_away_names_the_way_without_it(hub):
    hub.faults = [HubFault("status", status=503, times=None)]
    with pytest.raises(ModelError, match=r"(?s)cannot be had from the hub.*use-multilingual"):
        fetch("org/tiny", None)


@pytest.fixture
def pickled(tiny_bert, tmp_path):
    """The small model as an old one lies on the hub: weights as pickle."""
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(tiny_bert, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def test_pickle_of_a_stranger_is_refused_and_not_fetched(hub, pickled):
    hub.add("org/old", pickled)
    with pytest.raises(ModelError, match="pickle of others is not read"):
        fetch("org/old", None)
    assert not any(served.method == "GET" and "pytorch_model.bin" in served.path for served in hub.journal)


def test_a_pinned_pickle_is_converted_once(hub, pickled, monkeypatch, tiny_bert, settings, singles):
    commit = hub.add("org/old", pickled)
    sha256 = hashlib.sha256((pickled / "pytorch_model.bin").read_bytes()).hexdigest()
    monkeypatch.setitem(PINNED, "org/old", Pinned(commit, sha256))
    found = fetch("org/old", None)
    assert (found.folder / "model.safetensors").is_file()
    assert not list(found.folder.glob("*.bin"))
    plain, converted = (
        load_student("encoder", Training(settings(model=model, epochs=1))).fit(singles, (), seed=0).predict(singles)
        for model in (str(tiny_bert), "org/old")
    )
    assert plain == converted
    served = len(hub.journal)
    assert fetch("org/old", None) == found
    assert len(hub.journal) == served


def test_a_pinned_pickle_that_is_another_file_is_refused(hub, pickled, monkeypatch):
    commit = hub.add("org/old", pickled)
    monkeypatch.setitem(PINNED, "org/old", Pinned(commit, "0" * 64))
    with pytest.raises(ModelError, match="is not the file that is known here"):
        fetch("org/old", None)


def test_the_papers_model_is_pinned():
    pinned = PINNED["tohoku-nlp/bert-base-japanese-v3"]
    assert len(pinned.revision) == 40
    assert len(pinned.pickled) == 64
