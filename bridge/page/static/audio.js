// Sounds that the page itself plays: drums of the map, and hits before and after a tool.

let context = null;
let node = null;

export function ready() {
  context ??= new AudioContext();
  return context;
}

export async function load(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? answer.statusText);
  return ready().decodeAudioData(await answer.arrayBuffer());
}

export function play(sound) {
  node?.stop();
  node = new AudioBufferSourceNode(ready(), { buffer: sound });
  node.connect(context.destination);
  context.resume();
  node.start();
}

export function outlined(sound, points = 200) {
  const samples = sound.getChannelData(0);
  const size = Math.max(1, Math.ceil(samples.length / points));
  const ends = new Float32Array(2 * points);
  let peak = 1e-6;
  samples.forEach((sample, at) => {
    const point = 2 * Math.floor(at / size);
    ends[point] = Math.min(ends[point], sample);
    ends[point + 1] = Math.max(ends[point + 1], sample);
    peak = Math.max(peak, Math.abs(sample));
  });
  return { ends: ends.map((end) => (127 * end) / peak), peak, seconds: sound.duration };
}
