"""From torch to ONNX Runtime: the exported graph and its parity check."""
