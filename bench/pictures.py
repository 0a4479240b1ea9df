#!/usr/bin/env python3
"""Pictures a second that resist, Pillow and OpenCV prepare for a network, one core, same files, alternating.

    bench/pictures.py PICTURE_BENCH FOLDER [REPEATS] [PASSES]     default: 5 repeats of 2 passes over the pictures

PICTURE_BENCH: build/bench/bin/picture_bench. FOLDER: class folders of pictures as large as ImageNet's. Kept in
bench/results/; `bench/performance.py report` writes docs/performance.md. RESIST_OPENCV_PYTHON: a Python that has cv2
(pip install opencv-python-headless); without it OpenCV is left out.
"""
import os
import statistics
import subprocess
import sys
from pathlib import Path

from local_step import PYTHON
from machine import about, keep

HERE = Path(__file__).resolve().parent


def measure(program, folder, repeats=5, passes=2):
    contenders = {"resist": [program], "Pillow": [PYTHON, HERE / "pillow_pictures.py"]}
    if "RESIST_OPENCV_PYTHON" in os.environ:
        contenders["OpenCV"] = [os.environ["RESIST_OPENCV_PYTHON"], HERE / "opencv_pictures.py"]
    result = {"repeats": repeats, "passes": passes, "crops": {}}
    for crop in ("random", "centre"):
        rates = {who: [] for who in contenders}
        for _ in range(repeats):
            for who, command in contenders.items():
                answer = subprocess.run(["taskset", "-c", "0", *command, folder, crop, str(passes)], check=True,
                                        capture_output=True, text=True).stdout
                rates[who].append(float(answer))
        result["crops"][crop] = rates
        print(crop, {who: round(statistics.median(values)) for who, values in rates.items()}, flush=True)
    return result


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    given = [int(word) for word in sys.argv[3:5]]
    keep("pictures", {**about(), **measure(sys.argv[1], sys.argv[2], *given)})


if __name__ == "__main__":
    main()
