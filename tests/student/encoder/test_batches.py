"""Every row in one batch of the right size, little padding, and the same order for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.student.encoder.batches import epoch_batches, padding, within

WAYS = ["bucket", "plain", "tokens"]
LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=400).map(lambda x: np.array(x, dtype=np.int64))


@given(LENGTHS, st.integers(1, 40), st.sampled_from(WAYS), st.integers(0, 3))
def test_each_row_once(lengths, size, way, epoch):
    found = epoch_batches(lengths, size, way, seed=1, epoch=epoch)
    assert sorted(np.concatenate(found)) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 40), st.sampled_from(["bucket", "plain"]))
def test_all_batches_but_one_are_full(lengths, size, way):
    sizes = sorted(len(batch) for batch in epoch_batches(lengths, size, way, seed=0, epoch=0))
    assert sizes[1:] == [size] * (len(sizes) - 1)
    assert 1 <= sizes[0] <= size


@given(LENGTHS, st.integers(1, 40))
def test_no_batch_exceeds_the_budget_of_tokens(lengths, size):
    for batch in epoch_batches(lengths, size, "tokens", seed=0, epoch=0):
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= size * lengths.mean()


def test_by_hand():
    lengths = np.array([1, 1, 2, 3, 9])
    assert [list(b) for b in within(lengths, np.arange(5), 4)] == [[0, 1], [2], [3], [4]]
    assert [list(b) for b in within(lengths, np.arange(5), 6)] == [[0, 1, 2], [3], [4]]
    assert padding(lengths, [np.array([0, 1]), np.array([2, 3]), np.array([4])]) == 1 - 16 / 17


@pytest.mark.parametrize("way", WAYS)
def test_the_seed_and_the_epoch_decide(way):
    lengths = np.random.default_rng(0).integers(5, 60, 500)

    def order(seed, epoch):
        return [list(b) for b in epoch_batches(lengths, 8, way, seed=seed, epoch=epoch)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_buckets_pad_little():
    lengths = np.random.default_rng(0).integers(5, 60, 4000)
    waste = {way: padding(lengths, epoch_batches(lengths, 32, way, seed=0, epoch=0)) for way in WAYS}
    assert waste["plain"] > 0.4
    assert waste["bucket"] < 0.05
    assert waste["tokens"] < 0.05
