// Which note strikes which pad: by pads, to learn notes, and as the map of General MIDI.

import { byId, make, renew, toast } from "./dom.js";
import { osc, post } from "./socket.js";
import { on, select, state } from "./store.js";

const MAPS = { gm2: "General MIDI 2", roland: "Roland V-Drums", alesis: "Alesis", yamaha: "Yamaha DTX", superior: "EZdrummer, Superior Drummer", addictive: "Addictive Drums" };
const view = { sounds: new Map() };

export function notesSection() {
  view.pads = make("tbody");
  view.notes = make("tbody");
  view.map = make("select", { id: "kit-map" });
  on("kit_choices", ({ maps, sounds }) => {
    view.map.replaceChildren(...maps.map((name) => make("option", { value: name }, MAPS[name] ?? name)));
    view.sounds = new Map(sounds);
  });
  on("pad", () => { if (!byId("view-kits").hidden) drawNotes(); });
  const field = make("label", { className: "field", htmlFor: "kit-map" }, make("span", {}, "Played by"), view.map);
  const apply = make("button", { type: "button", id: "kit-map-apply", title: "Saves this kit under another name with the notes that these send, and plays it", on: { click: applied } }, "Make a kit for it");
  return [make("div", { className: "row split" }, make("h3", {}, "Notes"), make("div", { className: "row" }, field, apply)),
    make("div", { className: "columns" },
      part("Pads", ["Pad", "Notes", "Class", ""], view.pads),
      part("General MIDI", ["Note", "General MIDI", "Pad"], view.notes))];
}

function part(label, heads, body) {
  return make("div", { className: "scroll" }, make("table", { className: "note-table", "aria-label": label },
    make("thead", {}, make("tr", {}, ...heads.map((text) => (text ? make("th", { scope: "col" }, text) : make("td"))))), body));
}

export function drawNotes() {
  const pads = state.pads.filter(Boolean);
  renew(view.pads, ...pads.map((pad) => make("tr", {},
    make("th", { scope: "row" }, named(pad)),
    make("td", {}, pad.notes.join(" ")), make("td", {}, pad.class.replace("_", " ")),
    make("td", {}, make("button", { type: "button", "aria-label": `Learn the note of ${pad.name}`, "aria-pressed": String(pad.learning), on: { click: () => osc(`pad/${pad.slug}/learn`, pad.learning ? 0 : 1) } }, pad.learning ? "waiting…" : "Learn")))));
  const struck = new Map(pads.flatMap((pad) => pad.notes.map((note) => [note, pad])));
  const notes = new Set([...view.sounds.keys(), ...struck.keys()]);
  renew(view.notes, ...[...notes].sort((a, b) => a - b).map((note) => noteRow(note, struck.get(note))));
}

function noteRow(note, pad) {
  const number = pad ? make("button", { type: "button", "aria-label": `Play note ${note}`, on: { click: () => osc("note", note, 100) } }, String(note)) : String(note);
  return make("tr", { className: pad ? "" : "is-free" }, make("td", {}, number), make("td", {}, view.sounds.get(note) ?? "–"), make("td", {}, pad ? named(pad) : "–"));
}

function named(pad) {
  return make("button", { type: "button", className: "plain", on: { click: () => select(pad.at) } }, pad.name);
}

async function applied() {
  try {
    const { name, report } = await (await post(`/kit/notes/${view.map.value}`)).json();
    toast(`Saved as ${name}, which plays now`);
    for (const line of report) toast(line);
  } catch (error) {
    toast(error.message, "error");
  }
}
