#!/usr/bin/env python3
"""Compares a run's TensorBoard event files, as the tensorboard package reads them, with what else the run wrote.

    load_events.py RUN [FIRST_ROUND...]

Scalars must be those of RUN/metrics.jsonl, the text the newest one of RUN/config.toml, and there must be a picture of the
assignment for every evaluated round and for each FIRST_ROUND (default: 1), in which the run was started or resumed.
Exits with 1 where something differs, and with 77 where this python3 has no tensorboard.
"""
import io
import json
import math
import sys
from pathlib import Path

EXIT_SKIPPED = 77

try:
    from PIL import Image  # tensorboard depends on it
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.compat.tensorflow_stub import errors
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
    from tensorboard.plugin_util import markdown_to_safe_html
    from tensorboard.util import tensor_util
except ModuleNotFoundError as error:
    print(f"not compared, this python3 has no {error.name}")
    sys.exit(EXIT_SKIPPED)

TRAINING = {"training/loss": "loss", "training/learning_rate": "learning_rate", "training/epoch": "epoch",
            "seconds/compute": "seconds_compute", "seconds/wait": "seconds_wait", "seconds/sync": "seconds_sync",
            "bytes/sent": "bytes_sent", "bytes/received": "bytes_received", "bytes/peak_memory": "peak_memory_bytes"}
RESULTS = ("accuracy", "top5_accuracy", "test_loss")
WHITE, GREY, LIGHT, DARK = (255, 255, 255), (225, 225, 225), (130, 175, 230), (25, 75, 145)


def expected_scalars(records):
    """{tag: {round: value}} of metrics.jsonl."""
    scalars = {}
    for record in records:
        values = {tag: record[key] for tag, key in TRAINING.items()}
        if "accuracy" in record:
            values["seconds/evaluation"] = record["seconds_evaluation"]
            values.update({f"evaluation/{key}": record[key] for key in RESULTS})
        for name, result in record.get("further", {}).items():
            values.update({f"evaluation/{name}/{key}": result[key] for key in RESULTS})
        for tag, value in values.items():
            scalars.setdefault(tag, {})[record["round"]] = math.nan if value is None else value
    return scalars


def same(ours, theirs):
    return math.isclose(ours, theirs, rel_tol=1e-6) or (math.isnan(ours) and math.isnan(theirs))


def compare_scalars(events, records):
    expected = expected_scalars(records)
    assert set(events.Tags()["scalars"]) == set(expected), (events.Tags()["scalars"], sorted(expected))
    for tag, values in expected.items():
        found = {event.step: event.value for event in events.Scalars(tag)}
        assert len(found) == len(events.Scalars(tag)), f"{tag}: a round is there twice"
        assert set(found) == set(values), f"{tag}: rounds {sorted(found)}, expected {sorted(values)}"
        for step, value in values.items():
            assert same(found[step], value), f"{tag}, round {step}: {found[step]}, expected {value}"
    times = [event.wall_time for event in events.Scalars("training/loss")]
    assert times == sorted(times) and times[0] > 1.6e9, times


def strings(event):
    """What the tensor holds: bytes, or a list of them."""
    return tensor_util.make_ndarray(event.tensor_proto).tolist()


def compare_text(events, run):
    """What the text plugin shows of the newest config is the file."""
    config = (run / "config.toml").read_text()
    assert events.SummaryMetadata("config").plugin_data.plugin_name == "text"
    newest = strings(events.Tensors("config")[-1]).decode()
    assert newest == "".join(f"    {line}\n" for line in config.splitlines()), "the text is not config.toml"
    shown = markdown_to_safe_html(newest)
    assert shown.startswith("<pre><code>") and shown.count("<code>") == 1, shown[:80]
    assert shown.count("\n") >= config.rstrip().count("\n"), shown
    return len(events.Tensors("config"))


def cells(picture, workers):
    """The picture as rows of colours, without lines and gaps: one for each worker, a colour for each block."""
    def middles(pixels):
        middle, start = [], None
        for place, colored in enumerate([*pixels, False]):
            if colored and start is None:
                start = place
            elif not colored and start is not None:
                middle.append((start + place - 1) // 2)
                start = None
        return middle

    at = picture.getpixel
    columns = middles(any(at((x, y)) != WHITE for y in range(picture.height)) for x in range(picture.width))
    rows = middles(any(at((x, y)) != WHITE for x in range(picture.width)) for y in range(picture.height))
    assert len(rows) == workers, f"{len(rows)} rows for {workers} workers"
    return [[at((x, y)) for x in columns] for y in rows]


def compare_pictures(events, records, first_rounds):
    expected = sorted({record["round"] for record in records if "accuracy" in record} | set(first_rounds))
    assert events.SummaryMetadata("assignment").plugin_data.plugin_name == "images"
    images = events.Tensors("assignment")
    assert [image.step for image in images] == expected, ([image.step for image in images], expected)
    workers = {record["round"]: len(record["workers"]["loss"]) for record in records}
    tables = []
    for image in images:
        width, height, png = strings(image)
        picture = Image.open(io.BytesIO(png))
        assert picture.format == "PNG" and picture.size == (int(width), int(height)), picture
        table = cells(picture.convert("RGB"), workers[image.step])
        for block in zip(*table):
            alone, shared = block.count(DARK), block.count(LIGHT)
            assert (alone, shared) == (1, 0) or (alone == 0 and shared > 1), f"round {image.step}: {block}"
            assert alone + shared + block.count(GREY) == len(block), f"round {image.step}: {block}"
        tables.append(table)
    return tables


def read_to_end(file):
    """Events in the file; DataLossError where a checksum is wrong."""
    reader, count = PyRecordReader_New(str(file)), 0
    while True:
        try:
            reader.GetNext()
        except errors.OutOfRangeError:
            return count
        count += 1


def check_flips(file):
    """A flipped bit is noticed, wherever it is."""
    whole = file.read_bytes()
    damaged = file.with_name("damaged")
    for place in range(0, len(whole), max(1, len(whole) // 97)):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1:])
        try:
            read_to_end(damaged)
        except errors.DataLossError:
            continue
        finally:
            damaged.unlink()
        raise AssertionError(f"{file.name}: a flipped bit of byte {place} goes unnoticed")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run = Path(sys.argv[1])
    first_rounds = [int(text) for text in sys.argv[2:]] or [1]
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    files = sorted((run / "tensorboard").iterdir())
    count = sum(read_to_end(file) for file in files)
    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    compare_scalars(events, records)
    texts = compare_text(events, run)
    tables = compare_pictures(events, records, first_rounds)
    check_flips(files[-1])
    print(f"{len(files)} files, {count} events: {len(records)} rounds, {texts} texts and {len(tables)} pictures are right")


try:
    main()
except (AssertionError, errors.DataLossError) as error:
    sys.exit(f"wrong: {error}")
