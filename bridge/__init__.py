"""The torch-free side: files, kits, MIDI, the ONNX session, rendering and the command line."""
