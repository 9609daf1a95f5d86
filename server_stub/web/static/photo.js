// Opens a sealed photo in this browser with a reviewer's own key file; the server hands out what is sealed only after the
// reason stands in the class log. The same checks as `ledger/evidence.py`; `hpke.js` comes first.
"use strict";

async function digest(bytes) {
  return toHex(await crypto.subtle.digest("SHA-256", bytes));
}

async function picture(given, key) {
  const aad = utf8.encode(given.aad);
  const file = base64(given.file);
  if ((await digest(file)) !== given.sha256) throw new Error("hash");
  const photoKey = await unseal(base64(given.key), key.secret, key.publicKey, aad);
  if ((await digest(join(utf8.encode("trueseat/evidence-key/v1\n"), photoKey))) !== given.kc) throw new Error("kc");
  const plain = await decrypt(photoKey, new Uint8Array(12), file, aad);
  const end = plain.indexOf(10);
  const header = JSON.parse(new TextDecoder().decode(plain.slice(0, end)));
  const { sid, eid, i, a, nonce } = given;
  const said = given.header || { sid, eid, i, a, nonce }; // of a reference photo: whose it is
  if (!Object.keys(said).every((name) => String(header[name]) === String(said[name]))) throw new Error("header");
  return new Blob([plain.slice(end + 1, end + 1 + header.bytes)], { type: header.type || "image/jpeg" });
}

async function draw(blob, canvas) {
  const image = await createImageBitmap(blob);
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").drawImage(image, 0, 0);
  canvas.hidden = false;
}

const form = document.getElementById("photo-open");
if (form) {
  const said = document.getElementById("photo-said");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.hidden = true;
    try {
      const key = reviewer(await document.getElementById("photo-key").files[0].text());
      const body = new URLSearchParams(new FormData(form));
      body.set("vkey", key.vkey);
      const answer = await fetch(form.action, { method: "POST", body });
      if (!answer.ok) throw new Error("refused");
      await draw(await picture(await answer.json(), key), document.getElementById("photo-shown"));
      said.textContent = said.dataset.opened;
    } catch (error) {
      said.textContent = said.dataset[error.message] || said.dataset.failed;
    }
    said.hidden = false;
  });
}
