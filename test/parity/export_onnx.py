"""Runs a file of `multibox export --format onnx` in Python, for test/parity/export.test.ts.

    python test/parity/export_onnx.py onnxruntime|opencv FOLDER HEIGHT WIDTH

reads FOLDER/model.onnx and FOLDER/pictures.u8 (uint8 RGB of the network's size), and writes each output as FOLDER/NAME.f32 or, where it
is of integers, FOLDER/NAME.i64. Prints the version of what ran it. Needs numpy, and onnxruntime or cv2.
"""

import sys
from pathlib import Path

import numpy


def run_onnxruntime(model, pictures):
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return f"onnxruntime {onnxruntime.__version__}", dict(zip(names, session.run(names, {"pictures": pictures})))


def run_opencv(model, pictures):
    import cv2

    net = cv2.dnn.readNetFromONNX(model)
    # Winograd's transform is quicker and rounds more.
    net.enableWinograd(False)
    net.setInput(pictures)
    names = ["offsets", "logits"]
    return f"OpenCV {cv2.__version__}", dict(zip(names, net.forward(names)))


def main(program, folder, height, width):
    folder = Path(folder)
    pictures = numpy.fromfile(folder / "pictures.u8", numpy.uint8).reshape(-1, int(height), int(width), 3)
    run = {"onnxruntime": run_onnxruntime, "opencv": run_opencv}[program]
    version, outputs = run(str(folder / "model.onnx"), pictures)
    for name, values in outputs.items():
        kind = "i64" if values.dtype == numpy.int64 else "f32"
        values.tofile(folder / f"{name}.{kind}")
    print(version)


if __name__ == "__main__":
    main(*sys.argv[1:])
