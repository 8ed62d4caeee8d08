"""ONNX Runtime, told to keep no device id and to report nothing: import it from here and from nowhere else."""

import os

# Read as the library loads; processes started from this one inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime"]
