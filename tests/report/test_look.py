"""That text can be read: its contrast with what it stands on, in the light and in the dark (WCAG 2.2, level AA).

And ticks of logarithmic axes.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.report.look import PALETTE, log_ticks

TEXT = ("ink", "muted", "japagen", "gold", "prompted", "majority")
GROUNDS = ("paper", "surface")


def luminance(hexed: str) -> float:
    parts = [int(hexed[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_by_hand() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", TEXT)
def test_text_stands_out(name: str, ground: str, scheme: int) -> None:
    assert contrast(PALETTE[name][scheme], PALETTE[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", [name for name in PALETTE if name.startswith("label")])
def test_marks_of_labels_stand_out(name: str, scheme: int) -> None:
    assert contrast(PALETTE[name][scheme], PALETTE["paper"][scheme]) >= 3


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("name", "share"), [("japagen", 0.12), ("muted", 0.14), ("gold", 0.09)])
def test_tags_can_be_read_on_their_tint(name: str, share: float, scheme: int) -> None:
    """The tags of the page stand on their own colour, mixed into the paper."""
    colour, paper = PALETTE[name][scheme], PALETTE["paper"][scheme]
    mixed = [
        round(share * int(colour[at : at + 2], 16) + (1 - share) * int(paper[at : at + 2], 16)) for at in (1, 3, 5)
    ]
    assert contrast(colour, "#" + "".join(f"{part:02x}" for part in mixed)) >= 4.5


@given(st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=9))
def test_ticks_of_a_logarithmic_axis_lie_within_its_values(values: list[float]) -> None:
    ticks = log_ticks(values)["tickvals"]
    low, high = min(values), max(values)
    assert ticks == sorted(ticks)
    assert 1 <= len(ticks) <= 6
    assert all(low * (1 - 1e-9) <= tick <= high * (1 + 1e-9) for tick in ticks)
    assert len(ticks) >= 2 or high < 1.5 * low


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([3, 1200], ["10", "100", "1,000"]),
        ([15, 480], ["20", "50", "100", "200"]),
        ([146, 300], ["150", "200", "250", "300"]),
        ([3000, 8000], ["4,000", "6,000", "8,000"]),
        ([5, 5], ["5"]),
    ],
)
def test_ticks_worked_by_hand(values: list[float], texts: list[str]) -> None:
    assert log_ticks(values)["ticktext"] == texts


def test_without_values_there_are_no_ticks() -> None:
    assert log_ticks([]) == log_ticks([0.0]) == {}
