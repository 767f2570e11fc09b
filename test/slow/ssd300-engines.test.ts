// SSD300 in whole batches on the engines that are slow at it.
import { describeAgreement } from "../model/engines/agreement.ts";
import { tfjsCpu, tfjsWasm } from "../model/engines/cases.ts";

describeAgreement(tfjsCpu(), [8]);
describeAgreement(tfjsWasm(), [3, 8]);
