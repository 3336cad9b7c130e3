"""Bespoke Curator: one LLM block, its limits raised above what the server can.

It counts tokens with a table that it would fetch from the net; a count of characters stands in for it, which costs less.
"""

from __future__ import annotations

import os
import tempfile

os.environ |= {
    "TELEMETRY_ENABLED": "false",
    "CURATOR_VIEWER": "0",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_API_KEY": "none",
    "HF_HUB_OFFLINE": "1",
}

import tiktoken
from bespokelabs import curator
from calls import SYSTEM, measure, prompt


class Characters:
    """Stands in for the table of tokens."""

    def encode(self, text: str, **_: object) -> list[str]:
        return list(text)


tiktoken.get_encoding = tiktoken.encoding_for_model = lambda *_: Characters()


def way(url: str, calls: int, concurrency: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        limits = {
            "base_url": url,
            "max_concurrent_requests": concurrency,
            "max_requests_per_minute": 10_000_000,
            "max_tokens_per_minute": 10_000_000_000,
        }
        llm = curator.LLM(
            model_name="gpt-4o-mini",
            backend="openai",
            backend_params=limits,
            system_prompt=SYSTEM,
            generation_params={"temperature": 1.0, "max_tokens": 128},
        )
        found = llm([prompt(i) for i in range(calls)], working_dir=folder)
        rows = found.dataset if hasattr(found, "dataset") else found
        return sum(bool(text) for text in rows["response"])


if __name__ == "__main__":
    measure(way, "bespokelabs-curator")
