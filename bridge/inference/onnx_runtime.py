"""ONNX Runtime without its telemetry, no device id and no reports: import it from here and from nowhere else."""

import os

# Read as the library loads; processes started from this one inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime"]
