"""The default boxes of other implementations, for test/parity/ssd-default-boxes.test.ts.

    python test/parity/ssd_default_boxes.py FOLDER

writes FOLDER/SPEC.f32, [cx, cy, width, height] of each box as shares of the sides: by OpenCV's PriorBox layer for the four released
tilings of Caffe where there is OpenCV 4, by torchvision's DefaultBoxGenerator where there is torchvision. Needs numpy and one of them.
"""

import sys
from pathlib import Path

import numpy

CELLS = {300: [38, 19, 10, 5, 3, 1], 512: [64, 32, 16, 8, 4, 2, 1]}


def opencv():
    import cv2

    from ssd_caffe import SIZES, prior_box

    for data, tilings in SIZES.items():
        for size, sizes in tilings.items():
            # PriorBox reads no values of its inputs, only their sizes.
            inputs = {"data": numpy.zeros((1, 3, size, size), numpy.float32)}
            inputs.update({f"map{i}": numpy.zeros((1, 1, side, side), numpy.float32) for i, side in enumerate(CELLS[size])})
            text = [
                f'input: "{name}" input_shape {{ {" ".join(f"dim: {side}" for side in blob.shape)} }}'
                for name, blob in inputs.items()
            ]
            for i in range(len(CELLS[size])):
                bottoms = f'bottom: "map{i}" bottom: "data" top: "boxes{i}"'
                text.append(f'layer {{ name: "boxes{i}" type: "PriorBox" {bottoms} {prior_box(size, i, sizes)} }}')
            net = cv2.dnn.readNetFromCaffe(numpy.frombuffer("\n".join(text).encode(), numpy.uint8))
            for name, blob in inputs.items():
                net.setInput(blob, name)
            answers = net.forward([f"boxes{i}" for i in range(len(CELLS[size]))])
            # [1, 2, boxes * 4]: corners, then variances.
            corners = numpy.concatenate([answer[0, 0].reshape(-1, 4) for answer in answers]).astype(numpy.float64)
            low, high = corners[:, :2], corners[:, 2:]
            yield f"ssd{size}-vgg16-{data}", numpy.concatenate([(low + high) / 2, high - low], axis=1)


def torchvision():
    from torchvision.models.detection import ssd300_vgg16

    generator = ssd300_vgg16(weights=None, weights_backbone=None).anchor_generator
    yield "ssd300-vgg16-torchvision", generator._grid_default_boxes([(n, n) for n in CELLS[300]], (300, 300)).numpy()


def main(folder):
    found = 0
    for source in (opencv, torchvision):
        try:
            for name, boxes in source():
                boxes.astype("<f4").tofile(Path(folder) / f"{name}.f32")
                found += 1
        except ImportError:  # Each Python need only have one of the two.
            continue
    if not found:
        raise SystemExit("There is neither OpenCV nor torchvision.")


if __name__ == "__main__":
    main(sys.argv[1])
