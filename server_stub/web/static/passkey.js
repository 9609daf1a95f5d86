// Passkeys: asks this server what to ask, the browser for an answer, and brings it back. Without script the password works.
"use strict";
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function options(given) {
  given.challenge = bytes(given.challenge);
  if (given.user) given.user.id = bytes(given.user.id);
  for (const list of [given.excludeCredentials, given.allowCredentials])
    for (const item of list || []) item.id = bytes(item.id);
  return given;
}

function answer(made) {
  const response = { clientDataJSON: text(made.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (made.response[name]) response[name] = text(made.response[name]);
  return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} });
}

async function post(path, form) {
  const reply = await fetch(path, { method: "POST", body: new URLSearchParams(form), headers: { Accept: "application/json" } });
  if (!reply.ok) {
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    throw new Error((page.querySelector("[role=alert]") || page.querySelector("main p") || page.body).textContent.trim());
  }
  return reply.json();
}

async function ceremony(form) {
  const fields = Object.fromEntries(new FormData(form));
  const base = form.dataset.passkey;
  const asked = await post(`${base}/start`, fields);
  const wanted = { publicKey: options(asked.options) };
  const made = await (form.dataset.makes ? navigator.credentials.create(wanted) : navigator.credentials.get(wanted));
  const done = await post(`${base}/finish`, { ...fields, password: "", handle: asked.handle, answer: answer(made) });
  location.assign(done.to);
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = form.querySelector(".hint");
    said.hidden = true;
    ceremony(form).catch((error) => {
      said.textContent = error.name === "NotAllowedError" || error.name === "InvalidStateError" ? said.dataset.none : error.message;
      said.hidden = false;
    });
  });
}
