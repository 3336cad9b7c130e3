"""A hub that refuses or breaks: one clear error or another try, and the token in none of the words."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import HubError, MissingExtra
from japagen.push import push
from japagen.push.destination import HUB, Destination, check_branch, check_name, hub_address
from japagen.push.failures import explain
from japagen.push.fakehub import FakeHub, HubFault
from japagen.push.licences import terms


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between tries; nobody waits."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def refused(run: Path, *, to: str = "org/mood", **options: object) -> HubError:
    said: list[str] = []
    with pytest.raises(HubError) as caught:
        push(run, to, say=said.append, **options)  # type: ignore[arg-type]
    error = caught.value
    assert error.exit_code == 2
    assert error.where
    assert error.remedy
    shown = "".join(traceback.format_exception(error)) + "".join(said)
    assert "hf_fake" not in shown
    return error


ECHO = "Bearer token {authorization} is no good"
CASES = [
    (
        HubFault(status=401, path="/api/whoami-v2", message=ECHO, times=None),
        "does not accept the token",
        "/settings/tokens",
    ),
    (HubFault(status=403, path="*/create", message=ECHO, times=None), "has no right to do this", "'write'"),
    (HubFault(status=403, path="*/commit/*", message=ECHO, times=None), "has no right to do this", "contents/settings"),
    (
        HubFault(status=403, path="*/preupload/*", message="Private storage limit reached", times=None),
        "no room",
        "larger plan",
    ),
    (HubFault(status=402, path="*/create", message="Payment required", times=None), "no room is left", "larger plan"),
    (HubFault(status=404, path="*/commit/*", code="RepoNotFound", times=None), "no such repository", "HF_ENDPOINT"),
    (
        HubFault(status=404, path="*/preupload/*", code="RevisionNotFound", times=None),
        "no branch 'main'",
        "same command",
    ),
    (HubFault(status=409, path="*/commit/*", message=ECHO, times=None), "somebody else is changing", "same command"),
    (HubFault(status=412, path="*/commit/*", times=None), "somebody else is changing", "same command"),
    (HubFault(status=413, path="*/commit/*", message=ECHO, times=None), "too large", "--only"),
    (HubFault(status=413, method="PUT", path="/_lfs/*", times=None), "too large", "--only"),
    (HubFault(status=429, path="*/whoami-v2", retry_after="2", times=None), "too many calls", "wait"),
    (HubFault(status=429, path="*/commit/*", retry_after="7200", times=None), "again in 7200 seconds", "wait so long"),
    (HubFault(status=503, method="PUT", retry_after="9999", times=None), "again in 9999 seconds", "wait so long"),
    (HubFault(status=500, path="*/commit/*", message=ECHO, times=None), "out of order (HTTP 500)", "same command"),
    (HubFault(status=502, kind="html", path="/api/whoami-v2", times=None), "out of order (HTTP 502)", "same command"),
    (HubFault(status=200, kind="html", path="/api/whoami-v2", times=None), "does not speak as the hub", "HF_ENDPOINT"),
    (HubFault(status=400, path="*/commit/*", message=ECHO, times=None), "Bearer token Bearer *** is no good", "mend"),
    (HubFault(status=400, path="*/validate-yaml", times=None), "does not take the card", "--licence"),
    (HubFault(status=418, path="*/commit/*", message="x" * 5000, times=None), "HTTP 418", "mend"),
    (HubFault("reset", path="/api/whoami-v2", times=None), "cannot be reached", "network"),
    (HubFault("reset", method="PUT", times=None), "cannot be reached", "network"),
    (HubFault("truncated", path="/api/whoami-v2", times=None), "cannot be reached", "network"),
]


@pytest.mark.parametrize(
    ("fault", "what", "remedy"), CASES, ids=lambda v: f"{v.kind}{v.status}" if isinstance(v, HubFault) else ""
)
def test_one_clear_error(
    hub: FakeHub, small: Path, waits: list[float], fault: HubFault, what: str, remedy: str
) -> None:
    hub.faults = [fault]
    error = refused(small, only="data")
    assert what in error.what
    assert remedy in error.remedy
    assert len(str(error)) < 900
    assert max(waits, default=0) <= 301


PASSING = [
    HubFault(status=429, path="*/commit/*", retry_after="7"),
    HubFault(status=429, path="*/preupload/*", retry_after="3"),
    HubFault(status=503, path="/api/whoami-v2", times=3),
    HubFault(status=500, method="PUT"),
    HubFault("reset", method="PUT"),
    HubFault("reset", path="*/commit/*", times=2),
    HubFault("lost", path="*/create"),
    HubFault("lost", path="*/commit/*"),
    HubFault("truncated", path="/api/datasets/org/mood"),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda f: f"{f.kind}-{f.path}")
def test_what_fails_in_passing_is_tried_again(hub: FakeHub, small: Path, waits: list[float], fault: HubFault) -> None:
    hub.faults = [fault]
    pushed = push(small, "org/mood", only="data")
    assert any(served.fault == fault.kind for served in hub.journal)
    assert pushed[0].changed
    assert len(hub.commits("org/mood", "dataset")) == 2  # the hub's own and one of ours, even where its answer was lost
    if fault.retry_after:
        assert max(waits) >= float(fault.retry_after)


def test_an_upload_that_broke_off_goes_on(hub: FakeHub, small: Path, waits: list[float]) -> None:
    hub.faults = [HubFault("reset", method="PUT", skip=1, times=None)]  # the first of two large files goes through
    refused(small, only="data", with_dropped=True)
    assert len(hub.commits("org/mood", "dataset")) == 1
    hub.faults = []
    done = [served.path for served in hub.journal if served.method == "PUT" and served.status == 200]
    hub.journal.clear()
    push(small, "org/mood", only="data", with_dropped=True)
    again = [served.path for served in hub.journal if served.method == "PUT"]
    assert len(done) == len(again) == 1
    assert done != again
    assert len(hub.commits("org/mood", "dataset")) == 2


def test_without_the_extra_the_remedy_is_its_installation(
    hub: FakeHub, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert len(push(small, "org/mood", dry_run=True)) == 2
    with pytest.raises(MissingExtra) as caught:
        push(small, "org/mood")
    assert "japagen[hub]" in caught.value.remedy


def test_a_hub_that_is_not_there(small: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_fake_x")
    with FakeHub() as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.url)
    assert "cannot be reached" in refused(small).what
    assert waits == [1, 2, 4]


def test_a_token_that_is_unknown_or_may_only_read(hub: FakeHub, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_fake_read")
    assert "may only read" in refused(small).what
    assert [served.path for served in hub.journal] == ["/api/whoami-v2"]  # seen before anything is tried
    monkeypatch.setenv("HF_TOKEN", "hf_fake_unknown")
    assert "does not accept the token" in refused(small).what
    monkeypatch.setenv("HF_TOKEN", hub.token)
    error = refused(small, to="strangers/mood")
    assert "no right" in error.what
    assert "of strangers, whose member" in error.remedy


@pytest.mark.parametrize("token", ["", "  ", "hf_fake\n_x", "hf_fake x", "hf_fakeあ", "hf_fake\x00"])
def test_a_token_that_is_none(hub: FakeHub, small: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    if "\x00" in token:
        monkeypatch.setattr("os.environ", {"HF_TOKEN": token, "HF_ENDPOINT": hub.url})
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    assert refused(small).where == "HF_TOKEN"
    assert hub.journal == []


def test_a_repository_of_others_is_not_overwritten(hub: FakeHub, small: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/model.safetensors").write_bytes(b"theirs")
    hub.add("org/mood", tmp_path / "theirs", private=True)
    error = refused(small, only="model")
    assert "'model.safetensors', which japagen has not pushed" in error.what
    assert hub.files("org/mood")["model.safetensors"] == b"theirs"


def test_a_public_repository_gets_nothing_private(hub: FakeHub, small: Path) -> None:
    push(small, "org/mood", private=False)
    commits = len(hub.commits("org/mood", "dataset"))
    assert "--public" in refused(small, with_dropped=True).remedy
    assert len(hub.commits("org/mood", "dataset")) == commits
    said: list[str] = []
    push(small, "org/hidden", only="data")
    push(small, "org/hidden", only="data", private=False, say=said.append)
    assert any("is private and stays so" in line for line in said)


def test_a_list_of_ours_that_was_spoilt_removes_nothing(hub: FakeHub, small: Path, tmp_path: Path) -> None:
    push(small, "org/mood", only="data")
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    for text in ("{", "[]", '{"files": 3}', '{"files": ["../../x", 3, "README.md", "none"]}'):
        (spoilt / "japagen.json").write_text(text, "utf-8")
        hub.add("org/mood", spoilt, repo_type="dataset")
        push(small, "org/mood", only="data")
        assert "data/train.parquet" in hub.files("org/mood", "dataset")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "mood",
            "org/",
            "/mood",
            "org/../x",
            "../../etc",
            "a/b/c",
            "org/x/",
            "組織/気分",
            "org/気分",
            "org/mood\n",
        ),
        *(
            "org/x y",
            "org/x\x00",
            "org/a--b",
            "org/a..b",
            "org/x.git",
            "org/-x",
            "org/x-",
            "org/.x",
            "org/x.",
            "org\\x",
        ),
        *("org/" + "x" * 200, "https://hub/org/x", "org/x?y", "org/%2e%2e", "datasets/org/x", "org/\ud800"),
    ],
)
def test_hostile_names_are_refused_before_anything_is_read(name: str) -> None:
    with pytest.raises(HubError) as caught:
        push("no-such-run", name, dry_run=True)
    assert caught.value.where == "--to"
    assert caught.value.remedy


@given(st.text())
def test_a_name_that_passes_is_plain(name: str) -> None:
    try:
        check_name(name)
    except HubError:
        return
    org, slash, rest = name.partition("/")
    assert all((org, slash, rest, name.isascii(), name.isprintable()))
    assert ".." not in name


@pytest.mark.parametrize(
    "name", ["", "a..b", "/x", "x/", "refs/pr/1", "x.lock", "-x", "a b", "枝", "a//b", "0" * 40, "a/.b"]
)
def test_branches_that_cannot_be(name: str) -> None:
    with pytest.raises(HubError) as caught:
        check_branch(name)
    assert caught.value.where == "--revision"


@pytest.mark.parametrize(
    "address", ["hub.example", "ftp://hub", "http://", "https://me:secret@hub", "http://hub:x", "http://hub/?a", "a\nb"]
)
def test_addresses_that_are_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(HubError) as caught:
        hub_address()
    assert caught.value.where == "HF_ENDPOINT"
    assert "secret" not in str(caught.value)


def test_the_address_is_the_public_hub_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert hub_address() == HUB
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:8/mirror/")
    assert hub_address() == "http://127.0.0.1:8/mirror"


@pytest.mark.parametrize(
    ("llm", "who"),
    [
        ("openai:gpt-4o-mini", "OpenAI"),
        ("openai-batch:o3-mini", "OpenAI"),
        ("openai:claude-sonnet-4", "Anthropic"),
        ("openai:google/gemini-2.0-flash", "Google"),
        ("openai:meta-llama/Llama-3.1-8B", "Meta"),
        ("embedded", "Gemma"),
        ("gguf:gemma-3-4b.gguf", "Gemma"),
        ("openai:Qwen/Qwen3-8B", "the terms of the model"),
        ("scripted", "the terms of the model"),
    ],
)
def test_whose_terms_are_to_be_minded(llm: str, who: str) -> None:
    assert who in terms(llm)


def test_an_answer_that_a_library_trips_over_is_the_hubs_fault_and_ours_is_ours() -> None:
    """A TypeError out of huggingface_hub means a server that is no hub; one of our own stays a bug."""
    import json

    def theirs() -> BaseException:
        try:
            json.loads(3)  # type: ignore[arg-type]
        except TypeError as error:
            return error
        raise AssertionError

    def of_ours() -> BaseException:
        try:
            from japagen.push import destination

            exec("len(3)", vars(destination))  # a fault in a module of ours
        except TypeError as error:
            return error
        raise AssertionError

    to = Destination("org/reviews")
    found = explain(theirs(), to)
    assert found is not None
    assert "does not speak as the hub does" in found.what
    assert explain(of_ours(), to) is None
