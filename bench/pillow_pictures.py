#!/usr/bin/env python3
"""pillow_pictures.py FOLDER random|centre PASSES: the same as picture_bench, with Pillow and numpy.

What torchvision does to a training picture (RandomResizedCrop, flip, to float, normalise) or an evaluation one (Resize,
CenterCrop), written out, on one thread.
"""
import math
import random
import sys
import time
from pathlib import Path

import numpy
from PIL import Image

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


def for_training(picture, draws):
    picture = picture.crop(random_box(*picture.size, draws)).resize((SIDE, SIDE), Image.BILINEAR)
    return picture.transpose(Image.FLIP_LEFT_RIGHT) if draws.random() < 0.5 else picture


def for_evaluation(picture, _draws):
    width, height = picture.size
    shorter = min(width, height)
    picture = picture.resize((round(width * 256 / shorter), round(height * 256 / shorter)), Image.BILINEAR)
    left, top = (picture.size[0] - SIDE) // 2, (picture.size[1] - SIDE) // 2
    return picture.crop((left, top, left + SIDE, top + SIDE))


def main():
    folder, crop, passes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    work = {"random": for_training, "centre": for_evaluation}[crop]
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    draws = random.Random(1)
    start = time.perf_counter()
    for _ in range(passes):
        for file in files:
            with Image.open(file) as opened:
                picture = work(opened.convert("RGB"), draws)
            values = numpy.asarray(picture, numpy.float32) / 255
            numpy.ascontiguousarray(((values - MEAN) / STDDEV).transpose(2, 0, 1))
    print(f"{passes * len(files) / (time.perf_counter() - start):.2f}")


main()
