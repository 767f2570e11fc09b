// Gradients of whole networks on TensorFlow.js's WebAssembly, which has one thread.
import { describeGradients } from "../training/engines/agreement.ts";
import { smallSsdLite, smallVgg } from "../training/support/training-cases.ts";

describeGradients("tfjs:wasm", "a small SSDLite", smallSsdLite);
describeGradients("tfjs:wasm", "a small SSD on VGG16", smallVgg);
