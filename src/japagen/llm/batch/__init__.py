"""OpenAI's batch API: what `openai_batch` is made of.

run      the order of work            record   what is on disk, so that a killed run goes on with its batches
calls    control calls over HTTP      lines    JSONL files out and in      results   what a result means for its row
"""
