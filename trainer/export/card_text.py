"""The words of a model card."""

TEXT = """\
# {model}: what is new before a fixed camera, and how far it is

Two pictures of a fixed camera in, the empty scene and the scene as it is; a mask of
what is new and the depth of everything out. Made by `python -m trainer.main`: step
{step} of a training on {dataset} (fingerprint {fingerprint}).

{start}

## How to use it

This folder is a SavedModel, for TensorFlow alone or for TensorFlow Serving. Files
`network*.onnx` and `network*.tflite`, where there are any, are the same network for
ONNX Runtime and for LiteRT.

```python
import tensorflow as tf

network = tf.saved_model.load("export/1")
answer = network.signatures["serving_default"](
    bg_bytes=tf.constant([open("empty.jpg", "rb").read()]),
    fgbg_bytes=tf.constant([open("frame.jpg", "rb").read()]),
)
new = answer["mask"][0] >= 0.5  # bool [H, W, 1]
metres = answer["depth"][0]  # float32 [H, W, 1]
```

| signature | takes | answers |
|---|---|---|
| `serving_default(bg_bytes, fgbg_bytes)` | string [N]: picture files of empty scenes, \
and of scenes as they are | `mask`, `depth` |
| `images(bg, fgbg)` | uint8 [N, h, w, 3], sRGB: the same | `mask`, `depth` |
{spread}\
| `compact(bg_bytes, fgbg_bytes)` | string [N]: picture files | `mask_bytes`, \
`depth_bytes`, `height`, `width`, `area`, `box` |

`mask` is float32 [N, H, W, 1], 0 to 1, the probability that a pixel is new; `depth` is
float32 [N, H, W, 1], metres. {answered}

`compact` looks at one pair after the other. Its answers for each are

- `mask_bytes`, string [N]: a PNG of 8 bits; 255 is certainly new
- `depth_bytes`, string [N]: a PNG of 16 bits; metres = value / 256, rounded by at most
  0.4 %
- `height`, `width`, int32 [N]: pixels of both
- `area`, int32 [N]: number of pixels whose mask is 0.5 or more
- `box`, int32 [N, 4]: left, top, width and height of the box around all of these;
  zeros where there are none

To no pairs, N = 0, all answer with none.

Picture files are JPEG, PNG, WebP, BMP and GIF, of whose animations the first picture
is taken; WebP's are refused. They are turned as their EXIF orientation says, 16 bits
are scaled to 8, and what is transparent in a PNG lies on black. TensorFlow applies no
ICC profiles, and reads neither TIFF, AVIF, JPEG 2000 nor HEIC: convert such pictures to
sRGB yourself, and give them to `images`.

## Data

{data}

## Figures

{figures}

## Limits

{limits}

## Licence

{licence}
"""

SPREAD = """\
| `images_with_spread(bg, fgbg, spread)` | the same, and uint8 [N, h, w, 1], grey \
levels that the empty scene varies by, 0 where it is calm | `mask`, `depth` |
"""

ANSWERED = "H x W is the size of the (first) composite."

ANSWERED_AT = "H x W is {} x {}."

UNMEASURED = """\
Not measured: the run has no report of this step. `python -m trainer.main
--mode=evaluate` with the run's flags writes one, and `--mode=export` then brings it
here."""

LIMITS = """\
- It is for cameras that stand still, and wants a picture of the empty scene.
- It was trained on composites, cut-outs pasted on photos; the figures above, if there
  are any, are of such pairs. It was not measured on your camera: look at its masks
  before you rely on them.
- Depth was learned from the labels of the network that the table of data names, and is
  compared with these, not with the truth. One picture does not tell the scale: where
  metres matter, bring them to scale by a known distance.
- Hard shadows, reflections and things that move by themselves, such as leaves, may be
  taken for new.
- It does not tell what a thing or who a person is, and must not be the only ground of
  a decision on people's safety or rights."""
