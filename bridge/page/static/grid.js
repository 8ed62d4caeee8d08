// The grid: sixteen steps a pad, to hear a kit without a DAW. The server plays it, so all browsers see the same.

import { byId, make, put, toast } from "./dom.js";
import { ask, post } from "./socket.js";
import { PADS_A_BANK, on, select, state } from "./store.js";

const STEPS = 16;
const TURNS = [0, 100, 124, 48];
const view = { cells: [], rows: [], position: -1 };

export function setUpGrid() {
  byId("view-grid").append(transport(), table(), output());
  on("grid", draw);
  on("kit", draw);
  on("pad", draw);
  on("bank", draw);
  on("select", drawNames);
  on("position", ({ step }) => light(step));
}

function transport() {
  view.play = make("button", { type: "button", className: "primary", id: "grid-play", on: { click: () => ask({ play: !state.grid.playing }) } }, "Play");
  view.tempo = number("Tempo", "tempo", 30, 300, 1, (v) => `${v}`);
  view.swing = number("Swing", "swing", 50, 75, 1, (v) => `${v} %`);
  view.humanize = number("Humanize", "humanize", 0, 2, 0.05, (v) => v.toFixed(2));
  return make("div", { className: "row transport" }, view.play, view.tempo.row, view.swing.row, view.humanize.row,
    make("button", { type: "button", title: "A beat for this kit", on: { click: beat } }, "Beat"),
    make("button", { type: "button", title: "Empty all steps", on: { click: () => ask({ grid: { clear: true } }) } }, "Clear"));
}

function number(label, name, min, max, step, text) {
  const output = make("output", { htmlFor: `grid-${name}` });
  const input = make("input", { type: "range", id: `grid-${name}`, min, max, step });
  input.addEventListener("input", () => { put(output, text(Number(input.value))); ask({ grid: { [name]: Number(input.value) } }); });
  const row = make("label", { className: "knob small", htmlFor: input.id }, make("span", {}, label), output, input);
  return { row, set(value) {
    if (document.activeElement !== input) input.value = String(value);
    put(output, text(value));
    input.setAttribute("aria-valuetext", text(value));
    const share = (100 * (value - min)) / (max - min);
    input.style.setProperty("--from", "0%");
    input.style.setProperty("--to", `${share}%`);
  } };
}

function table() {
  view.body = make("div", { className: "steps", role: "grid", "aria-label": "Steps: Enter changes off, plain, accent, ghost" });
  for (let place = 0; place < PADS_A_BANK; place++) {
    const name = make("button", { type: "button", role: "rowheader", className: "row-name", tabIndex: -1, on: { click: () => select(at(place)) } });
    const cells = [];
    for (let step = 0; step < STEPS; step++) {
      const cell = make("button", { type: "button", role: "gridcell", className: `step${step % 4 ? "" : " is-beat"}`, tabIndex: place || step ? -1 : 0, data: { place, step } });
      cell.addEventListener("click", (event) => turn(place, step, event.shiftKey));
      cells.push(cell);
    }
    view.rows.push({ name, row: make("div", { className: "step-row", role: "row" }, name, ...cells) });
    view.cells.push(cells);
    view.body.append(view.rows[place].row);
  }
  view.body.addEventListener("keydown", moved);
  return view.body;
}

function output() {
  view.bars = make("input", { type: "number", id: "grid-bars", min: 1, max: 64, value: 4 });
  const midi = make("a", { className: "button", draggable: true, href: "/pattern.mid?bars=4", download: "ghostnote.mid", title: "Drag it into your DAW, or click to save it" }, "MIDI file");
  view.bars.addEventListener("change", () => { midi.href = `/pattern.mid?bars=${bars()}`; });
  midi.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("DownloadURL", `audio/midi:ghostnote.mid:${midi.href}`);
    event.dataTransfer.setData("text/uri-list", midi.href);
  });
  view.render = make("button", { type: "button", id: "grid-render", title: "A zip of the mix and a stem for each pad that plays", on: { click: render } }, "Render mix and stems");
  return make("div", { className: "row" }, make("label", { className: "field", htmlFor: "grid-bars" }, make("span", {}, "Bars"), view.bars), midi, view.render);
}

const bars = () => Math.min(64, Math.max(1, Math.round(Number(view.bars.value)) || 4));
const at = (place) => state.bank * PADS_A_BANK + place;
const rowOf = (pad) => state.grid.rows[pad.slug] ?? Array(STEPS).fill(0);

function turn(place, step, isBack) {
  const pad = state.pads[at(place)];
  if (!pad) return;
  const row = [...rowOf(pad)];
  const now = TURNS.indexOf(row[step]);
  row[step] = TURNS[(now + (isBack ? TURNS.length - 1 : 1)) % TURNS.length] ?? 0;
  ask({ grid: { rows: { [pad.slug]: row } } });
}

function moved(event) {
  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const place = Number(document.activeElement?.dataset?.place);
  const step = Number(document.activeElement?.dataset?.step);
  if (!move || Number.isNaN(step)) return;
  event.preventDefault();
  const next = view.cells[place + move[0]]?.[step + move[1]];
  if (!next || view.rows[place + move[0]].row.hidden) return;
  document.activeElement.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function draw() {
  const { grid } = state;
  put(view.play, grid.playing ? "Stop" : "Play");
  view.play.setAttribute("aria-pressed", String(grid.playing));
  for (const name of ["tempo", "swing", "humanize"]) view[name].set(grid[name]);
  view.rows.forEach(({ row }, place) => {
    const pad = state.pads[at(place)];
    row.hidden = !pad;
    if (pad) drawRow(pad, place);
  });
  drawNames();
  if (!grid.playing) light(-1);
}

function drawRow(pad, place) {
  view.rows[place].row.dataset.class = pad.class;
  rowOf(pad).forEach((velocity, step) => {
    const cell = view.cells[place][step];
    if (cell.dataset.velocity === String(velocity) && cell.dataset.of === pad.slug) return;
    cell.dataset.velocity = velocity;
    cell.dataset.of = pad.slug;
    cell.style.setProperty("--level", (velocity / 127).toFixed(2));
    cell.setAttribute("aria-label", `${pad.name} step ${step + 1}, ${velocity ? `velocity ${velocity}` : "off"}`);
  });
}

function drawNames() {
  view.rows.forEach(({ name }, place) => {
    const pad = state.pads[at(place)];
    if (!pad) return;
    put(name, pad.name);
    name.classList.toggle("is-selected", pad.at === state.selected);
  });
}

function light(step) {
  if (step === view.position) return;
  view.position = step;
  for (const cells of view.cells) cells.forEach((cell, at_) => cell.classList.toggle("is-now", at_ === step));
}

// A plain beat on the first kick, snare and closed hat that the kit has.
function beat() {
  const rows = {};
  const put_ = (drumClass, steps) => {
    const pad = state.pads.find((each) => each.class === drumClass);
    if (pad) rows[pad.slug] = Array.from({ length: STEPS }, (_, step) => steps[step] ?? 0);
  };
  put_("kick", { 0: 120, 7: 90, 10: 104 });
  put_("snare", { 4: 116, 9: 40, 12: 120, 15: 44 });
  put_("closed_hat", Object.fromEntries(Array.from({ length: 14 }, (_, step) => [step, step % 4 ? (step % 2 ? 52 : 84) : 104])));
  put_("open_hat", { 14: 92 });
  ask({ grid: { clear: true, rows } });
}

async function render() {
  view.render.disabled = true;
  put(view.render, "Rendering…");
  try {
    const data = await (await post(`/pattern.zip?bars=${bars()}`)).blob();
    const url = URL.createObjectURL(data);
    make("a", { href: url, download: "ghostnote.zip" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    toast(error.message, "error");
  } finally {
    view.render.disabled = false;
    put(view.render, "Render mix and stems");
  }
}
