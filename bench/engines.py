"""Others' SSD in Python, for bench/engines.ts: `python engines.py torchvision|opencv`.

Answers each line of JSON (folder, model, batch, runs) with the milliseconds of a run: uint8 pictures in, raw offsets and logits out.
torchvision needs torch and torchvision, and takes the GPU where PyTorch has one; opencv needs cv2.
"""

import json
import os
import sys
import time

import numpy


def answer(**reply):
    print(json.dumps(reply), flush=True)


def torchvision():
    import torch

    try:
        import torchvision
    except RuntimeError:
        # A wheel whose compiled operators do not fit this PyTorch: the network needs none, only their names.
        names = torch.library.Library("torchvision", "DEF")
        for operator in ["nms", "qnms"]:
            names.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        import torchvision
    from torchvision.models.detection import ssd300_vgg16

    device = "cuda" if torch.cuda.is_available() else "cpu"
    # All digits of fp32, as our engines have them.
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=21).eval().to(device)
    mean = torch.tensor([123.0, 117.0, 104.0], device=device).view(1, 3, 1, 1)

    def run(pictures):
        with torch.no_grad():
            planes = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float() - mean
            heads = model.head(list(model.backbone(planes).values()))
        return [heads["bbox_regression"].cpu(), heads["cls_logits"].cpu()]

    def load(request):
        if not request["model"].startswith("ssd300"):
            raise ValueError("torchvision has SSD300 only")
        return run, 300

    return f"torchvision {torchvision.__version__}, PyTorch {torch.__version__.split('+')[0]} ({device})", load


def opencv():
    import cv2

    def load(request):
        net = cv2.dnn.readNetFromONNX(request["folder"] + "/model.onnx")

        def run(pictures):
            net.setInput(pictures)
            return net.forward(["offsets", "logits"])

        return run, 512 if "512" in request["model"] else 300

    return f"OpenCV {cv2.__version__} dnn", load


def main(program):
    try:
        name, load = {"torchvision": torchvision, "opencv": opencv}[program]()
    except Exception as error:
        answer(error=str(error))
        return
    answer(name=name)
    opened = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            key = (request["folder"], request["batch"])
            if opened is None or opened[0] != key:
                opened = None
                # OpenCV keeps the shapes of the first batch.
                opened = (key, *load(request))
            _, run, side = opened
            shape = (request["batch"], side, side, 3)
            pictures = numpy.random.default_rng(1).integers(0, 256, shape, numpy.uint8)
            start = time.perf_counter()
            for _ in range(request["runs"]):
                run(pictures)
            answer(ms=(time.perf_counter() - start) * 1000 / request["runs"])
        except Exception as error:
            answer(error=str(error).splitlines()[0])


if __name__ == "__main__":
    main(sys.argv[1])
