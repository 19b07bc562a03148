/* The record as it stood at any date, from the entries that the page carries: what dashboard/series.py computes. */
(function () {
  "use strict";

  const record = JSON.parse(document.getElementById("record").textContent);
  const COUNTS = ["cases", "deaths", "recovered"];
  const SERIES = [...COUNTS, "fatality"];
  const NAMES = { cases: "Cases", deaths: "Deaths", recovered: "Recoveries", fatality: "Fatality" };
  const DAY = 86400000; // milliseconds
  const MAX_RESTATED = 40;
  const TODAY = "";

  // Dates and numbers

  const plus = (date, days) => new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);
  const moment = (version) => new Date(version).toISOString().slice(0, 16).replace("T", " ") + " UTC";
  const known = (value) => value !== null && value !== undefined;
  const count = (number, noun) => number.toLocaleString("en-US") + " " + noun + (number === 1 ? "" : "s");

  function written(value, decimals) {
    if (!known(value)) return "–";
    const said = value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return said.replace("-", "−");
  }

  function signed(value, decimals) {
    if (!known(value)) return "not known";
    const text = written(value, decimals);
    if (/^[−0.]*$/.test(text)) return "±0";
    return value < 0 ? text : "+" + text;
  }

  // The record

  /** Of each date its newest entry by the end of that date, UTC: [version, cases, deaths, recovered]. */
  function believed(asof) {
    const until = asof === TODAY ? Infinity : Date.parse(asof) + DAY - 1;
    const found = new Map();
    for (const [date, ...entry] of record.entries) {
      if (entry[0] <= until) found.set(date, entry); // oldest first
    }
    return new Map([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  function figure(rows, name, date, show) {
    const at = (days) => (rows.get(plus(date, -days)) || [])[1 + COUNTS.indexOf(name)];
    if (name === "fatality") {
      const [, cases, deaths] = rows.get(date) || [];
      return cases && known(deaths) ? (deaths * 100) / cases : null;
    }
    if (show === "total") return known(at(0)) ? at(0) : null;
    const reach = show === "average" ? 7 : 1;
    for (let days = 0; days <= reach; days += 1) if (!known(at(days))) return null;
    return (at(0) - at(reach)) / reach;
  }

  function figures(rows, show) {
    const found = {};
    for (const name of SERIES) found[name] = record.dates.map((date) => figure(rows, name, date, show));
    return found;
  }

  function restated(then, now) {
    const found = [];
    for (const [date, was] of then) {
      const is = now.get(date);
      COUNTS.forEach((name, place) => {
        if (was[place + 1] !== is[place + 1]) {
          found.push({ date: date, series: name, then: was[place + 1], now: is[place + 1], entered: is[0] });
        }
      });
    }
    return found;
  }

  // The page

  function make(tag, texts, attributes) {
    const made = document.createElement(tag);
    for (const text of [].concat(texts)) made.append(text);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    return made;
  }

  function fill(table, header, rows, texts) {
    const side = (place) => (texts.includes(place) ? { class: "text" } : {});
    const head = header.map((text, place) => make("th", text, { scope: "col", ...side(place) }));
    const body = rows.map((row) =>
      make(
        "tr",
        row.map((cell, place) =>
          place === 0 ? make("th", cell, { scope: "row", class: "text" }) : make("td", cell, side(place)),
        ),
      ),
    );
    table.replaceChildren(make("thead", make("tr", head)), make("tbody", body));
  }

  function tile(name, rows) {
    const decimals = name === "fatality" ? 2 : 0;
    const dates = [...rows.keys()];
    const newest = dates[dates.length - 1];
    const at = (date) => figure(rows, name, date, "total");
    const title = make("h2", NAMES[name]);
    if (!known(at(newest))) {
      const last = dates.filter((date) => known(at(date))).pop();
      const since = last ? " since " + plus(last, 1) : "";
      const told = last ? [make("p", "Last: " + written(at(last), decimals) + " on " + last)] : [];
      return make("div", [title, make("p", "Not reported" + since, { class: "silent" }), ...told], { class: "tile" });
    }
    const change = (days) => (known(at(plus(newest, -days))) ? at(newest) - at(plus(newest, -days)) : null);
    const parts = [
      title,
      make("p", written(at(newest), decimals) + (name === "fatality" ? " %" : ""), { class: "value" }),
      make("p", signed(change(1), decimals) + " on the day"),
      make("p", signed(change(7), decimals) + " on the week"),
      make("p", newest, { class: "when" }),
    ];
    return make("div", parts, { class: "tile " + name });
  }

  const today = believed(TODAY);
  const now = {};
  for (const show of ["total", "new", "average"]) now[show] = figures(today, show);

  const element = (name) => document.getElementById(name);
  const asof = element("asof");
  const chosen = (name) => document.querySelector('input[name="' + name + '"]:checked').value;

  /** The picture as Python drew it, with the figures of then in the traces that stand for them. */
  function picture(show, scale, then, changes) {
    const drawn = structuredClone(record.figures[show + "/" + scale + "/" + (then ? "then" : "now")]);
    if (!then) return drawn;
    const place = (name, value) => (scale === "log" && name !== "fatality" && !(value > 0) ? null : value);
    for (const name of SERIES) {
      const values = then[name].map((value) => place(name, value));
      drawn.data.find((trace) => trace.name === NAMES[name]).y = values;
      const marks = drawn.data.find((trace) => trace.name === NAMES[name] + " restated");
      if (!marks) continue;
      const found = changes.filter((one) => one.series === name && known(values[record.dates.indexOf(one.date)]));
      marks.x = found.map((one) => one.date);
      marks.y = found.map((one) => values[record.dates.indexOf(one.date)]);
      marks.customdata = found.map((one) => [written(one.then, 0), written(one.now, 0), moment(one.entered)]);
    }
    return drawn;
  }

  function draw() {
    const show = chosen("show");
    const scale = chosen("scale");
    const at = asof.value;
    const rows = at === TODAY ? today : believed(at);
    const then = at === TODAY ? null : figures(rows, show);
    const changes = then ? restated(rows, today) : [];

    element("tiles").replaceChildren(...SERIES.map((name) => tile(name, rows)));
    element("believed").hidden = !then;
    element("believed").textContent = then
      ? "The record as it stood when " + at + " ended (UTC): " + count(rows.size, "day") + " through " +
        [...rows.keys()].pop() + ", over today’s as a pale dotted line. " +
        count(new Set(changes.map((one) => one.date)).size, "day") + " restated later, ringed."
      : "";
    element("earlier").disabled = asof.selectedIndex === asof.options.length - 1;
    element("later").disabled = asof.selectedIndex === 0;
    element("notes").replaceChildren(make("ul", record.notes[show + "/" + scale].map((text) => make("li", text))));

    const restatedPart = element("restated");
    restatedPart.hidden = changes.length === 0;
    const newest = changes.slice(-MAX_RESTATED).reverse();
    element("restated-caption").textContent =
      changes.length > MAX_RESTATED
        ? "Restated since then: the newest " + MAX_RESTATED + " of " + count(changes.length, "figure")
        : "Restated since then: " + count(changes.length, "figure");
    fill(
      restatedPart.querySelector("table"),
      ["Date", "Figure", "Then", "Now", "Change", "Entered"],
      newest.map((one) => [
        one.date,
        NAMES[one.series],
        written(one.then, 0),
        written(one.now, 0),
        signed(known(one.then) && known(one.now) ? one.now - one.then : null, 0),
        moment(one.entered),
      ]),
      [0, 1, 5],
    );

    const columns = then ? [[then, rows], [now[show], today]] : [[now[show], today]];
    const decimals = (name) => (name === "fatality" ? 2 : show === "average" ? 1 : 0);
    const silence = (name, rows, date) => (!rows.has(date) ? "no figure" : name === "recovered" ? "not reported" : "not known");
    const cell = (name, value, rows, date) =>
      known(value) ? written(value, decimals(name)) : make("span", silence(name, rows, date), { class: "silence" });
    const heads = SERIES.map((name) => NAMES[name] + (name === "fatality" ? ", %" : ""));
    element("table-caption").textContent = "What the chart shows: " + record.units[show] + ", newest first";
    fill(
      element("table"),
      ["Date", ...heads, ...(then ? heads.map((text) => text + " today") : [])],
      record.dates
        .map((date, place) => [
          date,
          ...columns.flatMap(([found, of]) => SERIES.map((name) => cell(name, found[name][place], of, date))),
        ])
        .reverse(),
      [0],
    );

    const drawn = picture(show, scale, then, changes);
    window.Plotly.react("chart", drawn.data, drawn.layout, { displayModeBar: false, responsive: true, doubleClick: false });
  }

  asof.append(make("option", "Today’s record", { value: TODAY }));
  for (const [date, recorded, revised] of record.entered) {
    const what = [recorded && count(recorded, "day") + " new", revised && count(revised, "day") + " restated"];
    asof.append(make("option", date + ": " + what.filter(Boolean).join(", "), { value: date }));
  }
  function step(by) {
    asof.selectedIndex += by;
    draw();
  }
  element("earlier").addEventListener("click", () => step(1));
  element("later").addEventListener("click", () => step(-1));
  document.querySelector("form").addEventListener("change", draw);
  document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  draw();
})();
