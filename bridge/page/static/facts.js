// Meters and state: the bar at the top, the banner, and the list of all facts.

import { byId, make, put, toast } from "./dom.js";
import { on, state } from "./store.js";
import { decibels } from "./store.js";

const NAMES = {
  driver: "Sound device", rate: "Sample rate, Hz", block: "Block, frames", latency_ms: "Latency, ms", latency_block_ms: "of it the block, ms",
  latency_driver_ms: "the driver, ms", latency_constant_ms: "limiter and effects, ms", underruns: "Underruns", server_gaps: "Gaps of the sound server",
  device_losses: "Device lost", notes_fresh: "Notes fresh", notes_fallback: "Notes by fallback", notes_reused: "Notes reused", notes_frozen: "Notes frozen",
  notes_silent: "Notes silent", notes_unmapped: "Notes on no pad", notes_double: "Notes doubled", voices: "Voices", stolen: "Voices stolen", depth: "Strokes that wait", pool_mb: "Pool, MiB",
  made: "Strokes made", making_ms: "A stroke takes, ms", worker_restarts: "Worker restarts", midi: "MIDI messages", osc: "OSC packets", osc_shed: "OSC shed", shed: "Notes shed", trouble: "Trouble",
};
const MOST_LINES = 60;
const view = { server: true };

export function setUpFacts() {
  view.table = make("dl", { className: "fact-list" });
  view.log = make("ol", { className: "log" });
  byId("view-state").append(view.table, make("h3", {}, "Messages"), view.log);
  on("status", draw);
  on("meters", drawMix);
  on("kit", drawKit);
  on("daemon", drawBanner);
  on("server", ({ is_there }) => { view.server = is_there; drawBanner(); });
  on("error", ({ address, reason }) => note(address ? `${address}: ${reason}` : reason, "error"));
  on("change", ({ address, values }) => {
    if (address === "notice") note(values[0], "note");
    if (address === "kit/save") note(`Saved ${values[0]}`, "note");
  });
}

function note(text, kind) {
  toast(text, kind);
  view.log.prepend(make("li", { className: kind }, make("time", {}, new Date().toLocaleTimeString()), ` ${text}`));
  while (view.log.children.length > MOST_LINES) view.log.lastChild.remove();
}

function draw() {
  const { facts } = state;
  put(byId("fact-fresh"), facts.freshness >= 0 ? `${Math.round(100 * facts.freshness)} %` : "–");
  put(byId("fact-latency"), `${facts.latency_ms.toFixed(1)} ms`);
  put(byId("fact-underruns"), String(facts.underruns));
  put(byId("fact-voices"), String(facts.voices));
  byId("fact-underruns").classList.toggle("is-bad", facts.underruns > 0);
  if (byId("view-state").hidden) return;
  const known = Object.entries(NAMES).filter(([name]) => facts[name] !== undefined && facts[name] !== "");
  view.table.replaceChildren(...known.flatMap(([name, text]) => [make("dt", {}, text), make("dd", {}, shown(facts[name]))]));
}

function shown(value) {
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function drawMix() {
  const value = state.meters[0] ?? -72;
  byId("mix-bar").style.transform = `scaleX(${decibels(value).toFixed(3)})`;
  byId("mix").classList.toggle("is-hot", value >= -1);
  byId("mix").setAttribute("aria-valuenow", String(value));
}

function drawKit() {
  put(byId("kit-name"), state.kit.name);
  put(byId("kit-file"), state.kit.file);
  document.title = `${state.kit.name} – ghostnote`;
}

function drawBanner() {
  const banner = byId("banner");
  const text = !view.server
    ? "The page's server is gone: start 'ghostnote page' again."
    : state.daemon.is_there ? "" : `No daemon plays: start 'ghostnote live' (OSC port ${state.daemon.port || "…"}). This page goes on by itself.`;
  put(banner, text);
  banner.hidden = !text;
  document.body.classList.toggle("is-away", Boolean(text));
}
