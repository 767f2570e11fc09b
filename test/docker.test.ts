// What docs/docker.md promises of the image and of the services, read from the files: no engine is needed to check it.
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
const version = (JSON.parse(read("package.json")) as { version: string }).version;

interface Service {
  readonly build?: string;
  readonly image: string;
  readonly init: boolean;
  readonly read_only: boolean;
  readonly profiles?: string[];
  readonly tmpfs: string[];
  readonly cap_drop: string[];
  readonly security_opt: string[];
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly environment?: Record<string, string>;
  readonly healthcheck?: { readonly test: string[] };
  readonly command?: string[];
  readonly depends_on?: Record<string, { readonly condition: string }> | string[];
  readonly deploy?: { resources: { reservations: { devices: { driver: string; capabilities: string[] }[] } } };
}

const compose = parse(read("docker-compose.yml"), { merge: true }) as {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, unknown>;
};
const { multibox, camera, mediamtx, "multibox-rtsp": rtsp, "multibox-gpu": gpu } = compose.services as Services;
type Services = Record<"multibox" | "camera" | "mediamtx" | "multibox-rtsp" | "multibox-gpu", Service>;
const servers = [multibox, rtsp, gpu];

describe("docker-compose.yml", () => {
  test.each(Object.entries(compose.services))(
    "%s can write nothing but /tmp and its volumes, and gains no rights",
    (_, service) => {
      expect(service).toMatchObject({ init: true, read_only: true, cap_drop: ["ALL"] });
      expect(service.security_opt).toContain("no-new-privileges:true");
      expect(service.tmpfs).toEqual([expect.stringMatching(/^\/tmp(:|$)/)]);
    },
  );

  test.each(Object.entries(compose.services))("%s is of a pinned version", (_, { image }) => {
    expect(image).toMatch(/^[a-z/]+:\d+\.\d+\.\d+$/);
  });

  test("what is built here has the version of the package", () => {
    const built = Object.values(compose.services).filter((service) => service.build !== undefined);
    expect(built.map(({ image }) => image)).toEqual(built.map(() => `multibox:${version}`));
  });

  test("each server asks for a token in a sentence, and is reached from this machine alone, on a port of its own", () => {
    for (const { environment, ports } of servers) {
      expect(environment!["MULTIBOX_TOKEN"]).toMatch(/^\$\{MULTIBOX_TOKEN:\?set MULTIBOX_TOKEN to .{20,}\}$/);
      expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+:8080$/)]);
    }
    expect(new Set(servers.flatMap(({ ports }) => ports)).size).toBe(servers.length);
    expect([camera.ports, mediamtx.ports]).toEqual([undefined, undefined]);
  });

  test("each server is healthy when it is ready, and keeps its cache and its own data in named volumes", () => {
    for (const { healthcheck, volumes } of servers) {
      expect(healthcheck!.test.slice(0, 3)).toEqual(["CMD", "node", "-e"]);
      expect(healthcheck!.test.join(" ")).toContain("/health/ready");
      expect(volumes).toEqual([
        "cache:/var/cache/multibox",
        expect.stringMatching(/^[a-z-]*data:\/var\/lib\/multibox$/),
      ]);
    }
    expect(Object.keys(compose.volumes)).toEqual(["cache", "data", "rtsp-data", "gpu-data"]);
  });

  test("only what was asked for is started: the server alone, with rtsp a camera, with gpu a device", () => {
    expect(multibox.profiles).toBeUndefined();
    expect([mediamtx, camera, rtsp].map(({ profiles }) => profiles)).toEqual([["rtsp"], ["rtsp"], ["rtsp"]]);
    expect(gpu.profiles).toEqual(["gpu"]);
  });

  test("the rtsp profile watches what the camera publishes, once it can be watched", () => {
    const published = camera.command!.at(-1)!;
    expect(published).toMatch(/^rtsp:\/\/mediamtx:8554\//);
    expect(camera.healthcheck!.test).toContain(published);
    expect(rtsp.command).toEqual(["serve", "--stream", `camera=${published}`]);
    expect(rtsp.depends_on).toEqual({ camera: { condition: "service_healthy" } });
  });

  test("the gpu profile reserves an NVIDIA device, and lets CUDA and ffmpeg's decoder in", () => {
    const [device] = gpu.deploy!.resources.reservations.devices;
    expect(device).toMatchObject({ driver: "nvidia", capabilities: ["gpu", "compute", "video", "utility"] });
    expect(gpu.environment).toMatchObject({
      NVIDIA_DRIVER_CAPABILITIES: "compute,video,utility",
      TF_FORCE_GPU_ALLOW_GROWTH: "true",
    });
  });
});

describe("Dockerfile", () => {
  // Comments out, lines that go on joined: an instruction a line.
  const lines = read("Dockerfile")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter(Boolean);
  const [build, run] = lines.join("\n").split(/^(?=FROM )/m) as [string, string];

  test("both stages are Node 22 on bookworm-slim", () => {
    const bases = lines.filter((line) => line.startsWith("FROM ")).map((line) => line.split(" ")[1]);
    expect(bases).toEqual(["node:22-bookworm-slim", "node:22-bookworm-slim"]);
  });

  test("it installs what the lock file says, and ships neither development tools nor other platforms' binaries", () => {
    expect(build).toMatch(/^RUN npm ci\b/m);
    expect(build).toMatch(/npm prune --omit=dev/);
    expect(build).toMatch(/onnxruntime-node\/bin .*! -path .*linux.*-exec rm -r/);
  });

  test("it runs as a user without rights, with cache and data in volumes and ffmpeg from Debian", () => {
    expect(run).toMatch(/apt-get install --yes --no-install-recommends .*\bffmpeg\b/);
    expect(run).toMatch(/^USER node$/m);
    expect(run).toMatch(/^VOLUME \/var\/cache\/multibox \/var\/lib\/multibox$/m);
    expect(run).toMatch(
      /^ENV .*MULTIBOX_HOST=0\.0\.0\.0 .*MULTIBOX_CACHE_DIR=\/var\/cache\/multibox MULTIBOX_DATA_DIR=\/var\/lib\/multibox/m,
    );
    expect(run.indexOf("USER node")).toBeLessThan(run.indexOf("ENTRYPOINT"));
  });

  test("it serves by default, and is healthy when it is ready", () => {
    expect(run).toMatch(/^ENTRYPOINT \["node", "dist\/cli\.js"\]\nCMD \["serve"\]$/m);
    expect(run).toMatch(/^EXPOSE 8080$/m);
    expect(run).toMatch(/^HEALTHCHECK .*CMD \["node", "-e", ".*\/health\/ready/m);
  });

  test("no secret is set in it", () => {
    expect(lines.filter((line) => /^(ARG|ENV)\b.*(TOKEN|PASSWORD|SECRET|KEY)/i.test(line))).toEqual([]);
  });

  test("what it copies exists, and is all that .dockerignore lets in", () => {
    const copies = lines.filter((line) => /^COPY (?!--from)/.test(line));
    const copied = copies.flatMap((line) => line.split(" ").slice(1, -1));
    expect(copied.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([]);
    const ignore = read(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(ignore[0]).toBe("*");
    expect(ignore.slice(1).toSorted()).toEqual([...new Set(copied)].map((file) => `!${file}`).toSorted());
  });
});
