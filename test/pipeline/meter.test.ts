// The books of a stream close at every moment, and its rates are those of the last seconds.
import { describe, expect, it } from "vitest";
import { StreamMeter } from "../../src/pipeline/meter.ts";

describe("StreamMeter", () => {
  it("keeps decoded = detected + dropped + in flight after every event", () => {
    const meter = new StreamMeter(() => 0);
    const events = [
      () => meter.decoded(),
      () => meter.decoded(),
      () => meter.dropped("superseded"),
      () => meter.detected(),
      () => meter.decoded(),
      () => meter.dropped("engine"),
      () => meter.decoded(),
      () => meter.dropped("superseded"),
    ];
    for (const event of events) {
      event();
      const { decoded, detected, inFlight, dropped } = meter.counts();
      expect(decoded).toBe(detected + inFlight + Object.values(dropped).reduce((sum, count) => sum + count, 0));
    }
    expect(meter.counts()).toEqual({ decoded: 4, detected: 1, inFlight: 0, dropped: { superseded: 2, engine: 1 } });
  });

  it("numbers detected frames from 0", () => {
    const meter = new StreamMeter(() => 0);
    meter.decoded();
    meter.decoded();
    expect([meter.detected(), meter.detected()]).toEqual([0, 1]);
  });

  it("tells frames a second over the last five whole seconds", () => {
    let now = 10_500;
    const meter = new StreamMeter(() => now);
    expect(meter.rates()).toEqual({ decoded: 0, detected: 0 });
    // 25 a second from 10.5 s to 20.0 s, every other one detected.
    for (; now < 20_000; now += 40) {
      meter.decoded();
      if (now % 80 === 20) meter.detected();
    }
    now = 20_100;
    expect(meter.rates()).toEqual({ decoded: 25, detected: 12.4 });
    now = 23_000;
    expect(meter.rates().decoded).toBeCloseTo((2 * 25) / 5, 5);
    now = 60_000;
    expect(meter.rates()).toEqual({ decoded: 0, detected: 0 });
  });

  it("counts the running second while nothing is whole yet", () => {
    let now = 900;
    const meter = new StreamMeter(() => now);
    for (let i = 0; i < 7; i++) meter.decoded();
    expect(meter.rates().decoded).toBe(7);
    now = 1100;
    expect(meter.rates().decoded).toBe(7);
  });
});
