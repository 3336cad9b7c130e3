"""Respectful and humble speech (尊敬語, 謙譲語) in a text, by patterns of its words.

The classes are those of the Council for Cultural Affairs (敬語の指針, 2007): 尊敬語 raises whoever acts,
謙譲語 lowers the speaker (both its kinds, 丁重語 too). です・ます and ございます are polite, not honorific:
`japanese.register` tells them. Told by verbs of their own (いらっしゃる, 伺う), by the frames お…になる,
お…ください, お…する, and by nouns such as 御社 and 弊社. Not told: the respectful れる・られる, which looks
like a passive, nouns with a mere prefix (お名前, ご住所), and the plain request …てください. What the patterns
reach stands in the docs; a test holds what they reach on sentences written for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

Honorific = Literal["none", "respectful", "humble", "both"]

HONORIFICS: tuple[Honorific, ...] = ("none", "respectful", "humble", "both")

# お待ち, お問い合わせ, おつかい: one or two characters with their kana, or kana alone, ending like a verb before ます
_ROW = "[いきぎしちにびみりえけげせてでねべめれじ]"
_STEM = f"お(?:(?:[一-龠々]{{1,2}}[ぁ-ん]?){{1,2}}|(?!いて|って|うと|もって|かげ)[ぁ-ん]{{0,3}}){_ROW}"
_NOUN = "[ごご御][一-龠々]{1,4}"  # ご確認
_BY_RESPECT = "(?:にな(?:り|る|っ|れ|ら)|くださ|下さ|なさ(?:る|っ|れ|ら|いま))"
_NO_SUBJECT = "(?!お(?:世話|金持ち|友だち|ともだち|気に入り|まけ|しまい|やつ|すすめにな))"
_NO_ACT = "(?![ごご御](?:迷惑|負担|馳走|厄介|心配に|不便|縁|飯|褒美|縁|当地|不満に|参考に|自由に))"
_RESPECTFUL = re.compile(
    "いらっしゃ|おっしゃ|仰(?:る|いま|っ|せ|ら)|召し上が|召しあが|めしあが|お召し|気に召"
    "|なさ(?:る|っ[たて]|いま[すしせ]|れば|れま)"
    "|(?:くださ|下さ)(?:る|いま[すし](?!ませ)|っ[たて]|れ[ばま]|ら)"
    f"|{_NO_SUBJECT}{_STEM}{_BY_RESPECT}|{_NO_ACT}{_NOUN}{_BY_RESPECT}|になられ"
    "|お(?:持ち|困り|探し|使い|住まい|悩み|待ち|求め|考え|済み|過ごし|急ぎ)(?:です|でした|でしょう|でいらっ|の(?:方|お客|皆|際))"
    "|お(?:越し|見え)(?:です|の際|の方|に)|おいでにな|おいでくださ|おいでです|[ごご御]存(?:じ|知)"
    "|御社|貴(?:社|店|殿|校|誌)"
)
_NO_SERVICE = "(?!お(?:すすめ|目見え|つきあ|付き合|片付|片づ|休み))"
_HUMBLE_ACT = (
    "(?:し(?:ま[すしせ]|た(?:い|く|ところ)|て(?:お|い|も|く)|ましょう)|する|いた|致|申し|できま|さしあ|差し上|願)"
)
_NO_FAVOUR = "(?![ごご御](?:飯|褒美|馳走|機嫌|縁))"
_HUMBLE = re.compile(
    "申し(?:上げ|あげ|ま[すしせ]|伝え|受け|つか)|もうしあげ|もうします|と申す"
    "|(?:いたし|致し)(?:ま[すせし]|かね|たく|ており)|いたす(?:こと|の|べ(?!て)|。|$)|致す"
    "|いただ(?:き|く|け|い[たて])|(?<!山を)頂(?:き|く|け|い[たて]|戴)"
    "|(?<!様子を)(?<!機会を)(?<!顔色を)(?<!隙を)(?:伺(?:い|う|っ[たて]|わ)|うかが(?:いま|いた|う(?:こと|予定)))"
    "|拝(?:見|読|聴|借|受|領|察|命)|(?<![ごご御])存じ(?:ま|上|て|ず|あげ)|差し上げ|さしあげ"
    "|(?<![お墓寺])参り(?:ま[すしせ]|たく|たい)|てまいり|まいりま|[てではもにが]おりま[すしせ]|居りま[すしせ]"
    "|に上がりま[すしせ]|お目にか[かけ]|お目に掛|[ごご御]覧に入れ|お耳に入れ|承(?:り|る|っ)|かしこまりました|賜(?:り|る|っ)|頂戴|ちょうだい(?:し|いた)"
    f"|{_NO_SERVICE}{_STEM}{_HUMBLE_ACT}|{_NO_FAVOUR}{_NOUN}{_HUMBLE_ACT}|お(?:電話|返事|約束|邪魔|世話|供|礼){_HUMBLE_ACT}"
    "|弊(?:社|店|誌|校|所)|拙(?:著|宅|作)|小生|愚息"
)


def honorific(text: str) -> Honorific:
    """Whether a text, or one of a pair, holds respectful or humble speech; words that it quotes count too."""
    text = unicodedata.normalize("NFKC", text)
    match bool(_RESPECTFUL.search(text)), bool(_HUMBLE.search(text)):
        case True, True:
            return "both"
        case True, False:
            return "respectful"
        case False, True:
            return "humble"
    return "none"


def honorific_places(texts: Sequence[str]) -> list[int]:
    """The position in `HONORIFICS` of each text."""
    return [HONORIFICS.index(honorific(text)) for text in texts]
