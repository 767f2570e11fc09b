"""Random detections and what pycocotools says of them, for test/parity/coco-metrics.test.ts.

    python test/parity/coco-metrics.py random INSTANCES.json SEED   detections for that file, and their figures
    python test/parity/coco-metrics.py score INSTANCES.json DETECTIONS.json   the figures of these
    python test/parity/coco-metrics.py golden                       test/fixtures/coco-metrics.golden.json

Needs numpy and pycocotools. Prints JSON.
"""

import contextlib
import io
import json
import random
import sys

import numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = "AP AP50 AP75 APsmall APmedium APlarge AR1 AR10 AR100 ARsmall ARmedium ARlarge".split()


def random_detections(truth, rng):
    """Near misses of every object, doubles, other classes, strays; many equal scores, some empty boxes."""
    classes = [category["id"] for category in truth["categories"]]
    found = []

    def add(image_id, category_id, box):
        # Two decimals make ties, within a picture and between pictures.
        score = round(rng.random(), 2) if rng.random() < 0.5 else rng.random()
        found.append({"image_id": image_id, "category_id": category_id, "bbox": box, "score": score})

    for object_ in truth["annotations"]:
        x, y, w, h = object_["bbox"]
        for _ in range(rng.choice([0, 1, 1, 2, 4])):
            jitter = rng.choice([0, 0.02, 0.1, 0.3])
            dx, dy, dw, dh = (rng.uniform(-jitter, jitter) for _ in range(4))
            box = [x + dx * w, y + dy * h, w * (1 + dw), h * (1 + dh)]
            add(object_["image_id"], rng.choice(classes) if rng.random() < 0.1 else object_["category_id"], box)
    for image in truth["images"]:
        for _ in range(rng.choice([0, 3, 10])):
            w, h = rng.uniform(0, image["width"]), rng.uniform(0, image["height"])
            if rng.random() < 0.05:
                w = 0
            box = [rng.uniform(0, image["width"] - w), rng.uniform(0, image["height"] - h), w, h]
            add(image["id"], rng.choice(classes), box)
    # One class many times over in one picture: only the best hundred count.
    crowded = rng.choice(truth["annotations"])
    for _ in range(150):
        x, y, w, h = crowded["bbox"]
        add(crowded["image_id"], crowded["category_id"], [x + rng.uniform(-w, w) / 4, y + rng.uniform(-h, h) / 4, w, h])
    rng.shuffle(found)
    return found


def random_truth(rng):
    """A few pictures with objects of all sizes, crowds among them, and a class without any."""
    images = [{"id": i * 7 + 3, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(8)]
    categories = [{"id": i, "name": f"class {i}"} for i in (1, 2, 5, 9)]
    annotations = []
    for image in images:
        for _ in range(rng.randrange(6)):
            side = rng.choice([20, 60, 200])
            w, h = rng.uniform(0.5, 1.5) * side, rng.uniform(0.5, 1.5) * side
            box = [round(rng.uniform(0, 640 - w), 2), round(rng.uniform(0, 480 - h), 2), round(w, 2), round(h, 2)]
            annotations.append({
                "id": len(annotations) + 1,
                "image_id": image["id"],
                "category_id": rng.choice([1, 2, 5]),
                "bbox": box,
                "area": w * h * rng.uniform(0.5, 1),
                "iscrowd": int(rng.random() < 0.15),
            })
    return {"images": images, "annotations": annotations, "categories": categories}


def score(truth, found):
    """The twelve figures, and AP, AP50 and AR100 of each class."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = json.loads(json.dumps(truth))
        coco.createIndex()
        judged = COCOeval(coco, coco.loadRes([dict(one) for one in found]), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    precision, recall = judged.eval["precision"], judged.eval["recall"]
    classes = [
        {
            "categoryId": int(category),
            "AP": float(numpy.mean(precision[:, :, k, 0, 2])),
            "AP50": float(numpy.mean(precision[0, :, k, 0, 2])),
            "AR100": float(numpy.mean(recall[:, k, 0, 2])),
        }
        for k, category in enumerate(judged.params.catIds)
    ]
    return {"figures": dict(zip(NAMES, map(float, judged.stats))), "classes": classes}


def main(mode, *args):
    if mode == "golden":
        truth = random_truth(random.Random(1))
        found = random_detections(truth, random.Random(2))
        for one in found:
            one["bbox"] = [round(value, 2) for value in one["bbox"]]
            one["score"] = round(one["score"], 3)
        return {"truth": truth, "found": found, **score(truth, found)}
    with open(args[0], encoding="utf8") as file:
        truth = json.load(file)
    if mode == "random":
        found = random_detections(truth, random.Random(int(args[1])))
        return {"found": found, **score(truth, found)}
    with open(args[1], encoding="utf8") as file:
        return score(truth, json.load(file))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
