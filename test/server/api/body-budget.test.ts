// Bodies that are held in memory share a budget, and one that does not end is given up for others.
import { expect, test } from "vitest";
import { BodyBudget } from "../../../src/server/api/body-budget.ts";

/** A body whose parts the test sends. */
function body(): { request: Request; send: (bytes: number) => void; end: () => void } {
  let parts: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (parts = controller) });
  const init = { method: "POST", body: stream, duplex: "half" } as RequestInit;
  return {
    request: new Request("http://localhost/", init),
    send: (bytes) => parts.enqueue(new Uint8Array(bytes)),
    end: () => parts.close(),
  };
}

test("the one that has been coming for the longest time is given up when all together are too much", async () => {
  const budget = new BodyBudget(100);
  const [slow, quick, third] = [body(), body(), body()];
  const given = budget.read(slow.request, 1000).catch((error: unknown) => error);
  slow.send(60);
  const whole = budget.read(quick.request, 1000);
  quick.send(60);
  quick.end();
  const held = await whole;
  expect(await given).toMatchObject({ code: "SERVER_BUSY" });
  expect(held.bytes).toHaveLength(60);
  // What is whole stays until it is released, and then there is room again.
  const refused = budget.read(third.request, 1000).catch((error: unknown) => error);
  third.send(60);
  expect(await refused).toMatchObject({ code: "SERVER_BUSY" });
  held.release();
  held.release();
  const last = body();
  const read = budget.read(last.request, 1000);
  last.send(100);
  last.end();
  expect((await read).bytes).toHaveLength(100);
});
