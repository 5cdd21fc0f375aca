"""Cases of the metrics and losses of depth that both packages have.

Each case is the predicted and the true depth of one picture in metres, 0 is unknown,
and the figures by the formulas of Eigen et al. 2014, worked out by hand. The tests of
both packages go through them, so that a figure means the same on either side.
"""

import dataclasses
import math

LOG_2 = math.log(2)


@dataclasses.dataclass(frozen=True)
class DepthCase:
    """One picture and its figures.

    Attributes:
      name: The case's name.
      predicted: Metres.
      true: Metres; 0 is unknown.
      figures: abs rel, sq rel, RMSE, RMSE log, SILog (in 1/100), δ1, δ2, δ3.
    """

    name: str
    predicted: tuple[float, ...]
    true: tuple[float, ...]
    figures: dict[str, float]


CASES = (
    DepthCase(
        "exact",
        (1.0, 5.0, 60.0),
        (1.0, 5.0, 60.0),
        {
            "abs_rel": 0.0, "sq_rel": 0.0, "rmse": 0.0, "rmse_log": 0.0, "silog": 0.0,
            "delta_1": 1.0, "delta_2": 1.0, "delta_3": 1.0,
        },
    ),
    DepthCase(
        "half, exact and twice; the unknown pixel does not count",
        (1.0, 4.0, 7.0, 20.0),
        (2.0, 4.0, 0.0, 10.0),
        {
            # errors -1, 0, 10; log errors -log 2, 0, log 2, whose mean is 0
            "abs_rel": (1 / 2 + 0 + 10 / 10) / 3,
            "sq_rel": (1 / 2 + 0 + 100 / 10) / 3,
            "rmse": math.sqrt((1 + 0 + 100) / 3),
            "rmse_log": math.sqrt(2 / 3) * LOG_2,
            "silog": 100 * math.sqrt(2 / 3) * LOG_2,
            # ratios 2, 1, 2 against 1.25, 1.5625, 1.953125
            "delta_1": 1 / 3, "delta_2": 1 / 3, "delta_3": 1 / 3,
        },
    ),
    DepthCase(
        "a common factor, which SILog ignores",
        (3.0, 12.0),
        (2.0, 8.0),
        {
            "abs_rel": 0.5,
            "sq_rel": (1 / 2 + 16 / 8) / 2,
            "rmse": math.sqrt((1 + 16) / 2),
            "rmse_log": math.log(1.5),
            "silog": 0.0,
            "delta_1": 0.0, "delta_2": 1.0, "delta_3": 1.0,
        },
    ),
    DepthCase(
        "ratios beside each threshold",
        (1.2, 1.5, 1.9, 3.0),
        (1.0, 1.0, 1.0, 1.0),
        {
            "abs_rel": (0.2 + 0.5 + 0.9 + 2.0) / 4,
            "delta_1": 0.25, "delta_2": 0.5, "delta_3": 0.75,
        },
    ),
)  # fmt: skip
