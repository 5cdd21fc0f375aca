"""Devices, strategies and precision."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib

import keras
import tensorflow as tf

from trainer.errors import UserError
from trainer.settings import Settings

# Errors that workers get when another one is killed, hangs or leaves.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.DeadlineExceededError,
    tf.errors.CancelledError,
)


def make_strategy(settings: Settings) -> tf.distribute.Strategy:
    """Makes the strategy that shares the work among devices.

    It has to be called before any other call to TensorFlow.

    Args:
      settings: `strategy`, `logical_devices`, `batch_size`, `seed` and
        `deterministic` are used.

    Returns:
      The strategy.

    Raises:
      UserError: If the strategy needs devices or a TF_CONFIG that are not there,
        or if the batch cannot be shared evenly.
    """
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(settings.seed)
    if settings.logical_devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * settings.logical_devices
        )
    name = _find_strategy() if settings.strategy == "auto" else settings.strategy
    if name == "auto":
        name = "mirrored" if settings.logical_devices > 1 else "one"
    strategy = _STRATEGIES[name](settings)
    replicas = strategy.num_replicas_in_sync
    if settings.batch_size % replicas:
        raise UserError(
            f"--batch_size={settings.batch_size} cannot be shared evenly by "
            f"{replicas} devices; take a multiple of {replicas}"
        )
    return strategy


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Tells whether this process writes the files."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_type == "worker"
        and resolver.task_id == 0
        and "chief" not in resolver.cluster_spec().jobs
    )


def describe(strategy: tf.distribute.Strategy) -> list[str]:
    """Describes devices and strategy in lines for the log."""
    devices = tf.config.list_logical_devices()
    names = [f"{device.device_type}:{device.name[-1]}" for device in devices]
    return [
        f"devices: {', '.join(names)}",
        f"strategy: {type(strategy).__name__}, "
        f"{strategy.num_replicas_in_sync} replicas",
    ]


@contextlib.contextmanager
def join_workers(strategy: tf.distribute.Strategy):
    """Keeps workers together: all end at the same time, or all with an error.

    Raises:
      UserError: If another worker is lost.
    """
    try:
        yield
        # A worker that leaves early would look to the others like a lost one.
        wait_for_workers(strategy)
    except _LOST as error:
        lines = [line for line in error.message.splitlines() if line.strip()]
        lines = lines or [type(error).__name__]
        reason = next((line for line in lines if "aborted" in line), lines[0])
        raise UserError(
            "another worker was lost; relaunch all of them with the same command, "
            f"and they go on from the last checkpoint ({reason.strip()})"
        ) from error


def wait_for_workers(strategy: tf.distribute.Strategy) -> None:
    """Waits until all workers have called this function."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        strategy.run(
            lambda: tf.distribute.get_replica_context().all_reduce(
                tf.distribute.ReduceOp.SUM, tf.constant(1.0)
            )
        )


def choose_policy(precision: str) -> str:
    """Chooses the Keras dtype policy for a precision.

    Args:
      precision: 'float32', 'bfloat16', or 'auto': bfloat16 where the device computes
        in it natively. float16 would need a scaled loss, and is not offered.

    Returns:
      'float32' or 'mixed_bfloat16'.
    """
    if precision == "auto":
        precision = "bfloat16" if _computes_in_bfloat16() else "float32"
    return "float32" if precision == "float32" else f"mixed_{precision}"


def _computes_in_bfloat16() -> bool:
    if tf.config.list_logical_devices("TPU"):
        return True
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    processor = pathlib.Path("/proc/cpuinfo")
    features = (
        processor.read_text("utf-8", "replace").split() if processor.exists() else []
    )
    return "avx512_bf16" in features or "amx_bf16" in features


def _find_strategy() -> str:
    """Finds the strategy that fits the devices; 'auto' if there is only the CPU."""
    if os.environ.get("TPU_NAME") or tf.config.list_physical_devices("TPU"):
        return "tpu"
    if len(_list_workers()) > 1:
        return "multi_worker"
    gpus = len(tf.config.list_physical_devices("GPU"))
    return "mirrored" if gpus > 1 else "one" if gpus else "auto"


def _list_workers() -> list[str]:
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        cluster = json.loads(text).get("cluster", {})
    except (json.JSONDecodeError, AttributeError) as error:
        raise UserError(f"TF_CONFIG is not the JSON it should be: {text}") from error
    return [host for job in ("chief", "worker") for host in cluster.get(job, [])]


def _make_one(settings: Settings) -> tf.distribute.Strategy:
    del settings
    gpus = tf.config.list_physical_devices("GPU")
    return tf.distribute.OneDeviceStrategy("/gpu:0" if gpus else "/cpu:0")


def _make_mirrored(settings: Settings) -> tf.distribute.Strategy:
    del settings
    if tf.config.list_physical_devices("GPU"):
        return tf.distribute.MirroredStrategy()
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(devices)


def _make_multi_worker(settings: Settings) -> tf.distribute.Strategy:
    del settings
    if not _list_workers():
        raise UserError(
            "--strategy=multi_worker needs TF_CONFIG in the environment, such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def _make_tpu(settings: Settings) -> tf.distribute.Strategy:
    del settings
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect("local")
    except Exception as error:
        raise UserError(
            f"--strategy=tpu found no TPU ({error}); on a TPU VM, install "
            "tensorflow-tpu in place of tensorflow"
        ) from error
    return tf.distribute.TPUStrategy(resolver)


def _refuse_parameter_server(settings: Settings) -> tf.distribute.Strategy:
    del settings
    raise UserError(
        "--strategy=parameter_server is refused: its workers step at their own pace, "
        "so that no two runs agree, and Keras 3 does not take it; use multi_worker"
    )


_STRATEGIES = {
    "one": _make_one,
    "mirrored": _make_mirrored,
    "multi_worker": _make_multi_worker,
    "tpu": _make_tpu,
    "parameter_server": _refuse_parameter_server,
}
