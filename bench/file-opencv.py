"""What bench/file.ts and bench/annotate.ts compare with: `python file-opencv.py MODEL VIDEO OUT [dnn]`.

OpenCV decodes, cv2.resize samples, onnxruntime (or OpenCV's own dnn) runs the same network. Prints the frames.
"""

import json
import sys

import cv2
import numpy as np

model, video, out_path = sys.argv[1:4]


def open_network():
    """Pictures -> offsets and logits."""
    if sys.argv[4:] == ["dnn"]:
        net = cv2.dnn.readNetFromONNX(model)

        def forward(pictures):
            net.setInput(pictures)
            return net.forward(["offsets", "logits"])

        return forward
    import onnxruntime as ort

    session = ort.InferenceSession(model, ort.SessionOptions(), providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(["offsets", "logits"], {"pictures": pictures})


run = open_network()


def default_boxes():
    """The tiling of ssdlite-mobilenet-v2 as [cx, cy, w, h]."""
    cells = [19, 10, 5, 3, 2, 1]
    scales = [0.2 + 0.15 * i for i in range(6)] + [1.0]
    rows = []
    for m, f in enumerate(cells):
        s, nxt = scales[m], scales[m + 1]
        shapes = [(s, r) for r in (1, 2, 0.5, 3, 0.3333)] + [((s * nxt) ** 0.5, 1)]
        if m == 0:
            shapes = [(0.1, 1), (s, 2), (s, 0.5)]
        for y in range(f):
            for x in range(f):
                rows += [[(x + 0.5) / f, (y + 0.5) / f, a * r**0.5, a / r**0.5] for a, r in shapes]
    return np.array(rows, np.float32)


BOXES = default_boxes()
MIN_LOGIT = np.log(0.3 / 0.7)
capture = cv2.VideoCapture(video)
frames = 0
with open(out_path, "w") as out:
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        height, width = frame.shape[:2]
        small = cv2.cvtColor(cv2.resize(frame, (300, 300), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
        offsets, logits = run(small[None])
        box, label = np.nonzero(logits[0, :, 1:] > MIN_LOGIT)
        scores = 1 / (1 + np.exp(-logits[0, box, label + 1]))
        o, d = offsets[0, box], BOXES[box]
        centre = d[:, :2] + 0.1 * o[:, :2] * d[:, 2:]
        size = d[:, 2:] * np.exp(0.2 * o[:, 2:])
        rects = np.concatenate([centre - size / 2, size], 1) * [width, height, width, height]
        keep = cv2.dnn.NMSBoxesBatched(rects.tolist(), scores.tolist(), label.tolist(), 0.3, 0.45) if len(box) else []
        found = [{"bbox": rects[i].tolist(), "score": float(scores[i]), "classId": int(label[i]) + 1} for i in keep]
        out.write(json.dumps({"seq": frames, "pts": capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, "detections": found}) + "\n")
        frames += 1
print(frames)
