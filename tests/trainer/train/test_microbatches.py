import numpy as np
import pytest
import tensorflow as tf

from trainer import main
from trainer.errors import UserError
from trainer.train.microbatches import accumulate


def test_parts_are_differentiated_one_by_one_and_summed():
    batch = {"index": tf.range(6), "x": tf.constant([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])}
    seen = []

    def differentiate(part):
        seen.append(part["index"].numpy().tolist())
        total = tf.reduce_sum(part["x"])
        return [total, 10 * total], {"loss": total}, 2 * part["x"]

    gradients, results, each = accumulate(differentiate, batch, 3)
    assert seen == [[0, 1], [2, 3], [4, 5]]
    assert [float(gradient) for gradient in gradients] == [63.0, 630.0]
    assert float(results["loss"]) == 63.0
    np.testing.assert_array_equal(each, 2 * batch["x"])


@pytest.mark.slow
def test_parts_of_a_batch_add_up_to_the_whole(settings, history, tmp_path):
    same = {"precision": "float32", "dropout": 0.0, "log_steps": 1}
    seen = []
    for number in (1, 4):
        place = tmp_path / str(number)
        main.run(settings(workdir=str(place), microbatches=number, **same))
        seen.append([line["loss"] for line in history(place)])
    np.testing.assert_allclose(*seen, rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"microbatches": 3}, "--microbatches=3 must divide --batch_size=4"),
        (
            {"microbatches": 2, "model": "dnn15", "image_size": "32"},
            "--model=dnn15 takes statistics over the whole batch",
        ),
    ],
)
def test_batches_that_cannot_be_cut_are_refused(settings, changes, message):
    with pytest.raises(UserError, match=message):
        main.run(settings(**changes))
