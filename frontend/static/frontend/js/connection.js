// Says so when the socket is lost, until it is there again.

// After these codes htmx connects again by itself; after the others nobody would.
const RETRIED_BY_HTMX = new Set([1006, 1011, 1012, 1013]);
const REFUSED = 1008;
const banner = document.getElementById("connection");

document.addEventListener("htmx:wsOpen", () => {
  banner.textContent = "";
});

document.addEventListener("htmx:wsClose", (event) => {
  const { event: close, socketWrapper } = event.detail;
  if (close.code === REFUSED) return;
  banner.textContent = banner.dataset.lost;
  if (!RETRIED_BY_HTMX.has(close.code)) {
    setTimeout(() => socketWrapper.reconnect(), 1000 + 2000 * Math.random());
  }
});
