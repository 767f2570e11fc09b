// A GPU is seen by its device file, and a driver that computes on the CPU is none.
import { expect, test } from "vitest";
import { gpuDevices, type Machine } from "../../../src/model/engines/gpu-devices.ts";

const look = (machine: Partial<Machine>, files: Record<string, string[]> = {}): ReturnType<typeof gpuDevices> =>
  gpuDevices({ platform: "linux", env: {}, list: (folder) => files[folder] ?? [], ...machine });
const RENDER = { "/dev/dri": ["card0", "renderD128"] };

test("a container without devices has none", () => {
  expect(look({}, { "/dev": ["null", "tty"] })).toEqual({ any: false, nvidia: false });
});

test("a display without a renderer is none", () => {
  expect(look({}, { "/dev/dri": ["card0"] })).toEqual({ any: false, nvidia: false });
});

test("a renderer is one for WebGPU, whoever made it", () => {
  expect(look({}, RENDER)).toEqual({ any: true, nvidia: false });
});

test("NVIDIA's second GPU is one, its control device is none", () => {
  expect(look({}, { "/dev": ["nvidia1", "nvidiactl"] })).toEqual({ any: true, nvidia: true });
  expect(look({}, { "/dev": ["nvidiactl", "nvidia-uvm"] })).toEqual({ any: false, nvidia: false });
});

test.each([
  { VK_ICD_FILENAMES: "/usr/lib/chromium/vk_swiftshader_icd.json" },
  { VK_DRIVER_FILES: "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json" },
])("drivers that compute on the CPU are none: %o", (env) => {
  expect(look({ env }, RENDER)).toEqual({ any: false, nvidia: false });
});

test("macOS may have one, WebGPU will tell", () => {
  expect(look({ platform: "darwin" })).toEqual({ any: true, nvidia: false });
});
