/* The texts that are to be copied: the address of this host in them, and a button that copies one. */
(function () {
  "use strict";

  document.addEventListener(
    "toggle",
    function (event) {
      for (const place of event.target.querySelectorAll(".origin")) place.textContent = window.location.origin;
    },
    true,
  );

  document.addEventListener("click", function (event) {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const text = document.getElementById(button.getAttribute("aria-controls"));
    window.getSelection().selectAllChildren(text);
    // Where a page may not write to the clipboard, what is selected can still be copied by hand.
    const done = navigator.clipboard ? navigator.clipboard.writeText(text.textContent) : Promise.reject();
    done.then(
      () => (button.textContent = "Copied"),
      () => (button.textContent = "Selected: copy it"),
    );
  });
})();
