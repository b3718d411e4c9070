// The prompt form: Enter sends, a counter near the end, and examples without a page load.

const NEAR_THE_END = 500;
const form = document.getElementById("prompt-form");
const prompt = document.getElementById("prompt");
const count = document.getElementById("prompt-count");
const limit = Number(prompt.dataset.limit);
// A touch keyboard has no other key for a line break.
const enterSends = matchMedia("(pointer: fine)").matches;

for (const element of form.querySelectorAll(".only-js")) element.hidden = !enterSends;

function showCount() {
  // The server counts code points, and a line break as one character.
  const left = limit - [...prompt.value].length;
  const words = left < 0 ? count.dataset.over : count.dataset.left;
  count.textContent = left < NEAR_THE_END ? words.replace("{}", Math.abs(left)) : "";
  count.classList.toggle("over", left < 0);
}

prompt.addEventListener("input", showCount);
showCount();

prompt.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter is its own.
  if (event.key !== "Enter" || event.isComposing) return;
  const sendsAlways = event.ctrlKey || event.metaKey;
  if (!sendsAlways && (event.shiftKey || !enterSends)) return;
  event.preventDefault();
  form.requestSubmit();
});

form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

// Back from the battle the page may be taken from memory as it was left.
addEventListener("pageshow", () => delete form.dataset.sent);

document.getElementById("examples").addEventListener("click", (event) => {
  const example = event.target.closest("button");
  if (!example) return;
  event.preventDefault();
  prompt.value = example.value;
  showCount();
  prompt.focus();
});
