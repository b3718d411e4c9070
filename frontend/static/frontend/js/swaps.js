// Leaves alone what a frame would replace by the same: a reader keeps focus, selection and place,
// and a form with the same `data-keep` what was typed and opened in it.

const kept = (region) => region.querySelector("[data-keep]")?.dataset.keep;

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.matches(".stream")) return;
  const isSame = fragment.innerHTML === target.innerHTML;
  const isSameForm = kept(target) !== undefined && kept(target) === kept(fragment);
  if (isSame || isSameForm) event.preventDefault();
});
