"""Data sets that the studies train on and that no program option names: made once, under data/ (ignored by git)."""
import gzip
import os
import shutil
import struct
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # the Debian package dataset-fashion-mnist
# CIFAR-10 as class folders of pictures, below train/ and test/: any copy, where RESIST_CIFAR10 says or here.
CIFAR10 = Path(os.environ.get("RESIST_CIFAR10", ROOT / "data" / "cifar10-jpeg"))
SIDE = 14


class Missing(Exception):
    """What a data set is made from is not there."""


def read_idx(path):
    """Sizes and bytes of an IDX file."""
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    return struct.unpack_from(f">{dimensions}I", content, 4), content[4 + 4 * dimensions:]


def write_idx(path, sizes, values):
    header = bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)
    path.write_bytes(gzip.compress(header + bytes(values), mtime=0))


def pooled(pixels, count):
    """Pictures of 28x28 made half as large, each pixel the rounded mean of four."""
    out = bytearray()
    for row in range(count * SIDE):
        above = pixels[56 * row:56 * row + 28]
        below = pixels[56 * row + 28:56 * row + 56]
        out += bytes((a + b + c + d + 2) // 4
                     for a, b, c, d in zip(above[::2], above[1::2], below[::2], below[1::2]))
    return out


def fashion_mnist_14(_, folder):
    """The first 25 000 training pictures of Fashion-MNIST and its test pictures, 14x14."""
    folder.mkdir(parents=True)
    for part, count in (("train", 25000), ("t10k", 10000)):
        _, pixels = read_idx(FASHION_MNIST / f"{part}-images-idx3-ubyte.gz")
        _, labels = read_idx(FASHION_MNIST / f"{part}-labels-idx1-ubyte.gz")
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", (count, SIDE, SIDE), pooled(pixels, count))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", (count,), labels[:count])


def cifar10_16(program, file):
    """CIFAR-10, 16x16: 50 000 training and 10 000 test pictures."""
    if not CIFAR10.is_dir():
        raise Missing(f"no pictures in {CIFAR10}: RESIST_CIFAR10 names a folder with CIFAR-10's train/ and test/")
    file.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([program, "data", "pack", CIFAR10, file, "--storage", "pixels", "--resize", "16"], check=True,
                   stdout=subprocess.DEVNULL)


# How each is made, and the options that name what was made.
MAKERS = {
    "fashion-mnist-14": (fashion_mnist_14, lambda made: {"data": "fashion-mnist", "data-dir": made}),
    "cifar10-16": (cifar10_16, lambda made: {"data": made}),
}


def data_options(program, name):
    """The options of `resist train` for a data set of a study; made if it is not there."""
    if name not in MAKERS:
        return {"data": name}
    make, options = MAKERS[name]
    made = ROOT / "data" / name
    if not made.exists():
        unfinished = made.with_name(f".{name}.tmp")
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        unfinished.unlink(missing_ok=True)
        make(program, unfinished)
        unfinished.rename(made)
    return options(str(made))
