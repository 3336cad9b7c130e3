"""How sentences end: by hand, what looks like a particle and is none, any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.fidelity.particles import ENDINGS, ending, ending_counts


@pytest.mark.parametrize(
    ("sentence", "particle"),
    [
        ("とても美味しいですね", "ね"),
        ("本当にいいよ", "よ"),
        ("よく似合うよね", "よね"),
        ("もう届いたのか", "か"),
        ("明日は晴れるかな", "かな"),
        ("きれいだな", "な"),
        ("いいなあ", "な"),
        ("これが好きなの", "の"),
        ("もう買わないわ", "わ"),
        ("それはどうさ", "さ"),
        ("行くぞ", "ぞ・ぜ"),
        ("負けないぜ", "ぞ・ぜ"),
        ("どこだっけ", "other"),
        ("だって好きだもん", "other"),
        ("少し高いけど", "joining"),
        ("よく眠れたから", "joining"),
        ("まだ子どもなのに", "joining"),
        ("とても丈夫なので", "joining"),
        ("安いし", "joining"),
        ("使いやすかったです", "none"),
        ("静か", "none"),
        ("みんな", "none"),
        ("この楽しさ", "none"),
        ("箱の中の仲間", "none"),
        ("この本は私の", "none"),
        ("か", "none"),
        ("", "none"),
    ],
)
def test_endings(sentence: str, particle: str) -> None:
    assert ending(sentence[-8:]) == particle


def counted(text: str) -> dict[str, int]:
    return {name: int(n) for name, n in zip(ENDINGS, ending_counts([text])[0], strict=True) if n}


def test_sentences_end_at_marks_and_lines() -> None:
    assert counted("いいですよね〜笑。また買うね！！\n高いけど…　最高") == {"よね": 1, "ね": 1, "joining": 1, "none": 1}
    assert counted("買ってよかったよ(笑)") == {"よ": 1}
    assert counted("いいね♪いいよ😀") == {"ね": 1, "よ": 1}
    assert counted("1.5倍です") == {"none": 1}  # a point inside a number ends nothing
    assert counted("え...本当ですか?") == {"none": 1, "か": 1}
    assert counted("。。。!?😀") == {}


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40))
def test_any_text(text: str) -> None:
    found = ending_counts([text, "そうだね。", text])
    assert found.shape == (3, len(ENDINGS))
    assert (found[0] == found[2]).all()
    assert found[1].tolist() == [int(name == "ね") for name in ENDINGS]
