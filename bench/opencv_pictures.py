#!/usr/bin/env python3
"""opencv_pictures.py FOLDER random|centre PASSES: the same as pillow_pictures.py, with OpenCV and numpy, on one thread.

Reduced with INTER_AREA, which like the others looks at every pixel; enlarged with INTER_LINEAR.
"""
import sys

import cv2

from picture_work import SIDE, random_box, time_pictures


def resized(picture, size):
    reduces = size[0] < picture.shape[1]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if reduces else cv2.INTER_LINEAR)


def for_training(picture, draws):
    left, top, right, bottom = random_box(picture.shape[1], picture.shape[0], draws)
    picture = resized(picture[top:bottom, left:right], (SIDE, SIDE))
    return cv2.flip(picture, 1) if draws.random() < 0.5 else picture


def for_evaluation(picture, _draws):
    height, width = picture.shape[:2]
    shorter = min(width, height)
    picture = resized(picture, (round(width * 256 / shorter), round(height * 256 / shorter)))
    top, left = (picture.shape[0] - SIDE) // 2, (picture.shape[1] - SIDE) // 2
    return picture[top:top + SIDE, left:left + SIDE]


def prepare(file, crop, draws):
    work = {"random": for_training, "centre": for_evaluation}[crop]
    return cv2.cvtColor(work(cv2.imread(str(file), cv2.IMREAD_COLOR), draws), cv2.COLOR_BGR2RGB)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    time_pictures(prepare, *sys.argv[1:])
