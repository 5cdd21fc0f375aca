"""Networks in files for other runtimes than TensorFlow, and the runtimes themselves."""

from trainer.runtimes.opening import RuntimeNetwork, open_network
from trainer.runtimes.suffixes import LITERT, ONNX, SUFFIXES

__all__ = ["LITERT", "ONNX", "SUFFIXES", "RuntimeNetwork", "open_network"]
