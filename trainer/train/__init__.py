"""Trains a network: the loop, its step, schedule, record and checkpoints."""

from trainer.train.loop import train
from trainer.train.microbatches import check_settings as check_microbatches
from trainer.train.schedule import check_settings as check_schedule
from trainer.train.schedule import make_stages

__all__ = ["check_microbatches", "check_schedule", "make_stages", "train"]
