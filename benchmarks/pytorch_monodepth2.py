"""monodepth2 in PyTorch as the paper has it, to compare with and to be measured.

Godard et al., ICCV 2019, https://arxiv.org/abs/1806.01260. Its modules are named so
that `load_state_dict` takes the original's files. PyTorch is needed here only.
"""

from __future__ import annotations

import pathlib

import torch
from torch import nn
from torch.nn import functional

_ENCODER = (64, 64, 128, 256, 512)
_DECODER = (16, 32, 64, 128, 256)


class _Block(nn.Module):
    """A basic residual block of ResNet-18."""

    def __init__(self, depth: int, filters: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(depth, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = None
        if stride > 1:
            conv = nn.Conv2d(depth, filters, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(filters))

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + (self.downsample(x) if self.downsample else x))


class _ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        depth = 64
        for layer, filters in enumerate(_ENCODER[1:], start=1):
            blocks = [_Block(depth, filters, 1 if layer == 1 else 2)]
            blocks.append(_Block(filters, filters, 1))
            setattr(self, f"layer{layer}", nn.Sequential(*blocks))
            depth = filters

    def forward(self, x):
        features = [functional.relu(self.bn1(self.conv1((x - 0.45) / 0.225)))]
        x = functional.max_pool2d(features[0], 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            features.append(x)
        return features


class _Convolution(nn.Module):
    def __init__(self, depth: int, filters: int):
        super().__init__()
        self.pad = nn.ReflectionPad2d(1)
        self.conv = nn.Conv2d(depth, filters, 3)

    def forward(self, x):
        return self.conv(self.pad(x))


class _Level(nn.Module):
    """One of the two convolutions of a level, with its ELU."""

    def __init__(self, depth: int, filters: int):
        super().__init__()
        self.conv = _Convolution(depth, filters)

    def forward(self, x):
        return functional.elu(self.conv(x))


class _Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        layers, depth = [], _ENCODER[4]
        for level in range(4, -1, -1):
            filters = _DECODER[level]
            skip = _ENCODER[level - 1] if level else 0
            layers += [_Level(depth, filters), _Level(filters + skip, filters)]
            depth = filters
        layers += [_Convolution(filters, 1) for filters in _DECODER[:4]]
        self.decoder = nn.ModuleList(layers)

    def forward(self, features, scales):
        x, disparities = features[4], {}
        for step, level in enumerate(range(4, -1, -1)):
            x = self.decoder[2 * step](x)
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            if level:
                x = torch.cat([x, features[level - 1]], 1)
            x = self.decoder[2 * step + 1](x)
            if level in scales:
                disparities[level] = torch.sigmoid(self.decoder[10 + level](x))
        return disparities


class Monodepth2(nn.Module):
    """float [N, 3, H, W] in 0..1 -> disparity [N, 1, H, W] in 0..1."""

    def __init__(self, scales: tuple[int, ...] = (0, 1, 2, 3)):
        """Builds the network.

        Args:
          scales: Scales to compute; the original computes all four.
        """
        super().__init__()
        self.encoder = _ResNet18()
        self.depth = _Decoder()
        self._scales = scales

    def forward(self, images):
        """Returns the disparity of scale 0."""
        return self.depth(self.encoder(images), self._scales)[0]


def load(folder: pathlib.Path, scales: tuple[int, ...] = (0, 1, 2, 3)) -> Monodepth2:
    """Loads a folder of the original's files, ready to predict."""
    network = Monodepth2(scales)
    encoder = torch.load(folder / "encoder.pth", weights_only=True)
    own = network.encoder.state_dict()
    names = {key.removeprefix("encoder."): value for key, value in encoder.items()}
    network.encoder.load_state_dict({key: names[key] for key in own})
    depth = torch.load(folder / "depth.pth", weights_only=True)
    network.depth.load_state_dict(depth)
    return network.eval()
