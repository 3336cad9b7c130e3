"""Talk with the one who asked: a model that announces, comments on or refuses what it was to write.

Only what the whole text says to the reader counts. A customer who quotes a shop (「承知しました」と言われた) is no model
that talks, and a review may close with 参考になれば幸いです.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from japagen.curate.filters.finding import Filter, Finding, each_text
from japagen.japanese import normalise

_WORK = (
    "(?:例文?|文章|一文|文|レビュー|口コミ|感想文?|テキスト|回答|出力"
    "|投稿|見出し|タイトル|記事|ツイート|データ|サンプル)"
)
_MADE = "(?:作成|生成|執筆|書き出|ご用意|出力)"
_AS_ASKED = "ご(?:依頼|要望|希望|指定|指示)"
_YES = "(?:承知(?:いた|致)?しました|承知です|かしこまりました|了解(?:いた|致)?しました|了解です)"
_AGREED = rf"(?:{_YES}|わかりました|分かりました|もちろん(?:です(?:とも)?|でございます)?|はい|お任せください)"
_IS = "(?:です|になります|となります|でございます)"
_SOME = "[^。]{0,30}?"
_BELOW = (  # but 以下は私の感想です
    rf"以下(?:は|が|に|の(?:通り|とおり|ように)?|、)(?:(?!私|僕|個人|あくまで)[^。]){{0,40}}?{_WORK}"
    rf"(?:{_IS}(?:[。:!]|$)|を(?:示し|紹介|{_MADE}|書きま|提示|挙げ)|:)"
    rf"|以下(?:に|の通り|のとおり)(?:示し|紹介|{_MADE}|書きま|まとめ|記載し)(?:ます|いたします|しました|ました)"
)
_HANDED = rf"(?:こちら|これ)(?:が|は){_SOME}(?:{_AS_ASKED}{_SOME}|{_MADE}(?:した|された){_SOME}|例文|サンプル){_IS}"
_WILL = rf"(?:それ)?では、?{_SOME}{_WORK}を(?:{_MADE}(?:し|いたし)ます|書きます|書いてみます|ご?紹介(?:し|いたし)ます)"
_ASKED = rf"{_AS_ASKED}(?:に|の|いただいた){_SOME}{_MADE}"
_HERE = rf"(?:{_BELOW}|{_HANDED}|{_WILL}|{_ASKED})"

_TALK: Mapping[str, re.Pattern[str]] = {
    "agrees": re.compile(
        rf"^{_YES}[。!、 ]*(?:$|以下|では|それでは|こちら|ご|{_MADE}|{_WORK})|^{_AGREED}[。!、 ]+{_HERE}"
    ),
    "announces": re.compile(rf"^{_HERE}"),
    "comments": re.compile(
        rf"(?:この|上記の|以上の|本){_WORK}は{_SOME}(?:架空の?(?:もの|内容|です)|フィクション|AIが?(?:によって)?{_MADE}"
        rf"|を(?:想定|意識)して{_MADE})"
    ),
    "offers more": re.compile(
        rf"(?:必要に応じて|ご希望(?:が|で)あれば|他に(?:も)?|ほかに(?:も)?){_SOME}(?:修正|調整|例文|バリエーション|パターン)"
        rf"{_SOME}(?:ください|いたします|できます|可能です)"
    ),
    "counts": re.compile(
        r"[(\[](?:約|計|全)?\s*\d+\s*文字(?:程度|以内)?[)\]]$|(?:文字数|字数)\s*:\s*約?\d+",
    ),
    "speaks English": re.compile(
        r"^(?:sure|certainly|of course|absolutely|okay)(?:[!.]|,? (?:here|i['’]?(?:ll| will| can)|let))"
        r"|^here(?:['’]s| is| are) (?:a|an|the|your|some|one|my|\d+)\b"
        r"|\((?:translation|note|english)\s*:[^)]*\)|(?:^|(?<=[。 ]))(?:translation|explanation)\s*:",
        re.IGNORECASE,
    ),
}
"""What a model says to the one who asked, in NFKC with quotations emptied."""

_CANNOT = (
    "(?:できません|できかねます|出来ません|いたしかねます|致しかねます|差し控え|控えさせ|お断り|お受けでき|応じられません"
    "|お答えできな)(?!(?:でした)?(?:と|って|との|という|の一点張り))"
)
_WRITE = "お答え|回答|お応え|生成|作成|執筆|お手伝い|書くこと"
_REFUSAL: Mapping[str, re.Pattern[str]] = {
    "is sorry": re.compile(
        r"(?:申し訳(?:あり|ござい)ません|すみません|ごめんなさい|恐れ入りますが|残念ながら)[^。]{0,50}?"
        rf"(?:{_WRITE}|{_AS_ASKED}|リクエスト|(?:その|この)(?:ような)?(?:内容|質問|要求|話題)){_SOME}{_CANNOT}"
    ),
    "says what it is": re.compile(
        r"言語モデル(?:として|なので|である(?:ため|私)|です)"
        r"|(?:私は|^)AI(?:アシスタント|モデル)?(?:として|なので|である(?:ため|私)|ですので|のため|です)[^。]{0,60}?"
        r"(?:できません|出来ません|ありません|ございません|持って(?:い|お)|持ちません|お答え|いたしかね)"
    ),
    "finds it improper": re.compile(
        rf"(?:不適切|差別的|有害|暴力的|性的)な(?:内容|表現|コンテンツ|文章|発言){_SOME}(?:{_WRITE}|対応){_SOME}{_CANNOT}"
    ),
    "declines in English": re.compile(
        r"\bas an ai\b|\bi(?:['’]m| am) (?:sorry|unable)\b[^.]{0,40}?\b(?:can(?:not|['’]t)|unable|assist|help)"
        r"|\bi (?:cannot|can['’]t) (?:assist|help|fulfil|comply|provide|write|generate|create)",
        re.IGNORECASE,
    ),
}
"""How a model declines, in NFKC with quotations emptied."""

_QUOTED = re.compile(r"「[^「」]*」|『[^『』]*』|“[^”]*”|\"[^\"]*\"")


def meta_talk() -> Filter:
    """A word to the one who asked: 承知しました。以下は…の例です, (98文字), Sure, here is…?"""
    return each_text(lambda text: _spoken("meta_talk", _TALK, text))


def refusal() -> Filter:
    """A model that declines: 申し訳ありませんが…お答えできません, AI言語モデルとして…, I'm sorry, but I can't…?"""
    return each_text(lambda text: _spoken("refusal", _REFUSAL, text))


def _spoken(name: str, ways: Mapping[str, re.Pattern[str]], text: str) -> Finding | None:
    outside = _QUOTED.sub("「」", normalise(text))
    return next(
        ((name, f"{how}: {found.group()}") for how, way in ways.items() if (found := way.search(outside))), None
    )
