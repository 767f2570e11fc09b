// Which addresses are public, and what names and URLs that lead elsewhere come to: real ffmpeg, real sockets on loopback.
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { checkedAddress, createPublicCheck } from "../../src/pipeline/public-address.ts";
import { hostOf } from "../../src/pipeline/source-input.ts";
import { startAddressGuard, type AddressGuard } from "../../src/server/access/address-guard.ts";
import { startRtspServer } from "../support/rtsp-server.ts";
import { collect } from "../support/source.ts";

const isPublic = createPublicCheck();

test.each(["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])(
  "%s is public",
  (address) => expect(isPublic(address)).toBe(true),
);

test.each([
  ..."0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1".split(
    " ",
  ),
  ..."198.18.0.1 192.0.2.1 224.0.0.1 255.255.255.255 :: ::1 fe80::1 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1".split(
    " ",
  ),
  ..."::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: 2001:db8::1 2001::1 localhost".split(" "),
  "",
])("%s is not", (address) => expect(isPublic(address)).toBe(false));

test.each([
  ["rtsp://cam.example/x", "cam.example"],
  ["rtsp://me:p@ss/w#rd@cam.example:554/x", "cam.example"],
  ["http://[fe80::1]:80/x", "[fe80::1]"],
  ["http://public.example@127.0.0.1/x", "127.0.0.1"],
  ["http://public.example:x@127.0.0.1/x", "127.0.0.1"],
  ["http://127.0.0.1#@public.example/", "public.example"],
  ["http://127.0.0.1?@public.example/", "public.example"],
  ["rtsp://2130706433/", "2130706433"],
])("the host of %s is %s", (url, host) => expect(hostOf(url)).toBe(host));

describe("a name", () => {
  const check = (...addresses: string[]): Promise<string> =>
    checkedAddress("cam.example", isPublic, () => Promise.resolve(addresses));

  test("is as good as its addresses, every one of them", async () => {
    await expect(check("8.8.8.8", "1.1.1.1")).resolves.toBe("8.8.8.8");
    await expect(check("8.8.8.8", "10.0.0.1")).rejects.toMatchObject({
      code: "ADDRESS_FORBIDDEN",
      message: expect.stringContaining("10.0.0.1"),
    });
    await expect(check()).rejects.toMatchObject({ code: "HOST_UNKNOWN" });
  });

  test.each(["localhost", "127.1", "0x7f.1", "2130706433", "[::1]", "0", "::ffff:127.0.0.1"])(
    "%s is this machine, however it is written",
    async (host) => {
      await expect(checkedAddress(host, isPublic)).rejects.toMatchObject({ code: "ADDRESS_FORBIDDEN" });
    },
  );
});

/** Counts who connects; 127.0.0.1 stands for the public internet, 127.0.0.2 for what must not be reached. */
async function withServers(
  listener: (secret: string) => RequestListener,
  run: (use: { url: string; guard: AddressGuard; hits: () => number; secret: string }) => Promise<void>,
  names: Readonly<Record<string, string[][]>> = {},
): Promise<void> {
  let hits = 0;
  const secretServer = createTcpServer((socket) => {
    hits += 1;
    socket.destroy();
  });
  await listening(secretServer, "127.0.0.2");
  const secret = `127.0.0.2:${portOf(secretServer)}`;
  const server = createServer(listener(secret));
  await listening(server, "127.0.0.1");
  const guard = await startAddressGuard(
    { forbidPrivateAddresses: true },
    {
      trusted: () => [],
      isAllowed: (address) => address === "127.0.0.1",
      resolve: (host) => Promise.resolve((names[host]!.length > 1 ? names[host]!.shift() : names[host]![0])!),
    },
  );
  try {
    await run({ url: `http://127.0.0.1:${portOf(server)}/cam`, guard: guard!, hits: () => hits, secret });
  } finally {
    guard!.close();
    server.closeAllConnections();
    server.close();
    secretServer.close();
  }
}

const listening = (server: Server, host: string): Promise<void> =>
  new Promise((resolve) => server.listen(0, host, () => resolve()));
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const play = async (url: string, guard?: AddressGuard): Promise<string | undefined> =>
  (await collect({ id: "a", url, loop: false, transport: "tcp" }, { addresses: guard })).error?.code;

const redirect =
  (secret: string): RequestListener =>
  (_, answer) =>
    void answer.writeHead(302, { location: `http://${secret}/x` }).end();
const playlist =
  (secret: string): RequestListener =>
  (request, answer) =>
    void (request.url === "/cam" ? answer.setHeader("content-type", "application/vnd.apple.mpegurl") : answer).end(
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://${secret}/a.ts\n#EXT-X-ENDLIST\n`,
    );

describe("ffmpeg, where private addresses are forbidden", () => {
  test.each([
    ["a redirect", redirect],
    ["a playlist's segments", playlist],
  ])("is not led there by %s", async (_, listener) => {
    await withServers(listener, async ({ url, guard, hits }) => {
      expect(await play(url, guard)).toMatch(/^STREAM_/);
      expect(hits()).toBe(0);
      // Without the guard it is, so the test would notice.
      expect(await play(url)).toMatch(/^STREAM_/);
      expect(hits()).toBeGreaterThan(0);
    });
  });

  test("is not led there by a concat script, which would pass the proxy by", async () => {
    const paths: (string | undefined)[] = [];
    const script: RequestListener = (request, answer) => {
      paths.push(request.url);
      answer.end(request.url === "/cam" ? "ffconcat version 1.0\nfile next.ts\n" : "no video");
    };
    await withServers(
      () => script,
      async ({ url, guard }) => {
        expect(await play(url, guard)).toMatch(/^STREAM_/);
        expect(paths).not.toContain("/next.ts");
        expect(await play(url)).toMatch(/^STREAM_/);
        expect(paths).toContain("/next.ts");
      },
    );
  });

  test("is not led there by a name that has another address when ffmpeg asks", async () => {
    const names = { "cam.example": [["127.0.0.1"], ["127.0.0.2"]] };
    await withServers(
      redirect,
      async ({ secret, guard, hits }) => {
        expect(await play(`http://cam.example:${secret.split(":")[1]}/x`, guard)).toBe("STREAM_FORBIDDEN");
        expect(hits()).toBe(0);
      },
      names,
    );
  });

  test("does not connect by https, nor by RTSP, to what is forbidden", async () => {
    await withServers(redirect, async ({ secret, guard, hits }) => {
      for (const scheme of ["http", "https", "rtsp", "rtsps"])
        expect([scheme, await play(`${scheme}://me:pass@${secret}/x`, guard)]).toEqual([scheme, "ADDRESS_FORBIDDEN"]);
      expect(hits()).toBe(0);
    });
  });

  test.each(["with a target", "with none"])("is not led there by a redirection of RTSP %s", async (which) => {
    await withServers(redirect, async ({ secret, guard, hits }) => {
      const target = which === "with a target" ? `Location: rtsp://${secret}/x\r\n` : "";
      const camera = createTcpServer((socket) => {
        socket.on("error", () => socket.destroy());
        socket.on("data", (request) => {
          const sequence = /CSeq: \d+/i.exec(request.toString())![0];
          const isFirst = request.toString().startsWith("OPTIONS");
          socket.write(`RTSP/1.0 ${isFirst ? "200 OK" : "302 Found"}\r\n${sequence}\r\n${isFirst ? "" : target}\r\n`);
        });
      });
      await listening(camera, "127.0.0.1");
      try {
        const url = `rtsp://me:pass@127.0.0.1:${portOf(camera)}/x`;
        expect(await play(url, guard)).toBe("ADDRESS_FORBIDDEN");
        expect(hits()).toBe(0);
        // Without the guard it is, so the test would notice. Where there is none, ffmpeg of 2018 asks the camera again and again.
        if (target === "") return;
        expect(await play(url)).toMatch(/^STREAM_/);
        expect(hits()).toBeGreaterThan(0);
      } finally {
        camera.close();
      }
    });
  });

  test("says that a camera hangs up at once, or is not there", async () => {
    const rude = createTcpServer((socket) => socket.resetAndDestroy());
    await listening(rude, "127.0.0.1");
    await withServers(redirect, async ({ guard }) => {
      expect(await play(`rtsp://127.0.0.1:${portOf(rude)}/x`, guard)).toMatch(/^STREAM_/);
    });
    rude.close();
    await withServers(redirect, async ({ guard }) => {
      for (const scheme of ["rtsp", "rtsps"])
        expect([scheme, await play(`${scheme}://127.0.0.1:1/x`, guard)]).toEqual([scheme, "STREAM_UNREACHABLE"]);
    });
  });

  test("plays by RTSP what is allowed, from the address that was checked, its name being asked for once", async () => {
    const camera = await startRtspServer({ auth: { user: "me", password: "s3/cr#et" } });
    const names = { "cam.example": [["127.0.0.1"], ["127.0.0.2"]] };
    try {
      await withServers(
        redirect,
        async ({ guard }) => {
          const url = camera.url("/cam1").replace("rtsp://127.0.0.1", "rtsp://me:s3/cr#et@cam.example");
          const { frames, error } = await collect(
            { id: "a", url, loop: true, transport: "tcp" },
            { addresses: guard },
            3,
          );
          expect([frames.length, error]).toEqual([3, undefined]);
        },
        names,
      );
    } finally {
      await camera.close();
    }
  });

  test("plays by RTSP over TLS, which ends in the tunnel, so that a redirection is seen there too", async () => {
    const camera = await startRtspServer();
    const [key, cert] = ["key", "cert"].map((name) =>
      readFileSync(join(import.meta.dirname, `../fixtures/tls/${name}.pem`)),
    );
    let isRedirecting = false;
    const secure = createTlsServer({ key, cert }, (socket) => {
      socket.on("error", () => socket.destroy());
      if (isRedirecting) return void socket.once("data", () => socket.write("RTSP/1.0  302 Found\r\nCSeq: 1\r\n\r\n"));
      pipeline(socket, connect(camera.port, "127.0.0.1"), socket, () => undefined);
    });
    try {
      await listening(secure, "127.0.0.1");
      await withServers(redirect, async ({ guard }) => {
        const config = {
          id: "a",
          url: `rtsps://127.0.0.1:${portOf(secure)}/cam1`,
          loop: true,
          transport: "tcp",
        } as const;
        const { frames, error } = await collect(config, { addresses: guard }, 3);
        expect([frames.length, error]).toEqual([3, undefined]);
        isRedirecting = true;
        expect(await play(config.url, guard)).toBe("ADDRESS_FORBIDDEN");
      });
    } finally {
      secure.close();
      await camera.close();
    }
  });

  test("is not asked for streams of the configuration", async () => {
    const trusted = (): { url: string }[] => [{ url: "http://127.0.0.2/x" }];
    const guard = await startAddressGuard({ forbidPrivateAddresses: true }, { trusted });
    expect([guard!.apply("http://127.0.0.2/x"), guard!.apply("http://127.0.0.3/x")]).toEqual([false, true]);
    guard!.close();
    expect(await startAddressGuard({ forbidPrivateAddresses: false }, { trusted })).toBeUndefined();
  });
});
