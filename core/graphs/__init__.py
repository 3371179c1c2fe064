"""Networks as graphs of operations, which other programs compute: ONNX Runtime, OpenVINO, and torch without Python."""
