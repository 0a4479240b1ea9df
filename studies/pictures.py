"""Data sets that the studies train on and that no program option names: made once, under data/ (ignored by git)."""
import gzip
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # the Debian package dataset-fashion-mnist
SIDE = 14


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


def fashion_mnist_14(folder):
    """The first 25 000 training pictures of Fashion-MNIST and its test pictures, 14x14."""
    for part, count in (("train", 25000), ("t10k", 10000)):
        _, pixels = read_idx(FASHION_MNIST / f"{part}-images-idx3-ubyte.gz")
        _, labels = read_idx(FASHION_MNIST / f"{part}-labels-idx1-ubyte.gz")
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", (count, SIDE, SIDE), pooled(pixels, count))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", (count,), labels[:count])


MAKERS = {"fashion-mnist-14": ("fashion-mnist", fashion_mnist_14)}


def data_options(name):
    """The options of `resist train` for a data set of a study; made if it is not there."""
    if name not in MAKERS:
        return {"data": name}
    known, make = MAKERS[name]
    folder = ROOT / "data" / name
    if not folder.exists():
        unfinished = folder.with_name(f".{name}.tmp")
        unfinished.mkdir(parents=True, exist_ok=True)
        make(unfinished)
        unfinished.rename(folder)
    return {"data": known, "data-dir": str(folder)}
