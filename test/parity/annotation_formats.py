# Reads annotations of every format as Python programs do, and prints the labels (and boxes) that it finds.
import contextlib
import json
import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import yaml
from pycocotools.coco import COCO

folder = Path(sys.argv[1])
yolo = folder / "out-yolo"
names = yaml.safe_load((yolo / "data.yaml").read_text("utf-8"))["names"]
with contextlib.redirect_stdout(open(os.devnull, "w")):
    coco = COCO(str(folder / "out.coco.json"))
voc = [ElementTree.parse(path).getroot() for path in sorted((folder / "out-voc/Annotations").iterdir())]
cvat = ElementTree.parse(folder / "out.cvat.xml").getroot()
studio = json.loads((folder / "out.label-studio.json").read_text("utf-8"))
corners = ("xmin", "ymin", "xmax", "ymax")
print(
    json.dumps(
        {
            "yolo": {"keys": [type(key).__name__ for key in names], "names": list(names.values())},
            "classes": (yolo / "classes.txt").read_text("utf-8").splitlines(),
            "coco": [
                [coco.cats[one["category_id"]]["name"], one["bbox"]] for one in coco.loadAnns(coco.getAnnIds())
            ],
            "voc": [
                [one.findtext("name"), [int(one.findtext(f"bndbox/{name}")) for name in corners]]
                for root in voc
                for one in root.iter("object")
            ],
            "cvat": [box.get("label") for box in cvat.iter("box")],
            "cvatLabels": [one.text for one in cvat.iterfind("meta/task/labels/label/name")],
            "labelStudio": [
                label
                for task in studio
                for region in task["predictions"][0]["result"]
                for label in region["value"]["rectanglelabels"]
            ],
        }
    )
)
