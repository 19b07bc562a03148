/* What the page does without its server: says that it is silent, keeps the focus, saves the picture. */
(function () {
  "use strict";

  const ASK_EVERY = 3000; // milliseconds
  const SILENT = "The dashboard's server does not answer. What you see stays as it was; this message goes when it is back.";
  const FAILED = "This view could not be drawn. What you see may not be what you chose; this message goes when it can be.";
  const CALLBACK = "_dash-update-component";

  const ask = window.fetch.bind(window);
  let waiting = null;

  function say(text) {
    const place = document.getElementById("alert");
    if (place && place.textContent !== text) place.textContent = text;
  }

  // Dash tells nobody when a callback fails or nothing answers.
  window.fetch = function (what, how) {
    const address = typeof what === "string" ? what : what.url;
    if (!address.includes(CALLBACK)) return ask(what, how);
    return ask(what, how).then(
      function (answer) {
        if (answer.ok) {
          if (waiting === null) say("");
        } else {
          say(FAILED);
          waitUntilBack();
        }
        return answer;
      },
      function (problem) {
        say(SILENT);
        waitUntilBack();
        throw problem;
      },
    );
  };

  // Asks for the view once more; if that works, the message goes.
  function waitUntilBack() {
    if (waiting !== null) return;
    waiting = window.setInterval(function () {
      ask("/healthz", { cache: "no-store" }).then(
        function (answer) {
          if (!answer.ok) return;
          window.clearInterval(waiting);
          waiting = null;
          window.dash_clientside.set_props("again", { data: Date.now() });
        },
        function () {
          say(SILENT);
        },
      );
    }, ASK_EVERY);
  }

  // Parts of the page are replaced as wholes: what had the focus gets it back.
  let focused = null;
  document.addEventListener("focusin", function (event) {
    focused = event.target.id || null;
  });
  new MutationObserver(function () {
    if (focused === null || document.activeElement !== document.body) return;
    const again = document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("pointerdown", function () {
    focused = null;
  });

  // A date that is typed is other dates on the way: it counts when the field is left, or at Enter. What is
  // picked from the calendar counts at once.
  const KEYS = /^([0-9]|Arrow(Up|Down)|Backspace|Delete)$/;
  let typed = false;
  let owed = null;
  document.addEventListener("pointerdown", () => (typed = false), true);
  document.addEventListener("keydown", (event) => {
    if (event.target.type !== "date") return;
    typed = KEYS.test(event.key) && !event.altKey;
    if (event.key === "Enter") hand(event.target);
  }, true);
  for (const name of ["input", "change"]) {
    document.addEventListener(name, (event) => {
      if (event.target.type !== "date" || !typed) return;
      event.stopImmediatePropagation();
      owed = event.target;
    }, true);
  }
  document.addEventListener("focusout", (event) => hand(event.target), true);
  function hand(field) {
    if (owed !== field) return;
    owed = null;
    typed = false;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // To another state of this page, and where the reader is on it stays.
  document.addEventListener("click", function (event) {
    const link = event.target.closest("a.here");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    window.history.pushState({}, "", link.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  });

  // What the server drew gives way to the page once its chart is drawn, or once there is something to be said.
  const first = document.getElementById("first");
  function unveil() {
    if (first) first.hidden = true;
  }
  function watch(plot) {
    plot.on("plotly_hover", (event) => read(event.points));
    plot.on("plotly_click", (event) => window.daybook.clicked(event, (date) => "/day/" + date));
    plot.on("plotly_unhover", () => (document.getElementById("readout").textContent = ""));
    plot.on("plotly_afterplot", () => plot.data.length > 0 && unveil());
    if (plot.data.length > 0) unveil();
  }
  {
    const waits = new MutationObserver(function () {
      const plot = document.querySelector("#chart .js-plotly-plot");
      const isSilent = document.querySelector("#picture[hidden], #drawing[hidden]") && document.querySelector("#tiles p");
      if (isSilent || document.querySelector("#alert:not(:empty)")) unveil();
      if (!plot || !plot.on) return;
      waits.disconnect();
      watch(plot);
    });
    waits.observe(document.documentElement, { childList: true, subtree: true });
  }

  // On a telephone a box would hide what it speaks of: a line above the panels says the same.
  function read(points) {
    const spoken = points.filter((point) => point.data.customdata);
    const lines = spoken.map((point) => point.data.name.replace(" in words", "") + ": " + point.customdata);
    document.getElementById("readout").textContent =
      [window.daybook.inWords(String(points[0].x).slice(0, 10)), ...lines].join(" · ").replaceAll("<br>", " ");
  }

  // What was known on …: the scrubber draws by itself, and asks the server for the rest when it stands still.
  let record = null;
  let template = null;
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const moments = () => (template && record && record.moments) || [];
  const isToday = (place) => place === moments().length - 1;

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.daybook = {
    keep: function (entries, view) {
      record = entries;
      template = view;
      document.body.classList.remove("scrubbing");
      if (moments().length > 0) scrubber.followed();
    },
  };

  /** A part of compare.js as a component of Dash's. */
  function component(part) {
    if (typeof part === "string") return part;
    const [type, name, ...children] = part;
    const props = { children: children.length === 1 ? component(children[0]) : children.map(component) };
    if (type === "A") Object.assign(props, { href: "/day/" + name, className: "day" });
    else if (name) props.className = name;
    return { namespace: "dash_html_components", type: type, props: props };
  }

  function show(place) {
    document.body.classList.add("scrubbing");
    const moment = moments()[place];
    const seen = window.daybook.compare(record, template, moment);
    const text = isToday(place) ? "today" : window.daybook.inWords(moment);
    set("chart", { figure: seen.figure });
    set("headline", { children: seen.headline });
    set("tiles", { children: seen.tiles.map(component) });
    set("moment", { value: place });
    set("moment-date", { children: text });
    document.getElementById("moment").setAttribute("aria-valuetext", text);
  }

  function rest(place) {
    const moment = isToday(place) ? "" : moments()[place];
    if (document.getElementById("asof").value === moment) set("again", { data: Date.now() });
    else set("asof", { value: moment });
  }

  const scrubber = window.daybook.scrubber(() => moments().length, show, rest);

  // The picture is always the light one, with its words: it goes where this page isn't.
  const SIZE = { width: 1200, height: 1120 };
  function picture(drawn) {
    const layout = JSON.parse(JSON.stringify(drawn.layout));
    const words = layout.meta;
    const line = (text, more) => ({
      text: text, xref: "paper", yref: "paper", x: 0, xanchor: "left", xshift: -40, showarrow: false, align: "left", ...more,
    });
    layout.paper_bgcolor = "#ffffff";
    Object.assign(layout, SIZE);
    layout.margin = { l: 64, r: 24, t: 76, b: 96 };
    layout.annotations = layout.annotations.concat([
      line(words.caption.replace(/^([^:]*): ([^.]*\.) /, "<b>$1</b>: $2<br>"), {
        y: 1, yanchor: "bottom", yshift: 22, font: { size: 17, color: "#1f2328" },
      }),
      line(words.credit + "<br>" + encodeURI(decodeURI(window.location.href)), {
        y: 0, yanchor: "top", yshift: -48, font: { size: 11, color: "#57606a" },
      }),
    ]);
    return { data: drawn.data, layout: layout };
  }

  document.addEventListener("click", function (event) {
    if (!event.target.closest("#png")) return;
    const drawn = document.querySelector("#chart .js-plotly-plot");
    window.Plotly.downloadImage(picture(drawn), { format: "png", ...SIZE, scale: 2, filename: drawn.layout.meta.name });
  });

  // On paper the chart is as wide as the paper: its parts are told how wide they were drawn.
  window.addEventListener("beforeprint", function () {
    for (const svg of document.querySelectorAll("#chart .main-svg")) {
      svg.setAttribute("viewBox", "0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height"));
    }
  });
  window.addEventListener("afterprint", function () {
    for (const svg of document.querySelectorAll("#chart .main-svg")) svg.removeAttribute("viewBox");
  });

  // Enter in a field would send the form, which nobody receives.
  document.addEventListener("submit", function (event) {
    event.preventDefault();
  });
})();
