"""Built data sets in the formats of other frameworks: Parquet, COCO's JSON."""

from fgbg_tfds.conversion.coco import CATEGORIES, write_coco
from fgbg_tfds.conversion.parquet import MAX_FILE_MB, write_parquet

__all__ = ["CATEGORIES", "MAX_FILE_MB", "write_coco", "write_parquet"]
