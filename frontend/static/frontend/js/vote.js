// Voting by keyboard while the focus is inside the ballot.

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
