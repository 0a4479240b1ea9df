#!/usr/bin/python3
"""An idiomatic PyTorch training loop, for comparing: prints the mean seconds of a step.

    pytorch_loop.py default|best DEPTHS BATCH STEPS THREADS

`default`: eager mode as one writes it down. `best`: channels_last, and bf16 autocast where the processor has bf16.
"""
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Block(nn.Module):
    """Pre-activation basic block without running statistics."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs, track_running_stats=False)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs, track_running_stats=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        projects = stride != 1 or inputs != outputs
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if projects else None

    def forward(self, x):
        a = F.relu(self.bn1(x), inplace=True)
        y = F.relu(self.bn2(self.conv1(a)), inplace=True)
        return self.conv2(y) + (self.shortcut(a) if self.shortcut else x)


class Network(nn.Module):
    def __init__(self, depths, width=64, classes=100):
        super().__init__()
        layers = [nn.Conv2d(3, width, 3, padding=1, bias=False)]
        inputs = width
        for section, depth in enumerate(depths):
            outputs = width * 2**section
            for index in range(depth):
                layers.append(Block(inputs, outputs, 2 if section > 0 and index == 0 else 1))
                inputs = outputs
        self.body = nn.Sequential(*layers)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.fc(self.body(x).mean(dim=(2, 3)))


def has_bf16():
    with open("/proc/cpuinfo") as file:
        return "avx512_bf16" in file.read()


def main():
    mode, depths, batch, steps, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    best = mode == "best"
    model = Network([int(depth) for depth in depths.split(",")])
    if best:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, weight_decay=5e-4)
    samples = TensorDataset(torch.randn(int(batch) * 8, 3, 32, 32), torch.randint(100, (int(batch) * 8,)))
    seconds = []
    while len(seconds) <= int(steps):
        for images, labels in DataLoader(samples, batch_size=int(batch), shuffle=True):
            started = time.perf_counter()
            if best:
                images = images.to(memory_format=torch.channels_last)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=best and has_bf16()):
                loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            loss.item()
            seconds.append(time.perf_counter() - started)
            if len(seconds) > int(steps):
                break
    print(statistics.mean(seconds[1:]))  # the first one sets things up


if __name__ == "__main__":
    main()
