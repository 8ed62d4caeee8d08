"""The sound tools: pure functions over hits as arrays, (channels, frames) in and out."""
