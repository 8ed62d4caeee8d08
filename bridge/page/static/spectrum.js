// Spectrograms: level over time and frequency, the frequency on a logarithmic axis.

import { fit } from "./wave.js";

const SIZE = 1024;
const LOW_HZ = 40;
const RANGE_DB = 72;

export function drawSpectrogram(canvas, sound, seconds) {
  const context = fit(canvas);
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  if (!sound || !width) return;
  const samples = sound.getChannelData(0);
  const columns = Math.min(300, Math.floor(width / 2));
  const rows = Math.min(96, height);
  const levels = Array.from({ length: columns }, (_, at) => spectrum(samples, Math.round(((at / columns) * seconds) * sound.sampleRate)));
  const loudest = Math.max(1e-9, ...levels.map((column) => Math.max(...column)));
  const [red, green, blue] = rgb(canvas);
  const image = new ImageData(columns, rows);
  const top = sound.sampleRate / 2;
  for (let row = 0; row < rows; row++) {
    const bin = Math.min(SIZE / 2 - 1, Math.round((LOW_HZ * (top / LOW_HZ) ** (1 - row / rows) / top) * (SIZE / 2)));
    for (let column = 0; column < columns; column++) {
      const share = Math.max(0, 1 + (10 * Math.log10(levels[column][bin] / loudest + 1e-12)) / RANGE_DB);
      const at = 4 * (row * columns + column);
      image.data.set([red, green, blue, 255 * share ** 1.6], at);
    }
  }
  const small = new OffscreenCanvas(columns, rows);
  small.getContext("2d").putImageData(image, 0, 0);
  context.drawImage(small, 0, 0, width, height);
}

function rgb(canvas) {
  return getComputedStyle(canvas).color.match(/[\d.]+/g).slice(0, 3).map(Number);
}

function spectrum(samples, begin) {
  const real = new Float32Array(SIZE);
  const imaginary = new Float32Array(SIZE);
  for (let at = 0; at < SIZE; at++) {
    const sample = samples[begin + at - SIZE / 4] ?? 0;
    real[at] = sample * (0.5 - 0.5 * Math.cos((2 * Math.PI * at) / SIZE));
  }
  transform(real, imaginary);
  return Float32Array.from({ length: SIZE / 2 }, (_, bin) => real[bin] ** 2 + imaginary[bin] ** 2);
}

// The fast Fourier transform in place, radix 2.
function transform(real, imaginary) {
  const size = real.length;
  for (let at = 1, other = 0; at < size; at++) {
    let bit = size >> 1;
    for (; other & bit; bit >>= 1) other ^= bit;
    other ^= bit;
    if (at < other) {
      [real[at], real[other]] = [real[other], real[at]];
      [imaginary[at], imaginary[other]] = [imaginary[other], imaginary[at]];
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    for (let step = 0; step < length / 2; step++) {
      const cosine = Math.cos((-2 * Math.PI * step) / length);
      const sine = Math.sin((-2 * Math.PI * step) / length);
      for (let at = step; at < size; at += length) {
        const other = at + length / 2;
        const re = real[other] * cosine - imaginary[other] * sine;
        const im = real[other] * sine + imaginary[other] * cosine;
        real[other] = real[at] - re;
        imaginary[other] = imaginary[at] - im;
        real[at] += re;
        imaginary[at] += im;
      }
    }
  }
}
