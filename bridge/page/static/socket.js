// The WebSocket to the page's server: JSON both ways, and sound from it. It comes back by itself.

import { emit, receive } from "./store.js";

const RETRY_MS = 500;
let socket = null;
let onSound = () => {};

export function setSoundListener(listener) {
  onSound = listener;
}

export function connect() {
  socket = new WebSocket(`ws://${location.host}/state`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => emit("server", { is_there: true });
  socket.onmessage = ({ data }) => (typeof data === "string" ? receive(JSON.parse(data)) : onSound(data));
  socket.onclose = () => {
    emit("server", { is_there: false });
    setTimeout(connect, RETRY_MS);
  };
}

export function ask(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

export function osc(address, ...values) {
  ask({ osc: [address, ...values] });
}

export async function post(path, options = {}) {
  const answer = await fetch(path, { method: "POST", ...options });
  if (!answer.ok) {
    const result = await answer.json().catch(() => ({ error: answer.statusText }));
    throw new Error(result.error);
  }
  return answer;
}
