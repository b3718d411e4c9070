// Voting by keyboard while the focus is inside the ballot, and where the focus goes afterwards.

const form = document.getElementById("action");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  const ballot = event.target.closest?.("#ballot");
  if (!ballot) return;
  const buttons = [...ballot.querySelectorAll("button")];
  const chosen = buttons.find((button) => button.getAttribute("aria-keyshortcuts") === event.key);
  if (chosen) {
    event.preventDefault();
    chosen.click();
    return;
  }
  const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = document.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
  const step = { [forward]: 1, ArrowDown: 2, [backward]: -1, ArrowUp: -2 }[event.key];
  const next = buttons[buttons.indexOf(document.activeElement) + step];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

// The button that was pressed is gone: go on where the result stands.
form.addEventListener("htmx:afterRequest", () => {
  const message = form.querySelector("#message:not([hidden])");
  (message ?? form.querySelector("#reveal-title"))?.focus();
});

function sayUnsent() {
  const message = form.querySelector("#message");
  message.textContent = form.dataset.unsent;
  message.hidden = false;
}

form.addEventListener("htmx:sendError", sayUnsent);
form.addEventListener("htmx:responseError", sayUnsent);
