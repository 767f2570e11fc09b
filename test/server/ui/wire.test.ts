// Binary and text messages of the socket.
import { describe, expect, it } from "vitest";
import { PROTOCOL_VERSION } from "../../../src/server/protocol.ts";
import { parseBinary, parseText, PROTOCOL } from "../../../src/server/ui/wire.ts";
import { binary, detections } from "./messages.ts";

describe("parseBinary", () => {
  it("takes a message apart into the detections and the JPEG of one frame", () => {
    const message = detections("yard", 7, {
      detections: [{ bbox: [1, 2, 3, 4], score: 0.5, label: "Straßenbahn", classId: 7 }],
    });
    const { detections: read, jpeg } = parseBinary(binary(message, [0xff, 0xd8, 1, 2]));
    expect(read).toEqual(message);
    expect([...jpeg]).toEqual([0xff, 0xd8, 1, 2]);
  });

  it("says what is wrong with bytes that are no message", () => {
    expect(() => parseBinary(new ArrayBuffer(3))).toThrow("3 bytes has no length");
    const tooLong = new ArrayBuffer(8);
    new DataView(tooLong).setUint32(0, 5);
    expect(() => parseBinary(tooLong)).toThrow("8 bytes announces 5 bytes");
    expect(() => parseBinary(binary({ type: "result", id: 1, ok: true }))).toThrow("no detections");
  });
});

describe("parseText", () => {
  it("passes over messages of a type that a newer server may have", () => {
    expect(parseText('{"type":"weather"}')).toBeUndefined();
    expect(parseText("[]")).toBeUndefined();
    expect(parseText('{"type":"result","id":1,"ok":true}')).toEqual({ type: "result", id: 1, ok: true });
  });

  it("speaks the server's protocol", () => {
    expect(PROTOCOL).toBe(PROTOCOL_VERSION);
  });
});
