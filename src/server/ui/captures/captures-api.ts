// The captures over HTTP, as far as the page uses them.
import type { CaptureInfo, CaptureList } from "../../captures/capture-schemas.ts";
import type { Call } from "../api.ts";
import type { ReviewApi } from "./review.ts";

export interface CapturesApi extends ReviewApi {
  /** The JPEG, at most so many pixels wide. */
  readonly capturePicture: (id: string, width?: number) => Promise<Blob>;
}

export function createCapturesApi(call: Call): CapturesApi {
  const path = (id: string): string => `v1/captures/${encodeURIComponent(id)}`;
  return {
    captures: async (query) => {
      const search = new URLSearchParams({ ...query, limit: "100" });
      return (await (await call("GET", `v1/captures?${search}`)).json()) as CaptureList;
    },
    capture: async (id) => (await (await call("GET", path(id))).json()) as CaptureInfo,
    changeCapture: async (id, patch, etag) =>
      (await (await call("PATCH", path(id), patch, { "if-match": `"${etag}"` })).json()) as CaptureInfo,
    capturePicture: async (id, width) => {
      const search = width === undefined ? "" : `?width=${width}`;
      return await (await call("GET", `${path(id)}/picture.jpg${search}`)).blob();
    },
  };
}
