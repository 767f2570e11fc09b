// TensorFlow on the CPU.
import { describeAgreement } from "./agreement.ts";
import { tfjsCpu } from "./cases.ts";
import { describeEngine } from "./contract.ts";

describeEngine(tfjsCpu());
describeAgreement(tfjsCpu(), [1, 3]);
