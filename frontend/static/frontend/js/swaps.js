// Leaves alone what a frame would replace by the same: a reader keeps focus, selection and place.

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const appends = target.matches(".stream");
  if (!appends && fragment.innerHTML === target.innerHTML) event.preventDefault();
});
