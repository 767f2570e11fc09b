// /docs: /openapi.json as a page for people. It is plain HTML without scripts, so that it works under our own security policy.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { API_PAGE_STYLE } from "./api-page-style.ts";
import { StaticAnswer } from "./static-answer.ts";
import { fieldsOf, nameOf, typeOf, type Schema } from "./api-page-schema.ts";

/** What the page shows of an OpenAPI document. */
export interface ShownDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, object>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

interface Body {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: unknown;
  readonly parameters?: readonly {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema: Schema;
  }[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
}

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** Adds `/docs` and its style. Neither is secret to anybody. */
export function addApiPage(app: OpenAPIHono, document: () => ShownDocument): void {
  let page: Promise<StaticAnswer> | undefined;
  const style = new StaticAnswer(API_PAGE_STYLE, { type: "text/css; charset=utf-8" });
  const made = async (): Promise<StaticAnswer> =>
    new StaticAnswer(String(await pageOf(document())), { type: "text/html; charset=UTF-8" });
  app.get("/docs", async (c) => (await (page ??= made())).respond(c));
  app.get("/docs/style.css", (c) => style.respond(c));
}

function pageOf({ info, paths = {}, components = {} }: ShownDocument): Html {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation: operation as Operation,
    })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? "Other"))].toSorted();
  const schemas = Object.entries(components.schemas ?? {}) as [string, Schema][];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title}: the HTTP interface</title>
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        <header>
          <h1><a href="/">${info.title}</a> <small>${info.version}</small></h1>
          <nav>
            ${[...tags, "Schemas"].map((tag) => html`<a href="#${tag}">${tag}</a> `)}<a href="/openapi.json"
              >openapi.json</a
            >
          </nav>
        </header>
        <main>
          ${(info.description ?? "").split("\n\n").map((part) => html`<p>${prose(part)}</p>`)}
          ${tags.map(
            (tag) =>
              html`<h2 id="${tag}">${tag}</h2>
                ${operations.filter(({ operation }) => (operation.tags?.[0] ?? "Other") === tag).map(operationOf)}`,
          )}
          <h2 id="Schemas">Schemas</h2>
          ${schemas.map(
            ([name, schema]) =>
              html`<details id="schema-${name}">
                <summary><code>${name}</code></summary>
                ${schema.description && html`<p>${prose(schema.description)}</p>`}${tableOf(schema)}
              </details>`,
          )}
        </main>
      </body>
    </html>`;
}

function operationOf({ path, method, operation }: { path: string; method: string; operation: Operation }): Html {
  const { summary, description, security, parameters = [], requestBody, responses } = operation;
  return html`<details id="${method} ${path}">
    <summary>
      <b class="method ${method.toLowerCase()}">${method}</b> <code>${path}</code> <span>${summary}</span>
    </summary>
    ${description && html`<p>${prose(description)}</p>`}${security && html`<p class="quiet">Needs the token, where the server has one.</p>`}
    ${
      parameters.length > 0 &&
      html`<h3>Parameters</h3>
        <table>
          ${parameters.map(
            (one) =>
              html`<tr>
                <td><code>${one.name}</code></td>
                <td class="quiet">${one.in}${one.required && ", needed"}</td>
                <td>${typeOf(one.schema)}</td>
                <td>${prose(one.description)}</td>
              </tr>`,
          )}
        </table>`
    }
    ${
      requestBody &&
      html`<h3>Body</h3>
        ${contentOf(requestBody)}`
    }
    <h3>Answers</h3>
    <table>
      ${Object.entries(responses).map(
        ([status, answer]) =>
          html`<tr>
            <td><b class="${Number(status) < 400 ? "good" : "bad"}">${status}</b></td>
            <td>${prose(answer.description)}${Number(status) < 400 && answer.content && contentOf(answer)}</td>
          </tr>`,
      )}
    </table>
  </details>`;
}

function contentOf({ content = {} }: Body): Html {
  const types = Object.keys(content).join(", ");
  const schema = Object.values(content)[0]?.schema;
  const name = schema && nameOf(schema);
  return html`<p class="quiet">${types}${name && html`: <a href="#schema-${name}">${name}</a>`}</p>
    ${schema && !name && tableOf(schema)}`;
}

function tableOf(schema: Schema): Html {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return html`<p>${typeOf(schema)}</p>`;
  return html`<table>
    ${fields.map(
      ({ name, needed, field }) =>
        html`<tr>
          <td><code>${name}</code></td>
          <td class="quiet">${needed && "needed"}</td>
          <td>${linked(field)}</td>
          <td>${prose(field.description)}</td>
        </tr>`,
    )}
  </table>`;
}

function linked(schema: Schema): Html | string {
  const name = nameOf(schema);
  return name ? html`<a href="#schema-${name}">${typeOf(schema)}</a>` : typeOf(schema);
}

/** Text in which what stands in backquotes is code. */
function prose(text = ""): Html {
  const parts = text.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part));
  return html`${parts}`;
}
