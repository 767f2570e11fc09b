// TensorFlow.js on WebAssembly.
import { describeAgreement } from "./agreement.ts";
import { tfjsWasm } from "./cases.ts";
import { describeEngine } from "./contract.ts";

describeEngine(tfjsWasm());
describeAgreement(tfjsWasm(), [1]);
