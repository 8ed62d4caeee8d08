// Puts the page together.

import { byId, mark, tabs } from "./dom.js";
import { setUpExplore } from "./explore.js";
import { setUpFacts } from "./facts.js";
import { setUpGrid } from "./grid.js";
import { setUpKits } from "./kits.js";
import { setUpMidi } from "./midi.js";
import { setUpPads } from "./pads.js";
import { setUpPanel } from "./panel.js";
import { connect, osc } from "./socket.js";
import { setUpSound } from "./sound.js";
import { setUpTools } from "./tools.js";
import { emit } from "./store.js";

const VIEWS = ["pad", "grid", "explore", "tools", "kits", "state"];

function show(name) {
  for (const each of VIEWS) byId(`view-${each}`).hidden = each !== name;
  mark(byId("views"), byId(`tab-${name}`));
  emit("view", name);
  emit("select");
}

setUpPads();
setUpPanel();
setUpGrid();
setUpExplore();
setUpTools();
setUpKits();
setUpFacts();
setUpSound();
setUpMidi();
tabs(byId("views"), (tab) => show(tab.id.replace("tab-", "")));
byId("panic").addEventListener("click", () => osc("panic"));
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
connect();
