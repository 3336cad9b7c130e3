(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  if (!("DecompressionStream" in window)) {
    byId("old").hidden = false;
    return;
  }
  document.documentElement.classList.add("js");

  // What the page carries packed: gzip in base64.
  const unpacked = async (id, encoding) => {
    const bytes = Uint8Array.from(atob(byId(id).textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new TextDecoder(encoding).decode(await new Response(stream).arrayBuffer());
  };
  const unpackedJSON = async (id) => JSON.parse(await unpacked(id, "utf-16le"));

  // Figures: drawn in the colours of the scheme, again when the scheme or the width changes.
  const figures = async () => {
    const places = document.querySelectorAll("[data-figure]");
    if (!places.length) return;
    const { figures, dark } = await unpackedJSON("figures");
    const plotly = document.createElement("script");
    plotly.textContent = await unpacked("plotly", "utf-8"); // runs because the page's policy names its digest
    document.head.append(plotly);
    if (!window.Plotly) return;
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
      for (const place of places) {
        const { data, layout, narrow } = figures[place.dataset.figure];
        const width = onPaper ? (place.closest(".pair") ? 320 : 660) : place.clientWidth;
        const fitted = { ...layout, ...(width < 560 ? narrow : {}), width };
        const figure = JSON.parse(JSON.stringify({ data, layout: fitted }));
        const { data: traces, layout: page } = inDark ? recoloured(figure) : figure;
        Plotly.purge(place); // a fresh plot: an update would fade in, too late for the printer
        Plotly.newPlot(place, traces, page, config);
      }
    };
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
  };

  // Rows to browse: all of them in memory, only those near the window of the list in the document.
  const BLOCK = 40; // rows that come and go together
  const VALUES = 400; // of an attribute that can be chosen from; the others can be searched for
  const JAPANESE = /[\u3005-\u30ff\u3400-\u9fff\uff66-\uff9f]/;
  const KATAKANA = /[\u30a1-\u30f6]/g;
  const plain = (text) =>
    text
      .normalize("NFKC")
      .toLowerCase()
      .replace(KATAKANA, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0x60));
  const grouped = (n) => n.toLocaleString("en");

  const element = (name, kind, text) => {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const worded = (text, name = "span") => {
    const made = element(name, "", text);
    if (JAPANESE.test(text)) made.lang = "ja";
    return made;
  };

  const browse = async () => {
    if (!byId("packed-rows")) return;
    const rows = await unpackedJSON("packed-rows");
    const { names } = rows;
    const list = document.querySelector(".browse");
    const filters = document.querySelector(".filters");
    const search = byId("search");
    const matches = byId("matches");
    const total = rows.text.length;
    const notes = (row) => {
      const found = [];
      for (let at = 0; at < rows.notes[row].length; at += 2) {
        found.push([names.name[rows.notes[row][at]], names.value[rows.notes[row][at + 1]]]);
      }
      return found;
    };
    const wholly = (row) =>
      plain([rows.text[row], rows.pair[row] ?? "", rows.id[row], ...notes(row).map(([, value]) => value)].join("\n"));
    const texts = Array.from({ length: total }, (_, row) => wholly(row));

    // What can be chosen from.
    const offer = (key, options) => {
      const select = byId(`by-${key}`);
      select.append(...options);
      select.parentElement.hidden = false;
    };
    const option = (value, text, n) => {
      const made = worded(`${text} (${grouped(n)})`, "option");
      made.value = value;
      return made;
    };
    for (const key of ["set", "label", "reason"]) {
      const counts = new Array(names[key].length).fill(0);
      for (const at of rows[key]) counts[at] += 1;
      const told = names[key].map((name) =>
        key === "set" ? list.dataset[name] : key === "reason" ? name.replaceAll("_", " ") : name,
      );
      const options = told.flatMap((name, at) => (name ? [option(at, name, counts[at])] : []));
      if (options.length > (key === "reason" ? 0 : 1)) offer(key, options);
    }
    const counted = names.name.map(() => new Map());
    for (const one of rows.notes) {
      for (let at = 0; at < one.length; at += 2) {
        counted[one[at]].set(one[at + 1], (counted[one[at]].get(one[at + 1]) ?? 0) + 1);
      }
    }
    const groups = counted.flatMap((values, name) => {
      const often = [...values].filter(([value, n]) => n > 1 && isNaN(names.value[value])).sort((a, b) => b[1] - a[1]);
      if (!names.name[name] || often.length < 2) return [];
      const group = element("optgroup");
      group.label = names.name[name];
      group.append(...often.slice(0, VALUES).map(([value, n]) => option(`${name} ${value}`, names.value[value], n)));
      return [group];
    });
    if (groups.length) offer("note", groups);

    // One row, as the page's HTML has it, too.
    const text = (row) => {
      const made = worded(rows.text[row], "p");
      made.className = "example";
      if (rows.pair[row]) {
        const nth = (n) => Object.assign(element("span", "nth", n), { lang: "en" });
        made.lang = "ja";
        made.prepend(nth("1"));
        made.append(element("br"), nth("2"), rows.pair[row]);
      }
      return made;
    };
    const about = (row) => {
      const set = names.set[rows.set[row]];
      const predicted = names.predicted[rows.predicted[row]];
      const label = names.label[rows.label[row]];
      const made = element("p", "about");
      made.append(element("span", `tag ${set}`, list.dataset[set]), " ");
      const both = predicted ? list.dataset.gold.split(/(\{label\}|\{predicted\})/) : ["{label}"];
      const filled = { "{label}": label, "{predicted}": predicted };
      made.append(...both.map((part) => (part in filled ? worded(filled[part]) : part)));
      const reason = names.reason[rows.reason[row]];
      if (reason) made.append(" · ", worded(reason.replaceAll("_", " ")));
      for (const [name, value] of notes(row)) made.append(` · ${name} `, worded(value));
      if (rows.id[row]) made.append(" · ", element("span", "id", rows.id[row]));
      return made;
    };
    const item = (row, place) => {
      const made = element("div", "row");
      made.setAttribute("role", "listitem");
      made.setAttribute("aria-posinset", place + 1);
      made.setAttribute("aria-setsize", found.length);
      made.dataset.place = place;
      made.tabIndex = -1;
      made.append(text(row), about(row));
      return made;
    };

    // Blocks of rows: empty and as tall as they were, or as tall as others, while they are far away.
    let found = [];
    let blocks = [];
    let usual = BLOCK * 90;
    const fill = (block) => {
      if (block.childElementCount) return;
      const from = Number(block.dataset.from);
      block.append(...found.slice(from, from + BLOCK).map((row, at) => item(row, from + at)));
      block.style.height = "";
    };
    const empty = (block) => {
      if (!block.childElementCount || block.contains(document.activeElement)) return;
      block.style.height = `${block.offsetHeight}px`;
      block.replaceChildren();
    };
    const near = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) (isIntersecting ? fill : empty)(target);
      },
      { root: list, rootMargin: "900px 0px" },
    );

    const show = () => {
      const wanted = plain(search.value).split(/\s+/).filter(Boolean);
      const chosen = ["set", "label", "reason"].flatMap((key) => {
        const { value } = byId(`by-${key}`);
        return value === "" ? [] : [[rows[key], Number(value)]];
      });
      const [name, value] = byId("by-note").value.split(" ").map(Number);
      const noted = (row) => rows.notes[row].some((at, place) => place % 2 && at === value && rows.notes[row][place - 1] === name);
      found = [];
      for (let row = 0; row < total; row += 1) {
        if (!chosen.every(([column, at]) => column[row] === at)) continue;
        if (value !== undefined && !noted(row)) continue;
        if (wanted.every((word) => texts[row].includes(word))) found.push(row);
      }
      near.disconnect();
      blocks = Array.from({ length: Math.ceil(found.length / BLOCK) }, (_, at) => {
        const block = element("div", "block");
        block.dataset.from = at * BLOCK;
        block.style.height = `${(usual * Math.min(BLOCK, found.length - at * BLOCK)) / BLOCK}px`;
        return block;
      });
      list.replaceChildren(...blocks);
      list.scrollTop = 0;
      if (blocks.length) {
        fill(blocks[0]);
        usual = (blocks[0].offsetHeight * BLOCK) / blocks[0].childElementCount || usual;
      }
      for (const block of blocks) near.observe(block);
      const says = found.length === total ? matches.dataset.all : matches.dataset.some;
      matches.textContent = says.replace("{found}", grouped(found.length)).replace("{all}", grouped(total));
    };

    // Keys: "/" searches, arrows go from row to row, Home and End to the first and the last, Escape leaves.
    const go = (place) => {
      if (!found.length) return;
      const at = Math.min(Math.max(place, 0), found.length - 1);
      const block = blocks[Math.floor(at / BLOCK)];
      fill(block);
      const row = block.children[at % BLOCK];
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    };
    list.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const here = Number(document.activeElement.dataset.place ?? -1);
      const where = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: found.length - 1 }[event.key];
      if (where === undefined) return;
      event.preventDefault();
      if (where < 0) list.focus();
      else go(where);
    });
    search.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // the arrows and Escape are the input method's
      if (event.key === "ArrowDown") {
        event.preventDefault();
        go(0);
      } else if (event.key === "Escape" && search.value) {
        event.preventDefault();
        search.value = "";
        show();
      }
    });
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest?.("input, select, textarea")) return;
      event.preventDefault();
      search.focus();
      search.scrollIntoView({ block: "nearest" });
    });

    filters.addEventListener("input", show);
    filters.hidden = list.hidden = byId("keys").hidden = false;
    document.documentElement.classList.add("browsing");
    show();
  };

  figures();
  browse();
})();
