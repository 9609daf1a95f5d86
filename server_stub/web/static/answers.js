// Opens the sealed answers of a session in this browser with a reviewer's own key file, as photo.js opens a photo; the
// same checks as `ledger/answers.py`; `hpke.js` comes first.
"use strict";

const CHOICE = /^[0-7]\0{15}$/; // the number in ASCII, padded to 16 bytes

async function choice(one, key) {
  if (!one.key) return -1;
  try {
    const plain = await unseal(base64(one.key), key.secret, key.publicKey, utf8.encode(one.info));
    const text = String.fromCharCode(...plain);
    return CHOICE.test(text) ? Number(text[0]) : -1;
  } catch {
    return -1; // one that does not open keeps nobody from the others
  }
}

function cell(row, text, style = "") {
  const made = row.insertCell();
  made.textContent = text;
  made.className = style;
}

function listed(body, one, chosen, words) {
  const language = document.documentElement.lang.slice(0, 2);
  const text = (at) => (one.choices[at] ? one.choices[at][language] : `${at + 1}`);
  const row = body.insertRow();
  cell(row, String(one.seq), "number");
  cell(row, one.prompt[language] || `${one.unit}/${one.item}`);
  cell(row, chosen < 0 ? words.unread : text(chosen), chosen < 0 ? "quiet" : "");
  cell(row, chosen < 0 || one.right < 0 ? "–" : chosen === one.right ? words.right : `${words.wrong}${text(one.right)}`);
}

const asking = document.getElementById("answers-open");
if (asking) {
  const said = document.getElementById("answers-said");
  const table = document.getElementById("answers-shown");
  asking.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.hidden = table.hidden = true;
    try {
      const key = reviewer(await document.getElementById("answers-key").files[0].text());
      const body = new URLSearchParams(new FormData(asking));
      body.set("vkey", key.vkey);
      const reply = await fetch(asking.action, { method: "POST", body });
      if (!reply.ok) throw new Error("refused");
      const given = await reply.json();
      const chosen = await Promise.all(given.map((one) => choice(one, key)));
      if (chosen.every((at) => at < 0)) throw new Error("failed");
      table.tBodies[0].replaceChildren();
      given.forEach((one, at) => listed(table.tBodies[0], one, chosen[at], table.dataset));
      table.hidden = false;
      said.textContent = said.dataset.opened;
    } catch (error) {
      said.textContent = said.dataset[error.message] || said.dataset.failed;
    }
    said.hidden = false;
  });
}
