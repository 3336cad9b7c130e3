(() => {
  "use strict";

  // Figures: drawn in the colours of the scheme, again when the scheme or the width changes.
  const { figures, dark } = JSON.parse(document.getElementById("figures").textContent);
  const twins = new Map(Object.entries(dark));
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, scrollZoom: false, doubleClick: false, showTips: false };

  const recoloured = (value) => {
    if (typeof value === "string") return twins.get(value) ?? value;
    if (Array.isArray(value)) return value.map(recoloured);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, recoloured(inner)]));
  };
  const draw = (inDark, onPaper = false) => {
    for (const place of document.querySelectorAll("[data-figure]")) {
      const { data, layout, narrow } = figures[place.dataset.figure];
      const width = onPaper ? (place.closest(".pair") ? 320 : 660) : place.clientWidth;
      const fitted = { ...layout, ...(width < 560 ? narrow : {}), width };
      const figure = JSON.parse(JSON.stringify({ data, layout: fitted }));
      const { data: traces, layout: page } = inDark ? recoloured(figure) : figure;
      Plotly.purge(place); // a fresh plot: an update would fade in, too late for the printer
      Plotly.newPlot(place, traces, page, config);
    }
  };
  if (window.Plotly) {
    let waiting = 0;
    let width = document.documentElement.clientWidth;
    draw(scheme.matches);
    scheme.addEventListener("change", () => draw(scheme.matches));
    addEventListener("resize", () => {
      if (document.documentElement.clientWidth === width) return; // a phone's address bar came or went
      width = document.documentElement.clientWidth;
      clearTimeout(waiting);
      waiting = setTimeout(() => draw(scheme.matches), 120);
    });
    addEventListener("beforeprint", () => draw(false, true));
    addEventListener("afterprint", () => draw(scheme.matches));
  }

  // Examples: search and filter; a dozen at a time.
  const filters = document.querySelector(".filters");
  if (!filters) return;
  const cards = [...document.querySelectorAll(".cards > li")];
  const more = document.getElementById("more");
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const texts = new Map(cards.map((card) => [card, plain(card.textContent)]));
  const page = 12;
  let shown = page;

  const filter = () => {
    const wanted = plain(document.getElementById("search").value.trim());
    const chosen = [...filters.querySelectorAll("select")].filter((select) => select.value);
    const found = cards.filter(
      (card) => texts.get(card).includes(wanted) && chosen.every((select) => card.dataset[select.id] === select.value),
    );
    const visible = new Set(found.slice(0, shown));
    for (const card of cards) card.hidden = !visible.has(card);
    more.hidden = found.length <= shown;
    document.getElementById("matches").textContent = `${visible.size} of ${found.length} shown`;
  };
  filters.hidden = false;
  filters.addEventListener("input", () => {
    shown = page;
    filter();
  });
  more.addEventListener("click", () => {
    shown += page;
    filter();
  });
  filter();
})();
