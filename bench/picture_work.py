"""What torchvision does to a training picture (RandomResizedCrop, flip, to float, normalise) or an evaluation one (Resize,
CenterCrop), as far as it does not depend on the library that handles the picture."""
import math
import random
import time
from pathlib import Path

import numpy

SIDE = 224
MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
STDDEV = numpy.array([0.229, 0.224, 0.225], numpy.float32)


def random_box(width, height, draws):
    for _ in range(10):
        area = width * height * draws.uniform(0.08, 1)
        aspect = math.exp(draws.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = draws.randint(0, width - w), draws.randint(0, height - h)
            return left, top, left + w, top + h
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def time_pictures(prepare, folder, crop, passes):
    """Prints pictures a second. prepare(file, crop, draws): an array [SIDE, SIDE, 3] of bytes, in colour."""
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    draws = random.Random(1)
    start = time.perf_counter()
    for _ in range(int(passes)):
        for file in files:
            values = prepare(file, crop, draws).astype(numpy.float32) / 255
            numpy.ascontiguousarray(((values - MEAN) / STDDEV).transpose(2, 0, 1))
    print(f"{int(passes) * len(files) / (time.perf_counter() - start):.2f}")
