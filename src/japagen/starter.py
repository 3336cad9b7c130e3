"""A task and an experiment to start from, with a comment on every key: what `japagen new` writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from japagen.errors import ConfigError, RunError
from japagen.tables import write_text
from japagen.yamlfile import check_path

_TASK = """\
# A task: what the labels are, and how texts are asked for. Everything a language model reads is Japanese.
name: "{name}"
kind: single                 # one text per row
title: 問い合わせ              # what the texts are, in a few words
description: 通信販売の問い合わせが、急ぎの対応を要するかどうかを判定する。
metric: accuracy             # accuracy, macro_f1 or mcc
max_chars: 120               # longer texts are dropped

# For models that follow instructions: setting and rules.
system: |-
  あなたは通信販売の店に問い合わせをする客です。問い合わせの文を一つだけ、一行で書いてください。
  本文だけを書き、前置きやかぎ括弧は付けないでください。用件や言葉づかいは毎回変えてください。

# For base models, which continue a document: its first line, and what stands before each text.
document:
  heading: 通信販売の店に届いた問い合わせを集めた。{{meaning}}
  lead: "問い合わせ："
  lead_with_word: "{{word}}についての問い合わせ："

labels:
  urgent:
    meaning: どれも、今日中に返事をしないと客が困るものである。
    instruction: "「{{word}}」について、今日中に返事をもらわないと困る客の問い合わせを書いてください。"
    instruction_without_word: 今日中に返事をもらわないと困る客の問い合わせを書いてください。
    verbalisation: 急ぎ      # what a model would answer for this label
    shots:                   # a dozen of your own, the more varied the better; at least generate.shots of them
      - {{word: 配送, text: 明日の葬儀で使う物なのですが、まだ発送の連絡がありません。今日中に確認していただけますか。}}
      - {{word: 支払い, text: 同じ注文の代金が二重に引き落とされています。至急、確認をお願いします。}}
      - {{word: 故障, text: 充電中に煙が出ました。使うのをやめましたが、どうすればいいですか。}}
      - {{word: 注文, text: さっきの注文、住所を間違えました。出荷前に直せますか？}}
      - {{word: 返品, text: 返品の期限が今日までなのに、受付のページが開きません。}}
      - {{word: 配送, text: 冷凍の品が外に置かれたままです。溶けてしまうので、すぐ電話をください。}}
      - {{word: 支払い, text: 身に覚えのない請求が来ました。カードを止めたほうがいいですか？}}
      - {{word: 故障, text: 給湯器から水が漏れて床が濡れています。今日来てもらえませんか。}}
      - {{word: 注文, text: 一つのつもりが百個で注文されていました。すぐに取り消したいです。}}
      - {{word: 返品, text: 今夜の便で海外に発ちます。その前に返品の手続きを済ませられますか。}}
  normal:
    meaning: どれも、数日のうちに返事をすればよいものである。
    instruction: "「{{word}}」について、返事を急がない客の問い合わせを書いてください。"
    instruction_without_word: 返事を急がない客の問い合わせを書いてください。
    verbalisation: 通常
    shots:
      - {{word: 配送, text: 離島への送料はいくらくらいになりますか。}}
      - {{word: 支払い, text: 領収書を会社名で出してもらうことはできますか？}}
      - {{word: 故障, text: 保証書をなくしたのですが、もう一度発行していただけるものでしょうか。}}
      - {{word: 注文, text: この鍋の蓋だけを買うことはできますか。}}
      - {{word: 返品, text: 返品するときは箱も要りますか。参考までに教えてください。}}
      - {{word: 配送, text: 置き配にも対応していますか？}}
      - {{word: 支払い, text: ポイントと現金を合わせて払えるか知りたいです。}}
      - {{word: 故障, text: 修理に出すと、だいたい何日くらいかかるものですか。}}
      - {{word: 注文, text: 次の入荷の予定が決まったら教えてください。}}
      - {{word: 返品, text: 福袋は返品の対象になりますか。}}

# KADG words: one goes into each prompt, so that the texts cover what your real data cover.
knowledge:
  words: [配送, 支払い, 故障, 注文, 返品]

# How a model is asked for the label directly (a baseline).
prompting:
  system: 問い合わせを読み、「急ぎ」か「通常」のどちらか一語だけで答えてください。
  heading: 問い合わせを読み、急ぎか通常かを記録した表である。
  question: "問い合わせ：{{text}}\\n区分："
  content_free: なし

# Human-labelled rows to measure on (jsonl, csv, tsv or parquet). Without them everything runs but the measuring;
# added later, they are used by: japagen run {name}.yaml --redo evaluate
# gold:
#   train: {{file: {name}-train.csv, text: text, label: label}} # if you have one: for the supervised baseline
#   dev: {{file: {name}-dev.csv, text: text, label: label}}     # few-shot baselines draw from it
#   test: {{file: {name}-test.csv, text: text, label: label}}
"""

_EXPERIMENT = """\
# An experiment: what to run on the task. Every key but name and task may be left out; these are the defaults.
#   japagen prompt {name}.yaml     shows what will be sent
#   japagen run {name}.yaml        does it all; stop it and start it again as you like
name: "{name}"
task: {name}-task.yaml
seed: 0                        # every random choice follows from it
rounds: 1                      # 2: write once more after the example of gold dev rows that a student got wrong

llm:
  name: embedded               # or gguf:/path/model.gguf, openai:MODEL, openai-batch:MODEL, scripted
  # For openai: and openai-batch:, any server that speaks OpenAI's chat API (vLLM, llama.cpp, Ollama, SGLang, Azure, ...):
  base_url: https://api.openai.com/v1
  api_key_env: OPENAI_API_KEY  # the environment variable with the key; a server of your own needs none
  style: null                  # chat or document; null: what the model needs
  temperature: 1.0             # higher: more varied, more mistakes; null: not sent
  top_p: 0.95
  max_tokens: 80
  send_seed: true
  reasoning: false             # true for models that think first (max_completion_tokens, no temperature)
  n: 1                         # replies per call, where prompts are equal
  json_schema: true            # for samples_per_call, and labels asked for without likelihoods
  logprobs: true               # likelihoods when asked for a label
  min_japanese: null           # 0.5: ask again for a reply that is not Japanese
  extra_body: {{}}               # anything else to send
  shared_cache: false          # share replies with other runs of yours
  http:                        # how the server is called; may be changed at any time
    concurrency: 64            # most calls in flight
    requests_per_minute: null
    tokens_per_minute: null
    timeout: 120               # seconds for one try
    deadline: 1800             # seconds for all tries of a request
    tries: 8
    backoff: 0.5
    backoff_max: 30

budget:                        # for the whole run; may be raised at any time
  usd: null
  tokens: null
  requests: null
  prices: null                 # a file with prices of your own; japagen run {name}.yaml --dry-run tells the cost

generate:
  per_label: 300               # texts asked for per label; raise it later with --redo generate: only new ones are written
  shots: 5                     # example texts in each prompt
  kadg: true                   # all that the task knows; false: nothing; or a list, e.g. [word]; random-word: the control
  first_sentence: own          # pairs: a first sentence for each row, or shared by all labels
  samples_per_call: 1          # texts in one structured reply
  stop_rule: null              # {{epsilon: 0.002, start: 100}}: doublings, until twice the texts would gain less than that

curate:
  filters: {{}}                  # {{incomplete: true}}: turned on, or off; japagen filters lists them
  min_chars: 3
  max_chars: null              # null: the task's own limit
  min_words: null              # words as MeCab cuts them
  max_words: null
  min_japanese: 0.6            # least share of kana and kanji
  shot_similarity: 0.8         # from here a text is a copy of a shot
  near_duplicate: 0.8          # from here two texts of a label are the same
  contamination: true          # texts that stand in gold data are dropped
  top_up: false                # true: more are asked for until each label has per_label texts after curation
  top_up_factor: 3.0           # at most so many times per_label in all
  judge: null                  # {{audit: audit.jsonl}}: a language model's verdict on each label
  noise: null                  # {{student: linear}}: labels that a student doubts, dropped only if gold gains by it
  sample: null                 # {{per_label: 200, by: [word, length, register]}}: choose among more texts than needed

train:
  students: [embedding, linear]
  seeds: 5
  dev: synthetic               # settings are chosen on held-out synthetic rows; gold: on gold.dev
  dev_share: 0.1
  anchor: null                 # {{rows: 150, weight: 5}}: so many gold dev rows among the synthetic ones
  decision: null               # {{source: gold, rows: 50}}: labels that follow the metric, learnt from gold dev rows
  ensemble: false              # also the mean of all seeds
  encoder:                     # the student `encoder` (pip install 'japagen[encoder]'): students: [encoder]
    model: tohoku-nlp/bert-base-japanese-v3   # a name on the hub, a folder, or use-multilingual
    revision: null
    batch_size: 32
    min_steps: 100
    epochs: null               # 4, the paper's
    learning_rate: null        # 5e-5, the paper's
    head_learning_rate: null
    warmup: 0.1
    weight_decay: 0.01
    max_length: null           # 512 tokens, for pairs 128
    batching: bucket
    packing: false             # rows end to end, for GPUs and models without dropout in their attention
    micro_batch: null          # rows computed at a time, where memory is short
    precision: null            # bf16 where the machine has it
    label_smoothing: 0.0
    temporal_ensemble: 1.0     # against noisy labels; 0: off, as in the paper
    temporal_momentum: 0.8
    temporal_threshold: 0.2
    r_drop: 0.0
    patience: null             # epochs without a better dev score
    checkpoint_seconds: 120
    threads: null
    devices: 1                 # GPUs that share each batch

evaluate:
  gold_shots: [1, 5, 10, 20]   # the same students on so many gold rows per label
  supervised: true             # the same on all gold train rows, where gold names any
  prompting: [zero-shot, few-shot]
  prompting_shots: 4
  prompting_draws: 5
  calibrate: true
  self_consistency: 0          # 10: also the majority of ten written answers
  contrast: null               # {{system: japagen/embedding, against: zero-shot}}: what the experiment is about
  sizes: []                    # [250, 500, 1000]: the learning curve, students trained on so many rows too
  resamples: 5000

analyze:
  tokeniser: unidic-lite       # or character, ipadic, sudachi-a, sudachi-c
  encoder: true                # measures on sentence vectors, and the map of texts
  oracle: embedding            # student that learns from gold and judges the labels; null: none
  people: null                 # audit.csv: labels that people gave to synthetic rows (japagen curate RUN --audit)
  epsilon: 0.002               # gain below which more texts do not pay

report:
  examples: 25000              # rows to browse, at most
  language: en                 # or ja

# arms: {{no-kadg: {{generate.kadg: false}}, random: {{generate.kadg: random-word}}}}   # variants, run side by side

# gold: {{test: {{file: my-test.csv}}}}   # human-labelled data in place of the task's
"""


def write_starter(name: str, folder: Path) -> list[Path]:
    """Write ``NAME-task.yaml`` and ``NAME.yaml``; nothing is overwritten.

    Raises:
        ConfigError: the name cannot be used, or a file stands there already.
        RunError: the folder cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ConfigError(
            f"'{name}' cannot be a name", where="japagen new", remedy="use letters, digits, '.', '_' and '-'"
        )
    files = {
        folder / f"{name}-task.yaml": _TASK.format(name=name),
        folder / f"{name}.yaml": _EXPERIMENT.format(name=name),
    }
    write_new(files)
    return list(files)


def write_new(files: Mapping[Path, str]) -> None:
    """Write files that are not there yet, all or none.

    Raises:
        ConfigError: one of them stands there already.
        RunError: a folder cannot be written.
    """
    for file in files:
        check_path(file)
        if file.exists():
            raise ConfigError("this file stands already", where=file, remedy="choose another name, or remove it")
    for file, text in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, text)
        except OSError as error:
            raise RunError(
                f"cannot be written: {error.strerror or error}", where=file.parent, remedy="choose another --folder"
            ) from error
