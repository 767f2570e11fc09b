// /v1/captures/proposals and /v1/captures/agreement: new proposals for captures that nobody has reviewed, and how far people follow them.
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Detector } from "../../model/detector.ts";
import { type Agreement, agreementOf } from "../../training/agreement.ts";
import type { Capture } from "../../training/capture.ts";
import { callerOf, requireAllStreams, sees } from "../access/caller.ts";
import { json, jsonBody, problems, readsJson, SECURED } from "../api/api-route.ts";
import { labelsOf, type NamedModels, resolveModel } from "../models/named-model.ts";
import { checkLabels } from "../socket/client.ts";
import type { CaptureStore } from "./capture-store.ts";
import { AgreementInfo, NewProposals, ProposalsInfo } from "./proposal-schemas.ts";
import type { Proposals, ProposalsLook, Sees } from "./proposals.ts";

const tags = ["Captures"];

const startRoute = createRoute({
  method: "post",
  path: "/v1/captures/proposals",
  tags,
  summary: "Propose boxes for captures that nobody has reviewed",
  description:
    "Another model, or tiles of each image, take a slower look, in the background at the lowest priority. What is found replaces the proposals of captures that nobody has corrected, accepted or skipped by then. One run at a time; a restart of the server ends it.",
  security: SECURED,
  middleware: readsJson(),
  request: { body: jsonBody(NewProposals) },
  responses: {
    202: json(ProposalsInfo, "It has started; GET of the same path has its state."),
    ...problems("BAD_REQUEST", "LABEL_UNKNOWN", "MODEL_UNKNOWN", "VERSION_UNKNOWN"),
    ...problems("PROPOSALS_RUNNING", "NO_UNREVIEWED_CAPTURES", "FOLDER_UNAVAILABLE"),
  },
});

const lookRoute = createRoute({
  method: "get",
  path: "/v1/captures/proposals",
  tags,
  summary: "Look at the last run of proposals",
  security: SECURED,
  responses: { 200: json(ProposalsInfo, "In numbers of the captures that the caller sees.") },
});

const cancelRoute = createRoute({
  method: "post",
  path: "/v1/captures/proposals/cancel",
  tags,
  summary: "Cancel the run of proposals",
  description: "Captures that have new proposals keep them. One that has ended stays as it is.",
  security: SECURED,
  responses: { 200: json(ProposalsInfo, "It has ended."), ...problems("STREAMS_LIMITED") },
});

const agreementRoute = createRoute({
  method: "get",
  path: "/v1/captures/agreement",
  tags,
  summary: "See how far people follow proposals",
  description: "Of the captures that were accepted. Where nothing is changed any more, review has become a formality.",
  security: SECURED,
  responses: { 200: json(AgreementInfo, "Of the captures that the caller sees.") },
});

export interface ProposalDeps {
  readonly proposals: Proposals;
  readonly captures: CaptureStore;
  readonly models: NamedModels;
  readonly detector: Pick<Detector, "info">;
}

/** Come before the routes of a single capture, whose pattern matches these paths, too. */
export function proposalRoutes({ proposals, captures, models, detector }: ProposalDeps): OpenAPIHono {
  const app = new OpenAPIHono();
  const seesOf = (c: Context): Sees => {
    const caller = callerOf(c);
    return (stream) => sees(caller, stream);
  };
  /** Captures do not change: another one takes their place. */
  const known = new WeakMap<Capture, Agreement>();
  const agreement = (capture: Capture): Agreement => {
    const found = known.get(capture) ?? agreementOf([capture]);
    known.set(capture, found);
    return found;
  };

  app.openapi(startRoute, async (c) => {
    const { model: asked, stream, ...how } = c.req.valid("json");
    const model = resolveModel(asked, models);
    const [, name, version] = /^([^@]+)@(\d+)$/.exec(model) ?? [];
    // A folder's model has the name that it gives itself.
    const own = detector.info.model;
    const modelName = name === undefined ? `${own.name}@${own.version}` : model;
    const labels =
      asked === undefined || name === undefined ? detector.info.labels : labelsOf(models.store, name, Number(version));
    if (labels) checkLabels(how.labels, labels);
    const isVisible = seesOf(c);
    const isWanted: Sees = (of) => isVisible(of) && (stream === undefined || of === stream);
    const look: ProposalsLook = { ...how, model, ...streamsOf(c, stream, isWanted) };
    await proposals.start(look, modelName, isWanted);
    return c.json(proposals.info(isVisible), 202);
  });

  /** A caller who sees all streams, and names none, names no streams to the child process. */
  const streamsOf = (c: Context, stream: string | undefined, isWanted: Sees): Pick<ProposalsLook, "streams"> => {
    if (stream === undefined && !callerOf(c).streams) return {};
    return { streams: [...new Set(proposals.unreviewed(isWanted).map((capture) => capture.stream))] };
  };

  app.openapi(lookRoute, (c) => c.json(proposals.info(seesOf(c)), 200));

  app.openapi(cancelRoute, async (c) => {
    const isVisible = seesOf(c);
    if (proposals.isShared(isVisible)) requireAllStreams(callerOf(c));
    if (proposals.info(isVisible).state === "running") await proposals.cancel();
    return c.json(proposals.info(isVisible), 200);
  });

  app.openapi(agreementRoute, (c) => {
    const sum = { captures: 0, unchanged: 0, proposals: 0, kept: 0, moved: 0, removed: 0, added: 0 };
    for (const one of captures.list({ status: "accepted" }).filter(({ stream }) => seesOf(c)(stream))) {
      const of = agreement(one);
      for (const key of Object.keys(sum) as (keyof Agreement)[]) sum[key] += of[key];
    }
    return c.json(sum, 200);
  });

  return app;
}
