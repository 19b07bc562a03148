/* The record as it stood on a date, from its entries: what dashboard/series.py, chart.py, text.py and
   pages/record.py compute, for a scrubber that asks no server. tests/test_then.py compares the two. */
(function () {
  "use strict";

  const DAY = 86400000; // milliseconds
  const WEEK = 7;
  const NOTHING = "–";
  const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

  // Dates and numbers

  const iso = (time) => new Date(time).toISOString().slice(0, 10);
  const parts = (date) => [Number(date.slice(8)), MONTHS[Number(date.slice(5, 7)) - 1], date.slice(0, 4)];
  const inWords = (date) => parts(date).join("\u00a0");
  const short = (date) => parts(date).map((part, place) => (place === 1 ? part.slice(0, 3) : part)).join("\u00a0");
  const when = (time) => inWords(iso(time)) + ", " + new Date(time).toISOString().slice(11, 16) + "\u00a0UTC";
  const known = (value) => value !== null && value !== undefined;

  // A format is made once a number of decimals: that takes longer than to use it a hundred times.
  const formats = [0, 1, 2].map((digits) =>
    new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven" }),
  );

  function number(value, decimals) {
    if (!known(value)) return NOTHING;
    return formats[decimals].format(value).replace("-", "−");
  }

  function signed(value, decimals) {
    if (!known(value)) return "not known";
    const text = number(value, decimals);
    if (/^[−0.]*$/.test(text)) return "±0";
    return value < 0 ? text : "+" + text;
  }

  const isWhole = (value) => known(value) && Number.isInteger(value);
  const rounded = (value, decimals) => (isWhole(value) ? value : known(value) ? Number(number(value, decimals).replace(/,/g, "").replace("−", "-")) : null);

  // The record

  /** Of each day its newest entry by a time: by day, counted from the record's first, [time, each count]. */
  function believed(record, until) {
    const newest = new Map();
    for (const [day, version, ...counts] of record.entries) {
      if (record.versions[version] <= until) newest.set(day, [record.versions[version], ...counts]);
    }
    return new Map([...newest].sort(([one], [other]) => one - other));
  }

  /** Everything that is computed of one record under a view. */
  function reader(record, view) {
    const reach = { total: 0, average: WEEK }[view.show] ?? 1;
    const decimals = (name) => (name === "fatality" || view.per === "per100k" ? 2 : view.show === "average" ? 1 : 0);

    function fatality(rows, day) {
      const counts = rows.get(day);
      if (!counts) return null;
      const [cases, deaths] = [counts[1 + record.counts.indexOf("cases")], counts[1 + record.counts.indexOf("deaths")]];
      return cases && deaths >= record.enough ? (deaths * 100) / cases : null;
    }

    const total = (rows, name, day) => (name === "fatality" ? fatality(rows, day) : rows.get(day)?.[1 + record.counts.indexOf(name)] ?? null);

    function figure(rows, name, day) {
      if (name === "fatality") return fatality(rows, day);
      let value = total(rows, name, day);
      for (let back = 0; back <= reach; back += 1) if (!known(total(rows, name, day - back))) return null;
      if (reach > 0) value = (value - total(rows, name, day - reach)) / reach;
      return view.per === "per100k" ? (value * 100000) / record.population : value;
    }

    const ends = new Map(); // of each record, its newest day
    const newest = (rows) => ends.get(rows) ?? ends.set(rows, [...rows.keys()].pop()).get(rows);

    function silence(rows, name, day) {
      const counts = rows.get(day);
      if (!counts) return rows.size === 0 || day > newest(rows) ? "not yet known" : "no figure";
      if (name === "fatality") return "too few deaths";
      return known(counts[1 + record.counts.indexOf(name)]) ? "not known" : "not reported";
    }

    const written = (rows, name, day) => {
      const value = figure(rows, name, day);
      return known(value) ? number(rounded(value, decimals(name)), decimals(name)) + (name === "fatality" ? " %" : "") : silence(rows, name, day);
    };
    return { reach, decimals, figure, total, written };
  }

  /** Figures of days known then that are otherwise today, oldest first. */
  function restated(record, read, then, today, days) {
    const entered = new Map();
    for (const [day, row] of today) {
      const was = then.get(day);
      if (!was || row.some((value, place) => place > 0 && value !== was[place])) entered.set(day, row[0]);
    }
    const changes = [];
    for (const day of days) {
      let last = 0;
      for (let back = 0; back <= read.reach; back += 1) last = Math.max(last, entered.get(day - back) || 0);
      if (!then.has(day) || last === 0) continue;
      for (const name of record.counts) {
        const [was, is] = [then, today].map((rows) => rounded(read.figure(rows, name, day), read.decimals(name)));
        if (was !== is) changes.push({ day, name, was, is, last, by: known(was) && known(is) ? rounded(is - was, read.decimals(name)) : null });
      }
    }
    return changes;
  }

  // The page

  /** The chart, headline and tiles of the record as it stood when a date ended, or of today's, and functions
      for its tables; `view` is the template: what is chosen, and the figure without its numbers. */
  function compare(record, view, asof) {
    const start = Date.parse(record.first);
    const date = (day) => iso(start + day * DAY);
    const today = believed(record, Infinity);
    const then = asof ? believed(record, Date.parse(asof) + DAY - 1) : today;
    const days = span(view, then, today, (text) => (Date.parse(text) - start) / DAY);
    const read = reader(record, view);
    const changes = restated(record, read, then, today, days);
    const newest = [...then.keys()].pop();
    return {
      figure: asof && drawn(record, view, read, { then, today, changes, days, date, newest, asof }),
      headline: headline(record, then, today, newest, date, asof),
      tiles: Object.keys(record.names).map((name) => tile(record, name, then, asof && today, newest, date)),
      restated: () =>
        changes.map((change) => [
          date(change.day), record.names[change.name],
          ...[change.was, change.is].map((value) => number(value, read.decimals(change.name))),
          signed(change.by, read.decimals(change.name)), when(change.last),
        ]),
      table: () =>
        days.map((day) => [
          date(day),
          ...(asof ? [then, today] : [today]).flatMap((rows) =>
            Object.keys(record.names).map((name) => [read.written(rows, name, day).replace(" %", ""), known(read.figure(rows, name, day))])),
        ]),
    };
  }

  /** The days that are drawn; a preset counts back from the newest that was known. */
  function span(view, then, today, day) {
    let [first, last] = [day(view.start), day(view.end)];
    if (view.days !== null) {
      last = [...(then.size ? then : today).keys()].pop();
      first = Math.max([...today.keys()][0], last - view.days + 1);
    }
    return Array.from({ length: last - first + 1 }, (_, place) => first + place);
  }

  /** Grounds under what is missing, and words on them where there is room. */
  function grounds(view, layout, dates) {
    const edge = (time, half) => new Date(time + (half * DAY) / 2).toISOString().slice(0, 19);
    const [first, last] = [Date.parse(dates[0]), Date.parse(dates[dates.length - 1])];
    layout.xaxis.range = [edge(first, -1), edge(last, 1)];
    if (dates.length <= view.ticks) Object.assign(layout.xaxis, { tick0: dates[0], dtick: DAY });
    for (const [from, to, yref, y, text] of view.grounds) {
      const [start, end] = [Math.max(Date.parse(from), first), Math.min(Date.parse(to), last)];
      if (start > end) continue;
      layout.shapes.push({ ...view.ground, yref, x0: edge(start, -1), x1: edge(end, 1) });
      const width = (end - start) / DAY + 1;
      if (width < view.share * dates.length) continue;
      const right = end === last;
      layout.annotations.push({
        text, xref: "x", yref, x: right ? edge(end, 1) : edge(start + Math.floor(width / 2) * DAY, -1),
        xanchor: right ? "right" : "center", xshift: right ? -6 : 0, y, showarrow: false, font: { size: 12, color: view.muted },
      });
    }
  }

  /** Rules for the record's own events, and their letters, together where they are near. */
  function milestones(view, layout, dates) {
    let last = null;
    for (const [date, letter] of view.milestones) {
      if (date < dates[0] || date > dates[dates.length - 1]) continue;
      layout.shapes.push({ ...view.milestone, x0: date, x1: date });
      if (last && (Date.parse(date) - Date.parse(last.x)) / DAY < view.apart * dates.length) last.text += " " + letter;
      else layout.annotations.push((last = { ...view.letter, x: date, text: letter }));
    }
  }

  function drawn(record, view, read, seen) {
    const figure = structuredClone(view.figure);
    const logarithmic = (name) => view.scale === "log" && name !== "fatality";
    const place = (name, value) => (known(value) && (!logarithmic(name) || value > 0) ? value : null);
    const trace = (name) => figure.data.find((one) => one.name === name);
    const dates = seen.days.map(seen.date);
    const { shapes, annotations } = figure.layout;
    grounds(view, figure.layout, dates);
    milestones(view, figure.layout, dates);

    if (seen.newest >= seen.days[0] && seen.newest < seen.days[seen.days.length - 1]) {
      const end = seen.date(seen.newest) + "T12:00:00";
      const right = (seen.newest - seen.days[0]) * 2 > seen.days.length;
      shapes.push({ ...view.rule, x0: end, x1: end });
      annotations.push({
        ...view.label, text: "the record of " + short(seen.asof) + " ends", x: end, xanchor: right ? "right" : "left",
        xshift: right ? -6 : 6, yref: "paper", y: figure.layout.yaxis.domain[1], yanchor: "top",
      });
    }
    for (const [name, title] of Object.entries(record.names)) {
      const [was, is] = [seen.then, seen.today].map((rows) => seen.days.map((day) => place(name, read.figure(rows, name, day))));
      Object.assign(trace(title), { x: dates, y: was, mode: dates.length <= view.few ? "lines+markers" : "lines" });
      Object.assign(trace(title + " today"), { x: dates, y: is });
      const mine = seen.changes.filter((change) => change.name === name);
      const last = new Map(mine.map((change) => [change.day, change.last]));
      let height = was.map((value, number) => value ?? is[number]).find(known) ?? 1;
      Object.assign(trace(title + " in words"), {
        x: dates,
        y: was.map((value, number) => (height = value ?? is[number] ?? height)),
        customdata: seen.days.map((day) => {
          const [before, after] = [seen.then, seen.today].map((rows) => read.written(rows, name, day));
          if (before === after) return before;
          return before + " then, " + after + " now" + (last.has(day) ? ",<br>last entered " + when(last.get(day)) : "");
        }),
      });
      const gaps = mine.filter((change) => known(place(name, change.was)) && known(place(name, change.is)));
      if (name === "fatality") continue;
      const x = gaps.map((change) => seen.date(change.day));
      const y = gaps.map((change) => change.by);
      Object.assign(trace(title + " restated"), { x, y, base: gaps.map((change) => change.was) });
      Object.assign(trace(title + ", now − then"), { x, y });
      const axis = figure.layout[trace(title + ", now − then").yaxis.replace("y", "yaxis")];
      if (gaps.length === 0) {
        Object.assign(axis, view.empty);
        continue;
      }
      const largest = gaps.reduce((one, other) => (Math.abs(other.by) > Math.abs(one.by) ? other : one));
      const written = signed(largest.by, read.decimals(name));
      annotations.push({ ...view.most, text: "the most: <b>" + written + "</b>, " + short(seen.date(largest.day)), y: axis.domain[1] });
    }
    return figure;
  }

  function headline(record, then, today, newest, date, asof) {
    if (!asof) return todays(record, today, newest, date);
    if (newest === undefined) return "On " + inWords(asof) + " nothing had been recorded yet.";
    const cases = (rows) => rows.get(newest)?.[1 + record.counts.indexOf("cases")];
    const end = date(newest).slice(0, 4) === asof.slice(0, 4) ? parts(date(newest)).slice(0, 2).join("\u00a0") : inWords(date(newest));
    const now = cases(today) === cases(then) ? "Today we say the same." : "Today we say " + number(cases(today), 0) + " for that date.";
    return "On " + inWords(asof) + " the record ended on " + end + ", at " + number(cases(then), 0) + " cases. " + now;
  }

  function todays(record, today, newest, date) {
    const [cases, deaths] = ["cases", "deaths"].map((name) => number(today.get(newest)[1 + record.counts.indexOf(name)], 0));
    return cases + " cases and " + deaths + " deaths in the United States by " + inWords(date(newest));
  }

  /** A link to a day's page: its second place is the date. */
  const dated = (day) => ["A", day, inWords(day)];

  /** A tile as [tag, class, …what is in it]. */
  function tile(record, name, then, today, newest, date) {
    const { total } = reader(record, { show: "total", per: "count" });
    const places = name === "fatality" ? 2 : 0;
    const title = ["H2", "", record.names[name]];
    if (newest === undefined) return ["Div", "tile", title, ["P", "silent", "Nothing yet"]];
    const value = total(then, name, newest);
    if (!known(value)) {
      if (name === "fatality") return ["Div", "tile", title, ["P", "silent", "Too few deaths for a ratio"]];
      const last = [...then.keys()].filter((day) => known(total(then, name, day))).pop();
      if (last === undefined) return ["Div", "tile", title, ["P", "silent", "Not reported"]];
      return [
        "Div", "tile", title,
        ["P", "silent", "Not reported since " + inWords(date(last + 1))],
        ["P", "", "Last: " + number(total(then, name, last), places) + " on ", dated(date(last))],
      ];
    }
    const change = (back) => {
      const before = total(then, name, newest - back);
      return signed(known(before) ? value - before : null, places);
    };
    const unit = name === "fatality" ? " %" : "";
    return [
      "Div", "tile " + name, title,
      ["P", "value", number(value, places) + unit],
      ...(today ? [["P", "now", now(total(today, name, newest), value, places, unit)]] : []),
      ["P", "", change(1) + " on the day"],
      ["P", "", change(WEEK) + " on the week"],
      ["P", "when", dated(date(newest))],
    ];
  }

  function now(today, then, places, unit) {
    if (!known(today)) return "not reported today";
    if (number(today, places) === number(then, places)) return "the same today";
    return "today " + number(today, places) + unit + ", " + signed(today - then, places);
  }

  // The scrubber

  const REST = 500; // milliseconds without a move, until the rest of the page follows
  const FRAME = 220; // of Play: a little more than a chart takes

  /** Move through moments by #moment, #earlier, #later and #play: `show` draws a place, `rest` follows when it
      stands still, `count` is how many there are, the last of which is today. */
  function scrubber(count, show, rest) {
    let wanted = null; // to be drawn in the next frame
    let current = null; // where the reader is, until the page has followed
    let resting = null;
    let playing = null;
    const at = () => current ?? Number(document.getElementById("moment").value);
    const say = (text) => (document.getElementById("play").textContent = text);

    function draw() {
      const place = wanted;
      wanted = null;
      show(place);
    }

    function move(place) {
      if (place < 0 || place >= count()) return;
      if (wanted === null) window.requestAnimationFrame(draw);
      wanted = current = place;
      window.clearTimeout(resting);
      if (playing === null) resting = window.setTimeout(come, REST);
    }

    function come() {
      resting = null;
      rest(current);
    }

    function play(place) {
      if (place >= count()) return pause();
      playing = window.setTimeout(() => play(place + 1), FRAME);
      move(place);
    }

    function pause() {
      window.clearTimeout(playing);
      playing = null;
      say("Play");
      current = at();
      come();
    }

    document.addEventListener("input", (event) => event.target.id === "moment" && move(Number(event.target.value)));
    document.addEventListener("click", (event) => {
      const button = event.target.closest("#earlier, #later, #play");
      if (!button || count() === 0) return;
      if (button.id !== "play") return move(at() + (button.id === "later" ? 1 : -1));
      if (playing !== null) return pause();
      say("Pause");
      play(at() === count() - 1 ? 0 : at() + 1);
    });

    /** The page has followed to some place: a reader who is further by now stays there. */
    function followed() {
      if (resting !== null || playing !== null) return show(current);
      current = null;
    }
    return { move, followed };
  }

  /** A day that a mouse clicks in the chart opens its page; a finger's touch reads it. */
  function clicked(event, address) {
    if (window.matchMedia("(hover: hover)").matches) window.location.assign(address(String(event.points[0].x).slice(0, 10)));
  }

  window.daybook = { compare, inWords, scrubber, clicked };
})();
