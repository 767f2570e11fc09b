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
    changeCapture: async (id, patch) => (await (await call("PATCH", path(id), patch)).json()) as CaptureInfo,
    removeCapture: async (id) => void (await call("DELETE", path(id))),
    capturePicture: async (id, width) => {
      const search = width === undefined ? "" : `?width=${width}`;
      return await (await call("GET", `${path(id)}/picture.jpg${search}`)).blob();
    },
  };
}
