"""The settings of a run; `trainer.main` makes a flag of every field."""

from __future__ import annotations

import dataclasses
import pathlib
import re

from trainer.errors import UserError
from trainer.files import expand

# A run cannot change settings that shape its weights or the order of its examples; it
# can change those of its training until it is finished, and the others at any time.
IDENTITY, TRAINING, USE = "identity", "training", "use"

MANY_FOREGROUNDS = 30  # from here on, --init_share is taken as it is given


def _setting(default, help_text: str, role: str = TRAINING, **limits):
    metadata = {"help": help_text, "default": default, "role": role, **limits}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a run, a plain value.

    Each field is a flag. Its metadata hold the flag's help, its bounds (`choices`,
    `minimum`, `maximum`), its role, and in `needs` another setting with the value
    without which it has no effect.
    """

    mode: str = _setting(
        "train",
        "train: train, evaluate on test, report, export. evaluate, export: do only "
        "that with the newest checkpoint.",
        choices=("train", "evaluate", "export"),
        role=USE,
    )
    dataset: str = _setting(
        "fgbg/sample",
        "Data set, as tfds.load names it; several, separated by commas, are mixed.",
        role=USE,
    )
    dataset_shares: str = _setting(
        "",
        "Number of examples of each data set that come in turn, as 2,1; one of each if "
        "empty.",
        role=IDENTITY,
    )
    data_dir: str = _setting(
        "", "Folder of the data sets; TFDS's own if empty.", role=USE
    )
    workdir: str = _setting("runs/fgbg", "Folder that the run writes to.", role=USE)
    train_split: str = _setting(
        "train", "Split to learn from; slices are fine.", role=IDENTITY
    )
    validation_split: str = _setting(
        "validation", "Split to tune thresholds on.", role=USE
    )
    test_split: str = _setting("test", "Split to report on.", role=USE)

    model: str = _setting(
        "eigen", "Network.", choices=("eigen", "dnn15", "refine"), role=IDENTITY
    )
    image_size: str = _setting(
        "224",
        "Size of the pictures fed to the network, as 224 or HEIGHTxWIDTH.",
        role=IDENTITY,
    )
    small_size: str = _setting(
        "",
        "refine: size of the pictures at the start of training; image_size if empty.",
        role=IDENTITY,
    )
    small_steps: float = _setting(
        0.6,
        "Fraction of all steps that small_size is for.",
        minimum=0,
        maximum=1,
        role=IDENTITY,
    )
    refine_without: str = _setting(
        "",
        "refine: components to leave out, separated by commas, for an ablation: "
        "registration, colours, outside, contrast, scale.",
        role=IDENTITY,
    )
    spread: bool = _setting(
        False,
        "refine: take also how much each pixel of the empty scene varies by itself, "
        "where that is known; it is learned from --augment=life.",
        role=IDENTITY,
    )
    padding: str = _setting(
        "same",
        "eigen: valid for the paper's sizes, same for maps of a quarter of the side.",
        choices=("same", "valid"),
        role=IDENTITY,
        needs=("model", "eigen"),
    )
    coarse_units: int = _setting(
        4096,
        "eigen: width of coarse_6; the paper's is 4096.",
        minimum=1,
        role=IDENTITY,
        needs=("model", "eigen"),
    )
    coarse_weights: str = _setting(
        "",
        "eigen: file of AlexNet's convolutions, trained on ImageNet, to start the "
        "coarse stack from; docs/training.md describes it.",
    )
    fine_rows: int = _setting(
        0,
        "eigen: number of rows at the bottom that the fine stack sees; 0 is all.",
        minimum=0,
        role=IDENTITY,
        needs=("model", "eigen"),
    )
    dropout: float = _setting(
        0.5,
        "Fraction of the widest layer's units dropped in training.",
        minimum=0,
        maximum=0.99,
        needs=("model", "eigen"),
    )

    init: str = _setting(
        "",
        "Weights to start from: 'pretrained', those of refine that come with this "
        "package; the workdir of a run of the same network; or a file that python -m "
        "trainer.pretrained wrote; random ones if empty.",
    )
    init_share: float = _setting(
        0.0,
        "Share of the weights of --init in those that come out, so that a network that "
        "is trained on little keeps what it knew. If it is given and the data have "
        f"fewer than {MANY_FOREGROUNDS} foregrounds, more is kept, in proportion.",
        minimum=0,
        maximum=1,
    )
    recipe: str = _setting(
        "joint",
        "joint: both stacks at once, AdamW, warm-up, cosine. paper: coarse stack "
        "first, then frozen, then the fine stack; SGD with momentum. sgd: all at once, "
        "SGD with momentum at one learning rate, as the original project.",
        choices=("joint", "paper", "sgd"),
        role=IDENTITY,
    )
    train_steps: int = _setting(10000, "Number of steps in all.", minimum=1)
    coarse_steps: int = _setting(
        0,
        "paper: steps of the coarse stack; 0 is 4/7 of all steps, as in the paper.",
        minimum=0,
        needs=("recipe", "paper"),
    )
    batch_size: int = _setting(
        32, "Examples in a step, over all devices.", minimum=1, role=IDENTITY
    )
    microbatches: int = _setting(
        0,
        "Number of pieces, over all devices, that a batch is cut into; their gradients "
        "are summed, so that more pieces need less memory. 0: one for every device.",
        minimum=0,
    )
    edge_weight: float = _setting(
        1.0, "Weight of the mask's pixels at most two pixels from its edge.", minimum=0
    )
    dice: float = _setting(0.0, "Weight of a soft Dice loss of the mask.", minimum=0)
    depth_edges: float = _setting(
        0.0, "Weight of a loss of the gradients of log depth.", minimum=0
    )
    depth_weight: float = _setting(
        1.0, "Weight of the loss of depth; the mask's is 2.", minimum=0
    )
    depth_entropy: float = _setting(
        1.0,
        "dnn15: weight of the cross-entropy of depth; 0 leaves depth to --ssim.",
        minimum=0,
        needs=("model", "dnn15"),
    )
    ssim: float = _setting(
        0.0, "Weight of a structural similarity loss of depth.", minimum=0
    )
    learning_rate: float = _setting(
        1e-3,
        "joint: peak learning rate. paper: learning rate of the coarse convolutions. "
        "sgd: the learning rate.",
        minimum=0,
    )
    warmup_steps: int = _setting(
        200,
        "joint: steps of linear warm-up to the peak.",
        minimum=0,
        needs=("recipe", "joint"),
    )
    weight_decay: float = _setting(
        1e-2, "joint: AdamW's weight decay.", minimum=0, needs=("recipe", "joint")
    )
    ema: float = _setting(
        0.998,
        "Momentum of the averaged weights that are evaluated and exported; "
        "0 takes the last weights.",
        minimum=0,
        maximum=0.99999,
    )
    augment: str = _setting(
        "simple",
        "simple: zoom, colour and flip, alike for both pictures. life: also the "
        "changes that a fixed camera sees; docs/augmentation.md shows them.",
        choices=("simple", "life"),
        role=IDENTITY,
    )
    repeats: int = _setting(
        1,
        "life: number of times that a made pair is shown, each in another window; 3 "
        "saves most of the work on the data.",
        minimum=1,
        role=IDENTITY,
        needs=("augment", "life"),
    )
    life_without: str = _setting(
        "",
        "life: effects to leave out, separated by commas, for an ablation: those of "
        "docs/augmentation.md, such as shake, and objects and empty.",
        role=IDENTITY,
    )
    zoom: float = _setting(
        1.5,
        "Maximum random zoom; depth is divided by it. 1 is none.",
        minimum=1,
        maximum=4,
    )
    rotation: float = _setting(
        0.0, "Maximum random rotation, degrees.", minimum=0, maximum=45
    )
    colour: float = _setting(
        0.2,
        "Channels are multiplied by a random factor of 1 minus to 1 plus this.",
        minimum=0,
        maximum=0.9,
    )
    flip: bool = _setting(True, "Mirror pairs with probability 0.5.")

    strategy: str = _setting(
        "auto",
        "Distribution of the work over devices; auto takes the devices it finds.",
        choices=(
            "auto", "one", "mirrored", "multi_worker", "tpu", "parameter_server"
        ), role=USE)  # fmt: skip
    logical_devices: int = _setting(
        1,
        "Number of logical devices to split the CPU into, to try strategies out.",
        minimum=1,
        role=USE,
    )
    precision: str = _setting(
        "auto",
        "auto is bfloat16 where the device computes in it natively, else float32.",
        choices=("auto", "float32", "bfloat16"),
    )
    xla: bool = _setting(False, "Compile the step with XLA; slower to start.", role=USE)
    seed: int = _setting(
        0,
        "Seed of weights, order, augmentation and dropout.",
        minimum=0,
        maximum=2**31 - 1,
        role=IDENTITY,
    )
    deterministic: bool = _setting(
        False, "Use only operations that give the same bits every time."
    )

    compare: str = _setting(
        "",
        "Workdirs of other trained runs, separated by commas, to add to the report.",
        role=USE,
    )
    report: str = _setting(
        "full",
        "short: measure the test split as it is, alone; full: also perturbed and with "
        "nothing new, and the other splits.",
        choices=("full", "short"),
        role=USE,
    )
    report_examples: int = _setting(
        256,
        "Approximate number of examples, evenly spread, that are measured of splits "
        "other than validation and test.",
        minimum=1,
        role=USE,
        needs=("report", "full"),
    )

    log_steps: int = _setting(
        20, "Steps between lines of history.jsonl.", minimum=1, role=USE
    )
    summary_steps: int = _setting(
        500, "Steps between pictures in TensorBoard.", minimum=1, role=USE
    )
    checkpoint_steps: int = _setting(
        500, "Steps between checkpoints.", minimum=1, role=USE
    )
    weights: str = _setting(
        "last",
        "Weights to evaluate and export: the last ones, or those with the best "
        "validation score, the mean of mask IoU and depth's δ < 1.25.",
        choices=("last", "best"),
        role=USE,
    )
    keep: int = _setting(3, "Number of checkpoints to keep.", minimum=1, role=USE)
    formats: str = _setting(
        "saved_model",
        "What to export: saved_model, and besides, separated by commas, onnx, litert, "
        "litert_float16, litert_int8, files for other runtimes in the folder of the "
        "SavedModel; these need the extras onnx and litert.",
        role=USE,
    )
    litert_size: str = _setting(
        "",
        "Height and width of the pictures that files of LiteRT are made for, as "
        "480x640; that of the data set if empty.",
        role=USE,
    )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures fed to the network.

        Raises:
          UserError: If `image_size` is no size.
        """
        return parse_size("image_size", self.image_size)

    @property
    def sizes(self) -> tuple[tuple[int, tuple[int, int]], ...]:
        """Sizes of the training pictures, each with the step at which it ends.

        Raises:
          UserError: If `small_size` is no size.
        """
        small = round(self.small_steps * self.train_steps) if self.small_size else 0
        sizes = [(self.train_steps, self.size)]
        if small:
            sizes.insert(0, (small, parse_size("small_size", self.small_size)))
        return tuple(sizes)

    @property
    def shares(self) -> tuple[int, ...]:
        """Number of examples of each data set that come in turn; empty is one of each.

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
    def converted_size(self) -> tuple[int, int] | None:
        """Height and width of `litert_size`; None if it is empty.

        Raises:
          UserError: If it is no size.
        """
        return parse_size("litert_size", self.litert_size) if self.litert_size else None

    @property
    def folder(self) -> pathlib.Path:
        """The workdir, with ~ resolved.

        Raises:
          UserError: If the home folder that it names is nobody's.
        """
        return expand(self.workdir, "workdir")


def find_idle(settings: Settings) -> dict[str, tuple[str, str]]:
    """Finds the settings that are not at their default and have no effect.

    Args:
      settings: The settings.

    Returns:
      By name, the other setting and the value that it would have to have.
    """
    return {
        field.name: field.metadata["needs"]
        for field in dataclasses.fields(settings)
        if "needs" in field.metadata
        and getattr(settings, field.name) != field.default
        and getattr(settings, field.metadata["needs"][0]) != field.metadata["needs"][1]
    }


def names_of(role: str) -> tuple[str, ...]:
    """Lists the settings that have a role: `IDENTITY`, `TRAINING` or `USE`."""
    fields = dataclasses.fields(Settings)
    return tuple(field.name for field in fields if field.metadata["role"] == role)


def parse_names(flag: str, text: str, known: tuple[str, ...]) -> frozenset[str]:
    """Parses a list of names.

    Args:
      flag: Name of the flag.
      text: Its value, names separated by commas.
      known: Names to choose from.

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


def parse_size(flag: str, text: str) -> tuple[int, int]:
    """Parses height and width.

    Args:
      flag: Name of the flag.
      text: Its value, one number for both or two such as 480x640.

    Raises:
      UserError: If it is no size.
    """
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text)
    if not match:
        raise UserError(f"--{flag}={text} is no size; write 224 or 228x304")
    return int(match[1]), int(match[2] or match[1])
