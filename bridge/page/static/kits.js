// Kits: load, save, import and export; and the notes that strike the pads.

import { byId, make, put, renew, toast } from "./dom.js";
import { dropAsKit, filesAsKit, picker } from "./drop.js";
import { exportSection } from "./export.js";
import { drawNotes, notesSection } from "./notes.js";
import { osc } from "./socket.js";
import { on, state } from "./store.js";

const BUILT_IN = ["default", "electronic", "dry"];
const view = { replaces: "" };

export function setUpKits() {
  view.list = make("ul", { className: "kit-list" });
  view.built = make("ul", { className: "kit-list" });
  view.name = make("input", { type: "text", id: "kit-save-name", placeholder: "name", maxLength: 80, autocomplete: "off", on: { input: calm } });
  view.save = make("button", { type: "submit", className: "primary", id: "kit-save" }, "Save");
  view.folder = make("p", { className: "quiet folder" });
  const save = make("form", { className: "row", on: { submit: saved } },
    make("label", { className: "field", htmlFor: "kit-save-name" }, make("span", {}, "Save as"), view.name), view.save,
    make("button", { type: "button", title: "Another drum on every pad that is not locked", on: { click: () => osc("reroll") } }, "Re-roll all"));
  byId("view-kits").append(save, make("div", { className: "columns" },
    make("section", {}, make("h3", {}, "Your kits"), view.list, view.folder, make("h3", {}, "That come along"), view.built),
    make("section", {}, make("h3", {}, "Import"), zone())), exportSection(), ...notesSection());
  on("kits", drawKits);
  on("kit", drawKits);
  on("view", (name) => { if (name === "kits") drawNotes(); });
}

function zone() {
  const box = make("div", { className: "zone", id: "kit-zone" },
    make("p", {}, "Drop a kit here: SFZ, Hydrogen, DrumGizmo, DecentSampler, or a folder of hits."),
    make("div", { className: "row" }, picker("Choose a file…", filesAsKit), picker("Choose a folder…", filesAsKit, { isFolder: true })));
  box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("is-target"); });
  box.addEventListener("dragleave", () => box.classList.remove("is-target"));
  box.addEventListener("drop", (event) => { event.preventDefault(); box.classList.remove("is-target"); dropAsKit(event.dataTransfer); });
  return box;
}

// Another kit of that name is replaced at the second press alone.
function saved(event) {
  event.preventDefault();
  const name = view.name.value.trim();
  const file = name.endsWith(".toml") ? name : `${name}.toml`;
  if (!name) return;
  if (state.kits.includes(file) && file !== state.kit.file && view.replaces !== file) {
    view.replaces = file;
    put(view.save, "Replace it");
    toast(`${file} is there already: press again to replace it`);
    return;
  }
  if (view.replaces === file) osc("kit/save", name, 1);
  else osc("kit/save", name);
  calm();
}

function calm() {
  view.replaces = "";
  put(view.save, "Save");
}

function entry(name) {
  const plain = name.replace(/\.toml$/, "");
  const button = make("button", { type: "button", on: { click: () => osc("kit/load", name) } }, plain);
  if (name === state.kit.file) button.setAttribute("aria-current", "true");
  return make("li", {}, button);
}

function drawKits() {
  renew(view.list, ...state.kits.map(entry));
  renew(view.built, ...BUILT_IN.map(entry));
  put(view.folder, state.kit.folder ? `In ${state.kit.folder}` : "There is no kits' folder: start with --kits FOLDER.");
  if (document.activeElement !== view.name) view.name.value = (state.kit.file || state.kit.name).replace(/\.toml$/, "");
  if (!byId("view-kits").hidden) drawNotes();
}
