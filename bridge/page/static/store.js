// What the page knows, and who wants to know of it.

export const state = {
  daemon: { is_there: false, port: 0 },
  kit: { name: "", file: "", folder: "", rate: 48000, pads: [] },
  pads: [],
  meters: [],
  depth: [],
  fallback: [],
  facts: {},
  kits: [],
  kinds: {}, // of each class of drum, the names of its kinds
  grid: { rows: {}, tempo: 104, swing: 50, humanize: 0.5, playing: false },
  selected: 0,
  bank: 0,
  strokes: new Map(), // of each pad, by its name in addresses, the last waveforms, newest last
};

export const PADS_A_BANK = 16;
const MOST_STROKES = 14;
const listeners = new Map();

export function on(kind, listener) {
  if (!listeners.has(kind)) listeners.set(kind, []);
  listeners.get(kind).push(listener);
}

export function emit(kind, detail) {
  for (const listener of listeners.get(kind) ?? []) listener(detail);
}

export function selectedPad() {
  return state.pads[state.selected];
}

export function select(at) {
  if (at === state.selected || at < 0 || at >= state.pads.length) return;
  state.selected = at;
  emit("select");
}

export function banks() {
  return Math.max(1, Math.ceil(state.pads.length / PADS_A_BANK));
}

export function showBank(bank) {
  state.bank = Math.min(Math.max(bank, 0), banks() - 1);
  emit("bank");
}

export function decibels(value) {
  return Math.min(1, Math.max(0, 1 + value / 60));
}

const take = {
  drums(message) { state.kinds = message.kinds; },
  daemon(message) { state.daemon = message; },
  kit(message) {
    const isOther = message.pads.join() !== state.kit.pads.join();
    state.kit = message;
    if (!isOther) return;
    state.pads = [];
    state.strokes.clear();
    state.selected = 0;
    state.bank = 0;
  },
  pad(message) {
    const before = state.pads[message.at];
    state.pads[message.at] = message;
    // Strokes of another drum are not those of this one.
    if (before && (before.seed !== message.seed || before.files.join() !== message.files.join())) {
      state.strokes.delete(message.slug);
    }
  },
  meters(message) { state.meters = message.values; },
  depth(message) { state.depth = message.values; },
  fallback(message) { state.fallback = message.values; },
  status(message) { state.facts = message.facts; },
  kits(message) { state.kits = message.names; },
  grid(message) { state.grid = message; },
  played(message) {
    if (!message.wave) return;
    const strokes = state.strokes.get(message.pad) ?? [];
    const bytes = Uint8Array.from(atob(message.wave), (c) => c.charCodeAt(0));
    strokes.push({ ends: new Int8Array(bytes.buffer), peak: message.peak, seconds: message.seconds, velocity: message.velocity });
    while (strokes.length > MOST_STROKES) strokes.shift();
    state.strokes.set(message.pad, strokes);
  },
};

export function receive(message) {
  take[message.type]?.(message);
  emit(message.type, message);
}
