"""The joint between torch and ONNX Runtime: the exported graph, its parity check and the workshop commands."""
