// Kits: load, save, import; and the notes that strike the pads.

import { byId, make, put } from "./dom.js";
import { dropAsKit, filesAsKit } from "./drop.js";
import { osc } from "./socket.js";
import { on, select, state } from "./store.js";

const BUILT_IN = ["default", "electronic", "dry"];
const view = {};

export function setUpKits() {
  view.list = make("ul", { className: "kit-list" });
  view.built = make("ul", { className: "kit-list" });
  view.name = make("input", { type: "text", id: "kit-save-name", placeholder: "name", maxLength: 80, autocomplete: "off" });
  view.folder = make("p", { className: "quiet" });
  view.notes = make("tbody");
  const file = make("input", { type: "file", hidden: true });
  file.addEventListener("change", () => { filesAsKit(file.files); file.value = ""; });
  const save = make("form", { className: "row", on: { submit: saved } },
    make("label", { className: "field", htmlFor: "kit-save-name" }, make("span", {}, "Save as"), view.name),
    make("button", { type: "submit", className: "primary", id: "kit-save" }, "Save"),
    make("button", { type: "button", title: "Another drum on every pad that is not locked", on: { click: () => osc("reroll") } }, "Re-roll all"));
  const zone = make("div", { className: "zone", id: "kit-zone" },
    "Drop a kit here: SFZ, Hydrogen, DrumGizmo, DecentSampler, or a folder of hits. ",
    make("button", { type: "button", on: { click: () => file.click() } }, "Choose a file…"), file);
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("is-target"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("is-target"));
  zone.addEventListener("drop", (event) => { event.preventDefault(); zone.classList.remove("is-target"); dropAsKit(event.dataTransfer); });
  byId("view-kits").append(save, make("div", { className: "columns" },
    make("section", {}, make("h3", {}, "Your kits"), view.list, view.folder),
    make("section", {}, make("h3", {}, "That come along"), view.built, make("h3", {}, "Import"), zone)),
  make("h3", {}, "Notes"),
  make("div", { className: "scroll" }, make("table", { className: "note-table" },
    make("thead", {}, make("tr", {}, ...["Pad", "MIDI notes", "Class", "Choke", ""].map((text) => make("th", { scope: "col" }, text)))), view.notes)));
  view.built.replaceChildren(...BUILT_IN.map(entry));
  on("kits", drawKits);
  on("kit", drawKits);
  on("pad", () => { if (!byId("view-kits").hidden) drawNotes(); });
  on("view", (name) => { if (name === "kits") drawNotes(); });
}

function saved(event) {
  event.preventDefault();
  const name = view.name.value.trim();
  if (name) osc("kit/save", name);
}

function entry(name) {
  const plain = name.replace(/\.toml$/, "");
  const button = make("button", { type: "button", on: { click: () => osc("kit/load", name) } }, plain);
  button.setAttribute("aria-current", String(name === state.kit.file));
  return make("li", {}, button);
}

function drawKits() {
  view.list.replaceChildren(...state.kits.map(entry));
  put(view.folder, state.kit.folder ? `In ${state.kit.folder}` : "There is no kits' folder: start with --kits FOLDER.");
  if (document.activeElement !== view.name) view.name.value = (state.kit.file || state.kit.name).replace(/\.toml$/, "");
  if (!byId("view-kits").hidden) drawNotes();
}

function drawNotes() {
  view.notes.replaceChildren(...state.pads.filter(Boolean).map((pad) => make("tr", {},
    make("th", { scope: "row" }, make("button", { type: "button", className: "plain", on: { click: () => select(pad.at) } }, pad.name)),
    make("td", {}, pad.notes.join(" ")), make("td", {}, pad.class.replace("_", " ")), make("td", {}, pad.choke),
    make("td", {}, make("button", { type: "button", "aria-pressed": String(pad.learning), on: { click: () => osc(`pad/${pad.slug}/learn`, pad.learning ? 0 : 1) } }, pad.learning ? "waiting…" : "Learn")))));
}
