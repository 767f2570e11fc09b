// /openapi.json: the routes as they were declared, with what holds for all of them.
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { addApiPage } from "./api-page.ts";
import { json, problemAnswer } from "./api-route.ts";
import { statusOf } from "./problem.ts";
import { StaticAnswer } from "./static-answer.ts";

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;
type Operation = NonNullable<NonNullable<Document["paths"]>[string]["get"]>;

const METHODS = ["get", "put", "post", "delete", "patch"] as const;

const documentRoute = createRoute({
  method: "get",
  path: "/openapi.json",
  tags: ["Server"],
  summary: "This description",
  responses: { 200: json(z.looseObject({ openapi: z.literal("3.1.0") }), "OpenAPI 3.1.") },
});

/** Adds `/openapi.json`, which describes all routes of the app, those added later included, and `/docs`, which shows it. */
export function describeApi(api: OpenAPIHono, version: string): void {
  let made: Document | undefined;
  const document = (): Document => (made ??= documentOf(api, version));
  let answer: StaticAnswer | undefined;
  const answerOf = (): StaticAnswer =>
    (answer ??= new StaticAnswer(JSON.stringify(document()), { type: "application/json" }));
  // What it answers is not typed.
  api.openapi(documentRoute, (c) => answerOf().respond(c) as never);
  addApiPage(api, document);
}

function documentOf(api: OpenAPIHono, version: string): Document {
  api.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "The server's token, where it has one.",
  });
  const document = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "multibox",
      version,
      description: [
        "A video object-detection server. Detections come over the WebSocket `/v1/detections`; this is everything else.",
        "Every refusal is a problem (RFC 9457) with a code for programs, a sentence for people, and what to do.",
      ].join("\n\n"),
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
  });
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of METHODS) if (path[method]) addProblems(path[method], method);
  }
  return document;
}

/** What any route of the kind may refuse with, besides what it names itself. */
function addProblems(operation: Operation, method: string): void {
  const readsJson =
    operation.requestBody && "application/json" in (operation.requestBody as { content: object }).content;
  const codes = [
    ...(readsJson ? ["BAD_REQUEST", "BODY_INCOMPLETE", "BODY_TOO_LARGE", "CONTENT_TYPE"] : []),
    ...(operation.parameters?.some(canBeWrong) ? ["BAD_REQUEST"] : []),
    ...(operation.security ? ["SCOPE_MISSING", "TOKEN_WRONG", "TOO_MANY_FAILURES"] : []),
    "HOST_NOT_ALLOWED",
    ...(method === "get" ? [] : ["ORIGIN_NOT_ALLOWED"]),
    "INTERNAL",
  ];
  const responses = operation.responses as Record<string, { description: string; content: unknown } | undefined>;
  for (const code of new Set(codes)) {
    const status = statusOf(code);
    const there = responses[status];
    // The component's place in the document; the schema itself is known to the generator alone.
    const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
    responses[status] = there
      ? { ...there, description: `${there.description}, \`${code}\`` }
      : { ...problemAnswer([code]), content };
  }
}

/** A query may have fields that are not known; any other parameter is wrong only where its schema takes not every text. */
function canBeWrong(parameter: object): boolean {
  if (!("in" in parameter)) return true;
  if (parameter.in === "query") return true;
  const schema = "schema" in parameter ? (parameter.schema as Readonly<Record<string, unknown>>) : {};
  return Object.keys(schema).some((key) => !["type", "description"].includes(key)) || schema["type"] !== "string";
}
