"""The fake hub answers as the hub does: to huggingface_hub, and to callers of bad manners."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from japagen.errors import ConfigError
from japagen.push.fakehub import FakeHub, HubFault, Token
from japagen.push.fakehub.cards import complaints
from japagen.push.fakehub.faults import FaultBook, load_faults
from japagen.push.fakehub.repositories import git_digest

WEIGHTS = bytes(range(256)) * 40


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder as a model is saved."""
    folder = tmp_path / "saved"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}", "utf-8")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "sub/名前.txt").write_text("中身", "utf-8")
    return folder


def call(hub: FakeHub, method: str, path: str, body: Any = None, token: str | None = None, **headers: str) -> Any:
    """Status, headers and body of a call."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(hub.url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), refused.read()


def test_a_model_is_downloaded_at_the_revision_asked_for(hub: FakeHub, saved: Path, tmp_path: Path) -> None:
    first = hub.add("tohoku-nlp/tiny", saved)
    (saved / "config.json").write_text('{"later": 1}', "utf-8")
    second = hub.add("tohoku-nlp/tiny", saved)
    for revision, config in ((first, "{}"), (second, '{"later": 1}'), (None, '{"later": 1}')):
        place = snapshot_download(
            "tohoku-nlp/tiny", revision=revision, endpoint=hub.url, cache_dir=tmp_path / "cache", token=False
        )
        assert Path(place).name == (revision or second)
        assert (Path(place) / "config.json").read_text("utf-8") == config
        assert (Path(place) / "model.safetensors").read_bytes() == WEIGHTS
        assert (Path(place) / "sub/名前.txt").read_text("utf-8") == "中身"


def test_a_file_that_is_in_the_cache_is_not_sent_again(hub: FakeHub, saved: Path, tmp_path: Path) -> None:
    commit = hub.add("org/tiny", saved)
    for _ in range(2):
        hf_hub_download(
            "org/tiny", "model.safetensors", revision=commit, endpoint=hub.url, cache_dir=tmp_path, token=False
        )
    assert [served.method for served in hub.journal] == ["HEAD", "GET"]


def test_what_is_not_there_has_the_hubs_codes(hub: FakeHub, saved: Path, tmp_path: Path) -> None:
    commit = hub.add("org/tiny", saved)
    hub.add("meta/gated", saved, gated=True)
    hub.add("meta/hidden", saved, private=True)
    hub.add("org/hidden", saved, private=True)

    def get(repo_id: str, name: str = "config.json", revision: str = "main", token: Any = False) -> str:
        return hf_hub_download(repo_id, name, revision=revision, endpoint=hub.url, cache_dir=tmp_path, token=token)

    for token in (False, hub.token):
        for wrong, error, status in (
            (lambda t: get("org/tiny", "none.json", token=t), EntryNotFoundError, 404),
            (lambda t: get("org/tiny", revision="v9", token=t), RevisionNotFoundError, 404),
            (lambda t: get("org/tiny", revision="0" * 40, token=t), RevisionNotFoundError, 404),
            (lambda t: get("org/none", token=t), RepositoryNotFoundError, 404 if token else 401),
            (lambda t: get("meta/hidden", token=t), RepositoryNotFoundError, 404 if token else 401),
            (lambda t: get("meta/gated", token=t), GatedRepoError, 403 if token else 401),
        ):
            with pytest.raises(error) as caught:
                wrong(token)
            assert caught.value.response.status_code == status  # type: ignore[attr-defined]
    assert Path(get("org/hidden", token="hf_fake_read")).read_text("utf-8") == "{}"
    with pytest.raises(HfHubHTTPError):
        get("org/tiny", token="hf_fake_unknown", revision=commit)


def test_metadata_of_a_file(hub: FakeHub, saved: Path) -> None:
    commit = hub.add("org/tiny", saved)
    status, headers, body = call(hub, "HEAD", "/org/tiny/resolve/main/model.safetensors")
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert (status, body) == (200, b"")
    assert headers["X-Repo-Commit"] == commit
    assert headers["X-Linked-ETag"] == headers["ETag"] == f'"{digest}"'
    assert headers["X-Linked-Size"] == headers["Content-Length"] == str(len(WEIGHTS))
    status, headers, _ = call(hub, "HEAD", "/org/tiny/resolve/main/config.json")
    assert headers["ETag"] == f'"{git_digest(b"{}")}"'
    status, headers, body = call(hub, "GET", "/org/tiny/resolve/main/model.safetensors", Range="bytes=100-")
    assert (status, body) == (206, WEIGHTS[100:])
    assert headers["Content-Range"] == f"bytes 100-{len(WEIGHTS) - 1}/{len(WEIGHTS)}"


def test_git_calls_a_file_as_we_do() -> None:
    assert git_digest(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object


def test_the_tree_and_what_is_asked_of_it(hub: FakeHub, saved: Path) -> None:
    hub.add("org/tiny", saved)
    api = HfApi(endpoint=hub.url, token=hub.token)
    top = {entry.path for entry in api.list_repo_tree("org/tiny")}
    assert top == {".gitattributes", "config.json", "model.safetensors", "sub"}
    files = api.list_repo_files("org/tiny")
    assert sorted(files) == [".gitattributes", "config.json", "model.safetensors", "sub/名前.txt"]
    found = api.get_paths_info("org/tiny", ["config.json", "none"])
    assert [entry.path for entry in found] == ["config.json"]
    assert [commit.title for commit in api.list_repo_commits("org/tiny")] == ["add files", "initial commit"]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree("org/tiny", "none"))


def test_a_folder_goes_up_and_files_are_deleted(hub: FakeHub, saved: Path) -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    assert api.create_repo("org/new", repo_type="dataset", private=True) == f"{hub.url}/datasets/org/new"
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("org/new", repo_type="dataset")
    with pytest.warns(DeprecationWarning, match="Use 'content="):  # huggingface_hub's own
        api.upload_folder(repo_id="org/new", repo_type="dataset", folder_path=saved)
    api.create_branch("org/new", branch="a/b", repo_type="dataset")
    api.delete_folder("sub", "org/new", repo_type="dataset", revision="a/b")
    assert hub.files("org/new", "dataset")["model.safetensors"] == WEIGHTS
    assert set(hub.files("org/new", "dataset", revision="a/b")) == {
        ".gitattributes",
        "config.json",
        "model.safetensors",
    }
    assert [ref.name for ref in api.list_repo_refs("org/new", repo_type="dataset").branches] == ["main", "a/b"]


def test_repositories_outlive_the_hub(hub: FakeHub, saved: Path, tmp_path: Path) -> None:
    commit = hub.add("org/tiny", saved)
    with FakeHub(tmp_path / "hub") as again:
        assert again.commits("org/tiny")[0].oid == commit


COMMIT = "/api/models/org/tiny/commit/main"


def lines(*rows: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


def a_file(path: str, content: str = base64.b64encode(b"x").decode()) -> bytes:
    head = {"key": "header", "value": {"summary": "s"}}
    return lines(head, {"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}})


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".git/config", "", "a//b", "./x"])
def test_a_path_that_leads_out_is_refused(hub: FakeHub, saved: Path, tmp_path: Path, path: str) -> None:
    hub.add("org/tiny", saved)
    before = {file for file in tmp_path.rglob("*") if "blobs" not in file.parts}
    assert call(hub, "POST", COMMIT, a_file(path), hub.token)[0] == 400
    assert {file for file in tmp_path.rglob("*") if "blobs" not in file.parts} == before
    assert len(hub.commits("org/tiny")) == 2


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[]", b'{"key": "file"}', lines({"key": "file", "value": {}}), lines({"key": "steal", "value": {}})),
        *(a_file("x", "no base64!"), a_file("x", "あ")),
        lines({"key": "header", "value": {"summary": "s", "parentCommit": "0" * 40}}),
        lines({"key": "lfsFile", "value": {"path": "x", "oid": "0" * 64, "size": 1}}),
    ],
)
def test_what_is_no_commit_is_refused(hub: FakeHub, saved: Path, body: bytes) -> None:
    hub.add("org/tiny", saved)
    assert call(hub, "POST", COMMIT, body, hub.token)[0] in (400, 412)
    assert len(hub.commits("org/tiny")) == 2


def test_names_that_lead_out_are_not_there(hub: FakeHub, saved: Path, tmp_path: Path) -> None:
    hub.add("org/tiny", saved)
    (tmp_path / "secret.json").write_text("{}", "utf-8")
    for path in (
        "/api/models/%2e%2e/secret",
        "/%2e%2e/secret/resolve/main/x",
        "/api/models/org/%2e%2e%2f%2e%2e%2fsecret",
    ):
        assert call(hub, "GET", path, token=hub.token)[0] == 404
    body = {"name": "../../../x", "organization": "org"}
    assert call(hub, "POST", "/api/repos/create", body, hub.token)[0] == 404
    stolen = lines({"key": "lfsFile", "value": {"path": "x", "oid": "../../../secret.json", "size": 2}})
    assert call(hub, "POST", COMMIT, stolen, hub.token)[0] == 404
    assert sorted(file.name for file in tmp_path.iterdir()) == ["hub", "saved", "secret.json"]


def test_a_large_file_must_be_what_it_is_called(hub: FakeHub) -> None:
    digest = hashlib.sha256(b"right").hexdigest()
    assert call(hub, "PUT", f"/_lfs/{digest}", b"wrong")[0] == 400
    assert call(hub, "POST", f"/_lfs/{digest}/verify", {"size": 5})[0] == 404
    assert call(hub, "PUT", f"/_lfs/{digest}", b"right")[0] == 200
    assert call(hub, "POST", f"/_lfs/{digest}/verify", {"size": 5})[0] == 200


def test_who_may_write_where(hub: FakeHub, saved: Path) -> None:
    hub.add("org/tiny", saved)
    hub.add("meta/tiny", saved)
    for token, path, status in (
        (None, COMMIT, 401),
        ("hf_fake_read", COMMIT, 403),
        (hub.token, "/api/models/meta/tiny/commit/main", 403),
        (hub.token, COMMIT, 200),
    ):
        assert call(hub, "POST", path, a_file("x"), token)[0] == status
    assert call(hub, "GET", "/api/whoami-v2")[0] == 401


def test_tokens_may_be_others(saved: Path) -> None:
    with FakeHub(tokens={"mine": Token(user="me", orgs=())}) as hub:
        found = json.loads(call(hub, "GET", "/api/whoami-v2", token="mine")[2])
        assert (hub.token, found["name"], found["orgs"]) == ("mine", "me", [])
        assert call(hub, "POST", "/api/repos/create", {"name": "x", "organization": "org"}, "mine")[0] == 403
        assert call(hub, "POST", "/api/repos/create", {"name": "x"}, "mine")[0] == 200


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (HubFault(status=503, retry_after="5"), lambda s, h, b: (s, h["Retry-After"]) == (503, "5")),
        (HubFault(kind="html", status=502), lambda s, h, b: s == 502 and b.startswith(b"<!DOCTYPE")),
        (HubFault(kind="slow", seconds=0.05), lambda s, h, b: s == 200),
    ],
)
def test_faults_show_and_pass(hub: FakeHub, fault: HubFault, outcome: Callable[[int, Any, bytes], bool]) -> None:
    hub.faults = [fault]
    assert outcome(*call(hub, "GET", "/api/whoami-v2", token=hub.token))
    assert call(hub, "GET", "/api/whoami-v2", token=hub.token)[0] == 200
    assert [served.fault for served in hub.journal] == [fault.kind, ""]


def test_faults_that_break_the_connection(hub: FakeHub) -> None:
    create = ("POST", "/api/repos/create")
    for kind, made in (("reset", False), ("lost", True), ("truncated", True)):
        hub.faults = [HubFault(kind, path="/api/repos/create")]  # type: ignore[arg-type]
        with pytest.raises((OSError, http.client.HTTPException)):
            call(hub, *create, {"name": kind, "organization": "org"}, hub.token)
        assert hub.repositories.has(("model", f"org/{kind}")) == made


def test_which_call_is_hit() -> None:
    book = FaultBook([HubFault(path="*/commit/*", method="POST", skip=1, times=2), HubFault("slow", path="/x")])
    calls = [("POST", "/a/commit/main")] * 5 + [("GET", "/a/commit/main"), ("GET", "/x")]
    found = [book.choose(*each) for each in calls]
    assert [fault.kind if fault else None for fault in found] == [None, "status", "status", None, None, None, "slow"]


def test_scripts_of_faults() -> None:
    assert load_faults('[{"kind": "reset", "times": null}]') == [HubFault("reset", times=None)]
    for text in ("{", "[3]", "3", '[{"kind": "reset", "when": 3}]', '[{"kind": "rest"}]'):
        with pytest.raises(ConfigError):
            load_faults(text)


@pytest.mark.parametrize(
    ("front", "kind", "said"),
    [
        ("language: ja\nlicense: mit", "model", []),
        ("license: nonsense", "model", ["license"]),
        ("license: other", "dataset", ["license_name"]),
        ("language: japanese-of-japan", "model", ["language"]),
        ("size_categories: [small]", "dataset", ["size_categories"]),
        ("task_categories: [magic]", "dataset", ["task_categories"]),
        ("pipeline_tag: magic", "model", ["pipeline_tag"]),
        ("configs: [{config_name: a}]", "dataset", ["configs"]),
        ("configs: [{config_name: a, data_files: [{split: train}]}]", "dataset", ["data_files"]),
        ("a: [", "model", ["YAML"]),
        ("[]", "model", ["mapping"]),
    ],
)
def test_cards_are_looked_at(front: str, kind: str, said: list[str]) -> None:
    found = complaints(f"---\n{front}\n---\n# text\n", kind)
    assert len(found) == len(said)
    for words, word in zip(found, said, strict=True):
        assert word in words
    assert complaints("# no metadata", kind) == []


def test_the_hub_as_a_process(tmp_path: Path, saved: Path) -> None:
    script = '[{"status": 418, "path": "/api/whoami-v2"}]'
    command = [sys.executable, "-m", "japagen.push.fakehub", "--folder", str(tmp_path / "own"), "--script", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(url + "/api/whoami-v2")
            caught.value.close()
            assert caught.value.code == 418
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert process.returncode == 0
