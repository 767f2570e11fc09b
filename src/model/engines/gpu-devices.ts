// Whether this machine has a GPU, found out without loading anything: looking in earnest takes seconds and prints.
import { readdirSync } from "node:fs";

/** What there is to look at. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The names in a folder; none where it is absent. */
  readonly list: (folder: string) => readonly string[];
}

/** `any`: one that WebGPU may find. `nvidia`: one with NVIDIA's driver. */
export function gpuDevices(machine: Machine = THIS_MACHINE): { any: boolean; nvidia: boolean } {
  const { platform, env, list } = machine;
  // A GPU hides behind no name here; WebGPU itself tells quickly.
  if (platform !== "linux") return { any: platform === "darwin" || platform === "win32", nvidia: platform === "win32" };
  const nvidia = list("/dev").some((name) => /^nvidia\d+$/.test(name));
  const renders = list("/dev/dri").some((name) => name.startsWith("renderD"));
  // Drivers that compute on the CPU (SwiftShader, Mesa's lavapipe) pass for a GPU, and are a hundred times slower.
  const drivers = env["VK_DRIVER_FILES"] ?? env["VK_ICD_FILENAMES"] ?? "";
  return { any: (nvidia || renders) && !/swiftshader|lvp_icd/i.test(drivers), nvidia };
}

const THIS_MACHINE: Machine = {
  platform: process.platform,
  env: process.env,
  list: (folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
};
