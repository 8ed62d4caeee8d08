// A pad's panel: its strokes, its drum and all its settings. What is changed here goes to the daemon, and comes back.

import { toBench } from "./bench.js";
import { byId, make, put } from "./dom.js";
import { dropOnPad, filesOnPad, picker } from "./drop.js";
import { KNOBS, slider } from "./knobs.js";
import { strike } from "./pads.js";
import { ask, osc } from "./socket.js";
import { on, selectedPad, state } from "./store.js";
import { drawStrokes } from "./wave.js";

const LOOK_MS = 30;
const PATIENCE_MS = 4000;
const view = { knobs: {}, last: new Map() };

const send = (name, ...values) => {
  const pad = selectedPad();
  if (pad) osc(`pad/${pad.slug}/${name}`, ...values);
};

export function setUpPanel() {
  const box = byId("view-pad");
  box.append(head(), drum(), knobs(), routing());
  box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("is-target"); });
  box.addEventListener("dragleave", () => box.classList.remove("is-target"));
  box.addEventListener("drop", (event) => { event.preventDefault(); box.classList.remove("is-target"); if (selectedPad()) dropOnPad(selectedPad(), event.dataTransfer); });
  on("select", draw);
  on("kit", draw);
  on("pad", ({ at }) => { if (at === state.selected) draw(); });
  on("drawn", (ats) => { if (ats.has(state.selected)) drawWave(); });
  on("played", (stroke) => {
    view.last.set(stroke.pad, stroke);
    if (stroke.pad === selectedPad()?.slug) drawStroke();
  });
  for (const kind of ["depth", "fallback"]) on(kind, drawDepth);
}

function head() {
  view.name = make("h2", { className: "panel-name" });
  view.stroke = make("span", { className: "stroke" }, "not played yet");
  view.depth = make("span", { className: "quiet" });
  view.wave = make("canvas", { className: "panel-wave", role: "img" });
  view.failed = make("p", { className: "failed", hidden: true });
  return make("section", { className: "panel-head" },
    make("div", { className: "panel-title" }, view.name, view.stroke, view.depth), view.wave, view.failed);
}

function drum() {
  const audition = make("div", { className: "row", role: "group", "aria-label": "Audition" },
    button("Hear", "Play one stroke at velocity 100", () => strike(selectedPad().slug, 100)),
    button("Soft → hard", "Play six strokes from soft to hard", () => ask({ sweep: selectedPad().slug })),
    (view.compare = button("A ⇄ B", "Change between this drum and the one before, and play it", compare)));
  view.reroll = button("Re-roll", "Another drum", () => send("reroll"));
  view.reroll.classList.add("primary");
  view.undo = button("Undo", "The drum before", () => send("undo"));
  view.redo = button("Redo", "The drum after", () => send("redo"));
  view.lock = toggle("Lock", "Keep this drum whatever is re-rolled", "lock");
  view.history = make("div", { className: "history", role: "group", "aria-label": "Drums of this pad" });
  const chosen = (files) => filesOnPad(selectedPad(), files);
  const hits = picker("Hits…", chosen, { isSeveral: true, title: "Choose recorded strokes of one drum; they can be dropped, too" });
  const folder = picker("Folder…", chosen, { isFolder: true, title: "Choose a folder of strokes of one drum" });
  view.files = make("span", { className: "quiet files" });
  view.generate = button("Generate instead", "Let the model make this drum", () => send("hits", ""));
  view.tool = button("Tools", "Let the tools work on this drum", () => toBench(`pad/${selectedPad().slug}`, "before"));
  view.tool.id = "pad-tool";
  view.other = button("Morph to", "This drum as the second sound of morph and transition", () => toBench(`pad/${selectedPad().slug}`, "other"));
  view.other.id = "pad-other";
  return make("section", { className: "panel-drum" },
    make("div", { className: "row split" }, make("div", { className: "row" }, view.reroll, view.undo, view.redo, view.lock), audition),
    make("div", { className: "row" }, view.history, hits, folder, view.tool, view.other, view.generate, view.files));
}

function knobs() {
  const grid = make("section", { className: "knobs", "aria-label": "Settings" });
  for (const knob of KNOBS) {
    const made = slider(knob, `knob-${knob.name}`, (value) => send(knob.name, knob.name === "steps" ? Math.round(value) : value));
    view.knobs[knob.name] = made;
    grid.append(made.row);
  }
  return grid;
}

function routing() {
  view.class = chooser("Class", "class", () => Object.keys(state.kinds).map((name) => [name, name.replace("_", " ")]));
  view.kind = chooser("Kind", "kind", () => [["", "any"], ...(state.kinds[selectedPad()?.class] ?? []).map((name) => [name, name.replaceAll("_", " ")])]);
  view.choke = word("Choke", "choke", "none");
  view.out = word("Output", "out", "its class's");
  view.notes = make("span", { className: "notes" });
  view.learn = button("Learn", "The next note by MIDI strikes this pad", () => send("learn", selectedPad().learning ? 0 : 1));
  view.mute = toggle("Mute", "Silence this pad", "mute");
  view.solo = toggle("Solo", "Silence the others", "solo");
  view.reverse = toggle("Reverse", "Play strokes backwards", "reverse");
  return make("section", { className: "routing" },
    make("div", { className: "row" }, view.mute, view.solo, view.reverse, make("span", { className: "field" }, make("span", {}, "Notes"), view.notes), view.learn),
    make("div", { className: "words" }, view.class.row, view.kind.row, view.choke.row, view.out.row));
}

function button(text, title, pressed) {
  return make("button", { type: "button", title, on: { click: () => { if (selectedPad()) pressed(); } } }, text);
}

function toggle(text, title, name) {
  const made = button(text, title, () => send(name, selectedPad()[name] ? 0 : 1));
  made.classList.add("toggle", `toggle-${name}`);
  return made;
}

function chooser(label, name, options) {
  const input = make("select", { id: `pad-${name}`, on: { change: () => send(name, input.value) } });
  const row = make("label", { className: "field", htmlFor: input.id }, make("span", {}, label), input);
  let shown = "";
  return { row, set(value) {
    const wanted = options();
    if (shown !== JSON.stringify(wanted)) {
      shown = JSON.stringify(wanted);
      input.replaceChildren(...wanted.map(([option, text]) => make("option", { value: option }, text)));
    }
    input.value = value;
  } };
}

function word(label, name, none) {
  const input = make("input", { id: `pad-${name}`, type: "text", placeholder: none, maxLength: 40, autocomplete: "off", on: { change: () => send(name, input.value.trim()) } });
  const row = make("label", { className: "field", htmlFor: input.id }, make("span", {}, label), input);
  return { row, set(value) { if (document.activeElement !== input) input.value = value; } };
}

// The other drum is played as soon as one of its own strokes is there.
function compare() {
  const { at, slug, undo } = selectedPad();
  const end = performance.now() + PATIENCE_MS;
  send(selectedPad().redo ? "redo" : "undo");
  const look = setInterval(() => {
    const pad = state.pads[at];
    const isOther = pad?.slug === slug && pad.undo !== undo;
    if (isOther && state.depth[at] > 0) strike(slug, 100);
    else if (pad?.slug === slug && performance.now() < end) return;
    clearInterval(look);
  }, LOOK_MS);
}

function draw() {
  const pad = selectedPad();
  byId("view-pad").classList.toggle("is-empty", !pad);
  if (!pad) return;
  view.wave.dataset.class = pad.class;
  put(view.name, pad.name);
  for (const knob of KNOBS) view.knobs[knob.name].set(pad[knob.name]);
  for (const name of ["lock", "mute", "solo", "reverse"]) view[name].setAttribute("aria-pressed", String(Boolean(pad[name])));
  for (const name of ["class", "kind", "choke", "out"]) view[name].set(pad[name]);
  put(view.notes, pad.notes.join(" "));
  put(view.learn, pad.learning ? "waiting for a note…" : "Learn");
  view.learn.setAttribute("aria-pressed", String(pad.learning));
  view.reroll.disabled = pad.lock;
  view.undo.disabled = pad.lock || !pad.undo;
  view.redo.disabled = pad.lock || !pad.redo;
  view.compare.disabled = pad.lock || !(pad.undo || pad.redo);
  view.generate.hidden = !pad.file_count;
  const more = pad.file_count - pad.files.length;
  put(view.files, pad.file_count ? pad.files.map((file) => file.split("/").pop()).slice(0, 3).join(", ") + (pad.file_count > 3 ? ` and ${pad.files.length - 3 + more} more` : "") : `generated from seed ${pad.seed}`);
  put(view.failed, pad.failed);
  view.failed.hidden = !pad.failed;
  drawStroke();
  drawHistory(pad);
  drawWave();
  drawDepth();
}

function drawStroke() {
  const last = view.last.get(selectedPad().slug);
  put(view.stroke, last ? `stroke ${last.index + 1} · ${last.origin} · velocity ${last.velocity}` : "not played yet");
  view.stroke.dataset.origin = last?.origin ?? "";
}

function drawHistory(pad) {
  const dots = [];
  const dot = (text, pressed, current) => make("button", { type: "button", className: `dot${current ? " is-now" : ""}`, disabled: pad.lock || current, title: text, "aria-label": text, on: { click: pressed } });
  for (let back = Math.min(pad.undo, 8); back > 0; back--) dots.push(dot(back > 1 ? `${back} drums before` : "the drum before", () => send("undo", back)));
  dots.push(dot("this drum", () => {}, true));
  for (let on_ = 1; on_ <= Math.min(pad.redo, 8); on_++) dots.push(dot(on_ > 1 ? `${on_} drums after` : "the drum after", () => send("redo", on_)));
  view.history.replaceChildren(...dots);
}

function drawWave() {
  const pad = selectedPad();
  if (!pad || byId("view-pad").hidden) return;
  const strokes = state.strokes.get(pad.slug);
  const count = strokes?.length ?? 0;
  view.wave.setAttribute("aria-label", count ? `The last ${count} strokes of ${pad.name}, no two alike` : `${pad.name} has not been played yet`);
  drawStrokes(view.wave, strokes, { axis: true });
}

function drawDepth() {
  const pad = selectedPad();
  if (pad) put(view.depth, `${state.depth[pad.at] ?? 0} fresh and ${state.fallback[pad.at] ?? 0} fallbacks wait`);
}
