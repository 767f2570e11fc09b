// onnxruntime-node on the CPU.
import { ONNX_CPU } from "./cases.ts";
import { describeEngine } from "./contract.ts";

describeEngine(ONNX_CPU);
