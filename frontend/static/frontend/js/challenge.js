// Solves the arena's proof of work before a form is sent: the page's half of arena/challenge.py.
//
// For <form data-challenge-url="…">. Work begins at the first key stroke, so that it is mostly done
// when the form is sent; it runs in the browser's own threads, not in the page's. An element with
// data-challenge-status in the form says what goes on, in the words of its data-working,
// data-failed and data-insecure.

const AT_ONCE = Math.min(8, navigator.hardwareConcurrency || 2);
const COUNTERS = 2 ** 32;
// The server takes a proof for twenty minutes. By the page's own clock, which need not be right.
const FRESH_MS = 15 * 60 * 1000;

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (array) => Array.from(array, (byte) => byte.toString(16).padStart(2, "0")).join("");

// What the server wants to see of a challenge: Base64 of it and of the counter that solves it.
export async function solve(challenge) {
  const { algorithm, cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
  const hash = /^PBKDF2\/(SHA-\d+)$/.exec(algorithm)?.[1];
  if (!hash) throw new Error(`A proof of work by ${algorithm} is not known here.`);
  const derivation = { name: "PBKDF2", hash, salt: bytes(salt), iterations: cost };
  const prefix = bytes(keyPrefix);
  const nonceBytes = bytes(nonce);

  async function derive(counter) {
    const password = new Uint8Array(nonceBytes.length + 4);
    password.set(nonceBytes);
    new DataView(password.buffer).setUint32(nonceBytes.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    return new Uint8Array(await crypto.subtle.deriveBits(derivation, key, keyLength * 8));
  }

  for (let first = 0; first < COUNTERS; first += AT_ONCE) {
    const counters = Array.from({ length: AT_ONCE }, (_, index) => first + index);
    const keys = await Promise.all(counters.map(derive));
    const found = keys.findIndex((key) => prefix.every((byte, index) => key[index] === byte));
    if (found >= 0) {
      const solution = { counter: counters[found], derivedKey: hex(keys[found]) };
      return btoa(JSON.stringify({ challenge, solution }));
    }
  }
  throw new Error("This proof of work has no solution.");
}

// Form to its proof: {asked, solved: Promise, isReady, isAwaited, isSpent}.
const proofs = new WeakMap();

async function proofOf(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  // Turned off since the page was made.
  if (response.status === 404) return "";
  if (!response.ok) throw new Error(`The proof of work was refused: ${response.status}`);
  return solve(await response.json());
}

function begin(form) {
  const known = proofs.get(form);
  if (known && !known.isSpent && Date.now() - known.asked < FRESH_MS) return known;
  const proof = { asked: Date.now(), isReady: false, isAwaited: false, isSpent: false };
  proofs.set(form, proof);
  proof.solved = proofOf(form.dataset.challengeUrl).then((payload) => {
    if (proofs.get(form) !== proof) return;
    fill(form, payload);
    proof.isReady = true;
  });
  // Told, and tried again, when the form is sent.
  proof.solved.catch(() => proofs.get(form) === proof && proofs.delete(form));
  return proof;
}

function fill(form, payload) {
  let input = form.querySelector('input[name="challenge"]');
  if (!input) {
    input = document.createElement("input");
    input.type = "hidden";
    input.name = "challenge";
    form.append(input);
  }
  input.value = payload;
}

function say(form, what) {
  const status = form.querySelector("[data-challenge-status]");
  if (status) status.textContent = what ? status.dataset[what] : "";
}

const isChallenged = (form) => form instanceof HTMLFormElement && "challengeUrl" in form.dataset;

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (isChallenged(form) && crypto.subtle) begin(form);
});

// Before any other listener: those are to see the form only once it can really go.
document.addEventListener(
  "submit",
  async (event) => {
    const { target: form, submitter } = event;
    if (!isChallenged(form)) return;
    const proof = crypto.subtle && begin(form);
    if (proof && proof.isReady) {
      proof.isSpent = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!proof) {
      // Browsers have no WebCrypto on pages that came over plain HTTP.
      say(form, "insecure");
      return;
    }
    if (proof.isAwaited) return;
    proof.isAwaited = true;
    say(form, "working");
    try {
      await proof.solved;
    } catch (error) {
      console.warn(error);
      say(form, "failed");
      return;
    }
    say(form, "");
    form.requestSubmit(submitter);
  },
  true,
);
