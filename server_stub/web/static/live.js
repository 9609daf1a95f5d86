// The live view without reloading. Whoever reads keeps their place: the row and the cell with the focus are never moved
// or replaced, everything else goes round them, and the page does not scroll.
"use strict";
const table = document.getElementById("live");
const body = table.tBodies[0];
const state = document.getElementById("live-state");
const said = document.getElementById("live-said");
const choice = document.getElementById("sid");
const title = document.title.replace(/^\(\d+\) /, "");
const AGAIN_MS = [1000, 2000, 5000, 10000, 30000]; // a server that starts again is not asked by every page at once
let tries = 0;

function say(text) {
  state.textContent = text || "";
  state.hidden = !text;
}

function row(sid) {
  return body.querySelector(`tr[data-sid="${sid}"]`);
}

function fill(line, html) {
  if (!line.contains(document.activeElement)) {
    line.innerHTML = html; // the server escapes every value
    return;
  }
  const fresh = document.createElement("template");
  fresh.innerHTML = `<table><tbody><tr>${html}</tr></tbody></table>`;
  const cells = [...fresh.content.querySelector("tr").cells];
  [...line.cells].forEach((cell, at) => {
    if (cells[at] && !cell.contains(document.activeElement)) cell.replaceWith(cells[at]);
  });
}

function arrange(order) {
  const there = [...body.rows].map((line) => line.dataset.sid);
  if (there.join() === order.join()) return;
  const pinned = order.map(row).find((line) => line.contains(document.activeElement));
  const top = pinned && pinned.getBoundingClientRect().top;
  let below = !pinned;
  for (const line of order.map(row)) {
    if (line === pinned) below = true;
    else if (below) body.append(line);
    else body.insertBefore(line, pinned);
  }
  if (pinned) window.scrollBy(0, pinned.getBoundingClientRect().top - top);
}

function choices(order) {
  if (!choice || choice === document.activeElement) return; // nobody's choice changes under the hand
  const chosen = choice.value;
  const kept = chosen && !order.includes(chosen) ? [chosen, ...order] : order;
  choice.replaceChildren(...kept.map((sid) => {
    const line = row(sid);
    const old = choice.querySelector(`option[value="${sid}"]`);
    return line ? new Option(line.dataset.said, sid, false, sid === chosen) : old;
  }));
}

function show(news) {
  if (news.head) document.getElementById("live-head").innerHTML = news.head;
  for (const line of [...body.rows]) if (!news.order.includes(line.dataset.sid)) line.remove();
  for (const sid of news.order) {
    if (row(sid)) continue;
    const line = document.createElement("tr");
    line.dataset.sid = sid;
    body.append(line);
  }
  for (const [sid, html] of Object.entries(news.rows)) fill(row(sid), html);
  for (const [sid, text] of Object.entries(news.said)) row(sid).dataset.said = text;
  arrange(news.order);
  choices(news.order);
  document.getElementById("live-none").hidden = news.order.length > 0;
  const steer = document.getElementById("live-steer");
  if (steer) steer.hidden = news.order.length === 0 && !(choice && choice.value);
  if (said.dataset.look !== String(news.look)) said.textContent = news.look ? `${said.dataset.word} ${news.look}` : "";
  said.dataset.look = news.look;
  document.title = (news.look ? `(${news.look}) ` : "") + title;
}

async function again() {
  const page = await fetch(location.href, { redirect: "manual" }).catch(() => null);
  if (page && (page.type === "opaqueredirect" || page.status === 403 || page.status === 404)) say(state.dataset.over);
  else setTimeout(listen, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
}

function listen() {
  const source = new EventSource(table.dataset.stream);
  source.onmessage = (event) => { show(JSON.parse(event.data)); };
  source.onopen = () => { tries = 0; say(""); };
  source.onerror = () => {
    say(state.dataset.off);
    if (source.readyState === EventSource.CLOSED) again(); // an answer that was no stream: a gateway's, or a full house's
  };
  source.addEventListener("over", () => { source.close(); say(state.dataset.over); });
}

listen();
