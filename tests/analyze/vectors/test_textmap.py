"""The map: groups stay together, order and threads do not matter, texts that are alike, refusals."""

import os
import subprocess
import sys

import numpy as np
import pytest

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.textmap import laid_out


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of the steps: enough for a few points."""
    monkeypatch.setattr("japagen.analyze.vectors.textmap.STEPS", 300)


def groups(n: int, seed: int = 0) -> np.ndarray:
    """Two groups of n rows, far apart."""
    drawn = np.random.default_rng(seed).normal(0, 0.1, (2 * n, 6))
    drawn[:n, 0] += 1
    drawn[n:, 1] += 1
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_groups_stay_apart_and_neighbours_together() -> None:
    found = laid_out(groups(30), encoder="fake-1", seed=0)
    first, second = found.places[:30], found.places[30:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > 2 * max(first.std(), second.std())
    assert found.kept > 3 * found.by_chance
    assert found.by_chance == pytest.approx(10 / 59)
    assert found.signature == (
        f"t-sne keeps {found.kept:.3f} of 10 neighbours, chance 0.169"
        " (n=60, 300 steps, perplexity 15, from 6 principal components, fake-1, seed 0)"
    )


def test_places_are_centred_and_within_one() -> None:
    found = laid_out(groups(10), encoder="x", seed=0)
    assert found.places.shape == (20, 2)
    assert np.abs(found.places).max() == pytest.approx(1)
    assert found.places.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_of_twelve_rows_nearly_all_neighbours_are_kept() -> None:
    found = laid_out(groups(6), encoder="x", seed=0)
    assert 0.9 <= found.kept <= 1  # ten of eleven others on both sides: nine at least are the same


def test_the_order_of_rows_does_not_matter() -> None:
    rows = groups(12)
    order = np.random.default_rng(1).permutation(len(rows))
    there = laid_out(rows[order], encoder="x", seed=0)
    assert np.array_equal(there.places, laid_out(rows, encoder="x", seed=0).places[order])


def test_texts_that_are_all_alike_have_a_map() -> None:
    found = laid_out(np.tile(groups(1)[:1], (20, 1)), encoder="x", seed=0)
    assert np.isfinite(found.places).all()


def test_the_number_of_threads_does_not_matter() -> None:
    program = (
        "import numpy as np, hashlib; from japagen.analyze.vectors import textmap; laid_out = textmap.laid_out;"
        "textmap.STEPS = 260; x = np.random.default_rng(0).normal(size=(80, 64));"
        "print(hashlib.sha256(laid_out(x, encoder='x', seed=0).places.tobytes()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2")
    }
    assert len(said) == 1


def test_too_few() -> None:
    with pytest.raises(UndefinedError, match="at least 12 texts, not 11"):
        laid_out(groups(6)[:11], encoder="x", seed=0)
