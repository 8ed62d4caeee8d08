// The sound tools on one sound or two: before and after beside each other.

import { ready } from "./audio.js";
import { byId, make, put, toast } from "./dom.js";
import { slider } from "./knobs.js";
import { Side } from "./sides.js";
import { post } from "./socket.js";
import { on, selectedPad, state } from "./store.js";

const view = { values: {}, tools: [], chosen: "", version: -1 };

export function setUpTools() {
  view.before = new Side("before", "Before", "Drop a sound here");
  view.other = new Side("other", "Second", "Drop a second sound here");
  view.after = new Side("after", "After", "");
  view.sides = [view.before, view.other, view.after];
  for (const side of view.sides) side.changed = redraw;
  view.kit = make("button", { type: "button", id: "tool-kit", hidden: true, title: "A pad of each drum of the loop, with its strokes", on: { click: makeKit } }, "Make a kit");
  view.back = make("button", { type: "button", className: "primary", id: "tool-back", hidden: true, on: { click: () => view.after.onPad(origin()) } });
  view.after.actions.append(view.back, view.kit);
  view.choice = make("div", { className: "row tool-choice", role: "group", "aria-label": "Tool" });
  view.about = make("p", { className: "quiet" });
  view.sliders = make("div", { className: "knobs" });
  view.class = make("select", { id: "tool-class" });
  view.classField = make("label", { className: "field", htmlFor: "tool-class" }, make("span", {}, "Becomes"), view.class);
  view.run = make("button", { type: "button", className: "primary", id: "tool-run", disabled: true, on: { click: run } }, "Apply");
  const box = byId("view-tools");
  box.append(view.choice, make("div", { className: "sides" }, ...view.sides.map((side) => side.box)),
    make("div", { className: "row split" }, view.about, make("div", { className: "row" }, view.classField, view.run)), view.sliders);
  box.addEventListener("dragover", (event) => event.preventDefault());
  on("tools", ({ tools }) => { view.tools = tools; drawChoice(); choose(view.chosen || tools[0].name); });
  on("drums", () => view.class.replaceChildren(...Object.keys(state.kinds).map((name) => make("option", { value: name }, name.replace("_", " ")))));
  on("bench", draw);
  on("bench_wanted", (side) => { if (side === "other" && !tool().takes_two) choose("morph"); });
  on("view", (name) => { if (name === "tools") redraw(); });
  for (const kind of ["select", "pad", "kit"]) on(kind, drawTargets);
}

const capital = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");
const tool = () => view.tools.find((each) => each.name === view.chosen);

function drawChoice() {
  view.choice.replaceChildren(...view.tools.map((each) => make("button", { type: "button", title: each.about, data: { tool: each.name }, on: { click: () => choose(each.name) } }, capital(each.name))));
}

function choose(name) {
  view.chosen = name;
  view.values = {};
  const { about, sliders, has_class, takes_two } = tool();
  for (const button of view.choice.children) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  put(view.about, about);
  put(view.before.title, takes_two ? "First" : "Before");
  view.classField.hidden = !has_class;
  view.other.box.hidden = !takes_two;
  view.sliders.replaceChildren(...sliders.map((each) => {
    const digits = each.step < 0.1 ? 2 : each.step < 1 ? 1 : 0;
    const knob = { ...each, label: capital(each.name), text: (value) => value.toFixed(digits), to: (value) => value, from: (value) => value };
    const made = slider(knob, `tool-${each.name}`, (value) => { view.values[each.name] = value; });
    made.set(each.start);
    return made.row;
  }));
  drawRun();
  redraw();
}

async function run() {
  ready();
  view.wantsToHear = true;
  try {
    await post(`/bench/${view.chosen}`, { body: JSON.stringify({ ...view.values, class: view.class.value }) });
  } catch (error) {
    view.wantsToHear = false;
    toast(error.message, "error");
  }
}

async function makeKit() {
  try {
    const { name, report } = await (await post("/bench/kit")).json();
    toast(`Saved as ${name}, which plays now`);
    for (const line of report) toast(line);
  } catch (error) {
    toast(error.message, "error");
  }
}

async function draw(bench) {
  view.bench = bench;
  drawRun();
  if (bench.version === view.version) return;
  view.version = bench.version;
  const parts = { before: bench.before ? [bench.before] : [], other: bench.other ? [bench.other] : [], after: bench.after };
  view.kit.hidden = !bench.after.some((part) => part.start !== null);
  await Promise.all(view.sides.map((side) => side.take(parts[side.name], bench.version)));
  if (view.version === bench.version && view.wantsToHear && bench.after.length) { view.wantsToHear = false; view.after.hear(); }
}

// The pad whose own drum the tools work on.
const origin = () => state.pads.find((pad) => pad?.slug === view.bench?.before?.pad);

function drawTargets() {
  for (const side of view.sides) side.drawTarget();
  const pad = origin();
  view.back.hidden = !pad || !view.after.sound;
  put(view.back, `Back on ${pad?.name}`);
  view.back.title = `Let ${pad?.name} go on from this sound`;
  view.after.put.hidden = !view.back.hidden && pad === selectedPad();
}

function drawRun() {
  const { bench } = view;
  const lacks = !bench?.before || (tool()?.takes_two && !bench.other);
  view.run.disabled = Boolean(bench?.working) || lacks;
  put(view.run, bench?.working ? "At work…" : "Apply");
}

function redraw() {
  drawTargets();
  if (byId("view-tools").hidden) return;
  const shown = view.sides.filter((side) => !side.box.hidden);
  // All on one axis of time, so that they can be compared; but a stroke is too short beside its loop.
  const starts = (view.bench?.after ?? []).map((part) => part.start).filter((start) => start !== null);
  const longest = (sides) => Math.max(0.05, ...sides.map((side) => side.sound?.duration ?? 0));
  for (const side of shown) side.draw(starts.length ? longest([side]) : longest(shown), side === view.before ? starts : []);
}
