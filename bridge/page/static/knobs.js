// The numbers of a pad, as sliders that keyboard and screen reader know.

import { make, put } from "./dom.js";

const plain = { to: (value) => value, from: (value) => value };
const logarithmic = { to: (value) => Math.log2(value), from: (value) => 2 ** value };
const signed = (digits, unit) => (value) => `${value > 0 ? "+" : ""}${value.toFixed(digits)}${unit}`;

export const KNOBS = [
  { name: "amount", label: "Amount", low: 0, high: 2, step: 0.01, start: 1, text: (v) => v.toFixed(2), about: "How much strokes differ: 0 not at all, 1 as a drummer's" },
  { name: "width", label: "Width", low: 0, high: 1, step: 0.01, start: 0, text: (v) => v.toFixed(2), about: "How much left and right differ" },
  { name: "steps", label: "Steps", low: 0, high: 16, step: 1, start: 2, text: (v) => String(v), about: "Steps of the diffusion: more is finer and slower, 0 does without the network" },
  { name: "gain", label: "Gain", low: -36, high: 24, step: 0.5, start: 0, text: signed(1, " dB"), about: "Level" },
  { name: "pan", label: "Pan", low: -1, high: 1, step: 0.02, start: 0, text: (v) => (Math.abs(v) < 0.005 ? "middle" : `${Math.round(Math.abs(v) * 100)} ${v < 0 ? "left" : "right"}`), about: "Place from left to right" },
  { name: "tune", label: "Tune", low: -24, high: 24, step: 0.25, start: 0, text: signed(2, " st"), about: "Pitch in semitones" },
  { name: "decay", label: "Decay", low: -4, high: 2, step: 0.05, start: 1, text: (v) => `× ${v.toFixed(2)}`, ...logarithmic, about: "How long it rings beside itself" },
  { name: "attack", label: "Attack", low: -24, high: 24, step: 0.5, start: 0, text: signed(1, " dB"), about: "Level of the first 15 ms" },
  { name: "tone", label: "Tone", low: -24, high: 24, step: 0.5, start: 0, text: signed(1, " dB"), about: "Darker or brighter, around 1 kHz" },
  { name: "start", label: "Start", low: 0, high: 200, step: 1, start: 0, text: (v) => `${Math.round(v)} ms`, about: "What is left out after the onset" },
].map((knob) => ({ ...plain, ...knob }));

export function slider(knob, id, changed) {
  const output = make("output", { htmlFor: id });
  const input = make("input", { type: "range", id, min: knob.low, max: knob.high, step: knob.step, title: `${knob.about}. Double-click: ${knob.text(knob.start)}` });
  let held = false;
  const show = (value) => {
    put(output, knob.text(value));
    input.setAttribute("aria-valuetext", knob.text(value));
    const share = (Number(input.value) - knob.low) / (knob.high - knob.low);
    const centre = knob.low < 0 ? (knob.to(knob.start) - knob.low) / (knob.high - knob.low) : 0;
    input.style.setProperty("--from", `${100 * Math.min(share, centre)}%`);
    input.style.setProperty("--to", `${100 * Math.max(share, centre)}%`);
  };
  const set = (value) => {
    input.value = String(knob.to(value));
    show(value);
  };
  input.addEventListener("input", () => {
    const value = knob.from(Number(input.value));
    show(value);
    changed(value);
  });
  input.addEventListener("pointerdown", () => { held = true; });
  for (const kind of ["pointerup", "pointercancel", "blur"]) input.addEventListener(kind, () => { held = false; });
  input.addEventListener("dblclick", () => { set(knob.start); changed(knob.start); });
  const row = make("div", { className: "knob" }, make("label", { htmlFor: id, title: knob.about }, knob.label), output, input);
  // What comes back from the daemon while the hand is on it would pull it away.
  return { row, set: (value) => { if (!held) set(value); } };
}
