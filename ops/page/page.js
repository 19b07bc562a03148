/* The record as it stood at any of its moments, from the entries that the page carries: dashboard/assets/compare.js. */
(function () {
  "use strict";

  const data = JSON.parse(document.getElementById("record").textContent);
  const record = data.record;
  const moments = record.moments;
  const MAX_RESTATED = 40;
  const element = (name) => document.getElementById(name);
  const chosen = (name) => document.querySelector('input[name="' + name + '"]:checked').value;
  const count = (number, noun) => number.toLocaleString("en-US") + " " + noun + (number === 1 ? "" : "s");

  function make(tag, texts, attributes) {
    const made = document.createElement(tag);
    for (const text of [].concat(texts)) made.append(text);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    return made;
  }

  const days = new Set(record.entries.map(([number]) => new Date(Date.parse(record.first) + number * 86400000).toISOString().slice(0, 10)));
  const day = (date) => (days.has(date) ? make("a", date, { class: "day", href: "day/" + date + ".html" }) : date);

  function part([tag, name, ...children]) {
    const attributes = tag === "A" ? { class: "day", href: "day/" + name + ".html" } : { class: name };
    return make(tag, children.map((child) => (typeof child === "string" ? child : part(child))), attributes);
  }

  function fill(table, header, rows, texts) {
    const side = (place) => (texts.includes(place) ? { class: "text" } : {});
    const head = header.map((text, place) => make("th", text, { scope: "col", ...side(place) }));
    const body = rows.map(([first, ...cells]) =>
      make("tr", [
        make("th", first, { scope: "row", class: "text" }),
        ...cells.map((cell, place) => make("td", cell, { ...side(place + 1), "data-label": header[place + 1] })),
      ]),
    );
    table.replaceChildren(make("thead", make("tr", head)), make("tbody", body));
  }

  let seen = null;

  function show(place) {
    const view = data.views[chosen("show") + "/" + chosen("scale")];
    const moment = place === moments.length - 1 ? null : moments[place];
    seen = window.daybook.compare(record, view.template, moment);
    const figure = seen.figure || structuredClone(view.today);
    window.Plotly.react("chart", figure.data, figure.layout, { displayModeBar: false, responsive: true, doubleClick: false });
    element("moment").value = place;
    const text = moment ? window.daybook.inWords(moment) : "today";
    element("moment").setAttribute("aria-valuetext", text);
    element("moment-date").textContent = text;
    const [fresh, restated] = data.entered[place];
    element("entered").textContent = moments[place] + ": " + [fresh && count(fresh, "day") + " new", restated && count(restated, "day") + " restated"].filter(Boolean).join(", ");
    element("headline").textContent = seen.headline;
    element("tiles").replaceChildren(...seen.tiles.map(part));
  }

  function rest() {
    const view = data.views[chosen("show") + "/" + chosen("scale")];
    element("notes").replaceChildren(make("ul", view.notes.map((text) => make("li", text))));
    const changes = seen.restated();
    element("restated").hidden = changes.length === 0;
    element("restated-caption").textContent =
      "Restated since then: " + (changes.length > MAX_RESTATED ? "the newest " + MAX_RESTATED + " of " : "") + count(changes.length, "figure");
    fill(element("restated").querySelector("table"), ["Date", "Figure", "Then", "Now", "Change", "Last entered"], changes.slice(-MAX_RESTATED).reverse().map(([date, ...cells]) => [day(date), ...cells]), [0, 1, 5]);
    const heads = Object.entries(record.names).map(([name, title]) => title + (name === "fatality" ? ", %" : ""));
    const cell = ([text, isKnown]) => (isKnown ? text : make("span", text, { class: "silence" }));
    element("table-caption").textContent = "What the chart shows: " + view.unit + ", newest first";
    scrubber.followed();
    fill(
      element("table"),
      ["Date", ...heads, ...(seen.figure ? heads.map((text) => text + " today") : [])],
      seen.table().reverse().map(([date, ...cells]) => [day(date), ...cells.map(cell)]),
      [0],
    );
  }

  function draw(place) {
    show(place);
    rest();
  }

  element("moment").max = moments.length - 1;
  const scrubber = window.daybook.scrubber(() => moments.length, show, rest);
  document.querySelector("form.controls").addEventListener("change", () => draw(Number(element("moment").value)));
  for (const link of document.querySelectorAll("[data-moment]")) {
    link.addEventListener("click", () => scrubber.move(moments.indexOf(link.dataset.moment)));
  }
  draw(moments.length - 1);
  element("chart").on("plotly_click", (event) => window.daybook.clicked(event, (date) => "day/" + date + ".html"));
})();
