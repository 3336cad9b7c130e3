"""The file of candidate words that `japagen words` writes: YAML that a task reads as it is, and a person can edit.

Texts of users stand in it as comments only; what could end a comment is taken out of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path

from japagen.errors import DataError, RunError
from japagen.tables import column, read_rows, write_text
from japagen.task import Task
from japagen.words import Candidate, mine_words
from japagen.yamlfile import check_path

_PLAIN = re.compile("[ぁ-ゖァ-ヺー々一-鿿]+")  # needs no quotes in YAML
_HEAD = """\
# Candidate words for KADG: nouns that {texts} of {source} use more than Japanese texts in general do.
# Each line is 'word: weight'; the weight is how often the word occurs, and words are drawn in these shares.
# Delete what no text should be about, add what is missing, join or rename as you like. Then name this file in the task:
#   knowledge:
#     attributes:
#       word: {{file: {file}}}
# 'keyness' is the log-likelihood ratio (Dunning 1993): the higher, the surer it is that the word belongs to these texts;
# names of persons, numbers, and words that say nothing by themselves are left out.
values:
"""


def mine_file(
    task: str,
    source: str,
    output: Path | None = None,
    *,
    text_column: str = "text",
    label_column: str | None = None,
    top: int = 60,
    min_count: int = 3,
    force: bool = False,
) -> tuple[Path, list[Candidate]]:
    """Mine the texts of a file for words and write them; the file written, by default ``NAME-words.yaml``, and its words.

    Args:
        task: name or file; words that it has already are marked.
        source: a jsonl, csv, tsv or parquet file, or ``-``.
        output: the YAML file to write.
        text_column: where the texts stand.
        label_column: where their labels stand, if there are any.
        top: most words.
        min_count: least occurrences of a word.
        force: overwrite a file that stands there.

    Raises:
        ConfigError: the task cannot be used, or a path cannot be the name of a file.
        DataError: the texts cannot be used, or no noun occurs so often.
        RunError: the output cannot be written, or stands there already.
        MissingExtra: wordfreq is not installed.
    """
    loaded = Task.load(task)
    place = output or Path(f"{loaded.name}-words.yaml")
    for path in (source, str(place)):
        check_path(path)
    _check_free(place, force)
    rows = read_rows(source)
    if not rows:
        raise DataError("holds no rows", where=source, remedy="give a file with at least one text")
    texts = column(rows, text_column, source)
    labels = column(rows, label_column, source) if label_column else None
    try:
        candidates = mine_words(texts, labels=labels, top=top, min_count=min_count)
    except DataError as error:
        raise DataError(error.what, where=source, remedy=error.remedy) from error
    known = loaded.attributes["word"].values if "word" in loaded.attributes else ()
    name = "standard input" if source == "-" else Path(source).name
    write_words(place, candidates, source=name, texts=len(texts), known=known, force=force)
    return place, candidates


def write_words(
    file: Path,
    candidates: Sequence[Candidate],
    *,
    source: str,
    texts: int,
    known: Collection[str] = (),
    force: bool = False,
) -> None:
    """Write candidates, groups of several words first; ``source`` (a name without its folder) and `texts` stand in its head.

    Raises:
        RunError: the file cannot be written, or stands there already and `force` is off.
    """
    _check_free(file, force)
    lines = [_HEAD.format(texts=f"{texts:,} texts", source=_comment(source), file=_comment(json.dumps(file.name)))]
    groups = [list(group) for _, group in groupby(candidates, key=lambda c: c.group)]
    for group in (g for g in groups if len(g) > 1):
        lines.append(f"\n  # --- {group[0].group}: {len(group)} words\n")
        lines += [_entry(c, known) for c in group]
    if single := [g[0] for g in groups if len(g) == 1]:
        lines.append("\n  # --- like no other word\n")
        lines += [_entry(c, known) for c in single]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, "".join(lines))
    except OSError as error:
        raise RunError(
            f"cannot be written: {error.strerror or error}", where=file, remedy="choose another place with -o"
        ) from error


def _entry(candidate: Candidate, known: Collection[str]) -> str:
    word = candidate.word if _PLAIN.fullmatch(candidate.word) else json.dumps(candidate.word, ensure_ascii=False)
    told = [f"in {candidate.texts} text{'s' * (candidate.texts != 1)}", f"keyness {candidate.keyness:.0f}"]
    told += [f"typical for {_comment(candidate.label)}"] if candidate.label else []
    told += ["in the task already"] if candidate.word in known else []
    lines = [f"  {word}: {candidate.count}  # {', '.join(told)}\n"]
    lines += [f"  #     {_comment(text)}\n" for text in candidate.examples]
    return "".join(lines)


def _comment(text: str) -> str:
    """The text on one line, without what YAML cannot hold."""
    return "".join(char if char.isprintable() else " " for char in text)


def _check_free(file: Path, force: bool) -> None:
    if file.exists() and not force:
        raise RunError(
            "this file stands already", where=file, remedy="choose another with -o, or overwrite it: --force"
        )
