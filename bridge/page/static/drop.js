// Files and folders that are dropped: read in the browser, sent one by one, and used where they were dropped.

import { toast } from "./dom.js";
import { post } from "./socket.js";

const SOUNDS = /\.(wav|flac|aiff?|ogg|mp3)$/i;

export async function dropOnPad(pad, transfer) {
  const files = (await dropped(transfer)).filter(({ path }) => SOUNDS.test(path));
  if (!files.length) return toast("No sound was dropped: a pad takes .wav, .flac, .aiff, .ogg and .mp3.", "error");
  return used(files, `pad/${pad.slug}`, `${pad.name} starts from ${files.length > 1 ? `${files.length} sounds` : files[0].path}`);
}

export async function dropAsKit(transfer) {
  const files = await dropped(transfer);
  return used(files, "kit", "The kit was imported");
}

export async function filesAsKit(list) {
  const files = [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return used(files, "kit", "The kit was imported");
}

export async function dropOnMap(transfer) {
  const files = (await dropped(transfer)).filter(({ path }) => SOUNDS.test(path));
  return used(files, "map", `${files.length} sounds were put on the map`);
}

export async function dropOnBench(transfer) {
  const files = (await dropped(transfer)).filter(({ path }) => SOUNDS.test(path)).slice(0, 1);
  return used(files, "bench", `The tools work on ${files[0]?.path}`);
}

export async function filesOnPad(pad, list) {
  const files = [...list].map((file) => ({ path: file.name, file }));
  return used(files, `pad/${pad.slug}`, `${pad.name} starts from ${files.length > 1 ? `${files.length} sounds` : files[0].path}`);
}

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
