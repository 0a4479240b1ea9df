#!/usr/bin/python3
"""Classifies images with a model.safetensors in plain PyTorch. Shares no code with resist.

    reference.py MODEL.safetensors IMAGES

IMAGES holds normalised float32 values: a .npy file, or nothing but the values. Prints a line of logits for each image.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F


def load_safetensors(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", name
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + begin:8 + length + end], dtype="<f4")
        tensors[name] = torch.from_numpy(values.copy()).reshape(entry["shape"])
    return tensors, metadata


class Network:
    def __init__(self, path):
        self.tensors, metadata = load_safetensors(path)
        assert metadata["format"] == "resist-model" and metadata["version"] == "1"
        self.architecture = json.loads(metadata["architecture"])
        described = json.loads(metadata["input"])
        self.image_shape = [described["channels"], described["height"], described["width"]]

    def convolution(self, name, x, stride=1):
        weight = self.tensors[name + ".weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def norm(self, name, x):
        mean, variance = self.tensors[name + ".running_mean"], self.tensors[name + ".running_var"]
        return F.batch_norm(x, mean, variance, self.tensors[name + ".weight"], self.tensors[name + ".bias"],
                            training=False, eps=1e-5)

    def strides(self, stride):
        return [1, stride, 1] if self.architecture["bottleneck"] else [stride, 1]

    def preact_block(self, name, x, stride):
        a = F.relu(self.norm(name + "bn1", x))
        projects = name + "downsample.0.weight" in self.tensors
        shortcut = self.convolution(name + "downsample.0", a, stride) if projects else x
        for i, own_stride in enumerate(self.strides(stride), start=1):
            if i > 1:
                a = F.relu(self.norm(f"{name}bn{i}", a))
            a = self.convolution(f"{name}conv{i}", a, own_stride)
        return a + shortcut

    def postact_block(self, name, x, stride):
        projects = name + "downsample.0.weight" in self.tensors
        shortcut = self.norm(name + "downsample.1", self.convolution(name + "downsample.0", x, stride)) if projects else x
        strides = self.strides(stride)
        for i, own_stride in enumerate(strides, start=1):
            x = self.norm(f"{name}bn{i}", self.convolution(f"{name}conv{i}", x, own_stride))
            if i < len(strides):
                x = F.relu(x)
        return F.relu(x + shortcut)

    def logits(self, images):
        preact = self.architecture["block"] == "preact"
        large = self.architecture["stem"] == "conv7"
        x = self.convolution("conv1", images, 2 if large else 1)
        if not preact:
            x = F.relu(self.norm("bn1", x))
        if large:
            x = F.max_pool2d(x, 3, stride=2, padding=1)
        block = self.preact_block if preact else self.postact_block
        for section, depth in enumerate(self.architecture["depths"], start=1):
            for index in range(depth):
                x = block(f"layer{section}.{index}.", x, stride=2 if section > 1 and index == 0 else 1)
        if self.architecture["final_norm"]:
            x = F.relu(self.norm("norm", x))
        return F.linear(x.mean(dim=(2, 3)), self.tensors["fc.weight"], self.tensors["fc.bias"])


def load_values(path, shape):
    """float32 values as [n, *shape]."""
    values = np.load(path) if str(path).endswith(".npy") else np.fromfile(path, dtype="<f4")
    return np.ascontiguousarray(values, dtype=np.float32).reshape([-1, *shape])


def classify(model, images):
    """The logits [n, classes] of the images in a file."""
    network = Network(model)
    with torch.no_grad():
        return network.logits(torch.from_numpy(load_values(images, network.image_shape))).numpy()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for row in classify(*sys.argv[1:]):
        print(*(f"{value:.9g}" for value in row))


if __name__ == "__main__":
    main()
