// The captures over HTTP, as far as the page uses them.
import type { CaptureInfo, CaptureList } from "../../captures/capture-schemas.ts";
import type { Call } from "../api.ts";
import type { ModelInfo } from "../../models/model-schemas.ts";
import type { ProposalsInfo } from "../../captures/proposal-schemas.ts";
import type { Agreement } from "../../../training/agreement.ts";
import type { ProposalsApi } from "./proposal-board.ts";
import type { ReviewApi } from "./review.ts";

export interface CapturesApi extends ReviewApi, ProposalsApi {
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
    proposals: async () => (await (await call("GET", "v1/captures/proposals")).json()) as ProposalsInfo,
    propose: async (request) => (await (await call("POST", "v1/captures/proposals", request)).json()) as ProposalsInfo,
    cancelProposals: async () => (await (await call("POST", "v1/captures/proposals/cancel")).json()) as ProposalsInfo,
    agreement: async () => (await (await call("GET", "v1/captures/agreement")).json()) as Agreement,
    models: async () => (await (await call("GET", "v1/models")).json()) as ModelInfo[],
    fresh: async () => ((await (await call("GET", "v1/captures?status=new&limit=1")).json()) as CaptureList).total,
    capturePicture: async (id, width) => {
      const search = width === undefined ? "" : `?width=${width}`;
      return await (await call("GET", `${path(id)}/picture.jpg${search}`)).blob();
    },
  };
}
