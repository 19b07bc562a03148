/* The record as it stood at any date, from the entries that the page carries: what dashboard/series.py computes. */
(function () {
  "use strict";

  const record = JSON.parse(document.getElementById("record").textContent);
  const COUNTS = ["cases", "deaths", "recovered"];
  const SERIES = [...COUNTS, "fatality"];
  const NAMES = { cases: "Cases", deaths: "Deaths", recovered: "Recoveries", fatality: "Case fatality" };
  const DAY = 86400000; // milliseconds
  const MAX_RESTATED = 40;
  const ENOUGH_DEATHS = 1000;
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
      return cases && deaths >= ENOUGH_DEATHS ? (deaths * 100) / cases : null;
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

  const decimals = (name, show) => (name === "fatality" ? 2 : show === "average" ? 1 : 0);
  const reach = (show) => ({ total: 0, average: 7 })[show] ?? 1;

  /** Why there is no figure. */
  function silence(name, rows, date) {
    const counts = rows.get(date);
    if (!counts) return date > [...rows.keys()].pop() ? "not yet known" : "no figure";
    if (name === "fatality") return "too few deaths";
    return known(counts[1 + COUNTS.indexOf(name)]) ? "not known" : "not reported";
  }

  /** Figures of dates known then that are shown otherwise today; entered: the newest change in what they are made of. */
  function restated(rows, then, show) {
    const entered = new Map();
    for (const [date, is] of today) {
      const was = rows.get(date);
      if (!was || COUNTS.some((_, place) => was[place + 1] !== is[place + 1])) entered.set(date, is[0]);
    }
    const found = [];
    record.dates.forEach((date, place) => {
      const changes = [];
      for (let days = 0; days <= reach(show); days += 1) changes.push(entered.get(plus(date, -days)) || 0);
      if (!rows.has(date) || Math.max(...changes) === 0) return;
      for (const name of COUNTS) {
        const [was, is] = [then[name][place], now[show][name][place]];
        if (written(was, decimals(name, show)) === written(is, decimals(name, show))) continue;
        found.push({ date: date, series: name, then: was, now: is, entered: Math.max(...changes) });
      }
    });
    return found;
  }

  // The page

  function make(tag, texts, attributes) {
    const made = document.createElement(tag);
    for (const text of [].concat(texts)) made.append(text);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    return made;
  }

  const day = (date) => make("a", date, { class: "day", href: "day/" + date + ".html" });

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
    const places = decimals(name, "total");
    const dates = [...rows.keys()];
    const newest = dates[dates.length - 1];
    const at = (date) => figure(rows, name, date, "total");
    const title = make("h2", NAMES[name]);
    if (!known(at(newest))) {
      const last = dates.filter((date) => known(at(date))).pop();
      if (name === "fatality") return make("div", [title, make("p", "Too few deaths for a ratio", { class: "silent" })], { class: "tile" });
      const since = last ? " since " + plus(last, 1) : "";
      const told = last ? [make("p", "Last: " + written(at(last), places) + " on " + last)] : [];
      return make("div", [title, make("p", "Not reported" + since, { class: "silent" }), ...told], { class: "tile" });
    }
    const change = (days) => (known(at(plus(newest, -days))) ? at(newest) - at(plus(newest, -days)) : null);
    const parts = [
      title,
      make("p", written(at(newest), places) + (name === "fatality" ? " %" : ""), { class: "value" }),
      make("p", signed(change(1), places) + " on the day"),
      make("p", signed(change(7), places) + " on the week"),
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
  function picture(show, scale, rows, then, changes) {
    const drawn = structuredClone(record.figures[show + "/" + scale + "/" + (then ? "then" : "now")]);
    if (!then) return drawn;
    const place = (name, value) => (scale === "log" && name !== "fatality" && !(value > 0) ? null : value);
    const trace = (name) => drawn.data.find((one) => one.name === name);
    for (const name of SERIES) {
      const values = then[name].map((value) => place(name, value));
      const mine = changes.filter((change) => change.series === name);
      trace(NAMES[name]).y = values;
      const text = (figures, of, number) =>
        known(figures[name][number])
          ? written(figures[name][number], decimals(name, show)) + (name === "fatality" ? " %" : "")
          : silence(name, of, record.dates[number]);
      trace(NAMES[name] + " in words").customdata = record.dates.map((date, number) => {
        const [was, is] = [text(then, rows, number), text(now[show], today, number)];
        const change = mine.find((one) => one.date === date);
        return was === is ? was : was + " then, " + is + " now" + (change ? ",<br>last entered " + moment(change.entered) : "");
      });
      const marks = trace(NAMES[name] + " restated");
      if (!marks) continue;
      const ringed = mine.filter((change) => known(values[record.dates.indexOf(change.date)]));
      marks.x = ringed.map((change) => change.date);
      marks.y = ringed.map((change) => values[record.dates.indexOf(change.date)]);
    }
    return drawn;
  }

  function draw() {
    const show = chosen("show");
    const scale = chosen("scale");
    const at = asof.value;
    const rows = at === TODAY ? today : believed(at);
    const then = at === TODAY ? null : figures(rows, show);
    const changes = then ? restated(rows, then, show) : [];

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
      ["Date", "Figure", "Then", "Now", "Change", "Last entered"],
      newest.map((one) => [
        day(one.date),
        NAMES[one.series],
        written(one.then, decimals(one.series, show)),
        written(one.now, decimals(one.series, show)),
        signed(known(one.then) && known(one.now) ? one.now - one.then : null, decimals(one.series, show)),
        moment(one.entered),
      ]),
      [0, 1, 5],
    );

    const columns = then ? [[then, rows], [now[show], today]] : [[now[show], today]];
    const cell = (name, value, rows, date) =>
      known(value) ? written(value, decimals(name, show)) : make("span", silence(name, rows, date), { class: "silence" });
    const heads = SERIES.map((name) => NAMES[name] + (name === "fatality" ? ", %" : ""));
    element("table-caption").textContent = "What the chart shows: " + record.units[show] + ", newest first";
    fill(
      element("table"),
      ["Date", ...heads, ...(then ? heads.map((text) => text + " today") : [])],
      record.dates
        .map((date, place) => [
          today.has(date) ? day(date) : date,
          ...columns.flatMap(([found, of]) => SERIES.map((name) => cell(name, found[name][place], of, date))),
        ])
        .reverse(),
      [0],
    );

    const drawn = picture(show, scale, rows, then, changes);
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
