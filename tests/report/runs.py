"""Run folders made by hand, for tests of `resist report` and `resist serve`."""
import json


def record(round_number, workers=2, accuracy=None, loss=None, samples_a_round=256, dataset=1000):
    """One line of metrics.jsonl, with numbers that differ from round to round and worker to worker."""
    compute = [2 + 0.25 * worker + 0.5 / round_number for worker in range(workers)]
    values = {
        "loss": [loss if loss is not None else 2 / round_number] * workers,
        "seconds_compute": compute,
        "seconds_wait": [max(compute) - own for own in compute],
        "seconds_sync": [0.5] * workers,
        "bytes_sent": [1000 * (worker + 1) + round_number for worker in range(workers)],
        "bytes_received": [1500 + round_number] * workers,
        "peak_memory_bytes": [100_000_000 + worker for worker in range(workers)],
    }
    line = {"round": round_number, "epoch": round_number * samples_a_round / dataset, "loss": values["loss"][0],
            "learning_rate": 0.03, "samples": round_number * samples_a_round, "seconds_compute": max(compute),
            "seconds_sync": 0.5, "seconds_wait": max(values["seconds_wait"]), "seconds_evaluation": 0,
            "bytes_sent": sum(values["bytes_sent"]), "bytes_received": sum(values["bytes_received"]),
            "peak_memory_bytes": 100_000_001, "workers": values}
    if accuracy is not None:
        line.update(accuracy=accuracy, top5_accuracy=1.0, test_loss=1 - accuracy, eval_batch_size=250,
                    eval_permutation_seed=0, seconds_evaluation=0.25)
    return line


def write_config(folder, **options):
    folder.mkdir(parents=True, exist_ok=True)
    options = {"method": "resist", "data": "synthetic:1000,1,16,16,4", "depths": [1, 1, 6, 1], "min-blocks": 1, **options}
    (folder / "config.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items()))


def append(folder, records):
    with (folder / "metrics.jsonl").open("a") as metrics:
        for line in records:
            metrics.write(json.dumps(line) + "\n")


def make_run(folder, rounds=6, workers=2, **options):
    """A run that was evaluated after every second round and whose loss was once not finite. Returns its records."""
    write_config(folder, **options)
    records = [record(n, workers, accuracy=1 - 1 / (n + 1) if n % 2 == 0 else None) for n in range(1, rounds + 1)]
    if rounds > 3:
        records[2]["loss"] = None
    append(folder, records)
    return records
