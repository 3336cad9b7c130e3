"""distilabel: one text generation task in a pipeline, batches as large as the number in flight."""

from __future__ import annotations

import tempfile

from calls import SYSTEM, measure, prompt
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration


def way(url: str, calls: int, concurrency: int) -> int:
    with tempfile.TemporaryDirectory() as folder, Pipeline("calls", cache_dir=folder) as pipeline:
        rows = [{"instruction": prompt(i), "system_prompt": SYSTEM} for i in range(calls)]
        load = LoadDataFromDicts(data=rows, batch_size=concurrency)
        llm = OpenAILLM(
            model="fake", base_url=url, api_key="none", generation_kwargs={"temperature": 1.0, "max_new_tokens": 128}
        )
        load >> TextGeneration(llm=llm, input_batch_size=concurrency)
        found = pipeline.run(use_cache=False)["default"]["train"]
        return sum(bool(text) for text in found["generation"])


if __name__ == "__main__":
    measure(way, "distilabel")
