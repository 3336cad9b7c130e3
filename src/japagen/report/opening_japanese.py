"""What Japanese says in another order than English: long attributes before their noun, clauses before the verb.

Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping

from japagen.report.language import quoted
from japagen.report.words import JSON, Verdict, count, finite

BESIDE: dict[Verdict, tuple[str, str]] = {
    "worse": ("を上回り", "を上回る"),
    "unclear": ("とは有意差がなく", "とは有意差がない"),
    "better": ("を下回り", "を下回る"),
}
"""What is said of another size, within a sentence and at its end; each is the verdict on the other size."""


def classifier(primary: JSON, experiment: JSON) -> str:
    """Texts of the LLM, gold rows among them, gold rows that its labels follow; a noun, without its particle."""
    shots = finite((experiment.get("generate") or {}).get("shots"))
    train, anchors = experiment.get("train") or {}, finite(primary.get("anchor_rows"))
    decision = primary.get("decision") or {}
    source, parts = str(decision.get("learnt_from") or "").partition(",")[0], decision.get("adopted") or ()
    guided = (finite(experiment.get("rounds")) or 1) > 1
    if shots == 0 and not guided and not anchors and "gold" not in source and train.get("dev") != "gold":
        learnt = "ラベル付きデータをまったく見ずに学習し"
    else:
        learnt = f"{_texts(shots, guided=guided)}{_beside(anchors, train)}で学習し"
    if not source or not parts:
        return f"{learnt}た分類器"
    what = "スコアを較正し" if list(parts) == ["temperature"] else "ラベルの決め方を調整し"
    return f"{learnt}、{quoted(source)}で{what}た分類器"


def beside_gold(sizes: Mapping[Verdict, str]) -> str:
    """The sizes K of gold data by what they are beside the classifier, in one sentence."""
    clauses = [
        f"K = {named}{BESIDE[found][place == len(sizes)]}" for place, (found, named) in enumerate(sizes.items(), 1)
    ]
    return f"同じ分類器をラベルごとにK件の人手ラベル付き事例で学習した場合と比べると、{'、'.join(clauses)}。"


def _texts(shots: float | None, *, guided: bool) -> str:
    shown = [f"例文を毎回{count(shots)}件示して"] if shots else []
    shown += ["第2ラウンドでは誤分類した正解データのテキストも示して"] if guided else []
    return f"{'、'.join(shown)}LLMに書かせたテキスト" if shown else "LLMが書いたテキスト"


def _beside(anchors: float | None, train: JSON) -> str:
    if not anchors:
        return "のみ"
    weight = finite((train.get("anchor") or {}).get("weight"))
    return f"と人手ラベル付きテキスト{count(anchors)}件" + (f"（重み{weight:g}）" if weight else "")
