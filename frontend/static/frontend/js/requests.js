// After a request in place: the focus goes where its outcome is said, and a lost one is said too.

const battle = document.getElementById("battle");

// The button that asked may be gone by then; it still knows where the outcome is said.
function regionOf(event) {
  const { elt, triggeringEvent } = event.detail.requestConfig;
  const place = triggeringEvent?.submitter?.dataset.saidIn ?? elt.dataset.saidIn;
  return document.getElementById(place);
}

document.addEventListener("htmx:afterRequest", (event) => {
  const said = regionOf(event)?.querySelectorAll("[data-said]:not([hidden])") ?? [];
  said[0]?.focus();
});

function sayUnsent(event) {
  const region = regionOf(event);
  if (!region) return;
  let message = region.querySelector(".alert");
  if (!message) {
    message = document.createElement("p");
    message.className = "alert";
    message.setAttribute("role", "alert");
    message.tabIndex = -1;
    message.dataset.said = "";
    region.prepend(message);
  }
  message.textContent = battle.dataset.unsent;
  message.hidden = false;
}

document.addEventListener("htmx:sendError", sayUnsent);
document.addEventListener("htmx:responseError", sayUnsent);
