"""All checks of a run's settings, made before anything is written."""

from __future__ import annotations

import logging

from trainer.augment import GROUP_SIZE, OMITTABLE
from trainer.data import Mixture, open_mixture
from trainer.errors import UserError
from trainer.export import parse_formats, require_converter
from trainer.files import require_writable
from trainer.models import check_settings as check_network
from trainer.pretrained import check_start
from trainer.settings import Settings, find_idle, parse_names
from trainer.train import check_microbatches, check_schedule

LOG = logging.getLogger("trainer")


def open_checked(settings: Settings, devices: int) -> Mixture:
    """Checks all settings, and opens the data sets; warns of settings without effect.

    Args:
      settings: Settings of the run.
      devices: Number of devices that share a batch.

    Returns:
      The data sets, with the training split.

    Raises:
      UserError: If settings contradict each other, or do not fit devices or data sets.
    """
    require_writable(settings.folder, "workdir")
    check_network(settings)
    check_start(settings)
    check_schedule(settings)
    check_microbatches(settings, devices)
    _check_formats(settings)
    _check_augmentation(settings, devices)
    mixture = open_mixture(
        settings.dataset,
        settings.data_dir,
        settings.train_split,
        settings.shares,
        settings.seed,
    )
    for split in (settings.train_split, settings.validation_split, settings.test_split):
        for builder in mixture:
            mixture.only(builder).with_split(split).count()
    _ = mixture.picture_size  # raises where the data sets differ
    if settings.mode == "train":
        for name, (other, value) in find_idle(settings).items():
            LOG.warning(
                "--%s has no effect here: it is for --%s=%s", name, other, value
            )
    elif settings.mode == "export" and settings.compare:
        LOG.warning("--compare has no effect here: it is for --mode=evaluate")
    return mixture


def _check_formats(settings: Settings) -> None:
    kinds = parse_formats(settings.formats)
    for kind in kinds:
        require_converter(kind)
    if settings.converted_size and not any(kind.sized for kind in kinds):
        LOG.warning(
            "--litert_size has no effect here: it is for --formats=saved_model,litert"
        )


def _check_augmentation(settings: Settings, devices: int) -> None:
    if settings.augment != "life":
        if settings.life_without:
            raise UserError(
                f"--augment={settings.augment} has none of the effects of "
                "--life_without; add --augment=life"
            )
        return
    parse_names("life_without", settings.life_without, OMITTABLE)
    each = settings.batch_size // devices
    if each % GROUP_SIZE:
        raise UserError(
            f"--batch_size={settings.batch_size} gives each of {devices} devices "
            f"{each} pairs; --augment=life makes them in groups of {GROUP_SIZE}, so it "
            f"has to be a multiple of {GROUP_SIZE * devices}"
        )
