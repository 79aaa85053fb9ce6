"use strict";

const INTERVAL = 1000; // milliseconds
const KEPT = 2000;
const byId = (id) => document.getElementById(id);
let start = "";
let newest = 0;

function row(exchange) {
  const item = byId("row").content.cloneNode(true).firstElementChild;
  const put = (name, text) => {
    item.querySelector(`.${name}`).textContent = text;
  };
  item.classList.toggle("refused", exchange.status >= 400);
  item.classList.toggle("waiting", exchange.status === 202);
  for (const name of ["status", "method", "target", "caller", "signing", "check"]) {
    put(name, exchange[name]);
  }
  const reason = exchange.status === 202 ? "accepted; it waits for approval" : exchange.reason;
  put("words", reason);
  item.querySelector(".reason").classList.toggle("shown", reason !== "");
  const time = item.querySelector("time");
  time.dateTime = exchange.date;
  time.textContent = `${new Date(exchange.date).toLocaleTimeString()} · ${exchange.milliseconds} ms`;
  item.querySelector("details").addEventListener("toggle", () => {
    put("body", written(exchange.body));
    put("answer", written(exchange.answer));
  });
  item.dataset.words = JSON.stringify(exchange).toLowerCase();
  return item;
}

const written = (body) => (body === null ? "(none)" : JSON.stringify(body, null, 2));

function filter(item) {
  const refused = byId("refused").checked && !item.classList.contains("refused");
  item.hidden = refused || !item.dataset.words.includes(byId("search").value.trim().toLowerCase());
}

function refresh() {
  const items = [...byId("exchanges").children];
  items.forEach(filter);
  const shown = items.filter((item) => !item.hidden).length;
  byId("empty").hidden = shown > 0;
  byId("state").textContent = `${shown} of ${items.length} shown, live`;
}

async function poll() {
  const response = await fetch(`/_emulator/exchanges?after=${newest}`);
  const { start: current, exchanges } = await response.json();
  if (current !== start) {
    byId("exchanges").replaceChildren();
    const again = newest > 0;
    [start, newest] = [current, 0];
    if (again) return poll();
  }
  for (const exchange of exchanges) {
    byId("exchanges").prepend(row(exchange));
    newest = exchange.number;
  }
  while (byId("exchanges").children.length > KEPT) byId("exchanges").lastElementChild.remove();
  refresh();
}

async function follow() {
  try {
    if (!document.hidden) await poll();
  } catch {
    byId("state").textContent = "The emulator does not answer.";
  }
  setTimeout(follow, INTERVAL);
}

byId("url").textContent = location.origin;
byId("refused").addEventListener("change", refresh);
byId("search").addEventListener("input", refresh);
byId("clear").addEventListener("click", () => {
  byId("exchanges").replaceChildren();
  refresh();
});
follow();
