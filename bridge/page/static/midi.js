// MIDI keyboards of this browser play the kit's notes.

import { byId, put, toast } from "./dom.js";
import { osc } from "./socket.js";

const NOTE_ON = 0x90;
let access = null;

export function setUpMidi() {
  const button = byId("midi");
  if (!navigator.requestMIDIAccess) { button.hidden = true; return; }
  button.addEventListener("click", () => (access ? stop() : start()));
}

async function start() {
  try {
    access = await navigator.requestMIDIAccess();
    access.onstatechange = listen;
    listen();
  } catch {
    toast("This browser gives no MIDI. The daemon's own port, and your DAW's, still play.", "error");
    stop();
  }
}

function listen() {
  if (!access) return;
  for (const input of access.inputs.values()) input.onmidimessage = played;
  byId("midi").setAttribute("aria-pressed", "true");
  put(byId("midi"), `MIDI: ${access.inputs.size} in`);
}

export function played({ data: [status, note, velocity] }) {
  if ((status & 0xf0) === NOTE_ON && velocity) osc("note", note, velocity);
}

function stop() {
  for (const input of access?.inputs.values() ?? []) input.onmidimessage = null;
  access = null;
  byId("midi").setAttribute("aria-pressed", "false");
  put(byId("midi"), "MIDI");
}
