// The sound tools on one hit: before and after, as waveform and spectrogram, to hear, to save and to put on a pad.

import { load, outlined, play, ready } from "./audio.js";
import { byId, make, put, toast } from "./dom.js";
import { dropOnBench } from "./drop.js";
import { slider } from "./knobs.js";
import { post } from "./socket.js";
import { on, selectedPad, state } from "./store.js";
import { drawSpectrogram } from "./spectrum.js";
import { drawStrokes } from "./wave.js";

const view = { sides: {}, values: {}, tools: [], chosen: "", version: -1 };

export function setUpTools() {
  view.choice = make("div", { className: "row", role: "group", "aria-label": "Tool" });
  view.about = make("p", { className: "quiet" });
  view.sliders = make("div", { className: "knobs" });
  view.class = make("select", { id: "tool-class" });
  view.classField = make("label", { className: "field", htmlFor: "tool-class" }, make("span", {}, "Becomes"), view.class);
  view.run = make("button", { type: "button", className: "primary", id: "tool-run", disabled: true, on: { click: run } }, "Apply");
  const file = make("input", { type: "file", hidden: true, accept: ".wav,.flac,.aif,.aiff,.ogg,.mp3" });
  file.addEventListener("change", () => { dropOnBench({ items: [], files: file.files }); file.value = ""; });
  const box = byId("view-tools");
  box.append(make("div", { className: "sides" }, side("before", "Before", file), side("after", "After")), file, make("div", { className: "row split" }, view.choice, make("button", { type: "button", on: { click: () => file.click() } }, "Choose a sound…")), view.about, view.sliders,
    make("div", { className: "row split" }, view.classField, view.run));
  box.addEventListener("dragover", (event) => event.preventDefault());
  box.addEventListener("drop", (event) => { event.preventDefault(); dropOnBench(event.dataTransfer); });
  on("tools", ({ tools }) => { view.tools = tools; drawChoice(); choose(view.chosen || tools[0].name); });
  on("drums", () => view.class.replaceChildren(...Object.keys(state.kinds).map((name) => make("option", { value: name }, name.replace("_", " ")))));
  on("bench", draw);
  on("view", (name) => { if (name === "tools") redraw(); });
  for (const kind of ["select", "pad"]) on(kind, drawTarget);
}

function side(name, title, file) {
  const made = { sound: null };
  made.name = make("span", { className: "quiet" }, file ? "Drop a sound here" : "");
  made.wave = make("canvas", { className: "side-wave", role: "img", "aria-label": `Waveform ${name}`, data: { class: "tom" } });
  made.picture = make("canvas", { className: "side-picture", role: "img", "aria-label": `Spectrogram ${name}`, data: { class: "tom" } });
  made.play = make("button", { type: "button", disabled: true, id: `tool-play-${name}`, on: { click: () => play(made.sound) } }, "Play");
  made.save = make("a", { className: "button", hidden: true, href: `/bench/${name}.wav` }, "Save");
  made.put = make("button", { type: "button", disabled: true, id: `tool-put-${name}`, on: { click: () => putOnPad(name) } });
  view.sides[name] = made;
  return make("section", { className: "side-box", id: `tool-${name}` }, make("div", { className: "row split" }, make("h3", {}, title), made.name), made.wave, made.picture,
    make("div", { className: "row" }, made.play, made.save, made.put));
}

const capital = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

function drawChoice() {
  view.choice.replaceChildren(...view.tools.map((tool) => make("button", { type: "button", data: { tool: tool.name }, on: { click: () => choose(tool.name) } }, capital(tool.name))));
}

function choose(name) {
  const tool = view.tools.find((each) => each.name === name);
  view.chosen = name;
  view.values = {};
  for (const button of view.choice.children) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  put(view.about, tool.about);
  view.classField.hidden = !tool.has_class;
  view.sliders.replaceChildren(...tool.sliders.map((each) => {
    const digits = each.step < 0.1 ? 2 : each.step < 1 ? 1 : 0;
    const knob = { ...each, label: capital(each.name), text: (value) => value.toFixed(digits), to: (value) => value, from: (value) => value };
    const made = slider(knob, `tool-${each.name}`, (value) => { view.values[each.name] = value; });
    made.set(each.start);
    return made.row;
  }));
}

async function run() {
  ready();
  try {
    await post(`/bench/${view.chosen}`, { body: JSON.stringify({ ...view.values, class: view.class.value }) });
    if (view.sides.after.sound) play(view.sides.after.sound);
  } catch (error) {
    toast(error.message, "error");
  }
}

async function draw(bench) {
  view.run.disabled = Boolean(bench.working) || !bench.before;
  put(view.run, bench.working ? "At work…" : "Apply");
  if (bench.version === view.version) return;
  view.version = bench.version;
  for (const [name, made] of Object.entries(view.sides)) {
    const hit = bench[name];
    made.sound = hit ? await load(`/bench/${name}.wav?${bench.version}`).catch((error) => { toast(error.message, "error"); return null; }) : null;
    made.play.disabled = made.put.disabled = !made.sound;
    made.save.hidden = !made.sound;
    made.save.download = hit ? `${hit.name}.wav` : "";
    put(made.name, hit ? `${hit.name}, ${hit.seconds.toFixed(2)} s` : name === "before" ? "Drop a sound here" : "");
  }
  redraw();
}

function redraw() {
  if (byId("view-tools").hidden) return;
  const sounds = Object.values(view.sides).map((made) => made.sound).filter(Boolean);
  // Both on one axis of time, so that they can be compared.
  const seconds = Math.max(0.05, ...sounds.map((sound) => sound.duration));
  for (const made of Object.values(view.sides)) {
    const outline = made.sound ? outlined(made.sound, Math.max(20, Math.round(200 * (made.sound.duration / seconds)))) : null;
    drawStrokes(made.wave, outline ? [outline] : [], { axis: true, seconds });
    drawSpectrogram(made.picture, made.sound, seconds);
  }
  drawTarget();
}

async function putOnPad(name) {
  try {
    await post(`/bench/${name}/pad/${selectedPad().slug}`);
    toast(`Put on ${selectedPad().name}; Undo brings back what it was`);
  } catch (error) {
    toast(error.message, "error");
  }
}

function drawTarget() {
  for (const made of Object.values(view.sides)) put(made.put, `Put on ${selectedPad()?.name ?? "the pad"}`);
}
