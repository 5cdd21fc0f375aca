"""Compares parts of a training step that Keras has with the same parts written here.

    python benchmarks/keras_optimizer.py --image_size=160 --coarse_units=1024
    python benchmarks/keras_optimizer.py --model=refine --batch_size=16 --rounds=6

Each contestant is a whole step of the network, with the losses of its recipe:

  keras adamw, our average    the trainer's step: averages have a warm-up
  our adamw, our average      AdamW in two operations for each weight
  keras adamw, keras average  Keras's AdamW with use_ema
  our pieces                  the trainer's step, the batch in two microbatches
  keras pieces                Keras's AdamW with gradient_accumulation_steps=2

Their steps are taken in turns, so that a busy machine disturbs all alike; medians are
compared, of the time on the wall and of the processor time. Last, it tries Keras's
accumulation under a strategy of two devices.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

NAMES = (
    "keras adamw, our average",
    "our adamw, our average",
    "keras adamw, keras average",
    "our pieces",
    "keras pieces",
)
MOMENTUM = 0.998
NOT_DECAYED = ("bias", "gamma", "beta")


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="eigen", choices=("eigen", "refine"))
    parser.add_argument("--image_size", type=int, default=224)
    parser.add_argument("--coarse_units", type=int, default=4096)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--names", nargs="*", default=list(NAMES), choices=NAMES)
    return parser.parse_args()


def make_our_adamw(rate: float, decay: float):
    """Makes AdamW with two operations for each weight; Keras's takes a dozen."""
    import keras
    import tensorflow as tf

    class AdamW(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            place = self._get_variable_index(variable)
            rate, beta_1, beta_2 = (
                tf.cast(value, variable.dtype)
                for value in (learning_rate, self.beta_1, self.beta_2)
            )
            if not any(name in variable.name for name in NOT_DECAYED):
                tf.raw_ops.ResourceApplyGradientDescent(
                    var=variable.handle, alpha=rate * decay, delta=variable
                )
            step = tf.cast(self.iterations + 1, variable.dtype)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[place].value.handle,
                v=self._velocities[place].value.handle,
                beta1_power=beta_1**step,
                beta2_power=beta_2**step,
                lr=rate,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=tf.cast(self.epsilon, variable.dtype),
                grad=gradient,
            )

    return AdamW(rate)


def make_step(name: str, arguments: argparse.Namespace, batch: dict):
    """Makes a contestant's step on a batch."""
    import keras
    import tensorflow as tf

    from trainer import distribution
    from trainer.models import make_network
    from trainer.settings import Settings
    from trainer.train import microbatches
    from trainer.train.schedule import MASK_WEIGHT
    from trainer.train.step import compute_head_losses

    losses = {"edge_weight": 3.0, "dice": 1.0} if arguments.model == "refine" else {}
    settings = Settings(
        model=arguments.model, image_size=str(arguments.image_size),
        coarse_units=arguments.coarse_units, batch_size=arguments.batch_size,
        precision=arguments.precision, **losses,
    )  # fmt: skip
    policy = distribution.choose_policy(arguments.precision)
    network = make_network(settings, settings.size, dtype=policy)
    averaged = make_network(settings, settings.size)
    variables = list(network.model.trainable_variables)
    if name.startswith("our adamw"):
        optimizer = make_our_adamw(1e-3, 0.01)
    else:
        options = {}
        if name.endswith("keras average"):
            options = {"use_ema": True, "ema_momentum": MOMENTUM}
        if name == "keras pieces":
            options = {"gradient_accumulation_steps": 2}
        optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.01, **options)
        optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    optimizer.build(variables)
    heads = dict.fromkeys(network.heads, 0.5) | {network.heads[-1]: 1.0}
    pairs = list(zip(averaged.model.weights, network.model.weights, strict=True))
    steps = tf.Variable(0.0)

    @tf.function
    def differentiate(batch):
        each = 0.0
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            pictures = {"bg": batch["bg"], "fgbg": batch["fgbg"]}
            outputs = network.model(pictures, training=True)
            for head, weight in heads.items():
                mask, depth, _ = compute_head_losses(
                    network, outputs[head], batch, settings
                )
                each += weight * (MASK_WEIGHT * mask + depth)
            loss = tf.reduce_sum(each) / arguments.batch_size
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        return gradients, {"loss": loss}, each

    @tf.function
    def step(batch):
        if name == "keras pieces":
            half = arguments.batch_size // 2
            loss = 0.0
            for start in (0, half):
                piece = {n: value[start : start + half] for n, value in batch.items()}
                gradients, results, _ = differentiate(piece)
                # Keras averages over the pieces, whose losses are parts of a sum.
                optimizer.apply([2 * gradient for gradient in gradients], variables)
                loss += results["loss"]
        else:
            number = 2 if name == "our pieces" else 1
            gradients, results, _ = microbatches.accumulate(
                differentiate, batch, number
            )
            optimizer.apply(gradients, variables)
            loss = results["loss"]
        if not name.endswith("keras average"):
            done = steps.assign_add(1.0)
            momentum = tf.minimum(MOMENTUM, (1 + done) / (10 + done))
            for average, weight in pairs:
                change = average.value - tf.cast(weight.value, average.dtype)
                average.value.assign_sub((1 - momentum) * change)
        return loss

    return lambda: float(step(batch))


def compare(arguments: argparse.Namespace) -> None:
    """Prints a line for each contestant."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    shape = (arguments.batch_size, arguments.image_size, arguments.image_size)
    batch = {
        "bg": rng.uniform(0, 255, (*shape, 3)).astype(np.float32),
        "fgbg": rng.uniform(0, 255, (*shape, 3)).astype(np.float32),
        "mask": (rng.uniform(size=(*shape, 1)) < 0.1).astype(np.float32),
        "depth": rng.uniform(0, 80, (*shape, 1)).astype(np.float32),
    }
    batch = {name: tf.constant(value) for name, value in batch.items()}
    batch["index"] = tf.range(arguments.batch_size)
    steps = {name: make_step(name, arguments, batch) for name in arguments.names}
    wall = {name: [] for name in steps}
    work = {name: [] for name in steps}
    for number in range(arguments.rounds + 2):
        for name, step in steps.items():
            began, worked = time.perf_counter(), time.process_time()
            step()
            if number >= 2:  # the first ones trace and warm up
                wall[name].append(time.perf_counter() - began)
                work[name].append(time.process_time() - worked)
    first = arguments.names[0]
    for name in steps:
        seconds, busy = statistics.median(wall[name]), statistics.median(work[name])
        print(
            f"{arguments.model} {arguments.precision} {name:27} {seconds:.3f} s, "
            f"{seconds / statistics.median(wall[first]):.3f} of the first; processor "
            f"{busy:.3f} s, {busy / statistics.median(work[first]):.3f} of the first",
            flush=True,
        )


def try_accumulation_on_two_devices() -> None:
    """Prints the error of Keras's accumulation under a MirroredStrategy."""
    import keras
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        weight = keras.Variable([1.0])
        optimizer = keras.optimizers.AdamW(1e-3, gradient_accumulation_steps=2)
        optimizer.build([weight])
    step = tf.function(lambda: strategy.run(lambda: optimizer.apply([[1.0]], [weight])))
    try:
        step()
    except RuntimeError as error:
        text = next(line for line in str(error).splitlines() if "merge_call" in line)
        print(f"Keras's accumulation on two devices: {text.strip()[:80]}")
    else:
        print("Keras's accumulation on two devices: works")


def main() -> None:
    """Splits the CPU into two devices and compares."""
    arguments = parse_arguments()
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    compare(arguments)
    try_accumulation_on_two_devices()


if __name__ == "__main__":
    main()
