"""Built data sets in the formats of other frameworks: Parquet, COCO's JSON."""

from fgbg_tfds.conversion.coco import write_coco
from fgbg_tfds.conversion.parquet import write_parquet

__all__ = ["write_coco", "write_parquet"]
