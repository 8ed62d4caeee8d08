// Files and folders that are dropped: read in the browser, sent one by one, and used where they were dropped.

import { make, toast } from "./dom.js";
import { post } from "./socket.js";

const SOUNDS = /\.(wav|flac|aiff?|ogg|mp3)$/i;

export const dropOnPad = async (pad, transfer) => onPad(pad, await dropped(transfer));
export const dropAsKit = async (transfer) => asKit(await dropped(transfer));
export const filesAsKit = (list) => asKit(listed(list));
export const dropOnMap = async (transfer) => onMap(await dropped(transfer));
export const filesOnMap = (list) => onMap(listed(list));
export const dropOnBench = async (side, transfer) => onBench(side, await dropped(transfer));
export const filesOnBench = (side, list) => onBench(side, listed(list));
export const filesOnPad = (pad, list) => onPad(pad, listed(list));

// A button that lets choose files, or a folder of them, for those who do not drag.
export function picker(text, chosen, { isFolder = false, isSeveral = isFolder, ...properties } = {}) {
  const file = make("input", { type: "file", hidden: true, multiple: isSeveral, webkitdirectory: isFolder });
  file.addEventListener("change", () => { chosen(file.files); file.value = ""; });
  return make("button", { type: "button", on: { click: () => file.click() }, ...properties }, text);
}

async function onPad(pad, all) {
  const files = sounds(all);
  if (!files.length) return toast("No sound was dropped: a pad takes .wav, .flac, .aiff, .ogg and .mp3.", "error");
  return used(files, `pad/${pad.slug}`, `${pad.name} starts from ${files.length > 1 ? `${files.length} sounds` : files[0].path}`);
}

async function asKit(files) {
  return used(files, "kit", "The kit was imported");
}

async function onMap(all) {
  const files = sounds(all);
  if (!files.length) return toast("No sound was found: the map takes .wav, .flac, .aiff, .ogg and .mp3.", "error");
  return used(files, "map", `${files.length} sounds were put on the map`);
}

async function onBench(side, all) {
  const files = sounds(all).slice(0, 1);
  if (!files.length) return toast("No sound was dropped: tools take .wav, .flac, .aiff, .ogg and .mp3.", "error");
  return used(files, `bench/${side}`, `The tools work on ${files[0]?.path}`);
}

const sounds = (files) => files.filter(({ path }) => SOUNDS.test(path));
const listed = (list) => [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file })).filter(({ path }) => !/(^|\/)\./.test(path));

async function used(files, where, said) {
  if (!files.length) return;
  try {
    const { drop } = await (await post("/drops")).json();
    for (const { path, file } of files) {
      await post(`/drops/${drop}/file?path=${encodeURIComponent(path)}`, { method: "PUT", body: file });
    }
    const result = await (await post(`/drops/${drop}/${where}`)).json();
    toast(said);
    for (const line of (result.report ?? []).slice(0, 3)) toast(line);
  } catch (error) {
    toast(error.message, "error");
  }
}

async function dropped(transfer) {
  // Entries must be asked for before anything is waited for.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ path: file.name, file }));
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry, above, found) {
  const path = above ? `${above}/${entry.name}` : entry.name;
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    found.push({ path, file: await new Promise((resolve, reject) => { entry.file(resolve, reject); }) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return;
    for (const each of some) await walk(each, path, found);
  }
}
