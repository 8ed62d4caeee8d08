// The kit for other samplers: the server makes it, every page shows how far it is, and who asked for it gets a zip.

import { byId, make, put, toast } from "./dom.js";
import { post } from "./socket.js";
import { on } from "./store.js";

const TITLES = { sfz: "SFZ", hydrogen: "Hydrogen", drumgizmo: "DrumGizmo", decent: "DecentSampler" };
const view = { formats: [] };

export function exportSection() {
  view.choice = make("div", { className: "row", role: "group", "aria-label": "Formats" });
  view.layers = count("export-velocities", "Velocity layers");
  view.turns = count("export-count", "Round robins");
  view.author = words("export-author", "By");
  view.licence = words("export-licence", "Licence");
  view.begin = make("button", { type: "submit", className: "primary", id: "export-begin" }, "Export");
  view.stop = make("button", { type: "button", hidden: true, id: "export-stop", on: { click: () => post("/export", { method: "DELETE" }) } }, "Stop");
  view.bar = make("progress", { max: 1, value: 0, "aria-label": "Strokes made", hidden: true });
  view.text = make("span", { className: "quiet", role: "status", "aria-label": "Progress of the export" });
  on("kit_choices", ({ formats, layers, most_layers }) => {
    drawFormats(formats);
    for (const { input } of [view.layers, view.turns]) { input.max = most_layers; input.value ||= layers; }
  });
  on("export", draw);
  return make("section", {}, make("h3", {}, "Export"),
    make("form", { className: "export", on: { submit: begin } }, view.choice,
      make("div", { className: "row" }, view.layers.row, view.turns.row, view.author.row, view.licence.row),
      make("div", { className: "row" }, view.begin, view.stop, view.bar, view.text)));
}

function drawFormats(formats) {
  view.formats = formats.map((name, at) => {
    const box = make("input", { type: "checkbox", id: `export-${name}`, value: name, checked: at === 0 });
    return { box, row: make("label", { className: "check", htmlFor: box.id }, box, TITLES[name] ?? name) };
  });
  view.choice.replaceChildren(...view.formats.map(({ row }) => row));
}

function count(id, label) {
  const input = make("input", { type: "number", id, min: 1, required: true });
  return { input, row: make("label", { className: "field", htmlFor: id }, make("span", {}, label), input) };
}

function words(id, label) {
  const input = make("input", { type: "text", id, maxLength: 200, autocomplete: "off", size: 12 });
  return { input, row: make("label", { className: "field", htmlFor: id }, make("span", {}, label), input) };
}

async function begin(event) {
  event.preventDefault();
  const body = {
    formats: view.formats.filter(({ box }) => box.checked).map(({ box }) => box.value).join(),
    velocities: Number(view.layers.input.value), count: Number(view.turns.input.value),
    author: view.author.input.value, licence: view.licence.input.value,
  };
  try {
    const { notes } = await (await post("/export", { body: JSON.stringify(body) })).json();
    make("a", { href: "/export.zip", download: "" }).click();
    toast("The kit was exported");
    for (const note of notes.slice(0, 3)) toast(note);
  } catch (error) {
    toast(error.message, "error");
  }
}

function draw({ kit, done, of }) {
  view.begin.disabled = of > 0;
  view.stop.hidden = view.bar.hidden = of === 0;
  view.bar.value = of ? done / of : 0;
  put(view.text, of ? `${kit}: ${done} of ${of} strokes` : "");
}
