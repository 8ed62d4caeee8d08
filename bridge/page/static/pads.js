// The pads: banks of four by four, played by click and by keys, lit as notes come from anywhere.

import { byId, make, mark, put, tabs } from "./dom.js";
import { dropOnPad } from "./drop.js";
import { osc } from "./socket.js";
import { PADS_A_BANK, banks, decibels, emit, on, select, showBank, state } from "./store.js";
import { drawStrokes } from "./wave.js";

const KEYS = ["KeyZ", "KeyX", "KeyC", "KeyV", "KeyA", "KeyS", "KeyD", "KeyF", "KeyQ", "KeyW", "KeyE", "KeyR", "Digit1", "Digit2", "Digit3", "Digit4"];
const LABELS = "ZXCVASDFQWER1234";
const PLAIN = 100;
const HARD = 124;
const SOFT = 48;
const FULL_DEPTH = 12;

const views = [];
let drawn = new Set();

export function strike(slug, velocity) {
  osc("hit", slug, velocity);
}

export function setUpPads() {
  const grid = byId("pads");
  for (let place = 0; place < PADS_A_BANK; place++) {
    views.push(padView(place));
    grid.append(views[place].button);
  }
  tabs(byId("banks"), (tab) => showBank(Number(tab.dataset.bank)));
  grid.addEventListener("keydown", moved);
  document.addEventListener("keydown", typed);
  on("kit", () => { drawn.clear(); drawBanks(); drawAll(); });
  on("pad", ({ at }) => { if (state.pads.length === state.kit.pads.length) drawBanks(); draw(at); });
  on("bank", () => { drawBanks(); drawAll(); });
  on("select", drawAll);
  on("meters", drawMeters);
  on("depth", drawDepths);
  on("fallback", drawDepths);
  on("played", light);
  new ResizeObserver(redraw).observe(grid);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  requestAnimationFrame(frame);
}

function redraw() {
  drawn = new Set(state.pads.keys());
}

function padView(place) {
  const wave = make("canvas", { className: "pad-wave" });
  const view = {
    wave,
    name: make("span", { className: "pad-name" }),
    notes: make("span", { className: "pad-notes" }),
    marks: make("span", { className: "pad-marks" }),
    meter: make("span", { className: "pad-meter" }, make("span")),
    depth: make("span", { className: "pad-depth" }, make("span")),
  };
  view.button = make("button", { className: "pad", type: "button", tabIndex: place ? -1 : 0, data: { place } },
    wave, view.name, view.notes, make("kbd", { className: "pad-key" }, LABELS[place]), view.marks, view.depth, view.meter);
  // The first pad lies at the bottom left, as on every box with pads.
  view.button.style.gridRow = 4 - Math.floor(place / 4);
  view.button.style.gridColumn = 1 + (place % 4);
  view.button.addEventListener("pointerdown", (event) => pressed(event, place));
  view.button.addEventListener("focus", () => roam(place));
  view.button.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && !event.repeat) {
      event.preventDefault();
      hit(place, event.shiftKey ? HARD : PLAIN);
    }
  });
  view.button.addEventListener("dragover", (event) => { event.preventDefault(); view.button.classList.add("is-target"); });
  view.button.addEventListener("dragleave", () => view.button.classList.remove("is-target"));
  view.button.addEventListener("drop", (event) => {
    event.preventDefault();
    view.button.classList.remove("is-target");
    const pad = padAt(place);
    if (pad) { select(pad.at); dropOnPad(pad, event.dataTransfer); }
  });
  return view;
}

function padAt(place) {
  return state.pads[state.bank * PADS_A_BANK + place];
}

function hit(place, velocity) {
  const pad = padAt(place);
  if (!pad) return;
  strike(pad.slug, velocity);
  select(pad.at);
}

function pressed(event, place) {
  if (event.button) return;
  const box = event.currentTarget.getBoundingClientRect();
  const height = 1 - (event.clientY - box.top) / box.height;
  hit(place, Math.round(Math.min(127, Math.max(28, 40 + 95 * height))));
}

function moved(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 4, ArrowDown: -4 }[event.key];
  const at = Number(document.activeElement?.dataset?.place);
  if (!step || Number.isNaN(at)) return;
  event.preventDefault();
  const next = at + step;
  if (next >= 0 && next < PADS_A_BANK && padAt(next)) views[next].button.focus();
}

function roam(place) {
  views.forEach((view, at) => { view.button.tabIndex = at === place ? 0 : -1; });
  const pad = padAt(place);
  if (pad) select(pad.at);
}

function typed(event) {
  const { target } = event;
  const takesText = target.matches?.("textarea, select, input:not([type=range]):not([type=checkbox]):not([type=file])");
  if (takesText || event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") osc("panic");
  if (event.key === "PageUp" || event.key === "PageDown") {
    event.preventDefault();
    showBank(state.bank + (event.key === "PageUp" ? 1 : -1));
  }
  const place = KEYS.indexOf(event.code);
  if (place < 0 || event.repeat) return;
  event.preventDefault();
  hit(place, event.shiftKey ? HARD : event.altKey ? SOFT : PLAIN);
}

function drawBanks() {
  const list = byId("banks");
  const count = banks();
  while (list.children.length > count) list.lastChild.remove();
  while (list.children.length < count) {
    const bank = list.children.length;
    list.append(make("button", { type: "button", role: "tab", id: `bank-${bank}`, data: { bank }, "aria-controls": "pads" }));
  }
  [...list.children].forEach((tab, bank) => {
    const first = bank * PADS_A_BANK;
    put(tab, `Bank ${String.fromCharCode(65 + bank)}`);
    tab.title = `Pads ${first + 1} to ${Math.min(first + PADS_A_BANK, state.pads.length)}`;
  });
  mark(list, list.children[state.bank]);
}

function drawAll() {
  for (let place = 0; place < PADS_A_BANK; place++) drawPad(place);
  drawMeters();
  drawDepths();
}

function draw(at) {
  const place = at - state.bank * PADS_A_BANK;
  if (place >= 0 && place < PADS_A_BANK) drawPad(place);
}

function drawPad(place) {
  const { button, name, notes, marks } = views[place];
  const pad = padAt(place);
  button.classList.toggle("is-empty", !pad);
  button.disabled = !pad;
  if (!pad) { put(name, ""); put(notes, ""); put(marks, ""); button.removeAttribute("aria-label"); drawStrokes(views[place].wave, []); return; }
  button.dataset.class = pad.class;
  button.dataset.slug = pad.slug;
  button.classList.toggle("is-selected", pad.at === state.selected);
  button.classList.toggle("is-muted", pad.mute);
  button.classList.toggle("is-failed", Boolean(pad.failed));
  put(name, pad.name);
  put(notes, pad.notes.join(" "));
  put(marks, [pad.mute && "M", pad.solo && "S", pad.lock && "🔒", pad.file_count && "♪", pad.learning && "?"].filter(Boolean).join(" "));
  const states = [pad.mute && "muted", pad.solo && "solo", pad.lock && "locked", pad.failed && "cannot be played"].filter(Boolean);
  button.setAttribute("aria-label", [pad.name, `note ${pad.notes.join(", ")}`, `key ${LABELS[place]}`, ...states].join(", "));
  drawn.add(pad.at);
}

function drawMeters() {
  views.forEach(({ meter }, place) => {
    const level = decibels(state.meters[state.bank * PADS_A_BANK + place + 1] ?? -72);
    meter.firstChild.style.transform = `scaleY(${level.toFixed(3)})`;
  });
}

function drawDepths() {
  views.forEach(({ depth }, place) => {
    const at = state.bank * PADS_A_BANK + place;
    const waiting = state.depth[at] ?? 0;
    depth.className = `pad-depth ${waiting ? "is-fresh" : state.fallback[at] ? "is-fallback" : "is-dry"}`;
    depth.title = `${waiting} fresh strokes wait, ${state.fallback[at] ?? 0} fallbacks`;
    depth.firstChild.style.transform = `scaleX(${Math.min(1, waiting / FULL_DEPTH).toFixed(3)})`;
  });
}

function light({ pad: slug, velocity, origin }) {
  const at = state.kit.pads.indexOf(slug);
  const place = at - state.bank * PADS_A_BANK;
  drawn.add(at);
  if (place < 0 || place >= PADS_A_BANK) return;
  const { button } = views[place];
  button.dataset.origin = origin;
  button.style.setProperty("--hit", (0.35 + (0.65 * velocity) / 127).toFixed(2));
  button.getAnimations().forEach((animation) => animation.cancel());
  button.animate([{ "--glow": 1 }, { "--glow": 0 }], { duration: 420, easing: "ease-out" });
}

// Pictures are drawn once a frame at most, however many strokes come.
function frame() {
  for (const at of drawn) {
    const place = at - state.bank * PADS_A_BANK;
    const pad = state.pads[at];
    if (pad && place >= 0 && place < PADS_A_BANK) drawStrokes(views[place].wave, state.strokes.get(pad.slug), { most: 8 });
  }
  if (drawn.size) emit("drawn", drawn);
  drawn = new Set();
  requestAnimationFrame(frame);
}
