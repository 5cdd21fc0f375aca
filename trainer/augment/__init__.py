"""What life does to a pair of pictures and its labels. Pure functions of a seed."""

from trainer.augment.zoom import Augmentation, augment, fit, rotate

__all__ = ["Augmentation", "augment", "fit", "rotate"]
