#!/usr/bin/python3
"""One worker of a PyTorch job that synchronises the paper's whole network over Gloo; started by bench/compare.

    pytorch_round.py ddp|local-sgd REPEATS     environment as torchrun sets it

Each worker trains with momentum, at batch 1. `ddp`: DistributedDataParallel, which averages gradients in every step;
seconds are what a step with synchronisation takes longer than one without, where next to no computing hides it.
`local-sgd`: parameters averaged once a round, tensor by tensor, as one writes it down. Worker 0 prints seconds, bytes that
its interfaces sent, peak memory.
"""
import json
import os
import resource
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from pytorch_loop import Network


def sent_bytes():
    lines = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    return sum(int(line.split(":")[1].split()[8]) for line in lines if not line.strip().startswith("lo:"))


def local_step(model):
    """A function that trains on a batch of one, and returns the seconds of the forward and backward pass."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9, weight_decay=5e-4)
    images, labels = torch.randn(1, 3, 32, 32), torch.zeros(1, dtype=torch.long)

    def step():
        optimizer.zero_grad()
        started = time.perf_counter()
        F.cross_entropy(model(images), labels).backward()
        seconds = time.perf_counter() - started
        optimizer.step()
        return seconds

    return step


def ddp(model):
    model = DistributedDataParallel(model)
    step = local_step(model)

    def synchronise():
        with model.no_sync():
            alone = step()
        dist.barrier()
        return step() - alone

    return synchronise


def local_sgd(model):
    step = local_step(model)

    def synchronise():
        step()
        dist.barrier()
        started = time.perf_counter()
        for parameter in model.parameters():
            dist.all_reduce(parameter.data)
            parameter.data /= dist.get_world_size()
        return time.perf_counter() - started

    return synchronise


def main():
    method, repeats = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    synchronise = {"ddp": ddp, "local-sgd": local_sgd}[method](Network([3, 4, 23, 3]))
    synchronise()  # opens connections; DDP orders its buckets
    before = sent_bytes()
    seconds = [synchronise() for _ in range(repeats)]
    if dist.get_rank() == 0:
        print(json.dumps({"seconds": seconds, "bytes_sent": (sent_bytes() - before) // repeats,
                          "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
    dist.barrier()


main()
