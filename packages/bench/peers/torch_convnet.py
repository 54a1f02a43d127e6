"""One side of `bpc bench cd-step`: a ConvNet's loss and parameter gradients in PyTorch.

usage: torch_convnet.py eager|compile BATCH THREADS WIDTH
Reads lines with a count from standard input; for each, times that many steps and prints {"ms": [...], "peakRssMb": ...}.
"""
import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

kind, batch, threads, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)
layers, channels = [], 3
for _ in range(3):
    layers += [nn.Conv2d(channels, width, 3, padding=1), nn.GroupNorm(width, width), nn.ReLU(), nn.AvgPool2d(2, 2)]
    channels = width
# Channels last is the faster of PyTorch's two layouts on a processor.
model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * 16, 10)).to(memory_format=torch.channels_last)
x = torch.randn(batch, 3, 32, 32).contiguous(memory_format=torch.channels_last)
y = torch.arange(batch) % 10
params = list(model.parameters())
run = torch.compile(model) if kind == "compile" else model


def step():
    return torch.autograd.grad(F.cross_entropy(run(x), y), params)


for _ in range(3):
    step()
print(json.dumps({"ready": True, "version": torch.__version__}), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begun = time.perf_counter()
        step()
        times.append((time.perf_counter() - begun) * 1e3)
    print(json.dumps({"ms": times, "peakRssMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)
