// The boxes as a file of their own that players lay over the video: ASS.
import { assTrack } from "../drawing/ass.ts";
import { mediaStart } from "../media.ts";
import { textFormat } from "./text-writer.ts";

export const assFormat = textFormat({
  name: "ass",
  title: "ASS, boxes as subtitles",
  suffix: ".ass",
  endings: [".ass"],
  only: "video",
  async *pieces({ header, lines }, context) {
    const { source } = header;
    if (source.kind !== "video") throw new Error("Pictures have no subtitles.");
    const start = await mediaStart(context);
    yield* assTrack(header, lines(), { size: source, clock: { start, slowness: 1 }, fit: "stretch" });
  },
});
