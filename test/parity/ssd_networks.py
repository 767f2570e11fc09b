"""SSD300 and SSD512 as lists of their layers, and weights for them that nobody has trained, equal to those of
test/model/support/lively-weights.ts bit by bit. Needs numpy.

Written from the paper and the released models, not from src/model, so that the two can be held against each other.
"""

import numpy

STAGES = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
# The convolutions of the VGG16 of torchvision's SSD: conv1_1 to conv4_3, and conv5_1 to conv5_3 behind pool4.
TORCHVISION_BASE = [f"backbone.features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21)]
TORCHVISION_BASE += [f"backbone.extra.0.{i}" for i in (1, 3, 5)]

# Channels of the last convolution of each extra layer, its kernel, stride and padding; the 1x1 before it has half as many.
EXTRAS = {
    300: [(512, 3, 2, 1), (256, 3, 2, 1), (256, 3, 1, 0), (256, 3, 1, 0)],
    512: [(512, 3, 2, 1), (256, 3, 2, 1), (256, 3, 2, 1), (256, 3, 2, 1), (256, 4, 1, 1)],
}
BOXES = {300: [4, 6, 6, 6, 4, 4], 512: [4, 6, 6, 6, 6, 4, 4]}

# What makes the heads of later maps, whose features are weaker or stronger, as lively as those of the first.
GAINS = [1, 0.2, 0.3, 0.5, 0.8, 1, 1]
LOGIT_GAIN = 2.2
# Of the background, so that most boxes are one.
BACKGROUND_BIAS = 8


def layers(size, classes):
    """Each layer with weights, in the order of computation: our name, torchvision's, Caffe's, shape of the weight, gain."""
    found = []
    channels = 3
    for stage, widths in enumerate(STAGES, 1):
        for i, width in enumerate(widths, 1):
            name = f"conv{stage}_{i}"
            found.append((f"base.{name}", TORCHVISION_BASE[len(found)], name, (width, channels, 3, 3), 1))
            channels = width
    found.append(("base.fc6", "backbone.extra.0.7.1", "fc6", (1024, 512, 3, 3), 1))
    found.append(("base.fc7", "backbone.extra.0.7.3", "fc7", (1024, 1024, 1, 1), 1))
    found.append(("base.conv4_3.norm", "backbone", "conv4_3_norm", (512,), 1))
    channels = 1024
    maps = [("conv4_3_norm", 512), ("fc7", 1024)]
    for i, (wide, kernel, _, _) in enumerate(EXTRAS[size]):
        ours, theirs, caffe = f"extra{i}", f"backbone.extra.{i + 1}", f"conv{i + 6}"
        found.append((f"{ours}.reduce", f"{theirs}.0", f"{caffe}_1", (wide // 2, channels, 1, 1), 1))
        found.append((f"{ours}.expand", f"{theirs}.2", f"{caffe}_2", (wide, wide // 2, kernel, kernel), 1))
        channels = wide
        maps.append((f"{caffe}_2", wide))
    for kind, caffe, theirs, columns, more in (
        ("offsets", "loc", "regression", 4, 1),
        ("logits", "conf", "classification", classes, LOGIT_GAIN),
    ):
        for i, (name, inputs) in enumerate(maps):
            torchvision = f"head.{theirs}_head.module_list.{i}"
            shape = (BOXES[size][i] * columns, inputs, 3, 3)
            found.append((f"head{i}.{kind}", torchvision, f"{name}_mbox_{caffe}", shape, GAINS[i] * more))
    return found


def random_weights(size, classes, seed):
    """(layer, its tensors) for each layer: weight and bias of a convolution, or the scale of the norm."""
    drawn = 0

    def draw(count):
        nonlocal drawn
        numbers = mulberry32(seed, drawn, count)
        drawn += count
        return numbers

    for layer in layers(size, classes):
        name, _, _, shape, gain = layer
        if len(shape) == 1:
            yield layer, [((draw(shape[0]) + 0.5) * 20).astype(numpy.float32)]
            continue
        fan_in = int(numpy.prod(shape[1:]))
        numbers = draw(shape[0] * fan_in).reshape(shape[0], fan_in)
        # He et al.'s spread about each filter's own mean: filters that add up to zero answer to what differs between places,
        # while the mean would grow over so many layers until all places looked alike. The sums are exact in any order.
        numbers -= (numbers.sum(axis=1) / fan_in)[:, None]
        weight = (numbers * (2 * gain * numpy.sqrt(6 / fan_in))).astype(numpy.float32).reshape(shape)
        bias = (draw(shape[0]) * 2 - 1) * 0.1
        if name.endswith(".logits"):
            bias[::classes] = BACKGROUND_BIAS
        yield layer, [weight, bias.astype(numpy.float32)]


def mulberry32(seed, start, count):
    """Numbers `start` and following of test/model/support/pick.ts, whose state is a counter, all at once."""
    counter = numpy.arange(start + 1, start + count + 1, dtype=numpy.uint64)
    state = (numpy.uint64(seed) + counter * numpy.uint64(0x6D2B79F5)).astype(numpy.uint32)
    mixed = (state ^ (state >> numpy.uint32(15))) * (state | numpy.uint32(1))
    mixed ^= mixed + (mixed ^ (mixed >> numpy.uint32(7))) * (mixed | numpy.uint32(61))
    return (mixed ^ (mixed >> numpy.uint32(14))).astype(numpy.float64) / 2**32
