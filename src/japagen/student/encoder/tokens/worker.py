"""The other end of `parallel`: `python -m japagen.student.encoder.tokens.worker TOKENISER FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import orjson

from japagen.student.encoder.tokens import folder as files
from japagen.student.encoder.tokens.japanese import JapaneseTokeniser
from japagen.student.encoder.tokens.parallel import IDS, STARTS, TEXTS


def main() -> None:
    """Cut the texts of the folder with the tokeniser in the other; the ids go beside them."""
    home, folder = Path(sys.argv[1]), Path(sys.argv[2])
    tokeniser = JapaneseTokeniser.load(home, files.read_config(home))
    pieces = tokeniser.pieces(orjson.loads((folder / TEXTS).read_bytes()))
    np.save(folder / IDS, pieces.ids)
    np.save(folder / STARTS, pieces.starts)


if __name__ == "__main__":
    main()
