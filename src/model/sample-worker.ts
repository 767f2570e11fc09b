// A helper of a sample crew: sleeps until there is a ticket, samples its rows, says so. It has no event loop to speak of.
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { createSampler } from "./sample.ts";
import { DONE, type HelperJob, type HelperSetup, READY, TICKET } from "./sample-crew.ts";

const { input, control, port } = workerData as HelperSetup;
const sampler = createSampler(input);
const pictureBytes = input.width * input.height * 3;

Atomics.add(control, READY, 1);
for (let ticket = 0; ;) {
  // The thread is ended from outside, which wakes it too.
  Atomics.wait(control, TICKET, ticket);
  ticket = Atomics.load(control, TICKET);
  for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port)) {
    const { pictures, batch, fromRow, toRow } = received.message as HelperJob;
    try {
      for (const [i, picture] of pictures.entries()) sampler(picture, batch, i * pictureBytes, fromRow, toRow);
    } catch {
      // The crew meets the same mistake in rows of its own and says so; a helper that ended would be waited for without end.
    }
    Atomics.add(control, DONE, 1);
    Atomics.notify(control, DONE);
  }
}
