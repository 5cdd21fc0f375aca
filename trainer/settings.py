"""All that can be set about a run; `trainer.main` makes a flag of every field."""

from __future__ import annotations

import dataclasses
import pathlib
import re

from trainer.errors import UserError


def _setting(default, help_text: str, **limits):
    metadata = {"help": help_text, "default": default, **limits}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a run. Fields are flags: `choices`, `least` and `most` bound them."""

    mode: str = _setting(
        "train",
        "train: train, evaluate on test, report, export. evaluate, export: do only "
        "that with the newest checkpoint.",
        choices=("train", "evaluate", "export"),
    )
    dataset: str = _setting(
        "fgbg/sample",
        "Data set as tfds.load names it; several, with commas, are mixed.",
    )
    dataset_shares: str = _setting(
        "",
        "How many examples of each data set come in turn, as 2,1; one of each if "
        "empty.",
    )
    data_dir: str = _setting("", "Where data sets are; TFDS's own place if empty.")
    workdir: str = _setting("runs/fgbg", "Where the run leaves everything it makes.")
    train_split: str = _setting("train", "Split to learn from; slices are fine.")
    validation_split: str = _setting("validation", "Split to tune thresholds on.")
    test_split: str = _setting("test", "Split to report on.")

    model: str = _setting("eigen", "Network.", choices=("eigen", "dnn15", "refine"))
    image_size: str = _setting(
        "224", "Size of the pictures fed to the network, as 224 or HEIGHTxWIDTH."
    )
    small_size: str = _setting(
        "",
        "refine: size of the pictures that training begins with; image_size if empty.",
    )
    small_steps: float = _setting(
        0.6, "Part of all steps that small_size is for.", least=0, most=1
    )
    refine_without: str = _setting(
        "",
        "refine: parts left out, with commas, to see what they give: registration, "
        "colours, outside, contrast, scale.",
    )
    padding: str = _setting(
        "same",
        "eigen: valid for the paper's sizes, same for maps of a quarter of the side.",
        choices=("same", "valid"),
    )
    coarse_units: int = _setting(
        4096, "eigen: width of coarse_6; the paper's is 4096.", least=1
    )
    coarse_weights: str = _setting(
        "",
        "eigen: file with AlexNet's convolutions, trained on ImageNet, to begin the "
        "coarse stack with; docs/training.md says which.",
    )
    fine_rows: int = _setting(
        0, "eigen: rows at the bottom that the fine stack sees; 0 is all.", least=0
    )
    dropout: float = _setting(
        0.5, "Part of the widest layer left out while training.", least=0, most=0.99
    )

    recipe: str = _setting(
        "joint",
        "joint: both stacks at once, AdamW, warm-up, cosine. paper: coarse stack "
        "first, then frozen, then the fine stack; SGD with momentum.",
        choices=("joint", "paper"),
    )
    train_steps: int = _setting(10000, "Steps to train for, in all.", least=1)
    coarse_steps: int = _setting(
        0,
        "paper: steps of the coarse stack; 0 is 4/7 of all, as in the paper.",
        least=0,
    )
    batch_size: int = _setting(32, "Pictures a step, over all devices.", least=1)
    microbatches: int = _setting(
        0,
        "Parts, over all devices, that a batch is cut into; their gradients are "
        "summed, so that more parts need less memory. 0: one for every device, but two "
        "in float32, so that one device and two add up the same numbers.",
        least=0,
    )
    edge_weight: float = _setting(
        1.0, "Weight of the mask's pixels within two of its edge.", least=0
    )
    dice: float = _setting(0.0, "Weight of a soft Dice loss of the mask.", least=0)
    depth_edges: float = _setting(
        0.0, "Weight of a loss of the gradients of log depth.", least=0
    )
    depth_weight: float = _setting(
        1.0, "Weight of the loss of depth; the mask's is 2.", least=0
    )
    ssim: float = _setting(
        0.0, "Weight of a structural similarity loss of depth.", least=0
    )
    learning_rate: float = _setting(
        1e-3, "joint: highest rate. paper: rate of the coarse convolutions.", least=0
    )
    warmup_steps: int = _setting(200, "joint: steps to the highest rate.", least=0)
    weight_decay: float = _setting(1e-2, "joint: AdamW's weight decay.", least=0)
    ema: float = _setting(
        0.998,
        "joint: momentum of the averaged weights that are evaluated and exported; "
        "0 takes the last weights.",
        least=0,
        most=0.99999,
    )
    augment: str = _setting(
        "simple",
        "simple: zoom, colour and flip, alike for both pictures. life: on top of it, "
        "what happens before a fixed camera; docs/augmentation.md shows it.",
        choices=("simple", "life"),
    )
    repeats: int = _setting(
        1,
        "life: how often a made pair is shown, in other windows; 3 saves most of the "
        "work on the data.",
        least=1,
    )
    life_without: str = _setting(
        "",
        "life: what is left out, with commas, to see what it gives: an effect as in "
        "docs/augmentation.md, such as shake, or objects or empty.",
    )
    zoom: float = _setting(
        1.5, "Greatest random zoom; depth is divided by it. 1 is none.", least=1, most=4
    )
    rotation: float = _setting(
        0.0, "Greatest random rotation, degrees.", least=0, most=45
    )
    colour: float = _setting(
        0.2, "Channels are multiplied by 1 minus to 1 plus this.", least=0, most=0.9
    )
    flip: bool = _setting(True, "Mirror every second picture.")

    strategy: str = _setting(
        "auto",
        "How devices share the work; auto takes what it finds.",
        choices=(
            "auto", "one", "mirrored", "multi_worker", "tpu", "parameter_server"
        ),
    )  # fmt: skip
    logical_devices: int = _setting(
        1, "Split the CPU into so many devices, to try strategies out.", least=1
    )
    precision: str = _setting(
        "auto",
        "auto is bfloat16 where the device computes in it natively.",
        choices=("auto", "float32", "bfloat16"),
    )
    xla: bool = _setting(False, "Compile the step with XLA; slower to start.")
    seed: int = _setting(0, "Of weights, order, augmentation and dropout.", least=0)
    deterministic: bool = _setting(
        False, "Only operations that give the same bits every time."
    )

    compare: str = _setting(
        "",
        "Workdirs of other trained runs, with commas, to stand beside this one in the "
        "report.",
    )
    report: str = _setting(
        "full",
        "short: on the test split as it is alone; full: perturbed and with nothing new "
        "as well, and on the other splits.",
        choices=("full", "short"),
    )
    report_examples: int = _setting(
        256,
        "About how many examples, evenly spread, of splits other than validation and "
        "test the report looks at.",
        least=1,
    )

    log_steps: int = _setting(20, "Steps between lines of history.jsonl.", least=1)
    summary_steps: int = _setting(
        500, "Steps between pictures for TensorBoard.", least=1
    )
    checkpoint_steps: int = _setting(500, "Steps between checkpoints.", least=1)
    weights: str = _setting(
        "last",
        "Which weights are evaluated and exported; best is by validation: the mean of "
        "mask IoU and depth within 25 %.",
        choices=("last", "best"),
    )
    keep: int = _setting(3, "Checkpoints kept.", least=1)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures fed to the network.

        Raises:
          UserError: If `image_size` is no size.
        """
        return _size("image_size", self.image_size)

    @property
    def sizes(self) -> tuple[tuple[int, tuple[int, int]], ...]:
        """Sizes of the pictures trained on, each with the step it ends at.

        Raises:
          UserError: If `small_size` is no size.
        """
        small = round(self.small_steps * self.train_steps) if self.small_size else 0
        sizes = [(self.train_steps, self.size)]
        if small:
            sizes.insert(0, (small, _size("small_size", self.small_size)))
        return tuple(sizes)

    @property
    def shares(self) -> tuple[int, ...]:
        """How many examples of each data set come in turn; empty is one of each.

        Raises:
          UserError: If `dataset_shares` is no list of whole numbers from 1 on.
        """
        if not re.fullmatch(r"([1-9]\d*(,[1-9]\d*)*)?", self.dataset_shares):
            raise UserError(
                f"--dataset_shares={self.dataset_shares} is no list of shares; write "
                "whole numbers such as 2,1"
            )
        return tuple(int(share) for share in self.dataset_shares.split(",") if share)

    @property
    def folder(self) -> pathlib.Path:
        """The workdir, with ~ resolved."""
        return pathlib.Path(self.workdir).expanduser()


def parts(flag: str, text: str, known: tuple[str, ...]) -> frozenset[str]:
    """Reads a list of parts that are left out.

    Args:
      flag: Name of the flag.
      text: What it says, names with commas in between.
      known: Names that there are.

    Raises:
      UserError: If another name is given.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UserError(
                f"--{flag}={text}: there is no {name}; there are {', '.join(known)}"
            )
    return frozenset(names)


def _size(flag: str, text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text)
    if not match:
        raise UserError(f"--{flag}={text} is no size; write 224 or 228x304")
    return int(match[1]), int(match[2] or match[1])
