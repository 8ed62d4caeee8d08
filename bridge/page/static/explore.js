// The map of new drums: what sounds alike lies near. Hover to hear, click to put on the pad, four more near one.

import { load, outlined, play, ready } from "./audio.js";
import { toBench } from "./bench.js";
import { byId, make, put, toast } from "./dom.js";
import { dropOnMap, filesOnMap, picker } from "./drop.js";
import { ask, post } from "./socket.js";
import { on, selectedPad, state } from "./store.js";
import { drawStrokes } from "./wave.js";

const view = { dots: new Map(), current: "" };
const sounds = new Map(); // decoded, by number
let startedAt = 0;

export function setUpExplore() {
  byId("view-explore").append(wishes(), map(), about());
  on("map", draw);
  on("drums", drawClasses);
  on("select", drawTarget);
  on("pad", drawTarget);
}

function wishes() {
  view.words = make("input", { type: "search", id: "explore-words", maxLength: 200, autocomplete: "off", placeholder: "tight dusty snare, boomy 808 kick…", "aria-describedby": "explore-said" });
  view.class = make("select", { id: "explore-class", on: { change: drawKinds } });
  view.kind = make("select", { id: "explore-kind" });
  view.count = make("select", { id: "explore-count" }, ...[4, 16, 32, 64].map((count) => make("option", { value: count, selected: count === 16 }, String(count))));
  view.begin = make("button", { type: "submit", className: "primary", id: "explore-begin" }, "Explore");
  view.left = make("span", { className: "map-left", role: "status", "aria-label": "Drums to come" });
  view.said = make("span", { className: "quiet said", id: "explore-said", role: "status", title: "What the words say" });
  const field = (label, input) => make("label", { className: "field", htmlFor: input.id }, make("span", {}, label), input);
  const words = field("Words", view.words);
  words.classList.add("wide");
  return make("form", { className: "wishes", on: { submit: begin } },
    make("div", { className: "row" }, words, field("Count", view.count), view.begin),
    make("div", { className: "row" }, field("Class", view.class), field("Kind", view.kind),
      picker("Your sounds…", filesOnMap, { isSeveral: true, title: "Put sounds of your own on the map" }),
      picker("Folder…", filesOnMap, { isFolder: true, title: "Put a folder of your own sounds on the map" }),
      make("button", { type: "button", title: "Empty the map", on: { click: () => ask({ clear_map: true }) } }, "Clear")));
}

function map() {
  view.lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  view.lines.setAttribute("aria-hidden", "true");
  view.lines.setAttribute("viewBox", "0 0 100 100");
  view.lines.setAttribute("preserveAspectRatio", "none");
  view.empty = make("p", { className: "map-empty" }, "New drums appear here, those that sound alike near each other. Say what they are like, or choose a class. Drop a folder of your own sounds to see it, too.");
  view.legend = make("div", { className: "map-legend" });
  view.map = make("div", { className: "map", id: "map", role: "group", "aria-label": "Map of drums: arrow keys move and play, Enter puts one on the pad, N makes four more near it" }, view.lines, view.empty, view.said, view.legend, view.left);
  view.map.addEventListener("keydown", moved);
  view.map.addEventListener("dragover", (event) => { event.preventDefault(); view.map.classList.add("is-target"); });
  view.map.addEventListener("dragleave", () => view.map.classList.remove("is-target"));
  view.map.addEventListener("drop", (event) => { event.preventDefault(); view.map.classList.remove("is-target"); dropOnMap(event.dataTransfer); });
  return view.map;
}

function about() {
  view.wave = make("canvas", { className: "map-wave", role: "img", "aria-label": "Waveform" });
  view.name = make("b");
  view.put = make("button", { type: "button", className: "primary", id: "explore-put", on: { click: () => putOnPad(view.current) } });
  view.near = make("button", { type: "button", id: "explore-near", on: { click: () => ask({ near: view.current }) } }, "Four more near this");
  view.tool = make("button", { type: "button", id: "explore-tool", title: "Let the tools work on it", on: { click: () => toBench(`map/${view.current}`, "before") } }, "Tools");
  view.other = make("button", { type: "button", id: "explore-other", title: "As the second sound of morph and transition", on: { click: () => toBench(`map/${view.current}`, "other") } }, "Morph to");
  view.save = make("a", { className: "button", download: "" }, "Save");
  return (view.about = make("div", { className: "map-about", hidden: true }, view.wave,
    make("div", { className: "row" }, view.name, view.put, view.near, view.tool, view.other, view.save)));
}

function drawClasses() {
  view.class.replaceChildren(...Object.keys(state.kinds).map((name) => make("option", { value: name }, name.replace("_", " "))));
  drawKinds();
}

function drawKinds() {
  const kinds = ["", ...(state.kinds[view.class.value] ?? [])];
  view.kind.replaceChildren(...kinds.map((name) => make("option", { value: name }, name ? name.replaceAll("_", " ") : "any")));
}

function begin(event) {
  event.preventDefault();
  ready();
  ask({ explore: { words: view.words.value, class: view.class.value, kind: view.kind.value, count: Number(view.count.value) } });
}

function draw({ left, said, drums }) {
  put(view.left, left ? `${left} more are being made…` : "");
  put(view.said, said);
  view.legend.replaceChildren(...[...new Set(drums.map((drum) => drum.class))].sort().map((name) => make("span", { data: { class: name } }, make("i"), name.replace("_", " "))));
  view.begin.disabled = view.near.disabled = left > 0;
  view.empty.hidden = drums.length > 0;
  const places = new Map(drums.map((drum) => [drum.id, drum]));
  for (const [id, dot] of view.dots) if (!places.has(id)) { dot.remove(); view.dots.delete(id); sounds.delete(id); }
  for (const drum of drums) place(drum, view.dots.get(drum.id) ?? addDot(drum));
  view.lines.replaceChildren(...drums.filter((drum) => places.has(drum.near)).map((drum) => line(drum, places.get(drum.near))));
  if (!places.has(view.current)) { view.current = ""; view.about.hidden = true; }
}

const percent = (share) => 4 + 92 * share;

function place(drum, dot) {
  dot.style.left = `${percent(drum.x)}%`;
  dot.style.top = `${percent(1 - drum.y)}%`;
}

function line(from, to) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const ends = { x1: percent(from.x), y1: percent(1 - from.y), x2: percent(to.x), y2: percent(1 - to.y) };
  for (const [name, value] of Object.entries(ends)) element.setAttribute(name, value);
  return element;
}

function addDot(drum) {
  const text = `${drum.name}, ${drum.class.replace("_", " ")}, ${drum.seconds.toFixed(2)} s${drum.own ? ", your own" : ""}`;
  const dot = make("button", { type: "button", className: drum.own ? "map-dot is-own" : "map-dot", title: text, "aria-label": text, tabIndex: view.dots.size ? -1 : 0, data: { id: drum.id, class: drum.class, name: drum.name } });
  dot.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") hear(drum.id); });
  dot.addEventListener("focus", () => hear(drum.id));
  dot.addEventListener("click", (event) => {
    // A finger cannot hover: its first touch hears, its second puts.
    const isFirst = event.pointerType === "touch" && dot.dataset.wasHeard !== "1";
    dot.dataset.wasHeard = "1";
    if (isFirst) hear(drum.id); else putOnPad(drum.id);
  });
  view.dots.set(drum.id, dot);
  view.map.append(dot);
  loaded(drum.id).catch(() => {});
  return dot;
}

function moved(event) {
  const ids = [...view.dots.keys()];
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (event.key.toLowerCase() === "n" && view.current && !view.near.disabled) ask({ near: view.current });
  if (!step || !ids.length) return;
  event.preventDefault();
  const at = ids.indexOf(document.activeElement?.dataset?.id);
  const next = view.dots.get(ids[(at + step + ids.length) % ids.length]);
  for (const dot of view.dots.values()) dot.tabIndex = dot === next ? 0 : -1;
  next.focus();
}

async function loaded(id) {
  if (!sounds.has(id)) sounds.set(id, await load(`/map/${id}.wav`));
  return sounds.get(id);
}

async function hear(id) {
  // A pointer that presses also focuses: that counts once.
  if (view.current === id && startedAt > performance.now() - 80) return;
  view.dots.get(view.current)?.classList.remove("is-current");
  view.current = id;
  const dot = view.dots.get(id);
  dot?.classList.add("is-current");
  view.about.hidden = false;
  put(view.name, dot?.dataset.name ?? "");
  view.save.href = `/map/${id}.wav`;
  view.save.download = `${dot?.dataset.name}.wav`;
  view.wave.dataset.class = dot?.dataset.class;
  drawTarget();
  try {
    const sound = await loaded(id);
    if (view.current !== id) return;
    play(sound);
    startedAt = performance.now();
    drawStrokes(view.wave, [outlined(sound)], { axis: true });
  } catch (error) {
    toast(`${dot?.dataset.name}: cannot be played: ${error.message}`, "error");
  }
}

async function putOnPad(id) {
  const pad = selectedPad();
  if (!pad || !id) return;
  try {
    await post(`/map/${id}/pad/${pad.slug}`);
    toast(`${pad.name} is ${view.dots.get(id)?.dataset.name} now; Undo brings back what it was`);
  } catch (error) {
    toast(error.message, "error");
  }
}

function drawTarget() {
  put(view.put, `Put on ${selectedPad()?.name ?? "the pad"}`);
}
