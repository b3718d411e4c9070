// Forms with a prompt: Enter sends, a counter near the end, and examples without a page load.
// The field may come into its form later, by socket.

const NEAR_THE_END = 500;
const form = document.querySelector("form[data-prompt]");
// A touch keyboard has no other key for a line break.
const enterSends = matchMedia("(pointer: fine)").matches;

function showCount() {
  const prompt = form.querySelector("#prompt");
  if (!prompt) return;
  const count = form.querySelector("#prompt-count");
  // The server counts code points, and a line break as one character.
  const left = Number(prompt.dataset.limit) - [...prompt.value].length;
  const words = left < 0 ? count.dataset.over : count.dataset.left;
  count.textContent = left < NEAR_THE_END ? words.replace("{}", Math.abs(left)) : "";
  count.classList.toggle("over", left < 0);
}

form?.addEventListener("input", (event) => {
  if (event.target.id === "prompt") showCount();
});

form?.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter is its own.
  if (event.target.id !== "prompt" || event.key !== "Enter" || event.isComposing) return;
  const sendsAlways = event.ctrlKey || event.metaKey;
  if (!sendsAlways && (event.shiftKey || !enterSends)) return;
  event.preventDefault();
  form.requestSubmit();
});

form?.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

// Back from the battle the page may be taken from memory as it was left.
addEventListener("pageshow", () => delete form?.dataset.sent);

document.getElementById("examples")?.addEventListener("click", (event) => {
  const example = event.target.closest("button");
  if (!example) return;
  event.preventDefault();
  const prompt = form.querySelector("#prompt");
  prompt.value = example.value;
  showCount();
  prompt.focus();
});

if (form) showCount();
