"""Trains networks that tell foreground and depth from a pair of pictures."""

import os

from trainer.notices import quieten_tensorflow

# Else TensorFlow prints pages about devices that it does not find.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
quieten_tensorflow()
