"""Plain endings: by hand, what is left alone, and properties of any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.endings import plain_endings, plain_form
from japagen.japanese import canonical

ANY_TEXT = st.text(
    st.characters(codec=None, exclude_categories=()) | st.sampled_from("いきしりますでたん。"), max_size=20
)


@pytest.mark.parametrize(
    ("polite", "plain"),
    [
        ("犬が道を走っています。", "犬が道を走っている。"),
        ("女の人がいます", "女の人がいる"),
        ("皿が二枚あります！", "皿が二枚ある!"),
        ("鳥は見えません。空は青いです。", "鳥は見えない。空は青い。"),
        ("駅の前にある店です。", "駅の前にある店だ。"),
        ("人はありませんでした。", "人はなかった。"),
        ("バスが着きました。", "バスが着いた。"),
        ("手紙を書きます", "手紙を書く"),
        ("朝早く起きます", "朝早く起きる"),
        ("本を借りました", "本を借りた"),
        ("犬と散歩します", "犬と散歩する"),
        ("友だちと話します", "友だちと話す"),
        ("テニスをしました", "テニスをした"),
        ("魚が泳ぎます", "魚が泳ぐ"),
        ("水を飲みました", "水を飲んだ"),
        ("道具を使います", "道具を使う"),
        ("夏でした", "夏だった"),
        ("雨が降るでしょう", "雨が降るだろう"),
        ("よかったです", "よかった"),
        ("走って いま　す", "走っている"),
    ],
)
def test_polite_ends_become_plain(polite: str, plain: str) -> None:
    assert plain_endings(polite) == plain
    assert plain_endings(plain) == plain


@pytest.mark.parametrize("text", ["犬が走っている。", "走りますと言った。", "猫ですが、大きい。", "冬の山", ""])
def test_other_ends_stay(text: str) -> None:
    assert plain_endings(text) == text


def test_negation_and_tense_stay_apart() -> None:
    forms = {plain_form(f"犬が走り{end}。") for end in ("ます", "ません", "ました", "ませんでした")}
    assert forms == {"犬が走る", "犬が走らない", "犬が走った", "犬が走らなかった"}


def test_the_form_is_canonical() -> None:
    assert plain_form("ＡＢＣの、テニスです。") == canonical("abcのテニスだ")


@given(ANY_TEXT)
def test_any_text_has_a_form(text: str) -> None:
    assert canonical(plain_form(text)) == plain_form(text)
