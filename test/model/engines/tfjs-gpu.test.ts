// TensorFlow on a GPU, where there is one.
import { describeAgreement } from "./agreement.ts";
import { tfjsGpu } from "./cases.ts";
import { describeEngine } from "./contract.ts";

describeEngine(tfjsGpu());
describeAgreement(tfjsGpu(), [1, 3, 8]);
