// A sound before or after a tool: waveform and spectrogram, to hear, to save and to put on a pad.

import { load, outlined, play } from "./audio.js";
import { make, put, toast } from "./dom.js";
import { dropOnBench, filesOnBench, picker } from "./drop.js";
import { post } from "./socket.js";
import { selectedPad } from "./store.js";
import { drawSpectrogram } from "./spectrum.js";
import { drawStrokes } from "./wave.js";

const POINTS = 200;

export class Side {
  constructor(name, title, empty) {
    this.name = name;
    this.empty = empty;
    this.sound = null;
    this.parts = [];
    this.at = 0;
    this.title = make("h3", {}, title);
    this.file = make("span", { className: "quiet" }, empty);
    this.wave = make("canvas", { className: "side-wave", role: "img", "aria-label": `Waveform ${name}`, data: { class: "tom" } });
    this.picture = make("canvas", { className: "side-picture", role: "img", "aria-label": `Spectrogram ${name}`, data: { class: "tom" } });
    this.strip = make("div", { className: "strip", role: "group", "aria-label": "What was made", hidden: true });
    this.play = make("button", { type: "button", disabled: true, id: `tool-play-${name}`, "aria-label": `Play ${name}`, on: { click: () => this.hear() } }, "Play");
    this.save = make("a", { className: "button", hidden: true, href: "", "aria-label": `Save ${name}` }, "Save");
    this.put = make("button", { type: "button", disabled: true, id: `tool-put-${name}`, on: { click: () => this.onPad(selectedPad()) } });
    this.actions = make("div", { className: "row" }, this.play, this.save, this.put);
    this.box = make("section", { className: "side-box", id: `tool-${name}`, "aria-label": title }, make("div", { className: "row split" }, this.title, this.file), this.wave, this.picture, this.strip, this.actions);
    if (empty) this.takeFiles();
  }

  takeFiles() {
    this.put.before(picker("Choose…", (files) => filesOnBench(this.name, files), { "aria-label": `Choose a sound for ${this.name}`, title: "Choose a sound; one can be dropped, too" }));
    this.box.addEventListener("dragover", (event) => event.preventDefault());
    this.box.addEventListener("drop", (event) => { event.preventDefault(); event.stopPropagation(); dropOnBench(this.name, event.dataTransfer); });
  }

  // What lies here: a sound, or several that were made at once.
  async take(parts, version) {
    this.parts = parts;
    this.version = version;
    this.strip.hidden = parts.length < 2;
    this.strip.replaceChildren(...parts.map((part, at) => make("button", { type: "button", title: `${part.seconds.toFixed(2)} s`, on: { click: () => this.choose(at).then((isChosen) => isChosen && this.hear()) } }, part.name || String(at + 1))));
    await this.choose(0);
  }

  address() {
    return this.name === "after" ? `after-${this.at}` : this.name;
  }

  // Whether it is still what is chosen when it is there: another may have been meanwhile.
  async choose(at) {
    this.at = at;
    const { version, parts: { [at]: part } } = this;
    const address = `/bench/${this.address()}.wav`;
    let [sound, failure] = [null, ""];
    if (part) await load(`${address}?${version}`).then((loaded) => { sound = loaded; }, (error) => { failure = error.message; });
    if (this.at !== at || this.version !== version) return false;
    if (failure) toast(failure, "error");
    this.sound = sound;
    [...this.strip.children].forEach((button, place) => button.setAttribute("aria-pressed", String(place === at)));
    this.play.disabled = this.put.disabled = !this.sound;
    this.save.hidden = !this.sound;
    this.save.href = address;
    this.save.download = part ? `${part.file ?? part.name}.wav` : "";
    put(this.file, part ? `${part.file ?? part.name}, ${part.seconds.toFixed(2)} s` : this.empty);
    this.changed?.();
    return true;
  }

  hear() {
    if (this.sound) play(this.sound);
  }

  async onPad(pad) {
    try {
      await post(`/bench/${this.address()}/pad/${pad.slug}`);
      toast(`Put on ${pad.name}; Undo brings back what it was`);
    } catch (error) {
      toast(error.message, "error");
    }
  }

  draw(seconds, marks) {
    const points = Math.max(20, Math.round(POINTS * ((this.sound?.duration ?? 0) / seconds)));
    drawStrokes(this.wave, this.sound ? [outlined(this.sound, points)] : [], { axis: true, seconds, marks });
    drawSpectrogram(this.picture, this.sound, seconds);
  }

  drawTarget() {
    const pad = selectedPad()?.name ?? "the pad";
    put(this.put, `On ${pad}`);
    this.put.title = `Let ${pad} start from this sound`;
  }
}
