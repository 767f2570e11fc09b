"""SSD300 and SSD512 as the released Caffe models are (`deploy.prototxt` and `.caffemodel`), with the weights of ssd_networks.py, and
what OpenCV's reader of Caffe and its DetectionOutput layer say of pictures, for test/slow/ssd-caffe.test.ts.

    python test/parity/ssd_caffe.py FOLDER SIZE CLASSES SEED

reads FOLDER/pictures.u8 (pictures of SIZE x SIZE, uint8 RGB). Writes into FOLDER

    deploy.prototxt, weights.caffemodel
    boxes.f32                the default boxes, [x1, y1, x2, y2] as shares of the sides
    offsets.f32, logits.f32  of the pictures
    detections.json          of each picture, with the released settings, and with boxes cut to the picture before they suppress others

Needs numpy and OpenCV 4.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy

from ssd_networks import BOXES, EXTRAS, STAGES, random_weights

# ssd_pascal.py and ssd_coco.py of Liu's `ssd` branch: the boxes of each map, in pixels.
STEPS = {300: [8, 16, 32, 64, 100, 300], 512: [8, 16, 32, 64, 128, 256, 512]}
SIZES = {
    "voc": {300: [30, 60, 111, 162, 213, 264, 315], 512: [35.84, 76.8, 153.6, 230.4, 307.2, 384, 460.8, 537.6]},
    "coco": {300: [21, 45, 99, 153, 207, 261, 315], 512: [20.48, 51.2, 133.12, 215.04, 296.96, 378.88, 460.8, 542.72]},
}
MEAN_BGR = (104, 117, 123)


def prior_box(size, i, sizes):
    """The parameters of the PriorBox layer of map `i`, with boxes of these sizes in pixels."""
    ratios = "aspect_ratio: 2" if BOXES[size][i] == 4 else "aspect_ratio: 2 aspect_ratio: 3"
    boxes = f"min_size: {sizes[i]} max_size: {sizes[i + 1]} {ratios} flip: true clip: false"
    rest = f"variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 step: {STEPS[size][i]} offset: 0.5"
    return f"prior_box_param {{ {boxes} {rest} }}"


def prototxt(size, classes, detection=""):
    """The text of a network for VOC, layer by layer as the released files have it."""
    text = [f'name: "VGG_SSD_{size}"\ninput: "data"\ninput_shape {{ dim: 1 dim: 3 dim: {size} dim: {size} }}']

    def layer(name, kind, bottoms, parameters="", top=None):
        inputs = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
        text.append(f'layer {{ name: "{name}" type: "{kind}" {inputs} top: "{top or name}" {parameters} }}')
        return top or name

    def conv(name, bottom, channels, kernel, stride=1, pad=0, dilation=1, relu=True):
        shape = f"num_output: {channels} kernel_size: {kernel} stride: {stride} pad: {pad} dilation: {dilation}"
        layer(name, "Convolution", [bottom], f"convolution_param {{ {shape} }}")
        return layer(f"{name}_relu", "ReLU", [name], top=name) if relu else name

    x, stage_ends = "data", []
    for stage, widths in enumerate(STAGES, 1):
        for i, width in enumerate(widths, 1):
            x = conv(f"conv{stage}_{i}", x, width, 3, pad=1)
        stage_ends.append(x)
        pool = "kernel_size: 3 stride: 1 pad: 1" if stage == 5 else "kernel_size: 2 stride: 2"
        x = layer(f"pool{stage}", "Pooling", [x], f"pooling_param {{ pool: MAX {pool} }}")
    x = conv("fc6", x, 1024, 3, pad=6, dilation=6)
    x = conv("fc7", x, 1024, 1)
    maps = [layer("conv4_3_norm", "Normalize", [stage_ends[3]], "norm_param { across_spatial: false channel_shared: false }")]
    maps.append(x)
    for i, (wide, kernel, stride, pad) in enumerate(EXTRAS[size], 6):
        x = conv(f"conv{i}_1", x, wide // 2, 1)
        x = conv(f"conv{i}_2", x, wide, kernel, stride, pad)
        maps.append(x)

    for kind, columns in (("loc", 4), ("conf", classes)):
        flat = []
        for source, count in zip(maps, BOXES[size]):
            name = conv(f"{source}_mbox_{kind}", source, count * columns, 3, pad=1, relu=False)
            layer(f"{name}_perm", "Permute", [name], "permute_param { order: 0 order: 2 order: 3 order: 1 }")
            flat.append(layer(f"{name}_flat", "Flatten", [f"{name}_perm"], "flatten_param { axis: 1 }"))
        layer(f"mbox_{kind}", "Concat", flat, "concat_param { axis: 1 }")
    priors = [
        layer(f"{source}_mbox_priorbox", "PriorBox", [source, "data"], prior_box(size, i, SIZES["voc"][size]))
        for i, source in enumerate(maps)
    ]
    layer("mbox_priorbox", "Concat", priors, "concat_param { axis: 2 }")
    layer("mbox_conf_reshape", "Reshape", ["mbox_conf"], f"reshape_param {{ shape {{ dim: 0 dim: -1 dim: {classes} }} }}")
    layer("mbox_conf_softmax", "Softmax", ["mbox_conf_reshape"], "softmax_param { axis: 2 }")
    layer("mbox_conf_flatten", "Flatten", ["mbox_conf_softmax"], "flatten_param { axis: 1 }")
    keep = "nms_param { nms_threshold: 0.45 top_k: 400 } code_type: CENTER_SIZE keep_top_k: 200 confidence_threshold: 0.01"
    output = f"num_classes: {classes} share_location: true background_label_id: 0 {keep} {detection}"
    inputs = ["mbox_loc", "mbox_conf_flatten", "mbox_priorbox"]
    layer("detection_out", "DetectionOutput", inputs, f"detection_output_param {{ {output} }}")
    return "\n".join(text) + "\n"


def caffemodel(size, classes, seed):
    """A NetParameter of caffe.proto: the layers with weights, their names, types and blobs."""
    net = field(1, f"VGG_SSD_{size}".encode())
    for (name, _, caffe, shape, _), tensors in random_weights(size, classes, seed):
        kind = "Normalize" if len(shape) == 1 else "Convolution"
        if name == "base.conv1_1":
            # Its input is B, G, R there.
            tensors[0] = tensors[0][:, ::-1]
        blobs = b"".join(field(7, blob(tensor)) for tensor in tensors)
        net += field(100, field(1, caffe.encode()) + field(2, kind.encode()) + blobs)
    return net


def blob(tensor):
    """BlobProto: shape = 7 { dim = 1, packed }, data = 5, packed floats."""
    dims = b"".join(map(varint, tensor.shape))
    return field(5, numpy.ascontiguousarray(tensor, "<f4").tobytes()) + field(7, field(1, dims))


def field(number, payload):
    """A length-delimited field of a protocol buffer."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def detect(folder, size, classes, detection=""):
    """All layers' answers that are compared, for each picture."""
    text = numpy.frombuffer(prototxt(size, classes, detection).encode(), numpy.uint8)
    net = cv2.dnn.readNetFromCaffe(text, numpy.fromfile(folder / "weights.caffemodel", numpy.uint8))
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    # Winograd's convolutions are faster and less exact.
    net.enableWinograd(False)
    for picture in numpy.fromfile(folder / "pictures.u8", numpy.uint8).reshape(-1, size, size, 3):
        net.setInput(cv2.dnn.blobFromImage(picture[:, :, ::-1], 1, (size, size), MEAN_BGR, swapRB=False, crop=False))
        yield net.forward(["mbox_loc", "mbox_conf", "mbox_priorbox", "detection_out"])


def rows(found, size):
    """[class, score, x1, y1, x2, y2] in pixels, of DetectionOutput's [picture, class, score, corners as shares]."""
    return [[*map(float, row[1:3]), *(float(side) * size for side in row[3:])] for row in found.reshape(-1, 7)]


def main(folder, size, classes, seed):
    folder = Path(folder)
    (folder / "deploy.prototxt").write_text(prototxt(size, classes))
    (folder / "weights.caffemodel").write_bytes(caffemodel(size, classes, seed))
    released = list(detect(folder, size, classes))
    clipped = list(detect(folder, size, classes, "clip: true"))
    for i, name in enumerate(("offsets", "logits")):
        numpy.concatenate([answer[i].ravel() for answer in released]).astype("<f4").tofile(folder / f"{name}.f32")
    # The second row holds the variances.
    released[0][2].reshape(2, -1)[0].astype("<f4").tofile(folder / "boxes.f32")
    found = [{"released": rows(a[3], size), "clipped": rows(b[3], size)} for a, b in zip(released, clipped)]
    (folder / "detections.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
