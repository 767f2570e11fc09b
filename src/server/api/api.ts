// The HTTP interface as a whole: how its routes refuse what their schemas do not take, and which methods a path has.
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { MultiboxError } from "../../errors.ts";
import { explain, show } from "./explain.ts";
import { notFound } from "../page.ts";
import { problemResponse } from "./problem.ts";

/** An app whose routes refuse with BAD_REQUEST, naming the field and its value. Those of apps within it do so too. */
export function createApi(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook: (result) => {
      if (result.success) return;
      // The library hands the input on as `data`, and does not say so in its types.
      const input = "data" in result ? result.data : undefined;
      throw new MultiboxError("BAD_REQUEST", explain(result.error, input), HINTS[result.target] ?? "");
    },
  });
}

/** What Hono and its validators refuse a request with, as our own refusal: it is not our fault. */
export function ofLibrary(error: unknown, c: Context): unknown {
  if (!(error instanceof HTTPException) || error.status >= 500) return error;
  const type = c.req.header("content-type");
  if (error.status !== 415) return new MultiboxError("BAD_REQUEST", "The request is malformed.", "", { cause: error });
  const sentence = `A body of type ${show(type ?? "")} is not understood here.`;
  return new MultiboxError("CONTENT_TYPE", sentence, "The types are in /openapi.json.", { cause: error });
}

const HINTS: Readonly<Record<string, string>> = {
  query: "The parameters are in /openapi.json.",
  json: "The fields are in /openapi.json.",
};

/**
 * For what no route has taken. Answers OPTIONS; fails with METHOD_NOT_ALLOWED where the path has other methods, else
 * with NOT_FOUND. Knows the routes that were added before.
 */
export function unrouted(api: OpenAPIHono): (c: Context) => Response {
  const paths = pathsOf(api);
  return (c) => {
    const { method, path } = c.req;
    const methods = paths.find(({ pattern }) => pattern.test(path))?.methods;
    if (!methods) throw notFound(method, path);
    if (method === "OPTIONS") return c.body(null, 204, { Allow: methods });
    const sentence = `${path} does not take ${method}.`;
    return problemResponse(new MultiboxError("METHOD_NOT_ALLOWED", sentence, `It takes ${methods}.`), {
      allow: methods,
    });
  };
}

function pathsOf(api: OpenAPIHono): { pattern: RegExp; methods: string }[] {
  const methods = new Map<string, string[]>();
  for (const definition of api.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { path, method } = definition.route;
    const own = method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()];
    methods.set(path, [...(methods.get(path) ?? []), ...own]);
  }
  return [...methods].map(([path, own]) => ({
    pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    methods: [...own, "OPTIONS"].join(", "),
  }));
}
