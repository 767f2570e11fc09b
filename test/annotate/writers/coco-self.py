# COCO's instances as the truth; the same boxes as detections, taken from the instances and from a file of results.
import contextlib
import json
import os
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

with contextlib.redirect_stdout(open(os.devnull, "w")):
    truth = COCO(sys.argv[1])

    def judge(found):
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return list(evaluation.stats)

    own = [{k: a[k] for k in ("image_id", "category_id", "bbox", "score")} for a in truth.dataset["annotations"]]
    figures = {"instances": judge(own), "results": judge(sys.argv[2])}
print(json.dumps(figures))
