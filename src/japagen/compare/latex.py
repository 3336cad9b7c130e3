r"""The comparison as LaTeX tables with booktabs, to be read with ``\input``; everything is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from japagen.compare.printed import MARK, Printed, Text

_HEAD = """\
% Made by japagen compare. In the preamble: \\usepackage{booktabs}
% Names with Japanese letters need LuaLaTeX with luatexja, or another engine that knows them.
"""
_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "*": "{*}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "−": "$-$",
    "–": "--",
    "·": r"$\cdot$",
    "≥": r"$\geq$",
    MARK: r"$^\dagger$",
}
_TABLE = str.maketrans(_SIGNS)


def to_latex(tables: Sequence[Printed]) -> str:
    """Every table as a float of its own."""
    return _HEAD + "\n".join(_table(table) for table in tables)


def latex(text: str) -> str:
    r"""A text as LaTeX that shows it literally.

    >>> latex("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return text.translate(_TABLE)


def _table(table: Printed) -> str:
    columns = "".join("l" if place < table.left else "r" for place in range(len(table.head)))
    caption = " ".join(map(latex, (f"{table.title}.", *table.lead, *table.caption)))
    lines = [
        r"\begin{table*}",
        r"\centering\small",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        *_heading(table),
    ]
    for part in table.parts:
        lines.append(r"\midrule")
        if part.title:
            lines.append(rf"\multicolumn{{{len(table.head)}}}{{@{{}}l}}{{\textit{{{latex(part.title)}}}}} \\")
        lines += [_line(map(_cell, row)) for row in part.rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""])


def _heading(table: Printed) -> list[str]:
    """Notes of the headings stand in lines of their own."""
    notes = zip_longest(*(text.note.split("\n") for text in table.head), fillvalue="")
    return [_line(latex(text.main) for text in table.head), *(_line(map(_small, line)) for line in notes if any(line))]


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _small(text: str) -> str:
    return rf"{{\scriptsize {latex(text)}}}" if text else ""


def _cell(text: Text) -> str:
    main = rf"\textbf{{{latex(text.main)}}}" if text.bold else latex(text.main)
    return " ".join(filter(None, [main + (_SIGNS[MARK] if text.marked else ""), _small(text.note)]))
