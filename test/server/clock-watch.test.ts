// Clocks that jump, while the server runs and between two runs: what is held, and for how long.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClockWatch, jumpSentence, openClockWatch } from "../../src/server/clock-watch.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A machine whose time of day can be set. */
class Machine {
  wall = Date.UTC(2026, 0, 1);
  up = 5000;
  boot = "first";
  readonly jumps: number[] = [];
  readonly options = {
    clocks: { wall: () => this.wall, uptime: () => this.up },
    onJump: (ms: number) => void this.jumps.push(ms / HOUR),
  };

  pass(ms: number): void {
    this.wall += ms;
    this.up += ms;
  }

  /** Switched off for a while. */
  restart(ms: number): void {
    this.wall += ms;
    this.up = 5000;
    this.boot += "+";
  }
}

describe("while it runs", () => {
  test.each([-5, 25, 31 * 24])("a jump by %i hours holds for a day", (hours) => {
    const machine = new Machine();
    const watch = new ClockWatch(machine.options);
    machine.pass(10 * DAY);
    expect(watch.heldMs()).toBe(0);
    machine.wall += hours * HOUR;
    expect(watch.heldMs()).toBe(DAY);
    machine.pass(DAY - 1);
    expect(watch.heldMs()).toBe(1);
    machine.pass(1);
    expect(watch.heldMs()).toBe(0);
    expect(machine.jumps).toEqual([hours]);
  });

  test("corrections of less than an hour hold nothing", () => {
    const machine = new Machine();
    const watch = new ClockWatch(machine.options);
    for (const minutes of [-59, 59, -30, 1]) {
      machine.wall += minutes * 60_000;
      expect(watch.heldMs()).toBe(0);
    }
  });
});

describe("between two runs", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "multibox-clock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** One run; returns what was held at its beginning, in hours. */
  async function run(machine: Machine, ms: number): Promise<number> {
    const { watch, close } = openClockWatch(folder, { ...machine.options, boot: machine.boot });
    const held = watch.heldMs() / HOUR;
    machine.pass(ms);
    await close();
    return held;
  }

  test("of one boot, a jump is told from time that passes", async () => {
    const machine = new Machine();
    expect(await run(machine, HOUR)).toBe(0);
    machine.pass(3 * DAY);
    expect(await run(machine, HOUR)).toBe(0);
    machine.wall += 25 * HOUR;
    expect(await run(machine, HOUR)).toBe(24);
    expect(await run(machine, HOUR)).toBe(23);
    machine.wall -= 25 * HOUR;
    expect(await run(machine, HOUR)).toBe(24);
    expect(machine.jumps).toEqual([25, -25]);
  });

  test("a machine that starts with a clock that is behind or ahead is held; one that was off for minutes is not", async () => {
    const machine = new Machine();
    await run(machine, HOUR);
    machine.restart(120_000);
    expect(await run(machine, HOUR)).toBe(0);
    machine.restart(-2 * HOUR);
    expect(await run(machine, HOUR)).toBe(24);
    machine.restart(31 * DAY);
    expect(await run(machine, HOUR)).toBe(23);
  });

  test("a machine that is off every night is held for a day of running only", async () => {
    const machine = new Machine();
    const held: number[] = [];
    for (let day = 0; day < 5; day++) {
      held.push(await run(machine, 10 * HOUR));
      machine.restart(14 * HOUR);
    }
    expect(held).toEqual([0, 24, 14, 4, 24]);
  });

  test("a file that cannot be read is as none", async () => {
    writeFileSync(join(folder, "clock.json"), "{");
    expect(await run(new Machine(), HOUR)).toBe(0);
  });
});

test("the log says how far, which way, and what to do", () => {
  expect(jumpSentence(25 * HOUR)).toMatch(/went 25\.0 h forwards\. For 24 h nothing is deleted for its age\. Check/);
  expect(jumpSentence(-HOUR)).toContain("1.0 h back");
});
