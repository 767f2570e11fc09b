"""A training step of one of our graphs in PyTorch, for bench/train-step.ts: `python train-step.py graph.json` prints milliseconds."""

import json
import os
import sys
import time

import torch
from torch.nn import functional as F


def run(node, inputs, weights):
    kind = node["kind"]
    if kind == "input":
        return (inputs[0].permute(0, 3, 1, 2).float() - torch.tensor(node["mean"]).view(1, 3, 1, 1)) * node["scale"]
    if kind == "conv":
        top, left, bottom, right = node["padding"]
        x, padding = inputs[0], (top, left)
        if (top, left) != (bottom, right):
            x, padding = F.pad(x, (left, right, top, bottom)), 0
        weight, bias = weights[node["name"] + ".weight"], weights[node["name"] + ".bias"]
        return F.conv2d(x, weight, bias, node["stride"], padding, node["dilation"], node["groups"])
    if kind == "maxpool":
        top, left, bottom, right = node["padding"]
        padded = F.pad(inputs[0], (left, right, top, bottom), value=-3e38)
        return F.max_pool2d(padded, node["kernel"], node["stride"])
    if kind == "l2norm":
        return F.normalize(inputs[0]) * weights[node["name"] + ".scale"].view(1, -1, 1, 1)
    if kind == "add":
        return inputs[0] + inputs[1]
    if kind == "rows":
        rows = [x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, node["columns"]) for x in inputs]
        return torch.cat(rows, 1)
    return {"relu": F.relu, "relu6": F.relu6, "sigmoid": torch.sigmoid}[kind](inputs[0])


def ssd_loss(offsets, logits, wanted, labels, scores):
    """As torchvision's SSD.compute_loss behind its matching, and for sigmoid scores with binary cross entropies of all columns."""
    positive = labels > 0
    matched = positive.sum(1, keepdim=True)
    box = F.smooth_l1_loss(offsets[positive], wanted[positive], reduction="sum")
    if scores == "softmax":
        classes = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
    else:
        columns = F.one_hot(labels, logits.shape[-1]).to(logits.dtype)
        classes = F.binary_cross_entropy_with_logits(logits, columns, reduction="none").sum(-1)
    hardness = classes.detach().masked_fill(positive, -float("inf"))
    rank = hardness.sort(1, descending=True)[1].sort(1)[1]
    return (box + classes[positive | (rank < 3 * matched)].sum()) / matched.sum()


def main(path):
    with open(path) as file:
        graph = json.load(file)
    torch.manual_seed(1)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    batch, trained = graph["batch"], set(graph["trained"])
    weights = {}
    for node in graph["nodes"]:
        channels = node["shape"][0]
        if node["kind"] == "conv":
            inputs = node["inChannels"] // node["groups"]
            spread = (inputs * node["kernel"] ** 2) ** -0.5
            weights[node["name"] + ".weight"] = torch.randn(channels, inputs, node["kernel"], node["kernel"]) * spread
            weights[node["name"] + ".bias"] = torch.zeros(channels)
        elif node["kind"] == "l2norm":
            weights[node["name"] + ".scale"] = torch.full((channels,), 20.0)
    for name in trained:
        weights[name].requires_grad_()
    given = {}
    nodes = graph["nodes"]
    if graph["given"] == "features":
        shapes = {node["name"]: node["shape"] for node in nodes}
        given = {name: torch.rand(batch, *shapes[name]) for name in graph["frontier"]}
        needed = {graph["offsets"], graph["logits"]}
        for node in reversed(nodes):
            if node["name"] in needed and node["name"] not in given:
                needed.update(node.get("inputs", [node["input"]] if "input" in node else []))
        nodes = [node for node in nodes if node["name"] in needed and node["name"] not in given]
    else:
        _, height, width = nodes[0]["shape"]
        given["pictures"] = torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8)
    wanted = torch.tensor(graph["targets"]["offsets"]).view(batch, -1, 4)
    labels = torch.tensor(graph["targets"]["labels"]).view(batch, -1)
    optimiser = torch.optim.SGD([weights[name] for name in graph["trained"]], 1e-9, 0.9, weight_decay=5e-4)
    times = []
    for i in range(-5, graph["rounds"]):
        start = time.perf_counter()
        optimiser.zero_grad()
        values = dict(given)
        for node in nodes:
            names = ["pictures"] if node["kind"] == "input" else node.get("inputs", [node.get("input")])
            values[node["name"]] = run(node, [values[name] for name in names], weights)
        heads = [values[graph["offsets"]], values[graph["logits"]]]
        leaves = [head.detach().requires_grad_() for head in heads]
        ssd_loss(*leaves, wanted, labels, graph["scores"]).backward()
        # A network that was never trained makes gradients next to nothing, which CPUs are several times slower with.
        torch.autograd.backward(heads, [leaf.grad + 1e-3 for leaf in leaves])
        optimiser.step()
        if i >= 0:
            times.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times))


if __name__ == "__main__":
    main(sys.argv[1])
