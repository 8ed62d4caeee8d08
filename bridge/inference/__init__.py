"""The ONNX model: its card, references, variations and one-shots."""
