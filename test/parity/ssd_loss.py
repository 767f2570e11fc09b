"""torchvision's SSD loss, for test/parity/ssd-loss.test.ts.

    python test/parity/ssd_loss.py FOLDER

reads FOLDER/case.json (pictures with truths as [x1, y1, x2, y2] in pixels and labels) and the float32 files boxes ([cx, cy, width,
height] in pixels), offsets and logits, and writes FOLDER/loss.json: the two losses, which truth each default box was given, and
offsets.grad.f64 and logits.grad.f64. Needs numpy, torch and torchvision.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy
import torch
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.models.detection.ssd import SSD
from torchvision.ops import box_convert, box_iou


def main(folder):
    folder = Path(folder)
    case = json.loads((folder / "case.json").read_text())

    def read(name, *shape):
        values = numpy.fromfile(folder / f"{name}.f32", "<f4").astype(numpy.float64)
        return torch.from_numpy(values.reshape(shape))

    pictures = case["pictures"]
    anchors = box_convert(read("boxes", -1, 4), "cxcywh", "xyxy")
    heads = {
        "bbox_regression": read("offsets", len(pictures), len(anchors), 4).requires_grad_(),
        "cls_logits": read("logits", len(pictures), len(anchors), -1).requires_grad_(),
    }
    targets = [
        {"boxes": torch.tensor(one["boxes"], dtype=torch.float64), "labels": torch.tensor(one["labels"])} for one in pictures
    ]
    matcher = SSDMatcher(0.5)
    matched = [matcher(box_iou(target["boxes"], anchors)) for target in targets]
    # What SSD.compute_loss reads of the model, as ssd300_vgg16 sets it.
    model = SimpleNamespace(box_coder=BoxCoder(weights=(10.0, 10.0, 5.0, 5.0)), neg_to_pos_ratio=3)
    losses = SSD.compute_loss(model, targets, heads, [anchors] * len(pictures), matched)
    (losses["bbox_regression"] + losses["classification"]).backward()
    for name, head in (("offsets", "bbox_regression"), ("logits", "cls_logits")):
        heads[head].grad.numpy().astype("<f8").tofile(folder / f"{name}.grad.f64")
    reply = {
        "box": losses["bbox_regression"].item(),
        "class": losses["classification"].item(),
        "given": [[max(int(truth), -1) for truth in one] for one in matched],
    }
    (folder / "loss.json").write_text(json.dumps(reply))


if __name__ == "__main__":
    main(sys.argv[1])
