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

  // The picture is always the light one, with its credit: it goes where this page's style sheet doesn't.
  function picture(drawn) {
    const layout = JSON.parse(JSON.stringify(drawn.layout));
    const meta = layout.meta;
    const asof = meta.asof ? "As it stood when " + meta.asof + " ended (UTC); dotted: today's record. " : "";
    const said = asof + (meta.synthetic ? "Synthetic sample: these figures are made up." : meta.credit);
    layout.paper_bgcolor = "#ffffff";
    layout.width = 1200;
    layout.height = 1000;
    layout.margin = { l: 64, r: 24, t: 24, b: 72 };
    layout.annotations = layout.annotations.concat([
      {
        text: said,
        xref: "paper",
        yref: "paper",
        x: 0,
        xanchor: "left",
        y: 0,
        yanchor: "top",
        yshift: -40,
        showarrow: false,
        font: { size: 12, color: "#57606a" },
      },
    ]);
    return { data: drawn.data, layout: layout };
  }

  document.addEventListener("click", function (event) {
    if (!event.target.closest("#png")) return;
    const drawn = document.querySelector("#chart .js-plotly-plot");
    const name = "daybook" + (drawn.layout.meta.synthetic ? "-synthetic" : "");
    window.Plotly.downloadImage(picture(drawn), {
      format: "png",
      width: 1200,
      height: 1000,
      scale: 2,
      filename: name,
    });
  });

  // Enter in a field would send the form, which nobody receives.
  document.addEventListener("submit", function (event) {
    event.preventDefault();
  });
})();
