"""Draws: repeatable, and each name a stream of its own."""

import pytest

from japagen.analyze.sampling import UndefinedError, draw, stream


def test_streams_are_named() -> None:
    assert stream(0, "a").random() == stream(0, "a").random()
    assert len({stream(seed, name).random() for seed in (0, 1) for name in ("a", "b")}) == 4


def test_a_stream_is_the_same_in_every_release() -> None:
    assert stream(0, "a").randrange(1000) == 341
    assert draw(range(100), 5, stream(0, "a")) == draw(list(range(100)), 5, stream(0, "a"))


def test_draw_is_without_replacement() -> None:
    assert sorted(draw("abcde", 5, stream(0, "x"))) == list("abcde")


@pytest.mark.parametrize("n", [0, -1, 4])
def test_impossible_draws_are_refused(n: int) -> None:
    with pytest.raises(UndefinedError, match=f"cannot draw {n} of 3 rows"):
        draw("abc", n, stream(0, "x"))


def test_undefined_is_a_value_error() -> None:
    assert issubclass(UndefinedError, ValueError)
