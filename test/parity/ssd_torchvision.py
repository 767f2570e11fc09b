"""SSD300 in torchvision, with the weights of ssd_networks.py, for test/parity/ssd-torchvision.test.ts.

    python test/parity/ssd_torchvision.py FOLDER SEED [CLASSES]

reads FOLDER/pictures.u8 (pictures of 300 x 300, uint8 RGB), and FOLDER/photos.json (width, height and file of photos of their own
sizes, uint8 RGB). Writes into FOLDER

    weights.pth, weights.safetensors   the state dict
    boxes.f32                          the default boxes, [cx, cy, width, height] as shares of the sides
    offsets.f32, logits.f32            of the pictures
    detections.json                    of each picture: with torchvision's settings, and without a limit of their number
    resized.f32                        the photos as torchvision resizes them, 300 x 300 x 3, levels of 0..255

Needs torch and torchvision with its compiled operators.
"""

import json
import struct
import sys
from pathlib import Path

import numpy
import torch
from torchvision.models.detection import ssd300_vgg16

from ssd_networks import random_weights


def main(folder, seed, classes=91):
    folder = Path(folder)
    state = {}
    for (_, name, _, shape, _), tensors in random_weights(300, classes, seed):
        names = [f"{name}.scale_weight"] if len(shape) == 1 else [f"{name}.weight", f"{name}.bias"]
        state.update(zip(names, map(torch.from_numpy, tensors)))
    model = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=classes).eval()
    # Strict: every name and shape is torchvision's, and none is missing.
    model.load_state_dict(state)
    torch.save(model.state_dict(), folder / "weights.pth")
    write_safetensors(folder / "weights.safetensors", model.state_dict())
    pictures = numpy.fromfile(folder / "pictures.u8", numpy.uint8).reshape(-1, 300, 300, 3)
    with torch.no_grad():
        detect(model, [to_tensor(picture) for picture in pictures], folder)
        resize(model, json.loads((folder / "photos.json").read_text()), folder)


def detect(model, images, folder):
    batch, _ = model.transform(images)
    features = list(model.backbone(batch.tensors).values())
    heads = model.head(features)
    grid = [feature.shape[-2:] for feature in features]
    write(folder / "boxes.f32", model.anchor_generator._grid_default_boxes(grid, batch.tensors.shape[-2:]))
    write(folder / "offsets.f32", heads["bbox_regression"])
    write(folder / "logits.f32", heads["cls_logits"])
    limited = model(images)
    model.detections_per_img = 10**9
    found = [{"limited": rows(a), "everything": rows(b)} for a, b in zip(limited, model(images))]
    (folder / "detections.json").write_text(json.dumps(found))


def resize(model, photos, folder):
    images = []
    for photo in photos:
        data = numpy.fromfile(folder / photo["file"], numpy.uint8)
        images.append(to_tensor(data.reshape(photo["height"], photo["width"], 3)))
    batch, _ = model.transform(images)
    mean = torch.tensor(model.transform.image_mean)[None, :, None, None] * 255
    write(folder / "resized.f32", (batch.tensors + mean).permute(0, 2, 3, 1))


def to_tensor(picture):
    """As torchvision's transforms do: channels first, 0..1."""
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255


def rows(found):
    """[class, score, x1, y1, x2, y2] for each detection."""
    columns = [found["labels"][:, None].double(), found["scores"][:, None].double(), found["boxes"].double()]
    return torch.cat(columns, dim=1).tolist()


def write(path, tensor):
    tensor.contiguous().numpy().astype("<f4").tofile(path)


def write_safetensors(path, state):
    """The format is a length, a JSON header and the data, so that no package is needed."""
    header, end = {}, 0
    for name, tensor in state.items():
        size = tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in state.values():
            file.write(tensor.contiguous().numpy().astype("<f4").tobytes())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
