#!/usr/bin/python3
"""Replays a recorded round (resist train --record-round) in plain PyTorch and compares every tensor.

    replay_round.py RUN/record [TOLERANCE]

It shares no code with resist: the network, SGD, averaging and who gets what are written again here. Prints the largest
relative difference |a-b|/|b| and exits with 1 if it is above the tolerance (default 1e-4).
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F


def load_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + begin:8 + length + end], dtype="<f4")
        tensors[name] = torch.from_numpy(values.copy()).reshape(entry["shape"])
    return tensors, metadata


def norm(x, weight, bias):
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=1e-5)


def block(p, prefix, x, stride):
    """Pre-activation basic block; a block whose parameters are absent is passed by."""
    if prefix + "conv1.weight" not in p:
        return x
    a = F.relu(norm(x, p[prefix + "bn1.weight"], p[prefix + "bn1.bias"]))
    shortcut = prefix + "downsample.0.weight"
    y = F.conv2d(a, p[prefix + "conv1.weight"], stride=stride, padding=1)
    y = F.relu(norm(y, p[prefix + "bn2.weight"], p[prefix + "bn2.bias"]))
    y = F.conv2d(y, p[prefix + "conv2.weight"], padding=1)
    return y + (F.conv2d(a, p[shortcut], stride=stride) if shortcut in p else x)


def forward(p, depths, x):
    x = F.conv2d(x, p["conv1.weight"], padding=1)
    for section, depth in enumerate(depths, start=1):
        for index in range(depth):
            x = block(p, f"layer{section}.{index}.", x, stride=2 if section > 1 and index == 0 else 1)
    return F.linear(x.mean(dim=(2, 3)), p["fc.weight"], p["fc.bias"])


def part(tensors, prefix):
    return {name[len(prefix):]: value for name, value in tensors.items() if name.startswith(prefix)}


def train(tensors, metadata):
    """One worker's local iterations; returns its parameters after them."""
    config = json.loads(metadata["config"])
    assert metadata["momentum_sync"] == "reset", "momentum from before the round is not recorded"
    depths = [int(d) for d in metadata["depths"].split(",")]
    parameters = {name: value.clone().requires_grad_() for name, value in part(tensors, "before.").items()}
    optimizer = torch.optim.SGD(parameters.values(), lr=1, momentum=config["momentum"], nesterov=config["nesterov"],
                                weight_decay=config["weight-decay"])
    for iteration, rate in enumerate(metadata["learning_rates"].split(",")):
        optimizer.param_groups[0]["lr"] = float(rate)
        optimizer.zero_grad()
        logits = forward(parameters, depths, tensors[f"{iteration}.images"])
        F.cross_entropy(logits, tensors[f"{iteration}.labels"].long()).backward()
        optimizer.step()
    return {name: value.detach() for name, value in parameters.items()}


def main():
    files = sorted(Path(sys.argv[1]).glob("worker-*.safetensors"))
    tolerance = float(sys.argv[2]) if len(sys.argv) > 2 else 1e-4
    recorded = [load_safetensors(path) for path in files]
    assert recorded and len(recorded) == int(recorded[0][1]["workers"]), "a worker's recording is missing"
    trained = [train(tensors, metadata) for tensors, metadata in recorded]

    worst, compared, changed = 0.0, 0, 0
    for tensors, metadata in recorded:
        before = part(tensors, "before.")
        for name, value in part(tensors, "after.").items():
            holders = [parameters[name] for parameters in trained if name in parameters]
            expected = sum(holders) / len(holders)
            difference = ((value - expected).norm() / expected.norm().clamp_min(1e-12)).item()
            if not difference <= tolerance:
                print(f"worker {metadata['worker']}: {name} differs by {difference:.3g}")
            worst = max(worst, difference)
            compared += 1
            changed += name not in before or not torch.equal(before[name], value)
    assert changed > compared / 2, "training changed next to nothing: the comparison would prove nothing"
    print(f"{compared} tensors of {len(recorded)} workers compared; largest relative difference {worst:.3g}")
    sys.exit(0 if worst <= tolerance else 1)


main()
