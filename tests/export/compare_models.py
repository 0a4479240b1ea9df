#!/usr/bin/env python3
"""Compares resist's logits with what others make of the models that it exported.

    compare_models.py IMAGES LOGITS MODEL...

MODEL: model.safetensors (worked by reference.py, in PyTorch) or model.onnx (by onnxruntime). IMAGES and LOGITS are
float32: .npy files, or nothing but the values; images are normalised. Exits with 1 where a logit differs by more than
1e-4, and with 77 where this python3 lacks what a MODEL needs.
"""
import sys

import numpy as np

TOLERANCE = 1e-4
EXIT_SKIPPED = 77


def load_values(path, shape):
    values = np.load(path) if path.endswith(".npy") else np.fromfile(path, dtype="<f4")
    return np.ascontiguousarray(values, dtype=np.float32).reshape([-1, *shape])


def with_pytorch(model, images):
    import reference
    return reference.classify(model, images)


def with_onnxruntime(model, images):
    import onnxruntime
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    (logits,) = session.run(["logits"], {"images": load_values(images, given.shape[1:])})
    return logits


def compare(name, theirs, ours):
    """Whether all agree."""
    difference = np.abs(theirs - ours)
    print(f"{name}: {len(theirs)} images, logits of up to {np.abs(theirs).max():.3g} differ by up to "
          f"{difference.max():.3g}")
    return bool(difference.max() <= TOLERANCE)  # false for NaN


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    images, logits = sys.argv[1:3]
    agree, skipped = True, False
    for model in sys.argv[3:]:
        onnx = model.endswith(".onnx")
        try:
            theirs = with_onnxruntime(model, images) if onnx else with_pytorch(model, images)
        except ModuleNotFoundError as error:
            print(f"{model}: not compared, this python3 has no {error.name}")
            skipped = True
            continue
        ours = load_values(logits, theirs.shape[1:])
        assert ours.shape == theirs.shape, f"{len(ours)} rows of logits for {len(theirs)} images"
        assert len(ours) > 1 and np.ptp(ours, axis=0).max() > 100 * TOLERANCE, "all images alike would prove nothing"
        agree = compare("onnxruntime" if onnx else "PyTorch", theirs, ours) and agree
    sys.exit(1 if not agree else EXIT_SKIPPED if skipped else 0)


main()
