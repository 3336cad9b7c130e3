"""``python -m japagen.llm.fakeserver``: the server as a process of its own."""

from __future__ import annotations

from japagen.llm.fakeserver import main

if __name__ == "__main__":
    main()
