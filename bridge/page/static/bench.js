// Lets the tools work on a drum of the map or of a pad.

import { byId, toast } from "./dom.js";
import { post } from "./socket.js";
import { emit } from "./store.js";

export async function toBench(from, side) {
  try {
    await post(`/${from}/bench/${side}`);
    emit("bench_wanted", side);
    byId("tab-tools").click();
  } catch (error) {
    toast(error.message, "error");
  }
}
