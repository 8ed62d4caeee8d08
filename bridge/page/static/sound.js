// Plays in the browser what the daemon makes, for computers whose daemon has no sound device.

import { byId, put, toast } from "./dom.js";
import { ask, setSoundListener } from "./socket.js";
import { on, state } from "./store.js";

let context = null;
let node = null;

export function setUpSound() {
  byId("sound").addEventListener("click", () => (context ? stop() : start()));
  on("server", ({ is_there }) => { if (is_there && context) ask({ sound: true }); });
  on("status", draw);
  // Another daemon may play at another rate.
  on("kit", () => { if (context && context.sampleRate !== state.kit.rate) { stop(); start(); } });
  setSoundListener((data) => node?.port.postMessage(data, [data]));
}

function draw() {
  const button = byId("sound");
  // Without a device nobody hears it elsewhere.
  button.classList.toggle("is-wanted", !context && state.facts.driver === "no device");
  button.setAttribute("aria-pressed", String(Boolean(context)));
  put(button, context ? "Sound here: on" : "Sound here");
}

async function start() {
  let mine = null;
  try {
    mine = context = new AudioContext({ sampleRate: state.kit.rate, latencyHint: "interactive" });
    draw();
    await mine.audioWorklet.addModule("/static/sound-worklet.js");
    // It may have been stopped meanwhile.
    if (context !== mine) return;
    node = new AudioWorkletNode(mine, "ghostnote", { numberOfInputs: 0, outputChannelCount: [2] });
    node.connect(mine.destination);
    ask({ sound: true });
    await mine.resume();
  } catch (error) {
    if (context !== mine) return;
    toast(`This browser cannot play: ${error.message}`, "error");
    stop();
  }
}

function stop() {
  ask({ sound: false });
  context?.close();
  context = node = null;
  draw();
}
