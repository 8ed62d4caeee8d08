"""The torch-free side: files, kits, MIDI, the ONNX session, rendering and the command line."""

import logging

# A library writes no log of its own accord: the command line's options do, or whoever uses it.
logging.getLogger("ghostnote").addHandler(logging.NullHandler())
