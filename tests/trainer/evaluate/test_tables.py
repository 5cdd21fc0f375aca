from trainer.evaluate import tables


def test_a_table_is_markdown_with_aligned_columns():
    lines = tables.format_table(
        ["pairs", "", "IoU", "parameters"],
        [["40 as they are", "eigen", "0.905", "13,754,619"], ["", "mean", "", ""]],
    )
    assert lines == [
        "| pairs          |       |   IoU | parameters |",
        "| -------------- | ----- | ----: | ---------: |",
        "| 40 as they are | eigen | 0.905 | 13,754,619 |",
        "|                | mean  |       |            |",
    ]
