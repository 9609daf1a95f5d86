// The live view without reloading: rows are replaced one by one, so that focus and selection stay where they are.
"use strict";
const table = document.getElementById("live");
const body = table.tBodies[0];
const state = document.getElementById("live-state");
const title = document.title.replace(/^\(\d+\) /, "");

function say(text) {
  state.textContent = text || "";
  state.hidden = !text;
}

function row(sid) {
  return body.querySelector(`tr[data-sid="${sid}"]`);
}

function show(news) {
  if (news.head) document.getElementById("live-head").innerHTML = news.head;
  for (const [sid, html] of Object.entries(news.rows)) {
    let line = row(sid);
    if (!line) {
      line = document.createElement("tr");
      line.dataset.sid = sid;
      body.append(line);
    }
    if (!line.contains(document.activeElement)) line.innerHTML = html; // the server escapes every value
  }
  for (const line of [...body.rows]) if (!news.order.includes(line.dataset.sid)) line.remove();
  news.order.forEach((sid, at) => {
    const line = row(sid);
    if (line && body.rows[at] !== line) body.insertBefore(line, body.rows[at] || null);
  });
  document.getElementById("live-none").hidden = news.order.length > 0;
  document.title = (news.look ? `(${news.look}) ` : "") + title;
}

const source = new EventSource(table.dataset.stream);
source.onmessage = (event) => { say(""); show(JSON.parse(event.data)); };
source.onopen = () => say("");
source.onerror = () => say(state.dataset.off);
source.addEventListener("over", () => { source.close(); say(state.dataset.over); });
