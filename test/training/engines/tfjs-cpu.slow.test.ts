// tfjs:cpu, where TensorFlow is built: the gradients of SSDLite's and VGG16's layers.
import { findTensorFlow } from "../../model/support/tensorflow.ts";
import { smallSsdLite, smallVgg } from "../support/training-cases.ts";
import { describeGradients } from "./agreement.ts";

const { missing } = findTensorFlow("tfjs:cpu");
describeGradients("tfjs:cpu", "a small SSDLite", smallSsdLite, missing);
describeGradients("tfjs:cpu", "a small SSD on VGG16", smallVgg, missing);
