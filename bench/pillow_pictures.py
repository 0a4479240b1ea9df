#!/usr/bin/env python3
"""pillow_pictures.py FOLDER random|centre PASSES: the same as picture_bench, with Pillow and numpy, on one thread."""
import sys

import numpy
from PIL import Image

from picture_work import SIDE, random_box, time_pictures


def for_training(picture, draws):
    picture = picture.crop(random_box(*picture.size, draws)).resize((SIDE, SIDE), Image.BILINEAR)
    return picture.transpose(Image.FLIP_LEFT_RIGHT) if draws.random() < 0.5 else picture


def for_evaluation(picture, _draws):
    width, height = picture.size
    shorter = min(width, height)
    picture = picture.resize((round(width * 256 / shorter), round(height * 256 / shorter)), Image.BILINEAR)
    left, top = (picture.size[0] - SIDE) // 2, (picture.size[1] - SIDE) // 2
    return picture.crop((left, top, left + SIDE, top + SIDE))


def prepare(file, crop, draws):
    work = {"random": for_training, "centre": for_evaluation}[crop]
    with Image.open(file) as opened:
        return numpy.asarray(work(opened.convert("RGB"), draws))


if __name__ == "__main__":
    time_pictures(prepare, *sys.argv[1:])
