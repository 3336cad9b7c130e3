"""The page in a real browser (Chromium, where there is one): 2 x 25,000 rows to search, filter, scroll and walk through."""

import base64
import hashlib
import json
import random
import re
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from japagen.report import PAGE_BYTES, ReportData, write_report

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
ROWS = 25_000
PROBE = """
(async () => {
  const said = {};
  const errors = [];
  addEventListener("error", (event) => errors.push(event.message));
  const pause = () => new Promise((done) => setTimeout(done, 20));
  const until = async (met) => {
    for (let tries = 0; tries < 6000 && !met(); tries += 1) await pause();
  };
  const list = document.querySelector(".browse");
  const matches = document.getElementById("matches");
  const search = document.getElementById("search");
  const key = (target, name) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const set = async (control, value) => {
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
    await pause();
    return matches.textContent;
  };
  const named = (select, name) => [...select.options].find((option) => option.textContent.startsWith(name)).value;
  await until(() => matches.textContent);
  await until(() => document.querySelector(".plot svg"));
  said.figures = document.querySelectorAll(".plot svg.main-svg").length > 0;
  said.all = matches.textContent;
  said.visible = [!list.hidden, getComputedStyle(document.querySelector(".cards")).display];
  said.katakana = await set(search, "ﾘﾝｺﾞ");
  said.found = list.querySelector(".row").textContent;
  said.two = await set(search, "りんご ａｌｐｈａ");
  said.nothing = await set(search, "存在しない語");
  said.none = list.querySelectorAll(".row").length;
  key(search, "Escape");
  await pause();
  said.escaped = [search.value, matches.textContent];
  const by = (name) => document.getElementById(`by-${name}`);
  said.options = [...by("set").options].map((option) => option.textContent);
  said.label = await set(by("label"), named(by("label"), "negative"));
  said.word = await set(by("note"), named(by("note"), "語7 ("));
  await set(by("note"), "");
  await set(by("label"), "");
  said.reason = await set(by("reason"), named(by("reason"), "near duplicate"));
  await set(by("reason"), "");
  const walked = new Set();
  list.scrollIntoView({ behavior: "instant", block: "center" });
  for (const part of [0.25, 0.5, 0.9, 1]) {
    list.scrollTop = part * list.scrollHeight;
    await until(() => {
      const box = list.getBoundingClientRect();
      const here = document.elementFromPoint(box.left + 40, box.top + box.height / 2)?.closest?.(".row");
      return here && !walked.has(here.dataset.place) && walked.add(here.dataset.place);
    });
  }
  said.walked = [...walked].map(Number);
  said.inDocument = list.querySelectorAll(".row").length;
  key(document.body, "/");
  said.slash = document.activeElement === search;
  key(search, "ArrowDown");
  key(document.activeElement, "ArrowDown");
  said.second = document.activeElement.getAttribute("aria-posinset");
  key(document.activeElement, "End");
  said.last = [document.activeElement.getAttribute("aria-posinset"), document.activeElement.getAttribute("aria-setsize")];
  said.inView = list.getBoundingClientRect().bottom >= document.activeElement.getBoundingClientRect().bottom - 1;
  key(document.activeElement, "Home");
  key(document.activeElement, "ArrowUp");
  said.out = document.activeElement === list;
  said.scripts = document.querySelectorAll("#evil").length;
  said.errors = errors;
  await fetch("/said", { method: "POST", body: JSON.stringify(said) });
})();
"""


def texts(n: int, seed: int) -> list[str]:
    """Texts of 60 characters that repeat themselves about as little as written ones do: drawn from words by frequency."""
    draw = random.Random(seed)
    kana = [chr(sign) for sign in range(0x3042, 0x3094)]
    kanji = [chr(0x4E00 + 7 * sign) for sign in range(2500)]
    words = [
        "".join(draw.choices(kanji, k=draw.randint(1, 2)) + draw.choices(kana, k=draw.randint(1, 3)))
        for _ in range(6000)
    ]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    return ["".join(draw.choices(words, cum_weights=weights, k=24))[:59] + "。" for _ in range(n)]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 2 x 25,000 rows, some with planted markup and words to look for."""
    data = json.loads(Path(__file__).with_name("shop_reviews.json").read_text("utf-8"))
    kept, dropped = [], []
    for place, label in enumerate(("positive", "negative")):
        for at, text in enumerate(texts(ROWS, place)):
            row = {"id": f"{label}/{at:06d}", "text": text, "label": label, "word": f"語{at % 300}"}
            if at % 10:
                kept.append(row)
            else:
                dropped.append(row | {"reason": "near_duplicate", "detail": f"{label}/{at - 1:06d}"})
    kept[0]["text"] = (
        "リンゴは、おいしい。Ａｌｐｈａ" + "<img id='evil' src=x onerror=alert(1)><script id='evil'>1</script>"
    )
    data |= {"kept": kept, "dropped": dropped}
    data["experiment"]["report"] = {"examples": 100_000}
    folder = tmp_path_factory.mktemp("report")
    write_report(ReportData(**data), folder)
    return folder / "report.html"


def counts(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"[\d,]*\d", text)]


def test_it_weighs_no_more_than_it_may_with_all_its_rows(page: Path) -> None:
    assert page.stat().st_size <= PAGE_BYTES
    html = page.read_text("utf-8")
    assert "Kept: 45,000." in html
    assert "Dropped: 5,000." in html
    assert "This page holds all of them." in html


def probed(page: Path, folder: Path, probe: str, first: str = "") -> Any:
    """What the probe says in Chromium: a script after the page's own, let in by its digest; `first` runs before them."""
    assert CHROMIUM
    html = page.read_text("utf-8")
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in (probe, first)]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    html = html.replace("script-src ", f"connect-src 'self'; script-src {allowed} ", 1)
    html = html.replace("<body>", f"<body><script>{first}</script>", 1)
    html = html.replace("</body>", f"<script>{probe}</script></body>")
    said: Queue[str] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(html.encode() if self.path == "/" else b"")

        def do_POST(self) -> None:
            said.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(b"")

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        command += ["--window-size=1280,1000", "--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            try:
                return json.loads(said.get(timeout=500))
            finally:
                browser.terminate()
                server.shutdown()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_rows_are_searched_filtered_scrolled_and_walked_through(page: Path, tmp_path: Path) -> None:
    said = probed(page, tmp_path, PROBE)
    total = counts(said["all"])[0]
    assert total > 2 * ROWS  # and the mistakes
    assert said["figures"]
    assert said["visible"] == [True, "none"]
    assert said["katakana"].startswith("1 of ")
    assert said["found"].startswith("リンゴは、おいしい。")
    assert said["two"].startswith("1 of ")
    assert counts(said["nothing"]) == [0, total]
    assert said["none"] == 0
    assert said["escaped"] == ["", said["all"]]
    assert [option.split(" (")[0] for option in said["options"]] == ["all", "kept", "dropped", "mistake"]
    assert ROWS <= counts(said["label"])[0] < ROWS + 100
    assert counts(said["word"])[0] == 84  # 25,000 rows with 300 words in turn: the first hundred come 84 times
    assert counts(said["reason"])[0] == ROWS / 5
    assert said["walked"] == sorted(said["walked"])
    assert len(said["walked"]) == 4
    assert said["walked"][-1] > 0.99 * total
    assert said["inDocument"] < 200
    assert said["slash"]
    assert said["second"] == "2"
    assert said["last"] == [str(total), str(total)]
    assert said["inView"]
    assert said["out"]
    assert said["scripts"] == 0
    assert said["errors"] == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_that_cannot_unpack_says_so_and_shows_the_first_rows(page: Path, tmp_path: Path) -> None:
    shown = """
    const tall = (name) => document.querySelector(name).getBoundingClientRect().height > 0;
    const said = ["#old", ".cards li", ".filters", ".browse"].map(tall);
    fetch("/said", { method: "POST", body: JSON.stringify(said) });
    """
    assert probed(page, tmp_path, shown, first="delete window.DecompressionStream") == [True, True, False, False]
