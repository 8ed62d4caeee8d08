// Plays in the browser what the daemon makes, for computers whose daemon has no sound device.

import { byId, put, toast } from "./dom.js";
import { ask, setSoundListener } from "./socket.js";
import { on, state } from "./store.js";

let context = null;
let node = null;

export function setUpSound() {
  const button = byId("sound");
  button.addEventListener("click", () => (context ? stop() : start()));
  on("server", ({ is_there }) => { if (is_there && context) ask({ sound: true }); });
  on("status", () => {
    // Without a device nobody hears it elsewhere.
    button.classList.toggle("is-wanted", !context && state.facts.driver === "no device");
    put(button, context ? "Sound here: on" : "Sound here");
  });
  setSoundListener((data) => node?.port.postMessage(data, [data]));
}

async function start() {
  try {
    context = new AudioContext({ sampleRate: state.kit.rate, latencyHint: "interactive" });
    await context.audioWorklet.addModule("/static/sound-worklet.js");
    node = new AudioWorkletNode(context, "ghostnote", { numberOfInputs: 0, outputChannelCount: [2] });
    node.connect(context.destination);
    await context.resume();
    ask({ sound: true });
    byId("sound").setAttribute("aria-pressed", "true");
  } catch (error) {
    toast(`This browser cannot play: ${error.message}`, "error");
    stop();
  }
}

function stop() {
  ask({ sound: false });
  context?.close();
  context = node = null;
  byId("sound").setAttribute("aria-pressed", "false");
}
