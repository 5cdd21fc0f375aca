"""The kinds of files, by the ends of their names."""

ONNX, LITERT = ".onnx", ".tflite"
SUFFIXES = (ONNX, LITERT)
