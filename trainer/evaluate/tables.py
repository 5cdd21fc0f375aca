"""The tables of a report, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trainer.evaluate.metrics import TOLERANCE
from trainer.evaluate.results import ALL_SETS, MEAN_DEPTH, SUBTRACTIONS

# Heading, figure, factor and decimals of the columns.
_MASK = (
    ("IoU", "mask_iou", 1, 3),
    ("F", "mask_f", 1, 3),
    ("boundary F", "mask_boundary_f", 1, 3),
)
_ALARMS = (("false pos. %", "mask_false_positive_rate", 100, 3),)
_DEPTH = (
    ("abs rel", "depth_abs_rel", 1, 3),
    ("RMSE m", "depth_rmse", 1, 2),
    ("SILog", "depth_silog", 1, 1),
    ("δ < 1.25", "depth_delta_1", 1, 3),
)
_NAMES = {"clean": "as they are", "perturbed": "perturbed", "empty": "nothing new"}


def format_report(result: Mapping) -> str:
    """Formats report.md: both tables, and notes that explain their columns.

    Args:
      result: The content of metrics.json.
    """
    head = f"# {result['model']} on {result['dataset']}, step {result['step']}"
    return "\n".join([head, "", *format_tables(result), *_explain(result), ""])


def format_tables(result: Mapping) -> list[str]:
    """Formats both tables as lines of Markdown.

    Args:
      result: The content of metrics.json.
    """
    lines = []
    datasets = list(dict.fromkeys(block["dataset"] for block in result["test"]))
    for dataset in datasets:
        blocks = [b for b in result["test"] if b["dataset"] == dataset]
        lines += [f"## {result['split']} of {dataset}", ""]
        lines += [*_format_test(blocks, result), ""]
    for dataset in datasets:
        blocks = [b for b in result["generalisation"] if b["dataset"] == dataset]
        if len(blocks) < 2:  # a short report
            continue
        lines += [f"## Generalisation on {dataset}", ""]
        lines += [*_format_generalisation(blocks, result), ""]
    return lines


def format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Formats a Markdown table that also reads well as plain text.

    Args:
      head: Headings.
      rows: Cells; numbers are aligned to the right.

    Returns:
      Its lines.
    """
    rows = [list(row) for row in rows]
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [any(_is_number(cell) for cell in column[1:]) for column in columns]

    def line(cells):
        padded = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(cells, widths, right, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = (
        "-" * (width - 1) + (":" if number else "-")
        for width, number in zip(widths, right, strict=True)
    )
    return [line(head), f"| {' | '.join(rule)} |", *map(line, rows)]


def _format_test(blocks: Sequence[Mapping], result: Mapping) -> list[str]:
    columns = (*_MASK, *_ALARMS, *_DEPTH)
    timing = result["timing"]
    head = ["pairs", "", *(c[0] for c in columns), "parameters", "ms a pair"]
    rows = []
    for block in blocks:
        pairs = f"{block['examples']} {_NAMES[block['pairs']]}"
        for row, found in block["rows"].items():
            extra = ["", ""]
            if block["pairs"] == "clean":
                parameters = result["networks"].get(row, {}).get("parameters")
                took = timing["milliseconds"].get(row)
                extra = [
                    "" if parameters is None else f"{parameters:,}",
                    "" if took is None else f"{took:.1f}",
                ]
            name = _name_row(row, block["dataset"], result["thresholds"])
            rows.append([pairs, name, *_format_cells(found, columns), *extra])
            pairs = ""
    return format_table(head, rows)


def _format_generalisation(blocks: Sequence[Mapping], result: Mapping) -> list[str]:
    perturbed = tuple(
        (f"perturbed {head}", *rest) for head, *rest in (_MASK[0], _MASK[2])
    )
    head = ["split", "examples", "", *(c[0] for c in (*_MASK, *perturbed, *_DEPTH))]
    rows = []
    for block in blocks:
        if block["pairs"] != "clean":
            continue
        (other,) = (
            b["rows"]
            for b in blocks
            if b["pairs"] == "perturbed" and b["split"] == block["split"]
        )
        split = [block["split"], f"{block['examples']} of {block['whole_split']}"]
        for row, found in block["rows"].items():
            name = _name_row(row, block["dataset"], result["thresholds"])
            cells = (
                *_format_cells(found, _MASK),
                *_format_cells(other[row], perturbed),
                *_format_cells(found, _DEPTH),
            )
            rows.append([*split, name, *cells])
            split = ["", ""]
    return format_table(head, rows)


def _explain(result: Mapping) -> list[str]:
    timing = result["timing"]
    height, width = timing["picture"]
    return [
        "- Perturbed: both pictures as a fixed camera would have seen them, with a "
        "fixed seed: it shakes, light changes, shadows fall, pictures are compressed. "
        "Nothing new: scenes without objects, perturbed or not.",
        "- Background subtraction: a pixel is new where the largest difference over "
        "the colours is at least the threshold. The thresholds are those with the "
        "best IoU on the validation split of each data set: the first on its pairs "
        "as they are, the second on them perturbed.",
        "- IoU, F and false positives are of all pixels of all pairs; false positives "
        "are the fraction of the background that was taken for new.",
        f"- Boundary F: boundaries at most {TOLERANCE} pixels apart, averaged "
        "over pairs (Csurka et al. 2013; Perazzi et al. 2016).",
        "- Depth is compared with the teacher's labels, as in Eigen et al. 2014.",
        "- Generalisation: of splits other than validation and test, stretches of "
        "examples evenly spread over the split (--report_examples).",
        f"- ms a pair: {width} x {height} pixels, batch {timing['batch']}, "
        f"{timing['device']}, float32, median of warm calls.",
    ]


def _name_row(row: str, dataset: str, thresholds: Mapping) -> str:
    if row == MEAN_DEPTH:
        return "mean depth map"
    if row not in SUBTRACTIONS:
        return row
    index = SUBTRACTIONS.index(row)
    levels = (
        [values[index] for values in thresholds.values()]
        if dataset == ALL_SETS
        else [thresholds[dataset][index]]
    )
    return f"background subtraction, ≥ {'/'.join(map(str, levels))}"


def _format_cells(found: Mapping[str, float], columns) -> list[str]:
    return [
        f"{factor * found[name]:.{decimals}f}" if name in found else ""
        for _, name, factor, decimals in columns
    ]


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "", 1).isdecimal()
