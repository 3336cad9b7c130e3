"""The published gold sets that `gold:` may name: where each file is, its revision, digest and licence, and how it is read.

Facts only; `evaluate.gold.fetch` brings the files into the user's cache, byte for byte as their publishers give them.

Where the digests are from: those of JSTS, of JNLI's valid and of JCoLA's in-domain files were computed from the files. That
of JNLI's train split is the one that a public project pins for the same commit; the six others that it pins are ours too.
JCoLA's out-of-domain file has none that could be confirmed: its first download is recorded and holds from then on. The
archive of the news stands on its publisher's site without a revision, and the copy at hand had been packed anew, so its
digest is of the articles in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "published:"
"""What the name of a file in the cache begins with: ``published:jnli/train-v1.3.json``."""

_JGLUE = "https://raw.githubusercontent.com/yahoojapan/JGLUE/6f071c09316baae89c3d083a90985b4b1cb9968c/datasets"
_JCOLA = "https://raw.githubusercontent.com/osekilab/JCoLA/736d9eef3af04bb17e4cf59adf01325973234ff9/data/jcola-v1.0"
_BY_SA = "CC BY-SA 4.0"


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of a publisher.

    Attributes:
        name: of the file, there and in the cache.
        url: where it is published, at a fixed revision where there are any.
        rows: how many it holds; None where we have not counted them.
        sha256: of the file (hex); None where none can be confirmed.
        size: in bytes; None where we have not seen the file.
        articles: of an archive: SHA-256 (hex) of the articles in it (`evaluate.gold.livedoor.articles_digest`).
        extra: whether the set's splits do without it.
    """

    name: str
    url: str
    rows: int | None = None
    sha256: str | None = None
    size: int | None = None
    articles: str | None = None
    extra: bool = False


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """A set of files.

    Attributes:
        name: by which `gold:` and `japagen gold fetch` call it.
        title: what it is, with its version.
        licence: of the data, with its conditions.
        page: where its publishers write about it.
        files: what is fetched.
        gold: what ``gold: NAME`` stands for, as it would stand in YAML.
    """

    name: str
    title: str
    licence: str
    page: str
    files: tuple[PublishedFile, ...]
    gold: Mapping[str, Any]


def _jglue(name: str, title: str, train: PublishedFile, valid: PublishedFile) -> PublishedSet:
    columns = {"text": "sentence1", "text_pair": "sentence2", "label": "label", "id": "sentence_pair_id"}
    return PublishedSet(
        name,
        title,
        _BY_SA,
        "https://github.com/yahoojapan/JGLUE",
        (train, valid),
        _official(name, train, valid, columns),
    )


def _official(name: str, train: PublishedFile, valid: PublishedFile, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The publishers' train and valid; nobody has the labels of their test, so valid is what is measured on."""
    files = {"train": train, "test": valid}
    return {
        **{split: {"file": f"{PREFIX}{name}/{file.name}", **columns} for split, file in files.items()},
        "split": {"dev": 0.1},
    }


_COLA_TRAIN = PublishedFile(
    "in_domain_train-v1.0.json",
    f"{_JCOLA}/in_domain_train-v1.0.json",
    rows=6919,
    sha256="c665f8a8b371b34c3c8947cde3670637cf0403ac7529ba8bb62370d07f008396",
    size=1_322_900,
)
_COLA_VALID = PublishedFile(
    "in_domain_valid-v1.0.json",
    f"{_JCOLA}/in_domain_valid-v1.0.json",
    rows=865,
    sha256="677fb021886b6829d6a84e8ca9f62808f6bd479fa829439f49eac4f94f23658c",
    size=165_053,
)
_NEWS = PublishedFile(
    "ldcc-20140209.tar.gz",
    "https://www.rondhuit.com/download/ldcc-20140209.tar.gz",
    rows=7367,
    articles="405858d7653700c06c50e122e63e2df9d35c5f06575441cbf255a695badfba0d",
)

PUBLISHED: Mapping[str, PublishedSet] = {
    each.name: each
    for each in (
        _jglue(
            "jnli",
            "JNLI (JGLUE v1.3)",
            PublishedFile(
                "train-v1.3.json",
                f"{_JGLUE}/jnli-v1.3/train-v1.3.json",
                rows=20_073,
                sha256="c506354d1310807f7300cfa8ad49482c6359a84fe85eea8d5e667d90d338d1c4",
            ),
            PublishedFile(
                "valid-v1.3.json",
                f"{_JGLUE}/jnli-v1.3/valid-v1.3.json",
                rows=2434,
                sha256="ca0353efc7c2eebfb6de4e13f16295053c8b1ee65e7b0849190c90426fbc495f",
                size=632_446,
            ),
        ),
        _jglue(
            "jsts",
            "JSTS (JGLUE v1.3)",
            PublishedFile(
                "train-v1.3.json",
                f"{_JGLUE}/jsts-v1.3/train-v1.3.json",
                rows=12_451,
                sha256="db6bd653270ac9786759920413a48973164d322998f34dd4ae32202af5e66969",
                size=3_164_816,
            ),
            PublishedFile(
                "valid-v1.3.json",
                f"{_JGLUE}/jsts-v1.3/valid-v1.3.json",
                rows=1457,
                sha256="7c0bdcb381179f01096c635d058853d96da1e1248d23fe3f5c2beed5dc2d9b1a",
                size=372_253,
            ),
        ),
        PublishedSet(
            "jcola",
            "JCoLA v1.0",
            f"{_BY_SA}; the sentences are quoted from published works",
            "https://github.com/osekilab/JCoLA",
            (
                _COLA_TRAIN,
                _COLA_VALID,
                PublishedFile("out_of_domain_valid-v1.0.json", f"{_JCOLA}/out_of_domain_valid-v1.0.json", extra=True),
            ),
            _official(
                "jcola",
                _COLA_TRAIN,
                _COLA_VALID,
                {
                    "text": "sentence",
                    "label": "label",
                    "id": "uid",
                    "labels": {"0": "unacceptable", "1": "acceptable"},
                },
            ),
        ),
        PublishedSet(
            "news",
            "livedoor news corpus",
            "CC BY-ND 2.1 JP: may not be passed on changed; credit is in each folder's LICENSE.txt",
            "https://www.rondhuit.com/download.html",
            (_NEWS,),
            {
                "all": {"file": f"{PREFIX}news/{_NEWS.name}", "text": "body", "max_chars": 200},
                "split": {"dev": 0.1, "test": 0.2},
            },
        ),
    )
}
