// Property tests draw the same cases on every run: a failure is a change of the code, never of the seed.
import * as fc from "fast-check";

/** Another one looks for new counterexamples: `PROPERTY_SEED=$RANDOM npx vitest run test/pipeline`. */
const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_261_130);

fc.configureGlobal({ seed: SEED });

export { fc };
