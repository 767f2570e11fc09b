"""Writes SSD300 and VGG16 of torchvision with random weights, saved in every way in which people have them."""

import sys

import torch
import torchvision


def main(folder: str) -> None:
    torch.manual_seed(int(sys.argv[2]))
    torch.set_num_threads(1)
    ssd = torchvision.models.detection.ssd300_vgg16(weights=None, weights_backbone=None, num_classes=4)
    state = ssd.state_dict()
    torch.save(state, f"{folder}/zip.pth")
    torch.save(state, f"{folder}/legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"model": ssd.half().state_dict(), "epoch": 3}, f"{folder}/half.pth")
    torch.save({f"module.{name}": torch.nn.Parameter(value) for name, value in state.items()}, f"{folder}/parallel.pt")
    # A few numbers to hold against: of the last predictor, of the norm, and sums over all.
    head = state["head.classification_head.module_list.5.weight"]
    print(head.flatten()[:8].tolist(), state["backbone.scale_weight"][:2].tolist(), sep="\n")
    print([value.double().sum().item() for value in state.values()])
    vgg16 = torchvision.models.vgg16(weights=None)
    torch.save(vgg16.state_dict(), f"{folder}/vgg16.pth")
    weight = vgg16.state_dict()["classifier.0.weight"].reshape(4096, 512, 7, 7)[::4, :, ::3, ::3]
    print(weight[5, 7].flatten().tolist())


main(sys.argv[1])
