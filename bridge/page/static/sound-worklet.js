// A queue of samples between the network and the sound card: it waits for a little, and skips when too much waits.

const START_SECONDS = 0.05;
const MOST_SECONDS = 0.2;

class Queue extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.ceil(sampleRate);
    this.ring = new Float32Array(2 * this.size);
    this.read = this.written = 0;
    this.isPlaying = false;
    this.port.onmessage = ({ data }) => this.take(new Int16Array(data));
  }

  take(samples) {
    for (let at = 0; at < samples.length; at += 2) {
      const place = 2 * (this.written++ % this.size);
      this.ring[place] = samples[at] / 32768;
      this.ring[place + 1] = samples[at + 1] / 32768;
    }
    if (this.written - this.read > MOST_SECONDS * sampleRate) this.read = this.written - Math.round(START_SECONDS * sampleRate);
    if (this.written - this.read >= START_SECONDS * sampleRate) this.isPlaying = true;
  }

  process(_, [[left, right]]) {
    for (let at = 0; at < left.length; at++) {
      if (!this.isPlaying || this.read >= this.written) {
        this.isPlaying = false;
        left[at] = right[at] = 0;
        continue;
      }
      const place = 2 * (this.read++ % this.size);
      left[at] = this.ring[place];
      right[at] = this.ring[place + 1];
    }
    return true;
  }
}

registerProcessor("ghostnote", Queue);
